//! What the outside world tells a request: the machine itself knows no clock and no randomness.

/// Clock readings and seed of one request.
#[derive(Clone, Copy, Debug)]
pub struct RequestEnv {
    /// Wall clock in ns since 1970, the same for the whole request (`time.now_ns`).
    pub wall_ns: i64,
    /// Seed of `rand.intn`, `uuid.rfc4122` and the like.
    pub seed: u64,
    /// A clock that only goes forward, in ns; read when the deadline is polled, and between the phases of a decision.
    pub monotonic_ns: fn() -> u64,
    /// When the request began, on that clock: whoever sets a deadline has read it.
    pub begun_ns: u64,
    /// When the request must be over, on that clock.
    pub deadline_ns: Option<u64>,
}

impl RequestEnv {
    /// A request without a deadline, at a moment at which time stands still: for what has to come out alike each time.
    #[must_use]
    pub const fn timeless(wall_ns: i64, seed: u64) -> RequestEnv {
        RequestEnv {
            wall_ns,
            seed,
            monotonic_ns: || 0,
            begun_ns: 0,
            deadline_ns: None,
        }
    }
}
