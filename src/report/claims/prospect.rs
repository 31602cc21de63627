//! What a claim's test can show before it is made: how many replicates it will have, and how much they vary as far as
//! results are there.

use std::collections::BTreeMap;

use super::pairing::{self, Comparison};
use super::significance;
use crate::stats::power::{Design, least};
use crate::stats::{mean, sd};
use crate::value::output::{Cell, ClaimKind, ClaimSpec, Frame, Margin, Scale};

/// The power that is asked for.
pub const POWER: f64 = 0.8;

/// The prospects of a claim at the level at which they are worst.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Prospect {
    /// Which test.
    pub kind: ClaimKind,
    /// Levels, each of which has to be shown.
    pub levels: usize,
    /// Pairs, or the smaller side if unpaired.
    pub n: usize,
    /// Whether replicates are paired.
    pub paired: bool,
    /// Significance level.
    pub alpha: f64,
    /// The smallest difference that is found with power [`POWER`], or the smallest margin that holds with it where there
    /// is no difference; in standard deviations of the paired differences, or of the values if unpaired.
    pub detectable: f64,
    /// What is known from results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed: Option<Observed>,
}

/// What results tell about a claim's prospects.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Observed {
    /// Standard deviation of the paired differences, or of the values if unpaired.
    pub sd: f64,
    /// Replicates that it comes from.
    pub from: usize,
    /// [`Prospect::detectable`] in the units of the column.
    pub detectable: f64,
    /// Margin in the units of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// Power at that margin where there is no difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power: Option<f64>,
    /// How to read these numbers.
    pub scale: Scale,
}

/// Tells the prospects of claims. Claims of one design, of which a program has many, are computed once.
#[derive(Debug, Default)]
pub struct Prospects {
    /// By kind, replicates, pairing and the bits of the significance level.
    detectable: BTreeMap<(ClaimKind, usize, bool, u64), f64>,
}

impl Prospects {
    /// Tells the prospects of a claim, of which some results may be missing.
    ///
    /// # Errors
    /// If the claim cannot be tested at all: the reason.
    pub fn of(&mut self, spec: &ClaimSpec<Cell>) -> Result<Prospect, String> {
        prospect(spec, |kind, n, paired, alpha| {
            let known = self.detectable.entry((kind, n, paired, alpha.to_bits()));
            *known.or_insert_with(|| least(POWER, 1.0, |size| power(kind, design(n, paired, 1.0), size, alpha)))
        })
    }
}

fn prospect(
    spec: &ClaimSpec<Cell>,
    detectable: impl FnOnce(ClaimKind, usize, bool, f64) -> f64,
) -> Result<Prospect, String> {
    let planned = pairing::comparisons(&ClaimSpec {
        sample: filled(&spec.sample, scale(spec)),
        reference: filled(&spec.reference, scale(spec)),
        ..spec.clone()
    })?;
    let measured = ClaimSpec { sample: measured(&spec.sample), reference: measured(&spec.reference), ..spec.clone() };
    let measured = pairing::comparisons(&measured).ok();
    let alpha = significance(spec.level);
    let n = |level: &Comparison| level.sample.len().min(level.reference.len());
    let Some(worst) = planned.levels.iter().min_by_key(|level| n(level)) else {
        return Err("the claim compares nothing".to_owned());
    };
    let (n, paired) = (n(worst), worst.paired);
    if n < 2 {
        return Err(format!("{n} replicate on a side: a test needs at least 2"));
    }
    let detectable = detectable(spec.kind, n, paired, alpha);
    let observed = measured.and_then(|found| {
        let spreads = found.levels.iter().filter_map(|level| Some((level, spread(level)?)));
        let (level, sd) = spreads.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, sd)| *sd > 0.0)?;
        let margin = spec.margin.map(|margin| match margin {
            Margin::Absolute(value) => value.abs(),
            Margin::Relative(share) => share.abs() * mean(&level.reference).abs(),
        });
        let margin = margin.filter(|_| spec.kind != ClaimKind::Differs);
        Some(Observed {
            sd,
            from: level.sample.len().min(level.reference.len()),
            detectable: detectable * sd,
            margin,
            power: margin.map(|margin| power(spec.kind, design(n, paired, sd), margin, alpha)),
            scale: super::number::difference(found.scale),
        })
    });
    Ok(Prospect { kind: spec.kind, levels: planned.levels.len(), n, paired, alpha, detectable, observed })
}

fn design(n: usize, paired: bool, sd: f64) -> Design {
    if paired { Design::paired(n, sd) } else { Design::unpaired(n, sd) }
}

