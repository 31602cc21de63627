//! `pdsl why FILE [STAGE]`: why stages run again.

use std::fmt::Write;

use serde_json::json;

use super::locate::{self, Site, excerpt, locate};
use super::output::{self, Output};
use super::place::refused;
use super::program::{Loaded, ProgramOptions};
use super::{Ended, Exit, Failure, figures};
use crate::diag::codes::invocation;
use crate::diag::{Diagnostic, suggest};
use crate::graph::{Graph, NodeId};
use crate::plan::explain::{Cause, Earlier, Explainer, Explanation, Reason};
use crate::plan::{self, Plan, Status};
use crate::store::Store;
use crate::value::Step;
use crate::world::World;

/// Stages of a group that are named; more are counted.
const NAMED: usize = 3;

/// Say why a stage runs again: what was changed, where, and what follows from it. Or since when its result is stored.
#[derive(Debug, clap::Args)]
pub(super) struct Why {
    #[command(flatten)]
    program: ProgramOptions,
    /// The stage: the beginning of its key, its name, or a part of its name as `pdsl plan` prints it (default: every
    /// stage that runs).
    #[arg(value_name = "STAGE")]
    stage: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Stages with one and the same explanation.
struct Group {
    first: Explanation,
    others: Vec<Explanation>,
}

impl Why {
    pub(super) fn run(&self, world: &dyn World, output: Output) -> Ended {
        let loaded = self.program.load(world, output)?;
        let graph = &loaded.program.graph;
        let store = Store::existing(&loaded.store).map_err(refused)?;
        let plan = plan::against(graph, &loaded.program.demands(), store.as_ref());
        let chosen = self.choose(graph, &plan)?;
        let explainer = Explainer::new(graph, &plan, store.as_ref());
        let explained = chosen.into_iter().map(|id| explainer.explain(id)).collect::<Result<Vec<_>, _>>();
        let groups = grouped(explained.map_err(refused)?);
        if self.json {
            let list: Vec<_> = groups.iter().map(|group| group.json(&loaded)).collect();
            output::data(&output::json(&list)?)?;
            return Ok(Exit::Done);
        }
        let texts: Vec<String> = groups.iter().map(|group| group.text(&loaded, output)).collect();
        output::data(&if texts.is_empty() { nothing(&plan) } else { texts.join("\n") })?;
        Ok(Exit::Done)
    }

