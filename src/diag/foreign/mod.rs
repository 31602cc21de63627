//! Words of other languages and libraries, and what pdsl writes for them.
//!
//! Tables only: the scanner, the names and the types each ask at their own place. A help that is the correction itself
//! has the form "write `X`". `{0}` and `{1}` stand for the arguments of a call, `{*}` for all of them.

mod words;

use words::{METHODS, NAMES, RANGES, SETTINGS, STATEMENTS, SYNONYMS, TYPES};

/// What to say about a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// One sentence; empty for "There is no `word`".
    message: &'static str,
    /// What to do.
    help: &'static str,
}

impl Advice {
    /// Returns the sentence that makes sense alone.
    pub fn message(self, word: &str) -> String {
        if self.message.is_empty() { format!("There is no `{word}`") } else { self.message.to_owned() }
    }

    /// Tells whether the help keeps what the author wrote, or is all that was meant: an editor may offer it.
    pub fn keeps_meaning(self) -> bool {
        let text = self.help.strip_prefix("write `").and_then(|rest| rest.strip_suffix('`'));
        text.is_some_and(|text| text.contains('{') || text.ends_with("()") || matches!(text, "true" | "false"))
    }

    /// Returns the help without arguments.
    pub fn help(self) -> String {
        self.filled(&[])
    }

    /// Returns the help with the arguments of the call as written.
    pub fn filled(self, args: &[&str]) -> String {
        let all = if args.is_empty() { "…".to_owned() } else { args.join(", ") };
        let mut text = self.help.replace("{*}", &all);
        for (place, hole) in ["{0}", "{1}", "{2}"].iter().enumerate() {
            text = text.replace(hole, args.get(place).copied().unwrap_or("…"));
        }
        text
    }
}

type Table = [(&'static [&'static str], &'static str, &'static str)];

fn find(table: &Table, word: &str) -> Option<Advice> {
    let (_, message, help) = table.iter().find(|(words, ..)| words.contains(&word))?;
    Some(Advice { message, help })
}

/// Returns what to say about a word that begins a statement or a declaration elsewhere.
pub fn statement(word: &str) -> Option<Advice> {
    find(STATEMENTS, word)
}

/// Returns what to say about a name that is known elsewhere; `args` are those of its call.
pub fn name(word: &str, args: Option<usize>) -> Option<Advice> {
    match (word, args) {
        ("list" | "tuple" | "array" | "as_list", Some(1)) => {
            Some(Advice { message: "Lists and ranges need no conversion", help: "write `{0}`" })
        }
        ("range" | "seq" | "arange" | "xrange", Some(2)) => Some(Advice { message: RANGES, help: "write `{0}..{1}`" }),
        _ => find(NAMES, word),
    }
}

/// Returns what to say about a method that objects of other languages have.
pub fn method(word: &str) -> Option<Advice> {
    find(METHODS, word)
}

/// Returns what to do about a setting that no parameter stands for.
pub fn setting(label: &str) -> Option<Advice> {
    find(SETTINGS, label)
}

/// Returns the type that another language calls by this word.
pub fn ty(word: &str) -> Option<&'static str> {
    TYPES.iter().find(|(words, _)| words.contains(&word)).map(|(_, ty)| *ty)
}

/// Returns what a parameter or a field of this name may be called here, likelier names first.
pub fn synonyms(word: &str) -> &'static [&'static str] {
    let word = word.to_ascii_lowercase();
    SYNONYMS.iter().find(|(words, _)| words.contains(&word.as_str())).map_or(&[], |(_, known)| known)
}

/// Tells whether a suffix of a number says its type in another language.
pub fn is_type_suffix(suffix: &str) -> bool {
    matches!(
        suffix,
        "u8" | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
            | "f32"
            | "f64"
            | "f"
            | "F"
            | "L"
            | "l"
            | "d"
            | "n"
            | "u"
            | "U"
            | "j"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::words::{METHODS, NAMES, SETTINGS, STATEMENTS, SYNONYMS};
    use super::{Table, method, name, statement, synonyms, ty};

    #[test]
    fn every_word_stands_once_in_its_table() {
        let words =
            |table: &'static Table| table.iter().flat_map(|(words, ..)| words.iter().copied()).collect::<Vec<_>>();
        let synonyms: Vec<&str> = SYNONYMS.iter().flat_map(|(words, _)| words.iter().copied()).collect();
        for words in [words(STATEMENTS), words(NAMES), words(METHODS), words(SETTINGS), synonyms] {
            let mut seen = BTreeSet::new();
            let twice: Vec<_> = words.into_iter().filter(|word| !seen.insert(*word)).collect();
            assert!(twice.is_empty(), "{twice:?}");
        }
    }

    #[test]
    fn helps_take_the_arguments() {
        let range = name("range", Some(1)).unwrap();
        assert_eq!(range.filled(&["10"]), "write `0..10`");
        assert_eq!(name("range", Some(2)).unwrap().filled(&["1", "n + 1"]), "write `1..n + 1`");
        assert_eq!(name("c", Some(3)).unwrap().filled(&["1", "2", "3"]), "write `[1, 2, 3]`");
        assert_eq!(method("length").unwrap().filled(&["xs"]), "write `len(xs)`");
        assert_eq!(name("self", None).unwrap().message("self"), "There is no `self`");
        assert!(statement("def").is_some() && statement("let").is_none());
        assert_eq!(ty("usize"), Some("Int"));
        assert_eq!(synonyms("Batch_Size"), ["batch"]);
    }
}