/// The power against a difference of `size`, or with a margin of `size` and no difference.
fn power(kind: ClaimKind, design: Design, size: f64, alpha: f64) -> f64 {
    match kind {
        ClaimKind::Differs => design.differs(size, alpha),
        ClaimKind::NotWorse => design.not_worse(size, 0.0, alpha),
        ClaimKind::Equivalent => design.equivalent(-size, size, 0.0, alpha),
    }
}

/// The standard deviation that decides: of differences if paired, else the pooled one of both sides.
fn spread(level: &Comparison) -> Option<f64> {
    let (x, y) = (&level.sample, &level.reference);
    if x.len().min(y.len()) < 2 {
        return None;
    }
    if level.paired {
        return Some(sd(&x.iter().zip(y).map(|(x, y)| x - y).collect::<Vec<_>>()));
    }
    let (n, m) = (x.len() as f64 - 1.0, y.len() as f64 - 1.0);
    let squared = |values: &[f64]| sd(values) * sd(values);
    Some(((n * squared(x) + m * squared(y)) / (n + m)).sqrt())
}

fn scale(spec: &ClaimSpec<Cell>) -> Scale {
    let values = [&spec.sample, &spec.reference].into_iter().filter_map(|frame| frame.columns.last());
    let mut cells = values.flat_map(|column| &column.cells);
    let known = cells.find_map(|cell| if let Cell::Number { scale, .. } = cell { Some(*scale) } else { None });
    known.unwrap_or(Scale::Plain)
}

/// The rows with some number in the place of results that are not there yet.
fn filled(frame: &Frame<Cell>, scale: Scale) -> Frame<Cell> {
    let mut frame = frame.clone();
    if let Some(values) = frame.columns.last_mut() {
        for cell in values.cells.iter_mut().filter(|cell| **cell == Cell::Missing) {
            *cell = Cell::Number { value: 0.0, scale };
        }
    }
    frame
}

/// The rows whose results are there.
fn measured(frame: &Frame<Cell>) -> Frame<Cell> {
    let there = |row: usize| frame.columns.last().is_some_and(|values| values.cells[row] != Cell::Missing);
    let rows: Vec<usize> = (0..frame.height()).filter(|row| there(*row)).collect();
    let mut kept = frame.clone();
    for (column, all) in kept.columns.iter_mut().zip(&frame.columns) {
        column.cells = rows.iter().map(|row| all.cells[*row].clone()).collect();
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::value::output::{Column, Role};

    fn side(values: &[Option<f64>]) -> Frame<Cell> {
        let number = |value: f64, scale| Cell::Number { value, scale };
        let seeds = (1..=values.len()).map(|seed| number(seed as f64, Scale::Plain)).collect();
        let cells = values.iter().map(|value| value.map_or(Cell::Missing, |value| number(value, Scale::Ratio)));
        Frame::new(vec![
            Column { name: "seed".into(), role: Role::Axis, cells: seeds },
            Column { name: "top1".into(), role: Role::Field, cells: cells.collect() },
        ])
    }

    fn claim(kind: ClaimKind, margin: Option<Margin>, x: &[Option<f64>], y: &[Option<f64>]) -> ClaimSpec<Cell> {
        ClaimSpec { kind, sample: side(x), reference: side(y), margin, over: vec![Arc::from("seed")], level: 0.95 }
    }

    #[test]
    fn without_results_effects_are_in_standard_deviations() {
        let found = Prospects::default().of(&claim(ClaimKind::Differs, None, &[None; 3], &[None; 3])).unwrap();
        assert_eq!((found.n, found.paired, found.levels, found.observed), (3, true, 1, None));
        // Three pairs, two-sided at 0.05: as statsmodels' TTestPower().solve_power(nobs=3, alpha=0.05, power=0.8).
        assert!((found.detectable - 3.264_04).abs() < 1e-4, "{}", found.detectable);
    }

    #[test]
    fn some_results_tell_how_much_all_will_vary() {
        let x = [Some(0.90), Some(0.92), Some(0.91), None, None];
        let y = [Some(0.91), Some(0.92), Some(0.93), None, None];
        let found = Prospects::default().of(&claim(ClaimKind::NotWorse, Some(Margin::Absolute(0.02)), &x, &y)).unwrap();
        let observed = found.observed.unwrap();
        assert_eq!((found.n, observed.from, observed.scale), (5, 3, Scale::Points));
        assert!((observed.sd - 0.01).abs() < 1e-9, "{}", observed.sd);
        let expected = Design::paired(5, 0.01).not_worse(0.02, 0.0, 0.05);
        assert!((observed.power.unwrap() - expected).abs() < 1e-9);
    }

    #[test]
    fn one_replicate_cannot_be_tested() {
        assert!(
            Prospects::default()
                .of(&claim(ClaimKind::Differs, None, &[None], &[None]))
                .unwrap_err()
                .contains("at least 2")
        );
    }
}
