//! Pattern text to tokens.

use std::iter::Peekable;
use std::str::Chars;

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Characters that match themselves.
    Text(String),
    /// `?`: one character that is no delimiter.
    One,
    /// `*`: any characters but delimiters.
    Star,
    /// `**`: any characters.
    Super,
    /// `[…]`
    Class(Class),
    /// `{`
    Open,
    /// `,` inside braces.
    Comma,
    /// `}` inside braces.
    Close,
}

/// `[abc]`, `[a-c]`, `[!…]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Class {
    negated: bool,
    members: Members,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Members {
    Range(char, char),
    Listed(String),
}

impl Class {
    pub(super) fn has(&self, c: char) -> bool {
        let is_member = match &self.members {
            Members::Range(low, high) => (*low..=*high).contains(&c),
            Members::Listed(chars) => chars.contains(c),
        };
        is_member != self.negated
    }
}

/// The pattern is not well-formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// All tokens; braces are balanced.
pub(super) fn tokens(pattern: &str) -> Result<Vec<Token>, Malformed> {
    let mut chars = pattern.chars().peekable();
    let mut tokens = Vec::new();
    let mut depth = 0_usize;
    while let Some(c) = chars.peek().copied() {
        let token = match c {
            '{' => Token::Open,
            ',' if depth > 0 => Token::Comma,
            '}' if depth > 0 => Token::Close,
            '?' => Token::One,
            '*' => Token::Star,
            '[' => {
                chars.next();
                tokens.push(Token::Class(class(&mut chars)?));
                continue;
            }
            _ => {
                let breakers: &[char] = if depth > 0 {
                    &['?', '*', '[', '{', '}', ',']
                } else {
                    &['?', '*', '[', '{']
                };
                tokens.push(Token::Text(text(&mut chars, breakers)?));
                continue;
            }
        };
        chars.next();
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            _ => {}
        }
        let is_super = token == Token::Star && chars.next_if_eq(&'*').is_some();
        tokens.push(if is_super { Token::Super } else { token });
    }
    if depth == 0 { Ok(tokens) } else { Err(Malformed) }
}

/// Literal characters up to a breaker; `\` takes the next one as it is.
fn text(chars: &mut Peekable<Chars<'_>>, breakers: &[char]) -> Result<String, Malformed> {
    let mut text = String::new();
    while let Some(c) = chars.next_if(|c| !breakers.contains(c)) {
        match c {
            '\\' => text.push(chars.next().ok_or(Malformed)?),
            c => text.push(c),
        }
    }
    Ok(text)
}

/// What follows `[`.
fn class(chars: &mut Peekable<Chars<'_>>) -> Result<Class, Malformed> {
    let negated = chars.next_if_eq(&'!').is_some();
    let mut ahead = chars.clone();
    let members = match (ahead.next(), ahead.next()) {
        (Some(low), Some('-')) => {
            let high = ahead.next().filter(|high| *high >= low).ok_or(Malformed)?;
            *chars = ahead;
            Members::Range(low, high)
        }
        _ => Members::Listed(text(chars, &[']'])?),
    };
    let is_empty = matches!(&members, Members::Listed(chars) if chars.is_empty());
    match chars.next() {
        Some(']') if !is_empty => Ok(Class { negated, members }),
        _ => Err(Malformed),
    }
}
