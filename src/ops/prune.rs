//! `prune`: a mask that removes more weights.

use serde::{Deserialize, Serialize};

use super::Op;
use super::counting;
use super::lowering::{Arguments, Lowering, Stage, did_you_mean};
use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::domain::arch::Arch;
use crate::domain::pruning::Pruner;
use crate::domain::pruning::{Rule, Score};
use crate::value::{Evaluated, Network, State, StateFacts, Value};
use std::sync::Arc;

/// Arguments of `prune`. Inputs: `state`; `initial` where the score reads the initial weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PruneArgs {
    /// The network.
    pub arch: Arch,
    /// What goes.
    pub pruner: Pruner,
}

/// The stage.
pub static OP: Op = Op {
    name: "prune",
    module: "prelude",
    version: 1,
    signature: "fn prune(s: State, by: Pruner) -> State",
    doc: "Removes weights: the same weights under a smaller mask.\n\n`dense |> prune(global_magnitude(20%))`",
    heavy: false,
    lower,
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (state, pruner) = (arguments.state(0)?, arguments.pruner(1)?);
    let before = &state.facts;
    check_keep(&before.network, &pruner, arguments)?;
    let kept =
        counting::after(&before.network, &before.kept, &pruner).map_err(|problem| refuse(&problem, arguments))?;
    let args = PruneArgs { arch: before.network.arch.clone(), pruner: (*pruner).clone() };
    let round = before.round + 1;
    let mut stage =
        Stage::new(&OP, &args, arguments.call)?.input("state", state.node).describe(&before.network, kept.total, round);
    if let Rule::Score { score } = &pruner.by
        && mentions_initial(score)
    {
        stage = stage.input("initial", before.initial);
    }
    stage.facts.bytes = before.network.survey.prunable_count().div_ceil(8);
    let node = lowering.push(stage);
    let facts = StateFacts { kept, round, training: None, ..(**before).clone() };
    Ok(Value::State(State { node, facts: Arc::new(facts) }))
}

fn refuse(problem: &counting::Problem, arguments: &Arguments) -> Diagnostic {
    Diagnostic::error(&codes::CANNOT_PRUNE, problem.message.clone())
        .label(arguments.span(1), problem.label.clone())
        .help(problem.help)
}

fn check_keep(network: &Network, pruner: &Pruner, arguments: &Arguments) -> Evaluated<()> {
    let known: Vec<&str> = network.survey.prunable().map(|entry| entry.name.as_str()).collect();
    for name in &pruner.keep {
        if !known.contains(&name.as_str()) {
            let message = format!("the network has no prunable parameter `{name}` to keep");
            let diagnostic = Diagnostic::error(&codes::UNKNOWN_PARAMETER, message)
                .label(arguments.span(1), format!("keeps `{name}`"));
            return Err(did_you_mean(diagnostic, name, known.iter().copied()).into());
        }
    }
    Ok(())
}

fn mentions_initial(score: &Score) -> bool {
    match score {
        Score::Initial => true,
        Score::Weight | Score::Constant(_) => false,
        Score::Abs(x) | Score::Negate(x) | Score::Sqrt(x) => mentions_initial(x),
        Score::Add(x, y)
        | Score::Subtract(x, y)
        | Score::Multiply(x, y)
        | Score::Divide(x, y)
        | Score::Power(x, y)
        | Score::Min(x, y)
        | Score::Max(x, y) => mentions_initial(x) || mentions_initial(y),
    }
}
