//! From domains to the mapper of one: the Rego module that turns a request of another protocol into a PORC.

use std::sync::Arc;

use gavel_compiler::analyse::AnalyseOptions;
use gavel_compiler::diagnostic::Diagnostic;
use gavel_compiler::domain;
use gavel_compiler::domain::DomainSet;
use gavel_compiler::domain::set::Mapper as Source;
use gavel_compiler::domain::yaml::Document;
use gavel_compiler::opt::Passes;
use gavel_compiler::parse::{BaseDialect, BlanketImport, ParseOptions};
use gavel_compiler::rego::{self, RegoOptions, RegoProgram};
use gavel_compiler::source::{FileId, SourceMap};
use gavel_runtime::bytecode::{FnId, verify};
use gavel_runtime::image::{Image, MapperPart};

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
    disallowed_builtins: Vec<String>,
    (trace, network): (bool, bool),
) -> Result<Mapper, Failure> {
    let set = load(sources, files)?;
    let domains: Vec<&str> = set.domains.iter().map(|domain| &*domain.name).collect();
    let owners: Vec<&str> = set.mappers.iter().map(|mapper| domain_of(&set, mapper)).collect();
    let Some(source) = set.mappers.get(find(&domains, &owners, name)?) else {
        return Err(Failure::Input("no mapper".to_owned()));
    };
    let (compiled, entry) = program(sources, source, dialect, disallowed_builtins, (trace, network))?;
    let waits = compiled.program.asks_network();
    let program = verify(compiled.program).map_err(|error| broken(&error.to_string()))?;
    Ok(Mapper {
        name: source.name.to_string(),
        files: compiled.files,
        waits,
        program: Arc::new(program),
        entry,
    })
}

/// All mappers of the domains, for an image file.
///
/// # Errors
/// Domains or Rego that do not compile.
pub(crate) fn parts(
    sources: &mut SourceMap,
    documents: &[(FileId, Document)],
    dialect: BaseDialect,
    disallowed_builtins: &[String],
    network: bool,
) -> Result<Vec<MapperPart>, Failure> {
    let set = domain::load_documents(sources, documents);
    let set = set.map_err(|found| refusal(sources, &found))?;
    let part = |mapper: &Source| {
        let leave = (false, network);
        let (compiled, entry) = program(sources, mapper, dialect, disallowed_builtins.to_vec(), leave)?;
        Ok(MapperPart {
            domain: domain_of(&set, mapper).to_owned(),
            name: mapper.name.to_string(),
            program: compiled.program,
            entry,
        })
    };
    set.mappers.iter().map(part).collect()
}

/// The mapper of the domain `name`, or the only mapper of all, of those that an image brought along.
///
/// # Errors
/// None or several.
pub(crate) fn of_image(image: &Image, name: Option<&str>) -> Result<Mapper, Failure> {
    let domains: Vec<&str> = image.domains().iter().map(String::as_str).collect();
    let owners: Vec<&str> = image.mappers().iter().map(|mapper| &*mapper.domain).collect();
    let Some(found) = image.mappers().get(find(&domains, &owners, name)?) else {
        return Err(Failure::Input("no mapper".to_owned()));
    };
    Ok(Mapper {
        name: found.name.to_string(),
        files: Vec::new(),
        waits: found.waits,
        program: Arc::clone(&found.program),
        entry: found.entry,
    })
}

fn load(sources: &mut SourceMap, files: &[FileId]) -> Result<DomainSet, Failure> {
    domain::load(sources, files).map_err(|found| refusal(sources, &found))
}

fn refusal(sources: &SourceMap, found: &[Diagnostic]) -> Failure {
    Failure::Policy(report::problems(sources, found))
}

fn domain_of<'s>(set: &'s DomainSet, mapper: &Source) -> &'s str {
    set.domains.get(mapper.domain.0).map_or("", |domain| &domain.name)
}

fn broken(why: &str) -> Failure {
    Failure::Policy(format!("the mapper makes no program: {why}"))
}

/// The query for a mapper's PORC, not verified yet.
fn program(
    sources: &mut SourceMap,
    mapper: &Source,
    dialect: BaseDialect,
    mut disallowed_builtins: Vec<String>,
    (trace, network): (bool, bool),
) -> Result<(RegoProgram, FnId), Failure> {
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
        optimise: if trace { Passes::NONE } else { Passes::ALL },
        strict_builtins: false,
        trace,
        spellings: false,
    };
    let compiled = rego::compile(sources, &[mapper.rego], Some(query), &options)
        .map_err(|found| Failure::Policy(report::problems(sources, &found)))?;
    let entry = compiled.query.as_ref().ok_or_else(|| broken("no query"))?.entry;
    Ok((compiled, entry))
}

/// The place of the wanted mapper; `owners` are the domains of the mappers. Error codes stand behind the text, as scripts
/// know them.
fn find(domains: &[&str], owners: &[&str], name: Option<&str>) -> Result<usize, Failure> {
    let refused = |text: String, code: &str| Err(Failure::Input(format!("{text}(code-{code})")));
    let Some(name) = name else {
        return match owners {
            [_] => Ok(0),
            [] => refused("no mappers found in any domain".to_owned(), "NOTFOUND_ERROR"),
            _ => refused(
                "multiple mappers found across domains, please specify a domain name using --name/-n"
                    .to_owned(),
                "UNKNOWN_ERROR",
            ),
        };
    };
    if !domains.contains(&name) {
        return refused(format!("domain '{name}' not found"), "NOTFOUND_ERROR");
    }
    let mut found = (0..).zip(owners).filter(|(_, owner)| **owner == name);
    match (found.next(), found.next()) {
        (Some((only, _)), None) => Ok(only),
        (None, _) => refused(format!("no mappers found in domain '{name}'"), "NOTFOUND_ERROR"),
        (Some(_), Some(_)) => refused(
            format!("multiple mappers found in domain '{name}', this is not supported"),
            "UNKNOWN_ERROR",
        ),
    }
}
