//! Reports about types that do not fit, and what to do about each.

use super::super::ty::{Plain, Ty};
use super::Checker;
use super::binary::is_comparison;
use crate::diag::{Diagnostic, codes::types as codes};
use crate::syntax::tree::{BinaryOp, Exact, Expr, ExprKind, UnaryOp, Unit};

impl Checker<'_> {
    /// Reports that `what` must have another type.
    pub(super) fn mismatch(&mut self, expr: &Expr, found: &Ty, want: &Ty, what: &str) {
        let (found, want) = (self.settled(found), self.settled(want));
        if let Ty::Measured(inner) = &found
            && would_fit(inner, &want)
        {
            return self.measured(expr, &want, what);
        }
        let units = found.is_number() && (want.is_number() || want.is(Plain::Margin) || want.is(Plain::Schedule));
        let code = if units { &codes::UNIT } else { &codes::MISMATCH };
        let shown = found.described();
        let diagnostic = Diagnostic::error(code, format!("{what} must be {}, but this is {shown}", want.described()))
            .label(expr.span, format!("this is {shown}"));
        let advice = self.advice(expr, &found, &want).or_else(|| typical(&want).map(ToOwned::to_owned));
        self.report(match advice {
            Some(help) => diagnostic.help(help).in_place_of(expr.span),
            None => diagnostic,
        });
    }

    /// Reports a text that stands for something else, if it does.
    pub(super) fn quoted(&mut self, expr: &Expr, text: &str, want: &Ty, what: &str) -> bool {
        let name = is_name(text);
        let column = |ty: &Ty| matches!(ty, Ty::Column(_));
        let (thing, right) = match want {
            Ty::Column(_) if name => ("a column is written with a dot", format!(".{text}")),
            Ty::List(element) if column(element) && name => ("columns are written with a dot", format!("[.{text}]")),
            Ty::List(element) if element.is(Plain::Statistic) && self.is_statistic(text) => {
                ("statistics are a list of names", format!("[{text}]"))
            }
            Ty::Plain(Plain::Statistic) if self.is_statistic(text) => ("a statistic is a name", text.to_owned()),
            Ty::Plain(Plain::Statistic) => {
                ("a statistic is a name", ["mean", "ci95"][usize::from(text.starts_with('c'))].to_owned())
            }
            Ty::Plain(Plain::Str) | Ty::Var(_) | Ty::Error | Ty::Generic(_) => return false,
            other
                if is_quantity(text) && (other.is_number() || other.is(Plain::Margin) || other.is(Plain::Schedule)) =>
            {
                ("a number stands without quotes", text.to_owned())
            }
            Ty::Plain(Plain::Bool) if matches!(text, "true" | "false") => {
                ("a truth value stands without quotes", text.to_owned())
            }
            Ty::Plain(_) if name && self.local(text).is_none() && self.linked.lookup(self.module, text).is_some() => {
                ("a name stands without quotes", text.to_owned())
            }
            _ => return false,
        };
        self.report(
            Diagnostic::error(&codes::QUOTED, format!("{what} is no text: {thing}"))
                .label(expr.span, "a text")
                .help(format!("write `{right}`")),
        );
        true
    }

    fn measured(&mut self, expr: &Expr, want: &Ty, what: &str) {
        let help = if want.is(Plain::Bool) {
            "write `select(condition, then: …, else: …)`, or `iterate(…, until: s => condition)` for rounds"
        } else {
            "use something known before the run (`sparsity`, `round`), or show the measurement in a table or plot"
        };
        self.report(
            Diagnostic::error(&codes::MEASURED, format!("{what} must be known before the run"))
                .label(expr.span, "measured: exists only after the run")
                .help(help),
        );
    }

    /// What to write instead.
    fn advice(&mut self, expr: &Expr, found: &Ty, want: &Ty) -> Option<String> {
        let text = self.source(expr.span);
        match (found, want) {
            (Ty::Function(params, result), _) if *want == **result || makes_layer(result, want) => {
                let dots = if params.is_empty() { "" } else { "…" };
                Some(format!("call it: `{text}({dots})`"))
            }
            (Ty::Plain(Plain::Task), Ty::Split(_)) => Some(format!("write `{text}.test`, or `{text}.val` for choices")),
            (Ty::List(element), want) if same(element, want) => {
                let short = if text.len() <= 40 && !text.contains('\n') { text } else { "…" };
                Some(format!("take one of them, `last({short})`, or go through them with `for s in {short} {{ … }}`"))
            }
            (Ty::Function(..), Ty::Column(_)) if is_name(text) => Some(format!("a column has a dot: write `.{text}`")),
            (Ty::Record(fields), Ty::Plain(Plain::Recipe)) => {
                let names: Vec<_> = fields.names().map(|name| format!("{name}: …")).collect();
                Some(format!("a recipe is made by an optimiser: write `sgd({})`", names.join(", ")))
            }
            (Ty::Rows(_), Ty::Column(_)) => Some(format!("take a column of it: write `{text}.top1`")),
            (Ty::Measured(inner), Ty::Plain(Plain::Verdict)) if inner.is(Plain::Bool) => Some(
                "state it as `expect …`, or compare over seeds with `not_worse`, `equivalent` or `differs`".to_owned(),
            ),
            (Ty::Plain(Plain::Bool), Ty::Plain(Plain::Verdict)) => Some("state it as `expect …`".to_owned()),
            (Ty::Plain(Plain::Verdict), Ty::Plain(Plain::Bool)) => {
                Some(format!("write `claim name \"what it says\" = {}`", if text.contains('\n') { "…" } else { text }))
            }
            (Ty::Record(fields), want) if want.is_number() && fields.get("top1").is_some() => {
                Some("take a field of it: write `….top1`".to_owned())
            }
            (Ty::Plain(Plain::Table), Ty::Plain(Plain::Plot)) => Some("write `table` instead of `plot`".to_owned()),
            (Ty::Plain(Plain::Plot), Ty::Plain(Plain::Table)) => Some("write `plot` instead of `table`".to_owned()),
            (Ty::List(_), Ty::Rows(_) | Ty::Plain(Plain::Table)) => {
                Some("make rows with `sweep` instead of `for`".to_owned())
            }
            (Ty::Rows(_), Ty::Plain(Plain::Plot)) => Some("write `line(…, x: .…, y: .…)` around it".to_owned()),
            (Ty::Column(_), Ty::Plain(Plain::Bool | Plain::Float)) => {
                Some(format!("take a mean of it: `mean({text}, over: .seed)`"))
            }
            (Ty::Record(found), Ty::Record(want)) => {
                let absent: Vec<_> = want.names().filter(|name| found.get(name).is_none()).map(quoted).collect();
                let extra: Vec<_> = found.names().filter(|name| want.get(name).is_none()).map(quoted).collect();
                match (absent.as_slice(), extra.as_slice()) {
                    ([], []) => None,
                    ([], extra) => Some(format!("leave out {}", extra.join(", "))),
                    (absent, _) => Some(format!("add {}", absent.join(", "))),
                }
            }
            (Ty::Plain(from), Ty::Plain(to)) => conversion(expr, text, *from, *to),
            (element, Ty::List(wanted)) if element == &**wanted => Some(format!("write `[{text}]`")),
            _ => None,
        }
    }

    /// What to write instead of an operation that does not exist.
    pub(super) fn operand_advice(
        &mut self,
        op: BinaryOp,
        (left, left_expr): (&Ty, &Expr),
        (right, right_expr): (&Ty, &Expr),
    ) -> Option<String> {
        let (left_text, right_text) = (self.source(left_expr.span), self.source(right_expr.span));
        for (ty, text) in [(left, left_text), (right, right_text)] {
            if let Ty::Record(fields) = ty
                && let Some(field) = ["top1"].into_iter().find(|name| fields.get(name).is_some())
            {
                let text = if text.len() <= 50 && !text.contains('\n') { text } else { "…" };
                return Some(format!("take a field of it: write `{text}.{field}`"));
            }
        }
        let short =
            |text: &'_ str| if text.len() <= 40 && !text.contains('\n') { text.to_owned() } else { "…".to_owned() };
        match (left, right) {
            (Ty::Column(_), Ty::Column(_)) if is_comparison(op) => {
                let (a, b) = (short(left_text), short(right_text));
                return Some(format!(
                    "compare over seeds: write `not_worse({a}, than: {b}, margin: 2pp, over: .seed)`"
                ));
            }
            (Ty::Column(_), _) => {
                return Some(format!("take a mean first: write `mean({}, over: .seed)`", short(left_text)));
            }
            (_, Ty::Column(_)) => {
                return Some(format!("take a mean first: write `mean({}, over: .seed)`", short(right_text)));
            }
            _ => {}
        }
        if matches!((left, right), (Ty::List(_), Ty::List(_))) && op == BinaryOp::Add {
            return Some("lists are joined by `++`: write `++`".to_owned());
        }
        if matches!(op, BinaryOp::Add | BinaryOp::Concat) && (left.is(Plain::Str) || right.is(Plain::Str)) {
            return Some(match (&*left_expr.kind, &*right_expr.kind) {
                (ExprKind::Str(a), ExprKind::Str(b)) => format!("texts are not joined: write `\"{a}{b}\"`"),
                _ => "texts are not built from parts: give each value a field of its own".to_owned(),
            });
        }
        if let (Ty::List(_), BinaryOp::Multiply) = (left, op) {
            return Some(format!("a list is built with `for`: write `for i in 0..{} {{ … }}`", short(right_text)));
        }
        if left.is(Plain::Str) && !is_comparison(op) {
            return Some("texts are not built from parts: give each value a field of its own".to_owned());
        }
        let (Ty::Plain(a), Ty::Plain(b)) = (left, right) else {
            let takes = if is_comparison(op) { "compares numbers, texts and truth values" } else { "takes numbers" };
            return Some(format!("`{}` {takes}; a field is read with a dot", op.symbol()));
        };
        match (op, a, b) {
            (BinaryOp::Add, Plain::Ratio, Plain::Ratio) => Some(match literal(right_expr) {
                Some((value, Some(Unit::Percent))) => {
                    format!("to add percentage points, write `{}pp`", decimal(value))
                }
                _ => "only percentage points can be added to a ratio: `80% + 5pp`".to_owned(),
            }),
            (BinaryOp::Subtract, Plain::Int, Plain::Ratio) => {
                Some(format!("write `100% - {right_text}`, which is in percentage points"))
            }
            (_, Plain::Int, Plain::Float) => conversion(left_expr, left_text, Plain::Int, Plain::Float),
            (_, Plain::Float, Plain::Int) => conversion(right_expr, right_text, Plain::Int, Plain::Float),
            _ if literal(right_expr).is_some() => instead(conversion(right_expr, right_text, *b, *a), right_text),
            _ if literal(left_expr).is_some() => instead(conversion(left_expr, left_text, *a, *b), left_text),
            _ => conversion(left_expr, left_text, *a, *b).or_else(|| conversion(right_expr, right_text, *b, *a)),
        }
    }
}

