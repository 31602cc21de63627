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
            p { strong { "⚠ " (marked(&warning.text)) } }
            ul { @for seen in first { li { (marked(seen)) } } }
            @if !rest.is_empty() {
                details {
                    summary { (rest.len()) " more" }
                    div { ul { @for seen in rest { li { (marked(seen)) } } } }
                }
            }
            @if !warning.help.is_empty() { p.soft { (marked(&warning.help)) } }
        }
    }
}

/// Sets what stands between backticks as code.
fn marked(text: &str) -> Markup {
    let text = number::typographic(text);
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
