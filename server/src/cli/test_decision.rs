//! `gavel test decision`: one PORC in, its access record out. A denial is a success, too.

use std::io::Write as _;

use gavel_runtime::decision::{Decider, write_json};
use gavel_runtime::input::Trailing;
use gavel_runtime::limits::Limits;

use crate::cli::args::{DecisionArgs, Global};
use crate::cli::load::{self, Loaded, on_a_deep_stack};
use crate::cli::{input, run::refuse_trace};
use crate::desk;
use crate::error::Failure;
use crate::random::Random;

/// Decides once. The domains are loaded before the input is read.
///
/// # Errors
/// Domains or input that cannot be used; then nothing is printed.
pub(crate) fn run(args: &DecisionArgs, global: &Global) -> Result<(), Failure> {
    refuse_trace(global)?;
    let loaded = load::load(&args.domains, global)?;
    let body = input::bytes(args.input.as_deref())?;
    let record = on_a_deep_stack(|| decide(&loaded, &body).map(|(_, record)| record))??;
    std::io::stdout()
        .write_all(&record)
        .map_err(|e| Failure::Operator(format!("standard output: {e}")))
}

/// The decision over one PORC and its record. Unlike the server this refuses text behind the object.
///
/// # Errors
/// A body that is no PORC, or too large to hold.
pub(crate) fn decide(loaded: &Loaded, body: &[u8]) -> Result<(bool, Vec<u8>), Failure> {
    let mut decider = Decider::new(&loaded.image, &Limits::DEFAULT);
    let (env, stamp) = desk::moment(&mut Random::seeded());
    let decision = decider.decide(&loaded.image, body, Trailing::Refuse, &env);
    let decision = decision.map_err(|refusal| Failure::Input(refusal.to_string()))?;
    let (granted, mut frame) = (decision.granted, Vec::new());
    decision.encode(body, stamp, &mut frame);
    let mut record = Vec::new();
    if !write_json(&loaded.image, &frame, &loaded.records, &mut decider, &mut record) {
        return Err(Failure::Input(
            "the access record could not be written".to_owned(),
        ));
    }
    Ok((granted, record))
}
