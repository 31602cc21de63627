//! The logits of an exported network: `logits ARCH.json WEIGHTS.safetensors IMAGES.f32 LOGITS.f32`.
//!
//! `ARCH.json` is the `arch` among the arguments that `pdsl show STAGE --json` prints; images are raw float32,
//! `[n][channel][row][column]`, and so are the logits, `[n][class]`.

use std::error::Error;
use std::fs;

use pdsl::domain::arch::Arch;
use pdsl::nn::checkpoint;
use pdsl::nn::net::{Network, Setup};

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [arch, weights, images, logits] = paths.as_slice() else {
        return Err("four files are needed: architecture, weights, images, logits".into());
    };
    let arch: Arch = serde_json::from_slice(&fs::read(arch)?)?;
    let weights = checkpoint::decode(&fs::read(weights)?)?;
    let pixels: Vec<f32> = fs::read(images)?.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let count = pixels.len() / arch.input.values();
    let mut network = Network::new(&arch, &Setup::evaluate(count, 1))?;
    network.load(&weights, None)?;
    network.forward(&pixels, count)?;
    let bytes: Vec<u8> = network.logits()?.iter().flat_map(|logit| logit.to_le_bytes()).collect();
    Ok(fs::write(logits, bytes)?)
}
