//! Reads one statement, if need be several times: where a bracket has two readings, OPA's parser tries one and then the
//! other. What a failure here says is only where the grammar stopped; `refusal.rs` finds the error that OPA reports.

use lalrpop_util::ParseError;

use crate::ast::{Body, LiteralKind, Term, TermKind};
use crate::layout::{self, Alternative, AlternativeKind, Brackets, Choices, IfBrace, Laid, Stop, Words};
use crate::limits::REREADS_MAX;
use crate::parse::grammar::{QueryParser, StatementParser};
use crate::parse::message::{self, Refusal};
use crate::parse::tree::{Cx, Reject, Statement};
use crate::source::Span;
use crate::token::{Tok, Token, Word};

/// Reads statements of one module with one set of keywords.
#[derive(Debug)]
pub(crate) struct Reader<'r, 'a> {
    cx: Cx<'a>,
    brackets: &'r Brackets<'r>,
    words: &'r Words,
}

/// One failed attempt.
#[derive(Clone, Debug)]
struct Failure {
    reject: Reject,
    /// Lexeme at which it failed.
    at: usize,
    /// The grammar refused the lexeme (rather than a constructor the form).
    syntax: bool,
}

type Attempt<'a> = (Laid<'a>, Result<Statement<'a>, Failure>);

impl<'r, 'a> Reader<'r, 'a> {
    pub(crate) fn new(cx: &Cx<'a>, brackets: &'r Brackets<'r>, words: &'r Words) -> Reader<'r, 'a> {
        Reader {
            cx: cx.with_words(words),
            brackets,
            words,
        }
    }

    /// The statement at lexeme `at`, and the lexeme behind it.
    pub(crate) fn statement(&self, at: usize) -> Result<(Statement<'a>, usize), Reject> {
        self.check_start(at)?;
        let spaced = Choices {
            spaced_head: true,
            ..Choices::default()
        };
        let (laid, result) = self.with_if(at, spaced);
        // Blanks in a head are allowed where a rule comes of it (or would have, but for an error in it); otherwise the
        // name is a statement.
        let keep = !laid.head_gap || !matches!(result, Ok(Statement::Literal(_)));
        let (laid, result) = if keep {
            (laid, result)
        } else {
            self.with_if(at, Choices::default())
        };
        let statement = result.map_err(|failure| failure.reject)?;
        Ok((statement, laid.next))
    }

    /// The statements behind `;` that OPA still reads as one with the literal before `at`, and the lexeme behind them.
    pub(crate) fn further_literals(&self, at: usize) -> Result<(bool, usize), Reject> {
        let mut at = at;
        let mut any = false;
        while self.brackets.token(at) == Token::Semicolon {
            if self.brackets.token(at + 1) == Token::End {
                return Err(self.unexpected(at + 1));
            }
            let choices = Choices {
                literal: true,
                ..Choices::default()
            };
            let (laid, result) = self.with_flips(at + 1, choices);
            if !matches!(result.map_err(|failure| failure.reject)?, Statement::Literal(_)) {
                return Err(self.unexpected(at + 1));
            }
            any = true;
            at = laid.next;
        }
        Ok((any, at))
    }

    /// What OPA refuses before it reads on: `default` without a name, and an operator glued to the first name.
    fn check_start(&self, at: usize) -> Result<(), Reject> {
        let keyword = |at: usize| {
            let word = self.brackets.keyword(at, self.cx.text, self.words)?;
            (!self.brackets.starts_reference(at)).then_some(word)
        };
        let mut name = at;
        let path = matches!(keyword(at), Some(Word::Package | Word::Import));
        let first = self.brackets.token(at + 1);
        if path && first != Token::Ident && !self.words.is_empty_field(first) {
            return Err(self.unexpected(at + 1));
        }
        if keyword(at) == Some(Word::Default) {
            name = at + 1;
            if self.brackets.token(name) != Token::Ident {
                return Err(Reject::new(self.span(at), "unexpected default keyword"));
            }
            match keyword(name) {
                None => {}
                Some(word) if message::may_name(word) => {
                    return Err(message::keyword_as_name(self.span(name), word));
                }
                Some(_) => return Err(Reject::new(self.span(at), "unexpected default keyword")),
            }
        }
        let is_name = self.brackets.token(name) == Token::Ident && keyword(name).is_none();
        let operator = name + 1;
        let glued = self
            .brackets
            .lexemes
            .get(operator)
            .is_some_and(|lexeme| lexeme.glued);
        if is_name && glued && layout::is_infix(self.brackets.token(operator)) {
            return Err(self.unexpected(operator));
        }
        Ok(())
    }

    fn unexpected(&self, at: usize) -> Reject {
        let keyword = self.brackets.keyword(at, self.cx.text, self.words);
        let what = match self.brackets.token(at) {
            Token::Illegal(error) => Refusal::Whole(error.to_string()),
            _ => Refusal::Unexpected(""),
        };
        message::refusal(&self.cx, self.brackets, keyword, (at, false), what)
    }

    /// Place of a lexeme.
    pub(crate) fn span(&self, at: usize) -> Span {
        let (start, end) = self
            .brackets
            .lexemes
            .get(at)
            .map_or((0, 0), |lexeme| (lexeme.start, lexeme.end));
        self.cx.span(start, end)
    }

