//! Seeds and their named streams.

use serde::{Deserialize, Serialize};

/// A source of random numbers: a replicate's number and the path of names taken from it (`seed.order`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seed {
    /// The replicate, from 1.
    pub root: u64,
    /// Names of the streams taken, outermost first; empty for the seed itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stream: Vec<String>,
}
