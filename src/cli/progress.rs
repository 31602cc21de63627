//! What a run shows on standard error: one line per running stage and one for the whole, redrawn on a terminal, line by
//! line elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use unicode_width::UnicodeWidthChar;

use super::figures;
use super::output::{self, Output};
use crate::exec::{Estimate, Event, Progress, StageRef};
use crate::graph::Key;
use crate::plan::Plan;

/// Least time between two lines about the same stage where lines cannot be redrawn.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);
/// Redraws per second.
const REFRESH: u8 = 8;
/// Columns that a redrawn line leaves free: its spinner, and twice `^C`.
const ROOM: usize = 8;

/// A consumer of events that tells people how far a run is.
pub(super) struct Display {
    screen: Option<Screen>,
    began: Instant,
    estimate: Estimate,
    running: BTreeMap<Key, Running>,
    counts: Counts,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    stages: usize,
    cached: usize,
    run: usize,
    done: usize,
    failed: usize,
    blocked: usize,
}

struct Running {
    name: String,
    began: Instant,
    /// First progress seen: what was done before does not count for the speed.
    first: Option<(Instant, u64)>,
    latest: Progress,
    shown: Instant,
    bar: Option<ProgressBar>,
}

struct Screen {
    lines: MultiProgress,
    total: ProgressBar,
}

