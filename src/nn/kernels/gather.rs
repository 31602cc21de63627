//! What a sliding window sees, copied into rows: one row per place of the window, `[tap][channel]`.

/// A window that slides over images, or over one phase of them.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// Height and width of an image.
    size: [usize; 2],
    /// Channels of an image, and those the window sees per tap.
    channels: [usize; 2],
    /// Height and width of the grid of places.
    places: [usize; 2],
    /// Distance of places.
    stride: usize,
    runs: Vec<Run>,
    depth: usize,
}

/// Taps beside each other whose channels lie in one piece of memory.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Row and column of the first tap for the window's first place.
    at: [isize; 2],
    /// Number of taps.
    taps: usize,
    /// Where the run begins in a row.
    start: usize,
}

impl Window {
    /// A window whose taps, for its first place, lie at `taps` (row, column), in this order in a row.
    pub(super) fn new(
        size: [usize; 2],
        channels: [usize; 2],
        places: [usize; 2],
        stride: usize,
        taps: &[[isize; 2]],
    ) -> Self {
        let joined = channels[0] == channels[1];
        let mut runs: Vec<Run> = Vec::new();
        for (nth, tap) in taps.iter().enumerate() {
            match runs.last_mut() {
                Some(run) if joined && run.at[0] == tap[0] && run.at[1] + run.taps as isize == tap[1] => run.taps += 1,
                _ => runs.push(Run { at: *tap, taps: 1, start: nth * channels[1] }),
            }
        }
        Self { size, channels, places, stride, runs, depth: taps.len() * channels[1] }
    }

    /// Values in a row.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Places on one image.
    pub(super) fn places(&self) -> usize {
        self.places[0] * self.places[1]
    }

    /// Whether every row is what lies in the images already: a single tap, never outside, one place per pixel.
    pub(super) fn is_plain(&self) -> bool {
        let single = matches!(self.runs[..], [Run { at: [0, 0], taps: 1, .. }]);
        single && self.stride == 1 && self.places == self.size
    }

    /// Writes values `from..to` of the rows of places `first..first + count` (counted over all images), each row
    /// `stride` values behind the one before. `channel` is the first that the window sees.
    pub(super) fn fill(
        &self,
        images: &[f32],
        channel: usize,
        (first, count): (usize, usize),
        (from, to): (usize, usize),
        (rows, stride): (&mut [f32], usize),
    ) {
        let [height, width] = self.size;
        let image = height * width * self.channels[0];
        let [mut at, mut y, mut x] =
            [first / self.places(), first % self.places() / self.places[1], first % self.places[1]];
        for row in rows.chunks_mut(stride).take(count) {
            let source = &images[at * image..(at + 1) * image];
            for run in &self.runs {
                let length = run.taps * self.channels[1];
                let (begin, end) = (from.max(run.start), to.min(run.start + length));
                if begin < end {
                    let place = [run.at[0] + (y * self.stride) as isize, run.at[1] + (x * self.stride) as isize];
                    self.copy(
                        source,
                        channel,
                        *run,
                        place,
                        (begin - run.start, end - run.start),
                        &mut row[begin - from..end - from],
                    );
                }
            }
            x += 1;
            if x == self.places[1] {
                (x, y) = (0, y + 1);
            }
            if y == self.places[0] {
                (y, at) = (0, at + 1);
            }
        }
    }

    /// Copies values `begin..end` of a run that starts at `place`; what lies outside the image is 0.
    fn copy(
        &self,
        image: &[f32],
        channel: usize,
        run: Run,
        place: [isize; 2],
        (begin, end): (usize, usize),
        to: &mut [f32],
    ) {
        let [height, width] = self.size;
        let inside = |at: isize, extent: usize| at >= 0 && (at as usize) < extent;
        if !inside(place[0], height) {
            return to.fill(0.0);
        }
        let row = place[0] as usize * width;
        if inside(place[1], width) && place[1] as usize + run.taps <= width {
            let start = (row + place[1] as usize) * self.channels[0] + channel;
            return to.copy_from_slice(&image[start + begin..start + end]);
        }
        // The run crosses the border: taps before `left` and from `right` on lie outside.
        let left = (-place[1]).clamp(0, run.taps as isize) as usize;
        let right = (width as isize - place[1]).clamp(left as isize, run.taps as isize) as usize;
        let each = self.channels[1];
        let [left, right] = [left * each, right * each].map(|edge| edge.clamp(begin, end));
        to[..left - begin].fill(0.0);
        to[right - begin..].fill(0.0);
        if left < right {
            let start = (row as isize + place[1]) * self.channels[0] as isize + channel as isize;
            let source = (start + left as isize) as usize;
            to[left - begin..right - begin].copy_from_slice(&image[source..source + right - left]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a look at every single value.
        #[test]
        fn rows_hold_what_the_window_sees(
            size in [1usize..6, 1usize..6], channels in 1usize..5, groups in 1usize..3, kernel in [1isize..4, 1isize..4],
            places in [1usize..5, 1usize..5], stride in 1usize..3, dilation in 1isize..3, origin in [-3isize..2, -3isize..2],
            cut in 0.0f64..1.0, first in 0usize..6,
        ) {
            let all = channels * groups;
            let images: Vec<f32> = (1..=2 * size[0] * size[1] * all).map(|at| at as f32).collect();
            let taps: Vec<[isize; 2]> = (0..kernel[0])
                .flat_map(|i| (0..kernel[1]).map(move |j| [origin[0] + i * dilation, origin[1] + j * dilation]))
                .collect();
            let window = Window::new(size, [all, channels], places, stride, &taps);
            let total = 2 * places[0] * places[1];
            let first = first.min(total - 1);
            let count = total - first;
            let from = (cut * window.depth() as f64) as usize;
            let to = window.depth();
            let channel = all - channels;
            let mut rows = vec![-1.0; count * (to - from + 1)];
            window.fill(&images, channel, (first, count), (from, to), (&mut rows, to - from + 1));
            for row in 0..count {
                let place = first + row;
                let (image, y, x) =
                    (place / window.places(), place % window.places() / places[1], place % places[1]);
                for at in from..to {
                    let (tap, c) = (taps[at / channels], at % channels);
                    let (v, u) = (tap[0] + (y * stride) as isize, tap[1] + (x * stride) as isize);
                    let inside = v >= 0 && u >= 0 && (v as usize) < size[0] && (u as usize) < size[1];
                    let expected = if inside {
                        images[((image * size[0] + v as usize) * size[1] + u as usize) * all + channel + c]
                    } else {
                        0.0
                    };
                    prop_assert_eq!(rows[row * (to - from + 1) + at - from].to_bits(), expected.to_bits());
                }
            }
        }
    }
}
