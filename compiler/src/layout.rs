//! Lexemes to classified tokens, one statement at a time: which words are keywords, which `.`, `[`, `(` are glued,
//! where statements of a body end, and what each `{`, `|` and `,` is. Behind this pass the grammar is LR(1).
//!
//! A few brackets have two readings and OPA's parser tries one after the other. Here the likelier one is taken and the
//! other recorded in [`Laid::alternatives`], so that the parser can ask again with [`Choices`].

use crate::lexer::Lexeme;
use crate::limits::NESTING_MAX;
use crate::token::{LexError, Op, Tok, Token, Word};

mod bounds;
pub(crate) mod dialect;
mod frame;
mod lookahead;
mod take;

use frame::{Close, Frame, FrameKind, Phase, Pos, Start};

pub(crate) use dialect::Words;
pub(crate) use lookahead::{Brackets, is_infix};

/// Decisions to take otherwise than at first sight.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choices {
    /// `p [x]`: blanks may stand between a rule's name and the first bracket.
    pub(crate) spaced_head: bool,
    /// The statement is none of a rule: OPA has read one in front of a `;`.
    pub(crate) literal: bool,
    /// How to read the `{` behind a rule's first `if`; `None`: by its looks.
    pub(crate) if_brace: Option<IfBrace>,
    /// Lexemes (a `|` or a `{`) to be read the other way.
    pub(crate) flipped: Vec<usize>,
}

/// The readings of `if {`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfBrace {
    /// A set, object or comprehension.
    Term,
    /// A body.
    Body,
}

/// A bracket that can be read otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alternative {
    /// Lexeme to put into [`Choices::flipped`].
    pub(crate) flip: usize,
    /// The bracket pair it belongs to, as lexemes.
    pub(crate) open: usize,
    /// Where it closes.
    pub(crate) close: usize,
    /// Which.
    pub(crate) kind: AlternativeKind,
}

/// Kinds of [`Alternative`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlternativeKind {
    /// The `|` of an array or set comprehension may be a union, if what follows fails at a comma.
    ListBar,
    /// The `|` of an object comprehension may be a union, if what follows fails at all.
    ObjectBar,
}

/// One statement, classified.
#[derive(Clone, Debug)]
pub(crate) struct Laid<'a> {
    /// What the grammar reads.
    pub(crate) tokens: Vec<(u32, Tok<'a>, u32)>,
    /// First lexeme behind the statement.
    pub(crate) next: usize,
    /// Brackets with a second reading.
    pub(crate) alternatives: Vec<Alternative>,
    /// `if {` was read as this.
    pub(crate) if_brace: Option<IfBrace>,
    /// The lexeme of `if {`'s brace.
    pub(crate) if_open: Option<usize>,
    /// Blanks stood in the head where [`Choices::spaced_head`] matters.
    pub(crate) head_gap: bool,
    /// The pass could not go on: the tokens end at this byte.
    pub(crate) stop: Option<(u32, Stop)>,
}

/// Why the pass ends inside a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The nesting limit was passed.
    TooDeep,
    /// Blanks behind a dot that selects a field.
    FieldGap,
}

/// The pass over one statement.
#[derive(Debug)]
struct Layout<'l, 'a> {
    text: &'a str,
    brackets: &'l Brackets<'l>,
    words: &'l Words,
    choices: &'l Choices,
    at: usize,
    frames: Vec<Frame>,
    pos: Pos,
    start: Start,
    phase: Phase,
    default: bool,
    /// The rule has an `else`.
    branches: bool,
    /// The last bracket closed was that of a call: `f(x)(y)` is not a call of a call.
    closed_call: bool,
    out: Laid<'a>,
}

/// Classifies the statement at lexeme `at`, which is not the end. O(length of the statement), save look-aheads that
/// are bounded by it.
pub(crate) fn statement<'a>(
    text: &'a str,
    brackets: &Brackets<'_>,
    words: &Words,
    choices: &Choices,
    at: usize,
) -> Laid<'a> {
    let mut layout = Layout::new(text, brackets, words, choices, at);
    layout.begin_statement();
    layout.run();
    layout.out.next = layout.at;
    layout.out
}

/// Classifies a whole text as the statements of a query.
pub(crate) fn query<'a>(
    text: &'a str,
    brackets: &Brackets<'_>,
    words: &Words,
    choices: &Choices,
) -> Laid<'a> {
    let mut layout = Layout::new(text, brackets, words, choices, 0);
    layout.phase = Phase::Query;
    layout.run();
    layout.out.next = layout.at;
    layout.out
}

