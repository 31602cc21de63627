//! What stages ask of the evaluator.

use std::sync::Arc;

use super::interpreter::{Interpreter, error};
use crate::diag::codes::evaluation as codes;
use crate::graph::{Node, NodeId, Origin};
use crate::ops::Op;
use crate::ops::lowering::{Arguments, External, Lowering, Stage};
use crate::source::Span;
use crate::value::{Course, Evaluated, Recipe, Value, repr};

impl Interpreter<'_> {
    /// Calls a stage. Its own call is the innermost of the open ones.
    pub(super) fn lower(&mut self, op: &Op, arguments: &Arguments) -> Evaluated {
        (op.lower)(self, arguments)
    }

    fn origin(&self) -> Origin {
        let (span, trail) = self.callers();
        let span = span.unwrap_or_else(|| Span::new(self.linked.module(self.linked.root).file.id, 0, 0));
        let axes = self.axes.iter().map(|(name, value)| (name.to_string(), repr::label(value))).collect();
        Origin { span, trail, axes }
    }
}

impl Interpreter<'_> {
    /// Names every stage by its title and the axes that it belongs to.
    pub(super) fn name_stages(&mut self) {
        for (at, title) in std::mem::take(&mut self.titles).into_iter().enumerate() {
            let id = NodeId(at as u32);
            let axes = self.graph.node(id).axes().map(|(axis, value)| format!(" · {axis} {value}"));
            let name = title + &axes.collect::<String>();
            self.graph.rename(id, name);
        }
    }
}

impl Lowering for Interpreter<'_> {
    fn push(&mut self, stage: Stage) -> NodeId {
        let title = match stage.round {
            0 => stage.title,
            round => format!("{} round {round}", stage.title),
        };
        let origin = self.origin();
        let known = self.graph.len();
        let id = self.graph.push(Node {
            op: stage.op.name,
            version: stage.op.version,
            args: stage.args,
            inputs: stage.inputs,
            trajectory: stage.trajectory,
            data: stage.data,
            facts: stage.facts,
            origins: vec![origin],
        });
        if self.graph.len() > known {
            self.titles.push(title);
        }
        id
    }

    fn digest(&mut self, data: External<'_>) -> Option<String> {
        self.data.digest(data)
    }

    fn weights(&mut self, file: &str, span: Span) -> Evaluated<String> {
        match self.data.weights(file) {
            Ok(found) => {
                self.files.insert(found.digest.clone(), found.path);
                Ok(found.digest)
            }
            Err(reason) => {
                let why = match reason.kind() {
                    std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                    std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
                    _ => reason.to_string(),
                };
                Err(error(&codes::UNREADABLE_WEIGHTS, format!("`{file}` cannot be read: {why}"), span, "this file")
                    .help("paths are relative to the program")
                    .into())
            }
        }
    }

    fn rates(&mut self, recipe: &Recipe, course: Course, start: u64, until: u64, span: Span) -> Evaluated<Arc<[f64]>> {
        self.sample_rates(recipe, course, start, until, span)
    }

    fn sparsity(&mut self, schedule: &Value, course: Course, at: u64, span: Span) -> Evaluated<Value> {
        self.sample(schedule, course, Value::iterations(at), span)
    }
}
