//! Names to variables and documents: terms and calls.

use super::declared::{self, Names};
use super::globals::{Global, Root, root_name};
use super::keys;
use super::resolve::Resolver;
use super::tree::{Call, Callee, Comprehension, ComprehensionKind, Head, Kind, Part, Ref, Term};
use crate::ast::{self, TermKind};
use crate::source::Span;
use gavel_runtime::value::Constant;

impl<'a> Resolver<'_, 'a> {
    /// Any term where a value is wanted.
    pub(super) fn term(&mut self, term: &ast::Term<'a>) -> Term {
        self.call_or_term(term, true)
    }

    /// `nested`: a call's value is wanted (the call is no statement itself).
    pub(super) fn call_or_term(&mut self, term: &ast::Term<'a>, nested: bool) -> Term {
        let span = term.span;
        let kind = match term.kind {
            TermKind::Null => Kind::Const(Constant::Null),
            TermKind::Bool(value) => Kind::Const(Constant::Bool(value)),
            TermKind::Number(text) => Kind::Const(Constant::number(text)),
            TermKind::String { text, .. } => Kind::Const(Constant::String(text.to_owned())),
            TermKind::Var(name) => self.name(name, span),
            TermKind::Ref { head, path } => self.reference(head, path),
            TermKind::Call { name, args } => {
                let callee = self.callee(name, nested);
                let args = args.iter().map(|arg| self.term(arg)).collect();
                call(callee, args)
            }
            TermKind::Infix {
                op,
                op_span,
                left,
                right,
            } => {
                let callee = self.operator(op.builtin(), op_span, nested);
                let args = vec![self.term(left), self.term(right)];
                call(callee, args)
            }
            TermKind::KeyValueIn { key, value, domain } => {
                let callee = self.operator("internal.member_3", span, nested);
                let args = vec![self.term(key), self.term(value), self.term(domain)];
                call(callee, args)
            }
            TermKind::Negate(inner) => {
                let callee = self.operator("minus", span, nested);
                let args = vec![Term::new(span, Kind::Const(Constant::Int(0))), self.term(inner)];
                call(callee, args)
            }
            TermKind::Array(items) => Kind::Array(items.iter().map(|item| self.term(item)).collect()),
            TermKind::Set(items) => {
                let mut members = items.iter().map(|item| self.term(item)).collect();
                keys::merge_members(&mut members, &self.vars);
                Kind::Set(members)
            }
            TermKind::Object(entries) => {
                let mut entries = entries
                    .iter()
                    .map(|(key, value)| (self.term(key), value))
                    .collect();
                keys::merge(&mut entries, &self.vars);
                let entries = entries.into_iter();
                Kind::Object(entries.map(|(key, value)| (key, self.term(value))).collect())
            }
            TermKind::ArrayComprehension { head, body } => {
                self.comprehension(ComprehensionKind::Array, None, head, &body)
            }
            TermKind::SetComprehension { head, body } => {
                self.comprehension(ComprehensionKind::Set, None, head, &body)
            }
            TermKind::ObjectComprehension { key, value, body } => {
                self.comprehension(ComprehensionKind::Object, Some(key), value, &body)
            }
            TermKind::Template { parts, .. } => Kind::Template(self.template(parts)),
        };
        fold(Term::new(span, kind))
    }

    /// The rule or import behind a name that no body around declares.
    pub(super) fn global(&self, name: &str) -> Option<&Global> {
        self.globals
            .get(name)
            .filter(|_| !self.no_globals && !self.hidden.iter().any(|names| names.contains(name)))
    }

    /// As [`Resolver::global`], noting the use.
    fn use_global(&mut self, name: &str, at: Span) -> Option<Global> {
        let global = self.global(name)?.clone();
        self.uses.note(name, &global, at);
        let root = match global.root {
            Root::Input => "input",
            Root::Data => "data",
        };
        if !global.path.is_empty() {
            self.see_name(root);
        }
        Some(global)
    }

    /// Notes the use of a name that stands for no variable here.
    fn see_name(&mut self, name: &str) {
        if !self.raw {
            self.scopes.see_root(&mut self.vars, name);
        }
    }

    fn name(&mut self, name: &str, span: Span) -> Kind {
        match self.head_of_name(name, span, false) {
            Start::Var(var) => Kind::Var(var),
            Start::Ref(reference) => Kind::Ref(Box::new(reference)),
        }
    }

    /// What a name starts: a variable or a document. `indexed`: something follows it.
    fn head_of_name(&mut self, name: &str, span: Span, indexed: bool) -> Start {
        if let Some(global) = self.use_global(name, span) {
            let path = global.path.iter().map(|key| Term::string(span, key)).collect();
            let head = match global.root {
                Root::Input => Head::Input,
                Root::Data => Head::Data,
            };
            return Start::Ref(Ref { head, path });
        }
        if let Some(root) = root_name(name) {
            if self.raw && self.hidden.iter().any(|names| names.contains(root)) {
                return Start::Var(self.scopes.undeclared(&mut self.vars, name));
            }
            if let Some(var) = self.scopes.declared(root) {
                self.see_name(root);
                return Start::Var(var);
            }
            if indexed {
                self.see_name(root);
            }
            let head = if root == "input" { Head::Input } else { Head::Data };
            return Start::Ref(Ref {
                head,
                path: Vec::new(),
            });
        }
        if self.raw && name != "_" {
            return Start::Var(self.scopes.undeclared(&mut self.vars, name));
        }
        Start::Var(self.scopes.lookup(&mut self.vars, name))
    }

    fn reference(&mut self, head: &ast::Term<'a>, path: &[ast::Term<'a>]) -> Kind {
        let mut reference = match head.kind {
            TermKind::Var(name) => match self.head_of_name(name, head.span, true) {
                Start::Var(var) => Ref {
                    head: Head::Var(var),
                    path: Vec::new(),
                },
                Start::Ref(reference) => reference,
            },
            _ => {
                let head = self.term(head);
                match head.kind {
                    Kind::Ref(reference) => *reference,
                    Kind::Var(var) => Ref {
                        head: Head::Var(var),
                        path: Vec::new(),
                    },
                    _ => Ref {
                        head: Head::Term(head),
                        path: Vec::new(),
                    },
                }
            }
        };
        for element in path {
            // OPA looks no names up in a template that stands right in brackets.
            let is_template = matches!(element.kind, TermKind::Template { .. });
            let no_globals = self.no_globals;
            self.no_globals |= is_template;
            let element = self.term(element);
            self.no_globals = no_globals;
            reference.path.push(element);
        }
        Kind::Ref(Box::new(reference))
    }

    fn comprehension(
        &mut self,
        kind: ComprehensionKind,
        key: Option<&ast::Term<'a>>,
        value: &ast::Term<'a>,
        body: &ast::Body<'a>,
    ) -> Kind {
        let mut hidden = Names::new();
        declared::in_body(body, &mut hidden);
        self.hidden.push(hidden);
        let mut used = Names::new();
        key.into_iter()
            .for_each(|key| declared::all_names(key, &mut used));
        declared::all_names(value, &mut used);
        // A comprehension in a head knows nothing of the body's declarations yet.
        let raw = std::mem::replace(&mut self.raw, false);
        let detached = raw.then(|| self.scopes.detached());
        let around = detached.map(|detached| std::mem::replace(&mut self.scopes, detached));
        // What is unused in one of them says nothing about another.
        let unused_before = raw.then(|| std::mem::take(&mut self.unused));
        self.scopes.push();
        let body = self.body(body, &used);
        let key = key.map(|key| self.term(key));
        let value = self.term(value);
        self.scopes.pop();
        self.unused.splice(0..0, unused_before.unwrap_or_default());
        if let Some(around) = around {
            let detached = std::mem::replace(&mut self.scopes, around);
            self.scopes.attach(detached);
        }
        self.raw = raw;
        self.hidden.pop();
        Kind::Comprehension(Box::new(Comprehension {
            kind,
            key,
            value,
            body,
        }))
    }

    fn template(&mut self, parts: &[ast::TemplatePart<'a>]) -> Vec<Part> {
        parts
            .iter()
            .map(|part| match part {
                ast::TemplatePart::Text(text) => Part::Text((*text).to_owned()),
                ast::TemplatePart::Expr(literal) => Part::Expr(Box::new(self.plain(literal))),
            })
            .collect()
    }

    /// What an operator calls: its builtin, unless the package has a rule of that name.
    pub(super) fn operator(&mut self, name: &str, span: Span, nested: bool) -> Callee {
        let (first, rest) = name.split_once('.').map_or((name, Vec::new()), |(first, rest)| {
            (first, rest.split('.').map(str::to_owned).collect())
        });
        self.callee_of(first, rest, span, nested)
    }

    fn callee(&mut self, name: &ast::Term<'a>, nested: bool) -> Callee {
        match name.kind {
            TermKind::Var(first) => self.callee_of(first, Vec::new(), name.span, nested),
            TermKind::Ref { head, path } => {
                let keys: Option<Vec<String>> = path.iter().map(string_key).collect();
                match (head.kind, keys) {
                    (TermKind::Var(first), Some(rest)) => self.callee_of(first, rest, name.span, nested),
                    _ => self.computed_callee(name, nested),
                }
            }
            _ => self.computed_callee(name, nested),
        }
    }

    /// A name that is none: nothing can be called by it.
    fn computed_callee(&mut self, name: &ast::Term<'a>, nested: bool) -> Callee {
        let mut names = Names::new();
        declared::all_names(name, &mut names);
        let shadowed = names
            .iter()
            .any(|name| self.global(name).is_none() && self.is_shadowed(name));
        let resolved = self.term(name);
        self.called.append(&mut super::vars::all_in_term(&resolved));
        self.unknown_callee(
            super::text::term(&resolved, &self.vars),
            name.span,
            nested && shadowed,
        )
    }

    /// Nothing known, by a name that a variable hides or not. OPA looks for such variables in calls that stand in an
    /// expression, and not in a head.
    fn unknown_callee(&mut self, text: String, span: Span, shadowed: bool) -> Callee {
        if shadowed && !self.raw {
            self.error(span, format!("called function {text} shadowed"));
        }
        Callee::Unknown(text)
    }

    /// Whether the name is that of a variable here, or in a head of one that its body declares.
    fn is_shadowed(&self, name: &str) -> bool {
        self.scopes.declared(name).is_some()
            || self.shadowed_builtins.contains(name)
            || (self.raw && self.hidden.iter().any(|names| names.contains(name)))
    }

    fn callee_of(&mut self, first: &str, rest: Vec<String>, span: Span, nested: bool) -> Callee {
        if let Some(global) = self.use_global(first, span) {
            let mut path = global.path;
            path.extend(rest);
            return match global.root {
                Root::Data => Callee::Rule(path),
                Root::Input => Callee::Unknown(super::text::dotted("input", &path)),
            };
        }
        let text = super::text::dotted(first, &rest);
        let shadowed = self.is_shadowed(first);
        self.see_name(first);
        if shadowed {
            return self.unknown_callee(text, span, nested);
        }
        if first == "data" {
            return Callee::Rule(rest);
        }
        let joined = std::iter::once(first)
            .chain(rest.iter().map(String::as_str))
            .collect::<Vec<_>>();
        match self.builtin(&joined.join(".")) {
            Some(id) => Callee::Builtin(id),
            None => Callee::Unknown(text),
        }
    }

    /// A target or value of `with`: the name of a builtin may stand there.
    pub(super) fn replaced(&mut self, term: &ast::Term<'a>, target: bool) -> Term {
        let (first, rest) = match term.kind {
            TermKind::Var(first) => (first, Some(Vec::new())),
            TermKind::Ref { head, path } => match head.kind {
                TermKind::Var(first) => (first, path.iter().map(string_key).collect()),
                _ => return self.term(term),
            },
            _ => return self.term(term),
        };
        if target && first == "input" && self.scopes.declared(first).is_some() {
            return self.root_target(term);
        }
        let local = self.scopes.declared(first).is_some() || self.global(first).is_some();
        if let Some(rest) = rest
            && !local
        {
            let joined: Vec<&str> = std::iter::once(first)
                .chain(rest.iter().map(String::as_str))
                .collect();
            if let Some(id) = self.builtin(&joined.join(".")) {
                return Term::new(term.span, Kind::Builtin(id));
            }
        }
        self.term(term)
    }

    /// `input` as a target means the document even where a variable of that name hides it.
    fn root_target(&mut self, term: &ast::Term<'a>) -> Term {
        let path = match term.kind {
            TermKind::Ref { path, .. } => path.iter().map(|element| self.term(element)).collect(),
            _ => Vec::new(),
        };
        Term::new(
            term.span,
            Kind::Ref(Box::new(Ref {
                head: Head::Input,
                path,
            })),
        )
    }
}

