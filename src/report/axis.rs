//! Axes of plots: where a value stands, and which ticks say so.

use super::number;
use crate::value::output::{AxisScale, Scale};

/// One axis, laid out for a length in pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Title with its unit.
    pub title: String,
    /// Ticks in rising order.
    pub ticks: Vec<Tick>,
    /// Where the axis is broken, if a border value (0 on a logarithmic axis) has a slot of its own.
    pub breaks: Vec<f64>,
    reading: Scale,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// Transformed positions between `low` and `high`; a slot holds the value that the transform sends to infinity.
    Continuous { scale: AxisScale, low: f64, high: f64, low_slot: Option<f64>, high_slot: Option<f64> },
    /// Equally spaced labels.
    Ordinal(Vec<String>),
}

/// A tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Position along the axis, 0 to 1.
    pub at: f64,
    /// Its label.
    pub label: String,
}

/// Which way an axis runs and how long it is.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    /// Left to right, over so many pixels; labels stand side by side.
    Across(f64),
    /// Bottom to top, over so many pixels; labels stand above each other.
    Up(f64),
}

/// Where a value falls under a scale.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Inside(f64),
    LowBorder,
    HighBorder,
    Outside,
}

fn place(scale: AxisScale, value: f64) -> Place {
    // Beyond 10³⁰⁰ the length of an axis would overflow.
    let inside = |value: f64| if value.abs() <= 1e300 { Place::Inside(value) } else { Place::Outside };
    match scale {
        AxisScale::Linear => inside(value),
        AxisScale::Log | AxisScale::Logit if value == 0.0 => Place::LowBorder,
        AxisScale::Log if value > 0.0 => inside(value.log10()),
        AxisScale::Logit if 1.0 - value == 0.0 => Place::HighBorder,
        AxisScale::Logit if value > 0.0 && value < 1.0 => inside((value / (1.0 - value)).ln()),
        AxisScale::Log | AxisScale::Logit => Place::Outside,
    }
}

impl Axis {
    /// Lays out an axis for some values (those that are not finite, or have no place on the scale, are passed over).
    pub fn continuous(title: String, reading: Scale, scale: AxisScale, values: &[f64], run: Run) -> Self {
        let places: Vec<Place> = values.iter().map(|&value| place(scale, value)).collect();
        let inside: Vec<f64> =
            places.iter().filter_map(|place| if let Place::Inside(at) = place { Some(*at) } else { None }).collect();
        let (first, last) = extent(&inside, scale, reading);
        let range = last - first;
        let padding = range * if matches!(run, Run::Up(_)) { 0.07 } else { 0.03 };
        let (mut low, mut high) = (first - padding, last + padding);
        if scale == AxisScale::Linear && matches!(run, Run::Up(_)) && first >= 0.0 && first < 0.35 * last {
            low = 0.0;
        }
        let slot = 0.14 * range;
        let low_slot = places.contains(&Place::LowBorder).then(|| {
            low = first - slot - padding;
            first - slot
        });
        let high_slot = places.contains(&Place::HighBorder).then(|| {
            high = last + slot + padding;
            last + slot
        });
        let mut axis = Self {
            title,
            ticks: Vec::new(),
            breaks: Vec::new(),
            reading,
            kind: Kind::Continuous { scale, low, high, low_slot, high_slot },
        };
        let fraction = |at: f64| (at - low) / (high - low);
        axis.breaks.extend(low_slot.map(|_| fraction(first - 0.5 * slot)));
        axis.breaks.extend(high_slot.map(|_| fraction(last + 0.5 * slot)));
        // Padding the frame does not make ticks below zero or beyond 100 % where no value is.
        let bounded = !matches!(reading, Scale::Plain | Scale::Points);
        let no_value = |beyond: fn(f64) -> bool| !values.iter().any(|value| beyond(*value));
        let bound = |value: f64| {
            let below = bounded && value < 0.0 && no_value(|value| value < 0.0);
            let above = reading == Scale::Ratio && value > 1.0 && no_value(|value| value > 1.0);
            !below && !above
        };
        let border = [(low_slot, 0.0), (high_slot, 1.0)];
        let mut ticks: Vec<Tick> = border
            .iter()
            .filter_map(|(slot, value)| slot.map(|at| Tick { at: fraction(at), label: number::bare(*value, reading) }))
            .collect();
        let slots = ticks.clone();
        // Ticks belong on the unbroken stretch only.
        let visible = |value: f64| match place(scale, value) {
            Place::Inside(at) => {
                bound(value)
                    && at >= if low_slot.is_some() { first - 0.2 * slot } else { low }
                    && at <= if high_slot.is_some() { last + 0.2 * slot } else { high }
            }
            _ => false,
        };
        for candidates in candidates(scale, reading, (low.min(first), high.max(last)), run) {
            let mut attempt = slots.clone();
            for (value, label) in candidates.into_iter().filter(|(value, _)| visible(*value)) {
                if let Place::Inside(at) = place(scale, value) {
                    let tick = Tick { at: fraction(at), label: number::typographic(&label) };
                    if attempt.iter().all(|other| run.apart(other, &tick)) {
                        attempt.push(tick);
                    }
                }
            }
            if attempt.len() > ticks.len() {
                ticks = attempt;
            }
            if ticks.len() >= slots.len() + 3 {
                break;
            }
        }
        ticks.sort_by(|a, b| a.at.total_cmp(&b.at));
        axis.ticks = ticks;
        axis
    }

