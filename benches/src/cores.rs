//! Two cores against one, in process: threads with a decider each over one image.

use crate::corpus::{self, Example};
use gavel_runtime::image::Image;
use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

/// Decisions in a second by two threads over those by one, as [`over_one`] has them.
///
/// # Errors
/// A domain that does not compile; a machine with one core.
pub fn two_over_one(example: &Example, rounds: usize, round_ns: u64) -> Result<f64, String> {
    match over_one(example, 2, rounds, round_ns)?.as_slice() {
        [_, (_, ratio)] => Ok(*ratio),
        _ => Err("there is one core only".to_owned()),
    }
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
    let cores = std::thread::available_parallelism().map_err(|error| error.to_string())?;
    let image = corpus::image(example)?;
    let bodies: Vec<&[u8]> = example.requests.iter().map(|(_, body)| body.as_slice()).collect();
    let passes = ((round_ns as f64 * 100.0 / round(&image, &bodies, 1, 100)) as u64).max(1);
    let mut bests_ns = vec![f64::INFINITY; cores.get().min(threads_max)];
    for _ in 0..rounds {
        for (best_ns, threads) in bests_ns.iter_mut().zip(1_usize..) {
            *best_ns = best_ns.min(round(&image, &bodies, threads, passes));
        }
    }
    let one_ns = bests_ns.first().copied().unwrap_or(f64::NAN);
    let series = bests_ns.iter().zip(1_u32..);
    Ok(series
        .map(|(best_ns, threads)| (f64::from(threads), f64::from(threads) * one_ns / best_ns))
        .collect())
}

/// ns from the common start to the end of the last of so many threads, each of which decides all bodies `passes` times.
fn round(image: &Image, bodies: &[&[u8]], threads: usize, passes: u64) -> f64 {
    let start = Barrier::new(threads);
    let work = || {
        let mut decider = corpus::decider(image);
        let pass = |decider: &mut _| {
            for body in bodies {
                black_box(corpus::decide(decider, image, black_box(body)).map(|d| d.granted)).ok();
            }
        };
        pass(&mut decider);
        start.wait();
        let begun = Instant::now();
        for _ in 0..passes {
            pass(&mut decider);
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
