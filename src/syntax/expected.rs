//! Turns what the recogniser tried at the place of failure into words of the user: "an operator", "a value".

use pest::error::{Error, InputLocation};

use super::parse::{Failure, Rule};
use super::report;
use super::words::{self, is_word_byte};
use crate::source::{FileId, Span};

/// Describes a failure inside `text[start..end]`.
pub(super) fn describe(error: &Error<Rule>, file: FileId, text: &str, start: usize, end: usize) -> Failure {
    let attempts = error.parse_attempts();
    let reached = match (&attempts, error.location.clone()) {
        (Some(attempts), _) => attempts.max_position,
        (None, InputLocation::Pos(at) | InputLocation::Span((at, _))) => at,
    };
    let (wanted, stacks) = match &attempts {
        Some(attempts) => (attempts.expected_tokens(), attempts.call_stacks()),
        None => (Vec::new(), Vec::new()),
    };
    let tokens: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let (from, to, at_end) = found(text, (start + reached).min(end), start, end);
    let span = Span::new(file, from, to);
    if let pest::error::ErrorVariant::CustomError { .. } = &error.variant {
        return Failure { at: from, diagnostic: report::too_deep(span) };
    }
    let rules: Vec<Rule> =
        stacks.iter().flat_map(|stack| stack.parent.into_iter().chain(stack.deepest.get_rule().copied())).collect();
    let touches = ends_in_name(&text[start..(start + reached).min(end)]);
    let families = families(&tokens, &rules, touches);
    let what = if at_end { "" } else { &text[from..to] };
    // A keyword where a name belongs: the recogniser gets past its letters before it refuses it.
    if families == ["a name"]
        && let Some(keyword) = keyword_before(text, start, from)
    {
        return Failure {
            at: keyword.0,
            diagnostic: report::keyword_as_name(Span::new(file, keyword.0, keyword.1), &text[keyword.0..keyword.1]),
        };
    }
    if let Some(diagnostic) = incomplete(text, (start, from), span, what, &families) {
        return Failure { at: from, diagnostic };
    }
    let advice = advice(text, start, (from, to), what, &families);
    let diagnostic = report::unexpected(span, what, &families);
    let diagnostic = match missing(advice.as_deref(), what) {
        // Right behind what stands before it.
        Some(added) => {
            let end = start + text[start..from].trim_end().len();
            diagnostic.fix(Span::new(file, end, end), added)
        }
        None => diagnostic,
    };
    Failure { at: from, diagnostic: advice.into_iter().fold(diagnostic, crate::diag::Diagnostic::help) }
}

/// The token at a place: past blanks and comments, whole words; at the end, the last character before it.
fn found(text: &str, at: usize, start: usize, end: usize) -> (usize, usize, bool) {
    let bytes = text.as_bytes();
    let mut from = at;
    while from > start && from < end && is_word_byte(bytes[from]) && is_word_byte(bytes[from - 1]) {
        from -= 1;
    }
    loop {
        while from < end && bytes[from].is_ascii_whitespace() {
            from += 1;
        }
        if !text[from..end].starts_with("//") {
            break;
        }
        from += text[from..end].find('\n').unwrap_or(end - from);
    }
    if from >= end {
        let last = text[start..end].trim_end().char_indices().next_back().map_or(start, |(at, _)| start + at);
        return (last, end.max(last + 1), true);
    }
    let rest = &text[from..end];
    let length = if is_word_byte(bytes[from]) {
        rest.bytes().position(|byte| !is_word_byte(byte)).unwrap_or(rest.len())
    } else {
        rest.chars().next().map_or(1, char::len_utf8)
    };
    (from, from + length, false)
}

/// Whether a text ends in a name that is no keyword.
fn ends_in_name(text: &str) -> bool {
    let word = text.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or("");
    !word.is_empty() && !words::is_keyword(word)
}

/// The keyword that ends right before a place, if there is one.
fn keyword_before(text: &str, start: usize, from: usize) -> Option<(usize, usize)> {
    let before = text[start..from].trim_end();
    let word = before.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next()?;
    let at = start + before.len() - word.len();
    // The first word of a declaration is a keyword by right.
    let earlier = text[start..at].trim_end();
    let named = words::DECLARATIONS.iter().any(|keyword| *keyword != "expect" && earlier.ends_with(keyword));
    let own_role = matches!(word, "let" | "fn" | "in" | "as" | "for" | "sweep");
    (words::is_keyword(word) && at > start && (named && word != "let" && word != "fn" || !own_role))
        .then_some((at, at + word.len()))
}

/// Families of tokens in the order in which they are named, at most four.
///
/// `touches`: the place follows a name directly, so letters are tried there only to make that name longer.
fn families(tokens: &[String], rules: &[Rule], touches: bool) -> Vec<String> {
    let has = |token: &str| tokens.iter().any(|other| other == token);
    let value = has("sweep") || has("true");
    let operator = has("|>") || has("==");
    if has("import") && has("param") && !value {
        return vec!["a new declaration".to_owned()];
    }
    let name = tokens.iter().any(|token| token == "a..z" || token == "_");
    let ty =
        name && rules.iter().any(|rule| matches!(rule, Rule::ty_named | Rule::ty_group | Rule::ty_record | Rule::ty));
    let mut named: Vec<String> = Vec::new();
    let mut add = |family: String| {
        if !named.contains(&family) {
            named.push(family);
        }
    };
    for token in tokens {
        match token.as_str() {
            ":" | "," | ")" | "]" | "}" | "in" | "else" | "as" | "where" => add(format!("`{token}`")),
            "=" if !operator => add("`=`".to_owned()),
            "{" | "(" | "if" if !value && !operator && !name => add(format!("`{token}`")),
            "\"" if !value => add("a string".to_owned()),
            "=>" | "->" if !value && !operator => add(format!("`{token}`")),
            _ => {}
        }
    }
    if ty && !touches {
        add("a type".to_owned());
    } else if value {
        add("a value".to_owned());
    } else if operator {
        add("an operator".to_owned());
    } else if name && !touches {
        add("a name".to_owned());
    }
    if named.is_empty() {
        named.extend(tokens.iter().filter(|token| words::is_declaration(token)).map(|token| format!("`{token}`")));
    }
    named.truncate(4);
    named
}

