//! A compiled pattern.

use super::automaton::{Automaton, Walk};
use super::delimiters::Delimiters;
use super::lexer::{Malformed, Token, tokens};
use super::tokens::{Piece, matches};

/// Patterns of one brace level that spell out to so many plain ones are matched one after the other.
const ALTERNATIVES_MAX: usize = 16;

/// A pattern together with its delimiters.
#[derive(Clone, Debug)]
pub struct Glob {
    delimiters: Delimiters,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    /// One of these lists matches.
    Pieces(Vec<Vec<Piece>>),
    Automaton(Automaton),
}

impl Glob {
    /// Compiles a pattern. `delimiters`: their characters, `None` for none at all, an empty text for OPA's default, the
    /// point. `None` when the pattern is malformed.
    #[must_use]
    pub fn new(pattern: &str, delimiters: Option<&str>) -> Option<Glob> {
        let tokens = match tokens(pattern) {
            Ok(tokens) => tokens,
            Err(Malformed) => return None,
        };
        let delimiters = match delimiters {
            None => "",
            Some("") => ".",
            Some(chars) => chars,
        };
        let form = match spelled_out(&tokens) {
            Some(lists) => Form::Pieces(lists),
            None => Form::Automaton(Automaton::new(&tokens)),
        };
        Some(Glob {
            delimiters: Delimiters::new(delimiters),
            form,
        })
    }

    /// Whether the whole text matches. `steps` pays for the work; `None` when it is used up.
    pub(in crate::builtins) fn is_match(&self, text: &str, walk: &mut Walk, steps: &mut u64) -> Option<bool> {
        match &self.form {
            Form::Automaton(automaton) => automaton.matches(&self.delimiters, text, walk, steps),
            Form::Pieces(lists) => {
                for pieces in lists {
                    if matches(pieces, &self.delimiters, text, steps)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
        }
    }
}

/// The plain patterns that a pattern with braces stands for; `None` for classes, nested braces, or too many.
fn spelled_out(tokens: &[Token]) -> Option<Vec<Vec<Piece>>> {
    let mut done: Vec<Vec<Piece>> = vec![Vec::new()];
    let mut alternatives: Option<Vec<Vec<Piece>>> = None;
    for token in tokens {
        match (token, &mut alternatives) {
            (Token::Open, None) => alternatives = Some(vec![Vec::new()]),
            (Token::Open, Some(_)) => return None,
            (Token::Comma, Some(open)) => open.push(Vec::new()),
            (Token::Close, Some(open)) => {
                if done.len() * open.len() > ALTERNATIVES_MAX {
                    return None;
                }
                let joined = |head: &Vec<Piece>| {
                    let head = head.clone();
                    open.iter().map(move |tail| [head.as_slice(), tail].concat())
                };
                done = done.iter().flat_map(joined).collect();
                alternatives = None;
            }
            (token, Some(open)) => open.last_mut()?.push(Piece::of(token)?),
            (token, None) => {
                let piece = Piece::of(token)?;
                done.iter_mut().for_each(|list| list.push(piece.clone()));
            }
        }
    }
    done.iter_mut().for_each(merge_texts);
    Some(done)
}

/// Joins neighbouring literals, and stars that stand side by side.
fn merge_texts(pieces: &mut Vec<Piece>) {
    let mut merged: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces.drain(..) {
        match (merged.last_mut(), &piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => {
                *before = [&**before, &**text].concat().into();
            }
            (Some(Piece::Super), Piece::Star | Piece::Super) | (Some(Piece::Star), Piece::Star) => {}
            (Some(last @ Piece::Star), Piece::Super) => *last = Piece::Super,
            _ => merged.push(piece),
        }
    }
    *pieces = merged;
}
