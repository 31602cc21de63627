//! Generated scenes with exact pixel labels: a classification task and a probe for dissection in one.
//!
//! Image `i` of a set shows one main object, at times a smaller one, and a background; it depends only on the seed,
//! the size and `i`. Its class is the kind of the main object, i mod 6. Images come in no other order, so that parts
//! can be cut off by position ([`Shapes::range`]).

mod paint;
mod probe;
mod scene;

use std::ops::Range;

use rayon::prelude::*;

use self::paint::render;
use self::scene::Scene;
use super::picture::Raster;
use super::{DataError, Images, Normalisation, augment};
use crate::domain::arch::Shape;
use crate::domain::data::{self as domain, Augment, Shapes, Split};
use crate::nn::rng::Rng;

pub use self::probe::write;
pub use self::scene::{COLOURS, OBJECTS, PARTS, SCENES, TEXTURES};

/// Changes whenever the same parameters give other pixels or labels; part of every fingerprint.
pub const VERSION: u32 = 1;
/// Classes of the task.
pub const CLASSES: usize = OBJECTS.len();
/// Sets up to this many bytes are rendered once and kept; larger ones are rendered image by image.
const KEPT: u64 = 1 << 29;

/// Says whether a set can be generated.
///
/// # Errors
/// If the size is not one of [`Shapes::SIZES`] or there are no images.
pub fn check(set: &Shapes) -> Result<(), DataError> {
    if !Shapes::SIZES.contains(&set.size) {
        return Err(DataError::parameters(format!(
            "shapes come with a side of 16, 32, 64 or 224 pixels, not {}",
            set.size
        )));
    }
    if set.images == 0 {
        return Err(DataError::parameters("a set of shapes needs at least one image"));
    }
    Ok(())
}

/// The class of an image.
fn class(index: u64) -> usize {
    (index % CLASSES as u64) as usize
}

/// One part of a set as a classification task.
#[derive(Debug)]
pub struct ShapesImages {
    set: Shapes,
    range: Range<u64>,
    normalisation: Normalisation,
    /// RGB bytes of the whole part, or nothing if that would be too much.
    kept: Vec<u8>,
}

impl ShapesImages {
    /// Prepares one part, normalised by [`Normalisation::SHAPES`] or as asked.
    ///
    /// # Errors
    /// As [`check`].
    pub fn open(set: &Shapes, split: Split, normalisation: Option<&domain::Normalisation>) -> Result<Self, DataError> {
        check(set)?;
        let range = set.range(split);
        let bytes = set.size * set.size * 3;
        let mut kept = Vec::new();
        if (range.end - range.start).saturating_mul(bytes as u64) <= KEPT {
            kept.resize((range.end - range.start) as usize * bytes, 0);
            kept.par_chunks_exact_mut(bytes).enumerate().for_each(|(index, image)| {
                let scene = Scene::new(set, range.start + index as u64);
                image.copy_from_slice(&render(&scene, set.size));
            });
        }
        let normalisation = normalisation.map_or(Normalisation::SHAPES, Normalisation::from);
        Ok(Self { set: set.clone(), range, normalisation, kept })
    }

    fn picture(&self, index: usize) -> Raster {
        let side = self.set.size;
        let bytes = if self.kept.is_empty() {
            render(&Scene::new(&self.set, self.range.start + index as u64), side)
        } else {
            let bytes = side * side * 3;
            self.kept[index * bytes..(index + 1) * bytes].to_vec()
        };
        Raster { width: side, height: side, channels: 3, bytes }
    }
}

impl Images for ShapesImages {
    fn len(&self) -> usize {
        (self.range.end - self.range.start) as usize
    }

    fn classes(&self) -> usize {
        CLASSES
    }

    fn shape(&self) -> Shape {
        Shape { channels: 3, height: self.set.size, width: self.set.size }
    }

    fn label(&self, index: usize) -> usize {
        class(self.range.start + index as u64)
    }

    fn fill(&self, index: usize, pixels: &mut [f32]) -> Result<(), DataError> {
        self.normalisation.fill(&self.picture(index), pixels);
        Ok(())
    }

    fn fill_changed(
        &self,
        index: usize,
        changes: &[Augment],
        rng: &mut Rng,
        pixels: &mut [f32],
    ) -> Result<(), DataError> {
        let changed = augment::apply(self.picture(index), self.shape(), changes, rng);
        self.normalisation.fill(&changed, pixels);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: Shapes = Shapes { size: 16, images: 60, seed: 3 };

    #[test]
    fn parts_cover_the_set_once() {
        for images in [1, 7, 10, 60, 1001] {
            let ends = [Split::Train, Split::Val, Split::Test].map(|split| Shapes { images, ..SET }.range(split));
            assert_eq!((ends[0].start, ends[2].end), (0, images));
            assert_eq!((ends[0].end, ends[1].end), (ends[1].start, ends[2].start));
        }
        let set = Shapes { images: 1009, ..SET };
        assert_eq!((set.range(Split::Train), set.range(Split::Val)), (0..807, 807..907));
    }

    #[test]
    fn an_image_does_not_depend_on_the_set_around_it() {
        let (small, large) = (SET, Shapes { images: 6000, ..SET });
        let images = [small, large].map(|set| ShapesImages::open(&set, Split::Train, None).unwrap());
        let mut pixels = [vec![0.0; 768], vec![0.0; 768]];
        for index in [0, 5, 47] {
            for (images, pixels) in images.iter().zip(&mut pixels) {
                images.fill(index, pixels).unwrap();
            }
            assert_eq!(pixels[0], pixels[1]);
        }
    }

    #[test]
    fn rendering_ahead_changes_nothing() {
        let ahead = ShapesImages::open(&SET, Split::Val, None).unwrap();
        let late = ShapesImages { kept: Vec::new(), ..ShapesImages::open(&SET, Split::Val, None).unwrap() };
        let mut pixels = [vec![0.0; 768], vec![0.0; 768]];
        for index in 0..ahead.len() {
            ahead.fill(index, &mut pixels[0]).unwrap();
            late.fill(index, &mut pixels[1]).unwrap();
            assert_eq!(pixels[0], pixels[1]);
        }
    }

    #[test]
    fn seeds_give_different_images_and_classes_take_turns() {
        let images = [3, 4].map(|seed| ShapesImages::open(&Shapes { seed, ..SET }, Split::Train, None).unwrap());
        let mut pixels = [vec![0.0; 768], vec![0.0; 768]];
        images.iter().zip(&mut pixels).for_each(|(images, pixels)| images.fill(0, pixels).unwrap());
        assert_ne!(pixels[0], pixels[1]);
        assert_eq!((0..7).map(|index| images[0].label(index)).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 0]);
        assert_eq!(ShapesImages::open(&SET, Split::Val, None).unwrap().label(0), 0);
        assert_eq!(ShapesImages::open(&SET, Split::Test, None).unwrap().label(0), 0);
    }

    #[test]
    fn the_pixels_are_the_ones_of_this_version() {
        let mut hasher = blake3::Hasher::new();
        for size in Shapes::SIZES {
            for index in 0..6 {
                let scene = Scene::new(&Shapes { size, images: 6, seed: 1 }, index);
                hasher.update(&render(&scene, size));
            }
        }
        assert_eq!(hasher.finalize().to_hex()[..16], *"49e96180ca809313", "raise VERSION if the change is meant");
    }

    #[test]
    fn other_sizes_are_refused() {
        let error = ShapesImages::open(&Shapes { size: 20, ..SET }, Split::Train, None).unwrap_err();
        assert!(error.to_string().contains("not 20"), "{error}");
    }
}
