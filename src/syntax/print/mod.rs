//! The formatter.
//!
//! It decides on blanks, indentation and lines that are too long. Where the author broke a list, a call, a block or
//! a chain it stays broken, as in gofmt; comments stay where they are. Printing what was printed changes nothing.

mod comments;
mod doc;
mod expr;

use comments::Comments;
use doc::{Doc, Separator, concat, fence, group, lay_out, nest, text};

use super::scan;
use super::tree::{
    Binding, Claim, Expr, File, Formal, Function, Import, ImportNames, ImportSource, Item, ItemKind, Name, Param,
    Pattern, Test, TestItem, Type, TypeKind,
};
use crate::source::Span;

/// Formats a file that was parsed from `source` without errors.
pub fn print(file: &File, source: &str) -> String {
    let scan = scan::scan(file.id, source);
    let mut printer = Printer { source, comments: Comments::new(source, &scan.comments) };
    let body = lay_out(&printer.file(file));
    let trimmed = body.trim();
    if trimmed.is_empty() { String::new() } else { format!("{trimmed}\n") }
}

struct Printer<'a> {
    source: &'a str,
    comments: Comments<'a>,
}

/// Lines of a file, a block or a test.
struct Lines {
    doc: Vec<Doc>,
    end: Option<usize>,
}

