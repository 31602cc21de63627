//! The server: open documents, what the editor asks, what it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, select, unbounded};
use lsp_server::{ErrorCode, Message, Notification, Request, Response};
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionProviderCapability, CompletionItem,
    CompletionItemKind, CompletionList, CompletionOptions, CompletionParams, CompletionTextEdit,
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, DocumentFormattingParams,
    DocumentSymbolParams, Documentation, GotoDefinitionParams, Hover, HoverContents, HoverParams, InitializeParams,
    InlayHintParams, Location, MarkupContent, MarkupKind, OneOf, PositionEncodingKind, PrepareRenameResponse,
    PublishDiagnosticsParams, ReferenceParams, RenameOptions, RenameParams, ServerCapabilities, SignatureHelpOptions,
    SignatureHelpParams, TextDocumentPositionParams, TextDocumentSyncCapability, TextDocumentSyncKind, TextEdit, Uri,
    WorkDoneProgressOptions, WorkspaceEdit,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::analysis::Analysis;
use super::complete::{self, Kind, Suggestion};
use super::documents::{Buffers, Open};
use super::facts::{self, Evaluated, Job};
use super::place::{self, Shelf};
use super::text::{Encoding, Text};
use super::transport::{self, Incoming};
use super::{AtHand, actions, diagnostics, hints, hover, names, outline, rename, signature};
use crate::diag::Diagnostic;
use crate::source::Span;
use crate::syntax;
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
struct Document {
    uri: Uri,
    path: PathBuf,
    text: Arc<str>,
    version: i32,
    analysis: Option<Analysis>,
    /// Counts the analyses.
    generation: u64,
    /// What the last evaluation of this generation found.
    evaluated: Vec<Diagnostic>,
    /// Files about which something was said on account of this document.
    told: BTreeSet<String>,
}

/// A conversation with an editor.
struct Session<'a> {
    world: &'a dyn World,
    outgoing: Sender<Value>,
    jobs: Sender<Job>,
    shelf: Shelf,
    encoding: Encoding,
    initialized: bool,
    shut_down: bool,
    /// Whether the editor wants to be told that hints have changed, and how often it was.
    hints: Option<u64>,
    documents: BTreeMap<String, Document>,
    /// Documents that have changed since they were checked.
    stale: BTreeSet<String>,
}

/// Why a request has no result.
struct Refusal {
    code: ErrorCode,
    message: String,
}

