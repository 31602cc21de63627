//! Calls: arguments to formal parameters, functions of all kinds.

use std::sync::Arc;

use super::access::field;
use super::builtins;
use super::interpreter::{Interpreter, Scope, error};
use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::ops;
use crate::ops::lowering::{Argument, Arguments, did_you_mean};
use crate::resolve::ModuleId;
use crate::source::Span;
use crate::syntax::tree::{self, Arg, Expr, ExprKind};
use crate::value::{Closure, Env, Evaluated, Function, Native, NativeKind, Value, repr};

/// An argument as it is given.
pub(super) struct Given {
    pub(super) label: Option<Arc<str>>,
    pub(super) value: Value,
    pub(super) span: Span,
}

impl Interpreter<'_> {
    /// Evaluates `left |> right`.
    pub(super) fn pipe(&mut self, scope: &Scope, left: &Expr, right: &Expr) -> Evaluated {
        let value = self.eval(scope, left)?;
        let first = Given { label: None, value, span: left.span };
        if let ExprKind::Call(callee, args) = &*right.kind {
            return self.call_expr(scope, callee, args, Some(first), right.span);
        }
        let callee = self.eval(scope, right)?;
        self.call(&callee, vec![first], right.span)
    }

    pub(super) fn call_expr(
        &mut self,
        scope: &Scope,
        callee: &Expr,
        args: &[Arg],
        first: Option<Given>,
        span: Span,
    ) -> Evaluated {
        let method = match &*callee.kind {
            ExprKind::Field(base, name) if &*name.text == "at" && !self.is_module(scope, base) => {
                Some(self.eval(scope, base)?)
            }
            _ => None,
        };
        let function = match (&method, &*callee.kind) {
            (Some(Value::State(_) | Value::Choice(_) | Value::Rows(_)), _) => None,
            (Some(base), ExprKind::Field(_, name)) => Some(field(base, &name.text, name.span)?),
            _ => Some(self.eval(scope, callee)?),
        };
        let mut given: Vec<Given> = first.into_iter().collect();
        for arg in args {
            let value = self.eval(scope, &arg.value)?;
            given.push(Given { label: arg.label.as_ref().map(|name| name.text.clone()), value, span: arg.value.span });
        }
        match (method, function) {
            (_, Some(function)) => self.call(&function, given, span),
            (Some(base), None) => self.at(&base, &given, span),
            (None, None) => Err(error(&codes::MISMATCH, "there is nothing to call", span, "not a function").into()),
        }
    }

    /// Calls a value.
    pub(super) fn call(&mut self, callee: &Value, given: Vec<Given>, span: Span) -> Evaluated {
        match callee {
            Value::Function(Function::Closure(closure)) => self.call_closure(closure, given, span),
            Value::Function(Function::Declared(function, module)) => {
                let Some(body) = &function.body else { return Err(not_callable(callee, span).into()) };
                let (arguments, env) = self.formals(function, *module, given, span)?;
                self.calling.push(Arc::as_ptr(function));
                let done = self.deeper(span, |vm| {
                    let value = vm.eval(&Scope { module: *module, env }, body);
                    value.map_err(|stop| vm.traced(stop, function, &arguments, span))
                });
                self.calling.pop();
                done
            }
            Value::Function(Function::Native(native)) => self.call_native(native, given, span),
            Value::Function(Function::Accessor(name)) => {
                if let [only] = given.as_slice() {
                    return field(&only.value, name, span);
                }
                let message = format!("`.{name}` takes one argument, not {}", given.len());
                Err(error(&codes::UNKNOWN_ARGUMENT, message, span, "in this call").into())
            }
            // A constant schedule: the same number at every step.
            Value::Float(_) | Value::Int(_) | Value::Ratio(_)
                if matches!(given.as_slice(), [Given { value: Value::Step(_), .. }]) =>
            {
                Ok(callee.clone())
            }
            other => Err(not_callable(other, span).into()),
        }
    }

    /// Calls a function with values that have no place of their own.
    pub(super) fn apply(&mut self, function: &Value, values: Vec<Value>, span: Span) -> Evaluated {
        let given = values.into_iter().map(|value| Given { label: None, value, span }).collect();
        self.call(function, given, span)
    }

    fn call_closure(&mut self, closure: &Arc<Closure>, given: Vec<Given>, span: Span) -> Evaluated {
        let params = &closure.lambda.params;
        if given.len() != params.len() {
            let message = format!("this function takes {}, not {}", arguments(params.len()), given.len());
            return Err(error(&codes::UNKNOWN_ARGUMENT, message, span, "in this call").into());
        }
        if let Some(labelled) = given.iter().find(|given| given.label.is_some()) {
            let message = "the arguments of this function have no names";
            return Err(error(&codes::UNKNOWN_ARGUMENT, message, labelled.span, "named").help("drop the label").into());
        }
        let env = params
            .iter()
            .zip(given)
            .fold(closure.env.clone(), |env, (name, given)| env.bind(name.text.clone(), given.value));
        self.deeper(span, |vm| vm.eval(&Scope { module: closure.module, env }, &closure.lambda.body))
    }

    fn call_native(&mut self, native: &Arc<Native>, given: Vec<Given>, span: Span) -> Evaluated {
        let (values, _) = self.formals(&native.declaration, native.module, given, span)?;
        let arguments = Arguments { name: native.declaration.name.text.clone(), call: span, values };
        self.deeper(span, |vm| match native.kind {
            NativeKind::Builtin(at) => match builtins::FUNCTIONS.get(at) {
                Some((_, function)) => function(vm, &arguments),
                None => Err(crate::value::Stop::Reported),
            },
            NativeKind::Stage(at) => match ops::stages::ALL.get(at) {
                Some(op) => vm.lower_each(op, &arguments),
                None => Err(crate::value::Stop::Reported),
            },
        })
    }

    /// Fills formal parameters: labels first, then positions in order, then defaults.
    fn formals(
        &mut self,
        function: &Arc<tree::Function>,
        module: ModuleId,
        given: Vec<Given>,
        span: Span,
    ) -> Evaluated<(Vec<Argument>, Env)> {
        let formals = &function.formals;
        let mut slots: Vec<Option<(Value, Span)>> = formals.iter().map(|_| None).collect();
        let mut positional = Vec::new();
        for given in given {
            let Some(label) = &given.label else {
                positional.push(given);
                continue;
            };
            let Some(at) = formals.iter().position(|formal| formal.name.text == *label) else {
                return Err(unknown_label(function, label, given.span).into());
            };
            slots[at] = Some((given.value, given.span));
        }
        let mut open = 0;
        for given in positional {
            while slots.get(open).is_some_and(Option::is_some) {
                open += 1;
            }
            let Some(slot) = slots.get_mut(open) else {
                let message = format!("`{}` takes {}", function.name.text, arguments(formals.len()));
                return Err(error(&codes::UNKNOWN_ARGUMENT, message, given.span, "one argument too many").into());
            };
            *slot = Some((given.value, given.span));
        }
        let mut env = Env::default();
        let mut filled = Vec::with_capacity(formals.len());
        for (formal, slot) in formals.iter().zip(slots) {
            let argument = match (slot, &formal.default) {
                (Some((value, span)), _) => Argument { value, span, given: true },
                (None, Some(default)) => {
                    let value = self.eval(&Scope { module, env: env.clone() }, default)?;
                    Argument { value, span, given: false }
                }
                (None, None) => {
                    let message = format!("`{}` needs `{}`", function.name.text, formal.name.text);
                    return Err(error(&codes::UNKNOWN_ARGUMENT, message, span, "an argument is missing").into());
                }
            };
            env = env.bind(formal.name.text.clone(), argument.value.clone());
            filled.push(argument);
        }
        Ok((filled, env))
    }
}

fn arguments(count: usize) -> String {
    match count {
        0 => "no arguments".to_owned(),
        1 => "one argument".to_owned(),
        count => format!("{count} arguments"),
    }
}

fn unknown_label(function: &tree::Function, label: &str, span: Span) -> Diagnostic {
    let message = format!("`{}` has no argument `{label}`", function.name.text);
    let known = function.formals.iter().map(|formal| &*formal.name.text);
    did_you_mean(error(&codes::UNKNOWN_ARGUMENT, message, span, "for an unknown argument"), label, known)
}

fn not_callable(value: &Value, span: Span) -> Diagnostic {
    error(&codes::MISMATCH, format!("{} cannot be called", repr::kind(value)), span, "not a function")
}