    /// Lays out an axis of labels in their order.
    pub fn ordinal(title: String, labels: Vec<String>) -> Self {
        let count = labels.len().max(1) as f64;
        let ticks = labels
            .iter()
            .enumerate()
            .map(|(at, label)| Tick { at: (at as f64 + 0.5) / count, label: label.clone() })
            .collect();
        Self { title, ticks, breaks: Vec::new(), reading: Scale::Plain, kind: Kind::Ordinal(labels) }
    }

    /// Returns where a value stands, 0 to 1; `None` if it has no place.
    pub fn position(&self, value: f64) -> Option<f64> {
        match &self.kind {
            Kind::Continuous { scale, low, high, low_slot, high_slot } => {
                let at = match place(*scale, value) {
                    Place::Inside(at) => Some(at),
                    Place::LowBorder => *low_slot,
                    Place::HighBorder => *high_slot,
                    Place::Outside => None,
                }?;
                Some((at - low) / (high - low))
            }
            Kind::Ordinal(_) => None,
        }
    }

    /// Returns where a label stands, 0 to 1.
    pub fn label_position(&self, label: &str) -> Option<f64> {
        match &self.kind {
            Kind::Ordinal(labels) => {
                let at = labels.iter().position(|other| other == label)?;
                Some((at as f64 + 0.5) / labels.len() as f64)
            }
            Kind::Continuous { .. } => None,
        }
    }

    /// Returns the ends of a proportional axis in stored units; `None` for other axes.
    pub fn linear_domain(&self) -> Option<[f64; 2]> {
        match self.kind {
            Kind::Continuous { scale: AxisScale::Linear, low, high, .. } => Some([low, high]),
            _ => None,
        }
    }

    /// Returns how the axis' values are read.
    pub fn reading(&self) -> Scale {
        self.reading
    }

    /// Returns whether the axis carries labels instead of numbers.
    pub fn is_ordinal(&self) -> bool {
        matches!(self.kind, Kind::Ordinal(_))
    }
}

impl Run {
    fn length(self) -> f64 {
        match self {
            Self::Across(length) | Self::Up(length) => length,
        }
    }

    fn apart(self, a: &Tick, b: &Tick) -> bool {
        let distance = (a.at - b.at).abs() * self.length();
        match self {
            Self::Across(_) => distance >= 0.5 * (text_width(&a.label, 12.0) + text_width(&b.label, 12.0)) + 10.0,
            Self::Up(_) => distance >= 22.0,
        }
    }
}

/// First and last transformed position, apart from each other.
fn extent(inside: &[f64], scale: AxisScale, reading: Scale) -> (f64, f64) {
    let first = inside.iter().copied().fold(f64::INFINITY, f64::min);
    let last = inside.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if first > last {
        return if scale == AxisScale::Linear { (0.0, 1.0) } else { (-1.0, 1.0) };
    }
    let least = match scale {
        AxisScale::Linear => f64::max(first.abs().max(last.abs()) * 1e-9, f64::MIN_POSITIVE),
        AxisScale::Log | AxisScale::Logit => 1e-6,
    };
    if last - first > least {
        return (first, last);
    }
    let half = match scale {
        AxisScale::Linear if first == 0.0 => 0.5 / number::factor(reading),
        AxisScale::Linear => 0.05 * first.abs(),
        AxisScale::Log | AxisScale::Logit => 0.5,
    };
    (first - half, last + half)
}

