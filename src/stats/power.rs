//! Power of t tests before they are made: how probable it is that a test comes out as hoped.
//!
//! All of it is one integral over the distribution of the estimated standard deviation, of which the noncentral t
//! distribution and Owen's Q are special cases. It is computed to about ten digits by Gauss-Legendre quadrature.

use statrs::function::erf::erfc;
use statrs::function::gamma::ln_gamma;

use super::student;

/// Panels that the range of the standard deviation is cut into.
const PANELS: usize = 400;
/// Standard deviations of the estimated standard deviation beyond which nothing counts.
const REACH: f64 = 12.0;
/// Nodes and weights of the Gauss-Legendre rule with 10 points on [−1, 1]; the other half by symmetry.
const NODES: [(f64, f64); 5] = [
    (0.148_874_338_981_631_2, 0.295_524_224_714_752_87),
    (0.433_395_394_129_247_2, 0.269_266_719_309_996_35),
    (0.679_409_568_299_024_4, 0.219_086_362_515_982_04),
    (0.865_063_366_688_984_5, 0.149_451_349_150_580_6),
    (0.973_906_528_517_171_7, 0.066_671_344_308_688_14),
];

/// A comparison of means that is planned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    /// Standard error of the estimated difference, from the true standard deviation.
    pub error: f64,
    /// Degrees of freedom.
    pub df: f64,
}

impl Design {
    /// Plans `n` pairs whose differences have the standard deviation `sd`.
    pub fn paired(n: usize, sd: f64) -> Self {
        Self { error: sd / (n as f64).sqrt(), df: n as f64 - 1.0 }
    }

    /// Plans two independent sides of `n` values each with the standard deviation `sd`.
    pub fn unpaired(n: usize, sd: f64) -> Self {
        Self { error: sd * (2.0 / n as f64).sqrt(), df: 2.0 * (n as f64 - 1.0) }
    }

    /// Returns the power of the two-sided test at `alpha` against a difference of `effect`.
    pub fn differs(&self, effect: f64, alpha: f64) -> f64 {
        let t = student::critical(0.5 * alpha, self.df);
        let shift = effect / self.error;
        expect(self.df, f64::INFINITY, |s| normal(shift - t * s) + normal(-shift - t * s))
    }

    /// Returns the power of the one-sided test that a difference is above `−margin`, where it is `effect`.
    pub fn not_worse(&self, margin: f64, effect: f64, alpha: f64) -> f64 {
        let t = student::critical(alpha, self.df);
        let shift = (effect + margin) / self.error;
        expect(self.df, f64::INFINITY, |s| normal(shift - t * s))
    }

    /// Returns the power of two one-sided tests that a difference lies within `low` and `high`, where it is `effect`.
    pub fn equivalent(&self, low: f64, high: f64, effect: f64, alpha: f64) -> f64 {
        let t = student::critical(alpha, self.df);
        let (low, high) = ((low - effect) / self.error, (high - effect) / self.error);
        // With a larger estimate the two tests contradict each other whatever the difference.
        let most = (high - low) / (2.0 * t);
        expect(self.df, most, |s| (normal(high - t * s) - normal(low + t * s)).max(0.0))
    }
}

/// Returns the smallest x for which the increasing function `power` reaches `wanted`; NaN if none does.
pub fn least(wanted: f64, scale: f64, power: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, scale);
    while power(high) < wanted {
        if high > 1e9 * scale || !high.is_finite() {
            return f64::NAN;
        }
        low = high;
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if power(middle) < wanted { low = middle } else { high = middle }
    }
    high
}

/// The distribution function of the standard normal law.
fn normal(z: f64) -> f64 {
    0.5 * erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Returns the integral of `f` over the law of √(χ²/df), from 0 to `most`.
fn expect(df: f64, most: f64, f: impl Fn(f64) -> f64) -> f64 {
    if df.is_nan() || df <= 0.0 || most.is_nan() {
        return f64::NAN;
    }
    let half = 0.5 * df;
    let constant = std::f64::consts::LN_2 + half * libm::log(half) - ln_gamma(half);
    let density = |s: f64| libm::exp(constant + (df - 1.0) * libm::log(s) - half * s * s);
    let spread = 1.0 / (2.0 * df).sqrt();
    let (from, to) = ((1.0 - REACH * spread).max(0.0), (1.0 + REACH * spread).min(most));
    if to <= from {
        return 0.0;
    }
    let width = (to - from) / PANELS as f64;
    let panel = |at: usize| {
        let middle = from + (at as f64 + 0.5) * width;
        let both = |(node, weight): &(f64, f64)| {
            let [left, right] = [-node, *node].map(|node| middle + 0.5 * width * node);
            weight * (density(left) * f(left) + density(right) * f(right))
        };
        0.5 * width * NODES.iter().map(both).sum::<f64>()
    };
    (0..PANELS).map(panel).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() < tolerance, "{found} instead of {expected}");
    }

    /// A published example: PowerTOST's sample sizes for average bioequivalence, 2×2 crossover, CV 30 %, ratio 0.95, 40
    /// subjects: power 0.815845.
    #[test]
    fn power_of_bioequivalence_is_the_published_one() {
        let sd = libm::log(0.3 * 0.3 + 1.0).sqrt();
        let design = Design { error: sd * (2.0_f64 / 40.0).sqrt(), df: 38.0 };
        close(design.equivalent(libm::log(0.8), libm::log(1.25), libm::log(0.95), 0.05), 0.815_845, 5e-7);
    }

    /// Cohen 1988, table 2.3.5: two sides of 64 values find half a standard deviation with power 0.80 at 0.05.
    #[test]
    fn power_of_a_comparison_is_the_one_of_printed_tables() {
        close(Design::unpaired(64, 1.0).differs(0.5, 0.05), 0.80, 0.005);
    }

    #[test]
    fn no_effect_is_found_as_often_as_the_level_says() {
        for n in [2, 3, 10, 1000] {
            let design = Design::paired(n, 1.0);
            close(design.differs(0.0, 0.05), 0.05, 1e-9);
            close(design.not_worse(0.2, -0.2, 0.05), 0.05, 1e-9);
        }
    }

    #[test]
    fn equivalence_needs_room_between_the_margins() {
        let design = Design::paired(3, 1.0);
        assert!(design.equivalent(-0.01, 0.01, 0.0, 0.05) < 1e-4);
        assert!(design.equivalent(-100.0, 100.0, 0.0, 0.05) > 0.999);
        assert!(design.equivalent(1.0, -1.0, 0.0, 0.05).abs() < 1e-12);
    }

    #[test]
    fn the_least_effect_has_the_power_wanted() {
        let design = Design::paired(5, 2.0);
        let effect = least(0.8, 1.0, |effect| design.differs(effect, 0.05));
        close(design.differs(effect, 0.05), 0.8, 1e-9);
        assert!(least(1.1, 1.0, |effect| design.differs(effect, 0.05)).is_nan());
    }
}
