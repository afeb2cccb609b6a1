//! The tree of a module as s-expressions: a line for each clause, rule and statement.
//!
//! Recursion is as deep as the tree, which `limits::NESTING_MAX` bounds.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{
    Body, ElseBranch, Head, HeadKind, Import, InfixOp, Literal, LiteralKind, Module, Name, Operand, Rule,
    TemplatePart, Term, TermKind,
};

/// The tree of a module.
#[must_use]
pub fn ast(module: &Module<'_>) -> String {
    let mut dump = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        dump,
        "(module{}\n  (package{})",
        Switches(module),
        Names(module.package.path)
    );
    for import in module.imports {
        let _ = write!(dump, "\n  {}", Clause(import));
    }
    for rule in module.rules {
        let _ = write!(dump, "\n  {}", WholeRule(rule));
    }
    dump.push_str(")\n");
    dump
}

/// The statements of a query.
#[must_use]
pub fn query(body: &Body<'_>) -> String {
    format!("{}\n", Statements(body, ""))
}

/// Which switches of the dialect are on.
struct Switches<'a>(&'a Module<'a>);

impl Display for Switches<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let dialect = self.0.dialect;
        f.write_str(if dialect.v1 { " v1" } else { " v0" })?;
        let switches = [
            (dialect.kw_in, "in"),
            (dialect.kw_if, "if"),
            (dialect.kw_contains, "contains"),
            (dialect.kw_every, "every"),
            (dialect.kw_and, "and"),
            (dialect.kw_or, "or"),
            (dialect.new_not, "not"),
        ];
        for (_, name) in switches.iter().filter(|(on, _)| *on) {
            write!(f, " +{name}")?;
        }
        Ok(())
    }
}

struct Names<'a>(&'a [Name<'a>]);

impl Display for Names<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|name| write!(f, " {:?}", name.text))
    }
}

struct Clause<'a>(&'a Import<'a>);

impl Display for Clause<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "(import{}", Names(self.0.path))?;
        if let Some(alias) = self.0.alias {
            write!(f, " as {}", alias.text)?;
        }
        f.write_char(')')
    }
}

struct WholeRule<'a>(&'a Rule<'a>);

impl Display for WholeRule<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rule = self.0;
        f.write_str(match (rule.is_default, rule.chained) {
            (true, _) => "(default ",
            (false, true) => "(chained ",
            (false, false) => "(rule ",
        })?;
        write!(f, "{}", WholeHead(&rule.head))?;
        if let Some(body) = &rule.body {
            write!(f, "\n    {}", Statements(body, "\n      "))?;
        }
        for branch in rule.else_branches {
            write!(f, "\n    {}", Branch(branch))?;
        }
        f.write_char(')')
    }
}

struct WholeHead<'a>(&'a Head<'a>);

impl Display for WholeHead<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let head = self.0;
        f.write_str(match head.kind {
            HeadKind::Value => "(value",
            HeadKind::Set => "(set",
        })?;
        write!(f, " (name{})", Terms(head.reference))?;
        if let Some(args) = head.args {
            write!(f, " (args{})", Terms(args))?;
        }
        if let Some(key) = head.key {
            write!(f, " (member {})", One(&key))?;
        }
        if let Some(value) = head.value {
            write!(f, " ({} {})", assign(head.assign), One(&value))?;
        }
        f.write_char(')')
    }
}

fn assign(assign: bool) -> &'static str {
    if assign { ":=" } else { "=" }
}

struct Branch<'a>(&'a ElseBranch<'a>);

impl Display for Branch<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("(else")?;
        if let Some(value) = self.0.value {
            write!(f, " ({} {})", assign(self.0.assign), One(&value))?;
        }
        if let Some(body) = &self.0.body {
            write!(f, " {}", Statements(body, "\n      "))?;
        }
        f.write_char(')')
    }
}

/// A body; each statement behind the given line start, or a blank.
struct Statements<'a>(&'a Body<'a>, &'a str);

impl Display for Statements<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("(body")?;
        for literal in self.0.literals {
            f.write_str(if self.1.is_empty() { " " } else { self.1 })?;
            write!(f, "{}", Statement(literal))?;
        }
        f.write_char(')')
    }
}

struct Statement<'a>(&'a Literal<'a>);

impl Display for Statement<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let literal = self.0;
        if literal.with.is_empty() {
            return write!(f, "{}", Kind(&literal.kind));
        }
        write!(f, "(with {}", Kind(&literal.kind))?;
        for with in literal.with {
            write!(f, " ({} {})", One(&with.target), One(&with.value))?;
        }
        f.write_char(')')
    }
}

struct Kind<'a>(&'a LiteralKind<'a>);

