//! Hover, outline, formatting, signatures, hints.

use serde_json::{Value, json};

use super::client::{Client, apply, at, cursor};

const PROGRAM: &str = "import std.data.{digits}
import std.models.{tiny_resnet}
import std.prune.{global_magnitude}

/// How many rounds.
param rounds: Int = 3 where rounds >= 1

let task = digits()
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
/// Twice as much.
///
/// Of everything.
fn twice(x: Float, by: Float = 2.0) -> Float {
  let scaled = x * by
  scaled
}
let dense = tiny_resnet(classes: task.classes) |> init(first(seeds(1))) |> train(task, recipe, until: 4ep)
let pruned = dense |> prune(global_magnitude(20%))
let runs = sweep seed in seeds(2) {
  let net = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: 2ep)
  { top1: evaluate(net, task.test).top1 }
}
table shown = runs |> summary(by: [], over: .seed, show: [mean])
";

/// Opens the program, waits for its evaluation, and returns the hover over a place in it: `before` is the text before.
#[track_caller]
fn hover(client: &mut Client, uri: &str, before: &str) -> String {
    let offset = PROGRAM.find(before).unwrap_or_else(|| panic!("{before}")) + before.len();
    let position = super::client::position(PROGRAM, offset);
    let found = client.request("textDocument/hover", at(uri, &position));
    found["contents"]["value"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn hover_says_what_is_known() {
    let mut client = Client::start();
    let uri = client.open("asked.pd", PROGRAM);
    client.wait_for_evaluation();
    let mut over = |before: &str| hover(&mut client, &uri, before);
    assert_eq!(over("let tas"), "```pd\nlet task: Task\n```\n\n`digits`");
    assert_eq!(over("param roun"), "```pd\nparam rounds: Int = 3 where rounds >= 1\n```\n\nHow many rounds.\n\n`3`");
    assert_eq!(
        over("fn twi"),
        "```pd\nfn twice(x: Float, by: Float = 2.0) -> Float\n```\n\nTwice as much.\n\nOf everything."
    );
    assert_eq!(over("let scaled = x * b"), "```pd\nby: Float = 2.0\n```");
    assert_eq!(over("let scal"), "```pd\nscaled: Float\n```");
    assert_eq!(over("until: 4e"), "```pd\n4ep: Step\n```\n\n`ep`: epochs: passes over the training images");
    assert_eq!(over("(20"), "```pd\n20%: Ratio\n```\n\n`%`: a share: 20 % is one fifth");
    assert_eq!(over("task.clas"), "```pd\n.classes: Int\n```");
    assert_eq!(over("over: .se"), "```pd\n.seed: Seed\n```");
    assert_eq!(over("recipe, unt"), "```pd\nuntil: Step\n```\n\nparameter of `train`");
    assert!(over("import std.da").starts_with("**std.data**\n\nData sets."), "a module");
    let state = over("let den");
    assert!(state.starts_with("```pd\nlet dense: State\n```\n\n`State("), "{state}");
    for part in ["of 19 464 prunable weights", "trained for 4 epochs", "2 stages: 4 epochs, "] {
        assert!(state.contains(part), "{part} in {state}");
    }
    let pruned = over("let pru");
    assert!(pruned.contains("15 570 of 19 464 prunable weights"), "{pruned}");
    let train = over("let net = tiny_resnet(classes: task.classes) |> init(seed) |> tra");
    assert!(train.starts_with("```pd\nfn train(s: State, task: Task, recipe: Recipe, until: Step"), "{train}");
    assert!(train.contains("\n\n2 stages: 4 epochs, "), "{train}");
    let imported = over("global_mag");
    assert!(imported.contains("*std.prune*"), "{imported}");
}

#[test]
fn hover_works_in_a_file_with_mistakes() {
    let mut client = Client::start();
    let found = client.at_cursor("textDocument/hover", "let a = (1\nlet good = 20%\nlet b = go‖od - 5pp\n");
    assert_eq!(found["contents"]["value"], "```pd\nlet good: Ratio = 20%\n```");
    let found = client.at_cursor("textDocument/hover", "// see PD01‖04\nlet a = 1\n");
    assert!(found["contents"]["value"].as_str().unwrap().starts_with("**PD0104**: unknown name"), "{found}");
    assert_eq!(client.at_cursor("textDocument/hover", "let a = 1 ‖\n"), Value::Null);
}

#[test]
fn trainings_show_their_cost() {
    let mut client = Client::start();
    let uri = client.open("asked.pd", PROGRAM);
    client.wait_for_evaluation();
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 100, "character": 0 } });
    let hints = client.request("textDocument/inlayHint", json!({ "textDocument": { "uri": uri }, "range": range }));
    let labels: Vec<&str> = hints.as_array().unwrap().iter().map(|hint| hint["label"].as_str().unwrap()).collect();
    assert_eq!(labels.len(), 2, "{labels:?}");
    assert!(labels[0].starts_with("4ep, ") && labels[0].ends_with(" MACs"), "{labels:?}");
    assert!(labels[1].starts_with("2 × 2ep, "), "{labels:?}");
    // After an edit nothing is shown that may be wrong.
    client.change(
        &uri,
        Some(json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } })),
        "\n",
    );
    let hints = client.request("textDocument/inlayHint", json!({ "textDocument": { "uri": uri }, "range": range }));
    assert_eq!(hints, json!([]));
}

