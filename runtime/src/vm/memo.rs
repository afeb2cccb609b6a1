//! Results of functions within one request, by arguments, for the functions of which that shows: OPA keeps them by scope,
//! whatever replacements are in force when the call is made again, and takes `1` and `1.0` for the same argument.

use super::core::emptied;
use crate::value::{Kind, Value};
use std::collections::HashMap;

/// What is called, with what.
#[derive(Clone, Copy, Debug)]
struct Asked<'v> {
    function: u32,
    epoch: u64,
    arguments: &'v [Value<'v>],
    hash: u64,
}

/// The result of one call.
#[derive(Clone, Copy, Debug)]
struct Known<'v> {
    asked: Asked<'v>,
    value: Value<'v>,
    /// The result before it with the same hash; [`NONE`]: there is none.
    before: u32,
}

/// All results.
#[derive(Debug, Default)]
pub(super) struct Memo<'v> {
    known: Vec<Known<'v>>,
    /// The last result of each hash.
    heads: HashMap<u64, u32>,
    /// Calls that are running.
    running: Vec<Asked<'v>>,
}

/// No result.
const NONE: u32 = u32::MAX;

impl<'v> Memo<'v> {
    /// Its memory, empty, for another request.
    pub(super) fn emptied<'w>(mut self) -> Memo<'w> {
        self.clear();
        Memo {
            known: emptied(self.known),
            heads: self.heads,
            running: emptied(self.running),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.heads.clear();
        self.running.clear();
    }

    /// The result of a function in a scope for arguments that equal these: the last that was found.
    pub(super) fn known(&self, function: u32, epoch: u64, arguments: &[Value<'v>]) -> Option<Value<'v>> {
        let mut at = *self.heads.get(&hash(function, epoch, arguments))?;
        while let Some(known) = self.known.get(at as usize) {
            let asked = &known.asked;
            if asked.function == function
                && asked.epoch == epoch
                && asked.arguments.len() == arguments.len()
                && asked.arguments.iter().zip(arguments).all(|(a, b)| a.equals(*b))
            {
                return Some(known.value);
            }
            at = known.before;
        }
        None
    }

    /// Begins a call whose result is to be kept.
    pub(super) fn open(&mut self, function: u32, epoch: u64, arguments: &'v [Value<'v>]) {
        self.running.push(Asked {
            function,
            epoch,
            arguments,
            hash: hash(function, epoch, arguments),
        });
    }

    /// Ends the call that was begun last. One that is undefined will be made again.
    pub(super) fn fill(&mut self, value: Value<'v>) {
        let Some(asked) = self.running.pop() else { return };
        if value.is_unset() {
            return;
        }
        // Each call cost an instruction, so the budget keeps their number far below 2^32.
        let at = u32::try_from(self.known.len()).unwrap_or(NONE);
        let before = self.heads.insert(asked.hash, at).unwrap_or(NONE);
        self.known.push(Known { asked, value, before });
    }

    /// Forgets which calls are running, after an error.
    pub(super) fn abandon(&mut self) {
        self.running.clear();
    }

    /// Drops the results found since there were `len` of them.
    pub(super) fn truncate(&mut self, len: usize) {
        while self.known.len() > len {
            let Some(known) = self.known.pop() else { return };
            match known.before {
                NONE => self.heads.remove(&known.asked.hash),
                before => self.heads.insert(known.asked.hash, before),
            };
        }
    }
}

/// Equal for equal arguments. Collections count by their sizes alone, so that a call costs the same whatever it is given.
fn hash(function: u32, epoch: u64, arguments: &[Value<'_>]) -> u64 {
    let mut hash = mix(u64::from(function), epoch);
    for argument in arguments {
        hash = mix(
            hash,
            match argument.kind() {
                Kind::Undefined | Kind::Null => 1,
                Kind::Bool(flag) => 2 + u64::from(flag),
                Kind::Int(int) => (int as f64).to_bits(),
                // Minus zero becomes zero.
                Kind::Number(text) => (text.parse().unwrap_or(f64::INFINITY) + 0.0).to_bits(),
                Kind::String(text) => text.bytes().fold(4, |hash, byte| mix(hash, u64::from(byte))),
                Kind::Array(items) => mix(5, items.len() as u64),
                Kind::Object(entries) => mix(6, entries.len() as u64),
                Kind::Set(members) => mix(7, members.len() as u64),
            },
        );
    }
    hash
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
}
