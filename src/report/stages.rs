//! The page's list of stages.

use maud::{Markup, html};

use super::contents::{Contents, StageStatus};
use super::html::{link, plural};
use super::number;

/// Lists what became of every stage.
pub(super) fn section(contents: &Contents) -> Markup {
    let unsuccessful = contents.stages.iter().any(|stage| !is_good(stage.status));
    html! {
        h2 #stages { "Stages" }
        details open[unsuccessful] {
            summary { (plural(contents.stages.len(), "stage")) }
            div {
                input #filter type="search" placeholder="Filter" aria-label="Filter stages" hidden;
                div.scroll { table.sortable #stage-list {
                    thead { tr { th { "stage" } th { "status" } th.number { "time" } th { "source" } th { "key" } } }
                    tbody {
                        @for stage in &contents.stages {
                            tr {
                                td {
                                    (stage.name)
                                    @if let Some(message) = &stage.message { div.soft.small.wrap { (message) } }
                                }
                                td { (status(stage.status)) }
                                td.number data-order=[stage.seconds] {
                                    @match stage.seconds { Some(seconds) => (number::duration(seconds)), None => "–" }
                                }
                                td { @if let Some(place) = &stage.place { (link(contents, place)) } }
                                td.mono.soft title=(stage.key) { (stage.key.chars().take(12).collect::<String>()) }
                            }
                        }
                    }
                } }
            }
        }
    }
}

fn is_good(status: StageStatus) -> bool {
    matches!(status, StageStatus::Cached | StageStatus::Done | StageStatus::Unneeded)
}

fn status(status: StageStatus) -> Markup {
    let (class, word) = match status {
        StageStatus::Cached => ("cached", "cached"),
        StageStatus::Done => ("done", "done"),
        StageStatus::Failed => ("failed", "failed"),
        StageStatus::Blocked => ("blocked", "blocked"),
        StageStatus::NotRun => ("not-run", "not run"),
        StageStatus::Unneeded => ("unneeded", "not needed"),
    };
    html! { span.badge.(class) { (word) } }
}
