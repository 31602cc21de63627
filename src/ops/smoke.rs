//! Small trials of stages: what `--smoke` puts in the place of a program's stages.
//!
//! Every stage stays, with its kind, its inputs and its name. What makes it long is cut: iterations, images, their size,
//! channels of large networks, repetitions of tests. The order of steps stays: of two points of training, the earlier
//! one is earlier still.

mod steps;

use std::cell::RefCell;
use std::collections::HashMap;

use super::stages;
use crate::domain::arch::{Arch, Shape, Survey};
use crate::domain::data::{DataSet, Preparation, Probe, Shapes, Task};
use crate::domain::recipe::Recipe;
use crate::graph::{Canon, Graph, Node, Shared, Trajectory};
use steps::Steps;

/// Sides of images to try, in pixels: the first that every network of the program takes. Scenes can be generated in each.
const SIDES: [usize; 3] = [32, 64, 224];
/// Images of a batch.
pub(super) const BATCH: usize = 8;
/// Iterations of an epoch, where the data can be cut to any number of images.
const PER_EPOCH: u64 = 2;
/// Images of each part that is only measured.
pub(super) const MEASURED: u64 = 6;
/// Generated scenes of a task: for every 8 to train one to validate and one to test.
const SCENES: u64 = 10;
/// Images of a probe.
pub(super) const PROBED: u64 = 12;
/// What learning rates are multiplied by. Small batches under few weights have variances near zero, which normalisations
/// turn into large gradients: at ordinary rates some trial diverges that at full scale would not. Weights must move all
/// the same, since criteria may read how far they did.
const RATE: f64 = 1e-4;
/// Repetitions of tests and resamplings.
pub(super) const TIMES: u32 = 9;
/// Images of a strip in a gallery, and their sides in pixels.
pub(super) const STRIP: (usize, usize) = (3, 32);
/// Where data that are not on this machine would have their digest.
const STAND_IN: &str = "stand-in";

/// What a trial leaves out, for its reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Omissions {
    /// Data that generated images stand in for.
    pub stand_ins: Vec<String>,
    /// Whether weights are drawn where the program reads them from a file.
    pub weights: bool,
}

/// Puts small trials in the place of all stages.
pub fn shrink(graph: &mut Graph) -> Omissions {
    let small = Small { side: side(graph), steps: Steps::of(graph), networks: RefCell::default() };
    let omissions = omissions(graph);
    graph.try_out(|node| small.node(node).unwrap_or_else(|| node.clone()));
    omissions
}

