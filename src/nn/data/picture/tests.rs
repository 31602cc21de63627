use std::path::PathBuf;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::*;

#[derive(Deserialize)]
struct Fixtures {
    pictures: Vec<Fixture>,
    colours: Colours,
}

#[derive(Deserialize)]
struct Fixture {
    file: String,
    width: usize,
    height: usize,
    sha256: String,
    prepared: String,
    cropped: String,
}

#[derive(Deserialize)]
struct Colours {
    image: String,
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Change {
    kind: String,
    by: f64,
    result: String,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data")
}

fn fixtures() -> Fixtures {
    serde_json::from_slice(&std::fs::read(folder().join("pictures.json")).unwrap()).unwrap()
}

fn picture(name: &str) -> Vec<u8> {
    std::fs::read(folder().join("pictures").join(name)).unwrap()
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    hexadecimal
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn difference(found: &Raster, expected: &str) -> u8 {
    let expected = bytes(expected);
    assert_eq!(found.bytes.len(), expected.len());
    found.bytes.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn pictures_have_the_bytes_that_pillow_gives_them() {
    for fixture in fixtures().pictures {
        let found = Raster::decode_whole(&picture(&fixture.file)).unwrap();
        assert_eq!((found.width, found.height), (fixture.width, fixture.height), "{}", fixture.file);
        assert_eq!(Sha256::digest(&found.bytes)[..], bytes(&fixture.sha256), "{}", fixture.file);
    }
}

#[test]
fn scaling_and_cutting_are_torchvisions() {
    for Fixture { file, width, height, prepared, cropped, .. } in fixtures().pictures {
        let found = Raster::decode_whole(&picture(&file)).unwrap();
        assert_eq!(difference(&found.scale_shorter(36).cut_centre(32, 32), &prepared), 0, "{file}");
        let half = |side: usize| (side / 2).max(1);
        let window = Window { left: width / 5, top: height / 3, width: half(width), height: half(height) };
        let part = Raster::decode(&picture(&file), &mut |_, _| window).unwrap();
        assert_eq!(part, found.cut(window), "{file}");
        assert_eq!(difference(&part.scale(32, 32), &cropped), 0, "{file}");
    }
}

#[test]
fn parts_are_the_same_whether_the_rest_is_decoded_or_not() {
    for name in ["s420.jpg", "s422.jpg", "progressive.jpg", "restart.jpg", "cmyk.jpg", "narrow.jpg"] {
        let data = picture(name);
        let whole = Raster::decode_whole(&data).unwrap();
        for step in 0..40 {
            let (left, top) = (step * 7 % whole.width, step * 13 % whole.height);
            let (width, height) = (step % (whole.width - left) + 1, step * 3 % (whole.height - top) + 1);
            let window = Window { left, top, width, height };
            assert_eq!(Raster::decode(&data, &mut |_, _| window).unwrap(), whole.cut(window), "{name} {window:?}");
        }
    }
}

#[test]
fn colours_change_as_in_torchvision() {
    let Colours { image, changes } = fixtures().colours;
    let image = Raster { width: 24, height: 24, channels: 3, bytes: bytes(&image) };
    for Change { kind, by, result } in changes {
        let mut changed = image.clone();
        changed.change_colours(match kind.as_str() {
            "brightness" => Jitter::Brightness(by as f32),
            "contrast" => Jitter::Contrast(by as f32),
            "saturation" => Jitter::Saturation(by as f32),
            _ => Jitter::Hue(by),
        });
        assert!(difference(&changed, &result) <= 1, "{kind} by {by}: {}", difference(&changed, &result));
    }
}

#[test]
fn files_that_are_cut_short_are_damaged() {
    for name in ["s420.jpg", "progressive.jpg", "restart.jpg", "grey.jpg", "palette.png"] {
        let data = picture(name);
        for share in 0..20 {
            let cut = &data[..data.len() * share / 20];
            assert!(Raster::decode_whole(cut).is_err(), "{name} {share}");
        }
        assert!(Raster::decode_whole(&data[..data.len() - 40]).is_err(), "{name}");
    }
    assert_eq!(Raster::decode_whole(b"").unwrap_err(), "is empty");
    assert_eq!(Raster::decode_whole(b"text").unwrap_err(), "is neither a JPEG nor a PNG picture");
}

/// Whatever a damaged file holds, decoding ends with a picture or with words.
#[test]
fn damaged_files_do_no_harm() {
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for name in ["s420.jpg", "progressive.jpg", "restart.jpg", "cmyk.jpg", "grey.jpg", "narrow.jpg"] {
        let data = picture(name);
        for _ in 0..300 {
            let mut spoilt = data.clone();
            for _ in 0..=next(4) {
                let at = if next(2) == 0 { next(spoilt.len()) } else { next(700.min(spoilt.len())) };
                spoilt[at] = next(256) as u8;
            }
            if let Ok(found) = Raster::decode_whole(&spoilt) {
                assert_eq!(found.bytes.len(), found.width * found.height * 3);
            }
        }
    }
}

#[test]
fn windows_over_black_ground_may_reach_beyond_the_picture() {
    let picture = Raster { width: 2, height: 2, channels: 1, bytes: vec![1, 2, 3, 4] };
    assert_eq!(picture.cut_over_black(-1, -1, 3, 3).bytes, [0, 0, 0, 0, 1, 2, 0, 3, 4]);
    assert_eq!(picture.cut_over_black(1, 0, 2, 1).bytes, [2, 0]);
    assert_eq!(picture.cut_over_black(5, 5, 1, 1).bytes, [0]);
    assert_eq!(picture.cut_centre(4, 1).bytes, [0, 1, 2, 0]);
    let colours = picture.clone().with_channels(3);
    assert_eq!(colours.bytes, [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
    assert_eq!(colours.with_channels(1), picture);
}
