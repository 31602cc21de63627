//! JPEG pictures, baseline and progressive, with the bytes that Pillow makes of them: networks trained elsewhere see the
//! same pixels here. Other decoders differ by up to five levels in pictures with reduced chroma. Damage is an error.

mod bits;
mod colour;
mod frame;
mod scan;
mod transform;

use self::bits::{Code, Problem};
use self::colour::Model;
use self::frame::{Frame, short};
use self::scan::{Member, Scan, ZIGZAG};
use super::{Raster, Window};

/// How a file begins.
pub(super) const SIGNATURE: [u8; 3] = [0xFF, 0xD8, 0xFF];

/// Decodes the part of a picture that `window` chooses when it hears the width and the height.
///
/// # Errors
/// What is wrong with the file, as the end of a sentence that begins with its name.
pub(super) fn decode(data: &[u8], window: &mut dyn FnMut(usize, usize) -> Window) -> Result<Raster, Problem> {
    let mut decoder = Decoder::default();
    decoder.read(data, window)?;
    let model = decoder.model();
    let Some(mut frame) = decoder.frame else { return Err("holds no picture".to_owned()) };
    if frame.components.iter().any(|component| !component.begun) {
        return Err("ends before its pixels".to_owned());
    }
    if frame.progressive {
        frame.finish();
    }
    let Window { width, height, .. } = frame.window;
    Ok(Raster { width, height, channels: 3, bytes: colour::rgb(&frame, model) })
}

#[derive(Default)]
struct Decoder {
    frame: Option<Frame>,
    quantisation: [Option<[u16; 64]>; 4],
    dc: [Option<Code>; 4],
    ac: [Option<Code>; 4],
    interval: usize,
    jfif: bool,
    /// What Adobe's marker says of the colours.
    adobe: Option<u8>,
}

impl Decoder {
    fn read(&mut self, data: &[u8], window: &mut dyn FnMut(usize, usize) -> Window) -> Result<(), Problem> {
        let mut at = 2;
        loop {
            let Some((marker, after)) = next_marker(data, at) else {
                // Some programs leave out the last marker; of a progressive picture nobody knows what else is missing.
                return match &self.frame {
                    Some(frame) if !frame.progressive => Ok(()),
                    _ => Err("is cut short".to_owned()),
                };
            };
            if marker == 0xD9 {
                return Ok(());
            }
            if matches!(marker, 0x01 | 0xD0..=0xD8) {
                at = after;
                continue;
            }
            let length = data.get(after..after + 2).map_or(0, |two| usize::from(two[0]) << 8 | usize::from(two[1]));
            let segment = data.get(after + 2..after + length.max(2)).filter(|_| length >= 2).ok_or_else(short)?;
            at = after + length;
            match marker {
                0xC0..=0xC2 if self.frame.is_none() => {
                    self.frame = Some(Frame::read(segment, marker == 0xC2, window)?);
                }
                0xC0..=0xC2 => return Err("holds several pictures in one".to_owned()),
                0xC4 => self.codes(segment)?,
                0xC3 | 0xC5..=0xC7 | 0xC9..=0xCF => {
                    return Err(format!("is JPEG of a kind (marker {marker:02X}) that is not read"));
                }
                0xDB => self.steps(segment)?,
                0xDD => self.interval = segment.first_chunk::<2>().map_or(0, |two| u16::from_be_bytes(*two).into()),
                0xDA => at = self.scan(segment, data, at)?,
                0xE0 if segment.starts_with(b"JFIF\0") => self.jfif = true,
                0xEE if segment.starts_with(b"Adobe") => self.adobe = segment.get(11).copied(),
                _ => {}
            }
        }
    }

