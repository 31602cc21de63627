//! The first pass over a text: tokens, comments, strings, and habits that a single token gives away.
//!
//! The scanner repairs what it reports, keeping every byte offset: `#` comments become blanks, `'text'` becomes
//! `"text"`, `True` becomes `true`. The parser then sees the rest of the file as its author meant it.

mod strings;
mod words;

use super::report;
use super::words::is_word_byte;
use crate::diag::Diagnostic;
use crate::source::{FileId, Span};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name or a keyword.
    Word,
    /// A number with its unit.
    Number,
    /// A string.
    Str,
    /// `(`, `[`, `{`
    Open(u8),
    /// `)`, `]`, `}`
    Close(u8),
    /// Anything else, one character.
    Symbol,
}

/// A token and its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: TokenKind,
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    /// Whether it stands in column 0.
    pub(super) flush: bool,
    /// Brackets open before it; filled in by the bracket pass.
    pub(super) depth: u32,
}

/// How a comment is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommentKind {
    /// `//`
    Plain,
    /// `///`
    Doc,
    /// `//!`
    ModuleDoc,
}

/// A comment and its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comment {
    /// How it is marked.
    pub(super) kind: CommentKind,
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte, without the end of the line.
    pub(super) end: usize,
}

/// The result of the pass.
pub(super) struct Scan {
    /// The text to parse; same length as the source.
    pub(super) repaired: Vec<u8>,
    /// All tokens in order.
    pub(super) tokens: Vec<Token>,
    /// All comments in order.
    pub(super) comments: Vec<Comment>,
    /// Where strings begin that do not end: what follows on to the next declaration is guesswork.
    pub(super) guesses: Vec<usize>,
    /// What was repaired.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Scans a whole file.
pub(super) fn scan(file: FileId, text: &str) -> Scan {
    let mut scanner = Scanner {
        file,
        text,
        bytes: text.as_bytes(),
        at: 0,
        line_start: 0,
        open: Vec::new(),
        scan: Scan {
            repaired: text.as_bytes().to_vec(),
            tokens: Vec::new(),
            comments: Vec::new(),
            guesses: Vec::new(),
            diagnostics: Vec::new(),
        },
    };
    scanner.run();
    scanner.scan
}

struct Scanner<'a> {
    file: FileId,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    line_start: usize,
    open: Vec<u8>,
    scan: Scan,
}

