//! `gavel compile`: checks files, or shows what a stage of the compiler made of them.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use bumpalo::Bump;
use gavel_compiler::analyse::AnalyseOptions;
use gavel_compiler::diagnostic::Diagnostic;
use gavel_compiler::opt::{Change, Passes};
use gavel_compiler::parse::{BaseDialect, BlanketImport, ParseOptions, parse_module};
use gavel_compiler::rego::{self, RegoOptions};
use gavel_compiler::source::{FileId, SourceMap};
use gavel_compiler::{domain, dump, policies};

use crate::cli::args::{CompileArgs, DomainArgs, Emit};
use crate::cli::deep_stack::on_a_deep_stack;
use crate::cli::load;
use crate::cli::{dialect, image, report};
use crate::error::Failure;

/// Rego that is compiled together, with a heading for people.
struct Unit {
    title: String,
    modules: Vec<FileId>,
}

/// Compiles. Files that end in `.rego` are modules of one unit, others are PolicyDomains.
///
/// # Errors
/// Files that cannot be read, or everything that the compiler found.
pub(crate) fn run(args: &CompileArgs) -> Result<(), Failure> {
    if let Some(output) = &args.output {
        let domains = DomainArgs {
            bundle: args.bundle.iter().chain(&args.files).cloned().collect(),
            dialect: args.dialect.clone(),
            roots: args.roots.clone(),
            network: args.network.clone(),
        };
        return image::write(&domains, output);
    }
    let is_optimised = matches!(args.emit, Some(Emit::Plan | Emit::Passes | Emit::Bytecode));
    if !args.without.is_empty() && !is_optimised {
        return Err(Failure::Operator(
            "--without goes with --emit plan, passes or bytecode".to_owned(),
        ));
    }
    if !args.pass.is_empty() && !matches!(args.emit, Some(Emit::Passes)) {
        return Err(Failure::Operator("--pass goes with --emit passes".to_owned()));
    }
    let mut sources = SourceMap::default();
    let (mut modules, mut domains) = (Vec::new(), Vec::new());
    for path in args.bundle.iter().chain(&args.files) {
        let file = sources.add_file(&path.to_string_lossy(), &load::read(path)?);
        let list = if path.extension() == Path::new("x.rego").extension() {
            &mut modules
        } else {
            &mut domains
        };
        list.push(file);
    }
    let mut options = options(dialect::of(&args.dialect), domains.is_empty());
    options.optimise = passes(&args.without);
    let (shown, parse) = (args.emit.map(|emit| (emit, args.pass.clone())), options.parse);
    let (sources, outcome) = on_a_deep_stack(move || {
        let outcome = match shown {
            Some(shown) => text(&shown, &mut sources, &modules, &domains, &options),
            None => {
                let network = !args.network.allow_net.is_empty();
                check(&mut sources, &modules, (&domains, network), &options).map(|()| String::new())
            }
        };
        (sources, outcome)
    })?;
    let text = outcome.map_err(|found| {
        let mut text = report::problems(&sources, &found);
        if let Some(advice) = dialect::advice(&sources, &found, parse) {
            text.push_str(&format!("\n  = help: {advice}"));
        }
        Failure::Policy(text)
    })?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|e| Failure::Operator(format!("standard output: {e}")))
}

/// Inside a domain the blanket import means what it meant to the reference's OPA; a module by itself follows ours.
fn options(base: BaseDialect, plain_rego: bool) -> RegoOptions {
    let blanket_import = if plain_rego {
        BlanketImport::Opa
    } else {
        BlanketImport::Reference
    };
    RegoOptions {
        parse: ParseOptions {
            base,
            blanket_import,
            annotations: plain_rego,
        },
        analyse: AnalyseOptions {
            annotations: plain_rego,
            ..AnalyseOptions::default()
        },
        optimise: Passes::ALL,
        strict_builtins: false,
        trace: false,
        spellings: false,
    }
}

fn check(
    sources: &mut SourceMap,
    modules: &[FileId],
    (domains, network): (&[FileId], bool),
    options: &RegoOptions,
) -> Result<(), Vec<Diagnostic>> {
    if !modules.is_empty() {
        rego::compile(sources, modules, None, options)?;
    }
    if !domains.is_empty() {
        let options = policies::Options {
            dialect: options.parse.base,
            network,
            ..policies::Options::default()
        };
        policies::compile(sources, domains, &options)?;
    }
    Ok(())
}