#[test]
fn the_outline_has_every_definition_and_output() {
    let mut client = Client::start();
    let uri = client.open("asked.pd", PROGRAM);
    let symbols = client.request("textDocument/documentSymbol", json!({ "textDocument": { "uri": uri } }));
    let shown: Vec<String> = symbols
        .as_array()
        .unwrap()
        .iter()
        .map(|symbol| format!("{} {}", symbol["name"].as_str().unwrap(), symbol["detail"].as_str().unwrap_or("-")))
        .collect();
    let runs = "runs Rows[{ seed: Seed, top1: Measured[Ratio] }]";
    let twice = "twice twice(x: Float, by: Float = …) -> Float";
    let wanted =
        ["rounds Int", "task Task", "recipe Recipe", twice, "dense State", "pruned State", runs, "shown table"];
    assert_eq!(shown, wanted);
}

#[test]
fn formatting_changes_only_what_must_change() {
    let mut client = Client::start();
    let text = "let a   = 1\nlet b = 2\n\n\n\nlet c=[1,2]\nlet d = 4\n";
    let uri = client.open("format.pd", text);
    let options = json!({ "tabSize": 2, "insertSpaces": true });
    let params = json!({ "textDocument": { "uri": uri }, "options": options });
    let edits = client.request("textDocument/formatting", params.clone());
    let edits = edits.as_array().unwrap();
    assert_eq!(apply(text, edits), "let a = 1\nlet b = 2\n\nlet c = [1, 2]\nlet d = 4\n");
    assert_eq!(edits[0]["range"]["end"]["line"], 6);
    client.change(&uri, None, "let a = 1\n");
    assert_eq!(client.request("textDocument/formatting", params.clone()), json!([]));
    client.change(&uri, None, "let a = (1\n");
    let refused = client.ask("textDocument/formatting", params);
    assert_eq!(refused["error"]["message"], "a file with syntax errors cannot be formatted");
}

#[track_caller]
fn signature(client: &mut Client, marked: &str) -> (String, Value) {
    let (text, position) = cursor(marked);
    let uri = client.open("signature.pd", &text);
    let found = client.request("textDocument/signatureHelp", at(&uri, &position));
    let label = found["signatures"][0]["label"].as_str().unwrap_or_default().to_owned();
    (label, found["activeParameter"].clone())
}

#[test]
fn signatures_follow_the_cursor() {
    let mut client = Client::start();
    let twice = "fn twice(x: Float, by: Float = 2.0) -> Float { x * by }\n";
    let label = "twice(x: Float, by: Float = 2.0) -> Float";
    for (call, active) in [
        ("let a = twice(‖", json!(0)),
        ("let a = twice(1.0, ‖", json!(1)),
        ("let a = twice(1.0, ‖)\nlet b = 2\n", json!(1)),
        ("let a = twice(by: ‖, 2.0)", json!(1)),
        ("let a = twice(by: 3.0, ‖)", json!(0)),
        ("let a = 1.0 |> twice(‖)", json!(1)),
    ] {
        assert_eq!(signature(&mut client, &format!("{twice}{call}")), (label.to_owned(), active), "{call}");
    }
    let (label, active) = signature(&mut client, "let a = sum(map([1], x => max(x, ‖");
    assert!(label.starts_with("max("), "{label}");
    assert_eq!(active, 1);
    assert_eq!(signature(&mut client, "let a = 1‖").0, "");
}
