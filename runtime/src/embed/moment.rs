//! What the caller tells a decision about the world.

use crate::decision::Stamp;
use crate::vm::RequestEnv;

/// Time and randomness of one request: the engine has neither of its own.
///
/// ```
/// use gavel_runtime::embed::Moment;
/// use std::time::{SystemTime, UNIX_EPOCH};
///
/// let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
/// let moment = Moment::new(i64::try_from(now.as_nanos()).unwrap_or(i64::MAX), [7; 16]);
/// # assert!(moment.wall_ns > 0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Wall clock in ns since 1970: `time.now_ns`, and the timestamp of the record.
    pub wall_ns: i64,
    /// Random bytes: the id of the record, and the seed of `rand.intn` and `uuid.rfc4122`. They must be new for each request.
    pub random: [u8; 16],
    /// A clock that only goes forward, in ns: durations in the record, and the deadline.
    pub monotonic_ns: fn() -> u64,
    /// When the request must be over, on that clock. The instruction budget of [`crate::limits::Limits`] bounds it anyway.
    pub deadline_ns: Option<u64>,
}

impl Moment {
    /// A moment without a clock: durations are zero, and there is no deadline but the instruction budget.
    #[must_use]
    pub fn new(wall_ns: i64, random: [u8; 16]) -> Moment {
        Moment {
            wall_ns,
            random,
            monotonic_ns: || 0,
            deadline_ns: None,
        }
    }

    pub(super) fn env(&self) -> RequestEnv {
        let seed = u128::from_le_bytes(self.random);
        RequestEnv {
            wall_ns: self.wall_ns,
            seed: (seed ^ (seed >> 64)) as u64,
            monotonic_ns: self.monotonic_ns,
            begun_ns: (self.monotonic_ns)(),
            deadline_ns: self.deadline_ns,
        }
    }

    pub(super) fn stamp(&self) -> Stamp {
        Stamp {
            wall_ns: self.wall_ns,
            random: self.random,
        }
    }
}