impl Printer<'_> {
    fn slice(&self, span: Span) -> Doc {
        text(self.source.get(span.start as usize..span.end as usize).unwrap_or(""))
    }

    fn newlines_between(&self, from: usize, to: usize) -> usize {
        self.source.get(from..to).map_or(0, |gap| gap.matches('\n').count())
    }

    /// Starts a new line of a file, block or test at `start`, keeping at most one empty line of the source.
    fn start_line(&self, lines: &mut Lines, start: usize) {
        if let Some(end) = lines.end {
            lines.doc.push(if self.newlines_between(end, start) > 1 { Doc::BlankLine } else { Doc::HardLine });
        }
    }

    /// Adds a line with the comments before it, inside it without a place of their own, and behind it.
    fn line(&mut self, lines: &mut Lines, span: Span, top: bool, build: impl FnOnce(&mut Self) -> Doc) {
        let (start, end) = (span.start as usize, span.end as usize);
        self.own_comments(lines, start, top);
        let doc = build(self);
        let lost = self.comments.take_before(end);
        self.start_line(lines, start);
        lines.doc.push(self.comments.lines(&lost));
        lines.doc.push(doc);
        lines.end = Some(end);
        if let Some(comment) = self.comments.take_trailing(end, "") {
            lines.doc.push(self.comments.suffix(&comment));
            lines.end = Some(comment.end);
        }
    }

    /// Adds comments that stand before `offset` on lines of their own.
    fn own_comments(&mut self, lines: &mut Lines, offset: usize, top: bool) {
        for comment in self.comments.take_before(offset) {
            self.start_line(lines, comment.start);
            lines.doc.push(text(self.comments.written(&comment, !top)));
            lines.end = Some(comment.end);
        }
    }

    fn file(&mut self, file: &File) -> Doc {
        let mut lines = Lines { doc: Vec::new(), end: None };
        for item in &file.items {
            self.line(&mut lines, item.span, true, |printer| printer.item(item));
        }
        self.own_comments(&mut lines, usize::MAX, true);
        Doc::Concat(lines.doc)
    }

    fn item(&mut self, item: &Item) -> Doc {
        match &item.kind {
            ItemKind::Import(import) => self.import(import, item.span),
            ItemKind::Param(param) => self.param(param),
            ItemKind::Binding(binding) => self.binding(binding),
            ItemKind::Function(function) => self.function(function),
            ItemKind::Table(output) => {
                concat([text(format!("table {} = ", output.name.text)), self.value(&output.value)])
            }
            ItemKind::Plot(output) => {
                concat([text(format!("plot {} = ", output.name.text)), self.value(&output.value)])
            }
            ItemKind::Claim(claim) => self.claim(claim),
            ItemKind::Expect(condition) => concat([text("expect "), self.value(condition)]),
            ItemKind::Test(test) => self.test(test, item.span),
        }
    }

    fn import(&mut self, import: &Import, whole: Span) -> Doc {
        let from = match &import.from {
            ImportSource::Path(path) => text(path.iter().map(|name| &*name.text).collect::<Vec<_>>().join(".")),
            ImportSource::File { span, .. } => self.slice(*span),
        };
        let names = match &import.names {
            ImportNames::Some(names) => {
                let open = names.first().map_or(whole.end, |name| name.span.start) as usize;
                let open = self.source[..open].rfind('{').map_or(open, |at| at + 1);
                let names: Vec<_> = names.iter().map(|name| (name.span, name)).collect();
                let list = self
                    .list(("{", "}"), false, (open, whole.end as usize - 1), names, |_, name: &Name| text(&*name.text));
                concat([text("."), list])
            }
            ImportNames::Alias(name) => text(format!(" as {}", name.text)),
            ImportNames::Whole => concat([]),
        };
        concat([text("import "), from, names])
    }

    fn param(&mut self, param: &Param) -> Doc {
        let mut parts = vec![text(format!("param {}: ", param.name.text)), ty(&param.ty)];
        if let Some(default) = &param.default {
            parts.extend([text(" = "), self.expr(default)]);
        }
        if let Some(condition) = &param.condition {
            parts.extend([Doc::Line, text("where "), self.expr(condition)]);
        }
        group(nest(Doc::Concat(parts)))
    }

    fn binding(&mut self, binding: &Binding) -> Doc {
        let mut parts = vec![text(if binding.public { "pub let " } else { "let " }), text(pattern(&binding.pattern))];
        if let Some(annotation) = &binding.ty {
            parts.extend([text(": "), ty(annotation)]);
        }
        if !binding.builtin {
            parts.extend([text(" = "), self.value(&binding.value)]);
        }
        Doc::Concat(parts)
    }

    /// A value after `=`; one level in if a comment pushes it to the next line.
    fn value(&mut self, value: &Expr) -> Doc {
        let pushed = self.comments.wait_before(value.span.start as usize);
        let doc = self.expr(value);
        if pushed { nest(doc) } else { doc }
    }

    fn function(&mut self, function: &Function) -> Doc {
        let mut parts = vec![text(if function.public { "pub fn " } else { "fn " }), text(&*function.name.text)];
        if !function.generics.is_empty() {
            let names: Vec<&str> = function.generics.iter().map(|name| &*name.text).collect();
            parts.push(text(format!("[{}]", names.join(", "))));
        }
        let after = function.generics.last().unwrap_or(&function.name).span.end as usize;
        let open = after + self.source[after..].find('(').map_or(0, |at| at + 1);
        let last = function.formals.last().map_or(open, formal_end);
        let close = last + self.source[last..].find(')').unwrap_or(0);
        let formals: Vec<_> = function
            .formals
            .iter()
            .map(|formal| (Span { end: formal_end(formal) as u32, ..formal.name.span }, formal))
            .collect();
        parts.push(self.list(("(", ")"), false, (open, close), formals, Self::formal));
        if let Some(result) = &function.result {
            parts.extend([text(" -> "), ty(result)]);
        }
        if let Some(body) = &function.body {
            parts.extend([text(" "), self.expr(body)]);
        }
        Doc::Concat(parts)
    }

    fn formal(&mut self, formal: &Formal) -> Doc {
        let mut parts = vec![text(&*formal.name.text)];
        if let Some(annotation) = &formal.ty {
            parts.extend([text(": "), ty(annotation)]);
        }
        if let Some(default) = &formal.default {
            parts.extend([text(" = "), self.expr(default)]);
        }
        Doc::Concat(parts)
    }

    fn claim(&mut self, claim: &Claim) -> Doc {
        let start = claim.value.span.start as usize;
        let broken = self.newlines_between(claim.text_span.end as usize, start) > 0;
        let head = concat([text(format!("claim {} ", claim.name.text)), self.slice(claim.text_span)]);
        let value = self.expr(&claim.value);
        let line = if broken { Doc::HardLine } else { Doc::Line };
        group(concat([head, nest(concat([line, text("= "), value]))]))
    }

    fn test(&mut self, test: &Test, whole: Span) -> Doc {
        let mut lines = Lines { doc: Vec::new(), end: None };
        for item in &test.body {
            match item {
                TestItem::Binding(binding) => {
                    let span = self.binding_span(binding);
                    self.line(&mut lines, span, false, |printer| printer.binding(binding));
                }
                TestItem::Expect(condition) => {
                    let start = self.word_before(condition.span, "expect");
                    let span = Span { start, ..condition.span };
                    self.line(&mut lines, span, false, |printer| concat([text("expect "), printer.value(condition)]));
                }
            }
        }
        self.own_comments(&mut lines, whole.end as usize, false);
        let head = concat([text("test "), self.slice(test.name_span), text(" {")]);
        if lines.doc.is_empty() {
            return concat([head, text("}")]);
        }
        fence(concat([head, nest(concat([Doc::HardLine, Doc::Concat(lines.doc)])), Doc::HardLine, text("}")]))
    }

    /// A binding from its keyword to the end of its value.
    fn binding_span(&self, binding: &Binding) -> Span {
        let pattern = binding.pattern.span();
        let start = self.word_before(pattern, "let");
        Span { start, end: binding.value.span.end, ..pattern }
    }

    /// Where the word begins that stands last before a span.
    fn word_before(&self, span: Span, word: &str) -> u32 {
        let before = &self.source[..span.start as usize];
        before.rfind(word).map_or(span.start, |at| at as u32)
    }

    /// Brackets around members: flat if they fit and the author did not break them, otherwise filled lines.
    ///
    /// `inside` is the range between the brackets.
    fn list<T: Copy>(
        &mut self,
        (open, close): (&'static str, &'static str),
        spaced: bool,
        inside: (usize, usize),
        members: Vec<(Span, T)>,
        mut print: impl FnMut(&mut Self, T) -> Doc,
    ) -> Doc {
        let mut pieces: Vec<(Separator, Doc)> = Vec::new();
        let (mut end, count) = (inside.0, members.len());
        let mut forced = false;
        for (nth, (span, member)) in members.into_iter().enumerate() {
            let (start, member_end) = (span.start as usize, span.end as usize);
            for comment in self.comments.take_before(start) {
                pieces.push((self.separator(end, comment.start), text(self.comments.written(&comment, true))));
                end = comment.end;
                forced = true;
            }
            let separator =
                if forced && nth == 0 && pieces.is_empty() { Separator::Hard } else { self.separator(end, start) };
            let doc = print(self, member);
            let lost = self.comments.take_before(member_end);
            forced |= !lost.is_empty() || separator != Separator::Soft;
            let comma = if nth + 1 < count { text(",") } else { Doc::IfBroken(",") };
            let mut parts = vec![self.comments.lines(&lost), doc, comma];
            end = member_end;
            if let Some(comment) = self.comments.take_trailing(member_end, ",") {
                parts.push(self.comments.suffix(&comment));
                end = comment.end;
                forced = true;
            }
            pieces.push((separator, Doc::Concat(parts)));
        }
        for comment in self.comments.take_before(inside.1) {
            pieces.push((Separator::Hard, text(self.comments.written(&comment, true))));
            forced = true;
        }
        if pieces.is_empty() {
            return text(format!("{open}{close}"));
        }
        let line = if spaced { Doc::Line } else { Doc::SoftLine };
        let body = concat([
            text(open),
            nest(concat([if forced { Doc::HardLine } else { line.clone() }, Doc::Fill(pieces)])),
            if forced { Doc::HardLine } else { line },
            text(close),
        ]);
        if forced { fence(body) } else { group(body) }
    }

    fn separator(&self, end: usize, start: usize) -> Separator {
        match self.newlines_between(end, start) {
            0 => Separator::Soft,
            1 => Separator::Hard,
            _ => Separator::Blank,
        }
    }
}

