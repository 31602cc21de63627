//! Training on pictures in files: read ahead, changed at random, at times damaged.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::domain::arch::samples::cifar_resnet;
use crate::domain::data::{Damaged, DataSet, Place, Preparation, Split};
use crate::domain::recipe::{Decay, Optimizer};
use crate::nn::data::{Roots, open_task};
use crate::nn::evaluate::evaluate;
use crate::nn::init::initialize;

/// Eleven photographs in four classes.
fn photographs() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let pictures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data/pictures");
    let names = ["s420", "s422", "s444", "grey", "cmyk", "restart", "progressive", "rgb", "turned", "narrow", "one"];
    for (at, name) in names.iter().enumerate() {
        let class = root.path().join(format!("train/{}", at % 4));
        fs::create_dir_all(&class).unwrap();
        fs::copy(pictures.join(name).with_extension("jpg"), class.join(name).with_extension("jpg")).unwrap();
    }
    root
}

fn description() -> crate::domain::data::Task {
    crate::domain::data::Task {
        data: DataSet::Stored { name: "photographs".to_owned() },
        classes: 4,
        input: crate::domain::arch::Shape { channels: 1, height: 8, width: 8 },
        train: 11,
        val: 0,
        augment: vec![
            Augment::ResizedCrop { area: 0.2, aspect: 1.5 },
            Augment::Flip,
            Augment::Jitter { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
            Augment::PadCrop { pad: 1 },
        ],
        preparation: Some(Preparation { shorter: 9 }),
        ..crate::domain::data::Task::digits()
    }
}

fn open(root: &Path, damaged: Damaged) -> Box<dyn Images> {
    let roots = Roots::from([("photographs".to_owned(), Place { damaged, ..Place::at(root) })]);
    open_task(&crate::domain::data::Task { test: 0, ..description() }, Split::Train, &roots, None).unwrap()
}

struct Lesson {
    arch: Arch,
    recipe: Recipe,
    order: Seed,
    weights: Weights,
    changes: Vec<Augment>,
}

impl Lesson {
    fn new() -> Self {
        let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 1e-4, decay: Decay::All };
        let (arch, order) = (cifar_resnet(1, 8, 4, 1, 8), Seed { root: 1, stream: Vec::new() });
        let weights = initialize(&arch, &order).unwrap();
        let recipe = Recipe { optimizer, batch: 4, label_smoothing: 0.0 };
        Self { arch, recipe, order, weights, changes: description().augment }
    }

    fn task<'a>(&'a self, images: &'a dyn Images, threads: usize) -> Task<'a> {
        let Self { arch, recipe, order, changes, .. } = self;
        Task { arch, recipe, images, augment: changes, order, threads, device: &Device::Cpu, recompute: false }
    }
}

fn values(weights: &Weights) -> Vec<Vec<f32>> {
    weights.values().filter_map(|tensor| tensor.flatten_all().ok()?.to_vec1().ok()).collect()
}

#[test]
fn batches_are_the_same_for_any_threads_and_after_an_interruption() {
    let root = photographs();
    let (lesson, images) = (Lesson::new(), open(root.path(), Damaged::Stop));
    let train = |threads| {
        let mut trainer = Trainer::new(lesson.task(&*images, threads), &lesson.weights, None, 0).unwrap();
        let stats: Vec<StepStats> = (0..9).map(|_| trainer.step(0.05).unwrap()).collect();
        (stats, values(&trainer.snapshot().unwrap().weights))
    };
    let (stats, end) = train(1);
    assert_eq!(stats.iter().map(|stats| stats.images).collect::<Vec<_>>(), [4, 4, 3, 4, 4, 3, 4, 4, 3]);
    assert_ne!(stats[0], stats[3], "every epoch has an order and changes of its own");
    assert_eq!(train(3), (stats.clone(), end.clone()));
    for stop in [1, 3, 5] {
        let mut first = Trainer::new(lesson.task(&*images, 2), &lesson.weights, None, 0).unwrap();
        (0..stop).for_each(|at| assert_eq!(first.step(0.05).unwrap(), stats[at]));
        let snapshot = first.snapshot().unwrap();
        drop(first);
        let mut second = Trainer::from_snapshot(lesson.task(&*images, 3), &snapshot, None).unwrap();
        (stop..9).for_each(|at| assert_eq!(second.step(0.05).unwrap(), stats[at]));
        assert_eq!(values(&second.snapshot().unwrap().weights), end, "{stop}");
    }
}

#[test]
fn damage_stops_at_its_batch_or_is_left_out() {
    let root = photographs();
    fs::write(root.path().join("train/2/s444.jpg"), "no picture").unwrap();
    let (lesson, images) = (Lesson::new(), open(root.path(), Damaged::Stop));
    let mut trainer = Trainer::new(lesson.task(&*images, 2), &lesson.weights, None, 0).unwrap();
    let error = (0..3).find_map(|_| trainer.step(0.05).err()).unwrap().to_string();
    assert!(error.contains("train/2/s444.jpg") && error.contains("neither"), "{error}");

    let images = open(root.path(), Damaged::Skip);
    let mut trainer = Trainer::new(lesson.task(&*images, 2), &lesson.weights, None, 0).unwrap();
    let stats: Vec<StepStats> = (0..6).map(|_| trainer.step(0.05).unwrap()).collect();
    for epoch in stats.chunks(3) {
        assert_eq!(
            epoch.iter().map(|stats| (stats.images, stats.skipped)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
            (10, 1)
        );
    }
    assert!(images.skipped().len() == 1 && images.skipped()[0].contains("s444.jpg"), "{:?}", images.skipped());
    let found = evaluate(&lesson.arch, &lesson.weights, None, &*images, 3, 2, &Device::Cpu).unwrap();
    let again = evaluate(&lesson.arch, &lesson.weights, None, &*images, 11, 1, &Device::Cpu).unwrap();
    assert_eq!((found.images, found.skipped, found), (10, 1, again));
}
