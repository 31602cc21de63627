//! Published networks against those of `std.models`: the state dict, entry by entry, and logits. The fixture is written by
//! `tests/reference/networks/torchvision_names.py`.

#![expect(clippy::print_stdout, reason = "measured differences are worth a look")]

use pdsl::domain::arch::Arch;
use pdsl::nn::net::{Network, Setup};
use serde::Deserialize;

use super::networks::architecture;
use super::values::fill;
use super::{assert_close, devices, fixture, picture};

#[derive(Deserialize)]
struct Fixture {
    networks: Vec<Described>,
    logits: Vec<Classified>,
}

#[derive(Deserialize)]
struct Described {
    #[serde(flatten)]
    call: Call,
    parameters: u64,
    /// Names and shapes in the order of the state dict, counters of batches included.
    state: Vec<(String, Vec<usize>)>,
}

#[derive(Deserialize)]
struct Classified {
    #[serde(flatten)]
    call: Call,
    logits: Vec<f32>,
}

/// A function of `std.models` and its arguments.
#[derive(Deserialize)]
struct Call {
    name: String,
    /// Arguments besides the usual ones, each with a comma behind it.
    more: String,
    classes: usize,
    size: usize,
}

impl Call {
    fn build(&self) -> Arch {
        architecture(&self.name, &format!("{}classes: {}, size: {}", self.more, self.classes, self.size))
    }
}

fn read() -> Fixture {
    serde_json::from_slice(&fixture("torchvision.json")).unwrap()
}

/// What `load_state_dict(strict=True)` compares, and the order of a state dict.
#[test]
fn names_shapes_and_counts_are_the_published_ones() {
    let networks = read().networks;
    assert_eq!(networks.len(), 23);
    for Described { call, parameters, state } in networks {
        let survey = call.build().survey().unwrap();
        let found: Vec<(String, Vec<usize>)> =
            survey.parameters.iter().map(|entry| (entry.name.clone(), entry.shape.clone())).collect();
        for (at, (found, expected)) in found.iter().zip(&state).enumerate() {
            assert_eq!(found, expected, "{}: entry {at}", call.name);
        }
        assert_eq!(found.len(), state.len(), "{}", call.name);
        assert_eq!(survey.parameter_count(), parameters, "{}", call.name);
    }
}

/// Pre-activation with and without projections, biases under normalisations, fully connected layers over images.
#[test]
fn logits_are_the_published_ones() {
    let devices = devices();
    for Classified { call, logits: expected } in read().logits {
        let arch = call.build();
        let weights = fill(&arch, 10);
        let mut image = vec![0.0; arch.input.values()];
        picture(0, 1, &mut image);
        for (device, slack) in &devices {
            let mut network = Network::new(&arch, &Setup::evaluate(1, 2).on(device)).unwrap();
            network.load(&weights, None).unwrap();
            network.forward(&image, 1).unwrap();
            let found = network.logits().unwrap().into_owned();
            let what = format!("{device}: {}({}size: {})", call.name, call.more, call.size);
            let apart = found.iter().zip(&expected).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
            println!("{what}: logits up to {apart:.0e} apart");
            assert_close(&what, &found, &expected, 1e-5 * slack);
        }
    }
}
