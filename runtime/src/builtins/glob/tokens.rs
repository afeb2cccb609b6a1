//! Patterns without classes and braces: walked with one restart point for the last `*` and one for the last `**`.

use super::delimiters::Delimiters;
use super::lexer::Token;

/// A piece of such a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Box<str>),
    One,
    Star,
    Super,
}

impl Piece {
    pub(super) fn of(token: &Token) -> Option<Piece> {
        match token {
            Token::Text(text) => Some(Piece::Text(text.as_str().into())),
            Token::One => Some(Piece::One),
            Token::Star => Some(Piece::Star),
            Token::Super => Some(Piece::Super),
            Token::Class(_) | Token::Open | Token::Comma | Token::Close => None,
        }
    }
}

/// Where to go on after a mismatch: the piece behind the star, and where in the text it was tried last.
#[derive(Clone, Copy)]
struct Restart {
    piece: usize,
    at: usize,
}

/// Whether the pieces match the whole text. `steps` counts restarts; `None` when it is used up.
///
/// An earlier `*` needs no second try once a later one was reached: the later one can extend over whatever the earlier
/// one could have, because neither crosses a delimiter and the pieces between them match delimiters only as literals.
pub(super) fn matches(
    pieces: &[Piece],
    delimiters: &Delimiters,
    text: &str,
    steps: &mut u64,
) -> Option<bool> {
    let (mut piece, mut at) = (0, 0);
    let (mut star, mut super_star): (Option<Restart>, Option<Restart>) = (None, None);
    loop {
        let rest = text.get(at..)?;
        let advanced = match pieces.get(piece) {
            None => {
                if rest.is_empty() {
                    return Some(true);
                }
                None
            }
            Some(Piece::Text(literal)) => rest.starts_with(&**literal).then_some(literal.len()),
            Some(Piece::One) => rest
                .chars()
                .next()
                .filter(|c| !delimiters.has(*c))
                .map(char::len_utf8),
            Some(Piece::Super) => {
                if piece + 1 == pieces.len() {
                    return Some(true);
                }
                super_star = Some(Restart { piece: piece + 1, at });
                star = None;
                Some(0)
            }
            Some(Piece::Star) => {
                // What is looked at below without a restart of its own.
                *steps = steps.checked_sub(rest.len() as u64 / 64)?;
                match pieces.get(piece + 1..)? {
                    [] if delimiters.are_absent(rest) => return Some(true),
                    [Piece::Text(end)] if ends(rest, end, delimiters) => return Some(true),
                    // Nothing but the end can follow, and it does not.
                    [] | [Piece::Text(_)] => {
                        star = None;
                        None
                    }
                    _ => {
                        star = Some(Restart { piece: piece + 1, at });
                        Some(0)
                    }
                }
            }
        };
        if let Some(len) = advanced {
            (piece, at) = (piece + 1, at + len);
            continue;
        }
        *steps = steps.checked_sub(1)?;
        let resumed = star
            .and_then(|restart| extend(restart, pieces, text, Some(delimiters)))
            .inspect(|restart| star = Some(*restart))
            .or_else(|| {
                star = None;
                super_star = extend(super_star?, pieces, text, None);
                super_star
            });
        match resumed {
            Some(restart) => (piece, at) = (restart.piece, restart.at),
            None => return Some(false),
        }
    }
}

fn ends(rest: &str, end: &str, delimiters: &Delimiters) -> bool {
    rest.strip_suffix(end)
        .is_some_and(|middle| delimiters.are_absent(middle))
}

/// The star takes one more character, or all up to the next occurrence of the literal behind it.
fn extend(restart: Restart, pieces: &[Piece], text: &str, limit: Option<&Delimiters>) -> Option<Restart> {
    let rest = text.get(restart.at..)?;
    let first = rest.chars().next()?;
    let skipped = match pieces.get(restart.piece) {
        Some(Piece::Text(literal)) => {
            let behind = rest.get(first.len_utf8()..)?;
            first.len_utf8() + memchr::memmem::find(behind.as_bytes(), literal.as_bytes())?
        }
        _ => first.len_utf8(),
    };
    let taken = rest.get(..skipped)?;
    if limit.is_some_and(|delimiters| !delimiters.are_absent(taken)) {
        return None;
    }
    Some(Restart {
        at: restart.at + skipped,
        ..restart
    })
}
