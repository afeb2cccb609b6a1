//! The mapper of a domain: one Rego module that turns a request of another protocol into a PORC.

use gavel_compiler::analyse::AnalyseOptions;
use gavel_compiler::domain;
use gavel_compiler::domain::DomainSet;
use gavel_compiler::domain::set::Mapper as Source;
use gavel_compiler::parse::{BaseDialect, BlanketImport, ParseOptions};
use gavel_compiler::rego::{self, RegoOptions};
use gavel_compiler::source::{FileId, SourceMap};
use gavel_runtime::bytecode::{FnId, Program, verify};
use gavel_runtime::input::Trailing;
use gavel_runtime::json::{self, Escape};
use gavel_runtime::limits::Limits;
use gavel_runtime::value::{Kind, Value};
use gavel_runtime::vm::{Observer, Vm};

use crate::cli::report;
use crate::desk;
use crate::error::Failure;
use crate::random::Random;

/// A compiled mapper.
pub(crate) struct Mapper {
    /// Its name in the domain.
    pub(crate) name: String,
    /// The texts that the sources of its program are.
    pub(crate) files: Vec<FileId>,
    program: Program,
    entry: FnId,
}

impl Mapper {
    /// Finds and compiles the mapper of the domain `name`, or the only mapper of all; for tracing, if `trace`.
    ///
    /// # Errors
    /// None or several, or Rego that does not compile.
    pub(crate) fn compile(
        sources: &mut SourceMap,
        files: &[FileId],
        name: Option<&str>,
        dialect: BaseDialect,
        disallowed_builtins: Vec<String>,
        trace: bool,
    ) -> Result<Mapper, Failure> {
        let set = domain::load(sources, files)
            .map_err(|found| Failure::Policy(report::problems(sources, &found)))?;
        let source = find(&set, name)?;
        let (module, name) = (source.rego, source.name.to_string());
        let query = sources.add_file("mapper", "porc = data.mapper.porc");
        let options = RegoOptions {
            parse: ParseOptions {
                base: dialect,
                blanket_import: BlanketImport::Reference,
                annotations: false,
            },
            analyse: AnalyseOptions {
                disallowed_builtins,
                ..AnalyseOptions::default()
            },
            optimise: !trace,
            strict_builtins: false,
            trace,
        };
        let compiled = rego::compile(sources, &[module], Some(query), &options)
            .map_err(|found| Failure::Policy(report::problems(sources, &found)))?;
        let broken = |why: String| Failure::Policy(format!("the mapper makes no program: {why}"));
        let entry = compiled.query.ok_or_else(|| broken("no query".to_owned()))?.entry;
        let program = verify(compiled.program).map_err(|error| broken(error.to_string()))?;
        Ok(Mapper {
            name,
            files: compiled.files,
            program,
            entry,
        })
    }

    /// The PORC for one request, as JSON with sorted keys. The observer is told what happens.
    ///
    /// # Errors
    /// Input that is no JSON; a mapper without a result, or with several.
    pub(crate) fn map(&self, input: &[u8], observer: Option<&mut dyn Observer>) -> Result<Vec<u8>, Failure> {
        let failed = |why: &str| Failure::Input(format!("failed to evaluate mapper Rego: {why}"));
        let mut vm = Vm::new(&Limits::DEFAULT);
        let (mut env, _) = desk::moment(&mut Random::seeded());
        if observer.is_some() {
            // Being watched takes time that must not change the outcome.
            env.deadline_ns = None;
        }
        let mut request = vm.request(&self.program, &env);
        let unreadable = |why: String| Failure::Input(format!("failed to parse Envoy input JSON: {why}"));
        request
            .read_document(input)
            .map_err(|error| unreadable(error.to_string()))?;
        // Any JSON may stand here, but its numbers count by value, as those of a PORC do.
        let wrapped = [b"{\"input\":", input, b"}"].concat();
        request
            .read_porc(&wrapped, Trailing::Refuse)
            .map_err(|error| unreadable(error.to_string()))?;
        let object = request
            .input()
            .map_err(|kind| unreadable(kind.message().to_owned()))?;
        request.set_input(object.and_then(member));
        let outcome = match observer {
            None => request.call(self.entry),
            Some(observer) => request.trace(self.entry, observer),
        };
        let solutions =
            outcome.map_err(|error| failed(&format!("{}: {}", error.kind.code(), error.kind.message())))?;
        let porc = solutions
            .and_then(only)
            .ok_or_else(|| failed("data.mapper.porc is undefined"))?;
        let mut text = Vec::new();
        json::write(&mut text, porc, Escape::Html)
            .map_err(|_| failed("the result is nothing that JSON can hold"))?;
        Ok(text)
    }
}

/// The value of a query with one name and one solution.
fn only(solutions: Value<'_>) -> Option<Value<'_>> {
    first(first(solutions)?)
}

fn member(object: Value<'_>) -> Option<Value<'_>> {
    match object.kind() {
        Kind::Object([entry]) => Some(entry.value),
        _ => None,
    }
}

fn first(value: Value<'_>) -> Option<Value<'_>> {
    match value.kind() {
        Kind::Array(items) => items.first().copied(),
        _ => None,
    }
}

/// Error codes stand behind the text, as scripts know them.
fn find<'s>(set: &'s DomainSet, name: Option<&str>) -> Result<&'s Source, Failure> {
    let refused = |text: String, code: &str| Err(Failure::Input(format!("{text}(code-{code})")));
    let Some(name) = name else {
        return match set.mappers.as_slice() {
            [only] => Ok(only),
            [] => refused("no mappers found in any domain".to_owned(), "NOTFOUND_ERROR"),
            _ => refused(
                "multiple mappers found across domains, please specify a domain name using --name/-n"
                    .to_owned(),
                "UNKNOWN_ERROR",
            ),
        };
    };
    if !set.domains.iter().any(|domain| &*domain.name == name) {
        return refused(format!("domain '{name}' not found"), "NOTFOUND_ERROR");
    }
    let domain_of = |mapper: &&Source| {
        set.domains
            .get(mapper.domain.0)
            .is_some_and(|domain| &*domain.name == name)
    };
    let mut found = set.mappers.iter().filter(domain_of);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => refused(format!("no mappers found in domain '{name}'"), "NOTFOUND_ERROR"),
        (Some(_), Some(_)) => refused(
            format!("multiple mappers found in domain '{name}', this is not supported"),
            "UNKNOWN_ERROR",
        ),
    }
}
