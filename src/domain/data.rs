//! Data sets, tasks and probes, by description; reading them is `nn::data`'s work.

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::arch::Shape;

/// A classification task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Where the images come from.
    pub data: DataSet,
    /// Number of classes.
    pub classes: usize,
    /// Size of one image as the network sees it.
    pub input: Shape,
    /// Training images.
    pub train: u64,
    /// Validation images.
    pub val: u64,
    /// Test images.
    pub test: u64,
    /// Random changes to training images, in order.
    pub augment: Vec<Augment>,
    /// Which values become 0 and 1; nothing leaves it to the data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalisation: Option<Normalisation>,
    /// How images of any size are brought to `input`; nothing if they have that size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparation: Option<Preparation>,
}

/// What pixels, on a scale from 0 to 1, are shifted and divided by: (v − mean) / sd. One number per channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// Subtracted.
    pub mean: Vec<f64>,
    /// Divided by.
    pub sd: Vec<f64>,
}

/// How images are brought to one size where nothing is left to chance: torchvision's `Resize`, then `CenterCrop` to the
/// input size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preparation {
    /// Pixels of the shorter side after scaling.
    pub shorter: usize,
}

/// A source of labelled images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum DataSet {
    /// 1 797 handwritten digits, 8×8, embedded in the binary.
    Digits,
    /// Generated scenes; the class is the object's kind.
    Shapes(Shapes),
    /// Images on disk; in which form they lie there is this machine's business and changes no value.
    Stored {
        /// Name under `data:` in the profile.
        name: String,
    },
    /// The first images of each part of another set; only trials have it.
    Excerpt {
        /// The set.
        of: Box<DataSet>,
        /// Its training images.
        train: u64,
        /// Its validation images.
        val: u64,
        /// Its test images.
        test: u64,
    },
    /// Generated pictures in the place of images that are not on this machine; only trials have it.
    StandIn {
        /// Name under `data:` in the profile.
        name: String,
    },
}

/// Parameters of the generated scenes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shapes {
    /// Side of an image in pixels: 16, 32, 64 or 224.
    pub size: usize,
    /// Number of images over all splits.
    pub images: u64,
    /// Seed of the generator.
    pub seed: u64,
}

impl Task {
    /// Returns the number of images of a part.
    pub fn images(&self, split: Split) -> u64 {
        match split {
            Split::Train => self.train,
            Split::Val => self.val,
            Split::Test => self.test,
        }
    }

    /// The embedded digits: 1 257 training, 270 validation and 270 test images.
    pub fn digits() -> Self {
        Self {
            data: DataSet::Digits,
            classes: 10,
            input: Shape { channels: 1, height: 8, width: 8 },
            train: 1257,
            val: 270,
            test: 270,
            augment: Vec::new(),
            normalisation: None,
            preparation: None,
        }
    }

    /// Generated scenes, by the kind of the main object.
    pub fn shapes(set: Shapes) -> Self {
        let count = |split| {
            let range = set.range(split);
            range.end - range.start
        };
        Self {
            classes: 6,
            input: Shape { channels: 3, height: set.size, width: set.size },
            train: count(Split::Train),
            val: count(Split::Val),
            test: count(Split::Test),
            augment: Vec::new(),
            normalisation: None,
            preparation: None,
            data: DataSet::Shapes(set),
        }
    }
}

impl Shapes {
    /// Sides of the images that can be generated, in pixels.
    pub const SIZES: [usize; 4] = [16, 32, 64, 224];

    /// Numbers of the images of a part: of n images the first ⌊8n/10⌋ are for training, the next ⌊n/10⌋ for
    /// validation, the rest for tests.
    pub fn range(&self, split: Split) -> Range<u64> {
        let val = self.images / 10;
        let train = val * 8 + self.images % 10 * 8 / 10;
        match split {
            Split::Train => 0..train,
            Split::Val => train..train + val,
            Split::Test => train + val..self.images,
        }
    }
}

/// A random change to training images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "augment", rename_all = "snake_case")]
pub enum Augment {
    /// Mirrors left and right with probability 1/2.
    Flip,
    /// Adds a border of zeros and crops back at a random place.
    PadCrop {
        /// Width of the border.
        pad: usize,
    },
    /// torchvision's `RandomResizedCrop` to the input size.
    ResizedCrop {
        /// Least share of the area of the image.
        area: f64,
        /// Largest ratio of the sides, either way.
        aspect: f64,
    },
    /// torchvision's `ColorJitter`: each change is drawn from 1 − x to 1 + x (hue: from −x to x), in random order.
    Jitter {
        /// Strength of the change of brightness.
        brightness: f64,
        /// Strength of the change of contrast.
        contrast: f64,
        /// Strength of the change of saturation.
        saturation: f64,
        /// Strength of the change of hue, up to 1/2.
        hue: f64,
    },
}

/// Where a data set lies on this machine. Nothing of this reaches a key, except that damaged images are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its directory, or its file.
    pub root: PathBuf,
    /// What is done with images that cannot be read.
    #[serde(default)]
    pub damaged: Damaged,
}

/// What is done with images that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damaged {
    /// The stage fails and names the image.
    #[default]
    Stop,
    /// They are left out and counted.
    Skip,
}

impl Place {
    /// A place whose damaged images stop a stage.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), damaged: Damaged::Stop }
    }
}

/// Parts of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// What the network learns from.
    Train,
    /// What choices may be made on.
    Val,
    /// What only reports may read.
    Test,
}

/// Images with pixel labels, in Broden's layout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "probe", rename_all = "snake_case")]
pub enum Probe {
    /// Generated scenes with exact labels, written in Broden's layout when first needed.
    Shapes(Shapes),
    /// A directory in Broden's layout, named in the profile.
    Broden {
        /// Name under `data:` in the profile.
        name: String,
        /// Image side: 224, 227 or 384.
        size: usize,
        /// Number of images, for the plan.
        images: u64,
    },
}
