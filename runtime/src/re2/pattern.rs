//! A compiled pattern whose mutable memory belongs to the caller.

use regex_automata::meta::{self, Regex};
use regex_automata::util::captures::Captures;
use regex_automata::{Input, Match, hybrid};

use std::sync::OnceLock;

use super::error::{Re2Error, Re2ErrorKind};
use super::meter::Meter;
use super::parse::translate;

/// Bytes of a compiled pattern. Go bounds patterns by 3.3 million instructions; a policy that needs more than this
/// is refused rather than given the memory.
pub(crate) const NFA_BYTES_MAX: usize = 32 << 20;

/// Bytes looked at times the size of a pattern, from which on searches are measured before they are made. What policies
/// ask of usual texts stays far below.
const UNMEASURED_MAX: usize = 1 << 26;
/// Bytes of a compiled pattern that count as one in its size.
const SIZE_BYTES: usize = 128;

/// A compiled pattern. Searches need a [`meta::Cache`] from [`Pattern::create_cache`]; with it they do not allocate once the
/// cache has grown.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    group_names: Vec<Option<Box<str>>>,
    text: Box<str>,
    bytes_max: usize,
    /// Made when somebody asks for it, which takes a long text.
    meter: OnceLock<Option<Box<Meter>>>,
}

/// What a series of searches with one pattern keeps to measure itself.
#[derive(Debug, Default)]
pub struct Scratch {
    cache: Option<hybrid::dfa::Cache>,
}

/// Compiles a pattern in Go's syntax.
///
/// # Errors
/// What Go would refuse, and patterns that need too much memory.
pub fn compile(pattern: &str) -> Result<Pattern, Re2Error> {
    compile_within(pattern, NFA_BYTES_MAX)
}

/// As [`compile`], with a bound of the caller's for the compiled pattern.
///
/// # Errors
/// As [`compile`].
pub fn compile_within(pattern: &str, bytes_max: usize) -> Result<Pattern, Re2Error> {
    let translation = translate(pattern)?;
    let config = meta::Config::new()
        .nfa_size_limit(Some(bytes_max))
        .onepass_size_limit(Some(1 << 20));
    let regex = meta::Builder::new()
        .configure(config)
        .build_from_hir(&translation.hir)
        .map_err(|_| Re2Error::new(Re2ErrorKind::Large, pattern))?;
    Ok(Pattern {
        regex,
        group_names: translation.group_names,
        text: pattern.into(),
        bytes_max,
        meter: OnceLock::new(),
    })
}

impl Pattern {
    /// Bytes that the compiled pattern takes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.regex.memory_usage()
    }

    /// Memory for searches with this pattern.
    #[must_use]
    pub fn create_cache(&self) -> meta::Cache {
        self.regex.create_cache()
    }

    /// Room for the groups of a match.
    #[must_use]
    pub fn create_captures(&self) -> Captures {
        self.regex.create_captures()
    }

    /// Names of the groups, the whole match first.
    #[must_use]
    pub fn group_names(&self) -> &[Option<Box<str>>] {
        &self.group_names
    }

    /// Pays for a search at `from` that is out of the ordinary. `looked_at`: bytes that searches of this series may have
    /// looked at so far; this one is added.
    pub(crate) fn charge<E>(
        &self,
        scratch: &mut Scratch,
        text: &str,
        from: usize,
        looked_at: &mut usize,
        mut pay: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<(), E> {
        *looked_at = looked_at.saturating_add(text.len().saturating_sub(from));
        let size = 1 + self.regex.memory_usage() / SIZE_BYTES;
        if looked_at.saturating_mul(size) <= UNMEASURED_MAX {
            return Ok(());
        }
        let meter = self
            .meter
            .get_or_init(|| Meter::new(&self.text, self.bytes_max).map(Box::new));
        let Some(meter) = meter else {
            return pay(text.len().saturating_sub(from).saturating_mul(size));
        };
        let cache = scratch.cache.get_or_insert_with(|| meter.create_cache());
        meter.charge(cache, text, from, pay)
    }

    /// Whether the pattern matches anywhere in the text.
    pub fn is_match(&self, cache: &mut meta::Cache, text: &str) -> bool {
        self.regex
            .search_half_with(cache, &Input::new(text).earliest(true))
            .is_some()
    }

    /// The first match at or behind the byte `from`; none if that is no boundary of a character.
    pub fn find_at(&self, cache: &mut meta::Cache, text: &str, from: usize) -> Option<Match> {
        text.get(from..)?;
        self.regex.search_with(cache, &Input::new(text).range(from..))
    }

    /// As [`Pattern::find_at`], with the groups; `groups` says whether there is a match.
    pub fn captures_at(&self, cache: &mut meta::Cache, text: &str, from: usize, groups: &mut Captures) {
        if text.get(from..).is_none() {
            groups.clear();
            return;
        }
        self.regex
            .search_captures_with(cache, &Input::new(text).range(from..), groups);
    }
}
