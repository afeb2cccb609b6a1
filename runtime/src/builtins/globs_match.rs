//! `regex.globs_match`: whether two patterns of `.`, `[…]`, `*` and `+` match a common text, as far as OPA finds one.
//!
//! OPA's search is not complete: where a repeated token is followed by others it gives up when the other pattern ends. The
//! same steps are taken here, so that the same pairs are found.

use super::operand::{args, string};
use super::{BuiltinResult, Call, Failure};
use crate::arena::{Arena, List};
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::value::Value;

/// One character of a pattern, and how often it may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token<'r> {
    one: One<'r>,
    repeat: Repeat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum One<'r> {
    Char(char),
    /// `.`
    Any,
    /// `[…]`: ranges in order that do not touch.
    Set(&'r [(u32, u32)]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    Once,
    Plus,
    Star,
}

/// `regex.globs_match(a, b)`
pub(super) fn globs_match<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    let (a, b) = (string(a)?, string(b)?);
    call.charge(a.len() + b.len())?;
    let (a, b) = (tokens(call.arena, a)?, tokens(call.arena, b)?);
    let Some((a, b)) = trimmed(a, b) else {
        return Ok(Value::FALSE);
    };
    let mut search = Search { call, depth: 0 };
    search.meet(a, b).map(Value::bool)
}

/// Reads a pattern; repeated tokens that stand side by side are one.
fn tokens<'r>(arena: &'r Arena, pattern: &str) -> Result<&'r [Token<'r>], Failure> {
    let mut chars = pattern.chars().peekable();
    let mut tokens: List<'r, Token<'r>> = List::new(arena);
    while let Some(c) = chars.next() {
        let one = match c {
            '\\' => One::Char(chars.next().ok_or(Failure::BUILTIN)?),
            '.' => One::Any,
            '[' => One::Set(set(arena, &mut chars)?),
            ']' | '*' | '+' => return Err(Failure::BUILTIN),
            c => One::Char(c),
        };
        let repeat = match chars.next_if(|c| matches!(c, '*' | '+')) {
            Some('*') => Repeat::Star,
            Some(_) => Repeat::Plus,
            None => Repeat::Once,
        };
        match tokens.items().last().copied() {
            Some(last) if last.one == one && last.repeat != Repeat::Once && repeat != Repeat::Once => {
                if repeat == Repeat::Plus {
                    tokens.pop();
                    tokens.push(Token { one, repeat })?;
                }
            }
            _ => tokens.push(Token { one, repeat })?,
        }
    }
    Ok(tokens.finish())
}

/// What follows `[`.
fn set<'r>(
    arena: &'r Arena,
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<&'r [(u32, u32)], Failure> {
    let mut ranges = List::new(arena);
    let mut previous = None;
    loop {
        let mut next = || chars.next().ok_or(Failure::BUILTIN);
        let c = match next()? {
            ']' => break,
            '-' => {
                let from = previous.take().ok_or(Failure::BUILTIN)?;
                let to = match next()? {
                    ']' | '-' => return Err(Failure::BUILTIN),
                    '\\' => next()?,
                    to => to,
                };
                // A range must not be the last thing of a pattern.
                if to < from || chars.peek().is_none() {
                    return Err(Failure::BUILTIN);
                }
                ranges.push((u32::from(from), u32::from(to)))?;
                continue;
            }
            '\\' => next()?,
            c => c,
        };
        ranges.push((u32::from(c), u32::from(c)))?;
        previous = Some(c);
    }
    let ranges = ranges.finish();
    ranges.sort_unstable();
    let mut merged: List<'r, (u32, u32)> = List::new(arena);
    for &(from, to) in ranges.iter() {
        let joined = match merged.items().last() {
            Some(&(first, last)) if from <= last + 1 => {
                merged.pop();
                (first, last.max(to))
            }
            _ => (from, to),
        };
        merged.push(joined)?;
    }
    Ok(merged.finish())
}

/// Whether two tokens match a common character.
fn overlap(a: &Token<'_>, b: &Token<'_>) -> bool {
    match (&a.one, &b.one) {
        (One::Any, _) | (_, One::Any) => true,
        (One::Char(a), One::Char(b)) => a == b,
        (One::Char(c), One::Set(ranges)) | (One::Set(ranges), One::Char(c)) => ranges
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&u32::from(*c))),
        (One::Set(a), One::Set(b)) => have_common(a, b),
    }
}

