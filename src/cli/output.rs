//! Standard output and standard error: colour, width, and a reader that stops reading.

use std::io::{self, IsTerminal, Write};

use crate::diag::Diagnostic;
use crate::diag::render::{self, Style};
use crate::source::Sources;
use crate::world::World;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How the two streams of this process are to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    /// Whether standard output is coloured.
    pub(super) color: bool,
    /// Whether standard error is coloured.
    pub(super) color_errors: bool,
    /// Whether standard error is a terminal on which lines may be redrawn.
    pub(super) live: bool,
    /// Columns of the terminal; 100 where there is none.
    pub(super) width: usize,
}

impl Output {
    /// Looks at the streams and the environment.
    pub(super) fn new(world: &dyn World, color: Color) -> Self {
        let dumb = world.variable("TERM").is_some_and(|term| term == "dumb");
        let plain = dumb || world.variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colored = |terminal: bool| match color {
            Color::Auto => terminal && !plain,
            Color::Always => true,
            Color::Never => false,
        };
        let errors = io::stderr().is_terminal();
        Self {
            color: colored(io::stdout().is_terminal()),
            color_errors: colored(errors),
            live: errors && !dumb,
            width: terminal_width(world),
        }
    }

    /// Writes diagnostics to standard error.
    pub(super) fn diagnostics(self, diagnostics: &[Diagnostic], sources: &Sources) {
        let style = Style { color: self.color_errors, width: self.width };
        let mut stream = io::stderr().lock();
        let _ = stream.write_all(render::fancy(diagnostics, sources, style).as_bytes());
    }

    /// Makes text bold where standard output is coloured.
    pub(super) fn bold(self, text: &str) -> String {
        if self.color { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Writes text to standard output as it is.
///
/// # Errors
/// [`Closed`] if nobody reads any more, or the text cannot be written.
pub(super) fn data(text: &str) -> Result<(), Closed> {
    let mut stream = io::stdout().lock();
    stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).map_err(Closed::from)
}

/// Formats a value as JSON with a line end.
///
/// # Errors
/// [`Closed`] if the value has no JSON form.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String, Closed> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Closed::Failed(error.into()))?;
    Ok(text + "\n")
}

/// Writes a line to standard error; a closed standard error is nobody's loss.
pub(super) fn note(text: &str) {
    let mut stream = io::stderr().lock();
    let _ = writeln!(stream, "{text}");
}

/// Standard output took no more.
#[derive(Debug)]
pub(super) enum Closed {
    /// The reader went away (`pdsl plan … | head`): not an error.
    Reader,
    /// Anything else, such as a full disk behind a redirection.
    Failed(io::Error),
}

impl From<io::Error> for Closed {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Reader } else { Self::Failed(error) }
    }
}

fn terminal_width(world: &dyn World) -> usize {
    let told = world.variable("COLUMNS").and_then(|columns| columns.parse().ok());
    let seen = || terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0));
    told.or_else(seen).unwrap_or(100).clamp(40, 140)
}
