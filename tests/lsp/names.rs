//! Definitions, references, renaming.

use serde_json::{Value, json};

use super::client::{Client, apply, at, cursor, range_of, read_uri};

#[test]
fn definitions_are_found_wherever_they_are() {
    let mut client = Client::start();
    client.write("lib.pd", "/// Shared.\npub let shared = 1.5\npub fn half(x: Float) -> Float { x / 2.0 }\n");
    let head = "import \"lib.pd\".{half, shared}\nimport \"lib.pd\" as lib\n";
    let lib = client.uri("lib.pd");
    let lib_text = std::fs::read_to_string(client.path("lib.pd")).unwrap();
    for (marked, file, target) in [
        ("let a = 1\nlet b = ‖a\n", None, "a"),
        ("let b = { let inner = 2 inn‖er }\n", None, "inner"),
        ("let b = [1] |> map(each => eac‖h)\n", None, "each"),
        ("fn f(x: Int) -> Int { ‖x }\n", None, "x"),
        ("let b = sha‖red\n", Some(&lib), "shared"),
        ("let b = lib.sha‖red\n", Some(&lib), "shared"),
        ("let b = half(‖x: 1.0)\n", Some(&lib), "x"),
        ("let b = half‖(1.0)\n", Some(&lib), "half"),
    ] {
        let (text, position) = cursor(&format!("{head}{marked}"));
        let uri = client.open("asked.pd", &text);
        let found = client.request("textDocument/definition", at(&uri, &position));
        let (wanted, range) = match file {
            None => (&uri, range_of(&text[head.len()..], target)["start"].clone()),
            Some(file) => (file, range_of(&lib_text, target)["start"].clone()),
        };
        assert_eq!(found["uri"], wanted.as_str(), "{marked}");
        let lines = if file.is_none() { 2 } else { 0 };
        assert_eq!(
            found["range"]["start"]["line"].as_u64().unwrap() - lines,
            range["line"].as_u64().unwrap(),
            "{marked}"
        );
        assert_eq!(found["range"]["start"]["character"], range["character"], "{marked}");
    }
    // In the name of the file itself.
    let found = client.at_cursor("textDocument/definition", "import \"li‖b.pd\" as lib\nlet a = lib.shared\n");
    assert_eq!((found["uri"].as_str().unwrap(), found["range"]["start"]["line"].clone()), (lib.as_str(), json!(0)));
}

/// The line that a definition leads to.
fn line(found: &Value) -> String {
    let text = read_uri(&found["uri"]);
    text.lines().nth(found["range"]["start"]["line"].as_u64().unwrap() as usize).unwrap().to_owned()
}

#[test]
fn the_library_can_be_read() {
    let mut client = Client::start();
    let found = client.at_cursor("textDocument/definition", "import std.prune.{imp}\nlet f = im‖p\n");
    assert!(line(&found).starts_with("pub fn imp("), "{found}");
    assert!(found["uri"].as_str().unwrap().ends_with("/std/prune.pd"), "{found}");
    let path = found["uri"].as_str().unwrap().strip_prefix("file://").unwrap();
    assert!(std::fs::metadata(path).unwrap().permissions().readonly());
    let found = client.at_cursor("textDocument/definition", "let f = trai‖n\n");
    assert!(line(&found).starts_with("fn train(s: State"), "{found}");
    assert!(read_uri(&found["uri"]).starts_with("/// Trains from the step"), "{found}");
    let found = client.at_cursor("textDocument/definition", "let f = s |> prune(b‖y: 1)\n");
    assert!(line(&found).contains("by: Pruner"), "{found}");
    let found = client.at_cursor("textDocument/definition", "import std.pru‖ne as p\nlet f = p.imp\n");
    assert_eq!(found["range"]["start"], json!({ "line": 0, "character": 0 }));

    // Whoever reads it can go on reading: no messages, hover, definitions.
    let text = read_uri(&json!(found["uri"]));
    let uri = found["uri"].as_str().unwrap().to_owned();
    let document = json!({ "uri": uri, "languageId": "pdsl", "version": 1, "text": text });
    client.notify("textDocument/didOpen", json!({ "textDocument": document }));
    let place = range_of(&text, "filter_pruner(magnitude")["start"].clone();
    let hover = client.request("textDocument/hover", at(&uri, &place));
    assert!(hover["contents"]["value"].as_str().unwrap().contains("fn filter_pruner("), "{hover}");
    assert!(client.diagnostics(&uri, |_| true).is_empty());
}

