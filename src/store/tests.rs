use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use super::*;
use crate::graph::{Canon, Key, Preimage};
use crate::manifest::record::{Circumstances, Outcome, Place, Record};

fn scratch() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).unwrap();
    (directory, store)
}

fn stage(store: &Store, number: i64, inputs: &[(&str, Key)], bytes: &[u8]) -> (Record, Preimage) {
    let preimage = Preimage {
        op: "init".to_owned(),
        version: 1,
        args: Canon::Int(number),
        inputs: inputs.iter().map(|(role, key)| ((*role).to_owned(), *key)).collect(),
        data: BTreeMap::new(),
        numerics: None,
        smoke: None,
        trajectory: None,
    };
    let digest = store.put(bytes).unwrap().to_string();
    let record = Record {
        key: preimage.key(),
        op: "init".to_owned(),
        name: format!("init seed {number}"),
        version: 1,
        smoke: false,
        inputs: preimage.inputs.clone(),
        trajectory: None,
        outcome: Outcome { objects: BTreeMap::from([("weights".to_owned(), digest)]), ..Outcome::default() },
        run: Circumstances { seconds: 3.0, ..Circumstances::default() },
    };
    (record, preimage)
}

fn publish_stage(store: &Store, number: i64, inputs: &[(&str, Key)], bytes: &[u8]) -> Record {
    let (record, preimage) = stage(store, number, inputs, bytes);
    store.publish(&record, &preimage).unwrap();
    record
}

#[test]
fn what_is_published_is_found_again() {
    let (directory, store) = scratch();
    let (record, preimage) = stage(&store, 1, &[], b"bytes");
    assert_eq!(store.lookup(record.key).unwrap(), None);
    store.publish(&record, &preimage).unwrap();
    let again = Store::open(&directory.path().join("store")).unwrap();
    assert_eq!(again.lookup(record.key).unwrap(), Some(record.clone()));
    assert_eq!(again.preimage(record.key).unwrap(), Some(preimage));
    let digest = record.outcome.objects["weights"].parse().unwrap();
    assert_eq!(again.get(&digest).unwrap(), b"bytes");
}

#[test]
fn a_store_of_a_newer_pdsl_is_refused_and_left_alone() {
    let (directory, store) = scratch();
    let label = store.root().join("store.yaml");
    fs::write(&label, "format: 99\nwritten_by: pdsl 9.0\n").unwrap();
    let error = Store::open(&directory.path().join("store")).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, known: FORMAT, .. }), "{error}");
    assert!(fs::read_to_string(label).unwrap().contains("99"));
}

#[test]
fn a_cache_of_data_may_be_there_first() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join(CACHE)).unwrap();
    Store::open(directory.path()).unwrap();
}

#[test]
fn a_directory_with_other_things_is_not_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("thesis.tex"), "x").unwrap();
    assert!(matches!(Store::open(directory.path()), Err(StoreError::NotAStore { .. })));
    assert!(Store::existing(directory.path()).unwrap().is_none());
}

#[test]
fn opening_can_be_resumed_after_it_was_killed_between_directories() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("objects")).unwrap();
    Store::open(directory.path()).unwrap();
}

#[test]
fn a_damaged_object_is_set_aside_named_and_can_be_stored_again() {
    let (_directory, store) = scratch();
    let record = publish_stage(&store, 1, &[], b"weights of a network");
    let text = &record.outcome.objects["weights"];
    let path = store.object_path(text);
    fs::write(&path, b"weights of a network?").unwrap();
    let error = store.get(&text.parse().unwrap()).unwrap_err();
    assert!(
        matches!(&error, StoreError::Damaged { name, quarantined, .. }
        if name == "weights of init seed 1" && quarantined.exists()),
        "{error:?}"
    );
    assert_eq!(store.lookup(record.key).unwrap(), None, "a record without its objects does not count");
    store.put(b"weights of a network").unwrap();
    assert_eq!(store.lookup(record.key).unwrap(), Some(record));
}

#[test]
fn an_object_of_wrong_length_is_replaced_when_put_again() {
    let (_directory, store) = scratch();
    let digest = store.put(b"whole").unwrap();
    fs::write(store.object_path(&digest.to_string()), b"who").unwrap();
    assert_eq!(store.put(b"whole").unwrap(), digest);
    assert_eq!(store.get(&digest).unwrap(), b"whole");
}

#[test]
fn a_damaged_record_is_set_aside() {
    let (_directory, store) = scratch();
    let record = publish_stage(&store, 1, &[], b"bytes");
    fs::write(store.record_path(record.key), "key: [").unwrap();
    assert!(matches!(store.lookup(record.key), Err(StoreError::Malformed { .. })));
    assert_eq!(store.lookup(record.key).unwrap(), None);
}

#[test]
fn verification_names_what_is_damaged_or_gone() {
    let (_directory, store) = scratch();
    let first = publish_stage(&store, 1, &[], b"one");
    let second = publish_stage(&store, 2, &[], b"two");
    assert!(store.verify().findings.is_empty());
    fs::write(store.object_path(&first.outcome.objects["weights"]), b"eno").unwrap();
    fs::remove_file(store.object_path(&second.outcome.objects["weights"])).unwrap();
    let mut names: Vec<_> = store.verify().findings.into_iter().map(|finding| finding.name).collect();
    names.sort();
    assert_eq!(names, ["weights of init seed 1", "weights of init seed 2"]);
}

