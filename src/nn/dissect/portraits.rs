//! Pictures of units: the images with the largest activations, bright under the unit's mask and dark elsewhere, with the
//! mask's border as an outline.

use std::collections::BTreeMap;
use std::io;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, RgbImage};

use super::masks::{ImageMasks, Masks};
use super::record::Tallies;
use super::score::{Unit, reaches, score};
use super::{DissectError, Watch};
use crate::domain::dissection::Scoring;
use crate::domain::portraits::{Portrait, Portraits};

/// Columns between two images of a strip.
const GAP: usize = 2;
/// Colour of these columns: grey, which stands off from light pages and from dark ones.
const BACKGROUND: u8 = 128;
/// Colour of outlines: a yellow that every kind of colour vision tells from dark surroundings.
const OUTLINE: [u8; 3] = [255, 225, 25];
/// What is left of the brightness outside of masks, in eighths.
const DIMMED: u16 = 3;
/// Quality of the JPEG files, of 100.
const QUALITY: u8 = 85;

/// What pictures look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Images of a strip.
    pub top: usize,
    /// Rows and columns of one, in pixels.
    pub side: usize,
}

/// Gives the picture of a row of the probe's index.
pub type Picture<'a> = dyn FnMut(usize) -> Result<RgbImage, DissectError> + 'a;

/// Strips of images, before they are compressed.
struct Strips {
    layout: Layout,
    /// For each unit, columns and pixels.
    pixels: Vec<(usize, Vec<u8>)>,
}

impl Strips {
    fn new(layout: Layout, images: impl Iterator<Item = usize>) -> Self {
        let empty = |images: usize| {
            let width = images * layout.side + images.saturating_sub(1) * GAP;
            (width, vec![BACKGROUND; width * layout.side * 3])
        };
        Self { layout, pixels: images.map(empty).collect() }
    }

    /// Puts a picture at a place of a unit's strip.
    fn place(&mut self, unit: usize, place: usize, picture: &RgbImage) {
        let side = self.layout.side;
        let (width, pixels) = &mut self.pixels[unit];
        for (row, line) in picture.as_raw().chunks_exact(side * 3).enumerate() {
            let start = (row * *width + place * (side + GAP)) * 3;
            pixels[start..start + side * 3].copy_from_slice(line);
        }
    }
}

/// Draws the units of a dissection.
///
/// # Errors
/// If masks or pictures cannot be read, or `watch` says to stop.
pub fn portraits(
    tallies: &Tallies,
    masks: Masks<'_>,
    picture: &mut Picture<'_>,
    scoring: &Scoring,
    layout: Layout,
    watch: &mut dyn Watch,
) -> Result<Portraits, DissectError> {
    let damaged = |error: io::Error| DissectError::System(format!("the masks cannot be read: {error}"));
    let wanted = wanted(tallies, layout.top);
    let images = tallies.heading.units.iter().map(|unit| unit.top.len().min(layout.top));
    let mut strips = Strips::new(layout, images);
    let mut done = 0;
    for (image, masks) in tallies.images.iter().zip(masks) {
        let masks = masks.map_err(damaged)?;
        let Some(places) = wanted.get(&image.row) else { continue };
        if watch.stop() {
            return Err(DissectError::Stopped);
        }
        let small = shrink(&picture(image.row as usize)?, layout.side);
        for &(unit, place) in places {
            let mask = image.units.iter().position(|found| found.unit as usize == unit);
            let inside = mask.map(|mask| sampled(&masks, mask, layout.side));
            strips.place(unit, place, &outlined(&small, inside.as_deref()));
        }
        done += 1;
        watch.progress(done, wanted.len());
    }
    let units = score(tallies, scoring).units;
    let side = layout.side;
    let portraits = units.iter().zip(strips.pixels).map(|(unit, strip)| portrait(tallies, unit, scoring, strip, side));
    let layer = tallies.heading.measurement.layer.clone();
    Ok(Portraits { layer, side, units: portraits.collect::<Result<_, _>>()? })
}

