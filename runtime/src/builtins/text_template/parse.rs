//! Tokens → tree: text, actions, definitions. Pipelines are in `pipeline`.

use super::lexer::{Token, tokens};
use super::node::{Branch, Node, Pipe, Templates, is_empty};
use crate::arena::Arena;
use crate::builtins::Failure;
use crate::error::EvalErrorKind;

/// Nesting of actions and parentheses. Go allows far more; nobody writes it.
const DEPTH_MAX: usize = 100;

/// Name of the template that the whole text is.
pub(super) const ROOT: &str = "template";

/// All templates of a text.
pub(super) fn parse<'r>(arena: &'r Arena, text: &'r str) -> Result<Templates<'r>, Failure> {
    let mut parser = Parser {
        arena,
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
        loops: 0,
        variables: vec!["$"],
        templates: Templates::new(),
    };
    let mut root = Vec::new();
    while parser.peek().is_some() {
        if parser.at_definition() {
            parser.definition()?;
            continue;
        }
        match parser.node()? {
            Parsed::Node(node) => root.push(node),
            Parsed::End | Parsed::Else => return Err(Failure::BUILTIN),
        }
    }
    parser.add(ROOT.to_owned(), root)?;
    Ok(parser.templates)
}

pub(super) struct Parser<'r> {
    pub(super) arena: &'r Arena,
    tokens: Vec<Token<'r>>,
    at: usize,
    depth: usize,
    /// Open `range` actions of the template.
    loops: usize,
    /// Variables that may be used here.
    pub(super) variables: Vec<&'r str>,
    templates: Templates<'r>,
}

/// Text, an action, or what ends a list of them.
enum Parsed<'r> {
    Node(Node<'r>),
    End,
    Else,
}

/// What kind of action has branches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

