//! How two stages differ: in their own arguments, data, versions and rates, apart from what their inputs bring along.

use serde::Serialize;

use crate::domain::seed::Seed;
use crate::graph::key::{EpochImage, TrajectoryImage};
use crate::graph::{Canon, Preimage, Pruning, Trajectory};
use crate::value::{Step, number};

/// What kind of thing differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// An argument.
    Argument,
    /// The data that are read, or whether they are on this machine.
    Data,
    /// The version of the stage kind.
    Version,
    /// How networks are computed: on the processor, or on which GPUs in which precision.
    Device,
    /// The learning rates.
    Rates,
    /// When a training prunes on the way, and to which sparsities.
    Prunings,
    /// Where a training begins or ends.
    Steps,
    /// What kind of stage an input comes from, or which inputs there are.
    Inputs,
}

/// One difference between two stages of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// What differs.
    pub aspect: Aspect,
    /// Names from the outside in: `pruner`, `remove`, `rate`.
    pub path: Vec<String>,
    /// The earlier value as the language writes it.
    pub before: String,
    /// The value now.
    pub after: String,
    /// The step from which it differs, as the language writes it, if it does not differ from the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

impl Difference {
    fn new(aspect: Aspect, path: &[&str], before: impl Into<String>, after: impl Into<String>) -> Self {
        let path = path.iter().map(|step| (*step).to_owned()).collect();
        Self { aspect, path, before: before.into(), after: after.into(), from: None }
    }

    /// Returns the shortest name that says what differs: `rate`, `layer4.conv1.out`.
    pub fn name(&self) -> String {
        let steps: Vec<&str> = self.path.iter().map(String::as_str).collect();
        match steps.as_slice() {
            ["arch", rest @ ..] if !rest.is_empty() => rest.join("."),
            [.., last] if last.parse::<usize>().is_err() => (*last).to_owned(),
            _ => steps.join("."),
        }
    }
}

/// What two stages of one kind have in common and what not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// The differences; none of them is in the keys of inputs.
    pub differences: Vec<Difference>,
    /// Iteration up to which two trainings agree, as far as their own arguments go; `None` for other stages, and where
    /// they differ from the beginning.
    pub agree: Option<u64>,
}

/// Compares two stages of a kind. `course` is the training of `after`, if it is one.
pub fn compare(before: &Preimage, after: &Preimage, course: Option<&Trajectory>) -> Comparison {
    let mut found = Vec::new();
    if before.version != after.version {
        let path = ["version of", after.op.as_str()];
        found.push(Difference::new(Aspect::Version, &path, before.version.to_string(), after.version.to_string()));
    }
    arguments(&mut Vec::new(), Some(&before.args), Some(&after.args), &mut found);
    data(before, after, &mut found);
    if before.numerics != after.numerics {
        let shown = |image: &Preimage| image.numerics.map_or_else(|| "cpu".to_owned(), |numerics| numerics.to_string());
        found.push(Difference::new(Aspect::Device, &["device"], shown(before), shown(after)));
    }
    let roles = |image: &Preimage| image.inputs.keys().cloned().collect::<Vec<_>>().join(", ");
    if roles(before) != roles(after) {
        found.push(Difference::new(Aspect::Inputs, &["inputs"], roles(before), roles(after)));
    }
    let mut agree = None;
    if let (Some(old), Some(new)) = (&before.trajectory, &after.trajectory) {
        let static_part = found.is_empty();
        let until = steps(old, new, course, &mut found);
        agree = until.filter(|_| static_part);
    }
    Comparison { differences: found, agree }
}

fn data(before: &Preimage, after: &Preimage, found: &mut Vec<Difference>) {
    let mut names: Vec<&String> = before.data.keys().chain(after.data.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (old, new) = (before.data.get(name), after.data.get(name));
        if old != new {
            let shown = |digest: Option<&Option<String>>| match digest {
                None => "not read".to_owned(),
                Some(None) => "not on this machine".to_owned(),
                Some(Some(digest)) => digest.get(..12).unwrap_or(digest).to_owned(),
            };
            found.push(Difference::new(Aspect::Data, &["data", name.as_str()], shown(old), shown(new)));
        }
    }
}

