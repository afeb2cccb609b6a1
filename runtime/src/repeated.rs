//! How often a test repeats something: under Miri, some thousand times slower than the processor, a fiftieth of it.

/// `times`, or a fiftieth of it under Miri.
pub(crate) const fn repeated(times: usize) -> usize {
    if cfg!(miri) { times / 50 } else { times }
}