/// Sets of ticks, the best first; inside a set in order of importance.
fn candidates(scale: AxisScale, reading: Scale, ends: (f64, f64), run: Run) -> Vec<Vec<(f64, String)>> {
    let back = |at: f64| match scale {
        AxisScale::Linear => at,
        AxisScale::Log => 10_f64.powf(at),
        AxisScale::Logit => 1.0 / (1.0 + (-at).exp()),
    };
    let plain = |count: f64| proportional(back(ends.0), back(ends.1), reading, count);
    let room = match run {
        Run::Across(length) => (length / 70.0).clamp(3.0, 9.0),
        Run::Up(length) => (length / 42.0).clamp(3.0, 7.0),
    };
    let fallback = [plain(room), plain(2.0 * room), plain(4.0 * room)];
    let special = match scale {
        AxisScale::Linear => None,
        AxisScale::Log => Some(decades(ends, reading)),
        AxisScale::Logit => {
            Some(LOGIT_TICKS.iter().map(|&value| (value, number::bare(value, reading))).collect::<Vec<(f64, String)>>())
        }
    };
    special.into_iter().chain(fallback).collect()
}

/// Ratios worth a tick, most important first.
const LOGIT_TICKS: [f64; 19] = [
    0.5, 0.9, 0.99, 0.1, 0.01, 0.999, 0.001, 0.8, 0.95, 0.98, 0.2, 0.05, 0.02, 0.995, 0.005, 0.9999, 0.0001, 0.998,
    0.002,
];

fn decades((low, high): (f64, f64), reading: Scale) -> Vec<(f64, String)> {
    let times = number::factor(reading);
    let (from, until) = ((low + times.log10()).floor() as i32, (high + times.log10()).ceil() as i32);
    let at = |mantissa: u32, exponent: i32| -> (f64, String) {
        let shown: f64 = format!("{mantissa}e{exponent}").parse().unwrap_or(f64::NAN);
        (shown / times, tick_label(shown, (-exponent).max(0) as usize))
    };
    let stride = ((until - from) / 8).max(1) as usize;
    let whole = (from..=until).step_by(stride).map(|exponent| at(1, exponent));
    let between = [2, 5, 3].iter().flat_map(|&mantissa| (from..=until).map(move |exponent| (mantissa, exponent)));
    let between: Vec<_> =
        if until - from <= 4 { between.map(|(mantissa, exponent)| at(mantissa, exponent)).collect() } else { vec![] };
    whole.chain(between).collect()
}

/// Multiples of 1, 2 or 5 times a power of ten (in shown units), about `count` of them.
fn proportional(low: f64, high: f64, reading: Scale, count: f64) -> Vec<(f64, String)> {
    let times = number::factor(reading);
    let (low, high) = (low * times, high * times);
    let rough = (high - low) / count;
    if !(rough.is_finite() && rough > 0.0) {
        return Vec::new();
    }
    let mut exponent = rough.log10().floor() as i32;
    let power: f64 = 10_f64.powi(exponent);
    let mut mantissa = [1.0, 2.0, 5.0].into_iter().find(|mantissa| mantissa * power >= rough * 0.999).unwrap_or(10.0);
    if mantissa >= 10.0 {
        (mantissa, exponent) = (1.0, exponent + 1);
    }
    if matches!(reading, Scale::Count | Scale::Iterations) && exponent < 0 {
        (mantissa, exponent) = (1.0, 0);
    }
    // Multiplying by an integer power of ten is exact where dividing by its inverse is not: 3 · 0.1 against 3 / 10.
    let value = |index: f64| {
        if exponent < 0 { index * mantissa / 10_f64.powi(-exponent) } else { index * mantissa * 10_f64.powi(exponent) }
    };
    let step = value(1.0);
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    let decimals = (-exponent).max(0) as usize;
    (0..=((last - first).clamp(-1.0, 60.0) as i64))
        .map(|index| value(first + index as f64))
        .filter(|shown| *shown <= high * (1.0 + 1e-12) || *shown <= high + 1e-12 * step)
        .map(|shown| (shown / times, tick_label(shown, decimals)))
        .collect()
}

/// Labels: thin spaces between thousands, powers of ten where digits run out.
fn tick_label(shown: f64, decimals: usize) -> String {
    let size = shown.abs();
    if size >= 1e7 || decimals > 5 {
        let text = format!("{shown:e}");
        return text.split_once('e').map_or(text.clone(), |(mantissa, exponent)| match mantissa {
            "1" => format!("10{}", superscript(exponent)),
            _ if shown == 0.0 => "0".to_string(),
            _ => format!("{mantissa}·10{}", superscript(exponent)),
        });
    }
    let text = number::fixed(shown, decimals);
    let whole = text.split('.').next().unwrap_or_default().trim_start_matches('-').len();
    if whole < 5 {
        return text;
    }
    let sign = usize::from(text.starts_with('-'));
    let mut out = String::new();
    for (at, character) in text.chars().enumerate() {
        let from_end = (whole + sign).wrapping_sub(at);
        if at > sign && from_end.is_multiple_of(3) && from_end > 0 && at < whole + sign {
            out.push('\u{2009}');
        }
        out.push(character);
    }
    out
}