/// Whether calling a function gives a layer where layers are wanted.
fn makes_layer(result: &Ty, want: &Ty) -> bool {
    result.is(Plain::Layer) && want.is(Plain::Layers)
}

/// How values of a type are usually written.
fn typical(want: &Ty) -> Option<&'static str> {
    Some(match want {
        Ty::Plain(plain) => match plain {
            Plain::Bool => "a condition is written like `rounds > 1`",
            Plain::Int => "a whole number is written like `3`",
            Plain::Float => "a number is written like `0.1`",
            Plain::Str => "a text stands in double quotes: `\"text\"`",
            Plain::Ratio => "a ratio is written like `20%`",
            Plain::Points => "percentage points are written like `2pp`",
            Plain::Step => "a step is written like `8ep` or `500it`",
            Plain::Seed => "seeds come from a sweep: `sweep seed in seeds(3)`",
            Plain::Task => "a task is made by `digits()`, `cifar10()` and others of `std.data`",
            Plain::Recipe => "a recipe is made by `sgd(lr: 0.1, batch: 64)` or `adamw(…)`",
            Plain::Schedule => "a schedule is a number, `drops(…)`, or a function `step => …`",
            Plain::Arch => "a network is made by `resnet20(classes: 10)` and others of `std.models`, or by `arch(…)`",
            Plain::State => "a state is made by `init(net, seed)` and changed by `train`, `prune` and others",
            Plain::Pruner => "a pruner is made by `global_magnitude(20%)`, `one_shot(90%)` or `pruner(…)`",
            Plain::Criterion => "a criterion is made by `criterion(p => abs(p.weight))`",
            Plain::Layer | Plain::Layers => "a layer is made by `conv(…)`, `relu()`, `linear(…)` and others",
            Plain::Probe => "a probe is made by `shapes_probe()` or `broden(…)`",
            Plain::Margin => "a margin is written like `2pp`",
            Plain::Band => "a band is written like `ci95(over: .seed)`",
            Plain::Statistic => "statistics are `mean`, `sd`, `ci95`, `median`, `min`, `max` and `count`",
            Plain::Table => "a table shows rows, or `summary(rows, by: [.round], over: .seed, show: [mean])`",
            Plain::Plot => "a plot is made by `line(rows, x: .sparsity, y: .top1)` or `curve(…)`",
            Plain::Verdict => "a claim is tested by `not_worse`, `equivalent` or `differs` of `std.stats`",
            _ => return None,
        },
        Ty::Column(_) => "a column is written like `.top1`, or `runs.top1`",
        Ty::Split(_) => "a part of a task is written `task.test`, `task.val` or `task.train`",
        Ty::Rows(_) => "rows are made by `sweep seed in seeds(3) { { … } }`",
        Ty::List(_) => "a list is written in brackets: `[a, b]`",
        Ty::Range(_) => "a range is written like `0ep..=8ep`",
        Ty::Record(_) => "a record is written like `{ name: value }`",
        Ty::Function(..) => "a function is written like `x => x + 1`",
        _ => return None,
    })
}

