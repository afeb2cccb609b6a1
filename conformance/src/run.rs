//! One case: compile its modules and its query, evaluate, hand back what came out.

use crate::case::{Case, Dialect, Want, WantError};
use crate::json;
use crate::outcome::Outcome;
use crate::reference::{self, Request, Stop};
use bumpalo::Bump;
use gavel_compiler::analyse::AnalyseOptions;
use gavel_compiler::diagnostic::{Code, Diagnostic};
use gavel_compiler::opt::Passes;
use gavel_compiler::parse::{BaseDialect, BlanketImport, ParseOptions};
use gavel_compiler::rego::{RegoOptions, RegoProgram, checked, checked_query, compile};
use gavel_compiler::source::{FileId, SourceMap, Span};
use gavel_runtime::bytecode::verify;
use gavel_runtime::limits::Limits;
use gavel_runtime::value::Constant;
use gavel_runtime::vm::{RequestEnv, Vm};
use std::time::{SystemTime, UNIX_EPOCH};

/// How cases are run.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// The passes of the optimiser that run.
    pub optimise: Passes,
    /// The reference evaluator answers in place of the VM, whatever the optimiser does.
    pub reference: bool,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            optimise: Passes::ALL,
            reference: false,
        }
    }
}

/// The clock that the data was made with.
const WALL_NS: i64 = 1_700_000_000_000_000_000;

/// Seed of the runs.
const SEED: u64 = 1;

/// The clock of a case.
fn wall_ns(case: &Case) -> i64 {
    let today = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let today = today.and_then(|time| i64::try_from(time.as_nanos()).ok());
    today.filter(|_| case.of_opa_suite).unwrap_or(WALL_NS)
}

/// Compiles and evaluates.
#[must_use]
pub fn run(case: &Case, options: &RunOptions) -> Outcome {
    let setup = Setup::of(case, options.optimise);
    match setup.compile() {
        Ok(_) if options.reference => interpret(case, &setup),
        Ok(compiled) => evaluate(case, compiled),
        Err(problems) => refused(&setup, &problems),
    }
}

/// The texts of a case, and how they are compiled.
pub(crate) struct Setup {
    sources: SourceMap,
    modules: Vec<FileId>,
    query: Option<FileId>,
    rego: RegoOptions,
}

impl Setup {
    /// As the case says.
    pub(crate) fn of(case: &Case, optimise: Passes) -> Setup {
        let mut sources = SourceMap::default();
        let modules = case.modules.iter().enumerate();
        let modules = modules.map(|(index, text)| sources.add_file(&format!("test-{index}.rego"), text));
        let modules = modules.collect();
        let query = case.query.as_ref().map(|text| sources.add_file("query", text));
        let base = match case.dialect {
            Dialect::V0 => BaseDialect::V0,
            Dialect::V1 => BaseDialect::V1,
            Dialect::V2 => BaseDialect::V2,
        };
        let rego = RegoOptions {
            parse: ParseOptions {
                base,
                blanket_import: BlanketImport::Opa,
                annotations: !case.of_opa_suite,
            },
            analyse: AnalyseOptions {
                strict: case.strict,
                base: case.data.clone(),
                annotations: !case.of_opa_suite,
                harness: case.of_opa_suite.then_some(std::thread::sleep),
                rules_over_base: case.of_opa_suite,
                query_keeps_declared: true,
                error_limit: case.error_limit,
                ..AnalyseOptions::default()
            },
            optimise,
            strict_builtins: case.strict_builtins,
            trace: false,
            spellings: case.input_term.is_some() || case.input.as_ref().is_some_and(Constant::has_spelling),
        };
        Setup {
            sources,
            modules,
            query,
            rego,
        }
    }

    /// The program, or why it is refused.
    pub(crate) fn compile(&self) -> Result<RegoProgram, Vec<Diagnostic>> {
        compile(&self.sources, &self.modules, self.query, &self.rego)
    }
}

fn refused(setup: &Setup, problems: &[Diagnostic]) -> Outcome {
    if problems.iter().all(|problem| problem.code == Code::Unsupported)
        && let Some(first) = problems.first()
    {
        return Outcome::Unsupported(first.message.clone());
    }
    let errors = problems
        .iter()
        .filter(|problem| problem.code != Code::Unsupported)
        .map(|problem| {
            let position = problem.span.map(|span| setup.sources.position(span));
            // What stands in the query belongs to no module.
            let file = problem
                .span
                .map(|span| span.file)
                .filter(|file| Some(*file) != setup.query);
            WantError {
                code: problem.code.as_str().to_owned(),
                module: file.map_or(0, |file| file.0 as usize),
                row: position.map_or(0, |p| p.row),
                col: problem.span.map_or(0, |span| column(&setup.sources, span)),
                message: problem.message.clone(),
            }
        });
    Outcome::Refused(errors.collect())
}

