use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{Sender, unbounded};

use super::assignment::{Answer, Assignment};
use super::local::{Launcher, News};
use super::schedule::execute;
use super::*;
use crate::diag::codes::execution;
use crate::graph::{Canon, Facts, Graph, Node, NodeId, Trajectory};
use crate::manifest::record::{Circumstances, Outcome, Place, Record};
use crate::ops::run::Telling;
use crate::plan::{self, Plan};
use crate::store::{Digest, Store};
use crate::value::output::Scale;
use crate::value::{Demands, Measured};

fn scratch() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).unwrap();
    (directory, store)
}

fn node(graph: &mut Graph, name: &str, inputs: &[NodeId]) -> NodeId {
    graph.push(Node {
        op: "evaluate",
        version: 1,
        args: Canon::Str(name.to_owned()),
        inputs: inputs.iter().enumerate().map(|(at, input)| (Arc::from(format!("in{at}")), *input)).collect(),
        trajectory: None,
        data: BTreeMap::new(),
        facts: Facts { name: name.to_owned(), macs: Some(1), ..Facts::default() },
        origins: Vec::new(),
    })
}

fn options(jobs: usize) -> Options {
    Options {
        jobs: Some(jobs),
        threads: Some(4),
        gpus: Vec::new(),
        recompute: false,
        fail_fast: false,
        cadence: Cadence::default(),
        data_roots: BTreeMap::new(),
        data_cache: PathBuf::new(),
        program: PathBuf::from("/nonexistent/pdsl"),
    }
}

/// Finishes stages at once, except those it is told to treat otherwise.
struct Fake {
    store: Store,
    news: Sender<(NodeId, News)>,
    failing: BTreeSet<String>,
    /// Reads the object of its first input.
    reading: BTreeSet<String>,
    /// Runs until it is stopped.
    endless: BTreeSet<String>,
    dying: BTreeSet<String>,
    started: Vec<(String, usize)>,
}

impl Fake {
    fn answer(&self, id: NodeId, answer: Answer) {
        self.news.send((id, News::Answer(answer))).unwrap();
    }

    fn publish(&self, assignment: &Assignment) {
        let digest = self.store.put(assignment.name.as_bytes()).unwrap().to_string();
        let course = assignment.course();
        let record = Record {
            key: assignment.key,
            op: assignment.preimage.op.clone(),
            name: assignment.name.clone(),
            version: 1,
            smoke: false,
            inputs: assignment.preimage.inputs.clone(),
            trajectory: course.map(|course| Place { base: course.base, step: course.trajectory.until }),
            outcome: Outcome {
                objects: BTreeMap::from([("weights".to_owned(), digest)]),
                measures: BTreeMap::from([("top1".to_owned(), 0.5)]),
            },
            run: Circumstances::default(),
        };
        self.store.publish(&record, &assignment.preimage).unwrap();
    }
}

impl Launcher for Fake {
    fn start(&mut self, id: NodeId, assignment: Assignment, _separate: bool) -> Result<(), Problem> {
        assert!(assignment.is_sound());
        self.started.push((assignment.name.clone(), assignment.threads));
        if self.endless.contains(&assignment.name) {
            let progress = Progress { step: 1, total: 2, ..Progress::default() };
            self.answer(id, Answer::Told { telling: Telling::Progress(progress) });
            return Ok(());
        }
        if self.failing.contains(&assignment.name) {
            self.answer(id, Answer::Failed { problem: Problem::new(&execution::STAGE_FAILED, "no") });
        } else if !self.dying.contains(&assignment.name) {
            let input = assignment.inputs.values().next().filter(|_| self.reading.contains(&assignment.name));
            let digest = input.map(|input| input.outcome.objects["weights"].parse::<Digest>().unwrap());
            if let Some(Err(error)) = digest.map(|digest| self.store.get(&digest)) {
                self.answer(id, Answer::Failed { problem: error.into() });
            } else {
                self.publish(&assignment);
                self.answer(id, Answer::Done);
            }
        }
        self.news.send((id, News::Closed)).unwrap();
        Ok(())
    }

    fn stop(&mut self, id: NodeId) {
        self.answer(id, Answer::Interrupted { step: Some(7) });
        self.news.send((id, News::Closed)).unwrap();
    }

    fn kill(&mut self, id: NodeId) {
        self.news.send((id, News::Closed)).unwrap();
    }

    fn finish(&mut self, _id: NodeId) -> Option<Problem> {
        None
    }
}

struct Run {
    report: Report,
    events: Vec<Event>,
    started: Vec<(String, usize)>,
}

