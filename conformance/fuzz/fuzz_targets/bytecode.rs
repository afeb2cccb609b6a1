//! libFuzzer drives [`Target::Bytecode`].
#![no_main]

use gavel_conformance::fuzz::{Finding, Target};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(Finding(what)) = Target::Bytecode.run(bytes) {
        panic!("{what}");
    }
});