impl Display for Kind<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            LiteralKind::Term(term) => write!(f, "{}", One(term)),
            LiteralKind::Assign(left, right) => write!(f, "(:= {} {})", One(left), One(right)),
            LiteralKind::Unify(left, right) => write!(f, "(= {} {})", One(left), One(right)),
            LiteralKind::SomeDecl(names) => {
                f.write_str("(some")?;
                names.iter().try_for_each(|name| write!(f, " {}", name.text))?;
                f.write_char(')')
            }
            LiteralKind::SomeIn { key, value, domain } => {
                f.write_str("(some-in")?;
                if let Some(key) = key {
                    write!(f, " {}", One(key))?;
                }
                write!(f, " {} {})", One(value), One(domain))
            }
            LiteralKind::Every {
                key,
                value,
                domain,
                body,
            } => {
                f.write_str("(every")?;
                if let Some(key) = key {
                    write!(f, " {}", key.text)?;
                }
                write!(f, " {} {} {})", value.text, One(domain), Statements(body, ""))
            }
            LiteralKind::Not(operand) => write!(f, "(not {})", Part(operand)),
            LiteralKind::And(left, right) => write!(f, "(and {} {})", Part(left), Part(right)),
            LiteralKind::Or(left, right) => write!(f, "(or {} {})", Part(left), Part(right)),
        }
    }
}

struct Part<'a>(&'a Operand<'a>);

impl Display for Part<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Operand::Implicit(literal) => write!(f, "{}", Statement(literal)),
            Operand::Braced(body) => write!(f, "{}", Statements(body, "")),
        }
    }
}

struct Terms<'a>(&'a [Term<'a>]);

impl Display for Terms<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|term| write!(f, " {}", One(term)))
    }
}

struct One<'a>(&'a Term<'a>);

impl Display for One<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            TermKind::Null => f.write_str("null"),
            TermKind::Bool(value) => write!(f, "{value}"),
            TermKind::Number(text) => f.write_str(text),
            TermKind::String { text, raw } => write!(f, "{}{text:?}", raw_mark(*raw)),
            TermKind::Var(name) => f.write_str(name),
            TermKind::Ref { head, path } => write!(f, "(ref {}{})", One(head), Terms(path)),
            TermKind::Call { name, args } => write!(f, "(call {}{})", One(name), Terms(args)),
            TermKind::Infix { op, left, right, .. } => {
                write!(f, "({} {} {})", symbol(*op), One(left), One(right))
            }
            TermKind::KeyValueIn { key, value, domain } => {
                write!(f, "(in {} {} {})", One(key), One(value), One(domain))
            }
            TermKind::Negate(inner) => write!(f, "(- {})", One(inner)),
            TermKind::Array(terms) => write!(f, "(array{})", Terms(terms)),
            TermKind::Set(terms) => write!(f, "(set{})", Terms(terms)),
            TermKind::Object(pairs) => {
                f.write_str("(object")?;
                for (key, value) in *pairs {
                    write!(f, " ({} {})", One(key), One(value))?;
                }
                f.write_char(')')
            }
            TermKind::ArrayComprehension { head, body } => {
                write!(f, "(array-of {} {})", One(head), Statements(body, ""))
            }
            TermKind::SetComprehension { head, body } => {
                write!(f, "(set-of {} {})", One(head), Statements(body, ""))
            }
            TermKind::ObjectComprehension { key, value, body } => {
                write!(
                    f,
                    "(object-of {} {} {})",
                    One(key),
                    One(value),
                    Statements(body, "")
                )
            }
            TermKind::Template { parts, raw } => {
                write!(f, "({}template", raw_mark(*raw))?;
                for part in *parts {
                    match part {
                        TemplatePart::Text(text) => write!(f, " {text:?}")?,
                        TemplatePart::Expr(literal) => write!(f, " (expr {})", Statement(literal))?,
                    }
                }
                f.write_char(')')
            }
        }
    }
}

fn raw_mark(raw: bool) -> &'static str {
    if raw { "raw-" } else { "" }
}

fn symbol(op: InfixOp) -> &'static str {
    match op {
        InfixOp::Equal => "==",
        InfixOp::NotEqual => "!=",
        InfixOp::Less => "<",
        InfixOp::LessEqual => "<=",
        InfixOp::Greater => ">",
        InfixOp::GreaterEqual => ">=",
        InfixOp::Add => "+",
        InfixOp::Sub => "-",
        InfixOp::Mul => "*",
        InfixOp::Div => "/",
        InfixOp::Rem => "%",
        InfixOp::Union => "|",
        InfixOp::Intersect => "&",
        InfixOp::In => "in",
        InfixOp::Assign => ":=",
        InfixOp::Unify => "=",
    }
}
