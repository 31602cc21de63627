//! Network dissection by description: how units are measured, how what was counted is scored.

use serde::{Deserialize, Serialize};

use super::seed::Seed;

/// How the units of a layer are turned into counts. Everything in it changes what the network is asked for or what is
/// counted; how counts become concepts is [`Scoring`]'s matter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Parameter path of the layer whose output is dissected, e.g. `layer4`.
    pub layer: String,
    /// Which images of the probe take part.
    pub images: Portion,
    /// At most so many of these, the first in the order of the index; 0 for all.
    pub first: u64,
    /// Categories that take part, in Broden's names. Images without a label in any of them are left out.
    pub categories: Vec<String>,
    /// How pixels are prepared; nothing for generated scenes, which look as in training.
    pub pixels: Option<Pixels>,
    /// Top share of activations that a unit's threshold lets through.
    pub quantile: f64,
    /// Which activations the threshold is a quantile of.
    pub quantile_on: Activations,
    /// How the quantile is read off.
    pub estimate: Estimate,
    /// How maps are enlarged to the size of the labels.
    pub enlarge: Enlarge,
    /// How often a label counts that several layers give the same pixel.
    pub repeats: Repeats,
    /// A change of basis before anything is measured.
    pub rotation: Option<Rotation>,
    /// Images per forward pass; changes no result.
    #[serde(skip)]
    pub batch: usize,
}

#[cfg(test)]
impl Measurement {
    /// NetDissect-Lite's rules, with the share for the estimate.
    pub(crate) fn lite(layer: &str) -> Self {
        Self {
            layer: layer.to_owned(),
            images: Portion::All,
            first: 0,
            categories: ["object", "part", "scene", "texture", "color"].map(str::to_owned).to_vec(),
            pixels: None,
            quantile: 0.005,
            quantile_on: Activations::Raw,
            estimate: Estimate::Share,
            enlarge: Enlarge::Pillow,
            repeats: Repeats::Each,
            rotation: None,
            batch: 0,
        }
    }
}

/// Images of a probe by their split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Portion {
    /// All images.
    All,
    /// Those that `index.csv` marks `train`.
    Train,
    /// Those that `index.csv` marks `val`.
    Val,
}

/// Pixel values v in [0, 1] become (v − mean) / sd, per channel in the order red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pixels {
    /// Subtracted.
    pub mean: [f32; 3],
    /// Divided by.
    pub sd: [f32; 3],
    /// The network takes blue first, as Caffe's do.
    pub bgr: bool,
}

/// Values that a quantile is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activations {
    /// As the layer gives them.
    Raw,
    /// After enlarging to the size of the labels.
    Enlarged,
}

/// How a threshold is read off n sorted activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimate {
    /// The smallest activation that at most the share `quantile` of all exceeds.
    Share,
    /// NetDissect (2017) and NetDissect-Lite: the entry `round(1000 · quantile)` from the top of a table of 1000 evenly
    /// spaced quantiles from minimum to maximum, so for 0.005 the level 994/999; linear between order statistics, of
    /// which the i-th from 0 stands at (i + ½) / (n − ½).
    Table,
    /// quick-netdissect (2018) and dissect (2020): level 1 − quantile in single precision, linear between order
    /// statistics, of which the i-th from 0 stands at (i + ½) / n.
    Midpoint,
}

/// How a map is enlarged; bilinear throughout, they differ in where its values stand and what is beyond its border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enlarge {
    /// Pillow's bilinear filter for floating-point pictures (NetDissect-Lite).
    Pillow,
    /// Values stand at the centres of their receptive fields (NetDissect 2017 on Caffe networks).
    Fields,
    /// Values stand at the centres of equal cells, in whole pixels (NetDissect's PyTorch wrapper).
    Cells,
    /// Values stand at the centres of equal cells; the border is repeated (quick-netdissect).
    HalfPixel,
    /// As `half_pixel`, with zeros beyond the border (dissect 2020).
    HalfPixelZeros,
}

