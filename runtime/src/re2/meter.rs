//! How far a search looks, known before it is made: the engines of `regex-automata` run to their end once they are
//! called, and some searches look at the whole text for each of thousands of matches.

use super::parse::translate;
use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::nfa::thompson::{self, NFA};
use regex_automata::{Anchored, Input, MatchKind};

/// Bytes between two looks at the budget.
const STRIDE: usize = 4096;
/// What it costs to fill the memory of an automaton once, about what the time is worth.
const REFILL_STEPS: usize = 1_000_000;
/// After so many refills the engine may walk all states for each character.
const REFILLS_FREE: usize = 2;

/// The automaton of a pattern, walked by hand.
#[derive(Debug)]
pub(super) struct Meter {
    dfa: DFA,
    states: usize,
}

impl Meter {
    /// `None`: the pattern has no such automaton.
    pub(super) fn new(pattern: &str, bytes_max: usize) -> Option<Meter> {
        let translation = translate(pattern).ok()?;
        let config = thompson::Config::new().nfa_size_limit(Some(bytes_max));
        let nfa: NFA = thompson::Compiler::new()
            .configure(config)
            .build_from_hir(&translation.hir)
            .ok()?;
        let states = nfa.states().len();
        let config = Config::new()
            .match_kind(MatchKind::LeftmostFirst)
            .skip_cache_capacity_check(true);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        Some(Meter { dfa, states })
    }

    /// Memory for walks.
    pub(super) fn create_cache(&self) -> Cache {
        self.dfa.create_cache()
    }

    /// Charges for a search that begins at `from`. `pay` takes steps.
    pub(super) fn charge<E>(
        &self,
        cache: &mut Cache,
        text: &str,
        from: usize,
        mut pay: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let input = Input::new(text).range(from..).anchored(Anchored::No);
        let rest = text.as_bytes().get(from..).unwrap_or_default();
        let price_unknown = rest.len().saturating_mul(self.states) / 8;
        let Ok(mut state) = self.dfa.start_state_forward(cache, &input) else {
            return pay(price_unknown);
        };
        let refills_before = cache.clear_count();
        let mut refills = 0;
        for stride in rest.chunks(STRIDE) {
            let mut scanned = 0;
            for byte in stride {
                let Ok(next) = self.dfa.next_state(cache, state, *byte) else {
                    return pay(price_unknown);
                };
                state = next;
                scanned += 1;
                if state.is_tagged() && (state.is_dead() || state.is_quit()) {
                    break;
                }
            }
            pay(1 + scanned / 2)?;
            let since = cache.clear_count() - refills_before;
            pay((since - refills).saturating_mul(REFILL_STEPS))?;
            refills = since;
            if state.is_quit() || refills > REFILLS_FREE {
                return pay(price_unknown);
            }
            if state.is_dead() {
                return Ok(());
            }
        }
        Ok(())
    }
}
