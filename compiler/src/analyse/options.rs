//! What a caller may choose.

use crate::ast::Dialect;
use crate::limits::COMPILE_ERRORS_MAX;
use gavel_runtime::bytecode::Sleep;
use gavel_runtime::value::Constant;

/// Options of an analysis.
#[derive(Clone, Debug)]
pub struct AnalyseOptions {
    /// Builtins that do not exist for the program.
    pub disallowed_builtins: Vec<String>,
    /// Builtins that go out into the network are allowed; whoever runs the program has to lend the machine one.
    pub network: bool,
    /// The builtins of OPA's own test binary exist too, and `test.sleep` waits so.
    pub harness: Option<Sleep>,
    /// Strict mode: unused variables, parameters and imports, and v1's rules for names, in every module.
    pub strict: bool,
    /// Errors after which no more are reported, as a last one says then. `None`: all.
    pub error_limit: Option<usize>,
    /// The base document, an object.
    pub base: Option<Constant>,
    /// Rules may stand where the base document has something, which they hide then: OPA without its check of paths.
    pub rules_over_base: bool,
    /// METADATA blocks were checked by the parser ([`ParseOptions::annotations`](crate::parse::ParseOptions::annotations)),
    /// must not contradict each other, and their schemas are types. Off: they are read, in every module, only if some rule
    /// calls `rego.metadata.*`, and say nothing about types; so does OPA in programs that embed it and do not ask for more.
    pub annotations: bool,
    /// Takes builtins that this version cannot run. Only for tools that evaluate nothing.
    pub keep_unsupported: bool,
    /// A query that is one expression without variables yields its value.
    pub query_value: bool,
    /// Variables that a query declares are its own, not among its results: OPA's evaluator below its commands.
    pub query_keeps_declared: bool,
    /// How queries were parsed: which `not` they mean.
    pub query_dialect: Dialect,
}

impl Default for AnalyseOptions {
    /// OPA's defaults.
    fn default() -> AnalyseOptions {
        AnalyseOptions {
            disallowed_builtins: Vec::new(),
            harness: None,
            network: false,
            strict: false,
            error_limit: Some(COMPILE_ERRORS_MAX),
            base: None,
            rules_over_base: false,
            annotations: false,
            keep_unsupported: false,
            query_value: false,
            query_keeps_declared: false,
            query_dialect: Dialect::default(),
        }
    }
}
