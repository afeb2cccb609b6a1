//! Bounds on PolicyDomain files. The author of a file pays for each of them; all are far above what people write.

/// Bytes of one file. The text, its nodes and its Rego stay in memory while a set of domains is compiled.
pub const FILE_BYTES_MAX: usize = 8 << 20;

/// Nesting of sequences and mappings. Decoding a node is recursive, so this bounds the stack.
pub const DEPTH_MAX: usize = 64;

/// Nodes of one file, each alias counted as a copy of what it stands for. Bounds the work that aliases can multiply.
pub const NODES_MAX: usize = 100_000;

/// Nesting of a JSON text inside an annotation; the same stack as [`DEPTH_MAX`].
pub const JSON_DEPTH_MAX: usize = 64;

/// Bytes of one selector; patterns are repeated in error texts and compiled into automata.
pub const SELECTOR_BYTES_MAX: usize = 64 << 10;

/// Libraries that one module needs, directly or not. Bounds the lists that are kept for each module.
pub const LIBRARIES_MAX: usize = 1000;

/// Bytes read again because lines of flow collections or quoted scalars stand too far to the left; each such line costs
/// one reading of the file.
pub const REREAD_BYTES_MAX: usize = 128 << 20;