/// Whether a text is one name.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a text is a number, with or without a unit.
fn is_quantity(text: &str) -> bool {
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '_')).unwrap_or(text.len());
    let suffix = &text[end..];
    let exponent = suffix.strip_prefix('e').is_some_and(|rest| rest.trim_start_matches('-').parse::<u32>().is_ok());
    text.starts_with(|c: char| c.is_ascii_digit())
        && (suffix.is_empty() || exponent || Unit::ALL.iter().any(|unit| unit.suffix() == suffix))
}

/// Whether the elements of a list would do.
fn same(element: &Ty, want: &Ty) -> bool {
    element == want && matches!(want, Ty::Plain(Plain::State | Plain::Seed | Plain::Arch | Plain::Task))
}

/// Whether a measurement would do if it were known.
fn would_fit(found: &Ty, want: &Ty) -> bool {
    match (found, want) {
        (Ty::Plain(a), Ty::Plain(b)) => a == b || *b == Plain::Schedule || *b == Plain::Margin,
        (a, b) => a == b,
    }
}

fn quoted(name: &str) -> String {
    format!("`{name}`")
}

/// Whether the right one of two operands that do not fit is the one to change.
pub(super) fn advises_right((left, _): (&Ty, &Expr), (right, right_expr): (&Ty, &Expr)) -> bool {
    match (left, right) {
        (Ty::Plain(Plain::Int), Ty::Plain(Plain::Float)) => false,
        (Ty::Plain(Plain::Float), Ty::Plain(Plain::Int)) => true,
        _ => literal(right_expr).is_some(),
    }
}

