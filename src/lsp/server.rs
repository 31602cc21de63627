//! The server: open documents, what the editor asks, what it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, select, unbounded};
use lsp_server::{ErrorCode, Message, Notification, Request, Response};
use lsp_types::{
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, PublishDiagnosticsParams, Uri,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::analysis::Analysis;
use super::documents::{Buffers, Open};
use super::facts::{self, Evaluated, Job};
use super::place::{self, Shelf};
use super::text::{Encoding, Text};
use super::transport::{self, Incoming};
use super::{AtHand, diagnostics};
use crate::diag::Diagnostic;
use crate::world::World;

/// Serves until the editor leaves; returns whether it said goodbye.
pub(super) fn run(world: &dyn World, at_hand: &AtHand<'_>) -> bool {
    let (incoming, outgoing, writer) = transport::start();
    let polite = std::thread::scope(|scope| {
        let (jobs, received) = unbounded();
        let (sent, evaluated) = unbounded();
        scope.spawn(move || facts::evaluate_all(&received, &sent, at_hand));
        let mut session = Session::new(world, outgoing, jobs);
        session.serve(&incoming, &evaluated)
    });
    let _ = writer.join();
    polite
}

/// A file that the editor has open.
pub(super) struct Document {
    pub(super) uri: Uri,
    pub(super) path: PathBuf,
    text: Arc<str>,
    version: i32,
    pub(super) analysis: Option<Analysis>,
    /// Counts the analyses.
    generation: u64,
    /// What the last evaluation of this generation found.
    pub(super) evaluated: Vec<Diagnostic>,
    /// Files about which something was said on account of this document.
    told: BTreeSet<String>,
}

/// A conversation with an editor.
pub(super) struct Session<'a> {
    pub(super) world: &'a dyn World,
    outgoing: Sender<Value>,
    jobs: Sender<Job>,
    pub(super) shelf: Shelf,
    pub(super) encoding: Encoding,
    pub(super) initialized: bool,
    shut_down: bool,
    /// Whether the editor wants to be told that hints have changed, and how often it was.
    pub(super) hints: Option<u64>,
    pub(super) documents: BTreeMap<String, Document>,
    /// Documents that have changed since they were checked.
    stale: BTreeSet<String>,
}

/// Why a request has no result.
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

/// The result of a request.
pub(super) type Answer = Result<Value, Refusal>;

impl<'a> Session<'a> {
    fn new(world: &'a dyn World, outgoing: Sender<Value>, jobs: Sender<Job>) -> Self {
        Self {
            world,
            outgoing,
            jobs,
            shelf: Shelf::new(world),
            encoding: Encoding::default(),
            initialized: false,
            shut_down: false,
            hints: None,
            documents: BTreeMap::new(),
            stale: BTreeSet::new(),
        }
    }

    fn serve(&mut self, incoming: &Receiver<Incoming>, evaluated: &Receiver<Evaluated>) -> bool {
        loop {
            // Nothing is checked as long as the next change is here already.
            if incoming.is_empty() {
                self.refresh();
            }
            select! {
                recv(incoming) -> next => match next {
                    Ok(Incoming::Message(Message::Request(request))) => self.request(request),
                    Ok(Incoming::Message(Message::Notification(note))) => {
                        if note.method == "exit" {
                            return self.shut_down;
                        }
                        self.notification(note);
                    }
                    Ok(Incoming::Message(Message::Response(_))) => {}
                    Ok(Incoming::Malformed(answer)) => self.send(answer),
                    Ok(Incoming::End) | Err(_) => return self.shut_down,
                },
                recv(evaluated) -> found => {
                    if let Ok(found) = found {
                        self.take(found);
                    }
                }
            }
        }
    }

    fn send(&self, message: Value) {
        let _ = self.outgoing.send(message);
    }

