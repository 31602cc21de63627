//! Golden tests of the language: programs with their diagnostics written below the lines; see `tests/suite/README.md`.

#![expect(clippy::print_stderr, reason = "a harness of its own speaks for itself")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use pdsl::diag::{Diagnostic, Label, Severity};
use pdsl::eval;
use pdsl::resolve;
use pdsl::source::{FileId, Sources};
use pdsl::syntax;
use pdsl::types;
use pdsl::world::Machine;

/// How far a case goes; the folder decides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Syntax only.
    Parse,
    /// Syntax, imports, names, types.
    Check,
    /// All of these and, if there are no errors, the evaluation.
    Evaluate,
}

impl Stage {
    fn of(path: &Path) -> Self {
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        match folder.to_str() {
            Some("syntax" | "programs") => Self::Parse,
            Some("facts") => Self::Evaluate,
            _ => Self::Check,
        }
    }
}

/// A named section of a file.
#[derive(Clone)]
struct Case {
    name: String,
    /// The program, with the annotations in it.
    text: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    if std::env::var_os("BLESS").is_some() {
        for file in &files {
            bless(file);
        }
    }
    let mut trials = Vec::new();
    for file in files {
        let shown = file.strip_prefix(&root).unwrap_or(&file).with_extension("");
        for case in cases(&std::fs::read_to_string(&file).unwrap_or_default()) {
            let stage = Stage::of(&file);
            let name = format!("{}::{}", shown.display(), case.name).replace(' ', "_");
            trials.push(Trial::test(name, move || run(&case, stage)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "pd") {
            found.push(path);
        }
    }
}

/// Cuts a file at `// --- name ---`; a file without such a line is one case.
fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.split_inclusive('\n') {
        match section(line) {
            Some(name) => cases.push(Case { name: name.to_owned(), text: String::new() }),
            None => match cases.last_mut() {
                Some(case) => case.text.push_str(line),
                None => cases.push(Case { name: "file".to_owned(), text: line.to_owned() }),
            },
        }
    }
    cases.retain(|case| !(case.name == "file" && case.text.trim().is_empty()));
    cases
}

fn section(line: &str) -> Option<&str> {
    line.trim_end().strip_prefix("// --- ")?.strip_suffix(" ---")
}

fn is_annotation(line: &str) -> bool {
    ["// Error: ", "// Warning: ", "// Hint: ", "// Note: "].iter().any(|mark| line.trim_start().starts_with(mark))
}

/// The annotations of a case as `line: text`, and as the program shows them.
fn expected(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut about = 0;
    for (nth, line) in text.lines().enumerate() {
        if is_annotation(line) {
            found.push(format!("{about}: {}", line.trim()));
        } else {
            about = nth + 1;
        }
    }
    found
}

fn diagnose(text: &str, stage: Stage) -> (Vec<Diagnostic>, Sources, FileId) {
    match stage {
        Stage::Parse => {
            let mut sources = Sources::default();
            let file = sources.add("case.pd", None, text);
            (syntax::parse(file, text).1, sources, file)
        }
        Stage::Check | Stage::Evaluate => {
            let mut typed = types::check(resolve::link_text(&Machine, "case.pd", text));
            if stage == Stage::Evaluate && typed.is_sound() {
                let evaluated = eval::evaluate(&typed, &eval::Overrides::default(), &Nothing);
                typed.diagnostics.extend(evaluated.map_or_else(|found| found, |program| program.warnings));
            }
            let file =
                typed.linked.sources.iter().find(|(_, file)| &*file.name == "case.pd").map_or(FileId(0), |(id, _)| id);
            (typed.diagnostics, typed.linked.sources, file)
        }
    }
}

/// A machine without data and weights.
struct Nothing;

impl eval::Fingerprints for Nothing {
    fn digest(&self, _: eval::External<'_>) -> Option<String> {
        None
    }

    fn weights(&self, _: &str) -> std::io::Result<eval::Weights> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// What the annotations should be: the line each belongs to, and its text.
fn actual(text: &str, stage: Stage) -> Vec<(usize, String)> {
    let (diagnostics, sources, file) = diagnose(text, stage);
    let mut found = Vec::new();
    for diagnostic in diagnostics {
        let kind = if diagnostic.severity == Severity::Error { "Error" } else { "Warning" };
        let place = |label: Option<&Label>| match label {
            Some(label) if label.span.file == file => {
                let (line, column) = sources.get(file).line_column(label.span.start);
                let (end_line, end_column) = sources.get(file).line_column(label.span.end);
                let end = if end_line == line { String::new() } else { format!("+{}:", end_line - line) };
                (line, format!("{column}-{end}{end_column} "))
            }
            Some(label) => (0, format!("[{}] ", sources.get(label.span.file).name)),
            None => (0, String::new()),
        };
        // Where a fact is wrong, two places often belong together.
        for label in diagnostic.labels.iter().skip(1).filter(|_| stage == Stage::Evaluate) {
            let (line, place) = place(Some(label));
            found.push((line, format!("// Note: {place}{}", label.text)));
        }
        let (line, place) = place(diagnostic.labels.first());
        found.push((line, format!("// {kind}: {place}{}", diagnostic.message)));
        for help in diagnostic.help.iter().flat_map(|help| help.lines()) {
            found.push((line, format!("// Hint: {place}{help}")));
        }
    }
    found
}

fn run(case: &Case, stage: Stage) -> Result<(), Failed> {
    let mut wanted = expected(&case.text);
    let mut found: Vec<String> =
        actual(&case.text, stage).into_iter().map(|(line, text)| format!("{line}: {text}")).collect();
    wanted.sort();
    found.sort();
    if wanted == found {
        return Ok(());
    }
    let mut message = String::new();
    for line in wanted.iter().filter(|line| !found.contains(line)) {
        let _ = writeln!(message, "not reported  line {line}");
    }
    for line in found.iter().filter(|line| !wanted.contains(line)) {
        let _ = writeln!(message, "not expected  line {line}");
    }
    Err(message.into())
}

/// Writes the annotations anew. Read the difference before you commit it.
fn bless(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut blessed = String::new();
    for case in cases(&text) {
        if text.contains("// --- ") {
            let _ = writeln!(blessed, "// --- {} ---", case.name);
        }
        let program: String = case.text.split_inclusive('\n').filter(|line| !is_annotation(line)).collect();
        let found = actual(&program, Stage::of(path));
        for (_, annotation) in found.iter().filter(|(line, _)| *line == 0) {
            let _ = writeln!(blessed, "{annotation}");
        }
        for (nth, line) in program.split_inclusive('\n').enumerate() {
            blessed.push_str(line);
            for (_, annotation) in found.iter().filter(|(about, _)| *about == nth + 1) {
                let _ = writeln!(blessed, "{annotation}");
            }
        }
    }
    if blessed != text && std::fs::write(path, blessed).is_err() {
        eprintln!("{} cannot be written", path.display());
    }
}