impl Scanner<'_> {
    fn run(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.blank(0, 3);
            self.at = 3;
            self.line_start = 3;
        }
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => self.newline(),
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'/' if self.follows("//") => self.comment(),
                b'/' if self.follows("/*") => self.block_comment(),
                b'#' => self.hash_comment(),
                b'"' if self.follows("\"\"\"") => self.long_string("\"\"\""),
                b'"' => self.string(),
                b'\'' if self.follows("'''") => self.long_string("'''"),
                b'\'' => self.single_quoted(),
                b';' => self.semicolon(),
                b'(' | b'[' | b'{' => {
                    self.open.push(byte);
                    self.push(TokenKind::Open(byte), self.at + 1);
                }
                b')' | b']' | b'}' => {
                    self.open.pop();
                    self.push(TokenKind::Close(byte), self.at + 1);
                }
                _ if byte.is_ascii_digit() => self.number(),
                _ if is_word_byte(byte) => self.word(),
                _ if byte.is_ascii() && !byte.is_ascii_control() => self.push(TokenKind::Symbol, self.at + 1),
                _ => self.foreign(),
            }
        }
    }

    fn follows(&self, what: &str) -> bool {
        self.bytes[self.at..].starts_with(what.as_bytes())
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn push(&mut self, kind: TokenKind, end: usize) {
        let flush = self.at == self.line_start;
        self.scan.tokens.push(Token { kind, start: self.at, end, flush, depth: 0 });
        self.at = end;
    }

    fn newline(&mut self) {
        self.at += 1;
        self.line_start = self.at;
    }

    fn blank(&mut self, start: usize, end: usize) {
        for byte in &mut self.scan.repaired[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }

    /// Writes `with` over the start of a range and blanks the rest.
    fn replace(&mut self, start: usize, end: usize, with: &str) {
        self.blank(start, end);
        let length = with.len().min(end - start);
        self.scan.repaired[start..start + length].copy_from_slice(&with.as_bytes()[..length]);
    }

    fn end_of_line(&self) -> usize {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let end = self.at + length;
        if length > 0 && self.bytes[end - 1] == b'\r' { end - 1 } else { end }
    }

    fn comment(&mut self) {
        let end = self.end_of_line();
        let line = &self.text[self.at..end];
        let kind = match line.as_bytes().get(2) {
            Some(b'!') => CommentKind::ModuleDoc,
            Some(b'/') if line.as_bytes().get(3) != Some(&b'/') => CommentKind::Doc,
            _ => CommentKind::Plain,
        };
        self.scan.comments.push(Comment { kind, start: self.at, end });
        self.at = end;
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let end = self.text[start..].find("*/").map_or(self.bytes.len(), |length| start + length + 2);
        self.scan.diagnostics.push(report::block_comment(self.span(start, (start + 2).min(end))));
        self.blank(start, end);
        if let Some(line) = self.text[start..end].rfind('\n') {
            self.line_start = start + line + 1;
        }
        self.at = end;
    }

    fn hash_comment(&mut self) {
        let (start, end) = (self.at, self.end_of_line());
        let found = match self.bytes.get(start + 1) {
            Some(b'!') if start == 0 => report::interpreter_line(self.span(start, end)),
            Some(b'[' | b'!') => report::attribute(self.span(start, end)),
            _ => report::hash_comment(self.span(start, start + 1)),
        };
        self.scan.diagnostics.push(found);
        self.blank(start, end);
        self.at = end;
    }

    fn semicolon(&mut self) {
        let place = self.span(self.at, self.at + 1);
        if self.separates() {
            self.scan.diagnostics.push(report::separator(place));
            self.replace(self.at, self.at + 1, ",");
            return self.push(TokenKind::Symbol, self.at + 1);
        }
        self.scan.diagnostics.push(report::semicolon(place));
        self.blank(self.at, self.at + 1);
        self.at += 1;
    }

    /// Whether a `;` stands between arguments, elements or fields.
    fn separates(&self) -> bool {
        let rest = self.text[self.at + 1..].trim_start_matches([' ', '\t']);
        let label = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        match self.open.last() {
            Some(b'(' | b'[') => !rest.starts_with([')', ']', '\n', '\r']),
            Some(b'{') => label.len() < rest.len() && label.trim_start().starts_with(':'),
            _ => false,
        }
    }

    fn number(&mut self) {
        let mut end = self.at;
        while end < self.bytes.len() {
            let byte = self.bytes[end];
            let fraction = byte == b'.' && self.bytes.get(end + 1).is_some_and(u8::is_ascii_digit) && {
                self.bytes[self.at..end].iter().all(|byte| byte.is_ascii_digit() || *byte == b'_')
            };
            let sign = (byte == b'+' || byte == b'-')
                && matches!(self.bytes[end - 1], b'e' | b'E')
                && self.bytes.get(end + 1).is_some_and(u8::is_ascii_digit)
                && self.bytes[self.at..end - 1].iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'_'));
            if !(is_word_byte(byte) || fraction || sign) {
                break;
            }
            end += 1;
        }
        if self.bytes.get(end) == Some(&b'%') {
            end += 1;
        }
        self.push(TokenKind::Number, end);
    }

    /// A character that belongs to no token of the language.
    fn foreign(&mut self) {
        let Some(found) = self.text[self.at..].chars().next() else { return };
        let (start, mut end) = (self.at, self.at + found.len_utf8());
        if found == '\u{a0}' || found == '\u{feff}' || found == '\u{200b}' {
            self.scan.diagnostics.push(report::odd_blank(self.span(start, end)));
            self.blank(start, end);
            self.at = end;
            return;
        }
        if matches!(found, '“' | '”' | '„' | '«' | '»') {
            return self.typographic_string(start);
        }
        if let Some(right) = look_alike(found) {
            self.scan.diagnostics.push(report::look_alike(self.span(start, end), found, right));
            self.replace(start, end, right);
            self.push(TokenKind::Symbol, end);
            return;
        }
        if found.is_alphabetic() {
            end = self.text[start..]
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .map_or(self.bytes.len(), |n| start + n);
            let word = self.scan.tokens.last().filter(|token| token.kind == TokenKind::Word && token.end == start);
            let from = word.map_or(start, |token| token.start);
            self.scan.diagnostics.push(report::foreign_name(self.span(from, end), &self.text[from..end]));
        } else {
            self.scan.diagnostics.push(report::foreign_character(self.span(start, end), found));
        }
        self.glue_to_word(start, end);
    }

    /// Makes a foreign piece part of the name it touches, so that one mistake is reported once.
    fn glue_to_word(&mut self, start: usize, end: usize) {
        let rest = &self.bytes[end..];
        let end = end + rest.iter().position(|byte| !is_word_byte(*byte)).unwrap_or(rest.len());
        let touches = self.scan.tokens.last().is_some_and(|token| token.kind == TokenKind::Word && token.end == start);
        if touches {
            self.scan.repaired[start..end].fill(b'_');
            if let Some(token) = self.scan.tokens.last_mut() {
                token.end = end;
            }
            self.at = end;
        } else if self.text[start..].starts_with(char::is_alphabetic) {
            self.scan.repaired[start..end].fill(b'_');
            self.push(TokenKind::Word, end);
        } else {
            self.blank(start, end);
            self.at = end;
        }
    }
}

fn look_alike(found: char) -> Option<&'static str> {
    Some(match found {
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "!=",
        '×' | '·' => "*",
        '÷' => "/",
        '−' | '–' | '—' => "-",
        '→' | '⇒' => "=>",
        '，' => ",",
        '：' => ":",
        '（' => "(",
        '）' => ")",
        _ => return None,
    })
}
