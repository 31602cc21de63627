//! Comments while a tree is printed: taken in source order, each exactly once.

use super::doc::{Doc, concat, text};
use crate::syntax::scan::{Comment, CommentKind};

/// The comments that are not printed yet.
pub(super) struct Comments<'a> {
    source: &'a str,
    all: &'a [Comment],
    next: usize,
}

impl<'a> Comments<'a> {
    pub(super) fn new(source: &'a str, comments: &'a [Comment]) -> Self {
        Self { source, all: comments, next: 0 }
    }

    /// Whether a comment waits that begins before `offset`.
    pub(super) fn wait_before(&self, offset: usize) -> bool {
        self.all.get(self.next).is_some_and(|comment| comment.start < offset)
    }

    /// Whether a comment begins in a range of the source.
    pub(super) fn stand_in(&self, from: usize, to: usize) -> bool {
        let first = self.all.partition_point(|comment| comment.start < from);
        self.all.get(first).is_some_and(|comment| comment.start < to)
    }

    /// Takes the comments that begin before `offset`.
    pub(super) fn take_before(&mut self, offset: usize) -> Vec<Comment> {
        let from = self.next;
        while self.wait_before(offset) {
            self.next += 1;
        }
        self.all[from..self.next].to_vec()
    }

    /// Takes the comment that follows on the line on which something ends, past blanks and characters of `between`.
    pub(super) fn take_trailing(&mut self, end: usize, between: &str) -> Option<Comment> {
        let comment = *self.all.get(self.next)?;
        let gap = self.source.get(end..comment.start)?;
        let close = gap.chars().all(|c| matches!(c, ' ' | '\t') || between.contains(c));
        if !close {
            return None;
        }
        self.next += 1;
        Some(comment)
    }

    /// The text of a comment. Inside a declaration `///` and `//!` document nothing, so they become `//`.
    pub(super) fn written(&self, comment: &Comment, inside: bool) -> String {
        let line = self.source[comment.start..comment.end].trim_end();
        if !inside || comment.kind == CommentKind::Plain {
            return line.to_owned();
        }
        // A blank keeps `///!` from becoming `//!`.
        let rest = &line[3..];
        let gap = if rest.starts_with(['!', '/']) { " " } else { "" };
        format!("//{gap}{rest}")
    }

    /// The comment for the end of a line.
    pub(super) fn suffix(&self, comment: &Comment) -> Doc {
        Doc::Suffix(self.written(comment, true))
    }

    /// Comments on lines of their own, each followed by a line break.
    pub(super) fn lines(&self, comments: &[Comment]) -> Doc {
        concat(comments.iter().flat_map(|comment| [text(self.written(comment, true)), Doc::HardLine]))
    }
}
