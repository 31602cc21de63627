//! The messages of this room: one small function each.

use crate::diag::codes::syntax as codes;
use crate::diag::{Code, Diagnostic, foreign, suggest};
use crate::source::Span;
use crate::syntax::tree::{BinaryOp, Unit};
use crate::syntax::words;

fn one(code: &'static Code, message: impl Into<String>, span: Span, label: &str) -> Diagnostic {
    Diagnostic::error(code, message).label(span, label)
}

pub(super) fn hash_comment(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "A comment begins with `//`, not with `#`", span, "this starts no comment")
        .help("write `//`")
        .in_place_of(span)
}

/// `#!/usr/bin/env …` in the first line.
pub(super) fn interpreter_line(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "A program does not name its interpreter", span, "not part of a program")
        .help("remove the line, and run the file with `pdsl run`")
}

/// `#[derive(…)]`.
pub(super) fn attribute(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "There are no attributes", span, "not part of a program").help("remove the line")
}

pub(super) fn block_comment(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "There are no `/* … */` comments", span, "a comment ends with its line")
        .help("begin each line of the comment with `//`")
}

pub(super) fn semicolon(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "Nothing ends with `;`", span, "not needed").help("remove the `;`").in_place_of(span)
}

pub(super) fn separator(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "Parts are separated by `,`, not by `;`", span, "not `;`")
        .help("write `,`")
        .in_place_of(span)
}

pub(super) fn single_quotes(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "A string is written in double quotes", span, "single quotes").help("write `\"text\"`")
}

/// Adds the same string in straight double quotes.
pub(super) fn straight_quotes(diagnostic: Diagnostic, span: Span, inner: &str) -> Diagnostic {
    if inner.contains(['"', '\\']) {
        return diagnostic;
    }
    let text = format!("\"{inner}\"");
    let shown = if text.len() <= 48 { text.as_str() } else { "\"…\"" };
    diagnostic.help(format!("write `{shown}`")).fix(span, text)
}

pub(super) fn typographic_quotes(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_CHARACTER, "A string is written in straight double quotes", span, "typographic quotes")
        .help("write `\"text\"`")
}

pub(super) fn long_string(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "There are no strings over several lines", span, "begins here")
        .help("write `\"…\"` on one line, with `\\n` for a line break; documentation goes into `///` lines")
}

/// A text that describes what stands around it, or the file; `function` is the name of a function around it.
pub(super) fn docstring(span: Span, text: &str, function: Option<&str>, top: bool) -> Diagnostic {
    let first = text.trim().lines().next().unwrap_or_default().trim();
    let first = if first.is_empty() || first.len() > 70 { "…" } else { first };
    let help = match function {
        Some(name) => format!("write `/// {first}` on a line before `fn {name}`"),
        None if top => format!("write `//! {first}` at the top of the file"),
        None => format!("write `/// {first}` on a line before what it describes"),
    };
    one(&codes::FOREIGN_WORD, "Documentation stands in lines with `///` before what it describes", span, "a text")
        .help(help)
}

pub(super) fn unterminated_string(span: Span) -> Diagnostic {
    one(&codes::UNTERMINATED_STRING, "A string does not end on its line", span, "begins here and does not end")
        .help("close it with `\"`")
}

pub(super) fn truth(span: Span, word: &str, right: &str) -> Diagnostic {
    one(&codes::FOREIGN_WORD, format!("`{word}` is written `{right}`"), span, "capitals of another language")
        .help(format!("write `{right}`"))
        .in_place_of(span)
}

fn nothing(span: Span, word: &str, help: impl Into<String>) -> Diagnostic {
    one(&codes::FOREIGN_WORD, format!("There is no `{word}`"), span, "not a value here").help(help)
}

pub(super) fn missing_value(span: Span, word: &str) -> Diagnostic {
    nothing(span, word, "leave it out, or give a value that says what is meant")
}

