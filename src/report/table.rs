//! Tables: as shown (text, page) and as data (CSV).
//!
//! CSV keeps stored numbers in full precision: ratios and points are fractions, headers are `top1 mean`, `top1 ci95 low`.
//! Shown tables carry units in the heading and join a mean with its interval: `91.2 ± 0.4` under `top1 (%)`.

mod summary;

use std::sync::Arc;

use unicode_width::UnicodeWidthStr;

use super::number;
use crate::value::output::{Cell, Column, Scale, TableSpec};

/// A table ready to be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// Headings with units, and whether the column is aligned right.
    pub columns: Vec<Heading>,
    /// Cells by row.
    pub rows: Vec<Vec<Shown>>,
    /// Remarks below the table.
    pub notes: Vec<String>,
}

/// The heading of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Its text with the unit.
    pub text: String,
    /// Holds numbers.
    pub numeric: bool,
}

/// A shown cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Its text.
    pub text: String,
    /// What to sort by, for numbers.
    pub order: Option<f64>,
}

impl Shown {
    fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), order: None }
    }
}

/// A table as data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sheet {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Lays a table out for reading.
pub fn grid(spec: &TableSpec<Cell>) -> Grid {
    match spec {
        TableSpec::Rows(frame) => {
            let columns: Vec<(Heading, Vec<Shown>)> =
                frame.columns.iter().map(|column| shown_column(&column.name, &column.cells)).collect();
            Grid::from_columns(columns, Vec::new())
        }
        TableSpec::Summary { rows, by, over, show } => summary::Summary::new(rows, by, over, show).grid(),
    }
}

/// Writes a table as CSV (RFC 4180, lines end in CR LF).
pub fn csv(spec: &TableSpec<Cell>) -> Vec<u8> {
    let sheet = match spec {
        TableSpec::Rows(frame) => Sheet {
            headers: frame.columns.iter().map(|column| column.name.to_string()).collect(),
            rows: (0..frame.height())
                .map(|row| frame.columns.iter().map(|column| raw(&column.cells[row])).collect())
                .collect(),
        },
        TableSpec::Summary { rows, by, over, show } => summary::Summary::new(rows, by, over, show).sheet(),
    };
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let written = std::iter::once(&sheet.headers)
        .chain(&sheet.rows)
        .try_for_each(|record| writer.write_record(record))
        .and_then(|()| writer.into_inner().map_err(|error| error.into_error().into()));
    // Records have equal lengths and a vector takes every write.
    written.unwrap_or_default()
}

/// Writes a table for the terminal: aligned columns, remarks below.
pub fn text(spec: &TableSpec<Cell>) -> String {
    grid(spec).to_text()
}

impl Grid {
    fn from_columns(columns: Vec<(Heading, Vec<Shown>)>, notes: Vec<String>) -> Self {
        let height = columns.first().map_or(0, |(_, cells)| cells.len());
        let mut rows = vec![Vec::with_capacity(columns.len()); height];
        let mut headings = Vec::with_capacity(columns.len());
        for (heading, cells) in columns {
            headings.push(heading);
            for (row, cell) in rows.iter_mut().zip(cells) {
                row.push(cell);
            }
        }
        Self { columns: headings, rows, notes }
    }

    fn to_text(&self) -> String {
        if self.columns.is_empty() {
            return "no rows\n".to_owned();
        }
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, heading)| {
                self.rows.iter().map(|row| row[at].text.width()).max().unwrap_or(0).max(heading.text.width())
            })
            .collect();
        let line = |texts: Vec<&str>| -> String {
            let cells = texts.iter().enumerate().map(|(at, text)| {
                let padding = " ".repeat(widths[at].saturating_sub(text.width()));
                if self.columns[at].numeric { format!("{padding}{text}") } else { format!("{text}{padding}") }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_string()
        };
        let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        let mut lines = vec![line(self.columns.iter().map(|heading| heading.text.as_str()).collect()), rule.join("  ")];
        lines.extend(self.rows.iter().map(|row| line(row.iter().map(|cell| cell.text.as_str()).collect())));
        if self.rows.is_empty() {
            lines.push("no rows".to_owned());
        }
        lines.extend(self.notes.iter().cloned());
        lines.push(String::new());
        lines.join("\n")
    }
}

/// Shows a column of cells with common decimals.
fn shown_column(name: &Arc<str>, cells: &[Cell]) -> (Heading, Vec<Shown>) {
    let scale = scale_of(cells);
    let Some(scale) = scale else {
        let shown = cells.iter().map(|cell| Shown::text(number::cell(cell))).collect();
        return (Heading { text: name.to_string(), numeric: false }, shown);
    };
    let texts: Vec<String> = cells
        .iter()
        .map(|cell| match cell {
            Cell::Number { value, scale } => number::bare(*value, *scale),
            other => number::cell(other),
        })
        .collect();
    let decimals = texts.iter().map(|text| decimals_in(text)).max().unwrap_or(0);
    let shown = cells
        .iter()
        .zip(texts)
        .map(|(cell, text)| match cell {
            Cell::Number { value, .. } if value.is_finite() && !text.contains('e') => {
                Shown { text: number::fixed(value * number::factor(scale), decimals), order: Some(*value) }
            }
            Cell::Number { value, .. } => Shown { text, order: Some(*value).filter(|value| value.is_finite()) },
            _ => Shown::text(text),
        })
        .collect();
    (Heading { text: number::titled(name, scale), numeric: true }, shown)
}

fn decimals_in(text: &str) -> usize {
    if text.contains('e') { 0 } else { text.split_once('.').map_or(0, |(_, decimals)| decimals.len()) }
}

