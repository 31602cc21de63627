//! Lambdas where a function or a schedule is wanted.

use std::sync::Arc;

use super::super::ty::{Plain, Ty};
use super::Checker;
use super::expr::is_adaptable;
use crate::diag::{Diagnostic, codes::types as codes};
use crate::syntax::tree::{Expr, Lambda};

impl Checker<'_> {
    pub(super) fn lambda_body(
        &mut self,
        lambda: &Lambda,
        params: &[Ty],
        body: impl FnOnce(&mut Self, &Expr) -> Ty,
    ) -> Ty {
        lambda.params.iter().zip(params).for_each(|(name, ty)| self.note(name.span, ty));
        let names = lambda.params.iter().map(|name| name.text.clone()).zip(params.iter().cloned());
        self.within(names.collect::<Vec<_>>(), |checker| body(checker, &lambda.body))
    }

    pub(super) fn lambda(&mut self, expr: &Expr, lambda: &Lambda, params: &[Ty], result: &Ty, what: &str) -> Ty {
        if lambda.params.len() != params.len() {
            return self.wrong_parameters(expr, lambda, params, what);
        }
        let returned = format!("the result of {what}");
        let found = self.lambda_body(lambda, params, |checker, body| checker.check(body, result, &returned));
        Ty::Function(params.into(), Arc::new(found))
    }

    fn wrong_parameters(&mut self, expr: &Expr, lambda: &Lambda, params: &[Ty], what: &str) -> Ty {
        let takes = |n: usize| if n == 1 { "one parameter".to_owned() } else { format!("{n} parameters") };
        let params: Vec<Ty> = params.iter().map(|param| self.settled(param)).collect();
        let message =
            format!("{what} is called with {} value{}", params.len(), if params.len() == 1 { "" } else { "s" });
        let help = match params.as_slice() {
            [Ty::Tuple(_)] => "take the pair as one parameter: `pair => { let (a, b) = pair … }`".to_owned(),
            params => self.lambda_of(lambda, params).unwrap_or(format!("write a function of {}", takes(params.len()))),
        };
        self.report(
            Diagnostic::error(&codes::LAMBDA_PARAMETERS, message)
                .label(expr.span, format!("takes {}, not {}", takes(lambda.params.len()), params.len()))
                .help(help)
                .in_place_of(expr.span),
        );
        Ty::Function(params.into(), Arc::new(Ty::Error))
    }

    /// A lambda with as many parameters as its place has values, if that changes nothing else.
    fn lambda_of(&self, lambda: &Lambda, params: &[Ty]) -> Option<String> {
        let body = self.source(lambda.body.span);
        if body.contains('\n') || body.len() > 90 {
            return None;
        }
        let word = |c: char| !(c.is_alphanumeric() || c == '_');
        let uses = |name: &str| body.split(word).any(|part| part == name);
        let mut names: Vec<&str> = lambda.params.iter().map(|name| &*name.text).collect();
        if names.iter().skip(params.len()).any(|name| uses(name)) {
            return None;
        }
        names.truncate(params.len());
        for param in &params[names.len()..] {
            let usual: &[&str] = if param.is(Plain::Int) { &["n", "k", "i"] } else { &["x", "y", "z"] };
            names.push(usual.iter().copied().find(|name| !names.contains(name) && !uses(name))?);
        }
        match names.as_slice() {
            [] => None,
            [only] => Some(format!("write `{only} => {body}`")),
            names => Some(format!("write `({}) => {body}`", names.join(", "))),
        }
    }

    /// A lambda where a criterion is wanted, which `criterion` makes of it.
    pub(super) fn bare_criterion(&mut self, expr: &Expr, lambda: &Lambda, what: &str) -> Ty {
        let text = self.source(expr.span);
        let text = if text.len() <= 90 && !text.contains('\n') { text } else { "p => …" };
        self.report(
            Diagnostic::error(&codes::MISMATCH, format!("{what} must be a `Criterion`, but this is a function"))
                .label(expr.span, "a function")
                .help(format!("write `criterion({text})`"))
                .in_place_of(expr.span),
        );
        let params = vec![Plain::Parameter.into(); lambda.params.len()];
        self.lambda_body(lambda, &params, Self::infer);
        Plain::Criterion.into()
    }

    /// A lambda where a schedule is wanted: from the step to a ratio or a number.
    pub(super) fn schedule(&mut self, expr: &Expr, lambda: &Lambda, what: &str) -> Ty {
        let params = [Plain::Step.into()];
        if lambda.params.len() != 1 {
            return self.wrong_parameters(expr, lambda, &params, what);
        }
        let result = self.lambda_body(lambda, &params, Self::infer);
        let result = self.solver.shallow(&result);
        if result.is(Plain::Int) && is_adaptable(&lambda.body) {
            self.adapt(&lambda.body);
        } else if !self.is_level(&result) {
            let returned = format!("the result of {what} for each step");
            self.mismatch(&lambda.body, &result, &Plain::Float.into(), &returned);
        }
        Plain::Schedule.into()
    }
}