/// `keep: List[Str] = None`; `whole` are the sign and the word.
pub(super) fn missing_default(span: Span, whole: Span, word: &str, ty: &str) -> Diagnostic {
    let optional = ty.starts_with("Optional");
    let ty = ty.strip_prefix("Optional[").and_then(|ty| ty.strip_suffix(']')).unwrap_or(ty);
    if ty.starts_with("List") || ty.starts_with("list") {
        return nothing(span, word, "write `[]`").in_place_of(span);
    }
    let help =
        format!("remove ` = {word}`, so that every call gives it, or write a value of `{ty}` that says what is meant");
    let found = nothing(span, word, help);
    if optional { found } else { found.fix(whole, "") }
}

/// `warmup: None` in a call; `whole` is the argument with its comma.
pub(super) fn missing_argument(span: Span, whole: Span, word: &str, label: &str) -> Diagnostic {
    nothing(span, word, format!("leave the argument `{label}` out")).fix(whole, "")
}

/// `{ mask: None }`.
pub(super) fn missing_field(span: Span, word: &str, field: &str) -> Diagnostic {
    let help = format!("give `{field}` a value that says what is meant, or leave `{field}` out of every record");
    nothing(span, word, help)
}

pub(super) fn return_word(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "There is no `return`: the last expression of a block is its value", span, "not needed")
        .help("remove `return`")
        .in_place_of(span)
}

pub(super) fn odd_blank(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_CHARACTER, "An invisible character stands between the words", span, "here")
        .help("replace it with a blank")
        .fix(span, " ")
}

pub(super) fn look_alike(span: Span, found: char, right: &str) -> Diagnostic {
    one(&codes::FOREIGN_CHARACTER, format!("`{found}` is not an operator"), span, "looks like an operator")
        .help(format!("write `{right}`"))
        .in_place_of(span)
}

pub(super) fn foreign_name(span: Span, found: &str) -> Diagnostic {
    one(&codes::FOREIGN_CHARACTER, format!("`{found}` has letters that a name cannot have"), span, "not `a` to `z`")
        .help("names are made of the letters `a` to `z`, `A` to `Z`, digits and `_`; strings and comments are free")
}

pub(super) fn foreign_character(span: Span, found: char) -> Diagnostic {
    let shown = if found.is_control() { format!("U+{:04X}", found as u32) } else { found.to_string() };
    one(&codes::FOREIGN_CHARACTER, format!("The character `{shown}` means nothing here"), span, "unknown character")
        .help("remove it, or put it into a string or a comment")
}

pub(super) fn unclosed(open: u8, span: Span, missed: Span) -> Diagnostic {
    let (open, close) = (open as char, partner(open) as char);
    Diagnostic::error(&codes::UNCLOSED, format!("`{open}` is never closed"))
        .label(span, "opened here")
        .label(missed, format!("`{close}` is missing before this"))
        .help(format!("add `{close}`"))
}

pub(super) fn mismatched(open: u8, span: Span, close: u8, at: Span) -> Diagnostic {
    let (open, right, close) = (open as char, partner(open) as char, close as char);
    Diagnostic::error(&codes::MISMATCHED, format!("`{open}` is closed by `{close}`"))
        .label(at, format!("should be `{right}`"))
        .label(span, "opened here")
        .help(format!("write `{right}`, or close the other brackets first"))
        .in_place_of(at)
}

pub(super) fn closes_nothing(close: u8, at: Span) -> Diagnostic {
    let close = close as char;
    one(&codes::MISMATCHED, format!("`{close}` closes nothing"), at, "no bracket is open here")
        .help(format!("remove the `{close}`, or open it earlier"))
        .in_place_of(at)
}

pub(super) fn too_deep(span: Span) -> Diagnostic {
    one(&codes::TOO_DEEP, "The text is nested more than 256 deep", span, "too deep").help("name inner parts with `let`")
}

pub(super) fn too_long(span: Span) -> Diagnostic {
    one(&codes::TOO_DEEP, "The expression chains more than 256 parts", span, "too long")
        .help("name inner parts with `let`")
}