#[test]
fn references_are_found_in_all_files_of_the_program() {
    let mut client = Client::start();
    let lib = "pub let shared = 1.5\npub let more = shared * 2.0\n";
    client.write("lib.pd", lib);
    let (text, position) =
        cursor("import \"lib.pd\".{sha‖red}\nlet a = shared + shared\nlet b = { let shared = 2 shared }\n");
    let uri = client.open("root.pd", &text);
    let mut params = at(&uri, &position);
    params["context"] = json!({ "includeDeclaration": true });
    let found = client.request("textDocument/references", params.clone());
    let places: Vec<(String, u64, u64)> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|place| {
            let name = place["uri"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let start = &place["range"]["start"];
            (name, start["line"].as_u64().unwrap(), start["character"].as_u64().unwrap())
        })
        .collect();
    let root = |line, character| ("root.pd".to_owned(), line, character);
    let in_lib = |line, character| ("lib.pd".to_owned(), line, character);
    let mut places = places;
    places.sort();
    let mut wanted = vec![root(0, 17), root(1, 8), root(1, 17), in_lib(0, 8), in_lib(1, 15)];
    wanted.sort();
    assert_eq!(places, wanted);
    params["context"] = json!({ "includeDeclaration": false });
    assert_eq!(client.request("textDocument/references", params).as_array().unwrap().len(), 4);
}

/// Renames the name at the cursor; the texts after it by file, or why not.
fn rename(client: &mut Client, marked: &str, to: &str) -> Result<Vec<(String, String)>, String> {
    let (text, position) = cursor(marked);
    let uri = client.open("root.pd", &text);
    let mut params = at(&uri, &position);
    params["newName"] = json!(to);
    let answer = client.ask("textDocument/rename", params);
    if let Some(error) = answer.get("error") {
        return Err(error["message"].as_str().unwrap().to_owned());
    }
    let changes = answer["result"]["changes"].as_object().unwrap();
    let changed = |(file, edits): (&String, &Value)| {
        let old = if *file == uri { text.clone() } else { read_uri(&json!(file)) };
        (file.rsplit('/').next().unwrap().to_owned(), apply(&old, edits.as_array().unwrap()))
    };
    Ok(changes.iter().map(changed).collect())
}

#[test]
fn a_name_is_renamed_everywhere_at_once() {
    let mut client = Client::start();
    client.write("lib.pd", "pub let shared = 1.5\npub let more = shared * 2.0\n");
    let found = rename(&mut client, "import \"lib.pd\".{shared}\nlet a = sh‖ared + 1\n", "common").unwrap();
    let lib = ("lib.pd".to_owned(), "pub let common = 1.5\npub let more = common * 2.0\n".to_owned());
    let root = ("root.pd".to_owned(), "import \"lib.pd\".{common}\nlet a = common + 1\n".to_owned());
    assert_eq!(found, [lib, root]);
    for (marked, to, right) in [
        ("let ‖a = 1\nlet b = a + { let a = 2 a }\n", "first", "let first = 1\nlet b = first + { let a = 2 a }\n"),
        (
            "fn f(x: Float, b‖y: Float = 1.0) -> Float { x * by }\nlet a = f(1.0, by: 2.0)\n",
            "times",
            "fn f(x: Float, times: Float = 1.0) -> Float { x * times }\nlet a = f(1.0, times: 2.0)\n",
        ),
        (
            "fn f(x: Float, by: Float = 1.0) -> Float { x * by }\nlet a = f(1.0, b‖y: 2.0)\n",
            "times",
            "fn f(x: Float, times: Float = 1.0) -> Float { x * times }\nlet a = f(1.0, times: 2.0)\n",
        ),
        // The columns of a sweep are called like its axes.
        (
            "let runs = sweep n in 0..3, k‖ind in [1, 2] { { value: float(n * kind) } }\n\
             let one = runs.at(kind: 1)\ntable t = one |> summary(by: [.kind], over: .n, show: [mean])\n",
            "sort",
            "let runs = sweep n in 0..3, sort in [1, 2] { { value: float(n * sort) } }\n\
             let one = runs.at(sort: 1)\ntable t = one |> summary(by: [.sort], over: .n, show: [mean])\n",
        ),
    ] {
        let found = rename(&mut client, marked, to).unwrap();
        assert_eq!(found, [("root.pd".to_owned(), right.to_owned())]);
    }
}

#[test]
fn a_rename_that_would_change_the_meaning_is_refused() {
    let mut client = Client::start();
    for (marked, to, reason) in [
        ("let ‖a = 1\nlet b = 2\n", "b", "`b` is defined twice"),
        ("let ‖a = 1\nlet f = [2] |> map(x => a + x)\n", "x", "`x` already means something where `a` is used"),
        ("let b = 1\nlet f = [2] |> map(‖x => b + x)\n", "b", "`b` already means something where `x` is used"),
        ("let ‖a = 1\n", "let", "`let` is a word of the language"),
        ("let ‖a = 1\n", "two words", "`two words` is not a name"),
        ("let b = tra‖in\n", "learn", "`train` belongs to the standard library"),
        ("import std.prune.{im‖p}\nlet b = imp\n", "lottery", "`imp` belongs to the standard library"),
        ("let a = 1 ‖\n", "b", "there is no name here"),
    ] {
        let found = rename(&mut client, marked, to).unwrap_err();
        assert!(found.contains(reason), "{marked} {found}");
    }
    let (text, position) = cursor("let fi‖rst = 1\n");
    let uri = client.open("root.pd", &text);
    let found = client.request("textDocument/prepareRename", at(&uri, &position));
    assert_eq!(found, json!({ "range": range_of(&text, "first"), "placeholder": "first" }));
}
