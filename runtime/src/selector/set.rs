//! A list of patterns compiled together.
//!
//! Patterns without operators are keys of a table. The others become automata over whole texts: a pattern that is not tied
//! to the start or end of the text gets "any bytes" there, so that one walk to the end of the text tells all that match.
//! If that automaton would grow too large, the patterns that are a text with anything behind it, which most large sets are
//! made of, become keys of a second table, which is asked once for each length of its keys. The others are divided among
//! automata; a single pattern that is still too large is searched alone, in the caller's memory.

use std::collections::HashMap;

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::meta;
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use regex_syntax::hir::{Hir, HirKind, Look};

use super::hash::BuildTextHasher;
use super::shape::{exact_text, over_bytes, prefix_text, whole_text};
use crate::re2::{self, Pattern, Re2Error};

/// Bytes of one automaton. Small enough to stay in a core's cache.
const DFA_BYTES_MAX: usize = 1 << 20;
/// Bytes of working memory while one automaton is made.
const DETERMINIZE_BYTES_MAX: usize = 16 << 20;
/// Bytes of the step before an automaton, which large repetitions multiply.
const NFA_BYTES_MAX: usize = 32 << 20;

/// Many selectors, each standing for an entry (a number; smaller ones come first).
#[derive(Debug, Default)]
pub struct SelectorSet {
    exact: HashMap<Box<str>, Vec<u32>, BuildTextHasher>,
    prefixes: Prefixes,
    automata: Vec<Automata>,
    singles: Vec<(Pattern, u32)>,
}

/// Patterns that are a text with anything behind it.
#[derive(Debug, Default)]
struct Prefixes {
    /// Entries by text.
    entries: HashMap<Box<str>, Vec<u32>, BuildTextHasher>,
    /// Lengths of the texts, each once.
    lengths: Vec<usize>,
}

#[derive(Debug)]
struct Automata {
    dfa: dense::DFA<Vec<u32>>,
    /// What every text that matches begins with.
    prefix: Vec<u8>,
    /// The state behind it.
    start: StateID,
    /// Entry of each pattern of the automaton.
    entries: Vec<u32>,
}

/// Memory for searches with one set. One for each core.
#[derive(Debug, Default)]
pub struct SelectorCache {
    singles: Vec<meta::Cache>,
}

/// The outcome where only one owner of entries may match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected {
    /// No entry matches.
    None,
    /// The first entry that matches; all others that match have the same owner.
    One(u32),
    /// Entries of several owners match; this is the first one of all.
    Ambiguous(u32),
}

struct Candidate<'p> {
    entry: u32,
    pattern: &'p str,
    /// The text, of a text with anything behind it.
    prefix: Option<String>,
    hir: Hir,
}

impl SelectorSet {
    /// The selectors that are texts, each with the first entry that has it; in no order.
    pub fn exact_texts(&self) -> impl Iterator<Item = (&str, u32)> {
        self.exact
            .iter()
            .filter_map(|(text, entries)| Some((&**text, *entries.first()?)))
    }

