//! Layers as other libraries write them: with the channels of their input first.

use super::super::signature::Signature;
use super::super::ty::{Plain, Ty};
use super::Checker;
use super::call::Call;
use crate::diag::{Diagnostic, codes::types as codes};
use crate::syntax::tree::{Arg, ExprKind};

/// Whether numbers stand in the order of this language, the kernel second: no network narrows to a few channels.
fn kernel_second(args: &[&Arg]) -> bool {
    let number = |arg: &Arg| if let ExprKind::Int(value) = &*arg.value.kind { Some(*value) } else { None };
    match args {
        [first, second, ..] => {
            number(first).zip(number(second)).is_some_and(|(out, kernel)| kernel <= 7 && out > kernel)
        }
        _ => false,
    }
}

impl Checker<'_> {
    /// Reports a layer that is given the channels of its input; says whether it is.
    pub(super) fn input_given(&mut self, signature: &Signature, call: &Call<'_>) -> bool {
        if !signature.builtin || call.piped.is_some() {
            return false;
        }
        let plain: Vec<&Arg> = call.args.iter().filter(|arg| arg.label.is_none()).collect();
        let labelled = |name: &str| call.args.iter().any(|arg| arg.label.as_ref().is_some_and(|it| &*it.text == name));
        let (given, takes) = match &*signature.name {
            "conv" => (
                plain.len() > 2 && !kernel_second(&plain)
                    || plain.len() == 2 && (labelled("kernel") || labelled("kernel_size")),
                "the number of output channels only",
            ),
            "linear" => (plain.len() == 2, "the number of outputs only"),
            "batch_norm" => {
                let number = plain.first().is_some_and(|arg| !self.silent(&arg.value).is(Plain::Bool));
                (number && !labelled("zero_scale"), "no number of channels")
            }
            _ => (false, ""),
        };
        let Some(first) = plain.first().filter(|_| given) else { return false };
        let mut names = signature.formals.iter().filter(|formal| !labelled(&formal.name)).map(|formal| &formal.name);
        let outputs = usize::from(!signature.formals.is_empty() && signature.formals[0].ty != Ty::from(Plain::Bool));
        let mut written = Vec::new();
        for (at, arg) in call.args.iter().filter(|arg| !std::ptr::eq(*arg, *first)).enumerate() {
            let value = self.source(arg.value.span);
            written.push(match (&arg.label, at < outputs) {
                (Some(label), _) => format!("{}: {value}", label.text),
                (None, true) => {
                    names.next();
                    value.to_owned()
                }
                (None, false) => match names.next() {
                    Some(name) => format!("{name}: {value}"),
                    None => continue,
                },
            });
        }
        let right = format!("{}({})", signature.name, written.join(", "));
        let message = format!("`{}` takes {takes}; those of its input follow from the layer before", signature.name);
        self.report(
            Diagnostic::error(&codes::EXCESS_ARGUMENT, message)
                .label(first.value.span, "the channels of the input")
                .help(format!("write `{right}`"))
                .fix(call.whole, right),
        );
        true
    }
}
