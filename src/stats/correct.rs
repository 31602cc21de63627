//! Corrections for several tests at once.

/// Returns Holm's adjusted p values, in the order given: reject where the adjusted value is below α.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut largest: f64 = 0.0;
    for (rank, &at) in order.iter().enumerate() {
        largest = largest.max(((p.len() - rank) as f64 * p[at]).min(1.0));
        adjusted[at] = largest;
    }
    adjusted
}

/// Returns which hypotheses a fixed-sequence procedure rejects: in the order given, all before the first with `p ≥ alpha`.
pub fn fixed_sequence(p: &[f64], alpha: f64) -> Vec<bool> {
    let mut open = true;
    p.iter()
        .map(|&p| {
            open &= p < alpha;
            open
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_steps_down_and_keeps_order() {
        let adjusted = holm(&[0.04, 0.01, 0.03, 0.9]);
        for (found, expected) in adjusted.iter().zip([0.09, 0.04, 0.09, 0.9]) {
            assert!((found - expected).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(holm(&[]), Vec::<f64>::new());
    }

    #[test]
    fn fixed_sequence_stops_at_the_first_failure() {
        assert_eq!(fixed_sequence(&[0.01, 0.2, 0.001], 0.05), [true, false, false]);
    }
}
