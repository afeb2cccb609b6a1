//! The one table of builtins: names, types and functions, read by the compiler (names, types) and the VM (functions).
//!
//! The table itself is `table.rs`; functions live in a file for each of OPA's groups.
//!
//! Results lie in the arena of the request, and after a policy ran once its calls take nothing from the allocator. Of the
//! calls that do, this is the whole list; each takes no more than the length of its arguments pays for:
//! * numbers beyond 3,072 bits (some 900 digits; all integers that are 64-bit floats are below), and fractions whose
//!   arithmetic leaves the range of 64-bit floats: their digits are worked out by a crate for big integers. `bits.and`,
//!   `bits.or` and `bits.xor` do so beyond 128 bits;
//! * `to_number` of hexadecimal texts; `%x` and `%b` of fractions in `sprintf`; `units.*` of texts with quotation marks;
//! * `json.marshal*` and `urlquery.encode_object` with keys that are no strings: such keys are texts of their own;
//! * `io.jwt.*` with a text of keys that is new, or longer than 64 KiB: what is read from it is kept for later calls. The
//!   same goes for patterns of `regex.*` and `glob.*` and for time zones;
//! * `regex.*` while the automaton of a pattern still grows;
//! * `graphql.*`: the names of a schema and what is being walked stand in tables of their own;
//! * `rego.parse_module`: the compiler's parser and the tree that it makes;
//! * `yaml.*`: the parser's events own their texts and tags;
//! * `strings.render_template`: the tree of the template, lists of arguments;
//! * `io.jwt.encode_sign*`: private keys and signatures, which are numbers of thousands of bits;
//! * `crypto.x509.*` and `crypto.parse_private_keys`: lists of what a certificate holds, big numbers, keys;
//! * `providers.aws.sign_req`: the headers that are signed, in order;
//! * `uri.*`, and the formats `uri`, `uri-reference` and `uri-template` of JSON Schema: the parts of a URI are put together
//!   one by one;
//! * `json.match_schema` and `json.verify_schema` with a schema that is new, or too large to be kept;
//! * values nested deeper than 64 levels, where they are compared or written: the list of what is still to be done.

mod aggregates;
mod arrays;
mod aws;
mod base64;
mod bytes;
pub mod caches;
mod call;
mod casts;
mod crypto;
mod encoding;
mod fetch;
mod glob;
mod globs_match;
mod graph;
mod graphql;
mod host;
mod json_patch;
mod json_paths;
mod json_schema;
mod json_text;
mod jwt;
mod net;
mod numbers;
mod objects;
mod operand;
mod operators;
pub(crate) mod output;
mod regex;
mod rego_text;
mod sets;
mod shapes;
mod sprintf;
mod strings;
mod table;
mod template;
#[cfg(test)]
mod testing;
mod text_template;
mod time;
mod types;
mod units;
mod uri;
mod uuid;
mod versions;
mod walk;
mod x509;
mod yaml;

pub use base64::base64_text;
pub use bytes::without_bytes;
pub use call::{BuiltinFn, BuiltinResult, Call, Failure, FailureCode};
pub use fetch::{Fetch, FetchFailure};
pub use glob::Glob;
pub use table::{BUILTINS, find, find_harness};
pub(crate) use time::Civil;
pub use types::Type;
pub use uri::normal_url;

/// Index into [`BUILTINS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BuiltinId(pub u16);

impl BuiltinId {
    /// The row of the table.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "`find` gives ids of rows, and `verify` checks those of programs: another one is our bug"
    )]
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
    /// OPA's test binary has it, OPA has not: it exists for a compilation that asks for it.
    pub harness: bool,
    /// Goes out into the network: it exists for a compilation that allows it, and for all others it is refused by name.
    pub network: bool,
    /// `None`: known, typed, and refused by name at compile time.
    pub run: Option<BuiltinFn>,
}
