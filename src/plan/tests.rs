use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::graph::{Canon, Node, Trajectory};
use crate::manifest::record::{Circumstances, Outcome, Place};

const PER_EPOCH: u64 = 10;

fn scratch() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).unwrap();
    (directory, store)
}

fn plain(graph: &mut Graph, op: &'static str, number: i64, inputs: &[NodeId]) -> NodeId {
    let facts = Facts { name: format!("{op} {number}"), macs: Some(5), bytes: 100, ..Facts::default() };
    graph.push(Node {
        op,
        version: 1,
        args: Canon::Int(number),
        inputs: inputs.iter().map(|input| (Arc::from("state"), *input)).collect(),
        trajectory: None,
        data: BTreeMap::new(),
        facts,
        origins: Vec::new(),
    })
}

fn training(graph: &mut Graph, input: NodeId, until: u64, rate: impl Fn(u64) -> f64) -> NodeId {
    let rates: Vec<f64> = (0..until).map(rate).collect();
    let facts = Facts { name: format!("train {until}"), macs: Some(1000 * until), bytes: 1000, ..Facts::default() };
    graph.push(Node {
        op: "train",
        version: 1,
        args: Canon::Null,
        inputs: vec![("state".into(), input)],
        trajectory: Some(Trajectory {
            start: 0,
            until,
            per_epoch: PER_EPOCH,
            rates: rates.into(),
            prunings: Arc::default(),
        }),
        data: BTreeMap::new(),
        facts,
        origins: Vec::new(),
    })
}

fn finish(graph: &Graph, store: &Store, id: NodeId) -> Record {
    let node = graph.node(id);
    let digest = store.put(node.facts.name.as_bytes()).unwrap().to_string();
    let place = |trajectory: &Trajectory| Place { base: graph.chain_base(id).unwrap(), step: trajectory.until };
    let record = Record {
        key: graph.key(id),
        op: node.op.to_owned(),
        name: node.facts.name.clone(),
        version: 1,
        smoke: false,
        inputs: graph.preimage(id).inputs,
        trajectory: node.trajectory.as_ref().map(place),
        outcome: Outcome { objects: BTreeMap::from([("weights".to_owned(), digest)]), ..Outcome::default() },
        run: Circumstances::default(),
    };
    store.publish(&record, &graph.preimage(id)).unwrap();
    record
}

fn statuses(plan: &Plan) -> Vec<(String, Status)> {
    plan.stages.iter().map(|stage| (stage.name.clone(), stage.status)).collect()
}

fn constant(_: u64) -> f64 {
    0.1
}

#[test]
fn an_empty_store_leaves_everything_to_do() {
    let mut graph = Graph::default();
    let init = plain(&mut graph, "init", 1, &[]);
    let short = training(&mut graph, init, 20, constant);
    let long = training(&mut graph, init, 50, constant);
    let measured = [plain(&mut graph, "evaluate", 1, &[short]), plain(&mut graph, "evaluate", 1, &[long])];
    for plan in [
        against(&graph, &measured.iter().copied().collect(), None),
        against(&graph, &measured.iter().copied().collect(), Some(&scratch().1)),
    ] {
        assert_eq!(plan.totals, plan.remaining);
        assert!(plan.stages.iter().all(|stage| stage.status == Status::Run));
        let expected = Totals {
            stages: 5,
            cached: 0,
            run: 5,
            conditional: 0,
            trainings: 1,
            epochs: 5.0,
            macs: 50_015.0,
            bytes: 2300,
        };
        assert_eq!(plan.totals, expected);
    }
}

