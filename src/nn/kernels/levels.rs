//! Every kernel at every instruction set that this processor has: a machine with wide vectors checks what others run.
//!
//! Outputs and gradients of inputs have the same bits everywhere. Gradients of weights are sums over pixels that are cut
//! by the width of vectors, so they agree to rounding; so do moments that are taken block by block.

use proptest::prelude::*;

use super::conv::{Conv, Finish, Geometry, Workspace};
use super::norm::{After, Moments, Norm, Passed};
use super::pool::{self, Pool};
use super::simd::forced::at_each;
use super::simd::level;
use super::transpose::{Extent, transpose};
use super::update::{Adapt, Rule, Update, update};
use super::{Threads, elementwise};

fn numbers(stream: u32, count: usize) -> Vec<f32> {
    let mixed = |at: u32| (stream.wrapping_mul(0x9E37_79B9) ^ at.wrapping_mul(0x85EB_CA6B)).wrapping_mul(0xC2B2_AE35);
    let number = |at: u32| (mixed(at ^ mixed(at) >> 15) >> 8) as f32 / (1 << 23) as f32 - 1.0;
    (0..count as u32).map(number).collect()
}

/// Asserts that all levels give the bits of the first.
fn same_bits(what: &str, work: impl Fn() -> Vec<f32>) {
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let found = at_each(work);
    for (level, values) in &found[1..] {
        assert!(bits(values) == bits(&found[0].1), "{what}: {level:?} differs from {:?}", found[0].0);
    }
}

/// Asserts that numbers agree to `tolerance` of the largest.
fn close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1e-3f32, |scale, value| scale.max(value.abs()));
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance * scale, "{what}[{at}]: {found} instead of {expected}");
    }
}

/// A convolution as it is defined, in double precision: output, gradient of the input, gradient of the weights.
fn plainly(g: &Geometry, n: usize, x: &[f32], w: &[f32], dy: &[f32]) -> [Vec<f32>; 3] {
    let ([height, width], [rows, columns]) = (g.size, g.output());
    let (inputs, outputs) = (g.inputs / g.groups, g.outputs / g.groups);
    let [mut y, mut dx, mut dw] = [dy.len(), x.len(), w.len()].map(|len| vec![0.0f64; len]);
    let place = |at: usize, tap: usize, extent: usize| {
        (at * g.stride + tap * g.dilation).checked_sub(g.pad).filter(|at| *at < extent)
    };
    for image in 0..n {
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            let to = ((image * rows + row) * columns + column) * g.outputs;
            for tap in 0..g.kernel[0] * g.kernel[1] {
                let (above, beside) = (tap / g.kernel[1], tap % g.kernel[1]);
                let (Some(v), Some(u)) = (place(row, above, height), place(column, beside, width)) else { continue };
                let from = ((image * height + v) * width + u) * g.inputs;
                for output in 0..g.outputs {
                    for input in 0..inputs {
                        let weight = (output * inputs + input) * g.kernel[0] * g.kernel[1] + tap;
                        let source = from + output / outputs * inputs + input;
                        y[to + output] += f64::from(w[weight]) * f64::from(x[source]);
                        dx[source] += f64::from(w[weight]) * f64::from(dy[to + output]);
                        dw[weight] += f64::from(x[source]) * f64::from(dy[to + output]);
                    }
                }
            }
        }
    }
    [y, dx, dw].map(|values| values.into_iter().map(|value| value as f32).collect())
}

/// Checks a convolution in all its passes.
fn convolves(g: &Geometry, n: usize, seed: u32) {
    let [rows, columns] = g.output();
    let x = numbers(seed, n * g.size[0] * g.size[1] * g.inputs);
    let w = numbers(seed ^ 1, g.outputs * g.inputs / g.groups * g.kernel[0] * g.kernel[1]);
    let dy = numbers(seed ^ 2, n * rows * columns * g.outputs);
    let one = Threads::new(1);
    let passes = || {
        let (mut conv, mut workspace, mut moments) = (Conv::new(*g, true), Workspace::default(), Moments::default());
        let [mut y, mut dx, mut dw] = [dy.len(), x.len(), w.len()].map(|len| vec![f32::NAN; len]);
        let finish = Finish { moments: Some(&mut moments), ..Finish::default() };
        conv.forward(&one, n, &x, &w, finish, &mut workspace, &mut y);
        conv.input_gradient(&one, n, &dy, &w, false, &mut workspace, &mut dx);
        conv.weight_gradient(&one, n, &x, &dy, &mut workspace, &mut dw);
        let mut twice = dx.clone();
        conv.input_gradient(&one, n, &dy, &w, true, &mut workspace, &mut twice);
        let mut norm = Norm::new(g.outputs);
        let (scale, shift) = (vec![1.0; g.outputs], vec![0.0; g.outputs]);
        let mut running = [vec![0.0; g.outputs], vec![0.0; g.outputs]];
        let after = After { other: None, rectify: false };
        let mut normal = vec![f32::NAN; y.len()];
        norm.train(&one, &y, &mut moments, true, (&scale, &shift), &mut running, after, &mut normal);
        ([y, dx, twice], [dw, running.concat()])
    };
    let found = at_each(passes);
    let [y, dx, dw] = plainly(g, n, &x, &w, &dy);
    let (exact, near) = &found[0].1;
    close("output", &exact[0], &y, 2e-6);
    close("gradient of the input", &exact[1], &dx, 2e-6);
    close("gradient of the weights", &near[0], &dw, 5e-6);
    for (level, (others, others_near)) in &found[1..] {
        for (exact, other) in exact.iter().zip(others) {
            let alike = exact.iter().zip(other).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(alike, "{level:?} differs from {:?} for {n} images of {g:?}", found[0].0);
        }
        for (near, other) in near.iter().zip(others_near) {
            close(&format!("{level:?}, {g:?}"), other, near, 5e-6);
        }
    }
}

