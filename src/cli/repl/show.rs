//! Values, definitions and stages as the user sees them.

use crate::cli::figures;
use crate::eval::Program;
use crate::graph::Graph;
use crate::reference;
use crate::syntax::tree::{Item, ItemKind};
use crate::types::{Ty, Typed};
use crate::value::output::TableSpec;
use crate::value::{Value, repr};

/// Rows that are shown before the rest is left out.
const ROWS: usize = 12;

/// Writes a value as the language writes it; rows as a table.
pub(super) fn value(value: &Value, ty: Option<&Ty>, program: &Program) -> String {
    match value {
        Value::Rows(rows) => {
            let heading: Vec<String> = rows.columns.iter().map(|column| column.name.to_string()).collect();
            let row = |at: usize| rows.columns.iter().map(|column| cell(&column.cells[at])).collect::<Vec<_>>();
            let shown = std::iter::once(heading).chain((0..rows.height().min(ROWS)).map(row));
            let more = rows.height().saturating_sub(ROWS);
            let rest = if more == 0 { String::new() } else { format!("… {}\n", figures::counted(more, "more row")) };
            figures::columns(&shown.collect::<Vec<_>>(), &[]) + &rest
        }
        Value::Table(spec) => match &**spec {
            TableSpec::Rows(rows) | TableSpec::Summary { rows, .. } => {
                format!("a table of {}\n", figures::counted(rows.height(), "row"))
            }
        },
        Value::Measured(_) => format!("known after {} run\n", counted_stages(&program.graph)),
        Value::Function(_) => match ty {
            Some(ty) => format!("{}: {ty}\n", repr::repr(value)),
            None => format!("{}\n", repr::repr(value)),
        },
        other => format!("{}\n", repr::repr(other)),
    }
}

fn counted_stages(graph: &Graph) -> String {
    let count = graph.len();
    format!("{} {}", figures::counted(count, "stage"), if count == 1 { "has" } else { "have" })
}

fn cell(value: &Value) -> String {
    if matches!(value, Value::Measured(_)) { "after the run".to_owned() } else { repr::label(value) }
}

/// Says what a definition or an output came to.
pub(super) fn item(item: &Item, typed: &Typed, program: &Program) -> String {
    let root = typed.linked.root;
    let named = |name: &str| {
        let ty = typed.values.get(&(root, name.into())).map_or_else(String::new, |ty| format!(": {ty}"));
        let shown = program.values.get(name).map(repr::repr).filter(|text| text.len() < 200).unwrap_or_default();
        if shown.is_empty() { format!("{name}{ty}\n") } else { format!("{name}{ty} = {shown}\n") }
    };
    match &item.kind {
        ItemKind::Import(_) => String::new(),
        ItemKind::Param(param) => named(&param.name.text),
        ItemKind::Binding(binding) => binding.pattern.names().iter().map(|name| named(&name.text)).collect(),
        ItemKind::Function(_) => reference::entries(&typed.linked.sources, item, false)
            .into_iter()
            .map(|entry| entry.signature + "\n")
            .collect(),
        ItemKind::Table(output) => format!("table {}\n", output.name.text),
        ItemKind::Plot(output) => format!("plot {}\n", output.name.text),
        ItemKind::Claim(claim) => format!("claim {}: {}\n", claim.name.text, counted_stages(&program.graph)),
        ItemKind::Expect(_) => {
            let waits = !program.graph.is_empty();
            if waits { format!("known after {} run\n", counted_stages(&program.graph)) } else { "holds\n".to_owned() }
        }
        ItemKind::Test(_) => "holds\n".to_owned(),
    }
}

/// Lists stages with what they cost.
pub(super) fn stages(graph: &Graph) -> String {
    let rows: Vec<Vec<String>> = graph
        .iter()
        .map(|(_, node)| {
            let facts = &node.facts;
            let epochs = facts.epochs.map(|epochs| format!("{epochs} epochs")).unwrap_or_default();
            let macs = facts.macs.map(|macs| format!("{} MACs", figures::grouped(macs))).unwrap_or_default();
            vec![facts.name.clone(), epochs, macs, figures::bytes(facts.bytes)]
        })
        .collect();
    if rows.is_empty() { "no stages\n".to_owned() } else { figures::columns(&rows, &[1, 2, 3]) }
}
