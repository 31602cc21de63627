//! Lists that readers search, filter and sort: tools that a script makes useful, around items that are there without it.

use maud::{Markup, html};

/// A choice among values of a field.
pub struct Choice<'a> {
    /// What is chosen.
    pub title: &'static str,
    /// The items' field: `data-…`.
    pub field: &'static str,
    /// Its values.
    pub options: &'a [String],
}

/// Wraps items, elements of a parent of the class `items` with `data-text` and `data-units`. `sorts` are titles and fields
/// with their direction, `+` or `-`.
pub fn browse(noun: &str, choices: &[Choice<'_>], sorts: &[(&str, &str)], items: &Markup) -> Markup {
    html! {
        div.browse data-noun=(noun) {
            div.tools hidden {
                label { "Search " input type="search" placeholder="label or unit number"; }
                @for choice in choices {
                    label {
                        (choice.title) " "
                        select data-field=(choice.field) {
                            option value="" { "all" }
                            @for option in choice.options { option value=(option) { (option) } }
                        }
                    }
                }
                @if !sorts.is_empty() {
                    label {
                        "Order "
                        select.order { @for (title, field) in sorts { option value=(field) { (title) } } }
                    }
                }
                output aria-live="polite" {}
            }
            (items)
        }
    }
}

/// Numbers of units as an item carries them, from 1.
pub fn units(units: &[usize]) -> String {
    units.iter().map(|unit| (unit + 1).to_string()).collect::<Vec<_>>().join(" ")
}
