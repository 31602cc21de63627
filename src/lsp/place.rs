//! Files as editors name them. The standard library is in the binary: whoever wants to read it gets a copy.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use lsp_types::{Location, Uri};

use super::text::{Encoding, Text};
use crate::resolve::library;
use crate::source::{FileId, Sources, Span};
use crate::world::World;

/// Returns the address of a path.
pub(super) fn uri(path: &Path) -> Option<Uri> {
    let text = path.to_str()?;
    if text.contains("://") || (text.contains(':') && !path.is_absolute()) {
        return Uri::from_str(text).ok();
    }
    let mut address = String::from("file://");
    if !text.starts_with('/') {
        address.push('/');
    }
    for byte in text.replace('\\', "/").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => address.push(byte as char),
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    Uri::from_str(&address).ok()
}

/// Returns the path of an address; a text that is in no file is named by its address.
pub(super) fn path(uri: &Uri) -> PathBuf {
    let text = uri.as_str();
    let Some(rest) = text.strip_prefix("file://") else { return PathBuf::from(text) };
    let rest = rest.find('/').map_or("", |slash| &rest[slash..]);
    let mut bytes = Vec::with_capacity(rest.len());
    let mut at = 0;
    while at < rest.len() {
        let hex = rest.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (rest.as_bytes()[at], hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                at += 3;
            }
            (byte, _) => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
    let decoded = String::from_utf8_lossy(&bytes).into_owned();
    // `/C:/…` of Windows.
    let drive = decoded.as_bytes().get(2) == Some(&b':') && decoded.starts_with('/');
    PathBuf::from(if drive { decoded[1..].to_owned() } else { decoded })
}

/// Where copies of the standard library are.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    root: Option<PathBuf>,
}

impl Shelf {
    /// Chooses a directory in the user's cache. Its name changes with the library, so that no copy is out of date.
    pub(super) fn new(world: &dyn World) -> Self {
        let set = |name: &str| world.variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = set("XDG_CACHE_HOME")
            .or_else(|| set("LOCALAPPDATA"))
            .or_else(|| set("HOME").map(|home| home.join(".cache")));
        let mut hasher = blake3::Hasher::new();
        for (_, text) in library::MODULES {
            hasher.update(text.as_bytes());
        }
        for op in crate::ops::stages::ALL {
            hasher.update(op.signature.as_bytes()).update(op.words().as_bytes());
        }
        let digest = hasher.finalize().to_hex();
        Self { root: cache.map(|cache| cache.join("pdsl").join(format!("std-{}", &digest[..12]))) }
    }

    /// Whether a path is that of a copy.
    pub(super) fn holds(&self, path: &Path) -> bool {
        self.root.as_ref().is_some_and(|root| path.starts_with(root))
    }

    /// Returns where a place of the library is on disk, and writes the copy if it is not there yet. A stage is declared in
    /// a text of its own, below its words.
    fn place(&self, name: &str, text: &str) -> Option<(PathBuf, String)> {
        let root = self.root.as_ref()?;
        let written = match name.strip_prefix("std/")?.strip_suffix(".pd")?.split_once('/') {
            None => text.to_owned(),
            Some((_, stage)) => format!("{}{text}\n", words(&crate::ops::stages::find(stage)?.words())),
        };
        let path = root.join(name);
        if std::fs::read_to_string(&path).ok().as_deref() != Some(&written) {
            std::fs::create_dir_all(path.parent()?).ok()?;
            // Renamed into place: another server may be reading.
            let fresh = path.with_extension(format!("{}.tmp", std::process::id()));
            std::fs::write(&fresh, &written).ok()?;
            let mut permissions = std::fs::metadata(&fresh).ok()?.permissions();
            permissions.set_readonly(true);
            std::fs::set_permissions(&fresh, permissions).ok()?;
            std::fs::rename(&fresh, &path).ok()?;
        }
        Some((path, written))
    }
}

/// A text as doc comments.
fn words(docs: &str) -> String {
    docs.lines().map(|line| format!("/// {line}").trim_end().to_owned() + "\n").collect()
}

/// Returns where a span is for an editor.
pub(super) fn location(sources: &Sources, shelf: &Shelf, span: Span, encoding: Encoding) -> Option<Location> {
    let file = sources.get(span.file);
    if let Some(path) = &file.path {
        return Some(Location::new(uri(path)?, Text::new(file.text.clone(), encoding).range(span)));
    }
    let (path, written) = shelf.place(&file.name, &file.text)?;
    let moved = (written.len() - written.trim_end_matches('\n').len()).min(1);
    let shift = if written == *file.text { 0 } else { (written.len() - file.text.len() - moved) as u32 };
    let span = Span { start: span.start + shift, end: span.end + shift, ..span };
    Some(Location::new(uri(&path)?, Text::new(written.into(), encoding).range(span)))
}

/// Returns the address of a file of a program.
pub(super) fn file_uri(sources: &Sources, shelf: &Shelf, file: FileId) -> Option<Uri> {
    location(sources, shelf, Span::new(file, 0, 0), Encoding::Utf8).map(|found| found.uri)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{path, uri};

    #[test]
    fn addresses_and_paths_belong_together() {
        for text in ["/a/b c/ü.pd", "/tmp/50%.pd", "/x/a+b#c?.pd"] {
            assert_eq!(path(&uri(Path::new(text)).unwrap()), Path::new(text));
        }
        let untitled = uri(Path::new("untitled:Untitled-1")).unwrap();
        assert_eq!(untitled.as_str(), "untitled:Untitled-1");
        assert_eq!(path(&untitled), Path::new("untitled:Untitled-1"));
    }
}
