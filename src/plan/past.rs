//! Stages that are known from elsewhere, from the store or from another program, and which of them is nearest to a
//! stage.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::compare::{Aspect, Comparison, Difference, compare};
use crate::graph::{Graph, Key, NodeId, Preimage};
use crate::manifest::record::Record;
use crate::store::Store;

/// More stages of a kind than this are not all compared: those of the same name and the latest are.
const CANDIDATES: usize = 600;
/// What a stage of another kind in the place of an input counts, in differences.
const OTHER_KIND: usize = 8;

/// A stage that is known from elsewhere.
#[derive(Clone, Debug)]
pub struct Known {
    /// Kind of stage.
    pub op: String,
    /// Readable name.
    pub name: String,
    /// When it was finished, in RFC 3339; empty for stages of a program.
    pub finished: String,
    /// Keys of its inputs.
    pub inputs: Vec<Key>,
    /// Whether it is a small trial.
    pub smoke: bool,
}

type Preimages<'a> = dyn Fn(Key) -> Option<Preimage> + 'a;

/// Stages that are known from elsewhere, for the stages of one graph to be compared with.
pub struct Past<'a> {
    graph: &'a Graph,
    /// Preimages of the graph's stages.
    present: RefCell<HashMap<NodeId, Rc<Image>>>,
    /// What the stages are by themselves.
    alike: OnceCell<HashSet<Key>>,
    stages: BTreeMap<Key, Known>,
    read: Box<Preimages<'a>>,
    preimages: RefCell<HashMap<Key, Option<Rc<Image>>>>,
    comparisons: RefCell<HashMap<(Key, Key), Rc<Comparison>>>,
}

/// A preimage and its digest without inputs.
struct Image {
    preimage: Preimage,
    own: Key,
}

impl Image {
    fn new(preimage: Preimage) -> Self {
        Self { own: own(&preimage), preimage }
    }
}

/// Returns a digest of what a stage is by itself, whatever its inputs.
fn own(preimage: &Preimage) -> Key {
    Preimage { inputs: BTreeMap::new(), ..preimage.clone() }.key()
}

/// A stage beside an earlier one in the same place.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The stage.
    pub id: NodeId,
    /// The earlier one.
    pub before: Key,
    /// What they have in common by themselves.
    pub comparison: Rc<Comparison>,
}

/// The earlier stage that is nearest to a stage, and how far apart they are on the way there.
#[derive(Clone, Debug)]
pub struct Nearest {
    /// The earlier stage.
    pub before: Key,
    /// The stage and those that lead to it, each beside an earlier one, as far as their keys differ; inputs first.
    pub pairs: Vec<Pair>,
    /// Differences on the whole way.
    pub distance: usize,
}

impl<'a> Past<'a> {
    /// Takes the stages of a store.
    pub fn stored(graph: &'a Graph, store: &'a Store) -> Self {
        let known = |record: Record| {
            let Record { key, op, name, smoke, .. } = record;
            let (finished, inputs) = (record.run.finished, record.inputs.into_values().collect());
            (key, Known { op, name, finished, inputs, smoke })
        };
        let stages = store.records().flatten().map(known).collect();
        Self::new(graph, stages, Box::new(|key| store.preimage(key).ok().flatten()))
    }

    /// Takes stages of another program.
    pub fn program(graph: &'a Graph, past: &'a Graph, stages: impl IntoIterator<Item = NodeId>) -> Self {
        let known = |id: NodeId| {
            let node = past.node(id);
            let inputs = node.inputs.iter().map(|(_, input)| past.key(*input)).collect();
            let (op, name) = (node.op.to_owned(), node.facts.name.clone());
            (past.key(id), Known { op, name, finished: String::new(), inputs, smoke: past.is_smoke() })
        };
        let read = |key| past.find(key).map(|id| past.preimage(id));
        Self::new(graph, stages.into_iter().map(known).collect(), Box::new(read))
    }

    fn new(graph: &'a Graph, stages: BTreeMap<Key, Known>, read: Box<Preimages<'a>>) -> Self {
        Self {
            graph,
            present: RefCell::default(),
            alike: OnceCell::new(),
            stages,
            read,
            preimages: RefCell::default(),
            comparisons: RefCell::default(),
        }
    }

    /// Finds a stage.
    pub fn get(&self, key: Key) -> Option<&Known> {
        self.stages.get(&key)
    }

    /// Finds a stage that was computed from another.
    pub fn reader(&self, input: Key) -> Option<&Known> {
        self.stages.values().find(|known| known.inputs.contains(&input))
    }

    /// Tells whether some stage is by itself like one of the graph, whatever its inputs.
    pub fn knows_alike(&self, id: NodeId) -> bool {
        let all = || self.stages.keys().filter_map(|key| Some(self.image(*key)?.own)).collect();
        self.alike.get_or_init(all).contains(&self.now(id).own)
    }

