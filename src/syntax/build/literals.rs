//! Numbers and strings.

use std::sync::Arc;

use pest::iterators::Pair;

use super::{Builder, parts};
use crate::syntax::parse::Rule;
use crate::syntax::report;
use crate::syntax::tree::{Exact, ExprKind, Unit};

impl Builder<'_> {
    /// The text of a string literal, escapes resolved.
    pub(super) fn string(&self, pair: Pair<'_, Rule>) -> Arc<str> {
        let Some(chars) = parts(pair).next() else { return Arc::from("") };
        let raw = chars.as_str();
        let mut text = String::with_capacity(raw.len());
        let mut rest = raw.chars();
        while let Some(next) = rest.next() {
            if next != '\\' {
                text.push(next);
                continue;
            }
            match rest.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('u') => {
                    let digits: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                    let scalar = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                    if scalar.is_none() {
                        self.report(report::no_such_scalar(self.span(&chars), &digits));
                    }
                    text.push(scalar.unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                Some(other) => text.push(other),
                None => {}
            }
        }
        text.into()
    }

    pub(super) fn number(&self, pair: Pair<'_, Rule>) -> ExprKind {
        let span = self.span(&pair);
        let Some(digits) = parts(pair).next() else { return ExprKind::Error };
        let kind = if digits.as_rule() == Rule::int {
            digits.as_str().replace('_', "").parse().ok().map(ExprKind::Int)
        } else {
            exact(digits.as_str()).map(ExprKind::Float)
        };
        kind.unwrap_or_else(|| {
            self.report(report::number_range(span));
            ExprKind::Error
        })
    }

    pub(super) fn quantity(&self, pair: Pair<'_, Rule>) -> ExprKind {
        let span = self.span(&pair);
        let (mut number, mut unit) = (None, None);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::unit => unit = Unit::ALL.into_iter().find(|unit| unit.suffix() == part.as_str()),
                _ => number = exact(part.as_str()),
            }
        }
        let (Some(number), Some(unit)) = (number, unit) else {
            self.report(report::number_range(span));
            return ExprKind::Error;
        };
        ExprKind::Quantity(number, unit)
    }

    pub(super) fn bad_quantity(&self, pair: &Pair<'_, Rule>) -> ExprKind {
        let text = pair.as_str();
        let bytes = text.as_bytes();
        let mut end = bytes.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'_' | b'.')).unwrap_or(text.len());
        while end > 1 && bytes[end - 1] == b'_' {
            end -= 1;
        }
        self.report(report::unknown_unit(self.span(pair), &text[..end], &text[end..]));
        ExprKind::Error
    }
}

/// Reads a decimal without loss.
fn exact(text: &str) -> Option<Exact> {
    let text = text.replace('_', "");
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text.as_str(), 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    if digits == 0 {
        return Some(Exact::from_integer(0));
    }
    let power = 10i128.checked_pow(scale.unsigned_abs())?;
    if scale >= 0 { digits.checked_mul(power).map(Exact::from_integer) } else { Some(Exact::new(digits, power)) }
}

#[cfg(test)]
mod tests {
    use super::{Exact, exact};

    #[test]
    fn decimals_are_exact() {
        assert_eq!(exact("0.1"), Some(Exact::new(1, 10)));
        assert_eq!(exact("1e-4"), Some(Exact::new(1, 10_000)));
        assert_eq!(exact("1_000"), Some(Exact::from_integer(1000)));
        assert_eq!(exact("2.50e2"), Some(Exact::from_integer(250)));
        assert_eq!(exact("1e99"), None);
        assert_eq!(exact("0e99"), Some(Exact::from_integer(0)));
    }
}