impl<'r> Parser<'r> {
    pub(super) fn peek(&self) -> Option<Token<'r>> {
        self.tokens.get(self.at).copied()
    }

    /// The next token that is no blank.
    pub(super) fn peek_word(&self) -> Option<Token<'r>> {
        let rest = self.tokens.get(self.at..).unwrap_or_default();
        rest.iter().find(|token| **token != Token::Space).copied()
    }

    pub(super) fn next(&mut self) -> Result<Token<'r>, Failure> {
        let token = self.peek().ok_or(Failure::BUILTIN)?;
        self.at += 1;
        Ok(token)
    }

    pub(super) fn next_word(&mut self) -> Result<Token<'r>, Failure> {
        loop {
            let token = self.next()?;
            if token != Token::Space {
                return Ok(token);
            }
        }
    }

    /// Where the parser stands, to come back to.
    pub(super) fn mark(&self) -> usize {
        self.at
    }

    pub(super) fn back_to(&mut self, mark: usize) {
        self.at = mark;
    }

    pub(super) fn expect(&mut self, want: Token<'r>) -> Result<(), Failure> {
        if self.next_word()? == want {
            Ok(())
        } else {
            Err(Failure::BUILTIN)
        }
    }

    /// Runs `parse` one level deeper.
    pub(super) fn deeper<T>(
        &mut self,
        parse: impl FnOnce(&mut Parser<'r>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Failure::Abort(EvalErrorKind::DepthExceeded));
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn at_definition(&mut self) -> bool {
        let mark = self.mark();
        if self.peek() == Some(Token::Left) {
            self.at += 1;
            if self.peek_word() == Some(Token::Word("define")) {
                return self.next_word().is_ok();
            }
        }
        self.back_to(mark);
        false
    }

    /// `{{define "name"}}…{{end}}`, behind the word.
    fn definition(&mut self) -> Result<(), Failure> {
        let name = self.name()?;
        self.expect(Token::Right)?;
        let list = self.separate()?;
        self.add(name, list)
    }

    /// A list with variables of its own, up to its end.
    fn separate(&mut self) -> Result<Vec<Node<'r>>, Failure> {
        let variables = std::mem::replace(&mut self.variables, vec!["$"]);
        let loops = std::mem::take(&mut self.loops);
        let (list, has_else) = self.deeper(Parser::list)?;
        (self.variables, self.loops) = (variables, loops);
        if has_else { Err(Failure::BUILTIN) } else { Ok(list) }
    }

    /// Adds a template. One that shows something can be defined once.
    fn add(&mut self, name: String, list: Vec<Node<'r>>) -> Result<(), Failure> {
        match self.templates.get(&name) {
            Some(known) if !is_empty(known) => {
                if is_empty(&list) {
                    Ok(())
                } else {
                    Err(Failure::BUILTIN)
                }
            }
            _ => {
                self.templates.insert(name, list);
                Ok(())
            }
        }
    }

    fn name(&mut self) -> Result<String, Failure> {
        let token = self.next_word()?;
        self.text(token).ok_or(Failure::BUILTIN)?
    }

    /// Text and actions up to `end` or `else`; whether it was `else`.
    fn list(&mut self) -> Result<(Vec<Node<'r>>, bool), Failure> {
        let mut list = Vec::new();
        loop {
            match self.node()? {
                Parsed::Node(node) => list.push(node),
                Parsed::End => return Ok((list, false)),
                Parsed::Else => return Ok((list, true)),
            }
        }
    }

    fn node(&mut self) -> Result<Parsed<'r>, Failure> {
        let node = match self.next_word()? {
            Token::Text(text) => Node::Text(text),
            Token::Left => return self.action(),
            _ => return Err(Failure::BUILTIN),
        };
        Ok(Parsed::Node(node))
    }

    fn action(&mut self) -> Result<Parsed<'r>, Failure> {
        let mark = self.mark();
        let node = match self.next_word()? {
            Token::Word("end") => {
                self.expect(Token::Right)?;
                return Ok(Parsed::End);
            }
            Token::Word("else") => {
                if !matches!(self.peek_word(), Some(Token::Word("if" | "with"))) {
                    self.expect(Token::Right)?;
                }
                return Ok(Parsed::Else);
            }
            Token::Word("if") => Node::If(self.branch(Control::If)?),
            Token::Word("with") => Node::With(self.branch(Control::With)?),
            Token::Word("range") => Node::Range(self.branch(Control::Range)?),
            Token::Word("break") => self.leave(Node::Break)?,
            Token::Word("continue") => self.leave(Node::Continue)?,
            Token::Word("template") => {
                let name = self.name()?;
                let mark = self.mark();
                let pipe = if self.next_word()? == Token::Right {
                    None
                } else {
                    self.back_to(mark);
                    Some(self.pipeline(Token::Right, false)?)
                };
                Node::Template(name, pipe)
            }
            Token::Word("block") => {
                let name = self.name()?;
                let pipe = self.pipeline(Token::Right, false)?;
                let list = self.separate()?;
                self.add(name.clone(), list)?;
                Node::Template(name, Some(pipe))
            }
            _ => {
                self.back_to(mark);
                Node::Action(self.pipeline(Token::Right, false)?)
            }
        };
        Ok(Parsed::Node(node))
    }

    /// `break` and `continue`.
    fn leave(&mut self, node: Node<'r>) -> Result<Node<'r>, Failure> {
        self.expect(Token::Right)?;
        if self.loops == 0 {
            Err(Failure::BUILTIN)
        } else {
            Ok(node)
        }
    }

    fn branch(&mut self, control: Control) -> Result<Branch<'r>, Failure> {
        let known = self.variables.len();
        let branch = self.deeper(|parser| parser.branches(control));
        self.variables.truncate(known);
        branch
    }

    fn branches(&mut self, control: Control) -> Result<Branch<'r>, Failure> {
        let is_loop = control == Control::Range;
        let pipe: Pipe<'r> = self.pipeline(Token::Right, is_loop)?;
        self.loops += usize::from(is_loop);
        let (list, has_else) = self.list()?;
        self.loops -= usize::from(is_loop);
        let otherwise = match (has_else, control, self.peek_word()) {
            (false, ..) => Vec::new(),
            // `else if` and `else with` share the end of what they stand in.
            (true, Control::If, Some(Token::Word("if"))) => {
                self.next_word()?;
                vec![Node::If(self.branch(Control::If)?)]
            }
            (true, Control::With, Some(Token::Word("with"))) => {
                self.next_word()?;
                vec![Node::With(self.branch(Control::With)?)]
            }
            (true, ..) => {
                let (list, has_else) = self.list()?;
                if has_else {
                    return Err(Failure::BUILTIN);
                }
                list
            }
        };
        Ok(Branch {
            pipe,
            list,
            otherwise,
        })
    }
}