pub(super) fn late_module_doc(span: Span) -> Diagnostic {
    one(&codes::STRAY, "`//!` describes the whole file and stands at its top", span, "too late")
        .help("write `///` for the next declaration, or `//` for a remark")
}

/// Text at top level that no declaration begins.
pub(super) fn stray(word: &str, next: &str, span: Span) -> Diagnostic {
    if matches!(next, "=" | ":=") {
        return one(&codes::STRAY, format!("`{word}` gets a value without `let`"), span, "no declaration begins so")
            .help(format!("write `let {word} = …`"))
            .fix(span, format!("let {word}"));
    }
    let help = suggest::question(word, words::DECLARATIONS).unwrap_or_else(|| {
        "a declaration begins with `import`, `param`, `let`, `fn`, `table`, `plot`, `claim`, `expect` or `test`"
            .to_owned()
    });
    one(&codes::STRAY, format!("`{word}` does not begin a declaration"), span, "expected a new declaration")
        .help(help)
        .in_place_of(span)
}

pub(super) fn foreign_operator(span: Span, found: &str, right: &str) -> Diagnostic {
    one(&codes::FOREIGN_OPERATOR, format!("`{found}` is written `{right}`"), span, format!("not `{found}`").as_str())
        .help(format!("write `{right}`"))
        .in_place_of(span)
}

/// `:=` inside a value.
pub(super) fn walrus(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_OPERATOR, "Nothing is named inside a value", span, "not `:=`")
        .help("write `let name = …` on a line before it, and use the name here")
}

/// `1...3`.
pub(super) fn three_points(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_OPERATOR, "Ranges are written `a..b`, or `a..=b` with their end", span, "three points")
        .help("write `..=`")
}

/// `{ ...base }`.
pub(super) fn three_point_spread(span: Span) -> Diagnostic {
    let message = "A record takes the fields of another by `..`";
    one(&codes::FOREIGN_OPERATOR, message, span, "three points").help("write `..`").in_place_of(span)
}

pub(super) fn formatted(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_OPERATOR, "Texts are not built from parts: there is no `%` behind them", span, "a unit in pdsl")
        .help("write one text, and give each value a field of its own: `round: s.round`")
}

/// `a % b`; `whole` is all of it.
pub(super) fn modulo(span: Span, whole: Span, a: &str, b: &str) -> Diagnostic {
    let text = format!("mod({a}, {b})");
    let found = one(&codes::FOREIGN_OPERATOR, "`%` is a unit, not an operator", span, "here it would be an operator")
        .help(format!("write `{text}` for the remainder, or `20%` without a blank for a percentage"));
    if text.contains('…') { found } else { found.fix(whole, text) }
}

pub(super) fn equation_label(span: Span, label: &str, value: &str, record: bool) -> Diagnostic {
    let what = if record { "A field of a record" } else { "A named argument" };
    let value = if value.len() <= 40 && !value.contains('\n') { value } else { "…" };
    one(&codes::FOREIGN_OPERATOR, format!("{what} is written with `:`"), span, "not `=`")
        .help(format!("write `{label}: {value}`"))
        .fix(span, ":")
}

pub(super) fn colon_body(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "The body of a loop stands in braces", span, "not `:`").help("write `{ … }`")
}

pub(super) fn mutable(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "Nothing is mutable", span, "not needed")
        .help("remove `mut`; use `fold` or `iterate` where a value develops")
        .in_place_of(span)
}

pub(super) fn elif(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "`elif` is written `else if`", span, "two words")
        .help("write `else if`")
        .in_place_of(span)
}

/// `fn f(x: Int) -> Int = x`; `whole` goes from the sign to the end.
pub(super) fn equation_body(span: Span, whole: Span, text: &str) -> Diagnostic {
    let body = text.trim_start_matches('=').trim();
    let shown = if body.len() <= 90 && !body.contains('\n') { body } else { "…" };
    one(&codes::FOREIGN_WORD, "The body of a function stands in braces", span, "not `= …`")
        .help(format!("write `{{ {shown} }}`"))
        .fix(whole, format!("{{ {body} }}"))
}