    /// Compiles patterns in Go's syntax, anchors included; each is searched for in the whole text. An entry may have several.
    ///
    /// # Errors
    /// A pattern that is wrong or too large.
    pub fn build<'p>(patterns: impl IntoIterator<Item = (u32, &'p str)>) -> Result<SelectorSet, Re2Error> {
        let mut set = SelectorSet::default();
        let mut candidates = Vec::new();
        for (entry, pattern) in patterns {
            let hir = re2::translate(pattern)?.hir;
            match exact_text(&hir) {
                Some(text) => set.exact.entry(text.into()).or_default().push(entry),
                None => candidates.push(Candidate {
                    entry,
                    pattern,
                    prefix: prefix_text(&hir),
                    hir: whole_text(over_bytes(hir)),
                }),
            }
        }
        set.add_all(candidates)?;
        Ok(set)
    }

    fn add_all(&mut self, mut candidates: Vec<Candidate<'_>>) -> Result<(), Re2Error> {
        if candidates.is_empty() || self.add_automaton(&candidates) {
            return Ok(());
        }
        candidates.retain(|candidate| match &candidate.prefix {
            Some(prefix) => {
                self.prefixes.add(prefix, candidate.entry);
                false
            }
            None => true,
        });
        self.add(&candidates)
    }

    /// One automaton for these, if that is not too large.
    fn add_automaton(&mut self, candidates: &[Candidate<'_>]) -> bool {
        let Some((dfa, start)) = automaton(candidates) else {
            return false;
        };
        let prefix = common_prefix(candidates).to_vec();
        self.automata.push(Automata {
            start: prefix
                .iter()
                .fold(start, |state, &byte| dfa.next_state(state, byte)),
            prefix,
            dfa,
            entries: candidates.iter().map(|candidate| candidate.entry).collect(),
        });
        true
    }

    fn add(&mut self, candidates: &[Candidate<'_>]) -> Result<(), Re2Error> {
        if candidates.is_empty() || self.add_automaton(candidates) {
            return Ok(());
        }
        if let [single] = candidates {
            self.singles.push((re2::compile(single.pattern)?, single.entry));
            return Ok(());
        }
        let (first, second) = candidates.split_at(candidates.len() / 2);
        self.add(first)?;
        self.add(second)
    }

    /// Memory for searches with this set.
    #[must_use]
    pub fn create_cache(&self) -> SelectorCache {
        SelectorCache {
            singles: self
                .singles
                .iter()
                .map(|(pattern, _)| pattern.create_cache())
                .collect(),
        }
    }

    /// Calls `found` for each entry that matches, in no order; more than once if several of its patterns match. `cache` must
    /// come from this set. O(bytes of the text), times the number of automata and of lengths of prefixes.
    pub fn each_match(&self, cache: &mut SelectorCache, text: &str, mut found: impl FnMut(u32)) {
        if let Some(entries) = self.exact.get(text) {
            entries.iter().for_each(|&entry| found(entry));
        }
        self.prefixes.each_match(text, &mut found);
        self.automata
            .iter()
            .for_each(|automata| automata.each_match(text, &mut found));
        for ((pattern, entry), cache) in self.singles.iter().zip(&mut cache.singles) {
            if pattern.is_match(cache, text) {
                found(*entry);
            }
        }
    }

    /// The first entry that matches.
    pub fn first_match(&self, cache: &mut SelectorCache, text: &str) -> Option<u32> {
        let mut first = None;
        self.each_match(cache, text, |entry| {
            first = Some(first.map_or(entry, |first: u32| first.min(entry)))
        });
        first
    }

    /// The first entry that matches, and whether entries of another owner match too.
    pub fn first_of_one_owner(
        &self,
        cache: &mut SelectorCache,
        text: &str,
        owner_of: impl Fn(u32) -> u32,
    ) -> Selected {
        let mut selected = Selected::None;
        self.each_match(cache, text, |entry| {
            selected = match selected {
                Selected::None => Selected::One(entry),
                Selected::One(first) if owner_of(first) == owner_of(entry) => Selected::One(first.min(entry)),
                Selected::One(first) | Selected::Ambiguous(first) => Selected::Ambiguous(first.min(entry)),
            }
        });
        selected
    }
}

impl Prefixes {
    fn add(&mut self, prefix: &str, entry: u32) {
        self.entries.entry(prefix.into()).or_default().push(entry);
        if !self.lengths.contains(&prefix.len()) {
            self.lengths.push(prefix.len());
        }
    }

    fn each_match(&self, text: &str, found: &mut impl FnMut(u32)) {
        for &length in &self.lengths {
            let Some((prefix, rest)) = text.split_at_checked(length) else {
                continue;
            };
            // `.` is no line feed.
            if let Some(entries) = self.entries.get(prefix)
                && memchr::memchr(b'\n', rest.as_bytes()).is_none()
            {
                entries.iter().for_each(|&entry| found(entry));
            }
        }
    }
}

impl Automata {
    fn each_match(&self, text: &str, found: &mut impl FnMut(u32)) {
        let Some(rest) = text.as_bytes().strip_prefix(&*self.prefix) else {
            return;
        };
        let mut state = self.start;
        for &byte in rest {
            state = self.dfa.next_state(state, byte);
            if self.dfa.is_dead_state(state) {
                return;
            }
        }
        state = self.dfa.next_eoi_state(state);
        if !self.dfa.is_match_state(state) {
            return;
        }
        for at in 0..self.dfa.match_len(state) {
            let pattern = self.dfa.match_pattern(state, at);
            if let Some(&entry) = self.entries.get(pattern.as_usize()) {
                found(entry);
            }
        }
    }
}

/// What all these begin with.
fn common_prefix<'c>(candidates: &'c [Candidate<'_>]) -> &'c [u8] {
    let literal = |candidate: &'c Candidate<'_>| match candidate.hir.kind() {
        HirKind::Concat(parts) => match parts.as_slice() {
            [start, text, ..] if *start.kind() == HirKind::Look(Look::Start) => match text.kind() {
                HirKind::Literal(text) => &*text.0,
                _ => &[],
            },
            _ => &[],
        },
        _ => &[],
    };
    let common = |a: &'c [u8], b: &'c [u8]| {
        let len = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        a.get(..len).unwrap_or_default()
    };
    candidates.iter().map(literal).reduce(common).unwrap_or_default()
}

/// Nothing if it would grow too large.
fn automaton(candidates: &[Candidate<'_>]) -> Option<(dense::DFA<Vec<u32>>, StateID)> {
    let hirs: Vec<_> = candidates.iter().map(|candidate| &candidate.hir).collect();
    let config = thompson::Config::new()
        .utf8(false)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(NFA_BYTES_MAX));
    let nfa = thompson::Compiler::new()
        .configure(config)
        .build_many_from_hir(&hirs)
        .ok()?;
    let config = dense::Config::new()
        .match_kind(MatchKind::All)
        .start_kind(StartKind::Anchored)
        .accelerate(false)
        .dfa_size_limit(Some(DFA_BYTES_MAX))
        .determinize_size_limit(Some(DETERMINIZE_BYTES_MAX));
    let dfa = dense::Builder::new()
        .configure(config)
        .build_from_nfa(&nfa)
        .ok()?;
    let start = dfa
        .start_state(&start::Config::new().anchored(Anchored::Yes))
        .ok()?;
    Some((dfa, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(patterns: &[(u32, &str)], text: &str, want: &[u32]) {
        let set = SelectorSet::build(patterns.iter().copied()).unwrap();
        let mut found = Vec::new();
        set.each_match(&mut set.create_cache(), text, |entry| found.push(entry));
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, want, "{text:?}");
        assert_eq!(
            set.first_match(&mut set.create_cache(), text),
            want.first().copied()
        );
    }

    #[test]
    fn exact_texts_and_patterns_are_found_together() {
        let patterns = [(2, "^a:b$"), (1, "^a:.*$"), (0, "^c$"), (3, "^.*$")];
        check(&patterns, "a:b", &[1, 2, 3]);
        check(&patterns, "c", &[0, 3]);
        check(&patterns, "", &[3]);
        check(&patterns, "a:\n", &[]);
    }

    #[test]
    fn runs_of_any_characters_are_found_between_texts_of_any() {
        let patterns = [
            (0, "^é.*é$"),
            (1, "^.*é$"),
            (2, "^é.*ß.*x$"),
            (3, "^.*\\z"),
            (4, "^a.*.$"),
        ];
        check(&patterns, "éé", &[0, 1, 3]);
        check(&patterns, "é\u{10ffff}é", &[0, 1, 3]);
        check(&patterns, "éßx", &[2, 3]);
        check(&patterns, "éa\u{df}\u{1f600}x", &[2, 3]);
        check(&patterns, "aé", &[1, 3, 4]);
        check(&patterns, "é", &[1, 3]);
        check(&patterns, "é\né", &[]);
        check(&patterns, "éßa\nx", &[]);
    }

    #[test]
    fn alternatives_that_are_half_anchored_match_as_a_search() {
        let patterns = [(0, "^a|b$")];
        check(&patterns, "axx", &[0]);
        check(&patterns, "xxb", &[0]);
        check(&patterns, "xax", &[]);
    }

    #[test]
    fn an_escaped_dollar_leaves_the_end_open() {
        check(&[(7, r"^x\$")], "x$ and more", &[7]);
        check(&[(7, r"^x\$")], "x", &[]);
    }

    #[test]
    fn flags_and_word_boundaries_work() {
        check(
            &[(0, "^(?m)a$"), (1, "^(?i)k$"), (2, r"^.*\bok\b.*$")],
            "a\nb",
            &[0],
        );
        check(
            &[(0, "^(?m)a$"), (1, "^(?i)k$"), (2, r"^.*\bok\b.*$")],
            "\u{212a}",
            &[1],
        );
        check(
            &[(0, "^(?m)a$"), (1, "^(?i)k$"), (2, r"^.*\bok\b.*$")],
            "it is ok.",
            &[2],
        );
    }

    #[test]
    fn a_pattern_too_large_for_an_automaton_is_searched_alone() {
        let large = "^.*a.{30}$";
        let set = SelectorSet::build([(0, large), (1, "^b.*$")]).unwrap();
        assert_eq!(set.singles.len(), 1);
        let text = format!("b{}a{}", "x".repeat(5), "y".repeat(30));
        check(&[(0, large), (1, "^b.*$")], &text, &[0, 1]);
    }

    #[test]
    fn what_all_patterns_begin_with_is_compared_at_once() {
        let patterns = [(0, "^mrn:a:.*x$"), (1, "^mrn:ab?$"), (2, "^mrn:a(:.*)?$")];
        let set = SelectorSet::build(patterns).unwrap();
        assert_eq!(set.automata[0].prefix, b"mrn:a");
        check(&patterns, "mrn:a:x", &[0, 2]);
        check(&patterns, "mrn:a", &[1, 2]);
        check(&patterns, "mrn:ab", &[1]);
        check(&patterns, "mrn:", &[]);
        check(&patterns, "mrn:b", &[]);
        check(&[(0, "^mrn:a|b$"), (1, "^mrn:a$")], "mrn:axb", &[0]);
        check(&[(0, "^(?i)mrn$"), (1, "^mrn.*$")], "MRN", &[0]);
    }

    #[test]
    fn many_texts_with_anything_behind_them_need_no_automaton() {
        let patterns: Vec<(u32, String)> = (0..3_000)
            .map(|n| (n, format!("^service{n}:.*$")))
            .chain([(3_000, "^.*:read$".to_owned()), (3_001, "^servicé.*$".to_owned())])
            .collect();
        let set = SelectorSet::build(patterns.iter().map(|(entry, text)| (*entry, text.as_str()))).unwrap();
        assert_eq!((set.prefixes.lengths.len(), set.automata.len()), (5, 1));
        let found = |text| {
            let mut found = Vec::new();
            set.each_match(&mut set.create_cache(), text, |entry| found.push(entry));
            found.sort_unstable();
            found
        };
        assert_eq!(found("service17:read"), [17, 3_000]);
        assert_eq!(found("service17:"), [17]);
        assert_eq!(found("service17:a\nb"), [] as [u32; 0]);
        assert_eq!(found("service3000:x"), [] as [u32; 0]);
        assert_eq!(found("servicé:read"), [3_000, 3_001]);
        assert_eq!(found("servicê:"), [] as [u32; 0]);
        assert_eq!(found(""), [] as [u32; 0]);
    }

    #[test]
    fn several_owners_are_told_apart() {
        let set = SelectorSet::build([(0, "^a.*$"), (1, "^ab$"), (10, "^abc$")]).unwrap();
        let mut cache = set.create_cache();
        let mut select = |text| set.first_of_one_owner(&mut cache, text, |entry| entry / 10);
        assert_eq!(select("ab"), Selected::One(0));
        assert_eq!(select("abc"), Selected::Ambiguous(0));
        assert_eq!(select("x"), Selected::None);
    }
}
