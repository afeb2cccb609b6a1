//! What is served, compiled once more for tracing, from the same sources: for whoever asks why.

use std::sync::Arc;

use gavel_compiler::opt::Passes;
use gavel_compiler::policies;
use sha2::{Digest, Sha256};

use crate::cli::args::DomainArgs;
use crate::cli::deep_stack::on_a_deep_stack;
use crate::cli::load::{self, Prepared};
use crate::cli::{image, mapper};
use crate::envoy::Mapper;
use crate::error::Failure;
use crate::why::{Retrace, Traced};

/// For the domains of the command line; `is_traced`: what is served is compiled for tracing itself. `mapper`: that of this domain,
/// or the only one, is asked about, too.
pub(crate) fn of_domains(args: &DomainArgs, is_traced: bool, mapper: Option<Option<String>>) -> Retrace {
    let args = args.clone();
    Arc::new(move |digest| {
        let named = image::named(&args).map_err(|failure| failure.to_string())?;
        if named.is_some() {
            return Err("an image file is served, which has no sources".to_owned());
        }
        let mapper = mapper.as_ref().map(|name| name.as_deref());
        match compiled(&args, is_traced, mapper, digest) {
            Ok(Some(traced)) => Ok(traced),
            Ok(None) => Err("the files are not those any more that the policies were made from".to_owned()),
            Err(failure) => Err(format!("the files cannot be compiled any more: {failure}")),
        }
    })
}

/// For policies that came from a URL.
pub(crate) fn of_source() -> Retrace {
    Arc::new(|_| Err("the policies came from a URL: their sources are not kept".to_owned()))
}

/// Nothing, if the sources make another image than the one with this digest.
fn compiled(
    args: &DomainArgs,
    is_traced: bool,
    mapper: Option<Option<&str>>,
    digest: &[u8; 32],
) -> Result<Option<Traced>, Failure> {
    let mut prepared = load::prepare(args)?;
    if is_traced {
        mark(&mut prepared);
    }
    let mut linked = prepared.compile(policies::compile_documents)?;
    linked.parts.mappers = prepared.mappers()?;
    let saved =
        gavel_runtime::image::save(&linked.parts).map_err(|error| Failure::Policy(error.to_string()))?;
    let made: [u8; 32] = Sha256::digest(&saved).into();
    drop(saved);
    if made != *digest {
        return Ok(None);
    }
    if !is_traced {
        mark(&mut prepared);
        linked = prepared.compile(policies::compile_documents)?;
    }
    let compiled = on_a_deep_stack(|| policies::image(linked))?;
    let compiled = compiled.map_err(|_| Failure::Fault("what was linked before does not link".to_owned()))?;
    let mapper = match mapper.map(|name| traced_mapper(&mut prepared, name)) {
        // Without a mapper the service starts, and so does this.
        None | Some(Err(Failure::Input(_))) => None,
        Some(mapper) => Some(mapper?),
    };
    Ok(Some(Traced {
        mapper,
        image: compiled.image,
        files: compiled.files,
        sources: prepared.sources,
    }))
}

fn traced_mapper(prepared: &mut Prepared, name: Option<&str>) -> Result<Mapper, Failure> {
    let files = prepared.files();
    let (sources, options) = (&mut prepared.sources, &prepared.options);
    let (dialect, disallowed) = (options.dialect, options.disallowed_builtins.clone());
    let leave = (true, options.network);
    on_a_deep_stack(|| mapper::compile(sources, &files, name, dialect, disallowed, leave))?
}

fn mark(prepared: &mut Prepared) {
    prepared.options.optimise = Passes::NONE;
    prepared.options.trace = true;
}
