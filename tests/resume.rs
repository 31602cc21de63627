//! Runs that are killed at random moments and started again end with the same bits as an undisturbed run.
//!
//! The run that is killed is this test binary, started again with `PDSL_VICTIM_STORE` set: the function `victim` then
//! executes a small experiment through the library, in worker processes of the real `pdsl`.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pdsl::domain::arch::{Arch, Layer, Shape};
use pdsl::domain::data::{Augment, Split, Task};
use pdsl::domain::pruning::{Amount, Counting, Pruner, Rule, Scope, Score, Unit};
use pdsl::domain::recipe::{Decay, Optimizer, Recipe};
use pdsl::domain::seed::Seed;
use pdsl::exec::{self, Cadence, Event, Log, Options, Report};
use pdsl::graph::{Canon, Facts, Graph, Node, NodeId, Trajectory};
use pdsl::ops::stages::evaluate::EvaluateArgs;
use pdsl::ops::stages::init::InitArgs;
use pdsl::ops::stages::prune::PruneArgs;
use pdsl::ops::stages::rewind::RewindArgs;
use pdsl::ops::stages::train::TrainArgs;
use pdsl::plan::{self, Status};
use pdsl::store::Store;
use serde::Serialize;

/// Kills over all attempts.
const KILLS: usize = 20;
/// Long enough that training takes most of the time, beside the start of processes.
const EPOCHS: u64 = 8;

fn arch() -> Arch {
    let conv = |out, stride| Layer::Conv { out, kernel: [3, 3], stride, pad: 1, dilation: 1, groups: 1, bias: false };
    let layers = [
        ("conv1", conv(32, 1)),
        ("bn1", Layer::BatchNorm { zero_scale: false }),
        ("relu1", Layer::Relu),
        ("conv2", conv(32, 1)),
        ("bn2", Layer::BatchNorm { zero_scale: false }),
        ("relu2", Layer::Relu),
        ("conv3", conv(64, 2)),
        ("bn3", Layer::BatchNorm { zero_scale: false }),
        ("relu3", Layer::Relu),
        ("pool", Layer::GlobalAvgPool),
        ("fc", Layer::Linear { out: 10 }),
    ];
    let members = layers.into_iter().map(|(name, layer)| (name.to_owned(), layer)).collect();
    Arch { root: Layer::Sequence { members }, input: Shape { channels: 1, height: 8, width: 8 } }
}

fn task() -> Task {
    Task { augment: vec![Augment::PadCrop { pad: 1 }], ..Task::digits() }
}

fn recipe() -> Recipe {
    let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 1e-4, decay: Decay::All };
    Recipe { optimizer, batch: 64, label_smoothing: 0.0 }
}

/// Builds graphs of stages over digits.
#[derive(Default)]
struct Program {
    graph: Graph,
    wanted: Vec<NodeId>,
}

impl Program {
    fn push(
        &mut self,
        op: &'static str,
        args: impl Serialize,
        inputs: &[(&str, NodeId)],
        path: Option<Trajectory>,
    ) -> NodeId {
        let facts = Facts { name: format!("{op} {}", self.graph.len()), ..Facts::default() };
        self.graph.push(Node {
            op,
            version: 1,
            args: Canon::of(&args).unwrap(),
            inputs: inputs.iter().map(|(role, id)| (Arc::from(*role), *id)).collect(),
            trajectory: path,
            data: BTreeMap::new(),
            facts,
            origins: Vec::new(),
        })
    }

    fn init(&mut self) -> NodeId {
        self.push("init", InitArgs { arch: arch().into(), seed: Seed { root: 1, stream: Vec::new() } }, &[], None)
    }

    fn train(&mut self, state: NodeId, start: u64, until: u64, rate: impl Fn(u64) -> f64) -> NodeId {
        let per_epoch = recipe().iterations_per_epoch(task().train);
        let rates: Vec<f64> = (start..until).map(rate).collect();
        let order = Seed { root: 1, stream: vec!["order".to_owned()] };
        let args = TrainArgs { arch: arch().into(), task: task(), recipe: recipe(), order, gradual: None };
        let path = Trajectory { start, until, per_epoch, rates: rates.into(), prunings: Arc::default() };
        self.push("train", args, &[("state", state)], Some(path))
    }

