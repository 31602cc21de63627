//! Values for parameters from the command line and from profiles.

use std::sync::Arc;

use crate::diag::Checked;
use crate::source::{Sources, Span};
use crate::syntax::{self, tree::Expr};

/// Parameters that are set from outside; later settings win.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    settings: Vec<Setting>,
}

/// One parameter that is set from outside.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Name of the parameter.
    pub name: Arc<str>,
    /// Its value.
    pub value: Expr,
    /// Where it is set: in a profile, or in the text of the option.
    pub span: Span,
}

impl Overrides {
    /// Adds a setting from the text of an expression, which becomes a source of its own. `span` is the place in a
    /// profile, if the setting comes from one.
    ///
    /// # Errors
    /// Every syntax error of the expression.
    pub fn add(&mut self, sources: &mut Sources, name: &str, text: &str, span: Option<Span>) -> Checked<()> {
        let origin = if span.is_some() { format!("params: {name}") } else { format!("--set {name}") };
        let file = sources.add(origin, None, text);
        let value = syntax::parse_expression(file, text)?;
        let span = span.unwrap_or_else(|| Span::new(file, 0, text.len()));
        self.settings.push(Setting { name: name.into(), value, span });
        Ok(())
    }

    /// Finds the setting that holds for a parameter.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().rev().find(|setting| &*setting.name == name)
    }

    /// Returns all settings in order.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter()
    }
}
