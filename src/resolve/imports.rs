//! Where a name of the standard library is added to a file's imports.

use crate::diag::Fix;
use crate::source::Span;
use crate::syntax::tree::{File, ImportNames, ImportSource, Item, ItemKind};

/// Returns the change of a file that imports `name` from `std.module`: one more name between the braces of an import
/// of that module, in alphabetical order, or an import of its own.
pub fn addition(file: &File, text: &str, module: &str, name: &str) -> Fix {
    let imports = || file.items.iter().filter_map(|item| standard(item).map(|(known, names)| (item, known, names)));
    for (item, _, names) in imports().filter(|(_, known, _)| *known == module) {
        let ImportNames::Some(names) = names else { continue };
        return match names.iter().find(|other| &*other.text > name) {
            Some(next) => at(file, next.span.start, format!("{name}, ")),
            None => at(file, names.last().map_or(item.span.end, |last| last.span.end), format!(", {name}")),
        };
    }
    let line = format!("import std.{module}.{{{name}}}");
    if let Some((item, ..)) = imports().find(|(_, known, _)| *known > module) {
        return at(file, item.span.start, format!("{line}\n"));
    }
    if let Some((item, ..)) = imports().next_back() {
        return at(file, item.span.end, format!("\n{line}"));
    }
    first_import(file, text, &line)
}

/// The module of the standard library that an item imports from, and what it takes.
fn standard(item: &Item) -> Option<(&str, &ImportNames)> {
    let ItemKind::Import(import) = &item.kind else { return None };
    let ImportSource::Path(path) = &import.from else { return None };
    match path.as_slice() {
        [std, module] if &*std.text == "std" => Some((&module.text, &import.names)),
        _ => None,
    }
}

/// An import where there is none yet: below the words about the whole file, above everything else.
fn first_import(file: &File, text: &str, line: &str) -> Fix {
    let lines = text.split_inclusive('\n');
    let head: usize = lines.take_while(|line| line.starts_with("//!")).map(str::len).sum();
    let (before, after) = match text.as_bytes().get(head) {
        _ if head == 0 => ("", "\n\n"),
        Some(b'\n' | b'\r') => ("\n", "\n"),
        _ => ("\n", "\n\n"),
    };
    at(file, head as u32, format!("{before}{line}{after}"))
}

fn at(file: &File, place: u32, text: String) -> Fix {
    Fix { span: Span { file: file.id, start: place, end: place }, text }
}

#[cfg(test)]
mod tests {
    use super::addition;
    use crate::source::FileId;
    use crate::syntax;

    fn added(text: &str, module: &str, name: &str) -> String {
        let (file, _) = syntax::parse(FileId(0), text);
        let fix = addition(&file, text, module, name);
        let mut changed = text.to_owned();
        changed.replace_range(fix.span.start as usize..fix.span.end as usize, &fix.text);
        changed
    }

    #[test]
    fn names_join_the_import_of_their_module() {
        let text = "import std.data.{digits, shapes}\n\nlet a = 1\n";
        assert_eq!(added(text, "data", "mnist"), text.replace("digits, shapes", "digits, mnist, shapes"));
        assert_eq!(added(text, "data", "zebra"), text.replace("shapes", "shapes, zebra"));
    }

    #[test]
    fn new_imports_keep_the_order() {
        let text = "import std.models.{lenet5}\n\nlet a = 1\n";
        assert_eq!(added(text, "data", "digits"), format!("import std.data.{{digits}}\n{text}"));
        let after = "import std.models.{lenet5}\nimport std.prune.{imp}\n\nlet a = 1\n";
        assert_eq!(added(text, "prune", "imp"), after);
    }

    #[test]
    fn a_first_import_stands_below_the_words_about_the_file() {
        let import = "import std.prune.{imp}\n";
        assert_eq!(added("let a = 1\n", "prune", "imp"), format!("{import}\nlet a = 1\n"));
        let right = format!("//! Words.\n\n{import}\nlet a = 1\n");
        assert_eq!(added("//! Words.\n\nlet a = 1\n", "prune", "imp"), right);
        assert_eq!(added("//! Words.\nlet a = 1\n", "prune", "imp"), right);
    }
}
