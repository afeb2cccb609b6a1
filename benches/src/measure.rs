//! Timing of two rivals in one run: rounds alternate, so that a machine that changes its speed changes both, and so does
//! who is first in them.

use std::time::Instant;

/// What the rounds say: medians of [`pair`], bests of [`bests`].
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// ns for one call of the first rival.
    pub first_ns: f64,
    /// ns for one call of the second rival.
    pub second_ns: f64,
    /// Second over first: the median of the rounds' ratios, or the ratio of the bests.
    pub ratio: f64,
}

/// Times both rivals for `rounds` rounds of about `round_ns` each.
pub fn pair(rounds: usize, round_ns: u64, mut first: impl FnMut(), mut second: impl FnMut()) -> Pair {
    let first_calls = calls_in(round_ns, &mut first);
    let second_calls = calls_in(round_ns, &mut second);
    let mut firsts = Vec::new();
    let mut seconds = Vec::new();
    let mut ratios = Vec::new();
    for round in 0..rounds {
        let (a, b) = in_turns(
            round,
            || time(first_calls, &mut first),
            || time(second_calls, &mut second),
        );
        firsts.push(a);
        seconds.push(b);
        ratios.push(b / a);
    }
    Pair {
        first_ns: median(&mut firsts),
        second_ns: median(&mut seconds),
        ratio: median(&mut ratios),
    }
}

/// Into how many short rounds [`one`] and [`bests`] cut each of theirs: on a busy machine most long rounds are interrupted, and
/// some short ones are not.
const CUTS: usize = 50;

/// ns for one call: the best of `rounds` times [`CUTS`] short rounds, which take `rounds` times `round_ns` together.
pub fn one(rounds: usize, round_ns: u64, mut run: impl FnMut()) -> f64 {
    let calls = calls_in(round_ns / CUTS as u64, &mut run);
    let times = (0..rounds * CUTS).map(|_| time(calls, &mut run));
    times.fold(f64::INFINITY, f64::min)
}

/// Both rivals by their best short rounds, as [`one`] takes them, in turns.
pub fn bests(rounds: usize, round_ns: u64, mut first: impl FnMut(), mut second: impl FnMut()) -> Pair {
    let first_calls = calls_in(round_ns / CUTS as u64, &mut first);
    let second_calls = calls_in(round_ns / CUTS as u64, &mut second);
    let (mut first_ns, mut second_ns) = (f64::INFINITY, f64::INFINITY);
    for round in 0..rounds * CUTS {
        let (a, b) = in_turns(
            round,
            || time(first_calls, &mut first),
            || time(second_calls, &mut second),
        );
        (first_ns, second_ns) = (first_ns.min(a), second_ns.min(b));
    }
    Pair {
        first_ns,
        second_ns,
        ratio: second_ns / first_ns,
    }
}

/// Both in one round: the first one first in even rounds and last in odd ones, so that neither always meets what the other
/// leaves behind.
pub fn in_turns<T, U>(round: usize, first: impl FnOnce() -> T, second: impl FnOnce() -> U) -> (T, U) {
    if round.is_multiple_of(2) {
        let done = first();
        (done, second())
    } else {
        let done = second();
        (first(), done)
    }
}

/// ns for one call, over `calls` of them.
fn time(calls: u64, run: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        run();
    }
    start.elapsed().as_nanos() as f64 / calls as f64
}

/// How many calls fill a round; warms up on the way.
fn calls_in(round_ns: u64, run: &mut impl FnMut()) -> u64 {
    let mut calls = 1;
    loop {
        let one_ns = time(calls, run);
        if one_ns * calls as f64 > round_ns as f64 / 10.0 {
            return ((round_ns as f64 / one_ns) as u64).max(1);
        }
        calls *= 4;
    }
}

/// The middle value; 0 of nothing.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
