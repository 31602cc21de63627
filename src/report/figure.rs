//! From a plot's data to panels, lines and points with positions: what the SVG and the Vega-Lite writer both draw.

use std::sync::Arc;

use super::axis::{Axis, Run};
use super::number;
use super::table::{group_key, groups, numbers, scale_of};
use crate::stats::{self, Interval};
use crate::value::output::{AxisScale, Cell, Column, Frame, PlotSpec, Scale, Statistic};

/// Width of the drawing area in pixels; axes are laid out for it.
pub const WIDTH: f64 = 580.0;
/// Height of one panel of several, in pixels.
pub const PANEL_HEIGHT: f64 = 210.0;
/// Height of a single panel, in pixels.
pub const SINGLE_HEIGHT: f64 = 320.0;
/// Samples of a curve that are drawn at most: two per pixel and extremes between them.
const CURVE_COLUMNS: usize = 600;

/// A plot, laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Horizontal axis, shared by all panels.
    pub x: Axis,
    /// Panels from top to bottom.
    pub panels: Vec<Panel>,
    /// Names of the lines; a single unnamed line has an empty name.
    pub series: Vec<String>,
    /// Column that separates the lines.
    pub legend_title: Option<String>,
    /// What the lines and bands show.
    pub note: Option<String>,
    /// Draw a mark at each point.
    pub marks: bool,
}

/// One panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Vertical axis.
    pub y: Axis,
    /// One per series, in order.
    pub lines: Vec<Vec<Point>>,
}

/// A point of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Horizontal position, 0 to 1.
    pub at: f64,
    /// Horizontal value in stored units; `None` for a label.
    pub x: Option<f64>,
    /// Vertical position, 0 to 1; `None` leaves a gap.
    pub height: Option<f64>,
    /// Vertical value in stored units.
    pub y: Option<f64>,
    /// The band in stored units.
    pub band: Option<Interval>,
    /// Positions of the band's ends.
    pub band_heights: Option<(f64, f64)>,
    /// All replicates are there.
    pub complete: bool,
    /// What to say on hover.
    pub text: String,
}

impl Panel {
    /// Returns the height of the drawing area among `count` panels, in pixels.
    pub fn height(count: usize) -> f64 {
        if count > 1 { PANEL_HEIGHT } else { SINGLE_HEIGHT }
    }
}

/// Lays a plot of lines out; nothing if it is of another kind.
pub fn figure(spec: &PlotSpec<Cell>) -> Option<Figure> {
    Some(match spec {
        PlotSpec::Line { rows, x, y, color, band, x_scale, y_scale } => {
            Lines { rows, x, color: color.as_ref(), band: band.as_ref(), x_scale: *x_scale, y_scale: *y_scale }
                .figure(y)
        }
        PlotSpec::Curve { points, scale, x_label } => curve(points, *scale, x_label),
        PlotSpec::Gallery { .. } | PlotSpec::ConceptBars { .. } | PlotSpec::ConceptChanges { .. } => return None,
    })
}

struct Lines<'a> {
    rows: &'a Frame<Cell>,
    x: &'a Arc<str>,
    color: Option<&'a Arc<str>>,
    band: Option<&'a (Statistic, Vec<Arc<str>>)>,
    x_scale: AxisScale,
    y_scale: AxisScale,
}

/// A point before axes exist.
struct Raw {
    x: Cell,
    mean: Option<f64>,
    band: Option<Interval>,
    n: usize,
    of: usize,
}

