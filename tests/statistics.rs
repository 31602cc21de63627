//! Statistics against values of scipy and statsmodels, made by `tests/reference/statistics.py`.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use pdsl::stats::{self, Difference, Test, student};
use serde_json::Value;

fn fixture() -> Value {
    serde_json::from_str(include_str!("reference/statistics.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn assert_close(what: &str, found: f64, expected: &Value) {
    assert_within(what, found, expected, 0.0);
}

/// Relative to the larger, plus `noise` where the exact value is zero and both sides only round.
fn assert_within(what: &str, found: f64, expected: &Value, noise: f64) {
    let expected = expected.as_f64().unwrap();
    let tolerance = 1e-7 * found.abs().max(expected.abs()) + noise;
    assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected}");
}

fn assert_test(what: &str, found: Test, expected: &Value) {
    assert_within(&format!("{what} t"), found.t, &expected["t"], 1e-12);
    assert_close(&format!("{what} df"), found.df, &expected["df"]);
    assert_close(&format!("{what} p"), found.p, &expected["p"]);
}

#[test]
fn descriptions() {
    for case in fixture()["comparisons"].as_array().unwrap() {
        let (x, expected) = (numbers(&case["x"]), &case["describe"]);
        assert_close("mean", stats::mean(&x), &expected["mean"]);
        assert_close("sd", stats::sd(&x), &expected["sd"]);
        let interval = stats::mean_interval(&x, 0.95).unwrap();
        assert_close("low", interval.low, &expected["ci95"][0]);
        assert_close("high", interval.high, &expected["ci95"][1]);
        for pair in expected["quantiles"].as_array().unwrap() {
            assert_close("quantile", stats::quantile(&x, pair[0].as_f64().unwrap()), &pair[1]);
        }
    }
}

#[test]
fn comparisons() {
    for case in fixture()["comparisons"].as_array().unwrap() {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        for (kind, difference) in [
            ("paired", Difference::paired(&x, &y)),
            ("pooled", Difference::pooled(&x, &y)),
            ("welch", Difference::welch(&x, &y)),
        ] {
            let (difference, expected) = (difference.unwrap(), &case[kind]);
            let what = format!("{kind} {x:?} {y:?}");
            assert_test(&what, difference.nonzero(), &expected["differs"]);
            let interval = difference.interval(0.9);
            assert_close(&what, interval.low, &expected["interval90"][0]);
            assert_close(&what, interval.high, &expected["interval90"][1]);
            for tost in expected["tost"].as_array().unwrap() {
                let margin = tost["margin"].as_f64().unwrap();
                let found = difference.within(-margin, margin);
                assert_close(&what, found.p(), &tost["p"]);
                assert_test(&what, found.lower, &tost["lower"]);
                assert_test(&what, found.upper, &tost["upper"]);
            }
        }
    }
}

#[test]
fn corrections_and_distribution() {
    let fixture = fixture();
    for case in fixture["holm"].as_array().unwrap() {
        for (found, expected) in stats::holm(&numbers(&case["p"])).iter().zip(case["adjusted"].as_array().unwrap()) {
            assert_close("holm", *found, expected);
        }
    }
    for case in fixture["tails"].as_array().unwrap() {
        let (t, df) = (case["t"].as_f64().unwrap(), case["df"].as_f64().unwrap());
        assert_close(&format!("P(T > {t}), df {df}"), student::upper_tail(t, df), &case["p"]);
    }
    for case in fixture["critical"].as_array().unwrap() {
        let (tail, df) = (case["tail"].as_f64().unwrap(), case["df"].as_f64().unwrap());
        assert_close(&format!("critical {tail}, df {df}"), student::critical(tail, df), &case["t"]);
    }
}

/// Made by `tests/reference/power.py`.
#[test]
fn power() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("reference/power.json")).unwrap();
    assert!(cases.len() >= 60);
    for case in cases {
        let number = |name: &str| case[name].as_f64().unwrap();
        let (n, effect, alpha) = (number("n") as usize, number("effect"), number("alpha"));
        let (paired, unpaired) = (stats::Design::paired(n, 1.0), stats::Design::unpaired(n, 1.0));
        let what = format!("n {n}, effect {effect}, alpha {alpha}");
        let found = [
            ("paired", paired.differs(effect, alpha)),
            ("larger", paired.not_worse(0.0, effect, alpha)),
            ("unpaired", unpaired.differs(effect, alpha)),
            ("equivalent", paired.equivalent(-2.0, 2.0, effect, alpha)),
        ];
        for (kind, found) in found.into_iter().filter(|(kind, _)| !case[kind].is_null()) {
            assert_within(&format!("{what}: {kind}"), found, &case[kind], 1e-9);
        }
    }
}
