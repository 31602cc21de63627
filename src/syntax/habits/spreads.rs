//! `*xs`, `**common`, `...base`, `..xs` in front of a value: in records, lists and calls.

use super::{Passage, operator};
use crate::diag::Diagnostic;

impl Passage<'_> {
    /// `*args`, `**kwargs`, `*alias`, `*pointer`.
    pub(super) fn unpacks(&self, nth: usize) -> Option<Diagnostic> {
        if !self.is(nth, "*") || self.after_value(nth) || self.before(nth) == "*" {
            return None;
        }
        let width = if self.is(nth + 1, "*") { 2 } else { 1 };
        let inside = matches!(self.before(nth), "{" | "[" | "(" | ",");
        let name = self.spelled(nth + width);
        if !inside {
            let place = self.span(nth, nth + width);
            let found = operator("There is no `*` in front of a value", place, format!("write `{name}`"));
            return self.is_name(nth + width).then(|| found.fix(place, ""));
        }
        (self.is_word(nth + width) || self.is_open(nth + width, b'[')).then(|| self.spread(nth, width))
    }

    /// Signs in front of a value that stand for its parts; `width` of them.
    pub(super) fn spread(&self, nth: usize, width: usize) -> Diagnostic {
        let signs = self.whole(nth, nth + width);
        let place = self.span(nth, nth + width);
        let value = self.source(nth + width, self.value_end(nth + width));
        let open = self.opener(nth);
        let message = format!("There is no `{signs}` in front of a value");
        match open {
            Some(open) if self.is_open(open, b'{') => {
                let message = "A record takes the fields of another by `..`";
                operator(message, place, format!("write `..{value}`")).fix(place, "..")
            }
            Some(open) if self.is_open(open, b'[') => self.joined(open, place),
            Some(open) if width > 1 && self.is_open(open, b'(') => {
                let given: Vec<&str> = self.arguments(open).iter().map(|part| self.spelled(part.0)).collect();
                let fields = self
                    .fields_of(value)
                    .map(|fields| fields.into_iter().filter(|field| !given.contains(field)).collect::<Vec<_>>());
                let Some(fields) = fields.filter(|fields| !fields.is_empty()) else {
                    let help = format!("give the arguments one by one, each with its label: `name: {value}.name`");
                    return operator(message, place, help);
                };
                let texts: Vec<String> = fields.iter().map(|field| format!("{field}: {value}.{field}")).collect();
                let help = format!("write `{}`", texts.join(", "));
                operator(message, place, help).in_place_of(self.span(nth, self.value_end(nth + width)))
            }
            Some(open) if self.is_open(open, b'(') => {
                operator(message, place, format!("give the arguments one by one: `{value}[0], {value}[1]`"))
            }
            _ => operator(message, place, format!("write `{value}`")),
        }
    }

    /// A list with others in it.
    fn joined(&self, open: usize, place: crate::source::Span) -> Diagnostic {
        let message = "Lists are joined by `++`";
        let mut parts: Vec<String> = Vec::new();
        let mut plain: Vec<&str> = Vec::new();
        for (start, end) in self.arguments(open) {
            let signs = (start..end).take_while(|nth| matches!(self.spelled(*nth), "*" | ".")).count();
            if signs == 0 {
                plain.push(self.whole(start, end));
                continue;
            }
            if !plain.is_empty() {
                parts.push(format!("[{}]", plain.join(", ")));
                plain.clear();
            }
            let list = self.whole(start + signs, end);
            parts.push(if list.contains("|>") { format!("({list})") } else { list.to_owned() });
        }
        if !plain.is_empty() {
            parts.push(format!("[{}]", plain.join(", ")));
        }
        let text = parts.join(" ++ ");
        if text.len() > 90 || text.contains('\n') {
            return operator(message, place, "write `[…] ++ xs`, without the brackets around `xs`");
        }
        let close = self.close(open).unwrap_or(open);
        operator(message, place, format!("write `{text}`")).in_place_of(self.span(open, close + 1))
    }

    /// The fields of a record that the file names by `let`, if it is written out there.
    fn fields_of(&self, name: &str) -> Option<Vec<&str>> {
        let head = format!("let {name} = {{");
        let start = self.text.find(&head)? + head.len();
        let inner = &self.text[start..start + self.text[start..].find('}')?];
        if inner.contains(['{', '(', '[', '"', '/']) || inner.contains("..") {
            return None;
        }
        inner
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                let (field, _) = entry.split_once(':')?;
                crate::syntax::words::is_name(field.trim()).then(|| field.trim())
            })
            .collect()
    }
}
