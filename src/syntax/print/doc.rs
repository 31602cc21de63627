//! A small layout algebra after Wadler: text, possible line breaks, groups that are flat if they fit.

/// Columns that a line should keep to.
pub(super) const WIDTH: usize = 100;
/// Columns per level.
const INDENT: usize = 2;

/// A layout with choices.
#[derive(Clone, Debug)]
pub(super) enum Doc {
    /// Text without a line break.
    Text(String),
    /// A blank, or a line break in a broken group.
    Line,
    /// Nothing, or a line break in a broken group.
    SoftLine,
    /// A line break; breaks the groups around it up to the next fence.
    HardLine,
    /// An empty line, then a line break.
    BlankLine,
    /// Text only in a broken group.
    IfBroken(&'static str),
    /// A comment for the end of the line; breaks the groups around it up to the next fence.
    Suffix(String),
    /// One after the other.
    Concat(Vec<Doc>),
    /// One level further in.
    Nest(Box<Doc>),
    /// Flat if it fits, otherwise broken.
    Group(Box<Doc>, bool),
    /// Broken in itself, without breaking what is around it.
    Fence(Box<Doc>),
    /// Pieces with a separator before each but the first; soft separators break only where the line is full.
    Fill(Vec<(Separator, Doc)>),
}

/// What stands between two pieces of a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    /// A blank, or a line break where the next piece does not fit.
    Soft,
    /// A line break.
    Hard,
    /// An empty line.
    Blank,
}

pub(super) fn text(text: impl Into<String>) -> Doc {
    Doc::Text(text.into())
}

pub(super) fn concat(parts: impl IntoIterator<Item = Doc>) -> Doc {
    Doc::Concat(parts.into_iter().collect())
}

pub(super) fn nest(doc: Doc) -> Doc {
    Doc::Nest(Box::new(doc))
}

pub(super) fn fence(doc: Doc) -> Doc {
    Doc::Fence(Box::new(doc))
}

pub(super) fn group(doc: Doc) -> Doc {
    let broken = breaks(&doc);
    Doc::Group(Box::new(doc), broken)
}

/// Whether a document has a break that its group cannot avoid.
pub(super) fn breaks(doc: &Doc) -> bool {
    match doc {
        Doc::HardLine | Doc::BlankLine | Doc::Suffix(_) => true,
        Doc::Text(_) | Doc::Line | Doc::SoftLine | Doc::IfBroken(_) | Doc::Fence(_) => false,
        Doc::Concat(parts) => parts.iter().any(breaks),
        Doc::Nest(inner) => breaks(inner),
        Doc::Group(_, broken) => *broken,
        Doc::Fill(pieces) => {
            pieces.iter().skip(1).any(|(separator, _)| *separator != Separator::Soft)
                || pieces.iter().any(|(_, piece)| breaks(piece))
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Flat,
    Broken,
}

#[derive(Clone, Copy)]
struct Command<'a> {
    indent: usize,
    mode: Mode,
    doc: &'a Doc,
}

/// Lays a document out.
pub(super) fn lay_out(doc: &Doc) -> String {
    let mut writer = Writer { out: String::new(), column: 0, suffixes: Vec::new() };
    let mut stack = vec![Command { indent: 0, mode: Mode::Broken, doc }];
    while !stack.is_empty() {
        step(&mut stack, &mut writer);
    }
    writer.flush();
    writer.out
}

/// Lays out the pieces one by one, because each separator depends on where the line stands by then.
fn fill<'a>(
    pieces: &'a [(Separator, Doc)],
    indent: usize,
    mode: Mode,
    stack: &mut Vec<Command<'a>>,
    writer: &mut Writer,
) {
    for (nth, (separator, piece)) in pieces.iter().enumerate() {
        let flat = Command { indent, mode: Mode::Flat, doc: piece };
        let room = WIDTH.saturating_sub(writer.column + 1);
        match separator {
            _ if nth == 0 => {}
            Separator::Blank => writer.newline(indent, true),
            Separator::Soft if mode == Mode::Flat || (!breaks(piece) && fits(flat, &[], room)) => writer.text(" "),
            Separator::Hard | Separator::Soft => writer.newline(indent, false),
        }
        // Each piece is laid out to its end before the next separator is chosen.
        let floor = stack.len();
        stack.push(Command { mode, ..flat });
        while stack.len() > floor {
            step(stack, writer);
        }
    }
}

