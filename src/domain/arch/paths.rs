//! What lies at and around a path of an architecture.

use super::{Arch, Layer, join};

/// A walk that remembers which weights write to a layer's output.
struct Writers<'a> {
    wanted: &'a str,
    found: Vec<String>,
}

impl Writers<'_> {
    /// Returns the weights that write to a layer's output, given those that write to its input.
    fn through(&mut self, layer: &Layer, path: &str, input: Vec<String>) -> Vec<String> {
        let output = match layer {
            Layer::Conv { .. } | Layer::Linear { .. } => vec![join(path, "weight")],
            Layer::Sequence { members } => {
                members.iter().fold(input, |input, (name, member)| self.through(member, &join(path, name), input))
            }
            Layer::Residual { before, body, shortcut, after } => {
                let input = match before {
                    Some(before) => self.through(before, path, input),
                    None => input,
                };
                let mut both = self.through(body, path, input.clone());
                both.extend(self.through(shortcut, path, input));
                self.through(after, path, both)
            }
            Layer::BatchNorm { .. }
            | Layer::Relu
            | Layer::MaxPool { .. }
            | Layer::AvgPool { .. }
            | Layer::GlobalAvgPool
            | Layer::Identity => input,
        };
        // The parts of a block share its path; the last to end is the block.
        if path == self.wanted {
            self.found.clone_from(&output);
        }
        output
    }
}

/// Puts a layer after the one at a path; says whether that is there.
fn insert(layer: &mut Layer, path: &str, wanted: &str, name: &str, added: &Layer) -> bool {
    match layer {
        Layer::Sequence { members } => {
            if let Some(place) = members.iter().position(|(member, _)| join(path, member) == wanted) {
                members.insert(place + 1, (name.to_owned(), added.clone()));
                return true;
            }
            members.iter_mut().any(|(member, layer)| insert(layer, &join(path, member), wanted, name, added))
        }
        Layer::Residual { before, body, shortcut, after } => {
            let mut parts = before.iter_mut().chain([body, shortcut, after]);
            parts.any(|part| insert(part, path, wanted, name, added))
        }
        _ => false,
    }
}

impl Arch {
    /// Lists the weights whose output channels are the channels of the layer at a path: those of the last convolution
    /// before it, on every branch of every sum on the way. Empty if there is no such layer.
    pub fn writers(&self, path: &str) -> Vec<String> {
        let mut walk = Writers { wanted: path, found: Vec::new() };
        walk.through(&self.root, "", Vec::new());
        let mut found = walk.found;
        found.sort();
        found.dedup();
        found
    }

    /// Returns the architecture with a layer called `name` right after the one at a path, beside it; nothing if there is
    /// none at the path.
    pub fn with_after(&self, path: &str, name: &str, layer: &Layer) -> Option<Self> {
        let mut changed = self.clone();
        insert(&mut changed.root, "", path, name, layer).then_some(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn every_branch_of_a_sum_writes() {
        let arch = samples::resnet50(1000, 224);
        assert_eq!(arch.writers("conv1"), ["conv1.weight"]);
        assert_eq!(arch.writers("layer4.0"), ["layer4.0.conv3.weight", "layer4.0.downsample.0.weight"]);
        let all =
            ["layer4.0.conv3.weight", "layer4.0.downsample.0.weight", "layer4.1.conv3.weight", "layer4.2.conv3.weight"];
        assert_eq!(arch.writers("layer4"), all);
        assert_eq!(arch.writers("layer4.1.bn2"), ["layer4.1.conv2.weight"]);
        assert_eq!(arch.writers("fc"), ["fc.weight"]);
        assert!(arch.writers("layer5").is_empty());
    }

    #[test]
    fn layers_are_put_behind_others() {
        let arch = samples::resnet50(10, 64);
        let norm = Layer::BatchNorm { zero_scale: false };
        for path in ["conv1", "layer4", "layer4.2", "layer4.2.conv2", "layer4.0.downsample.0"] {
            let changed = arch.with_after(path, "extra", &norm).unwrap().survey().unwrap();
            let base = path.rsplit_once('.').map_or("", |(base, _)| base);
            assert!(changed.parameter(&join(&join(base, "extra"), "weight")).is_some(), "{path}");
            assert_eq!(changed.parameters.len(), arch.survey().unwrap().parameters.len() + 5);
        }
        assert!(arch.with_after("layer9", "extra", &norm).is_none());
    }
}
