//! What is wrong, while it is being typed.

use serde_json::{Value, json};

use super::client::{Client, apply, range_of};

fn codes(found: &[Value]) -> Vec<&str> {
    found.iter().map(|diagnostic| diagnostic["code"].as_str().unwrap()).collect()
}

#[test]
fn every_broken_declaration_is_reported_by_itself() {
    let mut client = Client::start();
    let text = "let a = (1 + 2\nlet b: Int = \"text\"\nlet c = b + unknown_name\nparam rate Ratio = 20%\n";
    let uri = client.open("broken.pd", text);
    let found = client.diagnostics(&uri, |found| !found.is_empty());
    assert_eq!(codes(&found), ["PD0002", "PD0201", "PD0104", "PD0001"]);
    assert_eq!(found[0]["message"], "`(` is never closed\nhelp: add `)`");
    assert_eq!(found[0]["range"], range_of(text, "("));
    let related = &found[0]["relatedInformation"][0];
    assert_eq!(related["location"]["uri"], uri.as_str());
    assert_eq!(related["location"]["range"]["start"]["line"], 1);
    assert_eq!(related["message"], "`)` is missing before this");
    assert_eq!(found[1]["severity"], 1);
    assert_eq!(found[1]["source"], "pdsl");
    assert_eq!(found[1]["range"], range_of(text, "\"text\""));
    assert_eq!(found[1].get("relatedInformation"), None);

    // One declaration after the other is mended.
    client.change(
        &uri,
        Some(json!({ "start": { "line": 0, "character": 14 }, "end": { "line": 0, "character": 14 } })),
        ")",
    );
    let found = client.diagnostics(&uri, |found| found.len() == 3);
    assert_eq!(codes(&found), ["PD0201", "PD0104", "PD0001"]);
    client.change(&uri, None, "let a = 1\n");
    assert!(client.diagnostics(&uri, <[_]>::is_empty).is_empty());
}

#[test]
fn evaluation_follows_when_types_are_right() {
    let mut client = Client::start();
    let text = "let xs = [1, 2]\nlet y = xs[5]\ntest \"halves\" {\n  expect 0.5 * 1.0 == 0.4\n}\n";
    let uri = client.open("evaluated.pd", text);
    let found = client.diagnostics(&uri, |found| !found.is_empty());
    assert_eq!(found[0]["message"], "there is no element 5 in a list of 2\nhelp: elements count from 0");
    assert_eq!(found[0]["range"], range_of(text, "5"));
    let text = text.replace("[5]", "[1]");
    client.change(&uri, None, &text);
    let found = client.diagnostics(&uri, |found| codes(found) == ["PD0713"]);
    assert_eq!(found[0]["message"], "the test \"halves\" does not hold");
    assert_eq!(found[0]["range"], range_of(&text, "0.5 * 1.0 == 0.4"));
}

#[test]
fn imported_files_are_read_from_the_editor() {
    let mut client = Client::start();
    client.write("lib.pd", "pub let rate = 20%\n");
    let root = client.open("root.pd", "import \"lib.pd\".{rate}\nlet left: Ratio = rate\n");
    assert!(client.diagnostics(&root, <[_]>::is_empty).is_empty());
    // Another type in the buffer than on disk.
    let lib = client.open("lib.pd", "pub let rate = 20%\n");
    client.diagnostics(&lib, <[_]>::is_empty);
    client.change(&lib, None, "pub let rate = 5\n");
    let found = client.diagnostics(&root, |found| !found.is_empty());
    assert_eq!(codes(&found), ["PD0202"]);
    client.change(&lib, None, "pub let rate = 50%\n");
    assert!(client.diagnostics(&root, <[_]>::is_empty).is_empty());
    // Without the buffer the disk counts again.
    client.change(&lib, None, "pub let rate = 5\n");
    client.diagnostics(&root, |found| !found.is_empty());
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": lib } }));
    assert!(client.diagnostics(&root, <[_]>::is_empty).is_empty());
}

