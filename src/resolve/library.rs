//! The standard library: modules in pdsl, embedded in the binary.

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

/// Returns the modules, without `std.`, that define `name` for everybody.
pub fn providers(name: &str) -> Vec<&'static str> {
    MODULES.iter().filter(|(module, text)| *module != PRELUDE && exports(module, text, name)).map(|(m, _)| *m).collect()
}

fn exports(module: &str, text: &str, name: &str) -> bool {
    let (file, _) = syntax::parse(FileId(u32::MAX), text);
    ops::list::ALL.iter().any(|op| op.module == module && op.name == name)
        || file.items.iter().any(|item| match &item.kind {
            ItemKind::Function(function) => function.public && &*function.name.text == name,
            ItemKind::Binding(binding) => binding.public && binding.pattern.names().iter().any(|n| &*n.text == name),
            _ => false,
        })
}
