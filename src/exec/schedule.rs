//! The scheduler: keeps the machine busy with whatever is ready, until nothing is left that can run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};

use super::Options;
use super::assignment::{Answer, Assignment};
use super::event::{Event, StageRef};
use super::local::{Launcher, Local, News};
use crate::diag::codes::execution;
use crate::graph::{Dependencies, Graph, NodeId};
use crate::manifest::record::Record;
use crate::ops::run::{Problem, Telling};
use crate::plan::{self, Plan, Status};
use crate::store::Store;
use crate::value::Demands;

/// How often the user's wish to stop is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often stored results that turn out to be lost are made again before the run gives up.
const ATTEMPTS: usize = 3;
/// A stage that adds more bytes than this runs in a process of its own.
const LIGHT_BYTES: u64 = 256 << 20;

/// How a run ended.
#[derive(Debug, Default)]
pub struct Report {
    /// Records of all stages that were needed and are stored.
    pub records: BTreeMap<NodeId, Record>,
    /// Stages that ran to their end in this run.
    pub finished: Vec<NodeId>,
    /// Stages that failed, and why.
    pub failed: BTreeMap<NodeId, Problem>,
    /// Stages that could not run, and the failed one that each waits for.
    pub blocked: BTreeMap<NodeId, NodeId>,
    /// Stages that did not run, because measured conditions rule them out.
    pub unneeded: BTreeSet<NodeId>,
    /// Whether the user stopped the run.
    pub interrupted: bool,
    /// Wall-clock seconds.
    pub seconds: f64,
}

impl Report {
    /// Returns a measure of a stage. `None` if the stage did not run.
    pub fn measure(&self, id: NodeId, name: &str) -> Option<f64> {
        self.records.get(&id)?.outcome.measures.get(name).copied()
    }

    /// Tells whether every wanted result is there.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.blocked.is_empty() && !self.interrupted
    }
}

/// Executes a plan. `interrupts` counts the user's wishes to stop: at one, running stages save and stop; at two, they
/// are ended at once.
pub fn run(
    graph: &Graph,
    plan: &Plan,
    store: &Store,
    options: &Options,
    interrupts: &AtomicUsize,
    sink: &mut dyn FnMut(&Event),
) -> Report {
    let (sender, news) = unbounded();
    let mut launcher = Local::new(options.program.clone(), sender);
    execute(graph, plan, store, options, interrupts, sink, (&mut launcher, &news))
}

/// Executes a plan wherever `launcher` runs stages, again and again while stored results turn out to be lost.
pub(super) fn execute(
    graph: &Graph,
    plan: &Plan,
    store: &Store,
    options: &Options,
    interrupts: &AtomicUsize,
    sink: &mut dyn FnMut(&Event),
    (launcher, news): (&mut dyn Launcher, &Receiver<(NodeId, News)>),
) -> Report {
    let began = Instant::now();
    let mut report = pass(graph, plan, store, options, interrupts, sink, (launcher, news), Report::default());
    for _ in 1..ATTEMPTS {
        let lost: Vec<String> = report
            .failed
            .values()
            .filter(|problem| problem.lost.is_some())
            .map(|problem| problem.message.clone())
            .collect();
        if lost.is_empty() || report.interrupted || options.fail_fast && report.failed.len() > lost.len() {
            break;
        }
        lost.into_iter().for_each(|text| sink(&Event::Lost { text }));
        let plan = plan::against(graph, &plan.demands, Some(store));
        let again = Report { finished: report.finished, ..Report::default() };
        report = pass(graph, &plan, store, options, interrupts, sink, (launcher, news), again);
    }
    report.seconds = began.elapsed().as_secs_f64();
    sink(&Event::Ended {
        finished: report.finished.len(),
        failed: report.failed.len(),
        blocked: report.blocked.len(),
        interrupted: report.interrupted,
    });
    report
}