impl Lines<'_> {
    fn figure(&self, y: &[Arc<str>]) -> Figure {
        let height = self.rows.height();
        let color = self.color.and_then(|name| self.rows.column(name));
        let by: Vec<&Column<Cell>> = color.into_iter().collect();
        let series_rows = groups(&by, height);
        let series: Vec<String> = series_rows
            .iter()
            .map(|rows| match (color, rows.first()) {
                (Some(color), Some(&row)) => number::typographic(&number::cell_with_unit(&color.cells[row])),
                _ => String::new(),
            })
            .collect();
        let axis = self.horizontal();
        let columns: Vec<&Column<Cell>> = y.iter().filter_map(|name| self.rows.column(name)).collect();
        let panels = columns.iter().map(|column| self.panel(column, &axis, &series_rows, &series, y.len())).collect();
        Figure {
            x: axis,
            panels,
            legend_title: color.map(|color| color.name.to_string()),
            note: self.note(&series_rows),
            series,
            marks: true,
        }
    }

    fn x_cells(&self) -> &[Cell] {
        self.rows.column(self.x).map_or(&[], |column| &column.cells)
    }

    fn horizontal(&self) -> Axis {
        let cells = self.x_cells();
        if cells.iter().any(|cell| matches!(cell, Cell::Text(_) | Cell::Bool(_))) {
            let mut labels: Vec<String> = Vec::new();
            for cell in cells.iter().filter(|cell| **cell != Cell::Missing) {
                let label = number::cell_with_unit(cell);
                if !labels.contains(&label) {
                    labels.push(label);
                }
            }
            return Axis::ordinal(self.x.to_string(), labels);
        }
        let reading = scale_of(cells).unwrap_or(Scale::Plain);
        let all: Vec<usize> = (0..cells.len()).collect();
        let values = numbers(cells, &all);
        Axis::continuous(number::titled(self.x, reading), reading, self.x_scale, &values, Run::Across(WIDTH))
    }

    fn panel(
        &self,
        column: &Column<Cell>,
        axis: &Axis,
        series_rows: &[Vec<usize>],
        series: &[String],
        panels: usize,
    ) -> Panel {
        let reading = scale_of(&column.cells).unwrap_or(Scale::Plain);
        let raw: Vec<Vec<Raw>> = series_rows.iter().map(|rows| self.raw(column, rows)).collect();
        let mut extent = Vec::new();
        for point in raw.iter().flatten() {
            extent.extend(point.mean);
            extent.extend(point.band.iter().flat_map(|band| [band.low, band.high]));
        }
        // A band may leave the domain of the scale; the points decide what is drawn then.
        let y = Axis::continuous(
            number::titled(&column.name, reading),
            reading,
            self.y_scale,
            &extent,
            Run::Up(Panel::height(panels)),
        );
        let lines = raw
            .into_iter()
            .zip(series)
            .map(|(points, name)| {
                let mut line: Vec<Point> = points
                    .into_iter()
                    .filter_map(|point| self.point(&point, name, &column.name, reading, axis, &y))
                    .collect();
                line.sort_by(|a, b| a.at.total_cmp(&b.at));
                line
            })
            .collect();
        Panel { y, lines }
    }

    /// Groups the rows of one line by x.
    fn raw(&self, column: &Column<Cell>, rows: &[usize]) -> Vec<Raw> {
        let x = self.x_cells();
        let mut found: Vec<(String, Vec<usize>)> = Vec::new();
        for &row in rows.iter().filter(|&&row| x.get(row).is_some_and(|cell| *cell != Cell::Missing)) {
            let key = group_key(&x[row]);
            match found.iter_mut().find(|(other, _)| *other == key) {
                Some((_, rows)) => rows.push(row),
                None => found.push((key, vec![row])),
            }
        }
        found
            .into_iter()
            .map(|(_, rows)| {
                let values = numbers(&column.cells, &rows);
                Raw {
                    x: x[rows[0]].clone(),
                    mean: (!values.is_empty()).then(|| stats::mean(&values)),
                    band: self.band.and_then(|(statistic, _)| spread(*statistic, &values)),
                    n: values.len(),
                    of: rows.len(),
                }
            })
            .collect()
    }

    fn point(&self, raw: &Raw, series: &str, name: &str, reading: Scale, axis: &Axis, y: &Axis) -> Option<Point> {
        let (at, x) = match &raw.x {
            Cell::Number { value, .. } if !axis.is_ordinal() => (axis.position(*value)?, Some(*value)),
            cell => (axis.label_position(&number::cell_with_unit(cell))?, None),
        };
        let height = raw.mean.and_then(|mean| y.position(mean));
        let band = raw.band.filter(|_| height.is_some());
        let mut text = match raw.mean {
            Some(mean) => format!("{name} {}", number::shown(mean, reading)),
            None => format!("{name} missing"),
        };
        if let (Some(band), Some((statistic, _))) = (raw.band, self.band) {
            let (low, high) = (number::shown(band.low, reading), number::shown(band.high, reading));
            text = format!("{text}, {} {low} to {high}", band_name(*statistic));
        }
        if raw.n < raw.of {
            text = format!("{text}, {} of {} replicates", raw.n, raw.of);
        } else if raw.of > 1 {
            text = format!("{text}, n = {}", raw.n);
        }
        let place = format!("{} {}", self.x, number::cell_with_unit(&raw.x));
        let text = if series.is_empty() { format!("{place}: {text}") } else { format!("{series} · {place}: {text}") };
        Some(Point {
            at,
            x,
            height,
            y: raw.mean.filter(|_| height.is_some()),
            band,
            band_heights: band.and_then(|band| Some((y.position(band.low)?, y.position(band.high)?))),
            complete: raw.n == raw.of,
            text: number::typographic(&text),
        })
    }

    fn note(&self, series_rows: &[Vec<usize>]) -> Option<String> {
        let cells = self.x_cells();
        let repeated = series_rows.iter().any(|rows| {
            let mut keys: Vec<String> = rows.iter().filter_map(|&row| cells.get(row)).map(group_key).collect();
            keys.sort();
            keys.windows(2).any(|pair| pair[0] == pair[1])
        });
        if !repeated {
            return None;
        }
        let over = self.band.map(|(_, over)| over.join(", ")).filter(|over| !over.is_empty());
        let mean = over.map_or("mean".to_string(), |over| format!("mean over {over}"));
        Some(match self.band {
            Some((statistic, _)) if !band_name(*statistic).is_empty() => {
                format!("Line: {mean}. Band: {}.", band_name(*statistic))
            }
            _ => format!("Line: {mean}."),
        })
    }
}

