//! `gavel test decision`.
use crate::cli::args::{DecisionArgs, Global};
use crate::error::Failure;

pub(crate) fn run(_args: &DecisionArgs, _global: &Global) -> Result<(), Failure> {
    Err(Failure::Usage(
        "test decision is not supported by this version".to_owned(),
    ))
}
