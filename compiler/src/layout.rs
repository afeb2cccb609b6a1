//! Lexemes to classified tokens, one statement at a time: which words are keywords, which `.`, `[`, `(` are glued,
//! where statements of a body end, and what each `{`, `|` and `,` is. Behind this pass the grammar is LR(1).
//!
//! A few brackets have two readings and OPA's parser tries one after the other. Here the likelier one is taken and the
//! other recorded in [`Laid::alternatives`], so that the parser can ask again with [`Choices`].

use crate::lexer::Lexeme;
use crate::limits::NESTING_MAX;
use crate::token::{LexError, Op, Piece, Tok, Token, Word};

pub(crate) mod dialect;
mod lookahead;
mod take;

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
    /// The body of an operand may be a set or object; OPA then explains that it must not be.
    OperandBrace,
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

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pos {
    /// A term.
    Operand,
    /// An operator, or the end of what is being read.
    Term,
    /// The same behind the `}` of a body: no operators of terms.
    Closed,
}

/// How far up an operand position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// Inside an expression.
    Inside,
    /// A statement starts.
    Literal,
    /// Behind a rule's `if`.
    If,
    /// Behind `not`.
    Not,
    /// Behind `and` or `or`.
    Logic,
    /// Behind a parenthesis that may group statements.
    Group,
}

/// Where in a top-level statement the pass is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The path of `package`.
    Package,
    /// The path of `import`.
    Import,
    /// A rule's name and reference.
    Head,
    /// Behind `contains`, `=` or `:=` of a head.
    HeadValue,
    /// In the statement behind the first `if`.
    IfLiteral,
    /// Behind a body.
    AfterBody,
    /// Behind `else`.
    ElseStart,
    /// Behind `else :=`.
    ElseValue,
    /// In the statement behind `else if`.
    ElseLiteral,
    /// A statement that is no rule with a body.
    Literal,
    /// A query.
    Query,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameKind {
    /// Outside all brackets.
    Top,
    /// Statements, with separators.
    Body,
    /// Elements, with commas. `call`: the arguments of a call.
    List { call: bool },
    /// One expression or statement.
    Single,
}

/// An open bracket.
#[derive(Clone, Copy, Debug)]
struct Frame {
    kind: FrameKind,
    close: Close,
    /// `every` waits for its `{`.
    every: bool,
    /// In the names of `some`.
    some: bool,
    /// `with` waits for its `as`.
    with: bool,
    /// `k, v` waits for its `in`.
    pair: bool,
    /// Lexeme of the bar that ends a comprehension's head.
    bar: Option<usize>,
    /// A body of the rule itself.
    rule_body: bool,
    depth: Depth,
}

/// What ends a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Close {
    Nothing,
    Brack,
    Brace,
    BodyBrace,
    Paren,
    Template,
}

/// Upper bound of the tree's depth below an open bracket.
#[derive(Clone, Copy, Debug, Default)]
struct Depth {
    /// Operators of the current expression.
    operators: u32,
    /// Deepest bracket in the current expression.
    inner: u32,
    /// Deepest of the expressions before.
    before: u32,
}

impl Depth {
    fn current(self) -> u32 {
        self.operators + self.inner
    }

