use std::path::Path;

use crate::diag::Diagnostic;
use crate::source::{FileId, Sources};
use crate::syntax::tree::{ExprKind, File, ItemKind};

fn parse(text: &str) -> (File, Vec<Diagnostic>) {
    super::parse(FileId(0), text)
}

fn shown(text: &str, diagnostics: &[Diagnostic]) -> String {
    let mut sources = Sources::default();
    sources.add("t.pd", None, text);
    crate::diag::render::short(diagnostics, &sources)
}

/// Every `.pd` file of the project, outside the broken ones of the suite.
fn programs() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["stdlib", "experiments", "experiments/lib", "tests/suite/programs"] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "pd") {
                found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_program_parses() {
    for (name, text) in programs() {
        let (file, diagnostics) = parse(&text);
        assert!(diagnostics.is_empty(), "{name}\n{}", shown(&text, &diagnostics));
        assert!(!file.items.is_empty(), "{name}");
    }
}

#[test]
fn eight_errors_are_eight_messages() {
    let text = include_str!("../../tests/suite/syntax/eight.pd");
    let (_, diagnostics) = parse(text);
    assert_eq!(diagnostics.len(), 8, "{}", shown(text, &diagnostics));
}

#[test]
fn docs_go_to_the_next_declaration() {
    let (file, diagnostics) =
        parse("//! A file.\n//!\n//! More.\n\n/// One.\n/// Two.\nlet x = 1\n/// Three.\nfn f() -> Int\n");
    assert!(diagnostics.is_empty());
    assert_eq!(file.docs, ["A file.", "", "More."]);
    assert_eq!(file.items[0].docs, ["One.", "Two."]);
    assert_eq!(file.items[1].docs, ["Three."]);
    assert!(matches!(&file.items[1].kind, ItemKind::Function(function) if function.body.is_none()));
}

#[test]
fn broken_declarations_keep_their_name() {
    let (file, diagnostics) = parse("let a = [1, 2\nlet b = 3\nimport std.data.{cifar10 imagenet}\n");
    assert_eq!(diagnostics.len(), 2, "{diagnostics:?}");
    let names: Vec<String> = file
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Binding(binding) => Some(binding),
            _ => None,
        })
        .flat_map(|binding| {
            let broken = matches!(*binding.value.kind, ExprKind::Error);
            binding.pattern.names().iter().map(move |name| format!("{}{}", name.text, if broken { "!" } else { "" }))
        })
        .collect();
    assert_eq!(names, ["a!", "b", "cifar10!", "imagenet!"]);
}

/// The tree as text, without places.
fn bare(file: &File) -> String {
    let text = format!("{:?}", file.items);
    let mut pieces = text.split("Span {");
    let mut bare = pieces.next().unwrap_or("").to_owned();
    for piece in pieces {
        bare.push_str(piece.split_once('}').map_or("", |(_, rest)| rest));
    }
    bare
}

fn assert_formats(name: &str, text: &str) -> String {
    let (file, diagnostics) = parse(text);
    assert!(diagnostics.is_empty(), "{name}\n{text}\n{}", shown(text, &diagnostics));
    let once = super::print(&file, text);
    let (again, diagnostics) = parse(&once);
    assert!(diagnostics.is_empty(), "{name} formatted:\n{once}\n{}", shown(&once, &diagnostics));
    assert_eq!(bare(&file), bare(&again), "{name} changed its meaning:\n{once}");
    let twice = super::print(&again, &once);
    assert!(once == twice, "{name} is not stable from\n{text}\nfirst\n{once}\nthen\n{twice}");
    once
}

#[test]
fn formatting_is_stable_and_keeps_the_tree() {
    for (name, text) in programs() {
        let once = assert_formats(&name, &text);
        let long = once.lines().filter(|line| line.chars().count() > 120).count();
        assert!(long == 0, "{name}: {long} long lines\n{once}");
    }
}

/// Examples in documentation are text: blanks at the start of a line and empty lines are theirs.
#[test]
fn examples_in_documentation_keep_their_lines() {
    let text = "/// One.\n///\n/// ```pd\n/// test \"t\" {\n///   expect   1 < 2\n///\n/// }\n/// ```\npub fn f(x: Int) -> Int\n";
    let (file, _) = parse(text);
    assert_eq!(super::print::print(&file, text), text);
    for (name, text) in programs().iter().filter(|(name, _)| name.contains("stdlib")) {
        let printed = super::print::print(&parse(text).0, text);
        let docs = |text: &str| text.lines().filter(|line| line.starts_with("///")).collect::<Vec<_>>().join("\n");
        assert_eq!(docs(&printed), docs(text), "{name}");
    }
}

