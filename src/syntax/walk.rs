//! Ways through the tree for those who look for a place in it.

use super::tree::{Arg, Axis, Binding, Entry, Expr, ExprKind, Formal, Item, ItemKind, Name, TestItem, Type};

impl Expr {
    /// Returns the expressions that it is made of, in order of places.
    pub fn children(&self) -> Vec<&Expr> {
        match &*self.kind {
            ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Quantity(..)
            | ExprKind::Str(_)
            | ExprKind::Name(_)
            | ExprKind::Accessor(_)
            | ExprKind::Error => Vec::new(),
            ExprKind::List(parts) | ExprKind::Tuple(parts) => parts.iter().collect(),
            ExprKind::Record(entries) => entries.iter().map(Entry::value).collect(),
            ExprKind::Block(block) => {
                block.bindings.iter().map(|binding| &binding.value).chain([&block.value]).collect()
            }
            ExprKind::Paren(inner) | ExprKind::Field(inner, _) | ExprKind::Unary(_, inner) => vec![inner],
            ExprKind::Index(left, right) | ExprKind::Pipe(left, right) | ExprKind::Binary { left, right, .. } => {
                vec![left, right]
            }
            ExprKind::Call(callee, args) => {
                [callee].into_iter().chain(args.iter().map(|arg: &Arg| &arg.value)).collect()
            }
            ExprKind::Range { start, end, .. } => vec![start, end],
            ExprKind::Lambda(lambda) => vec![&lambda.body],
            ExprKind::If { condition, then, otherwise } => vec![condition, then, otherwise],
            ExprKind::For { over, condition, body, .. } => [over].into_iter().chain(condition).chain([body]).collect(),
            ExprKind::Sweep { axes, condition, body } => {
                axes.iter().map(|axis: &Axis| &axis.over).chain(condition).chain([body]).collect()
            }
        }
    }
}

impl Expr {
    /// Returns the names that it binds for its parts.
    pub fn bound(&self) -> Vec<&Name> {
        match &*self.kind {
            ExprKind::Block(block) => block.bindings.iter().flat_map(|binding| binding.pattern.names()).collect(),
            ExprKind::Lambda(lambda) => lambda.params.iter().collect(),
            ExprKind::For { pattern, .. } => pattern.names().iter().collect(),
            ExprKind::Sweep { axes, .. } => axes.iter().flat_map(|axis| axis.pattern.names()).collect(),
            _ => Vec::new(),
        }
    }
}

impl Entry {
    /// Returns the value of a field, or what is spread.
    pub fn value(&self) -> &Expr {
        match self {
            Self::Field(_, value) | Self::Spread(value) => value,
        }
    }
}

impl Item {
    /// Tells whether a name stands anywhere in its expressions.
    pub fn mentions(&self, name: &str) -> bool {
        let mut parts = self.expressions();
        while let Some(expr) = parts.pop() {
            if matches!(&*expr.kind, ExprKind::Name(read) if **read == *name) {
                return true;
            }
            parts.extend(expr.children());
        }
        false
    }

    /// Returns the outermost expressions of an item, in order of places.
    pub fn expressions(&self) -> Vec<&Expr> {
        match &self.kind {
            ItemKind::Import(_) => Vec::new(),
            ItemKind::Param(param) => param.default.iter().chain(&param.condition).collect(),
            ItemKind::Binding(binding) => vec![&binding.value],
            ItemKind::Function(function) => {
                let defaults = function.formals.iter().filter_map(|formal: &Formal| formal.default.as_ref());
                defaults.chain(&function.body).collect()
            }
            ItemKind::Table(output) | ItemKind::Plot(output) => vec![&output.value],
            ItemKind::Claim(claim) => vec![&claim.value],
            ItemKind::Expect(condition) => vec![condition],
            ItemKind::Test(test) => test
                .body
                .iter()
                .map(|item| match item {
                    TestItem::Binding(binding) => &binding.value,
                    TestItem::Expect(condition) => condition,
                })
                .collect(),
        }
    }

    /// Returns the types that are written at an item's own names; those inside blocks are found with their bindings.
    pub fn types(&self) -> Vec<&Type> {
        match &self.kind {
            ItemKind::Param(param) => vec![&param.ty],
            ItemKind::Binding(Binding { ty, .. }) => ty.iter().collect(),
            ItemKind::Function(function) => {
                function.formals.iter().filter_map(|formal| formal.ty.as_ref()).chain(&function.result).collect()
            }
            _ => Vec::new(),
        }
    }
}