/// Carries out the uppermost command.
fn step(stack: &mut Vec<Command<'_>>, writer: &mut Writer) {
    let Some(Command { indent, mode, doc }) = stack.pop() else { return };
    match doc {
        Doc::Text(text) => writer.text(text),
        Doc::Line if mode == Mode::Flat => writer.text(" "),
        Doc::SoftLine if mode == Mode::Flat => {}
        Doc::Line | Doc::SoftLine | Doc::HardLine => writer.newline(indent, false),
        Doc::BlankLine => writer.newline(indent, true),
        Doc::IfBroken(text) => {
            if mode == Mode::Broken {
                writer.text(text);
            }
        }
        Doc::Suffix(text) => writer.suffixes.push(text.clone()),
        Doc::Concat(parts) => stack.extend(parts.iter().rev().map(|doc| Command { indent, mode, doc })),
        Doc::Nest(inner) => stack.push(Command { indent: indent + INDENT, mode, doc: inner }),
        Doc::Fence(inner) => stack.push(Command { indent, mode: Mode::Broken, doc: inner }),
        Doc::Group(inner, broken) => {
            let flat = Command { indent, mode: Mode::Flat, doc: inner };
            let fits = !broken && (mode == Mode::Flat || fits(flat, stack, WIDTH.saturating_sub(writer.column)));
            stack.push(Command { mode: if fits { Mode::Flat } else { Mode::Broken }, ..flat });
        }
        Doc::Fill(pieces) => fill(pieces, indent, mode, stack, writer),
    }
}

/// Whether everything up to the next line break fits.
fn fits(first: Command<'_>, rest: &[Command<'_>], room: usize) -> bool {
    let mut room = room as isize;
    let mut own = vec![first];
    let mut rest = rest.iter().rev();
    loop {
        let Some(Command { indent, mode, doc }) = own.pop().or_else(|| rest.next().copied()) else { return true };
        match doc {
            Doc::Text(text) => room -= text.chars().count() as isize,
            Doc::Line if mode == Mode::Flat => room -= 1,
            Doc::SoftLine if mode == Mode::Flat => {}
            Doc::Line | Doc::SoftLine | Doc::HardLine | Doc::BlankLine => return room >= 0,
            Doc::IfBroken(text) => room -= if mode == Mode::Broken { text.len() as isize } else { 0 },
            Doc::Suffix(_) => {}
            Doc::Concat(parts) => own.extend(parts.iter().rev().map(|doc| Command { indent, mode, doc })),
            Doc::Nest(inner) => own.push(Command { indent, mode, doc: inner }),
            Doc::Fence(inner) => own.push(Command { indent, mode: Mode::Broken, doc: inner }),
            Doc::Group(inner, broken) => {
                own.push(Command { indent, mode: if *broken { Mode::Broken } else { Mode::Flat }, doc: inner });
            }
            Doc::Fill(pieces) => {
                for (nth, (separator, piece)) in pieces.iter().enumerate().rev() {
                    own.push(Command { indent, mode, doc: piece });
                    if nth > 0 {
                        let separator = if *separator == Separator::Soft { &Doc::Line } else { &Doc::HardLine };
                        own.push(Command { indent, mode: Mode::Flat, doc: separator });
                    }
                }
            }
        }
        if room < 0 {
            return false;
        }
    }
}

struct Writer {
    out: String,
    column: usize,
    /// Comments that wait for the end of the line.
    suffixes: Vec<String>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn flush(&mut self) {
        for suffix in self.suffixes.drain(..) {
            self.out.push(' ');
            self.out.push_str(&suffix);
        }
    }

    fn newline(&mut self, indent: usize, blank: bool) {
        self.flush();
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push_str(if blank { "\n\n" } else { "\n" });
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }
}