/// For each row of the index, the units that want its image, and the places in their strips.
fn wanted(tallies: &Tallies, top: usize) -> BTreeMap<u32, Vec<(usize, usize)>> {
    let mut wanted: BTreeMap<u32, Vec<(usize, usize)>> = BTreeMap::new();
    for (unit, summary) in tallies.heading.units.iter().enumerate() {
        for (place, &(row, _)) in summary.top.iter().take(top).enumerate() {
            wanted.entry(row).or_default().push((unit, place));
        }
    }
    wanted
}

fn shrink(picture: &RgbImage, side: usize) -> RgbImage {
    imageops::resize(picture, side as u32, side as u32, FilterType::Triangle)
}

/// Reads a mask at the centres of `side` × `side` equal cells.
fn sampled(masks: &ImageMasks, mask: usize, side: usize) -> Vec<bool> {
    let bits = masks.bits(mask);
    let place = |at: usize, length: usize| (2 * at + 1) * length / (2 * side);
    let cell = |row: usize, column: usize| {
        let pixel = place(row, masks.height) * masks.width + place(column, masks.width);
        bits[pixel / 64] >> (pixel % 64) & 1 == 1
    };
    (0..side * side).map(|at| cell(at / side, at % side)).collect()
}

/// Darkens a picture outside of a mask and draws the mask's border: the cells in it that have a neighbour outside.
fn outlined(picture: &RgbImage, inside: Option<&[bool]>) -> RgbImage {
    let mut drawn = picture.clone();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let is_inside = |x: usize, y: usize| inside.is_some_and(|inside| inside[y * width + x]);
    for (x, y, pixel) in drawn.enumerate_pixels_mut() {
        let (x, y) = (x as usize, y as usize);
        if !is_inside(x, y) {
            pixel.0 = pixel.0.map(|value| (u16::from(value) * DIMMED / 8) as u8);
        } else if x == 0
            || y == 0
            || x + 1 == width
            || y + 1 == height
            || !(is_inside(x - 1, y) && is_inside(x + 1, y) && is_inside(x, y - 1) && is_inside(x, y + 1))
        {
            pixel.0 = OUTLINE;
        }
    }
    drawn
}

fn portrait(
    tallies: &Tallies,
    unit: &Unit,
    scoring: &Scoring,
    (width, pixels): (usize, Vec<u8>),
    side: usize,
) -> Result<Portrait, DissectError> {
    let (heading, summary) = (&tallies.heading, &tallies.heading.units[unit.unit]);
    let mut strip = Vec::new();
    if width > 0 {
        JpegEncoder::new_with_quality(&mut strip, QUALITY)
            .encode(&pixels, width as u32, side as u32, ExtendedColorType::Rgb8)
            .map_err(|error| DissectError::System(format!("a picture cannot be written: {error}")))?;
    }
    let best = unit.best();
    Ok(Portrait {
        unit: unit.unit + 1,
        label: best.map(|best| heading.labels[best.label as usize].clone()).unwrap_or_default(),
        category: best.map(|best| heading.categories[best.category].clone()).unwrap_or_default(),
        iou: unit.score(),
        interpretable: best.is_some_and(|best| reaches(scoring, best.iou)),
        threshold: summary.threshold,
        peak: summary.peak,
        images: (width + GAP) / (side + GAP),
        width,
        bytes: strip.len(),
        strip,
    })
}

#[cfg(test)]
mod tests {
    use super::super::masks::{Recorder, append};
    use super::super::record::{Heading, UnitSummary};
    use super::super::tally::{ImageTally, UnitTally};
    use super::*;
    use crate::domain::dissection::{Counted, Measurement, Portion};