    fn prune(&mut self, state: NodeId) -> NodeId {
        let pruner = Pruner {
            by: Rule::Score { score: Score::Abs(Box::new(Score::Weight)) },
            remove: Amount::Rate("1/5".to_owned()),
            scope: Scope::Global,
            keep: Vec::new(),
            counting: Counting::OpenLth,
            unit: Unit::Weight,
            samples: None,
        };
        self.push("prune", PruneArgs { arch: arch().into(), pruner, concepts: None }, &[("state", state)], None)
    }

    fn rewind(&mut self, state: NodeId, to: NodeId) -> NodeId {
        self.push("rewind", RewindArgs {}, &[("state", state), ("to", to)], None)
    }

    fn evaluate(&mut self, state: NodeId) -> NodeId {
        let args =
            EvaluateArgs { arch: arch().into(), task: Task { augment: Vec::new(), ..task() }, split: Split::Test };
        let id = self.push("evaluate", args, &[("state", state)], None);
        self.wanted.push(id);
        id
    }

    fn plan(&self, store: &Store) -> plan::Plan {
        plan::against(&self.graph, &self.wanted.iter().copied().collect(), Some(store))
    }

    fn run(&self, store: &Store, cadence: Cadence, threads: usize) -> Report {
        let plan = self.plan(store);
        exec::run(&self.graph, &plan, store, &options(store, cadence, threads), &AtomicUsize::new(0), &mut |_| {})
    }
}

fn options(store: &Store, cadence: Cadence, threads: usize) -> Options {
    Options {
        jobs: Some(2),
        threads: Some(threads),
        gpus: Vec::new(),
        recompute: false,
        fail_fast: false,
        cadence,
        data_roots: BTreeMap::new(),
        data_cache: store.root().join("cache"),
        program: PathBuf::from(env!("CARGO_BIN_EXE_pdsl")),
    }
}

fn falling(step: u64) -> f64 {
    0.1 / (1.0 + step as f64 / 30.0)
}

/// Trains, prunes, rewinds, retrains, evaluates; two learning rates that part on the way.
fn experiment() -> Program {
    let mut program = Program::default();
    let per_epoch = recipe().iterations_per_epoch(task().train);
    let until = EPOCHS * per_epoch;
    let init = program.init();
    let early = program.train(init, 0, 7, falling);
    let dense = program.train(init, 0, until, falling);
    let other = program.train(init, 0, until, |step| if step < until / 2 { falling(step) } else { 0.01 });
    let pruned = program.prune(dense);
    let ticket = program.rewind(pruned, early);
    let retrained = program.train(ticket, 7, until, falling);
    for state in [dense, other, retrained] {
        program.evaluate(state);
    }
    program
}

/// Everything that a store knows about results, without times and places.
fn results(store: &Store) -> BTreeMap<String, String> {
    let records = store.records().map(Result::unwrap);
    records.map(|record| (record.key.to_string(), format!("{:?}", record.outcome))).collect()
}

fn rolling_points(store: &Store) -> usize {
    let directories = std::fs::read_dir(store.root().join("trajectories")).unwrap();
    let points = directories.flat_map(|directory| std::fs::read_dir(directory.unwrap().path()).unwrap());
    points.filter(|point| point.as_ref().unwrap().path().is_dir()).count()
}

#[test]
fn victim() {
    let Ok(path) = std::env::var("PDSL_VICTIM_STORE") else { return };
    let store = Store::open(Path::new(&path)).unwrap();
    let Ok(path) = std::env::var("PDSL_VICTIM_EVENTS") else {
        let report = experiment().run(&store, Cadence::Iterations(3), 2);
        assert!(report.is_complete(), "{:?}", report.failed);
        return;
    };
    let program = experiment();
    let mut log = Log::create(Path::new(&path)).unwrap();
    let options = options(&store, Cadence::Iterations(3), 2);
    let mut sink = |event: &Event| log.write(event).unwrap();
    exec::run(&program.graph, &program.plan(&store), &store, &options, &AtomicUsize::new(0), &mut sink);
}

fn start(store: &Path) -> Child {
    victim_of(store).spawn().unwrap()
}

fn victim_of(store: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "victim"])
        .env("PDSL_VICTIM_STORE", store)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    command
}

/// Returns the events of a kind in a log.
fn events(log: &Path, kind: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines.filter(|event| event["event"] == kind).collect()
}

