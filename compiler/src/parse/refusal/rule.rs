//! Statements of a module: `package`, `import`, and rules with their heads and branches.

use crate::parse::message::may_name;
use crate::parse::refusal::list::Reference;
use crate::parse::refusal::{Cursor, Kind, Machine, Value, What};
use crate::token::{Token, Word};

/// A head, as far as `else` looks at it.
#[derive(Clone, Copy, Debug)]
struct Head {
    reference: Reference,
    contains: bool,
    valued: bool,
}

impl Head {
    fn has_args(&self) -> bool {
        matches!(self.reference.value.kind, Kind::Call { args: true, .. })
    }
}

impl Machine<'_, '_> {
    /// One statement of a module.
    pub(super) fn top_level(&mut self) {
        let path = match self.word() {
            Some(word @ (Word::Package | Word::Import))
                if !self.brackets.starts_reference(self.cursor.at) =>
            {
                Some(word)
            }
            _ => None,
        };
        match path {
            Some(word) => {
                self.path(word);
            }
            None => {
                let before = self.save();
                if self.rule().is_none() && self.error.is_none() {
                    self.restore(before);
                    self.body(true, Token::End);
                }
            }
        }
    }

    fn path(&mut self, word: Word) -> Option<()> {
        self.scan();
        if !self.is_field() {
            self.unexpected("");
            return None;
        }
        // Any word may start a path.
        self.cursor.name = true;
        let path = self.term()?;
        if !matches!(path.kind, Kind::Var | Kind::Ref) {
            match word {
                Word::Package => self.unexpected(""),
                _ => self.fail_here("expected path"),
            }
            return None;
        }
        if word == Word::Import && self.is_word(Word::As) {
            self.scan();
            let alias = if self.is_name() { self.term() } else { None };
            if alias.is_none_or(|alias| !matches!(alias.kind, Kind::Var)) {
                self.unexpected("expected var");
                return None;
            }
        }
        Some(())
    }

    /// A rule with a body or with `contains`, or a default. `None` without an error: it is none.
    fn rule(&mut self) -> Option<()> {
        self.name_if_reference();
        let default = self.is_word(Word::Default);
        if default {
            self.scan();
            self.name_if_reference();
        }
        if !self.is_name() {
            if let Some(word) = self.word().filter(|word| default && may_name(*word)) {
                self.fail(self.cursor, What::KeywordAsName(word));
            }
            return None;
        }
        let head = self.head()?;
        if default {
            return Some(());
        }
        let has_if = self.is_word(Word::If);
        if has_if {
            self.scan();
            self.if_body()?;
        } else if self.is(Token::LBrace) {
            self.braced_body()?;
        } else {
            return head.contains.then_some(());
        }
        let mut branches = false;
        if self.is_word(Word::Else) && !self.name_if_reference() {
            branches = true;
            self.check_else(&head, has_if)?;
            while self.is_word(Word::Else) {
                self.branch()?;
            }
        }
        while self.is(Token::LBrace) {
            if branches {
                self.fail_here("expected else keyword");
                return None;
            }
            self.braced_body()?;
        }
        Some(())
    }

    /// Behind the first `if`: a statement, or a body where that fails or is a set in braces.
    fn if_body(&mut self) -> Option<()> {
        let braced = self.is(Token::LBrace);
        let before = self.save();
        match self.literal() {
            Some(literal) if !(braced && literal.is_set()) => return Some(()),
            None if !braced => return None,
            _ => {}
        }
        self.restore(before);
        self.braced_body()?;
        Some(())
    }

    fn check_else(&mut self, head: &Head, has_if: bool) -> Option<()> {
        let reference = &head.reference;
        let pair = !head.contains && reference.len == 2 && !head.has_args();
        let open = !reference.ground || reference.second_is_ref;
        // `p[x]` without `if` and value is a set; with `if` and a variable it has a key too, but stays a reference.
        let set = pair && !has_if && !head.valued;
        let keyed = head.contains || set || (pair && (!has_if || open));
        let refused = if !set && reference.len > 1 && !reference.ground {
            Some("else keyword cannot be used on rules with variables in head")
        } else if keyed {
            Some("else keyword cannot be used on multi-value rules")
        } else {
            None
        };
        match refused {
            Some(message) => {
                self.fail_here(message);
                None
            }
            None => Some(()),
        }
    }

    /// One `else`.
    fn branch(&mut self) -> Option<()> {
        self.scan();
        match (self.word(), self.token()) {
            (Some(Word::If), _) | (_, Some(Token::LBrace)) => {}
            (_, Some(Token::Assign | Token::Unify)) => {
                self.scan();
                self.expression(true)?;
            }
            _ => {
                self.unexpected("expected else value term or rule body");
                return None;
            }
        }
        let has_if = self.is_word(Word::If);
        if has_if {
            self.scan();
        }
        if self.is(Token::LBrace) {
            self.braced_body()?;
        } else if has_if {
            if self.is(Token::End) {
                self.unexpected("rule body expected");
                return None;
            }
            self.literal()?;
        }
        Some(())
    }

    fn head(&mut self) -> Option<Head> {
        let Some(reference) = self.head_reference() else {
            self.unexpected("expected rule head name");
            return None;
        };
        if matches!(reference.value.kind, Kind::Call { on_call: true, .. }) {
            self.unexpected("rule head ref invalid");
            return None;
        }
        // `set()` is a term.
        if reference.value.kind == Kind::Set {
            return None;
        }
        let called = matches!(reference.value.kind, Kind::Call { .. });
        let mut head = Head {
            reference,
            contains: false,
            valued: false,
        };
        if self.is_word(Word::Contains) {
            if called {
                self.unexpected("the contains keyword can only be used with multi-value rule definitions (e.g., p contains <VALUE> { ... })");
            }
            head.contains = true;
            self.scan();
            if self.expression(true).is_none() {
                self.unexpected("expected rule key term (e.g., p contains <VALUE> { ... })");
            }
        } else if matches!(self.token(), Some(Token::Unify | Token::Assign)) {
            self.scan();
            head.valued = self.expression(true).is_some();
            if !head.valued {
                self.unexpected("expected rule value term (e.g., p := <VALUE> { ... })");
            }
        }
        Some(head)
    }

    /// The name of a rule and what belongs to it, also behind blanks.
    fn head_reference(&mut self) -> Option<Reference> {
        let at: Cursor = self.cursor;
        let name = Value {
            kind: Kind::Var,
            ground: false,
        };
        self.scan_blank();
        match self.token() {
            Some(token) if crate::layout::is_infix(token) => self.unexpected(""),
            None => self.scan(),
            Some(_) => {}
        }
        if matches!(self.token(), Some(Token::LParen | Token::Dot | Token::LBrack)) {
            return self.reference(name, at);
        }
        Some(Reference {
            value: self.document(name, at),
            len: 1,
            ground: true,
            second_is_ref: false,
        })
    }
}