impl Run {
    fn names(&self) -> Vec<&str> {
        self.started.iter().map(|(name, _)| name.as_str()).collect()
    }
}

fn execute_with(
    graph: &Graph,
    plan: &Plan,
    store: &Store,
    options: &Options,
    interrupts: &AtomicUsize,
    set: impl Fn(&mut Fake),
) -> Run {
    let (sender, news) = unbounded();
    let mut fake = Fake {
        store: store.clone(),
        news: sender,
        failing: BTreeSet::new(),
        reading: BTreeSet::new(),
        endless: BTreeSet::new(),
        dying: BTreeSet::new(),
        started: Vec::new(),
    };
    set(&mut fake);
    let mut events = Vec::new();
    let mut sink = |event: &Event| {
        if matches!(event, Event::Progress { .. }) {
            interrupts.fetch_add(1, Ordering::Relaxed);
        }
        events.push(event.clone());
    };
    let report = execute(graph, plan, store, options, interrupts, &mut sink, (&mut fake, &news));
    Run { report, events, started: fake.started }
}

fn only(name: &str) -> BTreeSet<String> {
    BTreeSet::from([name.to_owned()])
}

#[test]
fn stages_run_after_what_they_read_and_once() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let top = node(&mut graph, "top", &[]);
    let left = node(&mut graph, "left", &[top]);
    let right = node(&mut graph, "right", &[top]);
    let bottom = node(&mut graph, "bottom", &[left, right]);
    let plan = plan::against(&graph, &[bottom].into_iter().collect(), Some(&store));
    let run = execute_with(&graph, &plan, &store, &options(1), &AtomicUsize::new(0), |_| {});
    assert_eq!(run.names(), ["top", "left", "right", "bottom"]);
    assert!(run.report.is_complete());
    assert_eq!(run.report.measure(bottom, "top1"), Some(0.5));
    let again = plan::against(&graph, &[bottom].into_iter().collect(), Some(&store));
    let run = execute_with(&graph, &again, &store, &options(1), &AtomicUsize::new(0), |_| {});
    assert!(run.started.is_empty());
    assert_eq!(run.report.measure(bottom, "top1"), Some(0.5));
}

#[test]
fn threads_are_divided_among_what_can_run() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let wanted: Vec<NodeId> = ["a", "b", "c"].iter().map(|name| node(&mut graph, name, &[])).collect();
    let last = node(&mut graph, "last", &wanted);
    let plan = plan::against(&graph, &[last].into_iter().collect(), Some(&store));
    let run = execute_with(&graph, &plan, &store, &options(4), &AtomicUsize::new(0), |_| {});
    let threads: Vec<usize> = run.started.iter().map(|(_, threads)| *threads).collect();
    assert_eq!(threads, [1, 1, 1, 4]);
}

#[test]
fn a_failure_blocks_only_what_depends_on_it() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let bad = node(&mut graph, "bad", &[]);
    let good = node(&mut graph, "good", &[]);
    let after_bad = node(&mut graph, "after bad", &[bad]);
    let both = node(&mut graph, "both", &[after_bad, good]);
    let after_good = node(&mut graph, "after good", &[good]);
    let wanted = [both, after_good];
    let plan = plan::against(&graph, &wanted.iter().copied().collect(), Some(&store));
    let run = execute_with(&graph, &plan, &store, &options(2), &AtomicUsize::new(0), |fake| fake.failing = only("bad"));
    assert_eq!(run.report.failed.keys().copied().collect::<Vec<_>>(), [bad]);
    assert_eq!(run.report.blocked, BTreeMap::from([(after_bad, bad), (both, bad)]));
    assert_eq!(run.report.finished.len(), 2);
    assert!(!run.report.is_complete() && !run.report.interrupted);
    let problem = &run.report.failed[&bad];
    assert_eq!(diagnose(&graph, bad, problem, 2).message, "`bad` failed: no");

    let (_directory, store) = scratch();
    let fast = Options { fail_fast: true, ..options(1) };
    let run = execute_with(&graph, &plan, &store, &fast, &AtomicUsize::new(0), |fake| fake.failing = only("bad"));
    assert_eq!(run.names(), ["bad"]);
}

#[test]
fn a_process_that_dies_silently_is_a_failure() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let stage = node(&mut graph, "stage", &[]);
    let plan = plan::against(&graph, &[stage].into_iter().collect(), Some(&store));
    let run = execute_with(&graph, &plan, &store, &options(1), &AtomicUsize::new(0), |fake| fake.dying = only("stage"));
    assert!(run.report.failed.contains_key(&stage));
}