/// A head of a loop with `range(n)` as `0..n`.
fn ranged(head: &str) -> String {
    let parts = head.split_once(" range(").and_then(|(front, rest)| Some((front, rest.split_once(')')?)));
    match parts {
        Some((front, (bounds, back))) if !bounds.contains('(') => match bounds.split_once(',') {
            None => format!("{front} 0..{}{back}", bounds.trim()),
            Some((start, end)) if !end.contains(',') => format!("{front} {}..{}{back}", start.trim(), end.trim()),
            Some(_) => head.to_owned(),
        },
        _ => head.to_owned(),
    }
}

/// `[value for x in xs]`; `list` are the brackets with what is in them.
pub(super) fn comprehension(span: Span, list: Span, value: &str, rest: &str) -> Diagnostic {
    let text = format!("{} {{ {value} }}", ranged(rest.trim()));
    let whole = if value.len() + rest.len() <= 140 && !(value.contains('\n') || rest.contains('\n')) {
        text.as_str()
    } else {
        "for x in xs { … }"
    };
    one(&codes::FOREIGN_WORD, "A list is built with `for` in front", span, "this belongs before the value")
        .help(format!("write `{whole}`, without the brackets"))
        .fix(list, text)
}

/// `a < b < c`; `texts` are `a < b`, `b` and `c`, `op` stands between the last two.
pub(super) fn chained_comparison(
    (first, second): (Span, Span),
    whole: Span,
    op: BinaryOp,
    texts: [&str; 3],
) -> Diagnostic {
    let [start, middle, end] = texts;
    let right = format!("{start} and {middle} {} {end}", op.symbol());
    Diagnostic::error(&codes::CHAINED_COMPARISON, "Comparisons cannot be chained")
        .label(second, "compares the result of a comparison")
        .label(first, "which is this one")
        .help(format!("write `{right}`"))
        .in_place_of(whole)
}

pub(super) fn unknown_unit(span: Span, number: &str, suffix: &str) -> Diagnostic {
    if foreign::is_type_suffix(suffix) {
        let ty = if number.contains('.') || suffix.starts_with(['f', 'F', 'd']) { "Float" } else { "Int" };
        let plain = if ty == "Float" && !number.contains('.') { format!("{number}.0") } else { number.to_owned() };
        return one(&codes::UNKNOWN_UNIT, "A number has no type at its end", span, "a type of another language")
            .help(format!("write `{plain}`"));
    }
    if let Some(value) = counted(number, suffix) {
        return one(&codes::UNKNOWN_UNIT, format!("`{number}{suffix}` is no number"), span, "written in full here")
            .help(format!("write `{value}`"));
    }
    let message = format!("`{suffix}` is not a unit");
    let diagnostic = one(&codes::UNKNOWN_UNIT, message, span, "unknown unit");
    match near_unit(suffix) {
        Some(unit) => diagnostic.help(format!("write `{number}{}`", unit.suffix())).in_place_of(span),
        None => {
            diagnostic.help("the units are `%`, `pp`, `ep`, `it`, `img`, `MB`, `MiB`, `GB`, `GiB`, `s`, `min`, `h`")
        }
    }
}

/// The value of `10k`, `2M` or `0x10`.
fn counted(number: &str, suffix: &str) -> Option<String> {
    let (kind, digits) = suffix.split_at_checked(1)?;
    let radix = match kind {
        "x" => 16,
        "b" => 2,
        "o" => 8,
        _ => 0,
    };
    if number == "0" && radix > 0 {
        return u64::from_str_radix(&digits.replace('_', ""), radix).ok().map(|value| value.to_string());
    }
    let zeros = match suffix {
        "k" | "K" => "000",
        "M" => "000_000",
        _ => return None,
    };
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("{number}_{zeros}"))
}

/// Tells whether a word is a unit.
pub(super) fn is_unit(word: &str) -> bool {
    Unit::ALL.iter().any(|unit| unit.suffix() == word)
}

