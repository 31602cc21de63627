//! Expressions.

use super::doc::{Doc, breaks, concat, fence, group, nest, text};
use super::{Lines, Printer, pattern};
use crate::source::Span;
use crate::syntax::tree::{Arg, Axis, BinaryOp, Block, Entry, Expr, ExprKind, Lambda, UnaryOp};

impl Printer<'_> {
    /// Prints an expression, after the comments before it that found no better place.
    pub(super) fn expr(&mut self, expr: &Expr) -> Doc {
        let comments = self.comments.take_before(expr.span.start as usize);
        let doc = self.bare(expr);
        if comments.is_empty() { doc } else { concat([self.comments.lines(&comments), doc]) }
    }

    fn bare(&mut self, expr: &Expr) -> Doc {
        let (start, end) = (expr.span.start as usize, expr.span.end as usize);
        match &*expr.kind {
            ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Quantity(..)
            | ExprKind::Str(_)
            | ExprKind::Name(_)
            | ExprKind::Accessor(_)
            | ExprKind::Error => self.slice(expr.span),
            ExprKind::List(members) => self.members(("[", "]"), (start + 1, end - 1), members),
            ExprKind::Tuple(members) => match members.as_slice() {
                [only] => concat([text("("), self.expr(only), text(",)")]),
                members => self.members(("(", ")"), (start + 1, end - 1), members),
            },
            ExprKind::Record(entries) => {
                let entries = entries.iter().map(|entry| (self.entry_span(entry), entry)).collect();
                self.list(("{", "}"), true, (start + 1, end - 1), entries, Self::entry)
            }
            ExprKind::Block(block) => {
                let forced = self.forces(block, expr.span);
                self.block(block, expr.span, forced)
            }
            ExprKind::Paren(inner) => concat([text("("), nest(self.expr(inner)), text(")")]),
            ExprKind::Field(object, name) => concat([self.expr(object), text(format!(".{}", name.text))]),
            ExprKind::Index(object, index) => concat([self.expr(object), text("["), self.expr(index), text("]")]),
            ExprKind::Call(function, args) => self.call(function, args, end),
            ExprKind::Pipe(..) => self.pipes(expr),
            ExprKind::Unary(UnaryOp::Negate, operand) => concat([text("-"), self.expr(operand)]),
            ExprKind::Unary(UnaryOp::Not, operand) => concat([text("not "), self.expr(operand)]),
            ExprKind::Binary { op, .. } => self.binaries(expr, *op),
            ExprKind::Range { start, end, inclusive } => {
                concat([self.expr(start), text(if *inclusive { "..=" } else { ".." }), self.expr(end)])
            }
            ExprKind::Lambda(lambda) => self.lambda(lambda),
            ExprKind::If { condition, then, otherwise } => self.branches(condition, then, otherwise),
            ExprKind::For { pattern: names, over, condition, body } => {
                let head = concat([text(format!("for {} in ", pattern(names))), self.expr(over)]);
                let filter = self.filter(condition.as_ref());
                concat([head, filter, text(" "), self.expr(body)])
            }
            ExprKind::Sweep { axes, condition, body } => {
                let axes = self.axes(axes);
                let filter = self.filter(condition.as_ref());
                concat([text("sweep "), axes, filter, text(" "), self.expr(body)])
            }
        }
    }

    fn members(&mut self, brackets: (&'static str, &'static str), inside: (usize, usize), members: &[Expr]) -> Doc {
        if let [only] = members
            && hugs(only)
            && !self.comments.wait_before(only.span.start as usize)
            && !self.comments.stand_in(only.span.end as usize, inside.1)
        {
            return concat([text(brackets.0), self.expr(only), text(brackets.1)]);
        }
        let members = members.iter().map(|member| (member.span, member)).collect();
        self.list(brackets, false, inside, members, Self::expr)
    }

    fn call(&mut self, function: &Expr, args: &[Arg], end: usize) -> Doc {
        let open = function.span.end as usize + 1;
        let function = self.expr(function);
        let args = match args {
            [Arg { label: None, value }] => self.members(("(", ")"), (open, end - 1), std::slice::from_ref(value)),
            args => {
                let args = args.iter().map(|arg| (arg_span(arg), arg)).collect();
                self.list(("(", ")"), false, (open, end - 1), args, |printer, arg: &Arg| match &arg.label {
                    Some(label) => concat([text(format!("{}: ", label.text)), printer.expr(&arg.value)]),
                    None => printer.expr(&arg.value),
                })
            }
        };
        concat([function, args])
    }

    fn entry_span(&self, entry: &Entry) -> Span {
        match entry {
            Entry::Field(name, value) => name.span.to(value.span),
            Entry::Spread(value) => Span { start: self.word_before(value.span, ".."), ..value.span },
        }
    }

    fn entry(&mut self, entry: &Entry) -> Doc {
        match entry {
            Entry::Field(name, value) => concat([text(format!("{}: ", name.text)), self.expr(value)]),
            Entry::Spread(value) => concat([text(".."), self.expr(value)]),
        }
    }

    /// Whether a block cannot stand on one line, or its author did not want it to.
    fn forces(&self, block: &Block, span: Span) -> bool {
        let (start, value) = (span.start as usize + 1, block.value.span.start as usize);
        !block.bindings.is_empty() || self.newlines_between(start, value) > 0
    }

    fn block(&mut self, block: &Block, span: Span, forced: bool) -> Doc {
        let mut lines = Lines { doc: Vec::new(), end: None };
        for binding in &block.bindings {
            let span = self.binding_span(binding);
            self.line(&mut lines, span, false, |printer| printer.binding(binding));
        }
        self.line(&mut lines, block.value.span, false, |printer| printer.expr(&block.value));
        self.own_comments(&mut lines, span.end as usize, false);
        let line = if forced { Doc::HardLine } else { Doc::Line };
        let body = concat([text("{"), nest(concat([line.clone(), Doc::Concat(lines.doc)])), line, text("}")]);
        if forced { fence(body) } else { group(body) }
    }

    fn branches(&mut self, condition: &Expr, then: &Expr, otherwise: &Expr) -> Doc {
        let mut forced = false;
        let mut rest = Some((then, otherwise));
        while let Some((then, otherwise)) = rest {
            forced |= self.forces_branch(then);
            rest = if let ExprKind::If { then, otherwise, .. } = &*otherwise.kind {
                Some((then, otherwise))
            } else {
                forced |= self.forces_branch(otherwise);
                None
            };
        }
        let doc = self.branch(condition, then, otherwise, forced);
        if forced { fence(doc) } else { group(doc) }
    }

    fn branch(&mut self, condition: &Expr, then: &Expr, otherwise: &Expr, forced: bool) -> Doc {
        let head = concat([text("if "), self.expr(condition), text(" ")]);
        let then = self.branch_block(then, forced);
        let otherwise = match &*otherwise.kind {
            ExprKind::If { condition, then, otherwise } => self.branch(condition, then, otherwise, forced),
            _ => self.branch_block(otherwise, forced),
        };
        concat([head, then, text(" else "), otherwise])
    }

    fn forces_branch(&self, branch: &Expr) -> bool {
        match &*branch.kind {
            ExprKind::Block(block) => self.forces(block, branch.span),
            _ => false,
        }
    }

    /// A block of an `if`: all of them break together.
    fn branch_block(&mut self, branch: &Expr, forced: bool) -> Doc {
        match &*branch.kind {
            ExprKind::Block(block) => match self.block(block, branch.span, forced) {
                Doc::Group(body, _) => *body,
                doc => doc,
            },
            _ => self.expr(branch),
        }
    }

    fn lambda(&mut self, lambda: &Lambda) -> Doc {
        let names: Vec<&str> = lambda.params.iter().map(|name| &*name.text).collect();
        let head = match names.as_slice() {
            [only] => format!("{only} => "),
            names => format!("({}) => ", names.join(", ")),
        };
        concat([text(head), self.expr(&lambda.body)])
    }

    fn filter(&mut self, condition: Option<&Expr>) -> Doc {
        match condition {
            Some(condition) => concat([text(" if "), self.expr(condition)]),
            None => concat([]),
        }
    }

    fn axes(&mut self, axes: &[Axis]) -> Doc {
        let mut parts = Vec::new();
        let mut end = None;
        for axis in axes {
            if let Some(end) = end {
                let broken = self.newlines_between(end, axis.pattern.span().start as usize) > 0;
                parts.extend([text(","), if broken { Doc::HardLine } else { Doc::Line }]);
            }
            parts.push(text(format!("{} in ", pattern(&axis.pattern))));
            parts.push(self.expr(&axis.over));
            end = Some(axis.over.span.end as usize);
        }
        let doc = nest(nest(Doc::Concat(parts)));
        if breaks(&doc) { fence(doc) } else { group(doc) }
    }

    /// A chain of `|>`: on one line, or each stage on its own.
    fn pipes(&mut self, expr: &Expr) -> Doc {
        let mut stages = Vec::new();
        let mut head = expr;
        while let ExprKind::Pipe(left, right) = &*head.kind {
            stages.push((text("|> "), right, left.span.end as usize));
            head = left;
        }
        stages.reverse();
        self.chain(head, stages)
    }

    /// A chain of operators of one level.
    fn binaries(&mut self, expr: &Expr, op: BinaryOp) -> Doc {
        let mut steps = Vec::new();
        let mut head = expr;
        while let ExprKind::Binary { op: other, left, right, .. } = &*head.kind {
            if level(*other) != level(op) || (op == BinaryOp::Power && !steps.is_empty()) {
                break;
            }
            steps.push((text(format!("{} ", other.symbol())), right, left.span.end as usize));
            head = left;
        }
        steps.reverse();
        self.chain(head, steps)
    }

    fn chain(&mut self, head: &Expr, steps: Vec<(Doc, &Expr, usize)>) -> Doc {
        let broken = steps.iter().any(|(_, step, before)| self.newlines_between(*before, step.span.start as usize) > 0);
        let mut parts = vec![self.expr(head)];
        let mut tail = Vec::new();
        for (operator, step, before) in steps {
            if let Some(comment) = self.comments.take_trailing(before, "") {
                tail.push(self.comments.suffix(&comment));
            }
            let comments = self.comments.take_before(step.span.start as usize);
            tail.push(if broken { Doc::HardLine } else { Doc::Line });
            tail.push(self.comments.lines(&comments));
            tail.push(operator);
            tail.push(self.expr(step));
        }
        parts.push(nest(Doc::Concat(tail)));
        let doc = Doc::Concat(parts);
        if broken { fence(doc) } else { group(doc) }
    }
}

/// Operators of one level stand in one chain.
fn level(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 0,
        BinaryOp::And => 1,
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterEqual => 2,
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Concat => 3,
        BinaryOp::Multiply | BinaryOp::Divide => 4,
        BinaryOp::Power => 5,
    }
}

/// Whether an only argument shares its line with the brackets around it.
fn hugs(expr: &Expr) -> bool {
    matches!(&*expr.kind, ExprKind::Record(_) | ExprKind::List(_) | ExprKind::Block(_) | ExprKind::Lambda(_))
}

fn arg_span(arg: &Arg) -> Span {
    arg.label.as_ref().map_or(arg.value.span, |label| label.span.to(arg.value.span))
}