#[expect(clippy::too_many_arguments, reason = "the parts of one loop, called from one place")]
fn pass(
    graph: &Graph,
    plan: &Plan,
    store: &Store,
    options: &Options,
    interrupts: &AtomicUsize,
    sink: &mut dyn FnMut(&Event),
    (launcher, news): (&mut dyn Launcher, &Receiver<(NodeId, News)>),
    report: Report,
) -> Report {
    let cores = options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1);
    let mut scheduler = Scheduler {
        graph,
        store,
        options,
        demands: &plan.demands,
        dependencies: Dependencies::of(graph, plan.demands.all()),
        cores,
        jobs: options.jobs.unwrap_or(cores).max(1),
        waiting: BTreeMap::new(),
        held: BTreeSet::new(),
        ready: BTreeSet::new(),
        urgency: BTreeMap::new(),
        running: BTreeMap::new(),
        wish: 0,
        sink,
        launcher,
        report,
    };
    scheduler.begin(plan);
    scheduler.work(news, interrupts);
    scheduler.report
}

struct Scheduler<'a> {
    graph: &'a Graph,
    store: &'a Store,
    options: &'a Options,
    demands: &'a Demands,
    dependencies: Dependencies,
    cores: usize,
    jobs: usize,
    /// Stages that wait, and for how many others.
    waiting: BTreeMap<NodeId, usize>,
    /// Stages that run only if a condition holds that is not measured yet.
    held: BTreeSet<NodeId>,
    /// Stages that could start, the most urgent first.
    ready: BTreeSet<(Reverse<u64>, NodeId)>,
    /// Work from the beginning of a stage to the end of the longest chain behind it.
    urgency: BTreeMap<NodeId, u64>,
    running: BTreeMap<NodeId, Running>,
    /// Wishes to stop that have been passed on.
    wish: usize,
    sink: &'a mut dyn FnMut(&Event),
    launcher: &'a mut dyn Launcher,
    report: Report,
}

struct Running {
    began: Instant,
    result: Option<Answer>,
}

