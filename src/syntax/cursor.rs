//! The declaration that is being typed: read as if it made sense already.

use super::relocate::Move;
use super::scan::{Token, TokenKind};
use super::tree::Item;
use super::{Source, words};
use crate::source::FileId;

/// The name that stands for what is being typed. Nobody calls anything so.
pub const CURSOR: &str = "zz_cursor";

/// At most so many ways to close what is open are tried.
const MOST: usize = 96;

/// Reads the declaration around a place with [`CURSOR`] put in there: as it stands, or else cut off behind the place and
/// closed. Offsets before the place are those of the text.
pub fn item_at_cursor(file: FileId, text: &str, place: usize) -> Option<Item> {
    let chunk = declaration_at(file, text, place)?;
    let (before, after) = (text.get(chunk.0..place)?, text.get(place..chunk.1.max(place))?);
    let whole = format!("{before}{CURSOR}{after}");
    let moved = Move { file, by: chunk.0 as i64 };
    if let Some(item) = alone(file, &whole) {
        return Some(moved.item(&item));
    }
    let quote = if super::scan::scan(file, before).guesses.is_empty() { "" } else { "\"" };
    let cut = format!("{before}{CURSOR}{quote}");
    endings(file, &cut).iter().find_map(|ending| alone(file, &format!("{cut}{ending}"))).map(|item| moved.item(&item))
}

/// The range of the declaration around a place; one that ends right before it goes on to it.
fn declaration_at(file: FileId, text: &str, place: usize) -> Option<(usize, usize)> {
    let source = Source::new(file, text);
    let after = source.chunks.partition_point(|chunk| chunk.start <= place);
    let chunk = source.chunks.get(after.checked_sub(1)?)?;
    Some((chunk.start, chunk.end))
}

/// Reads a text that is one declaration and nothing else.
fn alone(file: FileId, text: &str) -> Option<Item> {
    let source = Source::new(file, text);
    let [chunk] = source.chunks.as_slice() else { return None };
    if !chunk.declares || !source.is_clean(chunk) {
        return None;
    }
    let read = source.item(chunk);
    read.item.filter(|_| read.diagnostics.is_empty())
}

/// A bracket that is open, or the declaration itself.
#[derive(Clone, Copy, Default)]
struct Frame {
    /// The bracket; none for the declaration.
    bracket: Option<u8>,
    /// It is the first block of an `if`, which needs its `else`.
    then: bool,
    /// What has begun in it and has no body yet.
    pending: Option<Pending>,
    /// The first words in it say that it is a record.
    record: bool,
}

/// What needs a body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pending {
    /// `for`, `sweep`; with its `in` or without.
    Loop(bool),
    If,
    /// The `else` of an `if` whose first block is closed.
    Else,
}

/// Ways to close every bracket that is open at the end of a text, likeliest first.
fn endings(file: FileId, text: &str) -> Vec<String> {
    let mut frames = frames(file, text);
    let mut endings = vec![String::new()];
    while let Some(frame) = frames.pop() {
        let body = match frame.pending {
            None => "",
            Some(Pending::Loop(true)) => " { 0 }",
            Some(Pending::Loop(false)) => " in [0] { 0 }",
            Some(Pending::If) => " { 0 } else { 0 }",
            Some(Pending::Else) => " else { 0 }",
        };
        let values: &[&str] = match frame.bracket {
            Some(b'{') if frame.record => &["", ": 0"],
            Some(b'{') => &["", " 0", " = 0 0", ": 0"],
            Some(_) => &[""],
            // A definition that is cut off before its value.
            None => &["", " = 0", "() { 0 }", " { 0 }", ": Int = 0"],
        };
        let close = match frame.bracket {
            Some(b'(') => ")",
            Some(b'[') => "]",
            Some(_) if frame.then => "} else { 0 }",
            Some(_) => "}",
            None => "",
        };
        let more =
            |inner: &String| values.iter().map(|value| format!("{inner}{body}{value} {close}")).collect::<Vec<_>>();
        endings = endings.iter().flat_map(more).collect();
        endings.sort_by_key(String::len);
        endings.truncate(MOST);
    }
    endings
}

fn frames(file: FileId, text: &str) -> Vec<Frame> {
    let scan = super::scan::scan(file, text);
    let word = |at: usize| scan.tokens.get(at).map_or("", |token: &Token| &text[token.start..token.end]);
    let mut frames = vec![Frame::default()];
    for (at, token) in scan.tokens.iter().enumerate() {
        let top = frames.len() - 1;
        match token.kind {
            TokenKind::Open(bracket) => {
                let mut frame = Frame { bracket: Some(bracket), ..Frame::default() };
                if bracket == b'{' {
                    frame.record = word(at + 2) == ":" || word(at + 1) == ".";
                    frame.then = frames[top].pending == Some(Pending::If);
                    frames[top].pending = None;
                }
                frames.push(frame);
            }
            TokenKind::Close(_) if top > 0 => {
                let closed = frames.pop();
                if closed.is_some_and(|frame| frame.then) {
                    frames[top - 1].pending = Some(Pending::Else);
                }
            }
            TokenKind::Word => {
                let pending = &mut frames[top].pending;
                match (word(at), *pending) {
                    ("for" | "sweep", _) => *pending = Some(Pending::Loop(false)),
                    ("in", Some(Pending::Loop(_))) => *pending = Some(Pending::Loop(true)),
                    // The filter of a loop.
                    ("if", Some(Pending::Loop(_))) => {}
                    ("if", _) => *pending = Some(Pending::If),
                    ("else", _) => *pending = None,
                    (other, Some(Pending::Else)) if words::is_declaration(other) => *pending = None,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::{CURSOR, item_at_cursor};
    use crate::source::FileId;

    /// Checks that the text around `|` can be read with the cursor in it.
    fn reads(marked: &str) -> bool {
        let place = marked.find('‖').unwrap();
        let text = marked.replacen('‖', "", 1);
        item_at_cursor(FileId(0), &text, place).is_some_and(|item| format!("{:?}", item.kind).contains(CURSOR))
    }

    #[test]
    fn unfinished_declarations_are_read() {
        for marked in [
            "let a = ‖",
            "let a = task.‖",
            "let a = train(s, ‖",
            "let a = train(s, task, until: ‖)\nlet b = 2\n",
            "let runs = sweep seed in seeds(3) {\n  let dense = init(‖\n}\nlet b = 1\n",
            "let runs = sweep seed in seeds(3) {\n  let dense = resnet20(classes: task.‖\n",
            "let runs = sweep seed in seeds(3) {\n  let dense = f(1)\n  for s in imp(dense, ‖\n",
            "table t = runs |> summary(by: [.‖], over: .seed)",
            "table t = runs |> summary(by: [.‖\nplot p = 1\n",
            "let a = if x { b.‖",
            "fn f(s: State) -> State {\n  s |> prune(‖\n}\n",
            "test \"t\" {\n  let s = f(1)\n  expect s.‖\n}\n",
            "param rate: Ratio = ‖",
            "param rate: ‖",
            "let a = { ..lite2018, ‖",
            "let a = [f(x), g(if y { 1 } else { h(‖",
            "let a = for x in xs { if x > 1 { let y = x‖",
            "let a = netdissect(dense, layer: \"lay‖",
            "let runs = sweep seed in seeds(3), rate in [‖",
        ] {
            assert!(reads(marked), "{marked}");
        }
    }
}