/// Labels that stand in several layers at the same pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeats {
    /// Every layer counts, in the label's pixels and under masks.
    Each,
    /// Every layer counts in the label's pixels, but only one under masks (quick-netdissect).
    Truth,
    /// One counts.
    Once,
}

/// A rotation of the space of a layer's units (Bau et al. 2017, section 3.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rotation {
    /// Draws the rotation, uniformly.
    pub seed: Seed,
    /// How far: 0 turns nothing, 1 is the whole rotation.
    pub power: f64,
    /// Whether values below zero are cut off after turning.
    pub rectify: bool,
}

/// How counts become concepts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scoring {
    /// Which pixels of a mask count against it.
    pub counted: Counted,
    /// IoU from which a unit is interpretable.
    pub iou: f64,
    /// The IoU must be above the threshold, not only reach it.
    pub above: bool,
    /// On which images a unit's concept is chosen.
    pub choose: Portion,
    /// On which images its IoU is taken.
    pub on: Portion,
}

/// Pixels of a unit's masks that enter the union with a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Those of images in which the mask overlaps some label of the label's category (NetDissect-Lite).
    Overlap,
    /// Those of images that have a label of the label's category (NetDissect 2017, quick-netdissect).
    Category,
    /// All (dissect 2020).
    All,
}

/// How chance is imitated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Null {
    /// Masks keep their shapes and move to other images.
    Permutation,
    /// Masks stay on their images, whose labels move elsewhere, cyclically.
    Shift,
}

/// A test of units against chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NullTest {
    /// How chance is imitated.
    pub null: Null,
    /// Repetitions.
    pub times: u32,
    /// Source of the repetitions.
    pub seed: Seed,
}

/// Drawing images again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resampling {
    /// Repetitions.
    pub times: u32,
    /// Source of the repetitions.
    pub seed: Seed,
}

/// What kind of number a measure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// A count.
    Count,
    /// A share of a whole.
    Share,
    /// Any other number.
    Plain,
}

/// Measures of a scored dissection that are its fields in the language. Categories that a probe lacks have none.
pub const MEASURES: [(&str, Figure); 22] = [
    ("units", Figure::Count),
    ("concepts", Figure::Count),
    ("share", Figure::Share),
    ("mean_iou", Figure::Plain),
    ("unique_detectors", Figure::Count),
    ("dead", Figure::Count),
    ("zero_thresholds", Figure::Count),
    ("mask_area", Figure::Share),
    ("positive", Figure::Share),
    ("kurtosis", Figure::Plain),
    ("units_object", Figure::Count),
    ("units_part", Figure::Count),
    ("units_scene", Figure::Count),
    ("units_material", Figure::Count),
    ("units_texture", Figure::Count),
    ("units_color", Figure::Count),
    ("concepts_object", Figure::Count),
    ("concepts_part", Figure::Count),
    ("concepts_scene", Figure::Count),
    ("concepts_material", Figure::Count),
    ("concepts_texture", Figure::Count),
    ("concepts_color", Figure::Count),
];

/// A word for each value of an option.
macro_rules! words {
    ($($ty:ident { $($word:literal => $value:ident,)* })*) => {
        $(impl $ty {
            /// Words in the language and what they mean.
            pub const WORDS: &[(&str, Self)] = &[$(($word, Self::$value)),*];
        })*
    };
}

words! {
    Portion { "all" => All, "train" => Train, "val" => Val, }
    Activations { "raw" => Raw, "enlarged" => Enlarged, }
    Estimate { "share" => Share, "table" => Table, "midpoint" => Midpoint, }
    Enlarge {
        "pillow" => Pillow, "fields" => Fields, "cells" => Cells, "half_pixel" => HalfPixel,
        "half_pixel_zeros" => HalfPixelZeros,
    }
    Repeats { "each" => Each, "truth" => Truth, "once" => Once, }
    Null { "permutation" => Permutation, "shift" => Shift, }
    Counted { "overlap" => Overlap, "category" => Category, "all" => All, }
}
