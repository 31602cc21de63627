//! What could be written at a place.

use serde_json::Value;

use super::client::{Client, apply, at, cursor};

/// Labels that are offered at the cursor, in their order.
fn labels(client: &mut Client, marked: &str) -> Vec<String> {
    items(client, marked).1.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
}

fn items(client: &mut Client, marked: &str) -> (String, Vec<Value>) {
    let (text, position) = cursor(marked);
    let uri = client.open("completed.pd", &text);
    let found = client.request("textDocument/completion", at(&uri, &position));
    (text, found["items"].as_array().unwrap().clone())
}

/// Chooses a suggestion and returns the text after it.
fn choose(client: &mut Client, marked: &str, label: &str) -> String {
    let (text, items) = items(client, marked);
    let item = items.iter().find(|item| item["label"] == label).unwrap_or_else(|| panic!("{label} in {items:#?}"));
    let mut edits = vec![item["textEdit"].clone()];
    edits.extend(item["additionalTextEdits"].as_array().into_iter().flatten().cloned());
    apply(&text, &edits)
}

#[track_caller]
fn offers(client: &mut Client, marked: &str, wanted: &[&str]) {
    let found = labels(client, marked);
    for label in wanted {
        assert!(found.iter().any(|found| found == label), "{label} at {marked}: {found:?}");
    }
}

#[test]
fn names_in_scope_are_offered_and_fitting_ones_come_first() {
    let mut client = Client::start();
    let head = "let count = 3\nlet share = 20%\nfn half(x: Float) -> Float { x / 2.0 }\n";
    offers(&mut client, &format!("{head}let a = ‖\n"), &["count", "share", "half", "train", "sweep", "if"]);
    let found = labels(&mut client, &format!("{head}let a: Ratio = ‖\n"));
    assert_eq!(found[0], "share");
    let place = |name: &str| found.iter().position(|label| label == name).unwrap();
    assert!(place("share") < place("count") && place("share") < place("half"), "{found:?}");
    let found = labels(&mut client, &format!("{head}let a = 1.0 |> ‖\n"));
    assert!(found.iter().position(|l| l == "half") < found.iter().position(|l| l == "share"), "{found:?}");
    assert!(!found.contains(&"sweep".to_owned()), "no keyword follows a pipe");
    // Locals, innermost first, and nothing that is bound only later.
    let inner = "fn f(outer: Int) -> Int {\n  let first = 1\n  let second = ‖\n  let third = 3\n  third\n}\n";
    let found = labels(&mut client, inner);
    for (name, seen) in [("outer", true), ("first", true), ("second", false), ("third", false)] {
        assert_eq!(found.contains(&name.to_owned()), seen, "{name} {found:?}");
    }
    offers(&mut client, "let a = [1] |> map(each => ea‖)\n", &["each"]);
    offers(&mut client, "let runs = sweep seed in seeds(2) {\n  { s: ‖ }\n}\n", &["seed"]);
    offers(&mut client, "test \"t\" {\n  let s = 1\n  expect ‖\n}\n", &["s"]);
    assert_eq!(labels(&mut client, "let ‖a = 1\n"), Vec::<String>::new());
    assert_eq!(labels(&mut client, "// a com‖ment\n"), Vec::<String>::new());
    assert_eq!(labels(&mut client, "let a = \"te‖xt\"\n"), Vec::<String>::new());
}

#[test]
fn declarations_begin_with_their_words() {
    let mut client = Client::start();
    for marked in ["‖", "le‖", "let a = 1\nta‖\n", "let a = 1\n‖\nlet b = 2\n"] {
        let found = labels(&mut client, marked);
        assert_eq!(
            found,
            ["claim", "expect", "fn", "import", "let", "param", "plot", "pub", "table", "test"],
            "{marked}"
        );
    }
    offers(&mut client, "fn f(x: Int) -> Int {\n  ‖\n}\n", &["let", "x", "if"]);
}

#[test]
fn names_of_the_library_bring_their_import() {
    let mut client = Client::start();
    let after = choose(&mut client, "//! Words.\n\nlet t = dig‖\n", "digits");
    assert_eq!(after, "//! Words.\n\nimport std.data.{digits}\n\nlet t = digits\n");
    let after = choose(&mut client, "import std.data.{cifar10}\nlet t = dig‖\n", "digits");
    assert_eq!(after, "import std.data.{cifar10, digits}\nlet t = digits\n");
}

#[test]
fn imports_offer_modules_and_their_names() {
    let mut client = Client::start();
    assert_eq!(labels(&mut client, "import ‖"), ["std"]);
    let modules = ["data", "dissect", "math", "models", "prune", "recipe", "schedule", "stats"];
    offers(&mut client, "import std.‖\n", &modules);
    offers(&mut client, "import std.da‖\nlet a = 1\n", &modules);
    let found = labels(&mut client, "import std.data.{digits, ‖}\n");
    assert!(found.contains(&"mnist".to_owned()) && !found.contains(&"digits".to_owned()), "{found:?}");
    offers(&mut client, "import std.math.{‖\nlet a = 1\n", &["clamp", "pi"]);
    client.write("lib.pd", "pub let shared = 1\nlet own = 2\n");
    let found = labels(&mut client, "import \"lib.pd\".{shared, ‖}\n");
    assert_eq!(found, Vec::<String>::new());
    offers(&mut client, "import std.models as nets\nlet a = nets.‖\n", &["resnet20", "resnet56"]);
}

