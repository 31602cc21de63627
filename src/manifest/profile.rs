//! Profiles: what differs between machines, and which parameters to set.
//!
//! `store: PATH`, `data: {name: PATH}`, `jobs: N`, `params: {name: expression}`, `resume_every: 30s`. Paths are
//! relative to the profile. A profile never changes what a stage computes, except through `params`, as `--set` does, and
//! by leaving out damaged images, which becomes part of the identity of the data.

mod data;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_yaml::Value;

use crate::diag::codes::invocation;
use crate::diag::{Checked, Code, Diagnostic};
use crate::domain::data::Place;
use crate::source::{FileId, Span};

pub use self::data::Download;

/// Largest profile in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// Deepest nesting.
const MAX_DEPTH: usize = 8;
/// Most values, after aliases are written out.
const MAX_VALUES: usize = 10_000;
const ENTRIES: [&str; 5] = ["store", "data", "jobs", "params", "resume_every"];

/// The entries of a profile; all may be absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Directory of the store.
    pub store: Option<PathBuf>,
    /// Where data sets are, by the name that programs use.
    pub data: BTreeMap<String, Place>,
    /// Files of data sets that can be fetched, by the same names.
    pub downloads: BTreeMap<String, Vec<Download>>,
    /// Number of stages that run at the same time.
    pub jobs: Option<usize>,
    /// How often training saves a resume point.
    pub resume_every: Option<Interval>,
    /// Parameters to set, in the order of the file.
    pub params: Vec<Setting>,
}

/// How often training saves a resume point: `500it`, `30s`, `5min`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Interval {
    /// After so many iterations.
    Iterations(u64),
    /// After so many seconds.
    Seconds(f64),
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let iterations = text.strip_suffix("it").and_then(|number| number.trim().parse().ok()).filter(|n| *n >= 1);
        let seconds = || humantime::parse_duration(text).ok().map(|time| time.as_secs_f64()).filter(|s| *s > 0.0);
        let read = iterations.map(Self::Iterations).or_else(|| seconds().map(Self::Seconds));
        read.ok_or_else(|| "write iterations such as `500it`, or a time such as `30s`".to_owned())
    }
}

/// A parameter that a profile sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Name of the parameter.
    pub name: String,
    /// An expression of the language.
    pub expression: String,
    /// Where the profile says so.
    pub span: Span,
}

/// Reads a profile; `file` is its text's place among the sources and `directory` what its paths are relative to.
///
/// # Errors
/// Every entry that is unknown or of the wrong kind; text that is no YAML, too large, or too deep.
pub fn parse(file: FileId, text: &str, directory: &Path) -> Checked<Profile> {
    if text.len() > MAX_BYTES {
        let message = format!("the profile has {} bytes, more than {MAX_BYTES}", text.len());
        return Err(vec![
            Diagnostic::error(&invocation::PROFILE_SIZE, message).help("keep to the entries it may have"),
        ]);
    }
    let value = read(file, text).map_err(|diagnostic| vec![diagnostic])?;
    let mut left = MAX_VALUES;
    if !bounded(&value, MAX_DEPTH, &mut left) {
        let message = "the profile is nested too deeply, or repeats itself too often";
        return Err(vec![Diagnostic::error(&invocation::PROFILE_SIZE, message).help("write it without `&` and `*`")]);
    }
    let mut reader = Reader { file, text, directory, profile: Profile::default(), diagnostics: Vec::new() };
    reader.read(&value);
    if reader.diagnostics.is_empty() { Ok(reader.profile) } else { Err(reader.diagnostics) }
}

fn read(file: FileId, text: &str) -> Result<Value, Diagnostic> {
    serde_yaml::from_str(text).map_err(|error| {
        let limit = error.to_string().contains("limit exceeded");
        let code = if limit { &invocation::PROFILE_SIZE } else { &invocation::PROFILE_SYNTAX };
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default();
        let at = error.location().map_or(text.len(), |location| location.index()).min(text.len());
        Diagnostic::error(code, format!("the profile cannot be read as YAML: {reason}"))
            .label(line_at(file, text, at), "here")
            .help("indent with spaces, one `name: value` per line")
    })
}

