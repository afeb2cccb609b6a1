//! Tokens → tree: pipelines, commands and their words.

use super::constant;
use super::lexer::Token;
use super::node::{Function, Operand, Pipe};
use super::parse::Parser;
use crate::builtins::Failure;

/// Words that are no names of functions.
const KEYWORDS: [&str; 11] = [
    "block", "break", "continue", "define", "else", "end", "if", "range", "nil", "template", "with",
];

impl<'r> Parser<'r> {
    /// Declarations and commands up to `end`. Only `range` may declare two variables.
    pub(super) fn pipeline(&mut self, end: Token<'r>, is_loop: bool) -> Result<Pipe<'r>, Failure> {
        let mut pipe = Pipe {
            variables: Vec::new(),
            is_assignment: false,
            commands: Vec::new(),
        };
        self.declarations(&mut pipe, is_loop)?;
        loop {
            let mark = self.mark();
            match self.next_word()? {
                token if token == end => break,
                Token::Other | Token::Comma | Token::Assign | Token::Declare | Token::Pipe => {
                    return Err(Failure::BUILTIN);
                }
                Token::Open
                | Token::Dot
                | Token::Field(_)
                | Token::Variable(_)
                | Token::Word(_)
                | Token::Number(_)
                | Token::Character(_)
                | Token::Quoted(_)
                | Token::Raw(_) => {
                    self.back_to(mark);
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                Token::Close | Token::Right | Token::Left | Token::Text(_) | Token::Space => {
                    return Err(Failure::BUILTIN);
                }
            }
        }
        // Only the first command may be a plain value.
        let takes_value = |command: &Vec<Operand<'r>>| {
            matches!(
                command.first(),
                Some(
                    Operand::Field(_)
                        | Operand::Variable(..)
                        | Operand::Function(_)
                        | Operand::Pipe(_)
                        | Operand::Chain(..)
                )
            )
        };
        if pipe.commands.is_empty() || !pipe.commands.iter().skip(1).all(takes_value) {
            return Err(Failure::BUILTIN);
        }
        Ok(pipe)
    }

    fn declarations(&mut self, pipe: &mut Pipe<'r>, is_loop: bool) -> Result<(), Failure> {
        loop {
            let mark = self.mark();
            let Some(Token::Variable(name)) = self.peek_word() else {
                return Ok(());
            };
            self.next_word()?;
            match self.peek_word() {
                Some(token @ (Token::Assign | Token::Declare)) => {
                    self.next_word()?;
                    pipe.is_assignment = token == Token::Assign;
                    self.declare(pipe, name);
                    return Ok(());
                }
                Some(Token::Comma) => {
                    self.next_word()?;
                    self.declare(pipe, name);
                    let goes_on = matches!(
                        self.peek_word(),
                        Some(Token::Variable(_) | Token::Right | Token::Close)
                    );
                    if !is_loop || pipe.variables.len() > 1 || !goes_on {
                        return Err(Failure::BUILTIN);
                    }
                }
                _ => {
                    self.back_to(mark);
                    return Ok(());
                }
            }
        }
    }

    fn declare(&mut self, pipe: &mut Pipe<'r>, name: &'r str) {
        pipe.variables.push(name);
        self.variables.push(name);
    }

    /// Words up to a pipe or the end of the pipeline.
    fn command(&mut self) -> Result<Vec<Operand<'r>>, Failure> {
        let mut words = Vec::new();
        loop {
            if let Some(operand) = self.operand()? {
                words.push(operand);
            }
            let mark = self.mark();
            match self.next()? {
                Token::Space => continue,
                Token::Right | Token::Close => self.back_to(mark),
                Token::Pipe => {}
                _ => return Err(Failure::BUILTIN),
            }
            return if words.is_empty() {
                Err(Failure::BUILTIN)
            } else {
                Ok(words)
            };
        }
    }

    /// A term with the fields behind it.
    fn operand(&mut self) -> Result<Option<Operand<'r>>, Failure> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let mut fields = Vec::new();
        while let Some(Token::Field(name)) = self.peek() {
            self.next()?;
            fields.push(name);
        }
        if fields.is_empty() {
            return Ok(Some(term));
        }
        Ok(Some(match term {
            Operand::Field(mut names) => {
                names.append(&mut fields);
                Operand::Field(names)
            }
            Operand::Variable(name, _) => Operand::Variable(name, fields),
            term @ (Operand::Function(_) | Operand::Pipe(_) | Operand::Chain(..)) => {
                Operand::Chain(Box::new(term), fields)
            }
            Operand::Dot
            | Operand::Nil
            | Operand::Bool(_)
            | Operand::Int(_)
            | Operand::Float(_)
            | Operand::Huge
            | Operand::Text(_) => return Err(Failure::BUILTIN),
        }))
    }

    fn term(&mut self) -> Result<Option<Operand<'r>>, Failure> {
        let mark = self.mark();
        let token = self.next_word()?;
        if let Some(text) = self.text(token) {
            return Ok(Some(Operand::Text(text?)));
        }
        Ok(Some(match token {
            Token::Dot => Operand::Dot,
            Token::Field(name) => Operand::Field(vec![name]),
            Token::Variable(name) if self.variables.contains(&name) => Operand::Variable(name, Vec::new()),
            Token::Variable(_) => return Err(Failure::BUILTIN),
            Token::Number(text) => constant::number(text)?,
            Token::Character(text) => Operand::Int(constant::character(text)?),
            Token::Open => {
                let pipe = self.deeper(|parser| parser.pipeline(Token::Close, false))?;
                Operand::Pipe(Box::new(pipe))
            }
            Token::Word("true") => Operand::Bool(true),
            Token::Word("false") => Operand::Bool(false),
            Token::Word("nil") => Operand::Nil,
            Token::Word(name) if !KEYWORDS.contains(&name) => {
                Operand::Function(Function::find(name).ok_or(Failure::BUILTIN)?)
            }
            _ => {
                self.back_to(mark);
                return Ok(None);
            }
        }))
    }

    /// The text of a text constant.
    pub(super) fn text(&self, token: Token<'r>) -> Option<Result<String, Failure>> {
        match token {
            Token::Quoted(text) => Some(constant::quoted(self.arena, text).map(str::to_owned)),
            Token::Raw(text) => Some(Ok(constant::raw(text))),
            _ => None,
        }
    }
}
