//! The corpus: every example domain, and every domain made for measuring, with its requests, and gavel compiled for it.

use gavel_compiler::source::SourceMap;
use gavel_runtime::decision::{Decider, Decision};
use gavel_runtime::image::{Image, ImageParts};
use gavel_runtime::input::Trailing;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::RequestEnv;
use gavel_server::clock;
use std::path::{Path, PathBuf};

/// One domain with its requests.
#[derive(Debug)]
pub struct Example {
    /// Folder name.
    pub name: String,
    /// Its PolicyDomain.
    pub domain: PathBuf,
    /// Name and body of each request.
    pub requests: Vec<(String, Vec<u8>)>,
}

/// Folders of the checkout, and in them those of the domains.
const FOLDERS: [(&str, &[&str]); 2] = [
    ("examples", &["clinic", "saas", "toolgate"]),
    (
        "benches/domains",
        &["fileserver", "mcp", "workspaces", "hospital", "quotas"],
    ),
];

/// The examples of the checkout, then the domains that are there for measuring.
pub fn examples() -> std::io::Result<Vec<Example>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = FOLDERS
        .iter()
        .flat_map(|(parent, names)| names.iter().map(move |name| (*parent, *name)));
    folders
        .map(|(parent, name)| example(&root.join(parent).join(name), name))
        .collect()
}

fn example(folder: &Path, name: &str) -> std::io::Result<Example> {
    let mut requests = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ext| ext == "json") {
            let stem = path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default();
            requests.push((stem, std::fs::read(&path)?));
        }
    }
    requests.sort();
    Ok(Example {
        name: name.to_owned(),
        domain: folder.join(format!("{name}.yml")),
        requests,
    })
}

/// Compiles an example's domain.
pub fn image(example: &Example) -> Result<Image, String> {
    let text = std::fs::read_to_string(&example.domain).map_err(|error| error.to_string())?;
    image_of(&example.domain.display().to_string(), &text)
}

/// The surroundings of a measured request, without a clock.
pub const TIMELESS: RequestEnv = RequestEnv::timeless(1_700_000_000_000_000_000, 1);

/// The same with the service's clock.
#[must_use]
pub fn env() -> RequestEnv {
    RequestEnv {
        monotonic_ns: clock::monotonic_ns,
        begun_ns: clock::monotonic_ns(),
        ..TIMELESS
    }
}

/// One decision, from the bytes of the body.
pub fn decide<'r>(decider: &'r mut Decider, image: &'r Image, body: &[u8]) -> Result<Decision<'r>, String> {
    decider
        .decide(image, body, Trailing::Ignore, &env())
        .map_err(|refusal| refusal.to_string())
}

/// A decider with the limits of the service.
#[must_use]
pub fn decider(image: &Image) -> Decider {
    Decider::new(image, &Limits::DEFAULT)
}

/// Compiles the text of one PolicyDomain.
pub fn image_of(name: &str, text: &str) -> Result<Image, String> {
    Image::new(parts_of(name, text)?).map_err(|error| error.to_string())
}

/// What the image of one PolicyDomain is made of.
pub fn parts_of(name: &str, text: &str) -> Result<ImageParts, String> {
    let mut sources = SourceMap::default();
    let file = sources.add_file(name, text);
    gavel_compiler::compile_parts(&mut sources, &[file], &gavel_compiler::Options::default())
        .map(|linked| linked.parts)
        .map_err(|problems| format!("{problems:?}"))
}
