//! Where OPA stops in a text that the grammar refuses, and what it says there.
//!
//! OPA tries one reading of a text after the other and drops the errors of those that it gives up, so its first error
//! may stand far from where the text goes wrong: `some x in [1,` is refused at the `in`. This is a recogniser with OPA's
//! order of attempts. It builds nothing and accepts nothing: the grammar alone decides what is Rego, and when the two
//! disagree the grammar's own error stands.

use crate::layout::{Brackets, Words};
use crate::limits::{REFUSAL_NESTING_MAX, REFUSAL_STEPS, REFUSAL_STEPS_PER_LEXEME};
use crate::parse::tree::{Cx, Reject};
use crate::parse::{keyword_as_name, message};
use crate::token::{LexError, Token, Word};

mod list;
mod logic;
mod rule;
mod statement;
mod term;

/// Finds the errors of one text. What it may read is bounded over all of them.
#[derive(Debug)]
pub(crate) struct Refusals {
    steps: usize,
}

impl Refusals {
    /// For a text of so many lexemes.
    pub(crate) fn new(lexemes: usize) -> Refusals {
        Refusals {
            steps: lexemes
                .saturating_mul(REFUSAL_STEPS_PER_LEXEME)
                .saturating_add(REFUSAL_STEPS),
        }
    }

    /// The first error of the statements of a module from lexeme `from` on. The grammar refused one of them, whose text
    /// OPA may read as several. `None`: none was found.
    pub(crate) fn of_statements(
        &mut self,
        cx: &Cx<'_>,
        brackets: &Brackets<'_>,
        words: &Words,
        from: usize,
    ) -> Option<Reject> {
        let mut machine = Machine::new(cx, brackets, words, from, self.steps);
        let mut named = None;
        while machine.goes_on() {
            named = keyword_as_name(cx, brackets, words, machine.cursor.at);
            if named.is_some() {
                break;
            }
            machine.top_level();
        }
        self.steps = machine.steps;
        named.or_else(|| machine.reject())
    }

    /// The error of a query.
    pub(crate) fn of_query(&mut self, cx: &Cx<'_>, brackets: &Brackets<'_>, words: &Words) -> Option<Reject> {
        let mut machine = Machine::new(cx, brackets, words, 0, self.steps);
        while machine.goes_on() && machine.body(true, Token::End).is_some() {}
        self.steps = machine.steps;
        machine.reject()
    }
}

/// The current token.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    /// The lexeme.
    at: usize,
    /// The current token is the blank in front of the lexeme.
    blank: bool,
    /// The lexeme is a keyword that is read as a name.
    name: bool,
}

/// The first error of the reading that is being tried.
#[derive(Clone, Copy, Debug)]
struct Found {
    at: Cursor,
    what: What,
}

