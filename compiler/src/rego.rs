//! Rego modules and a query in, a program out: every stage in order, for tools that run Rego by itself.

use crate::analyse::{AnalyseOptions, analyse, analyse_query};
use crate::ast::Module;
use crate::diagnostic::Diagnostic;
use crate::emit::{EmitOptions, ProgramBuilder};
use crate::fold::Folding;
use crate::hir::{Checked, Query, QueryShape};
use crate::opt::{Change, OptOptions, Passes};
use crate::parse::{BaseDialect, ParseOptions, parse_module, parse_query};
use crate::plan::{Plan, Request, plan};
use crate::source::{FileId, SourceMap};
use bumpalo::Bump;
use gavel_runtime::bytecode::{FnId, RawProgram};

/// How modules are compiled.
#[derive(Clone, Debug, Default)]
pub struct RegoOptions {
    /// Dialect of the modules.
    pub parse: ParseOptions,
    /// Checks and capabilities; the base document.
    pub analyse: AnalyseOptions,
    /// The passes of the optimiser that run.
    pub optimise: Passes,
    /// Failing builtins abort.
    pub strict_builtins: bool,
    /// The program can be traced. It should not be optimised then, or the trace shows what is left.
    pub trace: bool,
    /// The input that the program is for has numbers that are not spelled as their values are printed.
    pub spellings: bool,
}

/// A compiled query.
#[derive(Clone, Debug)]
pub struct QueryEntry {
    /// Yields one array of values for each solution.
    pub entry: FnId,
    /// Name of each value.
    pub bindings: Vec<String>,
    /// What a solution is; without bindings asked for, the only value is the query's own.
    pub shape: QueryShape,
}

/// Modules and query as a program.
#[derive(Clone, Debug)]
pub struct RegoProgram {
    /// Unverified.
    pub program: RawProgram,
    /// Present when a query was given. Queries are v1, whatever the modules are.
    pub query: Option<QueryEntry>,
    /// The texts that the program's sources are, by their numbers.
    pub files: Vec<FileId>,
}

/// Compiles.
///
/// # Errors
/// All errors of the first stage that has any.
pub fn compile(
    sources: &SourceMap,
    modules: &[FileId],
    query: Option<FileId>,
    options: &RegoOptions,
) -> Result<RegoProgram, Vec<Diagnostic>> {
    let bump = Bump::new();
    let unit = checked(sources, modules, options, &bump)?;
    let query = query
        .map(|file| checked_query(sources, &unit, file, options, &bump))
        .transpose()?;
    let plan = planned(&unit, query.as_slice(), options)?;
    let mut builder = ProgramBuilder::new(EmitOptions {
        strict_builtins: options.strict_builtins,
        trace: options.trace,
        sleep: options.analyse.harness,
    });
    let entries = builder
        .add_unit(&plan, sources)
        .map_err(|problem| vec![problem])?;
    let query = query
        .zip(entries.queries.first())
        .map(|(query, entry)| QueryEntry {
            entry: *entry,
            shape: query.shape,
            bindings: query.bindings.into_iter().map(|(name, _)| name).collect(),
        });
    Ok(RegoProgram {
        files: builder.files(),
        program: builder.finish(),
        query,
    })
}

/// Up to the checked unit.
///
/// # Errors
/// As [`compile`].
pub fn checked(
    sources: &SourceMap,
    modules: &[FileId],
    options: &RegoOptions,
    bump: &Bump,
) -> Result<Checked, Vec<Diagnostic>> {
    let mut parsed: Vec<Module<'_>> = Vec::new();
    let mut problems = Vec::new();
    for file in modules {
        match parse_module(bump, sources, *file, options.parse) {
            Ok(module) => parsed.push(module),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    analyse(sources, &parsed, &options.analyse)
}

/// A query checked against a unit.
///
/// # Errors
/// As [`compile`].
pub fn checked_query(
    sources: &SourceMap,
    unit: &Checked,
    file: FileId,
    options: &RegoOptions,
    bump: &Bump,
) -> Result<Query, Vec<Diagnostic>> {
    let parse = ParseOptions {
        base: BaseDialect::V1,
        ..options.parse
    };
    let body = parse_query(bump, sources, file, parse)?;
    analyse_query(sources, unit, &body, &options.analyse)
}

/// The optimised plan of a unit: all its rules, for dumps and queries.
///
/// # Errors
/// What the planner refuses, by name.
pub fn planned(unit: &Checked, queries: &[Query], options: &RegoOptions) -> Result<Plan, Vec<Diagnostic>> {
    planned_seen(unit, queries, options, None)
}

/// As [`planned`]; `seen` is told what each pass changes.
///
/// # Errors
/// As [`planned`].
pub fn planned_seen(
    unit: &Checked,
    queries: &[Query],
    options: &RegoOptions,
    seen: Option<&dyn Fn(&Change<'_>)>,
) -> Result<Plan, Vec<Diagnostic>> {
    let mut entries: Vec<Vec<String>> = Vec::new();
    if queries.is_empty() {
        for module in &unit.0.modules {
            if !entries.contains(&module.package) {
                entries.push(module.package.clone());
            }
        }
    }
    let plan = plan(
        unit,
        Request {
            entries: &entries,
            queries,
            trace: options.trace,
            spellings: options.spellings,
            strict_builtins: options.strict_builtins,
        },
    )?;
    let passes = OptOptions {
        passes: options.optimise,
        strict_builtins: options.strict_builtins,
        seen,
        ..OptOptions::default()
    };
    Ok(Folding::default().optimise(plan, &passes))
}