/// The band of a statistic around the mean; nothing for a single value.
fn spread(statistic: Statistic, values: &[f64]) -> Option<Interval> {
    if values.len() < 2 {
        return None;
    }
    match statistic {
        Statistic::Ci95 => stats::mean_interval(values, 0.95),
        Statistic::Sd => {
            let (mean, sd) = (stats::mean(values), stats::sd(values));
            Some(Interval { low: mean - sd, high: mean + sd })
        }
        Statistic::Min | Statistic::Max => {
            Some(Interval { low: stats::quantile(values, 0.0), high: stats::quantile(values, 1.0) })
        }
        Statistic::Mean | Statistic::Median | Statistic::Count => None,
    }
}

fn band_name(statistic: Statistic) -> &'static str {
    match statistic {
        Statistic::Ci95 => "95 % confidence interval",
        Statistic::Sd => "standard deviation",
        Statistic::Min | Statistic::Max => "range",
        Statistic::Mean | Statistic::Median | Statistic::Count => "",
    }
}

fn curve(points: &[(f64, f64)], scale: Scale, x_label: &str) -> Figure {
    let xs: Vec<f64> = points.iter().map(|(x, _)| *x).collect();
    let ys: Vec<f64> = points.iter().map(|(_, y)| *y).collect();
    let x = Axis::continuous(x_label.to_string(), Scale::Plain, AxisScale::Linear, &xs, Run::Across(WIDTH));
    let y = Axis::continuous(number::titled("value", scale), scale, AxisScale::Linear, &ys, Run::Up(SINGLE_HEIGHT));
    let line = thinned(points)
        .into_iter()
        .filter_map(|(at, value)| {
            let height = y.position(value);
            Some(Point {
                at: x.position(at)?,
                x: Some(at),
                height,
                y: Some(value).filter(|_| height.is_some()),
                band: None,
                band_heights: None,
                complete: true,
                text: String::new(),
            })
        })
        .collect();
    Figure {
        x,
        panels: vec![Panel { y, lines: vec![line] }],
        series: vec![String::new()],
        legend_title: None,
        note: None,
        marks: false,
    }
}

/// Keeps the first, lowest, highest and last sample of each column of the picture: the drawing is the same.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= 4 * CURVE_COLUMNS {
        return points.to_vec();
    }
    let mut kept = Vec::with_capacity(4 * CURVE_COLUMNS);
    for chunk in points.chunks(points.len().div_ceil(CURVE_COLUMNS)) {
        let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let mut ends: Vec<&(f64, f64)> = [chunk.first(), chunk.iter().min_by(by_value), chunk.iter().max_by(by_value)]
            .into_iter()
            .chain([chunk.last()])
            .flatten()
            .collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        ends.dedup();
        kept.extend(ends.into_iter().copied());
    }
    kept
}

#[cfg(test)]
mod tests;
