//! `gavel eval`: one query over modules and documents, its result on standard output as OPA's data API words it.

use std::io::Write as _;
use std::path::Path;

use gavel_compiler::analyse::AnalyseOptions;
use gavel_compiler::diagnostic::{Code, Diagnostic};
use gavel_compiler::hir::QueryShape;
use gavel_compiler::opt::Passes;
use gavel_compiler::parse::{BlanketImport, ParseOptions};
use gavel_compiler::rego::{self, QueryEntry, RegoOptions};
use gavel_compiler::render;
use gavel_compiler::source::{FileId, SourceMap};
use gavel_runtime::bytecode::{Program, verify};
use gavel_runtime::error::EvalError;
use gavel_runtime::json::{Escape, Unprintable, write, write_string};
use gavel_runtime::limits::Limits;
use gavel_runtime::value::{Constant, Kind, Value};
use gavel_runtime::vm::Vm;

use crate::cli::args::{EvalArgs, Global};
use crate::cli::deep_stack::on_a_deep_stack;
use crate::cli::documents::{self, Documents};
use crate::cli::explain::Explain;
use crate::cli::{dialect, input};
use crate::error::Failure;
use crate::random::Random;
use crate::serve::desk;
use crate::trace::show::document;
use crate::trace::{Lines, Texts};

/// Name of the query's text in messages.
const QUERY: &str = "query";

/// Evaluates once. Nothing is printed to standard output unless there is a result, defined or not.
///
/// # Errors
/// Files that cannot be used, everything that the compiler found, or what ended the evaluation.
pub(crate) fn run(args: &EvalArgs, global: &Global) -> Result<(), Failure> {
    if !global.trace_filter.is_empty() {
        let text = "--trace-filter is for the policies and mappers of PolicyDomains, which eval has none of";
        return Err(Failure::Usage(text.to_owned()));
    }
    let trace = match (global.trace, args.explain) {
        (true, _) => Trace::Columns,
        (false, true) => Trace::Explain,
        (false, false) => Trace::Off,
    };
    let parse = ParseOptions {
        base: dialect::of(&args.dialect),
        blanket_import: BlanketImport::Opa,
        annotations: true,
    };
    let output = on_a_deep_stack(|| {
        let documents = documents::load(&args.data, parse)?;
        let input = args.input.as_deref().map(read_input).transpose()?;
        let compiled = compile(args, trace != Trace::Off, documents, parse, input.as_ref())?;
        evaluate(trace, &compiled, input.as_ref())
    })??;
    std::io::stdout()
        .write_all(&output)
        .map_err(|e| Failure::Operator(format!("standard output: {e}")))
}

fn read_input(path: &Path) -> Result<Constant, Failure> {
    let bytes = input::bytes(Some(path))?;
    let name = match path.to_str() {
        Some("-") => "standard input".into(),
        _ => path.to_string_lossy(),
    };
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| Failure::Input(format!("{name}: not UTF-8 from byte {}", error.valid_up_to())))?;
    documents::json_or_yaml(&name, text).map_err(Failure::Input)
}

/// How the evaluation is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trace {
    Off,
    /// With the text of each line.
    Explain,
    /// In OPA's columns.
    Columns,
}

/// A query that runs, and what it was made from.
struct Compiled {
    sources: SourceMap,
    files: Vec<FileId>,
    program: Program,
    query: QueryEntry,
}

fn compile(
    args: &EvalArgs,
    is_traced: bool,
    documents: Documents,
    parse: ParseOptions,
    input: Option<&Constant>,
) -> Result<Compiled, Failure> {
    let Documents {
        mut sources,
        modules,
        base,
    } = documents;
    let file = sources.add_file(QUERY, &args.query);
    let options = RegoOptions {
        parse,
        analyse: AnalyseOptions {
            base: Some(base),
            query_value: true,
            annotations: true,
            ..AnalyseOptions::default()
        },
        // A trace shows the rules as they are written.
        optimise: if is_traced { Passes::NONE } else { Passes::ALL },
        strict_builtins: args.strict_builtin_errors,
        trace: is_traced,
        spellings: input.is_some_and(Constant::has_spelling),
    };
    let compiled = rego::compile(&sources, &modules, Some(file), &options).map_err(|problems| {
        let mut text = render::text(&sources, &problems);
        let advice = dialect::advice(&sources, &problems, parse)
            .or_else(|| query_advice(&problems, file, &args.query));
        if let Some(advice) = advice {
            text.push_str(&format!("help: {advice}\n"));
        }
        // A standard error that is gone leaves nobody to tell.
        let _ = std::io::stderr().write_all(text.as_bytes());
        Failure::Policy(String::new())
    })?;
    let broken = |why: String| Failure::Policy(format!("the query makes no program: {why}"));
    let query = compiled
        .query
        .ok_or_else(|| broken("it has no entry".to_owned()))?;
    let program = verify(compiled.program).map_err(|error| broken(error.to_string()))?;
    Ok(Compiled {
        sources,
        files: compiled.files,
        program,
        query,
    })
}

