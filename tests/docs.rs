//! Every program in the README and in `docs/` parses and checks.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use pdsl::diag::render;
use pdsl::world::Machine;
use pdsl::{resolve, types};

/// Returns the line and the text of each block that is marked as a program.
fn programs(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (at, line) in text.lines().enumerate() {
        match (&mut open, line.trim_end()) {
            (None, "```pd") => open = Some((at + 2, String::new())),
            (Some(_), "```") => found.extend(open.take()),
            (Some((_, block)), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.push(root.join("README.md"));
    pages.sort();
    pages
}

#[test]
fn every_program_in_the_documentation_checks() {
    let mut mistakes = String::new();
    for page in pages() {
        for (line, text) in programs(&fs::read_to_string(&page).unwrap()) {
            let name = format!("{}:{line}", page.file_name().unwrap().to_string_lossy());
            let typed = types::check(resolve::link_text(&Machine, &name, &text));
            mistakes += &render::short(&typed.diagnostics, &typed.linked.sources);
        }
    }
    assert!(mistakes.is_empty(), "{mistakes}");
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap();
            let exists = path.is_empty() || path.starts_with("http") || page.parent().unwrap().join(path).exists();
            assert!(exists, "{}: {target}", page.display());
        }
    }
}