    fn notify(&self, method: &str, params: impl Serialize) {
        self.send(json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn request(&mut self, request: Request) {
        let id = request.id.clone();
        // A request about a document is about its newest text.
        self.refresh();
        let answer = catch_unwind(AssertUnwindSafe(|| self.answer(request)))
            .unwrap_or_else(|_| refuse(ErrorCode::InternalError, "a bug in pdsl: this request cannot be answered"));
        let response = match answer {
            Ok(result) => Response::new_ok(id, result),
            Err(refusal) => Response::new_err(id, refusal.code as i32, refusal.message),
        };
        let mut message = serde_json::to_value(&response).unwrap_or_default();
        message["jsonrpc"] = "2.0".into();
        self.send(message);
    }

    fn answer(&mut self, request: Request) -> Answer {
        let params = request.params;
        match request.method.as_str() {
            "initialize" if !self.initialized => self.initialize(params),
            "initialize" => refuse(ErrorCode::InvalidRequest, "the server is initialised already"),
            _ if !self.initialized => refuse(ErrorCode::ServerNotInitialized, "`initialize` comes first"),
            _ if self.shut_down => refuse(ErrorCode::InvalidRequest, "the server is shut down"),
            "shutdown" => {
                self.shut_down = true;
                Ok(Value::Null)
            }
            "textDocument/hover" => self.hover(&read(params)?),
            "textDocument/completion" => self.completion(&read(params)?),
            "textDocument/definition" => self.definition(&read(params)?),
            "textDocument/references" => self.references(&read(params)?),
            "textDocument/prepareRename" => self.prepare_rename(&read(params)?),
            "textDocument/rename" => self.rename(&read(params)?),
            "textDocument/documentSymbol" => self.symbols(&read(params)?),
            "textDocument/formatting" => self.formatting(&read(params)?),
            "textDocument/signatureHelp" => self.signature_help(&read(params)?),
            "textDocument/codeAction" => self.code_actions(&read(params)?),
            "textDocument/inlayHint" => self.inlay_hints(&read(params)?),
            method => refuse(ErrorCode::MethodNotFound, &format!("there is no method `{method}`")),
        }
    }

    // Documents -----------------------------------------------------------------------------------------------------

    fn notification(&mut self, note: Notification) {
        if !self.initialized {
            return;
        }
        let known = match note.method.as_str() {
            "textDocument/didOpen" => read(note.params).map(|params| self.open(params)),
            "textDocument/didChange" => read(note.params).map(|params| self.change(params)),
            "textDocument/didClose" => read(note.params).map(|params| self.close(&params)),
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                // A file that is imported may have changed on disk.
                self.stale.extend(self.documents.keys().cloned());
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(refusal) = known {
            self.notify("window/logMessage", json!({ "type": 2, "message": refusal.message }));
        }
    }

    fn open(&mut self, params: DidOpenTextDocumentParams) {
        let item = params.text_document;
        let path = place::path(&item.uri);
        let path = self.world.canonical(&path).unwrap_or(path);
        let key = item.uri.as_str().to_owned();
        self.touch(&path, &key);
        let document = Document {
            uri: item.uri,
            path,
            text: item.text.into(),
            version: item.version,
            analysis: None,
            generation: 0,
            evaluated: Vec::new(),
            told: BTreeSet::new(),
        };
        self.documents.insert(key, document);
    }

    fn change(&mut self, params: DidChangeTextDocumentParams) {
        let key = params.text_document.uri.as_str().to_owned();
        let encoding = self.encoding;
        let Some(document) = self.documents.get_mut(&key) else { return };
        for change in params.content_changes {
            document.text = match change.range {
                None => change.text.into(),
                Some(range) => {
                    let places = Text::new(document.text.clone(), encoding);
                    let (start, end) = (places.offset(range.start), places.offset(range.end));
                    let mut text = document.text.to_string();
                    text.replace_range(start..end.max(start), &change.text);
                    text.into()
                }
            };
        }
        document.version = params.text_document.version;
        let path = document.path.clone();
        self.touch(&path, &key);
    }

    fn close(&mut self, params: &DidCloseTextDocumentParams) {
        let key = params.text_document.uri.as_str().to_owned();
        let Some(document) = self.documents.remove(&key) else { return };
        self.stale.remove(&key);
        for uri in document.told {
            self.fall_silent(&uri);
        }
        self.touch(&document.path, &key);
        self.stale.remove(&key);
    }

    /// Marks a document and those that import it.
    fn touch(&mut self, path: &std::path::Path, key: &str) {
        let importers = self.documents.iter().filter(|(_, document)| {
            let sources = document.analysis.as_ref().map(|analysis| &analysis.linked().sources);
            sources.is_some_and(|sources| sources.find(path).is_some())
        });
        self.stale.extend(importers.map(|(key, _)| key.clone()));
        self.stale.insert(key.to_owned());
    }

    pub(super) fn buffers(&self) -> Open {
        self.documents.values().map(|document| (document.path.clone(), document.text.clone())).collect()
    }

    /// Checks what has changed, says what is wrong with it, and asks for its evaluation.
    fn refresh(&mut self) {
        if self.stale.is_empty() {
            return;
        }
        let open = self.buffers();
        for key in std::mem::take(&mut self.stale) {
            let world = self.world;
            let Some(document) = self.documents.get_mut(&key) else { continue };
            let checked = catch_unwind(AssertUnwindSafe(|| {
                Analysis::of(&Buffers { world, open: &open }, &document.path, document.analysis.as_ref())
            }));
            // The version before may be what it stumbled over.
            let checked = checked.or_else(|_| {
                catch_unwind(AssertUnwindSafe(|| Analysis::of(&Buffers { world, open: &open }, &document.path, None)))
            });
            let Ok(analysis) = checked else { continue };
            document.generation += 1;
            document.evaluated.clear();
            let sound = analysis.typed.is_sound() && analysis.module == analysis.typed.linked.root;
            let (generation, path, typed) = (document.generation, document.path.clone(), analysis.typed.clone());
            document.analysis = Some(analysis);
            if sound {
                let _ = self.jobs.send(Job { document: key.clone(), generation, path, typed });
            }
            self.tell(&key);
        }
    }

    /// Takes the result of an evaluation, unless the text has changed since.
    fn take(&mut self, found: Evaluated) {
        let Some(document) = self.documents.get_mut(&found.document) else { return };
        if document.generation != found.generation {
            return;
        }
        if let (Some(analysis), Some(facts)) = (&mut document.analysis, found.facts) {
            (analysis.facts, analysis.fresh) = (Some(facts), true);
        }
        document.evaluated = found.diagnostics;
        self.tell(&found.document);
        self.notify_hints();
    }

    fn notify_hints(&mut self) {
        if let Some(count) = &mut self.hints {
            *count += 1;
            let id = format!("hints {count}");
            self.send(json!({ "jsonrpc": "2.0", "id": id, "method": "workspace/inlayHint/refresh" }));
        }
    }

    /// Publishes what is known to be wrong with a document and the files that it imports.
    fn tell(&mut self, key: &str) {
        let Some(document) = self.documents.get(key) else { return };
        let Some(analysis) = &document.analysis else { return };
        let mut all = analysis.typed.diagnostics.clone();
        all.extend(document.evaluated.iter().cloned());
        let quiet = self.shelf.holds(&document.path) || analysis.module != analysis.typed.linked.root;
        if quiet {
            all.clear();
        }
        let sources = &analysis.linked().sources;
        let mut files = diagnostics::by_file(&all, sources, &self.shelf, analysis.file(), self.encoding);
        if analysis.module != analysis.typed.linked.root {
            files = vec![(document.uri.clone(), Vec::new())];
        }
        // The editor may call the file otherwise than the file system does.
        if let (Some(own), Some(path)) = (place::uri(&document.path), sources.get(analysis.file()).path.as_ref())
            && *path == document.path
        {
            files.iter_mut().filter(|(uri, _)| *uri == own).for_each(|(uri, _)| *uri = document.uri.clone());
        }
        let version = document.version;
        let mut told = BTreeSet::new();
        for (uri, shown) in files {
            let other = uri != document.uri;
            // An imported file that is open speaks for itself.
            if other && self.documents.values().any(|document| document.uri == uri) {
                continue;
            }
            told.insert(uri.as_str().to_owned());
            self.publish(uri, shown, (!other).then_some(version));
        }
        for uri in document.told.difference(&told) {
            self.fall_silent(uri);
        }
        if let Some(document) = self.documents.get_mut(key) {
            document.told = told;
        }
    }

    /// Takes back what was said of a file that is not open.
    fn fall_silent(&self, uri: &str) {
        if let (false, Ok(address)) = (self.documents.contains_key(uri), uri.parse()) {
            self.publish(address, Vec::new(), None);
        }
    }

    fn publish(&self, uri: Uri, diagnostics: Vec<lsp_types::Diagnostic>, version: Option<i32>) {
        self.notify("textDocument/publishDiagnostics", PublishDiagnosticsParams { uri, diagnostics, version });
    }
}

pub(super) fn read<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(|error| Refusal {
        code: ErrorCode::InvalidParams,
        message: format!("the parameters cannot be read: {error}"),
    })
}

fn refuse(code: ErrorCode, message: &str) -> Answer {
    Err(Refusal { code, message: message.to_owned() })
}
