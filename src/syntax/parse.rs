//! Runs the recogniser over one chunk. The rules' pairs go to `build` and no further.

use std::sync::Mutex;

use pest::Parser as _;
use pest::error::Error;
use pest::iterators::{Pair, Pairs};

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

/// Recognises `text[start..end]` of a file by a rule.
pub(super) fn recognise(
    rule: Rule,
    file: FileId,
    text: &str,
    start: usize,
    end: usize,
) -> Result<Pair<'_, Rule>, Box<Failure>> {
    let piece = &text[start..end];
    let recognised = match Recogniser::parse(rule, piece) {
        Ok(pairs) => Ok(pairs),
        Err(_) => in_detail(rule, piece),
    };
    match recognised {
        Ok(mut pairs) => pairs.next().ok_or_else(|| {
            let span = Span::new(file, start, end);
            Box::new(Failure { at: start, diagnostic: super::report::unexpected(span, "nothing", &[]) })
        }),
        Err(error) => Err(Box::new(expected::describe(&error, file, text, start, end))),
    }
}

/// Recognises again a text that is wrong, and remembers on the way what could have stood where. That takes twice as
/// long; pest has one switch for it for all threads.
fn in_detail(rule: Rule, piece: &str) -> Result<Pairs<'_, Rule>, Box<Error<Rule>>> {
    static SWITCH: Mutex<()> = Mutex::new(());
    let _alone = SWITCH.lock();
    pest::set_error_detail(true);
    let found = Recogniser::parse(rule, piece);
    pest::set_error_detail(false);
    found.map_err(Box::new)
}