#[test]
fn arguments_are_offered_by_their_labels() {
    let mut client = Client::start();
    let head = "import std.data.{digits}\nlet task = digits()\n";
    offers(&mut client, "let a = conv(8, ‖)\n", &["kernel:", "stride:", "pad:"]);
    let found = labels(&mut client, "let a = conv(8, kernel: 3, ‖\n");
    assert!(found.contains(&"stride:".to_owned()) && !found.contains(&"kernel:".to_owned()), "{found:?}");
    let found = labels(&mut client, &format!("{head}fn f(s: State) -> State {{\n  s |> train(‖\n}}\n"));
    assert!(found.contains(&"until:".to_owned()) && !found.contains(&"s:".to_owned()), "{found:?}");
    assert_eq!(choose(&mut client, "let a = conv(8, ker‖)\n", "kernel:"), "let a = conv(8, kernel: )\n");
    offers(&mut client, "let runs = sweep n in 0..3 { { a: n } }\nlet one = runs.at(‖)\n", &["n:", "a:"]);
    offers(&mut client, "import std.dissect.{lite2018}\nlet a = { ..lite2018, ‖ }\n", &["quantile:", "iou:"]);
}

#[test]
fn fields_and_columns_follow_a_dot() {
    let mut client = Client::start();
    let head = "import std.data.{digits}\nlet task = digits()\nlet runs = sweep seed in seeds(2), n in 0..3 { { value: float(n) } }\n";
    offers(&mut client, &format!("{head}let a = task.‖\n"), &["classes", "test", "train_images"]);
    offers(&mut client, &format!("{head}let a = task.cl‖\nlet b = 1\n"), &["classes"]);
    offers(&mut client, "let r = { first: 1, second: 20% }\nlet a = r.‖\n", &["first", "second"]);
    offers(&mut client, &format!("{head}let a = runs.‖\n"), &["seed", "n", "value", "at"]);
    offers(
        &mut client,
        &format!("{head}table t = runs |> summary(by: [.‖], over: .seed, show: [mean])\n"),
        &["n", "value"],
    );
    offers(&mut client, &format!("{head}table t = runs |> summary(by: [.n], over: .‖\n"), &["seed"]);
    offers(&mut client, &format!("{head}let a = runs |> map(.‖)\n"), &["value"]);
    offers(&mut client, "fn f(s: State) -> Ratio {\n  s.‖\n}\n", &["sparsity", "round", "at"]);
    offers(&mut client, "let c = criterion(p => abs(p.‖))\n", &["weight", "initial", "grad"]);
    offers(&mut client, "let runs = sweep seed in seeds(2) {\n  seed.‖\n}\n", &["order", "init"]);
}

#[test]
fn units_follow_a_number_as_its_type_allows() {
    let mut client = Client::start();
    assert_eq!(labels(&mut client, "param r: Ratio = 20‖\n"), ["20%"]);
    assert_eq!(labels(&mut client, "param r: Step = 20‖\n"), ["20ep", "20img", "20it"]);
    assert_eq!(labels(&mut client, "fn f(by: Points) -> Points { by }\nlet a = f(by: 1.5‖)\n"), ["1.5pp"]);
    assert_eq!(labels(&mut client, "let a = 20‖\n").len(), 12);
    assert_eq!(labels(&mut client, "param r: Step = 20e‖\n"), ["20ep", "20img", "20it"]);
    assert_eq!(choose(&mut client, "param r: Step = 20e‖\n", "20ep"), "param r: Step = 20ep\n");
    assert_eq!(labels(&mut client, "param n: Int = 20‖\n"), Vec::<String>::new());
}

#[test]
fn types_are_offered_where_a_type_is_written() {
    let mut client = Client::start();
    offers(&mut client, "param rate: ‖\n", &["Ratio", "Step", "List"]);
    offers(&mut client, "fn f(s: St‖) -> State { s }\n", &["State", "Step"]);
    offers(&mut client, "fn f(s: State) -> ‖\n", &["State"]);
}

#[test]
fn layers_are_offered_where_one_is_named() {
    let mut client = Client::start();
    let head = "import std.data.{digits, shapes_probe}\nimport std.dissect.{netdissect}\nimport std.models.{tiny_resnet}\n\
                import std.prune.{global_magnitude}\nlet probe = shapes_probe()\n\
                let dense = tiny_resnet(classes: 10) |> init(first(seeds(1)))\n";
    let uri = client.open("completed.pd", head);
    client.wait_for_evaluation();
    for (call, wanted) in [
        ("let d = netdissect(dense, layer: \"‖\", data: probe)\n", "layer3"),
        ("let d = netdissect(dense, layer: \"lay‖", "layer1.0.conv1"),
        ("let d = dense |> netdissect(layer: \"layer1.‖\", data: probe)\n", "layer1.0.conv1"),
        ("let p = global_magnitude(20%, keep: [\"‖\"])\n", "fc.weight"),
    ] {
        let (text, position) = cursor(&format!("{head}{call}"));
        client.change(&uri, None, &text);
        let found = client.request("textDocument/completion", at(&uri, &position));
        let items = found["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["label"] == wanted);
        let item = item.unwrap_or_else(|| panic!("{wanted} at {call}: {found}"));
        let after = apply(&text, &[item["textEdit"].clone()]);
        assert!(after.contains(&format!("\"{wanted}")), "{after}");
    }
}
