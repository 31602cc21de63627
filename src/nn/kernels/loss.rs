//! Cross-entropy with label smoothing, as PyTorch defines it.

/// Sums over a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::nn) struct Sums {
    /// Sum of the losses.
    pub loss: f64,
    /// Images whose class has the largest output.
    pub correct: u64,
    /// Images whose class is among the five largest outputs.
    pub correct5: u64,
}

/// Adds losses and hits of the images of a batch to `sums`; writes the gradient of the batch's *mean* loss if asked to.
/// The target puts 1 − ε on the label and spreads ε evenly over all classes. Among equal outputs the lower class wins.
#[expect(clippy::float_cmp, reason = "ties are exact")]
pub(in crate::nn) fn cross_entropy(
    logits: &[f32],
    labels: &[usize],
    classes: usize,
    smoothing: f64,
    sums: &mut Sums,
    mut gradient: Option<&mut [f32]>,
) {
    let even = smoothing / classes as f64;
    for (i, (row, label)) in logits.chunks_exact(classes).zip(labels).enumerate() {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let total: f64 = row.iter().map(|z| libm::exp(f64::from(*z - largest))).sum();
        let log_total = libm::log(total) + f64::from(largest);
        let of_label = log_total - f64::from(row[*label]);
        let of_all = log_total * classes as f64 - row.iter().map(|z| f64::from(*z)).sum::<f64>();
        sums.loss += (1.0 - smoothing) * of_label + even * of_all;
        let value = row[*label];
        let before = row.iter().enumerate().filter(|(at, z)| **z > value || (**z == value && at < label)).count();
        sums.correct += u64::from(before == 0 && !value.is_nan());
        sums.correct5 += u64::from(before < 5 && !value.is_nan());
        if let Some(gradient) = gradient.as_deref_mut() {
            let count = labels.len() as f64;
            for (at, (d, z)) in gradient[i * classes..(i + 1) * classes].iter_mut().zip(row).enumerate() {
                let target = even + if at == *label { 1.0 - smoothing } else { 0.0 };
                *d = ((libm::exp(f64::from(*z) - log_total) - target) / count) as f32;
            }
        }
    }
}
