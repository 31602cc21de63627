//! Problems of stages and of the store as diagnostics.

use crate::diag::codes::{self, execution};
use crate::diag::{Diagnostic, Severity};
use crate::graph::{Graph, NodeId};
use crate::ops::run::Problem;
use crate::store::StoreError;

/// Describes the failure of a stage at the place that asks for it; `blocked` stages wait for it in vain.
pub fn diagnose(graph: &Graph, id: NodeId, problem: &Problem, blocked: usize) -> Diagnostic {
    let node = graph.node(id);
    let code = codes::find(&problem.code).unwrap_or(&execution::STAGE_FAILED);
    let mut diagnostic = Diagnostic::error(code, format!("`{}` failed: {}", node.facts.name, problem.message));
    if let Some(origin) = node.origins.first() {
        let place = match blocked {
            0 => "this stage".to_owned(),
            1 => "this stage; one more depends on it".to_owned(),
            more => format!("this stage; {more} more depend on it"),
        };
        diagnostic = diagnostic.label(origin.span, place);
        if let Some(call) = origin.trail.last().filter(|call| **call != origin.span) {
            diagnostic = diagnostic.label(*call, "asked for from here");
        }
    }
    let log = (!problem.log.is_empty()).then(|| format!("last lines of its log:\n  {}", problem.log.join("\n  ")));
    let help: Vec<String> = problem.help.clone().into_iter().chain(log).collect();
    if help.is_empty() { diagnostic } else { diagnostic.help(help.join("\n")) }
}

/// Describes an error of the store that concerns no stage; `severity` is a warning where the run goes on.
pub fn store_diagnostic(error: StoreError, severity: Severity) -> Diagnostic {
    describe(&Problem::from(error), severity)
}

/// Describes a problem that was found before any stage ran.
pub fn describe(problem: &Problem, severity: Severity) -> Diagnostic {
    let code = codes::find(&problem.code).unwrap_or(&execution::STAGE_FAILED);
    let diagnostic = Diagnostic { severity, ..Diagnostic::error(code, problem.message.clone()) };
    match &problem.help {
        Some(help) => diagnostic.help(help.clone()),
        None => diagnostic,
    }
}
