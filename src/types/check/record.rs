//! Records: as written, against a type, as layers, and as changes of another record.

use std::sync::Arc;

use super::super::ty::{Fields, Plain, Ty};
use super::Checker;
use super::field::fields_of;
use crate::diag::codes::{names, types as codes};
use crate::diag::{Diagnostic, foreign, suggest};
use crate::syntax::tree::{Entry, Expr, Name};

impl Checker<'_> {
    pub(super) fn record(&mut self, expr: &Expr, entries: &[Entry]) -> Ty {
        self.overwritten_by_spreads(expr, entries);
        let mut fields: Vec<(Arc<str>, Ty)> = Vec::new();
        let mut poisoned = false;
        for (at, entry) in entries.iter().enumerate() {
            match entry {
                Entry::Field(name, value) => self.set(&mut fields, name, value),
                Entry::Spread(base) => {
                    let ty = self.infer(base);
                    match self.solver.shallow(&ty) {
                        Ty::Record(base) => {
                            for (name, ty) in &base.0 {
                                match fields.iter_mut().find(|(field, _)| field == name) {
                                    Some(field) => field.1 = ty.clone(),
                                    None => fields.push((name.clone(), ty.clone())),
                                }
                            }
                        }
                        Ty::Plain(Plain::Recipe) => return self.recipe(at, entries),
                        Ty::Error | Ty::Var(_) => poisoned = true,
                        other => {
                            self.no_record(base, &other);
                            poisoned = true;
                        }
                    }
                }
            }
        }
        if poisoned { Ty::Error } else { Ty::Record(Arc::new(Fields(fields))) }
    }

    /// Reports fields that a spread behind them takes back: entries hold from left to right.
    fn overwritten_by_spreads(&mut self, expr: &Expr, entries: &[Entry]) {
        for (at, entry) in entries.iter().enumerate().skip(1) {
            let Entry::Spread(base) = entry else { continue };
            let ty = self.silent(base);
            let taken = |name: &str| match &ty {
                Ty::Record(fields) => fields.get(name).is_some(),
                other => other.is(Plain::Recipe),
            };
            let earlier = entries[..at].iter().find_map(|entry| match entry {
                Entry::Field(name, value) if taken(&name.text) => Some((name, name.span.to(value.span))),
                _ => None,
            });
            let Some((name, written)) = earlier else { continue };
            let text = self.source(base.span);
            let spread = |entry: &Entry| matches!(entry, Entry::Spread(_));
            let fields = entries.iter().filter(|entry| !spread(entry));
            let sorted = entries.iter().filter(|entry| spread(entry)).chain(fields).map(|entry| match entry {
                Entry::Field(name, value) => self.source(name.span.to(value.span)).to_owned(),
                Entry::Spread(base) => format!("..{}", self.source(base.span)),
            });
            let sorted = format!("{{ {} }}", sorted.collect::<Vec<_>>().join(", "));
            let diagnostic = Diagnostic::error(
                &names::DUPLICATE_NAME,
                format!("`..{text}` would overwrite `{}`, which stands before it", name.text),
            )
            .label(base.span, format!("has a `{}` of its own", name.text))
            .label(written, "given here");
            self.report(if self.source(expr.span).contains('\n') {
                diagnostic.help(format!("write `..{text}` first, and the fields that change after it"))
            } else {
                diagnostic.help(format!("write `{sorted}`")).fix(expr.span, sorted)
            });
            return;
        }
    }

    fn no_record(&mut self, base: &Expr, found: &Ty) {
        let found = self.settled(found);
        let shown = found.described();
        let text = self.brief(base);
        let fields: Vec<_> = fields_of(&found).into_iter().filter(|(_, ty)| ty.is_cell()).collect();
        let fields: Vec<_> = fields.iter().take(2).map(|(name, _)| format!("`{name}: {text}.{name}`")).collect();
        let help = if fields.is_empty() {
            format!("give the value a name in the record: write `value: {text}`")
        } else {
            format!("give the fields that are needed: {}", fields.join(", "))
        };
        self.report(
            Diagnostic::error(&codes::MISMATCH, format!("`..` takes the fields of a record, but this is {shown}"))
                .label(base.span, format!("this is {shown}"))
                .help(help),
        );
    }

    /// Adds a field, or changes one that a spread brought.
    fn set(&mut self, fields: &mut Vec<(Arc<str>, Ty)>, name: &Name, value: &Expr) {
        if let Some(ty) = fields.iter().find(|(field, _)| *field == name.text).map(|(_, ty)| ty.clone()) {
            self.check(value, &ty, &format!("`{}`", name.text));
        } else {
            let ty = self.infer(value);
            fields.push((name.text.clone(), ty));
        }
    }

    /// A changed recipe: its fields are the arguments of the optimisers. Which of them made it, evaluation knows.
    fn recipe(&mut self, base: usize, entries: &[Entry]) -> Ty {
        let mut formals: Vec<(Arc<str>, Ty)> = Vec::new();
        for optimizer in ["sgd", "adamw"] {
            let target = self.linked.lookup(self.module, optimizer);
            let Some(signature) = target.and_then(|target| self.signature(target)) else { return Ty::Error };
            for formal in &signature.formals {
                if formals.iter().all(|(name, _)| *name != formal.name) {
                    formals.push((formal.name.clone(), formal.ty.clone()));
                }
            }
        }
        for entry in &entries[base + 1..] {
            let Entry::Field(name, value) = entry else { continue };
            if let Some((_, ty)) = formals.iter().find(|(formal, _)| *formal == name.text) {
                self.check(value, ty, &format!("`{}` of a recipe", name.text));
            } else {
                self.infer(value);
                let names: Vec<_> = formals.iter().map(|(name, _)| &**name).collect();
                self.unknown_field(name, "a recipe", &names);
            }
        }
        Plain::Recipe.into()
    }

    /// A record where one of a known type is wanted: literals follow the fields' types.
    pub(super) fn record_against(&mut self, expr: &Expr, entries: &[Entry], want: &Arc<Fields>, what: &str) -> Ty {
        let plain: Option<Vec<(&Name, &Expr)>> = entries
            .iter()
            .map(|entry| match entry {
                Entry::Field(name, value) => Some((name, value)),
                Entry::Spread(_) => None,
            })
            .collect();
        let complete = |given: &[(&Name, &Expr)]| {
            given.len() == want.0.len() && given.iter().all(|(name, _)| want.get(&name.text).is_some())
        };
        match plain {
            Some(given) if complete(&given) => {
                for (name, value) in given {
                    if let Some(ty) = want.get(&name.text) {
                        self.check(value, ty, &format!("`{}` of {what}", name.text));
                    }
                }
                Ty::Record(want.clone())
            }
            _ => {
                let found = self.record(expr, entries);
                self.fit(expr, &found, &Ty::Record(want.clone()), what)
            }
        }
    }

    /// A record of layers: each field is a layer or layers again.
    pub(super) fn layers(&mut self, entries: &[Entry]) -> Ty {
        let layers = Ty::from(Plain::Layers);
        for entry in entries {
            match entry {
                Entry::Field(name, value) => self.check(value, &layers, &format!("the layer `{}`", name.text)),
                Entry::Spread(base) => self.check(base, &layers, "what `..` takes apart"),
            };
        }
        layers
    }

    /// Reports a field that is not there.
    pub(super) fn unknown_field(&mut self, field: &Name, owner: &str, known: &[&str]) {
        let message = format!("{owner} has no field `{}`", field.text);
        let help = match suggest::question(&field.text, known.iter().copied()) {
            Some(question) => Some(question),
            None if known.is_empty() => None,
            None if owner == "a state"
                && (matches!(&*field.text, "top1" | "top5" | "loss")
                    || foreign::synonyms(&field.text).contains(&"top1")) =>
            {
                Some("measure it: write `evaluate(…, task.test).top1`".to_owned())
            }
            None if foreign::synonyms(&field.text).iter().any(|name| known.contains(name)) => {
                let name = foreign::synonyms(&field.text).iter().find(|name| known.contains(*name));
                name.map(|name| format!("write `{name}`"))
            }
            None => {
                let list: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                Some(format!("it has {}", list.join(", ")))
            }
        };
        let diagnostic = Diagnostic::error(&codes::UNKNOWN_FIELD, message).label(field.span, "no such field");
        self.report(match help {
            Some(help) => diagnostic.help(help).in_place_of(field.span),
            None => diagnostic,
        });
    }
}