#[test]
fn rolling_points_are_found_latest_first_and_damage_falls_back() {
    let (_directory, store) = scratch();
    let base = Key([9; 32]);
    let files = |text: &str| BTreeMap::from([("weights".to_owned(), text.as_bytes().to_vec())]);
    let early = store.save_point(base, 5, Key([5; 32]), &files("five"), 1.0).unwrap();
    let late = store.save_point(base, 12, Key([12; 32]), &files("twelve"), 2.5).unwrap();
    assert_eq!(store.points(base), [late, early]);
    assert_eq!(store.load_point(base, &late).unwrap(), (files("twelve"), 2.5));
    fs::write(store.point_path(base, &late).join("weights"), b"twenty").unwrap();
    assert!(matches!(store.load_point(base, &late), Err(StoreError::Damaged { .. })));
    assert_eq!(store.points(base), [early]);
    store.drop_point(base, &early).unwrap();
    store.drop_point(base, &early).unwrap();
    assert!(store.points(base).is_empty());
}

#[test]
fn a_published_training_is_a_named_point() {
    let (_directory, store) = scratch();
    let (mut record, preimage) = stage(&store, 1, &[], b"bytes");
    record.trajectory = Some(Place { base: Key([9; 32]), step: 40 });
    store.publish(&record, &preimage).unwrap();
    assert_eq!(store.points(Key([9; 32])), [Point { step: 40, key: record.key, kind: PointKind::Named }]);
}

#[test]
fn one_of_many_claims_is_granted() {
    let (_directory, store) = scratch();
    let key = Key([1; 32]);
    let granted = std::sync::atomic::AtomicUsize::new(0);
    let leases: Vec<_> = std::thread::scope(|scope| {
        let claim = || {
            let claim = store.claim(key, "train seed 1").unwrap();
            granted.fetch_add(usize::from(matches!(claim, Claim::Granted(_))), std::sync::atomic::Ordering::Relaxed);
            claim
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(claim)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(granted.into_inner(), 1);
    assert_eq!(store.holder(key).unwrap().stage, "train seed 1");
    drop(leases);
    assert_eq!(store.holder(key), None);
    assert!(matches!(store.claim(key, "again").unwrap(), Claim::Granted(_)));
}

#[test]
fn the_lease_of_a_dead_process_is_taken_over() {
    let (_directory, store) = scratch();
    let key = Key([1; 32]);
    let lease = store.claim(key, "train seed 1").unwrap();
    let path = store.root().join("leases").join(key.to_string());
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let dead = child.id();
    child.wait().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace(&format!("process: {}", std::process::id()), &format!("process: {dead}"));
    std::mem::forget(lease);
    fs::write(&path, text).unwrap();
    assert_eq!(store.holder(key), None);
    assert!(matches!(store.claim(key, "again").unwrap(), Claim::Granted(_)));
}

#[test]
fn a_lease_without_heartbeat_is_taken_over() {
    let (_directory, store) = scratch();
    let key = Key([1; 32]);
    let path = store.root().join("leases").join(key.to_string());
    std::mem::forget(store.claim(key, "train seed 1").unwrap());
    let past = std::time::SystemTime::now() - STALE_AFTER * 2;
    fs::File::options().write(true).open(&path).unwrap().set_modified(past).unwrap();
    assert!(matches!(store.claim(key, "again").unwrap(), Claim::Granted(_)));
}

#[test]
fn collection_keeps_roots_with_their_inputs_and_names_the_rest() {
    let (_directory, store) = scratch();
    let input = publish_stage(&store, 1, &[], b"shared");
    let kept = publish_stage(&store, 2, &[("state", input.key)], b"kept");
    let gone = publish_stage(&store, 3, &[("state", input.key)], b"gone, and long");
    let also = publish_stage(&store, 4, &[], b"shared");
    store.put(b"of nobody").unwrap();
    let root = Root {
        experiment: "quickstart".to_owned(),
        time: String::new(),
        stages: vec![RootEntry { key: kept.key, base: None }],
    };
    store.set_root(&root).unwrap();
    let now = Collection { dry: true, grace: Duration::ZERO, forget: Vec::new() };

    assert!(store.collect(&Collection::default()).unwrap().items.is_empty(), "everything is young");
    let plan = store.collect(&now).unwrap();
    let mut names: Vec<_> = plan.items.iter().map(|item| item.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["init seed 3", "init seed 4", "object of no result"]);
    assert!(store.lookup(gone.key).unwrap().is_some(), "a dry run removes nothing");

    let done = store.collect(&Collection { dry: false, ..now.clone() }).unwrap();
    assert_eq!(done, plan);
    assert!(store.lookup(gone.key).unwrap().is_none() && store.lookup(also.key).unwrap().is_none());
    assert!(store.lookup(kept.key).unwrap().is_some() && store.lookup(input.key).unwrap().is_some());
    assert!(store.verify().findings.is_empty());

    let forget = Collection { dry: false, forget: vec!["quickstart".to_owned()], ..now };
    assert_eq!(store.collect(&forget).unwrap().items.len(), 2);
    assert!(store.roots().unwrap().is_empty());
}

#[test]
fn collection_spares_what_a_running_process_computes() {
    let (_directory, store) = scratch();
    let running = publish_stage(&store, 1, &[], b"running");
    let lease = store.claim(running.key, "init seed 1").unwrap();
    let now = Collection { dry: false, grace: Duration::ZERO, forget: Vec::new() };
    assert!(store.collect(&now).unwrap().items.is_empty());
    drop(lease);
    assert_eq!(store.collect(&now).unwrap().items.len(), 1);
}
