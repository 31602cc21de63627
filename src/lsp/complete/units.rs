//! Units after a number.

use super::{Kind, Suggestion, suggestion};
use crate::lsp::analysis::Analysis;
use crate::lsp::spot;
use crate::source::Span;
use crate::syntax::tree::{ExprKind, Unit};
use crate::types::{Plain, Ty};

/// Returns the units that could follow the number before a place; `None` if there is no number.
pub(super) fn suggest(analysis: &Analysis, offset: usize) -> Option<Vec<Suggestion>> {
    let text = analysis.text();
    let before = &text[..offset];
    let letters = before.len() - before.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len();
    let digits_end = offset - letters;
    let digits = before[..digits_end].len()
        - before[..digits_end].trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '_')).len();
    let start = digits_end - digits;
    let starts = before[start..].starts_with(|c: char| c.is_ascii_digit());
    let touches_word = before[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if digits == 0 || !starts || touches_word || before[start..digits_end].ends_with('.') {
        return None;
    }
    let wanted = wanted(analysis, start, offset);
    let number = &before[start..digits_end];
    // The whole number is replaced: an editor filters by what is written from there.
    let replaces = Span::new(analysis.file(), start, offset);
    let fits = |unit: Unit| wanted.as_ref().is_none_or(|ty| takes(ty, unit));
    let units = Unit::ALL.into_iter().filter(|unit| fits(*unit));
    Some(
        units
            .map(|unit| suggestion(replaces, format!("{number}{}", unit.suffix()), Kind::Unit, unit.meaning(), 0))
            .collect(),
    )
}

/// The type that is wanted where the number stands, read without the letters behind it.
fn wanted(analysis: &Analysis, start: usize, offset: usize) -> Option<Ty> {
    // A name in place of the number: whatever is wanted there is wanted of the name.
    let mut text = analysis.text().to_string();
    text.replace_range(start..offset, "");
    let item = crate::syntax::item_at_cursor(analysis.file(), &text, start)?;
    let details = analysis.typed.inspect(analysis.module, &item);
    let way = spot::way(&item, start);
    let name = way.iter().rev().find(|expr| matches!(*expr.kind, ExprKind::Name(_)))?;
    details.wanted_at(name.span).cloned()
}

fn takes(ty: &Ty, unit: Unit) -> bool {
    let fits = |plain: Plain| match unit {
        Unit::Percent => matches!(plain, Plain::Ratio | Plain::Margin | Plain::Schedule),
        Unit::Points => matches!(plain, Plain::Points | Plain::Margin),
        Unit::Epochs | Unit::Iterations | Unit::Images => plain == Plain::Step,
        Unit::Gibibytes | Unit::Mebibytes | Unit::Gigabytes | Unit::Megabytes => plain == Plain::Bytes,
        Unit::Hours | Unit::Minutes | Unit::Seconds => plain == Plain::Time,
    };
    match ty {
        Ty::Plain(plain) => fits(*plain),
        Ty::Measured(inner) => takes(inner, unit),
        Ty::Error | Ty::Var(_) | Ty::Generic(_) => true,
        _ => false,
    }
}
