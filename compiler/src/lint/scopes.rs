//! The variables that a module declares: where, how, how often they are read, and what they hide.
//!
//! Declared are parameters and what `:=`, `some` and `every` introduce; a name that only `=` or a reference binds is none of
//! these. A declaration holds for its whole body, whatever stands above it.

use std::collections::{HashMap, HashSet};

use super::visit::{self, Event, Scope};
use crate::ast::{Body, LiteralKind, Module, Rule, Term, TermKind};
use crate::source::Span;

/// How a variable comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// `:=`
    Assigned,
    /// `some x`
    Some,
    /// `some x in xs`
    SomeIn,
    /// `every x in xs`
    Every,
    /// Parameter of a function, by position.
    Parameter(usize),
}

/// A declared variable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variable<'a> {
    pub(super) name: &'a str,
    /// Where it is declared.
    pub(super) span: Span,
    pub(super) how: How,
    /// Occurrences beside the declaration.
    pub(super) uses: usize,
    /// Declaration of a variable of the same name around it.
    pub(super) hides: Option<Span>,
    /// The rule, by index in the module.
    pub(super) rule: usize,
}

/// All declared variables of a module, in order.
pub(super) fn variables<'a>(module: &Module<'a>) -> Vec<Variable<'a>> {
    let mut finder = Finder::default();
    for (at, rule) in module.rules.iter().enumerate() {
        finder.rule = at;
        visit::rule(rule, &mut |event| finder.event(event));
    }
    finder.found
}

#[derive(Default)]
struct Finder<'a> {
    found: Vec<Variable<'a>>,
    /// For each name the variables that are visible, the innermost last: the number of scopes open where it is declared,
    /// and its index in `found`.
    visible: HashMap<&'a str, Vec<(usize, usize)>>,
    /// Names that each open scope declares.
    open: Vec<Vec<&'a str>>,
    /// First bytes of declaring occurrences.
    declaring: HashSet<u32>,
    rule: usize,
}

impl<'a> Finder<'a> {
    fn event(&mut self, event: Event<'a>) {
        match event {
            Event::Enter(scope) => self.enter(scope),
            Event::Leave => {
                for name in self.open.pop().unwrap_or_default() {
                    if let Some(stack) = self.visible.get_mut(name) {
                        stack.pop();
                    }
                }
            }
            Event::Literal(_) => {}
            Event::Term(term) => {
                if let TermKind::Var(name) = term.kind
                    && !self.declaring.contains(&term.span.start)
                {
                    let innermost = self.visible.get(name).and_then(|stack| stack.last());
                    if let Some(variable) = innermost.and_then(|(_, at)| self.found.get_mut(*at)) {
                        variable.uses += 1;
                    }
                }
            }
        }
    }

    fn enter(&mut self, scope: Scope<'a>) {
        self.open.push(Vec::new());
        match scope {
            Scope::Rule(rule) => self.parameters(rule),
            Scope::Branch(body) => body.iter().for_each(|body| self.body(body)),
            Scope::Comprehension(body) | Scope::Braces(body) => self.body(body),
            Scope::Every(literal, body) => {
                if let LiteralKind::Every { key, value, .. } = &literal.kind {
                    for name in key.iter().chain([value]) {
                        self.declare(name.text, name.span, How::Every);
                    }
                }
                self.body(body);
            }
            Scope::Not => {}
        }
    }

    fn parameters(&mut self, rule: &'a Rule<'a>) {
        for (at, arg) in rule.head.args.unwrap_or_default().iter().enumerate() {
            self.pattern(arg, How::Parameter(at));
        }
    }

    fn body(&mut self, body: &'a Body<'a>) {
        for literal in body.literals {
            match &literal.kind {
                LiteralKind::Assign(left, _) => self.pattern(left, How::Assigned),
                LiteralKind::SomeDecl(names) => names
                    .iter()
                    .for_each(|name| self.declare(name.text, name.span, How::Some)),
                LiteralKind::SomeIn { key, value, .. } => {
                    key.iter().for_each(|key| self.pattern(key, How::SomeIn));
                    self.pattern(value, How::SomeIn);
                }
                _ => {}
            }
        }
    }

    /// The variables of a pattern: of arrays, and of the values of objects.
    fn pattern(&mut self, pattern: &'a Term<'a>, how: How) {
        match pattern.kind {
            TermKind::Var(name) => self.declare(name, pattern.span, how),
            TermKind::Array(items) => items.iter().for_each(|item| self.pattern(item, how)),
            TermKind::Object(entries) => entries.iter().for_each(|(_, value)| self.pattern(value, how)),
            _ => {}
        }
    }

    fn declare(&mut self, name: &'a str, span: Span, how: How) {
        let depth = self.open.len();
        let Some(scope) = self.open.last_mut().filter(|_| name != "_") else {
            return;
        };
        let stack = self.visible.entry(name).or_default();
        // A name that stands twice in one body is one variable.
        if stack.last().is_some_and(|(declared, _)| *declared == depth) {
            return;
        }
        scope.push(name);
        self.declaring.insert(span.start);
        let outer = stack.last().and_then(|(_, at)| self.found.get(*at));
        let hides = outer.map(|outer| outer.span);
        stack.push((depth, self.found.len()));
        self.found.push(Variable {
            name,
            span,
            how,
            uses: 0,
            hides,
            rule: self.rule,
        });
    }
}
