//! The configuration file and the environment variables that override it: raw text in, one valid [`Config`] out, and what
//! they say in place of flags.
//!
//! `keys.rs` is the table of keys, `file.rs` finds and reads the file, `values.rs`, `records.rs` and `record_env.rs` know the keys
//! that are no flags'. `later.rs` is what becomes of it in a process that runs, `strangers.rs` says which variables nobody reads.

mod file;
mod keys;
mod later;
mod podinfo;
mod record_env;
mod records;
mod strangers;
mod values;

pub use file::{Found, Place, Setting, Settings, named_file, why_none};
pub use keys::{About, FLAGS_WITHOUT_KEY, KEYS, Key, OPA_FLAGS};
pub use later::{AtStart, files};
pub use records::RecordRules;
pub use strangers::tell_of_strangers;
pub use values::{Config, log_formatter};
pub(crate) use values::{boolean, names};
