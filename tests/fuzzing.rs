//! The laws that the fuzzer hunts for exceptions to, on bytes that are drawn anew in each run.

#[path = "fuzz/mod.rs"]
mod fuzz;

use std::fs;
use std::path::Path;

use fuzz::laws;
use proptest::prelude::*;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..600)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(bytes in bytes()) {
        laws::parse(&bytes);
    }

    #[test]
    fn what_is_printed_means_the_same(bytes in bytes()) {
        laws::parse_print_parse(&bytes);
    }

    #[test]
    fn what_is_accepted_raises_no_type_error(bytes in bytes()) {
        laws::check(&bytes);
    }

    #[test]
    fn keys_are_of_what_is_said(bytes in bytes()) {
        laws::canon(&bytes);
    }
}

/// Inputs that broke a law once.
#[test]
fn what_was_found_stays_mended() {
    let laws = [
        ("parse", laws::parse as fn(&[u8])),
        ("parse_print_parse", laws::parse_print_parse),
        ("check", laws::check),
        ("canon", laws::canon),
    ];
    let mut inputs = 0;
    for (name, law) in laws {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found").join(name);
        for entry in fs::read_dir(folder).into_iter().flatten() {
            law(&fs::read(entry.unwrap().path()).unwrap());
            inputs += 1;
        }
    }
    assert!(inputs > 0, "no inputs at tests/fuzz/found");
}