fn omissions(graph: &Graph) -> Omissions {
    let absent = |node: &Node| {
        let names = node.data.iter().filter(|(_, digest)| digest.is_none());
        names.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let mut stand_ins: Vec<String> = graph.iter().flat_map(|(_, node)| absent(node)).collect();
    stand_ins.sort();
    stand_ins.dedup();
    Omissions { stand_ins, weights: graph.iter().any(|(_, node)| node.op == stages::load::OP.name) }
}

/// Finds the smallest side of images that every network takes.
fn side(graph: &Graph) -> usize {
    let mut archs: Vec<Arch> = Vec::new();
    let mut seen: Vec<&Canon> = Vec::new();
    for (_, node) in graph.iter() {
        let Canon::Map(args) = &node.args else { continue };
        let Some(arch) = args.get("arch").filter(|arch| !seen.contains(arch)) else { continue };
        seen.push(arch);
        archs.extend(arch.parse::<Arch>().ok());
    }
    let fits = |side: &&usize| archs.iter().all(|arch| arch.narrow(**side).is_some());
    SIDES.iter().find(fits).copied().unwrap_or(usize::MAX)
}

/// How small the trials of a program are.
pub struct Small {
    side: usize,
    steps: Steps,
    /// Small networks by those they stand for.
    networks: RefCell<HashMap<Arch, (Arch, Survey)>>,
}

/// The bytes of a network's weights.
pub(super) fn bytes(survey: &Survey) -> u64 {
    survey.parameters.iter().map(|entry| 4 * entry.elements() as u64).sum()
}

/// Whether some data of a stage are not on this machine.
fn absent(node: &Node) -> bool {
    node.data.values().any(Option::is_none)
}

impl Small {
    /// Returns the trial of a stage; `None` if its arguments are not understood.
    fn node(&self, node: &Node) -> Option<Node> {
        let mut small = node.clone();
        small.facts.macs = None;
        small.facts.bytes = small.facts.bytes.min(1 << 16);
        if let Some(shrink) = stages::find(node.op)?.worker.as_ref()?.shrink {
            shrink(self, &mut small)?;
        }
        for digest in small.data.values_mut() {
            digest.get_or_insert_with(|| STAND_IN.to_owned());
        }
        Some(small)
    }

    /// Returns the small network for a network, and what is in it.
    pub(super) fn survey(&self, arch: &Arch) -> Option<Survey> {
        self.network(arch).map(|(_, survey)| survey)
    }

    /// Returns the small network for a network.
    pub(super) fn arch(&self, arch: &Arch) -> Shared<Arch> {
        self.network(arch).map_or_else(|| arch.clone(), |(arch, _)| arch).into()
    }

    fn network(&self, arch: &Arch) -> Option<(Arch, Survey)> {
        if let Some(known) = self.networks.borrow().get(arch) {
            return Some(known.clone());
        }
        let small = arch.narrow(self.side)?;
        let found = (small.clone(), small.survey().ok()?);
        self.networks.borrow_mut().insert(arch.clone(), found.clone());
        Some(found)
    }

    fn shape(&self, Shape { channels, height, width }: Shape) -> Shape {
        Shape { channels, height: height.min(self.side), width: width.min(self.side) }
    }

    /// Cuts a task to a few images, of which an epoch in batches of `batch` has a few iterations.
    pub(super) fn task(&self, task: &Task, batch: usize, node: &Node) -> Task {
        let absent = absent(node);
        let input = self.shape(task.input);
        let few = |images: u64| images.clamp(1, MEASURED);
        let (train, val, test) =
            (task.train.clamp(1, (PER_EPOCH * batch as u64).max(2) - 1), few(task.val), few(task.test));
        let mut small = Task { input, train, val, test, ..task.clone() };
        match &task.data {
            DataSet::Shapes(set) => {
                let scenes = if batch * PER_EPOCH as usize > 8 { 2 * SCENES } else { SCENES };
                let set = Shapes { images: set.images.min(scenes), size: set.size.min(self.side), ..*set };
                let cut = Task::shapes(set);
                (small.data, small.train, small.val, small.test) = (cut.data, cut.train, cut.val, cut.test);
            }
            DataSet::Stored { name } if absent => small.data = DataSet::StandIn { name: name.clone() },
            other => {
                let of = Box::new(other.clone());
                small.data = DataSet::Excerpt { of, train: task.train, val: task.val, test: task.test };
            }
        }
        if absent {
            // Stand-ins have the right size from the beginning.
            small.preparation = None;
        } else if input != task.input {
            small.preparation = Some(Preparation { shorter: input.height.min(input.width) });
        }
        small
    }

    /// Cuts a probe. A directory on disk stays whole: dissections read a few images of it.
    pub(super) fn probe(&self, probe: Probe, node: &Node) -> Probe {
        match probe {
            Probe::Shapes(set) => {
                Probe::Shapes(Shapes { images: set.images.min(PROBED), size: set.size.min(self.side), ..set })
            }
            Probe::Broden { size, .. } if absent(node) => {
                let fits = Shapes::SIZES.into_iter().filter(|side| *side <= size.min(self.side)).max();
                Probe::Shapes(Shapes { size: fits.unwrap_or(Shapes::SIZES[0]), images: PROBED, seed: 1 })
            }
            on_disk @ Probe::Broden { .. } => on_disk,
        }
    }

    /// Cuts a training to a few iterations, with the rates of those that they stand for times [`RATE`].
    pub(super) fn trajectory(&self, full: &Trajectory, small: &Recipe, task: &Task) -> Trajectory {
        let rate = |iteration: u64| {
            let at = self.steps.stands_for(full.per_epoch, iteration).clamp(full.start, full.until.saturating_sub(1));
            full.rates.get((at - full.start) as usize).copied().unwrap_or(0.0) * RATE
        };
        let [start, until] = [full.start, full.until].map(|at| self.steps.small(full.per_epoch, at));
        let prunings = full.prunings.iter().filter(|pruning| self.steps.keeps(full.per_epoch, pruning.at));
        let prunings = prunings.cloned().map(|mut pruning| {
            pruning.at = self.steps.small(full.per_epoch, pruning.at);
            pruning
        });
        Trajectory {
            start,
            until,
            per_epoch: small.iterations_per_epoch(task.train).max(1),
            rates: (start..until).map(rate).collect(),
            prunings: prunings.collect(),
        }
    }
}
