//! All other patterns: a nondeterministic automaton whose states are walked side by side, so that no text takes more
//! than states × characters.

use super::delimiters::Delimiters;
use super::lexer::{Class, Token};

/// What a state costs for a character, against the steps of simpler patterns.
const STEPS_PER_STATE: u64 = 4;

/// What a state waits for.
#[derive(Clone, Debug)]
enum State {
    Char(char),
    One,
    /// Stays on characters that are no delimiters, and goes on without one.
    Star,
    /// Stays on any character, and goes on without one.
    Super,
    Class(Class),
    /// Goes on in several places without a character.
    Split(Vec<usize>),
    /// Goes on elsewhere without a character.
    Jump(usize),
}

/// States in the order of the pattern; the one behind the last accepts.
#[derive(Clone, Debug)]
pub(super) struct Automaton {
    states: Vec<State>,
}

/// Scratch memory of a walk.
#[derive(Debug, Default)]
pub(in crate::builtins) struct Walk {
    now: Vec<usize>,
    next: Vec<usize>,
    seen: Vec<bool>,
    waiting: Vec<usize>,
}

/// An open brace: its split, and the jumps to its end.
struct Group {
    split: usize,
    starts: Vec<usize>,
    jumps: Vec<usize>,
}

impl Automaton {
    /// `tokens` have balanced braces.
    pub(super) fn new(tokens: &[Token]) -> Automaton {
        let mut states = Vec::new();
        let mut groups: Vec<Group> = Vec::new();
        for token in tokens {
            match token {
                Token::Text(text) => states.extend(text.chars().map(State::Char)),
                Token::One => states.push(State::One),
                Token::Star => states.push(State::Star),
                Token::Super => states.push(State::Super),
                Token::Class(class) => states.push(State::Class(class.clone())),
                Token::Open => {
                    groups.push(Group {
                        split: states.len(),
                        starts: vec![states.len() + 1],
                        jumps: Vec::new(),
                    });
                    states.push(State::Split(Vec::new()));
                }
                Token::Comma => {
                    if let Some(group) = groups.last_mut() {
                        group.jumps.push(states.len());
                        states.push(State::Jump(0));
                        group.starts.push(states.len());
                    }
                }
                Token::Close => {
                    let end = states.len();
                    if let Some(group) = groups.pop() {
                        for jump in group.jumps {
                            if let Some(state) = states.get_mut(jump) {
                                *state = State::Jump(end);
                            }
                        }
                        if let Some(split) = states.get_mut(group.split) {
                            *split = State::Split(group.starts);
                        }
                    }
                }
            }
        }
        Automaton { states }
    }

    /// Whether the whole text matches. `None` when the steps are used up.
    pub(super) fn matches(
        &self,
        delimiters: &Delimiters,
        text: &str,
        walk: &mut Walk,
        steps: &mut u64,
    ) -> Option<bool> {
        walk.next.clear();
        walk.start(self.states.len());
        self.enter(0, walk);
        for c in text.chars() {
            std::mem::swap(&mut walk.now, &mut walk.next);
            walk.start(self.states.len());
            let active = std::mem::take(&mut walk.now);
            *steps = steps.checked_sub(STEPS_PER_STATE * active.len() as u64 + 1)?;
            for at in &active {
                let (takes, target) = match self.states.get(*at) {
                    Some(State::Char(literal)) => (*literal == c, at + 1),
                    Some(State::One) => (!delimiters.has(c), at + 1),
                    Some(State::Star) => (!delimiters.has(c), *at),
                    Some(State::Super) => (true, *at),
                    Some(State::Class(class)) => (class.has(c), at + 1),
                    Some(State::Split(_) | State::Jump(_)) | None => (false, 0),
                };
                if takes {
                    self.enter(target, walk);
                }
            }
            walk.now = active;
            if walk.next.is_empty() {
                return Some(false);
            }
        }
        Some(walk.next.contains(&self.states.len()))
    }

    /// Adds a state and all that it reaches without a character.
    fn enter(&self, state: usize, walk: &mut Walk) {
        walk.waiting.push(state);
        while let Some(at) = walk.waiting.pop() {
            match walk.seen.get_mut(at) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            match self.states.get(at) {
                Some(State::Split(targets)) => walk.waiting.extend(targets),
                Some(State::Jump(target)) => walk.waiting.push(*target),
                Some(State::Star | State::Super) => {
                    walk.next.push(at);
                    walk.waiting.push(at + 1);
                }
                Some(State::Char(_) | State::One | State::Class(_)) | None => walk.next.push(at),
            }
        }
    }
}

impl Walk {
    /// Nothing is entered yet; `count` states and the accepting one may be.
    fn start(&mut self, count: usize) {
        self.next.clear();
        self.seen.clear();
        self.seen.resize(count + 1, false);
    }
}
