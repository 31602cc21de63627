//! What can be wrong with data; `ops` turns these into diagnostics.

use std::io;
use std::path::{Path, PathBuf};

/// A problem with a data set, a probe or the cache of generated data.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The profile gives no directory for a name.
    #[error("the profile names no directory for the data set `{name}`")]
    Unnamed {
        /// Name under `data:`.
        name: String,
    },
    /// A directory or file is not there.
    #[error("{what} `{}` does not exist", path.display())]
    Missing {
        /// What it is, e.g. `the directory of the data set "broden"`.
        what: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// The system does not let a file be read or written.
    #[error("`{}` cannot be {action}: {source}", path.display())]
    Access {
        /// `read` or `written`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A table is not in the expected form.
    #[error("`{}`, line {line}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A data set, or a file that holds many images, is not in a form that is known.
    #[error("`{}` {problem}", path.display())]
    Form {
        /// The directory or file.
        path: PathBuf,
        /// What is wrong with it, as the end of a sentence.
        problem: String,
    },
    /// A picture is damaged or does not fit its table.
    #[error("`{}`: {problem}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// This version cannot read something.
    #[error("{what}")]
    Unsupported {
        /// What, with the file where there is one.
        what: String,
    },
    /// A description that no data can satisfy.
    #[error("{problem}")]
    Parameters {
        /// What does not fit.
        problem: String,
    },
}

impl DataError {
    /// Whether one image is damaged and the others may do without it.
    pub(in crate::nn) fn is_damage(&self) -> bool {
        matches!(self, Self::Picture { .. })
    }

    /// Explains a failed read: a missing file is told from one that cannot be read.
    pub(super) fn reading(what: &str, path: &Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::NotFound {
            Self::Missing { what: what.to_owned(), path: path.to_owned() }
        } else {
            Self::Access { action: "read", path: path.to_owned(), source }
        }
    }

    /// Explains a failed write.
    pub(super) fn writing(path: &Path, source: io::Error) -> Self {
        Self::Access { action: "written", path: path.to_owned(), source }
    }

    /// Complains about a picture.
    pub(super) fn picture(path: &Path, problem: impl Into<String>) -> Self {
        Self::Picture { path: path.to_owned(), problem: problem.into() }
    }

    /// Complains about a data set or a file of many images.
    pub(super) fn form(path: &Path, problem: impl Into<String>) -> Self {
        Self::Form { path: path.to_owned(), problem: problem.into() }
    }

    /// Complains about a line of a table.
    pub(super) fn malformed(path: &Path, line: u64, problem: impl Into<String>) -> Self {
        Self::Malformed { path: path.to_owned(), line, problem: problem.into() }
    }

    /// Complains about a description.
    pub(super) fn parameters(problem: impl Into<String>) -> Self {
        Self::Parameters { problem: problem.into() }
    }
}
