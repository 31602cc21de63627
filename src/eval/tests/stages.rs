//! Stages, states, rows, claims.

use super::{count, experiment, mistake, run};
use crate::domain::pruning::{Rule, Score};
use crate::domain::recipe::{Decay, Optimizer};
use crate::graph::{Key, Node, NodeId};
use crate::ops::stages::prune::PruneArgs;
use crate::ops::stages::train::TrainArgs;
use crate::value::Value;
use crate::value::output::{Cell, PlotSpec, Role, Scale, TableSpec};

const DENSE: &str = "let task = digits()
let recipe = sgd(lr: drops(0.1, at: [6ep], by: 0.1), momentum: 0.9, batch: 64)
let seed = first(seeds(1))
let net = tiny_resnet(classes: 10) |> init(seed)
let dense = net |> train(task, recipe, until: 8ep)
";

fn with_dense(text: &str) -> String {
    format!("{DENSE}{text}")
}

fn dense_mistake(text: &str) -> (String, &'static str) {
    mistake(&with_dense(text))
}

fn nodes(text: &str, op: &str) -> Vec<Node> {
    let program = run(&with_dense(text)).unwrap();
    program.graph.iter().filter(|(_, node)| node.op == op).map(|(_, node)| node.clone()).collect()
}

#[test]
fn states_know_themselves() {
    let facts = format!(
        "{DENSE}let pruned = dense |> prune(global_magnitude(20%))\n\
         test \"t\" {{\n expect net.sparsity == 0%\n expect net.density == 100%\n expect net.steps == 0it\n expect dense.steps == 160it\n\
         expect pruned.round == 1\n expect pruned.sparsity > 20%\n expect pruned.sparsity < 20.1%\n expect dense.at(1ep).steps == 20it\n\
         expect dense.seed == seed\n expect seed.order != seed\n }}"
    );
    let program = run(&facts).unwrap();
    assert!(program.tests_pass(), "{:?}", program.tests);
}

#[test]
fn rates_are_sampled_per_iteration() {
    let nodes = nodes("", "train");
    let trajectory = nodes[0].trajectory.as_ref().unwrap();
    assert_eq!((trajectory.start, trajectory.until, trajectory.per_epoch), (0, 160, 20));
    assert_eq!(trajectory.rates.len(), 160);
    assert_eq!(trajectory.rates[119].to_bits(), 0.1f64.to_bits());
    assert_eq!(trajectory.rates[120].to_bits(), (0.1f64 * 0.1).to_bits());
    let args: TrainArgs = nodes[0].args.parse().unwrap();
    assert_eq!(args.order.stream, ["order"]);
    assert_eq!((args.recipe.batch, args.task.classes), (64, 10));
    assert_eq!(nodes[0].data["digits"].as_deref(), Some("digest of digits"));
}

#[test]
fn points_of_a_training_share_its_trajectory() {
    let program =
        run(&with_dense("let early = dense.at(1ep)\nlet start = dense.at(0ep)\nlet end = dense.at(160it)")).unwrap();
    assert_eq!(count(&program, "train"), 2);
    let ids: Vec<NodeId> = program.graph.iter().filter(|(_, node)| node.op == "train").map(|(id, _)| id).collect();
    let key: Option<Key> = program.graph.chain_key(ids[0], 20);
    assert_eq!(key, Some(program.graph.key(ids[1])));
    assert_eq!(program.graph.node(ids[1]).facts.name, "train to 1ep");
}

#[test]
fn retraining_goes_on_where_rewinding_went_back_to() {
    let text =
        "let ticket = dense |> prune(global_magnitude(20%)) |> rewind(to: dense.at(1ep)) |> retrain(like: dense)";
    let trainings = nodes(text, "train");
    let last = trainings.iter().find(|node| node.facts.name == "train round 1").unwrap();
    let trajectory = last.trajectory.as_ref().unwrap();
    assert_eq!((trajectory.start, trajectory.until, trajectory.rates.len()), (20, 160, 140));
    let roles: Vec<_> = nodes(text, "rewind")[0].inputs.iter().map(|(role, _)| role.to_string()).collect();
    assert_eq!(roles, ["state", "to"]);
}

