//! Pictures of a layer's units as one file: for each unit what it answers to, and a strip of the images that excite it
//! most.
//!
//! The bytes are a line that names the format, the length of the heading in four bytes (lowest first), the heading as JSON,
//! and the strips as JPEG, in the order of the heading's units.

use serde::{Deserialize, Serialize};

/// First line of the file.
const FORMAT: &[u8] = b"pdsl portraits 1\n";

/// Pictures of a layer's units.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Portraits {
    /// The layer.
    pub layer: String,
    /// Rows and columns of one image of a strip, in pixels.
    pub side: usize,
    /// Units by number.
    pub units: Vec<Portrait>,
}

/// Pictures of a unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Portrait {
    /// Number, from 1.
    pub unit: usize,
    /// The label with the largest IoU; empty if no label overlaps.
    pub label: String,
    /// The label's category.
    pub category: String,
    /// The largest IoU.
    pub iou: f64,
    /// Whether that makes the unit interpretable.
    pub interpretable: bool,
    /// Masks are where the enlarged map is above this.
    pub threshold: f32,
    /// The largest activation.
    pub peak: f32,
    /// Images in the strip.
    pub images: usize,
    /// Columns of the strip, in pixels.
    pub width: usize,
    /// Bytes of the strip; [`Portraits::encode`] fills it in.
    pub bytes: usize,
    /// Images side by side, by falling activation, as JPEG.
    #[serde(skip)]
    pub strip: Vec<u8>,
}

/// Why a file is no file of portraits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is of another format.
    #[error("these portraits are in a format of another version of pdsl")]
    Format,
    /// It is cut off or changed.
    #[error("these portraits are damaged")]
    Damaged,
}

impl Portraits {
    /// Writes the file.
    ///
    /// # Errors
    /// If a number is not finite.
    pub fn encode(mut self) -> Result<Vec<u8>, serde_json::Error> {
        self.units.iter_mut().for_each(|unit| unit.bytes = unit.strip.len());
        let heading = serde_json::to_vec(&self)?;
        let mut bytes = FORMAT.to_vec();
        bytes.extend_from_slice(&(heading.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&heading);
        self.units.iter().for_each(|unit| bytes.extend_from_slice(&unit.strip));
        Ok(bytes)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If it is of another format, or damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let rest = bytes.strip_prefix(FORMAT).ok_or(Unreadable::Format)?;
        let (length, rest) = rest.split_first_chunk().ok_or(Unreadable::Damaged)?;
        let (heading, mut strips) =
            rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or(Unreadable::Damaged)?;
        let mut portraits: Self = serde_json::from_slice(heading).map_err(|_| Unreadable::Damaged)?;
        for unit in &mut portraits.units {
            let (strip, rest) = strips.split_at_checked(unit.bytes).ok_or(Unreadable::Damaged)?;
            unit.strip = strip.to_vec();
            strips = rest;
        }
        if strips.is_empty() { Ok(portraits) } else { Err(Unreadable::Damaged) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portraits_come_back_and_damage_is_seen() {
        let unit = |unit: usize, strip: &[u8]| Portrait {
            unit,
            label: "a \"b\"".to_owned(),
            iou: 0.1,
            bytes: strip.len(),
            strip: strip.to_vec(),
            ..Portrait::default()
        };
        let units = vec![unit(1, &[1, 2, 3]), unit(2, &[]), unit(3, &[255])];
        let portraits = Portraits { layer: "layer4".to_owned(), side: 64, units };
        let bytes = portraits.clone().encode().unwrap();
        assert_eq!(Portraits::decode(&bytes), Ok(portraits));
        assert_eq!(Portraits::decode(b"pdsl portraits 2\n"), Err(Unreadable::Format));
        for length in FORMAT.len()..bytes.len() {
            assert_eq!(Portraits::decode(&bytes[..length]), Err(Unreadable::Damaged), "{length}");
        }
    }
}
