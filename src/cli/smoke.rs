//! What is said about runs of small trials.

use std::fmt::Write;

use crate::ops::smoke::Omissions;
use crate::report::Warning;

/// What no reader of a trial's numbers may overlook.
pub(super) const MEANINGLESS: &str = "smoke: means nothing";

/// Says that every stage is small, and what stands in for what.
pub(super) fn told(omissions: &Omissions) -> String {
    let mut text = "smoke    every stage runs once, small: no number of it means anything\n".to_owned();
    for line in details(omissions) {
        let _ = writeln!(text, "         {line}");
    }
    text
}

/// The same for the report.
pub(super) fn warning(omissions: &Omissions) -> Warning {
    Warning {
        text: "This is a trial (`--smoke`): every stage ran once, small, and no number here means anything".to_owned(),
        help: "Run the program without `--smoke` for results.".to_owned(),
        seen: details(omissions),
    }
}

fn details(omissions: &Omissions) -> Vec<String> {
    let mut lines = Vec::new();
    if !omissions.stand_ins.is_empty() {
        lines.push(format!("generated images stand in for the data {}", omissions.stand_ins.join(", ")));
    }
    if omissions.weights {
        lines.push("weights are drawn where the program reads them from a file".to_owned());
    }
    lines
}
