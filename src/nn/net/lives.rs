//! When values and gradients are needed, and which buffer holds which: those whose lives do not overlap share one.
//!
//! Time runs through the forward pass, then through the segments of the backward pass from the last to the first. A
//! segment whose inner values were given up computes them again before it goes back.

use std::ops::Range;

use super::program::{Program, Step, Work};
use super::{Mode, Setup};

/// Stretches of time for which a value is needed (all ends inclusive), and its size. No stretch: never.
#[derive(Clone, Debug, Default)]
struct Life {
    spans: Vec<(usize, usize)>,
    size: usize,
}

impl Life {
    fn reach(&mut self, time: usize) {
        match self.spans.last_mut() {
            Some((_, last)) => *last = (*last).max(time),
            None => self.spans.push((time, time)),
        }
    }
}

/// The buffers of a program: values come first, then (for training) their gradients.
pub(super) struct Layout {
    /// Buffer of every value and gradient.
    pub slots: Vec<usize>,
    /// Size of every buffer, for one image.
    pub sizes: Vec<usize>,
    /// Stretches of steps that go back together. All but the last are computed again before.
    pub segments: Vec<Range<usize>>,
}

/// Lays out a program.
pub(super) fn lay_out(program: &Program, setup: &Setup) -> Layout {
    let segments = if setup.recompute { segments(program) } else { whole(program) };
    let lives = match setup.mode {
        Mode::Train => training_lives(program, setup, &segments),
        Mode::Evaluate => evaluation_lives(program),
    };
    let (slots, sizes) = assign(&lives);
    Layout { slots, sizes, segments }
}

fn evaluation_lives(program: &Program) -> Vec<Life> {
    let mut lives: Vec<Life> =
        program.shapes.iter().map(|shape| Life { spans: Vec::new(), size: shape.values() }).collect();
    lives[0].reach(0);
    for (at, step) in program.steps.iter().enumerate() {
        for value in [step.y, step.x].into_iter().chain(step.other) {
            lives[value].reach(at + 1);
        }
    }
    for value in program.observed.values().copied().chain([program.output]) {
        lives[value].reach(program.steps.len() + 1);
    }
    lives
}

fn training_lives(program: &Program, setup: &Setup, segments: &[Range<usize>]) -> Vec<Life> {
    let (steps, values) = (program.steps.len(), program.shapes.len());
    let mut lives: Vec<Life> =
        (0..2 * values).map(|at| Life { spans: Vec::new(), size: program.shapes[at % values].values() }).collect();
    let reads = |step: usize| {
        let step = &program.steps[step];
        [step.x].into_iter().chain(step.other)
    };
    lives[0].reach(0);
    for step in 0..steps {
        for value in reads(step).chain([program.steps[step].y]) {
            lives[value].reach(step + 1);
        }
    }
    let mut time = steps + 1;
    lives[values + program.output].reach(time);
    for (nth, segment) in segments.iter().enumerate().rev() {
        if nth + 1 < segments.len() {
            for step in segment.clone().filter(|step| program.is_inner(*step, segment)) {
                time += 1;
                lives[program.steps[step].y].spans.push((time, time));
                reads(step).for_each(|value| lives[value].reach(time));
            }
        }
        for step in segment.clone().rev() {
            time += 1;
            let y = program.steps[step].y;
            for value in reads(step).chain([y]) {
                lives[value].reach(time);
                lives[values + value].reach(time);
            }
        }
    }
    let end = time + 1;
    for value in program.observed.values().copied().chain([program.output]) {
        lives[value].reach(end);
    }
    if setup.differentiate_input {
        lives[values].reach(end);
    } else if program.steps.iter().all(|step| !reads_images(step) || matches!(step.work, Work::Conv { .. })) {
        // A convolution writes no gradient of the images that nobody asks for.
        lives[values].spans.clear();
    }
    lives
}

