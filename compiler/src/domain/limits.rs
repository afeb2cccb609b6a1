//! Bounds on PolicyDomain files. The author of a file pays for each of them; all are far above what people write.

/// Bytes of one file. The text, its nodes and its Rego stay in memory while a set of domains is compiled.
///
/// Ten thousand policies of forty lines are 14 MiB.
pub const FILE_BYTES_MAX: usize = 64 << 20;

/// Nesting of sequences and mappings. Decoding a node is recursive, so this bounds the stack.
pub const DEPTH_MAX: usize = 64;

/// Nodes of one file, each alias counted as a copy of what it stands for. Bounds the work that aliases can multiply. Long
/// files may have more, in proportion: see [`nodes_max`].
pub const NODES_MAX: usize = 100_000;

/// Bytes of a long file for each node that it may have; what is written out takes more.
const BYTES_PER_NODE: usize = 4;

/// Nodes that a file of so many bytes may have.
#[must_use]
pub fn nodes_max(bytes: usize) -> usize {
    NODES_MAX.max(bytes / BYTES_PER_NODE)
}

/// Nesting of a JSON text inside an annotation; the same stack as [`DEPTH_MAX`].
pub const JSON_DEPTH_MAX: usize = 64;

/// Bytes of one selector; patterns are repeated in error texts and compiled into automata.
pub const SELECTOR_BYTES_MAX: usize = 64 << 10;

/// Libraries that one module needs, directly or not. Bounds the lists that are kept for each module.
pub const LIBRARIES_MAX: usize = 1000;

/// Bytes read again because lines of flow collections or quoted scalars stand too far to the left; each such line costs
/// one reading of the file. About two seconds of work; short files get less, see [`reread_bytes_max`].
pub const REREAD_BYTES_MAX: usize = 128 << 20;

/// Bytes read again of a file of so many bytes: 256 readings, and for the shortest ones what takes a quarter of a second.
#[must_use]
pub fn reread_bytes_max(bytes: usize) -> usize {
    bytes
        .saturating_mul(256)
        .clamp(REREAD_BYTES_MAX / 8, REREAD_BYTES_MAX)
}
