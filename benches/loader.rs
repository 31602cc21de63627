//! Reads a data set on disk as training does, epoch after epoch; `benches/vs_torchvision.py` runs it beside torchvision.
//!
//! `cargo bench --bench loader -- DIR --classes 10 --train 64000 --epochs 2 --threads 1` prints one line of JSON: images
//! per second and peak memory so far in MiB of every epoch, with random resized crops and flips to 224 pixels. `--changes
//! 0` reads images as an evaluation does.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark talks to a terminal, and may stop at once")]

use std::path::PathBuf;
use std::time::Instant;

use pdsl::domain::arch::Shape;
use pdsl::domain::data::{Augment, DataSet, Normalisation, Place, Preparation, Split, Task};
use pdsl::domain::seed::Seed;
use pdsl::nn::data::{Images, Roots, open_task};
use pdsl::nn::rng::Stream;
use rayon::prelude::*;

/// Images that are worked on together.
const BATCH: usize = 64;

/// What is read, and how.
struct Options {
    root: PathBuf,
    classes: usize,
    train: usize,
    epochs: usize,
    threads: usize,
    changes: usize,
}

impl Options {
    fn from_arguments() -> Option<Self> {
        let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
        let root = PathBuf::from(words.next()?);
        let mut options = Self { root, classes: 10, train: 1000, epochs: 1, threads: 1, changes: 1 };
        while let Some(word) = words.next() {
            let value = words.next()?.parse().ok()?;
            match word.as_str() {
                "--classes" => options.classes = value,
                "--train" => options.train = value,
                "--epochs" => options.epochs = value,
                "--threads" => options.threads = value,
                "--changes" => options.changes = value,
                _ => return None,
            }
        }
        Some(options)
    }

    fn task(&self) -> Task {
        Task {
            data: DataSet::Stored { name: "set".to_owned() },
            classes: self.classes,
            input: Shape { channels: 3, height: 224, width: 224 },
            train: self.train as u64,
            val: 0,
            test: 0,
            augment: vec![Augment::ResizedCrop { area: 0.08, aspect: 4.0 / 3.0 }, Augment::Flip],
            normalisation: Some(Normalisation { mean: vec![0.485, 0.456, 0.406], sd: vec![0.229, 0.224, 0.225] }),
            preparation: Some(Preparation { shorter: 256 }),
        }
    }
}

fn main() {
    let Some(options) = Options::from_arguments() else {
        println!("usage: loader DIR [--classes N] [--train N] [--epochs N] [--threads N] [--changes 0|1]");
        return;
    };
    let task = options.task();
    let roots = Roots::from([("set".to_owned(), Place::at(&options.root))]);
    let images = open_task(&task, Split::Train, &roots, None).expect("a data set");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build().expect("threads");
    let lines: Vec<String> = (0..options.epochs)
        .map(|epoch| {
            let began = Instant::now();
            pool.install(|| read(&*images, &task.augment, options.changes > 0, epoch as u32));
            let speed = images.len() as f64 / began.elapsed().as_secs_f64();
            format!("{{\"images_per_second\": {speed:.1}, \"peak_mib\": {}}}", peak())
        })
        .collect();
    println!("{{\"epochs\": [{}]}}", lines.join(", "));
}

/// Reads all images once, in random order.
fn read(images: &dyn Images, changes: &[Augment], change: bool, epoch: u32) {
    let stream = Stream::new(&Seed { root: 1, stream: Vec::new() }, "augment");
    let order = stream.at(epoch, u64::MAX).permutation(images.len());
    let size = images.shape().values();
    let mut pixels = vec![0.0; BATCH * size];
    for batch in order.chunks(BATCH) {
        pixels.par_chunks_mut(size).zip(batch).for_each(|(pixels, index)| {
            let read = if change {
                images.fill_changed(*index, changes, &mut stream.at(epoch, *index as u64), pixels)
            } else {
                images.fill(*index, pixels)
            };
            read.expect("an image");
        });
    }
}

/// Peak resident memory of this process in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0) / 1024
}