fn formal_end(formal: &Formal) -> usize {
    let end = match (&formal.default, &formal.ty) {
        (Some(default), _) => default.span.end,
        (None, Some(ty)) => ty.span.end,
        (None, None) => formal.name.span.end,
    };
    end as usize
}

fn pattern(pattern: &Pattern) -> String {
    let names: Vec<&str> = pattern.names().iter().map(|name| &*name.text).collect();
    match pattern {
        Pattern::Name(name) => name.text.to_string(),
        Pattern::Record(..) => format!("{{ {} }}", names.join(", ")),
        Pattern::Tuple(..) => format!("({})", names.join(", ")),
    }
}

fn ty(ty: &Type) -> Doc {
    text(type_text(ty))
}

fn type_text(ty: &Type) -> String {
    let all = |types: &[Type]| types.iter().map(type_text).collect::<Vec<_>>().join(", ");
    match &ty.kind {
        TypeKind::Named { name, args } if args.is_empty() => name.text.to_string(),
        TypeKind::Named { name, args } => format!("{}[{}]", name.text, all(args)),
        TypeKind::Word(name) => name.text.to_string(),
        TypeKind::Record(fields) if fields.is_empty() => "{}".to_owned(),
        TypeKind::Record(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, ty)| format!("{}: {}", name.text, type_text(ty))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        TypeKind::Tuple(members) => format!("({})", all(members)),
        TypeKind::Function { params, result } => {
            let params = match params.as_slice() {
                [only] if !matches!(only.kind, TypeKind::Tuple(_) | TypeKind::Function { .. }) => type_text(only),
                params => format!("({})", all(params)),
            };
            format!("{params} -> {}", type_text(result))
        }
        TypeKind::Error => String::new(),
    }
}
