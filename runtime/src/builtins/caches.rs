//! State of builtins that outlives a request: bounded caches of patterns that no compiler could prepare.

/// One per VM.
#[derive(Debug, Default)]
pub struct Caches {}