#[test]
fn a_stored_result_spares_what_leads_to_it() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let init = plain(&mut graph, "init", 1, &[]);
    let trained = training(&mut graph, init, 20, constant);
    let measured = plain(&mut graph, "evaluate", 1, &[trained]);
    let other = plain(&mut graph, "evaluate", 2, &[trained]);
    finish(&graph, &store, measured);
    let plan = against(&graph, &[measured].into_iter().collect(), Some(&store));
    assert_eq!(statuses(&plan), [("evaluate 1".to_owned(), Status::Cached)], "what was never stored is not listed");
    assert_eq!(plan.remaining, Totals::default());
    assert_eq!(against(&graph, &[measured, other].into_iter().collect(), Some(&store)).remaining.run, 3);
    finish(&graph, &store, init);
    finish(&graph, &store, trained);
    let plan = against(&graph, &[measured, other].into_iter().collect(), Some(&store));
    assert_eq!((plan.totals.stages, plan.totals.cached, plan.remaining.run), (4, 3, 1));
    assert_eq!((plan.totals.epochs.to_bits(), plan.remaining.epochs.to_bits()), (2f64.to_bits(), 0));
}

#[test]
fn a_longer_training_goes_on_from_the_shorter_one() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let init = plain(&mut graph, "init", 1, &[]);
    let short = training(&mut graph, init, 25, constant);
    finish(&graph, &store, init);
    finish(&graph, &store, short);
    let long = training(&mut graph, init, 50, constant);
    let plan = against(&graph, &[long].into_iter().collect(), Some(&store));
    assert_eq!(plan.stage(long).unwrap().status, Status::Resume { from: 25 });
    assert_eq!((plan.remaining.epochs, plan.remaining.macs), (2.5, 25_000.0));
}

#[test]
fn a_later_change_of_the_rate_goes_on_from_the_last_common_point() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let init = plain(&mut graph, "init", 1, &[]);
    finish(&graph, &store, init);
    let first = training(&mut graph, init, 50, constant);
    let base = graph.chain_base(first).unwrap();
    let bytes = BTreeMap::from([("weights".to_owned(), vec![1, 2, 3])]);
    for step in [12, 31, 44] {
        store.save_point(base, step, graph.chain_key(first, step).unwrap(), &bytes, 1.0).unwrap();
    }
    let changed = training(&mut graph, init, 50, |step| if step < 40 { 0.1 } else { 0.01 });
    let plan = against(&graph, &[first, changed].into_iter().collect(), Some(&store));
    assert_eq!(plan.stage(first).unwrap().status, Status::Resume { from: 44 });
    assert_eq!(plan.stage(changed).unwrap().status, Status::Resume { from: 31 });
}

#[test]
fn a_damaged_record_is_reported_and_its_stage_runs_again() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let init = plain(&mut graph, "init", 1, &[]);
    let record = finish(&graph, &store, init);
    let key = record.key.to_string();
    let path = store.root().join("actions").join(&key[..2]).join(format!("{key}.yaml"));
    std::fs::write(path, "what").unwrap();
    let plan = against(&graph, &[init].into_iter().collect(), Some(&store));
    assert_eq!(plan.stage(init).unwrap().status, Status::Run);
    assert_eq!(plan.complaints.len(), 1);
}

#[test]
fn the_json_form_is_the_documented_one() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let init = plain(&mut graph, "init", 1, &[]);
    finish(&graph, &store, init);
    let trained = training(&mut graph, init, 20, constant);
    let json = serde_json::to_value(against(&graph, &[trained].into_iter().collect(), Some(&store))).unwrap();
    assert_eq!(json["stages"][0]["status"], "cached");
    assert_eq!(json["stages"][1]["op"], "train");
    assert_eq!(json["stages"][1]["status"], "run");
    assert_eq!(json["stages"][1]["key"], graph.key(trained).to_string());
    assert_eq!(json["stages"][1]["facts"]["bytes"], 1000);
    for name in ["stages", "cached", "run", "trainings", "epochs", "bytes"] {
        assert!(json["totals"][name].is_number(), "{name}");
    }
}

fn reason(graph: &Graph, store: &Store, wanted: &[NodeId], id: NodeId) -> explain::Explanation {
    let plan = against(graph, &wanted.iter().copied().collect(), Some(store));
    explain::Explainer::new(graph, &plan, Some(store)).explain(id).unwrap()
}

