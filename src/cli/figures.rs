//! Numbers and columns for people.

use std::time::Duration;

/// Writes an integer in groups of three digits: `25 557 032`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == first {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Writes a number of bytes with three significant digits: `1.24 MB`.
pub(crate) fn bytes(number: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut value = number as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = match value {
        _ if unit == 0 => 0,
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {}", units[unit])
}

/// Writes a length of time in its two largest units: `2h 5min`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).as_secs();
    match whole {
        0..10 => format!("{seconds:.1}s"),
        10..60 => format!("{whole}s"),
        60..3600 => format!("{}min {}s", whole / 60, whole % 60),
        3600..86_400 => format!("{}h {}min", whole / 3600, whole % 3600 / 60),
        _ => format!("{}d {}h", whole / 86_400, whole % 86_400 / 3600),
    }
}

/// Writes a count with its noun: `1 stage`, `2 stages`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// Sets rows in columns; the columns in `right` are aligned to the right. Lines have no trailing blanks.
pub(super) fn columns(rows: &[Vec<String>], right: &[usize]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| length(cell)).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().enumerate().map(|(at, cell)| {
            let blank = " ".repeat(widths[at] - length(cell));
            if right.contains(&at) { blank + cell } else { cell.clone() + &blank }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn length(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_grouped_by_three() {
        let texts = [0, 12, 999, 1000, 25_557_032, 4_089_184_256].map(grouped);
        assert_eq!(texts, ["0", "12", "999", "1 000", "25 557 032", "4 089 184 256"]);
    }

    #[test]
    fn bytes_have_three_digits() {
        let texts = [0, 999, 1000, 1_236_000, 999_600, 12_345_678_901].map(bytes);
        assert_eq!(texts, ["0 B", "999 B", "1.00 kB", "1.24 MB", "1.00 MB", "12.3 GB"]);
    }

    #[test]
    fn durations_have_two_units() {
        let texts = [0.0, 9.96, 75.0, 7500.0, 1e6].map(duration);
        assert_eq!(texts, ["0.0s", "10.0s", "1min 15s", "2h 5min", "11d 13h"]);
    }

    #[test]
    fn columns_align() {
        let rows = [vec!["a".into(), "10".into(), "x".into()], vec!["bb".into(), "9".into(), String::new()]];
        assert_eq!(columns(&rows, &[1]), "a   10  x\nbb   9\n");
    }
}
