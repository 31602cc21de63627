//! The standard library: modules in pdsl, embedded in the binary.

use std::sync::OnceLock;

use crate::ops;
use crate::source::FileId;
use crate::syntax::{self, tree::ItemKind};

/// Module whose names every file sees.
pub const PRELUDE: &str = "prelude";

// `MODULES`: every file of `stdlib/`, listed by `build.rs`, so that a new module is a new file and nothing else.
include!(concat!(env!("OUT_DIR"), "/modules.rs"));

/// Returns the text of a module by its name without `std.`.
pub fn text(name: &str) -> Option<&'static str> {
    MODULES.iter().find(|(module, _)| *module == name).map(|(_, text)| *text)
}

/// Returns every public name with the module, without `std.`, that defines it; the prelude is left out.
pub fn exports() -> &'static [(&'static str, String)] {
    static EXPORTS: OnceLock<Vec<(&'static str, String)>> = OnceLock::new();
    EXPORTS.get_or_init(|| {
        let modules = MODULES.iter().filter(|(module, _)| *module != PRELUDE);
        modules.flat_map(|(module, text)| public(module, text).into_iter().map(|name| (*module, name))).collect()
    })
}

/// Returns the modules, without `std.`, that define `name` for everybody.
pub fn providers(name: &str) -> Vec<&'static str> {
    exports().iter().filter(|(_, known)| known == name).map(|(module, _)| *module).collect()
}

fn public(module: &str, text: &str) -> Vec<String> {
    let (file, _) = syntax::parse(FileId(u32::MAX), text);
    let stages = ops::stages::ALL.iter().filter(|op| op.module == module).map(|op| op.name.to_owned());
    let defined = file.items.iter().flat_map(|item| match &item.kind {
        ItemKind::Function(function) if function.public => vec![function.name.text.to_string()],
        ItemKind::Binding(binding) if binding.public => {
            binding.pattern.names().iter().map(|name| name.text.to_string()).collect()
        }
        _ => Vec::new(),
    });
    defined.chain(stages).collect()
}
