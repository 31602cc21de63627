//! The page's warnings.

use maud::{Markup, html};

use super::contents::Warning;
use super::number;

/// Places that are shown at once; more are folded.
const SHOWN: usize = 4;

/// Shows warnings in a section of their own.
pub fn section(warnings: &[Warning]) -> Markup {
    html! {
        @if !warnings.is_empty() {
            h2 #warnings { "Warnings" }
            @for warning in warnings { (show(warning)) }
        }
    }
}

fn show(warning: &Warning) -> Markup {
    let (first, rest) = warning.seen.split_at(warning.seen.len().min(SHOWN));
    html! {
        section.warning {
            p { strong { "⚠ " (warning.text) } }
            ul { @for seen in first { li { (number::typographic(seen)) } } }
            @if !rest.is_empty() {
                details {
                    summary { (rest.len()) " more" }
                    div { ul { @for seen in rest { li { (number::typographic(seen)) } } } }
                }
            }
            @if !warning.help.is_empty() { p.soft { (warning.help) } }
        }
    }
}
