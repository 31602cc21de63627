//! A program from the command line: its text, its checks, its profile, its settings, its evaluation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{fs, io};

use super::device::DeviceOptions;
use super::output::Output;
use super::place::{self, StoreOptions};
use super::{Exit, Failure, figures};
use crate::diag::codes::{data as data_codes, invocation};
use crate::diag::{Diagnostic, Severity};
use crate::domain::data::Place;
use crate::domain::device::Device;
use crate::eval::{self, External, Fingerprints, Overrides, Program, Weights};
use crate::exec::{self, Problem};
use crate::graph::NodeId;
use crate::manifest::profile::Profile;
use crate::nn::data;
use crate::ops::smoke::{self, Omissions};
use crate::plan::{Plan, Status};
use crate::resolve::{self, Linked, library};
use crate::syntax::tree::{ItemKind, Param};
use crate::types::{self, Typed};
use crate::world::World;

/// Options of a command that reads one program.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ProgramOptions {
    /// The program.
    pub(super) file: PathBuf,
    /// Set a parameter of the program for this run: `--set rate=20%`.
    #[arg(long = "set", value_name = "NAME=EXPRESSION")]
    pub(super) settings: Vec<String>,
    #[command(flatten)]
    pub(super) place: StoreOptions,
    #[command(flatten)]
    pub(super) device: DeviceOptions,
}

/// A program, ready to be planned.
pub(super) struct Loaded {
    /// The program with its types; its sources hold the profile and the settings too.
    pub(super) typed: Typed,
    /// Its stages and outputs.
    pub(super) program: Program,
    /// What the profile says.
    pub(super) profile: Profile,
    /// What is wrong with data that the profile names.
    unusable: BTreeMap<String, Problem>,
    /// Directory of the store.
    pub(super) store: PathBuf,
    /// What computes networks.
    pub(super) device: Device,
    /// Whether trainings compute activations again instead of keeping them.
    pub(super) recompute: bool,
    /// What is left out, if every stage is a small trial.
    pub(super) smoke: Option<Omissions>,
}

impl ProgramOptions {
    /// Reads, checks and evaluates the program. Warnings are printed.
    pub(super) fn load(&self, world: &dyn World, output: Output) -> Result<Loaded, Failure> {
        let mut typed = check(world, &self.file)?;
        if has_errors(&typed.diagnostics) {
            return Err(Failure::invalid(typed.linked.sources, typed.diagnostics));
        }
        let profile = self.place.read_profile(world, &mut typed.linked.sources)?;
        let overrides = self.overrides(&profile, &mut typed)?;
        let store = self.place.directory(world, &profile, Some(&self.file));
        let notes = store.join("data");
        let at_hand = AtHand::new(&profile, &self.file, Some(&notes));
        let mut program = match eval::evaluate(&typed, &overrides, &at_hand) {
            Ok(program) => program,
            Err(diagnostics) => return Err(Failure::invalid(typed.linked.sources, diagnostics)),
        };
        let device = self.device.choose(world)?;
        program.graph.compute_with(device.numerics());
        let mut warnings = std::mem::take(&mut typed.diagnostics);
        warnings.extend(program.warnings.iter().cloned());
        if !warnings.is_empty() {
            output.diagnostics(&warnings, &typed.linked.sources);
        }
        let unusable = at_hand.problems.into_inner().unwrap_or_default();
        let recompute = self.device.recompute;
        Ok(Loaded { typed, program, profile, unusable, store, device, recompute, smoke: None })
    }

    /// Collects the settings of the profile, then those of the command line, which win; reports all that is wrong.
    fn overrides(&self, profile: &Profile, typed: &mut Typed) -> Result<Overrides, Failure> {
        let mut overrides = Overrides::default();
        let mut wrong = Vec::new();
        for setting in &profile.params {
            let sources = &mut typed.linked.sources;
            wrong.extend(overrides.add(sources, &setting.name, &setting.expression, Some(setting.span)).err());
        }
        for text in &self.settings {
            match text.split_once('=') {
                Some((name, value)) if !name.trim().is_empty() => {
                    let sources = &mut typed.linked.sources;
                    wrong.extend(overrides.add(sources, name.trim(), value.trim(), None).err());
                }
                _ => {
                    let message = format!("`--set {text}` is not `name=expression`");
                    let help = "write, for example, `--set rate=20%`";
                    wrong.push(vec![Diagnostic::error(&invocation::BAD_SETTING, message).help(help)]);
                }
            }
        }
        for setting in overrides.iter() {
            wrong.push(typed.admit(&setting.name, &setting.value));
        }
        let wrong: Vec<Diagnostic> = wrong.into_iter().flatten().collect();
        if wrong.is_empty() { Ok(overrides) } else { Err(Failure::invalid(typed.linked.sources.clone(), wrong)) }
    }
}