/// What to say about a query that does not compile, if its author most likely meant something else.
fn query_advice(problems: &[Diagnostic], query: FileId, text: &str) -> Option<&'static str> {
    let mut own = problems
        .iter()
        .filter(|problem| problem.span.is_some_and(|span| span.file == query))
        .peekable();
    own.peek()?;
    if Path::new(text).exists() {
        return Some("this is a file: name it with --data (-d), and give a query, as in `data.authz.allow`");
    }
    own.any(|problem| problem.code == Code::RegoUnsafeVar)
        .then_some("a query names rules and documents from `data` on: `data.PACKAGE.RULE`")
}

fn evaluate(trace: Trace, compiled: &Compiled, input: Option<&Constant>) -> Result<Vec<u8>, Failure> {
    let Compiled {
        sources,
        files,
        program,
        query,
    } = compiled;
    let mut vm = Vm::new(&Limits::DEFAULT);
    let (mut env, _) = desk::moment(&mut Random::seeded());
    // Nobody waits for an answer here; the other budgets are those of the service.
    env.deadline_ns = None;
    let mut request = vm.request(program, &env);
    let failed = |error: EvalError| Failure::Input(message(program, error));
    let input = input
        .map(|input| input.to_value(request.arena()))
        .transpose()
        .map_err(|kind| failed(EvalError { kind, pc: u32::MAX }))?;
    request.set_input(input);
    let texts = Texts { sources, files };
    let outcome = match trace {
        Trace::Off => request.call(query.entry),
        Trace::Explain => {
            let mut explain = Explain::new(texts);
            let outcome = request.trace(query.entry, &mut explain);
            explain.finish();
            outcome
        }
        Trace::Columns => {
            let mut lines = Lines::new(texts);
            let outcome = request.trace(query.entry, &mut lines);
            lines.finish();
            outcome
        }
    };
    let solutions = outcome.map_err(failed)?.unwrap_or(Value::UNSET);
    answer(query, solutions).map_err(|_| Failure::Input("the result has no JSON text".to_owned()))
}

/// Place, code and message of what ended an evaluation.
fn message(program: &Program, error: EvalError) -> String {
    let text = format!("{}: {}", error.kind.code(), error.kind.message());
    match (program.place_of(error.pc), program.function_at(error.pc)) {
        (Some((source, row)), Some(name)) if source != QUERY => {
            format!("{source}:{row}: {text}, in {}", document(name))
        }
        (Some((source, row)), _) => format!("{source}:{row}: {text}"),
        (None, _) => text,
    }
}

/// The result as JSON; `{}` when it is undefined.
fn answer(query: &QueryEntry, solutions: Value<'_>) -> Result<Vec<u8>, Unprintable> {
    let solutions = items(solutions);
    let mut out = b"{".to_vec();
    if !solutions.is_empty() {
        out.extend_from_slice(b"\"result\":");
        match (query.shape, solutions) {
            (QueryShape::Value, [only]) => write_value(&mut out, *only)?,
            _ => {
                out.push(b'[');
                for (at, solution) in solutions.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    match query.shape {
                        QueryShape::Bindings => write_bindings(&mut out, &query.bindings, *solution)?,
                        QueryShape::Value | QueryShape::Values => write_value(&mut out, *solution)?,
                    }
                }
                out.push(b']');
            }
        }
    }
    out.extend_from_slice(b"}\n");
    Ok(out)
}

/// The only value of a solution.
fn write_value(out: &mut Vec<u8>, solution: Value<'_>) -> Result<(), Unprintable> {
    let value = items(solution).first().copied();
    write(out, value.unwrap_or(Value::UNSET), Escape::Plain)
}

/// A solution as an object, keys sorted.
fn write_bindings(out: &mut Vec<u8>, names: &[String], solution: Value<'_>) -> Result<(), Unprintable> {
    let mut bindings: Vec<(&String, Value<'_>)> = names.iter().zip(items(solution).iter().copied()).collect();
    bindings.sort_by_key(|(name, _)| *name);
    out.push(b'{');
    for (at, (name, value)) in bindings.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_string(out, name, Escape::Plain);
        out.push(b':');
        write(out, value, Escape::Plain)?;
    }
    out.push(b'}');
    Ok(())
}

fn items<'v>(value: Value<'v>) -> &'v [Value<'v>] {
    match value.kind() {
        Kind::Array(items) => items,
        _ => &[],
    }
}
