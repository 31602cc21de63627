//! Small views of data sets, for trials: the first images of a set, and pictures that stand in for data that are not here.

use std::sync::Arc;

use super::picture::Raster;
use super::{DataError, Images, Normalisation, augment};
use crate::domain::arch::Shape;
use crate::domain::data::{Augment, Damaged, Split, Task};
use crate::domain::seed::Seed;
use crate::nn::rng::{Rng, Stream};

/// The first images of a part of a data set.
pub(super) struct Excerpt {
    images: Arc<dyn Images>,
    count: usize,
}

impl Excerpt {
    pub(super) fn new(images: Box<dyn Images>, count: u64) -> Self {
        let count = images.len().min(count as usize);
        Self { images: Arc::from(images), count }
    }
}

impl Images for Excerpt {
    fn len(&self) -> usize {
        self.count
    }

    fn classes(&self) -> usize {
        self.images.classes()
    }

    fn shape(&self) -> Shape {
        self.images.shape()
    }

    fn label(&self, index: usize) -> usize {
        self.images.label(index)
    }

    fn fill(&self, index: usize, pixels: &mut [f32]) -> Result<(), DataError> {
        self.images.fill(index, pixels)
    }

    fn fill_changed(
        &self,
        index: usize,
        changes: &[Augment],
        rng: &mut Rng,
        pixels: &mut [f32],
    ) -> Result<(), DataError> {
        self.images.fill_changed(index, changes, rng, pixels)
    }

    fn damaged(&self) -> Damaged {
        self.images.damaged()
    }

    fn skipped(&self) -> Vec<String> {
        self.images.skipped()
    }
}

/// Pictures of noise in the shape of a task, its classes in turn.
pub(super) struct StandIn {
    stream: Stream,
    shape: Shape,
    classes: usize,
    count: usize,
    normalisation: Normalisation,
}

impl StandIn {
    pub(super) fn new(name: &str, task: &Task, split: Split) -> Self {
        let seed = Seed { root: split as u64, stream: vec![name.to_owned()] };
        Self {
            stream: Stream::new(&seed, "stand-in"),
            shape: task.input,
            classes: task.classes.max(1),
            count: task.images(split) as usize,
            normalisation: task.normalisation.as_ref().map_or(Normalisation::SHAPES, Normalisation::from),
        }
    }

    fn picture(&self, index: usize) -> Raster {
        let Shape { channels, height, width } = self.shape;
        let mut rng = self.stream.at(0, index as u64);
        let bytes = (0..self.shape.values()).map(|_| rng.below(256) as u8).collect();
        Raster { width, height, channels, bytes }
    }
}

impl Images for StandIn {
    fn len(&self) -> usize {
        self.count
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn label(&self, index: usize) -> usize {
        index % self.classes
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
        let changed = augment::apply(self.picture(index), self.shape, changes, rng);
        self.normalisation.fill(&changed, pixels);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Roots, open_task};
    use super::*;
    use crate::domain::data::DataSet;

    #[test]
    fn an_excerpt_is_the_beginning_of_its_set() {
        let full = Task::digits();
        let data =
            DataSet::Excerpt { of: Box::new(DataSet::Digits), train: full.train, val: full.val, test: full.test };
        let small = Task { data, train: 15, val: 6, test: 6, ..full.clone() };
        let roots = Roots::new();
        let [all, few] = [&full, &small].map(|task| open_task(task, Split::Train, &roots, None).unwrap());
        assert_eq!((all.len(), few.len(), few.classes()), (1257, 15, 10));
        let mut pixels = [vec![0.0; 64], vec![0.0; 64]];
        all.fill(14, &mut pixels[0]).unwrap();
        few.fill(14, &mut pixels[1]).unwrap();
        assert_eq!(pixels[0], pixels[1]);
        assert_eq!(few.label(3), all.label(3));
    }

    #[test]
    fn stand_ins_have_the_shape_of_the_task_and_take_its_changes() {
        let input = Shape { channels: 3, height: 32, width: 32 };
        let augment = vec![Augment::ResizedCrop { area: 0.08, aspect: 4.0 / 3.0 }, Augment::Flip];
        let data = DataSet::StandIn { name: "imagenet".to_owned() };
        let task = Task { data, classes: 1000, input, train: 15, val: 6, test: 6, augment, ..Task::digits() };
        let images = open_task(&task, Split::Train, &Roots::new(), None).unwrap();
        let mut pixels = vec![f32::NAN; 3 * 32 * 32];
        images
            .fill_changed(
                4,
                &task.augment,
                &mut Stream::new(&Seed { root: 1, stream: Vec::new() }, "x").at(0, 0),
                &mut pixels,
            )
            .unwrap();
        assert!(pixels.iter().all(|value| value.is_finite()));
        assert_eq!((images.len(), images.label(14)), (15, 14));
    }
}