/// The data of this machine.
struct AtHand {
    roots: BTreeMap<String, Place>,
    directory: PathBuf,
    /// Where digests of large data are noted.
    notes: Option<PathBuf>,
    weights: Mutex<BTreeMap<String, Weights>>,
    known: Mutex<BTreeMap<String, Option<String>>>,
    problems: Mutex<BTreeMap<String, Problem>>,
}

impl AtHand {
    fn new(profile: &Profile, program: &Path, notes: Option<&Path>) -> Self {
        let directory = program.parent().unwrap_or(Path::new("")).to_path_buf();
        Self {
            roots: profile.data.clone(),
            directory,
            notes: notes.map(Path::to_path_buf),
            known: Mutex::default(),
            weights: Mutex::default(),
            problems: Mutex::default(),
        }
    }
}

impl Fingerprints for AtHand {
    fn digest(&self, data: External<'_>) -> Option<String> {
        let description = format!("{data:?}");
        if let Some(known) = self.known.lock().ok().and_then(|known| known.get(&description).cloned()) {
            return known;
        }
        let found = match data {
            External::Data(set) => data::of_data(set, &self.roots, self.notes.as_deref()),
            External::Probe(probe) => data::of_probe(probe, &self.roots, self.notes.as_deref()),
        };
        let digest = found.unwrap_or_else(|error| {
            let problem = Problem::from(error);
            self.problems
                .lock()
                .into_iter()
                .for_each(|mut map| drop(map.insert(data.name().to_owned(), problem.clone())));
            None
        });
        self.known.lock().into_iter().for_each(|mut known| drop(known.insert(description.clone(), digest.clone())));
        digest
    }

    fn weights(&self, file: &str) -> io::Result<Weights> {
        if let Some(known) = self.weights.lock().ok().and_then(|known| known.get(file).cloned()) {
            return Ok(known);
        }
        let path = self.directory.join(file);
        let digest = blake3::Hasher::new().update_reader(fs::File::open(&path)?)?.finalize().to_hex().to_string();
        let found = Weights { digest, path: fs::canonicalize(path)? };
        self.weights.lock().into_iter().for_each(|mut known| drop(known.insert(file.to_owned(), found.clone())));
        Ok(found)
    }
}

impl Loaded {
    /// Puts small trials in the place of all stages.
    pub(super) fn try_out(&mut self) {
        self.smoke = Some(smoke::shrink(&mut self.program.graph));
    }

    /// Names the data that stages need which are to run, and of which the profile says nothing.
    pub(super) fn absent_data(&self, plan: &Plan) -> Vec<String> {
        self.missing_data(plan).into_keys().filter(|name| !self.unusable.contains_key(name)).collect()
    }

    /// Describes the data that stages need which are to run, and that are not what the program or the profile says.
    pub(super) fn unusable_data(&self, plan: &Plan) -> Vec<Diagnostic> {
        let found = self.missing_data(plan);
        let known = found.iter().filter_map(|(name, id)| Some((self.unusable.get(name)?, *id)));
        known.map(|(problem, id)| self.at_stage(exec::describe(problem, Severity::Warning), id)).collect()
    }

    /// Refuses to run stages whose data are not on this machine, or not what the program says.
    pub(super) fn demand_data(&self, plan: &Plan) -> Result<(), Failure> {
        let absent = |name: &str| {
            let help =
                format!("say where they are in a profile (`data: {{{name}: /path}}`) and give it with `--profile`");
            let message = format!("the data `{name}` are not on this machine");
            Problem::new(&data_codes::DATA_MISSING, message).help(help)
        };
        let describe = |(name, id): (String, NodeId)| {
            let problem = self.unusable.get(&name).cloned().unwrap_or_else(|| absent(&name));
            self.at_stage(exec::describe(&problem, Severity::Error), id)
        };
        let diagnostics: Vec<Diagnostic> = self.missing_data(plan).into_iter().map(describe).collect();
        if diagnostics.is_empty() {
            return Ok(());
        }
        Err(Failure::Told { sources: self.typed.linked.sources.clone(), diagnostics, exit: Exit::Invalid })
    }

