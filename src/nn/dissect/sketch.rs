//! A sketch of a stream of values that answers for any quantile (Karnin, Lang and Liberty 2016).
//!
//! Values of level h stand for 2^h of the stream. A level that is full is sorted, and every other value moves up; which
//! half does is drawn from a fixed sequence, so that the same stream always gives the same sketch.

/// Each level is this much smaller than the one above it.
const SHRINK: f64 = 2.0 / 3.0;
/// Fewest values in a level.
const LEAST: usize = 8;

/// Values of a stream, thinned out.
#[derive(Debug)]
pub(super) struct Sketch {
    /// Capacity of the highest level.
    resolution: usize,
    /// Lowest first.
    levels: Vec<Vec<f32>>,
    least: f32,
    most: f32,
    /// State of the drawing.
    draws: u64,
}

impl Sketch {
    /// Makes an empty sketch; the rank of an answer is off by about 1 / `resolution` of the stream at most.
    pub(super) fn new(resolution: usize) -> Self {
        Self { resolution, levels: vec![Vec::new()], least: f32::INFINITY, most: f32::NEG_INFINITY, draws: 1 }
    }

    /// Takes in a value.
    pub(super) fn add(&mut self, value: f32) {
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        self.levels[0].push(value);
        if self.levels[0].len() >= self.capacity(0) {
            self.compress();
        }
    }

    fn capacity(&self, level: usize) -> usize {
        let depth = (self.levels.len() - 1 - level) as i32;
        ((self.resolution as f64 * SHRINK.powi(depth)) as usize).max(LEAST)
    }

    /// Moves half of every level that is full one up.
    fn compress(&mut self) {
        for level in 0..self.levels.len() {
            if self.levels[level].len() < self.capacity(level) {
                continue;
            }
            if level + 1 == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let mut full = std::mem::take(&mut self.levels[level]);
            full.sort_by(f32::total_cmp);
            // An odd one stays: it stands for as many as before.
            let odd = if full.len() % 2 == 1 { full.pop() } else { None };
            self.levels[level].extend(odd);
            let offset = usize::from(self.draw());
            self.levels[level + 1].extend(full.into_iter().skip(offset).step_by(2));
        }
    }

    /// Draws a bit (xorshift).
    fn draw(&mut self) -> bool {
        self.draws ^= self.draws << 13;
        self.draws ^= self.draws >> 7;
        self.draws ^= self.draws << 17;
        self.draws & 1 == 1
    }

    /// Returns the value at a position among `count` sorted ones, the first of which stands at ½; linear between the
    /// values that are left.
    pub(super) fn quantile(&self, position: f64, count: u64) -> f32 {
        let mut weighted: Vec<(f32, f64)> = Vec::new();
        for (level, values) in self.levels.iter().enumerate() {
            weighted.extend(values.iter().map(|&value| (value, f64::powi(2.0, level as i32))));
        }
        weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
        let wanted = position / count.max(1) as f64 * total;
        let (mut before, mut last) = (0.0, (0.0, self.least));
        for (value, weight) in weighted {
            let centre = before + weight / 2.0;
            if centre >= wanted {
                return between(last, (centre, value), wanted);
            }
            (before, last) = (before + weight, (centre, value));
        }
        between(last, (total, self.most), wanted)
    }
}

/// Linear interpolation.
fn between((left, low): (f64, f32), (right, high): (f64, f32), at: f64) -> f32 {
    let share = if right > left { ((at - left) / (right - left)).clamp(0.0, 1.0) } else { 0.0 };
    (f64::from(low) + share * (f64::from(high) - f64::from(low))) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stream that NetDissect's own test calls adversarial: ever more numbers in the middle, shuffled within parts.
    fn adversarial(amount: usize) -> Vec<f32> {
        let mut data: Vec<f64> = (0..amount).map(|i| i as f64).collect();
        let odd: Vec<f64> = data.iter().rev().step_by(2).map(|value| value + amount as f64 - 1.0).collect();
        for (place, value) in data.iter_mut().skip(1).step_by(2).zip(odd) {
            *place = value;
        }
        data.into_iter().map(|value| (value / 2.0) as f32).collect()
    }

    #[test]
    fn a_thousand_quantiles_are_right_to_a_step() {
        let stream = adversarial(1_000_000);
        let mut sketch = Sketch::new(6 * 1024);
        stream.iter().for_each(|&value| sketch.add(value));
        let mut sorted = stream.clone();
        sorted.sort_by(f32::total_cmp);
        let count = stream.len();
        for step in 0..=1000 {
            let position = f64::from(step) / 1000.0 * count as f64;
            let found = sketch.quantile(position, count as u64);
            let rank = sorted.partition_point(|&value| value < found) as f64;
            assert!((rank - position).abs() < 0.001 * count as f64, "{step}: {rank} {position}");
        }
        assert_eq!((sketch.least, sketch.most), (sorted[0], sorted[count - 1]));
        let kept: f64 = sketch.levels.iter().enumerate().map(|(h, v)| v.len() as f64 * f64::powi(2.0, h as i32)).sum();
        assert!((kept / count as f64 - 1.0).abs() < 1e-3, "{kept}");
        assert!(sketch.levels.iter().map(Vec::len).sum::<usize>() < 4 * sketch.resolution);
    }

    #[test]
    fn short_streams_are_kept_whole() {
        let mut sketch = Sketch::new(64);
        [5.0, 1.0, 4.0, 2.0, 3.0].into_iter().for_each(|value| sketch.add(value));
        let at = |rank: f64| sketch.quantile(rank + 0.5, 5);
        assert_eq!([at(0.0), at(1.0), at(2.5), at(4.0)].map(f32::to_bits), [1.0_f32, 2.0, 3.5, 5.0].map(f32::to_bits));
    }
}