fn superscript(exponent: &str) -> String {
    exponent
        .chars()
        .map(|character| match character {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            digit => digit.to_digit(10).and_then(|digit| char::from_u32(0x2070 + digit)).unwrap_or(digit),
        })
        .collect()
}

/// Estimates the width of a text in pixels for common sans-serif fonts, on the generous side.
pub fn text_width(text: &str, size: f64) -> f64 {
    let units: f64 = text
        .chars()
        .map(|character| match character {
            'i' | 'j' | 'l' | 't' | 'f' | 'r' | 'I' | '.' | ',' | ':' | ';' | '|' | '\'' | '(' | ')' | ' ' => 0.36,
            '\u{2009}' => 0.2,
            'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.95,
            'A'..='Z' => 0.72,
            character if character.is_ascii() => 0.6,
            character if (character as u32) < 0x2E80 => 0.66,
            _ => 1.05,
        })
        .sum();
    units * size
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(scale: AxisScale, reading: Scale, values: &[f64]) -> Vec<String> {
        let axis = Axis::continuous("x".to_string(), reading, scale, values, Run::Across(560.0));
        axis.ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn sparsity_reads_well_on_a_logit_axis() {
        let levels: Vec<f64> = (0..=20).map(|round| 1.0 - 0.8_f64.powi(round)).collect();
        assert_eq!(labels(AxisScale::Logit, Scale::Ratio, &levels), ["0", "20", "50", "80", "90", "95", "98", "99"]);
    }

    #[test]
    fn linear_and_log_ticks() {
        assert_eq!(labels(AxisScale::Linear, Scale::Ratio, &[0.0, 0.832]), ["0", "20", "40", "60", "80"]);
        assert_eq!(labels(AxisScale::Linear, Scale::Count, &[3.0, 5.0]), ["3", "4", "5"]);
        assert_eq!(
            labels(AxisScale::Linear, Scale::Iterations, &[0.0, 112_590.0]),
            ["0", "20\u{2009}000", "40\u{2009}000", "60\u{2009}000", "80\u{2009}000", "100\u{2009}000"]
        );
        assert_eq!(labels(AxisScale::Log, Scale::Plain, &[1e-4, 1.0]), ["0.0001", "0.001", "0.01", "0.1", "1"]);
        assert_eq!(labels(AxisScale::Log, Scale::Plain, &[0.0, 1.0, 100.0])[..2], ["0", "1"]);
        assert_eq!(labels(AxisScale::Linear, Scale::Points, &[-0.02, 0.02]), ["−2", "−1", "0", "1", "2"]);
    }

    proptest! {
        #[test]
        fn ticks_cover_the_range(
            values in prop::collection::vec(prop_oneof![-1e6..1e6_f64, 0.0..1.0_f64, Just(0.0), Just(1.0), Just(f64::NAN)], 1..12),
            which in 0..3,
            reading in prop_oneof![Just(Scale::Plain), Just(Scale::Ratio), Just(Scale::Points)],
            up in any::<bool>(),
        ) {
            let scale = [AxisScale::Linear, AxisScale::Log, AxisScale::Logit][which as usize];
            let run = if up { Run::Up(200.0) } else { Run::Across(560.0) };
            let axis = Axis::continuous("y".to_string(), reading, scale, &values, run);
            for value in &values {
                if let Some(at) = axis.position(*value) {
                    prop_assert!((-1e-9..=1.0 + 1e-9).contains(&at), "{value} at {at}");
                }
            }
            for tick in &axis.ticks {
                prop_assert!(tick.at.is_finite() && (-1e-9..=1.0 + 1e-9).contains(&tick.at), "{tick:?}");
            }
            for pair in axis.ticks.windows(2) {
                prop_assert!(pair[0].at < pair[1].at && pair[0].label != pair[1].label, "{pair:?}");
            }
            if scale == AxisScale::Linear && reading == Scale::Plain {
                prop_assert!(axis.ticks.len() >= 2, "{:?}", axis.ticks);
                prop_assert!(axis.ticks[0].at < 0.5 && axis.ticks[axis.ticks.len() - 1].at > 0.5);
            }
        }
    }
}