#[test]
fn a_stopped_training_is_told_from_a_changed_one() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let init = plain(&mut graph, "init", 1, &[]);
    finish(&graph, &store, init);
    let first = training(&mut graph, init, 50, constant);
    let base = graph.chain_base(first).unwrap();
    let bytes = BTreeMap::from([("weights".to_owned(), vec![1, 2, 3])]);
    store.save_point(base, 12, graph.chain_key(first, 12).unwrap(), &bytes, 1.0).unwrap();
    let found = reason(&graph, &store, &[first], first);
    assert_eq!(found.reason, explain::Reason::Interrupted { from: 12 });
    assert_eq!(found.reuse.unwrap().goes_on_from.as_deref(), Some("12it"));

    let mut changed = Graph::default();
    let start = plain(&mut changed, "init", 1, &[]);
    finish(&graph, &store, first);
    let later = training(&mut changed, start, 50, |step| if step < 40 { 0.1 } else { 0.01 });
    let measured = plain(&mut changed, "evaluate", 1, &[later]);
    let old = plain(&mut graph, "evaluate", 1, &[first]);
    finish(&graph, &store, old);
    let point = store.points(base).into_iter().find(|point| point.kind == PointKind::Rolling).unwrap();
    store.drop_point(base, &point).unwrap();
    let found = reason(&changed, &store, &[measured], measured);
    assert_eq!(found.reason, explain::Reason::Changed);
    assert_eq!(found.causes.len(), 1, "the evaluation only follows");
    let cause = &found.causes[0];
    assert_eq!((cause.id, cause.stages.len()), (later, 1));
    assert_eq!(cause.cascade, BTreeSet::from([measured]));
    assert_eq!((cause.changes[0].before.as_str(), cause.changes[0].after.as_str()), ("0.1", "0.01"));
    assert_eq!(cause.changes[0].from.as_deref(), Some("4ep"));
    let found = reason(&changed, &store, &[measured], later);
    let reuse = found.reuse.unwrap();
    assert_eq!((reuse.agrees_until.as_deref(), reuse.goes_on_from), (Some("4ep"), None));
}

#[test]
fn a_stage_that_others_were_computed_from_was_collected() {
    let (_directory, store) = scratch();
    let mut graph = Graph::default();
    let init = plain(&mut graph, "init", 1, &[]);
    let trained = training(&mut graph, init, 20, constant);
    let other = plain(&mut graph, "evaluate", 1, &[init]);
    finish(&graph, &store, trained);
    let found = reason(&graph, &store, &[trained, other], init);
    assert_eq!(found.reason, explain::Reason::Collected { reader: "train 20".to_owned() });
    assert_eq!(reason(&graph, &store, &[trained], trained).reason, cached_now());
    assert_eq!(reason(&graph, &store, &[trained], init).reason, explain::Reason::Unneeded);
}

fn cached_now() -> explain::Reason {
    let empty = String::new;
    explain::Reason::Cached { since: empty(), host: empty(), pdsl: empty(), experiments: Vec::new() }
}

#[test]
fn two_programs_part_where_they_differ() {
    let build = |number: i64, until: u64| {
        let mut graph = Graph::default();
        let init = plain(&mut graph, "init", 1, &[]);
        let trained = training(&mut graph, init, until, constant);
        let pruned = plain(&mut graph, "prune", number, &[trained]);
        let measured = plain(&mut graph, "evaluate", 1, &[pruned]);
        (graph, BTreeSet::from([measured]))
    };
    let (old, new, longer) = (build(1, 20), build(2, 20), build(1, 30));
    let compare = |a: &(Graph, BTreeSet<NodeId>), b: &(Graph, BTreeSet<NodeId>)| {
        diff::diff(diff::Side { graph: &a.0, wanted: &a.1 }, diff::Side { graph: &b.0, wanted: &b.1 })
    };
    assert!(compare(&old, &old).is_empty());
    let found = compare(&old, &new);
    assert_eq!((found.shared, found.changes.len(), found.cascade), (2, 1, 1));
    assert_eq!(found.changes[0].names, ["prune 1", "prune 2"]);
    let found = compare(&old, &longer);
    assert_eq!((found.shared, found.changes.len(), found.cascade), (1, 1, 2));
    assert_eq!(found.beginnings, [diff::Beginning { name: "train 30".to_owned(), until: "2ep".to_owned() }]);
    assert!(found.only_a.is_empty() && found.only_b.is_empty());
}
