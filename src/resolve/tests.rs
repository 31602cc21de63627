use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Linked, Target, link, link_text};
use crate::diag::codes::names;
use crate::world::World;

/// Files in memory.
struct Memory(BTreeMap<PathBuf, &'static str>);

impl World for Memory {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.0.get(path).map(|text| (*text).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        let mut plain = PathBuf::new();
        for part in path.components() {
            match part {
                std::path::Component::CurDir => {}
                std::path::Component::ParentDir => {
                    plain.pop();
                }
                other => plain.push(other),
            }
        }
        if self.0.contains_key(&plain) { Ok(plain) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

fn files(files: &[(&str, &'static str)]) -> Linked {
    let world = Memory(files.iter().map(|(path, text)| (PathBuf::from(path), *text)).collect());
    link(&world, Path::new(files[0].0))
}

fn text(text: &str) -> Linked {
    link_text(&Memory(BTreeMap::new()), "test.pd", text)
}

/// Asserts one report with this code, message, text under the first label, and help.
#[track_caller]
fn fails(linked: &Linked, code: &str, message: &str, label: &str, help: &str) {
    let found = &linked.diagnostics;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].code.id, code);
    assert_eq!(found[0].message, message);
    assert_eq!(found[0].labels.first().map_or("", |first| linked.sources.slice(first.span)), label);
    assert_eq!(found[0].help.as_deref().unwrap_or(""), help);
}

#[track_caller]
fn clean(linked: &Linked) {
    assert!(linked.diagnostics.is_empty(), "{:#?}", linked.diagnostics);
}

#[test]
fn the_standard_library_links() {
    let imports: String = super::library::MODULES
        .iter()
        .filter(|(module, _)| *module != "prelude")
        .fold(String::new(), |text, (module, _)| text + "import std." + module + "\n");
    let linked = text(&imports);
    let unknown: Vec<_> = linked.diagnostics.iter().filter(|found| found.code.id != names::UNKNOWN_NAME.id).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn order_does_not_matter_and_items_follow_their_needs() {
    let linked = text("let a = b + c\nlet b = c\nlet c = 1\n");
    clean(&linked);
    assert_eq!(linked.module(linked.root).order, [2, 1, 0]);
}

#[test]
fn unknown_names_get_the_nearest_one() {
    fails(&text("let rate = 20%\nlet left = rat\n"), "PD0104", "there is no `rat` here", "rat", "did you mean `rate`?");
}

#[test]
fn names_of_the_library_get_their_import() {
    fails(
        &text("let m = magnitude\n"),
        "PD0104",
        "there is no `magnitude` here",
        "magnitude",
        "add `import std.prune.{magnitude}`",
    );
}

#[test]
fn an_unknown_name_is_reported_once_per_file() {
    let linked = text("let a = x + x\nlet b = x\nlet c = y\n");
    assert_eq!(linked.diagnostics.len(), 2);
}

#[test]
fn locals_come_before_items_and_the_prelude() {
    clean(&text("let a = 1\nfn f(a: Int, keep: Int) -> Int { let b = a b + keep }\nlet g = seeds => seeds\n"));
    fails(
        &text("fn f(inner: Int) -> Int { inner }\nlet b = inner\n"),
        "PD0104",
        "there is no `inner` here",
        "inner",
        "define it: `let inner = …`",
    );
}

#[test]
fn a_name_is_given_once() {
    fails(
        &text("let rate = 1\nlet rate = 2\n"),
        "PD0107",
        "`rate` is defined twice",
        "rate",
        "remove one of them, or give it another name",
    );
    fails(
        &text("import std.prune.{imp}\nlet imp = 2\n").without_unknown(),
        "PD0107",
        "`imp` is imported already",
        "imp",
        "remove one of them, or give it another name",
    );
    fails(&text("let f = (a, a) => a\n"), "PD0107", "`a` is given twice", "a", "give one of them another name");
    fails(
        &text("let x = { let a = 1 let a = 2 a }\n"),
        "PD0107",
        "`a` is bound twice in the same block",
        "a",
        "give the new value a name of its own; nothing is ever overwritten",
    );
    clean(&text("let a = 1\nlet x = { let a = 2 { let a = 3 a } }\n"));
}

#[test]
fn values_do_not_need_themselves() {
    fails(
        &text("let a = b + 1\nlet b = f(1)\nfn f(x: Int) -> Int { x + a }\n"),
        "PD0108",
        "`a` is computed from itself",
        "a",
        "give one of them a value that does not depend on the others",
    );
    clean(&text(
        "fn even(n: Int) -> Bool { if n == 0 { true } else { odd(n - 1) } }\nfn odd(n: Int) -> Bool { not even(n) }\n",
    ));
}

#[test]
fn modules_are_found_by_name() {
    fails(
        &text("import std.prunee.{imp}\n"),
        "PD0102",
        "there is no module `std.prunee`",
        "std.prunee",
        "did you mean `std.prune`?",
    );
    fails(
        &text("import std.data.{digit}\nlet t = digit()\n"),
        "PD0105",
        "`std.data` has no `digit`",
        "digit",
        "did you mean `digits`?",
    );
    let linked = text("import std.data as sets\nlet t = sets.digits()\n");
    clean(&linked);
    assert!(matches!(linked.lookup(linked.root, "sets"), Some(Target::Module(_))));
    fails(
        &text("import std.data\nlet t = data\n"),
        "PD0109",
        "`data` is a module, not a value",
        "data",
        "name one of its definitions: `data.…`",
    );
    fails(
        &text("import std.data\nlet t = data.digit()\n"),
        "PD0105",
        "`std.data` has no `digit`",
        "digit",
        "did you mean `digits`?",
    );
}

#[test]
fn files_import_files_beside_them() {
    let linked = files(&[
        ("exp/a.pd", "import \"./lib/b.pd\".{x}\nlet y = x + 1\n"),
        ("exp/lib/b.pd", "import \"../c.pd\" as c\npub let x = c.z\n"),
        ("exp/c.pd", "pub let z = 1\n"),
    ]);
    clean(&linked);
    assert_eq!(&*linked.module(linked.root).name, "exp/a.pd");
    assert_eq!(linked.modules.len(), 4);
}

#[test]
fn circles_of_files_are_shown() {
    fails(
        &files(&[("a.pd", "import \"b.pd\".{x}\npub let y = x\n"), ("b.pd", "import \"a.pd\".{y}\npub let x = y\n")]),
        "PD0103",
        "`a.pd` imports itself by way of others: `a.pd` → `b.pd` → `a.pd`",
        "\"a.pd\"",
        "move what both need into a third file",
    );
}

#[test]
fn private_names_stay_private() {
    let linked = files(&[("a.pd", "import \"b.pd\".{x}\nlet y = x\n"), ("b.pd", "let x = 1\n")]);
    fails(&linked, "PD0106", "`x` of `b.pd` is private", "x", "mark its definition `pub`");
    assert_eq!(linked.diagnostics[0].labels.len(), 2);
}

#[test]
fn missing_files_are_reported_where_they_are_imported() {
    fails(
        &files(&[("a.pd", "import \"b.pd\".{x}\nlet y = x\n")]),
        "PD0101",
        "`b.pd` cannot be read: there is no such file",
        "\"b.pd\"",
        "paths are relative to the file that imports",
    );
    fails(
        &link(&Memory(BTreeMap::new()), Path::new("nowhere.pd")),
        "PD0101",
        "`nowhere.pd` cannot be read: there is no such file",
        "",
        "check the path and the file's permissions",
    );
}

#[test]
fn syntax_errors_of_all_files_are_collected() {
    let linked = files(&[("a.pd", "import \"b.pd\".{x}\nlet y = = x\n"), ("b.pd", "pub let x = (1\n")]);
    assert_eq!(linked.diagnostics.len(), 2, "{:#?}", linked.diagnostics);
}

#[test]
fn only_the_library_declares_without_defining() {
    fails(
        &text("fn f(x: Int) -> Int\n"),
        "PD0111",
        "the definition has no body",
        "f",
        "write its value in braces after the signature",
    );
    fails(&text("let x: Int\n"), "PD0111", "the definition has no value", "let x: Int", "write `= …` after it");
}

#[test]
fn outputs_of_one_kind_have_names_of_their_own() {
    fails(
        &text("table a = 1\nplot a = 1\ntable a = 2\n"),
        "PD0107",
        "`a` is given twice",
        "a",
        "give one of them another name",
    );
}

impl Linked {
    /// Leaves out reports about stages that are not there yet when the library is tested by itself.
    fn without_unknown(&self) -> Self {
        let diagnostics = self
            .diagnostics
            .iter()
            .filter(|found| {
                !self.module_ids().any(|id| {
                    self.module(id).library
                        && found.labels.first().is_some_and(|l| l.span.file == self.module(id).file.id)
                })
            })
            .cloned()
            .collect();
        Self { sources: self.sources.clone(), modules: Vec::new(), root: self.root, diagnostics }
    }
}