    /// Finds the stages that are meant: by key, else by name, else by a part of the name.
    fn choose(&self, graph: &Graph, plan: &Plan) -> Result<Vec<NodeId>, Failure> {
        let Some(told) = &self.stage else {
            let due = plan.stages.iter().filter(|stage| stage.status != Status::Cached);
            return Ok(due.map(|stage| stage.id).collect());
        };
        let ids = || graph.iter().map(|(id, _)| id);
        let name = |id: &NodeId| graph.node(*id).facts.name.as_str();
        let prefix = told.to_ascii_lowercase();
        let is_key = prefix.len() >= 4 && prefix.chars().all(|c| c.is_ascii_hexdigit());
        let by_key = ids().filter(|id| is_key && graph.key(*id).to_string().starts_with(&prefix)).collect();
        let by_name = ids().filter(|id| name(id) == told).collect();
        let words: Vec<String> = told.split_whitespace().map(str::to_lowercase).collect();
        let fits = |id: &NodeId| {
            let name = name(id).to_lowercase();
            !words.is_empty() && (name.contains(&told.to_lowercase()) || words.iter().all(|word| has_word(&name, word)))
        };
        let by_part: Vec<NodeId> = ids().filter(fits).collect();
        let found: [Vec<NodeId>; 3] = [by_key, by_name, by_part];
        found.into_iter().find(|ids| !ids.is_empty()).ok_or_else(|| unknown(graph, told))
    }
}

fn has_word(name: &str, word: &str) -> bool {
    name.split(|c: char| c.is_whitespace() || c == '·').any(|known| known == word)
}

fn unknown(graph: &Graph, told: &str) -> Failure {
    let names: Vec<&str> = graph.iter().map(|(_, node)| node.facts.name.as_str()).collect();
    let near = suggest::question(told, names.iter().copied());
    let help = near.unwrap_or_else(|| "list the stages with `pdsl plan FILE --all`".to_owned());
    let message = format!("the program has no stage `{told}`");
    Failure::outside(Diagnostic::error(&invocation::NO_STAGE, message).help(help), Exit::Invalid)
}

fn nothing(plan: &Plan) -> String {
    let stages = figures::counted(plan.totals.stages, "stage");
    format!("nothing runs: all {stages} are cached\n")
}

/// Puts stages together that have the same reason and the same causes, in the order of their first.
fn grouped(explained: Vec<Explanation>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for next in explained {
        match groups.iter_mut().find(|group| is_alike(&group.first, &next)) {
            Some(group) => {
                group.first.causes.iter_mut().zip(&next.causes).for_each(|(cause, other)| cause.join(other));
                group.others.push(next);
            }
            None => groups.push(Group { first: next, others: Vec::new() }),
        }
    }
    groups
}

fn is_alike(a: &Explanation, b: &Explanation) -> bool {
    let changes =
        |explanation: &Explanation| explanation.causes.iter().map(|cause| cause.changes.clone()).collect::<Vec<_>>();
    let added = |explanation: &Explanation| explanation.nearest.as_ref().is_some_and(|nearest| nearest.in_program);
    let reasons = match (&a.reason, &b.reason) {
        (Reason::Cached { .. }, Reason::Cached { .. }) | (Reason::Collected { .. }, Reason::Collected { .. }) => true,
        // What is new is not like something changed; what it resembles does not matter.
        (Reason::New, Reason::New) => return added(a) == added(b),
        (a, b) => a == b,
    };
    reasons && changes(a) == changes(b)
}

impl Group {
    fn text(&self, loaded: &Loaded, output: Output) -> String {
        let first = &self.first;
        let mut text = format!("{}  {}\n", output.bold(&first.name), first.key.short());
        let _ = writeln!(text, "  {}", reason(first, loaded));
        for cause in &first.causes {
            let how = if first.reason == Reason::Changed { "cause" } else { "differs" };
            let _ = writeln!(text, "{how:9}{}: {}", cause.name, locate::sentences(&cause.changes));
            if first.reason == Reason::Changed {
                for line in site(loaded, cause).iter().flat_map(|site| excerpt_lines(loaded, site)) {
                    let _ = writeln!(text, "         {line}");
                }
                text += &follows(cause);
            }
        }
        if let Some(reuse) = &first.reuse {
            let agree =
                reuse.agrees_until.as_ref().map(|until| format!("agrees with the earlier training up to {until}"));
            let goes = match (&reuse.goes_on_from, &reuse.agrees_until) {
                (Some(from), _) => Some(format!("goes on from {from}")),
                (None, Some(_)) => {
                    Some("no point on the way there is stored, so it trains from its beginning".to_owned())
                }
                _ => None,
            };
            let _ = writeln!(text, "reuse    {}", agree.into_iter().chain(goes).collect::<Vec<_>>().join("; "));
        }
        if let Some(earlier) = first.nearest.as_ref().filter(|_| matches!(first.reason, Reason::Changed | Reason::New))
        {
            let _ = writeln!(text, "nearest  {}", describe(earlier));
        }
        if !self.others.is_empty() {
            let mut names: Vec<&str> = self.others.iter().take(NAMED).map(|other| other.name.as_str()).collect();
            names.extend((self.others.len() > NAMED).then_some("…"));
            let count = figures::counted(self.others.len(), "more stage");
            let _ = writeln!(text, "also     {count} for the same reason: {}", names.join(", "));
        }
        text
    }