/// Whether two lists of ranges in order have a member in common.
fn have_common(mut a: &[(u32, u32)], mut b: &[(u32, u32)]) -> bool {
    while let ([x, behind_x @ ..], [y, behind_y @ ..]) = (a, b) {
        if x.0 <= y.1 && y.0 <= x.1 {
            return true;
        }
        if x.1 < y.1 {
            a = behind_x;
        } else {
            b = behind_y;
        }
    }
    false
}

/// What looking at a token costs.
fn price(token: &Token<'_>) -> usize {
    match token.one {
        One::Set(ranges) => 1 + ranges.len() / 4,
        One::Char(_) | One::Any => 1,
    }
}

/// Cuts off what both have in common at the ends, but for one token each; `None` when they differ there.
fn trimmed<'t, 'r>(a: &'t [Token<'r>], b: &'t [Token<'r>]) -> Option<(&'t [Token<'r>], &'t [Token<'r>])> {
    let once = |a: &Token<'_>, b: &Token<'_>| a.repeat == Repeat::Once && b.repeat == Repeat::Once;
    let front = a.iter().zip(b).take_while(|(a, b)| once(a, b));
    let mut left = 0;
    for (x, y) in front {
        if !overlap(x, y) {
            return None;
        }
        left += 1;
    }
    let left = left.max(1) - 1;
    let (a, b) = (a.get(left..)?, b.get(left..)?);
    let mut right = 0;
    for (x, y) in a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| once(a, b)) {
        if !overlap(x, y) {
            return None;
        }
        right += 1;
    }
    let right = right.max(1) - 1;
    Some((a.get(..a.len() - right)?, b.get(..b.len() - right)?))
}

/// The search, which may try many ways.
struct Search<'s, 'c, 'r> {
    call: &'s mut Call<'c, 'r>,
    depth: usize,
}

impl Search<'_, '_, '_> {
    fn meet(&mut self, a: &[Token<'_>], b: &[Token<'_>]) -> Result<bool, Failure> {
        self.depth += 1;
        if self.depth > BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        let result = self.meet_here(a, b);
        self.depth -= 1;
        result
    }

    fn meet_here(&mut self, mut a: &[Token<'_>], mut b: &[Token<'_>]) -> Result<bool, Failure> {
        loop {
            let (Some(x), Some(y)) = (a.first(), b.first()) else {
                return Ok(a.is_empty() && b.is_empty());
            };
            self.call.charge(price(x).max(price(y)))?;
            match (x.repeat, y.repeat) {
                (Repeat::Once, Repeat::Once) if !overlap(x, y) => return Ok(false),
                (Repeat::Once, Repeat::Once) => {}
                (Repeat::Once, _) => return self.repeated(b, a),
                (_, _) => return self.repeated(a, b),
            }
            a = a.get(1..).unwrap_or_default();
            b = b.get(1..).unwrap_or_default();
        }
    }

    /// `a` begins with a repeated token.
    fn repeated(&mut self, a: &[Token<'_>], b: &[Token<'_>]) -> Result<bool, Failure> {
        let (Some(x), Some(y)) = (a.first(), b.first()) else {
            return Ok(false);
        };
        if x.repeat == Repeat::Star {
            return self.starred(a, b);
        }
        if !overlap(x, y) {
            return Ok(false);
        }
        // Either the one swallows the other's token, or a repeated one of the other swallows it.
        if self.starred(a, b.get(1..).unwrap_or_default())? {
            return Ok(true);
        }
        Ok(y.repeat != Repeat::Once && self.meet(a.get(1..).unwrap_or_default(), b)?)
    }

    /// The first token of `a` swallows tokens of `b`, up to each that its successor could take.
    fn starred(&mut self, a: &[Token<'_>], b: &[Token<'_>]) -> Result<bool, Failure> {
        let (star, next) = (a.first(), a.get(1));
        let own = star.map_or(1, price).max(next.map_or(1, price));
        for (at, token) in b.iter().enumerate() {
            self.call.charge(own.max(price(token)))?;
            if next.is_some_and(|next| overlap(token, next))
                && self.meet(a.get(1..).unwrap_or_default(), b.get(at..).unwrap_or_default())?
            {
                return Ok(true);
            }
            if !star.is_some_and(|star| overlap(token, star)) {
                return Ok(false);
            }
        }
        Ok(next.is_none())
    }
}
