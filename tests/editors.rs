//! The colours of editors: written from the compiler's lists of words, types and units, so that no list is kept twice.
//!
//! `BLESS=1 cargo test --test editors` writes the files.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::{Path, PathBuf};

use pdsl::syntax::tree::Unit;
use pdsl::syntax::words;
use pdsl::types::{Plain, signature};
use serde_json::{Value, json};

/// Words that define something and are followed by its name.
const DEFINING: [&str; 5] = ["let", "param", "table", "plot", "claim"];
/// Words that steer what a value becomes.
const STEERING: [&str; 5] = ["if", "else", "for", "in", "sweep"];
const OPERATORS: [&str; 3] = ["and", "or", "not"];
const CONSTANTS: [&str; 2] = ["true", "false"];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("editors").join(name)
}

/// Units, longer ones first, so that `min` is not taken for `m` and the rest.
fn units() -> Vec<&'static str> {
    let mut units: Vec<&str> = Unit::ALL.iter().map(|unit| unit.suffix()).collect();
    units.sort_by_key(|unit| std::cmp::Reverse(unit.len()));
    units
}

fn types() -> Vec<&'static str> {
    let plain = Plain::ALL.iter().filter(|plain| **plain != Plain::Nothing).map(|plain| plain.name());
    let mut types: Vec<&str> = plain.chain(signature::COMPOUND).collect();
    types.sort_unstable();
    types
}

fn either<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().collect::<Vec<_>>().join("|")
}

/// Every word of the language that is coloured as such.
fn coloured() -> Vec<&'static str> {
    let mut all: Vec<&str> = ["import", "as", "pub", "fn", "where", "expect", "test"].to_vec();
    all.extend(DEFINING.iter().chain(&STEERING).chain(&OPERATORS).chain(&CONSTANTS));
    all.sort_unstable();
    all
}