    #[test]
    fn a_mask_is_bright_with_an_outline_and_the_rest_is_dark() {
        let picture = RgbImage::from_pixel(5, 5, image::Rgb([80, 160, 240]));
        let inside: Vec<bool> = (0..25).map(|at| (1..4).contains(&(at / 5)) && (1..4).contains(&(at % 5))).collect();
        let drawn = outlined(&picture, Some(&inside));
        assert_eq!(drawn.get_pixel(0, 0).0, [30, 60, 90]);
        assert_eq!(drawn.get_pixel(1, 1).0, OUTLINE);
        assert_eq!(drawn.get_pixel(3, 2).0, OUTLINE);
        assert_eq!(drawn.get_pixel(2, 2).0, [80, 160, 240]);
        let whole = outlined(&picture, Some(&[true; 25]));
        assert_eq!(whole.pixels().filter(|pixel| pixel.0 == OUTLINE).count(), 16, "a mask that fills the image");
        assert!(outlined(&picture, None).pixels().all(|pixel| pixel.0 == [30, 60, 90]));
    }

    #[test]
    fn masks_of_another_size_are_read_at_cell_centres() {
        let masks = ImageMasks { height: 2, width: 4, runs: vec![vec![(1, 2), (3, 2)]] };
        // .XX. / ..XX
        let cells = sampled(&masks, 0, 4);
        let row =
            |at: usize| cells[4 * at..4 * at + 4].iter().map(|&on| if on { 'X' } else { '.' }).collect::<String>();
        assert_eq!([row(0), row(1), row(2), row(3)], [".XX.", ".XX.", "..XX", "..XX"]);
    }

    #[test]
    fn strips_hold_the_top_images_in_order() {
        let top = vec![(2, 0.9), (0, 0.5)];
        let unit = |unit: u32| UnitTally { unit, pixels: 4, overlaps: vec![(1, 4)] };
        let image = |row, units| ImageTally { row, area: 4, labels: vec![(1, 4)], units, ..ImageTally::default() };
        let tallies = Tallies {
            heading: Heading {
                measurement: Measurement::lite("layer"),
                categories: vec!["object".to_owned()],
                labels: vec![String::new(), "sky".to_owned()],
                primary: vec![0, 0],
                units: vec![
                    UnitSummary { threshold: 0.5, peak: 0.9, top, ..UnitSummary::default() },
                    UnitSummary::default(),
                ],
            },
            images: vec![image(0, vec![]), image(1, vec![unit(1)]), image(2, vec![unit(0)])],
        };
        let mut recorder = Recorder::new(3).unwrap();
        let mut full = Vec::new();
        append(&[0b1111], &mut full);
        recorder.add([2, 2], &[]).unwrap();
        recorder.add([2, 2], &full).unwrap();
        recorder.add([2, 2], &full).unwrap();
        let masks = recorder.finish().unwrap();
        let scoring =
            Scoring { counted: Counted::All, iou: 0.04, above: false, choose: Portion::All, on: Portion::All };
        let mut asked = Vec::new();
        let mut picture = |row: usize| {
            asked.push(row);
            Ok(RgbImage::from_pixel(4, 4, image::Rgb([if row == 2 { 0 } else { 255 }; 3])))
        };
        let layout = Layout { top: 5, side: 8 };
        let found = portraits(&tallies, Masks::open(&masks).unwrap(), &mut picture, &scoring, layout, &mut ()).unwrap();
        assert_eq!(asked, [0, 2], "only what is shown is read");
        let [first, second] = &found.units[..] else { panic!("two units") };
        assert_eq!((first.label.as_str(), first.images, first.width), ("sky", 2, 18));
        assert!(first.interpretable && second.strip.is_empty());
        let strip = image::load_from_memory_with_format(&first.strip, image::ImageFormat::Jpeg).unwrap().into_rgb8();
        assert_eq!(strip.dimensions(), (18, 8));
        let bright = |x: u32| u16::from(strip.get_pixel(x, 4).0[1]);
        assert!(bright(4) < 60 && (60..130).contains(&bright(14)), "{} {}", bright(4), bright(14));
    }
}
