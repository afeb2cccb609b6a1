//! What is wrong with a pattern, in Go's words.

use std::fmt;

/// Kind of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Re2ErrorKind {
    /// `[b-a]`, `[[:foo:]]`, `\p{Foo}`
    CharRange,
    /// `\y`
    Escape,
    /// `(?P<a b>x)`
    NamedCapture,
    /// `(?x)`, `(?=a)`
    PerlSyntax,
    /// `a**`
    RepeatOp,
    /// `a{1001}`, `a{2,1}`
    RepeatSize,
    /// `[a`
    MissingBracket,
    /// `(a`
    MissingParen,
    /// `*`
    MissingRepeatArgument,
    /// A backslash at the end.
    TrailingBackslash,
    /// `a)`
    UnexpectedParen,
    /// Groups within groups within groups.
    NestingDepth,
    /// A pattern whose automaton would be too large.
    Large,
}

/// A pattern that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Re2Error {
    /// What is wrong.
    pub kind: Re2ErrorKind,
    /// The part of the pattern that is wrong.
    pub fragment: String,
}

impl Re2Error {
    pub(super) fn new(kind: Re2ErrorKind, fragment: &str) -> Re2Error {
        Re2Error {
            kind,
            fragment: fragment.to_owned(),
        }
    }
}

impl fmt::Display for Re2Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Re2ErrorKind::CharRange => "invalid character class range",
            Re2ErrorKind::Escape => "invalid escape sequence",
            Re2ErrorKind::NamedCapture => "invalid named capture",
            Re2ErrorKind::PerlSyntax => "invalid or unsupported Perl syntax",
            Re2ErrorKind::RepeatOp => "invalid nested repetition operator",
            Re2ErrorKind::RepeatSize => "invalid repeat count",
            Re2ErrorKind::MissingBracket => "missing closing ]",
            Re2ErrorKind::MissingParen => "missing closing )",
            Re2ErrorKind::MissingRepeatArgument => "missing argument to repetition operator",
            Re2ErrorKind::TrailingBackslash => "trailing backslash at end of expression",
            Re2ErrorKind::UnexpectedParen => "unexpected )",
            Re2ErrorKind::NestingDepth => "expression nests too deeply",
            Re2ErrorKind::Large => "expression too large",
        };
        write!(f, "error parsing regexp: {what}: `{}`", self.fragment)
    }
}

impl std::error::Error for Re2Error {}
