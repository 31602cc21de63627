use super::*;
use crate::domain::arch::samples::cifar_resnet;
use crate::domain::arch::{Arch, Shape};
use crate::domain::pruning::{Amount, Counting, Pruner, Rule, Scope, Score, Unit};
use crate::domain::recipe::{Decay, Optimizer};
use crate::nn::data::DataError;
use crate::nn::device::devices;
use crate::nn::evaluate::evaluate;
use crate::nn::init::initialize;
use crate::nn::prune::{Sources, prune};
use crate::nn::rng::{Rng, Stream};

/// Images whose class is the quarter with the brightest mean.
struct Quarters(usize);

impl Images for Quarters {
    fn len(&self) -> usize {
        self.0
    }
    fn classes(&self) -> usize {
        4
    }
    fn shape(&self) -> Shape {
        Shape { channels: 1, height: 8, width: 8 }
    }
    fn label(&self, index: usize) -> usize {
        index % 4
    }
    fn fill(&self, index: usize, pixels: &mut [f32]) -> Result<(), DataError> {
        let mut rng = Stream::new(&seed(9), "pixels").at(0, index as u64);
        for (at, pixel) in pixels.iter_mut().enumerate() {
            let quarter = at / 32 * 2 + at % 8 / 4;
            *pixel = rng.normal() as f32 + if quarter == self.label(index) { 1.5 } else { 0.0 };
        }
        Ok(())
    }
    fn fill_changed(&self, index: usize, _: &[Augment], rng: &mut Rng, pixels: &mut [f32]) -> Result<(), DataError> {
        self.fill(index, pixels)?;
        let factor = 0.5 + rng.uniform() as f32;
        pixels.iter_mut().for_each(|pixel| *pixel *= factor);
        Ok(())
    }
}

fn seed(root: u64) -> Seed {
    Seed { root, stream: Vec::new() }
}

fn recipe(batch: usize) -> Recipe {
    let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 1e-4, decay: Decay::All };
    Recipe { optimizer, batch, label_smoothing: 0.0 }
}

fn half(arch: &Arch, weights: &Weights) -> Mask {
    let pruner = Pruner {
        by: Rule::Random { seed: seed(3) },
        remove: Amount::Sparsity("1/2".into()),
        scope: Scope::Global,
        keep: Vec::new(),
        counting: Counting::OpenLth,
        unit: Unit::Weight,
        samples: None,
    };
    prune(arch, weights, None, &pruner, Sources::default()).unwrap()
}

fn bits(weights: &Weights) -> Vec<Vec<u8>> {
    let bytes = |name: &String| {
        crate::nn::checkpoint::encode(
            &Weights::from([(name.clone(), weights[name].clone())]),
            &std::collections::BTreeMap::default(),
        )
    };
    weights.keys().map(|name| bytes(name).unwrap()).collect()
}

/// Narrow and wide enough for every way that a convolution can go.
#[test]
fn training_resumes_at_any_iteration_with_the_same_bits() {
    for device in devices() {
        for width in [8, 16, 48] {
            resumes_with_the_same_bits(&device, width, &recipe(16));
        }
    }
    let optimizer =
        Optimizer::AdamW { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay: 0.01, decay: Decay::ExceptNorm };
    for device in devices() {
        resumes_with_the_same_bits(&device, 16, &Recipe { optimizer: optimizer.clone(), ..recipe(16) });
    }
}

/// Masks of gradual pruning: weights go and come back, and resuming between prunings changes nothing.
#[test]
fn pruning_on_the_way_resumes_with_the_same_bits() {
    devices().iter().for_each(pruning_on_the_way_resumes);
}

fn pruning_on_the_way_resumes(device: &Device) {
    let (arch, images, order) = (cifar_resnet(1, 16, 4, 1, 8), Quarters(50), seed(1));
    let weights = initialize(&arch, &seed(1)).unwrap();
    let given = half(&arch, &weights);
    let recipe = recipe(16);
    let task = Task {
        arch: &arch,
        recipe: &recipe,
        images: &images,
        augment: &[],
        order: &order,
        threads: 2,
        device,
        recompute: false,
    };
    let by = Rule::Score { score: Score::Abs(Box::new(Score::Weight)) };
    let gradual = Gradual { by, scope: Scope::Global, keep: vec!["fc.weight".into()] };
    let prunings = [(2, "5/8"), (4, "3/4"), (7, "3/4")];
    let step = |trainer: &mut Trainer<'_>| {
        if let Some((_, sparsity)) = prunings.iter().find(|(at, _)| *at == trainer.at()) {
            trainer.prune(&gradual, sparsity).unwrap();
        }
        trainer.step(0.3).unwrap()
    };
    let mut whole = Trainer::new(task, &weights, Some(&given), 0).unwrap();
    let mut masks = Vec::new();
    for _ in 0..10 {
        step(&mut whole);
        masks.push(whole.mask().unwrap().clone());
    }
    let total = arch.survey().unwrap().prunable_count();
    assert_eq!([1, 2, 9].map(|at: usize| total - masks[at].kept()), [total / 2, total * 5 / 8, total * 3 / 4]);
    let returned = |name: &str| {
        let [before, after, given] = [&masks[4], &masks[9], &given].map(|mask| mask.bits(name).unwrap());
        let came_back = before.iter().zip(after).filter(|(before, after)| !**before && **after).count();
        assert!(after.iter().zip(given).all(|(after, given)| *given || !*after), "{name}");
        came_back
    };
    let names: Vec<String> = masks[0].counts().map(|(name, ..)| name.to_owned()).collect();
    assert!(names.iter().map(|name| returned(name)).sum::<usize>() > 0, "no weight came back");
    assert_eq!(masks[9].bits("fc.weight"), given.bits("fc.weight"));
    let end = whole.snapshot().unwrap();
    for stop in 0..10 {
        let mut first = Trainer::new(task, &weights, Some(&given), 0).unwrap();
        for _ in 0..stop {
            step(&mut first);
        }
        let snapshot = first.snapshot().unwrap();
        let mut second = Trainer::from_snapshot(task, &snapshot, Some(&given)).unwrap();
        for _ in stop..10 {
            step(&mut second);
        }
        let resumed = second.snapshot().unwrap();
        assert_eq!(bits(&resumed.weights), bits(&end.weights), "{stop}");
        assert_eq!(bits(&resumed.momentum), bits(&end.momentum), "{stop}");
        let [of_resumed, of_end] = [&resumed, &end].map(|snapshot| snapshot.pruned.as_ref().unwrap());
        assert_eq!(of_resumed.mask, of_end.mask, "{stop}");
        assert_eq!(bits(&of_resumed.dormant), bits(&of_end.dormant), "{stop}");
    }
}