fn grammar() -> Value {
    let name = "[A-Za-z_][A-Za-z0-9_]*";
    let rule = |scope: &str, pattern: String| json!({ "name": format!("{scope}.pdsl"), "match": pattern });
    let scope = |scope: &str| json!({ "name": format!("{scope}.pdsl") });
    let units = either(units());
    json!({
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "pdsl",
        "scopeName": "source.pdsl",
        "fileTypes": ["pd"],
        "patterns": [
            { "include": "#comments" },
            { "include": "#strings" },
            { "include": "#numbers" },
            { "include": "#labels" },
            { "include": "#fields" },
            { "include": "#words" },
            { "include": "#types" },
            { "include": "#calls" },
            { "include": "#operators" },
        ],
        "repository": {
            "comments": { "patterns": [
                rule("comment.line.documentation", "///(?!/).*$|//!.*$".to_owned()),
                rule("comment.line.double-slash", "//.*$".to_owned()),
            ] },
            "strings": { "patterns": [{
                "name": "string.quoted.double.pdsl",
                "begin": "\"",
                "end": "\"|$",
                "patterns": [
                    rule("constant.character.escape", r#"\\([nt"\\]|u\{[0-9A-Fa-f]{1,6}\})"#.to_owned()),
                    rule("invalid.illegal.escape", r"\\.".to_owned()),
                ],
            }] },
            "numbers": { "patterns": [{
                "match": format!(
                    r"(?<![A-Za-z0-9_])([0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)({units})?(?![A-Za-z0-9_])"
                ),
                "captures": { "1": scope("constant.numeric"), "2": scope("keyword.other.unit") },
            }] },
            // A label may be a word of the language: `for: 160ep`.
            "labels": { "patterns": [
                {
                    "match": format!(r"\b({})\s+({name})(?=\s*:)", either(DEFINING)),
                    "captures": { "1": scope("storage.type"), "2": scope("variable.other.definition") },
                },
                rule("variable.parameter", format!(r"(?<![.A-Za-z0-9_]){name}(?=\s*:(?!=))")),
            ] },
            "fields": { "patterns": [
                {
                    "match": format!(r"(?<!\.)\.({name})(?=\()"),
                    "captures": { "1": scope("entity.name.function.call") },
                },
                {
                    "match": format!(r"(?<!\.)\.({name})"),
                    "captures": { "1": scope("variable.other.property") },
                },
            ] },
            "words": { "patterns": [
                {
                    "match": format!(r"\b(fn)\s+({name})"),
                    "captures": { "1": scope("storage.type.function"), "2": scope("entity.name.function") },
                },
                {
                    "match": format!(r"\b({})\s+({name})", either(DEFINING)),
                    "captures": { "1": scope("storage.type"), "2": scope("variable.other.definition") },
                },
                rule("keyword.control.import", r"\b(import|as)\b".to_owned()),
                rule("storage.modifier", r"\bpub\b".to_owned()),
                rule("storage.type", format!(r"\b(fn|where|expect|test|{})\b", either(DEFINING))),
                rule("keyword.control", format!(r"\b({})\b", either(STEERING))),
                rule("keyword.operator.word", format!(r"\b({})\b", either(OPERATORS))),
                rule("constant.language", format!(r"\b({})\b", either(CONSTANTS))),
            ] },
            "types": { "patterns": [rule("support.type", format!(r"\b({})\b", either(types())))] },
            "calls": { "patterns": [rule("entity.name.function.call", format!(r"\b{name}(?=\()"))] },
            "operators": { "patterns": [
                rule("keyword.operator", r"\|>|=>|->|==|!=|<=|>=|\+\+|\.\.=?|[-+*/^<>=]".to_owned()),
            ] },
        },
    })
}

/// The same for Vim.
fn vim() -> String {
    let words = |words: &[&str]| words.join(" ");
    let units = units().join("\\|");
    let types = types();
    format!(
        r#"" Written by `BLESS=1 cargo test --test editors` from the compiler's own lists.
if exists("b:current_syntax")
  finish
endif

syntax keyword pdslDeclaration pub fn where expect test {defining}
syntax keyword pdslImport import as
syntax keyword pdslControl {steering}
syntax keyword pdslOperator {operators}
syntax keyword pdslBoolean {constants}
syntax keyword pdslType {types}
syntax match pdslNumber /\<\d[0-9_]*\(\.\d\+\)\?\([eE][+-]\?\d\+\)\?\({units}\)\?/
syntax match pdslLabel /\.\@<!\<\h\w*\ze\s*:=\@!/
syntax match pdslField /\.\@<!\.\zs\h\w*/
syntax match pdslCall /\<\h\w*\ze(/
syntax match pdslPipe /|>\|=>\|->/
syntax match pdslEscape /\\\([nt"\\]\|u{{\x\{{1,6}}}}\)/ contained
syntax region pdslString start=/"/ skip=/\\./ end=/"/ oneline contains=pdslEscape
syntax match pdslComment /\/\/.*$/ contains=@Spell
syntax match pdslDoc /\/\/[\/!].*$/ contains=@Spell

highlight default link pdslDeclaration Keyword
highlight default link pdslImport Include
highlight default link pdslControl Conditional
highlight default link pdslOperator Operator
highlight default link pdslPipe Operator
highlight default link pdslBoolean Boolean
highlight default link pdslType Type
highlight default link pdslNumber Number
highlight default link pdslLabel Identifier
highlight default link pdslField Identifier
highlight default link pdslCall Function
highlight default link pdslEscape SpecialChar
highlight default link pdslString String
highlight default link pdslComment Comment
highlight default link pdslDoc SpecialComment

let b:current_syntax = "pdsl"
"#,
        defining = words(&DEFINING),
        steering = words(&STEERING),
        operators = words(&OPERATORS),
        constants = words(&CONSTANTS),
        types = types.join(" "),
    )
}

/// Compares a file with what it should be, or writes it.
fn keep(name: &str, text: &str) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file(name), text).unwrap();
    }
    let found = std::fs::read_to_string(file(name)).unwrap_or_default();
    assert!(found == text, "editors/{name} is out of date: BLESS=1 cargo test --test editors");
}

#[test]
fn every_word_of_the_language_has_a_colour() {
    let mut all: Vec<&str> = words::keywords().collect();
    all.sort_unstable();
    assert_eq!(coloured(), all);
}

#[test]
fn the_grammar_for_text_mate_is_up_to_date() {
    keep("vscode/syntaxes/pdsl.tmLanguage.json", &(serde_json::to_string_pretty(&grammar()).unwrap() + "\n"));
}

#[test]
fn the_syntax_for_vim_is_up_to_date() {
    keep("nvim/syntax/pdsl.vim", &vim());
}

/// What Visual Studio Code reads is there, under the names that the extension gives.
#[test]
fn the_extension_is_complete() {
    let read = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(file(&format!("vscode/{name}"))).unwrap()).unwrap()
    };
    let package = read("package.json");
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
    for contributed in ["grammars", "languages"] {
        for entry in package["contributes"][contributed].as_array().unwrap() {
            for key in ["path", "configuration"] {
                if let Some(path) = entry[key].as_str() {
                    assert!(read(path.trim_start_matches("./")).is_object(), "{path}");
                }
            }
        }
    }
}
