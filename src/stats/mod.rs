//! Statistics of replicated measurements: descriptions, intervals, t tests, equivalence, corrections.
//!
//! Pure functions over `f64` slices. Values agree with scipy and statsmodels (`tests/reference/statistics.py`).
//! Nothing here is hashed into a key, so ordinary floating-point functions are fine.

pub mod compare;
pub mod correct;
pub mod describe;
pub mod power;
pub mod student;

pub use compare::{Degenerate, Difference, Equivalence, Test};
pub use correct::{fixed_sequence, holm};
pub use describe::{Interval, mean, mean_interval, median, quantile, sd};
pub use power::Design;
