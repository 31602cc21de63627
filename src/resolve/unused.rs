//! What a program says without effect: axes, values and parameters that nothing reads, names inside of texts.

use std::collections::BTreeSet;

use super::{Linked, ModuleId, Referent, Target};
use crate::diag::{Diagnostic, codes::names};
use crate::source::Span;
use crate::syntax::tree::{Expr, ExprKind, Item, ItemKind, Name, Pattern, TestItem};

/// Warns of what has no effect in a module without errors.
pub(super) fn warnings(linked: &Linked, module: ModuleId) -> Vec<Diagnostic> {
    let here = linked.module(module);
    let items = &here.file.items;
    let mut walk = Walk { locals: Vec::new(), items: vec![false; items.len()], braces: Vec::new(), found: Vec::new() };
    for used in &here.uses {
        match used.referent {
            Referent::Local(span) => walk.locals.push(span),
            Referent::Global(Target::Item { module: owner, item }) if owner == module => walk.items[item] = true,
            _ => {}
        }
    }
    walk.locals.sort_unstable();
    // Parameters of an imported file are set by nobody, and a file without results is a beginning or a library.
    let shows = |item: &Item| {
        matches!(item.kind, ItemKind::Table(_) | ItemKind::Plot(_) | ItemKind::Claim(_) | ItemKind::Expect(_))
    };
    if module != linked.root || !items.iter().any(shows) {
        walk.items.fill(true);
    }
    for (nth, item) in items.iter().enumerate() {
        walk.item(nth, item);
    }
    if !walk.braces.is_empty() {
        let known = names_of(linked, module);
        walk.found.extend(walk.braces.iter().filter_map(|text| text.warning(&known)));
    }
    walk.found
}

/// Every name that is defined or bound anywhere in a module.
fn names_of(linked: &Linked, module: ModuleId) -> BTreeSet<&str> {
    let here = linked.module(module);
    let mut names: BTreeSet<&str> = here.definitions.keys().map(|name| &**name).collect();
    for item in &here.file.items {
        if let ItemKind::Function(function) = &item.kind {
            names.extend(function.formals.iter().map(|formal| &*formal.name.text));
        }
        let mut parts = item.expressions();
        while let Some(expr) = parts.pop() {
            names.extend(expr.bound().into_iter().map(|name| &*name.text));
            parts.extend(expr.children());
        }
    }
    names
}

/// A text with braces in it.
struct Braced<'a> {
    text: &'a str,
    span: Span,
    /// Whether it is the sentence of a claim.
    sentence: bool,
}

impl Braced<'_> {
    /// Warns if a name stands in the braces, as if its value would appear there.
    fn warning(&self, known: &BTreeSet<&str>) -> Option<Diagnostic> {
        let name = |inner: &str| known.contains(inner.split(['.', ':', '[']).next().unwrap_or_default().trim());
        let inner =
            self.text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).find(|it| name(it))?;
        let help = if self.sentence {
            format!("leave `{inner}` out: a sentence is the same in every run")
        } else {
            format!("give `{inner}` a field of its own, or make the texts an axis: `name in [\"…\", \"…\"]`")
        };
        let message = format!("a text is taken as it is written: `{inner}` has no value in it");
        let warning = Diagnostic::warning(&names::NAME_IN_TEXT, message);
        Some(warning.label(self.span, "no value appears here").help(help))
    }
}

struct Walk<'a> {
    /// Local names that are read somewhere, by their places, in order.
    locals: Vec<Span>,
    /// Whether each item is read somewhere.
    items: Vec<bool>,
    braces: Vec<Braced<'a>>,
    found: Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    fn item(&mut self, nth: usize, item: &'a Item) {
        match &item.kind {
            ItemKind::Param(param) if !self.items[nth] => {
                let name = &param.name.text;
                let help = format!("use it, or remove it: `--set {name}=…` changes nothing");
                self.report(&param.name, format!("the parameter `{name}` is never used"), help);
            }
            ItemKind::Claim(claim) => self.text(&claim.text, claim.text_span, true),
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
                    if self.reads(name) {
                        continue;
                    }
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
        if let Pattern::Name(name) = pattern
            && !self.reads(name)
        {
            let message = format!("`{}` is never used", name.text);
            self.report(name, message, format!("use it, or remove it; `_{}` says that this is meant", name.text));
        }
    }

    /// Whether a local name is read, or says that it need not be.
    fn reads(&self, name: &Name) -> bool {
        name.text.starts_with('_') || self.locals.binary_search(&name.span).is_ok()
    }

    fn report(&mut self, name: &Name, message: String, help: String) {
        let warning = Diagnostic::warning(&names::UNUSED_NAME, message).label(name.span, "nothing reads it").help(help);
        self.found.push(warning);
    }

    fn text(&mut self, text: &'a str, span: Span, sentence: bool) {
        if text.contains('{') {
            self.braces.push(Braced { text, span, sentence });
        }
    }
}
