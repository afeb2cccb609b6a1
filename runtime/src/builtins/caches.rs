//! State of builtins that outlives a request: bounded caches of patterns that no compiler could prepare.

use super::Failure;
use super::call::charge;
use super::fetch::Fetch;
use super::glob::{Glob, Walk};
use super::json_schema::Schemas;
use super::jwt::KeySet;
use super::time::Zones;
use crate::bytecode::PreparedRegex;
use crate::error::EvalErrorKind;
use crate::limits::DEADLINE_POLL_FUEL;
use crate::re2::{self, Pattern, Re2ErrorKind, Scratch};
use crate::selector::hash;
use regex_automata::meta;
use regex_automata::util::captures::Captures;

/// Patterns of one kind that are kept. A pattern out of the request displaces the one in its place; a policy uses few.
const PATTERNS_MAX: usize = 64;

/// Bytes of a pattern compiled during a request; times [`PATTERNS_MAX`] it bounds what one core keeps.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// Longest text of keys that is kept, of which there are [`PATTERNS_MAX`] too.
const KEYS_LEN_MAX: usize = 64 << 10;

/// Fuel for compiling a pattern during a request: more than the distance between two looks at the clock.
const COMPILE_FUEL: usize = 2 * DEADLINE_POLL_FUEL as usize;
const COMPILE_FUEL_PER_BYTE: usize = 256;

/// Fuel for reading a glob pattern during a request.
const GLOB_FUEL: usize = 512;
const GLOB_FUEL_PER_BYTE: usize = 32;

/// One per VM.
#[derive(Debug, Default)]
pub struct Caches {
    globs: Places<Compiled<Glob>>,
    regexes: Places<Compiled<(Pattern, Working)>>,
    prepared: Places<(u64, Working)>,
    keys: Places<Compiled<KeySet>>,
    /// Time zones by name.
    pub(super) zones: Zones,
    /// Compiled JSON schemas.
    pub(super) schemas: Schemas,
    /// For `http.send`, where its owner lent it.
    pub(crate) fetch: Option<Fetch>,
    /// Bytes that are being written.
    pub(super) scratch: Vec<u8>,
    /// Scratch memory of the pattern walks.
    pub(super) glob_walk: Walk,
}

/// What searching with one pattern needs.
#[derive(Debug)]
pub(super) struct Working {
    pub(super) cache: meta::Cache,
    pub(super) groups: Captures,
    pub(super) scratch: Scratch,
    /// Byte ranges of the groups of a match.
    pub(super) ranges: Vec<Option<(usize, usize)>>,
}

impl Working {
    fn new(pattern: &Pattern) -> Working {
        Working {
            cache: pattern.create_cache(),
            groups: pattern.create_captures(),
            scratch: Scratch::default(),
            ranges: Vec::new(),
        }
    }
}

impl Caches {
    /// The compiled form of a glob pattern with its delimiters; an error when it is malformed.
    pub(super) fn glob(
        &mut self,
        pattern: &str,
        delimiters: Option<&str>,
        fuel: &mut u64,
    ) -> Result<(&Glob, &mut Walk), Failure> {
        let price = GLOB_FUEL.saturating_add(pattern.len().saturating_mul(GLOB_FUEL_PER_BYTE));
        let option = delimiters.map_or(('n', ""), |chars| ('d', chars));
        let compile = || Glob::new(pattern, delimiters).ok_or(Failure::BUILTIN);
        let glob = self
            .globs
            .compiled(pattern, option, || charge(fuel, price), compile)?;
        Ok((glob, &mut self.glob_walk))
    }