#[test]
fn mistakes_in_files_that_are_not_open_are_shown_there() {
    let mut client = Client::start();
    client.write("lib.pd", "pub let rate: Int = \"text\"\n");
    let root = client.open("root.pd", "import \"lib.pd\".{rate}\nlet left = rate\n");
    let lib = client.uri("lib.pd");
    let found = client.diagnostics(&lib, |found| !found.is_empty());
    assert_eq!(codes(&found), ["PD0201"]);
    client.change(&root, None, "let left = 1\n");
    assert!(client.diagnostics(&lib, <[_]>::is_empty).is_empty());
}

/// Every fix that is offered for a text, by title, with the text after it.
fn fixes(client: &mut Client, text: &str) -> Vec<(String, String)> {
    let uri = client.open("fixed.pd", text);
    let end = json!({ "line": 1000, "character": 0 });
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": end });
    let params = json!({ "textDocument": { "uri": uri }, "range": range, "context": { "diagnostics": [] } });
    let actions = client.request("textDocument/codeAction", params);
    let actions = actions.as_array().unwrap().iter();
    actions
        .map(|action| {
            assert_eq!(action["kind"], "quickfix");
            assert!(action["diagnostics"][0]["code"].as_str().unwrap().starts_with("PD"));
            let edits = action["edit"]["changes"][&uri].as_array().unwrap();
            (action["title"].as_str().unwrap().to_owned(), apply(text, edits))
        })
        .collect()
}

#[test]
fn advice_can_be_followed_with_one_key() {
    let mut client = Client::start();
    for (wrong, title, right) in [
        ("let a: Ratio = 0.2\n", "Write `20%`", "let a: Ratio = 20%\n"),
        ("let a = 1 < 2 && 2 < 3\n", "Write `and`", "let a = 1 < 2 and 2 < 3\n"),
        ("let until = 160epochs\n", "Write `160ep`", "let until = 160ep\n"),
        ("let rate = 1\nlet b = raet\n", "Write `rate`", "let rate = 1\nlet b = rate\n"),
        ("let a = 'text'\n", "Write `\"text\"`", "let a = \"text\"\n"),
        ("let a = True\n", "Write `true`", "let a = true\n"),
        ("let a = 1;\n", "Remove the ;", "let a = 1\n"),
        ("rounds = 10\n", "Write `let rounds`", "let rounds = 10\n"),
        ("param n: Integer = 3\n", "Write `Int`", "param n: Int = 3\n"),
        ("let a = [1 2]\n", "Add `,`", "let a = [1, 2]\n"),
        ("param rounds Int = 10\n", "Add `:`", "param rounds: Int = 10\n"),
        ("let a = conv(8, 3)\n", "Write `kernel: 3`", "let a = conv(8, kernel: 3)\n"),
        ("let a = conv(8, kernle: 3)\n", "Write `kernel`", "let a = conv(8, kernel: 3)\n"),
        ("let n = 3\nlet x: Float = n\n", "Write `float(n)`", "let n = 3\nlet x: Float = float(n)\n"),
        ("import std.pruen.{imp}\n", "Write `std.prune`", "import std.prune.{imp}\n"),
        ("let t = digits()\n", "Add import std.data.{digits}", "import std.data.{digits}\n\nlet t = digits()\n"),
        (
            "import std.data.{cifar10}\n\nlet t = digits()\n",
            "Add import std.data.{digits}",
            "import std.data.{cifar10, digits}\n\nlet t = digits()\n",
        ),
        ("fn f(y = 20%) -> Ratio { y }\n", "Write `y: Ratio`", "fn f(y: Ratio = 20%) -> Ratio { y }\n"),
        (
            "let a = if true { 1 } elif false { 2 } else { 3 }\n",
            "Write `else if`",
            "let a = if true { 1 } else if false { 2 } else { 3 }\n",
        ),
    ] {
        let found = fixes(&mut client, wrong);
        assert!(found.contains(&(title.to_owned(), right.to_owned())), "{wrong}\n{found:#?}");
    }
}

#[test]
fn where_the_author_has_to_choose_all_ways_are_offered() {
    let mut client = Client::start();
    let text = "fn f(n: Step) -> Step { n }\nlet a = f(5)\n";
    let found = fixes(&mut client, text);
    let titles: Vec<&str> = found.iter().map(|(title, _)| title.as_str()).collect();
    assert_eq!(titles, ["Write `5ep`", "Write `5it`"]);
}
