//! Units with the images that excite them: cards on the page, and a sheet of the best unit of each concept as a file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use maud::{Markup, html};

use super::browse::{self, Choice};
use super::svg::{self, escape, px, shorten, text, text_bold};
use crate::domain::portraits::{Portrait, Portraits};

/// Units on a sheet.
const SHEET: usize = 24;
/// Width of a strip on a sheet.
const STRIP: f64 = 320.0;
const GAP: f64 = 14.0;
const TOP: f64 = 30.0;
const LABEL: f64 = 20.0;

/// Shows every unit, the best first.
pub fn cards(portraits: &Portraits) -> Markup {
    let mut categories: Vec<String> = Vec::new();
    for unit in portraits.units.iter().filter(|unit| !unit.category.is_empty()) {
        if !categories.contains(&unit.category) {
            categories.push(unit.category.clone());
        }
    }
    categories.sort();
    let kinds = ["interpretable".to_owned(), "not interpretable".to_owned()];
    let choices = [
        Choice { title: "Category", field: "category", options: &categories },
        Choice { title: "Units", field: "kind", options: &kinds },
    ];
    let sorts = [("by IoU", "-iou"), ("by unit", "+number"), ("by label", "+text")];
    let items = html! {
        ul.items.cards tabindex="0" aria-label={ "Units of " (portraits.layer) } {
            @for unit in by_iou(portraits) { (card(unit, portraits.side)) }
        }
    };
    html! {
        p.soft.small { (sentence(portraits)) }
        (browse::browse("units", &choices, &sorts, &items))
    }
}

fn sentence(portraits: &Portraits) -> String {
    let found = portraits.units.iter().filter(|unit| unit.interpretable).count();
    format!(
        "{} units of {}, numbered from 1; {found} interpretable. Images by falling activation; what is above the unit's \
         threshold is bright and outlined.",
        portraits.units.len(),
        portraits.layer
    )
}

fn by_iou(portraits: &Portraits) -> Vec<&Portrait> {
    let mut units: Vec<&Portrait> = portraits.units.iter().collect();
    units.sort_by(|a, b| b.iou.total_cmp(&a.iou).then(a.unit.cmp(&b.unit)));
    units
}

fn named(unit: &Portrait) -> &str {
    if unit.label.is_empty() { "no label" } else { &unit.label }
}

fn card(unit: &Portrait, side: usize) -> Markup {
    let kind = if unit.interpretable { "interpretable" } else { "not interpretable" };
    let iou = format!("{:.3}", unit.iou);
    html! {
        li data-text=(unit.label) data-units=(unit.unit) data-number=(unit.unit) data-iou=(iou)
            data-category=(unit.category) data-kind=(kind) {
            p title={ "threshold " (unit.threshold) ", largest activation " (unit.peak) } {
                span.soft { (unit.unit) }
                " " strong.faint[!unit.interpretable] { (named(unit)) }
                " " span.soft { (unit.category) } span.iou { (iou) }
            }
            @if unit.strip.is_empty() { p.soft.small { "never active" } } @else {
                img loading="lazy" decoding="async" width=(unit.width) height=(side) src=(address(&unit.strip))
                    alt={ "Top images of unit " (unit.unit) };
            }
        }
    }
}

/// Draws the best unit of each concept.
pub fn sheet(portraits: &Portraits, label: &str) -> String {
    let mut best: BTreeMap<&str, &Portrait> = BTreeMap::new();
    for unit in by_iou(portraits).into_iter().filter(|unit| unit.interpretable) {
        best.entry(&unit.label).or_insert(unit);
    }
    let mut units: Vec<&Portrait> = best.into_values().collect();
    units.sort_by(|a, b| b.iou.total_cmp(&a.iou).then(a.unit.cmp(&b.unit)));
    let left_out = units.len().saturating_sub(SHEET);
    units.truncate(SHEET);
    let columns = if units.len() > 1 { 2 } else { 1 };
    let tall = |unit: &&Portrait| STRIP * portraits.side as f64 / unit.width.max(1) as f64;
    let row = units.iter().map(tall).fold(20.0, f64::max) + LABEL + GAP;
    let height = TOP + row * units.len().div_ceil(columns) as f64;
    let mut out = svg::open(2.0 * STRIP + 3.0 * GAP, height, label);
    text_bold(&mut out, GAP, 19.0, &heading(portraits, left_out));
    for (at, unit) in units.iter().enumerate() {
        let (x, y) = (GAP + (at % columns) as f64 * (STRIP + GAP), TOP + (at / columns) as f64 * row);
        let name = format!("{} · unit {} · IoU {:.3}", unit.label, unit.unit, unit.iou);
        text(&mut out, x, y + 13.0, 13.0, "start", "pd-ink", "#1d2128", &shorten(&name, STRIP, 13.0));
        let _ = writeln!(
            out,
            "<image x=\"{}\" y=\"{}\" width=\"{STRIP}\" height=\"{}\" href=\"{}\"><title>{}</title></image>",
            px(x),
            px(y + LABEL),
            px(tall(unit)),
            address(&unit.strip),
            escape(&name)
        );
    }
    out.push_str("</svg>\n");
    out
}

fn heading(portraits: &Portraits, left_out: usize) -> String {
    let more = if left_out > 0 { format!("; {left_out} more concepts") } else { String::new() };
    format!("The best unit of each concept in {}{more}", portraits.layer)
}

/// Returns a picture as an address that needs no file.
fn address(jpeg: &[u8]) -> String {
    format!("data:image/jpeg;base64,{}", base64(jpeg))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        for digit in 0..4 {
            let place = (bits >> (18 - 6 * digit) & 63) as usize;
            text.push(if digit <= three.len() { char::from(DIGITS[place]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_as_rfc_4648_has_it() {
        let expected = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (length, text) in expected.iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..length]), *text);
        }
        assert_eq!(base64(&[0xFB, 0xFF, 0xBF]), "+/+/");
    }
}
