//! The conversation at a terminal: prompts, several lines, history, completion.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Editor, Helper};

use super::session::{Done, Session};
use crate::cli::output::{self, Output};
use crate::cli::{Ended, Exit};
use crate::lsp;
use crate::syntax;
use crate::world::World;

/// Talks until the user leaves.
pub(super) fn converse(world: &dyn World, output: Output, session: Session<'_>) -> Ended {
    let session = Rc::new(RefCell::new(session));
    let mut editor: Editor<Assistant<'_>, FileHistory> = match Editor::new() {
        Ok(editor) => editor,
        Err(error) => {
            output::note(&format!("error: the terminal cannot be used: {error}"));
            return Ok(Exit::Failed);
        }
    };
    editor.set_helper(Some(Assistant { session: Rc::clone(&session) }));
    let history = history_file(world);
    if let Some(path) = &history {
        let _ = editor.load_history(path);
    }
    output::data(&format!("pdsl {}, `:help` lists the commands\n", env!("CARGO_PKG_VERSION")))?;
    loop {
        match editor.readline(&output.bold("> ")) {
            Ok(input) => {
                let _ = editor.add_history_entry(input.as_str());
                let done = session.borrow_mut().submit(&input);
                if matches!(done, Done::Quit) {
                    break;
                }
                super::tell(&done)?;
            }
            // Ctrl-C forgets the line, Ctrl-D leaves.
            Err(ReadlineError::Interrupted) => {}
            Err(_) => break,
        }
    }
    if let Some(path) = &history {
        let made = path.parent().map(std::fs::create_dir_all);
        if made.is_some_and(|made| made.is_ok()) {
            let _ = editor.save_history(path);
        }
    }
    Ok(Exit::Done)
}

fn history_file(world: &dyn World) -> Option<PathBuf> {
    let set = |name: &str| world.variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")));
    state.map(|state| state.join("pdsl").join("history"))
}

/// Completes names and waits for closing brackets.
struct Assistant<'a> {
    session: Rc<RefCell<Session<'a>>>,
}

impl Completer for Assistant<'_> {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let start = line[..at]
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .map_or(0, |last| last + line[last..].chars().next().map_or(1, char::len_utf8));
        if line.starts_with(':') && !line[..at].contains(' ') {
            let commands = [":doc ", ":help", ":load ", ":names", ":quit", ":reset", ":stages ", ":type "];
            let fitting = commands.iter().filter(|command| command.starts_with(&line[..at]));
            return Ok((0, fitting.map(|command| pair(command)).collect()));
        }
        // Behind `:type` and its like stands an expression.
        let shift = if line.starts_with(':') { line.find(' ').map_or(at, |blank| blank + 1) } else { 0 };
        let (text, head) = Session::wrapped(&line[shift..]);
        let analysis = self.session.borrow().analysis(&text);
        let found = lsp::suggestions(&analysis, at - shift + head);
        let word = &line[start..at];
        let fitting =
            found.into_iter().filter(|suggestion| suggestion.import.is_none() && suggestion.text.starts_with(word));
        Ok((start, fitting.map(|suggestion| pair(&suggestion.text)).collect()))
    }
}

fn pair(text: &str) -> Pair {
    Pair { display: text.to_owned(), replacement: text.to_owned() }
}

impl Validator for Assistant<'_> {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let input = context.input();
        let open = !input.starts_with(':') && syntax::is_unfinished(input);
        Ok(if open { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Hinter for Assistant<'_> {
    type Hint = String;
}

impl Highlighter for Assistant<'_> {}

impl Helper for Assistant<'_> {}
