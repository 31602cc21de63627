//! `pdsl doc` and `pdsl test`.

use super::{err, exit, here, out, pdsl, succeeds};

#[test]
fn doc_lists_modules_names_and_entries() {
    let home = here();
    let overview = succeeds(home.path(), &["doc"]);
    for (name, words) in [("prelude", "Names"), ("std.data", "Data sets"), ("std.prune", "Pruning")] {
        let found = overview.lines().find_map(|line| line.strip_prefix(name));
        assert!(found.is_some_and(|rest| rest.trim().starts_with(words)), "{name} in\n{overview}");
    }
    let module = succeeds(home.path(), &["doc", "std.prune"]);
    assert!(module.starts_with("std.prune\n\nPruning: "), "{module}");
    assert!(module.contains("\n  imp "), "{module}");
    assert_eq!(module, succeeds(home.path(), &["doc", "std.prune"]));
    let entry = succeeds(home.path(), &["doc", "std.math.clamp"]);
    assert!(
        entry.starts_with(
            "fn clamp[T](x: T, low: T, high: T) -> T\n\na function of std.math: import std.math.{clamp}\n\n"
        ),
        "{entry}"
    );
    for asked in ["clamp", "math.clamp"] {
        assert_eq!(succeeds(home.path(), &["doc", asked]), entry);
    }
    let stage = succeeds(home.path(), &["doc", "train"]);
    assert!(stage.starts_with("fn train(") && stage.contains("\n\na stage that needs no import\n\n"), "{stage}");
    // A stage and a module have this name.
    let both = succeeds(home.path(), &["doc", "prune"]);
    assert!(both.starts_with("fn prune(") && both.contains("\nstd.prune\n\n"), "{both}");
    let unknown = pdsl(home.path(), &["doc", "trian"]);
    assert_eq!(exit(&unknown), 2);
    assert!(err(&unknown).contains("there is no `trian`") && err(&unknown).contains("did you mean `train`?"));
}

#[test]
fn doc_describes_files_and_serves_scripts() {
    let home = here();
    let text = "//! Recipes of one's own.\n\n/// Half of it.\npub fn half(x: Float, by: Float = 2.0) -> Float { x / by }\n\
                let hidden = 1\n/// How often.\nparam times: Int = 3 where times > 0\n";
    std::fs::write(home.path().join("recipes.pd"), text).unwrap();
    let shown = succeeds(home.path(), &["doc", "recipes.pd"]);
    assert_eq!(shown, "recipes.pd\n\nRecipes of one's own.\n\n  half   Half of it.\n  times  How often.\n");
    let entry = succeeds(home.path(), &["doc", "recipes.pd", "half"]);
    assert_eq!(entry, "fn half(x: Float, by: Float = 2.0) -> Float\n\na function of recipes.pd\n\nHalf of it.\n");
    let json: serde_json::Value =
        serde_json::from_str(&succeeds(home.path(), &["doc", "recipes.pd", "--json"])).unwrap();
    assert_eq!(json[0]["entries"][1]["signature"], "param times: Int = 3 where times > 0");
    let all: serde_json::Value = serde_json::from_str(&succeeds(home.path(), &["doc", "--json"])).unwrap();
    let entries = all.as_array().unwrap().iter().flat_map(|module| module["entries"].as_array().unwrap());
    let undocumented: Vec<_> = entries.filter(|entry| entry["docs"] == "").map(|entry| entry["name"].clone()).collect();
    assert!(undocumented.is_empty(), "{undocumented:?}");
    let page = succeeds(home.path(), &["doc", "--markdown"]);
    assert!(page.starts_with("# Reference of the standard library\n"));
    assert_eq!(exit(&pdsl(home.path(), &["doc", "missing.pd"])), 2);
}

const TESTED: &str = r#"//! A module.
//!
//! ```pd
//! import "tested.pd".{twice}
//!
//! expect twice(2.0) == 4.0
//! ```

/// Twice as much.
///
/// ```pd
/// let six = twice(3.0)
/// test "six" { expect six == 6.0 }
/// ```
pub fn twice(x: Float) -> Float { 2 * x }

/// Wrong.
///
/// ```pd
/// expect twice(1.0) == 3.0
/// ```
let wrong = 1

param needed: Int

test "doubles" {
  expect twice(1.5) == 3.0
}

test "halves" {
  let found = twice(0.25)
  expect found == 0.25
  expect [found] == [0.5] and found > 1.0
}

test "stumbles" {
  let xs = [1]
  expect xs[3] == 1
}
"#;

