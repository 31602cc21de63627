//! Summaries: groups and statistics of every other numeric field.

use std::sync::Arc;

use super::{Grid, Heading, Sheet, Shown, groups, numbers, raw, raw_number, scale_of, shown_column};
use crate::report::number;
use crate::stats::{self, Interval};
use crate::value::output::{Cell, Column, Frame, Role, Scale, Statistic};

/// A summary, computed.
pub(super) struct Summary<'a> {
    keys: Vec<&'a Column<Cell>>,
    fields: Vec<Field<'a>>,
    groups: Vec<Vec<usize>>,
    show: Vec<Statistic>,
    notes: Vec<String>,
}

/// One summarised column.
struct Field<'a> {
    column: &'a Column<Cell>,
    scale: Scale,
    /// One per group.
    samples: Vec<Sample>,
}

struct Sample {
    values: Vec<f64>,
    missing: usize,
}

impl<'a> Summary<'a> {
    pub(super) fn new(rows: &'a Frame<Cell>, by: &[Arc<str>], over: &[Arc<str>], show: &[Statistic]) -> Self {
        let keys: Vec<&Column<Cell>> = by.iter().filter_map(|name| rows.column(name)).collect();
        let groups = groups(&keys, rows.height());
        let is_key = |column: &Column<Cell>| by.contains(&column.name) || over.contains(&column.name);
        let fields: Vec<Field<'_>> = rows
            .columns
            .iter()
            .filter(|column| column.role == Role::Field && !is_key(column))
            .filter_map(|column| {
                let scale = scale_of(&column.cells)?;
                let samples = groups
                    .iter()
                    .map(|rows| {
                        let values = numbers(&column.cells, rows);
                        Sample { missing: rows.len() - values.len(), values }
                    })
                    .collect();
                Some(Field { column, scale, samples })
            })
            .collect();
        let mut notes = legend(show, over);
        notes.extend(merged_axes(rows, &groups, by, over));
        if fields.iter().any(|field| field.samples.iter().any(|sample| sample.missing > 0)) {
            notes.push("values with (n of m) leave out missing replicates; – has none".to_string());
        }
        Self { keys, fields, groups, show: show.to_vec(), notes }
    }

    /// For reading: a mean takes the interval, or else the deviation, to its side.
    pub(super) fn grid(&self) -> Grid {
        let mut columns: Vec<(Heading, Vec<Shown>)> = self
            .keys
            .iter()
            .map(|column| {
                let cells: Vec<Cell> =
                    self.groups.iter().filter_map(|rows| rows.first()).map(|&row| column.cells[row].clone()).collect();
                shown_column(&column.name, &cells)
            })
            .collect();
        let companion = companion(&self.show);
        let alone = |statistic: &&Statistic| Some(**statistic) != companion;
        for field in &self.fields {
            let decimals = field.decimals();
            columns.extend(self.show.iter().filter(alone).map(|statistic| {
                let with = companion.filter(|_| *statistic == Statistic::Mean);
                let title = match (statistic, self.show.len()) {
                    (Statistic::Mean, _) => field.column.name.to_string(),
                    (_, 1) => format!("{} {}", name(*statistic), field.column.name),
                    _ => format!("{} {}", field.column.name, name(*statistic)),
                };
                let text = match statistic {
                    Statistic::Count => title,
                    Statistic::Sd => number::titled(&title, number::difference(field.scale)),
                    _ => number::titled(&title, field.scale),
                };
                let cells =
                    field.samples.iter().map(|sample| sample.show(*statistic, with, field.scale, decimals)).collect();
                (Heading { text, numeric: true }, cells)
            }));
        }
        Grid::from_columns(columns, self.notes.clone())
    }

    /// As data: one column per number.
    pub(super) fn sheet(&self) -> Sheet {
        let mut headers: Vec<String> = self.keys.iter().map(|column| column.name.to_string()).collect();
        let missing: Vec<bool> =
            self.fields.iter().map(|field| field.samples.iter().any(|sample| sample.missing > 0)).collect();
        for (field, missing) in self.fields.iter().zip(&missing) {
            for statistic in &self.show {
                let title = format!("{} {}", field.column.name, name(*statistic));
                match statistic {
                    Statistic::Ci95 => headers.extend([format!("{title} low"), format!("{title} high")]),
                    _ => headers.push(title),
                }
            }
            headers.extend(missing.then(|| format!("{} missing", field.column.name)));
        }
        let rows = self.groups.iter().enumerate().map(|(at, rows)| {
            let first = rows.first().copied().unwrap_or(0);
            let mut record: Vec<String> = self.keys.iter().map(|column| raw(&column.cells[first])).collect();
            for (field, missing) in self.fields.iter().zip(&missing) {
                let sample = &field.samples[at];
                for statistic in &self.show {
                    let number = |value: Option<f64>| value.map(raw_number).unwrap_or_default();
                    match statistic {
                        Statistic::Ci95 => {
                            let interval = sample.interval();
                            record.push(number(interval.map(|interval| interval.low)));
                            record.push(number(interval.map(|interval| interval.high)));
                        }
                        _ => record.push(number(sample.value(*statistic))),
                    }
                }
                record.extend(missing.then(|| sample.missing.to_string()));
            }
            record
        });
        Sheet { rows: rows.collect(), headers }
    }
}

