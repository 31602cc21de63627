//! What holds for every input: laws of the language, each a function of bytes that panics if it is broken.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pdsl::diag::{Diagnostic, render};
use pdsl::eval::{self, External, Fingerprints, Overrides, Weights};
use pdsl::graph::Dependencies;
use pdsl::resolve::Linked;
use pdsl::source::FileId;
use pdsl::types::Typed;
use pdsl::world::World;
use pdsl::{resolve, syntax, types};

use super::choices::Choices;
use super::experiments::{Experiment, Manner};
use super::programs;

/// Reading any text ends in a tree and places inside the text.
pub(crate) fn parse(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (_, found) = syntax::parse(FileId(0), &text);
    for label in found.iter().flat_map(|diagnostic| &diagnostic.labels) {
        let (start, end) = (label.span.start as usize, label.span.end as usize);
        assert!(start <= end && end <= text.len(), "{label:?} is not in {text:?}");
        assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{label:?} cuts a character of {text:?}");
    }
}

/// What can be read can be printed, means the same afterwards, and is printed the same again.
pub(crate) fn parse_print_parse(bytes: &[u8]) {
    // Half of the bytes are text as they are, half become programs, which are read more often.
    let text = match bytes.split_first() {
        Some((first, rest)) if first % 2 == 1 => programs::program(rest),
        _ => String::from_utf8_lossy(bytes.get(1..).unwrap_or_default()).into_owned(),
    };
    let (tree, found) = syntax::parse(FileId(0), &text);
    if !found.is_empty() {
        return;
    }
    let printed = syntax::print(&tree, &text);
    let (again, found) = syntax::parse(FileId(0), &printed);
    assert!(found.is_empty(), "{text}\n--- printed ---\n{printed}\n{found:#?}");
    assert_eq!(placeless(&tree), placeless(&again), "{text}\n--- printed ---\n{printed}");
    assert_eq!(syntax::print(&again, &printed), printed, "{text}");
}

/// A tree as text without its places.
fn placeless(tree: &syntax::tree::File) -> String {
    let text = format!("{:?} {:?}", tree.docs, tree.items);
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("Span { ") {
        kept.push_str(&rest[..at]);
        rest = rest[at..].find('}').map_or("", |end| &rest[at + end + 1..]);
    }
    kept + rest
}

/// Mistakes that types are there to rule out.
const TYPE_ERRORS: [&str; 3] = ["PD0324", "PD0330", "PD0332"];

/// The checker takes any program, and what it accepts raises no type error when it is evaluated.
pub(crate) fn check(bytes: &[u8]) {
    let text = programs::program(bytes);
    let typed = checked(&text);
    if !typed.is_sound() {
        return;
    }
    if let Err(found) = eval::evaluate(&typed, &Overrides::default(), &Nowhere) {
        let wrong: Vec<Diagnostic> = found.into_iter().filter(|found| TYPE_ERRORS.contains(&found.code.id)).collect();
        assert!(wrong.is_empty(), "{text}\n{}", render::short(&wrong, &typed.linked.sources));
    }
}

/// Names, order, layout and comments change no key; a literal does.
pub(crate) fn canon(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let experiment = Experiment::draw(&mut choices);
    let (one, other) = (Manner::draw(&mut choices), Manner::draw(&mut choices));
    let changed = experiment.changed(&mut choices);
    let (first, second) = (experiment.text(&one), experiment.text(&other));
    let keys_of_first = keys(&first);
    assert_eq!(keys_of_first, keys(&second), "{first}\n--- the same ---\n{second}");
    let third = changed.text(&other);
    assert_ne!(keys_of_first, keys(&third), "{first}\n--- changed ---\n{third}");
}

fn keys(text: &str) -> BTreeSet<String> {
    let typed = checked(text);
    let tell = |found: &[Diagnostic]| format!("{text}\n{}", render::short(found, &typed.linked.sources));
    assert!(typed.is_sound(), "{}", tell(&typed.diagnostics));
    match eval::evaluate(&typed, &Overrides::default(), &Nowhere) {
        Ok(program) => {
            let needed = Dependencies::of(&program.graph, program.demands().all());
            needed.order().into_iter().map(|id| program.graph.key(id).to_string()).collect()
        }
        Err(found) => panic!("{}", tell(&found)),
    }
}

thread_local! {
    /// Everything that programs import. It is the same each time and is read once.
    static LIBRARY: Linked = resolve::link_text(&Alone(""), "fuzz.pd", programs::IMPORTS);
}

fn checked(text: &str) -> Typed {
    types::check(LIBRARY.with(|library| resolve::link_again(&Alone(text), Path::new("fuzz.pd"), library)))
}

/// A world in which there is one file.
struct Alone<'a>(&'a str);

impl World for Alone<'_> {
    fn read(&self, _: &Path) -> std::io::Result<String> {
        Ok(self.0.to_owned())
    }

    fn canonical(&self, path: &Path) -> std::io::Result<PathBuf> {
        Ok(path.to_owned())
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

/// A place without stored networks, in which all built-in data are at hand.
struct Nowhere;

impl Fingerprints for Nowhere {
    fn digest(&self, data: External<'_>) -> Option<String> {
        Some(format!("digest of {}", data.name()))
    }

    fn weights(&self, _: &str) -> std::io::Result<Weights> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}