/// Compares two trainings step by step and returns the iteration up to which they agree, if they begin alike.
fn steps(
    old: &TrajectoryImage,
    new: &TrajectoryImage,
    course: Option<&Trajectory>,
    found: &mut Vec<Difference>,
) -> Option<u64> {
    let shown = |iteration: u64| Step::written(iteration, new.per_epoch);
    if old.per_epoch != new.per_epoch {
        let [before, after] = [old, new].map(|image| image.per_epoch.to_string());
        found.push(Difference::new(Aspect::Steps, &["iterations per epoch"], before, after));
        return None;
    }
    if old.start != new.start {
        found.push(Difference::new(Aspect::Steps, &["start"], shown(old.start), shown(new.start)));
        return None;
    }
    let common = old.until.min(new.until);
    let (agree, parted) = agreement(old, new, course);
    if let Some((before, after)) = parted.filter(|_| agree < common) {
        found.push(parting(before, after, shown(agree)));
    }
    if old.until != new.until {
        found.push(Difference::new(Aspect::Steps, &["until"], shown(old.until), shown(new.until)));
    }
    Some(agree.min(common))
}

/// Finds the iteration up to which rates and prunings agree, and the parts of epochs that differ first.
fn agreement<'a>(
    old: &'a TrajectoryImage,
    new: &'a TrajectoryImage,
    course: Option<&Trajectory>,
) -> (u64, Option<(&'a EpochImage, &'a EpochImage)>) {
    let end = |image: &TrajectoryImage, at: usize| image.epochs.get(at + 1).map_or(image.until, |next| next.from);
    for (at, (before, after)) in old.epochs.iter().zip(&new.epochs).enumerate() {
        let (old_end, new_end) = (end(old, at), end(new, at));
        let same = match course {
            _ if old_end == new_end => before.rates == after.rates,
            Some(course) if old_end < new_end => course.digest(before.from, old_end) == before.rates,
            // The earlier training went on inside this epoch: its digest says nothing about a part of it.
            _ => before.first.to_bits() == after.first.to_bits(),
        };
        if !same {
            return (after.from, Some((before, after)));
        }
    }
    (old.until.min(new.until), None)
}

/// Describes the first part of an epoch in which two trainings differ.
fn parting(before: &EpochImage, after: &EpochImage, from: String) -> Difference {
    let prunings = |list: &[Pruning]| {
        let shown: Vec<String> =
            list.iter().take(3).map(|pruning| format!("{} at {}it", text(&pruning.sparsity), pruning.at)).collect();
        let more = if list.len() > shown.len() { ", …" } else { "" };
        if shown.is_empty() { "none".to_owned() } else { shown.join(", ") + more }
    };
    let difference = if before.prunings == after.prunings {
        let range = |epoch: &EpochImage| {
            if epoch.first.to_bits() == epoch.last.to_bits() {
                float(epoch.first)
            } else {
                format!("{} … {}", float(epoch.first), float(epoch.last))
            }
        };
        Difference::new(Aspect::Rates, &["lr"], range(before), range(after))
    } else {
        Difference::new(Aspect::Prunings, &["sparsities"], prunings(&before.prunings), prunings(&after.prunings))
    };
    Difference { from: Some(from), ..difference }
}

