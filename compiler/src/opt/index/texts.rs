//! What a body of a rule asks a text or another scalar for, and how two such questions relate.

use super::super::facts::Facts;
use crate::plan::{Cmp, Cond, Function, Inst, Operand, TextTest};
use gavel_runtime::value::Constant;
use std::collections::BTreeSet;

/// The values for which a question is answered with yes: some texts, those that start or end so, some other scalars.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    pub(super) exact: BTreeSet<String>,
    pub(super) starts: Vec<String>,
    pub(super) ends: Vec<String>,
    pub(super) integers: BTreeSet<i64>,
    pub(super) flags: BTreeSet<bool>,
    /// The answer is yes for all of these; else only for some of them.
    pub(super) all: bool,
}

impl Texts {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.exact.len() + self.starts.len() + self.ends.len() + self.integers.len() + self.flags.len()
    }

    /// Adds values; `None`: some are of a kind that no index has.
    fn take(&mut self, values: &[Constant]) -> Option<()> {
        for value in values {
            match value {
                Constant::String(text) => {
                    self.exact.insert(text.clone());
                }
                Constant::Int(int) => {
                    self.integers.insert(*int);
                }
                Constant::Bool(flag) => {
                    self.flags.insert(*flag);
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// Whether a text is among these.
    fn has(&self, text: &str) -> bool {
        self.exact.contains(text)
            || self.starts.iter().any(|start| text.starts_with(start.as_str()))
            || self.ends.iter().any(|end| text.ends_with(end.as_str()))
    }

    /// Whether some text may be among both.
    pub(super) fn meets(&self, other: &Texts) -> bool {
        let overlaps = |a: &[String], b: &[String], has: fn(&str, &str) -> bool| {
            a.iter().any(|a| b.iter().any(|b| has(a, b) || has(b, a)))
        };
        let (few, many) = match self.exact.len() < other.exact.len() {
            true => (self, other),
            false => (other, self),
        };
        !self.integers.is_disjoint(&other.integers)
            || !self.flags.is_disjoint(&other.flags)
            || few.exact.iter().any(|text| many.exact.contains(text))
            || (!other.starts.is_empty() || !other.ends.is_empty())
                && self.exact.iter().any(|text| other.has(text))
            || (!self.starts.is_empty() || !self.ends.is_empty())
                && other.exact.iter().any(|text| self.has(text))
            || overlaps(&self.starts, &other.starts, |a, b| a.starts_with(b))
            || overlaps(&self.ends, &other.ends, |a, b| a.ends_with(b))
            || (!self.starts.is_empty() && !other.ends.is_empty())
            || (!self.ends.is_empty() && !other.starts.is_empty())
    }

    /// Whether each text of these is among others, too.
    pub(super) fn is_within(&self, other: &Texts) -> bool {
        let within = |texts: &[String], others: &[String], has: fn(&str, &str) -> bool| {
            texts
                .iter()
                .all(|text| others.iter().any(|other| has(text, other)))
        };
        self.integers.is_subset(&other.integers)
            && self.flags.is_subset(&other.flags)
            && self.exact.iter().all(|text| other.has(text))
            && within(&self.starts, &other.starts, |a, b| a.starts_with(b))
            && within(&self.ends, &other.ends, |a, b| a.ends_with(b))
    }
}

/// What an instruction asks a text for.
pub(super) fn question(
    function: &Function,
    facts: &Facts,
    at: usize,
    inst: &Inst,
) -> Option<(Operand, Texts)> {
    let mut texts = Texts {
        all: true,
        ..Texts::default()
    };
    let Inst::Test { cond, .. } = inst else {
        return None;
    };
    let on = match cond {
        Cond::Compare(Cmp::Eq, on, Operand::Const(value)) => {
            texts.take(std::slice::from_ref(&**value))?;
            on
        }
        Cond::In(on, Operand::Const(collection)) => {
            let (Constant::Array(items) | Constant::Set(items)) = &**collection else {
                return None;
            };
            texts.take(items)?;
            on
        }
        Cond::Text(test, on, affix) => {
            let affixes = match &**affix {
                Constant::Array(affixes) => strings(affixes)?,
                other => strings(std::slice::from_ref(other))?,
            };
            match test {
                TextTest::Starts => texts.starts = affixes,
                TextTest::Ends => texts.ends = affixes,
            }
            on
        }
        Cond::Truthy(Operand::Reg(tested)) => {
            let (call, inst) = facts.single_def(function, *tested)?;
            return (call < at).then(|| glob(function, facts, inst)).flatten();
        }
        _ => return None,
    };
    Some((on.clone(), texts))
}

/// What a call of `glob.match` with a constant pattern asks for, as far as an index can tell.
fn glob(function: &Function, facts: &Facts, inst: &Inst) -> Option<(Operand, Texts)> {
    let Inst::CallBuiltin { builtin, args, .. } = inst else {
        return None;
    };
    let ([pattern, _, text], "glob.match") = (args.as_slice(), builtin.get().name) else {
        return None;
    };
    let pattern = facts.constant(function, *pattern)?;
    let Constant::String(pattern) = &*pattern else {
        return None;
    };
    let special = pattern.find(['*', '?', '[', ']', '{', '}', '\\'])?;
    let start = pattern.get(..special).filter(|start| !start.is_empty())?;
    let texts = Texts {
        starts: vec![start.to_owned()],
        ..Texts::default()
    };
    Some((Operand::Reg(*text), texts))
}

/// Texts, if there is nothing else.
fn strings(items: &[Constant]) -> Option<Vec<String>> {
    let text = |item: &Constant| match item {
        Constant::String(text) => Some(text.clone()),
        _ => None,
    };
    items.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(exact: &[&str], starts: &[&str], ends: &[&str]) -> Texts {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Texts {
            exact: owned(exact).into_iter().collect(),
            starts: owned(starts),
            ends: owned(ends),
            all: true,
            ..Texts::default()
        }
    }

    #[test]
    fn questions_meet_where_one_text_fits_both() {
        let cases = [
            (texts(&["a"], &[], &[]), texts(&["b"], &[], &[]), false, false),
            (texts(&["a"], &[], &[]), texts(&["a", "b"], &[], &[]), true, true),
            (texts(&["a", "b"], &[], &[]), texts(&["b"], &[], &[]), true, false),
            (texts(&["a:b"], &[], &[]), texts(&[], &["a:"], &[]), true, true),
            (texts(&["b"], &[], &[]), texts(&[], &["a:"], &[]), false, false),
            (texts(&[], &["a:"], &[]), texts(&["a:b"], &[], &[]), true, false),
            (texts(&[], &["a:b"], &[]), texts(&[], &["a:"], &[]), true, true),
            (texts(&[], &["a:"], &[]), texts(&[], &["a:b"], &[]), true, false),
            (texts(&[], &["a:"], &[]), texts(&[], &["b:"], &[]), false, false),
            (texts(&[], &["a:"], &[]), texts(&[], &[], &[":z"]), true, false),
            (texts(&[], &[], &[":yz"]), texts(&[], &[], &["z"]), true, true),
        ];
        let scalars = |integers: &[i64], flags: &[bool]| Texts {
            integers: integers.iter().copied().collect(),
            flags: flags.iter().copied().collect(),
            ..texts(&[], &[], &[])
        };
        let others = [
            (scalars(&[1], &[]), scalars(&[1, 2], &[]), true, true),
            (scalars(&[1, 2], &[]), scalars(&[2], &[]), true, false),
            (scalars(&[1], &[]), scalars(&[], &[true]), false, false),
            (scalars(&[], &[true]), scalars(&[1], &[true, false]), true, true),
            (scalars(&[1], &[]), texts(&["1"], &[""], &[]), false, false),
        ];
        for (a, b, meets, is_within) in cases.into_iter().chain(others) {
            assert_eq!(a.meets(&b), meets, "{a:?} {b:?}");
            assert_eq!(b.meets(&a), meets, "{a:?} {b:?}");
            assert_eq!(a.is_within(&b), is_within, "{a:?} {b:?}");
        }
    }
}
