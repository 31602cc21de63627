//! `pdsl run FILE`: check, plan, execute, report.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::contents::{self, contents};
use super::execute::execute;
use super::forecast::MaxOptions;
use super::output::{self, Output};
use super::place::{self, refused, unwritable};
use super::program::{Loaded, ProgramOptions};
use super::{Ended, Exit, Failure, figures};
use crate::diag::codes::invocation;
use crate::diag::{Diagnostic, Severity};
use crate::domain::data::Place;
use crate::domain::device::Device;
use crate::eval::Resolved;
use crate::exec::{self, Cadence, Log, Options, Report};
use crate::manifest::profile::Interval;
use crate::manifest::run::{RunManifest, StageLine};
use crate::plan::{self, Plan};
use crate::report::{self, Contents, Gate, RunFacts, Verdict, Written};
use crate::store::Store;
use crate::value::output::Object;
use crate::world::World;

/// Run a program: what is not in the store is computed, then tables, plots, verdicts and a report are written.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command")]
pub(super) struct Run {
    #[command(flatten)]
    program: ProgramOptions,
    /// Directory for the results (default: `results/<name of the program>` in the current directory).
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Stages that run at the same time (default: the profile's, then one per core).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Stop at the first stage that fails.
    #[arg(long, conflicts_with = "keep_going")]
    fail_fast: bool,
    /// Run everything that does not depend on a failed stage; this is the default.
    #[arg(long)]
    keep_going: bool,
    /// Exit with 3 if a claim is refuted.
    #[arg(long)]
    require_claims: bool,
    /// How often training saves a resume point: `500it`, `30s` (default: 5s).
    #[arg(long, value_name = "INTERVAL")]
    resume_every: Option<Interval>,
    /// Try every line of the program first: run each stage once, small, in minutes and apart from all results
    /// (default directory: `results/<name of the program>-smoke`).
    #[arg(long, conflicts_with = "require_claims")]
    smoke: bool,
    #[command(flatten)]
    max: MaxOptions,
    /// Print a summary as JSON instead of tables and verdicts.
    #[arg(long)]
    json: bool,
}

impl Run {
    pub(super) fn run(&self, world: &dyn World, output: Output) -> Ended {
        let started = world.now();
        let mut loaded = self.program.load(world, output)?;
        loaded.demand_tests()?;
        if self.smoke {
            loaded.try_out();
        }
        let store = Store::open(&loaded.store).map_err(refused)?;
        let plan = Self::plan(&loaded, &store, output);
        loaded.demand_data(&plan)?;
        self.max.enforce(&loaded, &plan, Some(&store))?;
        let out = self.results();
        std::fs::create_dir_all(&out).map_err(|e| Failure::outside(unwritable(&out, &e), Exit::Invalid))?;
        let log_path = out.join("events.jsonl");
        let log = Log::create(&log_path).map_err(|e| Failure::outside(unwritable(&log_path, &e), Exit::Invalid))?;
        let time = humantime::format_rfc3339_seconds(started).to_string();
        let experiment = world.canonical(&self.program.file).unwrap_or_else(|_| self.program.file.clone());
        // A trial does not take the place of the experiment's last run.
        let experiment = format!("{}{}", experiment.display(), if self.smoke { " (smoke)" } else { "" });
        let root = plan.root(&loaded.program.graph, &experiment, time.clone());
        store.set_root(&root).map_err(refused)?;
        let options = self.options(&loaded, &store)?;
        let outcome = execute(output, &loaded.program.graph, &plan, &store, &options, Some(log));
        let mut resolved = loaded.program.resolve(&|id, name| outcome.measure(id, name));
        resolved.read_objects(&mut |object| stored(&store, &outcome, object));
        explain_failures(&loaded, &outcome, &resolved, output);
        let seconds = world.now().duration_since(started).unwrap_or_default().as_secs_f64();
        let facts = run_facts(&time, seconds, &options, &loaded.device);
        let contents = contents(&self.program.file, &loaded, &plan, &outcome, &resolved, (facts, &store));
        let written = report::write(&out, &contents)
            .map_err(|error| Failure::outside(unwritable(&error.path, &error.error), Exit::Failed))?;
        let exit = self.exit(&outcome, &contents, &written);
        let manifest = manifest(&loaded, &plan, &outcome, &contents, exit);
        let path = out.join("run.yaml");
        let text = manifest
            .encode()
            .map_err(|e| Failure::outside(unwritable(&path, &std::io::Error::other(e)), Exit::Failed))?;
        place::write(&path, text.as_bytes())?;

        let report = out.join("report.html");
        let ended = Summary { contents: &contents, written: &written, outcome: &outcome, plan: &plan, report: &report };
        output::data(&if self.json { output::json(&ended.json(exit))? } else { ended.text(output) })?;
        Ok(exit)
    }