fn resumes_with_the_same_bits(device: &Device, width: usize, recipe: &Recipe) {
    let (arch, images, order) = (cifar_resnet(1, width, 4, 1, 8), Quarters(50), seed(1));
    let weights = initialize(&arch, &seed(1)).unwrap();
    let mask = half(&arch, &weights);
    let task = |threads| Task {
        arch: &arch,
        recipe,
        images: &images,
        augment: &[Augment::Flip],
        order: &order,
        threads,
        device,
        recompute: threads == 3,
    };
    let mut whole = Trainer::new(task(1), &weights, Some(&mask), 0).unwrap();
    assert_eq!(whole.per_epoch(), 4);
    let stats: Vec<StepStats> = (0..10).map(|i| whole.step(0.1 / (1.0 + f64::from(i))).unwrap()).collect();
    assert_eq!(stats.iter().map(|stats| stats.images).collect::<Vec<_>>(), [16, 16, 16, 2, 16, 16, 16, 2, 16, 16]);
    let end = whole.snapshot().unwrap();
    for stop in 0..10 {
        let mut first = Trainer::new(task([2, 8][stop % 2]), &weights, Some(&mask), 0).unwrap();
        for i in 0..stop {
            first.step(0.1 / (1.0 + i as f64)).unwrap();
        }
        let snapshot = first.snapshot().unwrap();
        let mut second = Trainer::from_snapshot(task(3), &snapshot, Some(&mask)).unwrap();
        (stop..10).for_each(|i| assert_eq!(second.step(0.1 / (1.0 + i as f64)).unwrap(), stats[i]));
        let resumed = second.snapshot().unwrap();
        assert_eq!(bits(&resumed.weights), bits(&end.weights), "{stop}");
        assert_eq!(bits(&resumed.momentum), bits(&end.momentum), "{stop}");
    }
    for (name, tensor) in &end.weights {
        let Some(kept) = mask.bits(name) else { continue };
        let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(values.iter().zip(kept).all(|(value, kept)| *kept || *value == 0.0), "{name}");
    }
}

#[test]
fn a_small_network_learns() {
    devices().iter().for_each(learns);
}

fn learns(device: &Device) {
    let (arch, images, recipe, order) = (cifar_resnet(1, 8, 4, 1, 8), Quarters(256), recipe(32), seed(1));
    let weights = initialize(&arch, &seed(1)).unwrap();
    let task = Task {
        arch: &arch,
        recipe: &recipe,
        images: &images,
        augment: &[],
        order: &order,
        threads: 1,
        device,
        recompute: false,
    };
    let mut trainer = Trainer::new(task, &weights, None, 0).unwrap();
    for _ in 0..40 {
        trainer.step(0.05).unwrap();
    }
    let trained = trainer.snapshot().unwrap().weights;
    let before = evaluate(&arch, &weights, None, &Quarters(200), 64, 1, device).unwrap();
    let after = evaluate(&arch, &trained, None, &Quarters(200), 64, 1, device).unwrap();
    assert!(before.top1 < 0.6 && after.top1 > 0.9, "{before:?} {after:?}");
    let again = evaluate(&arch, &trained, None, &Quarters(200), 33, 3, device).unwrap();
    // The processor gives the same bits for any batch; a GPU picks its algorithms by the batch.
    assert!(after == again || *device != Device::Cpu && (after.loss / again.loss - 1.0).abs() < 1e-4, "{again:?}");
    assert_eq!(trained["bn1.num_batches_tracked"].to_scalar::<i64>().unwrap(), 40);
}

#[test]
fn divergence_is_an_error_with_its_place() {
    devices().iter().for_each(diverges);
}

fn diverges(device: &Device) {
    let (arch, images, recipe, order) = (cifar_resnet(1, 8, 4, 1, 8), Quarters(40), recipe(16), seed(1));
    let weights = initialize(&arch, &seed(1)).unwrap();
    let task = Task {
        arch: &arch,
        recipe: &recipe,
        images: &images,
        augment: &[],
        order: &order,
        threads: 1,
        device,
        recompute: false,
    };
    let mut trainer = Trainer::new(task, &weights, None, 0).unwrap();
    let error = (0..6).find_map(|_| trainer.step(1e30).err()).unwrap();
    assert!(matches!(error, Error::Diverged { epoch: 0, iteration: 1..3, .. }), "{error}");
}
