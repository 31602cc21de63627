//! Receptive fields: which part of the input an output position sees.

use super::{Arch, Layer, join};

/// Where the positions of a layer stand on the input, alike in both directions: position i sees the pixels from
/// `offset + i · step` on, `size` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// First pixel that position 0 sees; below 0 where it sees padding.
    pub offset: i64,
    /// Pixels that it sees.
    pub size: i64,
    /// Pixels between neighbours.
    pub step: i64,
}

impl Field {
    /// One pixel each.
    const PIXEL: Self = Self { offset: 0, size: 1, step: 1 };

    /// Returns the field after a window of `size` pixels that moves by `step` over a border of `pad`.
    fn then(self, size: usize, step: usize, pad: usize) -> Self {
        let [size, step, pad] = [size, step, pad].map(|number| number as i64);
        Self { offset: self.offset - pad * self.step, size: (size - 1) * self.step + self.size, step: step * self.step }
    }
}

/// A walk through the layers up to a path.
struct Walk<'a> {
    wanted: &'a str,
    found: Option<Field>,
}

impl Walk<'_> {
    /// Returns the field after a layer. Of two branches the larger field counts, of equal ones the body's.
    fn through(&mut self, layer: &Layer, path: &str, field: Field) -> Field {
        let after = match layer {
            Layer::Conv { kernel, stride, pad, dilation, .. } => {
                field.then((kernel[0] - 1) * dilation + 1, *stride, *pad)
            }
            Layer::MaxPool { kernel, stride, pad } | Layer::AvgPool { kernel, stride, pad } => {
                field.then(*kernel, *stride, *pad)
            }
            Layer::Sequence { members } => {
                members.iter().fold(field, |field, (name, member)| self.through(member, &join(path, name), field))
            }
            Layer::Residual { before, body, shortcut, after } => {
                let field = before.as_ref().map_or(field, |before| self.through(before, path, field));
                let [main, other] = [body, shortcut].map(|branch| self.through(branch, path, field));
                self.through(after, path, if other.size > main.size { other } else { main })
            }
            Layer::BatchNorm { .. } | Layer::Relu | Layer::GlobalAvgPool | Layer::Linear { .. } | Layer::Identity => {
                field
            }
        };
        // A block's parts may share its path; the last to end is the block.
        if path == self.wanted {
            self.found = Some(after);
        }
        after
    }
}

impl Arch {
    /// Returns where the positions of the layer at a path stand on the input; nothing if there is no such layer.
    /// Computed as in NetDissect (2017): along the branch with the largest field.
    pub fn field(&self, path: &str) -> Option<Field> {
        let mut walk = Walk { wanted: path, found: None };
        walk.through(&self.root, "", Field::PIXEL);
        walk.found
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn resnet_50_sees_what_its_strides_and_windows_say() {
        let arch = samples::resnet50(1000, 224);
        assert_eq!(arch.field("conv1"), Some(Field { offset: -3, size: 7, step: 2 }));
        assert_eq!(arch.field("maxpool"), Some(Field { offset: -5, size: 11, step: 4 }));
        // The largest field of ResNet-50's last block (v1.5) is 427 pixels wide, and centred on multiples of 32.
        let last = arch.field("layer4").unwrap();
        assert_eq!((last.size, last.step, last.size / 2 + last.offset), (427, 32, 0));
        assert_eq!(arch.field("layer4.2.conv1").map(|field| field.step), Some(32));
        assert_eq!(arch.field("layer5"), None);
    }
}
