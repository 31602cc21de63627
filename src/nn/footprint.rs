//! What a pruned network weighs and costs, as ShrinkBench counts (Blalock et al. 2020, "What is the State of Neural Network
//! Pruning?", section 6; `metrics/` of its published code).

use crate::domain::arch::Arch;

use super::mask::Mask;
use super::{Error, Weights, checkpoint};

/// Sizes of a network with some of its weights at 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Footprint {
    /// Learned parameters that are not 0, biases and normalisations included.
    pub parameters: u64,
    /// All learned parameters over those that are not 0.
    pub compression: f64,
    /// Multiply-accumulates for one image with weights that are not 0, in convolutions and fully connected layers.
    pub macs: f64,
    /// All multiply-accumulates over those: what a machine would gain that skips every 0 at no cost.
    pub speedup: f64,
}

/// Counts the elements that are not 0.
///
/// # Errors
/// If weights or mask do not fit the architecture.
pub fn footprint(arch: &Arch, weights: &Weights, mask: Option<&Mask>) -> Result<Footprint, Error> {
    let survey = arch.survey()?;
    checkpoint::check(&survey, weights)?;
    if let Some(mask) = mask {
        mask.check(&survey)?;
    }
    let (mut parameters, mut macs) = (0, 0.0);
    for entry in survey.parameters.iter().filter(|entry| entry.role.is_learned()) {
        let values = weights[&entry.name].flatten_all()?.to_vec1::<f32>()?;
        let kept = mask.and_then(|mask| mask.bits(&entry.name));
        let left = |at: usize| kept.is_none_or(|kept| kept[at]);
        let count = values.iter().enumerate().filter(|(at, value)| **value != 0.0 && left(*at)).count() as u64;
        parameters += count;
        macs += entry.macs as f64 * count as f64 / entry.elements().max(1) as f64;
    }
    Ok(Footprint {
        parameters,
        compression: survey.parameter_count() as f64 / parameters as f64,
        macs,
        speedup: survey.macs() as f64 / macs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::arch::samples::resnet50;
    use crate::domain::pruning::{Amount, Gradual, Rule, Scope, Score};
    use crate::domain::seed::Seed;
    use crate::nn::init::initialize;
    use crate::nn::prune::{Sources, prune};

    /// Half of every layer: the published counts of ResNet-50 in closed form. Shifts of normalisations start at 0.
    #[test]
    fn halves_of_all_layers_halve_the_work() {
        let arch = resnet50(1000, 224);
        let weights = initialize(&arch, &Seed { root: 1, stream: Vec::new() }).unwrap();
        let by = Rule::Score { score: Score::Abs(Box::new(Score::Weight)) };
        let half = Gradual { by, scope: Scope::PerLayer, keep: Vec::new() }.to("1/2");
        assert!(matches!(half.remove, Amount::Sparsity(_)));
        let mask = prune(&arch, &weights, None, &half, Sources::default()).unwrap();
        let found = footprint(&arch, &weights, Some(&mask)).unwrap();
        let (shifts, scales) = (26_560, 26_560);
        let biases = weights["fc.bias"].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let biases = biases.iter().filter(|bias| **bias != 0.0).count() as u64;
        let zero_shifts = footprint(&arch, &weights, None).unwrap().parameters == 25_557_032 - shifts - (1000 - biases);
        assert!(zero_shifts, "{:?}", footprint(&arch, &weights, None));
        assert_eq!(found.parameters, 25_502_912 / 2 + scales + biases);
        assert!((found.speedup - 2.0).abs() < 1e-9, "{found:?}");
        assert!((found.compression - 25_557_032.0 / found.parameters as f64).abs() < 1e-12);
    }
}