impl Scheduler<'_> {
    fn begin(&mut self, plan: &Plan) {
        (self.sink)(&Event::Began {
            stages: plan.totals.stages,
            cached: plan.totals.cached,
            run: plan.totals.run + plan.totals.conditional,
            jobs: self.jobs,
        });
        self.report.records.extend(plan.records.iter().map(|(id, record)| (*id, record.clone())));
        let open = || plan.stages.iter().filter(|stage| stage.status != Status::Cached);
        let due: BTreeSet<NodeId> = open().filter(|stage| !stage.conditional).map(|stage| stage.id).collect();
        self.held = open().filter(|stage| stage.conditional).map(|stage| stage.id).collect();
        for stage in plan.stages.iter().rev() {
            let behind = self.dependencies.successors(stage.id);
            let behind = behind.iter().filter_map(|next| self.urgency.get(next)).max().copied().unwrap_or(0);
            self.urgency.insert(stage.id, behind.saturating_add(stage.facts.macs.unwrap_or(0)).saturating_add(1));
        }
        for stage in &plan.stages {
            if self.held.contains(&stage.id) {
                continue;
            }
            if due.contains(&stage.id) {
                let before = self.dependencies.predecessors(stage.id);
                let count = before.iter().filter(|id| due.contains(id)).count();
                self.waiting.insert(stage.id, count);
                if count == 0 {
                    self.offer(stage.id);
                }
            } else {
                let stage = self.name(stage.id);
                (self.sink)(&Event::Cached { stage });
            }
        }
    }

    fn offer(&mut self, id: NodeId) {
        self.ready.insert((Reverse(self.urgency.get(&id).copied().unwrap_or(0)), id));
    }

    fn work(&mut self, news: &Receiver<(NodeId, News)>, interrupts: &AtomicUsize) {
        loop {
            self.heed(interrupts.load(Ordering::Relaxed));
            while !self.halting() && self.running.len() < self.jobs {
                let Some(next) = self.choose() else { break };
                self.ready.remove(&next);
                self.start(next.1);
            }
            if self.running.is_empty() {
                return;
            }
            match news.recv_timeout(LOOK_EVERY) {
                Ok((id, News::Answer(answer))) => self.hear(id, answer),
                Ok((id, News::Closed)) => self.close(id),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Returns the most urgent stage that no other process computes, or, if there is none such, one to wait for.
    fn choose(&self) -> Option<(Reverse<u64>, NodeId)> {
        let free = |(_, id): &&(Reverse<u64>, NodeId)| self.store.holder(self.graph.key(*id)).is_none();
        self.ready.iter().find(free).or_else(|| self.ready.first()).copied()
    }

    /// Tells whether nothing new is to start.
    fn halting(&self) -> bool {
        self.report.interrupted || self.options.fail_fast && !self.report.failed.is_empty()
    }

    /// Passes the user's wish to stop on to the running stages.
    fn heed(&mut self, wish: usize) {
        if wish == self.wish {
            return;
        }
        self.wish = wish;
        self.report.interrupted = true;
        (self.sink)(&Event::Stopping { at_once: wish > 1 });
        for id in self.running.keys() {
            if wish > 1 { self.launcher.kill(*id) } else { self.launcher.stop(*id) }
        }
    }

    fn start(&mut self, id: NodeId) {
        let began = Instant::now();
        let inputs = match self.inputs(id) {
            Ok(inputs) => inputs,
            Err(problem) => return self.fail(id, problem),
        };
        let sharing = (self.running.len() + 1 + self.ready.len()).min(self.jobs);
        let threads = (self.cores / sharing.max(1)).max(1);
        let root = self.store.root().to_path_buf();
        let assignment = Assignment::of(self.graph, id, inputs, root, threads, self.options);
        let separate = is_heavy(self.graph, id);
        let stage = self.name(id);
        (self.sink)(&Event::Started { stage, threads });
        match self.launcher.start(id, assignment, separate) {
            Ok(()) => drop(self.running.insert(id, Running { began, result: None })),
            Err(problem) => self.fail(id, problem),
        }
    }

    fn inputs(&mut self, id: NodeId) -> Result<BTreeMap<String, Record>, Problem> {
        let mut inputs = BTreeMap::new();
        for (role, input) in &self.graph.node(id).inputs {
            if !self.report.records.contains_key(input) {
                let record = self.store.lookup(self.graph.key(*input))?.ok_or_else(|| {
                    let name = &self.graph.node(*input).facts.name;
                    let problem = Problem::new(&execution::INPUT_LOST, format!("the store lost its input `{name}`"));
                    Problem { lost: Some(self.graph.key(*input).to_string()), ..problem }
                })?;
                self.report.records.insert(*input, record);
            }
            inputs.extend(self.report.records.get(input).map(|record| (role.to_string(), record.clone())));
        }
        Ok(inputs)
    }

    fn hear(&mut self, id: NodeId, answer: Answer) {
        let stage = self.name(id);
        let event = match answer {
            Answer::Waiting { holder } => Event::Waiting { stage, holder },
            Answer::Told { telling: Telling::Resumed { from } } => Event::Resumed { stage, from },
            Answer::Told { telling: Telling::Progress(progress) } => Event::Progress { stage, progress },
            Answer::Told { telling: Telling::Note { text } } => Event::Note { stage, text },
            result => {
                if let Some(running) = self.running.get_mut(&id) {
                    running.result = Some(result);
                }
                return;
            }
        };
        (self.sink)(&event);
    }

    fn close(&mut self, id: NodeId) {
        let death = self.launcher.finish(id);
        let Some(running) = self.running.remove(&id) else { return };
        match running.result {
            Some(Answer::Interrupted { step }) => {
                let stage = self.name(id);
                (self.sink)(&Event::Interrupted { stage, step });
            }
            Some(Answer::Failed { mut problem }) => {
                if problem.log.is_empty() {
                    problem.log = death.map(|death| death.log).unwrap_or_default();
                }
                self.fail(id, problem);
            }
            _ => match self.store.lookup(self.graph.key(id)) {
                // Whatever became of the process, the store has the result.
                Ok(Some(record)) => self.succeed(id, record, running.began),
                // A process that was asked to stop before it could listen is gone without a word.
                Ok(None) if self.halting() => {
                    let stage = self.name(id);
                    (self.sink)(&Event::Interrupted { stage, step: None });
                }
                Ok(None) => {
                    let silent = || Problem::new(&execution::STAGE_FAILED, "its process ended without a result");
                    self.fail(id, death.unwrap_or_else(silent));
                }
                Err(error) => self.fail(id, error.into()),
            },
        }
    }

    fn succeed(&mut self, id: NodeId, record: Record, began: Instant) {
        let stage = self.name(id);
        let measures = record.outcome.measures.clone();
        (self.sink)(&Event::Finished { stage, seconds: began.elapsed().as_secs_f64(), measures });
        self.report.records.insert(id, record);
        self.report.finished.push(id);
        for next in self.dependencies.successors(id) {
            if let Some(count) = self.waiting.get_mut(&next) {
                *count -= 1;
                if *count == 0 && !self.report.blocked.contains_key(&next) {
                    self.offer(next);
                }
            }
        }
        if !self.held.is_empty() {
            self.reconsider();
        }
    }

    /// Lets stages run whose conditions hold now, and gives up those that are ruled out.
    fn reconsider(&mut self) {
        let graph = self.graph;
        let report = &self.report;
        let lookup = |id, name: &str| report.measure(id, name);
        let (now, possible) = (self.demands.now(&lookup), self.demands.possible(&lookup));
        let activated = held_before(graph, &self.held, now);
        self.held.retain(|id| !activated.contains(id));
        for &id in &activated {
            let before = self.dependencies.predecessors(id);
            let lost = before.iter().find(|id| self.report.failed.contains_key(id)).copied();
            let lost = lost.or_else(|| before.iter().find_map(|id| self.report.blocked.get(id)).copied());
            if let Some(by) = lost {
                self.block(id, by);
                continue;
            }
            let unfinished = |before: &&NodeId| {
                activated.contains(before)
                    || self.waiting.contains_key(before) && !self.report.records.contains_key(before)
            };
            let count = before.iter().filter(unfinished).count();
            self.waiting.insert(id, count);
            if count == 0 {
                self.offer(id);
            }
        }
        let possible = held_before(graph, &self.held, possible);
        let ruled_out: Vec<NodeId> = self.held.difference(&possible).copied().collect();
        for id in ruled_out {
            self.held.remove(&id);
            self.report.unneeded.insert(id);
            let stage = self.name(id);
            (self.sink)(&Event::Unneeded { stage });
        }
    }

    fn block(&mut self, id: NodeId, by: NodeId) {
        if self.report.blocked.insert(id, by).is_none() {
            let (stage, by) = (self.name(id), self.name(by));
            (self.sink)(&Event::Blocked { stage, by });
        }
    }

    fn fail(&mut self, id: NodeId, problem: Problem) {
        let stage = self.name(id);
        (self.sink)(&Event::Failed { stage, problem: problem.clone() });
        let retried = problem.lost.is_some();
        self.report.failed.insert(id, problem);
        for next in self.dependencies.cone(id) {
            if self.waiting.contains_key(&next) {
                self.block(next, id);
            }
        }
        if self.options.fail_fast && !retried {
            for id in self.running.keys() {
                self.launcher.stop(*id);
            }
        }
    }

    fn name(&self, id: NodeId) -> StageRef {
        StageRef { id, key: self.graph.key(id), name: self.graph.node(id).facts.name.as_str().into() }
    }
}

/// Returns the held stages that are wanted, or that wanted ones read, directly or not.
fn held_before(graph: &Graph, held: &BTreeSet<NodeId>, wanted: BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<NodeId> = wanted.into_iter().collect();
    while let Some(id) = open.pop() {
        if held.contains(&id) && found.insert(id) {
            open.extend(graph.node(id).inputs.iter().map(|(_, input)| *input));
        }
    }
    found
}

/// Tells whether a stage deserves a process of its own.
fn is_heavy(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    node.facts.bytes > LIGHT_BYTES || crate::ops::run::is_heavy(node.op)
}
