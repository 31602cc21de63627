//! The words of the language: keywords by role. Grammar, formatter and suggestions agree with these lists.

/// Words that begin a declaration.
pub const DECLARATIONS: [&str; 10] =
    ["import", "param", "pub", "let", "fn", "table", "plot", "claim", "expect", "test"];

/// Words that continue what came before.
pub const CONTINUATIONS: [&str; 8] = ["as", "where", "if", "else", "in", "and", "or", "not"];

/// Words that begin a value.
pub const VALUES: [&str; 4] = ["for", "sweep", "true", "false"];

/// Tells whether a word begins a declaration.
pub fn is_declaration(word: &str) -> bool {
    DECLARATIONS.contains(&word)
}

/// Tells whether a word is reserved; labels, fields and record keys may still be called so.
pub fn is_keyword(word: &str) -> bool {
    DECLARATIONS.contains(&word) || CONTINUATIONS.contains(&word) || VALUES.contains(&word)
}

/// Returns every keyword.
pub fn keywords() -> impl Iterator<Item = &'static str> {
    DECLARATIONS.into_iter().chain(CONTINUATIONS).chain(VALUES)
}

/// Tells whether a byte can stand in a name.
pub fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Tells whether a text is a name.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(is_word_byte)
        && !is_keyword(text)
}
