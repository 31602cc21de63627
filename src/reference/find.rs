//! What a name given to `pdsl doc` means.

use super::{Entry, Module};
use crate::diag::suggest;

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A module.
    Module(&'a Module),
    /// Names of modules: more than one if several modules have the name.
    Entries(Vec<(&'a Module, &'a Entry)>),
    /// Nothing; the closest name that there is, if one is close.
    Nothing(Option<String>),
}

/// Finds `prune`, `std.prune`, `imp`, `prune.imp`, `std.prune.imp`. A module goes before a name of another module, unless
/// the prelude has the name: `prune` is a stage there and a module too, and both are meant.
pub fn find<'a>(modules: &'a [Module], asked: &str) -> Vec<Found<'a>> {
    let plain = asked.strip_prefix("std.").unwrap_or(asked);
    let bare = |module: &Module| module.name.strip_prefix("std.").unwrap_or(&module.name).to_owned();
    let mut found = Vec::new();
    let of_module = |module: &'a Module, name: &str| -> Vec<(&'a Module, &'a Entry)> {
        module.entries.iter().filter(|entry| entry.name == name).map(|entry| (module, entry)).collect()
    };
    let entries: Vec<_> = match plain.rsplit_once('.') {
        Some((module, name)) => {
            modules.iter().filter(|known| bare(known) == module).flat_map(|known| of_module(known, name)).collect()
        }
        None if asked.starts_with("std.") => Vec::new(),
        None => modules.iter().flat_map(|module| of_module(module, plain)).collect(),
    };
    if !entries.is_empty() {
        found.push(Found::Entries(entries));
    }
    found.extend(modules.iter().find(|module| bare(module) == plain || module.name == asked).map(Found::Module));
    if found.is_empty() {
        found.push(Found::Nothing(nearest(modules, plain)));
    }
    found
}

fn nearest(modules: &[Module], asked: &str) -> Option<String> {
    let (module, name) = asked.rsplit_once('.').map_or((None, asked), |(module, name)| (Some(module), name));
    let names = modules.iter().flat_map(|module| module.entries.iter().map(|entry| entry.name.as_str()));
    let plain = modules.iter().map(|module| module.name.strip_prefix("std.").unwrap_or(&module.name));
    let near = suggest::closest(name, names.chain(plain.clone()));
    let known =
        module.and_then(|module| suggest::closest(module, plain.clone()).or(plain.clone().find(|m| *m == module)));
    match (module, known, near) {
        (Some(_), Some(module), Some(name)) => Some(format!("std.{module}.{name}")),
        (Some(_), Some(module), None) => Some(format!("std.{module}.{name}")),
        (_, _, Some(name)) => Some(name.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Module};
    use super::{Entry, Found, find};

    fn modules() -> Vec<Module> {
        let entry = |name: &str| Entry {
            name: name.to_owned(),
            kind: Kind::Function,
            signature: format!("fn {name}()"),
            docs: String::new(),
            public: true,
        };
        let module = |name: &str, names: &[&str]| Module {
            name: name.to_owned(),
            docs: String::new(),
            entries: names.iter().map(|name| entry(name)).collect(),
        };
        vec![module("prelude", &["train", "prune"]), module("std.prune", &["imp", "snip"])]
    }

    #[test]
    fn names_are_found_in_every_form() {
        let modules = modules();
        for asked in ["imp", "prune.imp", "std.prune.imp"] {
            assert!(matches!(find(&modules, asked).as_slice(), [Found::Entries(found)] if found[0].1.name == "imp"));
        }
        assert!(matches!(find(&modules, "std.prune").as_slice(), [Found::Module(_)]));
        assert!(matches!(find(&modules, "prune").as_slice(), [Found::Entries(_), Found::Module(_)]));
        assert_eq!(find(&modules, "trian"), [Found::Nothing(Some("train".to_owned()))]);
        assert_eq!(find(&modules, "std.prune.ipm"), [Found::Nothing(Some("std.prune.imp".to_owned()))]);
        assert_eq!(find(&modules, "everything"), [Found::Nothing(None)]);
    }
}
