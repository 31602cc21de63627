//! Expressions, builtins, budgets, parameters.

use super::{IMPORTS, failures, mistake, run, run_unchecked, run_with};

fn hold(body: &str) {
    assert_eq!(failures(body), Vec::<String>::new(), "{body}");
}

#[test]
fn numbers_follow_their_units() {
    hold("expect 80% - 5% == 75pp  expect 80% + 5pp == 85%  expect 80% * 50% == 40%  expect 0.5 * 40% == 20%");
    hold("expect 10% / 20% == 0.5  expect 3 * 2% == 6%  expect 20% / 2 == 10%  expect -(5pp) == 0pp - 5pp");
    hold("expect 7 / 2 == 3.5  expect 2 ^ 10 == 1024  expect 2.0 ^ 3 == 8.0  expect 0.1 + 0.2 > 0.3");
    hold(
        "expect 2 * 3ep == 6ep  expect 10ep / 5ep == 2.0  expect 10ep + 5it > 10ep  expect 1h == 60min  expect 60min == 3600s",
    );
    hold("expect 1GiB > 1GB  expect 2 * 1MiB == 2MiB  expect 10ep - 4ep == 6ep");
}

#[test]
fn logic_is_short_circuit() {
    hold("expect not (1 > 2) and (true or [1][5] == 1)  expect not (false and [1][5] == 1)");
}

#[test]
fn lists_have_their_functions() {
    hold("expect ([1, 2, 3] |> map(x => x * x)) == [1, 4, 9]  expect ([1, 2, 3] |> keep(x => x > 1)) == [2, 3]");
    hold("expect sum([1, 2, 3]) == 6  expect len(0..5) == 5  expect len(0..=5) == 6  expect sum(0..=4) == 10");
    hold(
        "expect fold([1, 2, 3], start: 10, (a, x) => a - x) == 4  expect scan([1, 2], start: 0, (a, x) => a + x) == [0, 1, 3]",
    );
    hold("expect zip([1, 2], [3, 4]) == [(1, 3), (2, 4)]  expect enumerate([true]) == [(0, true)]");
    hold("expect sort_by([3, 1, 2], x => -x) == [3, 2, 1]  expect reverse([1, 2]) == [2, 1]");
    hold("expect first([4, 5]) == 4  expect last([4, 5]) == 5  expect flatten([[1], [2, 3]]) == [1, 2, 3]");
    hold("expect any([1, 2], x => x == 2)  expect not all([1, 2], x => x == 2)  expect [1] ++ [2] == [1, 2]");
    hold(
        "expect iterate(1, times: 3, (x, r) => x * r) == [1, 1, 2, 6]  expect (for x in 0..4 if x != 2 { x }) == [0, 1, 3]",
    );
    hold("expect [1, 2, 3][2] == 3  expect (for (a, b) in zip([1], [2]) { a + b }) == [3]");
}

#[test]
fn tasks_on_disk_are_described_and_mistakes_in_them_are_found() {
    let stored = "stored(\"x\", classes: 5, size: 32, train: 50, val: 5";
    hold(&format!("expect {stored}).train_images == 50  expect {stored}, channels: 1).classes == 5"));
    hold(&format!(
        "expect ({stored}) |> normalised(mean: [0, 0.5, 0.1], sd: [1, 1, 1]) |> prepared(shorter: 40)).classes == 5"
    ));
    for (wrong, expected) in [
        (format!("{stored}, channels: 2)"), "1 or 3 channels, not 2"),
        (
            format!("{stored}) |> normalised(mean: [0.5], sd: [1.0])"),
            "there are 1 numbers, but the images have 3 channels",
        ),
        (format!("{stored}) |> normalised(mean: [0.0, 0.0, 0.0], sd: [1.0, 1.0, 0.0])"), "a standard deviation is 0"),
        ("digits() |> prepared(shorter: 9)".to_owned(), "one size already"),
        ("digits() |> augmented(by: [jitter(hue: 0.1)])".to_owned(), "no pictures in bytes"),
        (format!("{stored}) |> augmented(by: [resized_crop(area: 2.0)])"), "the least area is 2"),
        (format!("{stored}) |> augmented(by: [jitter(hue: 0.6)])"), "the strength of a change is 0.6"),
    ] {
        let found = mistake(&format!("let x = {wrong}"));
        assert!(found.0.contains(expected), "{wrong}: {found:?}");
    }
}