fn reads_images(step: &Step) -> bool {
    step.x == 0 || step.other == Some(0)
}

fn whole(program: &Program) -> Vec<Range<usize>> {
    std::iter::once(0..program.steps.len()).collect()
}

/// Cuts a program where a single value passes from one step to the next, into stretches whose values take about as much
/// memory as all the values at the cuts: √n of n steps, if all were alike (Chen et al. 2016, "Training Deep Nets with
/// Sublinear Memory Cost").
fn segments(program: &Program) -> Vec<Range<usize>> {
    let steps = program.steps.len();
    let mut last_read = vec![0; program.shapes.len()];
    for (at, step) in program.steps.iter().enumerate() {
        [step.x].into_iter().chain(step.other).for_each(|value| last_read[value] = at);
    }
    // A cut before step `at` is narrow if it alone passes the value that the step before made.
    let narrow = |at: usize| {
        let passing = |value: &usize| last_read[*value] >= at;
        program.steps[..at].iter().map(|step| step.y).filter(passing).count() == 1
    };
    let cuts: Vec<usize> = (1..steps).filter(|at| narrow(*at)).collect();
    let size = |range: Range<usize>| -> usize {
        program.steps[range].iter().map(|step| program.shapes[step.y].values()).sum()
    };
    // The best number of segments is found by trying: what stays plus the largest segment.
    let mut best = whole(program);
    let mut least = size(0..steps);
    for parts in 2..=cuts.len().min(64) {
        let share = size(0..steps).div_ceil(parts);
        let (mut found, mut start) = (Vec::new(), 0);
        for cut in cuts.iter().copied() {
            if size(start..cut) >= share {
                found.push(start..cut);
                start = cut;
            }
        }
        found.push(start..steps);
        let stay: usize = found[1..].iter().map(|range| program.shapes[program.steps[range.start].x].values()).sum();
        let need = stay + found.iter().map(|range| size(range.clone())).max().unwrap_or(0);
        if need < least {
            (least, best) = (need, found);
        }
    }
    best
}

/// Gives every life a slot and returns the slots' sizes. Large lives choose first; each takes the smallest slot that is
/// large enough and free whenever it is needed.
fn assign(lives: &[Life]) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..lives.len()).filter(|life| !lives[*life].spans.is_empty()).collect();
    order.sort_by_key(|life| (std::cmp::Reverse(lives[*life].size), lives[*life].spans[0]));
    let mut slots = vec![0; lives.len()];
    let (mut sizes, mut busy): (Vec<usize>, Vec<Vec<(usize, usize)>>) = (vec![0], vec![Vec::new()]);
    for life in order {
        let Life { spans, size } = &lives[life];
        let meets = |other: &(usize, usize)| spans.iter().any(|span| span.0 <= other.1 && other.0 <= span.1);
        // Slots were opened from the largest on: the last free one is the smallest.
        let free = (1..sizes.len()).rev().find(|slot| !busy[*slot].iter().any(meets));
        let slot = free.unwrap_or_else(|| {
            sizes.push(*size);
            busy.push(Vec::new());
            sizes.len() - 1
        });
        busy[slot].extend(spans);
        slots[life] = slot;
    }
    (slots, sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_overlap_never_share() {
        let life = |spans: &[(usize, usize)], size| Life { spans: spans.to_vec(), size };
        let (slots, sizes) =
            assign(&[life(&[(0, 1)], 10), life(&[(1, 2)], 20), life(&[(2, 3)], 5), life(&[(3, 4)], 30)]);
        assert_eq!((slots, sizes), (vec![2, 1, 2, 1], vec![0, 30, 10]));
        let (slots, sizes) =
            assign(&[life(&[(0, 1), (4, 5)], 10), life(&[(2, 3)], 8), life(&[(4, 4)], 4), life(&[], 9)]);
        assert_eq!((slots, sizes), (vec![1, 1, 2, 0], vec![0, 10, 4]));
    }
}