#[test]
fn test_runs_blocks_and_examples() {
    let home = here();
    std::fs::create_dir(home.path().join("results")).unwrap();
    std::fs::create_dir(home.path().join("lib")).unwrap();
    std::fs::write(home.path().join("results/old.pd"), "test \"never\" { expect false }\n").unwrap();
    std::fs::write(home.path().join("lib/tested.pd"), TESTED).unwrap();
    let output = pdsl(home.path(), &["test"]);
    assert_eq!(exit(&output), 1, "{}", err(&output));
    let wanted = "lib/tested.pd
  ok      doubles
  FAILED  halves
          expect found == 0.25   (lib/tested.pd:32:10)
          left = 0.5
          right = 0.25
          expect [found] == [0.5] and found > 1.0   (lib/tested.pd:33:10)
          it is false
  FAILED  stumbles
          lib/tested.pd:38:13: error[PD0316]: there is no element 3 in a list of 1 (help: elements count from 0)
  ok      example lib/tested.pd:4
  ok      example lib/tested.pd:12
  FAILED  example lib/tested.pd:20
          lib/tested.pd:20:1:8: error[PD0714]: `twice(1.0) == 3.0` does not hold

3 passed, 3 failed
";
    let strip = |text: &str| -> String {
        // The number of the code and the sides of an expectation are tested elsewhere.
        let line = |line: &str| match line.split_once("error[") {
            Some((head, rest)) => format!("{head}{}", rest.split_once("]: ").map_or(rest, |(_, rest)| rest)),
            None => line.to_owned(),
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(strip(&out(&output)), strip(wanted));

    let some = succeeds(home.path(), &["test", "lib/tested.pd", "--filter", "doubles"]);
    assert_eq!(some, "lib/tested.pd\n  ok      doubles\n\n1 passed, 0 failed\n");
    let none = pdsl(home.path(), &["test", "--filter", "nothing of the kind"]);
    assert_eq!(exit(&none), 2);
    assert!(err(&none).contains("PD0742"), "{}", err(&none));
    std::fs::write(home.path().join("lib/broken.pd"), "let a = (1\n").unwrap();
    assert_eq!(exit(&pdsl(home.path(), &["test"])), 2);
}

#[test]
fn the_standard_library_passes_its_tests_and_examples() {
    let home = here();
    let output = pdsl(home.path(), &["test", "--std"]);
    let shown = out(&output);
    let failed: Vec<&str> = shown.lines().skip_while(|line| !line.contains("FAILED")).take(4).collect();
    assert_eq!(exit(&output), 0, "{failed:#?}\n{}", err(&output));
    assert!(shown.contains("std/schedule.pd\n  ok      cosine starts at its rate and ends at its floor\n"), "{shown}");
}

/// Gives lines to a session.
fn repl(lines: &str) -> (String, String, i32) {
    use std::io::Write as _;
    let home = here();
    std::fs::write(home.path().join("lib.pd"), "import std.math.{clamp}\n/// Kept small.\npub fn small(x: Float) -> Float { clamp(x, low: 0.0, high: 1.0) }\ntable t = sweep n in 0..2 { { v: n } }\n").unwrap();
    let mut child = super::command(home.path(), &["repl"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (out(&output), err(&output), exit(&output))
}

#[test]
fn repl_evaluates_what_is_written() {
    let (shown, wrong, code) = repl(
        "1 + 2\n20% - 5pp\nlet a = [1, 2,\n  3]\na |> map(x => 2 * x)\nfn f(x: Int) -> Int { x + 1 }\nf(a[2])\n\
         // a remark\nlet a = 4\na\n:type x => x + 0.5\nlet runs = sweep n in 0..2 { { value: float(n) } }\nruns\n\
         import std.data.{digits}\ndigits().classes\n{ name: \"x\", at: 6ep }\ntest \"t\" { expect a == 4 }\n",
    );
    assert_eq!(wrong, "");
    assert_eq!(code, 0);
    let wanted = "3\n15%\na: List[Int] = [1, 2, 3]\n[2, 4, 6]\nfn f(x: Int) -> Int\n4\na: Int = 4\n4\nFloat -> Float\n\
                  runs: Rows[{ n: Int, value: Float }] = rows\nn  value\n0  0.0\n1  1.0\n10\n{ name: \"x\", at: 6ep }\nholds\n";
    assert_eq!(shown, wanted);
}

#[test]
fn repl_shows_stages_without_running_them() {
    let (shown, wrong, code) = repl(
        "import std.data.{digits}\nimport std.models.{tiny_resnet}\nlet task = digits()\n\
         let dense = tiny_resnet(classes: task.classes) |> init(first(seeds(1))) |> train(task, sgd(lr: 0.1, batch: 64), until: 2ep)\n\
         dense\n:stages dense\nevaluate(dense, task.test).top1\n",
    );
    assert_eq!((wrong.as_str(), code), ("", 0));
    for part in ["task: Task = digits\n", "dense: State = State(", "\ntrain", "2 epochs"] {
        assert!(shown.contains(part), "{part} in\n{shown}");
    }
    assert!(shown.ends_with("known after 3 stages have run\n"), "{shown}");
}

#[test]
fn repl_tells_mistakes_and_goes_on() {
    let (shown, wrong, code) = repl(
        "let a: Ratio = 0.2\n1 +\n2\n:load lib.pd\nsmall(3.0)\n:doc small\n:nothing\nlet x = [1][4]\nlet b = unknown\n7\n",
    );
    assert_eq!(code, 2);
    assert_eq!(shown, "3\nsmall\n1.0\nfn small(x: Float) -> Float\n\na function of session\n\nKept small.\n7\n");
    for part in ["write `20%`", "PD0743", "there is no element 4", "there is no `unknown` here", "[input:1:"] {
        assert!(wrong.contains(part), "{part} in\n{wrong}");
    }
}

#[test]
fn check_tells_scripts_what_to_write() {
    let home = super::program("let a: Ratio = 0.2\nlet t = digits()\n");
    let output = pdsl(home.path(), &["check", "small.pd", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    let fix = &found[0]["fixes"][0];
    assert_eq!((fix["start"].as_u64(), fix["end"].as_u64(), fix["text"].as_str()), (Some(15), Some(18), Some("20%")));
    assert_eq!((fix["line"].as_u64(), fix["column"].as_u64()), (Some(1), Some(16)));
    assert_eq!(found[1]["fixes"][0]["text"], "import std.data.{digits}\n\n");
    assert_eq!(found[0]["help"], "write `20%`");
}