/// Collects the differences between two arguments, as deep inside them as possible.
fn arguments(path: &mut Vec<String>, before: Option<&Canon>, after: Option<&Canon>, found: &mut Vec<Difference>) {
    match (before.map(Canon::plain), after.map(Canon::plain)) {
        (Some(old), Some(new)) if old == new => {}
        (Some(old), Some(new)) if seed(old).is_some() && seed(new).is_some() => differ(path, before, after, found),
        (Some(Canon::Map(old)), Some(Canon::Map(new)))
            if old.keys().any(|name| new.contains_key(name)) || old.is_empty() || new.is_empty() =>
        {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                path.push(name.clone());
                arguments(path, old.get(name), new.get(name), found);
                path.pop();
            }
        }
        (Some(Canon::List(old)), Some(Canon::List(new))) if old.len() == new.len() && is_structured(old) => {
            for (place, (old, new)) in old.iter().zip(new).enumerate() {
                let (old, new, name) = match (old, new) {
                    // A named member, such as a layer: its name tells more than its place.
                    (Canon::List(a), Canon::List(b)) => match (a.as_slice(), b.as_slice()) {
                        ([Canon::Str(name), a], [Canon::Str(other), b]) if name == other => (a, b, name.clone()),
                        _ => (old, new, place.to_string()),
                    },
                    _ => (old, new, place.to_string()),
                };
                path.push(name);
                arguments(path, Some(old), Some(new), found);
                path.pop();
            }
        }
        _ => differ(path, before, after, found),
    }
}

fn differ(path: &[String], before: Option<&Canon>, after: Option<&Canon>, found: &mut Vec<Difference>) {
    let shown = |value: Option<&Canon>| value.map_or_else(|| "none".to_owned(), write);
    // Steps that only say how the description is built.
    let path: Vec<&str> =
        path.iter().map(String::as_str).filter(|step| !["root", "members", "body"].contains(step)).collect();
    found.push(Difference::new(Aspect::Argument, &path, shown(before), shown(after)));
}

fn is_structured(items: &[Canon]) -> bool {
    items.iter().all(|item| matches!(item, Canon::Map(_) | Canon::List(_)))
}

fn seed(value: &Canon) -> Option<Seed> {
    match value {
        Canon::Map(fields) if fields.contains_key("root") && fields.len() <= 2 => value.parse().ok(),
        _ => None,
    }
}

/// Characters after which a value is cut.
const SHOWN: usize = 60;

/// Writes an argument as the language would, as far as that can be told.
fn write(value: &Canon) -> String {
    if let Some(seed) = seed(value) {
        return std::iter::once(seed.root.to_string()).chain(seed.stream).collect::<Vec<_>>().join(".");
    }
    let whole = match value {
        Canon::Shared(_) => return write(value.plain()),
        Canon::Null => "none".to_owned(),
        Canon::Bool(value) => value.to_string(),
        Canon::Int(value) => value.to_string(),
        Canon::Float(value) => float(*value),
        Canon::Str(value) => text(value),
        Canon::List(items) => format!("[{}]", items.iter().map(write).collect::<Vec<_>>().join(", ")),
        Canon::Map(fields) => match fields.iter().collect::<Vec<_>>().as_slice() {
            [(name, value)] => format!("{name} {}", write(value)),
            fields => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name}: {}", write(value))).collect();
                format!("{{ {} }}", fields.join(", "))
            }
        },
    };
    if whole.chars().count() <= SHOWN { whole } else { whole.chars().take(SHOWN).chain("…".chars()).collect() }
}

/// Writes a text; an exact ratio in per cent.
fn text(value: &str) -> String {
    let part = |digits: &str| digits.parse().ok().map(number::whole);
    let ratio = value.split_once('/').and_then(|(above, below)| number::divide(part(above)?, part(below)?));
    let hundredfold = ratio.and_then(|ratio| number::multiply(ratio, number::whole(100)));
    hundredfold.map_or_else(|| value.to_owned(), |value| format!("{}%", number::shown(value)))
}

