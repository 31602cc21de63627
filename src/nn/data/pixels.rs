//! Bytes to normalised floats.

/// Per-channel normalisation of a pixel v in [0, 1]: (v − mean) / sd.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalisation {
    /// Subtracted, per channel (red, green, blue).
    pub mean: [f32; 3],
    /// Divided by, per channel.
    pub sd: [f32; 3],
}

impl Normalisation {
    /// What generated scenes are normalised with, in training and as a probe.
    pub const SHAPES: Self = Self { mean: [0.5; 3], sd: [0.25; 3] };
    /// Leaves values between 0 and 1.
    pub const PLAIN: Self = Self { mean: [0.0; 3], sd: [1.0; 3] };

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

    /// The normalised value of black, per channel.
    pub fn black(&self) -> Vec<f32> {
        (0..3).map(|channel| -self.mean[channel] / self.sd[channel]).collect()
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
