//! What a sample of counts tells.

/// The quantile of values, linear between them; sorts them.
pub(in crate::ops) fn quantile(values: &mut [f64], level: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let place = level * last as f64;
    let (low, high) = (values[place as usize], values[(place as usize + 1).min(last)]);
    low + place.fract() * (high - low)
}

/// The standard deviation of a sample.
pub(in crate::ops) fn deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
}