    fn plan(loaded: &Loaded, store: &Store, output: Output) -> Plan {
        let mut plan = plan::against(&loaded.program.graph, &loaded.program.demands(), Some(store));
        for complaint in std::mem::take(&mut plan.complaints) {
            output.diagnostics(&[exec::store_diagnostic(complaint, Severity::Warning)], &loaded.typed.linked.sources);
        }
        plan
    }

    fn results(&self) -> PathBuf {
        let stem = || self.program.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = || stem() + if self.smoke { "-smoke" } else { "" };
        self.out.clone().unwrap_or_else(|| Path::new("results").join(name()))
    }

    fn options(&self, loaded: &Loaded, store: &Store) -> Result<Options, Failure> {
        let gpus = match &loaded.device {
            Device::Cpu => Vec::new(),
            Device::Cuda(cuda) => cuda.indices.clone(),
        };
        let jobs = self.jobs.map(usize::from).or(loaded.profile.jobs);
        let program = std::env::current_exe()
            .map_err(|error| Failure::outside(place::unreadable(Path::new("pdsl"), &error), Exit::Failed))?;
        let cadence = match self.resume_every.or(loaded.profile.resume_every) {
            None => Cadence::default(),
            Some(Interval::Iterations(count)) => Cadence::Iterations(count),
            Some(Interval::Seconds(seconds)) => Cadence::Seconds(seconds),
        };
        let mut data_roots = loaded.profile.data.clone();
        data_roots.extend(loaded.program.files.iter().map(|(digest, path)| (digest.clone(), Place::at(path))));
        Ok(Options {
            // One stage fills a GPU; several at a time would want its memory several times over.
            jobs: if gpus.is_empty() { jobs } else { jobs.or(Some(1)) },
            threads: None,
            gpus,
            recompute: loaded.recompute,
            fail_fast: self.fail_fast,
            cadence,
            data_roots,
            data_cache: store.root().join("data"),
            program,
        })
    }

    fn exit(&self, outcome: &Report, contents: &Contents, written: &Written) -> Exit {
        let refuted = written.judgements.iter().any(|judgement| judgement.verdict == Verdict::Refuted);
        if outcome.interrupted {
            Exit::Interrupted
        } else if !outcome.is_complete() || contents.expects_more() {
            Exit::Failed
        } else if self.require_claims && refuted {
            Exit::Refuted
        } else {
            Exit::Done
        }
    }
}

impl Loaded {
    fn demand_tests(&self) -> Result<(), Failure> {
        let diagnostics = self.program.failed_tests();
        if diagnostics.is_empty() {
            return Ok(());
        }
        Err(Failure::Told { sources: self.typed.linked.sources.clone(), diagnostics, exit: Exit::Failed })
    }
}

/// Says which stages failed, where the program asks for them and how many wait for them in vain; and which expectations
/// do not hold.
fn explain_failures(loaded: &Loaded, outcome: &Report, resolved: &Resolved, output: Output) {
    let mut diagnostics: Vec<Diagnostic> = outcome
        .failed
        .iter()
        .map(|(id, problem)| {
            let blocked = outcome.blocked.values().filter(|by| *by == id).count();
            exec::diagnose(&loaded.program.graph, *id, problem, blocked)
        })
        .collect();
    for (expect, (holds, detail)) in loaded.program.expects.iter().zip(&resolved.expects) {
        if *holds == Some(false) && loaded.smoke.is_none() {
            let message = format!("`{}` does not hold", expect.text);
            let label = if detail.is_empty() { "does not hold" } else { detail };
            diagnostics.push(Diagnostic::error(&invocation::EXPECTATION_FAILED, message).label(expect.span, label));
        }
    }
    if !diagnostics.is_empty() {
        output.diagnostics(&diagnostics, &loaded.typed.linked.sources);
    }
}

/// Reads an object that a plot shows. One that is lost is as good as none: what it would show says so.
fn stored(store: &Store, outcome: &Report, object: &Object) -> Option<Arc<[u8]>> {
    let digest = outcome.records.get(&object.node)?.outcome.objects.get(object.role)?;
    store.get(&digest.parse().ok()?).ok().map(Arc::from)
}

fn host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn run_facts(started: &str, seconds: f64, options: &Options, device: &Device) -> RunFacts {
    let jobs = options.jobs.unwrap_or_else(cores);
    RunFacts {
        version: format!("pdsl {}", env!("CARGO_PKG_VERSION")),
        command: command().join(" "),
        started: started.to_owned(),
        seconds,
        host: host(),
        device: format!(
            "{} ({}), {}, {}",
            if *device == Device::Cpu { "CPU".to_owned() } else { device.to_string() },
            platform(),
            figures::counted(cores(), "core"),
            figures::counted(jobs, "job")
        ),
        seeds: String::new(),
    }
}

fn platform() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}

/// The command as typed, with the program's bare name.
fn command() -> Vec<String> {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("pdsl".to_owned()).chain(arguments).collect()
}

