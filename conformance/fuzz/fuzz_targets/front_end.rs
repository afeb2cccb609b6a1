//! libFuzzer drives [`Target::FrontEnd`].
#![no_main]

use gavel_conformance::fuzz::{Finding, Target};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(Finding(what)) = Target::FrontEnd.run(bytes) {
        panic!("{what}");
    }
});