/// Returns the processes that a process has started, and those they have started.
fn descendants(process: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let texts = tasks.map(|task| std::fs::read_to_string(task.path().join("children")).unwrap_or_default());
    let children: Vec<u32> =
        texts.flat_map(|text| text.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>()).collect();
    children.iter().copied().chain(children.iter().flat_map(|child| descendants(*child))).collect()
}

fn kill(process: u32) {
    let _ = Command::new("kill").args(["-9", &process.to_string()]).stderr(Stdio::null()).status();
}

/// A small generator, so that a failing sequence can be repeated.
fn next(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1u64 << 53) as f64
}

#[test]
fn kill_9_at_random_moments_changes_no_bit() {
    let directory = tempfile::tempdir().unwrap();
    let undisturbed = Store::open(&directory.path().join("undisturbed")).unwrap();
    let began = Instant::now();
    let report = experiment().run(&undisturbed, Cadence::Seconds(1e9), 1);
    let whole = began.elapsed().as_secs_f64();
    assert!(report.is_complete(), "{:?}", report.failed);
    let expected = results(&undisturbed);
    assert_eq!(expected.len(), 10);

    let (mut kills, mut resumed, mut random) = (0, 0, 7);
    for attempt in 0.. {
        let path = directory.path().join(format!("disturbed {attempt}"));
        loop {
            let mut child = start(&path);
            let deadline = Instant::now() + Duration::from_secs_f64((0.02 + 0.3 * next(&mut random)) * whole);
            while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            if kills < KILLS && child.try_wait().unwrap().is_none() {
                // Every other time the workers survive; they have to notice, save and stop.
                let workers = if kills % 2 == 0 { descendants(child.id()) } else { Vec::new() };
                child.kill().unwrap();
                workers.into_iter().for_each(kill);
                child.wait().unwrap();
                kills += 1;
                if let Ok(Some(store)) = Store::existing(&path) {
                    let plan = experiment().plan(&store);
                    resumed += plan.stages.iter().filter(|stage| matches!(stage.status, Status::Resume { .. })).count();
                }
                continue;
            }
            assert!(child.wait().unwrap().success());
            break;
        }
        let store = Store::open(&path).unwrap();
        assert_eq!(results(&store), expected, "attempt {attempt}");
        assert_eq!(store.verify().findings, []);
        if kills == KILLS {
            break;
        }
    }
    assert!(resumed > 0, "no kill hit a training");
}

#[test]
fn finished_trainings_leave_no_rolling_points() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let mut program = Program::default();
    let init = program.init();
    let trained = program.train(init, 0, 20, falling);
    program.evaluate(trained);
    assert!(program.run(&store, Cadence::Iterations(2), 2).is_complete());
    assert_eq!(rolling_points(&store), 0);
    assert!(program.plan(&store).stages.iter().all(|stage| stage.status == Status::Cached));
}

#[test]
fn a_longer_training_equals_one_that_was_planned_so() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (directory.path().join("first"), directory.path().join("second"));
    let trained = |until| {
        let mut program = Program::default();
        let init = program.init();
        let state = program.train(init, 0, until, falling);
        program.evaluate(state);
        (program, state)
    };
    let once = Store::open(&first).unwrap();
    assert!(trained(40).0.run(&once, Cadence::default(), 2).is_complete());
    let twice = Store::open(&second).unwrap();
    assert!(trained(17).0.run(&twice, Cadence::default(), 1).is_complete());
    let (program, state) = trained(40);
    assert_eq!(program.plan(&twice).stage(state).unwrap().status, Status::Resume { from: 17 });
    assert!(program.run(&twice, Cadence::default(), 1).is_complete());
    let (once, twice) = (results(&once), results(&twice));
    assert!(once.iter().all(|(key, outcome)| twice.get(key) == Some(outcome)), "{once:#?}\n{twice:#?}");
}

#[test]
fn a_rewound_state_stores_nothing_new() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let program = experiment();
    let report = program.run(&store, Cadence::default(), 2);
    assert!(report.is_complete(), "{:?}", report.failed);
    let records: Vec<_> = store.records().map(Result::unwrap).collect();
    let others: BTreeSet<_> = records
        .iter()
        .filter(|record| record.op != "rewind")
        .flat_map(|record| record.outcome.objects.values())
        .collect();
    let rewound = records.iter().find(|record| record.op == "rewind").unwrap();
    assert!(rewound.outcome.objects.values().all(|digest| others.contains(digest)));
    assert_eq!(rewound.outcome.objects.keys().collect::<Vec<_>>(), ["mask", "weights"]);
}

