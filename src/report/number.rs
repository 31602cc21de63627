//! Numbers as people read them.

use crate::stats::Interval;
use crate::value::output::{Cell, Scale};

/// Returns what a stored number is multiplied by to be shown: 100 for ratios and points.
pub fn factor(scale: Scale) -> f64 {
    match scale {
        Scale::Ratio | Scale::Points => 100.0,
        Scale::Plain | Scale::Count | Scale::Iterations => 1.0,
    }
}

/// Returns the unit that follows a shown number; empty for plain numbers.
pub fn unit(scale: Scale) -> &'static str {
    match scale {
        Scale::Ratio => "%",
        Scale::Points => "pp",
        Scale::Iterations => "it",
        Scale::Plain | Scale::Count => "",
    }
}

/// Returns how a difference of two such numbers reads.
pub fn difference(scale: Scale) -> Scale {
    match scale {
        Scale::Ratio | Scale::Points => Scale::Points,
        Scale::Plain | Scale::Count => Scale::Plain,
        Scale::Iterations => Scale::Iterations,
    }
}

/// Returns a name with its unit: `top1 (%)`.
pub fn titled(name: &str, scale: Scale) -> String {
    match unit(scale) {
        "" => name.to_string(),
        unit => format!("{name} ({unit})"),
    }
}

/// Writes a number that is already in shown units with a fixed number of decimals; never `-0`.
pub fn fixed(shown: f64, decimals: usize) -> String {
    let text = format!("{shown:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_string(),
        _ => text,
    }
}

/// Returns the decimals that show an uncertainty (in shown units) to two significant digits, between 0 and 6.
pub fn decimals_of(uncertainty: f64) -> usize {
    if !(uncertainty.is_finite() && uncertainty > 0.0) {
        return 0;
    }
    (1.0 - uncertainty.log10().floor()).clamp(0.0, 6.0) as usize
}

/// Returns the decimals (at most `most`) that a number in shown units needs to four significant digits.
pub fn decimals_needed(shown: f64, most: usize) -> usize {
    if !shown.is_finite() || shown == 0.0 {
        return 0;
    }
    let wanted = (3.0 - shown.abs().log10().floor()).clamp(0.0, most as f64) as usize;
    let text = fixed(shown, wanted);
    if text.contains('.') { text.trim_end_matches('0').split('.').nth(1).map_or(0, str::len) } else { 0 }
}

/// Writes a stored number without its unit.
pub fn bare(value: f64, scale: Scale) -> String {
    let shown = value * factor(scale);
    if shown.is_nan() {
        return "NaN".to_string();
    }
    if shown.is_infinite() {
        return if shown > 0.0 { "∞" } else { "-∞" }.to_string();
    }
    match scale {
        Scale::Count | Scale::Iterations => fixed(shown, decimals_needed(shown, 2)),
        Scale::Points => fixed(shown, decimals_needed(shown, 3)),
        Scale::Ratio => {
            // Close to 100 % the distance is what matters: 99.997 is not 100.
            let distance = (100.0 - shown).abs();
            let most = if distance > 0.0 && distance < 1.0 { decimals_of(distance).max(2) } else { 2 };
            let wanted = if distance < 1.0 { most } else { decimals_needed(shown, 2) };
            let text = fixed(shown, wanted);
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
        }
        Scale::Plain if shown != 0.0 && !(1e-4..1e7).contains(&shown.abs()) => format!("{shown:.3e}"),
        Scale::Plain => fixed(shown, decimals_needed(shown, 7)),
    }
}

/// Writes a stored number with its unit: `48.8 %`, `-0.4 pp`, `36`.
pub fn shown(value: f64, scale: Scale) -> String {
    match unit(scale) {
        "" => bare(value, scale),
        unit => format!("{} {unit}", bare(value, scale)),
    }
}

