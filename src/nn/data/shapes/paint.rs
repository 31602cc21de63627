//! Scenes as pixels and as label maps.

use super::scene::{COLOURS, OBJECTS, PARTS, SCENES, Scene, Spot, TEXTURES};

/// Samples per pixel in each direction.
const SAMPLES: usize = 2;

/// Paints a scene: rows of RGB bytes, `size` × `size`.
pub(super) fn render(scene: &Scene, size: usize) -> Vec<u8> {
    let mut rng = scene.rng.clone();
    let mut bytes = Vec::with_capacity(size * size * 3);
    let step = 1.0 / (size * SAMPLES) as f64;
    for y in 0..size {
        for x in 0..size {
            let mut rgb = [0.0; 3];
            for sample in 0..SAMPLES * SAMPLES {
                let (sx, sy) = (x * SAMPLES + sample % SAMPLES, y * SAMPLES + sample / SAMPLES);
                let paint = scene.spot((sx as f64 + 0.5) * step, (sy as f64 + 0.5) * step).paint;
                rgb.iter_mut().zip(paint.rgb).for_each(|(sum, v)| *sum += v / (SAMPLES * SAMPLES) as f64);
            }
            for value in rgb {
                let grain = scene.grain * (rng.uniform() - 0.5);
                bytes.push(((value * scene.light + grain).clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
            }
        }
    }
    bytes
}

/// A layer of Broden's index: one column, and which of its files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer {
    /// Name of the category.
    pub(super) category: &'static str,
    /// End of the file's name.
    pub(super) suffix: &'static str,
    /// Reads the concept, if any, off a spot.
    concept: fn(&Spot) -> Option<usize>,
}

/// Layers with a label per pixel, in the order of their concepts' identifiers.
pub(super) const LAYERS: [Layer; 5] = [
    Layer { category: "color", suffix: "color", concept: |spot| Some(spot.paint.colour) },
    Layer { category: "object", suffix: "object", concept: |spot| spot.object.map(|i| FIRST_OBJECT + i) },
    Layer { category: "part", suffix: "part_1", concept: |spot| spot.parts[0].map(|i| FIRST_PART + i) },
    Layer { category: "part", suffix: "part_2", concept: |spot| spot.parts[1].map(|i| FIRST_PART + i) },
    Layer { category: "texture", suffix: "texture", concept: |spot| spot.texture.map(|i| FIRST_TEXTURE + i) },
];

const FIRST_OBJECT: usize = COLOURS.len();
const FIRST_PART: usize = FIRST_OBJECT + OBJECTS.len();
const FIRST_TEXTURE: usize = FIRST_PART + PARTS.len();
/// Identifier of the first kind of background.
pub(super) const FIRST_SCENE: usize = FIRST_TEXTURE + TEXTURES.len();
/// Number of concepts.
pub(super) const CONCEPTS: usize = FIRST_SCENE + SCENES.len();

/// Category and name of a concept, with Broden's suffixes for colours and scenes.
pub(super) fn concept(id: usize) -> (&'static str, String) {
    match id {
        _ if id >= FIRST_SCENE => ("scene", format!("{}-s", SCENES[id - FIRST_SCENE])),
        _ if id >= FIRST_TEXTURE => ("texture", TEXTURES[id - FIRST_TEXTURE].to_owned()),
        _ if id >= FIRST_PART => ("part", PARTS[id - FIRST_PART].to_owned()),
        _ if id >= FIRST_OBJECT => ("object", OBJECTS[id - FIRST_OBJECT].to_owned()),
        _ => ("color", format!("{}-c", COLOURS[id])),
    }
}

/// Labels a scene at the centres of `size` × `size` pixels, layer by layer.
pub(super) fn label(scene: &Scene, size: usize) -> [Vec<Option<usize>>; LAYERS.len()] {
    let mut layers = LAYERS.map(|_| Vec::with_capacity(size * size));
    for y in 0..size {
        for x in 0..size {
            let spot = scene.spot((x as f64 + 0.5) / size as f64, (y as f64 + 0.5) / size as f64);
            for (pixels, layer) in layers.iter_mut().zip(LAYERS) {
                pixels.push((layer.concept)(&spot));
            }
        }
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Shapes;

    #[test]
    fn concepts_have_distinct_names() {
        let names: std::collections::BTreeSet<_> = (0..CONCEPTS).map(concept).collect();
        assert_eq!(names.len(), CONCEPTS);
        assert_eq!(concept(FIRST_SCENE), ("scene", "wall-s".to_owned()));
        assert_eq!(concept(0), ("color", "black-c".to_owned()));
    }

    #[test]
    fn labels_agree_with_each_other() {
        for index in 0..30 {
            let layers = label(&Scene::new(&Shapes { size: 32, images: 30, seed: 9 }, index), 16);
            for pixel in 0..256 {
                let [color, object, part, core, texture] = layers.each_ref().map(|layer| layer[pixel]);
                assert!(color.is_some());
                assert_eq!(object.is_some(), texture.is_some());
                let hole = Some(FIRST_PART + 3);
                assert!(object.is_some() || part.is_none() || part == hole);
                assert!(core.is_none() || object.is_some());
            }
            assert!(layers[1].iter().any(|object| *object == Some(FIRST_OBJECT + index as usize % 6)));
        }
    }
}