#[test]
fn comments_survive_anywhere() {
    for (name, text) in programs() {
        let (plain, _) = parse(&text);
        let scan = super::scan::scan(FileId(0), &text);
        for (nth, token) in scan.tokens.iter().enumerate().step_by(13) {
            let marker = format!("// c{nth}");
            let space = text[..token.end].rfind('\n').map_or(0, |at| at + 1);
            let spaces = text[space..].len() - text[space..].trim_start().len();
            let commented = format!("{} {marker}\n{}{}", &text[..token.end], " ".repeat(spaces), &text[token.end..]);
            let (file, diagnostics) = parse(&commented);
            if !diagnostics.is_empty() || bare(&file) != bare(&plain) {
                continue;
            }
            let once = assert_formats(&name, &commented);
            assert_eq!(once.matches(&marker).count(), 1 + text.matches(&marker).count(), "{marker} in\n{once}");
        }
    }
}

#[test]
fn every_line_break_may_be_lost_or_gained() {
    for (name, text) in programs() {
        let scan = super::scan::scan(FileId(0), &text);
        let (plain, _) = parse(&text);
        for token in scan.tokens.iter().step_by(17) {
            let broken = format!("{}\n   {}", &text[..token.end], &text[token.end..]);
            let (file, diagnostics) = parse(&broken);
            if diagnostics.is_empty() && bare(&file) == bare(&plain) {
                assert_formats(&name, &broken);
            }
        }
    }
}

#[test]
fn a_call_touches_its_function() {
    for text in ["let a = f (1)", "let a = f\n(1)", "let a = f [1]", "let a = f // c\n(1)", "let a = x |> f // c\n (1)"]
    {
        let (file, diagnostics) = parse(text);
        assert!(!diagnostics.is_empty(), "{text} {:?}", bare(&file));
    }
}

#[test]
fn grammar_and_words_agree() {
    use std::collections::BTreeSet;
    let grammar = include_str!("../../grammar/pd.pest");
    let listed: BTreeSet<&str> = super::words::keywords().collect();
    let start = grammar.find("keyword = @{").unwrap();
    let body = &grammar[start..start + grammar[start..].find("\n}").unwrap()];
    let reserved: BTreeSet<&str> = body.split('"').skip(1).step_by(2).collect();
    assert_eq!(listed, reserved, "the rule `keyword` and words.rs");
    let own: BTreeSet<&str> = grammar.lines().filter_map(|line| line.strip_prefix("kw_")?.split('"').nth(1)).collect();
    assert_eq!(listed, own, "the rules `kw_…` and words.rs");
    let units = grammar.lines().find_map(|line| line.strip_prefix("unit     = @{")).unwrap();
    let units: BTreeSet<&str> = units.split('"').skip(1).step_by(2).collect();
    assert_eq!(
        units,
        super::tree::Unit::ALL.iter().map(|unit| unit.suffix()).collect(),
        "the rule `unit` and the tree"
    );
}

#[test]
fn precedence_is_as_documented() {
    let same = |left: &str, right: &str| assert_eq!(shape(left), shape(right));
    same("a or b and c", "a or (b and c)");
    same("not a == b", "not (a == b)");
    same("a |> f == b", "(a |> f) == b");
    same("1..=10 |> map(f)", "(1..=10) |> map(f)");
    same("a + 1..b * 2", "(a + 1)..(b * 2)");
    same("a ++ b |> f", "(a ++ b) |> f");
    same("a + b * -c ^ d ^ e", "a + (b * (-(c ^ (d ^ e))))");
    same("a - b - c", "(a - b) - c");
    same("not a and b", "(not a) and b");
    same("2 ^ -1", "2 ^ (-1)");
}

/// An expression with every operator in brackets.
fn shape(text: &str) -> String {
    fn write(expr: &super::tree::Expr) -> String {
        match &*expr.kind {
            ExprKind::Paren(inner) => write(inner),
            ExprKind::Binary { op, left, right, .. } => format!("({} {} {})", write(left), op.symbol(), write(right)),
            ExprKind::Pipe(left, right) => format!("({} |> {})", write(left), write(right)),
            ExprKind::Range { start, end, .. } => format!("({} .. {})", write(start), write(end)),
            ExprKind::Unary(op, operand) => format!("({op:?} {})", write(operand)),
            ExprKind::Name(name) => name.to_string(),
            ExprKind::Int(value) => value.to_string(),
            ExprKind::Call(function, args) => {
                format!("{}({})", write(function), args.iter().map(|arg| write(&arg.value)).collect::<String>())
            }
            other => format!("{other:?}"),
        }
    }
    write(&super::parse_expression(FileId(0), text).unwrap())
}

#[test]
fn lone_expressions_and_signatures_are_read() {
    assert!(matches!(&*super::parse_expression(FileId(0), "1000it").unwrap().kind, ExprKind::Quantity(..)));
    assert_eq!(super::parse_expression(FileId(0), "1000 it").unwrap_err().len(), 1);
    assert_eq!(super::parse_expression(FileId(0), "").unwrap_err().len(), 1);
    let signature = super::parse_signature(FileId(0), "fn prune(s: State, with: Pruner = magnitude) -> State").unwrap();
    assert_eq!(signature.formals.len(), 2);
    assert!(super::parse_signature(FileId(0), "let x = 1").is_err());
}

