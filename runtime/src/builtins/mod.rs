//! The one table of builtins: names, types and functions, read by the compiler (names, types) and the VM (functions).
//!
//! The table itself is `table.rs`; functions live in a file for each of OPA's groups.
//!
//! Results lie in the arena of the request. These builtins take memory from the allocator as well while they run, within
//! what the length of their arguments pays for; a policy that does not call them never does:
//! * `io.jwt.verify_*` with public keys and `io.jwt.decode_verify`: keys, big numbers and digests of the crypto crates;
//! * `yaml.*`: the parser's events own their texts and tags.

mod aggregates;
mod arrays;
mod base64;
mod bytes;
pub mod caches;
mod call;
mod casts;
mod crypto;
mod encoding;
mod glob;
mod globs_match;
mod graph;
mod host;
mod json_patch;
mod json_paths;
mod json_text;
mod jwt;
mod net;
mod numbers;
mod objects;
mod operand;
mod operators;
mod output;
mod regex;
mod rego_text;
mod sets;
mod sprintf;
mod strings;
mod table;
mod template;
#[cfg(test)]
mod testing;
mod time;
mod types;
mod units;
mod uri;
mod uuid;
mod versions;
mod walk;
mod yaml;

pub use bytes::without_bytes;
pub use call::{BuiltinFn, BuiltinResult, Call, Failure, FailureCode};
pub use glob::Glob;
pub use table::{BUILTINS, find};
pub use types::Type;
pub use uri::normal_url;

/// Index into [`BUILTINS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BuiltinId(pub u16);

impl BuiltinId {
    /// The row of the table.
    #[must_use]
    pub fn get(self) -> &'static Builtin {
        &BUILTINS[self.0 as usize]
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Builtin {
    /// OPA's name.
    pub name: &'static str,
    /// Types of the arguments.
    pub args: &'static [Type],
    /// Type of the result; for a relation, of one tuple.
    pub result: Type,
    /// Yields many results (`walk`).
    pub relation: bool,
    /// Not available in v1 modules.
    pub deprecated: bool,
    /// Its result depends on more than its arguments (clock, randomness, environment): never folded.
    pub nondeterministic: bool,
    /// `None`: known, typed, and refused by name at compile time.
    pub run: Option<BuiltinFn>,
}
