//! The standard library: modules in pdsl, embedded in the binary.

use crate::ops;
use crate::source::FileId;
use crate::syntax::{self, tree::ItemKind};

/// Module whose names every file sees.
pub const PRELUDE: &str = "prelude";

/// Name without `std.` and text of every module.
pub const MODULES: [(&str, &str); 9] = [
    (PRELUDE, include_str!("../../stdlib/prelude.pd")),
    ("data", include_str!("../../stdlib/data.pd")),
    ("dissect", include_str!("../../stdlib/dissect.pd")),
    ("math", include_str!("../../stdlib/math.pd")),
    ("models", include_str!("../../stdlib/models.pd")),
    ("prune", include_str!("../../stdlib/prune.pd")),
    ("recipe", include_str!("../../stdlib/recipe.pd")),
    ("schedule", include_str!("../../stdlib/schedule.pd")),
    ("stats", include_str!("../../stdlib/stats.pd")),
];

/// Returns the text of a module by its name without `std.`.
pub fn text(name: &str) -> Option<&'static str> {
    MODULES.iter().find(|(module, _)| *module == name).map(|(_, text)| *text)
}

/// Returns the modules, without `std.`, that define `name` for everybody.
pub fn providers(name: &str) -> Vec<&'static str> {
    MODULES.iter().filter(|(module, text)| *module != PRELUDE && exports(module, text, name)).map(|(m, _)| *m).collect()
}

/// Returns every module, without `std.`, with each name that it has for everybody outside the prelude.
pub fn names() -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for (module, text) in MODULES.iter().filter(|(module, _)| *module != PRELUDE) {
        let (file, _) = syntax::parse(FileId(u32::MAX), text);
        let ops = ops::list::ALL.iter().filter(|op| op.module == *module).map(|op| op.name.to_owned());
        found.extend(ops.map(|name| (*module, name)));
        for item in &file.items {
            match &item.kind {
                ItemKind::Function(function) if function.public => found.push((module, function.name.text.to_string())),
                ItemKind::Binding(binding) if binding.public => {
                    found.extend(binding.pattern.names().iter().map(|name| (*module, name.text.to_string())));
                }
                _ => {}
            }
        }
    }
    found
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
