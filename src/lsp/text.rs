//! Places in a text as bytes, and as editors count them.

use std::sync::Arc;

use lsp_types::{Position, Range};

use crate::source::{FileId, Span};

/// How an editor counts columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// In bytes.
    Utf8,
    /// In units of UTF-16: a character outside the basic plane counts twice.
    #[default]
    Utf16,
}

/// A text whose lines are known.
#[derive(Clone, Debug)]
pub(super) struct Text {
    content: Arc<str>,
    starts: Vec<u32>,
    encoding: Encoding,
}

impl Text {
    pub(super) fn new(text: Arc<str>, encoding: Encoding) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        Self { content: text, starts, encoding }
    }

    /// The line without its end.
    fn line(&self, line: usize) -> (usize, &str) {
        let start = self.starts[line] as usize;
        let end = self.starts.get(line + 1).map_or(self.content.len(), |next| *next as usize);
        (start, self.content[start..end].trim_end_matches(['\n', '\r']))
    }

    /// Returns the byte that a position means; one past the end of a line means its end.
    pub(super) fn offset(&self, position: Position) -> usize {
        let line = position.line as usize;
        if line >= self.starts.len() {
            return self.content.len();
        }
        let (start, text) = self.line(line);
        let mut column = 0;
        for (at, c) in text.char_indices() {
            if column >= position.character {
                return start + at;
            }
            column += self.width(c);
        }
        start + text.len()
    }

    pub(super) fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.content.len());
        let line = self.starts.partition_point(|start| *start as usize <= offset).saturating_sub(1);
        let (start, text) = self.line(line);
        let within = text.char_indices().take_while(|(at, _)| start + at < offset);
        Position::new(line as u32, within.map(|(_, c)| self.width(c)).sum())
    }

    pub(super) fn range(&self, span: Span) -> Range {
        Range::new(self.position(span.start as usize), self.position(span.end as usize))
    }

    pub(super) fn span(&self, file: FileId, range: Range) -> Span {
        Span::new(file, self.offset(range.start), self.offset(range.end))
    }

    fn width(&self, c: char) -> u32 {
        match self.encoding {
            Encoding::Utf8 => c.len_utf8() as u32,
            Encoding::Utf16 => c.len_utf16() as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use lsp_types::Position;

    use super::{Encoding, Text};

    #[test]
    fn columns_are_counted_as_the_editor_counts() {
        let text = "a😀b\r\né x";
        for (encoding, b, x) in [(Encoding::Utf16, 3, 2), (Encoding::Utf8, 5, 3)] {
            let text = Text::new(text.into(), encoding);
            assert_eq!(text.position(5), Position::new(0, b));
            assert_eq!(text.offset(Position::new(0, b)), 5);
            assert_eq!(text.position(11), Position::new(1, x));
            assert_eq!(text.offset(Position::new(1, x)), 11);
            assert_eq!(text.offset(Position::new(0, 99)), 6);
            assert_eq!(text.offset(Position::new(9, 0)), 12);
        }
    }
}
