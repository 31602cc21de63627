//! The reference as text for terminals, as Markdown and as JSON.

use serde_json::{Value, json as object};

use super::{Entry, Module, summary};

/// Writes one line for a module: its name and what it is for.
pub fn module_line(module: &Module) -> (String, String) {
    (module.name.clone(), summary(&module.docs))
}

/// Writes a module for a terminal: its words, then a line for each of its names.
pub fn module_text(module: &Module, bold: impl Fn(&str) -> String) -> String {
    let mut text = format!("{}\n", bold(&module.name));
    if !module.docs.is_empty() {
        text += &format!("\n{}\n", module.docs);
    }
    let width = module.entries.iter().map(|entry| entry.name.chars().count()).max().unwrap_or(0);
    text.push('\n');
    for entry in &module.entries {
        text += format!("  {:width$}  {}", entry.name, summary(&entry.docs)).trim_end();
        text.push('\n');
    }
    text
}

/// Writes a name for a terminal: how it is declared, where it is from, what is said of it.
pub fn text(module: &Module, entry: &Entry, bold: impl Fn(&str) -> String) -> String {
    let origin = match module.name.as_str() {
        "prelude" => format!("a {} that needs no import", entry.kind.word()),
        name => match name.strip_prefix("std.") {
            Some(_) => format!("a {} of {name}: import {name}.{{{}}}", entry.kind.word(), entry.name),
            None => format!("a {} of {name}", entry.kind.word()),
        },
    };
    let docs = if entry.docs.is_empty() { String::new() } else { format!("\n{}\n", entry.docs) };
    format!("{}\n\n{origin}\n{docs}", bold(&entry.signature))
}

/// Writes a name in Markdown, as editors show it.
pub fn markdown(entry: &Entry) -> String {
    let docs = if entry.docs.is_empty() { String::new() } else { format!("\n\n{}", entry.docs) };
    format!("```pd\n{}\n```{docs}", entry.signature)
}

/// Writes the page of a whole reference in Markdown.
pub fn page(modules: &[Module]) -> String {
    let mut text = String::from(
        "# Reference of the standard library\n\nWritten by `pdsl doc --markdown` from the library itself. \
         `pdsl doc NAME` shows an entry in the terminal.\n",
    );
    text.push('\n');
    for module in modules {
        let anchor: String = module.name.chars().filter(|c| *c != '.').collect();
        text += &format!("- [`{}`](#{anchor}): {}\n", module.name, summary(&module.docs));
    }
    modules.iter().for_each(|module| text += &format!("\n{}", section(module)));
    text
}

/// Writes a module in Markdown with all its names.
pub fn section(module: &Module) -> String {
    let mut text = format!("## {}\n", module.name);
    if !module.docs.is_empty() {
        text += &format!("\n{}\n", module.docs);
    }
    for entry in &module.entries {
        text += &format!("\n### {}\n\n{}\n", entry.name, markdown(entry));
    }
    text
}

/// Writes modules for programs.
pub fn json(modules: &[Module]) -> Value {
    let entry = |entry: &Entry| {
        object!({
            "name": entry.name, "kind": entry.kind.word(), "signature": entry.signature, "docs": entry.docs,
        })
    };
    let module = |module: &Module| {
        object!({
            "name": module.name, "docs": module.docs, "entries": module.entries.iter().map(entry).collect::<Vec<_>>(),
        })
    };
    modules.iter().map(module).collect()
}
