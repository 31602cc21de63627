//! What a program says without effect: axes, values and parameters that nothing reads, names inside of texts.

use std::collections::BTreeSet;

use super::{Linked, ModuleId, Referent, Target};
use crate::diag::{Diagnostic, codes::names};
use crate::source::Span;
use crate::syntax::tree::{Expr, ExprKind, Item, ItemKind, Name, Pattern, TestItem};

/// Warns of what has no effect in a module without errors.
pub(super) fn warnings(linked: &Linked, module: ModuleId) -> Vec<Diagnostic> {
    let here = linked.module(module);
    let mut walk = Walk { locals: BTreeSet::new(), items: BTreeSet::new(), known: BTreeSet::new(), found: Vec::new() };
    for used in &here.uses {
        match used.referent {
            Referent::Local(span) => {
                walk.locals.insert(span);
            }
            Referent::Global(Target::Item { module: owner, item }) if owner == module => {
                walk.items.insert(item);
            }
            _ => {}
        }
    }
    walk.known.extend(here.definitions.keys().map(|name| &**name));
    // Parameters of an imported file are set by nobody, and a file without results is a beginning or a library.
    let shows = |item: &Item| {
        matches!(item.kind, ItemKind::Table(_) | ItemKind::Plot(_) | ItemKind::Claim(_) | ItemKind::Expect(_))
    };
    if module != linked.root || !here.file.items.iter().any(shows) {
        walk.items.extend(0..here.file.items.len());
    }
    for (nth, item) in here.file.items.iter().enumerate() {
        walk.item(nth, item);
    }
    walk.found
}

struct Walk<'a> {
    /// Local names that are read somewhere, by their places.
    locals: BTreeSet<Span>,
    /// Items that are read somewhere.
    items: BTreeSet<usize>,
    /// Names that a text could mean.
    known: BTreeSet<&'a str>,
    found: Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    fn item(&mut self, nth: usize, item: &'a Item) {
        match &item.kind {
            ItemKind::Param(param) if !self.items.contains(&nth) => {
                let name = &param.name.text;
                let help = format!("use it, or remove it: `--set {name}=…` changes nothing");
                self.report(&param.name, format!("the parameter `{name}` is never used"), help);
            }
            ItemKind::Claim(claim) => self.text(&claim.text, claim.text_span, true),
            ItemKind::Function(function) => {
                self.known.extend(function.formals.iter().map(|formal| &*formal.name.text));
            }
            ItemKind::Test(test) => {
                for item in &test.body {
                    let TestItem::Binding(binding) = item else { continue };
                    self.unread(&binding.pattern);
                }
            }
            _ => {}
        }
        for expr in item.expressions() {
            self.expr(expr);
        }
    }

    fn expr(&mut self, expr: &'a Expr) {
        self.known.extend(expr.bound().into_iter().map(|name| &*name.text));
        match &*expr.kind {
            ExprKind::Str(text) => self.text(text, expr.span, false),
            ExprKind::Block(block) => {
                for binding in &block.bindings {
                    self.unread(&binding.pattern);
                }
            }
            ExprKind::Sweep { axes, .. } => {
                for axis in axes {
                    let Pattern::Name(name) = &axis.pattern else { continue };
                    let message = format!("the axis `{}` is never used: its rows are all the same", name.text);
                    let help = match &*name.text {
                        "seed" => "use it where randomness begins: `init(seed)`",
                        _ => "use it in the body, or leave the axis out",
                    };
                    self.report(name, message, help.to_owned());
                }
            }
            _ => {}
        }
        for part in expr.children() {
            self.expr(part);
        }
    }

    /// A `let` of a block. Parts of what is taken apart may well be left.
    fn unread(&mut self, pattern: &Pattern) {
        if let Pattern::Name(name) = pattern {
            let message = format!("`{}` is never used", name.text);
            self.report(name, message, format!("use it, or remove it; `_{}` says that this is meant", name.text));
        }
    }

    fn report(&mut self, name: &Name, message: String, help: String) {
        if self.locals.contains(&name.span) || name.text.starts_with('_') {
            return;
        }
        let warning = Diagnostic::warning(&names::UNUSED_NAME, message).label(name.span, "nothing reads it").help(help);
        self.found.push(warning);
    }

    /// A text in which a name stands in braces, as if its value would appear there.
    fn text(&mut self, text: &str, span: Span, sentence: bool) {
        let inner = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(inner, _)| inner);
        let name = |inner: &str| inner.split(['.', ':', '[']).next().unwrap_or_default().trim().to_owned();
        let Some(inner) = inner.into_iter().find(|inner| self.known.contains(name(inner).as_str())) else { return };
        let help = if sentence {
            format!("leave `{inner}` out: a sentence is the same in every run")
        } else {
            format!("give `{inner}` a field of its own, or make the texts an axis: `name in [\"…\", \"…\"]`")
        };
        self.found.push(
            Diagnostic::warning(
                &names::NAME_IN_TEXT,
                format!("a text is taken as it is written: `{inner}` has no value in it"),
            )
            .label(span, "no value appears here")
            .help(help),
        );
    }
}