#[test]
fn a_restart_goes_back_in_the_schedule_alone() {
    let text = "let pruned = dense |> prune(global_magnitude(20%))\n\
                let again = pruned |> restart(at: 1ep) |> retrain(like: dense)\n\
                let rewound = pruned |> rewind(to: dense.at(1ep)) |> retrain(like: dense)\n\
                let from_start = pruned |> restart(at: 0ep) |> retrain(like: dense)\n\
                test \"t\" { expect (pruned |> restart(at: 1ep)).steps == 20it expect again.steps == 160it\n\
                expect again.sparsity == pruned.sparsity expect (net |> restart(at: 30it)).steps == 30it }";
    let program = run(&with_dense(text)).unwrap();
    assert!(program.tests_pass(), "{:?}", program.tests);
    let retrained: Vec<_> =
        program.graph.iter().filter(|(_, node)| node.op == "train" && node.facts.name.contains("round 1")).collect();
    let described: Vec<_> = retrained
        .iter()
        .map(|(_, node)| {
            let trajectory = node.trajectory.as_ref().unwrap();
            (program.graph.node(node.inputs[0].1).op, trajectory.start, trajectory.until)
        })
        .collect();
    assert_eq!(described, [("prune", 20, 160), ("rewind", 20, 160), ("prune", 0, 160)]);
    let keys: std::collections::BTreeSet<Key> = retrained.iter().map(|(id, _)| program.graph.key(*id)).collect();
    assert_eq!(keys.len(), 3);
    assert_eq!(program.graph.iter().filter(|(_, node)| node.op == "restart").count(), 0);
}

#[test]
fn fine_tuning_goes_on_at_the_last_rate() {
    let text = "let tuned = dense |> prune(global_magnitude(20%)) |> retrain(like: dense, until: dense.steps + 2ep)";
    let trainings = nodes(text, "train");
    let trajectory =
        trainings.iter().find(|node| node.facts.name == "train round 1").unwrap().trajectory.clone().unwrap();
    assert_eq!((trajectory.start, trajectory.until), (160, 200));
    assert!(trajectory.rates.iter().all(|rate| rate.to_bits() == (0.1f64 * 0.1).to_bits()));
}

#[test]
fn architectures_know_their_size() {
    let text = "test \"t\" { let net = resnet50(classes: 1000)\n expect net.parameters == 25557032\n\
                expect net.prunable == 25502912\n expect net.macs == 4089184256\n\
                expect (tiny_resnet(classes: 10) |> init(first(seeds(1)))).arch.parameters == 19810 }";
    let program = run(text).unwrap();
    assert!(program.tests_pass(), "{:?}", program.tests);
}

#[test]
fn schedules_that_agree_are_one_training() {
    let program = run(&with_dense(
        "fn mine(rate: Float) -> Schedule { step => if step < 6ep { rate } else { rate * 0.1 } }\n\
         let other = net |> train(task, { ..recipe, lr: mine(0.1) }, until: 8ep)",
    ))
    .unwrap();
    assert_eq!(count(&program, "train"), 1);
}

#[test]
fn a_changed_recipe_keeps_its_optimizer() {
    let text = "let adaptive = adamw(lr: 0.001, weight_decay: 0.1, decay_norm: false, batch: 64)\n\
                let other = net |> train(task, { ..adaptive, beta2: 0.99, batch: 32 }, until: 8ep)";
    let args = |node: &Node| node.args.parse::<TrainArgs>().unwrap();
    let recipes: Vec<_> = nodes(text, "train").iter().map(|node| args(node).recipe).collect();
    let adamw = recipes.iter().find(|recipe| recipe.batch == 32).unwrap();
    let expected =
        Optimizer::AdamW { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay: 0.1, decay: Decay::ExceptNorm };
    assert_eq!(adamw.optimizer, expected);
}

#[test]
fn scores_have_one_form() {
    let score = |text: &str| {
        let nodes = nodes(&format!("let p = dense |> prune(pruner(criterion(p => {text}), remove: 20%))"), "prune");
        let args: PruneArgs = nodes[0].args.parse().unwrap();
        let roles: Vec<_> = nodes[0].inputs.iter().map(|(role, _)| role.to_string()).collect();
        let Rule::Score { score } = args.pruner.by else { panic!("no score") };
        (score, roles)
    };
    assert_eq!(score("abs(p.weight)").0, Score::Abs(Box::new(Score::Weight)));
    assert_eq!(score("abs(p.weight)").1, ["state"]);
    assert_eq!(score("p.weight * p.initial"), score("p.initial * p.weight"));
    assert_eq!(score("min(p.initial, p.weight)"), score("min(p.weight, p.initial)"));
    assert_eq!(score("p.weight + p.initial").1, ["initial", "state"]);
    assert_ne!(score("p.weight - p.initial"), score("p.initial - p.weight"));
}

