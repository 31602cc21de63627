//! `select`, rounds with `until`, and what may decide.

use std::collections::BTreeMap;

use super::super::Program;
use super::{count, run, run_unchecked};
use crate::graph::NodeId;
use crate::value::output::{Cell, TableSpec};

const DENSE: &str = "let task = digits()
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let seed = first(seeds(1))
let dense = tiny_resnet(classes: 10) |> init(seed) |> train(task, recipe, until: 8ep)
fn top1(s: State) -> Measured[Ratio] { evaluate(s, task.val).top1 }
let states = iterate(
  dense, times: 4, until: s => top1(s) < 90%, (s, r) => s |> prune(global_magnitude(20%)) |> rewind_and_retrain(dense, k: 1ep),
)
";

fn program(text: &str) -> Program {
    run(&format!("{DENSE}{text}")).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// Stages by what they evaluate: the round of the state.
fn evaluations(program: &Program) -> BTreeMap<u32, NodeId> {
    let stages = program.graph.iter().filter(|(_, node)| node.op == "evaluate");
    let round = |node: &crate::graph::Node| {
        let name = &node.facts.name;
        name.split("round ").nth(1).and_then(|rest| rest.split(' ').next()).and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    stages.map(|(id, node)| (round(node), id)).collect()
}

/// The rows of the first table, once the evaluations of the given rounds have given the given numbers.
fn rows(program: &Program, measured: &[(u32, f64)]) -> Vec<Vec<Cell>> {
    let stages = evaluations(program);
    let known: BTreeMap<NodeId, f64> = measured.iter().map(|(round, value)| (stages[round], *value)).collect();
    let resolved = program.resolve(&|id, name| if name == "top1" { known.get(&id).copied() } else { None });
    let TableSpec::Rows(frame) = &resolved.tables[0].spec else { panic!("not rows") };
    (0..frame.height()).map(|row| frame.columns.iter().map(|column| column.cells[row].clone()).collect()).collect()
}

fn needed(program: &Program, measured: &[(u32, f64)]) -> Vec<u32> {
    let stages = evaluations(program);
    let known: BTreeMap<NodeId, f64> = measured.iter().map(|(round, value)| (stages[round], *value)).collect();
    let now = program.demands().now(&|id, _| known.get(&id).copied());
    stages.iter().filter(|(_, id)| now.contains(id)).map(|(round, _)| *round).collect()
}

#[test]
fn rounds_end_where_the_condition_holds() {
    let program = program(
        "table t = sweep k in [1] { for s in states { { round: s.round, sparsity: s.sparsity, top1: top1(s) } } }",
    );
    assert_eq!(count(&program, "prune"), 4, "the plan has all rounds");
    assert_eq!(program.demands().all().len(), 5);
    assert_eq!(needed(&program, &[]), [0]);
    assert_eq!(needed(&program, &[(0, 0.95)]), [0, 1]);
    assert_eq!(needed(&program, &[(0, 0.95), (1, 0.93)]), [0, 1, 2]);
    assert_eq!(needed(&program, &[(0, 0.95), (1, 0.93), (2, 0.8)]), [0, 1, 2]);
    let ended = rows(&program, &[(0, 0.95), (1, 0.93), (2, 0.8)]);
    assert_eq!(ended.len(), 3, "the round in which it holds is the last: {ended:?}");
    assert_eq!(rows(&program, &[(0, 0.5)]).len(), 1);
    let all = rows(&program, &[(0, 0.95), (1, 0.95), (2, 0.95), (3, 0.95), (4, 0.95)]);
    assert_eq!(all.len(), 5);
}

#[test]
fn rows_that_measure_nothing_end_as_well() {
    let program = program("table t = sweep k in [1] { for s in states { { round: s.round, sparsity: s.sparsity } } }");
    assert_eq!(needed(&program, &[]), [0], "the condition has to be known");
    assert_eq!(rows(&program, &[(0, 0.95), (1, 0.8)]).len(), 2);
}

#[test]
fn rounds_inside_a_sweep_end_for_each_point() {
    let text = "let runs = sweep k in [1, 2] { for (r, s) in enumerate(states) { { r: r, top1: top1(s) } } }
                let late = runs |> keep(row => row.r >= 1)
                table t = late ++ (runs |> keep(row => row.r == 0))";
    let program = program(text);
    let ended = rows(&program, &[(0, 0.95), (1, 0.8)]);
    assert_eq!(ended.len(), 4, "{ended:?}");
}

#[test]
fn the_last_state_is_the_one_where_the_rounds_ended() {
    let program = program("let end = last(states)\nexpect evaluate(end, task.test).top1 > 10%");
    let demands = program.demands();
    let stages: BTreeMap<NodeId, String> = program
        .graph
        .iter()
        .filter(|(_, node)| node.op == "evaluate")
        .map(|(id, n)| (id, format!("{:?}", n.args)))
        .collect();
    let tests = |known: &[(u32, f64)]| {
        let rounds = val_rounds(&program);
        let known: BTreeMap<NodeId, f64> =
            known.iter().map(|(round, value)| (rounds[*round as usize], *value)).collect();
        let now = demands.now(&|id, _| known.get(&id).copied());
        now.into_iter().filter(|id| stages[id].contains("Str(\"test\")")).count()
    };
    assert_eq!(tests(&[]), 0, "which state it is is not known yet");
    assert_eq!(tests(&[(0, 0.95)]), 0);
    assert_eq!(tests(&[(0, 0.95), (1, 0.8)]), 1);
    assert_eq!(count(&program, "evaluate"), 4 + 5, "each may be the last");
}

fn val_rounds(program: &Program) -> Vec<NodeId> {
    let on_val =
        |node: &&crate::graph::Node| node.op == "evaluate" && format!("{:?}", node.args).contains("Str(\"val\")");
    program.graph.iter().filter(|(_, node)| on_val(node)).map(|(id, _)| id).collect()
}

#[test]
fn a_condition_that_is_known_ends_the_rounds_in_the_plan() {
    let text =
        "let few = iterate(dense, times: 9, until: s => s.sparsity > 40%, (s, r) => s |> prune(global_magnitude(20%)))
                test \"t\" { expect len(few) == 4\n expect last(few).sparsity > 40% }";
    let program = program(text);
    assert!(program.tests_pass(), "{:?}", program.tests);
}

#[test]
fn stages_of_a_choice_have_the_keys_they_have_without_it() {
    let plain = program(
        "let p = dense |> prune(one_shot(50%)) \n table t = sweep k in [1] { { a: evaluate(p, task.test).top1 } }",
    );
    let chosen = program(
        "let p = dense |> prune(one_shot(50%)) \n let s = select(top1(p) > 80%, then: p, else: dense)
         table t = sweep k in [1] { { a: evaluate(s, task.test).top1 } }",
    );
    let keys = |program: &Program| -> Vec<_> { program.graph.iter().map(|(id, _)| program.graph.key(id)).collect() };
    let (plain, chosen) = (keys(&plain), keys(&chosen));
    assert!(plain.iter().all(|key| chosen.contains(key)));
}

#[test]
fn numbers_and_records_can_be_chosen() {
    let program = program(
        "let x = select(top1(dense) > 80%, then: 1.5, else: 2)
         let r = select(top1(dense) > 80%, then: { a: 20%, b: x }, else: { a: 30%, b: x })
         table t = sweep k in [1] { { x: x, a: r.a, top1: top1(dense) } }",
    );
    let shown = |value: f64| format!("{:?}", rows(&program, &[(0, value)])[0]);
    assert!(shown(0.9).contains("1.5") && shown(0.9).contains("0.2"), "{}", shown(0.9));
    assert!(shown(0.7).contains("2.0") && shown(0.7).contains("0.3"), "{}", shown(0.7));
}

#[test]
fn test_images_decide_nothing() {
    let chosen = [
        "let s = select(evaluate(dense, task.test).top1 > 80%, then: dense, else: dense.at(1ep))",
        "let s = iterate(dense, times: 2, until: s => 1.0 * evaluate(s, task.test).top1 < 80%, (s, r) => s)",
        "let s = nearest(dense, among: [dense.at(1ep)], on: task.test)",
    ];
    for text in chosen {
        let errors = run_unchecked(&format!("{DENSE}{text}")).expect_err(text);
        assert!(errors.iter().any(|error| error.code.id == "PD0333"), "{text}: {errors:#?}");
    }
}
