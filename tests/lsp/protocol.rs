//! What an editor may do wrong, and how a conversation ends.

use serde_json::json;

use super::client::{Client, at, position};

#[test]
fn it_ends_politely_or_not() {
    let mut client = Client::start();
    client.request("shutdown", json!(null));
    let refused = client.ask("textDocument/hover", json!({}));
    assert_eq!(refused["error"]["code"], -32600);
    client.notify("exit", json!(null));
    assert_eq!(client.leave(), 0);

    let mut client = Client::start();
    client.notify("exit", json!(null));
    assert_eq!(client.leave(), 1);

    assert_eq!(Client::start().leave(), 1);
}

#[test]
fn requests_before_the_introduction_are_refused() {
    let mut client = Client::spawn();
    let refused = client.ask("textDocument/hover", json!({}));
    assert_eq!(refused["error"]["code"], -32002);
    client.notify("textDocument/didOpen", json!({}));
    client.request("initialize", json!({ "capabilities": {} }));
    let again = client.ask("initialize", json!({ "capabilities": {} }));
    assert_eq!(again["error"]["code"], -32600);
}

#[test]
fn what_cannot_be_understood_is_answered_and_survived() {
    let mut client = Client::start();
    client.raw(b"{ this is not JSON");
    let answer = client.wait(|message| message.get("error").is_some());
    assert_eq!((answer["id"].clone(), answer["error"]["code"].clone()), (json!(null), json!(-32700)));
    client.raw(br#"{"jsonrpc":"2.0","id":41}"#);
    let answer = client.wait(|message| message["id"] == 41);
    assert_eq!(answer["error"]["code"], -32600);
    let unknown = client.ask("textDocument/foldingRange", json!({}));
    assert_eq!(unknown["error"]["code"], -32601);
    assert_eq!(unknown["error"]["message"], "there is no method `textDocument/foldingRange`");
    let wrong = client.ask("textDocument/hover", json!({ "position": "here" }));
    assert_eq!(wrong["error"]["code"], -32602);
    client.notify("$/cancelRequest", json!({ "id": 1 }));
    client.notify("textDocument/didChange", json!({ "nothing": true }));
    let closed = client.ask("textDocument/hover", at("file:///nowhere.pd", &position("", 0)));
    assert_eq!(closed["error"]["code"], -32602);
    let uri = client.open("a.pd", "let a = 1\n");
    assert_eq!(client.diagnostics(&uri, <[_]>::is_empty).len(), 0);
}

#[test]
fn columns_are_counted_as_agreed() {
    let text = "/// 😀 é\nlet a = \"😀\"\nlet b = [\"é😀\", nothing]\n";
    for (encoding, column) in [("utf-16", 16), ("utf-8", 19)] {
        let mut client = Client::start_with(encoding);
        let uri = client.open("wide.pd", text);
        let found = client.diagnostics(&uri, |found| !found.is_empty());
        assert_eq!(found[0]["range"]["start"], json!({ "line": 2, "character": column }), "{encoding}");
        assert_eq!(found[0]["range"]["end"], json!({ "line": 2, "character": column + 7 }), "{encoding}");
        // An edit behind such characters lands where it should.
        let range =
            json!({ "start": { "line": 2, "character": column }, "end": { "line": 2, "character": column + 7 } });
        client.change(&uri, Some(range), "\"x\"");
        assert_eq!(client.diagnostics(&uri, <[_]>::is_empty).len(), 0);
        let hover = client.request("textDocument/hover", at(&uri, &json!({ "line": 2, "character": 4 })));
        assert_eq!(hover["contents"]["value"], "```pd\nlet b: List[Str] = [\"é😀\", \"x\"]\n```");
    }
}

/// A program with most of the language in it, and characters of every width.
const EVERYTHING: &str = "//! Ünïcödé 😀.
import std.data.{digits}
import std.models as nets

/// Wie oft 😀.
param rounds: Int = 3 where rounds >= 1
let task = digits()
fn f(x: Float, by: Float = 2.0) -> Float { let y = x * by if y > 1.0 { y } else { -y } }
let xs = [1, 2] |> map(n => f(float(n), by: 0.5))
let r = { name: \"é😀\", at: 6ep, ..{ z: 20% } }
let runs = sweep seed in seeds(2), (a, b) in zip([1, 2], [3, 4]) if a > 0 {
  let s = nets.tiny_resnet(classes: task.classes) |> init(seed)
  for t in [s] { { kind: r.name, n: a + b, sparsity: t.sparsity } }
}
table t = runs |> summary(by: [.kind], over: .seed, show: [mean])
claim c \"😀\" = f(1.0)
test \"é\" { expect f(1.0) == 2.0 and not (1 > 2) }
";

#[test]
fn no_question_stumbles_wherever_it_is_asked() {
    let mut client = Client::start();
    let uri = client.open("everything.pd", EVERYTHING);
    let methods = ["hover", "completion", "signatureHelp", "definition", "references", "prepareRename", "rename"];
    let places = EVERYTHING.char_indices().map(|(at, _)| at).step_by(5);
    for (nth, at_byte) in places.enumerate() {
        // The whole program, the program up to the place, and the program without what is right behind the place.
        let rest = EVERYTHING[at_byte..].char_indices().nth(7).map_or(EVERYTHING.len(), |(more, _)| at_byte + more);
        let text = match nth % 3 {
            0 => EVERYTHING.to_owned(),
            1 => EVERYTHING[..at_byte].to_owned(),
            _ => format!("{}{}", &EVERYTHING[..at_byte], &EVERYTHING[rest..]),
        };
        client.change(&uri, None, &text);
        for method in methods {
            let mut params = at(&uri, &position(&text, at_byte));
            if method == "references" {
                params["context"] = json!({ "includeDeclaration": true });
            }
            params["newName"] = json!("other");
            let answer = client.ask(&format!("textDocument/{method}"), params);
            let code = answer["error"]["code"].as_i64();
            assert!(code.is_none_or(|code| code == -32803), "{method} at {at_byte} of\n{text}\n{answer}");
        }
    }
}