    /// Behind a rule's `if`, OPA tries a statement first and a body in braces when that fails or is a plain set.
    fn with_if(&self, at: usize, choices: Choices) -> Attempt<'a> {
        let (laid, result) = self.with_flips(at, choices.clone());
        if laid.if_brace != Some(IfBrace::Term) {
            return (laid, result);
        }
        let again = match &result {
            Ok(statement) => is_plain_set(statement, &self.cx),
            Err(failure) => self.fails_in_brace(&laid, failure),
        };
        if !again {
            return (laid, result);
        }
        self.with_flips(
            at,
            Choices {
                if_brace: Some(IfBrace::Body),
                ..choices
            },
        )
    }

    /// Whether OPA's parser drops this failure and tries a body: it does so for what fails in the term that the brace
    /// behind `if` opens, behind `=` and `:=`, and where a set is left of the operator; not behind other operators.
    fn fails_in_brace(&self, laid: &Laid<'a>, failure: &Failure) -> bool {
        let Some((open, close)) = laid
            .if_open
            .and_then(|open| Some((open, self.brackets.close(open)?)))
        else {
            return true;
        };
        failure.at <= close
            || matches!(self.brackets.token(close + 1), Token::Assign | Token::Unify)
            || !self.brackets.is_no_set(open)
    }

    fn with_flips(&self, at: usize, mut choices: Choices) -> Attempt<'a> {
        let (mut laid, mut result) = self.once(at, &choices);
        for _ in 0..REREADS_MAX {
            let Err(failure) = &result else { break };
            let Some(alternative) = self.alternative(&laid, failure) else {
                break;
            };
            choices.flipped.push(alternative.flip);
            (laid, result) = self.once(at, &choices);
        }
        (laid, result)
    }

    /// The innermost bracket around the failure that could be read otherwise.
    fn alternative(&self, laid: &Laid<'a>, failure: &Failure) -> Option<Alternative> {
        let fits = |found: &&Alternative| {
            found.open < failure.at
                && failure.at <= found.close
                && match found.kind {
                    AlternativeKind::ListBar => {
                        failure.at > found.flip && self.brackets.token(failure.at) == Token::Comma
                    }
                    AlternativeKind::ObjectBar => failure.at > found.flip,
                }
        };
        if !failure.syntax {
            return None;
        }
        laid.alternatives
            .iter()
            .filter(fits)
            .max_by_key(|found| found.open)
            .copied()
    }

    fn once(&self, at: usize, choices: &Choices) -> Attempt<'a> {
        let laid = layout::statement(self.cx.text, self.brackets, self.words, choices, at);
        let result = StatementParser::new().parse(&self.cx, laid.tokens.iter().copied());
        let result = result.map_err(|error| self.failure(&laid, error));
        (laid, result)
    }

    /// All statements of a query.
    pub(crate) fn query(&self) -> Result<Body<'a>, Reject> {
        let mut choices = Choices::default();
        loop {
            let laid = layout::query(self.cx.text, self.brackets, self.words, &choices);
            let result = QueryParser::new().parse(&self.cx, laid.tokens.iter().copied());
            let failure = match result {
                Ok(body) => return Ok(body),
                Err(error) => self.failure(&laid, error),
            };
            match self.alternative(&laid, &failure) {
                Some(found) if (choices.flipped.len() as u64) < u64::from(REREADS_MAX) => {
                    choices.flipped.push(found.flip);
                }
                _ => return Err(failure.reject),
            }
        }
    }

    fn failure(&self, laid: &Laid<'a>, error: ParseError<u32, Tok<'a>, Reject>) -> Failure {
        let (start, end_of_tokens) = match error {
            ParseError::User { error } => {
                let at = self.lexeme_at(error.span.start);
                return Failure {
                    reject: error,
                    at,
                    syntax: false,
                };
            }
            ParseError::UnrecognizedToken {
                token: (start, _, _), ..
            }
            | ParseError::ExtraToken { token: (start, _, _) } => (start, false),
            ParseError::InvalidToken { .. } | ParseError::UnrecognizedEof { .. } => (0, true),
        };
        if end_of_tokens && let Some((start, stop)) = laid.stop {
            let message = match stop {
                Stop::TooDeep => "max parsing recursion depth exceeded",
                Stop::FieldGap => "unexpected whitespace token: expected identifier",
            };
            let reject = Reject::new(self.cx.span(start, start + 1), message);
            return Failure {
                reject,
                at: laid.next,
                syntax: false,
            };
        }
        let at = if end_of_tokens {
            laid.next
        } else {
            self.lexeme_at(start)
        };
        Failure {
            reject: self.unexpected(at),
            at,
            syntax: true,
        }
    }

    fn lexeme_at(&self, start: u32) -> usize {
        self.brackets
            .lexemes
            .partition_point(|lexeme| lexeme.start < start)
    }
}

/// The first body of the rule is nothing but a set in braces.
fn is_plain_set(statement: &Statement<'_>, cx: &Cx<'_>) -> bool {
    let Statement::Rule(parts) = statement else {
        return false;
    };
    let literals = parts.tail.as_ref().map_or(&[][..], |tail| tail.body.literals);
    match literals {
        [literal] => match literal.kind {
            LiteralKind::Term(Term {
                kind: TermKind::Set(_),
                span,
            }) => {
                span == literal.span
                    || !literal.with.is_empty()
                        && cx.text.as_bytes().get(literal.span.start as usize) == Some(&b'{')
            }
            _ => false,
        },
        _ => false,
    }
}
