//! Heads of loops and sweeps.

use super::{Passage, habit};
use crate::diag::Diagnostic;

impl Passage<'_> {
    /// The head of a loop: `for (const x of xs)`, `for a, b in`, `sweep seed = …`.
    pub(super) fn head(&self, nth: usize) -> Option<Diagnostic> {
        let word = self.spelled(nth);
        let first = nth + 1;
        if self.is_open(first, b'(') {
            let close = self.close(first)?;
            let inside = |what: &[&str]| {
                (first + 1..close)
                    .find(|at| what.contains(&self.spelled(*at)) && self.depth(*at) == self.depth(first) + 1)
            };
            let joint = inside(&["in", "of", ":"]);
            if joint.is_none() && inside(&["=", "const", "let", "var"]).is_none() {
                return None;
            }
            let help = match joint {
                Some(joint) => {
                    format!("write `{word} {} in {} {{ … }}`", self.before(joint), self.source(joint + 1, close))
                }
                None => format!("write `{word} i in 0..n {{ … }}`"),
            };
            return Some(habit("The head of a loop has no parentheses", self.span(first, first + 1), help));
        }
        if let Some(found) = self.axes(nth) {
            return Some(found);
        }
        if !self.is_name(first) || first > self.failed {
            return None;
        }
        let name = self.spelled(first);
        if self.is(first + 1, ",") && !self.is(first + 3, "in")
            || self.is(first + 1, ",") && self.is_name(first + 2) && self.is(first + 3, "in") && word == "for"
        {
            let end = (first..self.tokens.len()).find(|at| self.is(*at, "in"))?;
            let names: Vec<&str> = (first..end).filter(|at| self.is_name(*at)).map(|at| self.spelled(at)).collect();
            let (place, tuple) = (self.span(first, end), format!("({})", names.join(", ")));
            let help = format!("write `{word} {tuple} in …`");
            return Some(habit("Several names stand in parentheses", place, help).fix(place, tuple));
        }
        if self.is(nth + 1, ":") || self.is(nth + 2, ":") && self.fresh(nth + 3) {
            return None;
        }
        let joint = self.spelled(first + 1);
        if matches!(joint, "=" | ":" | "of" | "from" | "over" | "<") {
            let value = self.source(
                first + 2,
                self.value_end(first + 2)
                    .min((first + 2..self.tokens.len()).find(|at| self.is_open(*at, b'{')).unwrap_or(usize::MAX)),
            );
            let place = self.span(first + 1, first + 2);
            let help = format!("write `{word} {name} in {value}`");
            let joined = if matches!(joint, "=" | ":") && self.touches(first + 1) { " in" } else { "in" };
            return Some(habit(format!("`{word}` takes its values with `in`"), place, help).fix(place, joined));
        }
        if self.is_open(first + 1, b'(') && word == "sweep" {
            let call = self.close(first + 1).map_or("…", |close| self.source(first, close + 1));
            return Some(habit(
                "An axis of a sweep has a name",
                self.span(first, first + 1),
                format!("write `sweep {} in {call}`", name.trim_end_matches('s')),
            ));
        }
        None
    }

    /// `sweep seed: seeds(3), rate: [20%] {`, `sweep { seed: … } {`, `for seed in …, rate in … {`: the whole head.
    fn axes(&self, nth: usize) -> Option<Diagnostic> {
        let braced = self.is_open(nth + 1, b'{');
        let (open, brace) = if braced {
            let close = self.close(nth + 1).filter(|close| self.is_open(close + 1, b'{'))?;
            (nth + 1, close + 1)
        } else {
            let depth = self.depth(nth);
            let brace = (nth..self.tokens.len()).find(|at| self.is_open(*at, b'{') && self.depth(*at) == depth)?;
            (nth, brace)
        };
        let inner = self.depth(open) + u32::from(braced);
        if braced && (open..brace).any(|at| matches!(self.spelled(at), "parameters" | "values")) {
            let head = format!("sweep {}", self.written_axes(open).join(", "));
            let place = self.span(nth, nth + 1);
            let diagnostic =
                habit("A sweep runs every combination of its axes", place, format!("write `{head} {{ … }}`"));
            return Some(if head.contains('…') { diagnostic } else { diagnostic.fix(self.span(nth, brace), head) });
        }
        let end = if braced { brace - 1 } else { brace };
        let mut axes = Vec::new();
        let mut foreign = false;
        let mut start = open + 1;
        for at in open + 1..=end {
            if at == end || self.depth(at) == inner && self.is(at, ",") {
                let joint = self.spelled(start + 1);
                if start == at {
                    continue;
                }
                if !self.is_name(start) || !matches!(joint, ":" | "=" | "in") || self.fresh(start + 2) && !braced {
                    return None;
                }
                foreign |= joint != "in";
                axes.push(self.axis(self.spelled(start), start + 2, at));
                start = at + 1;
            }
        }
        let looped = self.is(nth, "for") && axes.len() > 1;
        if axes.is_empty() || !(foreign || looped) {
            return None;
        }
        let word = if looped { "sweep" } else { self.spelled(nth) };
        let head = format!("{word} {}", axes.join(", "));
        let (message, place) = if looped {
            ("A `for` goes through one list; a `sweep` combines several", self.span(nth, nth + 1))
        } else {
            ("An axis takes its values with `in`", self.span(nth + 1, nth + 3))
        };
        let diagnostic = habit(message, place, format!("write `{head} {{ … }}`"));
        Some(if head.contains('…') { diagnostic } else { diagnostic.fix(self.span(nth, brace), head) })
    }

    /// `sweep grid { seed: [1, 2, 3] … }`: a declaration whose braces hold the axes.
    pub(super) fn grid(&self) -> Option<Diagnostic> {
        if self.spelled(0) != "sweep" || !self.is_name(1) || !self.is_open(2, b'{') {
            return None;
        }
        let axes = self.written_axes(2);
        let (name, place) = (self.spelled(1), self.span(0, 2));
        let help = format!(
            "write `let {name} = sweep {} {{ … }}`, and between the braces a record of what is measured",
            axes.join(", ")
        );
        (!axes.is_empty()).then(|| habit("The axes of a sweep stand in front of its braces", place, help))
    }

    /// The axes that braces hold as fields, without what a tool for sweeps is told beside them:
    /// `{ method: "grid", parameters: { lr: { values: [0.1, 0.01] } } }`.
    fn written_axes(&self, open: usize) -> Vec<String> {
        let Some(close) = self.close(open) else { return Vec::new() };
        let inner = self.depth(open) + 1;
        let keys: Vec<usize> = (open + 1..close)
            .filter(|at| self.depth(*at) == inner && self.is_name(*at) && self.is(at + 1, ":"))
            .collect();
        let mut axes = Vec::new();
        for (nth, at) in keys.iter().enumerate() {
            let end = keys.get(nth + 1).copied().unwrap_or(close);
            let value = at + 2;
            match self.spelled(*at) {
                "method" | "metric" | "name" | "program" | "project" | "early_terminate" | "run_cap" => {}
                "parameters" if self.is_open(value, b'{') => axes.extend(self.written_axes(value)),
                name => {
                    let inside = self.is_open(value, b'{').then(|| {
                        let key = |at: &usize| matches!(self.spelled(*at), "values" | "value") && self.is(at + 1, ":");
                        (value..end).find(key).map(|at| (at + 2, self.close(value).unwrap_or(end)))
                    });
                    let (start, end) = inside.flatten().unwrap_or((value, end));
                    axes.push(self.axis(name.trim_end_matches("_values"), start, end));
                }
            }
        }
        axes
    }

    /// An axis with its values; numbers that stand for seeds become seeds.
    fn axis(&self, name: &str, start: usize, end: usize) -> String {
        match name.starts_with("seed").then(|| self.elements(start)).flatten() {
            Some(count) => format!("seed in seeds({count})"),
            None => format!("{name} in {}", self.source(start, end).trim_end_matches(',').trim_end()),
        }
    }

    /// How many elements a list in brackets has.
    fn elements(&self, open: usize) -> Option<usize> {
        let close = self.is_open(open, b'[').then(|| self.close(open)).flatten()?;
        let commas = (open..close).filter(|at| self.is(*at, ",") && self.depth(*at) == self.depth(open) + 1);
        Some(commas.count() + usize::from(self.before(close) != "," && close > open + 1))
    }

    /// Whether a token stands between the axes of a loop, not in its filter.
    pub(super) fn in_axes(&self, nth: usize) -> bool {
        self.head_of(nth)
            .is_some_and(|head| !(head..nth).any(|at| self.is(at, "if") && self.depth(at) == self.depth(head)))
    }

    /// A loop whose head filters, for an `if` in its body that holds for some values only; `nth` is that `if`.
    pub(super) fn filtered(&self, nth: usize, kept: bool) -> Option<String> {
        let open = self.opener(nth).filter(|open| self.is_open(*open, b'{'))?;
        let head = self.head_of(open)?;
        let brace =
            (nth + 1..self.tokens.len()).find(|at| self.is_open(*at, b'{') && self.depth(*at) == self.depth(nth))?;
        let condition = self.source(nth + 1, brace);
        let condition = if kept { condition.to_owned() } else { format!("not ({condition})") };
        let earlier = (head..open).any(|at| self.is(at, "if") && self.depth(at) == self.depth(head));
        let joint = if earlier { "and" } else { "if" };
        Some(format!("{} {joint} {condition} {{ … }}", self.source(head, open)))
    }

    /// Whether a token belongs to the head of a loop.
    pub(super) fn in_head(&self, nth: usize) -> bool {
        self.head_of(nth).is_some()
    }

    /// The `for` or `sweep` in whose head a token stands.
    pub(super) fn head_of(&self, nth: usize) -> Option<usize> {
        let depth = self.depth(nth);
        let outer = |at: &usize| self.depth(*at) <= depth;
        let mut head = (0..nth).rev().filter(outer).take_while(|at| !self.is_open(*at, b'{'));
        head.find(|at| matches!(self.spelled(*at), "for" | "sweep"))
    }

    /// What stands between the parts of a loop's head.
    pub(super) fn loop_part(&self, nth: usize) -> Option<Diagnostic> {
        let (word, place) = (self.spelled(nth), self.span(nth, nth + 1));
        if !self.in_head(nth) {
            return (word == "where" && !self.is(0, "param")).then(|| {
                habit("`where` limits a `param`; a value has none", place, "give its parts names with `let` before it")
            });
        }
        if word == "where" || word == "when" || word == "unless" {
            let brace = (nth..self.tokens.len()).find(|at| self.is_open(*at, b'{'))?;
            let condition = self.source(nth + 1, brace);
            let not = if word == "unless" { "not " } else { "" };
            let help = format!("write `if {not}{condition}`");
            return Some(habit("A loop is filtered with `if`", place, help).in_place_of(self.span(nth, brace)));
        }
        if matches!(word, "and" | "&" | ";" | "x") && self.is_name(nth + 1) && self.is(nth + 2, "in") {
            return Some(habit("Axes are separated by commas", place, "write `,`").in_place_of(place));
        }
        // `rate in 20%, 40%`
        let start = (0..nth).rev().find(|at| self.is(*at, "in"))?;
        let brace = (nth..self.tokens.len()).find(|at| self.is_open(*at, b'{'))?;
        let listed = self.before(nth) == "," && !self.is(nth + 1, "in") && self.depth(start) == self.depth(nth);
        listed.then(|| {
            let name = self.before(start);
            let help = format!("write `{name} in [{}]`", self.source(start + 1, brace));
            let diagnostic = habit("The values of an axis stand in brackets", self.span(start + 1, brace), help);
            diagnostic.in_place_of(self.span(start - 1, brace))
        })
    }
}
