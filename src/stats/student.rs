//! Student's t distribution: upper tails and quantiles.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Returns P(T > t) for `df` > 0 degrees of freedom. `t` may be infinite; a NaN gives NaN.
pub fn upper_tail(t: f64, df: f64) -> f64 {
    if t.is_nan() {
        return f64::NAN;
    }
    if t.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |law| law.sf(t))
}

/// Returns the t with P(T > t) = `tail`, for 0 < `tail` < 1 and `df` > 0; NaN outside.
///
/// A bisection of [`upper_tail`]: the two agree to the last bits, which a closed
/// approximation of the inverse does not promise.
pub fn critical(tail: f64, df: f64) -> f64 {
    if !(tail > 0.0 && tail < 1.0 && df > 0.0) {
        return f64::NAN;
    }
    if tail > 0.5 {
        return -critical(1.0 - tail, df);
    }
    let (mut low, mut high) = (0.0, 1.0);
    while upper_tail(high, df) > tail && high < 1e300 {
        low = high;
        high *= 2.0;
    }
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if upper_tail(middle, df) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_printed_tables() {
        for (tail, df, expected) in
            [(0.025, 2.0, 4.302_652_729_749_463), (0.05, 4.0, 2.131_846_786_326_649), (0.025, 1e6, 1.959_966_356_8)]
        {
            let found = critical(tail, df);
            assert!((found - expected).abs() < 1e-8 * expected, "{tail} {df}: {found}");
        }
        assert!((critical(0.975, 2.0) + 4.302_652_729_749_463).abs() < 1e-8);
        assert!(critical(0.5, 3.0).abs() < 1e-9);
    }

    #[test]
    fn infinite_statistics_have_exact_tails() {
        assert_eq!(upper_tail(f64::INFINITY, 2.0).to_bits(), 0.0_f64.to_bits());
        assert_eq!(upper_tail(f64::NEG_INFINITY, 2.0).to_bits(), 1.0_f64.to_bits());
        assert!(upper_tail(f64::NAN, 2.0).is_nan());
        assert!(critical(0.0, 2.0).is_nan());
    }
}