#[test]
fn masks_of_a_sparsity_are_exact() {
    let text = "let pruned = dense |> prune(global_magnitude(20%))\n\
                let chance = dense |> prune(random_mask(pruned.sparsity, seed.control))\n\
                test \"t\" { expect chance.sparsity == pruned.sparsity }";
    assert!(run(&with_dense(text)).unwrap().tests_pass());
}

#[test]
fn trainings_that_cannot_be_are_mistakes() {
    let (message, id) = dense_mistake("let x = dense.at(9ep)");
    assert_eq!((message.as_str(), id), ("`9ep` is iteration 180, but the training ends at 160", "PD0316"));
    assert_eq!(dense_mistake("let x = net.at(1ep)").1, "PD0317");
    assert_eq!(dense_mistake("let x = net |> retrain(like: net)").1, "PD0317");
    assert_eq!(dense_mistake("let x = dense |> train(task, recipe, until: 8ep)").1, "PD0318");
    assert_eq!(dense_mistake("let x = dense |> restart(at: 8ep) |> retrain(like: dense)").1, "PD0318");
    let (message, id) = dense_mistake("let x = net |> restart(at: 1ep)");
    assert_eq!((message.as_str(), id), ("a training cannot start at `1ep`", "PD0312"));
    assert_eq!(dense_mistake("let x = dense |> restart(at: 1ep - 2ep)").1, "PD0312");
    assert_eq!(dense_mistake("let x = net |> retrain(like: dense, until: 1ep - 2ep)").1, "PD0312");
    assert_eq!(
        dense_mistake("let x = tiny_resnet(classes: 5) |> init(seed) |> train(task, recipe, until: 8ep)").1,
        "PD0314"
    );
    assert_eq!(
        dense_mistake("let x = resnet20(classes: 10) |> init(seed) |> train(task, recipe, until: 8ep)").1,
        "PD0315"
    );
    let negative = "let x = net |> train(task, { ..recipe, lr: step => 0.1 - step / 5ep }, until: 8ep)";
    assert_eq!(dense_mistake(negative).1, "PD0328");
    assert_eq!(dense_mistake("let x = net |> train(task, { ..recipe, lr: step => 20% }, until: 8ep)").1, "PD0328");
    assert_eq!(
        dense_mistake("let x = evaluate(dense, stored(\"x\", classes: 10, size: 8, train: 5, val: 5).val)").1,
        "PD0315"
    );
}

#[test]
fn a_step_beyond_the_end_shows_both_places() {
    let errors = run(&with_dense("let x = dense.at(9ep)")).unwrap_err();
    let labels: Vec<_> = errors[0].labels.iter().map(|label| label.text.as_str()).collect();
    assert_eq!(labels, ["step 180 of a run that ends at 160", "ends here"]);
    assert_eq!(errors[0].help.as_deref(), Some("choose a step before 8ep, or train longer"));
}

#[test]
fn prunings_that_cannot_be_are_mistakes() {
    let (message, id) = dense_mistake("let x = dense |> prune(one_shot(50%)) |> prune(one_shot(20%))");
    assert_eq!(id, "PD0321");
    assert!(message.contains("50% sparse already"), "{message}");
    assert_eq!(dense_mistake("let x = dense |> prune(global_magnitude(120%))").1, "PD0312");
    assert_eq!(dense_mistake("let x = dense |> prune(global_magnitude(0%))").1, "PD0312");
    assert_eq!(dense_mistake("let x = dense |> prune(global_magnitude(20%, keep: [\"fc\"]))").1, "PD0320");
    let unknown = "let x = (dense |> prune(global_magnitude(20%)) |> prune(layer_magnitude(20%))).sparsity";
    assert_eq!(dense_mistake(unknown).1, "PD0323");
    let other = "let x = dense |> rewind(to: tiny_resnet(classes: 10, width: 4) |> init(seed))";
    assert_eq!(dense_mistake(other).1, "PD0322");
}

