//! The page: one file that needs nothing else, readable without scripts.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::claims::{Judgement, Verdict};
use super::contents::{Contents, Entry, Gate, Place, Stage, StageStatus};
use super::drawing::Drawing;
use super::table::{Grid, grid};
use super::write::file_stem;
use super::{forest, number, stages, warnings};
use crate::value::output::{Cell, ClaimKind, PlotSpec, TableSpec};

const CSS: &str = include_str!("page.css");
const JS: &str = include_str!("page.js");

/// Writes the page.
pub fn render(contents: &Contents, judgements: &[Judgement], drawings: &[Drawing]) -> String {
    let (title, lead) = heading(contents);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content={ "pdsl " (contents.run.version) };
                title { (title) }
                style { (PreEscaped(CSS)) }
            }
            body {
                header {
                    h1 { (title) }
                    @for paragraph in &lead { p.lead { (paragraph) } }
                    (facts(contents))
                    (alerts(contents))
                    (navigation(contents))
                }
                main {
                    (warnings::section(&contents.warnings))
                    @if !contents.claims.is_empty() {
                        h2 #claims { "Claims" }
                        @for (claim, judgement) in contents.claims.iter().zip(judgements) {
                            (card(&claim.name, &claim.text, claim.place.as_ref(), contents, judgement))
                        }
                    }
                    @if !contents.plots.is_empty() {
                        h2 #plots { "Plots" }
                        @for (entry, drawing) in contents.plots.iter().zip(drawings) { (plot(contents, entry, drawing)) }
                    }
                    @if !contents.tables.is_empty() {
                        h2 #tables { "Tables" }
                        @for entry in &contents.tables { (table(contents, entry)) }
                    }
                    @if !contents.expectations.is_empty() { (expectations(contents)) }
                    @if !contents.params.is_empty() { (parameters(contents)) }
                    @if !contents.stages.is_empty() { (stages::section(contents)) }
                    (provenance(contents))
                    (source(contents))
                }
                footer {
                    "Made by pdsl " (contents.run.version) " from " span.mono { (contents.file) } "."
                    " Ratios are fractions in the CSV files and in claims.json, per cent on this page."
                }
                script { (PreEscaped(JS)) }
            }
        }
    };
    page.into_string()
}

/// The first sentence of the file's text is the title, what follows the lead; without text, the file's name.
fn heading(contents: &Contents) -> (String, Vec<String>) {
    let mut paragraphs: Vec<String> = contents
        .docs
        .split("\n\n")
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|paragraph| !paragraph.is_empty())
        .collect();
    if paragraphs.is_empty() {
        return (contents.file.clone(), Vec::new());
    }
    let first = paragraphs.remove(0);
    let end = first.find(['.', '?', '!']).filter(|&end| first[end + 1..].starts_with(' '));
    let (title, rest) = end.map_or((first.as_str(), ""), |end| first.split_at(end + 1));
    if !rest.trim().is_empty() {
        paragraphs.insert(0, rest.trim().to_string());
    }
    (title.trim_end_matches('.').to_string(), paragraphs)
}

fn count(contents: &Contents, status: StageStatus) -> usize {
    contents.stages.iter().filter(|stage| stage.status == status).count()
}