    fn next_expression(&mut self) {
        self.before = self.before.max(self.current());
        self.operators = 0;
        self.inner = 0;
    }
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
        let top = Frame {
            kind: FrameKind::Top,
            close: Close::Nothing,
            every: false,
            some: false,
            with: false,
            pair: false,
            bar: None,
            rule_body: false,
            depth: Depth::default(),
        };
        Layout {
            text,
            brackets,
            words,
            choices,
            at,
            frames: vec![top],
            pos: Pos::Operand,
            start: Start::Literal,
            phase: Phase::Literal,
            default: false,
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
                    && lexeme.token == Token::Ident
                {
                    self.push(Tok::Ident(self.slice(lexeme)), lexeme);
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
                let is_name = self
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

    /// The keyword that the lexeme at `at` is, here. A keyword in front of a glued `.` or `[` is a name where OPA looks
    /// ahead for that: at the start of a statement and behind a term.
    fn word(&self, at: usize) -> Option<Word> {
        let lexeme = self.lexeme(at).filter(|lexeme| lexeme.token == Token::Ident)?;
        let word = Word::parse(self.slice(lexeme)).filter(|word| self.words.is_keyword(*word))?;
        let in_head = self.frames.len() == 1 && self.phase == Phase::Head && self.pos == Pos::Term;
        if word == Word::Contains {
            return in_head.then_some(word);
        }
        let looks_ahead = match self.pos {
            Pos::Operand => matches!(self.start, Start::Literal | Start::If),
            Pos::Term | Pos::Closed => match word {
                Word::As => self.phase != Phase::Import && !self.frame().is_some_and(|frame| frame.with),
                Word::If => !in_head,
                Word::In => !self.frame().is_some_and(|frame| frame.pair),
                _ => true,
            },
        };
        if looks_ahead && self.brackets.starts_reference(at) {
            return None;
        }
        let names_call = matches!(word, Word::And | Word::Or) && self.pos == Pos::Operand;
        if names_call && self.brackets.starts_call(at) {
            return None;
        }
        Some(word)
    }

    /// Whether a top-level statement ends in front of this lexeme. Asked only where a term or body has just ended.
    fn ends_statement(&mut self, lexeme: Lexeme) -> bool {
        let paths = matches!(self.phase, Phase::Package | Phase::Import);
        let head = matches!(self.phase, Phase::Head | Phase::HeadValue) && !self.default;
        let statement = matches!(self.phase, Phase::Literal | Phase::IfLiteral | Phase::ElseLiteral);
        match lexeme.token {
            Token::Dot | Token::LBrack | Token::LParen => !self.is_glued(lexeme),
            token if is_infix(token) => paths || self.pos == Pos::Closed,
            Token::Assign | Token::Unify => {
                paths || self.pos == Pos::Closed || (self.default && self.phase != Phase::Head)
            }
            Token::Comma => {
                let some = self.frame().is_some_and(|frame| frame.some);
                paths || self.pos == Pos::Closed || !(some || self.is_pair_comma())
            }
            Token::LBrace => {
                let every = self.frame().is_some_and(|frame| frame.every);
                let body = head
                    || matches!(
                        self.phase,
                        Phase::IfLiteral | Phase::ElseLiteral | Phase::ElseValue | Phase::AfterBody
                    );
                !every && !body
            }
            Token::Ident => match self.word(self.at) {
                Some(Word::In) => paths || self.pos == Pos::Closed,
                Some(Word::With | Word::And | Word::Or) => match self.pos {
                    Pos::Closed => !statement,
                    _ => paths || self.default,
                },
                Some(Word::As) => self.phase == Phase::Package,
                Some(Word::Contains) => false,
                Some(Word::If) => !head && self.phase != Phase::ElseValue,
                Some(Word::Else) => !matches!(
                    self.phase,
                    Phase::AfterBody | Phase::IfLiteral | Phase::ElseLiteral
                ),
                _ => true,
            },
            _ => true,
        }
    }

    /// Whether `.`, `[` or `(` belongs to the term before it.
    fn is_glued(&mut self, lexeme: Lexeme) -> bool {
        if self.pos != Pos::Term {
            return false;
        }
        let glued = if lexeme.glued {
            true
        } else {
            let words = usize::from(self.default);
            let behind_name = self.frames.len() == 1
                && self.phase == Phase::Head
                && self.out.tokens.len() == words + 1
                && lexeme.token != Token::End;
            self.out.head_gap |= behind_name;
            behind_name && self.choices.spaced_head
        };
        glued && !(lexeme.token == Token::LParen && self.closed_call)
    }

    fn is_pair_comma(&self) -> bool {
        self.brackets.pair_comma(self.at, self.text, self.words)
    }

    /// Emits a separator where a line end separates statements.
    fn separate(&mut self, lexeme: Lexeme) {
        let applies = match self.frame_kind() {
            FrameKind::Body => lexeme.newline,
            FrameKind::Top => self.phase == Phase::Query,
            FrameKind::List { .. } | FrameKind::Single => false,
        };
        if !applies || self.pos == Pos::Operand || self.continues(lexeme) {
            return;
        }
        self.out
            .tokens
            .push((lexeme.start, Tok::Op(Op::Sep), lexeme.start));
        self.next_statement();
    }

    fn next_statement(&mut self) {
        self.pos = Pos::Operand;
        self.start = Start::Literal;
        if let Some(frame) = self.frames.last_mut() {
            frame.every = false;
            frame.some = false;
            frame.with = false;
            frame.pair = false;
            frame.depth.next_expression();
        }
    }

    /// Whether a lexeme on a new line goes on with the statement before it.
    fn continues(&mut self, lexeme: Lexeme) -> bool {
        match lexeme.token {
            Token::RBrace | Token::RBrack | Token::RParen | Token::Semicolon => true,
            Token::Ident => match self.word(self.at) {
                Some(Word::With | Word::And | Word::Or) => true,
                Some(Word::In | Word::As) => self.pos == Pos::Term,
                _ => false,
            },
            Token::LBrace => self.frame().is_some_and(|frame| frame.every),
            // Only a query asks this without a line end in between.
            Token::Dot | Token::LBrack | Token::LParen => self.is_glued(lexeme),
            Token::Template(piece) | Token::RawTemplate(piece) => matches!(piece, Piece::Middle | Piece::End),
            Token::Assign | Token::Unify | Token::Comma | Token::Colon => self.pos == Pos::Term,
            token => is_infix(token) && self.pos == Pos::Term,
        }
    }

    fn illegal(&mut self, error: LexError, lexeme: Lexeme) {
        self.push(Tok::Illegal(error), lexeme);
    }
}
