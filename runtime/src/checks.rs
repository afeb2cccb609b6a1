//! What was proved before and is relied on without a look, looked at once more in builds that ask for it: debug builds, and
//! those with the feature `extra-checks`. Elsewhere nothing of it is left.

/// Whether this build looks at what is cheap to look at.
pub(crate) const ON: bool = cfg!(any(debug_assertions, feature = "extra-checks"));

/// Whether this build looks at what is not.
pub(crate) const ALL: bool = cfg!(feature = "extra-checks");

/// Ends the process where a proof did not hold.
#[inline(always)]
pub(crate) const fn check(holds: bool, what: &'static str) {
    assert!(!ON || holds, "{}", what);
}
