//! Which Rego the flags ask for.

use gavel_compiler::parse::BaseDialect;

use crate::cli::args::DialectArgs;
use crate::log::{self, Level};

/// `--no-opa-flags` and `--v1-compatible` mean v1; else the text of `--opa-flags`, of `$MPE_CLI_OPA_FLAGS` or the default
/// decides. A text that names neither dialect gets a warning and v0, as in the reference.
pub(crate) fn of(args: &DialectArgs) -> BaseDialect {
    let from_environment = || {
        std::env::var("MPE_CLI_OPA_FLAGS")
            .ok()
            .filter(|text| !text.is_empty())
    };
    if args.no_opa_flags || args.v1_compatible {
        return BaseDialect::V1;
    }
    let Some(text) = args
        .opa_flags
        .clone()
        .filter(|text| !text.is_empty())
        .or_else(from_environment)
    else {
        return BaseDialect::V0;
    };
    let lower = text.to_lowercase();
    if lower.contains("--v0-compatible") {
        BaseDialect::V0
    } else if lower.contains("--v1-compatible") {
        BaseDialect::V1
    } else {
        log::line(
            Level::Warn,
            format_args!("WARNING: Unrecognized OPA flags '{text}', defaulting to v0"),
        );
        BaseDialect::V0
    }
}
