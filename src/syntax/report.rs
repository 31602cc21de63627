//! The messages of this room: one small function each.

use crate::diag::codes::syntax as codes;
use crate::diag::{Code, Diagnostic, suggest};
use crate::source::Span;
use crate::syntax::tree::Unit;
use crate::syntax::words;

fn one(code: &'static Code, message: impl Into<String>, span: Span, label: &str) -> Diagnostic {
    Diagnostic::error(code, message).label(span, label)
}

pub(super) fn hash_comment(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "A comment begins with `//`, not with `#`", span, "this starts no comment")
        .help("write `//`")
        .in_place_of(span)
}

pub(super) fn block_comment(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "There are no `/* … */` comments", span, "a comment ends with its line")
        .help("begin each line of the comment with `//`")
}

pub(super) fn semicolon(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "Nothing ends with `;`", span, "not needed").help("remove the `;`").in_place_of(span)
}

pub(super) fn single_quotes(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "A string is written in double quotes", span, "single quotes").help("write `\"text\"`")
}

/// Adds the same string in straight double quotes.
pub(super) fn straight_quotes(diagnostic: Diagnostic, span: Span, inner: &str) -> Diagnostic {
    if inner.contains(['"', '\\']) { diagnostic } else { diagnostic.fix(span, format!("\"{inner}\"")) }
}

pub(super) fn typographic_quotes(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_CHARACTER, "A string is written in straight double quotes", span, "typographic quotes")
        .help("write `\"text\"`")
}

pub(super) fn long_string(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "There are no strings over several lines", span, "begins here")
        .help("write `\"…\"` on one line, with `\\n` for a line break; documentation goes into `///` lines")
}

pub(super) fn unterminated_string(span: Span) -> Diagnostic {
    one(&codes::UNTERMINATED_STRING, "A string does not end on its line", span, "begins here and does not end")
        .help("close it with `\"`")
}

pub(super) fn python_constant(span: Span, word: &str, right: &str) -> Diagnostic {
    if right.is_empty() {
        return one(&codes::FOREIGN_WORD, format!("There is no `{word}`"), span, "not a value here")
            .help("leave the argument out, or give a value that says what is meant");
    }
    one(&codes::FOREIGN_WORD, format!("`{word}` is written {right}"), span, "capitals of another language")
        .help(format!("write {right}"))
        .in_place_of(span)
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
    let habit = match word {
        "def" | "func" | "function" | "fun" => {
            Some(("A function begins with `fn`", "write `fn name(x: Int) -> Int { … }`"))
        }
        "from" => Some(("An import names the module first", "write `import module.{name}`")),
        "use" | "using" | "include" | "require" => {
            Some(("A module is brought in by `import`", "write `import module.{name}`"))
        }
        "const" | "var" | "val" | "static" | "set" => Some(("A value is named with `let`", "write `let name = …`")),
        "return" => Some(("There is no `return`", "give the value a name: `let name = …`")),
        "class" | "struct" | "enum" | "type" | "impl" | "trait" => {
            Some(("There are no type declarations", "use records: `{ name: value }`"))
        }
        "for" | "sweep" | "if" => Some(("A value at top level needs a name", "write `let name = …` before it")),
        "while" | "loop" => {
            Some(("There are no loops that repeat a statement", "use `for x in xs { … }` or `iterate(…)` as a value"))
        }
        "print" | "println" | "echo" => {
            Some(("Nothing is printed from a program", "use `table name = …` or `plot name = …`"))
        }
        "assert" => Some(("A condition is demanded by `expect`", "write `expect condition`")),
        _ => None,
    };
    if let Some((message, help)) = habit {
        return one(&codes::FOREIGN_WORD, message, span, "not a word of the language").help(help);
    }
    match next {
        "=" | ":=" => {
            one(&codes::STRAY, format!("`{word}` gets a value without `let`"), span, "no declaration begins so")
                .help(format!("write `let {word} = …`"))
                .fix(span, format!("let {word}"))
        }
        ":" => one(&codes::STRAY, format!("`{word}:` belongs to no declaration"), span, "no declaration begins so")
            .help(format!("write `let {word} = …`, or `param {word}: Type = …` if it is to be set from outside")),
        _ => {
            let message = format!("`{word}` does not begin a declaration");
            let help = suggest::question(word, words::DECLARATIONS).unwrap_or_else(|| {
                "a declaration begins with `import`, `param`, `let`, `fn`, `table`, `plot`, `claim`, `expect` or `test`"
                    .to_owned()
            });
            one(&codes::STRAY, message, span, "expected a new declaration").help(help).in_place_of(span)
        }
    }
}

pub(super) fn foreign_operator(span: Span, found: &str, right: &str) -> Diagnostic {
    one(&codes::FOREIGN_OPERATOR, format!("`{found}` is written `{right}`"), span, format!("not `{found}`").as_str())
        .help(format!("write `{right}`"))
        .in_place_of(span)
}

pub(super) fn modulo(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_OPERATOR, "`%` is a unit, not an operator", span, "here it would be an operator")
        .help("write `mod(a, b)` for the remainder, or `20%` without a blank for a percentage")
}

pub(super) fn equation_label(span: Span, label: &str, record: bool) -> Diagnostic {
    let what = if record { "A field of a record" } else { "A named argument" };
    one(&codes::FOREIGN_OPERATOR, format!("{what} is written with `:`"), span, "not `=`")
        .help(format!("write `{label}: …`"))
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

pub(super) fn equation_body(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "The body of a function stands in braces", span, "not `= …`").help("write `{ … }`")
}

pub(super) fn comprehension(span: Span) -> Diagnostic {
    one(&codes::FOREIGN_WORD, "A list is built with `for` in front", span, "this belongs before the value")
        .help("write `for x in xs { … }`, without the brackets")
}

pub(super) fn chained_comparison(first: Span, second: Span) -> Diagnostic {
    Diagnostic::error(&codes::CHAINED_COMPARISON, "Comparisons cannot be chained")
        .label(second, "compares the result of a comparison")
        .label(first, "which is this one")
        .help("write `a < b and b < c`")
}

pub(super) fn unknown_unit(span: Span, number: &str, suffix: &str) -> Diagnostic {
    let message = format!("`{suffix}` is not a unit");
    let diagnostic = one(&codes::UNKNOWN_UNIT, message, span, "unknown unit");
    match near_unit(suffix) {
        Some(unit) => diagnostic.help(format!("write `{number}{}`", unit.suffix())).in_place_of(span),
        None => {
            diagnostic.help("the units are `%`, `pp`, `ep`, `it`, `img`, `MB`, `MiB`, `GB`, `GiB`, `s`, `min`, `h`")
        }
    }
}

fn near_unit(suffix: &str) -> Option<Unit> {
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