type Answer = Result<Value, Refusal>;

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

    fn initialize(&mut self, params: Value) -> Answer {
        let params: InitializeParams = read(params)?;
        let offered = params.capabilities.general.and_then(|general| general.position_encodings).unwrap_or_default();
        let utf8 = offered.contains(&PositionEncodingKind::UTF8);
        self.encoding = if utf8 { Encoding::Utf8 } else { Encoding::Utf16 };
        self.initialized = true;
        let hints = params.capabilities.workspace.and_then(|workspace| workspace.inlay_hint);
        self.hints = hints.and_then(|hints| hints.refresh_support).filter(|supported| *supported).map(|_| 0);
        let capabilities = ServerCapabilities {
            position_encoding: Some(if utf8 { PositionEncodingKind::UTF8 } else { PositionEncodingKind::UTF16 }),
            text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::INCREMENTAL)),
            hover_provider: Some(true.into()),
            completion_provider: Some(CompletionOptions {
                trigger_characters: Some([".", "{", "(", ":", "\"", ","].map(str::to_owned).to_vec()),
                ..CompletionOptions::default()
            }),
            signature_help_provider: Some(SignatureHelpOptions {
                trigger_characters: Some(vec!["(".to_owned(), ",".to_owned()]),
                ..SignatureHelpOptions::default()
            }),
            definition_provider: Some(OneOf::Left(true)),
            references_provider: Some(OneOf::Left(true)),
            document_symbol_provider: Some(OneOf::Left(true)),
            document_formatting_provider: Some(OneOf::Left(true)),
            rename_provider: Some(OneOf::Right(RenameOptions {
                prepare_provider: Some(true),
                work_done_progress_options: WorkDoneProgressOptions::default(),
            })),
            code_action_provider: Some(CodeActionProviderCapability::Simple(true)),
            inlay_hint_provider: Some(OneOf::Left(true)),
            ..ServerCapabilities::default()
        };
        Ok(json!({
            "capabilities": capabilities,
            "serverInfo": { "name": "pdsl", "version": env!("CARGO_PKG_VERSION") },
        }))
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

    fn buffers(&self) -> Open {
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

    // Requests ------------------------------------------------------------------------------------------------------

    fn document(&self, uri: &Uri) -> Result<(&Document, &Analysis), Refusal> {
        let document = self.documents.get(uri.as_str());
        let found = document.and_then(|document| document.analysis.as_ref().map(|analysis| (document, analysis)));
        found.ok_or_else(|| Refusal {
            code: ErrorCode::InvalidParams,
            message: format!("`{}` is not open", uri.as_str()),
        })
    }

    /// A document, its text and the byte that a position means.
    fn place(&self, at: &TextDocumentPositionParams) -> Result<(&Document, &Analysis, Text, usize), Refusal> {
        let (document, analysis) = self.document(&at.text_document.uri)?;
        let text = Text::new(analysis.text().clone(), self.encoding);
        let offset = text.offset(at.position);
        Ok((document, analysis, text, offset))
    }

    fn location(&self, analysis: &Analysis, span: Span) -> Option<Location> {
        place::location(&analysis.linked().sources, &self.shelf, span, self.encoding)
    }

    fn hover(&self, params: &HoverParams) -> Answer {
        let (_, analysis, text, offset) = self.place(&params.text_document_position_params)?;
        let found = hover::hover(analysis, offset).map(|(words, span)| Hover {
            contents: HoverContents::Markup(markdown(words)),
            range: Some(text.range(span)),
        });
        result(found)
    }

    fn completion(&self, params: &CompletionParams) -> Answer {
        let (_, analysis, text, offset) = self.place(&params.text_document_position)?;
        let found = complete::suggestions(analysis, offset);
        let items = found.into_iter().enumerate().map(|(at, suggestion)| completion_item(suggestion, at, &text));
        result(CompletionList { is_incomplete: false, items: items.collect() })
    }

    fn definition(&self, params: &GotoDefinitionParams) -> Answer {
        let (_, analysis, _, offset) = self.place(&params.text_document_position_params)?;
        result(names::definition(analysis, offset).and_then(|span| self.location(analysis, span)))
    }

    fn references(&self, params: &ReferenceParams) -> Answer {
        let (_, analysis, _, offset) = self.place(&params.text_document_position)?;
        let found = names::everywhere(analysis, offset).map(|(home, mut uses)| {
            if params.context.include_declaration {
                uses.push(home);
            } else {
                uses.retain(|span| *span != home);
            }
            uses.sort();
            uses.dedup();
            uses.into_iter().filter_map(|span| self.location(analysis, span)).collect::<Vec<_>>()
        });
        result(found)
    }

    fn prepare_rename(&self, params: &TextDocumentPositionParams) -> Answer {
        let (_, analysis, text, offset) = self.place(params)?;
        let span = rename::prepare(analysis, offset).map_err(failed)?;
        let placeholder = analysis.slice(span).to_owned();
        result(PrepareRenameResponse::RangeWithPlaceholder { range: text.range(span), placeholder })
    }

    fn rename(&self, params: &RenameParams) -> Answer {
        let (document, analysis, _, offset) = self.place(&params.text_document_position)?;
        let open = self.buffers();
        let places = rename::rename(analysis, self.world, &open, &document.path, offset, params.new_name.trim());
        let mut changes: BTreeMap<String, (Uri, Vec<TextEdit>)> = BTreeMap::new();
        for span in places.map_err(failed)? {
            if let Some(found) = self.location(analysis, span) {
                let edit = TextEdit::new(found.range, params.new_name.trim().to_owned());
                let uri = if span.file == analysis.file() { document.uri.clone() } else { found.uri };
                changes.entry(uri.as_str().to_owned()).or_insert_with(|| (uri, Vec::new())).1.push(edit);
            }
        }
        result(edits(changes.into_values()))
    }

    fn symbols(&self, params: &DocumentSymbolParams) -> Answer {
        let (_, analysis) = self.document(&params.text_document.uri)?;
        let text = Text::new(analysis.text().clone(), self.encoding);
        result(outline::symbols(analysis, &text))
    }

    fn formatting(&self, params: &DocumentFormattingParams) -> Answer {
        let (_, analysis) = self.document(&params.text_document.uri)?;
        let (tree, errors) = syntax::parse(analysis.file(), analysis.text());
        if !errors.is_empty() {
            return Err(failed("a file with syntax errors cannot be formatted".to_owned()));
        }
        let formatted = syntax::print(&tree, analysis.text());
        if formatted == **analysis.text() {
            return Ok(json!([]));
        }
        let text = Text::new(analysis.text().clone(), self.encoding);
        result(vec![changed_part(analysis, &formatted, &text)])
    }

    fn signature_help(&self, params: &SignatureHelpParams) -> Answer {
        let (_, analysis, _, offset) = self.place(&params.text_document_position_params)?;
        result(signature::help(analysis, offset))
    }

    fn code_actions(&self, params: &CodeActionParams) -> Answer {
        let (document, analysis) = self.document(&params.text_document.uri)?;
        let text = Text::new(analysis.text().clone(), self.encoding);
        let asked = text.span(analysis.file(), params.range);
        let mut all = analysis.typed.diagnostics.clone();
        all.extend(document.evaluated.iter().cloned());
        let wanted = |kind: &CodeActionKind| {
            let only = params.context.only.as_ref();
            only.is_none_or(|only| only.iter().any(|o| kind.as_str().starts_with(o.as_str())))
        };
        if !wanted(&CodeActionKind::QUICKFIX) {
            return Ok(json!([]));
        }
        let sources = &analysis.linked().sources;
        let found = actions::actions(&all, asked).into_iter().filter(|action| action.fix.span.file == analysis.file());
        let found = found.map(|action| {
            let edit = TextEdit::new(text.range(action.fix.span), action.fix.text.clone());
            let range = text.range(action.diagnostic.labels.first().map_or(asked, |label| label.span));
            CodeActionOrCommand::CodeAction(CodeAction {
                title: action.title,
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(vec![diagnostics::shown(
                    action.diagnostic,
                    range,
                    sources,
                    &self.shelf,
                    self.encoding,
                )]),
                edit: Some(edits([(document.uri.clone(), vec![edit])])),
                is_preferred: Some(action.preferred),
                ..CodeAction::default()
            })
        });
        result(found.collect::<Vec<_>>())
    }

    fn inlay_hints(&self, params: &InlayHintParams) -> Answer {
        let (_, analysis) = self.document(&params.text_document.uri)?;
        let text = Text::new(analysis.text().clone(), self.encoding);
        result(hints::hints(analysis, &text, text.span(analysis.file(), params.range)))
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(|error| Refusal {
        code: ErrorCode::InvalidParams,
        message: format!("the parameters cannot be read: {error}"),
    })
}

fn result(value: impl Serialize) -> Answer {
    serde_json::to_value(value).map_err(|error| Refusal { code: ErrorCode::InternalError, message: error.to_string() })
}

fn refuse(code: ErrorCode, message: &str) -> Answer {
    Err(Refusal { code, message: message.to_owned() })
}

fn failed(message: String) -> Refusal {
    Refusal { code: ErrorCode::RequestFailed, message }
}

fn markdown(value: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value }
}

