//! What a plan foretells: how long the rest will take, and what the claims can show.

use std::fmt::Write;
use std::str::FromStr;

use serde_json::{Value, json};

use super::program::Loaded;
use super::{Exit, Failure, figures};
use crate::diag::Diagnostic;
use crate::diag::codes::invocation;
use crate::domain::device::Device;
use crate::plan::predict::{Kind, Machine, Prediction, predict};
use crate::plan::{Plan, Status};
use crate::report::claims::prospect::{POWER, Prospect, Prospects};
use crate::report::number;
use crate::store::{self, Store};
use crate::value::output::ClaimKind;

/// Kinds that are named among the longest.
const NAMED: usize = 3;

/// A limit of time: `40h`, `30min`, `1.5h`, `1h30min`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Limit {
    seconds: f64,
    /// As it was written.
    text: String,
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a time such as `40h` or `30min`".to_owned();
        let (mut rest, mut seconds) = (text.trim(), 0.0);
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').ok_or_else(wrong)?;
            let number: f64 = rest[..digits].replace('_', "").parse().map_err(|_| wrong())?;
            let unit = rest[digits..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |end| digits + end);
            seconds += number
                * match &rest[digits..unit] {
                    "s" => 1.0,
                    "min" => 60.0,
                    "h" => 3600.0,
                    _ => return Err(wrong()),
                };
            rest = rest[unit..].trim_start();
        }
        if seconds > 0.0 { Ok(Self { seconds, text: text.trim().to_owned() }) } else { Err(wrong()) }
    }
}

/// A limit on how long a run may take.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct MaxOptions {
    /// Refuse if what has to run is predicted to take longer: `40h`, `30min`.
    #[arg(long, value_name = "TIME")]
    max: Option<Limit>,
    /// With `--max`: go ahead although the store knows no times that a prediction could rest on.
    #[arg(long, requires = "max")]
    max_unknown: bool,
}

impl MaxOptions {
    /// Refuses a plan that is predicted to take longer than it may, or that cannot be predicted.
    pub(super) fn enforce(&self, loaded: &Loaded, plan: &Plan, store: Option<&Store>) -> Result<(), Failure> {
        match &self.max {
            Some(limit) => self.check(limit, &loaded.predict(plan, store)),
            None => Ok(()),
        }
    }

    fn check(&self, limit: &Limit, prediction: &Prediction) -> Result<(), Failure> {
        let allowed = &limit.text;
        let total = prediction.total.likely;
        if total > limit.seconds {
            let message = format!("the run would take about {}, more than {allowed}", figures::duration(total));
            let longest: Vec<String> = prediction.kinds.iter().filter_map(contribution).take(NAMED).collect();
            let help = format!(
                "the most of it: {}; raise the limit, or make the experiment smaller with `--set`",
                longest.join(", ")
            );
            let diagnostic = Diagnostic::error(&invocation::TOO_LONG, message).help(help);
            return Err(Failure::outside(diagnostic, Exit::Invalid));
        }
        let unknown: Vec<String> = prediction.unknown().map(|kind| format!("{} × {}", kind.op, kind.stages)).collect();
        if unknown.is_empty() || self.max_unknown {
            return Ok(());
        }
        let message = format!(
            "it cannot be predicted whether the run keeps to {allowed}: the store knows no times of {}",
            unknown.join(", ")
        );
        let help = "run a small part first, for example with `--set replicates=1`, or go ahead with `--max-unknown`";
        Err(Failure::outside(Diagnostic::error(&invocation::UNPREDICTED, message).help(help), Exit::Invalid))
    }
}

fn contribution(kind: &Kind) -> Option<String> {
    let time = figures::duration(kind.time?.likely);
    Some(format!("{} × {} {time}", kind.op, kind.stages))
}

impl Loaded {
    /// Predicts how long what is left of a plan will take on this machine.
    pub(super) fn predict(&self, plan: &Plan, store: Option<&Store>) -> Prediction {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let machine = Machine { device: self.device.clone(), cores, host: store::host() };
        predict(&self.program.graph, plan, store, &machine)
    }

    /// Tells what the claims can show, by name; for a claim that cannot be tested, why.
    pub(super) fn prospects(&self, plan: &Plan) -> Vec<(String, Result<Prospect, String>)> {
        let resolved = self
            .program
            .resolve(&|id, name| plan.records.get(&id).and_then(|record| record.outcome.measures.get(name)).copied());
        let mut prospects = Prospects::default();
        resolved.claims.iter().map(|claim| (claim.name.clone(), prospects.of(&claim.spec))).collect()
    }
}

