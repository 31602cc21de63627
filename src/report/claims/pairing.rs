//! From rows to comparisons: groups of each side, matched, with their replicates paired.

use std::sync::Arc;

use crate::report::number;
use crate::value::output::{Cell, ClaimSpec, Column, Frame, Role, Scale};

/// The comparisons of a claim.
pub(super) struct Comparisons {
    /// In the order of the claim's rows.
    pub(super) levels: Vec<Comparison>,
    /// How to read the values.
    pub(super) scale: Scale,
    /// Remarks on the whole.
    pub(super) notes: Vec<String>,
}

/// Two samples to compare.
pub(super) struct Comparison {
    /// What sets it apart from the claim's other comparisons.
    pub(super) label: String,
    /// Values of the claim's side; in the order of `reference` if paired.
    pub(super) sample: Vec<f64>,
    /// Values of the reference.
    pub(super) reference: Vec<f64>,
    /// `sample[i]` belongs to `reference[i]`.
    pub(super) paired: bool,
    /// Remarks.
    pub(super) notes: Vec<String>,
}

/// The numbers of one side with what identifies them.
struct Readings<'a> {
    what: &'static str,
    /// Every column but the values.
    keys: &'a [Column<Cell>],
    values: Vec<f64>,
    scale: Scale,
    /// Replicate axes that this side has.
    axes: Vec<Arc<str>>,
}

/// One side of a claim, in groups.
struct Side {
    scale: Scale,
    /// Columns that tell groups apart, in frame order.
    group_by: Vec<Arc<str>>,
    axes: Vec<Arc<str>>,
    groups: Vec<Group>,
}

struct Group {
    key: Vec<String>,
    /// Shown form of `key`.
    shown: Vec<String>,
    /// Replicate key and value, in row order.
    replicates: Vec<(Vec<String>, f64)>,
}

/// Takes a claim apart; the error is the reason why it is void.
pub(super) fn comparisons(spec: &ClaimSpec<Cell>) -> Result<Comparisons, String> {
    let sample = Readings::of(&spec.sample, &spec.over, "the claim")?;
    let reference = Readings::of(&spec.reference, &spec.over, "the reference")?;
    let mut separating = sample.separating(&spec.over)?;
    separating.extend(reference.separating(&spec.over)?);
    let (sample, reference) = (sample.group(&separating), reference.group(&separating));
    if number::unit(sample.scale) != number::unit(reference.scale) {
        return Err("the two sides have different units".to_string());
    }
    let matching = matching_columns(&sample, &reference)?;
    let labelled = varying(&sample);
    let paired_axes = !sample.axes.is_empty() && sample.axes == reference.axes;
    let mut notes = Vec::new();
    let mut levels = Vec::new();
    for group in &sample.groups {
        let partner = partner(&sample, group, &reference, &matching)?;
        if is_reference_itself(&sample, group, &reference, partner) {
            continue;
        }
        levels.push(compare(label(&sample, group, &labelled), group, partner, paired_axes));
    }
    if levels.is_empty() {
        return Err("the claim compares the reference with itself".to_string());
    }
    let skipped = sample.groups.len() - levels.len();
    if skipped > 0 {
        notes.push("the reference is among the claim's rows and is not compared with itself".to_string());
    }
    if !paired_axes {
        notes.push("replicates are not paired: Welch's test".to_string());
    }
    Ok(Comparisons { levels, scale: sample.scale, notes })
}

impl<'a> Readings<'a> {
    fn of(frame: &'a Frame<Cell>, over: &[Arc<str>], what: &'static str) -> Result<Self, String> {
        let Some((column, keys)) = frame.columns.split_last().filter(|(value, _)| !value.cells.is_empty()) else {
            return Err(format!("{what} has no rows"));
        };
        let missing = column.cells.iter().filter(|cell| matches!(cell, Cell::Missing)).count();
        if missing > 0 {
            let rows = column.cells.len();
            return Err(format!("{missing} of {rows} values of `{}` are missing on the side of {what}", column.name));
        }
        let mut scale = Scale::Plain;
        let mut values = Vec::with_capacity(column.cells.len());
        for cell in &column.cells {
            match cell {
                Cell::Number { value, scale: reading } if value.is_finite() => {
                    scale = *reading;
                    values.push(*value);
                }
                Cell::Number { .. } => return Err(format!("a value of `{}` is not a finite number", column.name)),
                _ => return Err(format!("`{}` is not a column of numbers", column.name)),
            }
        }
        let axes = over.iter().filter(|name| keys.iter().any(|column| column.name == **name)).cloned().collect();
        Ok(Self { what, keys, values, scale, axes })
    }