    /// Reads tables of codes.
    fn codes(&mut self, mut segment: &[u8]) -> Result<(), Problem> {
        while let Some((kind, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or_else(short)?;
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let symbols = rest.get(..total).ok_or_else(short)?;
            let tables = if kind >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            let table = tables.get_mut(usize::from(kind & 15)).ok_or_else(|| "numbers a table too high".to_owned())?;
            *table = Some(Code::new(counts, symbols)?);
            segment = &rest[total..];
        }
        Ok(())
    }

    /// Reads tables of step sizes.
    fn steps(&mut self, mut segment: &[u8]) -> Result<(), Problem> {
        while let Some((kind, rest)) = segment.split_first() {
            let wide = usize::from(kind >> 4 != 0);
            let values = rest.get(..64 << wide).ok_or_else(short)?;
            let mut table = [0; 64];
            for (place, value) in ZIGZAG.iter().zip(values.chunks_exact(1 << wide)) {
                table[usize::from(*place)] = value.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte));
            }
            let slot = self.quantisation.get_mut(usize::from(kind & 15));
            *slot.ok_or_else(|| "numbers a table too high".to_owned())? = Some(table);
            segment = &rest[64 << wide..];
        }
        Ok(())
    }

    fn scan(&mut self, header: &[u8], data: &[u8], at: usize) -> Result<usize, Problem> {
        let frame = self.frame.as_mut().ok_or_else(|| "has pixels before its size".to_owned())?;
        let count = usize::from(*header.first().ok_or_else(short)?);
        let parts = header.get(1..1 + 2 * count).ok_or_else(short)?;
        let [first, last, bits] = *header.get(1 + 2 * count..).and_then(<[u8]>::first_chunk::<3>).ok_or_else(short)?;
        let mut members = Vec::new();
        for part in parts.chunks_exact(2) {
            let found = frame.components.iter().position(|component| component.id == part[0]);
            let component = found.ok_or_else(|| "has a scan of an unknown channel".to_owned())?;
            if members.iter().any(|member: &Member<'_>| member.component == component) {
                return Err("has a scan with a channel twice".to_owned());
            }
            frame.components[component].begin(&self.quantisation)?;
            let table = |tables: &'_ [Option<Code>; 4], number: u8| usize::from(number).min(tables.len());
            let (dc, ac) = (table(&self.dc, part[1] >> 4), table(&self.ac, part[1] & 15));
            let (dc, ac) = (self.dc.get(dc).and_then(Option::as_ref), self.ac.get(ac).and_then(Option::as_ref));
            members.push(Member { component, dc, ac });
        }
        let band = (usize::from(first), usize::from(last));
        let (high, low) = (u32::from(bits >> 4), u32::from(bits & 15));
        let sound = band.1 < 64 && low < 14 && (band.0 == 0) == (band.1 == 0) && (band.0 == 0 || members.len() == 1);
        if members.is_empty() || frame.progressive && (!sound || band.0 > band.1) {
            return Err("has a scan that makes no sense".to_owned());
        }
        Scan { members, band, high, low, interval: self.interval }.decode(frame, data, at)
    }

    fn model(&self) -> Model {
        let components = self.frame.as_ref().map_or(&[][..], |frame| &frame.components);
        let ids: Vec<u8> = components.iter().map(|component| component.id).collect();
        match (components.len(), self.adobe) {
            (1, _) => Model::Grey,
            (4, Some(2)) => Model::Ycck,
            (4, _) => Model::Cmyk,
            (_, Some(0)) if !self.jfif => Model::Rgb,
            (_, None) if !self.jfif && ids == *b"RGB" => Model::Rgb,
            _ => Model::Ycc,
        }
    }
}

/// Finds the next marker; returns it and what comes after it.
fn next_marker(data: &[u8], from: usize) -> Option<(u8, usize)> {
    let mut at = from;
    loop {
        at += data.get(at..)?.iter().position(|byte| *byte == 0xFF)?;
        while data.get(at) == Some(&0xFF) {
            at += 1;
        }
        match data.get(at)? {
            0 => at += 1,
            marker => return Some((*marker, at + 1)),
        }
    }
}
