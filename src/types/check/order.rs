//! Arguments that fit each other's parameters.

use super::super::signature::Signature;
use super::super::ty::{Plain, Ty};
use super::Checker;
use super::call::{Call, Slots};
use crate::diag::{Diagnostic, codes::types as codes};

impl Checker<'_> {
    /// Replaces the reports about arguments that stand in each other's places by one; `reported` is how many there
    /// were before the call.
    pub(super) fn order(&mut self, signature: &Signature, slots: &Slots<'_>, call: &Call<'_>, reported: usize) {
        let places: Vec<usize> = (0..slots.len())
            .filter(|at| {
                let Some(given) = slots[*at] else { return false };
                let labelled = call.args.iter().any(|arg| arg.label.is_some() && arg.value.span == given.value.span);
                !labelled
                    && self.diagnostics[reported..].iter().any(|found| {
                        let unfit = [codes::MISMATCH.id, codes::UNIT.id].contains(&found.code.id);
                        unfit && found.labels.first().is_some_and(|label| label.span == given.value.span)
                    })
            })
            .collect();
        if places.len() < 2 || places.len() > 3 {
            return;
        }
        let found: Vec<Ty> = places.iter().filter_map(|at| slots[*at]).map(|given| self.silent(given.value)).collect();
        let wanted: Vec<&Ty> = places.iter().map(|at| &signature.formals[*at].ty).collect();
        let Some(order) = permutation(&found, &wanted) else { return };
        let spans: Vec<_> = places.iter().filter_map(|at| slots[*at]).map(|given| given.value.span).collect();
        self.diagnostics.retain({
            let mut nth = 0;
            move |found| {
                nth += 1;
                nth <= reported || !found.labels.first().is_some_and(|label| spans.contains(&label.span))
            }
        });
        let spans: Vec<_> = places.iter().filter_map(|at| slots[*at]).map(|given| given.value.span).collect();
        let text = |at: usize| self.source(slots[at].map_or(call.callee, |given| given.value.span));
        let mut written = Vec::new();
        for at in (0..slots.len()).filter(|at| slots[*at].is_some()) {
            let source = match places.iter().position(|place| *place == at) {
                Some(nth) => places[order[nth]],
                None => at,
            };
            let label = call.args.iter().find(|arg| slots[at].is_some_and(|given| given.value.span == arg.value.span));
            let label =
                label.and_then(|arg| arg.label.as_ref()).map_or(String::new(), |label| format!("{}: ", label.text));
            written.push(format!("{label}{}", text(source)));
        }
        let piped = call.piped.is_some() && !places.contains(&0);
        let args = written.get(usize::from(piped)..).unwrap_or(&[]).join(", ");
        let args = if args.len() <= 90 && !args.contains('\n') { args } else { "…".to_owned() };
        let name = &signature.name;
        let diagnostic =
            Diagnostic::error(&codes::ARGUMENT_ORDER, format!("the arguments of `{name}` are in the wrong order"))
                .label(spans[0], format!("this is {}", found[0].described()))
                .label(spans[1], format!("this is {}", found[1].described()))
                .help(format!("write `{name}({args})`"));
        self.report(diagnostic);
    }

    /// The type of an expression, without reports.
    pub(super) fn silent(&mut self, expr: &crate::syntax::tree::Expr) -> Ty {
        let before = self.diagnostics.len();
        let locals = self.locals.clone();
        let ty = self.infer(expr);
        self.locals = locals;
        self.diagnostics.truncate(before);
        self.settled(&ty)
    }
}

/// For each parameter, which of the values fits it, if there is one way to give each its own.
fn permutation(found: &[Ty], wanted: &[&Ty]) -> Option<Vec<usize>> {
    let orders: &[&[usize]] = match found.len() {
        2 => &[&[1, 0]],
        3 => &[&[1, 2, 0], &[2, 0, 1], &[1, 0, 2], &[0, 2, 1], &[2, 1, 0]],
        _ => return None,
    };
    let fits = |order: &&&[usize]| order.iter().zip(wanted).all(|(from, want)| serves(&found[*from], want));
    orders.iter().find(fits).map(|order| order.to_vec())
}

/// Whether a value of one type can stand where another is wanted, as far as types without parts go.
fn serves(found: &Ty, want: &Ty) -> bool {
    match (found, want) {
        (Ty::Split(_), Ty::Split(_))
        | (Ty::Rows(_), Ty::Rows(_))
        | (Ty::Column(_), Ty::Column(_))
        | (Ty::Plain(Plain::Layer), Ty::Plain(Plain::Layers))
        | (Ty::Function(..), Ty::Function(..)) => true,
        (Ty::List(_), Ty::List(want)) if matches!(**want, Ty::Generic(_)) => true,
        _ => found == want,
    }
}
