use std::path::Path;

use super::{Typed, check};
use crate::diag::codes;
use crate::resolve::{link, link_text};
use crate::world::Machine;

const PREAMBLE: &str = "\
import std.data.{digits, shapes_probe}
import std.dissect.{netdissect}
import std.math.{clamp}
import std.models.{tiny_resnet}
import std.prune.{global_magnitude, imp, magnitude}
import std.stats.{differs, equivalent, not_worse}
let task = digits()
let recipe = sgd(lr: 0.1, batch: 64)
let runs = sweep seed in seeds(3) {
  let dense = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: 8ep)
  for s in imp(dense, rate: 20%, rounds: 4, rewind: 1ep) {
    let e = evaluate(s, task.val)
    let units = netdissect(s, layer: \"layer3\", data: shapes_probe()).units
    { arm: \"imp\", round: s.round, sparsity: s.sparsity, top1: e.top1, loss: e.loss, units: units }
  }
}
";

fn typed(text: &str) -> Typed {
    check(link_text(&Machine, "test.pd", &format!("{PREAMBLE}{text}")))
}

/// What was reported: code, message, the text under the first label, help.
fn reports(typed: &Typed) -> Vec<(&str, &str, &str, &str)> {
    typed
        .diagnostics
        .iter()
        .map(|found| {
            let label = found.labels.first().map_or("", |label| typed.linked.sources.slice(label.span));
            (found.code.id, found.message.as_str(), label, found.help.as_deref().unwrap_or(""))
        })
        .collect()
}

#[track_caller]
fn accepts(text: &str) {
    let typed = typed(text);
    assert!(typed.diagnostics.is_empty(), "{text}\n{:#?}", reports(&typed));
}

#[track_caller]
fn rejects(text: &str, code: &str, message: &str, label: &str, help: &str) {
    let typed = typed(text);
    assert_eq!(reports(&typed), [(code, message, label, help)], "{text}");
}

/// The type of `x` in a text.
#[track_caller]
fn type_of(text: &str) -> String {
    let typed = typed(&format!("let x = {text}\n"));
    assert!(typed.diagnostics.is_empty(), "{text}\n{:#?}", reports(&typed));
    typed.values[&(typed.linked.root, "x".into())].to_string()
}

#[test]
fn the_library_and_the_experiments_check() {
    accepts("");
    for module in crate::resolve::library::MODULES {
        if module.0 != "prelude" {
            accepts(&format!("import std.{} as checked\n", module.0));
        }
    }
    for name in ["quickstart", "my_schedule", "dissecting_pruned"] {
        let typed = check(link(&Machine, Path::new(&format!("experiments/{name}.pd"))));
        assert!(typed.diagnostics.is_empty(), "{name}\n{:#?}", reports(&typed));
    }
}

#[test]
fn literals_and_units_have_their_types() {
    for (text, ty) in [
        ("20%", "Ratio"),
        ("0.5pp", "Points"),
        ("6ep + 100it", "Step"),
        ("2h", "Time"),
        ("8GiB", "Bytes"),
        ("[1, 2.5]", "List[Float]"),
        ("(1, \"a\")", "(Int, Str)"),
        ("{ a: 1, b: [true] }", "{ a: Int, b: List[Bool] }"),
        ("seeds(3)", "List[Seed]"),
        ("1..=3", "Range[Int]"),
        ("task.val", "Split[val]"),
        ("task.train_images", "Int"),
        ("magnitude", "Criterion"),
    ] {
        assert_eq!(type_of(text), ty, "{text}");
    }
}

#[test]
fn arithmetic_keeps_units_apart() {
    for (text, ty) in [
        ("30% - 20%", "Points"),
        ("30% + 5pp", "Ratio"),
        ("0.5 * 20%", "Ratio"),
        ("2 * 6ep", "Step"),
        ("6ep / 3ep", "Float"),
        ("1 / 2", "Float"),
        ("1 - 0.5", "Float"),
        ("0.5 ^ 3", "Float"),
        ("(1 - 0.5) ^ 3 * (20% - 30%)", "Points"),
        ("2 + 0.5 > 1", "Bool"),
        ("20% < 30%", "Bool"),
    ] {
        assert_eq!(type_of(text), ty, "{text}");
    }
    rejects(
        "let x = 80% + 5%\n",
        "PD0203",
        "`+` does not apply to a `Ratio` and a `Ratio`",
        "5%",
        "to add percentage points, write `5pp`",
    );
    rejects(
        "let x = 0.2 + 20%\n",
        "PD0203",
        "`+` does not apply to a `Float` and a `Ratio`",
        "20%",
        "write `0.2` instead of `20%`",
    );
    rejects(
        "param n: Int = 3\nlet x = n * 0.5\n",
        "PD0203",
        "`*` does not apply to an `Int` and a `Float`",
        "n",
        "write `float(n)`",
    );
    rejects(
        "let x = 6ep < 20%\n",
        "PD0203",
        "a `Step` cannot be compared with a `Ratio`",
        "20%",
        "a step is given in epochs or iterations: write `1ep` or `100it`",
    );
    rejects(
        "let x = 6ep + 1\n",
        "PD0203",
        "`+` does not apply to a `Step` and an `Int`",
        "1",
        "write `1ep` for epochs or `1it` for iterations instead of `1`",
    );
}

#[test]
fn units_do_not_convert() {
    rejects(
        "let p = global_magnitude(0.2)\n",
        "PD0202",
        "`rate` of `global_magnitude` must be a `Ratio`, but this is a `Float`",
        "0.2",
        "write `20%`",
    );
    rejects(
        "param margin: Points = 5%\n",
        "PD0202",
        "the default of `margin` must be `Points`, but this is a `Ratio`",
        "5%",
        "write `5pp`",
    );
    rejects(
        "let until: Step = 160\n",
        "PD0202",
        "the value of `until` must be a `Step`, but this is an `Int`",
        "160",
        "write `160ep` for epochs or `160it` for iterations",
    );
    rejects(
        "let x: Float = 20%\n",
        "PD0202",
        "the value of `x` must be a `Float`, but this is a `Ratio`",
        "20%",
        "write `0.2`",
    );
    rejects(
        "param n: Int = 2\nlet x: Float = n\n",
        "PD0202",
        "the value of `x` must be a `Float`, but this is an `Int`",
        "n",
        "write `float(n)`",
    );
}

#[test]
fn whole_numbers_stand_for_plain_numbers() {
    accepts("let a: Float = -1\nlet b: List[Float] = [1, 2.5, 3]\nlet c = sgd(lr: 1, momentum: 0, batch: 8)\n");
    accepts("let d = clamp(0.5, 0, 1)\nlet e = max(1, 0.5)\nlet f = if true { 1 } else { 0.5 }\n");
    let typed = typed("let a: Float = 2 * 3\n");
    assert_eq!(
        typed.floats.iter().filter(|span| span.file == typed.linked.module(typed.linked.root).file.id).count(),
        2
    );
}

#[test]
fn numbers_are_named() {
    rejects(
        "let layer = conv(64, 3)\n",
        "PD0208",
        "the argument `kernel` of `conv` needs its label",
        "3",
        "write `kernel: 3`",
    );
    rejects(
        "fn f(s: Str, rate: Ratio) -> Ratio { rate }\nlet x = f(\"a\", 20%)\n",
        "PD0208",
        "the argument `rate` of `f` needs its label",
        "20%",
        "write `rate: 20%`",
    );
    accepts(
        "let a = min(1, 2)\nlet b = mod(7, 2)\nlet c = clamp(5, 0, 3)\nlet d = drops(0.1, at: [1ep], by: 0.1) |> warmup(5ep)\n",
    );
    accepts("let f = (a, b) => a + b\nlet x = f(1, 2)\nfn g(s: Schedule) -> Bool { s(1ep) > 0.5 }\n");
}

#[test]
fn labels_are_checked() {
    rejects(
        "let x = conv(64, kernal: 3)\n",
        "PD0209",
        "`conv` has no parameter `kernal`",
        "kernal",
        "did you mean `kernel`?",
    );
    rejects(
        "let x = conv(64)\n",
        "PD0210",
        "`conv` needs `kernel`",
        "conv",
        "add `kernel: 3`; its signature is `conv(out: Int, kernel: Int, stride: Int = …, pad: Int = …, dilation: Int = …, groups: Int = …, bias: Bool = …) -> Layer`",
    );
    rejects(
        "let x = conv(64, kernel: 3, kernel: 5)\n",
        "PD0211",
        "`conv` is given `kernel` twice",
        "kernel",
        "leave one of them out",
    );
    rejects("let x = relu(1)\n", "PD0212", "`relu` takes no arguments", "1", "its signature is `relu() -> Layer`");
    accepts("let dense = 1\nlet states = iterate(0%, times: 3, (s, r) => s + 1pp)\nlet n = len(states)\n");
}

#[test]
fn only_functions_are_called() {
    rejects(
        "let x = magnitude()\n",
        "PD0213",
        "`magnitude` is a `Criterion`, not a function",
        "magnitude",
        "write `magnitude` without parentheses",
    );
    rejects("let f = a => a\nlet x = f(1, 2)\n", "PD0212", "`f` takes one argument, not 2", "f", "give it `_`");
}

#[test]
fn parameters_have_types() {
    rejects("fn f(x) -> Int { 2 }\n", "PD0206", "the parameter `x` of `f` has no type", "x", "write `x: …`");
    rejects(
        "fn f(x: Int = 1, y = 20%) -> Int { x }\n",
        "PD0206",
        "the parameter `y` of `f` has no type",
        "y",
        "write `y: Ratio`",
    );
    rejects("param n: Integer = 3\nlet m = n + 1\n", "PD0204", "there is no type `Integer`", "Integer", "write `Int`");
    rejects(
        "fn f(xs: List) -> Int { 1 }\n",
        "PD0205",
        "`List` takes one type in brackets",
        "List",
        "write `List[Int]`",
    );
    rejects(
        "fn f(n: Int) { if n == 0 { 1 } else { f(n - 1) } }\n",
        "PD0223",
        "`f` calls itself, so its result type must be written",
        "f",
        "write `-> …` after the parameters",
    );
    accepts(
        "fn f(n: Int) -> Int { if n == 0 { 1 } else { f(n - 1) } }\nfn g(n: Int) { n + 1 }\nlet x: Int = g(f(2))\n",
    );
    rejects(
        "fn f[T](x: T) -> Int { 1 }\n",
        "PD0226",
        "`f` has a type variable",
        "T",
        "write the types that it is used with",
    );
}

#[test]
fn fields_are_checked() {
    rejects(
        "let r = { rate: 1 }\nlet x = r.rat\n",
        "PD0214",
        "the record has no field `rat`",
        "rat",
        "did you mean `rate`?",
    );
    rejects("let x = task.clases\n", "PD0214", "a task has no field `clases`", "clases", "did you mean `classes`?");
    rejects(
        "let xs = [{ a: 1 }]\nlet x = xs.a\n",
        "PD0214",
        "a `List[{ a: Int }]` has no field `a`; its elements have",
        "a",
        "write `|> map(.a)`, or make rows with `sweep` instead of `for`",
    );
    rejects(
        "let c = criterion(p => abs(p.activation))\n",
        "PD0224",
        "criteria cannot use `activation` in this version",
        "activation",
        "score by `weight`, `initial`, `grad`, `hessian_grad`, `flow` or `concept`",
    );
    accepts("let c = criterion(p => sqrt(abs(p.weight * (p.weight - 0.5 * p.initial))) ^ 2 + 1)\n");
    accepts(
        "let xs = [{ a: 1 }] |> map(.a) |> sum\nfn f(s: State) -> Ratio { s.at(6ep).sparsity }\nfn g(s: Seed) -> Seed { s.anything }\n",
    );
}

#[test]
fn records_spread_and_come_apart() {
    accepts(
        "let a = { x: 1, y: 20% }\nlet b = { ..a, x: 2, z: 3 }\nlet { x, z } = b\nlet n: Int = x + z\nlet (p, q) = (1, 2ep)\n",
    );
    accepts("let other = { ..recipe, lr: 0.05, momentum: 1 }\n");
    rejects(
        "let a = { x: 1 }\nlet b = { ..a, x: 20% }\n",
        "PD0202",
        "`x` must be an `Int`, but this is a `Ratio`",
        "20%",
        "a whole number is written like `3`",
    );
    rejects(
        "let other = { ..recipe, momentun: 0.9 }\n",
        "PD0214",
        "a recipe has no field `momentun`",
        "momentun",
        "did you mean `momentum`?",
    );
    rejects(
        "let (a, b) = 20%\n",
        "PD0218",
        "this pattern takes apart a tuple of 2, but the value is a `Ratio`",
        "(a, b)",
        "give it one name",
    );
    rejects("let { b } = { a: 1 }\n", "PD0214", "the record has no field `b`", "b", "it has `a`");
}

#[test]
fn layers_nest() {
    accepts(
        "let net = arch({ a: [conv(3, kernel: 1), relu()], b: { c: identity() }, d: for i in 0..3 { relu() } }, channels: 1, size: 8)\n",
    );
    rejects(
        "let net = arch({ a: relu(), b: 20% }, channels: 1, size: 8)\n",
        "PD0201",
        "the layer `b` must be `Layers`, but this is a `Ratio`",
        "20%",
        "a layer is made by `conv(…)`, `relu()`, `linear(…)` and others",
    );
}

#[test]
fn schedules_are_functions_of_the_step() {
    accepts(
        "fn half(s: Schedule) -> Schedule { step => 0.5 * s(step) }\nlet r = sgd(lr: half(0.1), batch: 8)\nlet q = sgd(lr: step => if step < 5ep { 1 } else { 0.1 }, batch: 8)\n",
    );
    accepts("fn f(s: Schedule) -> Bool { s(0ep) == 20% and s(1ep) + 5pp < 50% }\n");
    rejects(
        "let r = sgd(lr: step => step, batch: 8)\n",
        "PD0202",
        "the result of `lr` of `sgd` for each step must be a `Float`, but this is a `Step`",
        "step",
        "divide it by a unit: write `step / 1ep`",
    );
}

#[test]
fn measurements_lift_but_decide_nothing() {
    assert_eq!(type_of("runs |> map(row => row.top1 - 50%)"), "List[Measured[Points]]");
    assert_eq!(type_of("runs |> map(row => row.top1 > 50% and true)"), "List[Measured[Bool]]");
    rejects(
        "let good = runs |> keep(row => row.top1 > 70%)\n",
        "PD0207",
        "the result of `f` of `keep` must be known before the run",
        "row.top1 > 70%",
        "keep rows by what is known before the run (`round`, `sparsity`), or leave `keep` out and give each row a field \
         that says it: `good: top1 >= 90%`",
    );
    rejects(
        "let xs = for row in runs { if row.top1 > 70% { 1 } else { 2 } }\n",
        "PD0207",
        "the condition of `if` must be known before the run",
        "row.top1 > 70%",
        "write `select(condition, then: …, else: …)`, or `iterate(…, until: s => condition)` for rounds",
    );
}

#[test]
fn sweeps_make_rows() {
    assert_eq!(
        type_of("sweep n in 1..=3, (a, b) in zip([1, 2], [20%, 30%]) if n < 2 { { double: 2 * n } }"),
        "Rows[{ n: Int, a: Int, b: Ratio, double: Int }]"
    );
    assert_eq!(type_of("sweep n in [1] { for m in [2] { for k in [3] { { m: m } } } }"), "Rows[{ n: Int, m: Int }]");
    assert_eq!(type_of("(sweep n in [1] { { a: 2 } }) ++ (sweep n in [3] { { a: 2 } })"), "Rows[{ n: Int, a: Int }]");
    assert_eq!(type_of("runs |> keep(row => row.round == 3) |> sort_by(.sparsity) |> map(.arm)"), "List[Str]");
    rejects(
        "let x = sweep n in [1, 2] { n }\n",
        "PD0220",
        "each point of a sweep gives a record, not an `Int`",
        "n",
        "write `{ { value: n } }`",
    );
    rejects(
        "let x = sweep n in [1, 2] { { a: relu() } }\n",
        "PD0221",
        "the column `a` cannot hold a `Layer`",
        "a: relu()",
        "a record holds numbers, texts and measurements: give each of these a name in quotes, and put that here",
    );
    rejects(
        "let x = sweep n in [1, 2] { { n: n, a: 1 } }\n",
        "PD0222",
        "`n` is a column already: an axis of the sweep",
        "n: n",
        "leave the field out, or give it another name",
    );
    rejects("let x = sweep n in 3 { { a: 1 } }\n", "PD0219", "an `Int` has no elements", "3", "write `0..3`");
}

#[test]
fn columns_are_checked() {
    accepts("table t = runs |> summary(by: [.arm, .round], over: .seed, show: [mean, ci95, median, min])\n");
    accepts(
        "plot p = line(runs, x: .sparsity, y: [.top1, .units], color: .arm, band: ci95(over: .seed), xscale: logit)\n",
    );
    rejects(
        "table t = runs |> summary(by: [.sparsty], over: .seed, show: [mean])\n",
        "PD0215",
        "there is no column `sparsty`",
        "sparsty",
        "did you mean `sparsity`?",
    );
    rejects("let x = runs.top2\n", "PD0215", "there is no column `top2`", "top2", "did you mean `top1`?");
    rejects("let x = runs.at(rond: 3)\n", "PD0215", "there is no column `rond`", "rond", "did you mean `round`?");
    rejects(
        "let x = runs.at(sparsity: 3)\n",
        "PD0202",
        "the value of the column `sparsity` must be a `Ratio`, but this is an `Int`",
        "3",
        "write `3%`",
    );
    rejects(
        "let x = runs.at(top1: 50%)\n",
        "PD0216",
        "`top1` is measured, so rows cannot be grouped by it",
        "top1",
        "group by an axis or by a field that is known before the run",
    );
    rejects(
        "plot p = line(runs, x: .sparsity, y: .top1, band: ci95(over: .sed))\n",
        "PD0215",
        "there is no column `sed`",
        "sed",
        "did you mean `seed`?",
    );
    rejects(
        "table t = runs |> summary(by: [.arm], over: .round, show: [mean])\n",
        "PD0216",
        "`.round` is not an axis of the sweep",
        "round",
        "write `over: .seed`",
    );
    rejects(
        "plot p = line(runs, x: .sparsity, y: .arm)\n",
        "PD0216",
        "a line needs numbers, not a column of `Str`",
        ".arm",
        "choose a column of numbers",
    );
    rejects(
        "let x = mean(.top1, over: .seed)\n",
        "PD0217",
        "`.top1` is a column of which rows?",
        ".top1",
        "write `rows.top1` with the rows' name",
    );
}

#[test]
fn outputs_have_their_types() {
    accepts("table t = runs\nexpect mean(runs.top1, over: .seed) >= 75.5%\nexpect task.classes == 10\n");
    assert_eq!(type_of("mean(runs.units, over: .seed)"), "Measured[Float]");
    rejects(
        "table t = [1]\n",
        "PD0201",
        "the value of table `t` must be a `Table`, but this is a `List[Int]`",
        "[1]",
        "rows come from a sweep, and the fields of its records are the columns: `sweep seed in seeds(3) { { … } }`",
    );
    rejects(
        "plot p = runs\n",
        "PD0201",
        "the value of plot `p` must be a `Plot`, but this is `Rows[{ seed: Seed, arm: Str, round: Int, sparsity: Ratio, top1: Measured[Ratio], loss: Measured[Float], units: Measured[Int] }]`",
        "runs",
        "write `line(runs, x: .sparsity, y: .top1)`",
    );
    rejects(
        "claim c \"x\" = true\n",
        "PD0201",
        "the value of claim `c` must be a `Verdict`, but this is a `Bool`",
        "true",
        "state it as `expect …`",
    );
    rejects(
        "param n: Int = 3 where n\n",
        "PD0201",
        "the condition after `where` must be a `Bool`, but this is an `Int`",
        "n",
        "a condition is written like `rounds > 1`",
    );
    rejects(
        "test \"t\" { expect 1 }\n",
        "PD0201",
        "what a test expects must be a `Bool`, but this is an `Int`",
        "1",
        "a condition is written like `rounds > 1`",
    );
}

#[test]
fn claims_compare_like_with_like() {
    accepts(
        "claim c \"x\" = not_worse(runs.at(round: 3).top1, than: runs.at(round: 0).top1, margin: 2pp, over: .seed)\n",
    );
    accepts("claim c \"x\" = equivalent(runs.units, to: runs.units, margin: 5%, over: .seed, level: 95%)\n");
    accepts("claim c \"x\" = equivalent(runs.units, to: runs.units, margin: 2, over: .seed)\n");
    rejects(
        "claim c \"x\" = equivalent(runs.top1, to: runs.top1, margin: 0.02, over: .seed)\n",
        "PD0227",
        "a margin in `Float` does not fit values in `Ratio`",
        "0.02",
        "write `2pp`",
    );
    rejects(
        "claim c \"x\" = equivalent(runs.units, to: runs.units, margin: 2pp, over: .seed)\n",
        "PD0227",
        "a margin in `Points` does not fit values in `Int`",
        "2pp",
        "write a number like the values', or `5%` for five per cent of the reference's mean",
    );
    rejects(
        "claim c \"x\" = differs(runs.units, from: runs.top1, over: .seed)\n",
        "PD0201",
        "a column of `Measured[Int]` cannot be compared with one of `Measured[Ratio]`",
        "runs.top1",
        "compare the same quantity on both sides",
    );
}

#[test]
fn lambdas_take_their_types_from_their_use() {
    accepts(
        "let a = [1, 2] |> map(n => n * 6ep) |> fold(0ep, (sum, s) => sum + s)\nlet b = zip([1], [20%]) |> map(pair => { let (n, r) = pair n * r })\n",
    );
    rejects(
        "let a = zip([1], [2]) |> map((n, m) => n)\n",
        "PD0225",
        "`f` of `map` is called with 1 value",
        "(n, m) => n",
        "take the pair as one parameter: `pair => { let (a, b) = pair … }`",
    );
    rejects(
        "let f = s => s.sparsity\n",
        "PD0217",
        "what `s` is cannot be told here",
        "s",
        "write a function with types: `fn f(x: State) -> … { … }`",
    );
    rejects(
        "let f = .sparsity\n",
        "PD0217",
        "`.sparsity` alone is a field of nothing",
        ".sparsity",
        "put the value before the dot, or write `x => x.sparsity`",
    );
}

#[test]
fn one_mistake_makes_one_report() {
    let cascade = typed(
        "let a = conv(64, kernel: 20%)\nlet b = [a, a]\nlet c = unknown_thing\nlet d = c + 1\nlet e = d.field\nlet f = e(d, label: c)\ntable t = f |> summary(by: [.x], over: .y, show: [mean])\n",
    );
    let found: Vec<_> = reports(&cascade).iter().map(|report| report.0).collect();
    assert_eq!(found, ["PD0202", "PD0104"], "{:#?}", reports(&cascade));
}

#[test]
fn independent_mistakes_are_all_reported() {
    let many =
        typed("let a = 20% + 5%\nlet b = task.clases\nlet c = conv(64)\nlet d: Float = \"x\"\nlet e = runs.top2\n");
    let found: Vec<_> = reports(&many).iter().map(|report| report.0).collect();
    assert_eq!(found, ["PD0203", "PD0214", "PD0210", "PD0201", "PD0215"]);
}

#[test]
fn a_list_of_columns_has_brackets() {
    rejects(
        "table t = runs |> summary(by: .arm, over: .seed, show: [mean])\n",
        "PD0201",
        "`by` of `summary` must be a list of columns, but this is one column",
        ".arm",
        "write `[.arm]`",
    );
}

#[test]
fn examples_of_the_catalogue_show_what_they_say() {
    // Examples of several files.
    let files = ["PD0101", "PD0103", "PD0106"];
    // Said of a program without mistakes, when it has been evaluated.
    let evaluated = ["PD0113", "PD0114"];
    let elsewhere = [files.as_slice(), &evaluated].concat();
    let catalogue = [codes::names::ALL, codes::types::ALL].concat();
    for code in catalogue.into_iter().filter(|code| !elsewhere.contains(&code.id)) {
        let finds = |text: &str| typed(&format!("{text}\n")).diagnostics.iter().any(|found| found.code.id == code.id);
        assert!(finds(code.wrong), "{} is not reported for its example:\n{}", code.id, code.wrong);
        assert!(!finds(code.right), "{} is reported for the right version:\n{}", code.id, code.right);
    }
}

#[test]
fn values_from_outside_are_checked() {
    let mut typed = typed("param rate: Ratio = 20%\nparam decay: Float = 0.1\n");
    let mut admit = |name: &str, text: &str| {
        let file = typed.linked.sources.add("--set", None, text);
        let value = crate::syntax::parse_expression(file, text).unwrap();
        typed.admit(name, &value).iter().map(|found| found.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(admit("rate", "30%"), [""; 0]);
    assert_eq!(admit("decay", "1"), [""; 0]);
    assert_eq!(admit("rate", "0.3"), ["the value of `rate` must be a `Ratio`, but this is a `Float`"]);
    assert_eq!(admit("rate", "rat"), ["there is no `rat` here"]);
}

#[test]
fn modules_can_be_named() {
    accepts("import std.models as nets\nlet a = nets.resnet20(classes: 10)\nlet b = 10 |> nets.tiny_resnet\n");
}
