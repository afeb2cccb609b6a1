//! From domains to the mapper of one: the Rego module that turns a request of another protocol into a PORC.

use gavel_compiler::analyse::AnalyseOptions;
use gavel_compiler::domain;
use gavel_compiler::domain::DomainSet;
use gavel_compiler::domain::set::Mapper as Source;
use gavel_compiler::parse::{BaseDialect, BlanketImport, ParseOptions};
use gavel_compiler::rego::{self, RegoOptions};
use gavel_compiler::source::{FileId, SourceMap};
use gavel_runtime::bytecode::verify;

use crate::cli::report;
use crate::envoy::Mapper;
use crate::error::Failure;

/// What goes out into the network.
pub(crate) const HTTP_SEND: &str = "http.send";

/// Finds and compiles the mapper of the domain `name`, or the only mapper of all; for tracing, if `trace`, and with leave to call `http.send`,
/// if `network`.
///
/// # Errors
/// [`Failure::Input`]: none or several. Else: domains or Rego that do not compile.
pub(crate) fn compile(
    sources: &mut SourceMap,
    files: &[FileId],
    name: Option<&str>,
    dialect: BaseDialect,
    mut disallowed_builtins: Vec<String>,
    (trace, network): (bool, bool),
) -> Result<Mapper, Failure> {
    let set =
        domain::load(sources, files).map_err(|found| Failure::Policy(report::problems(sources, &found)))?;
    let source = find(&set, name)?;
    let (module, name) = (source.rego, source.name.to_string());
    // A comment may have the name, too; then it waits for nothing.
    let waits = network && sources.source(module).text.contains(HTTP_SEND);
    let query = sources.add_file("mapper", "porc = data.mapper.porc");
    if network {
        // The default list has it, for policies; the flag that lends a network is the operator's word about mappers.
        disallowed_builtins.retain(|name| name != HTTP_SEND);
    }
    let options = RegoOptions {
        parse: ParseOptions {
            base: dialect,
            blanket_import: BlanketImport::Reference,
            annotations: false,
        },
        analyse: AnalyseOptions {
            disallowed_builtins,
            network,
            ..AnalyseOptions::default()
        },
        optimise: !trace,
        strict_builtins: false,
        trace,
        spellings: false,
    };
    let compiled = rego::compile(sources, &[module], Some(query), &options)
        .map_err(|found| Failure::Policy(report::problems(sources, &found)))?;
    let broken = |why: String| Failure::Policy(format!("the mapper makes no program: {why}"));
    let entry = compiled.query.ok_or_else(|| broken("no query".to_owned()))?.entry;
    let program = verify(compiled.program).map_err(|error| broken(error.to_string()))?;
    Ok(Mapper {
        name,
        files: compiled.files,
        waits,
        program,
        entry,
    })
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