#[test]
fn an_interrupt_stops_what_runs_and_starts_nothing() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let endless = node(&mut graph, "endless", &[]);
    let next = node(&mut graph, "next", &[endless]);
    let plan = plan::against(&graph, &[next].into_iter().collect(), Some(&store));
    let interrupts = AtomicUsize::new(0);
    let run = execute_with(&graph, &plan, &store, &options(1), &interrupts, |fake| fake.endless = only("endless"));
    assert!(run.report.interrupted && run.report.failed.is_empty());
    assert!(run.events.iter().any(|event| matches!(event, Event::Interrupted { step: Some(7), .. })));
    assert_eq!(run.names(), ["endless"]);
}

#[test]
fn a_damaged_input_is_made_again_within_the_run() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let input = node(&mut graph, "input", &[]);
    let reader = node(&mut graph, "reader", &[input]);
    let all = plan::against(&graph, &[input].into_iter().collect(), Some(&store));
    execute_with(&graph, &all, &store, &options(1), &AtomicUsize::new(0), |_| {});
    let digest = Digest::of(b"input").to_string();
    std::fs::write(store.root().join("objects").join(&digest[..2]).join(&digest), b"iNput").unwrap();

    let plan = plan::against(&graph, &[reader].into_iter().collect(), Some(&store));
    assert_eq!(plan.remaining.run, 1, "the damage is not seen yet");
    let run =
        execute_with(&graph, &plan, &store, &options(1), &AtomicUsize::new(0), |fake| fake.reading = only("reader"));
    assert_eq!(run.names(), ["reader", "input", "reader"]);
    assert!(run.report.is_complete(), "{:?}", run.report.failed);
    let lost = run.events.iter().find_map(|event| if let Event::Lost { text } = event { Some(text) } else { None });
    assert!(lost.unwrap().contains("weights of input"), "{lost:?}");
}

#[test]
fn a_missing_program_fails_the_stage_and_says_so() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let stage = node(&mut graph, "stage", &[]);
    let plan = plan::against(&graph, &[stage].into_iter().collect(), Some(&store));
    let report = run(&graph, &plan, &store, &options(1), &AtomicUsize::new(0), &mut |_| {});
    let problem = &report.failed[&stage];
    assert_eq!(problem.code, execution::WORKER_UNAVAILABLE.id);
    assert!(problem.message.contains("No such file"), "{}", problem.message);
}

#[test]
fn an_assignment_arrives_with_all_its_bits() {
    let mut graph = Graph::default();
    let input = node(&mut graph, "input: \"odd\" ---\n", &[]);
    let rates: Vec<f64> = (1..60).map(|step| 0.1 / f64::from(step) + f64::MIN_POSITIVE).collect();
    let trained = graph.push(Node {
        op: "train",
        trajectory: Some(Trajectory {
            start: 3,
            until: 40,
            per_epoch: 7,
            rates: rates.into(),
            prunings: Arc::default(),
        }),
        args: Canon::of(&BTreeMap::from([("momentum", 0.1 + 0.2), ("decay", 1e-17), ("tiny", 5e-324)])).unwrap(),
        inputs: vec![("state".into(), input)],
        ..graph.node(input).clone()
    });
    let sent = Assignment::of(&graph, trained, BTreeMap::new(), PathBuf::from("/s p/ü"), 3, &options(1));
    let mut bytes = Vec::new();
    sent.write(&mut bytes).unwrap();
    let read = Assignment::read(&mut bytes.as_slice()).unwrap();
    assert!(read.is_sound());
    assert_eq!(read.preimage, sent.preimage);
    assert_eq!(read.path.unwrap().rates, sent.path.unwrap().rates);
    assert_eq!(read.store, sent.store);
}

#[test]
fn the_estimate_follows_the_measured_pace() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let ids: Vec<NodeId> = (0..4).map(|at| node(&mut graph, &format!("stage {at}"), &[])).collect();
    let plan = plan::against(&graph, &ids.iter().copied().collect(), Some(&store));
    let mut estimate = Estimate::new(&plan);
    let name = |id: NodeId| StageRef { id, key: graph.key(id), name: "".into() };
    let seconds = Duration::from_secs_f64;
    assert_eq!(estimate.remaining(seconds(0.0)), None);
    estimate.observe(&Event::Started { stage: name(ids[0]), threads: 1 }, seconds(0.0));
    estimate.observe(&Event::Finished { stage: name(ids[0]), seconds: 2.0, measures: BTreeMap::new() }, seconds(2.0));
    assert_eq!(estimate.remaining(seconds(2.0)), Some(seconds(6.0)));
    estimate.observe(&Event::Started { stage: name(ids[1]), threads: 1 }, seconds(2.0));
    let progress = Progress { step: 5, total: 10, ..Progress::default() };
    estimate.observe(&Event::Progress { stage: name(ids[1]), progress }, seconds(3.0));
    assert_eq!(estimate.remaining(seconds(3.0)), Some(seconds(5.0)));
}

