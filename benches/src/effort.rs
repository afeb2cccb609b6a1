//! How long each part of the report takes.

/// Rounds and times.
pub(crate) struct Effort {
    /// Rounds of a measurement in process.
    pub(crate) rounds: usize,
    /// ns of one of them.
    pub(crate) round_ns: u64,
    /// Rounds of a measurement with processes.
    pub(crate) load_rounds: usize,
    /// Seconds of a load in one of them.
    pub(crate) load_seconds: u32,
    /// Seconds of the load at half of saturation.
    pub(crate) half_load_seconds: u32,
    /// Connections that are opened and left idle.
    pub(crate) idle_connections: usize,
    /// Curves are drawn and a record is written.
    pub(crate) is_whole: bool,
}

/// Some minutes, of which large domains take the most; more where other work has the processors, too.
pub(crate) const QUICK: Effort = Effort {
    rounds: 9,
    round_ns: 12_000_000,
    load_rounds: 3,
    load_seconds: 2,
    half_load_seconds: 10,
    idle_connections: 1_000,
    is_whole: false,
};

/// What a record is made of: half an hour.
pub(crate) const WHOLE: Effort = Effort {
    rounds: 11,
    round_ns: 100_000_000,
    load_rounds: 5,
    load_seconds: 4,
    half_load_seconds: 600,
    idle_connections: 10_000,
    is_whole: true,
};
