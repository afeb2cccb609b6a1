//! Which Rego the flags ask for.

use bumpalo::Bump;
use gavel_compiler::diagnostic::{Code, Diagnostic};
use gavel_compiler::parse::{BaseDialect, ParseOptions, parse_module};
use gavel_compiler::source::SourceMap;

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

/// What to say when modules do not parse that another dialect reads.
pub(crate) fn advice(
    sources: &SourceMap,
    problems: &[Diagnostic],
    parse: ParseOptions,
) -> Option<&'static str> {
    let (other, advice) = match parse.base {
        BaseDialect::V0 => (
            BaseDialect::V1,
            "this is Rego v1: add --v1-compatible, or `import rego.v1`",
        ),
        BaseDialect::V1 | BaseDialect::V2 => (BaseDialect::V0, "this is Rego v0: leave --v1-compatible out"),
    };
    let options = ParseOptions { base: other, ..parse };
    let mut broken = problems
        .iter()
        .filter(|problem| problem.code == Code::RegoParse)
        .filter_map(|problem| problem.span.map(|span| span.file))
        .peekable();
    broken.peek()?;
    broken
        .all(|file| parse_module(&Bump::new(), sources, file, options).is_ok())
        .then_some(advice)
}
