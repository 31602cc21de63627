//! An editor as small as it can be.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// Longer than this nobody waits.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server and the conversation with it.
pub(crate) struct Client {
    child: Child,
    input: Option<ChildStdin>,
    received: Receiver<Value>,
    next: i64,
    versions: BTreeMap<String, i64>,
    /// What was published last, by address, with the version.
    published: BTreeMap<String, Vec<Value>>,
    pub(crate) home: tempfile::TempDir,
}

impl Client {
    /// Starts a server and introduces itself, counting columns as `encoding` says.
    pub(crate) fn start_with(encoding: &str) -> Self {
        let mut client = Self::spawn();
        let answer = client.request(
            "initialize",
            json!({ "processId": null, "rootUri": null,
                "capabilities": {
                    "general": { "positionEncodings": [encoding] },
                    "workspace": { "inlayHint": { "refreshSupport": true } },
                } }),
        );
        assert_eq!(answer["serverInfo"]["name"], "pdsl");
        assert_eq!(answer["capabilities"]["positionEncoding"], encoding);
        client.notify("initialized", json!({}));
        client
    }

    pub(crate) fn start() -> Self {
        Self::start_with("utf-16")
    }

    /// Starts a server and says nothing.
    pub(crate) fn spawn() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_pdsl"))
            .arg("lsp")
            .current_dir(home.path())
            .env("XDG_CACHE_HOME", home.path().join("cache"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, received) = channel();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take();
        let (versions, published) = (BTreeMap::new(), BTreeMap::new());
        Self { child, input, received, next: 0, versions, published, home }
    }

    /// The address of a file in the client's directory.
    pub(crate) fn uri(&self, name: &str) -> String {
        format!("file://{}", self.path(name).display())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().canonicalize().unwrap().join(name)
    }

    /// Writes a file to the disk.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        write!(input, "Content-Length: {}\r\n\r\n", bytes.len()).unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.raw(json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string().as_bytes());
    }

    /// Sends a request and returns the whole answer.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.raw(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string().as_bytes());
        self.wait(|message| message["id"] == id && message.get("method").is_none())
    }

    /// Sends a request that must succeed and returns its result.
    #[track_caller]
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Waits for a message; what is published meanwhile is remembered.
    pub(crate) fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.received.recv_timeout(PATIENCE).unwrap();
            if message["method"] == "textDocument/publishDiagnostics" {
                let uri = message["params"]["uri"].as_str().unwrap().to_owned();
                self.published.entry(uri).or_default().push(message["params"].clone());
            }
            if wanted(&message) {
                return message;
            }
        }
    }

    pub(crate) fn open(&mut self, name: &str, text: &str) -> String {
        let uri = self.uri(name);
        self.versions.insert(uri.clone(), 1);
        let document = json!({ "uri": uri, "languageId": "pdsl", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
        uri
    }

    /// Replaces a range of an open document, or all of it.
    pub(crate) fn change(&mut self, uri: &str, range: Option<Value>, text: &str) -> i64 {
        let version = self.versions.get_mut(uri).unwrap();
        *version += 1;
        let version = *version;
        let change = match range {
            Some(range) => json!({ "range": range, "text": text }),
            None => json!({ "text": text }),
        };
        let document = json!({ "uri": uri, "version": version });
        self.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
        version
    }

    /// Waits until diagnostics are published that are as wanted, and returns them.
    #[track_caller]
    pub(crate) fn diagnostics(&mut self, uri: &str, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let version = self.versions.get(uri).copied();
        let fits = |params: &Value| {
            let current = params["version"].as_i64().is_none_or(|found| version.is_none_or(|version| found == version));
            current && wanted(params["diagnostics"].as_array().unwrap())
        };
        if let Some(known) = self.published.get(uri).and_then(|list| list.last()).filter(|known| fits(known)) {
            return known["diagnostics"].as_array().unwrap().clone();
        }
        let found = self.wait(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
                && fits(&message["params"])
        });
        found["params"]["diagnostics"].as_array().unwrap().clone()
    }

    /// Opens a text that has a cursor `‖`, and returns its address and the cursor's place.
    pub(crate) fn open_at(&mut self, name: &str, marked: &str) -> (String, Value) {
        let (text, position) = cursor(marked);
        (self.open(name, &text), position)
    }

    /// Asks something about the cursor `‖` in a text.
    #[track_caller]
    pub(crate) fn at_cursor(&mut self, method: &str, marked: &str) -> Value {
        let (uri, position) = self.open_at("asked.pd", marked);
        let mut params = at(&uri, &position);
        params["context"] = json!({ "includeDeclaration": true });
        self.request(method, params)
    }

    /// Waits until evaluation has come to an end: the server says so by asking for hints again.
    pub(crate) fn wait_for_evaluation(&mut self) {
        self.wait(|message| message["method"] == "workspace/inlayHint/refresh");
    }

    /// Closes the input and returns the exit code.
    pub(crate) fn leave(mut self) -> i32 {
        self.input = None;
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim() {
            "" => break,
            header => length = header.strip_prefix("Content-Length: ")?.parse().ok()?,
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// Takes the cursor out of a text; its place counts columns in UTF-16.
pub(crate) fn cursor(marked: &str) -> (String, Value) {
    let at = marked.find('‖').unwrap();
    let text = marked.replacen('‖', "", 1);
    (text.clone(), position(&text, at))
}

/// The place of a byte.
pub(crate) fn position(text: &str, at: usize) -> Value {
    let before = &text[..at];
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap().encode_utf16().count();
    json!({ "line": line, "character": column })
}

/// The range of the first place where something stands.
pub(crate) fn range_of(text: &str, what: &str) -> Value {
    let at = text.find(what).unwrap_or_else(|| panic!("{what} in\n{text}"));
    json!({ "start": position(text, at), "end": position(text, at + what.len()) })
}

pub(crate) fn at(uri: &str, position: &Value) -> Value {
    json!({ "textDocument": { "uri": uri }, "position": position })
}

/// Applies edits to a text.
pub(crate) fn apply(text: &str, edits: &[Value]) -> String {
    let offset = |position: &Value| {
        let line = position["line"].as_u64().unwrap() as usize;
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let mut left = position["character"].as_u64().unwrap() as usize;
        let mut at = start;
        for c in text[start..].chars() {
            if left == 0 {
                break;
            }
            left -= c.len_utf16();
            at += c.len_utf8();
        }
        at
    };
    let mut places: Vec<(usize, usize, &str)> = edits
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (offset(&range["start"]), offset(&range["end"]), edit["newText"].as_str().unwrap())
        })
        .collect();
    places.sort_unstable();
    let mut changed = text.to_owned();
    for (start, end, new) in places.into_iter().rev() {
        changed.replace_range(start..end, new);
    }
    changed
}

/// Reads a file that the server names.
pub(crate) fn read_uri(uri: &Value) -> String {
    std::fs::read_to_string(Path::new(uri.as_str().unwrap().strip_prefix("file://").unwrap())).unwrap()
}