    fn json(&self, loaded: &Loaded) -> serde_json::Value {
        let sites: Vec<_> =
            self.first.causes.iter().map(|cause| site(loaded, cause).map(|site| place(loaded, &site))).collect();
        json!({
            "stage": self.first,
            "places": sites,
            "also": self.others.iter().map(|other| json!({ "name": other.name, "key": other.key })).collect::<Vec<_>>(),
        })
    }
}

fn describe(earlier: &Earlier) -> String {
    let Earlier { name, key, finished, in_program } = earlier;
    let also = if *in_program { ", which this program has too" } else { "" };
    format!("{name}  {}, finished {finished}{also}", key.short())
}

fn follows(cause: &Cause) -> String {
    let mut text = String::new();
    if cause.stages.len() > 1 {
        let others = figures::counted(cause.stages.len() - 1, "further stage");
        let _ = writeln!(text, "         the same change in {others}");
    }
    let _ = match cause.cascade.len() {
        0 => Ok(()),
        1 => writeln!(text, "cascade  1 stage runs again only because it comes after"),
        more => writeln!(text, "cascade  {} run again only because they come after", figures::counted(more, "stage")),
    };
    text
}

fn site(loaded: &Loaded, cause: &Cause) -> Option<Site> {
    let origin = loaded.program.graph.node(cause.id).origins.first()?;
    Some(locate(&loaded.typed, &loaded.program, origin.span, cause.changes.first()?))
}

fn excerpt_lines(loaded: &Loaded, site: &Site) -> Vec<String> {
    excerpt(&loaded.typed.linked.sources, site).lines().map(str::to_owned).collect()
}

fn place(loaded: &Loaded, site: &Site) -> serde_json::Value {
    let sources = &loaded.typed.linked.sources;
    let file = sources.get(site.span.file);
    let (line, column) = file.line_column(site.span.start);
    json!({ "file": *file.name, "line": line, "column": column, "text": sources.slice(site.span), "note": site.note })
}

/// The reason in a sentence.
fn reason(explanation: &Explanation, loaded: &Loaded) -> String {
    let step = |at: u64| {
        let trajectory = loaded.program.graph.node(explanation.id).trajectory.as_ref();
        Step::written(at, trajectory.map_or(0, |trajectory| trajectory.per_epoch))
    };
    match &explanation.reason {
        Reason::Cached { since, host, pdsl, experiments } => {
            let used = match experiments.as_slice() {
                [] => "used by the last run of no experiment".to_owned(),
                list => format!("used by the last run of {}", list.join(", ")),
            };
            format!("is cached since {since}: computed on {host} by pdsl {pdsl}, {used}")
        }
        Reason::Unneeded => "does not run: what it leads to is cached".to_owned(),
        Reason::New => match &explanation.nearest {
            Some(_) => "was never run: the store has no record of it, and nothing like it that was changed".to_owned(),
            None => "was never run: the store has nothing like it".to_owned(),
        },
        Reason::Changed => "runs again: it is not the stage that was run earlier".to_owned(),
        Reason::Lost { objects } => {
            let one = |object: &plan::explain::LostObject| {
                let how = if object.set_aside { "damaged and set aside" } else { "gone" };
                format!("{} {} is {how}", object.role, object.digest.get(..12).unwrap_or(&object.digest))
            };
            let list: Vec<String> = objects.iter().map(one).collect();
            format!("runs again: its record is there, but {}", list.join(", "))
        }
        Reason::Damaged => "runs again: its record was damaged and set aside".to_owned(),
        Reason::Collected { reader } => {
            format!("runs again: `{reader}` was computed from it, but its record is gone (`pdsl store gc` or by hand)")
        }
        Reason::Interrupted { from } => format!("was stopped on the way: it goes on from {}", step(*from)),
        Reason::Unfinished { experiment, time } => {
            format!("was planned by the run of {experiment} at {time}, which did not finish it")
        }
    }
}