fn facts(contents: &Contents) -> Markup {
    let run = &contents.run;
    let stages = [
        (StageStatus::Done, "run"),
        (StageStatus::Cached, "cached"),
        (StageStatus::Failed, "failed"),
        (StageStatus::Blocked, "blocked"),
        (StageStatus::NotRun, "not run"),
        (StageStatus::Unneeded, "not needed"),
    ];
    let parts: Vec<String> = stages
        .iter()
        .map(|&(status, word)| (count(contents, status), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let stages = match parts.len() {
        0 => "none".to_string(),
        _ => format!("{}: {}", contents.stages.len(), parts.join(", ")),
    };
    let time = number::duration(run.seconds);
    let rows = [
        ("Stages", &stages),
        ("Time", &time),
        ("Host", &run.host),
        ("Device", &run.device),
        ("Seeds", &run.seeds),
        ("Started", &run.started),
    ];
    html! {
        div.facts {
            @for (term, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
                div { p.term { (term) } span.value { (value) } }
            }
        }
    }
}

/// What stands in the way of reading on: failed stages and expectations.
fn alerts(contents: &Contents) -> Markup {
    let failed: Vec<&Stage> = contents.stages.iter().filter(|stage| stage.status == StageStatus::Failed).collect();
    let broken: Vec<_> = contents.expectations.iter().filter(|expectation| expectation.gate == Gate::Failed).collect();
    html! {
        @if !failed.is_empty() {
            div.alert role="alert" {
                strong { (plural(failed.len(), "stage")) " failed" }
                @let blocked = count(contents, StageStatus::Blocked);
                @if blocked > 0 { ", " (blocked) " blocked. Their values are missing below." } @else { "." }
                ul {
                    @for stage in &failed {
                        li {
                            (stage.name)
                            @if let Some(message) = &stage.message { ": " (message) }
                            @if let Some(place) = &stage.place { " " (link(contents, place)) }
                        }
                    }
                }
            }
        }
        @if !broken.is_empty() {
            div.alert role="alert" {
                strong { (plural(broken.len(), "expectation")) " failed" } "; the claims are void."
                ul {
                    @for expectation in &broken {
                        li {
                            code { (expectation.text) }
                            @if !expectation.detail.is_empty() { " – " (number::typographic(&expectation.detail)) }
                            @if let Some(place) = &expectation.place { " " (link(contents, place)) }
                        }
                    }
                }
            }
        }
    }
}

fn navigation(contents: &Contents) -> Markup {
    let sections = [
        ("warnings", "Warnings", contents.warnings.is_empty()),
        ("claims", "Claims", contents.claims.is_empty()),
        ("plots", "Plots", contents.plots.is_empty()),
        ("tables", "Tables", contents.tables.is_empty()),
        ("params", "Parameters", contents.params.is_empty()),
        ("stages", "Stages", contents.stages.is_empty()),
        ("provenance", "Provenance", contents.provenance.is_empty() && contents.run.command.is_empty()),
        ("source", "Source", contents.source.is_empty()),
    ];
    html! {
        nav aria-label="Sections" {
            @for (target, name, _) in sections.iter().filter(|(_, _, empty)| !empty) { a href={ "#" (target) } { (name) } }
        }
    }
}

fn card(name: &str, text: &str, place: Option<&Place>, contents: &Contents, judgement: &Judgement) -> Markup {
    let verdict = judgement.verdict;
    let sign = match verdict {
        Verdict::Supported => "✓",
        Verdict::Refuted => "✗",
        Verdict::Inconclusive => "?",
        Verdict::Void => "–",
    };
    let kind = match judgement.kind {
        ClaimKind::NotWorse => "not worse than the reference (one-sided t test)",
        ClaimKind::Equivalent => "equivalent to the reference (two one-sided t tests)",
        ClaimKind::Differs => "different from the reference (two-sided t test)",
    };
    html! {
        article.claim.(verdict.name()) id={ "claim-" (file_stem(name)) } {
            div.head {
                span.sentence { (text) }
                span.badge.(verdict.name()) { (sign) " " (verdict.name()) }
            }
            @if judgement.effect.is_some() { p.numbers { (number::typographic(&judgement.numbers())) } }
            @for note in &judgement.notes { p.soft.small { (number::typographic(note)) } }
            @if let Some(picture) = forest::render(judgement) { div.forest.scroll { (PreEscaped(picture)) } }
            p.soft.small {
                span.mono { (name) } ": " (kind) ", level " (number::percent(1.0 - judgement.alpha))
                @if let Some(place) = place { " · " (link(contents, place)) }
            }
            @if judgement.levels.len() > 1 { (levels(judgement)) }
        }
    }
}

fn levels(judgement: &Judgement) -> Markup {
    html! {
        details {
            summary { "All " (judgement.levels.len()) " levels" }
            div.scroll {
                table.sortable {
                    thead { tr {
                        th { "level" } th { "verdict" } th { "effect" } th.number { "margin" } th.number { "p" } th.number { "n" }
                    } }
                    tbody {
                        @for level in &judgement.levels {
                            tr {
                                td { (level.label) }
                                td { span.badge.(level.verdict.name()) { (level.verdict.name()) } }
                                td data-order=(level.effect) {
                                    (number::typographic(&number::effect(
                                        level.effect, level.interval, judgement.interval_level, judgement.scale)))
                                }
                                td.number { @if let Some(margin) = level.margin { (number::shown(margin, judgement.scale)) } }
                                td.number data-order=[level.p] {
                                    @if let Some(p) = level.p { (number::p_value(p).trim_start_matches("p = ").trim_start_matches("p ")) }
                                }
                                td.number data-order=(level.n) { (level.n) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn plot(contents: &Contents, entry: &Entry<PlotSpec<Cell>>, drawing: &Drawing) -> Markup {
    let stem = file_stem(&entry.name);
    html! {
        figure id={ "plot-" (stem) } {
            figcaption { (caption(contents, &entry.name, &entry.docs, entry.place.as_ref())) }
            (drawing.markup(&entry.name))
            p.files {
                a href={ "plots/" (stem) ".svg" } { "SVG" }
                @if drawing.has_data() { " · " a href={ "plots/" (stem) ".vl.json" } { "Vega-Lite" } }
            }
        }
    }
}

fn table(contents: &Contents, entry: &Entry<TableSpec<Cell>>) -> Markup {
    let stem = file_stem(&entry.name);
    let grid = grid(&entry.spec);
    html! {
        section.table id={ "table-" (stem) } {
            (caption(contents, &entry.name, &entry.docs, entry.place.as_ref()))
            div.scroll { (cells(&grid)) }
            p.files {
                @if !grid.notes.is_empty() { (grid.notes.join("; ")) " · " }
                a href={ "tables/" (stem) ".csv" } { "CSV" }
            }
        }
    }
}

fn cells(grid: &Grid) -> Markup {
    html! {
        table.sortable {
            thead { tr {
                @for heading in &grid.columns { th.number[heading.numeric] scope="col" { (heading.text) } }
            } }
            tbody {
                @for row in &grid.rows {
                    tr {
                        @for (cell, heading) in row.iter().zip(&grid.columns) {
                            td.number[heading.numeric] data-order=[cell.order] { (number::typographic(&cell.text)) }
                        }
                    }
                }
            }
        }
    }
}

fn caption(contents: &Contents, name: &str, docs: &str, place: Option<&Place>) -> Markup {
    html! {
        h3 {
            (name)
            @if let Some(place) = place { " " span.small style="font-weight:400" { (link(contents, place)) } }
        }
        @if !docs.trim().is_empty() { p.soft { (docs.trim()) } }
    }
}

fn expectations(contents: &Contents) -> Markup {
    html! {
        h2 #expectations { "Expectations" }
        div.scroll { table { tbody {
            @for expectation in &contents.expectations {
                tr {
                    td {
                        @match expectation.gate {
                            Gate::Met => span.badge.done { "✓ holds" },
                            Gate::Failed => span.badge.failed { "✗ fails" },
                            Gate::Unknown => span.badge { "– unknown" },
                        }
                    }
                    td { code { (expectation.text) } }
                    td.soft { (number::typographic(&expectation.detail)) }
                    td { @if let Some(place) = &expectation.place { (link(contents, place)) } }
                }
            }
        } } }
    }
}

fn parameters(contents: &Contents) -> Markup {
    html! {
        h2 #params { "Parameters" }
        div.scroll { table {
            thead { tr { th { "name" } th { "value" } th { "meaning" } } }
            tbody {
                @for parameter in &contents.params {
                    tr {
                        td.mono { (parameter.name) }
                        td {
                            code { (parameter.value) }
                            @if parameter.overridden { " " span.badge { "set" } }
                        }
                        td.soft { (parameter.docs) }
                    }
                }
            }
        } }
    }
}

fn provenance(contents: &Contents) -> Markup {
    let command = (!contents.run.command.is_empty()).then(|| ("Command".to_string(), contents.run.command.clone()));
    let rows: Vec<(String, String)> = command.into_iter().chain(contents.provenance.iter().cloned()).collect();
    html! {
        @if !rows.is_empty() {
            h2 #provenance { "Provenance" }
            div.scroll { table { tbody {
                @for (what, value) in &rows { tr { td { (what) } td.mono.wrap { (value) } } }
            } } }
        }
    }
}

fn source(contents: &Contents) -> Markup {
    html! {
        @if !contents.source.is_empty() {
            h2 #source { "Source" }
            p.soft.small.mono { (contents.file) }
            pre { code {
                @for (at, line) in contents.source.lines().enumerate() {
                    span.line id={ "line-" (at + 1) } { span.n { (at + 1) } (line) } "\n"
                }
            } }
        }
    }
}

/// A place: a link where the page holds the text, words where it does not.
pub(super) fn link(contents: &Contents, place: &Place) -> Markup {
    html! {
        @if place.file == contents.file && !contents.source.is_empty() {
            a.small href={ "#line-" (place.line) } { "line " (place.line) }
        } @else {
            span.small.soft { (place.file) ":" (place.line) }
        }
    }
}

pub(super) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("{count} {noun}") } else { format!("{count} {noun}s") }
}