#[test]
fn mathematics_is_mathematics() {
    hold("expect abs(-3) == 3  expect abs(-0.5) == 0.5  expect min(2, 1) == 1  expect max(2ep, 3ep) == 3ep");
    hold("expect floor(-0.5) == -1  expect round(2.5) == 2  expect round(3.5) == 4  expect mod(-1, 3) == 2");
    hold("expect float(2) == 2.0  expect fraction(20%) == 0.2  expect ratio(0.2) == 20%  expect sqrt(9.0) == 3.0");
    hold("expect clamp(1.5, 0.0, 1.0) == 1.0  expect exp(0.0) == 1.0  expect ln(1.0) == 0.0  expect cos(0.0) == 1.0");
    hold("expect abs(cos(pi) + 1.0) < 1e-15  expect abs(10% - 30%) == 20pp");
}

#[test]
fn records_spread_and_match() {
    hold(
        "let a = { x: 1, y: 2 }  let b = { ..a, y: 3 }  let { x, y } = b  expect x + y == 4  expect b == { x: 1, y: 3 }",
    );
    hold("let (a, b) = (1, true)  expect b and a == 1");
}

#[test]
fn closures_see_where_they_were_made() {
    let text = "fn adder(n: Int) -> Int -> Int { x => x + n }\nlet n = 100\ntest \"t\" { expect adder(2)(3) == 5 expect n == 100 }";
    assert!(run(text).unwrap().tests_pass());
}

#[test]
fn definitions_need_no_order() {
    let text = "let b = a + 1\nlet a = f(1)\nfn f(x: Int) -> Int { x + c }\nlet c = 40\ntest \"t\" { expect b == 42 }";
    assert!(run(text).unwrap().tests_pass());
}

#[test]
fn schedules_are_functions_of_the_step() {
    hold(
        "let s = drops(0.1, at: [2ep, 4ep], by: 0.5)  expect s(0ep) == 0.1  expect s(2ep) == 0.05  expect s(5ep) == 0.025",
    );
    hold("let s = drops(0.1, at: [], by: 0.5) |> warmup(10it)  expect s(5it) == 0.05  expect s(20it) == 0.1");
    hold("expect monotone(cubic(to: 90%, from: 0ep, until: 10ep), over: 0ep..=10ep)");
    hold("expect not monotone(cosine(0.1, until: 10ep), over: 0ep..=10ep)");
}

#[test]
fn a_failing_test_shows_both_sides() {
    assert_eq!(failures("expect 1 + 1 == 3"), ["2 == 3"]);
    assert_eq!(failures("expect 19% > 20%"), ["19% > 20%"]);
}

#[test]
fn recursion_without_end_is_a_mistake() {
    let (message, id) = mistake("fn f(n: Int) -> Int { f(n + 1) }\nlet x = f(0)");
    assert!(message.contains("nested"), "{message}");
    assert_eq!(id, "PD0302");
    let (_, id) =
        mistake("fn f(n: Int) -> Int { 1 + (if true { [f(n + 1)] |> map(x => x) |> sum } else { 0 }) }\nlet x = f(0)");
    assert_eq!(id, "PD0302");
}

#[test]
fn a_thousand_open_calls_are_fine() {
    hold("expect fold(0..900, start: x => x, (f, i) => x => f(x) + 1)(0) == 900");
}

#[test]
fn work_without_end_is_a_mistake() {
    assert_eq!(mistake("let x = (0..1000000000) |> sum").1, "PD0301");
    assert_eq!(mistake("let x = iterate(0, times: 100000000, (x, r) => x + 1) |> last").1, "PD0301");
    assert_eq!(mistake("let x = fold(0..30, start: [1], (xs, i) => xs ++ xs) |> len").1, "PD0301");
}