    /// The compiled form of a regular expression; an error when it is malformed. A pattern that is not kept is paid for:
    /// compiling one takes as long as thousands of steps, and the clock must be looked at in between.
    pub(super) fn regex(
        &mut self,
        pattern: &str,
        fuel: &mut u64,
    ) -> Result<(&Pattern, &mut Working), Failure> {
        let price = regex_price(pattern);
        let compile = || match re2::compile_within(pattern, REGEX_BYTES_MAX) {
            Ok(compiled) => {
                let working = Working::new(&compiled);
                Ok((compiled, working))
            }
            // Memory is our bound, not a property of the pattern: it may not turn into undefined.
            Err(error) if error.kind == Re2ErrorKind::Large => Err(EvalErrorKind::ArenaExhausted.into()),
            Err(_) => Err(Failure::BUILTIN),
        };
        let (pattern, working) =
            self.regexes
                .compiled(pattern, ('r', ""), || charge(fuel, price), compile)?;
        Ok((pattern, working))
    }

    /// Memory for searching with a pattern of the image.
    pub(super) fn working(&mut self, prepared: &PreparedRegex) -> Option<&mut Working> {
        let place = self.prepared.at(prepared.id())?;
        if place.as_ref().is_none_or(|(id, _)| *id != prepared.id()) {
            *place = Some((prepared.id(), Working::new(prepared.pattern())));
        }
        place.as_mut().map(|(_, working)| working)
    }
}

impl Caches {
    /// What became of a text of keys, if it is known.
    pub(super) fn keys(&mut self, text: &str) -> Option<Result<KeySet, Failure>> {
        let kept = self.keys.at(hash(text.as_bytes()))?.as_ref()?;
        (kept.pattern == text).then(|| kept.compiled.clone())
    }

    /// Keeps what became of a text of keys, unless it is a long one.
    pub(super) fn keep_keys(&mut self, text: &str, keys: &Result<KeySet, Failure>) {
        if text.len() <= KEYS_LEN_MAX
            && let Some(place) = self.keys.at(hash(text.as_bytes()))
        {
            *place = Some(Compiled {
                pattern: text.to_owned(),
                option: ('k', String::new()),
                compiled: keys.clone(),
            });
        }
    }
}

/// Fuel for compiling a pattern.
pub(super) fn regex_price(pattern: &str) -> usize {
    COMPILE_FUEL.saturating_add(pattern.len().saturating_mul(COMPILE_FUEL_PER_BYTE))
}

/// Things, each at the one place that its hash gives. The hash needs no key: whoever can choose texts can displace things as
/// well by many of them, and pays for what is compiled.
#[derive(Debug)]
struct Places<T> {
    places: Vec<Option<T>>,
}

/// A pattern with what became of it.
#[derive(Debug)]
struct Compiled<T> {
    pattern: String,
    option: (char, String),
    compiled: Result<T, Failure>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Places { places: Vec::new() }
    }
}

impl<T> Places<T> {
    fn at(&mut self, hash: u64) -> Option<&mut Option<T>> {
        if self.places.is_empty() {
            self.places.resize_with(PATTERNS_MAX, || None);
        }
        self.places.get_mut((hash % PATTERNS_MAX as u64) as usize)
    }
}

impl<T> Places<Compiled<T>> {
    fn compiled(
        &mut self,
        pattern: &str,
        option: (char, &str),
        pay: impl FnOnce() -> Result<(), Failure>,
        compile: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<&mut T, Failure> {
        let sum = hash(pattern.as_bytes()).wrapping_add(hash(option.1.as_bytes()));
        let place = self
            .at(sum.wrapping_add(option.0.into()))
            .ok_or(Failure::BUILTIN)?;
        let is_kept = place.as_ref().is_some_and(|kept| {
            kept.pattern == pattern && kept.option.0 == option.0 && kept.option.1 == option.1
        });
        if !is_kept {
            pay()?;
            *place = Some(Compiled {
                pattern: pattern.to_owned(),
                option: (option.0, option.1.to_owned()),
                compiled: compile(),
            });
        }
        match place {
            Some(kept) => kept.compiled.as_mut().map_err(|failure| *failure),
            None => Err(Failure::BUILTIN),
        }
    }
}
