//! The store under kill -9, without space, without permission, and under many writers.
//!
//! A test that needs a victim starts this test binary again with `PDSL_VICTIM` set; the function `victim` then does
//! what it is told instead of testing anything.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pdsl::graph::{Canon, Key, Preimage};
use pdsl::manifest::record::{Circumstances, Outcome, Place, Record};
use pdsl::store::{Digest, Store, StoreError};

fn preimage(number: i64) -> Preimage {
    Preimage {
        op: "init".to_owned(),
        version: 1,
        args: Canon::Int(number),
        inputs: BTreeMap::new(),
        data: BTreeMap::new(),
        numerics: None,
        smoke: None,
        trajectory: None,
    }
}

fn record(number: i64, objects: BTreeMap<String, String>) -> Record {
    Record {
        key: preimage(number).key(),
        op: "init".to_owned(),
        name: format!("stage {number}"),
        version: 1,
        smoke: false,
        inputs: BTreeMap::new(),
        trajectory: Some(Place { base: Key([1; 32]), step: number as u64 }),
        outcome: Outcome { objects, ..Outcome::default() },
        run: Circumstances::default(),
    }
}

/// Bytes that differ from stage to stage and take several writes.
fn bytes(number: i64, length: usize) -> Vec<u8> {
    (0..length).map(|at| (at as i64 * 31 + number) as u8).collect()
}

fn publish(store: &Store, number: i64, length: usize) -> Result<(), StoreError> {
    let digest = store.put(&bytes(number, length))?.to_string();
    let shared = store.put(&bytes(number % 3, 10_000))?.to_string();
    let objects = BTreeMap::from([("weights".to_owned(), digest), ("mask".to_owned(), shared)]);
    store.publish(&record(number, objects), &preimage(number))
}

/// Does what `PDSL_VICTIM` says; without it, this is a test that passes.
#[test]
#[expect(clippy::print_stdout, reason = "the parent reads what has been stored")]
fn victim() {
    let Ok(task) = std::env::var("PDSL_VICTIM") else { return };
    let store = Store::open(Path::new(&std::env::var("PDSL_VICTIM_STORE").unwrap())).unwrap();
    let start: i64 = std::env::var("PDSL_VICTIM_START").map_or(0, |text| text.parse().unwrap());
    match task.as_str() {
        "publish" => {
            for number in start.. {
                publish(&store, number, 1 + (number as usize * 7919) % 300_000).unwrap();
                let files = BTreeMap::from([("momentum".to_owned(), bytes(number, 50_000))]);
                let point = store.save_point(Key([2; 32]), number as u64, Key([3; 32]), &files, 1.0).unwrap();
                println!("\nstored {number}");
                for old in store.points(Key([2; 32])).iter().filter(|old| old.step + 2 < point.step) {
                    store.drop_point(Key([2; 32]), old).unwrap();
                }
            }
        }
        "overflow" => {
            publish(&store, 1, 1000).unwrap();
            let error = publish(&store, 2, 1_000_000).unwrap_err();
            assert!(error.is_full(), "{error}");
            publish(&store, 3, 1000).unwrap();
            println!("\nsurvived");
        }
        other => panic!("no such task: {other}"),
    }
}

fn start(task: &str, store: &Path, start: i64, shell: Option<&str>) -> Child {
    let this = std::env::current_exe().unwrap();
    let mut command = match shell {
        None => Command::new(this),
        Some(before) => {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("{before}; exec \"$0\" \"$@\"")]).arg(this);
            command
        }
    };
    command
        .args(["--exact", "victim", "--nocapture", "--test-threads", "1"])
        .env("PDSL_VICTIM", task)
        .env("PDSL_VICTIM_STORE", store)
        .env("PDSL_VICTIM_START", start.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn kill_9_at_any_moment_loses_nothing_that_was_stored() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let mut stored = Vec::new();
    let mut next = 0;
    for round in 0u64..25 {
        let mut child = start("publish", &path, next, None);
        let output = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.filter_map(|line| line.strip_prefix("stored ")?.parse::<i64>().ok()).collect::<Vec<_>>()
        });
        // Spread over start-up, many stages, and everything inside one.
        std::thread::sleep(Duration::from_micros(3_000 + round * round * 613 % 160_000));
        child.kill().unwrap();
        child.wait().unwrap();
        stored.extend(reader.join().unwrap());
        next = stored.last().map_or(0, |last| last + 1);
    }
    assert!(!stored.is_empty(), "no round stored anything");
    let store = Store::open(&path).unwrap();
    for number in &stored {
        let record = store.lookup(preimage(*number).key()).unwrap().unwrap_or_else(|| panic!("stage {number} is gone"));
        assert_eq!(record.name, format!("stage {number}"));
        let digest: Digest = record.outcome.objects["weights"].parse().unwrap();
        assert_eq!(store.get(&digest).unwrap(), bytes(*number, 1 + (*number as usize * 7919) % 300_000));
    }
    let newest = store.points(Key([2; 32]))[0];
    assert!(newest.step >= *stored.last().unwrap() as u64);
    store.load_point(Key([2; 32]), &newest).unwrap();
    assert_eq!(store.verify().findings, []);
}

