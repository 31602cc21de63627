//! `pdsl doc [NAME]`: what the standard library, or a module of one's own, offers.

use std::path::Path;

use super::output::{self, Output};
use super::{Ended, Exit, Failure, figures, place};
use crate::diag::Diagnostic;
use crate::diag::codes::invocation;
use crate::reference::{self, Entry, Found, Module};
use crate::resolve;
use crate::world::World;

/// Show the reference of the standard library: its modules, one of them, or a name.
#[derive(Debug, clap::Args)]
pub(super) struct Doc {
    /// A module or a name, such as `prune`, `std.prune.imp`, `train`; or a file of one's own.
    #[arg(value_name = "NAME|FILE")]
    name: Option<String>,
    /// A name in the file.
    #[arg(value_name = "NAME", requires = "name")]
    inner: Option<String>,
    /// Print Markdown.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Doc {
    pub(super) fn run(&self, world: &dyn World, output: Output) -> Ended {
        let own = self.name.as_deref().map(Path::new).filter(|path| path.extension().is_some_and(|e| e == "pd"));
        let text = match own {
            Some(path) => {
                place::read(world, path)?;
                let linked = resolve::link(world, path);
                let modules = [Module::of(&linked, linked.root)];
                match &self.inner {
                    None => self.modules(&modules, output)?,
                    Some(name) => self.named(&modules, name, output)?,
                }
            }
            None => match &self.name {
                None => self.overview(output)?,
                Some(name) => self.named(reference::library(), name, output)?,
            },
        };
        output::data(&text)?;
        Ok(Exit::Done)
    }

    /// The whole library: a line for each module, or everything for a page or a program.
    fn overview(&self, output: Output) -> Result<String, Failure> {
        let modules = reference::library();
        if self.markdown {
            return Ok(reference::page(modules));
        }
        if self.json {
            return Ok(output::json(&reference::json(modules))?);
        }
        let rows: Vec<Vec<String>> = modules
            .iter()
            .map(|module| {
                let (name, summary) = reference::module_line(module);
                vec![output.bold(&name), summary]
            })
            .collect();
        let names = "`pdsl doc NAME` shows a module, or a name in one.";
        Ok(format!("{}\n{names}\n", figures::columns(&rows, &[])))
    }

    fn modules(&self, modules: &[Module], output: Output) -> Result<String, Failure> {
        if self.json {
            return Ok(output::json(&reference::json(modules))?);
        }
        if self.markdown {
            return Ok(modules.iter().map(reference::section).collect());
        }
        Ok(modules.iter().map(|module| reference::module_text(module, |text| output.bold(text))).collect())
    }

    fn named(&self, modules: &[Module], name: &str, output: Output) -> Result<String, Failure> {
        let mut parts = Vec::new();
        let mut selected: Vec<Module> = Vec::new();
        for found in reference::find(modules, name) {
            match found {
                Found::Nothing(near) => return Err(unknown(name, near)),
                Found::Module(module) => {
                    parts.push(self.modules(std::slice::from_ref(module), output)?);
                    selected.push(module.clone());
                }
                Found::Entries(entries) => {
                    for (module, entry) in entries {
                        parts.push(self.entry(module, entry, output));
                        selected.push(Module { entries: vec![entry.clone()], ..module.clone() });
                    }
                }
            }
        }
        if self.json { Ok(output::json(&reference::json(&selected))?) } else { Ok(parts.join("\n")) }
    }

    fn entry(&self, module: &Module, entry: &Entry, output: Output) -> String {
        if self.markdown {
            reference::markdown(entry) + "\n"
        } else {
            reference::text(module, entry, |text| output.bold(text))
        }
    }
}

fn unknown(name: &str, near: Option<String>) -> Failure {
    let diagnostic = Diagnostic::error(&invocation::NO_ENTRY, format!("there is no `{name}` in the standard library"));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "list the modules with `pdsl doc`".to_owned(),
    };
    Failure::outside(diagnostic.help(help), Exit::Invalid)
}