/// Says how long the rest of a plan will take, and what that rests on.
pub(super) fn time(prediction: &Prediction, plan: &Plan, device: &Device) -> String {
    if plan.totals.run + plan.totals.conditional == 0 {
        return String::new();
    }
    let mut text = String::new();
    let known: Vec<&Kind> = prediction.kinds.iter().filter(|kind| kind.time.is_some()).collect();
    let unknown: Vec<String> = prediction.unknown().map(|kind| format!("{} × {}", kind.op, kind.stages)).collect();
    if known.iter().any(|kind| kind.counted) || unknown.is_empty() {
        let total = prediction.total;
        let [low, likely, high] = [total.low, total.likely, total.high].map(figures::duration);
        let basis: Vec<String> =
            known.iter().filter(|kind| kind.counted).map(|kind| format!("{} {}", kind.basis, kind.op)).collect();
        let elsewhere = if known.iter().any(|kind| kind.elsewhere) { ", some of another machine" } else { "" };
        let range = if low == high { String::new() } else { format!(" ({low} … {high})") };
        let rests = if basis.is_empty() {
            String::new()
        } else {
            format!(", from the times of {} in the store{elsewhere}", basis.join(", "))
        };
        let _ = writeln!(text, "time     about {likely}{range} on {device}{rests}");
        if !unknown.is_empty() {
            let _ = writeln!(text, "         and {}, of which the store knows no times", unknown.join(", "));
        }
    } else {
        let _ = writeln!(text, "time     unknown: the store knows no times of {}", unknown.join(", "));
    }
    text
}

/// The prediction for scripts, in seconds.
pub(super) fn time_json(prediction: &Prediction, plan: &Plan) -> Value {
    let due = plan.stages.iter().filter(|stage| stage.status != Status::Cached);
    let stages: serde_json::Map<String, Value> = due
        .filter_map(|stage| Some((stage.key.to_string(), json!(prediction.stages.get(&stage.id)?.likely))))
        .collect();
    json!({
        "known": prediction.unknown().next().is_none(),
        "total": prediction.total,
        "kinds": prediction.kinds,
        "stages": stages,
    })
}

/// Says what each claim can show with the replicates that it has.
pub(super) fn power(prospects: &[(String, Result<Prospect, String>)]) -> String {
    let rows: Vec<Vec<String>> = prospects
        .iter()
        .map(|(name, prospect)| {
            let (kind, told) = match prospect {
                Ok(prospect) => (kind(prospect.kind), sentence(prospect)),
                Err(reason) => ("", format!("cannot be tested: {reason}")),
            };
            vec!["claim".to_owned(), name.clone(), kind.to_owned(), told]
        })
        .collect();
    if rows.is_empty() { String::new() } else { figures::columns(&rows, &[]) }
}

/// The prospects for scripts.
pub(super) fn power_json(prospects: &[(String, Result<Prospect, String>)]) -> Value {
    let entry = |(name, prospect): &(String, Result<Prospect, String>)| match prospect {
        Ok(prospect) => json!({ "name": name, "prospect": prospect }),
        Err(reason) => json!({ "name": name, "problem": reason }),
    };
    prospects.iter().map(entry).collect()
}

fn kind(kind: ClaimKind) -> &'static str {
    match kind {
        ClaimKind::NotWorse => "not_worse",
        ClaimKind::Equivalent => "equivalent",
        ClaimKind::Differs => "differs",
    }
}

fn sentence(prospect: &Prospect) -> String {
    let Prospect { levels, n, paired, detectable, .. } = prospect;
    let many = format!("{n} {}", if *paired { "pairs" } else { "replicates a side" });
    let each = if *levels > 1 { format!(" at each of {levels} levels") } else { String::new() };
    let share = format!("{:.0} %", 100.0 * POWER);
    let told = match (&prospect.observed, prospect.kind) {
        (None, ClaimKind::Differs) => format!("finds a difference of {} sd with power {share}", rounded(*detectable)),
        (None, _) => {
            format!("holds with power {share} for a margin of {} sd, if there is no difference", rounded(*detectable))
        }
        (Some(seen), ClaimKind::Differs) => {
            let [found, sd] = [seen.detectable, seen.sd].map(|value| number::shown(value, seen.scale));
            format!("finds a difference of {found} with power {share} (sd {sd} in {} so far)", seen.from)
        }
        (Some(seen), _) => {
            let [needed, sd] = [seen.detectable, seen.sd].map(|value| number::shown(value, seen.scale));
            let margin = seen.margin.map(|margin| number::shown(margin, seen.scale)).unwrap_or_default();
            let power = seen.power.map(|power| format!("{:.0} %", 100.0 * power)).unwrap_or_default();
            format!(
                "margin {margin} holds with power {power}, if there is no difference; {share} needs {needed} (sd {sd} in {} so far)",
                seen.from
            )
        }
    };
    format!("{many}{each}: {told}")
}

fn rounded(value: f64) -> String {
    number::fixed(value, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_written_as_times_of_the_language() {
        let seconds = |text: &str| text.parse::<Limit>().map(|limit| limit.seconds);
        assert_eq!(seconds("40h"), Ok(144_000.0));
        assert_eq!(seconds("30min"), Ok(1800.0));
        assert_eq!(seconds("1.5h"), Ok(5400.0));
        assert_eq!(seconds("1h 30min"), Ok(5400.0));
        assert_eq!(seconds("90s"), Ok(90.0));
        for wrong in ["", "40", "h", "40 days", "0s", "-1h", "1..5h", "40H"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
