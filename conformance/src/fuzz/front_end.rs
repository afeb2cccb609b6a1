//! Bytes → lexer, layout, parser, in every dialect: no panic, and no second for 64 KiB.

use super::Finding;
use bumpalo::Bump;
use gavel_compiler::parse::{BaseDialect, BlanketImport, ParseOptions, parse_module, parse_query};
use gavel_compiler::source::SourceMap;
use std::time::{Duration, Instant};

/// Longest input that is read.
const BYTES_MAX: usize = 64 << 10;

/// Time that one reading may take.
const TIME_MAX: Duration = Duration::from_secs(10);

pub(super) const SEEDS: &[&str] = &[
    include_str!("seeds/rules.rego"),
    include_str!("seeds/logic.rego"),
    include_str!("seeds/old.rego"),
];

pub(super) const PIECES: &[&str] = &[
    "package",
    "import",
    "rego.v1",
    "rego.v2",
    "future.keywords",
    "default",
    "not",
    "with",
    "as",
    "some",
    "every",
    "in",
    "if",
    "contains",
    "else",
    "and",
    "or",
    "data",
    "input",
    ":=",
    "=",
    "==",
    "!=",
    "<=",
    "|",
    "&",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ",",
    ";",
    ":",
    ".",
    "_",
    "\n",
    "\t",
    " ",
    "#",
    "# METADATA\n",
    "`",
    "\"",
    "$\"",
    "$`",
    "\\",
    "{x |",
    "\\u00",
    "1e",
    "0x",
    "-",
    "set()",
    "\u{feff}",
    "\u{0}",
    "é",
    "\r\n",
    "{{",
    "}}",
    "[[[[[[[[",
    "((((((((",
    "not not ",
    "a.b.c",
    "a[_]",
    "1.5e400",
];

pub(super) fn run(bytes: &[u8]) -> Result<(), Finding> {
    let text = String::from_utf8_lossy(bytes.get(..BYTES_MAX).unwrap_or(bytes));
    for base in [BaseDialect::V0, BaseDialect::V1, BaseDialect::V2] {
        let options = ParseOptions {
            base,
            blanket_import: BlanketImport::Opa,
            annotations: true,
        };
        let mut sources = SourceMap::default();
        let file = sources.add_file("fuzz.rego", &text);
        let bump = Bump::new();
        let start = Instant::now();
        let module = parse_module(&bump, &sources, file, options);
        let query = parse_query(&bump, &sources, file, options);
        let took = start.elapsed();
        if took > TIME_MAX {
            return Err(Finding(format!(
                "{base:?}: reading {} bytes took {took:?}",
                text.len()
            )));
        }
        for problems in module.err().into_iter().chain(query.err()) {
            for problem in problems {
                if let Some(span) = problem.span {
                    // Must stay inside the text.
                    let _ = sources.position(span);
                }
            }
        }
    }
    Ok(())
}
