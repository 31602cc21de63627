//! The quickstart itself, run by the real binary, killed 20 times at random moments and started again, ends with the
//! same objects and measures as an undisturbed run.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use pdsl::store::Store;

const KILLS: usize = 20;

/// A run of the quickstart, made smaller by its parameters, that saves a resume point every few iterations.
fn run(store: &Path, results: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pdsl"));
    command
        .args(["run", concat!(env!("CARGO_MANIFEST_DIR"), "/experiments/quickstart.pd")])
        .args(["--set", "replicates=2", "--set", "rounds=4", "--resume-every", "5it"])
        .args(["--store".as_ref(), store, "--out".as_ref(), results])
        .env_remove("PDSL_STORE")
        .env("PDSL_DEVICE", "cpu")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// What each stage left behind, by key.
fn outcomes(store: &Path) -> BTreeMap<String, (String, pdsl::ops::Outcome)> {
    let store = Store::open(store).unwrap();
    store
        .records()
        .map(|record| record.unwrap())
        .map(|record| (record.key.to_string(), (record.name, record.outcome)))
        .collect()
}

#[test]
fn twenty_kills_change_no_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (calm, killed, results) =
        (folder.path().join("calm"), folder.path().join("killed"), folder.path().join("results"));
    assert!(run(&calm, &results).status().unwrap().success());
    let expected = outcomes(&calm);
    assert!(expected.len() > 80, "{}", expected.len());

    let (mut done, mut random) = (0, 0x9e37_79b9_7f4a_7c15_u64);
    let mut finished_early = 0;
    while done < KILLS {
        let mut child = run(&killed, &results).process_group(0).spawn().unwrap();
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis(30 + (random >> 33) % 400));
        if child.try_wait().unwrap().is_some() {
            finished_early += 1;
            assert!(finished_early < 40, "the machine is too fast for this test");
            let _ = std::fs::remove_dir_all(&killed);
            continue;
        }
        let group = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
        child.wait().unwrap();
        done += 1;
    }
    assert!(run(&killed, &results).status().unwrap().success());
    assert_eq!(expected, outcomes(&killed));
}