/// All passes but some.
fn passes(without: &[String]) -> Passes {
    // Names are those of the table: the command line takes no others.
    let leave = |passes: Passes, name: &String| match name.as_str() {
        "all" => Passes::NONE,
        name => passes.without(name).unwrap_or(passes),
    };
    without.iter().fold(Passes::ALL, leave)
}

fn text(
    shown: &(Emit, Vec<String>),
    sources: &mut SourceMap,
    modules: &[FileId],
    domains: &[FileId],
    options: &RegoOptions,
) -> Result<String, Vec<Diagnostic>> {
    let whole = matches!(shown.0, Emit::Plan | Emit::Passes | Emit::Bytecode);
    let mut units = Vec::new();
    if whole && !modules.is_empty() {
        units.push(Unit {
            title: String::new(),
            modules: modules.to_vec(),
        });
    } else {
        let title = |file: &FileId| format!("module {}", sources.source(*file).name);
        units.extend(modules.iter().map(|file| Unit {
            title: title(file),
            modules: vec![*file],
        }));
    }
    if !domains.is_empty() {
        units.extend(if whole {
            policy_units(sources, domains)?
        } else {
            module_units(sources, domains)?
        });
    }
    let mut out = String::new();
    for unit in &units {
        if units.len() > 1 {
            // Writing to a `String` cannot fail.
            let _ = writeln!(out, "# {}", unit.title);
        }
        out.push_str(&stage(shown, sources, &unit.modules, options)?);
    }
    Ok(out)
}

fn module_units(sources: &mut SourceMap, domains: &[FileId]) -> Result<Vec<Unit>, Vec<Diagnostic>> {
    let read = domain::read(sources, domains)?;
    let unit = |module: &domain::ReadModule| Unit {
        title: format!("{} {}", module.kind.as_str(), module.id),
        modules: vec![module.rego],
    };
    Ok(read.iter().flat_map(|domain| &domain.modules).map(unit).collect())
}

/// Each policy with the libraries that it needs, each mapper by itself.
fn policy_units(sources: &mut SourceMap, domains: &[FileId]) -> Result<Vec<Unit>, Vec<Diagnostic>> {
    let set = domain::load(sources, domains)?;
    let policies = set.policies.iter().map(|policy| {
        let libraries = policy
            .libraries
            .iter()
            .filter_map(|index| set.libraries.get(index.0));
        Unit {
            title: format!("policy {}", policy.mrn),
            modules: libraries
                .map(|library| library.rego)
                .chain([policy.rego])
                .collect(),
        }
    });
    let mappers = set.mappers.iter().map(|mapper| Unit {
        title: format!("mapper {}", mapper.name),
        modules: vec![mapper.rego],
    });
    Ok(policies.chain(mappers).collect())
}

fn stage(
    (emit, wanted): &(Emit, Vec<String>),
    sources: &SourceMap,
    modules: &[FileId],
    options: &RegoOptions,
) -> Result<String, Vec<Diagnostic>> {
    let bump = Bump::new();
    match emit {
        Emit::Tokens => Ok(modules.iter().map(|file| dump::tokens(sources, *file)).collect()),
        Emit::Ast => modules
            .iter()
            .map(|file| Ok(dump::ast(&parse_module(&bump, sources, *file, options.parse)?)))
            .collect(),
        Emit::Plan => {
            let unit = rego::checked(sources, modules, options, &bump)?;
            Ok(dump::plan(&rego::planned(&unit, &[], options)?))
        }
        Emit::Passes => {
            let unit = rego::checked(sources, modules, options, &bump)?;
            let text = RefCell::new(String::new());
            let seen = |change: &Change<'_>| {
                if wanted.is_empty() || wanted.iter().any(|name| name == change.pass.name) {
                    text.borrow_mut().push_str(&dump::change(change));
                }
            };
            rego::planned_seen(&unit, &[], options, Some(&seen))?;
            Ok(text.into_inner())
        }
        Emit::Bytecode => {
            let compiled = rego::compile(sources, modules, None, options)?;
            Ok(gavel_runtime::bytecode::dump(&compiled.program))
        }
    }
}
