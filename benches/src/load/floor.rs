//! What the machine adds to latencies, whatever the server is: a thread on each processor that only reads the clock, and the
//! gaps in what it reads.

use std::time::{Duration, Instant};

use super::run::{ns, pin};

/// Readings that are so far apart had something between them that is not the thread's.
const GAP: Duration = Duration::from_micros(20);

/// Times at which a processor did not run the thread that always wanted to.
#[derive(Clone, Debug, Default)]
pub struct Floor {
    gaps_ns: Vec<u64>,
    watched_ns: u64,
}

impl Floor {
    /// Keeps these processors busy for that time. The gaps are those of the first one; the others are busy because a load
    /// generator and a server are.
    ///
    /// # Errors
    /// A processor that is not there.
    pub fn watch(cores: &[usize], time: Duration) -> Result<Floor, String> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = cores
                .iter()
                .map(|core| scope.spawn(move || gaps(*core, time)))
                .collect();
            let mut floors = threads
                .into_iter()
                .map(|thread| thread.join().map_err(|_| "a thread ended early".to_owned())?);
            let first = floors.next().unwrap_or_else(|| Ok(Floor::default()));
            floors.try_for_each(|floor| floor.map(drop))?;
            first
        })
    }

    /// Another time on the same machine, added.
    pub fn add(&mut self, other: &Floor) {
        self.gaps_ns.extend_from_slice(&other.gaps_ns);
        self.watched_ns += other.watched_ns;
    }

    /// The share of the time that went to something else.
    #[must_use]
    pub fn stolen_share(&self) -> f64 {
        self.gaps_ns.iter().sum::<u64>() as f64 / self.watched_ns.max(1) as f64
    }

    /// How long a request that needs no time at all would wait, in us, at this quantile of all moments.
    #[must_use]
    pub fn wait_us(&self, quantile: f64) -> f64 {
        let allowed_ns = (1.0 - quantile) * self.watched_ns as f64;
        // Whoever comes during a gap waits for the rest of it, so a gap has `gap - wait` moments that wait longer.
        let longer_ns = |wait_ns: u64| {
            let over = self.gaps_ns.iter().map(|gap| gap.saturating_sub(wait_ns));
            over.sum::<u64>() as f64
        };
        let (mut low, mut high) = (0, self.gaps_ns.iter().copied().max().unwrap_or(0));
        while low < high {
            let middle = low + (high - low) / 2;
            if longer_ns(middle) > allowed_ns {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low as f64 / 1e3
    }
}

fn gaps(core: usize, time: Duration) -> Result<Floor, String> {
    pin(core)?;
    let began = Instant::now();
    let mut floor = Floor::default();
    let mut last = began;
    while last.duration_since(began) < time {
        let now = Instant::now();
        let gap = now.duration_since(last);
        if gap > GAP {
            floor.gaps_ns.push(ns(gap));
        }
        last = now;
    }
    floor.watched_ns = ns(last.duration_since(began));
    Ok(floor)
}

#[cfg(test)]
mod tests {
    use super::Floor;

    /// Ten gaps of 1 ms in a second: 1% of all moments wait, 0.5% longer than half a gap.
    #[test]
    fn waits_are_the_rests_of_gaps() {
        let floor = Floor {
            gaps_ns: vec![1_000_000; 10],
            watched_ns: 1_000_000_000,
        };
        assert!((floor.stolen_share() - 0.01).abs() < 1e-9);
        assert!(floor.wait_us(0.98) < 0.01);
        assert!((floor.wait_us(0.995) - 500.0).abs() < 1.0);
        assert!((floor.wait_us(0.999) - 900.0).abs() < 1.0);
    }
}