/// What the advice adds before the token that was found, if it does.
fn missing(advice: Option<&str>, found: &str) -> Option<&'static str> {
    let advice = advice?;
    let asks = |what: &str| advice == format!("is {what} missing before `{found}`?");
    if asks("a comma") {
        Some(",")
    } else if asks("`=`") {
        Some(" =")
    } else if advice.starts_with("write `") && advice.ends_with(&format!(": {found}`")) {
        Some(":")
    } else {
        None
    }
}

/// Says what is missing where a construct ends too early.
fn incomplete(
    text: &str,
    (start, from): (usize, usize),
    span: Span,
    found: &str,
    families: &[String],
) -> Option<crate::diag::Diagnostic> {
    let wants = |family: &str| families.iter().any(|other| other == family);
    if wants("`else`") {
        let help = "say what it is otherwise: write `else { … }`";
        return Some(report::incomplete("An `if` is a value and has an `else`", span, "no `else` before this", help));
    }
    (found == "}" && wants("a value") && text[start..from].contains("let")).then(|| {
        let help = "write its value after the last `let`";
        report::incomplete("A block ends with its value", span, "no value before this", help)
    })
}

/// How the declaration at the beginning of a text is written.
fn form(text: &str) -> Option<String> {
    let word = text.split(|c: char| !c.is_ascii_alphabetic()).next()?;
    let form = match word {
        "import" => "import std.prune.{imp}",
        "param" => "param rounds: Int = 3 where rounds >= 1",
        "let" | "pub" => "let name = value",
        "fn" => "fn name(x: Int) -> Int { value }",
        "table" => "table name = rows",
        "plot" => "plot name = line(rows, x: .sparsity, y: .top1)",
        "claim" => "claim name \"what it says\" = not_worse(…)",
        "expect" => "expect condition",
        "test" => "test \"what it shows\" { expect condition }",
        _ => return None,
    };
    let article = if matches!(word, "import" | "expect") { "an" } else { "a" };
    let word = if word == "pub" { "let" } else { word };
    Some(format!("{article} `{word}` has the form `{form}`"))
}

/// What to do, where the text around the place says it.
fn advice(text: &str, start: usize, (from, to): (usize, usize), found: &str, families: &[String]) -> Option<String> {
    let wants = |family: &str| families.iter().any(|other| other == family);
    let before = text[start..from.max(start)].trim_end();
    let previous = before.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or("");
    let begins_value = found.bytes().next().is_some_and(|byte| is_word_byte(byte) || matches!(byte, b'"' | b'.'));
    if found == ":" && wants("`}`") && previous.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Some(format!("a record inside a block has braces of its own: `{{ {{ {previous}: … }} }}`"));
    }
    if found == ":" && wants("`{`") {
        return Some("the body stands in braces: `{ … }`".to_owned());
    }
    if wants("`{`") && begins_value {
        return Some("the body stands in braces: `{ … }`".to_owned());
    }
    if found == "%" {
        return Some("a percentage has no blank before `%`: `20%`".to_owned());
    }
    if wants("`in`") && begins_value {
        return Some(format!("write `{previous} in …`"));
    }
    if wants("`:`") && begins_value && !previous.is_empty() {
        return Some(format!("write `{previous}: {}`", &text[from..to]));
    }
    if wants("`,`") && begins_value {
        return Some(format!("is a comma missing before `{found}`?"));
    }
    if wants("`=`") && begins_value {
        return Some(format!("is `=` missing before `{found}`?"));
    }
    match open_bracket(&text[start..from.max(start)]) {
        None => form(&text[start..]),
        Some(_) if wants("a value") && !found.is_empty() && !begins_value => {
            Some(format!("write a value before `{found}`, or remove what waits for one"))
        }
        Some((b'(', Some(callee))) => {
            Some(format!("separate the arguments of `{callee}` by `,`, or end them with `)` before `{found}`"))
        }
        Some((b'(', None)) => Some(format!("end what stands in parentheses with `)` before `{found}`")),
        Some((b'[', _)) => Some(format!("separate the elements by `,`, or end the list with `]` before `{found}`")),
        Some(_) => Some(
            "a block holds lines `let name = value` and ends with one value; a record is `{ name: value }`".to_owned(),
        ),
    }
}

/// The innermost bracket that is open at the end of a text, with the name it is called by.
fn open_bracket(text: &str) -> Option<(u8, Option<&str>)> {
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['(', ')', '[', ']', '{', '}', '"', '/']) {
        let start = text.len() - rest.len() + at;
        rest = &rest[at + 1..];
        match text.as_bytes()[start] {
            b'"' => rest = rest.split_once('"').map_or("", |(_, behind)| behind),
            b'/' if rest.starts_with('/') => rest = rest.split_once('\n').map_or("", |(_, behind)| behind),
            bracket @ (b'(' | b'[' | b'{') => open.push((bracket, start)),
            b')' | b']' | b'}' => drop(open.pop()),
            _ => {}
        }
    }
    let (bracket, at) = open.pop()?;
    let name = text[..at]
        .rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .next()
        .filter(|name| words::is_name(name));
    Some((bracket, name))
}