/// A condition that the measure `top1` of a stage, which is 0.5 for every stage here, is above a level.
fn above(stage: NodeId, level: f64) -> Arc<Measured> {
    Arc::new(Measured::above(&measure(stage), level))
}

fn measure(stage: NodeId) -> Arc<Measured> {
    Arc::new(Measured::Read { node: stage, measure: "top1".into(), scale: Scale::Ratio })
}

#[test]
fn a_stage_behind_a_condition_runs_only_if_it_holds() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let judge = node(&mut graph, "judge", &[]);
    let before_good = node(&mut graph, "before good", &[]);
    let good = node(&mut graph, "good", &[before_good]);
    let before_bad = node(&mut graph, "before bad", &[]);
    let bad = node(&mut graph, "bad", &[before_bad]);
    let mut demands = Demands::default();
    demands.result_if(&above(judge, 0.4), &measure(good));
    demands.result_if(&above(judge, 0.6), &measure(bad));
    let plan = plan::against(&graph, &demands, Some(&store));
    assert_eq!((plan.totals.stages, plan.totals.run, plan.totals.conditional), (5, 1, 4));
    let run = execute_with(&graph, &plan, &store, &options(2), &AtomicUsize::new(0), |_| {});
    assert_eq!(run.names(), ["judge", "before good", "good"]);
    assert_eq!(run.report.unneeded, BTreeSet::from([before_bad, bad]));
    assert!(run.report.is_complete());

    let again = plan::against(&graph, &demands, Some(&store));
    let listed: Vec<&str> = again.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(listed, ["judge", "before good", "good"]);
    assert_eq!((again.totals.cached, again.totals.run, again.totals.conditional), (3, 0, 0));
}

#[test]
fn a_stage_that_both_a_condition_and_another_output_want_runs_in_any_case() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let judge = node(&mut graph, "judge", &[]);
    let shared = node(&mut graph, "shared", &[]);
    let mut demands: Demands = [shared].into_iter().collect();
    demands.result_if(&above(judge, 0.6), &measure(shared));
    let plan = plan::against(&graph, &demands, Some(&store));
    assert_eq!((plan.totals.run, plan.totals.conditional), (2, 0));
    let run = execute_with(&graph, &plan, &store, &options(1), &AtomicUsize::new(0), |_| {});
    assert_eq!(run.report.finished.len(), 2);
}

#[test]
fn what_waits_for_a_failed_stage_behind_a_condition_is_blocked() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let bad = node(&mut graph, "bad", &[]);
    let judge = node(&mut graph, "judge", &[]);
    let after = node(&mut graph, "after", &[bad]);
    let mut demands: Demands = [bad].into_iter().collect();
    demands.result_if(&above(judge, 0.4), &measure(after));
    let plan = plan::against(&graph, &demands, Some(&store));
    let run = execute_with(&graph, &plan, &store, &options(1), &AtomicUsize::new(0), |fake| fake.failing = only("bad"));
    assert_eq!(run.report.blocked, BTreeMap::from([(after, bad)]));
    assert!(!run.report.is_complete());
}

#[test]
fn rounds_behind_the_last_are_never_started() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let mut rounds = vec![node(&mut graph, "round 0", &[])];
    let mut demands: Demands = rounds.iter().copied().collect();
    let mut going: Option<Arc<Measured>> = None;
    for round in 1..=4 {
        let last = *rounds.last().unwrap();
        // Every stage measures 0.5; the third round is the first whose condition fails.
        let goes_on = above(last, if round == 3 { 0.6 } else { 0.4 });
        let when = going.map_or_else(|| goes_on.clone(), |before| Measured::both(&before, &goes_on));
        rounds.push(node(&mut graph, &format!("round {round}"), &[last]));
        demands.result_if(&when, &measure(rounds[round]));
        going = Some(when);
    }
    let plan = plan::against(&graph, &demands, Some(&store));
    assert_eq!((plan.totals.run, plan.totals.conditional), (1, 4));
    let run = execute_with(&graph, &plan, &store, &options(4), &AtomicUsize::new(0), |_| {});
    assert_eq!(run.names(), ["round 0", "round 1", "round 2"]);
    assert_eq!(run.report.unneeded, BTreeSet::from([rounds[3], rounds[4]]));
}
