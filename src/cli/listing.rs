//! A plan as text: a line per stage, or per group of stages where there are many, and the sums.

use std::collections::BTreeMap;

use super::figures;
use super::output::Output;
use crate::domain::arch::{Arch, Survey};
use crate::graph::{Canon, Graph, NodeId};
use crate::plan::predict::{Prediction, Span};
use crate::plan::{Plan, Stage, Status, Totals};

/// More stages than this are folded.
const FOLD_ABOVE: usize = 40;

/// Describes a plan. `all` lists every stage by itself, however many there are.
pub(super) fn text(output: Output, graph: &Graph, plan: &Plan, prediction: &Prediction, all: bool) -> String {
    let folded = !all && plan.stages.len() > FOLD_ABOVE;
    let times = &prediction.stages;
    let rows: Vec<_> =
        if folded { groups(graph, plan, times) } else { plan.stages.iter().map(|stage| row(stage, times)).collect() };
    let time = if times.is_empty() { "" } else { "TIME" };
    let heading =
        ["STATUS", "STAGE", if folded { "" } else { "KEY" }, "EPOCHS", "MACS", "BYTES", time].map(str::to_owned);
    let table = figures::columns(&std::iter::once(heading.to_vec()).chain(rows).collect::<Vec<_>>(), &[3, 4, 5, 6]);
    let mut text = architectures(graph);
    let (first, rest) = table.split_once('\n').unwrap_or((&table, ""));
    text += &format!("{}\n{rest}\n{}", output.bold(first), sums(plan));
    if folded {
        text += "(folded: `--all` lists every stage)\n";
    }
    text
}

type Times = BTreeMap<NodeId, Span>;

fn row(stage: &Stage, times: &Times) -> Vec<String> {
    let facts = &stage.facts;
    vec![
        status(stage),
        stage.name.clone(),
        stage.key.short(),
        facts.epochs.map(epochs).unwrap_or_default(),
        facts.macs.map(|count| macs(count as f64)).unwrap_or_default(),
        figures::bytes(facts.bytes),
        times.get(&stage.id).map(|time| figures::duration(time.likely)).unwrap_or_default(),
    ]
}

fn status(stage: &Stage) -> String {
    match stage.status {
        Status::Cached => "cached".to_owned(),
        Status::Run if stage.conditional => "maybe".to_owned(),
        Status::Run => "run".to_owned(),
        Status::Resume { from } => format!("resume at {}", figures::grouped(from)),
    }
}

/// One row per status, kind and arm: stages that differ only in numbered axes (seed, round) fold together.
fn groups(graph: &Graph, plan: &Plan, times: &Times) -> Vec<Vec<String>> {
    type Group<'a> = Vec<&'a Stage>;
    let mut order: Vec<(String, &str, String)> = Vec::new();
    let mut groups: BTreeMap<(String, &str, String), Group<'_>> = BTreeMap::new();
    for stage in &plan.stages {
        let word = status(stage).split(' ').next().unwrap_or_default().to_owned();
        let key = (word, stage.op, arm(graph, stage));
        if !groups.contains_key(&key) {
            order.push(key.clone());
        }
        groups.entry(key).or_default().push(stage);
    }
    let row = |key: (String, &str, String)| {
        let stages = groups.get(&key).cloned().unwrap_or_default();
        let (status, op, arm) = key;
        let sum = |value: fn(&Stage) -> Option<f64>| stages.iter().filter_map(|stage| value(stage)).sum::<f64>();
        let total_epochs = sum(|stage| stage.facts.epochs);
        let total_macs = sum(|stage| stage.facts.macs.map(|macs| macs as f64));
        let name = if stages.len() == 1 { stages[0].name.clone() } else { format!("{op} × {}", stages.len()) };
        let axes =
            if stages.len() == 1 { String::new() } else { [arm, spread(graph, &stages)].join(" ").trim().to_owned() };
        vec![
            status,
            name,
            axes,
            if total_epochs > 0.0 { epochs(total_epochs) } else { String::new() },
            if total_macs > 0.0 { macs(total_macs) } else { String::new() },
            figures::bytes(stages.iter().map(|stage| stage.facts.bytes).sum()),
            duration(stages.iter().filter_map(|stage| times.get(&stage.id)).map(|time| time.likely).collect()),
        ]
    };
    order.into_iter().map(row).collect()
}