/// Writes an effect and its interval with common decimals: `-0.42 pp (90 % interval -1.10 to 0.26)`.
pub fn effect(value: f64, interval: Option<Interval>, level: f64, scale: Scale) -> String {
    let times = factor(scale);
    let Some(interval) = interval else { return shown(value, scale) };
    let decimals = match interval.half_width() * times {
        half if half > 0.0 => decimals_of(half),
        _ => decimals_needed(value * times, 3),
    };
    let number = |value: f64| fixed(value * times, decimals);
    let unit = match unit(scale) {
        "" => String::new(),
        unit => format!(" {unit}"),
    };
    let level = percent(level);
    format!("{}{unit} ({level} interval {} to {})", number(value), number(interval.low), number(interval.high))
}

/// Writes a level or a share, e.g. `95 %`.
pub fn percent(share: f64) -> String {
    let shown = (share * 1e6).round() / 1e4;
    format!("{} %", fixed(shown, decimals_needed(shown, 2)))
}

/// Writes a p value: three decimals, two significant digits below 0.01, a bound below 10⁻⁶.
pub fn p_value(p: f64) -> String {
    match p {
        p if p.is_nan() => "p undefined".to_string(),
        p if p > 0.999 => "p > 0.999".to_string(),
        p if p < 1e-6 => "p < 0.000001".to_string(),
        p if p < 0.01 => format!("p = {}", fixed(p, decimals_of(p))),
        p => format!("p = {p:.3}"),
    }
}

/// Writes a duration: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 05 min`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".to_string();
    }
    let whole = seconds.round() as u64;
    match whole {
        0..=9 => format!("{seconds:.1} s"),
        10..=119 => format!("{whole} s"),
        120..=7199 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Writes any cell without its unit; a missing one as `–`.
pub fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Number { value, scale } => bare(*value, *scale),
        Cell::Bool(value) => value.to_string(),
        Cell::Text(text) => text.to_string(),
        Cell::Missing => "–".to_string(),
    }
}

/// Writes any cell with its unit.
pub fn cell_with_unit(value: &Cell) -> String {
    match value {
        Cell::Number { value, scale } => shown(*value, *scale),
        other => cell(other),
    }
}

/// Replaces the hyphen before digits by a minus sign, for pages and pictures.
pub fn typographic(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut previous = ' ';
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let number_follows = rest.peek().is_some_and(|next| next.is_ascii_digit() || *next == '∞');
        let starts = !previous.is_alphanumeric() && previous != '-';
        out.push(if character == '-' && number_follows && starts { '−' } else { character });
        previous = character;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_read_as_people_write_them() {
        for (value, scale, expected) in [
            (0.488, Scale::Ratio, "48.8 %"),
            (0.0, Scale::Ratio, "0 %"),
            (1.0, Scale::Ratio, "100 %"),
            (0.999_97, Scale::Ratio, "99.997 %"),
            (0.9141, Scale::Ratio, "91.41 %"),
            (-0.0042, Scale::Points, "-0.42 pp"),
            (36.0, Scale::Count, "36"),
            (36.333_333, Scale::Count, "36.33"),
            (1251.0, Scale::Iterations, "1251 it"),
            (0.123_456, Scale::Plain, "0.1235"),
            (1.0e-9, Scale::Plain, "1.000e-9"),
            (f64::NAN, Scale::Plain, "NaN"),
        ] {
            assert_eq!(shown(value, scale), expected);
        }
    }

    #[test]
    fn effects_share_decimals() {
        let interval = Interval { low: -0.011, high: 0.0026 };
        assert_eq!(effect(-0.0042, Some(interval), 0.9, Scale::Points), "-0.42 pp (90 % interval -1.10 to 0.26)");
        assert_eq!(typographic("-0.42 to -1 a-1"), "−0.42 to −1 a-1");
    }

    #[test]
    fn durations_and_p_values() {
        assert_eq!(duration(0.44), "0.4 s");
        assert_eq!(duration(200.0), "3 min 20 s");
        assert_eq!(duration(7500.0), "2 h 05 min");
        assert_eq!(p_value(0.000_374_88), "p = 0.00037");
        assert_eq!(p_value(0.0), "p < 0.000001");
        assert_eq!(p_value(0.0449), "p = 0.045");
        assert_eq!(percent(0.95), "95 %");
        assert_eq!(percent(1.0 - 0.95), "5 %");
    }
}