/// What is wrong at a token.
#[derive(Clone, Copy, Debug)]
enum What {
    /// The token is not expected, with what would have been.
    Unexpected(&'static str),
    /// The whole message.
    Message(&'static str),
    /// The text is no token.
    Illegal(LexError),
    /// `.`, `[` or `(` behind a value of this kind.
    Reference(&'static str),
    /// Braces of an operand hold a value of this kind.
    OperandValue(&'static str),
    /// `with` on an operand of this operator.
    WithOnOperand(&'static str),
    /// A keyword where a rule's name must stand.
    KeywordAsName(Word),
    /// A string with a broken escape.
    Text(&'static str),
}

/// A place to go back to, with the error that there was.
#[derive(Clone, Copy, Debug)]
struct Saved {
    cursor: Cursor,
    error: Option<Found>,
}

/// What a term turned out to be, as far as OPA looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    Boolean,
    Number,
    Text,
    Template,
    Var,
    Ref,
    Array,
    EmptyObject,
    Object,
    Set,
    ArrayComprehension,
    ObjectComprehension,
    SetComprehension,
    /// `x in xs`, and whether `x` is a variable.
    Member(bool),
    /// `k, v in xs`, and whether `k` and `v` are variables.
    PairMember(bool, bool),
    /// `a | b`, and what it starts with.
    Union(Opener),
    /// Another operator, and what it starts with.
    Infix(Opener),
    /// A call.
    Call {
        /// It has arguments.
        args: bool,
        /// Of `print`.
        print: bool,
        /// Of something that a call gave.
        on_call: bool,
    },
}

/// The value that an operation starts with, as far as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opener {
    Set,
    Object,
    Comprehension(&'static str),
    Other,
}

impl Kind {
    fn is_call(self) -> bool {
        matches!(
            self,
            Kind::Member(_) | Kind::PairMember(..) | Kind::Union(_) | Kind::Infix(_) | Kind::Call { .. }
        )
    }

    fn opener(self) -> Opener {
        match self {
            Kind::Set => Opener::Set,
            Kind::Object | Kind::EmptyObject => Opener::Object,
            Kind::ArrayComprehension | Kind::ObjectComprehension | Kind::SetComprehension => {
                Opener::Comprehension(self.name())
            }
            Kind::Union(opener) | Kind::Infix(opener) => opener,
            _ => Opener::Other,
        }
    }

    /// OPA's name of the value, an operation named by what it starts with.
    fn opening_name(self) -> &'static str {
        match self.opener() {
            Opener::Set => "set",
            Opener::Object => "object",
            Opener::Comprehension(name) => name,
            Opener::Other => self.name(),
        }
    }

    /// OPA's name of the value.
    fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Number => "number",
            Kind::Text => "string",
            Kind::Template => "templatestring",
            Kind::Var => "var",
            Kind::Ref => "ref",
            Kind::Array => "array",
            Kind::EmptyObject | Kind::Object => "object",
            Kind::Set => "set",
            Kind::ArrayComprehension => "arraycomprehension",
            Kind::ObjectComprehension => "objectcomprehension",
            Kind::SetComprehension => "setcomprehension",
            Kind::Member(_) | Kind::PairMember(..) | Kind::Union(_) | Kind::Infix(_) | Kind::Call { .. } => {
                "call"
            }
        }
    }
}

/// A term.
#[derive(Clone, Copy, Debug)]
struct Value {
    kind: Kind,
    /// No variables in it, as OPA counts.
    ground: bool,
}

/// A term that was read.
#[derive(Clone, Copy, Debug)]
struct Remembered {
    /// Where it starts.
    at: usize,
    value: Option<Value>,
    /// Where the reading went on, and the error that there was then.
    after: Saved,
}

/// A reading of the text.
#[derive(Debug)]
struct Machine<'r, 'a> {
    cx: Cx<'a>,
    brackets: &'r Brackets<'r>,
    words: &'r Words,
    cursor: Cursor,
    error: Option<Found>,
    /// Terms read last, each with a start behind the one before. Like OPA's parser, a term that was read twice has the
    /// error that there was the first time.
    terms: Vec<Remembered>,
    depth: u32,
    too_deep: bool,
    steps: usize,
}

impl<'r, 'a> Machine<'r, 'a> {
    fn new(
        cx: &Cx<'a>,
        brackets: &'r Brackets<'r>,
        words: &'r Words,
        at: usize,
        steps: usize,
    ) -> Machine<'r, 'a> {
        let mut machine = Machine {
            cx: cx.with_words(words),
            brackets,
            words,
            cursor: Cursor {
                at,
                blank: false,
                name: false,
            },
            error: None,
            terms: Vec::new(),
            depth: 0,
            too_deep: false,
            steps,
        };
        machine.check_lexeme();
        machine
    }

    /// The error, unless the bounds were passed on the way.
    fn reject(&self) -> Option<Reject> {
        let found = self.error.filter(|_| self.within_bounds())?;
        Some(message::refusal(
            &self.cx,
            self.brackets,
            self.keyword_at(found.at),
            (found.at.at, found.at.blank),
            found.what.message(),
        ))
    }

    /// No error was found, and there is text to read.
    fn goes_on(&self) -> bool {
        self.error.is_none() && self.within_bounds() && !self.is(Token::End)
    }

    fn within_bounds(&self) -> bool {
        self.steps > 0 && !self.too_deep
    }

    fn save(&self) -> Saved {
        Saved {
            cursor: self.cursor,
            error: self.error,
        }
    }

    fn restore(&mut self, saved: Saved) {
        self.cursor = saved.cursor;
        self.error = saved.error;
    }

    /// Steps to the next token, over blanks.
    fn scan(&mut self) {
        if !self.cursor.blank {
            self.cursor.at += 1;
        }
        self.cursor.blank = false;
        self.cursor.name = false;
        self.check_lexeme();
    }

    /// Steps to the next token, which may be a blank.
    fn scan_blank(&mut self) {
        self.cursor.at += 1;
        self.cursor.name = false;
        self.cursor.blank = !self.glued(self.cursor.at);
        if !self.cursor.blank {
            self.check_lexeme();
        }
    }

    /// Text that is no token is an error as soon as it is looked at.
    fn check_lexeme(&mut self) {
        self.steps = self.steps.saturating_sub(1);
        if let Token::Illegal(error) = self.brackets.token(self.cursor.at) {
            self.fail(self.cursor, What::Illegal(error));
        }
    }

    fn glued(&self, at: usize) -> bool {
        let end_of = |at: usize| self.brackets.lexemes.get(at).map(|lexeme| lexeme.end);
        let before = at.checked_sub(1).and_then(end_of);
        self.brackets
            .lexemes
            .get(at)
            .is_some_and(|lexeme| Some(lexeme.start) == before)
    }

    /// The current token; `None`: a blank.
    fn token(&self) -> Option<Token> {
        (!self.cursor.blank).then(|| self.brackets.token(self.cursor.at))
    }

    fn is(&self, token: Token) -> bool {
        self.token() == Some(token)
    }

    /// The text of a token.
    fn slice(&self, at: Cursor) -> &'a str {
        let lexeme = self.brackets.lexemes.get(at.at);
        lexeme
            .and_then(|lexeme| self.cx.text.get(lexeme.start as usize..lexeme.end as usize))
            .unwrap_or("")
    }

    fn keyword_at(&self, at: Cursor) -> Option<Word> {
        if at.blank || at.name {
            return None;
        }
        self.brackets.keyword(at.at, self.cx.text, self.words)
    }

    /// The current token as a keyword.
    fn word(&self) -> Option<Word> {
        self.keyword_at(self.cursor)
    }

    fn is_word(&self, word: Word) -> bool {
        self.word() == Some(word)
    }

    /// A name that is no keyword.
    fn is_name(&self) -> bool {
        self.is(Token::Ident) && self.word().is_none()
    }

    fn is_logic(&self) -> bool {
        matches!(self.word(), Some(Word::And | Word::Or))
    }

    fn fail(&mut self, at: Cursor, what: What) {
        if self.error.is_none() {
            self.error = Some(Found { at, what });
        }
    }

    fn fail_here(&mut self, message: &'static str) {
        self.fail(self.cursor, What::Message(message));
    }

    /// The current token is wrong; `expected` may be empty.
    fn unexpected(&mut self, expected: &'static str) {
        self.fail(self.cursor, What::Unexpected(expected));
    }

    /// A keyword in front of a glued `.` or `[` is a name.
    fn name_if_reference(&mut self) -> bool {
        let is = self.word().is_some() && self.brackets.starts_reference(self.cursor.at);
        self.cursor.name |= is;
        is
    }

    /// Goes one bracket deeper, unless that is too deep or has taken too long.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.too_deep |= self.depth >= REFUSAL_NESTING_MAX;
        if !self.within_bounds() {
            return None;
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }
}

impl What {
    fn message(self) -> message::Refusal {
        match self {
            What::Unexpected(expected) => message::Refusal::Unexpected(expected),
            What::Message(text) => message::Refusal::Whole(text.to_owned()),
            What::Illegal(error) => message::Refusal::Whole(error.to_string()),
            What::Reference(kind) => message::Refusal::Whole(format!("illegal ref (head cannot be {kind})")),
            What::OperandValue(kind) => message::Refusal::Whole(format!(
                "`{{...}}` in an operand position must contain expression(s), got: {kind}"
            )),
            What::WithOnOperand(op) => message::Refusal::WithOnOperand(op),
            What::KeywordAsName(word) => {
                message::Refusal::Whole(format!("{} keyword cannot be used for rule name", word.text()))
            }
            What::Text(prefix) => message::Refusal::Text(prefix),
        }
    }
}