    fn column(&self, name: &str) -> Option<&'a Column<Cell>> {
        self.keys.iter().find(|column| &*column.name == name)
    }

    fn key(&self, names: &[Arc<str>], row: usize) -> Vec<String> {
        names.iter().filter_map(|name| self.column(name)).map(|column| identity(&column.cells[row])).collect()
    }

    /// Returns the columns that split rows into levels: every axis outside `over`, and fields only as far as needed to
    /// tell the replicates of a level apart.
    fn separating(&self, over: &[Arc<str>]) -> Result<Vec<Arc<str>>, String> {
        let outside = |role| self.keys.iter().filter(move |column| column.role == role && !over.contains(&column.name));
        let mut columns: Vec<Arc<str>> = outside(Role::Axis).map(|column| column.name.clone()).collect();
        if self.axes.is_empty() {
            return Ok(columns);
        }
        let is_distinct = |columns: &[Arc<str>]| {
            let mut seen: Vec<_> =
                (0..self.values.len()).map(|row| (self.key(columns, row), self.key(&self.axes, row))).collect();
            seen.sort();
            seen.windows(2).all(|pair| pair[0] != pair[1])
        };
        for field in outside(Role::Field) {
            if is_distinct(&columns) {
                break;
            }
            if field.cells.iter().any(|cell| *cell != field.cells[0]) {
                columns.push(field.name.clone());
            }
        }
        if is_distinct(&columns) {
            return Ok(columns);
        }
        let axes = self.axes.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        Err(format!("several rows on the side of {} have the same {axes}", self.what))
    }

    fn group(self, separating: &[Arc<str>]) -> Side {
        let group_by: Vec<Arc<str>> =
            self.keys.iter().map(|column| column.name.clone()).filter(|name| separating.contains(name)).collect();
        let mut groups: Vec<Group> = Vec::new();
        for (row, &value) in self.values.iter().enumerate() {
            let key = self.key(&group_by, row);
            let replicate = (self.key(&self.axes, row), value);
            if let Some(group) = groups.iter_mut().find(|group| group.key == key) {
                group.replicates.push(replicate);
            } else {
                let columns = group_by.iter().filter_map(|name| self.column(name));
                let shown = columns.map(|column| number::cell_with_unit(&column.cells[row])).collect();
                groups.push(Group { key, shown, replicates: vec![replicate] });
            }
        }
        Side { scale: self.scale, group_by, axes: self.axes, groups }
    }
}

impl Side {
    fn at(&self, name: &str) -> Option<usize> {
        self.group_by.iter().position(|column| &**column == name)
    }
}

/// Columns by which groups of the two sides belong together: those that vary in the reference.
fn matching_columns(sample: &Side, reference: &Side) -> Result<Vec<(usize, usize)>, String> {
    varying(reference)
        .into_iter()
        .map(|at| {
            let name = &reference.group_by[at];
            sample
                .at(name)
                .map(|own| (own, at))
                .ok_or_else(|| format!("the reference has several groups by `{name}`, the claim's values have none"))
        })
        .collect()
}

/// Indices of grouping columns with more than one value.
fn varying(side: &Side) -> Vec<usize> {
    (0..side.group_by.len())
        .filter(|&at| side.groups.iter().any(|group| group.key[at] != side.groups[0].key[at]))
        .collect()
}

fn partner<'a>(
    sample: &Side,
    group: &Group,
    reference: &'a Side,
    matching: &[(usize, usize)],
) -> Result<&'a Group, String> {
    reference
        .groups
        .iter()
        .find(|other| matching.iter().all(|&(own, theirs)| group.key[own] == other.key[theirs]))
        .ok_or_else(|| {
            let all: Vec<usize> = matching.iter().map(|&(own, _)| own).collect();
            format!("the reference has no rows with {}", label(sample, group, &all))
        })
}

/// The reference is one of the claim's own rows: a column that varies in the claim is constant in the reference, both
/// have the same value there, and the numbers are the same.
fn is_reference_itself(sample: &Side, group: &Group, reference: &Side, partner: &Group) -> bool {
    let fixed: Vec<usize> = varying(reference);
    let narrowed = varying(sample)
        .into_iter()
        .any(|own| reference.at(&sample.group_by[own]).is_some_and(|theirs| !fixed.contains(&theirs)));
    narrowed
        && sample.group_by == reference.group_by
        && group.key == partner.key
        && group.replicates == partner.replicates
}

fn compare(label: String, group: &Group, partner: &Group, paired_axes: bool) -> Comparison {
    let values = |group: &Group| group.replicates.iter().map(|(_, value)| *value).collect::<Vec<_>>();
    let unpaired = |notes| Comparison {
        label: label.clone(),
        sample: values(group),
        reference: values(partner),
        paired: false,
        notes,
    };
    if !paired_axes {
        return unpaired(Vec::new());
    }
    let pairs: Vec<(f64, f64)> = group
        .replicates
        .iter()
        .filter_map(|(key, value)| {
            partner.replicates.iter().find(|(other, _)| other == key).map(|(_, other)| (*value, *other))
        })
        .collect();
    if pairs.is_empty() {
        return unpaired(vec!["no replicate is on both sides: Welch's test".to_string()]);
    }
    let most = group.replicates.len().max(partner.replicates.len());
    let mut notes = Vec::new();
    if pairs.len() < most {
        notes.push(format!("{} of {most} replicates are on both sides; the others are left out", pairs.len()));
    }
    let (sample, reference) = pairs.into_iter().unzip();
    Comparison { label, sample, reference, paired: true, notes }
}

fn label(side: &Side, group: &Group, columns: &[usize]) -> String {
    columns.iter().map(|&at| format!("{} {}", side.group_by[at], group.shown[at])).collect::<Vec<_>>().join(", ")
}

/// A text that is equal exactly for equal cells.
fn identity(cell: &Cell) -> String {
    match cell {
        Cell::Number { value, .. } => format!("n{:016x}", (value + 0.0).to_bits()),
        Cell::Bool(value) => format!("b{value}"),
        Cell::Text(text) => format!("t{text}"),
        Cell::Missing => "-".to_string(),
    }
}
