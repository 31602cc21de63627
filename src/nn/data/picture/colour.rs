//! Changes of colour, in bytes, rounded as Pillow rounds them.

use super::Raster;

/// A change of colour with its strength.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::nn::data) enum Jitter {
    /// Towards black (0) or away from it.
    Brightness(f32),
    /// Towards the mean grey (0) or away from it.
    Contrast(f32),
    /// Towards grey (0) or away from it.
    Saturation(f32),
    /// Around the circle of colours by this share of it.
    Hue(f64),
}

/// Luminance of a pixel, by the weights of ITU-R 601.
#[inline]
pub(super) fn luma(pixel: &[u8]) -> u8 {
    let [red, green, blue] = [0, 1, 2].map(|channel| u32::from(pixel[channel]));
    ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16) as u8
}

/// Goes from `ground` to `value` and further, by `by`.
#[inline]
fn blend(ground: u8, value: u8, by: f32) -> u8 {
    // The cast cuts off and saturates.
    (f32::from(ground) + by * (f32::from(value) - f32::from(ground))) as u8
}

impl Raster {
    /// Changes the colours of a picture; grey pictures have no saturation and no hue.
    pub(in crate::nn::data) fn change_colours(&mut self, jitter: Jitter) {
        let colourful = self.channels == 3;
        match jitter {
            Jitter::Brightness(by) => self.bytes.iter_mut().for_each(|value| *value = blend(0, *value, by)),
            Jitter::Contrast(by) => {
                let ground = self.mean_grey();
                self.bytes.iter_mut().for_each(|value| *value = blend(ground, *value, by));
            }
            Jitter::Saturation(by) if colourful => {
                for pixel in self.bytes.chunks_exact_mut(3) {
                    let ground = luma(pixel);
                    pixel.iter_mut().for_each(|value| *value = blend(ground, *value, by));
                }
            }
            Jitter::Hue(by) if colourful => {
                let turn = (by * 255.0) as i32 as u8;
                for pixel in self.bytes.chunks_exact_mut(3) {
                    let [hue, saturation, value] = to_hsv([pixel[0], pixel[1], pixel[2]]);
                    pixel.copy_from_slice(&to_rgb([hue.wrapping_add(turn), saturation, value]));
                }
            }
            Jitter::Saturation(_) | Jitter::Hue(_) => {}
        }
    }

    fn mean_grey(&self) -> u8 {
        let sum: u64 = if self.channels == 3 {
            self.bytes.chunks_exact(3).map(|pixel| u64::from(luma(pixel))).sum()
        } else {
            self.bytes.iter().map(|value| u64::from(*value)).sum()
        };
        (sum as f64 / (self.width * self.height) as f64 + 0.5) as u8
    }
}

/// Hue, saturation and value, each from 0 to 255.
fn to_hsv([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    if most == least {
        return [0, 0, most];
    }
    let range = f32::from(most - least);
    let [from_red, from_green, from_blue] = [red, green, blue].map(|value| f32::from(most - value) / range);
    let hue = if red == most {
        from_blue - from_green
    } else if green == most {
        (2.0 + f64::from(from_red) - f64::from(from_blue)) as f32
    } else {
        (4.0 + f64::from(from_green) - f64::from(from_red)) as f32
    };
    let hue = ((f64::from(hue) / 6.0 + 1.0) % 1.0) as f32;
    let saturation = range / f32::from(most);
    [(f64::from(hue) * 255.0) as u8, (f64::from(saturation) * 255.0) as u8, most]
}

/// The inverse of [`to_hsv`], as far as bytes allow.
fn to_rgb([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    if saturation == 0 {
        return [value; 3];
    }
    let place = f64::from(hue) * 6.0 / 255.0;
    let sector = place.floor();
    let (within, share) = ((place - sector) as f32, (f64::from(saturation) / 255.0) as f32);
    let (within, share, full) = (f64::from(within), f64::from(share), f64::from(value));
    let level = |part: f64| (full * (1.0 - part)).round() as u8;
    let (low, falling, rising) = (level(share), level(share * within), level(share * (1.0 - within)));
    match sector as u8 % 6 {
        0 => [value, rising, low],
        1 => [falling, value, low],
        2 => [low, value, rising],
        3 => [low, falling, value],
        4 => [rising, low, value],
        _ => [value, low, falling],
    }
}