/// A convolution whose output exists.
fn geometries() -> impl Strategy<Value = Geometry> {
    let kernel = [1usize..4, 1usize..4];
    let channels = (1usize..21, 1usize..21, 1usize..4);
    (channels, [1usize..10, 1usize..10], kernel, 1usize..4, 0usize..3, 1usize..3).prop_map(
        |((inputs, outputs, groups), size, kernel, stride, pad, dilation)| {
            let least = |axis: usize| (dilation * (kernel[axis] - 1) + 1usize).saturating_sub(2 * pad).max(1);
            let size = [size[0].max(least(0)), size[1].max(least(1))];
            Geometry { inputs: inputs * groups, size, outputs: outputs * groups, kernel, stride, pad, dilation, groups }
        },
    )
}

fn three_by_three(inputs: usize, outputs: usize, size: [usize; 2], pad: usize) -> Geometry {
    Geometry { inputs, size, outputs, kernel: [3, 3], stride: 1, pad, dilation: 1, groups: 1 }
}

/// All but every `nth` of the weights are 0.
fn skips_zeros(g: Geometry, n: usize, nth: usize) {
    let [rows, columns] = g.output();
    let x = numbers(3, n * g.size[0] * g.size[1] * g.inputs);
    let mut w = numbers(4, g.outputs * g.inputs * g.kernel[0] * g.kernel[1]);
    w.iter_mut().enumerate().filter(|(at, _)| at % nth != 0).for_each(|(_, weight)| *weight = 0.0);
    let len = n * rows * columns * g.outputs;
    let (bias, other) = (numbers(5, g.outputs), numbers(6, len));
    same_bits(&format!("{g:?}"), || {
        let mut conv = Conv::new(g, false);
        conv.keep_weights();
        let mut y = vec![f32::NAN; len];
        let finish = Finish { bias: Some(&bias), other: Some(&other), rectify: true, moments: None };
        conv.forward(&Threads::new(1), n, &x, &w, finish, &mut Workspace::default(), &mut y);
        assert!(conv.is_sparse(), "{g:?}");
        y
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn convolutions_agree(g in geometries(), n in 1usize..4, seed: u32) {
        convolves(&g, n, seed);
    }

    #[test]
    fn winograds_way_agrees(
        inputs in 1usize..4, outputs in 1usize..4, size in [1usize..13, 1usize..13], pad in 0usize..3, n in 1usize..3, seed: u32,
    ) {
        let size = size.map(|extent| extent.max(3 - pad.min(2)));
        convolves(&three_by_three(16 * inputs, 16 * outputs, size, pad), n, seed);
    }

    #[test]
    fn normalisations_agree(channels in 1usize..150, rows in 1usize..70, seed: u32, add: bool, way in 0..4) {
        let len = channels * rows;
        let [x, dy, other] = [0, 1, 2].map(|stream| numbers(seed ^ stream, len));
        let (scale, shift) = (numbers(seed ^ 3, channels), numbers(seed ^ 4, channels));
        same_bits("normalisation", || {
            let one = Threads::new(1);
            let mut norm = Norm::new(channels);
            let mut running = [vec![0.0; channels], vec![1.0; channels]];
            let (rectify, summand) = (way > 1, (way > 2).then_some(other.as_slice()));
            let after = After { other: summand, rectify };
            let mut y = vec![f32::NAN; len];
            if way == 0 {
                let running = (running[0].as_slice(), running[1].as_slice());
                norm.evaluate(&one, &x, (&scale, &shift), running, after, &mut y);
            } else {
                let mut moments = Moments::default();
                norm.train(&one, &x, &mut moments, false, (&scale, &shift), &mut running, after, &mut y);
            }
            let passed = match way {
                0 | 1 => Passed::All,
                2 => Passed::Computed,
                _ => Passed::Stored(&y),
            };
            let (mut dx, mut dother) = (numbers(seed ^ 5, len), numbers(seed ^ 6, len));
            let (mut dscale, mut dshift) = (vec![f32::NAN; channels], vec![f32::NAN; channels]);
            let summand = summand.is_some().then_some((dother.as_mut_slice(), !add));
            norm.gradient(&one, &x, passed, &dy, &scale, (&mut dscale, &mut dshift), add, &mut dx, summand, &mut Moments::default());
            [y, dx, dother, dscale, dshift, running.concat()].concat()
        });
    }

    #[test]
    fn transpositions_agree(rows in 1usize..40, columns in 1usize..40, slack in 0usize..4, gap in 0usize..4) {
        let (apart, stride) = (columns + slack, rows + gap);
        let from = numbers(7, rows * apart);
        same_bits("transposition", || {
            let mut to = vec![-1.0; columns * stride];
            transpose(&from, Extent { rows, columns, stride: apart }, &mut to, stride);
            to
        });
    }

    #[test]
    fn optimisers_agree(len in 1usize..200, seed: u32, nesterov: bool, masked: bool) {
        let gradient = numbers(seed, len);
        let kept: Vec<bool> = numbers(seed ^ 1, len).iter().map(|number| *number > 0.0).collect();
        let descend = Rule::Descend(Update { rate: 0.1, momentum: 0.9, nesterov, decay: 0.01 });
        let adapt = Rule::Adapt(Adapt { keep: 0.99, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, rate: 0.1, spread: 3.0 });
        for rule in [descend, adapt] {
            same_bits("step", || {
                let [mut w, mut m] = [2, 3].map(|stream| numbers(seed ^ stream, len));
                let mut v: Vec<f32> = numbers(seed ^ 4, len).into_iter().map(f32::abs).collect();
                update(&Threads::new(1), rule, &mut w, &gradient, [&mut m, &mut v], masked.then_some(&kept));
                [w, m, v].concat()
            });
        }
    }

    #[test]
    fn the_rest_agrees(channels in 1usize..40, size in [3usize..8, 3usize..8], kernel in 1usize..4, add: bool, seed: u32) {
        let pool = Pool { channels, size, kernel, stride: 2, pad: kernel / 2 };
        let outputs = pool.output()[0] * pool.output()[1] * channels;
        let [x, b] = [0, 1].map(|stream| numbers(seed ^ stream, 2 * size[0] * size[1] * channels));
        let dy = numbers(seed ^ 2, 2 * outputs);
        same_bits("pooling or elementwise", || {
            let one = Threads::new(1);
            let [mut largest, mut mean] = [vec![0.0; 2 * outputs], vec![0.0; 2 * outputs]];
            pool.maximum(&one, &x, &mut largest);
            pool.mean(&one, &x, &mut mean);
            let [mut of_largest, mut of_mean] = [b.clone(), b.clone()];
            pool.maximum_gradient(&one, &x, &dy, &mut of_largest);
            pool.mean_gradient(&one, &dy, &mut of_mean);
            let mut global = vec![0.0; 2 * channels];
            pool::global_mean(&one, &x, size[0] * size[1], channels, &mut global);
            let [mut positive, mut sum, mut of_positive] = [b.clone(), b.clone(), b.clone()];
            elementwise::relu(&one, &x, &mut positive);
            elementwise::add(&one, &x, &b, add, &mut sum);
            elementwise::relu_gradient(&one, &x, &b, add, &mut of_positive);
            [largest, mean, of_largest, of_mean, global, positive, sum, of_positive].concat()
        });
    }
}

#[test]
fn levels_are_the_ones_asked_for() {
    assert!(at_each(level).iter().all(|(asked, found)| asked == found));
}

/// More channels than one chunk or bundle holds, more places than one block.
#[test]
fn large_convolutions_agree() {
    let one_by_one = Geometry { kernel: [1, 1], ..three_by_three(272, 40, [9, 13], 0) };
    convolves(&one_by_one, 2, 1);
    convolves(&Geometry { inputs: 24, outputs: 288, ..one_by_one }, 1, 2);
    convolves(&Geometry { stride: 2, ..three_by_three(40, 24, [15, 17], 1) }, 2, 3);
    convolves(&three_by_three(272, 16, [7, 8], 1), 1, 4);
    convolves(&three_by_three(16, 288, [8, 7], 1), 1, 5);
    convolves(&three_by_three(16, 32, [33, 40], 1), 1, 6);
}

#[test]
fn skipping_zeros_agrees() {
    skips_zeros(three_by_three(16, 32, [7, 9], 1), 2, 37);
    skips_zeros(three_by_three(48, 32, [33, 40], 1), 1, 37);
    skips_zeros(three_by_three(20, 17, [14, 14], 0), 2, 37);
    skips_zeros(Geometry { stride: 2, ..three_by_three(16, 32, [9, 8], 1) }, 2, 37);
    skips_zeros(Geometry { kernel: [1, 1], ..three_by_three(200, 48, [5, 7], 0) }, 2, 37);
}