impl<'l, 'a> Layout<'l, 'a> {
    fn new(
        text: &'a str,
        brackets: &'l Brackets<'l>,
        words: &'l Words,
        choices: &'l Choices,
        at: usize,
    ) -> Layout<'l, 'a> {
        Layout {
            text,
            brackets,
            words,
            choices,
            at,
            frames: vec![Frame::new(FrameKind::Top, Close::Nothing)],
            pos: Pos::Operand,
            start: Start::Literal,
            phase: Phase::Literal,
            default: false,
            branches: false,
            closed_call: false,
            out: Laid {
                tokens: Vec::new(),
                next: at,
                alternatives: Vec::new(),
                if_brace: None,
                if_open: None,
                head_gap: false,
                stop: None,
            },
        }
    }

    /// Takes the words that only start a statement.
    fn begin_statement(&mut self) {
        if self.choices.literal {
            return;
        }
        match self.word_at_start() {
            Some(word @ (Word::Package | Word::Import)) => {
                self.push_word(word);
                self.phase = if word == Word::Package {
                    Phase::Package
                } else {
                    Phase::Import
                };
                self.start = Start::Inside;
                // The path may start with a keyword.
                if let Some(lexeme) = self.lexeme(self.at)
                    && let Some(name) = self.field_name(lexeme)
                {
                    self.push(Tok::Ident(name), lexeme);
                    self.pos = Pos::Term;
                }
            }
            Some(Word::Default) => {
                self.push_word(Word::Default);
                self.default = true;
                self.phase = Phase::Head;
            }
            Some(_) => self.phase = Phase::Literal,
            None => {
                // `contains` is a name wherever a term can stand, but none of a rule.
                let contains = self.brackets.keyword(self.at, self.text, self.words) == Some(Word::Contains)
                    && !self.brackets.starts_reference(self.at);
                let is_name = !contains
                    && self
                        .lexeme(self.at)
                        .is_some_and(|lexeme| lexeme.token == Token::Ident);
                self.phase = if is_name { Phase::Head } else { Phase::Literal };
            }
        }
    }

    fn word_at_start(&self) -> Option<Word> {
        self.word(self.at)
    }

    fn push_word(&mut self, word: Word) {
        if let Some(lexeme) = self.lexeme(self.at) {
            self.push(Tok::Word(word), lexeme);
        }
    }

    fn run(&mut self) {
        while let Some(lexeme) = self.lexeme(self.at) {
            if lexeme.token == Token::End || self.out.stop.is_some() {
                break;
            }
            if self.frames.len() == 1
                && self.phase != Phase::Query
                && self.pos != Pos::Operand
                && self.ends_statement(lexeme)
            {
                break;
            }
            self.separate(lexeme);
            self.take(lexeme);
            self.check_depth(lexeme);
        }
    }

    fn lexeme(&self, at: usize) -> Option<Lexeme> {
        self.brackets.lexemes.get(at).copied()
    }

    fn slice(&self, lexeme: Lexeme) -> &'a str {
        self.text
            .get(lexeme.start as usize..lexeme.end as usize)
            .unwrap_or("")
    }

    /// The name that a lexeme is behind a dot and at the start of a path: any word, and what OPA takes for one.
    fn field_name(&self, lexeme: Lexeme) -> Option<&'a str> {
        match lexeme.token {
            Token::Ident => Some(self.slice(lexeme)),
            token => self.words.is_empty_field(token).then_some(""),
        }
    }

    fn frame(&self) -> Option<&Frame> {
        self.frames.last()
    }

    fn frame_kind(&self) -> FrameKind {
        self.frame().map_or(FrameKind::Top, |frame| frame.kind)
    }

    /// Emits a token for a lexeme and steps over it.
    fn push(&mut self, tok: Tok<'a>, lexeme: Lexeme) {
        self.out.tokens.push((lexeme.start, tok, lexeme.end));
        self.at += 1;
    }

    fn push_op(&mut self, op: Op, lexeme: Lexeme) {
        self.push(Tok::Op(op), lexeme);
    }

    fn check_depth(&mut self, lexeme: Lexeme) {
        let open = u32::try_from(self.frames.len()).unwrap_or(u32::MAX);
        let below = self.frame().map_or(0, |frame| frame.depth.current());
        if open.saturating_add(below) > NESTING_MAX {
            self.out.stop = Some((lexeme.start, Stop::TooDeep));
        }
    }

    fn illegal(&mut self, error: LexError, lexeme: Lexeme) {
        self.push(Tok::Illegal(error), lexeme);
    }
}
