//! What could be written at a place.

mod candidates;
mod imports;
mod layers;
mod units;

use super::analysis::{Analysis, touches};
use super::spot;
use crate::diag::Fix;
use crate::source::Span;
use crate::syntax::tree::{Entry, Expr, ExprKind, Item, ItemKind, Name, TestItem, Type, TypeKind};
use crate::syntax::{item_at_cursor, words};
use crate::types::signature::COMPOUND;
use crate::types::{Details, Plain, Ty, fields_of};

/// Something that could be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What is written.
    pub text: String,
    /// The text that it replaces.
    pub replaces: Span,
    /// What kind of thing it is.
    pub kind: Kind,
    /// Its type or signature.
    pub detail: String,
    /// Words about it.
    pub docs: String,
    /// The import that it needs.
    pub import: Option<Fix>,
    /// Likelier suggestions have smaller numbers.
    pub rank: u8,
}

/// Kinds of suggestions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A local name.
    Local,
    /// A value.
    Value,
    /// A parameter of the program.
    Param,
    /// A function.
    Function,
    /// A module.
    Module,
    /// A field or a column.
    Field,
    /// A method.
    Method,
    /// The label of an argument, or of a record's field.
    Label,
    /// A word of the language.
    Keyword,
    /// A type.
    Type,
    /// A unit after a number.
    Unit,
    /// A layer or a parameter of a network.
    Layer,
}

/// Returns what could be written at a place, likeliest first. The editor filters by what is written already.
pub fn suggestions(analysis: &Analysis, offset: usize) -> Vec<Suggestion> {
    let text = analysis.text();
    let offset = offset.min(text.len());
    let line = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let mut found = match inside(&text[line..offset]) {
        Inside::Comment => Vec::new(),
        Inside::Text(quote) => layers::suggest(analysis, offset, line + quote + 1),
        Inside::Program => {
            if let Some(found) = imports::suggest(analysis, offset) {
                found
            } else if let Some(found) = units::suggest(analysis, offset) {
                found
            } else {
                in_program(analysis, offset, line)
            }
        }
    };
    found.sort_by(|a, b| a.rank.cmp(&b.rank).then_with(|| a.text.cmp(&b.text)));
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|suggestion| seen.insert(suggestion.text.clone()));
    found
}

/// What a place on a line is inside of.
enum Inside {
    Comment,
    /// A string that begins at this byte of the line.
    Text(usize),
    Program,
}

fn inside(line: &str) -> Inside {
    let bytes = line.as_bytes();
    let (mut at, mut quote) = (0, None);
    while at < bytes.len() {
        match (bytes[at], quote) {
            (b'\\', Some(_)) => at += 1,
            (b'"', Some(_)) => quote = None,
            (b'"', None) => quote = Some(at),
            (b'/', None) if bytes.get(at + 1) == Some(&b'/') => return Inside::Comment,
            _ => {}
        }
        at += 1;
    }
    quote.map_or(Inside::Program, Inside::Text)
}

/// The part of a name that is written before a place.
pub(super) fn written(analysis: &Analysis, offset: usize) -> Span {
    let text = &analysis.text()[..offset];
    let start = text
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    Span::new(analysis.file(), start, offset)
}

/// A place with everything that is known of it.
pub(super) struct Place<'a> {
    pub(super) analysis: &'a Analysis,
    pub(super) item: &'a Item,
    pub(super) details: &'a Details,
    pub(super) offset: usize,
    /// What is written of the name so far.
    pub(super) replaces: Span,
}

impl Place<'_> {
    pub(super) fn make(&self, text: impl Into<String>, kind: Kind, detail: impl Into<String>, rank: u8) -> Suggestion {
        suggestion(self.replaces, text, kind, detail, rank)
    }
}

pub(super) fn suggestion(
    replaces: Span,
    text: impl Into<String>,
    kind: Kind,
    detail: impl Into<String>,
    rank: u8,
) -> Suggestion {
    Suggestion { text: text.into(), replaces, kind, detail: detail.into(), docs: String::new(), import: None, rank }
}

