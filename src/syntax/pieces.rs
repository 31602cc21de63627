//! What a parse may take over from the parse of an earlier text: everything before and behind the edit.

use std::ops::Range;

use super::chunks::Chunk;
use super::relocate::Move;
use super::tree::File;
use super::{Read, Source};
use crate::diag::Diagnostic;
use crate::source::FileId;

/// The pieces that a text was cut into, with what each came to.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    text: String,
    list: Vec<Piece>,
}

#[derive(Clone, Debug)]
struct Piece {
    range: Range<usize>,
    /// What its text by itself came to; absent where it was not read to its end, or says only with others what it means.
    kept: Option<Kept>,
}

/// The place of a piece's item in the file, if it holds one, and what is wrong with it.
type Kept = (Option<usize>, Vec<Diagnostic>);

impl Pieces {
    /// Remembers what each piece of a text came to.
    pub(super) fn of(source: &Source<'_>, kept: Vec<Option<Kept>>) -> Self {
        let pieces = source.chunks.iter().zip(kept);
        let list = pieces.map(|(chunk, kept)| Piece { range: chunk.start..chunk.end, kept }).collect();
        Self { text: source.text.to_owned(), list }
    }
}

/// More pieces than this are read on several threads.
const FEW: usize = 64;

/// Stack of a thread that reads pieces: as deep as the main thread's.
const STACK: usize = 8 << 20;

/// Reads all pieces of a text, and takes over what an earlier text had at its beginning and at its end.
pub(super) fn read(source: &Source<'_>, previous: Option<&File>) -> Vec<Read> {
    let chunks = &source.chunks;
    let old = previous.map(|file| (file, &file.pieces));
    let same = |at: usize, before: usize| {
        old.is_some_and(|(_, pieces)| {
            let (piece, chunk) = (&pieces.list[before], &chunks[at]);
            piece.kept.is_some()
                && source.text[chunk.start..chunk.end] == pieces.text[piece.range.clone()]
                && source.is_clean(chunk)
        })
    };
    let known = old.map_or(0, |(_, pieces)| pieces.list.len());
    let most = known.min(chunks.len());
    let head = (0..most).take_while(|&at| same(at, at)).count();
    let tail = (0..most - head).take_while(|&back| same(chunks.len() - 1 - back, known - 1 - back)).count();
    let middle = head..chunks.len() - tail;
    let mut fresh = read_all(source, middle.clone()).into_iter();
    let whole = |(at, chunk): (usize, &Chunk)| {
        let before = if at < head { at } else { (at + known).saturating_sub(chunks.len()) };
        let earlier = old.filter(|_| !middle.contains(&at));
        let again = earlier.and_then(|(file, pieces)| take_over(file, &pieces.list[before], source.file, chunk));
        again.or_else(|| fresh.next()).unwrap_or_default()
    };
    chunks.iter().enumerate().map(whole).collect()
}

fn take_over(file: &File, piece: &Piece, to: FileId, chunk: &Chunk) -> Option<Read> {
    let (item, diagnostics) = piece.kept.as_ref()?;
    let moved = Move { file: to, by: chunk.start as i64 - piece.range.start as i64 };
    let item = item.and_then(|at| file.items.get(at)).map(|item| {
        let mut item = moved.item(item);
        item.docs.clone_from(&chunk.docs);
        item
    });
    let diagnostics = diagnostics.iter().map(|found| moved.diagnostic(found)).collect();
    Some(Read { item, diagnostics, complete: true })
}

fn read_all(source: &Source<'_>, range: Range<usize>) -> Vec<Read> {
    let chunks = &source.chunks[range];
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(chunks.len() / FEW);
    if threads < 2 {
        return chunks.iter().map(|chunk| source.item(chunk)).collect();
    }
    let share = chunks.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let start = |part| {
            let work = move || part_of(source, part);
            std::thread::Builder::new().name("parse".to_owned()).stack_size(STACK).spawn_scoped(scope, work)
        };
        let parts: Vec<_> = chunks.chunks(share).map(|part| (part, start(part))).collect();
        let read = |(part, thread): (_, std::io::Result<std::thread::ScopedJoinHandle<'_, Vec<Read>>>)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => part_of(source, part),
        };
        parts.into_iter().flat_map(read).collect()
    })
}

fn part_of(source: &Source<'_>, part: &[Chunk]) -> Vec<Read> {
    part.iter().map(|chunk| source.item(chunk)).collect()
}
