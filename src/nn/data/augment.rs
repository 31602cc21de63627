//! Random changes to training images. How many numbers a change draws depends on the size of the image and nothing else.

use super::DataError;
use super::picture::{Jitter, Raster, Window};
use crate::domain::arch::Shape;
use crate::domain::data::Augment;
use crate::nn::rng::Rng;

/// Times that a random crop is drawn before the middle is taken.
const TRIES: usize = 10;

/// Applies `changes` in order to a picture; crops of any size are scaled to `shape`.
pub(super) fn apply(mut picture: Raster, shape: Shape, changes: &[Augment], rng: &mut Rng) -> Raster {
    for change in changes {
        match *change {
            Augment::Flip => {
                if rng.flip() {
                    picture.mirror();
                }
            }
            Augment::PadCrop { pad } => {
                let (down, right) = offsets(pad, rng);
                picture = picture.cut_over_black(right, down, picture.width, picture.height);
            }
            Augment::ResizedCrop { area, aspect } => {
                let window = random_window(picture.width, picture.height, area, aspect, rng);
                picture = picture.cut(window).scale(shape.width, shape.height);
            }
            Augment::Jitter { brightness, contrast, saturation, hue } => {
                for jitter in draw_jitter([brightness, contrast, saturation, hue], rng) {
                    picture.change_colours(jitter);
                }
            }
        }
    }
    picture
}

/// Applies `changes` in order to values of `shape`, channel by channel. `border` is the value of black, per channel.
///
/// # Errors
/// If a change needs a picture in bytes.
pub(super) fn apply_to_values(
    pixels: &mut [f32],
    shape: Shape,
    border: &[f32],
    changes: &[Augment],
    rng: &mut Rng,
) -> Result<(), DataError> {
    for change in changes {
        match *change {
            Augment::Flip => {
                if rng.flip() {
                    pixels.chunks_exact_mut(shape.width).for_each(<[f32]>::reverse);
                }
            }
            Augment::PadCrop { pad } => {
                let (down, right) = offsets(pad, rng);
                shift(pixels, shape, border, down, right);
            }
            Augment::ResizedCrop { .. } | Augment::Jitter { .. } => return Err(DataError::parameters(NO_PICTURE)),
        }
    }
    Ok(())
}

/// Why some changes are refused for some data.
pub(super) const NO_PICTURE: &str = "`resized_crop` and `jitter` need pictures in bytes, which the digits are not";

/// Draws how far the window of a padded crop moves: down, right.
fn offsets(pad: usize, rng: &mut Rng) -> (isize, isize) {
    let mut offset = || rng.below(2 * pad as u64 + 1) as isize - pad as isize;
    (offset(), offset())
}

/// Draws a part of an image: a share of its area, uniform from `area` to 1, and a ratio of the sides, uniform on a
/// logarithmic scale up to `aspect` either way. If ten draws do not fit, the middle is taken.
pub(super) fn random_window(width: usize, height: usize, area: f64, aspect: f64, rng: &mut Rng) -> Window {
    let (wide, high) = (width as f64, height as f64);
    let limit = libm::log(aspect);
    for _ in 0..TRIES {
        let target = wide * high * (area + (1.0 - area) * rng.uniform());
        let ratio = libm::exp(limit * (2.0 * rng.uniform() - 1.0));
        let side = |squared: f64| squared.sqrt().round_ties_even() as usize;
        let (columns, rows) = (side(target * ratio), side(target / ratio));
        if (1..=width).contains(&columns) && (1..=height).contains(&rows) {
            let top = rng.below((height - rows + 1) as u64) as usize;
            let left = rng.below((width - columns + 1) as u64) as usize;
            return Window { left, top, width: columns, height: rows };
        }
    }
    let fitted = |side: f64, most: usize| (side.round_ties_even() as usize).clamp(1, most);
    let (columns, rows) = if wide / high < 1.0 / aspect {
        (width, fitted(wide * aspect, height))
    } else if wide / high > aspect {
        (fitted(high * aspect, width), height)
    } else {
        (width, height)
    };
    Window { left: (width - columns) / 2, top: (height - rows) / 2, width: columns, height: rows }
}

