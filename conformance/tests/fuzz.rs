//! Every fuzz target on some inputs: the targets themselves work, and nothing is found at once.

use gavel_conformance::fuzz::choices::Random;
use gavel_conformance::fuzz::driver::{Drive, drive};
use gavel_conformance::fuzz::{Finding, Target};
use std::time::Duration;

#[test]
fn every_target_runs_and_finds_nothing() {
    let folder = std::env::temp_dir().join(format!("gavel-fuzz-test-{}", std::process::id()));
    for target in Target::ALL {
        let driven = drive(&Drive {
            target: *target,
            time: Duration::from_millis(700),
            seed: 1,
            folder: folder.clone(),
            corpus: Vec::new(),
        });
        let driven = driven.map(|driven| (driven.inputs > 0, driven.findings));
        assert_eq!(driven, Ok((true, 0)), "{}", target.name());
    }
    assert!(std::fs::remove_dir_all(folder).is_ok());
}

#[test]
fn whatever_the_bytes_a_program_is_made() {
    for seed in 0..20 {
        let length = usize::try_from(seed * 37).unwrap_or(0);
        let bytes = Random::new(seed).bytes(length);
        assert_eq!(Target::Programs.run(&bytes), Ok::<(), Finding>(()));
    }
}