/// Whether a value is nested at most `depth` levels and holds at most `left` values.
fn bounded(value: &Value, depth: usize, left: &mut usize) -> bool {
    if depth == 0 || *left == 0 {
        return false;
    }
    *left -= 1;
    match value {
        Value::Sequence(items) => items.iter().all(|item| bounded(item, depth - 1, left)),
        Value::Mapping(map) => {
            map.iter().all(|(key, item)| bounded(key, depth - 1, left) && bounded(item, depth - 1, left))
        }
        Value::Tagged(tagged) => bounded(&tagged.value, depth - 1, left),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
    directory: &'a Path,
    profile: Profile,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn read(&mut self, value: &Value) {
        let Value::Mapping(entries) = value else {
            if !value.is_null() {
                let span = line_at(self.file, self.text, 0);
                self.report(&invocation::PROFILE_VALUE, "a profile is a list of `name: value` lines", span, "not one");
            }
            return;
        };
        for (name, value) in entries {
            let name = scalar(name).unwrap_or_default();
            let span = self.find(&[&name]);
            match name.as_str() {
                "store" => self.profile.store = self.path(value, span),
                "jobs" => self.profile.jobs = self.jobs(value, span),
                "resume_every" => self.profile.resume_every = self.interval(value, span),
                "data" => self.data(value, span),
                "params" => self.params(value, span),
                _ => self.unknown_of("profile", &name, &ENTRIES, span),
            }
        }
    }

    fn path(&mut self, value: &Value, span: Span) -> Option<PathBuf> {
        let path = value.as_str().filter(|text| !text.is_empty()).map(|text| self.directory.join(text));
        if path.is_none() {
            self.report(&invocation::PROFILE_VALUE, "a path is expected here", span, "not a path");
        }
        path
    }

    fn jobs(&mut self, value: &Value, span: Span) -> Option<usize> {
        let number = value.as_u64().filter(|number| *number >= 1);
        if number.is_none() {
            let message = "`jobs` must be a whole number from 1";
            self.report(&invocation::PROFILE_VALUE, message, span, "not a whole number from 1");
        }
        number.map(|number| number as usize)
    }

    fn interval(&mut self, value: &Value, span: Span) -> Option<Interval> {
        match scalar(value).unwrap_or_default().parse() {
            Ok(interval) => Some(interval),
            Err(remedy) => {
                let message = "`resume_every` must be a number of iterations or a time";
                self.report(&invocation::PROFILE_VALUE, message, span, &remedy);
                None
            }
        }
    }

    fn params(&mut self, value: &Value, span: Span) {
        let Some(entries) = self.mapping(value, span, "params") else { return };
        for (name, value) in entries {
            let span = self.find(&["params", &name]);
            match scalar(&value) {
                Some(expression) => self.profile.params.push(Setting { name, expression, span }),
                None => self.report(
                    &invocation::PROFILE_VALUE,
                    &format!("`{name}` must be an expression"),
                    span,
                    "write lists in quotes: \"[1, 2]\"",
                ),
            }
        }
    }

    fn mapping(&mut self, value: &Value, span: Span, name: &str) -> Option<Vec<(String, Value)>> {
        match value {
            Value::Null => Some(Vec::new()),
            Value::Mapping(map) => {
                Some(map.iter().filter_map(|(name, value)| Some((scalar(name)?, value.clone()))).collect())
            }
            _ => {
                let message = format!("`{name}` must hold lines of the form `name: value`");
                self.report(&invocation::PROFILE_VALUE, &message, span, "not names and values");
                None
            }
        }
    }

    fn unknown_of(&mut self, what: &str, name: &str, known: &[&'static str], span: Span) {
        let near = known.iter().copied().max_by(|a, b| {
            let likeness = |entry: &str| strsim::normalized_damerau_levenshtein(name, entry);
            likeness(a).total_cmp(&likeness(b))
        });
        let near = near.filter(|entry| strsim::damerau_levenshtein(name, entry) <= (name.chars().count() / 3).max(1));
        let help = match near {
            Some(entry) => format!("did you mean `{entry}`?"),
            None => format!("the entries are `{}`", known.join("`, `")),
        };
        let message = match what {
            "profile" => format!("a profile has no entry `{name}`"),
            _ => format!("a {what} entry of a profile has no entry `{name}`"),
        };
        let diagnostic = Diagnostic::error(&invocation::PROFILE_KEY, message).label(span, "unknown").help(help);
        self.diagnostics.push(diagnostic);
    }

    fn report(&mut self, code: &'static Code, message: &str, span: Span, label: &str) {
        self.diagnostics.push(Diagnostic::error(code, message).label(span, label));
    }

    /// Finds the line of an entry again: the parser does not say where values are. Each name of the path must stand
    /// on a line below, and further in than, the one before; an entry written in one line `{a: b}` is that line.
    fn find(&self, path: &[&str]) -> Span {
        let mut found: Option<(usize, usize, usize)> = None;
        let mut wanted = path.iter();
        let mut name = wanted.next();
        let mut offset = 0;
        for line in self.text.split_inclusive('\n') {
            let Some(key) = name else { break };
            let indent = line.len() - line.trim_start().len();
            let deeper = found.is_none_or(|(_, _, outer)| indent > outer);
            if let Some(length) = key_length(line.trim_start(), key)
                && (found.is_none() && indent == 0 || found.is_some() && deeper)
            {
                found = Some((offset + indent, length, indent));
                name = wanted.next();
            }
            offset += line.len();
        }
        let (start, length, _) = found.unwrap_or((0, 0, 0));
        Span::new(self.file, start, start + length)
    }
}

/// Returns the length of the key at the start of a line, if it is the wanted one.
fn key_length(line: &str, key: &str) -> Option<usize> {
    [key.to_owned(), format!("\"{key}\""), format!("'{key}'")].into_iter().find_map(|written| {
        let rest = line.strip_prefix(&written)?;
        rest.trim_start().starts_with(':').then_some(written.len())
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    }
}

/// The line, without its indentation and end, that a byte is on.
fn line_at(file: FileId, text: &str, at: usize) -> Span {
    let bytes = text.as_bytes();
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |found| found + 1);
    let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |found| at + found);
    let indent = bytes[start..end].iter().take_while(|byte| **byte == b' ').count();
    Span::new(file, start + indent, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> Vec<(&'static str, String, String)> {
        let slice = |span: Span| text[span.start as usize..span.end as usize].to_owned();
        parse(FileId(0), text, Path::new("/p"))
            .unwrap_err()
            .into_iter()
            .map(|error| (error.code.id, error.message, error.labels.first().map_or(String::new(), |l| slice(l.span))))
            .collect()
    }

    #[test]
    fn all_entries_are_read() {
        let text = "store: cache\ndata:\n  imagenet: /data/in\njobs: 2\nresume_every: 500it\nparams:\n  rate: 20%\n  rounds: 3\n";
        let profile = parse(FileId(0), text, Path::new("/p")).unwrap();
        assert_eq!(profile.store.unwrap(), Path::new("/p/cache"));
        assert_eq!(profile.data["imagenet"], Place::at("/data/in"));
        assert_eq!((profile.jobs, profile.resume_every), (Some(2), Some(Interval::Iterations(500))));
        let params: Vec<_> = profile.params.iter().map(|s| (s.name.as_str(), s.expression.as_str())).collect();
        assert_eq!(params, [("rate", "20%"), ("rounds", "3")]);
        assert_eq!(&text[profile.params[0].span.start as usize..][..4], "rate");
    }

    #[test]
    fn data_sets_say_where_they_are_and_where_they_come_from() {
        let sum = "0123456789abcdef".repeat(4);
        let text = format!(
            "data:\n  a:\n    root: a\n    damaged: skip\n    url: http://x/a.tar\n    sha256: {sum}\n  b:\n    root: b\n    \
             files:\n      - url: https://x/1\n        sha256: {sum}\n      - {{url: https://x/2, sha256: {sum}}}\n"
        );
        let profile = parse(FileId(0), &text, Path::new("/p")).unwrap();
        assert_eq!(profile.data["a"], Place { root: "/p/a".into(), damaged: crate::domain::data::Damaged::Skip });
        let urls = |name: &str| profile.downloads[name].iter().map(|file| file.url.as_str()).collect::<Vec<_>>();
        assert_eq!((urls("a"), urls("b")), (vec!["http://x/a.tar"], vec!["https://x/1", "https://x/2"]));
    }

    #[test]
    fn wrong_entries_of_a_data_set_are_named() {
        let found = errors("data:\n  a:\n    rot: x\n    damaged: maybe\n    url: ftp://x\n");
        let ids: Vec<_> = found.iter().map(|(id, _, at)| (*id, at.as_str())).collect();
        assert_eq!(ids, [("PD0705", "rot"), ("PD0706", "damaged"), ("PD0706", "a"), ("PD0706", "a")]);
    }

    #[test]
    fn an_empty_profile_says_nothing() {
        assert_eq!(parse(FileId(0), "# nothing\n", Path::new("/p")).unwrap(), Profile::default());
    }

    #[test]
    fn every_wrong_entry_is_reported_at_its_place() {
        let found = errors("jbs: 2\ndata:\n  a: [1]\njobs: 0\nresume_every: often\n");
        let expected = [("PD0705", "jbs"), ("PD0706", "a"), ("PD0706", "jobs"), ("PD0706", "resume_every")];
        assert_eq!(found.iter().map(|(id, _, at)| (*id, at.as_str())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn broken_yaml_names_the_line() {
        let found = errors("jobs: 2\nstore: [a\n");
        assert_eq!(found[0].0, "PD0704");
    }

    #[test]
    fn hostile_yaml_is_bounded() {
        let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
        for (from, to) in "abcdefg".chars().zip("bcdefgh".chars()) {
            bomb += &format!("{to}: &{to} [*{from}, *{from}, *{from}, *{from}, *{from}, *{from}, *{from}, *{from}]\n");
        }
        assert_eq!(errors(&bomb)[0].0, "PD0707");
        assert_eq!(errors(&"[".repeat(10_000))[0].0, "PD0707");
        assert_eq!(errors(&"#".repeat(MAX_BYTES + 1))[0].0, "PD0707");
        assert_eq!(errors(&format!("data: {}1{}", "[".repeat(20), "]".repeat(20)))[0].0, "PD0707");
    }
}