/// Writes the sum of times; nothing if there are none.
fn duration(times: Vec<f64>) -> String {
    if times.is_empty() { String::new() } else { figures::duration(times.into_iter().sum()) }
}

fn axes<'a>(graph: &'a Graph, stage: &Stage) -> impl Iterator<Item = &'a (String, String)> + use<'a> {
    graph.node(stage.id).axes()
}

fn numbered(value: &str) -> Option<f64> {
    value.parse().ok()
}

/// The axes of a stage that are not numbered: `arm imp`.
fn arm(graph: &Graph, stage: &Stage) -> String {
    let named = axes(graph, stage).filter(|(_, value)| numbered(value).is_none());
    named.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(" · ")
}

/// The ranges of the numbered axes: `seed 1 … 3 · round 1 … 14`.
fn spread(graph: &Graph, stages: &[&Stage]) -> String {
    let mut ranges: Vec<(&str, f64, f64)> = Vec::new();
    for (name, value) in stages.iter().flat_map(|stage| axes(graph, stage)) {
        let Some(value) = numbered(value) else { continue };
        match ranges.iter_mut().find(|(known, ..)| known == name) {
            Some((_, low, high)) => (*low, *high) = (low.min(value), high.max(value)),
            None => ranges.push((name, value, value)),
        }
    }
    let text = |(name, low, high): (&str, f64, f64)| {
        if high > low { format!("{name} {low} … {high}") } else { format!("{name} {low}") }
    };
    ranges.into_iter().map(text).collect::<Vec<_>>().join(" · ")
}

/// `57 stages: 12 cached, 45 to run`, and what all and the rest amount to.
fn sums(plan: &Plan) -> String {
    let Totals { stages, cached, run, conditional, .. } = plan.totals;
    let mut text = format!("{}: {cached} cached, {run} to run", figures::counted(stages, "stage"));
    if conditional > 0 {
        text += &format!(", {conditional} only if a measured condition holds; so at most");
    }
    text += &format!("\nin all   {}\n", cost(&plan.totals));
    if run + conditional > 0 && plan.remaining != plan.totals {
        text += &format!("to run   {}\n", cost(&plan.remaining));
    }
    text
}

fn cost(totals: &Totals) -> String {
    let trainings = figures::counted(totals.trainings, "training");
    let (macs, bytes) = (macs(totals.macs), figures::bytes(totals.bytes));
    format!("{trainings}, {} epochs, {macs} MACs, {bytes} in the store", epochs(totals.epochs))
}

fn epochs(epochs: f64) -> String {
    let whole = figures::grouped(epochs.trunc() as u64);
    let part = (epochs.fract() * 100.0).round() as u64;
    match part {
        0 => whole,
        100 => figures::grouped(epochs.round() as u64),
        part if part.is_multiple_of(10) => format!("{whole}.{}", part / 10),
        part => format!("{whole}.{part:02}"),
    }
}

fn macs(macs: f64) -> String {
    let mut value = macs;
    let mut power = 0;
    while value >= 999.5 {
        value /= 1000.0;
        power += 3;
    }
    if power == 0 { format!("{value}") } else { format!("{value:.1}e{power}") }
}

/// A line with the counts of each architecture that is initialised or imported.
fn architectures(graph: &Graph) -> String {
    let mut seen: Vec<Canon> = Vec::new();
    let mut text = String::new();
    for (_, node) in graph.iter() {
        let Some(arch) = node.args.fields().and_then(|args| args.get("arch")).filter(|arch| !seen.contains(arch))
        else {
            continue;
        };
        seen.push(arch.clone());
        if let Some(survey) = arch.parse::<Arch>().ok().and_then(|arch| arch.survey().ok()) {
            text += &counts(&survey);
        }
    }
    text
}

fn counts(survey: &Survey) -> String {
    let [parameters, prunable, macs] =
        [survey.parameter_count(), survey.prunable_count(), survey.macs()].map(figures::grouped);
    format!("{parameters} parameters, {prunable} prunable, {macs} MACs per image\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_and_macs_are_short() {
        assert_eq!([0.0, 3.5, 7200.0, 1.999].map(epochs), ["0", "3.5", "7 200", "2"]);
        assert_eq!([0.0, 999.0, 1e6, 4_089_184_256.0].map(macs), ["0", "999", "1.0e6", "4.1e9"]);
    }
}