#[test]
fn deeply_nested_values_are_dropped_without_harm() {
    let text = "let x = fold(0..100000, start: [0], (xs, i) => [xs[0]])\nlet f = fold(0..100000, start: x => x, (f, i) => x => f(x))";
    assert!(run_unchecked(text).is_ok());
}

#[test]
fn numbers_beyond_the_range_are_mistakes() {
    assert_eq!(mistake("let x = 10 ^ 30").1, "PD0303");
    assert_eq!(mistake("let x = 9223372036854775807 + 1").1, "PD0303");
    assert_eq!(mistake("let x = floor(1e30)").1, "PD0303");
    assert_eq!(mistake("let x = 10% / 0%").1, "PD0304");
    assert_eq!(mistake("let x = 1ep / 0ep").1, "PD0304");
    assert_eq!(mistake("let x = mod(1, 0)").1, "PD0304");
    hold("expect 1.0 / 0.0 > 1e30");
}

#[test]
fn missing_elements_are_mistakes() {
    assert_eq!(mistake("let x = [1, 2][2]"), ("there is no element 2 in a list of 2".to_owned(), "PD0305"));
    assert_eq!(mistake("let x = [1, 2][-1]").1, "PD0305");
    assert_eq!(mistake("let x = first([1] |> keep(x => x > 1))").1, "PD0305");
    assert_eq!(mistake("let x = zip([1], [1, 2])").1, "PD0312");
}

#[test]
fn steps_without_a_common_unit_do_not_compare() {
    let (message, id) = mistake("let x = 10ep > 500it");
    assert_eq!(id, "PD0311");
    assert!(message.starts_with("`10ep` and `500it` cannot be compared"), "{message}");
    assert_eq!(mistake("let x = 10ep / 500it").1, "PD0311");
}

#[test]
fn one_mistake_is_reported_once() {
    let errors = run_unchecked("let a = [1][5]\nlet b = a + 1\nlet c = b + a\nlet d = 1ep / 0ep").unwrap_err();
    let ids: Vec<_> = errors.iter().map(|error| error.code.id).collect();
    assert_eq!(ids, ["PD0305", "PD0304"]);
}

#[test]
fn parameters_take_values_from_outside() {
    let text = "param rounds: Int = 10 where rounds >= 1 and rounds <= 30\nparam rate: Ratio = 20%\nparam lr: Float = 0.1\n\
                param at: List[Step] = [1ep]\ntest \"t\" { expect rounds == 3 expect rate == 30% expect lr == 1.0 expect len(at) == 2 }";
    let settings = [("rounds", "1"), ("rounds", "1 + 2"), ("rate", "30%"), ("lr", "1"), ("at", "[1ep, 20it]")];
    let program = run_with(text, &settings).unwrap();
    assert!(program.tests_pass(), "{:?}", program.tests);
    let shown: Vec<_> = program.params.iter().map(|param| param.value.as_str()).collect();
    assert_eq!(shown, ["3", "30%", "1.0", "[1ep, 20it]"]);
    assert!(program.params.iter().all(|param| param.overridden));
}

#[test]
fn parameters_refuse_what_does_not_fit() {
    let text = "param rounds: Int = 10 where rounds <= 30\nparam rate: Ratio = 20%";
    let wrong = |name, value| {
        let errors = run_with(text, &[(name, value)]).unwrap_err();
        (errors[0].code.id, errors[0].message.clone(), errors[0].help.clone().unwrap_or_default())
    };
    let (id, message, _) = wrong("rounds", "40");
    assert_eq!((id, message.as_str()), ("PD0306", "`rounds` is 40, but `rounds <= 30` must hold"));
    let (id, message, help) = wrong("rate", "0.2");
    assert_eq!((id, message.as_str()), ("PD0308", "`rate` is a Ratio, but `0.2` is a float"));
    assert_eq!(help, "write `20%`");
    let (id, _, help) = wrong("round", "3");
    assert_eq!((id, help.as_str()), ("PD0307", "did you mean `rounds`?"));
    assert!(run_with(text, &[("rounds", "1 +")]).is_err());
    assert_eq!(run_with("param n: Int", &[]).unwrap_err()[0].code.id, "PD0309");
}

