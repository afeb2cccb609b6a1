//! The thread that asks the source now and then, more rarely while it fails, and never at the same moment as others.

use std::io;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::limits;
use crate::random::Random;
use crate::reload::{Ask, Cause, Outcome, Reloader, Wish};

/// Starts the thread.
///
/// # Errors
/// No thread can be started.
pub fn poll(reloader: Reloader, every: Duration) -> io::Result<()> {
    thread::Builder::new().name("poll".to_owned()).spawn(move || {
        let mut random = Random::seeded();
        let mut failures = 0;
        loop {
            thread::sleep(pause(every, failures, random.next_u64()));
            let (answer, answered) = oneshot::channel();
            let wish = Wish {
                only_if_changed: true,
                ..Wish::default()
            };
            let ask = Ask {
                cause: Cause::Source,
                wish,
                answer: Some(answer),
            };
            if !reloader.ask(ask) {
                return;
            }
            match answered.blocking_recv().map(|report| report.outcome) {
                Ok(Outcome::Failed(_)) => failures += 1,
                Ok(Outcome::Loaded(_) | Outcome::Unchanged(_)) => failures = 0,
                Err(_) => return,
            }
        }
    })?;
    Ok(())
}

/// Twice as long after each failure in a row, up to a bound; a tenth more or less at random, so that processes that were
/// started together do not ask together.
pub(crate) fn pause(every: Duration, failures: u32, random: u64) -> Duration {
    let most = Duration::from_secs(limits::SOURCE_PAUSE_SECONDS_MAX).max(every);
    let pause = every.saturating_mul(1 << failures.min(16)).min(most);
    let tenth = pause / 10;
    let share = u32::try_from(random % 2001).unwrap_or(0);
    (pause - tenth).saturating_add(tenth.saturating_mul(share) / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound() {
        let every = Duration::from_secs(30);
        for (failures, seconds) in [(0, 30), (1, 60), (3, 240), (4, 300), (u32::MAX, 300)] {
            let whole = Duration::from_secs(seconds);
            assert_eq!(pause(every, failures, 1000), whole, "{failures}");
            assert_eq!(pause(every, failures, 0), whole * 9 / 10);
            assert_eq!(pause(every, failures, 2000), whole * 11 / 10);
        }
        let rare = Duration::from_secs(3600);
        assert_eq!(pause(rare, 5, 1000), rare);
        assert!(pause(Duration::MAX, 0, 2000) > rare);
    }
}
