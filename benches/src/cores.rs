//! Two cores against one, in process: threads with a decider each over one image.

use crate::corpus::{self, Example};
use gavel_runtime::image::Image;
use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

/// Decisions in a second by two threads over those by one: the best of `rounds` rounds, in which both take turns. The best,
/// because what else runs on the machine takes more from two threads than from one.
///
/// # Errors
/// A domain that does not compile; a machine with one core.
pub fn two_over_one(example: &Example, rounds: usize, round_ns: u64) -> Result<f64, String> {
    let cores = std::thread::available_parallelism().map_err(|error| error.to_string())?;
    if cores.get() < 2 {
        return Err("there is one core only".to_owned());
    }
    let image = corpus::image(example)?;
    let bodies: Vec<&[u8]> = example.requests.iter().map(|(_, body)| body.as_slice()).collect();
    let one_ns = round(&image, &bodies, 1, 100) / 100.0;
    let passes = ((round_ns as f64 / one_ns) as u64).max(1);
    let mut best: f64 = 0.0;
    for _ in 0..rounds {
        let one = round(&image, &bodies, 1, passes);
        let two = round(&image, &bodies, 2, passes);
        best = best.max(2.0 * one / two);
    }
    Ok(best)
}

/// Threads, and their decisions in a second over those of one thread, up to one for each core.
///
/// # Errors
/// As [`two_over_one`].
pub fn over_one(example: &Example, rounds: usize, round_ns: u64) -> Result<Vec<(f64, f64)>, String> {
    let cores = std::thread::available_parallelism().map_err(|error| error.to_string())?;
    let image = corpus::image(example)?;
    let bodies: Vec<&[u8]> = example.requests.iter().map(|(_, body)| body.as_slice()).collect();
    let passes = ((round_ns as f64 * 100.0 / round(&image, &bodies, 1, 100)) as u64).max(1);
    let mut series = Vec::new();
    for threads in 1..=cores.get() {
        let mut best: f64 = 0.0;
        for _ in 0..rounds {
            let one = round(&image, &bodies, 1, passes);
            best = best.max(threads as f64 * one / round(&image, &bodies, threads, passes));
        }
        series.push((threads as f64, best));
    }
    Ok(series)
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
