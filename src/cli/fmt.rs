//! `pdsl fmt FILE…`.

use std::path::{Path, PathBuf};

use super::output::{self, Output};
use super::place;
use super::{Ended, Exit, Failure};
use crate::source::Sources;
use crate::syntax;
use crate::world::World;

/// Format programs in place.
#[derive(Debug, clap::Args)]
pub(super) struct Format {
    /// Programs; `-` formats standard input to standard output.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Change nothing; name the files that are not formatted and exit with 1.
    #[arg(long)]
    check: bool,
}

impl Format {
    pub(super) fn run(&self, world: &dyn World, output: Output) -> Ended {
        let mut exit = Exit::Done;
        for path in &self.files {
            match self.format(world, path) {
                Ok(changed) => exit = worse(exit, if self.check && changed { Exit::Failed } else { Exit::Done }),
                Err(Failure::Told { sources, diagnostics, exit: how }) => {
                    output.diagnostics(&diagnostics, &sources);
                    exit = worse(exit, how);
                }
                Err(closed) => return Err(closed),
            }
        }
        Ok(exit)
    }

    /// Formats one file and tells whether that changes it.
    fn format(&self, world: &dyn World, path: &Path) -> Result<bool, Failure> {
        let piped = path == Path::new("-");
        let text = if piped { place::read_input()? } else { place::read(world, path)? };
        let mut sources = Sources::default();
        let name = if piped { "standard input".to_owned() } else { path.display().to_string() };
        let file = sources.add(name.clone(), Some(path.to_path_buf()), text.clone());
        let (tree, errors) = syntax::parse(file, &text);
        if !errors.is_empty() {
            return Err(Failure::invalid(sources, errors));
        }
        let formatted = syntax::print(&tree, &text);
        let changed = formatted != text;
        match (self.check, piped) {
            (true, _) if changed => output::data(&format!("{name} is not formatted\n"))?,
            (false, true) => output::data(&formatted)?,
            (false, false) if changed => place::write(path, formatted.as_bytes())?,
            _ => {}
        }
        Ok(changed)
    }
}

fn worse(a: Exit, b: Exit) -> Exit {
    if b == Exit::Invalid { b } else { a.max(b) }
}