fn in_program(analysis: &Analysis, offset: usize, line: usize) -> Vec<Suggestion> {
    let replaces = written(analysis, offset);
    let at_start = analysis.text()[line..replaces.start as usize].trim().is_empty();
    let Some(item) = item_at_cursor(analysis.file(), analysis.text(), offset) else {
        let declares = at_start && replaces.start as usize == line;
        let words: &[&str] = if declares { &words::DECLARATIONS } else { &[] };
        return words.iter().map(|word| suggestion(replaces, *word, Kind::Keyword, "", 0)).collect();
    };
    let details = analysis.typed.inspect(analysis.module, &item);
    let place = Place { analysis, item: &item, details: &details, offset, replaces };
    if let Some(found) = types(&place) {
        return found;
    }
    if binds_here(&item, offset) {
        return Vec::new();
    }
    let way = spot::way(&item, offset);
    let mut found = at_expression(&place, &way);
    if at_start && found.iter().any(|suggestion| suggestion.kind == Kind::Keyword) {
        found.push(place.make("let", Kind::Keyword, "", 6));
        if matches!(item.kind, ItemKind::Test(_)) {
            found.push(place.make("expect", Kind::Keyword, "", 6));
        }
    }
    found
}

fn at_expression(place: &Place<'_>, way: &[&Expr]) -> Vec<Suggestion> {
    let offset = place.offset;
    let Some(expr) = way.last() else { return Vec::new() };
    match &*expr.kind {
        ExprKind::Field(base, field) if touches(field.span, offset) => fields(place, base),
        ExprKind::Accessor(field) => columns(place, expr, field),
        ExprKind::Name(_) => {
            let mut found = candidates::names(place, way, expr);
            found.extend(labels(place, way));
            found.extend(record_fields(place, way));
            found
        }
        ExprKind::Call(..) => labels(place, way),
        ExprKind::Record(_) => record_fields(place, way),
        _ => Vec::new(),
    }
}

/// Fields, methods, or the names of a module.
fn fields(place: &Place<'_>, base: &Expr) -> Vec<Suggestion> {
    if let Some(found) = candidates::members(place, base) {
        return found;
    }
    let Some(ty) = place.details.type_at(base.span) else { return Vec::new() };
    let known = fields_of(ty);
    if known.is_empty() && matches!(ty, Ty::Plain(Plain::Seed)) {
        return ["init", "order", "samples", "control"]
            .map(|name| place.make(name, Kind::Field, "a stream of the seed", 0))
            .to_vec();
    }
    known
        .into_iter()
        .map(|(name, ty)| {
            let kind = if name == "at" { Kind::Method } else { Kind::Field };
            place.make(name, kind, ty.to_string(), 0)
        })
        .collect()
}

/// `.column` of the rows at hand, or a field of what a function is applied to.
fn columns(place: &Place<'_>, expr: &Expr, field: &Name) -> Vec<Suggestion> {
    if let Some(row) = place.details.rows_at(field.span) {
        let axis = |name: &str| if row.is_axis(name) && row.axes.is_some() { "axis" } else { "" };
        let columns = row.fields.0.iter();
        return columns
            .map(|(name, ty)| place.make(&**name, Kind::Field, format!("{ty} {}", axis(name)).trim(), 0))
            .collect();
    }
    match place.details.wanted_at(expr.span) {
        Some(Ty::Function(params, _)) if params.len() == 1 => {
            let known = fields_of(&params[0]).into_iter();
            known.map(|(name, ty)| place.make(name, Kind::Field, ty.to_string(), 0)).collect()
        }
        _ => Vec::new(),
    }
}

/// Labels that the call around a place has left.
fn labels(place: &Place<'_>, way: &[&Expr]) -> Vec<Suggestion> {
    let all = spot::calls(way);
    let outer = all.iter().rev().find(|call| (call.callee.span.end as usize) < place.offset);
    let Some(call) = outer else { return Vec::new() };
    let direct = call.args.iter().any(|arg| {
        let whole = arg.label.as_ref().map_or(arg.value.span, |label| label.span);
        touches(whole, place.offset) && (arg.label.is_some() || matches!(*arg.value.kind, ExprKind::Name(_)))
    });
    if !direct {
        return Vec::new();
    }
    if let ExprKind::Field(base, field) = &*call.callee.kind
        && &*field.text == "at"
        && let Some(Ty::Rows(Some(row))) = place.details.type_at(base.span)
    {
        let columns = row.fields.0.iter().filter(|(_, ty)| !matches!(ty, Ty::Measured(_)));
        return columns.map(|(name, ty)| place.make(format!("{name}: "), Kind::Label, ty.to_string(), 0)).collect();
    }
    let Some(signature) = place.details.call_at(call.callee.span) else { return Vec::new() };
    let given = |name: &str| call.args.iter().filter_map(|arg| arg.label.as_ref()).any(|label| &*label.text == name);
    let open =
        signature.formals.iter().enumerate().filter(|(at, formal)| !(given(&formal.name) || *at == 0 && call.piped));
    open.map(|(_, formal)| place.make(format!("{}: ", formal.name), Kind::Label, formal.ty.to_string(), 1)).collect()
}

