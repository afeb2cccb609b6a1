//! The most frequent ops and pairs of ops.

use crate::executed::{Pair, executed};
use crate::subject::Subject;
use gavel_compiler::opt::Passes;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Lines of a list.
const LINES: usize = 24;

/// Ops, and pairs of them, over all requests of the subjects; shares are of all executed instructions. `a, b`: `b` stands right
/// behind `a`, so that one op could do both; `a -> b`: control went there.
pub(crate) fn report(subjects: &[Subject]) -> Result<String, String> {
    let mut ops: BTreeMap<String, u64> = BTreeMap::new();
    let mut pairs: BTreeMap<String, u64> = BTreeMap::new();
    let mut requests = 0;
    for subject in subjects {
        let counted =
            executed(subject, Passes::ALL).map_err(|problem| format!("{}: {problem}", subject.name))?;
        requests += subject.requests.len();
        for (op, count) in counted.ops {
            *ops.entry(op.to_owned()).or_default() += count;
        }
        for (pair, count) in counted.pairs {
            *pairs.entry(shown(pair)).or_default() += count;
        }
    }
    let total: u64 = ops.values().sum();
    Ok(format!(
        "{}\n{}{total:>7}          all, of {requests} requests\n",
        list(pairs, total),
        list(ops, total)
    ))
}

fn shown(pair: Pair) -> String {
    let [first, second] = pair.ops;
    let between = if pair.is_next { "," } else { " ->" };
    format!("{first}{between} {second}")
}

/// The largest counts, with their shares.
fn list(counts: BTreeMap<String, u64>, total: u64) -> String {
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    let share = |count: u64| count as f64 / total.max(1) as f64 * 100.0;
    let lines = counts.into_iter().take(LINES);
    lines
        .map(|(what, count)| format!("{count:>7} {:>5.1} %  {what}\n", share(count)))
        .collect()
}
