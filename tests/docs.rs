//! Every program in the documentation checks and evaluates, and what it expects without a run holds: in the README, in
//! `docs/`, and in the words about stages. The reference is up to date.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pdsl::diag::{Severity, render};
use pdsl::eval::{self, External, Fingerprints, Program, Weights};
use pdsl::reference::{self, Example, in_words};
use pdsl::world::Machine;
use pdsl::{ops, resolve, types};

/// No data on disk, no weights.
struct Nothing;

impl Fingerprints for Nothing {
    fn digest(&self, _: External<'_>) -> Option<String> {
        None
    }

    fn weights(&self, file: &str) -> io::Result<Weights> {
        // Pages speak of weights that their reader has.
        Ok(Weights { digest: "0".repeat(64), path: PathBuf::from(file) })
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

/// What is wrong with a program, a line each.
fn mistakes(name: &str, text: &str) -> String {
    let typed = types::check(resolve::link_text(&Machine, name, text));
    let mut found = typed.diagnostics.clone();
    if typed.is_sound() {
        let (program, wrong) = eval::examine(&typed, &Nothing);
        found.extend(wrong);
        found.extend(program.iter().flat_map(Program::unmet));
    }
    found.retain(|found| found.severity == Severity::Error);
    render::short(&found, &typed.linked.sources)
}

fn all_mistakes(examples: impl IntoIterator<Item = (String, Example)>) -> String {
    let of = |(place, example): (String, Example)| mistakes(&format!("{place}:{}", example.line), &example.text);
    examples.into_iter().map(of).collect()
}

#[test]
fn every_program_in_the_documentation_holds() {
    let in_page = |page: PathBuf| {
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        in_words(&fs::read_to_string(&page).unwrap()).into_iter().map(move |example| (name.clone(), example))
    };
    // The reference repeats the comments of the library, which are tested where they stand.
    let pages = pages().into_iter().filter(|page| !page.ends_with("reference.md"));
    let wrong = all_mistakes(pages.flat_map(in_page));
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_program_in_the_words_about_stages_holds() {
    let of = |op: &&ops::Op| {
        in_words(&op.words()).into_iter().map(|example| (op.name.to_owned(), example)).collect::<Vec<_>>()
    };
    let wrong = all_mistakes(ops::stages::ALL.iter().flat_map(of));
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_reference_is_up_to_date() {
    let path = root().join("docs/reference.md");
    let page = reference::page(reference::library());
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "docs/reference.md is out of date: BLESS=1 cargo test --test docs");
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        // What stands in a program is no link.
        let words: String = text.split("```").step_by(2).collect();
        for target in words.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap();
            let exists = path.is_empty() || path.starts_with("http") || page.parent().unwrap().join(path).exists();
            assert!(exists, "{}: {target}", page.display());
        }
    }
}
