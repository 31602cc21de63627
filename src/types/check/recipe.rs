//! Recipes that are written as records of settings, as configuration files have them.

use super::super::signature::Formal;
use super::Checker;
use crate::diag::foreign;
use crate::syntax::tree::{Entry, Expr, ExprKind};

impl Checker<'_> {
    /// An optimiser with the settings of a record, whose values are known if the record is written here or has a name.
    pub(super) fn as_recipe(&mut self, expr: &Expr, names: &[&str]) -> String {
        let defined = self.defined(expr);
        let entries = match &*defined.map_or(expr, |(_, value)| value).kind {
            ExprKind::Record(entries) => entries.as_slice(),
            _ => &[],
        };
        let settings: Vec<(&str, &str)> = entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Field(field, value) => Some((&*field.text, self.brief(value))),
                Entry::Spread(_) => None,
            })
            .collect();
        let value = |name: &str| settings.iter().find(|(known, _)| *known == name).map_or("…", |(_, value)| *value);
        let adam = names.iter().any(|name| value(name).to_ascii_lowercase().contains("adam"));
        let optimiser = if adam { "adamw" } else { "sgd" };
        let written = |formal: &Formal| {
            let fits = |name: &&&str| {
                ***name == *formal.name || foreign::synonyms(name).first().is_some_and(|known| **known == *formal.name)
            };
            match names.iter().find(fits) {
                Some(name) => Some(format!("{}: {}", formal.name, value(name))),
                None if formal.optional => None,
                None => Some(format!("{}: …", formal.name)),
            }
        };
        let signature = self.linked.lookup(self.module, optimiser).and_then(|target| self.signature(target));
        let args = signature.map_or_else(Vec::new, |known| known.formals.iter().filter_map(written).collect());
        let call = format!("{optimiser}({})", args.join(", "));
        match defined {
            Some((name, _)) => format!("a recipe is made by an optimiser: write `let {name} = {call}` there"),
            None => format!("a recipe is made by an optimiser: write `{call}`"),
        }
    }
}
