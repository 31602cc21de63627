//! How long the rest of a plan will take, from how long like stages took.
//!
//! Times are those that a stage adds to a run that keeps the whole machine busy: on the processor, seconds times threads
//! over cores. A stage whose work is counted is scaled from stages of its kind on the same device by multiply-accumulates,
//! from those of like size where there are some; other stages are taken to last as long as their kind does.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Plan, Stage, Status, totals};
use crate::domain::device::Device;
use crate::graph::{Dependencies, Graph, NodeId};
use crate::manifest::record::Record;
use crate::ops::run::is_heavy;
use crate::store::Store;

/// Stages within this factor of a stage's work are of like size.
const LIKE: f64 = 4.0;
/// With so many times or more, the range leaves out a tenth on each side.
const MANY: usize = 10;

/// The machine that stages will run on.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What computes networks.
    pub device: Device,
    /// Cores.
    pub cores: usize,
    /// Its name; times of other machines count only where it has none.
    pub host: String,
}

/// A length of time that is not certain, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Span {
    /// If all goes as fast as it ever did.
    pub low: f64,
    /// The middle.
    pub likely: f64,
    /// If all goes as slowly as it ever did.
    pub high: f64,
}

impl Span {
    fn scaled(self, factor: f64) -> Self {
        Self { low: self.low * factor, likely: self.likely * factor, high: self.high * factor }
    }

    fn add(&mut self, other: Self) {
        self.low += other.low;
        self.likely += other.likely;
        self.high += other.high;
    }
}

/// Stages of one kind that are to run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kind {
    /// The kind.
    pub op: &'static str,
    /// How many.
    pub stages: usize,
    /// Time that they add to the run; `None` where nothing is known about the kind.
    pub time: Option<Span>,
    /// Stored stages that this rests on.
    pub basis: usize,
    /// Whether those ran on other machines.
    pub elsewhere: bool,
    /// Whether their work is counted, so that they matter.
    pub counted: bool,
}

/// A prediction for what is left of a plan.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Prediction {
    /// Time of all stages of which something is known.
    pub total: Span,
    /// By kind, the longest first, unknown ones last.
    pub kinds: Vec<Kind>,
    /// By stage.
    #[serde(skip)]
    pub stages: BTreeMap<NodeId, Span>,
}

impl Prediction {
    /// Returns the kinds of stages whose time may matter and is not known.
    pub fn unknown(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.iter().filter(|kind| kind.time.is_none() && kind.counted)
    }
}

/// A stage that was run.
struct Sample {
    /// Time that it would add to a run that keeps this machine busy, in lanes times seconds.
    cost: f64,
    macs: Option<f64>,
    device: Option<String>,
    here: bool,
}

/// Predicts what is left of a plan from the times in a store.
pub fn predict(graph: &Graph, plan: &Plan, store: Option<&Store>, machine: &Machine) -> Prediction {
    let due: Vec<&Stage> = plan.stages.iter().filter(|stage| stage.status != Status::Cached).collect();
    if due.is_empty() {
        return Prediction::default();
    }
    let history = history(graph, store, machine);
    let dependencies = Dependencies::of(graph, plan.demands.all());
    let ids: BTreeSet<NodeId> = due.iter().map(|stage| stage.id).collect();
    let mut found = Prediction::default();
    let mut kinds: BTreeMap<&'static str, Kind> = BTreeMap::new();
    for stage in due {
        let (samples, elsewhere) = fitting(history.get(stage.op).map_or(&[], Vec::as_slice), stage.op, machine);
        let share = totals::share(graph, &dependencies, &ids, stage);
        let time = expected(&samples, stage.facts.macs).map(|span| span.scaled(share));
        let kind = kinds.entry(stage.op).or_insert_with(|| Kind {
            op: stage.op,
            stages: 0,
            time: None,
            basis: samples.len(),
            elsewhere,
            counted: false,
        });
        kind.stages += 1;
        kind.counted |= stage.facts.macs.is_some_and(|macs| macs > 0);
        if let Some(time) = time {
            kind.time.get_or_insert_default().add(time);
            found.total.add(time);
            found.stages.insert(stage.id, time);
        }
    }
    found.kinds = kinds.into_values().collect();
    let likely = |kind: &Kind| kind.time.map_or(-1.0, |time| time.likely);
    found.kinds.sort_by(|a, b| likely(b).total_cmp(&likely(a)));
    found
}

fn history(graph: &Graph, store: Option<&Store>, machine: &Machine) -> BTreeMap<String, Vec<Sample>> {
    let mut history: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    let records = store.into_iter().flat_map(|store| store.records().flatten());
    for record in records.filter(|record| record.smoke == graph.is_smoke()) {
        let sample = Sample::of(&record, graph, machine);
        history.entry(record.op).or_default().push(sample);
    }
    history
}