impl Field<'_> {
    /// Decimals that suit the column: two digits of the smallest uncertainty, or what the values need.
    fn decimals(&self) -> usize {
        let times = number::factor(self.scale);
        let smallest = self
            .samples
            .iter()
            .filter_map(|sample| sample.interval().map(Interval::half_width))
            .filter(|half| *half > 0.0)
            .fold(f64::INFINITY, f64::min);
        let most = if self.scale == Scale::Plain { 4 } else { 2 };
        if smallest.is_finite() {
            number::decimals_of(smallest * times).min(most)
        } else {
            let values = self.samples.iter().flat_map(|sample| &sample.values);
            values.map(|value| number::decimals_needed(value * times, most)).max().unwrap_or(0)
        }
    }
}

impl Sample {
    fn interval(&self) -> Option<Interval> {
        stats::mean_interval(&self.values, 0.95)
    }

    /// A statistic other than the interval; `None` where it is undefined.
    fn value(&self, statistic: Statistic) -> Option<f64> {
        let value = match statistic {
            Statistic::Mean => stats::mean(&self.values),
            Statistic::Sd => stats::describe::sd(&self.values),
            Statistic::Median => stats::median(&self.values),
            Statistic::Min => stats::quantile(&self.values, 0.0),
            Statistic::Max => stats::quantile(&self.values, 1.0),
            Statistic::Count => self.values.len() as f64,
            Statistic::Ci95 => self.interval()?.half_width(),
        };
        (!value.is_nan()).then_some(value)
    }

    fn show(&self, statistic: Statistic, with: Option<Statistic>, scale: Scale, decimals: usize) -> Shown {
        let times = number::factor(scale);
        let Some(value) = self.value(statistic) else { return Shown::text("–") };
        let mut text = match statistic {
            Statistic::Count => number::fixed(value, 0),
            Statistic::Ci95 => self.interval().map_or_else(
                || "–".to_string(),
                |interval| {
                    let end = |value: f64| number::fixed(value * times, decimals);
                    format!("{} to {}", end(interval.low), end(interval.high))
                },
            ),
            _ => number::fixed(value * times, decimals),
        };
        if let Some(spread) = with.and_then(|with| self.value(with)) {
            text = format!("{text} ± {}", number::fixed(spread * times, decimals));
        }
        if self.missing > 0 && statistic != Statistic::Count {
            text = format!("{text} ({} of {})", self.values.len(), self.values.len() + self.missing);
        }
        Shown { text, order: Some(value) }
    }
}

/// What stands behind ± beside a mean.
fn companion(show: &[Statistic]) -> Option<Statistic> {
    let has = |statistic| show.contains(&statistic);
    [Statistic::Ci95, Statistic::Sd].into_iter().find(|&statistic| has(Statistic::Mean) && has(statistic))
}

fn name(statistic: Statistic) -> &'static str {
    match statistic {
        Statistic::Mean => "mean",
        Statistic::Sd => "sd",
        Statistic::Ci95 => "ci95",
        Statistic::Median => "median",
        Statistic::Min => "min",
        Statistic::Max => "max",
        Statistic::Count => "count",
    }
}

fn legend(show: &[Statistic], over: &[Arc<str>]) -> Vec<String> {
    let over = over.join(", ");
    let over = if over.is_empty() { String::new() } else { format!(" over {over}") };
    match companion(show) {
        Some(Statistic::Ci95) => vec![format!("mean ± half-width of the 95 % confidence interval{over}")],
        Some(_) => vec![format!("mean ± standard deviation{over}")],
        None if show.contains(&Statistic::Mean) => vec![format!("mean{over}")],
        None => Vec::new(),
    }
}

/// Axes that vary inside a group and are not named as replicates.
fn merged_axes(rows: &Frame<Cell>, groups: &[Vec<usize>], by: &[Arc<str>], over: &[Arc<str>]) -> Option<String> {
    let merged: Vec<&str> = rows
        .columns
        .iter()
        .filter(|column| column.role == Role::Axis && !by.contains(&column.name) && !over.contains(&column.name))
        .filter(|column| groups.iter().any(|rows| rows.iter().any(|&row| column.cells[row] != column.cells[rows[0]])))
        .map(|column| &*column.name)
        .collect();
    (!merged.is_empty())
        .then(|| format!("groups also merge {}, which is neither in `by` nor in `over`", merged.join(", ")))
}
