//! One case: compile its modules and its query, evaluate, hand back what came out.

use crate::case::{Case, Dialect, Want, WantError};
use crate::json;
use crate::outcome::Outcome;
use gavel_compiler::analyse::AnalyseOptions;
use gavel_compiler::diagnostic::{Code, Diagnostic};
use gavel_compiler::parse::{BaseDialect, BlanketImport, ParseOptions};
use gavel_compiler::rego::{RegoOptions, RegoProgram, compile};
use gavel_compiler::source::{FileId, SourceMap};
use gavel_runtime::bytecode::verify;
use gavel_runtime::limits::Limits;
use gavel_runtime::value::Constant;
use gavel_runtime::vm::{RequestEnv, Vm};

/// How cases are run.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// The optimiser is on.
    pub optimise: bool,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions { optimise: true }
    }
}

/// The clock that the data was made with.
const WALL_NS: i64 = 1_700_000_000_000_000_000;

/// Compiles and evaluates.
#[must_use]
pub fn run(case: &Case, options: &RunOptions) -> Outcome {
    let mut sources = SourceMap::default();
    let modules: Vec<FileId> = case
        .modules
        .iter()
        .enumerate()
        .map(|(index, text)| sources.add_file(&format!("test-{index}.rego"), text))
        .collect();
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
            annotations: true,
        },
        analyse: AnalyseOptions {
            strict: case.strict,
            base: case.data.clone(),
            annotations: true,
            ..AnalyseOptions::default()
        },
        optimise: options.optimise,
        strict_builtins: case.strict_builtins,
        trace: false,
    };
    match compile(&sources, &modules, query, &rego) {
        Ok(compiled) => evaluate(case, compiled),
        Err(problems) => refused(&sources, &problems),
    }
}

fn refused(sources: &SourceMap, problems: &[Diagnostic]) -> Outcome {
    if problems.iter().all(|problem| problem.code == Code::Unsupported)
        && let Some(first) = problems.first()
    {
        return Outcome::Unsupported(first.message.clone());
    }
    let errors = problems
        .iter()
        .filter(|problem| problem.code != Code::Unsupported)
        .map(|problem| {
            let position = problem.span.map(|span| sources.position(span));
            WantError {
                code: problem.code.as_str().to_owned(),
                module: problem.span.map_or(0, |span| span.file.0 as usize),
                row: position.map_or(0, |p| p.row),
                col: position.map_or(0, |p| p.col),
                message: problem.message.clone(),
            }
        });
    Outcome::Refused(errors.collect())
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
    let env = RequestEnv {
        wall_ns: WALL_NS,
        seed: 1,
        monotonic_ns: || 0,
        deadline_ns: None,
    };
    let mut request = vm.request(&program, &env);
    let input = match (&case.input_term, &case.input) {
        (Some(term), _) => match term_value(term) {
            Ok(value) => Some(value),
            Err(outcome) => return outcome,
        },
        (None, input) => input.clone(),
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