/// Fields that a record still needs, where it is known what it must be.
fn record_fields(place: &Place<'_>, way: &[&Expr]) -> Vec<Suggestion> {
    let record = way.iter().rev().find(|expr| matches!(*expr.kind, ExprKind::Record(_)));
    let Some(record) = record else { return Vec::new() };
    let ExprKind::Record(entries) = &*record.kind else { return Vec::new() };
    // A value of a field is no place for another field.
    let valued = |entry: &Entry| matches!(entry, Entry::Field(name, value) if touches(value.span, place.offset) && (name.span.end as usize) < place.offset);
    if entries.iter().any(valued) {
        return Vec::new();
    }
    let spread = entries.iter().find_map(|entry| match entry {
        Entry::Spread(base) => place.details.type_at(base.span),
        Entry::Field(..) => None,
    });
    let Some(Ty::Record(fields)) = place.details.wanted_at(record.span).or(spread) else { return Vec::new() };
    let given =
        |name: &str| entries.iter().any(|entry| matches!(entry, Entry::Field(field, _) if &*field.text == name));
    let open = fields.0.iter().filter(|(name, _)| !given(name));
    open.map(|(name, ty)| place.make(format!("{name}: "), Kind::Label, ty.to_string(), 0)).collect()
}

/// Whether the cursor is in a name that is being bound.
fn binds_here(item: &Item, offset: usize) -> bool {
    let output = match &item.kind {
        ItemKind::Table(output) | ItemKind::Plot(output) => touches(output.name.span, offset),
        ItemKind::Claim(claim) => touches(claim.name.span, offset),
        _ => false,
    };
    output || spot::binders(item).iter().any(|binder| touches(binder.name.span, offset))
}

/// Names of types, where a type is written.
fn types(place: &Place<'_>) -> Option<Vec<Suggestion>> {
    let mut all: Vec<&Type> = place.item.types();
    if let ItemKind::Test(test) = &place.item.kind {
        all.extend(test.body.iter().filter_map(|line| match line {
            TestItem::Binding(binding) => binding.ty.as_ref(),
            TestItem::Expect(_) => None,
        }));
    }
    for expr in place.item.expressions() {
        local_types(expr, &mut all);
    }
    all.iter().any(|ty| names_type_at(ty, place.offset)).then(|| {
        let plain = Plain::ALL.iter().filter(|plain| **plain != Plain::Nothing).map(|plain| plain.name());
        plain.chain(COMPOUND).map(|name| place.make(name, Kind::Type, "", 0)).collect()
    })
}

fn local_types<'e>(expr: &'e Expr, found: &mut Vec<&'e Type>) {
    if let ExprKind::Block(block) = &*expr.kind {
        found.extend(block.bindings.iter().filter_map(|binding| binding.ty.as_ref()));
    }
    expr.children().into_iter().for_each(|child| local_types(child, found));
}

fn names_type_at(ty: &Type, offset: usize) -> bool {
    touches(ty.span, offset)
        && match &ty.kind {
            TypeKind::Named { name, args } => {
                touches(name.span, offset) || args.iter().any(|ty| names_type_at(ty, offset))
            }
            TypeKind::Record(fields) => fields.iter().any(|(_, ty)| names_type_at(ty, offset)),
            TypeKind::Tuple(parts) => parts.iter().any(|ty| names_type_at(ty, offset)),
            TypeKind::Function { params, result } => {
                params.iter().chain([&**result]).any(|ty| names_type_at(ty, offset))
            }
            TypeKind::Word(name) => touches(name.span, offset),
            TypeKind::Error => false,
        }
}
