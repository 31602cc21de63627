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