mod any_text {
    use proptest::prelude::*;

    use super::{parse, programs, shown};
    use crate::diag::render;
    use crate::source::{FileId, Sources};

    /// Pieces of the language in any order.
    fn soup() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "let ", "fn ", "param ", "import ", "table ", "claim ", "test ", "expect ", "sweep ", "for ", "if ",
            "else ", "in ", "x", "y ", "Int", "12", "3ep", "20%", "0.5", "\"s\"", "\"", "'", "(", ")", "[", "]", "{",
            "}", ",", ":", "=", "=>", "->", "|>", "..", ".", "+", "-", "not ", "and ", "\n", "\n  ", " ", "//", "///",
            "//!", "#", ";", "é", "≤", "“", "\u{1}", "\u{feff}", "\r\n", "\t", "\\", "%", "&&", "return ", "None",
            "/*", "\"\"\"",
        ]);
        prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
    }

    fn check(text: &str) {
        let (file, diagnostics) = parse(text);
        let mut sources = Sources::default();
        sources.add("t.pd", None, text);
        let _ = render::fancy(&diagnostics, &sources, render::Style::PLAIN);
        if diagnostics.is_empty() {
            let once = super::super::print(&file, text);
            let (again, found) = parse(&once);
            assert!(found.is_empty(), "{text:?}\n{once}\n{}", shown(&once, &found));
            assert_eq!(super::bare(&file), super::bare(&again), "{text:?}\n{once}");
            assert_eq!(once, super::super::print(&again, &once), "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn never_panics(text in any::<String>()) {
            check(&text);
        }

        #[test]
        fn soup_never_panics(text in soup()) {
            check(&text);
        }

        #[test]
        fn mutated_programs_never_panic(which in 0usize..1000, at in 0.0f64..1.0, length in 0usize..40, insert in soup()) {
            let programs = programs();
            let (_, text) = &programs[which % programs.len()];
            let floor = |mut at: usize| {
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let start = floor((at * text.len() as f64) as usize);
            let end = floor((start + length).min(text.len()));
            let mutated = format!("{}{insert}{}", &text[..start], &text[end.max(start)..]);
            check(&mutated);
        }
    }

    #[test]
    fn repairs_keep_offsets() {
        for text in [
            "let x = 'café",
            "let x = 'café\nlet y = 1",
            "let x = '“",
            "let x = ['≤]",
            "let x = 'a\"é'",
            "let x = \"\\é",
        ] {
            let source = super::super::Source::new(FileId(0), text);
            assert_eq!(source.repaired.len(), text.len(), "{text:?} became {:?}", source.repaired);
            assert_ne!(source.repaired, text, "{text:?} needs a repair");
            check(text);
        }
    }

    #[test]
    fn a_doc_comment_behind_a_declaration_is_a_comment() {
        let text = "let a = 1 /// behind\n/// above\nlet b = 1";
        check(text);
        check("let a = {\n  ///! inside\n  //!! inside\n  1\n}");
        let (file, _) = parse(text);
        assert_eq!(file.items[1].docs, ["above"]);
    }

    #[test]
    fn depth_and_length_are_bounded() {
        for (open, close) in
            [("(", ")"), ("[", "]"), ("{ a: ", " }"), ("{ ", " }"), ("f(", ")"), ("if a { ", " } else { 1 }")]
        {
            for depth in [100, 240, 300, 20_000] {
                let text = format!("let x = {}1{}", open.repeat(depth), close.repeat(depth));
                let (_, diagnostics) = parse(&text);
                assert_eq!(diagnostics.is_empty(), depth <= 240, "{open} {depth}: {:?}", diagnostics.first());
            }
        }
        for (piece, end) in [
            ("a + ", "1"),
            ("not ", "a"),
            ("-", "1"),
            ("x => ", "1"),
            ("if a { 1 } else ", "{ 1 }"),
            ("a |> ", "f"),
            ("2 ^ ", "1"),
        ] {
            for count in [100, 10_000] {
                let text = format!("let x = {}{end}", piece.repeat(count));
                let (_, diagnostics) = parse(&text);
                assert_eq!(diagnostics.is_empty(), count == 100, "{piece} {count}: {:?}", diagnostics.first());
            }
        }
        for piece in [".a", "()", "[1]"] {
            let (_, diagnostics) = parse(&format!("let x = a{}", piece.repeat(10_000)));
            assert_eq!(diagnostics.len(), 1);
        }
        let (_, diagnostics) = parse(&format!("fn f(x: {}Int) -> Int", "Int -> ".repeat(10_000)));
        assert_eq!(diagnostics.len(), 1);
    }
}