    /// Returns what a stage of the graph is made from.
    fn now(&self, id: NodeId) -> Rc<Image> {
        let make = || Rc::new(Image::new(self.graph.preimage(id)));
        self.present.borrow_mut().entry(id).or_insert_with(make).clone()
    }

    fn of_kind<'b>(&'b self, op: &'b str) -> impl Iterator<Item = Key> + 'b {
        self.stages.iter().filter(move |(_, known)| known.op == op).map(|(key, _)| *key)
    }

    fn image(&self, key: Key) -> Option<Rc<Image>> {
        if let Some(known) = self.preimages.borrow().get(&key) {
            return known.clone();
        }
        let image = (self.read)(key).map(|preimage| Rc::new(Image::new(preimage)));
        self.preimages.borrow_mut().insert(key, image.clone());
        image
    }

    /// Finds the nearest of the stages that `admit` lets through: the fewest differences on the whole way, then the
    /// same name, then one that the program no longer has, then the latest.
    pub fn nearest(&self, id: NodeId, admit: impl Fn(Key) -> bool) -> Option<Nearest> {
        let graph = self.graph;
        let node = graph.node(id);
        let rank = |key: &Key| {
            let known = self.stages.get(key);
            let named = known.is_some_and(|known| known.name == node.facts.name);
            let finished = known.map(|known| known.finished.as_str()).unwrap_or_default();
            (!named, graph.find(*key).is_some(), std::cmp::Reverse(finished), *key)
        };
        let own_key = graph.key(id);
        let mut candidates: Vec<Key> = self.of_kind(node.op).filter(|key| *key != own_key && admit(*key)).collect();
        candidates.sort_by(|a, b| rank(a).cmp(&rank(b)));
        candidates.truncate(CANDIDATES);
        let mut best: Option<Nearest> = None;
        for key in candidates {
            let bound = best.as_ref().map_or(usize::MAX, |best| best.distance);
            if let Some((pairs, distance)) = self.align(id, key, bound) {
                best = Some(Nearest { before: key, pairs, distance });
            }
        }
        best
    }

    /// Puts a stage and those that lead to it beside an earlier one and those that led to that, as far as their keys
    /// differ. `None` if that takes `bound` differences or more.
    fn align(&self, id: NodeId, before: Key, bound: usize) -> Option<(Vec<Pair>, usize)> {
        let graph = self.graph;
        let mut pairs = Vec::new();
        let mut distance = 0;
        let mut seen = BTreeSet::from([(id, before)]);
        let mut open = vec![(id, before)];
        while let Some((id, before)) = open.pop() {
            let image = self.image(before)?;
            let comparison = self.compare(id, &image);
            let mut extra = Vec::new();
            for (role, input) in &graph.node(id).inputs {
                let Some(earlier) = image.preimage.inputs.get(&**role).copied() else { continue };
                if earlier == graph.key(*input) {
                    continue;
                }
                let (now, then) = (graph.node(*input).op, self.stages.get(&earlier).map(|known| known.op.as_str()));
                match then {
                    Some(then) if then != now => {
                        distance += OTHER_KIND;
                        extra.push(other_kind(role, then, now));
                    }
                    Some(_) if self.image(earlier).is_some() => {
                        if seen.insert((*input, earlier)) {
                            open.push((*input, earlier));
                        }
                    }
                    // What it was is no longer known.
                    _ => distance += 1,
                }
            }
            distance += comparison.differences.len();
            if distance >= bound {
                return None;
            }
            let comparison = if extra.is_empty() {
                comparison
            } else {
                let mut differences = comparison.differences.clone();
                differences.extend(extra);
                Rc::new(Comparison { differences, agree: None })
            };
            pairs.push(Pair { id, before, comparison });
        }
        pairs.sort_by_key(|pair| (pair.id, pair.before));
        Some((pairs, distance))
    }

    fn compare(&self, id: NodeId, image: &Image) -> Rc<Comparison> {
        let now = self.now(id);
        let at = (image.own, now.own);
        if let Some(known) = self.comparisons.borrow().get(&at) {
            return known.clone();
        }
        let course = self.graph.node(id).trajectory.as_ref();
        let found = Rc::new(compare(&image.preimage, &now.preimage, course));
        self.comparisons.borrow_mut().insert(at, found.clone());
        found
    }
}

fn other_kind(role: &str, before: &str, after: &str) -> Difference {
    Difference {
        aspect: Aspect::Inputs,
        path: vec![role.to_owned()],
        before: before.to_owned(),
        after: after.to_owned(),
        from: None,
    }
}