enum Start {
    Var(crate::hir::VarId),
    Ref(Ref),
}

fn call(callee: Callee, args: Vec<Term>) -> Kind {
    Kind::Call(Box::new(Call { callee, args }))
}

fn string_key(term: &ast::Term<'_>) -> Option<String> {
    match term.kind {
        TermKind::String { text, .. } => Some(text.to_owned()),
        _ => None,
    }
}

/// Collections of constants are constants.
pub(super) fn fold(term: Term) -> Term {
    fn constants(items: &[Term]) -> Option<Vec<Constant>> {
        items.iter().map(|item| item.as_const().cloned()).collect()
    }
    let constant = match &term.kind {
        Kind::Array(items) => constants(items).map(Constant::Array),
        Kind::Set(items) => constants(items).map(Constant::set),
        Kind::Object(entries) => entries
            .iter()
            .map(|(key, value)| Some((key.as_const()?.clone(), value.as_const()?.clone())))
            .collect::<Option<Vec<_>>>()
            .map(Constant::object),
        Kind::Const(_)
        | Kind::Var(_)
        | Kind::Ref(_)
        | Kind::Call(_)
        | Kind::Comprehension(_)
        | Kind::Template(_)
        | Kind::Builtin(_) => None,
    };
    match constant {
        Some(constant) => Term::new(term.span, Kind::Const(constant)),
        None => term,
    }
}