fn edits(changes: impl IntoIterator<Item = (Uri, Vec<TextEdit>)>) -> WorkspaceEdit {
    WorkspaceEdit { changes: Some(changes.into_iter().collect()), ..WorkspaceEdit::default() }
}

/// The part of a text that formatting changes: what is the same at both ends stays, and with it the cursor.
fn changed_part(analysis: &Analysis, formatted: &str, places: &Text) -> TextEdit {
    let old = analysis.text();
    let common = |a: &mut dyn Iterator<Item = &str>, b: &mut dyn Iterator<Item = &str>| {
        a.zip(b).take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum::<usize>()
    };
    let head = common(&mut old.split_inclusive('\n'), &mut formatted.split_inclusive('\n'));
    let tail = common(&mut old[head..].split_inclusive('\n').rev(), &mut formatted[head..].split_inclusive('\n').rev());
    let span = Span::new(analysis.file(), head, old.len() - tail);
    TextEdit::new(places.range(span), formatted[head..formatted.len() - tail].to_owned())
}

fn completion_item(suggestion: Suggestion, at: usize, text: &Text) -> CompletionItem {
    let kind = match suggestion.kind {
        Kind::Local | Kind::Value => CompletionItemKind::VARIABLE,
        Kind::Param => CompletionItemKind::CONSTANT,
        Kind::Function => CompletionItemKind::FUNCTION,
        Kind::Module => CompletionItemKind::MODULE,
        Kind::Field => CompletionItemKind::FIELD,
        Kind::Method => CompletionItemKind::METHOD,
        Kind::Label => CompletionItemKind::PROPERTY,
        Kind::Keyword => CompletionItemKind::KEYWORD,
        Kind::Type => CompletionItemKind::CLASS,
        Kind::Unit => CompletionItemKind::UNIT,
        Kind::Layer => CompletionItemKind::ENUM_MEMBER,
    };
    let import = suggestion.import.map(|fix| vec![TextEdit::new(text.range(fix.span), fix.text)]);
    CompletionItem {
        label: suggestion.text.trim_end().to_owned(),
        kind: Some(kind),
        detail: (!suggestion.detail.is_empty()).then_some(suggestion.detail),
        documentation: (!suggestion.docs.is_empty()).then(|| Documentation::MarkupContent(markdown(suggestion.docs))),
        sort_text: Some(format!("{at:04}")),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(text.range(suggestion.replaces), suggestion.text))),
        additional_text_edits: import,
        ..CompletionItem::default()
    }
}
