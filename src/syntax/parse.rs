//! Runs the recogniser over one chunk. The rules' pairs go to `build` and no further.

use std::sync::{Mutex, PoisonError};

use pest::Parser as _;
use pest::iterators::Pair;

use super::expected;
use crate::diag::Diagnostic;
use crate::source::{FileId, Span};

/// The generated recogniser.
mod recogniser {
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/pd.pest"]
    pub(crate) struct Recogniser;
}
pub(super) use recogniser::{Recogniser, Rule};

/// A place where recognition ended.
pub(super) struct Failure {
    /// Offset in the file.
    pub(super) at: usize,
    /// The message.
    pub(super) diagnostic: Diagnostic,
}

/// Recognises a piece that is broken once more, slowly, so that the error knows what was tried. Whether it does is a
/// switch of the whole process: other threads are slowed down meanwhile, and no harm is done.
fn in_detail(rule: Rule, piece: &str) -> Result<pest::iterators::Pairs<'_, Rule>, pest::error::Error<Rule>> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    pest::set_error_detail(true);
    let found = Recogniser::parse(rule, piece);
    pest::set_error_detail(false);
    found
}

/// Recognises `text[start..end]` of a file by a rule.
pub(super) fn recognise(
    rule: Rule,
    file: FileId,
    text: &str,
    start: usize,
    end: usize,
) -> Result<Pair<'_, Rule>, Box<Failure>> {
    let piece = &text[start..end];
    match Recogniser::parse(rule, piece).or_else(|_| in_detail(rule, piece)) {
        Ok(mut pairs) => pairs.next().ok_or_else(|| {
            let span = Span::new(file, start, end);
            Box::new(Failure { at: start, diagnostic: super::report::unexpected(span, "nothing", &[]) })
        }),
        Err(error) => Err(Box::new(expected::describe(&error, file, text, start, end))),
    }
}
