//! From samples to pixels: channels are brought to full size, then mixed.
//!
//! Chroma is interpolated with weights 3/4 and 1/4, as the reference decoder does by default, rounding included: a
//! picture has the same bytes as in Pillow.

#![expect(
    clippy::inline_always,
    reason = "code is compiled anew for every set of instructions that it is inlined into"
)]

use super::Window;
use super::frame::{Component, Frame};

/// How the channels of a picture are to be understood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Model {
    Grey,
    Rgb,
    /// Luminance and two differences.
    Ycc,
    /// Inverted inks.
    Cmyk,
    /// Luminance, two differences and black.
    Ycck,
}

/// Writes the wanted part as RGB bytes.
pub(super) fn rgb(frame: &Frame, model: Model) -> Vec<u8> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has these instructions.
        return unsafe { rgb_avx2(frame, model) };
    }
    rgb_anywhere(frame, model)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn rgb_avx2(frame: &Frame, model: Model) -> Vec<u8> {
    rgb_anywhere(frame, model)
}

#[inline(always)]
fn rgb_anywhere(frame: &Frame, model: Model) -> Vec<u8> {
    let Window { top, width, height, .. } = frame.window;
    let mut out = vec![0; width * height * 3];
    let mut rows: Vec<Vec<u8>> = vec![vec![0; width + 2]; frame.components.len()];
    let mut sums = Vec::new();
    for (line, pixels) in out.chunks_exact_mut(width * 3).enumerate() {
        for (component, row) in frame.components.iter().zip(&mut rows) {
            enlarge(frame, component, top + line, &mut sums, row);
        }
        mix(model, &rows, width, pixels);
    }
    out
}

/// Writes a row of a channel at full size, from the left side of the window on.
#[inline(always)]
fn enlarge(frame: &Frame, component: &Component, y: usize, sums: &mut Vec<u16>, out: &mut [u8]) {
    let Window { left, width, .. } = frame.window;
    let (across, down) = (frame.wide / component.wide, frame.high / component.high);
    let row = |y: usize| &component.plane[y * component.stride..][..component.width];
    let beside =
        |y: usize, forward: bool| row(if forward { (y + 1).min(component.height - 1) } else { y.saturating_sub(1) });
    let smooth = component.width > 2;
    match (across, down) {
        (1, 1) => out[..width].copy_from_slice(&row(y)[left..left + width]),
        (1, 2) => {
            let (near, far) = (row(y / 2), beside(y / 2, y % 2 == 1));
            let bias = 1 + (y % 2) as u16;
            let pairs = near[left..left + width].iter().zip(&far[left..left + width]);
            for (value, (near, far)) in out.iter_mut().zip(pairs) {
                *value = ((3 * u16::from(*near) + u16::from(*far) + bias) >> 2) as u8;
            }
        }
        (2, 1) if smooth => {
            widen(row(y).iter().map(|value| u16::from(*value)), (left, width), sums, out, (1, 2, 2));
        }
        (2, 2) if smooth => {
            let pairs = row(y / 2).iter().zip(beside(y / 2, y % 2 == 1));
            let pairs = pairs.map(|(near, far)| 3 * u16::from(*near) + u16::from(*far));
            widen(pairs, (left, width), sums, out, (8, 7, 4));
        }
        _ => {
            let row = row(y / down);
            out[..width].iter_mut().enumerate().for_each(|(x, value)| *value = row[(left + x) / across]);
        }
    }
}

/// Doubles the number of columns: each value gets a quarter of its neighbour on the side where it lies. `rounding` is what
/// is added to even and to odd columns, and the bits that are taken off.
#[inline(always)]
fn widen(
    values: impl ExactSizeIterator<Item = u16>,
    (left, width): (usize, usize),
    sums: &mut Vec<u16>,
    out: &mut [u8],
    (even, odd, bits): (u16, u16, u32),
) {
    let len = values.len();
    let (first, last) = (left / 2, (left + width).div_ceil(2));
    let lead = usize::from(first > 0);
    sums.clear();
    sums.extend(values.skip(first - lead).take(last - first + lead + 1));
    if lead == 0 {
        sums.insert(0, sums[0]);
    }
    if last >= len {
        sums.push(sums[sums.len() - 1]);
    }
    let mut write = |x: usize, value: u16| {
        if let Some(place) = x.checked_sub(left).and_then(|x| out[..width].get_mut(x)) {
            *place = value as u8;
        }
    };
    let (start, end) = (left.div_ceil(2), usize::midpoint(left, width));
    if left % 2 == 1 {
        write(left, (3 * sums[1] + sums[2] + odd) >> bits);
    }
    if (left + width) % 2 == 1 && last > first {
        let at = last - first;
        write(left + width - 1, (3 * sums[at] + sums[at - 1] + even) >> bits);
    }
    let pairs = end.saturating_sub(start);
    let sums = &sums[start - first..][..pairs + 2];
    let out = &mut out[2 * start - left..][..2 * pairs];
    for (pair, three) in out.chunks_exact_mut(2).zip(sums.windows(3)) {
        pair[0] = ((3 * three[1] + three[0] + even) >> bits) as u8;
        pair[1] = ((3 * three[1] + three[2] + odd) >> bits) as u8;
    }
}

/// Mixes the channels of a row.
#[inline(always)]
fn mix(model: Model, rows: &[Vec<u8>], width: usize, pixels: &mut [u8]) {
    let sample = |channel: usize, x: usize| i32::from(rows[channel][x]);
    match model {
        Model::Grey => {
            for (pixel, value) in pixels.chunks_exact_mut(3).zip(&rows[0]) {
                pixel.fill(*value);
            }
        }
        Model::Rgb => {
            for (x, pixel) in pixels.chunks_exact_mut(3).enumerate() {
                pixel.copy_from_slice(&[rows[0][x], rows[1][x], rows[2][x]]);
            }
        }
        Model::Ycc => {
            let (luma, blue, red) = (&rows[0][..width], &rows[1][..width], &rows[2][..width]);
            for (pixel, ((y, cb), cr)) in pixels.chunks_exact_mut(3).zip(luma.iter().zip(blue).zip(red)) {
                let mixed = mixed(i32::from(*y), i32::from(*cb), i32::from(*cr));
                pixel[0] = mixed[0];
                pixel[1] = mixed[1];
                pixel[2] = mixed[2];
            }
        }
        Model::Cmyk | Model::Ycck => {
            for (x, pixel) in pixels.chunks_exact_mut(3).enumerate() {
                // What is stored is 255 − ink, as Adobe's programs write it.
                let paper = if model == Model::Cmyk {
                    [0, 1, 2].map(|channel| sample(channel, x))
                } else {
                    mixed(sample(0, x), sample(1, x), sample(2, x)).map(|value| 255 - i32::from(value))
                };
                let light = sample(3, x);
                for (value, paper) in pixel.iter_mut().zip(paper) {
                    let product = (255 - paper) * light + 128;
                    *value = (light - (((product >> 8) + product) >> 8)).clamp(0, 255) as u8;
                }
            }
        }
    }
}

/// Red, green and blue of a luminance and two differences, with 16 bits after the point.
#[inline(always)]
fn mixed(y: i32, cb: i32, cr: i32) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (cb, cr) = (cb - 128, cr - 128);
    let red = y + ((91881 * cr + HALF) >> 16);
    let green = y + ((-22554 * cb - 46802 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    [red.clamp(0, 255) as u8, green.clamp(0, 255) as u8, blue.clamp(0, 255) as u8]
}