fn manifest(loaded: &Loaded, plan: &Plan, outcome: &Report, contents: &Contents, exit: Exit) -> RunManifest {
    let graph = &loaded.program.graph;
    let nodes = || graph.iter().map(|(_, node)| node);
    let lines = plan.stages.iter().zip(&contents.stages).map(|(stage, shown)| StageLine {
        name: stage.name.clone(),
        key: stage.key,
        status: contents::word(shown.status).to_owned(),
        seconds: outcome.records.get(&stage.id).map(|record| record.run.seconds),
    });
    RunManifest {
        file: contents.file.clone(),
        text: blake3::hash(contents.source.as_bytes()).to_hex().to_string(),
        command: command(),
        outcome: ended(exit).to_owned(),
        pdsl: env!("CARGO_PKG_VERSION").to_owned(),
        host: contents.run.host.clone(),
        platform: platform(),
        cores: cores(),
        started: contents.run.started.clone(),
        seconds: contents.run.seconds,
        store: loaded.store.display().to_string(),
        params: loaded.program.params.iter().map(|param| (param.name.clone(), param.value.clone())).collect(),
        data: nodes().flat_map(|node| &node.data).filter_map(|(n, d)| Some((n.clone(), d.clone()?))).collect(),
        ops: nodes().map(|node| (node.op.to_owned(), node.version)).collect::<BTreeMap<_, _>>(),
        stages: lines.collect(),
    }
}

fn ended(exit: Exit) -> &'static str {
    match exit {
        Exit::Done | Exit::Refuted => "done",
        Exit::Failed | Exit::Invalid => "failed",
        Exit::Interrupted => "interrupted",
    }
}

/// What a run prints at its end.
struct Summary<'a> {
    contents: &'a Contents,
    written: &'a Written,
    outcome: &'a Report,
    plan: &'a Plan,
    report: &'a Path,
}

impl Summary<'_> {
    fn text(&self, output: Output) -> String {
        let mut text = String::new();
        for table in &self.contents.tables {
            let _ = writeln!(text, "{}\n{}", output.bold(&table.name), report::table::text(&table.spec));
        }
        for expect in
            self.contents.expectations.iter().filter(|_| self.contents.expects_more()).filter(|e| e.gate != Gate::Met)
        {
            let how = if expect.gate == Gate::Failed { "does not hold" } else { "could not be checked" };
            let detail = if expect.detail.is_empty() { String::new() } else { format!(" ({})", expect.detail) };
            let _ = writeln!(text, "expect {} {how}{detail}", expect.text);
        }
        for (claim, judgement) in self.contents.claims.iter().zip(&self.written.judgements) {
            let verdict = output.bold(judgement.verdict.name());
            let _ = writeln!(text, "{verdict}  {}: {}", claim.name, claim.text);
            let reasons = judgement.notes.iter().map(String::as_str);
            for line in std::iter::once(judgement.numbers().as_str()).filter(|line| !line.is_empty()).chain(reasons) {
                let _ = writeln!(text, "    {line}");
            }
        }
        for warning in &self.contents.warnings {
            let places = match warning.seen.len() {
                0 => String::new(),
                count => format!("{}, ", figures::counted(count, "time")),
            };
            let _ = writeln!(text, "{}  {} ({places}see the report)", output.bold("warning"), warning.text);
        }
        let above = text.trim_end();
        let gap = if above.is_empty() { "" } else { "\n\n" };
        let again = if self.outcome.interrupted { "the same command goes on from here\n" } else { "" };
        format!("{above}{gap}{}\n{again}report: {}\n", self.counts(), self.report.display())
    }

    fn counts(&self) -> String {
        let Report { finished, failed, blocked, unneeded, .. } = self.outcome;
        let mut text = figures::counted(self.plan.totals.stages, "stage");
        let _ = write!(text, ": {} cached, {} run", self.plan.totals.cached, finished.len());
        if !failed.is_empty() {
            let _ = write!(text, ", {} failed, {} blocked", failed.len(), blocked.len());
        }
        if !unneeded.is_empty() {
            let _ = write!(text, ", {} not needed", unneeded.len());
        }
        if self.outcome.interrupted {
            text.push_str(", interrupted");
        }
        let _ = write!(text, "; {}", figures::duration(self.contents.run.seconds));
        text
    }

    fn json(&self, exit: Exit) -> serde_json::Value {
        let Report { finished, failed, blocked, interrupted, unneeded, .. } = self.outcome;
        let claims = self.contents.claims.iter().zip(&self.written.judgements);
        json!({
            "outcome": ended(exit),
            "report": self.report,
            "files": self.written.files,
            "stages": {
                "total": self.plan.totals.stages, "cached": self.plan.totals.cached, "run": finished.len(),
                "failed": failed.len(), "blocked": blocked.len(), "not_needed": unneeded.len(), "interrupted": interrupted,
            },
            "seconds": self.contents.run.seconds,
            "warnings": self.contents.warnings.iter().map(|warning| &warning.text).collect::<Vec<_>>(),
            "claims": claims.map(|(claim, judged)| judged.to_json(&claim.name, &claim.text)).collect::<Vec<_>>(),
        })
    }
}
