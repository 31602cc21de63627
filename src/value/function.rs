//! Functions and the names they close over.

use std::sync::Arc;

use super::Value;
use crate::resolve::ModuleId;
use crate::syntax::tree;

/// Something to call.
#[derive(Clone, Debug)]
pub enum Function {
    /// A lambda with its surroundings.
    Closure(Arc<Closure>),
    /// A function with a body.
    Declared(Arc<tree::Function>, ModuleId),
    /// A function of the interpreter.
    Native(Arc<Native>),
    /// `.name`: the function from a record to its field.
    Accessor(Arc<str>),
}

/// A lambda with its surroundings.
#[derive(Debug)]
pub struct Closure {
    /// The lambda.
    pub lambda: Arc<tree::Lambda>,
    /// Local names it can see.
    pub env: Env,
    /// The module it is written in.
    pub module: ModuleId,
}

/// A function of the interpreter and how it is declared.
#[derive(Debug)]
pub struct Native {
    /// What carries it out.
    pub kind: NativeKind,
    /// Its name, formal parameters and defaults.
    pub declaration: Arc<tree::Function>,
    /// The module that declares it.
    pub module: ModuleId,
}

/// What carries a native function out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeKind {
    /// Index among the built-in functions.
    Builtin(usize),
    /// Index among the stages.
    Stage(usize),
}

/// Local names, innermost first.
#[derive(Clone, Debug, Default)]
pub struct Env(Option<Arc<Frame>>);

#[derive(Debug)]
struct Frame {
    name: Arc<str>,
    value: Value,
    next: Env,
}

impl Env {
    /// Returns these names and one more, which hides an equal one.
    #[must_use]
    pub fn bind(&self, name: Arc<str>, value: Value) -> Self {
        Self(Some(Arc::new(Frame { name, value, next: self.clone() })))
    }

    /// Finds a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut at = self;
        while let Some(frame) = &at.0 {
            if &*frame.name == name {
                return Some(&frame.value);
            }
            at = &frame.next;
        }
        None
    }
}
