//! Small networks with the structure, the names and the classes of large ones.

use super::{Arch, Layer, Shape, Survey};

/// Learned parameters that a small network may have, if fewer channels can bring that about.
const PARAMETERS: u64 = 300_000;
/// Largest divisor of the number of channels.
const DIVISOR: usize = 64;

/// What is left of a layer's channels.
#[derive(Clone, Copy)]
struct Width {
    divisor: usize,
    /// Layers with outputs of their own in all, and those at hand so far: the last keeps its outputs.
    layers: usize,
}

impl Arch {
    /// Returns the network for images of at most `side` pixels, with as many channels less as make it small. Layers keep
    /// their names and kinds, the network keeps its outputs. `None` if its layers do not fit such images.
    #[must_use]
    pub fn narrow(&self, side: usize) -> Option<Self> {
        let Shape { channels, height, width } = self.input;
        let input = Shape { channels, height: height.min(side), width: width.min(side) };
        let outputs = self.survey().ok()?.output.values();
        let fits = |arch: &Self| arch.survey().ok().filter(|survey| survey.output.values() == outputs);
        let whole = Self { root: self.root.clone(), input };
        let is_small = |survey: &Survey| survey.parameter_count() <= PARAMETERS;
        if fits(&whole).is_some_and(|survey| is_small(&survey)) {
            return Some(whole);
        }
        let layers = count(&self.root);
        let mut best = fits(&whole).map(|survey| (survey.parameter_count(), whole));
        let mut divisor = 2;
        while divisor <= DIVISOR {
            let arch = Self { root: narrowed(&self.root, Width { divisor, layers }, &mut 0), input };
            if let Some(survey) = fits(&arch) {
                let parameters = survey.parameter_count();
                if is_small(&survey) {
                    return Some(arch);
                }
                if best.as_ref().is_none_or(|(least, _)| parameters < *least) {
                    best = Some((parameters, arch));
                }
            }
            divisor *= 2;
        }
        best.map(|(_, arch)| arch)
    }
}

/// Counts the layers that set a number of channels or outputs.
fn count(layer: &Layer) -> usize {
    match layer {
        Layer::Conv { .. } | Layer::Linear { .. } => 1,
        Layer::Sequence { members } => members.iter().map(|(_, member)| count(member)).sum(),
        Layer::Residual { before, body, shortcut, after } => {
            before.iter().chain([body, shortcut, after]).map(|part| count(part)).sum()
        }
        _ => 0,
    }
}

fn narrowed(layer: &Layer, width: Width, seen: &mut usize) -> Layer {
    let divided = |number: usize| number.div_ceil(width.divisor);
    let mut each = |layer: &Layer| Box::new(narrowed(layer, width, seen));
    match layer {
        Layer::Residual { before, body, shortcut, after } => {
            let before = before.as_deref().map(&mut each);
            Layer::Residual { before, body: each(body), shortcut: each(shortcut), after: each(after) }
        }
        Layer::Sequence { members } => {
            let member = |(name, member): &(String, Layer)| (name.clone(), *each(member));
            Layer::Sequence { members: members.iter().map(member).collect() }
        }
        Layer::Conv { out, kernel, stride, pad, dilation, groups, bias } => {
            *seen += 1;
            let last = *seen == width.layers;
            Layer::Conv {
                out: if last { *out } else { divided(*out) },
                // Groups of one channel each stay that.
                groups: if *groups == 1 { 1 } else { divided(*groups) },
                kernel: *kernel,
                stride: *stride,
                pad: *pad,
                dilation: *dilation,
                bias: *bias,
            }
        }
        Layer::Linear { out } => {
            *seen += 1;
            Layer::Linear { out: if *seen == width.layers { *out } else { divided(*out) } }
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{cifar_resnet, resnet50};

    #[test]
    fn a_large_network_becomes_small_and_keeps_its_layers() {
        let arch = resnet50(1000, 224);
        let small = arch.narrow(32).unwrap();
        let (large, found) = (arch.survey().unwrap(), small.survey().unwrap());
        assert!(found.parameter_count() <= 300_000, "{}", found.parameter_count());
        assert_eq!(found.output, large.output);
        assert_eq!((small.input.channels, small.input.height, small.input.width), (3, 32, 32));
        let names =
            |survey: &super::Survey| survey.parameters.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&found), names(&large));
        let paths = |survey: &super::Survey| survey.layers.iter().map(|layer| layer.path.clone()).collect::<Vec<_>>();
        assert_eq!(paths(&found), paths(&large));
    }

    #[test]
    fn a_small_network_stays_as_it_is() {
        let arch = cifar_resnet(1, 8, 6, 3, 16);
        assert_eq!(arch.narrow(32).unwrap(), arch);
    }
}
