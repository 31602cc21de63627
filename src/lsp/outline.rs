//! What a file consists of.

use lsp_types::{DocumentSymbol, SymbolKind};

use super::analysis::Analysis;
use super::text::Text;
use crate::source::Span;
use crate::syntax::tree::{Item, ItemKind};

/// Returns a symbol for each name that a file defines and each output that it has.
pub(super) fn symbols(analysis: &Analysis, text: &Text) -> Vec<DocumentSymbol> {
    let own = analysis.tree().items.iter().filter(|item| item.span.file == analysis.file());
    own.flat_map(|item| of_item(analysis, item, text)).collect()
}

#[expect(deprecated, reason = "the field has to be given")]
fn of_item(analysis: &Analysis, item: &Item, text: &Text) -> Vec<DocumentSymbol> {
    let value = |name: &str| analysis.typed.values.get(&(analysis.module, name.into())).map(ToString::to_string);
    let make = |name: &str, span: Span, kind: SymbolKind, detail: Option<String>| DocumentSymbol {
        name: name.to_owned(),
        detail,
        kind,
        tags: None,
        deprecated: None,
        range: text.range(item.span),
        selection_range: text.range(span),
        children: None,
    };
    match &item.kind {
        ItemKind::Import(_) => Vec::new(),
        ItemKind::Param(param) => {
            vec![make(&param.name.text, param.name.span, SymbolKind::CONSTANT, value(&param.name.text))]
        }
        ItemKind::Binding(binding) => {
            let names = binding.pattern.names().iter();
            names.map(|name| make(&name.text, name.span, SymbolKind::VARIABLE, value(&name.text))).collect()
        }
        ItemKind::Function(function) => {
            let name = &function.name;
            let signature = analysis.typed.functions.get(&(analysis.module, name.text.clone()));
            vec![make(&name.text, name.span, SymbolKind::FUNCTION, signature.map(ToString::to_string))]
        }
        ItemKind::Table(output) => {
            vec![make(&output.name.text, output.name.span, SymbolKind::ARRAY, Some("table".into()))]
        }
        ItemKind::Plot(output) => {
            vec![make(&output.name.text, output.name.span, SymbolKind::ARRAY, Some("plot".into()))]
        }
        ItemKind::Claim(claim) => {
            vec![make(&claim.name.text, claim.name.span, SymbolKind::EVENT, Some(claim.text.to_string()))]
        }
        ItemKind::Expect(condition) => {
            let words = analysis.slice(condition.span).split_whitespace().collect::<Vec<_>>().join(" ");
            vec![make("expect", item.span, SymbolKind::BOOLEAN, Some(words))]
        }
        ItemKind::Test(test) => vec![make(&test.name, test.name_span, SymbolKind::METHOD, Some("test".into()))],
    }
}