/// Returns how the numbers of a column are read; `None` for a column without numbers.
pub(super) fn scale_of(cells: &[Cell]) -> Option<Scale> {
    cells.iter().find_map(|cell| match cell {
        Cell::Number { scale, .. } => Some(*scale),
        _ => None,
    })
}

/// Writes a cell for CSV: shortest digits that read back as the same number, nothing for a missing value.
fn raw(cell: &Cell) -> String {
    match cell {
        Cell::Number { value, .. } => raw_number(*value),
        Cell::Bool(value) => value.to_string(),
        Cell::Text(text) => text.to_string(),
        Cell::Missing => String::new(),
    }
}

fn raw_number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_string()
    } else if value != 0.0 && !(1e-5..1e16).contains(&value.abs()) {
        format!("{value:e}")
    } else {
        format!("{}", value + 0.0)
    }
}

/// A text that is equal exactly for cells that belong to one group.
pub(super) fn group_key(cell: &Cell) -> String {
    match cell {
        Cell::Number { value, .. } => format!("n{:016x}", (value + 0.0).to_bits()),
        Cell::Bool(value) => format!("b{value}"),
        Cell::Text(text) => format!("t{text}"),
        Cell::Missing => "-".to_string(),
    }
}

/// Groups rows by columns, in order of first appearance.
pub(super) fn groups(columns: &[&Column<Cell>], height: usize) -> Vec<Vec<usize>> {
    let mut found: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
    for row in 0..height {
        let key: Vec<String> = columns.iter().map(|column| group_key(&column.cells[row])).collect();
        match found.iter_mut().find(|(other, _)| *other == key) {
            Some((_, rows)) => rows.push(row),
            None => found.push((key, vec![row])),
        }
    }
    found.into_iter().map(|(_, rows)| rows).collect()
}

/// Returns the finite numbers of some rows.
pub(super) fn numbers(cells: &[Cell], rows: &[usize]) -> Vec<f64> {
    rows.iter()
        .filter_map(|&row| match cells[row] {
            Cell::Number { value, .. } if value.is_finite() => Some(value),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::output::{Frame, Role, Statistic};

    fn number(value: f64, scale: Scale) -> Cell {
        Cell::Number { value, scale }
    }

    fn column(name: &str, role: Role, cells: Vec<Cell>) -> Column<Cell> {
        Column { name: name.into(), role, cells }
    }

    fn rows() -> Frame<Cell> {
        let top1 = [0.91, 0.92, 0.93, 0.88, 0.90, 0.86];
        let units = [36.0, 35.0, 40.0, 30.0, 31.0, 38.0];
        let seed = |row: usize| number((row % 3) as f64, Scale::Count);
        let round = |row: usize| number((row / 3) as f64, Scale::Count);
        Frame::new(vec![
            column("seed", Role::Axis, (0..6).map(seed).collect()),
            column("round", Role::Field, (0..6).map(round).collect()),
            column("arm", Role::Field, (0..6).map(|_| Cell::Text("imp, \"global\"".into())).collect()),
            column("top1", Role::Field, top1.iter().map(|&value| number(value, Scale::Ratio)).collect()),
            column("units", Role::Field, units.iter().map(|&value| number(value, Scale::Count)).collect()),
        ])
    }

    fn summary(rows: Frame<Cell>, by: &[&str], show: &[Statistic]) -> TableSpec<Cell> {
        TableSpec::Summary {
            rows,
            by: by.iter().map(|name| Arc::from(*name)).collect(),
            over: vec!["seed".into()],
            show: show.to_vec(),
        }
    }

    #[test]
    fn a_mean_and_its_interval_share_a_column() {
        let spec = summary(rows(), &["round", "arm"], &[Statistic::Mean, Statistic::Ci95]);
        insta::assert_snapshot!(text(&spec));
        insta::assert_snapshot!(String::from_utf8(csv(&spec)).unwrap().replace("\r\n", "\n"));
    }

    #[test]
    fn every_statistic_has_a_column_of_its_own() {
        let all = [Statistic::Median, Statistic::Sd, Statistic::Min, Statistic::Max, Statistic::Count, Statistic::Mean];
        let spec = summary(rows(), &["round"], &all);
        insta::assert_snapshot!(text(&spec));
    }

    #[test]
    fn missing_values_are_counted_and_left_out() {
        let mut frame = rows();
        for row in [0, 3, 4, 5] {
            frame.columns[3].cells[row] = Cell::Missing;
        }
        let spec = summary(frame, &["round"], &[Statistic::Mean, Statistic::Ci95]);
        insta::assert_snapshot!(text(&spec));
        insta::assert_snapshot!(String::from_utf8(csv(&spec)).unwrap().replace("\r\n", "\n"));
    }

    #[test]
    fn rows_as_they_are() {
        let spec = TableSpec::Rows(rows());
        insta::assert_snapshot!(text(&spec));
        insta::assert_snapshot!(String::from_utf8(csv(&spec)).unwrap().replace("\r\n", "\n"));
    }

    #[test]
    fn csv_numbers_read_back() {
        for value in [0.1, 1.0 / 3.0, 1e-9, 6.02e23, 0.0, -0.0, 25_502_912.0, 123_456_789.123_456_78] {
            let back: f64 = raw_number(value).parse().unwrap();
            assert_eq!((back + 0.0).to_bits(), (value + 0.0_f64).to_bits());
        }
    }

    #[test]
    fn an_empty_table_has_headings_and_says_so() {
        let spec = TableSpec::Rows(Frame::new(vec![column("a", Role::Field, Vec::new())]));
        assert_eq!(text(&spec), "a\n─\nno rows\n");
        assert_eq!(csv(&spec), b"a\r\n");
        let nothing = TableSpec::Rows(Frame::new(Vec::new()));
        assert_eq!(text(&nothing), "no rows\n");
        assert_eq!(csv(&nothing), b"\"\"\r\n");
    }
}