/// Says which of two operands to replace.
fn instead(advice: Option<String>, text: &str) -> Option<String> {
    advice.map(|advice| if advice.starts_with("write") { format!("{advice} instead of `{text}`") } else { advice })
}

/// How to turn a value of one type into one of another.
fn conversion(expr: &Expr, text: &str, from: Plain, to: Plain) -> Option<String> {
    use Plain::{Float, Int, Margin, Points, Ratio, Schedule, Score, Step};
    let hundred = Exact::from_integer(100);
    let short = if text.len() <= 40 && !text.contains('\n') { text } else { "…" };
    match (literal(expr), from, to) {
        (Some((value, None)), Float, Ratio) => Some(format!("write `{}%`", decimal(value * hundred))),
        (Some((value, None)), Int, Ratio) | (Some((value, Some(Unit::Points))), Points, Ratio) => {
            Some(format!("write `{}%`", decimal(value)))
        }
        (Some((value, None)), Int | Float, Points) | (Some((value, Some(Unit::Percent))), Ratio, Points) => {
            Some(format!("write `{}pp`", decimal(value)))
        }
        (Some((value, None)), Int, Step) => {
            Some(format!("write `{0}ep` for epochs or `{0}it` for iterations", decimal(value)))
        }
        (Some((value, Some(Unit::Percent))), Ratio, Float) => Some(format!("write `{}`", decimal(value / hundred))),
        (Some((value, None)), Float, Int) if value.is_integer() => Some(format!("write `{}`", decimal(value))),
        (Some((value, None)), Float, Step) => Some(format!("write `{}ep`", decimal(value))),
        (_, Ratio, Step) => Some("a step is given in epochs or iterations: write `1ep` or `100it`".to_owned()),
        (_, Step, Ratio) => Some("a share is given in per cent: write `20%`".to_owned()),
        (_, Float, Ratio) => Some(format!("write `ratio({short})`")),
        (_, Ratio, Float) => Some(format!("write `fraction({short})`")),
        (_, Int, Float | Schedule | Margin) => Some(format!("write `float({short})`")),
        (_, Float, Int) => Some(format!("write `round({short})`")),
        (_, Int, Step) => Some("multiply it by a unit: `n * 1ep`".to_owned()),
        (_, Step, Int | Float) => Some(format!("divide it by a unit: `{short} / 1ep`")),
        (_, Points, Ratio) => Some("points are differences of ratios: add them to a ratio".to_owned()),
        (_, Plain::Parameter, Score) => Some(format!("write `{short}.weight`")),
        (_, Plain::Seed, Int) => Some("a seed is not a number".to_owned()),
        (_, Int, Plain::Seed) => Some("seeds come from `seeds(n)`: `sweep seed in seeds(3)`".to_owned()),
        (_, Plain::Arch, Plain::State) => Some("initialise it: `|> init(seed)`".to_owned()),
        (_, Plain::Criterion, Plain::Pruner) => Some(format!("write `pruner({short}, remove: 20%)`")),
        (Some((value, None)), Float, Plain::Pruner) if value < Exact::from_integer(1) => {
            Some(format!("write `global_magnitude({}%)`", decimal(value * hundred)))
        }
        (Some((value, None)), Int, Plain::Pruner) => Some(format!("write `global_magnitude({}%)`", decimal(value))),
        (_, Ratio, Plain::Pruner) => Some(format!("write `global_magnitude({short})`")),
        (_, Plain::Task, Plain::Probe) => Some("take a probe, for instance `shapes_probe()`".to_owned()),
        _ => None,
    }
}

/// The number and unit of a literal, with its sign.
fn literal(expr: &Expr) -> Option<(Exact, Option<Unit>)> {
    match &*expr.kind {
        ExprKind::Int(value) => Some((Exact::from_integer(i128::from(*value)), None)),
        ExprKind::Float(value) => Some((*value, None)),
        ExprKind::Quantity(value, unit) => Some((*value, Some(*unit))),
        ExprKind::Paren(inner) => literal(inner),
        ExprKind::Unary(UnaryOp::Negate, inner) => literal(inner).map(|(value, unit)| (-value, unit)),
        _ => None,
    }
}

/// Writes an exact number as a decimal.
fn decimal(value: Exact) -> String {
    if value.is_integer() {
        return value.to_integer().to_string();
    }
    (*value.numer() as f64 / *value.denom() as f64).to_string()
}