#[test]
fn dissections_name_layers_that_exist() {
    let text = "let scenes = tiny_resnet(classes: 6, channels: 3, size: 32) |> init(first(seeds(1)))\nlet probe = shapes_probe(size: 32)\n";
    assert!(run(&format!("{text}let x = netdissect(scenes, layer: \"layer3\", data: probe)")).is_ok());
    let errors = run(&format!("{text}let x = netdissect(scenes, layer: \"layr3\", data: probe)")).unwrap_err();
    assert_eq!((errors[0].code.id, errors[0].help.as_deref()), ("PD0319", Some("did you mean `layer3`?")));
    assert_eq!(
        mistake(&format!("{text}let x = netdissect(scenes, layer: \"layer3\", data: probe, iou: 1.5)")).1,
        "PD0312"
    );
    assert_eq!(dense_mistake("let x = netdissect(dense, layer: \"layer3\", data: shapes_probe(size: 32))").1, "PD0315");
}

/// A network for scenes and a dissection of it.
const SCENES: &str = "let scenes = tiny_resnet(classes: 6, channels: 3, size: 32) |> init(first(seeds(1)))
let task = shapes(size: 32)
let probe = shapes_probe(size: 32)
let seed = first(seeds(1))
let found = netdissect(scenes, layer: \"layer3\", data: probe)
";

#[test]
fn a_dissection_is_counted_once_and_scored_as_often_as_wanted() {
    let count = |more: &str, op: &str| {
        let program = run(&format!("{SCENES}{more}\n")).unwrap();
        program.graph.iter().filter(|(_, node)| node.op == op).count()
    };
    let again = "let a = score(found, iou: 0.1).units\nlet b = held_out(found).units\nlet c = score(found).units\n\
                 let d = null_test(found, seed: seed).significant\nlet e = bootstrap(found, seed: seed).units_low";
    assert_eq!(count(again, "dissect"), 1);
    // At 0.04, at 0.1, and held out: scoring by the rules that it has is the same stage.
    assert_eq!(count(again, "score"), 3);
    let other = "let a = frozen(scenes, like: found, layer: \"layer3\", data: probe).units\n\
                 let b = rotated(scenes, seed: seed, layer: \"layer3\", data: probe).units\n\
                 let c = dissect(scenes, data: probe, layer: \"layer3\", rules: { ..lite2018, quantile: 0.01 }).units";
    assert_eq!(count(other, "dissect"), 4);
}

#[test]
fn rules_and_controls_that_cannot_be_are_mistakes() {
    let wrong = |text: &str| {
        let errors = run(&format!("{SCENES}{text}\n")).unwrap_err();
        (errors[0].code.id, errors[0].message.clone(), errors[0].help.clone().unwrap_or_default())
    };
    let rules = |entry: &str| {
        wrong(&format!("let x = dissect(scenes, data: probe, layer: \"layer3\", rules: {{ ..lite2018, {entry} }})"))
    };
    let (id, message, help) = rules("enlarge: \"pilow\"");
    assert_eq!((id, help.as_str()), ("PD0312", "did you mean `pillow`?"));
    assert!(message.contains("`enlarge`"), "{message}");
    assert!(rules("quantile: 1.5").1.contains("`quantile` is 1.5"));
    assert!(rules("categories: []").1.contains("names nothing"));
    assert!(wrong("let x = null_test(found, seed: seed, null: \"shif\")").2.contains("`shift`"));
    assert!(wrong("let x = score(found, on: \"test\")").1.contains("no part"));
    assert!(wrong("let x = ablate(scenes, task.val, d: found, units: 33)").1.contains("has 32"));
    assert!(wrong("let x = ablate(scenes, task.val, d: found, units: 3, by: \"random\")").2.contains("seed"));
    let (_, message, help) = wrong("let x = scenes |> prune(protect_concepts(20%))");
    assert!(message.contains("no dissection") && help.contains("concepts:"), "{message} {help}");
    assert!(wrong("let x = prune(scenes, global_magnitude(20%), concepts: found)").2.contains("leave out"));
    assert!(wrong("let x = nearest(scenes, among: [scenes], on: task.test)").1.contains("test images"));
    assert!(wrong("let x = nearest(scenes, among: [], on: task.val)").1.contains("no state"));
}

#[test]
fn controls_are_states_like_others() {
    let text = "let pruned = scenes |> prune(protect_concepts(20%), concepts: found)\n\
                let other = pruned |> shuffle_mask(seed)\nlet like = nearest(pruned, among: [scenes, scenes], on: task.val)\n\
                test \"t\" { expect other.sparsity == pruned.sparsity expect like.sparsity == 0% }";
    let program = run(&format!("{SCENES}{text}\n")).unwrap();
    assert!(program.tests_pass(), "{:?}", program.tests);
}

#[test]
fn architectures_that_do_not_fit_are_mistakes() {
    let (message, id) = mistake("let net = arch([conv(8, kernel: 9), linear(10)], channels: 1, size: 8)");
    assert_eq!(id, "PD0313");
    assert!(message.contains("9×9") && message.contains("1×8×8"), "{message}");
    let text = "let net = arch({ a: residual({ c: conv(4, kernel: 3, pad: 1) }, shortcut: identity(), after: relu()) }, channels: 1, size: 8)";
    assert_eq!(mistake(text).1, "PD0313");
}

#[test]
fn files_of_weights_are_known_by_their_content() {
    let program = run("let s = load(\"here.safetensors\", tiny_resnet(classes: 10))").unwrap();
    assert_eq!(program.files.keys().collect::<Vec<_>>(), ["abc"]);
    assert_eq!(mistake("let s = load(\"there.safetensors\", tiny_resnet(classes: 10))").1, "PD0329");
    let text = "let s = load(\"here.safetensors\", tiny_resnet(classes: 10)) |> train(digits(), sgd(lr: 0.1, batch: 64), until: 1ep)";
    assert_eq!(mistake(text).1, "PD0312");
}

#[test]
fn sweeps_become_rows() {
    let program = run(
        "let rows = sweep s in seeds(2), (a, b) in zip([1, 2], [0.1, 0.2]) if a < 2 or s == last(seeds(2)) { for x in 0..2 { { x: x, y: float(a) * b } } }\n\
         table all = rows\ntable more = (rows ++ rows).at(x: 1)\ntable kept = rows |> keep(row => row.a == 2)\n\
         test \"t\" { expect len(rows) == 6 expect rows[0].x == 0 expect len(rows.at(a: 2, x: 1)) == 1 }",
    )
    .unwrap();
    assert!(program.tests_pass(), "{:?}", program.tests);
    let TableSpec::Rows(frame) = &program.tables[0].spec else { panic!("rows") };
    let names: Vec<_> = frame.columns.iter().map(|column| (&*column.name, column.role)).collect();
    assert_eq!(
        names,
        [("s", Role::Axis), ("a", Role::Axis), ("b", Role::Axis), ("x", Role::Field), ("y", Role::Field)]
    );
    let TableSpec::Rows(frame) = &program.tables[1].spec else { panic!("rows") };
    assert_eq!(frame.height(), 6);
    let TableSpec::Rows(frame) = &program.tables[2].spec else { panic!("rows") };
    assert_eq!(frame.height(), 2);
}

#[test]
fn rows_that_cannot_be_are_mistakes() {
    let rows = "let rows = sweep s in seeds(2) { for x in 0..2 { { x: x, y: 1.5 } } }\n";
    assert_eq!(mistake(&format!("{rows}table t = rows.at(x: 9)")).1, "PD0327");
    assert_eq!(mistake(&format!("{rows}let t = rows.z")).1, "PD0324");
    assert_eq!(mistake(&format!("{rows}table t = rows |> summary(by: [.x], over: .y, show: [mean])")).1, "PD0324");
    assert_eq!(mistake(&format!("{rows}expect mean(rows.y, over: .s) > 1.0")).1, "PD0326");
    assert_eq!(mistake("let rows = sweep s in seeds(2) { { s: 1 } }").1, "PD0325");
    assert_eq!(mistake("let rows = sweep x in [1, 2] { if x == 1 { { a: 1 } } else { { b: 1 } } }").1, "PD0325");
    assert_eq!(mistake("let rows = sweep x in [1, 2] if x > 2 { { a: 1 } }").1, "PD0327");
}

#[test]
fn means_and_expectations_wait_for_the_run() {
    let program = run(&with_dense(
        "let rows = sweep s in seeds(2) { { top1: evaluate(tiny_resnet(classes: 10) |> init(s), task.val).top1 } }\n\
         expect mean(rows.top1, over: .s) >= 75.5% and 1 < 2\nexpect mean(rows.top1, over: .s) - 10% > 5pp\nexpect 1 < 2",
    ))
    .unwrap();
    let resolved = program.resolve(&|node, _| Some(if node.0 % 2 == 0 { 0.7 } else { 0.8 }));
    let found: Vec<_> = resolved.expects.iter().map(|(holds, _)| *holds).collect();
    assert!(found[1] == Some(true) && found[2] == Some(true), "{found:?}");
    let missing = program.resolve(&|_, _| None);
    assert_eq!(missing.expects.iter().map(|(holds, _)| *holds).collect::<Vec<_>>(), [None, None, Some(true)]);
}

#[test]
fn claims_keep_what_tells_rows_apart() {
    let program = experiment("quickstart");
    let resolved = program.resolve(&|_, _| Some(0.5));
    let claim = &resolved.claims[0];
    let names: Vec<_> = claim.spec.sample.columns.iter().map(|column| (&*column.name, column.role)).collect();
    assert_eq!(names, [("seed", Role::Axis), ("round", Role::Field), ("sparsity", Role::Field), ("top1", Role::Field)]);
    assert_eq!(claim.spec.sample.columns[0].cells[1], Cell::Number { value: 2.0, scale: Scale::Count });
    assert_eq!(claim.spec.sample.columns[3].cells[0], Cell::Number { value: 0.5, scale: Scale::Ratio });
    assert_eq!(claim.spec.level.to_bits(), 0.95f64.to_bits());
}

#[test]
fn curves_are_sampled_over_their_range() {
    let program = run("plot c = curve(drops(0.1, at: [2ep], by: 0.5), over: 0ep..=4ep, per_epoch: 10)\n\
                       plot d = curve(cubic(to: 90%, from: 0it, until: 50it), over: 0it..100it)")
    .unwrap();
    let PlotSpec::Curve { points, scale, x_label } = &program.plots[0].spec else { panic!("a curve") };
    assert_eq!((points.len(), *scale, x_label.as_str()), (41, Scale::Plain, "epoch"));
    assert_eq!((points[19], points[20]), ((1.9, 0.1), (2.0, 0.05)));
    let PlotSpec::Curve { points, scale, x_label } = &program.plots[1].spec else { panic!("a curve") };
    assert_eq!((points.len(), *scale, x_label.as_str()), (100, Scale::Ratio, "iteration"));
}

#[test]
fn origins_name_the_call_and_the_axes() {
    let program = experiment("quickstart");
    let (_, node) = program.graph.iter().find(|(_, node)| node.op == "prune").unwrap();
    let origin = &node.origins[0];
    assert_eq!(origin.axes, [("seed".to_owned(), "1".to_owned())]);
    let root = program.params[0].span.file;
    assert_eq!(origin.span.file, root);
    assert!(origin.trail.iter().all(|span| span.file == root));
}

#[test]
fn a_stage_that_two_arms_share_is_named_after_neither() {
    let program = experiment("my_schedule");
    let names: Vec<_> = program.graph.iter().map(|(_, node)| node.facts.name.as_str()).collect();
    assert!(names.contains(&"train · seed 1"), "{names:?}");
    assert!(names.contains(&"train round 4 · seed 3 · rule movement"), "{names:?}");
}

#[test]
fn what_is_written_differently_is_the_same_graph() {
    let keys = |text: &str| {
        let program = run(text).unwrap();
        program.graph.iter().map(|(id, _)| program.graph.key(id)).collect::<std::collections::BTreeSet<_>>()
    };
    let plain = keys(DENSE);
    let moved = keys(
        "fn start(s: Seed) -> State { tiny_resnet(classes: digits().classes, size: 8, channels: 1) |> init(s) }\n\
         // A comment.\nlet other = train(start(seeds(3)[0]), digits(), sgd(batch: 64, momentum: 0.9, lr: drops(0.1, by: 0.1, at: [6ep])), until: 160it)",
    );
    assert_eq!(plain, moved);
    assert_ne!(plain, keys(&DENSE.replace("0.9", "0.8")));
    assert_ne!(plain, keys(&DENSE.replace("6ep", "5ep")));
}

#[test]
fn layers_take_records_and_lists() {
    let program = run("let net = arch({ body: [conv(4, kernel: 3), relu()], head: { pool: avg_pool(2, stride: 2), out: linear(3) } }, channels: 1, size: 8)\n\
                       let s = net |> init(first(seeds(1)))").unwrap();
    let (_, node) = program.graph.iter().next().unwrap();
    let args: crate::ops::stages::init::InitArgs = node.args.parse().unwrap();
    let survey = args.arch.survey().unwrap();
    let names: Vec<_> = survey.parameters.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["body.0.weight", "head.out.weight", "head.out.bias"]);
    assert!(matches!(Value::Nothing.equals(&Value::Nothing, None), Some(true)));
}