#[test]
fn a_full_disk_fails_one_stage_and_leaves_the_store_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    // The shell makes writes beyond 100 KiB fail like a full disk instead of ending the process.
    let mut child = start("overflow", &path, 0, Some("trap '' XFSZ; ulimit -f 200"));
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success() && text.contains("survived"), "{text}");
    let store = Store::open(&path).unwrap();
    assert!(store.lookup(preimage(1).key()).unwrap().is_some());
    assert!(store.lookup(preimage(2).key()).unwrap().is_none());
    assert!(store.lookup(preimage(3).key()).unwrap().is_some());
    assert_eq!(store.verify().findings, []);
    assert_eq!(std::fs::read_dir(path.join("tmp")).unwrap().count(), 0, "no draft is left");
}

/// A file system of one mebibyte, where the test may mount one.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=1m", "pdsl-test"]).arg(directory.path()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success()).then_some(Self(directory))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_file_system_without_space_is_reported_and_recovers() {
    // Without the right to mount, the limit on file sizes above stands in.
    let Some(small) = Small::mount() else { return };
    let store = Store::open(&small.0.path().join("store")).unwrap();
    publish(&store, 1, 1000).unwrap();
    let error = (2..60).find_map(|number| publish(&store, number, 100_000).err()).unwrap();
    assert!(error.is_full(), "{error}");
    assert_eq!(store.verify().findings, []);
    let stored: Vec<Record> = store.records().map(Result::unwrap).collect();
    assert!(stored.len() > 3);
    std::fs::remove_dir_all(store.root().join("objects")).unwrap();
    publish(&store, 99, 1000).unwrap();
    assert!(store.lookup(preimage(99).key()).unwrap().is_some());
}

#[test]
fn a_store_without_permission_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let mut result = Store::open(&directory.path().join("store"));
    if result.is_ok() {
        // Root may write anywhere but where the kernel itself refuses.
        result = Store::open(Path::new("/sys/pdsl-store"));
    }
    let error = result.unwrap_err();
    assert!(error.is_denied(), "{error:?}");
}

#[test]
fn many_processes_share_a_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let mut children: Vec<Child> = (0..4).map(|_| start("publish", &path, 0, None)).collect();
    std::thread::sleep(Duration::from_millis(400));
    children.iter_mut().for_each(|child| child.kill().unwrap());
    children.iter_mut().for_each(|child| drop(child.wait()));
    let store = Store::open(&path).unwrap();
    assert!(store.lookup(preimage(0).key()).unwrap().is_some());
    assert_eq!(store.verify().findings, []);
}

#[test]
fn three_hundred_keys_are_looked_up_quickly() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let large = Canon::List((0..5_000).map(Canon::Int).collect());
    let preimages: Vec<Preimage> = (0..300)
        .map(|number| Preimage { args: Canon::List(vec![Canon::Int(number), large.clone()]), ..preimage(0) })
        .collect();
    for (number, preimage) in preimages.iter().enumerate() {
        let digest = store.put(&bytes(number as i64, 100)).unwrap().to_string();
        let objects = BTreeMap::from([("weights".to_owned(), digest)]);
        let record = Record { key: preimage.key(), trajectory: None, ..record(number as i64, objects) };
        store.publish(&record, preimage).unwrap();
    }
    let keys: Vec<Key> = preimages.iter().map(Preimage::key).collect();
    let began = Instant::now();
    assert!(keys.iter().all(|key| store.lookup(*key).unwrap().is_some()));
    let elapsed = began.elapsed();
    // Far below 100 ms in release on a quiet machine; the bound leaves room for a busy one.
    assert!(elapsed < Duration::from_millis(500), "{elapsed:?}");
}
