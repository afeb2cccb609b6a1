//! `gavel build`: PolicyDomains whose `.rego` files are written into them, as files.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gavel_compiler::domain::yaml;
use gavel_compiler::source::SourceMap;

use crate::cli::args::BuildArgs;
use crate::cli::deep_stack::on_a_deep_stack;
use crate::cli::references::{self, Roots};
use crate::cli::report;
use crate::error::{Failure, reason};
use crate::files;

/// Who may read a built file: its owner, as the texts may come from files that are as private.
const MODE: u32 = 0o600;

/// Builds each file and says what became of it; goes on behind a file that fails.
///
/// # Errors
/// Wrong flags; a file that could not be built, which standard output has told already.
pub(crate) fn run(args: &BuildArgs) -> Result<(), Failure> {
    if args.output.is_some() && args.file.len() > 1 {
        let text = "cannot specify --output when building multiple files";
        return Err(Failure::Usage(text.to_owned()));
    }
    let mut report = "Build Results:\n\n".to_owned();
    let mut failed = 0;
    for input in &args.file {
        let output = args.output.clone().unwrap_or_else(|| built_name(input));
        let outcome = on_a_deep_stack(|| build(input, &output, &Roots::new(&args.roots.rego_root)))?;
        report.push_str(&match outcome {
            Ok(()) => format!("✓ {} → {}\n", input.display(), output.display()),
            Err(cause) => {
                failed += 1;
                format!("✗ {}\n  Error: {cause}\n", input.display())
            }
        });
    }
    report.push('\n');
    if failed == 0 {
        report.push_str(&format!("Successfully built {} file(s)\n", args.file.len()));
    }
    std::io::stdout()
        .write_all(report.as_bytes())
        .map_err(|error| Failure::Operator(format!("standard output: {error}")))?;
    if failed > 0 {
        return Err(Failure::Policy("build failed for one or more files".to_owned()));
    }
    Ok(())
}

fn build(input: &Path, output: &Path, roots: &Roots) -> Result<(), String> {
    if are_one_file(input, output) {
        return Err("the output is the input: name another file with --output".to_owned());
    }
    let text: Arc<str> = files::policy(input)
        .map_err(|reason| format!("failed to read input file: {reason}"))?
        .into();
    let mut sources = SourceMap::default();
    let file = sources.add_file(&input.to_string_lossy(), &text);
    let document = yaml::parse(file, &text).map_err(|problem| {
        let cause = report::without_code(&sources, &problem);
        format!("failed to parse YAML: {cause}")
    })?;
    let built = references::inline(&mut sources, &document, input, roots)
        .map_err(|problems| references::explain(&sources, &problems))?;
    write(output, &built.text).map_err(|error| format!("failed to write output file: {}", reason(&error)))
}

/// Whether both paths lead to one file, by whatever names.
fn are_one_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| path.metadata().map(|file| (file.dev(), file.ino()));
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}

/// Writes beside the place and renames, so that nobody reads half a file.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if path.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(&beside)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // The part is of no use; that it cannot be removed either is said by the error that led here.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// `a/b.yml` → `a/b-built.yml`.
fn built_name(input: &Path) -> PathBuf {
    let mut name = input.file_stem().unwrap_or_default().to_owned();
    name.push("-built");
    if let Some(extension) = input.extension() {
        name.push(".");
        name.push(extension);
    }
    input.with_file_name(name)
}
