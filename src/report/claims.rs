//! Verdicts: a claim's comparison, level by level, judged by the tests of `stats`.
//!
//! A claim over several levels is supported if it is supported at every level (intersection–union: no correction is
//! needed), refuted if one level contradicts it, inconclusive otherwise. What is reported for the whole is the level
//! that speaks most against it.

mod pairing;
pub mod prospect;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::number;
use crate::stats::{Degenerate, Difference, Interval, mean};
use crate::value::output::{Cell, ClaimKind, ClaimSpec, Margin, Scale};
use pairing::Comparison;

/// The outcome of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The data show what the claim says.
    Supported,
    /// The data do not decide.
    Inconclusive,
    /// The data show the contrary.
    Refuted,
    /// There is nothing to judge.
    Void,
}

impl Verdict {
    /// Returns the word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Inconclusive => "inconclusive",
            Self::Refuted => "refuted",
            Self::Void => "void",
        }
    }
}

/// The verdict on one claim with the numbers behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Which test.
    pub kind: ClaimKind,
    /// The outcome.
    pub verdict: Verdict,
    /// Difference of means, claim's side minus reference, at the decisive level.
    pub effect: Option<f64>,
    /// Confidence interval of the effect at `interval_level`.
    pub interval: Option<Interval>,
    /// Confidence level of the interval: 1 − α for a difference, 1 − 2α for one-sided tests.
    pub interval_level: f64,
    /// Margin in the units of the effect.
    pub margin: Option<f64>,
    /// Significance level, 1 − `level` of the claim.
    pub alpha: f64,
    /// p value at the decisive level.
    pub p: Option<f64>,
    /// Replicates at the decisive level: pairs, or the smaller side if unpaired.
    pub n: usize,
    /// How to read effect, interval and margin.
    pub scale: Scale,
    /// Every level in order.
    pub levels: Vec<Level>,
    /// Index of the decisive level.
    pub decisive: Option<usize>,
    /// Reasons and remarks.
    pub notes: Vec<String>,
}

/// One comparison of a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// What sets it apart, e.g. `round 3`; empty if the claim has one comparison.
    pub label: String,
    /// The outcome here.
    pub verdict: Verdict,
    /// Mean of the claim's side.
    pub mean: f64,
    /// Mean of the reference.
    pub reference: f64,
    /// Difference of means.
    pub effect: f64,
    /// Its confidence interval; `None` for fewer than two replicates.
    pub interval: Option<Interval>,
    /// Margin in the units of the effect.
    pub margin: Option<f64>,
    /// p value.
    pub p: Option<f64>,
    /// Pairs, or the smaller side if unpaired.
    pub n: usize,
    /// Replicates are paired.
    pub paired: bool,
    /// Remarks.
    pub notes: Vec<String>,
}

impl Judgement {
    /// Makes a judgement that judges nothing.
    pub fn void(spec: &ClaimSpec<Cell>, reason: impl Into<String>) -> Self {
        let alpha = significance(spec.level);
        Self {
            kind: spec.kind,
            verdict: Verdict::Void,
            effect: None,
            interval: None,
            interval_level: interval_level(spec.kind, alpha),
            margin: None,
            alpha,
            p: None,
            n: 0,
            scale: Scale::Plain,
            levels: Vec::new(),
            decisive: None,
            notes: vec![reason.into()],
        }
    }

    /// Returns the numbers in a sentence: `-0.42 pp (90 % interval …), margin 2 pp, p = 0.004, 3 pairs`.
    pub fn numbers(&self) -> String {
        let mut parts = Vec::new();
        if let Some(value) = self.effect {
            parts.push(number::effect(value, self.interval, self.interval_level, self.scale));
        }
        if let Some(margin) = self.margin {
            parts.push(format!("margin {}", number::shown(margin, self.scale)));
        }
        parts.extend(self.p.map(number::p_value));
        if let Some(level) = self.decisive.and_then(|at| self.levels.get(at)) {
            parts.push(format!("{} {}", self.n, if level.paired { "pairs" } else { "replicates a side" }));
            if !level.label.is_empty() {
                parts.push(format!("at {}, the weakest of {} levels", level.label, self.levels.len()));
            }
        }
        parts.join(", ")
    }

    /// Returns the claim's entry of `claims.json`.
    pub fn to_json(&self, name: &str, text: &str) -> Value {
        json!({
            "name": name,
            "text": text,
            "kind": self.kind,
            "verdict": self.verdict,
            "effect": finite(self.effect),
            "interval": ends(self.interval),
            "interval_level": rounded(self.interval_level),
            "margin": finite(self.margin),
            "alpha": rounded(self.alpha),
            "p": finite(self.p),
            "n": self.n,
            "scale": self.scale,
            "levels": self.levels,
            "notes": self.notes,
        })
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({
            "label": self.label,
            "verdict": self.verdict,
            "mean": finite(Some(self.mean)),
            "reference": finite(Some(self.reference)),
            "effect": finite(Some(self.effect)),
            "interval": ends(self.interval),
            "margin": finite(self.margin),
            "p": finite(self.p),
            "n": self.n,
            "paired": self.paired,
            "notes": self.notes,
        })
        .serialize(serializer)
    }
}