impl Display {
    /// Prepares the display for what a plan leaves to do.
    pub(super) fn new(output: Output, plan: &Plan) -> Self {
        let screen = output.live.then(|| {
            let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(REFRESH));
            let total = lines.add(line());
            Screen { lines, total }
        });
        Self {
            screen,
            began: Instant::now(),
            estimate: Estimate::new(plan),
            running: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    /// Shows an event.
    pub(super) fn see(&mut self, event: &Event) {
        let elapsed = self.began.elapsed();
        self.estimate.observe(event, elapsed);
        let left = self.estimate.remaining(elapsed).map(|left| left.as_secs_f64());
        match event {
            Event::Began { stages, cached, run, jobs } => {
                self.counts = Counts { stages: *stages, cached: *cached, run: *run, ..Counts::default() };
                if *run > 0 {
                    let stages = figures::counted(*stages, "stage");
                    self.say(&format!("{stages}: {cached} cached, {run} to run, {jobs} at a time"));
                }
            }
            Event::Cached { .. } => {}
            Event::Started { stage, .. } => self.start(stage),
            Event::Resumed { stage, from } => self.say(&format!("{} goes on from iteration {from}", stage.name)),
            Event::Waiting { stage, holder } => {
                let who = format!("process {} on {}", holder.process, holder.host);
                self.say(&format!("{} is being computed by {who}; waiting for it", stage.name));
            }
            Event::Progress { stage, progress } => self.advance(stage, progress, left),
            Event::Note { stage, text } => self.say(&format!("{}: {text}", stage.name)),
            Event::Finished { stage, seconds, measures } => {
                self.counts.done += 1;
                self.stop(stage);
                self.finished(stage, *seconds, measures);
            }
            Event::Failed { stage, problem } => {
                self.counts.failed += 1;
                self.stop(stage);
                self.say(&format!("{} failed: {}", stage.name, problem.message));
            }
            Event::Blocked { .. } => self.counts.blocked += 1,
            Event::Unneeded { .. } => {
                self.counts.run = self.counts.run.saturating_sub(1);
                self.counts.stages = self.counts.stages.saturating_sub(1);
            }
            Event::Stopping { at_once: false } => {
                self.say("stopping: running stages finish their step and save; once more to stop at once");
            }
            Event::Stopping { at_once: true } => self.say("stopping at once"),
            Event::Interrupted { stage, step } => {
                self.stop(stage);
                let saved = step.map_or_else(String::new, |step| format!(", saved at iteration {step}"));
                self.say(&format!("{} stopped{saved}", stage.name));
            }
            Event::Lost { text } => self.say(text),
            Event::Ended { .. } => self.clear(),
        }
        self.total(left);
    }

    /// Takes the redrawn lines off the screen.
    pub(super) fn clear(&mut self) {
        for running in std::mem::take(&mut self.running).into_values() {
            running.bar.iter().for_each(ProgressBar::finish_and_clear);
        }
        if let Some(screen) = self.screen.take() {
            screen.total.finish_and_clear();
            let _ = screen.lines.clear();
        }
    }

    /// Prints a line that stays, above those that are redrawn.
    pub(super) fn say(&self, text: &str) {
        match &self.screen {
            Some(screen) => screen.lines.suspend(|| output::note(text)),
            None => output::note(text),
        }
    }

    fn start(&mut self, stage: &StageRef) {
        let now = Instant::now();
        let bar = self.screen.as_ref().map(|screen| {
            let bar = screen.lines.insert_before(&screen.total, line());
            bar.set_message(fitted(&stage.name));
            bar
        });
        let name = stage.name.to_string();
        let latest = Progress::default();
        self.running.insert(stage.key, Running { name, began: now, first: None, latest, shown: now, bar });
    }

    fn stop(&mut self, stage: &StageRef) {
        if let Some(Running { bar: Some(bar), .. }) = self.running.remove(&stage.key) {
            bar.finish_and_clear();
        }
    }

    fn advance(&mut self, stage: &StageRef, progress: &Progress, left: Option<f64>) {
        let Some(running) = self.running.get_mut(&stage.key) else { return };
        let now = Instant::now();
        running.first.get_or_insert((now, progress.step));
        running.latest = *progress;
        let text = running.text(now);
        match &running.bar {
            Some(bar) => bar.set_message(fitted(&text)),
            None if now - running.shown >= PLAIN_INTERVAL => {
                running.shown = now;
                let rest = left.map_or_else(String::new, |left| format!("; {} left in all", figures::duration(left)));
                self.say(&format!("{text}{rest}"));
            }
            None => {}
        }
    }

    /// Says that a stage is done: always where lines stay anyway, and on a terminal only if it took a while.
    fn finished(&self, stage: &StageRef, seconds: f64, measures: &BTreeMap<String, f64>) {
        if self.screen.is_some() && seconds < 1.0 {
            return;
        }
        let Counts { done, run, .. } = self.counts;
        let mut text = format!("[{done}/{run}] {} · {}", stage.name, figures::duration(seconds));
        for name in ["top1", "units"] {
            if let Some(value) = measures.get(name) {
                let _ = match name {
                    "top1" => write!(text, " · top-1 {:.2} %", value * 100.0),
                    _ => write!(text, " · {value} units"),
                };
            }
        }
        self.say(&text);
    }

    fn total(&self, left: Option<f64>) {
        let Some(screen) = &self.screen else { return };
        let Counts { stages, cached, run, done, failed, blocked } = self.counts;
        let mut text = format!("{stages} stages: {} done, {cached} cached, {} running", done, self.running.len());
        let open = run.saturating_sub(done + failed + blocked + self.running.len());
        let _ = write!(text, ", {open} waiting");
        if failed > 0 {
            let _ = write!(text, ", {failed} failed, {blocked} blocked");
        }
        let _ = write!(text, " · {}", figures::duration(self.began.elapsed().as_secs_f64()));
        if let Some(left) = left {
            let _ = write!(text, ", {} left", figures::duration(left));
        }
        screen.total.set_message(fitted(&text));
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Running {
    /// `train seed 1 · 120/200 it · loss 0.412 · top-1 87.50 % · 5 300 img/s · 12s left`
    fn text(&self, now: Instant) -> String {
        let Progress { step, total, loss, top1, images_per_second, first: _ } = &self.latest;
        let mut text = format!("{} · {}/{}", self.name, figures::grouped(*step), figures::grouped(*total));
        if let Some(loss) = loss {
            let _ = write!(text, " · loss {loss:.3}");
        }
        if let Some(top1) = top1 {
            let _ = write!(text, " · top-1 {:.1} %", top1 * 100.0);
        }
        if let Some(speed) = images_per_second {
            let _ = write!(text, " · {} img/s", figures::grouped(speed.round().max(0.0) as u64));
        }
        if let Some(left) = self.left(now) {
            let _ = write!(text, " · {} left", figures::duration(left));
        }
        text
    }

    fn left(&self, now: Instant) -> Option<f64> {
        let (since, from) = self.first.unwrap_or((self.began, 0));
        let done = self.latest.step.checked_sub(from).filter(|done| *done > 0)?;
        let open = self.latest.total.saturating_sub(self.latest.step);
        Some((now - since).as_secs_f64() / done as f64 * open as f64)
    }
}

/// Cuts a line so that there is room behind it for the `^C` that a terminal echoes: a line that it wraps cannot be redrawn.
fn fitted(text: &str) -> String {
    let columns = terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(width, _)| usize::from(width.0));
    let room = columns.saturating_sub(ROOM);
    let mut used = 0;
    text.chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= room
        })
        .collect()
}

fn line() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
