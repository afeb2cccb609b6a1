//! Image files: what `gavel compile -o` writes, and what `--bundle` takes in place of PolicyDomains.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use gavel_compiler::opa_ast::parse_module;
use gavel_compiler::policies::{self, Linked};
use gavel_runtime::image::{self, IMAGE_MAGIC, Image, LoadOptions};

use crate::cli::args::DomainArgs;
use crate::cli::deep_stack::on_a_deep_stack;
use crate::cli::load;
use crate::cli::mapper::HTTP_SEND;
use crate::error::{Failure, reason};
use crate::files;
use crate::limits;
use crate::log::{self, Level};

/// The image file among the bundles, which then is the only one.
///
/// # Errors
/// An image file beside other files, or with flags that say how domains are compiled.
pub(crate) fn named(args: &DomainArgs) -> Result<Option<&Path>, Failure> {
    let Some(path) = args.bundle.iter().find(|path| is_image(path)) else {
        return Ok(None);
    };
    let name = path.to_string_lossy();
    if args.bundle.len() > 1 {
        let text = "it is loaded alone; compile it together with the other domains";
        return Err(Failure::Usage(format!("{name} is an image file: {text}")));
    }
    refuse_flags(&name, args)?;
    Ok(Some(path))
}

/// # Errors
/// Flags that say how domains are compiled.
pub(crate) fn refuse_flags(name: &str, args: &DomainArgs) -> Result<(), Failure> {
    let refused = |what: &str| Err(Failure::Usage(format!("{name} is an image file: {what}")));
    let dialect = &args.dialect;
    if dialect.opa_flags.is_some() || dialect.no_opa_flags || dialect.v1_compatible {
        return refused("its dialect was settled when it was compiled");
    }
    if !args.roots.rego_root.is_empty() {
        return refused("it names no .rego files, so that --rego-root says nothing");
    }
    Ok(())
}

/// Whether a file begins as image files do. One that cannot be read is none; whoever reads it next says why.
fn is_image(path: &Path) -> bool {
    let mut start = [0; IMAGE_MAGIC.len()];
    path.is_file()
        && File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok())
        && start == *IMAGE_MAGIC
}

/// Loads an image file under the configuration that domains would be compiled with: the image, and the file's bytes.
///
/// # Errors
/// A file that cannot be read, or that is no image for this version and this configuration.
pub(crate) fn read(path: &Path, options: &policies::Options) -> Result<(Image, Vec<u8>), Failure> {
    let bytes =
        files::bytes(path, limits::IMAGE_BYTES_MAX).map_err(|error| Failure::unreadable(path, &error))?;
    let image = loaded(&path.to_string_lossy(), &bytes, options)?;
    Ok((image, bytes))
}

/// The image of a file's bytes.
///
/// # Errors
/// As [`read`].
pub(crate) fn loaded(name: &str, bytes: &[u8], options: &policies::Options) -> Result<Image, Failure> {
    let mut disallowed = options.disallowed_builtins.clone();
    // Only mappers may call it, with leave; the machine of a policy has no network, whatever an image says.
    disallowed.retain(|name| name != HTTP_SEND);
    disallowed.extend((!options.network).then(|| HTTP_SEND.to_owned()));
    let options = LoadOptions {
        parse_module: Some(parse_module),
        disallowed_builtins: &disallowed,
        include_all_references: Some(options.include_all_references),
    };
    on_a_deep_stack(|| image::load(bytes, &options))?
        .map_err(|error| Failure::Policy(format!("{name}: {error}")))
}

/// Compiles domains into an image file. The file is replaced at once, so that nobody reads half of it.
///
/// # Errors
/// As [`load::prepare`]; everything that the compiler found; a file that cannot be written.
pub(crate) fn write(args: &DomainArgs, output: &Path) -> Result<(), Failure> {
    if let Some(path) = named(args)? {
        let name = path.display();
        return Err(Failure::Usage(format!("{name} is an image file already")));
    }
    let mut prepared = load::prepare(args)?;
    let Linked {
        mut parts, warnings, ..
    } = prepared.compile(policies::compile_documents)?;
    prepared.warn(&warnings);
    parts.mappers = prepared.mappers()?;
    let bytes = image::save(&parts).map_err(|error| Failure::Policy(error.to_string()))?;
    // What is written loads: selectors and bounds of the machine are checked there.
    loaded(&output.to_string_lossy(), &bytes, &prepared.options)?;
    replace(output, &bytes).map_err(|error| {
        let (name, why) = (output.display(), reason(&error));
        Failure::Operator(format!("write {name}: {why}"))
    })?;
    let (name, policies, bytes) = (output.display(), parts.policies.len(), bytes.len());
    log::line(
        Level::Info,
        format_args!("{name}: {policies} policies in {bytes} bytes"),
    );
    Ok(())
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside: PathBuf = path.with_file_name(name);
    let written = File::create(&beside)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // The first error tells more than one about the remains.
        let _ = std::fs::remove_file(&beside);
    }
    written
}
