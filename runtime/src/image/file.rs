//! Image files: the parts of an image as bytes, and back. Reading and writing files is the caller's.
//!
//! A file begins with a magic word, the number of the format, the version of gavel that wrote it, a digest of the tables
//! of ops and builtins, the length and the SHA-256 of what follows. An image is bound to the version that wrote it: every other
//! one refuses it, since bytecode means what the machine of that version says. The digest is for builds between versions.
//!
//! Behind that stand the parts as the compiler handed them over: verified bytecode and automata are not in the file but
//! made again, so that nothing is believed that a file says. The checksum finds damage; it is no signature.

use super::load_error::LoadError;
use super::parts::ImageParts;
use super::tables::Image;
use crate::builtins::BUILTINS;
use crate::bytecode::{Op, ParseModule, RawProgram};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// First bytes of every image file.
pub const IMAGE_MAGIC: &[u8; 8] = b"GAVELIMG";

/// Number of the format of header and parts.
const FORMAT: u32 = 4;

/// The version that writes and reads.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What an image is loaded with.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions<'o> {
    /// The compiler's parser, for `rego.parse_module`; without it that builtin aborts the policy, which denies.
    pub parse_module: Option<ParseModule>,
    /// Builtins that the image may not call; one that does is refused. The compiler refused those that it was told.
    pub disallowed_builtins: &'o [String],
    /// Overrides [`ImageParts::include_all_references`].
    pub include_all_references: Option<bool>,
}

/// Why parts cannot be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveError {
    /// A constant is nested deeper than [`crate::limits::CONSTANT_DEPTH_MAX`], or a list has more than 2³² parts.
    TooLarge,
}

impl std::fmt::Display for SaveError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a constant of the policies is nested too deep for an image file")
    }
}

impl std::error::Error for SaveError {}

/// The bytes of an image file. What an image file does not hold: marks for tracing, and the parser for
/// `rego.parse_module`.
///
/// # Errors
/// Parts beyond the bounds of the format.
pub fn save(parts: &ImageParts) -> Result<Vec<u8>, SaveError> {
    let body = borsh::to_vec(parts).map_err(|_| SaveError::TooLarge)?;
    let mut bytes = Vec::with_capacity(body.len() + 128);
    bytes.extend_from_slice(IMAGE_MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.push(VERSION.len() as u8);
    bytes.extend_from_slice(VERSION.as_bytes());
    bytes.extend_from_slice(tables());
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    let checksum = checksum(&bytes, &body);
    bytes.extend_from_slice(&checksum);
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

const _: () = assert!(VERSION.len() < 256);

/// The image of a file's bytes: checked against damage, then built and verified as if it came from the compiler.
///
/// # Errors
/// Bytes that are no image file, or one of another version, cut or damaged; parts that make no image; a disallowed builtin.
pub fn load(bytes: &[u8], options: &LoadOptions<'_>) -> Result<Image, LoadError> {
    let body = body(bytes)?;
    let mut parts: ImageParts =
        borsh::from_slice(body).map_err(|error| LoadError::Malformed(error.to_string()))?;
    let mappers = parts.mappers.iter_mut().map(|mapper| &mut mapper.program);
    for program in mappers.chain([&mut parts.program]) {
        if let Some(name) = disallowed(program, options.disallowed_builtins) {
            return Err(LoadError::Disallowed(name));
        }
        program.parse_module = options.parse_module;
    }
    if let Some(include) = options.include_all_references {
        parts.include_all_references = include;
    }
    Image::new(parts).map_err(LoadError::Image)
}

/// What stands behind the header, after every check of the header.
fn body(bytes: &[u8]) -> Result<&[u8], LoadError> {
    let mut header = Header { bytes, at: 0 };
    if !IMAGE_MAGIC.starts_with(bytes.get(..IMAGE_MAGIC.len()).unwrap_or(bytes)) {
        return Err(LoadError::NoImage);
    }
    header.take::<{ IMAGE_MAGIC.len() }>()?;
    let format = u32::from_le_bytes(header.take()?);
    let [version_len] = header.take::<1>()?;
    let version = header.slice(usize::from(version_len))?;
    let made_by = || String::from_utf8_lossy(version).escape_debug().to_string();
    if format > FORMAT {
        return Err(LoadError::Newer { made_by: made_by() });
    }
    if format != FORMAT || version != VERSION.as_bytes() {
        return Err(LoadError::OtherVersion { made_by: made_by() });
    }
    if header.take::<32>()? != *tables() {
        return Err(LoadError::OtherBuild);
    }
    let length = u64::from_le_bytes(header.take()?);
    let described = bytes.get(..header.at).unwrap_or_default();
    let wanted: [u8; 32] = header.take()?;
    let rest = bytes.get(header.at..).unwrap_or_default();
    match (rest.len() as u64).cmp(&length) {
        std::cmp::Ordering::Less => return Err(LoadError::Truncated),
        std::cmp::Ordering::Greater => return Err(LoadError::TooLong),
        std::cmp::Ordering::Equal => {}
    }
    if checksum(described, rest) != wanted {
        return Err(LoadError::Checksum);
    }
    Ok(rest)
}

struct Header<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Header<'b> {
    fn slice(&mut self, len: usize) -> Result<&'b [u8], LoadError> {
        let slice = self
            .bytes
            .get(self.at..self.at + len)
            .ok_or(LoadError::Truncated)?;
        self.at += len;
        Ok(slice)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], LoadError> {
        self.slice(N)?.try_into().map_err(|_| LoadError::Truncated)
    }
}

fn checksum(header: &[u8], body: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(header)
        .chain_update(body)
        .finalize()
        .into()
}

/// A digest of what numbers in bytecode stand for: ops with the roles of their operands, builtins with their types.
fn tables() -> &'static [u8; 32] {
    static DIGEST: OnceLock<[u8; 32]> = OnceLock::new();
    DIGEST.get_or_init(|| {
        let mut digest = Sha256::new();
        for op in Op::ALL {
            digest.update(format!("{} {:?}\n", op.name(), op.shape().roles));
        }
        for builtin in BUILTINS {
            let runs = builtin.run.is_some();
            digest.update(format!("{} {:?} {runs}\n", builtin.name, builtin.args));
        }
        digest.finalize().into()
    })
}

/// The first builtin of a list that some function of a program calls or passes on.
fn disallowed(program: &RawProgram, names: &[String]) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let mut called = program.builtins().map(|builtin| builtin.name);
    called
        .find(|called| names.iter().any(|name| name == called))
        .map(str::to_owned)
}
