//! Exact arithmetic that never overflows: results that do not fit are rounded to 17 significant digits.

use num_traits::{CheckedAdd, CheckedDiv, CheckedMul, CheckedSub, Zero};

use crate::syntax::tree::Exact;

/// Integers up to this size are exact as `f64`.
const EXACT_LIMIT: u128 = 1 << 53;
/// Smallest denominator exponent kept when a float is made exact.
const DECIMALS: u32 = 30;

/// Makes an exact whole number.
pub fn whole(value: i64) -> Exact {
    Exact::from_integer(i128::from(value))
}

/// Returns the nearest `f64`.
pub fn to_f64(value: Exact) -> f64 {
    let (numerator, denominator) = (*value.numer(), *value.denom());
    if numerator.unsigned_abs() <= EXACT_LIMIT && denominator.unsigned_abs() <= EXACT_LIMIT {
        return numerator as f64 / denominator as f64;
    }
    decimal(value).and_then(|text| text.parse().ok()).unwrap_or(numerator as f64 / denominator as f64)
}

/// Writes a value with a finite decimal expansion as `digits`e`exponent`.
fn decimal(value: Exact) -> Option<String> {
    let (mut power, mut scale) = (0u32, 1i128);
    while power < 38 {
        if scale % value.denom() == 0 {
            let digits = i128::checked_mul(*value.numer(), scale / *value.denom())?;
            return Some(format!("{digits}e-{power}"));
        }
        scale = scale.checked_mul(10)?;
        power += 1;
    }
    None
}