impl Sample {
    fn of(record: &Record, graph: &Graph, machine: &Machine) -> Self {
        let run = &record.run;
        // Records of earlier versions do not say what they did; the program may know.
        let macs = run.macs.or_else(|| graph.node(graph.find(record.key)?).facts.macs);
        let on_cpu = is_heavy(&record.op) && run.device.as_deref().is_none_or(|device| device == "cpu");
        let threads = if on_cpu { run.threads.max(1) as f64 } else { 1.0 };
        Self {
            cost: run.seconds * threads,
            macs: macs.filter(|macs| *macs > 0).map(|macs| macs as f64),
            device: run.device.clone(),
            here: run.host == machine.host,
        }
        .per_lane(machine)
    }

    fn per_lane(self, machine: &Machine) -> Self {
        let lanes = if machine.device == Device::Cpu { machine.cores.max(1) as f64 } else { 1.0 };
        Self { cost: self.cost / lanes, ..self }
    }
}

/// Returns the samples of the right device, and whether they come from other machines.
fn fitting<'a>(samples: &'a [Sample], op: &str, machine: &Machine) -> (Vec<&'a Sample>, bool) {
    let wanted = machine.device.numerics().map_or_else(|| "cpu".to_owned(), |numerics| numerics.to_string());
    let fits = |sample: &&Sample| !is_heavy(op) || sample.device.as_deref().unwrap_or("cpu") == wanted;
    let (here, elsewhere): (Vec<&Sample>, Vec<&Sample>) = samples.iter().filter(fits).partition(|sample| sample.here);
    if here.is_empty() { (elsewhere, true) } else { (here, false) }
}

fn expected(samples: &[&Sample], macs: Option<u64>) -> Option<Span> {
    let macs = macs.filter(|macs| *macs > 0).map(|macs| macs as f64);
    let counted = samples.iter().filter_map(|sample| Some((sample, sample.macs?)));
    let mut times: Vec<f64> = match macs {
        None => samples.iter().map(|sample| sample.cost).collect(),
        Some(macs) => {
            let scaled: Vec<(f64, f64)> =
                counted.map(|(sample, known)| (macs / known, sample.cost * macs / known)).collect();
            let like = |factor: f64| (1.0 / LIKE..=LIKE).contains(&factor);
            let alike = scaled.iter().any(|(factor, _)| like(*factor));
            scaled.into_iter().filter(|(factor, _)| !alike || like(*factor)).map(|(_, time)| time).collect()
        }
    };
    times.sort_by(f64::total_cmp);
    let last = times.len().checked_sub(1)?;
    let edge = if times.len() >= MANY { times.len() / 10 } else { 0 };
    let middle = 0.5 * (times[last / 2] + times[last - last / 2]);
    Some(Span { low: times[edge], likely: middle, high: times[last - edge] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(cost: f64, macs: Option<f64>) -> Sample {
        Sample { cost, macs, device: None, here: true }
    }

    fn of(samples: &[Sample], macs: Option<u64>) -> Option<Span> {
        expected(&samples.iter().collect::<Vec<_>>(), macs)
    }

    #[test]
    fn times_scale_with_work() {
        let samples = [sample(10.0, Some(1e9)), sample(14.0, Some(1e9)), sample(90.0, Some(3e9))];
        let span = of(&samples, Some(2_000_000_000)).unwrap();
        assert_eq!((span.low, span.likely, span.high), (20.0, 28.0, 60.0));
    }

    #[test]
    fn stages_of_like_size_are_preferred() {
        let samples = [sample(1.0, Some(1e6)), sample(100.0, Some(1e9))];
        assert_eq!(of(&samples, Some(2_000_000_000)).unwrap().likely.to_bits(), 200f64.to_bits());
        let far = of(&samples[..1], Some(1_000_000_000)).unwrap();
        assert_eq!(far.likely.to_bits(), 1000f64.to_bits(), "nothing of like size is known");
    }

    #[test]
    fn stages_without_counted_work_last_as_long_as_their_kind() {
        let samples = [sample(1.0, None), sample(2.0, None), sample(6.0, Some(5.0))];
        assert_eq!(of(&samples, None).unwrap(), Span { low: 1.0, likely: 2.0, high: 6.0 });
        assert_eq!(of(&samples[..2], Some(7)), None, "their work is not known");
        assert_eq!(of(&[], None), None);
    }

    #[test]
    fn a_tenth_is_left_out_on_each_side_of_many() {
        let samples: Vec<Sample> = (0..20).map(|cost| sample(f64::from(cost), None)).collect();
        assert_eq!(of(&samples, None).unwrap(), Span { low: 2.0, likely: 9.5, high: 17.0 });
    }

    #[test]
    fn times_of_this_machine_and_device_count() {
        let machine = Machine { device: Device::Cpu, cores: 2, host: "here".to_owned() };
        let elsewhere = Sample { here: false, ..sample(5.0, None) };
        let gpu = Sample { device: Some("1 × cuda float32 deterministic".to_owned()), ..sample(1.0, None) };
        let all = [sample(2.0, None), elsewhere, gpu];
        let (found, far) = fitting(&all, "train", &machine);
        assert_eq!((found.len(), found[0].cost.to_bits(), far), (1, 2f64.to_bits(), false));
        let (found, far) = fitting(&all[1..], "train", &machine);
        assert_eq!((found.len(), far), (1, true));
    }
}
