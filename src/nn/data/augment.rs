//! Random changes to training images.

use std::io;

use crate::domain::arch::Shape;
use crate::domain::data::Augment;
use crate::nn::rng::Rng;

/// Applies `changes` in order to an image of `shape`. `border` is the value of black, per channel; every change draws
/// the same numbers from `rng` whatever the image holds.
///
/// # Errors
/// If a change is not in this version; `open_task` refuses such tasks.
pub(super) fn apply(
    pixels: &mut [f32],
    shape: Shape,
    border: &[f32],
    changes: &[Augment],
    rng: &mut Rng,
) -> io::Result<()> {
    for change in changes {
        match change {
            Augment::Flip => {
                if rng.flip() {
                    pixels.chunks_exact_mut(shape.width).for_each(<[f32]>::reverse);
                }
            }
            &Augment::PadCrop { pad } => {
                let mut offset = || rng.below(2 * pad as u64 + 1) as isize - pad as isize;
                let (down, right) = (offset(), offset());
                shift(pixels, shape, border, down, right);
            }
            Augment::ResizedCrop => return Err(io::Error::new(io::ErrorKind::Unsupported, RESIZED_CROP)),
        }
    }
    Ok(())
}

/// Why a resized crop is refused.
pub(super) const RESIZED_CROP: &str = "the augmentation `resized_crop` is not in this version of pdsl";

/// Moves the window by (`down`, `right`) pixels over an image that lies on a black ground.
fn shift(pixels: &mut [f32], shape: Shape, border: &[f32], down: isize, right: isize) {
    let (height, width) = (shape.height, shape.width);
    let mut plane = vec![0.0; height * width];
    for (channel, target) in pixels.chunks_exact_mut(height * width).enumerate() {
        plane.copy_from_slice(target);
        for y in 0..height {
            for x in 0..width {
                let source = y.checked_add_signed(down).zip(x.checked_add_signed(right));
                target[y * width + x] = match source {
                    Some((y, x)) if y < height && x < width => plane[y * width + x],
                    _ => border[channel],
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;
    use crate::nn::rng::Stream;

    const SHAPE: Shape = Shape { channels: 2, height: 2, width: 3 };
    const IMAGE: [f32; 12] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0];

    #[test]
    fn a_shift_brings_in_black() {
        let mut image = IMAGE;
        shift(&mut image, SHAPE, &[-1.0, -2.0], 1, -1);
        assert_eq!(image.map(|v| v as i32), [-1, 4, 5, -1, -1, -1, -2, 10, 11, -2, -2, -2]);
    }

    #[test]
    fn flips_come_about_half_of_the_time_and_are_mirrors() {
        let stream = Stream::new(&Seed { root: 1, stream: Vec::new() }, "augment");
        let mut flipped = 0;
        for index in 0..1000 {
            let mut image = IMAGE;
            apply(&mut image, SHAPE, &[0.0; 2], &[Augment::Flip], &mut stream.at(0, index)).unwrap();
            let image = image.map(|v| v as i32);
            if image[0] != 1 {
                assert_eq!(image, [3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]);
                flipped += 1;
            }
        }
        assert!((450..550).contains(&flipped), "{flipped}");
    }

    #[test]
    fn a_crop_reaches_every_offset() {
        let stream = Stream::new(&Seed { root: 1, stream: Vec::new() }, "augment");
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..500 {
            let mut image = IMAGE;
            apply(&mut image, SHAPE, &[0.0; 2], &[Augment::PadCrop { pad: 1 }], &mut stream.at(0, index)).unwrap();
            seen.insert(image.map(f32::to_bits));
        }
        assert_eq!(seen.len(), 9);
    }
}