/// Judges a claim.
///
/// Replicates are paired by the axes of `over` where both sides have them, otherwise compared by Welch's test. Rows that
/// differ in another axis, or in a field that is needed to tell replicates apart, are separate comparisons.
/// A missing or non-finite value makes the claim void; fewer than two replicates leave it inconclusive.
pub fn judge(spec: &ClaimSpec<Cell>) -> Judgement {
    let comparisons = match pairing::comparisons(spec) {
        Ok(comparisons) => comparisons,
        Err(reason) => return Judgement::void(spec, reason),
    };
    if spec.kind != ClaimKind::Differs && spec.margin.is_none() {
        return Judgement::void(spec, "the claim has no margin");
    }
    let alpha = significance(spec.level);
    let levels: Vec<Level> = comparisons.levels.iter().map(|comparison| judge_level(spec, comparison, alpha)).collect();
    let verdict = overall(&levels);
    let decisive = decisive(&levels, verdict);
    let worst = decisive.map(|at| &levels[at]);
    let mut notes = comparisons.notes;
    notes.extend(worst.iter().flat_map(|level| level.notes.iter().cloned()));
    Judgement {
        kind: spec.kind,
        verdict,
        effect: worst.map(|level| level.effect),
        interval: worst.and_then(|level| level.interval),
        interval_level: interval_level(spec.kind, alpha),
        margin: worst.and_then(|level| level.margin),
        alpha,
        p: worst.and_then(|level| level.p),
        n: worst.map_or(0, |level| level.n),
        scale: number::difference(comparisons.scale),
        levels,
        decisive,
        notes,
    }
}

fn judge_level(spec: &ClaimSpec<Cell>, comparison: &Comparison, alpha: f64) -> Level {
    let (x, y) = (&comparison.sample, &comparison.reference);
    let reference = mean(y);
    let margin = spec.margin.map(|margin| match margin {
        Margin::Absolute(value) => value.abs(),
        Margin::Relative(share) => share.abs() * reference.abs(),
    });
    let mut level = Level {
        label: comparison.label.clone(),
        verdict: Verdict::Inconclusive,
        mean: mean(x),
        reference,
        effect: mean(x) - reference,
        interval: None,
        margin,
        p: None,
        n: x.len().min(y.len()),
        paired: comparison.paired,
        notes: comparison.notes.clone(),
    };
    let difference = match if comparison.paired { Difference::paired(x, y) } else { Difference::welch(x, y) } {
        Ok(difference) => difference,
        Err(reason) => {
            level.notes.push(match reason {
                Degenerate::TooFew { n } => format!("only {n} replicate on a side: a test needs at least 2"),
                other => other.to_string(),
            });
            return level;
        }
    };
    if difference.error == 0.0 {
        level.notes.push("all differences are identical: the interval has no width".to_string());
    }
    let interval = difference.interval(interval_level(spec.kind, alpha));
    let (p, refuted) = match (spec.kind, margin) {
        (ClaimKind::NotWorse, Some(margin)) => (difference.above(-margin).p, interval.high < -margin),
        (ClaimKind::Equivalent, Some(margin)) => {
            (difference.within(-margin, margin).p(), interval.low > margin || interval.high < -margin)
        }
        _ => (difference.nonzero().p, false),
    };
    level.effect = difference.estimate;
    level.interval = Some(interval);
    level.p = Some(p);
    level.verdict = match (p < alpha, refuted) {
        (true, _) => Verdict::Supported,
        (false, true) => Verdict::Refuted,
        (false, false) => Verdict::Inconclusive,
    };
    level
}

fn overall(levels: &[Level]) -> Verdict {
    if levels.iter().any(|level| level.verdict == Verdict::Refuted) {
        Verdict::Refuted
    } else if levels.iter().all(|level| level.verdict == Verdict::Supported) {
        Verdict::Supported
    } else {
        Verdict::Inconclusive
    }
}

/// The first level of the deciding verdict that speaks most against the claim: the largest violation where levels
/// refute it, otherwise the largest p; a level without p outweighs all others.
fn decisive(levels: &[Level], verdict: Verdict) -> Option<usize> {
    let weight = |level: &Level| match verdict {
        Verdict::Refuted => level.effect.abs() - level.margin.unwrap_or(0.0),
        _ => level.p.unwrap_or(f64::INFINITY),
    };
    let mut found: Option<usize> = None;
    for (at, level) in levels.iter().enumerate().filter(|(_, level)| level.verdict == verdict) {
        if found.is_none_or(|best| weight(level) > weight(&levels[best])) {
            found = Some(at);
        }
    }
    found
}

fn significance(level: f64) -> f64 {
    // 1 − 0.95 is 0.05000000000000004 in binary.
    rounded(1.0 - level)
}

fn interval_level(kind: ClaimKind, alpha: f64) -> f64 {
    rounded(match kind {
        ClaimKind::NotWorse | ClaimKind::Equivalent => 1.0 - 2.0 * alpha,
        ClaimKind::Differs => 1.0 - alpha,
    })
}

fn rounded(level: f64) -> f64 {
    (level * 1e12).round() / 1e12
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

fn ends(interval: Option<Interval>) -> Option<[f64; 2]> {
    interval.map(|interval| [interval.low, interval.high])
}

#[cfg(test)]
mod tests;
