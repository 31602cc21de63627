//! Answers to what the editor asks.

use std::collections::BTreeMap;

use lsp_server::ErrorCode;
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionProviderCapability, CompletionItem,
    CompletionItemKind, CompletionList, CompletionOptions, CompletionParams, CompletionTextEdit,
    DocumentFormattingParams, DocumentSymbolParams, Documentation, GotoDefinitionParams, Hover, HoverContents,
    HoverParams, InitializeParams, InlayHintParams, Location, MarkupContent, MarkupKind, OneOf, PositionEncodingKind,
    PrepareRenameResponse, ReferenceParams, RenameOptions, RenameParams, ServerCapabilities, SignatureHelpOptions,
    SignatureHelpParams, TextDocumentPositionParams, TextDocumentSyncCapability, TextDocumentSyncKind, TextEdit, Uri,
    WorkDoneProgressOptions, WorkspaceEdit,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::analysis::Analysis;
use super::complete::{self, Kind, Suggestion};
use super::server::{Answer, Document, Refusal, Session, read};
use super::text::{Encoding, Text};
use super::{actions, diagnostics, hints, hover, names, outline, place, rename, signature};
use crate::source::Span;
use crate::syntax;

impl Session<'_> {
    pub(super) fn initialize(&mut self, params: Value) -> Answer {
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

    pub(super) fn hover(&self, params: &HoverParams) -> Answer {
        let (_, analysis, text, offset) = self.place(&params.text_document_position_params)?;
        let found = hover::hover(analysis, offset).map(|(words, span)| Hover {
            contents: HoverContents::Markup(markdown(words)),
            range: Some(text.range(span)),
        });
        result(found)
    }

    pub(super) fn completion(&self, params: &CompletionParams) -> Answer {
        let (_, analysis, text, offset) = self.place(&params.text_document_position)?;
        let found = complete::suggestions(analysis, offset);
        let items = found.into_iter().enumerate().map(|(at, suggestion)| completion_item(suggestion, at, &text));
        result(CompletionList { is_incomplete: false, items: items.collect() })
    }

    pub(super) fn definition(&self, params: &GotoDefinitionParams) -> Answer {
        let (_, analysis, _, offset) = self.place(&params.text_document_position_params)?;
        result(names::definition(analysis, offset).and_then(|span| self.location(analysis, span)))
    }

    pub(super) fn references(&self, params: &ReferenceParams) -> Answer {
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

    pub(super) fn prepare_rename(&self, params: &TextDocumentPositionParams) -> Answer {
        let (_, analysis, text, offset) = self.place(params)?;
        let span = rename::prepare(analysis, offset).map_err(failed)?;
        let placeholder = analysis.slice(span).to_owned();
        result(PrepareRenameResponse::RangeWithPlaceholder { range: text.range(span), placeholder })
    }

    pub(super) fn rename(&self, params: &RenameParams) -> Answer {
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

    pub(super) fn symbols(&self, params: &DocumentSymbolParams) -> Answer {
        let (_, analysis) = self.document(&params.text_document.uri)?;
        let text = Text::new(analysis.text().clone(), self.encoding);
        result(outline::symbols(analysis, &text))
    }

    pub(super) fn formatting(&self, params: &DocumentFormattingParams) -> Answer {
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

    pub(super) fn signature_help(&self, params: &SignatureHelpParams) -> Answer {
        let (_, analysis, _, offset) = self.place(&params.text_document_position_params)?;
        result(signature::help(analysis, offset))
    }

    pub(super) fn code_actions(&self, params: &CodeActionParams) -> Answer {
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

    pub(super) fn inlay_hints(&self, params: &InlayHintParams) -> Answer {
        let (_, analysis) = self.document(&params.text_document.uri)?;
        let text = Text::new(analysis.text().clone(), self.encoding);
        result(hints::hints(analysis, &text, text.span(analysis.file(), params.range)))
    }
}

fn result(value: impl Serialize) -> Answer {
    serde_json::to_value(value).map_err(|error| Refusal { code: ErrorCode::InternalError, message: error.to_string() })
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
