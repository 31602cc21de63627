//! Bytes to normalised floats.

use super::picture::Raster;
use crate::domain::data as domain;

/// Per-channel normalisation of a pixel v in [0, 1]: (v − mean) / sd.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalisation {
    /// Subtracted, per channel (red, green, blue).
    pub mean: [f32; 3],
    /// Divided by, per channel.
    pub sd: [f32; 3],
}

impl Normalisation {
    /// Pixels as they are, on a scale from 0 to 1.
    pub const PLAIN: Self = Self { mean: [0.0; 3], sd: [1.0; 3] };
    /// What generated scenes are normalised with, in training and as a probe.
    pub const SHAPES: Self = Self { mean: [0.5; 3], sd: [0.25; 3] };

    /// Values of the bytes 0 to 255 in one channel.
    fn table(&self, channel: usize) -> [f32; 256] {
        std::array::from_fn(|byte| (byte as f32 / 255.0 - self.mean[channel]) / self.sd[channel])
    }

    /// Turns rows of RGB bytes into three normalised planes. `out` holds as many floats as there are bytes.
    pub fn planes(&self, rgb: &[u8], out: &mut [f32]) {
        let plane = rgb.len() / 3;
        for channel in 0..3 {
            let table = self.table(channel);
            let target = &mut out[channel * plane..(channel + 1) * plane];
            for (value, pixel) in target.iter_mut().zip(rgb.chunks_exact(3)) {
                *value = table[usize::from(pixel[channel])];
            }
        }
    }

    /// Turns a picture into one normalised plane per channel. `out` holds as many floats as the picture has bytes.
    pub(super) fn fill(&self, picture: &Raster, out: &mut [f32]) {
        if picture.channels == 3 {
            self.planes(&picture.bytes, out);
        } else {
            let table = self.table(0);
            out.iter_mut().zip(&picture.bytes).for_each(|(value, byte)| *value = table[usize::from(*byte)]);
        }
    }
}

impl From<&domain::Normalisation> for Normalisation {
    /// Takes the numbers of a task; those of one channel stand for all.
    fn from(given: &domain::Normalisation) -> Self {
        let channel = |numbers: &[f64], channel: usize, missing: f64| {
            numbers.get(channel).or(numbers.last()).copied().unwrap_or(missing) as f32
        };
        Self {
            mean: std::array::from_fn(|at| channel(&given.mean, at, 0.0)),
            sd: std::array::from_fn(|at| channel(&given.sd, at, 1.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Normalisation;

    #[test]
    fn planes_are_separated_and_scaled() {
        let mut out = [0.0; 6];
        Normalisation::SHAPES.planes(&[0, 255, 51, 255, 0, 102], &mut out);
        let expected = [-2.0, 2.0, 2.0, -2.0, -1.2, -0.4];
        assert!(out.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{out:?}");
    }
}