/// Returns the unit that a word means.
pub(super) fn near_unit(suffix: &str) -> Option<Unit> {
    Some(match suffix.to_ascii_lowercase().as_str() {
        "e" | "epoch" | "epochs" | "eps" | "epo" => Unit::Epochs,
        "i" | "its" | "iter" | "iters" | "iteration" | "iterations" | "step" | "steps" | "batches" => Unit::Iterations,
        "image" | "images" | "imgs" | "samples" | "examples" => Unit::Images,
        "percent" | "pct" | "perc" => Unit::Percent,
        "points" | "pt" | "pts" | "ppt" | "percentage_points" => Unit::Points,
        "sec" | "secs" | "second" | "seconds" => Unit::Seconds,
        "m" | "mins" | "minute" | "minutes" => Unit::Minutes,
        "hr" | "hrs" | "hour" | "hours" => Unit::Hours,
        "gb" | "g" => Unit::Gigabytes,
        "mb" => Unit::Megabytes,
        "gib" => Unit::Gibibytes,
        "mib" => Unit::Mebibytes,
        _ => return None,
    })
}

pub(super) fn bare_point(span: Span, text: &str) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "A number begins with a digit", span, "begins with a point")
        .help(format!("write `0{text}`"))
        .in_place_of(span)
}

pub(super) fn number_range(span: Span) -> Diagnostic {
    one(&codes::NUMBER_RANGE, "The number is too large or too precise to be held exactly", span, "cannot be held")
        .help("write fewer digits")
}

/// A value followed by `// 2`, which other languages read as a division.
pub(super) fn comment_division(span: Span, whole: Span, left: &str, right: &str) -> Diagnostic {
    let message = format!("`// {right}` is a comment, not a division: the value is `{left}` alone");
    Diagnostic::warning(&codes::COMMENT_DIVISION, message)
        .label(span, "a comment")
        .label(whole, "the value")
        .help(format!("write `floor({left} / {right})`, or put the comment on a line of its own"))
}

/// A bracket that is closed inside a comment only.
pub(super) fn commented_bracket(comment: Span, open: u8, opened: Span) -> Diagnostic {
    let close = partner(open) as char;
    Diagnostic::error(
        &codes::COMMENT_DIVISION,
        format!("`//` begins a comment, and the `{close}` in it closes nothing"),
    )
    .label(comment, "skipped up to the end of the line")
    .label(opened, "never closed")
    .help("write `floor(a / b)` for a division of whole numbers")
}

/// A construct that ends too early.
pub(super) fn incomplete(message: &str, span: Span, label: &str, help: &str) -> Diagnostic {
    one(&codes::INCOMPLETE, message, span, label).help(help)
}

pub(super) fn keyword_as_name(span: Span, word: &str) -> Diagnostic {
    one(&codes::UNEXPECTED, format!("`{word}` is a word of the language and cannot be a name"), span, "expected a name")
        .help(format!("choose another name, such as `{word}_`"))
}

/// Returns the closing bracket of an opening one.
pub(super) const fn partner(open: u8) -> u8 {
    match open {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}

/// Something stands where something else was expected; `found` is empty at the end of a declaration.
pub(super) fn unexpected(span: Span, found: &str, expected: &[String]) -> Diagnostic {
    let wanted = match expected {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    };
    let shown = if found.is_empty() { "the end of the declaration".to_owned() } else { format!("`{found}`") };
    let message = if wanted.is_empty() {
        format!("{shown} cannot stand here")
    } else {
        format!("expected {wanted}, found {shown}")
    };
    let label = if wanted.is_empty() { "not expected".to_owned() } else { format!("expected {wanted}") };
    one(&codes::UNEXPECTED, message, span, &label)
}

pub(super) fn no_such_scalar(span: Span, digits: &str) -> Diagnostic {
    one(&codes::FOREIGN_CHARACTER, format!("`\\u{{{digits}}}` is no character"), span, "in this string")
        .help("give the hexadecimal number of a Unicode character, such as `\\u{e9}`")
}