    /// Data without a digest that stages need which are to run, each with the first of these stages.
    fn missing_data(&self, plan: &Plan) -> BTreeMap<String, NodeId> {
        let mut missing = BTreeMap::new();
        for stage in plan.stages.iter().filter(|stage| stage.status != Status::Cached) {
            for (name, _) in self.program.graph.node(stage.id).data.iter().filter(|(_, digest)| digest.is_none()) {
                missing.entry(name.clone()).or_insert(stage.id);
            }
        }
        missing
    }

    fn at_stage(&self, diagnostic: Diagnostic, id: NodeId) -> Diagnostic {
        match self.program.graph.node(id).origins.first() {
            Some(origin) => diagnostic.label(origin.span, "needed here"),
            None => diagnostic,
        }
    }
}

/// Reads and checks a program; its diagnostics may hold errors.
///
/// A file that is a module of the standard library is checked as that module, which may declare what is built in.
pub(super) fn check(world: &dyn World, path: &Path) -> Result<Typed, Failure> {
    let text = place::read(world, path)?;
    let module = library::MODULES.iter().find(|(_, known)| *known == text);
    let linked = match module {
        Some((name, _)) if *name == library::PRELUDE => resolve::link_text(world, "prelude", ""),
        Some((name, _)) => resolve::link_text(world, name, &format!("import std.{name}\n")),
        None => resolve::link(world, path),
    };
    Ok(types::check(linked))
}

/// Reads and checks a program, and evaluates it if it is sound: finds everything that can be found without running.
///
/// A parameter without a default is no mistake as long as nobody runs the program.
pub(super) fn examine(world: &dyn World, path: &Path) -> Result<Typed, Failure> {
    let mut typed = check(world, path)?;
    if has_errors(&typed.diagnostics) {
        return Ok(typed);
    }
    let found = eval::examine(&typed, &*at_hand(path)).1;
    typed.diagnostics.extend(found);
    Ok(typed)
}

/// The data of this machine as far as no profile is needed to find them.
pub(super) fn at_hand(program: &Path) -> Box<dyn Fingerprints> {
    Box::new(AtHand::new(&Profile::default(), program, None))
}

/// Tells whether one of the messages is an error.
pub(super) fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// A parameter of a program with its documentation.
pub(super) fn params(linked: &Linked) -> impl Iterator<Item = (&[String], &Param)> {
    linked.module(linked.root).file.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Param(param) => Some((item.docs.as_slice(), param)),
        _ => None,
    })
}

/// Lists the parameters: name, type, default, condition, documentation.
pub(super) fn describe_params(linked: &Linked) -> String {
    let sources = &linked.sources;
    let rows: Vec<Vec<String>> = params(linked)
        .map(|(docs, param)| {
            let default = param.default.as_ref().map(|value| format!("= {}", sources.slice(value.span)));
            let condition = param.condition.as_ref().map(|value| format!("where {}", sources.slice(value.span)));
            let head = format!("{}: {}", param.name.text, sources.slice(param.ty.span));
            vec![head, default.unwrap_or_default(), condition.unwrap_or_default(), docs.join(" ")]
        })
        .collect();
    if rows.is_empty() { "no parameters\n".to_owned() } else { figures::columns(&rows, &[]) }
}

/// The parameters as JSON.
pub(super) fn params_json(linked: &Linked) -> Vec<serde_json::Value> {
    let sources = &linked.sources;
    params(linked)
        .map(|(docs, param)| {
            serde_json::json!({
                "name": &*param.name.text,
                "type": sources.slice(param.ty.span),
                "default": param.default.as_ref().map(|value| sources.slice(value.span)),
                "where": param.condition.as_ref().map(|value| sources.slice(value.span)),
                "docs": docs.join(" "),
            })
        })
        .collect()
}
