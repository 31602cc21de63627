//! Scores of all weights of a layer at once, taken together by functions that other libraries have for tensors.

use super::super::signature::Signature;
use super::super::ty::Plain;
use super::Checker;
use super::call::Call;
use crate::diag::{Diagnostic, codes::types as codes};
use crate::resolve::library;
use crate::syntax::tree::Expr;

impl Checker<'_> {
    /// Reports `mean(abs(p.weight))`, which is meant over a layer; says whether it is that.
    pub(super) fn over_scores(&mut self, signature: &Signature, call: &Call<'_>) -> bool {
        let name = &*signature.name;
        if !signature.builtin || !matches!(name, "mean" | "sum" | "max" | "min" | "median" | "sd") {
            return false;
        }
        let plain = call.args.iter().filter(|arg| arg.label.is_none()).map(|arg| &arg.value);
        let values: Vec<&Expr> = call.piped.into_iter().chain(plain).collect();
        let [only] = values.as_slice() else { return false };
        if !self.silent(only).is(Plain::Score) {
            return false;
        }
        let text = self.brief(only);
        let (layer, filter) = (format!("layer_{name}"), format!("filter_{name}"));
        let help = if library::providers(&layer).is_empty() {
            "over a layer there are `layer_mean`, `layer_sum` and `layer_max` of `std.prune`".to_owned()
        } else if self.linked.lookup(self.module, &layer).is_some() {
            format!("write `{layer}({text})`, or `{filter}({text})` over each filter")
        } else {
            format!(
                "add `import std.prune.{{{layer}}}` and write `{layer}({text})`, or `{filter}({text})` over each filter"
            )
        };
        self.report(
            Diagnostic::error(&codes::MISMATCH, format!("`{name}` does not take the scores of weights together"))
                .label(call.callee, "over the weights of a layer, or of each filter?")
                .help(help)
                .in_place_of(call.whole),
        );
        true
    }
}