/// Returns the shortest decimal that reads back as `value`; `None` if it is not finite or beyond 10³⁰.
///
/// Values are rounded to 30 decimals.
pub fn from_f64(value: f64) -> Option<Exact> {
    if !value.is_finite() || value.abs() > 1e30 {
        return None;
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let decimals = mantissa.split_once('.').map_or(0, |(_, digits)| digits.len());
    let digits: i128 = mantissa.replace('.', "").parse().ok()?;
    let power = exponent - i32::try_from(decimals).ok()?;
    if power >= 0 {
        return Some(Exact::from_integer(digits.checked_mul(10i128.checked_pow(power.unsigned_abs())?)?));
    }
    let negative = power.unsigned_abs();
    if negative <= DECIMALS {
        return Some(Exact::new(digits, 10i128.pow(negative)));
    }
    let lost = 10i128.checked_pow(negative - DECIMALS).unwrap_or(i128::MAX);
    Some(Exact::new(digits / lost, 10i128.pow(DECIMALS)))
}

/// Adds.
pub fn add(a: Exact, b: Exact) -> Option<Exact> {
    a.checked_add(&b).or_else(|| from_f64(to_f64(a) + to_f64(b)))
}

/// Subtracts.
pub fn subtract(a: Exact, b: Exact) -> Option<Exact> {
    a.checked_sub(&b).or_else(|| from_f64(to_f64(a) - to_f64(b)))
}

/// Multiplies.
pub fn multiply(a: Exact, b: Exact) -> Option<Exact> {
    a.checked_mul(&b).or_else(|| from_f64(to_f64(a) * to_f64(b)))
}

/// Divides; `None` for a division by zero as well.
pub fn divide(a: Exact, b: Exact) -> Option<Exact> {
    if b.is_zero() {
        return None;
    }
    a.checked_div(&b).or_else(|| from_f64(to_f64(a) / to_f64(b)))
}

/// Raises to a whole power.
pub fn power(base: Exact, exponent: i64) -> Option<Exact> {
    if exponent < 0 && base.is_zero() {
        return None;
    }
    let mut result = Exact::from_integer(1);
    let (mut square, mut left) = (base, exponent.unsigned_abs());
    while left > 0 {
        if left & 1 == 1 {
            result = multiply(result, square)?;
        }
        left >>= 1;
        if left > 0 {
            square = multiply(square, square)?;
        }
    }
    if exponent < 0 { divide(Exact::from_integer(1), result) } else { Some(result) }
}

/// Rounds up.
pub fn ceil(value: Exact) -> i128 {
    value.ceil().to_integer()
}

/// Rounds to the nearest integer, halves to the even one.
pub fn round_half_even(value: Exact) -> i128 {
    let floor = value.floor().to_integer();
    let rest = value - Exact::from_integer(floor);
    let half = Exact::new(1, 2);
    if rest > half || (rest == half && floor % 2 != 0) { floor + 1 } else { floor }
}

/// Rounds to 18 decimals where numerator or denominator would not fit into 64 bits.
pub fn storable(value: Exact) -> Exact {
    if i64::try_from(*value.denom()).is_ok() {
        return value;
    }
    let scale = Exact::from_integer(10i128.pow(18));
    let scaled = multiply(value, scale).unwrap_or_else(|| Exact::from_integer(0));
    Exact::new(round_half_even(scaled), 10i128.pow(18))
}

/// Writes as `p/q`, the form of canonical arguments.
pub fn fraction(value: Exact) -> String {
    format!("{}/{}", value.numer(), value.denom())
}

/// Writes in decimals: all of them up to six, else rounded to six significant digits.
pub fn shown(value: Exact) -> String {
    let short = (0..=6u32).find_map(|places| {
        let scaled = value.checked_mul(&Exact::from_integer(10i128.pow(places)))?;
        scaled.is_integer().then(|| (places, scaled.to_integer()))
    });
    match short {
        Some((0, number)) => number.to_string(),
        Some((places, number)) => {
            let sign = if number.is_negative() { "-" } else { "" };
            let digits = format!("{:0width$}", number.unsigned_abs(), width = places as usize + 1);
            let (left, right) = digits.split_at(digits.len() - places as usize);
            format!("{sign}{left}.{right}")
        }
        None => significant(to_f64(value)),
    }
}

/// Writes a float with at most six significant digits.
fn significant(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    format!("{rounded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_become_the_decimals_they_are_written_as() {
        assert_eq!(from_f64(0.1), Some(Exact::new(1, 10)));
        assert_eq!(from_f64(-2.5e-4), Some(Exact::new(-1, 4000)));
        assert_eq!(from_f64(3e8), Some(whole(300_000_000)));
        assert_eq!(from_f64(f64::NAN), None);
        assert_eq!(from_f64(1e300), None);
        assert_eq!(from_f64(1e-300), Some(whole(0)));
    }

    #[test]
    fn exact_values_become_the_nearest_float() {
        for text in ["0.1", "3.141592653589793", "0.0001", "123456789.123456789123", "1e-20"] {
            let value: f64 = text.parse().unwrap();
            assert_eq!(to_f64(from_f64(value).unwrap()).to_bits(), value.to_bits(), "{text}");
        }
    }

    #[test]
    fn overflow_rounds_instead_of_failing() {
        let small = Exact::new(1, 10i128.pow(30));
        let product = multiply(small, Exact::new(1, 3)).unwrap();
        assert!(to_f64(product) < 1e-29);
        assert!(multiply(whole(i64::MAX), Exact::from_integer(i128::MAX)).is_none());
        assert_eq!(power(Exact::new(4, 5), 14).unwrap(), Exact::new(4i128.pow(14), 5i128.pow(14)));
    }

    #[test]
    fn halves_go_to_the_even_number() {
        let halves: Vec<_> = [1, 3, 5, -1].map(|n| round_half_even(Exact::new(n, 2))).into();
        assert_eq!(halves, [0, 2, 2, 0]);
    }

    #[test]
    fn numbers_show_their_decimals() {
        assert_eq!(shown(Exact::new(1, 4)), "0.25");
        assert_eq!(shown(Exact::new(-1, 200)), "-0.005");
        assert_eq!(shown(whole(20)), "20");
        assert_eq!(shown(Exact::new(100, 3)), "33.3333");
    }
}
