//! `pdsl test [FILE…]`: `test` blocks, and the examples in doc comments.

use std::path::{Path, PathBuf};

use super::output::{self, Closed, Output};
use super::{Ended, Exit, Failure, place, program};
use crate::diag::codes::invocation;
use crate::diag::{Diagnostic, Severity, render};
use crate::eval::{self, Fingerprints};
use crate::ops;
use crate::reference::{Example, in_comments, in_words};
use crate::resolve::{self, Linked, library};
use crate::source::Sources;
use crate::types::{self, Typed};
use crate::world::World;

/// Directories in which nobody keeps programs.
const SKIPPED: [&str; 4] = ["results", "store", "target", "node_modules"];

/// Run the tests of programs and modules, and the examples in their documentation. Nothing is trained.
#[derive(Debug, clap::Args)]
pub(super) struct Test {
    /// Files; without any, all that end in `.pd` in this directory and below.
    files: Vec<PathBuf>,
    /// Run only tests and examples whose name contains this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Test the standard library.
    #[arg(long = "std", conflicts_with = "files")]
    library: bool,
}

/// How one test or example ended.
struct Outcome {
    name: String,
    /// What is wrong, in lines; empty if nothing is.
    trouble: Vec<String>,
}

/// How many tests ended how.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
}

impl Counts {
    /// Counts and prints what the tests of a file came to.
    fn show(&mut self, output: Output, name: &str, outcomes: &[Outcome]) -> Result<(), Closed> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let mut text = format!("{}\n", output.bold(name));
        for outcome in outcomes {
            let good = outcome.trouble.is_empty();
            self.passed += usize::from(good);
            self.failed += usize::from(!good);
            text += &format!("  {}  {}\n", if good { "ok    " } else { "FAILED" }, outcome.name);
            outcome.trouble.iter().for_each(|line| text += &format!("          {line}\n"));
        }
        output::data(&text)
    }
}

impl Test {
    pub(super) fn run(&self, world: &dyn World, output: Output) -> Ended {
        let mut counts = Counts::default();
        if self.library {
            for (name, text) in library::MODULES {
                counts.show(output, &format!("std/{name}.pd"), &self.of_library(world, name, text))?;
            }
        } else {
            let files = if self.files.is_empty() { found(Path::new("."))? } else { self.files.clone() };
            for path in files {
                counts.show(output, &shown(&path), &self.of_file(world, output, &path)?)?;
            }
        }
        if counts.passed + counts.failed == 0 {
            return Err(nothing(self.filter.as_deref()));
        }
        let line = format!("{} passed, {} failed", counts.passed, counts.failed);
        output::data(&format!("\n{}\n", output.bold(&line)))?;
        Ok(if counts.failed == 0 { Exit::Done } else { Exit::Failed })
    }

    fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    }

    /// Tests a file of one's own. Its mistakes are reported like those of any program.
    fn of_file(&self, world: &dyn World, output: Output, path: &Path) -> Result<Vec<Outcome>, Failure> {
        let text = place::read(world, path)?;
        if let Some((name, text)) = library::MODULES.iter().find(|(_, known)| *known == text) {
            return Ok(self.of_library(world, name, text));
        }
        let typed = program::check(world, path)?;
        if program::has_errors(&typed.diagnostics) {
            return Err(Failure::invalid(typed.linked.sources, typed.diagnostics));
        }
        if !typed.diagnostics.is_empty() {
            output.diagnostics(&typed.diagnostics, &typed.linked.sources);
        }
        let at_hand = program::at_hand(path);
        let mut outcomes = self.tests(&typed, typed.linked.root, &*at_hand);
        for example in in_comments(&text) {
            let name = format!("{}:{}", shown(path), example.line);
            let link = |text: &str| resolve::link_example(world, &name, path, text);
            outcomes.extend(self.example(&name, &example, &link, &*at_hand));
        }
        Ok(outcomes)
    }

    /// Tests a module of the standard library, and the examples of the stages that belong to it.
    fn of_library(&self, world: &dyn World, name: &str, text: &str) -> Vec<Outcome> {
        let import = if name == library::PRELUDE { String::new() } else { format!("import std.{name}\n") };
        let typed = types::check(resolve::link_text(world, "tests", &import));
        let at_hand = program::at_hand(Path::new(""));
        let module = typed.linked.find(&format!("std.{name}")).unwrap_or(typed.linked.root);
        let mut outcomes = self.tests(&typed, module, &*at_hand);
        let stages = ops::stages::ALL.iter().filter(|op| op.module == name);
        let of_stages =
            stages.flat_map(|op| in_words(op.doc).into_iter().map(|example| (format!("stage {}", op.name), example)));
        let of_text = in_comments(text).into_iter().map(|example| (format!("std/{name}.pd:{}", example.line), example));
        for (place, example) in of_text.chain(of_stages) {
            let link = |text: &str| resolve::link_text(world, &place, text);
            outcomes.extend(self.example(&place, &example, &link, &*at_hand));
        }
        outcomes
    }

    fn tests(&self, typed: &Typed, module: resolve::ModuleId, at_hand: &dyn Fingerprints) -> Vec<Outcome> {
        let sources = &typed.linked.sources;
        let wanted = |name: &str| self.wants(name);
        let done = eval::run_tests(typed, module, &wanted, at_hand);
        done.into_iter()
            .map(|done| {
                let failures = done.failures.iter().flat_map(|failure| {
                    let file = sources.get(failure.span.file);
                    let (line, column) = file.line_column(failure.span.start);
                    let condition = one_line(sources.slice(failure.span));
                    let head = format!("expect {condition}   ({}:{line}:{column})", file.name);
                    let sides = match &failure.sides {
                        Some([left, right]) => vec![format!("left = {left}"), format!("right = {right}")],
                        None => vec![format!("it is {}", failure.detail)],
                    };
                    [head].into_iter().chain(sides)
                });
                let trouble = failures.chain(lines(&done.errors, sources)).collect();
                Outcome { name: done.name, trouble }
            })
            .collect()
    }

    /// Checks and evaluates an example; `None` if it is not asked for.
    fn example(
        &self,
        name: &str,
        example: &Example,
        link: &dyn Fn(&str) -> Linked,
        at_hand: &dyn Fingerprints,
    ) -> Option<Outcome> {
        let name = format!("example {name}");
        if !self.wants(&name) {
            return None;
        }
        let typed = types::check(link(&example.text));
        let mut found = typed.diagnostics.clone();
        if typed.is_sound() {
            let (program, wrong) = eval::examine(&typed, at_hand);
            found.extend(wrong);
            found.extend(program.iter().flat_map(eval::Program::unmet));
        }
        found.retain(|found| found.severity == Severity::Error);
        Some(Outcome { name, trouble: lines(&found, &typed.linked.sources).collect() })
    }
}

fn lines<'a>(diagnostics: &'a [Diagnostic], sources: &'a Sources) -> impl Iterator<Item = String> + 'a {
    render::short(diagnostics, sources).lines().map(str::to_owned).collect::<Vec<_>>().into_iter()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shown(path: &Path) -> String {
    path.strip_prefix("./").unwrap_or(path).display().to_string()
}

/// Finds the programs in a directory and below.
fn found(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::outside(place::unreadable(directory, &error), Exit::Invalid);
    let mut entries: Vec<_> =
        std::fs::read_dir(directory).and_then(Iterator::collect::<Result<_, _>>).map_err(unreadable)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let mut files = Vec::new();
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() && !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
            files.extend(found(&path)?);
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "pd") {
            files.push(path.strip_prefix("./").map_or_else(|_| path.clone(), Path::to_path_buf));
        }
    }
    Ok(files)
}

fn nothing(filter: Option<&str>) -> Failure {
    let (message, help) = match filter {
        Some(filter) => (format!("no test has `{filter}` in its name"), "leave `--filter` out to run all of them"),
        None => ("there are no tests here".to_owned(), "write `test \"what it shows\" { expect … }` in a program"),
    };
    Failure::outside(Diagnostic::error(&invocation::NOTHING_TO_TEST, message).help(help), Exit::Invalid)
}