/// OPA's column: at the end of the text, and at a line end (an empty place behind it), it is one less than that of a
/// character there would be.
fn column(sources: &SourceMap, span: Span) -> u32 {
    let text = &sources.source(span.file).text;
    let at_end = span.start as usize >= text.len();
    let behind_line = span.start == span.end
        && (span.start as usize)
            .checked_sub(1)
            .and_then(|before| text.as_bytes().get(before))
            == Some(&b'\n');
    sources
        .position(span)
        .col
        .saturating_sub(u32::from(at_end || behind_line))
}

fn evaluate(case: &Case, compiled: RegoProgram) -> Outcome {
    let Some(query) = compiled.query else {
        return match case.want {
            Want::Errors(_) => Outcome::Solutions(Vec::new()),
            _ => Outcome::Broken("no query".to_owned()),
        };
    };
    let program = match verify(compiled.program) {
        Ok(program) => program,
        Err(error) => return Outcome::Broken(format!("does not verify: {error:?}")),
    };
    let mut vm = Vm::new(&Limits::DEFAULT);
    let env = RequestEnv::timeless(wall_ns(case), SEED);
    let mut request = vm.request(&program, &env);
    let input = match input(case) {
        Ok(input) => input,
        Err(outcome) => return outcome,
    };
    let value = match input
        .as_ref()
        .map(|input| input.to_value(request.arena()))
        .transpose()
    {
        Ok(value) => value,
        Err(kind) => return Outcome::Aborted(kind.code()),
    };
    request.set_input(value);
    match request.call(query.entry) {
        Err(error) => Outcome::Aborted(error.kind.code()),
        Ok(None) => Outcome::Solutions(Vec::new()),
        Ok(Some(solutions)) => {
            let Some(Constant::Array(solutions)) = solutions.to_constant() else {
                return Outcome::Broken("the query's result is no list".to_owned());
            };
            Outcome::Solutions(
                solutions
                    .into_iter()
                    .map(|values| bind(&query.bindings, values))
                    .collect(),
            )
        }
    }
}

/// The second opinion on modules that compile.
fn interpret(case: &Case, setup: &Setup) -> Outcome {
    let Setup {
        sources,
        modules,
        query,
        rego,
    } = setup;
    let Some(query) = *query else {
        return Outcome::Solutions(Vec::new());
    };
    let bump = Bump::new();
    let parts = checked(sources, modules, rego, &bump)
        .and_then(|unit| checked_query(sources, &unit, query, rego, &bump).map(|query| (unit, query)));
    let (unit, query) = match parts {
        Ok(parts) => parts,
        Err(problems) => return refused(setup, &problems),
    };
    let request = Request {
        input: match input(case) {
            Ok(input) => input,
            Err(outcome) => return outcome,
        },
        strict_builtins: case.strict_builtins,
        wall_ns: wall_ns(case),
        seed: SEED,
        sleep: rego.analyse.harness,
    };
    match reference::evaluate(&unit.0, &query, &request) {
        Err(Stop::Error(kind)) => Outcome::Aborted(kind.code()),
        Err(Stop::Strange(what)) => Outcome::Broken(format!("not interpreted: {what}")),
        Ok(solutions) => {
            let names: Vec<String> = query.bindings.into_iter().map(|(name, _)| name).collect();
            let solutions = solutions.into_iter().map(Constant::Array);
            Outcome::Solutions(solutions.map(|values| bind(&names, values)).collect())
        }
    }
}

fn input(case: &Case) -> Result<Option<Constant>, Outcome> {
    match (&case.input_term, &case.input) {
        (Some(term), _) => term_value(term).map(Some),
        (None, input) => Ok(input.clone()),
    }
}

fn bind(names: &[String], values: Constant) -> Constant {
    let Constant::Array(values) = values else {
        return values;
    };
    Constant::object(names.iter().cloned().map(Constant::String).zip(values).collect())
}

/// The value of an input given as a Rego term: the result of a query.
fn term_value(term: &str) -> Result<Constant, Outcome> {
    let case = Case {
        query: Some(format!("x = {term}")),
        ..Case::default()
    };
    match run(&case, &RunOptions::default()) {
        Outcome::Solutions(solutions) => match solutions.first().and_then(|solution| solution.get("x")) {
            Some(value) => Ok(value.clone()),
            None => Err(Outcome::Broken(format!(
                "input term: {}",
                json::text(&Constant::Array(solutions))
            ))),
        },
        other => Err(other),
    }
}
