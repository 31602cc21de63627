//! The entry `data:` of a profile: where data sets lie, what is done with damaged images, and where files come from.

use serde_yaml::Value;

use super::{Reader, scalar};
use crate::diag::codes::invocation;
use crate::domain::data::{Damaged, Place};
use crate::source::Span;

/// What an entry under `data:` may have.
const ENTRIES: [&str; 5] = ["root", "damaged", "url", "sha256", "files"];
/// What a file may have.
const FILE: [&str; 2] = ["url", "sha256"];

/// A file of a data set on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Its address, `http://` or `https://`.
    pub url: String,
    /// SHA-256 of its bytes, 64 hexadecimal digits.
    pub sha256: String,
}

impl Reader<'_> {
    pub(super) fn data(&mut self, value: &Value, span: Span) {
        let Some(entries) = self.mapping(value, span, "data") else { return };
        for (name, value) in entries {
            let span = self.find(&["data", &name]);
            if let Value::Mapping(_) = value {
                self.data_set(&name, &value, span);
            } else if let Some(path) = self.path(&value, span) {
                self.profile.data.insert(name, Place::at(path));
            }
        }
    }

    fn data_set(&mut self, name: &str, value: &Value, span: Span) {
        let Some(entries) = self.mapping(value, span, name) else { return };
        let (mut root, mut damaged, mut files) = (None, Damaged::Stop, Vec::new());
        let mut single = Vec::new();
        for (key, value) in entries {
            let span = self.find(&["data", name, &key]);
            match key.as_str() {
                "root" => root = self.path(&value, span),
                "damaged" => damaged = self.damaged(&value, span),
                "url" | "sha256" => single.push((key, value)),
                "files" => files.extend(self.files(&value, span)),
                _ => self.unknown_of("data", &key, &ENTRIES, span),
            }
        }
        if !single.is_empty() {
            files.extend(self.download(single, span));
        }
        let Some(root) = root else {
            let message = format!("the data set `{name}` has no `root`");
            return self.report(&invocation::PROFILE_VALUE, &message, span, "say where it is: `root: /path`");
        };
        self.profile.data.insert(name.to_owned(), Place { root, damaged });
        if !files.is_empty() {
            self.profile.downloads.insert(name.to_owned(), files);
        }
    }

    fn damaged(&mut self, value: &Value, span: Span) -> Damaged {
        match value.as_str() {
            Some("stop") => Damaged::Stop,
            Some("skip") => Damaged::Skip,
            _ => {
                let message = "`damaged` must be `stop` or `skip`";
                self.report(&invocation::PROFILE_VALUE, message, span, "neither `stop` nor `skip`");
                Damaged::Stop
            }
        }
    }

    fn files(&mut self, value: &Value, span: Span) -> Vec<Download> {
        let Value::Sequence(items) = value else {
            let message = "`files` must be a list of files";
            self.report(&invocation::PROFILE_VALUE, message, span, "write lines that begin with `- url:`");
            return Vec::new();
        };
        let mut files = Vec::new();
        for item in items {
            let entries = self.mapping(item, span, "files").unwrap_or_default();
            files.extend(self.download(entries, span));
        }
        files
    }

    fn download(&mut self, entries: Vec<(String, Value)>, span: Span) -> Option<Download> {
        let (mut url, mut sha256) = (None, None);
        for (key, value) in entries {
            match key.as_str() {
                "url" => url = scalar(&value).filter(|url| url.starts_with("http://") || url.starts_with("https://")),
                "sha256" => {
                    sha256 = scalar(&value).map(|text| text.to_ascii_lowercase()).filter(|text| is_sha256(text));
                }
                _ => self.unknown_of("file", &key, &FILE, span),
            }
        }
        if let (Some(url), Some(sha256)) = (url, sha256) {
            return Some(Download { url, sha256 });
        }
        let message = "a file to fetch needs a `url` (http or https) and its `sha256` of 64 hexadecimal digits";
        self.report(&invocation::PROFILE_VALUE, message, span, "one of them is missing or not of this form");
        None
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
