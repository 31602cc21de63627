//! Programs in documentation: blocks that are marked as `pd`, in doc comments and in pages.

/// A program in a documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Line of its first line, from 1.
    pub line: usize,
    /// The program.
    pub text: String,
}

/// Returns the programs in the doc comments of a source text.
pub fn in_comments(source: &str) -> Vec<Example> {
    let lines = source.lines().enumerate().map(|(at, line)| {
        let line = line.trim_start();
        let plain = line.starts_with("////");
        let inner = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).filter(|_| !plain);
        (at + 1, inner.map(|inner| inner.strip_prefix(' ').unwrap_or(inner)))
    });
    blocks(lines)
}

/// Returns the programs in a page of Markdown, or in words about a stage.
pub fn in_words(text: &str) -> Vec<Example> {
    blocks(text.lines().enumerate().map(|(at, line)| (at + 1, Some(line))))
}

/// A block ends with its fence, or where the comment ends.
fn blocks<'a>(lines: impl Iterator<Item = (usize, Option<&'a str>)>) -> Vec<Example> {
    let mut found = Vec::new();
    let mut open: Option<Example> = None;
    for (number, line) in lines {
        match (&mut open, line.map(str::trim_end)) {
            (None, Some("```pd")) => open = Some(Example { line: number + 1, text: String::new() }),
            (Some(_), Some("```") | None) => found.extend(open.take()),
            (Some(example), Some(line)) => {
                example.text.push_str(line);
                example.text.push('\n');
            }
            (None, _) => {}
        }
    }
    found.extend(open);
    found
}

#[cfg(test)]
mod tests {
    use super::{Example, in_comments, in_words};

    #[test]
    fn blocks_are_found_with_their_lines() {
        let source =
            "//! Words.\n\n/// More.\n///\n/// ```pd\n/// let a = 1\n///\n///   let b = 2\n/// ```\npub let x = 1\n";
        let text = "let a = 1\n\n  let b = 2\n".to_owned();
        assert_eq!(in_comments(source), [Example { line: 6, text }]);
        assert_eq!(
            in_words("a\n```pd\nlet a = 1\n```\n```sh\nls\n```\n"),
            [Example { line: 3, text: "let a = 1\n".into() }]
        );
        assert_eq!(in_comments("// ```pd\n// let a = 1\n// ```\n"), []);
    }
}