fn float(value: f64) -> String {
    number::from_f64(value).map_or_else(|| value.to_string(), number::shown)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::graph::{Facts, Graph, Node, NodeId};

    fn map(fields: &[(&str, Canon)]) -> Canon {
        Canon::Map(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    fn stage(args: Canon, trajectory: Option<Trajectory>) -> (Graph, NodeId) {
        let mut graph = Graph::default();
        let id = graph.push(Node {
            op: "train",
            version: 1,
            args,
            inputs: Vec::new(),
            trajectory,
            data: BTreeMap::new(),
            facts: Facts::default(),
            origins: Vec::new(),
        });
        (graph, id)
    }

    fn differences(before: Canon, after: Canon) -> Vec<(String, String, String)> {
        let [(old, old_id), (new, new_id)] = [before, after].map(|args| stage(args, None));
        let found = compare(&old.preimage(old_id), &new.preimage(new_id), None);
        found.differences.into_iter().map(|found| (found.name(), found.before, found.after)).collect()
    }

    fn training(until: u64, rate: impl Fn(u64) -> f64) -> (Graph, NodeId) {
        let rates: Vec<f64> = (0..until).map(rate).collect();
        stage(
            Canon::Null,
            Some(Trajectory { start: 0, until, per_epoch: 10, rates: rates.into(), prunings: Arc::default() }),
        )
    }

    fn parted(old: &(Graph, NodeId), new: &(Graph, NodeId)) -> (Option<u64>, Vec<(Aspect, Option<String>)>) {
        let course = new.0.node(new.1).trajectory.as_ref();
        let found = compare(&old.0.preimage(old.1), &new.0.preimage(new.1), course);
        (found.agree, found.differences.into_iter().map(|found| (found.aspect, found.from)).collect())
    }

    fn exactly(name: &str, before: &str, after: &str) -> Vec<(String, String, String)> {
        vec![(name.to_owned(), before.to_owned(), after.to_owned())]
    }

    #[test]
    fn arguments_are_written_as_in_the_language() {
        let rate =
            |text: &str| map(&[("remove", map(&[("rate", Canon::Str(text.to_owned()))])), ("seed", Canon::Null)]);
        assert_eq!(differences(rate("1/5"), rate("3/10")), exactly("rate", "20%", "30%"));
        assert_eq!(differences(rate("1/3"), rate("7/8")), exactly("rate", "33.3333%", "87.5%"));
        let other = map(&[("remove", map(&[("sparsity", Canon::Str("9/10".to_owned()))])), ("seed", Canon::Null)]);
        assert_eq!(differences(rate("1/5"), other), exactly("remove", "rate 20%", "sparsity 90%"));
        let decay = |value: f64| map(&[("recipe", map(&[("weight_decay", Canon::Float(value))]))]);
        assert_eq!(differences(decay(5e-4), decay(1e-4)), exactly("weight_decay", "0.0005", "0.0001"));
        let seed = |root: i64| map(&[("order", map(&[("root", Canon::Int(root))]))]);
        assert_eq!(differences(seed(1), seed(2)), exactly("order", "1", "2"));
    }

    #[test]
    fn layers_go_by_their_names() {
        let member = |out: i64| {
            let layer = Canon::List(vec![Canon::Str("conv1".to_owned()), map(&[("out", Canon::Int(out))])]);
            map(&[("arch", map(&[("root", map(&[("members", Canon::List(vec![layer]))]))]))])
        };
        assert_eq!(differences(member(16), member(32)), exactly("conv1.out", "16", "32"));
    }

    #[test]
    fn trainings_agree_up_to_the_first_rate_that_differs() {
        let old = training(50, |_| 0.1);
        let dropped = training(50, |step| if step < 34 { 0.1 } else { 0.01 });
        assert_eq!(parted(&old, &dropped), (Some(30), vec![(Aspect::Rates, Some("3ep".to_owned()))]));
        assert_eq!(parted(&old, &training(50, |_| 0.1)), (Some(50), Vec::new()));
    }

    #[test]
    fn longer_and_shorter_trainings_agree_inside_an_epoch() {
        let short = training(25, |_| 0.1);
        let long = training(50, |_| 0.1);
        assert_eq!(parted(&short, &long), (Some(25), vec![(Aspect::Steps, None)]));
        assert_eq!(parted(&long, &short), (Some(25), vec![(Aspect::Steps, None)]));
        let other = training(50, |step| if step < 22 { 0.1 } else { 0.2 });
        let expected = vec![(Aspect::Rates, Some("2ep".to_owned())), (Aspect::Steps, None)];
        assert_eq!(parted(&short, &other), (Some(20), expected));
    }
}