#[test]
fn a_wish_to_stop_saves_a_point_and_the_next_run_goes_on_there() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let mut program = Program::default();
    let init = program.init();
    let trained = program.train(init, 0, 100_000, |_| 0.01);
    program.evaluate(trained);
    let interrupts = AtomicUsize::new(0);
    let mut saved = None;
    let mut sink = |event: &Event| match event {
        Event::Progress { progress, .. } if progress.step > 3 => interrupts.store(1, Ordering::Relaxed),
        Event::Interrupted { step, .. } => saved = *step,
        _ => {}
    };
    let plan = program.plan(&store);
    let options = options(&store, Cadence::Seconds(1e9), 2);
    let report = exec::run(&program.graph, &plan, &store, &options, &interrupts, &mut sink);
    assert!(report.interrupted && report.failed.is_empty());
    let saved = saved.unwrap();
    assert!(saved > 3);
    assert_eq!(program.plan(&store).stage(trained).unwrap().status, Status::Resume { from: saved });
}

#[test]
fn a_training_that_diverges_fails_with_its_place_and_blocks_only_its_cone() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let mut program = Program::default();
    let init = program.init();
    let wild = program.train(init, 0, 60, |step| if step < 10 { 0.1 } else { 1e30 });
    let tame = program.train(init, 0, 30, falling);
    let (lost, found) = (program.evaluate(wild), program.evaluate(tame));
    let report = program.run(&store, Cadence::Iterations(4), 2);
    let problem = &report.failed[&wild];
    assert_eq!(problem.code, "PD0503");
    assert!(problem.message.contains("epoch") && problem.message.contains("iteration"), "{}", problem.message);
    assert_eq!(report.blocked, BTreeMap::from([(lost, wild)]));
    assert!(report.measure(found, "top1").is_some());
    assert!(matches!(program.plan(&store).stage(wild).unwrap().status, Status::Resume { from } if from >= 8));
}

#[test]
fn two_runs_share_a_store_and_compute_each_stage_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    Store::open(&path).unwrap();
    let logs = ["first", "second"].map(|name| directory.path().join(name));
    let mut children = logs.clone().map(|log| victim_of(&path).env("PDSL_VICTIM_EVENTS", log).spawn().unwrap());
    children.iter_mut().for_each(|child| assert!(child.wait().unwrap().success()));
    let ended = logs.clone().map(|log| events(&log, "ended"));
    assert!(ended.iter().all(|ended| ended.len() == 1 && ended[0]["failed"] == 0 && ended[0]["blocked"] == 0));
    let trained = |log: &PathBuf| events(log, "progress").into_iter().map(|event| event["stage"]["name"].to_string());
    let waited = |log: &PathBuf| events(log, "waiting").into_iter().map(|event| event["stage"]["name"].to_string());
    let (first, second): (BTreeSet<_>, BTreeSet<_>) = (trained(&logs[0]).collect(), trained(&logs[1]).collect());
    assert_eq!(first.intersection(&second).count(), 0, "trained twice");
    assert!(logs.iter().flat_map(waited).count() > 0, "nobody waited");
    assert_eq!(Store::open(&path).unwrap().verify().findings, []);
}

#[test]
fn a_killed_worker_fails_its_stage_and_the_rest_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (path, log) = (directory.path().join("store"), directory.path().join("events"));
    let mut child = victim_of(&path).env("PDSL_VICTIM_EVENTS", &log).spawn().unwrap();
    let left = |event: &serde_json::Value| {
        let progress = |name: &str| event["progress"][name].as_u64().unwrap();
        progress("total") - progress("step")
    };
    while !events(&log, "progress").iter().any(|event| left(event) > 30) {
        assert!(child.try_wait().unwrap().is_none(), "over before it was killed");
        std::thread::sleep(Duration::from_millis(1));
    }
    kill(descendants(child.id())[0]);
    assert!(child.wait().unwrap().success());
    let failed = events(&log, "failed");
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["problem"]["code"], "PD0502");
    assert!(failed[0]["problem"]["message"].as_str().unwrap().contains("signal 9"));
    assert_eq!(events(&log, "ended").len(), 1);
    let again = experiment().run(&Store::open(&path).unwrap(), Cadence::default(), 2);
    assert!(again.is_complete(), "{:?}", again.failed);
}
