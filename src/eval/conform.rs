//! Values from outside against the types that parameters declare.

use std::sync::Arc;

use super::interpreter::{Interpreter, Scope, error};
use crate::diag::codes::evaluation as codes;
use crate::diag::{Diagnostic, Label};
use crate::ops::lowering::did_you_mean;
use crate::resolve::ModuleId;
use crate::source::Span;
use crate::syntax::tree::{ItemKind, Param, Type, TypeKind};
use crate::value::{Evaluated, Value, number, repr};

impl Interpreter<'_> {
    /// Evaluates a parameter: its setting, else its default; then its condition.
    pub(super) fn param(&mut self, module: ModuleId, param: &Param) -> Evaluated {
        let name = &param.name.text;
        let overrides = self.overrides;
        let setting = if module == self.linked.root { overrides.get(name) } else { None };
        let scope = Scope::top(module);
        let (value, place) = match (setting, &param.default) {
            (Some(setting), _) => {
                let value = self.eval(&scope, &setting.value)?;
                (conform(&value, &param.ty, name, setting.span)?, setting.span)
            }
            (None, Some(default)) => {
                let value = self.eval(&scope, default)?;
                (conform(&value, &param.ty, name, default.span)?, default.span)
            }
            (None, None) => {
                let message = format!("the parameter `{name}` has no value");
                return Err(error(&codes::NO_VALUE, message, param.name.span, "no default")
                    .help(format!("give one: `--set {name}=…`"))
                    .into());
            }
        };
        if let Some(condition) = &param.condition {
            let inner = scope.bind(name.clone(), value.clone());
            if !self.condition(&inner, condition)? {
                let written = self.linked.sources.slice(condition.span);
                let message = format!("`{name}` is {}, but `{written}` must hold", repr::repr(&value));
                return Err(error(&codes::CONDITION, message, place, format!("{name} is {}", repr::repr(&value)))
                    .label(condition.span, "does not hold")
                    .into());
            }
        }
        Ok(value)
    }

    /// Reports settings of parameters that the program does not have.
    pub(super) fn check_settings(&mut self) {
        let root = self.linked.module(self.linked.root);
        let known: Vec<&str> = root
            .file
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                ItemKind::Param(param) => Some(&*param.name.text),
                _ => None,
            })
            .collect();
        let unknown: Vec<Diagnostic> = self
            .overrides
            .iter()
            .filter(|setting| !known.contains(&&*setting.name))
            .map(|setting| {
                let message = format!("the program has no parameter `{}`", setting.name);
                let diagnostic = Diagnostic {
                    labels: vec![Label { span: setting.span, text: "set here".to_owned() }],
                    ..Diagnostic::error(&codes::UNKNOWN_PARAM, message)
                };
                did_you_mean(diagnostic, &setting.name, known.iter().copied())
            })
            .collect();
        self.diagnostics.extend(unknown);
    }
}

/// Brings a value to a declared type: integers may stand for floats.
fn conform(value: &Value, ty: &Type, name: &str, span: Span) -> Evaluated {
    if let Some(value) = fit(value, ty) {
        return Ok(value);
    }
    let message = format!("`{name}` is {}, but `{}` is {}", wanted(ty), repr::repr(value), repr::kind(value));
    let diagnostic = error(&codes::PARAM_TYPE, message, span, repr::kind(value));
    let (TypeKind::Named { name, .. }, Some(number)) = (&ty.kind, value.number()) else {
        return Err(diagnostic.into());
    };
    Err(match &*name.text {
        "Ratio" => {
            let percent = number::from_f64(number).unwrap_or_default();
            diagnostic.help(format!("write `{}`", repr::repr(&Value::Ratio(percent))))
        }
        "Step" => diagnostic.help(format!("write a unit: `{number}ep` or `{number}it`")),
        "Points" => diagnostic.help(format!("write percentage points: `{number}pp`")),
        _ => diagnostic,
    }
    .into())
}

fn wanted(ty: &Type) -> String {
    match &ty.kind {
        TypeKind::Named { name, args } if args.is_empty() => {
            let article = if name.text.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
            format!("{article} {}", name.text)
        }
        _ => "of another type".to_owned(),
    }
}

fn fit(value: &Value, ty: &Type) -> Option<Value> {
    let TypeKind::Named { name, args } = &ty.kind else { return Some(value.clone()) };
    let same = || Some(value.clone());
    match (&*name.text, value) {
        ("Float", Value::Int(number)) => Some(Value::Float(*number as f64)),
        ("List", Value::List(items)) => {
            let Some(element) = args.first() else { return same() };
            let items: Option<Vec<Value>> = items.iter().map(|item| fit(item, element)).collect();
            items.map(|items| Value::List(Arc::new(items)))
        }
        ("Bool", Value::Bool(_))
        | ("Int", Value::Int(_))
        | ("Float", Value::Float(_))
        | ("Str", Value::Str(_))
        | ("Ratio", Value::Ratio(_))
        | ("Points", Value::Points(_))
        | ("Step", Value::Step(_))
        | ("Time", Value::Time(_))
        | ("Bytes", Value::Bytes(_))
        | ("Seed", Value::Seed(_)) => same(),
        ("Bool" | "Int" | "Float" | "Str" | "Ratio" | "Points" | "Step" | "Time" | "Bytes" | "Seed" | "List", _) => {
            None
        }
        _ => same(),
    }
}
