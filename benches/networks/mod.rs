//! Architectures of `std.models` for benchmarks, by name.

use pdsl::domain::arch::Arch;
use pdsl::eval::{self, External, Fingerprints, Overrides, Weights};
use pdsl::resolve;
use pdsl::types;
use pdsl::world::Machine;
use serde::de::DeserializeOwned;

/// No benchmark reads data.
struct NoData;

impl Fingerprints for NoData {
    fn digest(&self, _: External<'_>) -> Option<String> {
        None
    }

    fn weights(&self, _: &str) -> std::io::Result<Weights> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// Evaluates a call of `std.models`, such as `resnet50(classes: 1000, size: 224)`, to an architecture.
pub(crate) fn network(name: &str, classes: usize, size: usize) -> Arch {
    architecture(name, &format!("classes: {classes}, size: {size}"))
}

/// Evaluates a function of `std.models` with arguments as they are written.
pub(crate) fn architecture(name: &str, arguments: &str) -> Arch {
    let text = format!("import std.models.{{{name}}}\nlet s = {name}({arguments}) |> init(first(seeds(1)))\n");
    argument(&text, "init", "arch")
}

/// Evaluates a program and returns an argument of its first stage of a kind.
pub(crate) fn argument<T: DeserializeOwned>(text: &str, op: &str, name: &str) -> T {
    let typed = types::check(resolve::link_text(&Machine, "bench.pd", text));
    let program = eval::evaluate(&typed, &Overrides::default(), &NoData).unwrap_or_else(|found| {
        panic!("{}", pdsl::diag::render::short(&found, &typed.linked.sources));
    });
    let node = program.graph.iter().map(|(_, node)| node).find(|node| node.op == op).expect("a stage");
    let pdsl::graph::Canon::Map(args) = &node.args else { panic!("{:?}", node.args) };
    args[name].parse().expect("an argument of this type")
}
