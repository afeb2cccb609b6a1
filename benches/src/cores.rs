//! Two cores against one, in process: threads with a decider each over one image, and threads that share nothing at all, which
//! tell what the machine itself gives.

use crate::corpus::{self, Example};
use gavel_runtime::decision::Decider;
use gavel_runtime::image::Image;
use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

/// Two cores over one.
#[derive(Clone, Copy, Debug)]
pub struct Two {
    /// Decisions in a second by two threads over those by one, as [`over_one`] has them.
    pub decisions: f64,
    /// The same of [`machine_pass`], in the same rounds: what this machine's second processor is worth to whoever shares nothing.
    pub machine: f64,
}

/// Two cores over one, of decisions and of the machine itself.
///
/// # Errors
/// A domain that does not compile; a machine with one core.
pub fn two_over_one(example: &Example, rounds: usize, round_ns: u64) -> Result<Two, String> {
    let decisions = Decisions::of(example)?;
    let own_memory = || vec![1_u64; MACHINE_WORDS];
    let deciding = Load::new(round_ns, || decisions.ready(), |ready| decisions.pass(ready));
    let machine = Load::new(round_ns, own_memory, |memory: &mut Vec<u64>| machine_pass(memory));
    if cores()? < 2 {
        return Err("there is one core only".to_owned());
    }
    let mut bests_ns = [[f64::INFINITY; 2]; 2];
    for _ in 0..rounds {
        let times_ns = [
            [deciding.round(1), deciding.round(2)],
            [machine.round(1), machine.round(2)],
        ];
        for (best_ns, ns) in bests_ns.iter_mut().flatten().zip(times_ns.iter().flatten()) {
            *best_ns = best_ns.min(*ns);
        }
    }
    let [decisions, machine] = bests_ns.map(|[one_ns, two_ns]| 2.0 * one_ns / two_ns);
    Ok(Two { decisions, machine })
}

/// Threads, and their decisions in a second over those of one thread, up to one for each core and `threads_max`. Both sides
/// by their best rounds, which take turns: what else runs on the machine takes more from two threads than from one, and the
/// best of the rounds' ratios would be the round in which it took most from the one.
///
/// # Errors
/// A domain that does not compile.
pub fn over_one(
    example: &Example,
    threads_max: usize,
    rounds: usize,
    round_ns: u64,
) -> Result<Vec<(f64, f64)>, String> {
    let decisions = Decisions::of(example)?;
    let deciding = Load::new(round_ns, || decisions.ready(), |ready| decisions.pass(ready));
    let mut bests_ns = vec![f64::INFINITY; cores()?.min(threads_max)];
    for _ in 0..rounds {
        for (best_ns, threads) in bests_ns.iter_mut().zip(1_usize..) {
            *best_ns = best_ns.min(deciding.round(threads));
        }
    }
    let one_ns = bests_ns.first().copied().unwrap_or(f64::NAN);
    let series = bests_ns.iter().zip(1_u32..);
    Ok(series
        .map(|(best_ns, threads)| (f64::from(threads), f64::from(threads) * one_ns / best_ns))
        .collect())
}

fn cores() -> Result<usize, String> {
    let cores = std::thread::available_parallelism().map_err(|error| error.to_string())?;
    Ok(cores.get())
}

/// All requests of an example, over one image.
struct Decisions<'e> {
    image: Image,
    bodies: Vec<&'e [u8]>,
}

impl<'e> Decisions<'e> {
    fn of(example: &'e Example) -> Result<Decisions<'e>, String> {
        Ok(Decisions {
            image: corpus::image(example)?,
            bodies: example.requests.iter().map(|(_, body)| body.as_slice()).collect(),
        })
    }

    fn ready(&self) -> Decider {
        corpus::decider(&self.image)
    }

    fn pass(&self, decider: &mut Decider) {
        for body in &self.bodies {
            let decision = corpus::decide(decider, &self.image, black_box(body));
            black_box(decision.map(|decision| decision.granted)).ok();
        }
    }
}

/// Words of a thread's own that [`machine_pass`] reads: half of a core's first cache.
const MACHINE_WORDS: usize = 2 << 10;

/// Keeps a core busy with nothing that another one has: its registers, in chains that do not wait for each other, and its own
/// first cache.
fn machine_pass(memory: &[u64]) {
    let mut chains = [1_u64, 3, 5, 7];
    for words in black_box(memory).chunks_exact(chains.len()) {
        for (chain, word) in chains.iter_mut().zip(words) {
            *chain = (*chain ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(9);
        }
    }
    black_box(chains);
}

/// What threads do: each makes itself ready, then all do so many passes.
struct Load<R, P> {
    ready: R,
    pass: P,
    passes: u64,
}

impl<S, R: Fn() -> S + Sync, P: Fn(&mut S) + Sync> Load<R, P> {
    /// As many passes as one thread does in `round_ns`.
    fn new(round_ns: u64, ready: R, pass: P) -> Load<R, P> {
        let mut load = Load {
            ready,
            pass,
            passes: 100,
        };
        load.passes = ((round_ns as f64 * 100.0 / load.round(1)) as u64).max(1);
        load
    }

    /// ns from the common start to the end of the last of so many threads.
    fn round(&self, threads: usize) -> f64 {
        let start = Barrier::new(threads);
        let work = || {
            let mut state = (self.ready)();
            (self.pass)(&mut state);
            start.wait();
            let begun = Instant::now();
            for _ in 0..self.passes {
                (self.pass)(&mut state);
            }
            (begun, Instant::now())
        };
        let times: Vec<(Instant, Instant)> = std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            running
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .collect()
        });
        let begun = times.iter().map(|(begun, _)| *begun).min();
        let ended = times.iter().map(|(_, ended)| *ended).max();
        match begun.zip(ended) {
            Some((begun, ended)) if times.len() == threads => (ended - begun).as_nanos() as f64,
            // A thread that panicked did not do its part.
            _ => f64::INFINITY,
        }
    }
}
