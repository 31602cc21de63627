//! Reports about types that do not fit, and what to do about each.

use super::super::ty::{Plain, Row, Ty};
use super::Checker;
use super::convert::{conversion, is_operation, is_quantity};
use super::field::fields_of;
use crate::diag::{Diagnostic, codes::types as codes};
use crate::resolve::Target;
use crate::syntax::tree::{Expr, ExprKind, ItemKind};

impl<'a> Checker<'a> {
    /// Reports that `what` must have another type.
    pub(super) fn mismatch(&mut self, expr: &Expr, found: &Ty, want: &Ty, what: &str) {
        let (found, want) = (self.settled(found), self.settled(want));
        if let Ty::Measured(inner) = &found
            && would_fit(inner, &want)
        {
            return self.measured(expr, &found, &want, what);
        }
        if self.parts_mismatch(expr, &found, &want, what) {
            return;
        }
        let units = found.is_number() && (want.is_number() || want.is(Plain::Margin) || want.is(Plain::Schedule));
        let code = if units { &codes::UNIT } else { &codes::MISMATCH };
        let shown = found.described();
        let diagnostic = Diagnostic::error(code, format!("{what} must be {}, but this is {shown}", want.described()))
            .label(expr.span, format!("this is {shown}"));
        let advice = self.advice(expr, &found, &want, what).or_else(|| {
            let alike = std::mem::discriminant(&found) == std::mem::discriminant(&want) && !found.is_plain();
            typical(&want).filter(|_| !alike).map(ToOwned::to_owned)
        });
        let diagnostic = match advice {
            Some(help) => diagnostic.help(help).in_place_of(expr.span),
            None => diagnostic,
        };
        if let Some(report) = self.postponed(expr, &found, &want, diagnostic) {
            self.report(report);
        }
    }

    /// Reports a text that stands for something else, if it does.
    pub(super) fn quoted(&mut self, expr: &Expr, text: &str, want: &Ty, what: &str) -> bool {
        let name = is_name(text);
        let column = |ty: &Ty| matches!(ty, Ty::Column(_));
        let (thing, right) = match want {
            Ty::Plain(Plain::Str) | Ty::Var(_) | Ty::Error | Ty::Generic(_) => return false,
            Ty::Column(_) if name => ("a column is written with a dot", format!(".{text}")),
            Ty::List(element) if column(element) && name => ("columns are written with a dot", format!("[.{text}]")),
            Ty::List(element) if element.is(Plain::Statistic) && self.is_statistic(text) => {
                ("statistics are a list of names", format!("[{text}]"))
            }
            Ty::Plain(Plain::Statistic) if self.is_statistic(text) => ("a statistic is a name", text.to_owned()),
            Ty::Plain(Plain::Statistic) => {
                ("a statistic is a name", ["mean", "ci95"][usize::from(text.starts_with('c'))].to_owned())
            }
            other
                if is_quantity(text) && (other.is_number() || other.is(Plain::Margin) || other.is(Plain::Schedule)) =>
            {
                ("a number stands without quotes", text.to_owned())
            }
            Ty::Plain(Plain::Bool) if matches!(text, "true" | "false") => {
                ("a truth value stands without quotes", text.to_owned())
            }
            wanted => match name.then(|| self.named(text, wanted, expr.span)).flatten() {
                Some(help) => return self.no_text(expr, "what is meant stands without quotes", help, what),
                None => return false,
            },
        };
        self.no_text(expr, thing, format!("write `{right}`"), what)
    }

    fn no_text(&mut self, expr: &Expr, thing: &str, help: String, what: &str) -> bool {
        self.report(
            Diagnostic::error(&codes::QUOTED, format!("{what} is no text: {thing}"))
                .label(expr.span, "a text")
                .help(help)
                .in_place_of(expr.span),
        );
        true
    }

    fn measured(&mut self, expr: &Expr, found: &Ty, want: &Ty, what: &str) {
        let rounds = ["round", "floor", "ceil"].iter().any(|name| what.ends_with(&format!(" of `{name}`")));
        if let Some((_, result)) = self.returning.clone().filter(|(place, _)| place == what) {
            let right = Ty::measured(found.unmeasured().0.clone());
            self.report(
                Diagnostic::error(&codes::MEASURED, format!("{what} exists only after the run"))
                    .label(expr.span, format!("this is {}", right.described()))
                    .label(result, "not so by this type")
                    .help(format!("write `{right}`"))
                    .in_place_of(result),
            );
            return;
        }
        let help = if want.is(Plain::Bool) && what.ends_with("of `keep`") {
            "keep rows by what is known before the run (`round`, `sparsity`), or leave `keep` out and give each row a field \
             that says it: `good: top1 >= 90%`"
        } else if want.is(Plain::Bool) {
            "write `select(condition, then: …, else: …)`, or `iterate(…, until: s => condition)` for rounds"
        } else if rounds {
            "leave the rounding out: tables and plots round what they show"
        } else {
            "use something known before the run (`sparsity`, `round`), or show the measurement in a table or plot"
        };
        self.report(
            Diagnostic::error(&codes::MEASURED, format!("{what} must be known before the run"))
                .label(expr.span, "measured: exists only after the run")
                .help(help),
        );
    }