#[test]
fn the_plan_does_not_branch_on_measurements() {
    let state = "let s = tiny_resnet(classes: 10) |> init(first(seeds(1)))\n";
    let (_, id) = mistake(&format!("{state}let x = if evaluate(s, digits().val).top1 > 50% {{ 1 }} else {{ 2 }}"));
    assert_eq!(id, "PD0310");
    assert_eq!(mistake(&format!("{state}test \"t\" {{ expect evaluate(s, digits().val).top1 > 50% }}")).1, "PD0331");
}

#[test]
fn evaluation_alone_reports_values_of_the_wrong_kind() {
    for text in [
        "let x = 1 + \"a\"",
        "let x = 20% * 2ep * 1h",
        "let x = not 1",
        "let x = if 1 { 2 } else { 3 }",
        "let x = 5(3)",
        "let x = sum(5)",
        "let x = { a: 1 }.b",
        "let x = [1].a",
        "let x = 1[0]",
        "let (a, b) = 5",
        "let x = (for y in 5 { y })",
        "let x = map([1], (a, b) => a)",
        "let x = seeds(m: 3)",
        "let x = seeds(1, 2)",
        "let x = seeds(-1)",
        "let x = conv(0, kernel: 3)",
        "let x = \"a\" < 1",
        "let x = arch(5, channels: 1, size: 8)",
        "let x = sweep s in seeds(2) { 5 }",
        "let x = (x => x) == (x => x)",
        "let x = criterion(p => p.nothing)",
        "let x = criterion(p => \"a\")",
        "let x = sgd(lr: \"a\", batch: 1)",
        "let x = sgd(lr: 0.1, momentum: 2.0, batch: 1)",
        "let x = sgd(lr: 0.1, nesterov: true, batch: 1)",
        "let x = adamw(lr: 0.1, beta1: 1.0, batch: 1)",
        "let x = adamw(lr: 0.1, epsilon: 0.0, batch: 1)",
        "let x = { ..adamw(lr: 0.1, batch: 1), momentum: 0.9 }",
        "let x = pruner(magnitude)",
        "let x = pruner(magnitude, remove: 20%, to: 30%)",
        "let x = shapes(size: 33)",
        "plot x = 5",
        "table x = 5",
        "claim x \"x\" = 5",
        "expect 5",
    ] {
        let errors = run_unchecked(text).expect_err(text);
        assert!(errors.iter().all(|error| error.code.id.starts_with("PD03")), "{text}: {errors:?}");
        assert!(errors.iter().all(|error| !error.labels.is_empty()), "{text}: {errors:?}");
    }
}

#[test]
fn a_mistake_inside_the_library_points_at_the_users_call() {
    let errors = run_unchecked("let rate = warmup(0.1, over: 0ep)(1ep)").unwrap_err();
    assert_eq!(errors[0].labels.len(), 2);
    assert_eq!(errors[0].labels[0].text, "in this call");
    assert!(errors[0].labels[0].span.start as usize >= IMPORTS.len());
}

#[test]
fn the_sum_of_nothing_has_the_unit_of_its_elements() {
    let none = failures(
        "let none = [] |> map(n => n * 1ep)
         expect 3ep - sum(none) == 3ep
         expect 0.5 + sum([] |> map(x => x * 0.5)) == 0.5
         expect sum([] |> map(r => r - 10%)) == 0pp",
    );
    assert_eq!(none, Vec::<String>::new());
}

#[test]
fn a_value_that_the_library_refuses_is_marked_where_the_user_wrote_it() {
    let text = "let net = resnet20(classes: 10, channels: 1, size: 0)";
    let errors = run_unchecked(text).unwrap_err();
    let (at, size) = (errors[0].labels[0].span, IMPORTS.len() + text.find("0)").unwrap());
    assert_eq!((at.start as usize, at.end as usize), (size, size + 1), "{:?}", errors[0]);
}