/// Draws factors and an order for changes of brightness, contrast, saturation and hue of these strengths; those of
/// strength 0 are left out.
fn draw_jitter(strengths: [f64; 4], rng: &mut Rng) -> Vec<Jitter> {
    let order = rng.permutation(4);
    let drawn = strengths.map(|strength| {
        let uniform = rng.uniform();
        let least = (1.0 - strength).max(0.0);
        ((least + (1.0 + strength - least) * uniform) as f32, strength * (2.0 * uniform - 1.0))
    });
    let change = |at: usize| match at {
        0 => Jitter::Brightness(drawn[0].0),
        1 => Jitter::Contrast(drawn[1].0),
        2 => Jitter::Saturation(drawn[2].0),
        _ => Jitter::Hue(drawn[3].1),
    };
    order.into_iter().filter(|at| strengths[*at] > 0.0).map(change).collect()
}

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
            apply_to_values(&mut image, SHAPE, &[0.0; 2], &[Augment::Flip], &mut stream.at(0, index)).unwrap();
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
            let changes = [Augment::PadCrop { pad: 1 }];
            apply_to_values(&mut image, SHAPE, &[0.0; 2], &changes, &mut stream.at(0, index)).unwrap();
            seen.insert(image.map(f32::to_bits));
        }
        assert_eq!(seen.len(), 9);
    }

    #[test]
    fn random_crops_have_the_areas_and_shapes_that_are_asked_for() {
        let stream = Stream::new(&Seed { root: 1, stream: Vec::new() }, "augment");
        let (mut areas, mut wide) = (0.0, 0);
        for index in 0..2000 {
            let window = random_window(500, 400, 0.08, 4.0 / 3.0, &mut stream.at(0, index));
            assert!(window.left + window.width <= 500 && window.top + window.height <= 400, "{window:?}");
            let (width, height) = (window.width as f64, window.height as f64);
            assert!((0.73..1.37).contains(&(width / height)), "{window:?}");
            assert!(width * height > 0.078 * 200_000.0, "{window:?}");
            areas += width * height / 200_000.0;
            wide += usize::from(width > height);
        }
        // torchvision draws 0.453 of the area in the mean: the largest often do not fit and are drawn again.
        assert!((0.44..0.48).contains(&(areas / 2000.0)), "{areas}");
        assert!((1050..1250).contains(&wide), "{wide}");
    }

    #[test]
    fn pictures_that_no_crop_fits_lose_their_ends() {
        let mut rng = Stream::new(&Seed { root: 1, stream: Vec::new() }, "augment").at(0, 0);
        let window = random_window(1000, 3, 1.0, 4.0 / 3.0, &mut rng);
        assert_eq!(window, Window { left: 498, top: 0, width: 4, height: 3 });
        assert_eq!(random_window(1, 1, 0.08, 4.0 / 3.0, &mut rng), Window::whole(1, 1));
    }

    #[test]
    fn changes_of_colour_come_in_every_order_and_within_their_strength() {
        let stream = Stream::new(&Seed { root: 1, stream: Vec::new() }, "augment");
        let mut first = std::collections::BTreeSet::new();
        for index in 0..200 {
            let drawn = draw_jitter([0.4, 1.5, 0.0, 0.1], &mut stream.at(0, index));
            assert_eq!(drawn.len(), 3, "what has no strength is left out");
            for change in &drawn {
                assert!(match *change {
                    Jitter::Brightness(by) => (0.6..=1.4).contains(&by),
                    Jitter::Contrast(by) => (0.0..=2.5).contains(&by),
                    Jitter::Saturation(_) => false,
                    Jitter::Hue(by) => (-0.1..=0.1).contains(&by),
                });
            }
            first.insert(std::mem::discriminant(&drawn[0]) == std::mem::discriminant(&Jitter::Hue(0.0)));
        }
        assert_eq!(first.len(), 2);
    }
}