    /// The source of an expression, if it is short enough to be repeated.
    pub(super) fn brief(&self, expr: &Expr) -> &'a str {
        let text = self.source(expr.span);
        if text.len() <= 48 && !text.contains('\n') { text } else { "…" }
    }

    /// The fields of a value that are of a type, as they are read.
    pub(super) fn fields_with(&self, expr: &Expr, found: &Ty, want: &Ty, what: &str) -> Option<String> {
        let (wanted, _) = want.unmeasured();
        let good = |ty: &Ty| ty == want || want.unmeasured().1 && ty == wanted;
        let fields = fields_of(found);
        let mut names: Vec<&str> = fields.iter().filter(|(_, ty)| good(ty)).map(|(name, _)| name.as_str()).collect();
        if names.is_empty() {
            let measured = |ty: &Ty| ty.unmeasured().0 == wanted;
            names = fields.iter().filter(|(_, ty)| measured(ty)).map(|(name, _)| name.as_str()).collect();
        }
        // A parameter takes the field of its own name: `classes: task.classes`.
        if let Some(same) = names.iter().copied().find(|name| what.starts_with(&format!("`{name}` of "))) {
            names = vec![same];
        }
        let text = self.brief(expr);
        let text = if is_operation(expr) { format!("({text})") } else { text.to_owned() };
        match names.as_slice() {
            [] => None,
            [only] => Some(format!("take a field of it: write `{text}.{only}`")),
            [first, second, ..] => Some(format!("take a field of it: write `{text}.{first}` or `{text}.{second}`")),
        }
    }

    /// What to write instead.
    fn advice(&mut self, expr: &Expr, found: &Ty, want: &Ty, what: &str) -> Option<String> {
        let text = self.source(expr.span);
        let short = self.brief(expr);
        match (found, want) {
            (Ty::Function(params, result), _) if *want == **result || makes_layer(result, want) => {
                if let ExprKind::Name(name) = &*expr.kind
                    && self.local(name).is_none()
                    && let Some(call) = self.named(name, want, expr.span)
                {
                    return Some(format!("call it: {call}"));
                }
                let dots = if params.is_empty() { "" } else { "…" };
                Some(format!("call it: `{text}({dots})`"))
            }
            (_, Ty::Plain(Plain::Str)) if matches!(&*expr.kind, ExprKind::Name(_)) => {
                Some(format!("a text stands in double quotes: write `\"{text}\"`"))
            }
            (Ty::Plain(Plain::Ratio | Plain::Float), Ty::List(_)) if what.starts_with("`keep` of") => Some(format!(
                "`keep` names weights that stay whole; a share to remove is `remove: …`, the sparsity to reach \
                 `to: …`: what is left is 100% without it, not `{short}`"
            )),
            (Ty::Plain(Plain::Criterion), Ty::Plain(Plain::Pruner)) => {
                let amount = self.amount_after(expr.span).unwrap_or_else(|| "remove: 20%".to_owned());
                Some(format!("write `pruner({short}, {amount})`"))
            }
            (Ty::Plain(Plain::Step), Ty::Plain(Plain::State)) => {
                let known = |name: &&str| self.local(name).is_some() || self.linked.lookup(self.module, name).is_some();
                let usual = ["dense", "base", "baseline", "original", "trained", "model", "net"];
                let trained = usual.into_iter().find(known).unwrap_or("dense");
                Some(format!("take the state that a training had at that step: write `{trained}.at({short})`"))
            }
            (Ty::Plain(Plain::Task), Ty::Split(_)) => Some(format!("write `{text}.test`, or `{text}.val` for choices")),
            (Ty::List(element), want) if matches!(&*expr.kind, ExprKind::List(_)) && would_fit(element, want) => {
                let name = what.strip_prefix('`').and_then(|rest| rest.split('`').next()).unwrap_or("x");
                Some(format!(
                    "one value stands here; to run each of them, make them an axis, with what depends on it inside: \
                     `sweep seed in seeds(3), {name} in {short} {{ … }}`"
                ))
            }
            (Ty::List(element), want) if same(element, want) => {
                Some(format!("take one of them, `last({short})`, or go through them with `for s in {short} {{ … }}`"))
            }
            (Ty::Function(..), Ty::Column(_)) if is_name(text) => Some(format!("a column has a dot: write `.{text}`")),
            (found, Ty::Function(params, result)) if !matches!(found, Ty::Function(..)) => {
                let (params, result) = (params.clone(), result.clone());
                self.as_function(expr, found, &params, &result)
            }
            (Ty::Record(fields), Ty::Plain(Plain::Recipe)) => {
                let names: Vec<&str> = fields.names().collect();
                Some(self.as_recipe(expr, &names))
            }
            (Ty::Rows(Some(row)), Ty::Column(_)) => {
                let measured = row.fields.0.iter().find(|(_, ty)| matches!(ty, Ty::Measured(_)));
                let (column, _) = measured.or(row.fields.0.last())?;
                Some(format!("take a column of it: write `{short}.{column}`"))
            }
            (Ty::Measured(inner), Ty::Plain(Plain::Verdict)) if inner.is(Plain::Bool) => Some(
                "state it as `expect …`, or compare over seeds with `not_worse`, `equivalent` or `differs`".to_owned(),
            ),
            (Ty::Plain(Plain::Bool), Ty::Plain(Plain::Verdict)) => Some("state it as `expect …`".to_owned()),
            (Ty::Plain(Plain::Verdict), Ty::Plain(Plain::Bool)) => {
                Some(format!("write `claim name \"what it says\" = {}`", if text.contains('\n') { "…" } else { text }))
            }
            (Ty::Plain(Plain::Table), Ty::Plain(Plain::Plot)) => Some("write `table` instead of `plot`".to_owned()),
            (Ty::Plain(Plain::Plot), Ty::Plain(Plain::Table)) => Some("write `plot` instead of `table`".to_owned()),
            (Ty::List(_), Ty::Rows(_) | Ty::Plain(Plain::Table)) => {
                let listed = matches!(&*expr.kind, ExprKind::List(_));
                let help = if listed {
                    "rows come from a sweep, and the fields of its records are the columns: `sweep seed in seeds(3) { { … } }`"
                } else {
                    "make rows with `sweep` instead of `for`"
                };
                Some(help.to_owned())
            }
            (Ty::Rows(row), Ty::Plain(Plain::Plot)) => {
                let columns = row.as_ref().and_then(|row| drawable(row));
                let (x, y) =
                    columns.map_or((".…".to_owned(), ".…".to_owned()), |(x, y)| (format!(".{x}"), format!(".{y}")));
                Some(format!("write `line({short}, x: {x}, y: {y})`"))
            }
            (Ty::Measured(_), Ty::Column(_)) => match &*expr.kind {
                ExprKind::Call(callee, args) if self.source(callee.span) == "mean" && !args.is_empty() => Some(
                    format!("the comparison takes the mean by itself: write `{}`", self.source(args[0].value.span)),
                ),
                _ => None,
            },
            (Ty::List(element), want) if **element == *want && want.is_cell() => {
                Some(format!("for several values, add an axis to the sweep: `name in {short}`"))
            }
            (Ty::Plain(Plain::Str), Ty::Plain(_)) => self.text_named(expr, want),
            (Ty::Plain(Plain::Int), Ty::Plain(Plain::Seed)) => match self.in_scope(want, expr.span) {
                Some(seed) => Some(format!("seeds are no numbers: write `{seed}`")),
                None => Some("seeds come from `sweep seed in seeds(3)`; for one alone, write `seeds(1)[0]`".to_owned()),
            },
            (Ty::Column(column), Ty::Plain(Plain::Bool | Plain::Float)) => {
                let axis = axis_of(column.as_ref().and_then(|column| column.row.as_deref()));
                Some(format!("take a mean of it: write `mean({short}, over: .{axis})`"))
            }
            (Ty::Range(_), Ty::Plain(Plain::Int)) => match &*expr.kind {
                ExprKind::Range { start, end, inclusive: false } if matches!(*start.kind, ExprKind::Int(0)) => {
                    Some(format!("the number alone is enough: write `{}`", self.source(end.span)))
                }
                _ => None,
            },
            (Ty::Range(_), Ty::List(seeds)) if seeds.is(Plain::Seed) => match &*expr.kind {
                ExprKind::Range { end, .. } => Some(format!("write `seeds({})`", self.source(end.span))),
                _ => Some("write `seeds(3)`".to_owned()),
            },
            (Ty::Plain(Plain::Int), Ty::List(seeds)) if seeds.is(Plain::Seed) => {
                Some(format!("write `seeds({short})`"))
            }
            (Ty::Plain(Plain::Seed), Ty::List(seeds)) if seeds.is(Plain::Seed) => Some(format!("write `[{short}]`")),
            (Ty::List(from), Ty::List(to)) => match (&**from, &**to) {
                (Ty::Plain(Plain::Int), Ty::Plain(Plain::Seed)) => Some(format!("write `seeds(len({short}))`")),
                (Ty::Plain(Plain::Float), Ty::Plain(Plain::Ratio)) => Some(format!("write `map({short}, ratio)`")),
                (Ty::Plain(Plain::Ratio), Ty::Plain(Plain::Float)) => Some(format!("write `map({short}, fraction)`")),
                (Ty::Plain(Plain::Int), Ty::Plain(Plain::Float)) => Some(format!("write `map({short}, float)`")),
                (Ty::Plain(Plain::Int), Ty::Plain(Plain::Step)) => Some(format!("write `map({short}, n => n * 1ep)`")),
                (from, to) if *from == Ty::list(to.clone()) => Some(format!("take one of them: write `last({short})`")),
                _ => None,
            },
            (Ty::Plain(from), Ty::Plain(to)) if conversion(expr, text, *from, *to).is_some() => {
                conversion(expr, text, *from, *to)
            }
            (element, Ty::List(wanted)) if element == &**wanted => Some(format!("write `[{text}]`")),
            (Ty::Plain(Plain::State | Plain::Task | Plain::Arch) | Ty::Record(_), want)
                if !matches!(want, Ty::List(_)) =>
            {
                self.fields_with(expr, found, want, what)
            }
            _ => None,
        }
    }

    /// The name that an expression is, and the value it is given at top level.
    pub(super) fn defined<'e>(&self, expr: &'e Expr) -> Option<(&'e str, &'a Expr)> {
        let ExprKind::Name(name) = &*expr.kind else { return None };
        let target = self.linked.lookup(self.module, name).filter(|_| self.local(name).is_none())?;
        let Target::Item { module, item } = target else { return None };
        let ItemKind::Binding(binding) = &self.linked.item(module, item).kind else { return None };
        Some((name, &binding.value))
    }

    /// A name that stands for a text, where what the text names is wanted.
    fn text_named(&mut self, expr: &Expr, want: &Ty) -> Option<String> {
        let (name, value) = self.defined(expr)?;
        let ExprKind::Str(text) = &*value.kind else { return None };
        let right = self.named(text, want, expr.span)?;
        Some(format!("`{name}` is defined as a text: {right} there"))
    }

    /// A value where a function that gives it is wanted.
    fn as_function(&mut self, expr: &Expr, found: &Ty, params: &[Ty], result: &Ty) -> Option<String> {
        let result = self.settled(result);
        if *found != result && !self.adapts(found, &result) {
            return None;
        }
        let names: Vec<&str> = params
            .iter()
            .map(|param| match self.settled(param) {
                Ty::Plain(Plain::State) => "s",
                Ty::Plain(Plain::Step) => "step",
                Ty::Plain(Plain::Parameter) => "p",
                Ty::Plain(Plain::Int) => "n",
                Ty::Record(_) => "row",
                _ => "x",
            })
            .collect();
        let names = if let [only] = names.as_slice() { (*only).to_owned() } else { format!("({})", names.join(", ")) };
        Some(format!("a function gives it: write `{names} => {}`", self.brief(expr)))
    }
}

/// The axis along which rows are most likely replicates.
pub(super) fn axis_of(row: Option<&Row>) -> &str {
    let row = row.filter(|row| row.axes.is_some());
    let seed =
        row.and_then(|row| row.axis_names().find(|name| row.fields.get(name).is_some_and(|ty| ty.is(Plain::Seed))));
    seed.or_else(|| row.and_then(|row| row.axis_names().next())).unwrap_or("seed")
}

/// The columns of rows that are drawn most likely, one against the other.
fn drawable(row: &Row) -> Option<(&str, &str)> {
    let known = |name: &&str| row.fields.get(name).is_some_and(Ty::is_number);
    let x = ["sparsity", "round"].into_iter().find(known).or_else(|| row.fields.names().find(known))?;
    let measured = |ty: &Ty| ty.unmeasured().1 && ty.unmeasured().0.is_number();
    let (y, _) = row.fields.0.iter().find(|(_, ty)| measured(ty))?;
    Some((x, y))
}

/// Whether calling a function gives a layer where layers are wanted.
fn makes_layer(result: &Ty, want: &Ty) -> bool {
    result.is(Plain::Layer) && want.is(Plain::Layers)
}

/// How values of a type are usually written.
pub(super) fn typical(want: &Ty) -> Option<&'static str> {
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

/// Whether the elements of a list would do.
fn same(element: &Ty, want: &Ty) -> bool {
    element == want && matches!(want, Ty::Plain(Plain::State | Plain::Seed | Plain::Arch | Plain::Task))
}

/// Whether a measurement would do if it were known.
fn would_fit(found: &Ty, want: &Ty) -> bool {
    match (found, want) {
        (Ty::Plain(a), Ty::Plain(b)) => {
            a == b || *b == Plain::Schedule || *b == Plain::Margin || found.is_number() && want.is_number()
        }
        (a, b) => a == b,
    }
}
