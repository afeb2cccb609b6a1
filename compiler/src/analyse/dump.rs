//! A stable text of checked programs, for tests and for people who debug.
//!
//! One statement a line, indented by block; variables as `name#id`, so that two of one name can be told apart.

use super::text;
use crate::constant;
use crate::hir::{
    Block, Callee, Comprehension, ComprehensionKind, Query, Ref, RefHead, Rule, RuleKind, Stmt, StmtKind,
    Term, Unit, VarId, With, WithTarget, WithValue,
};

/// Text of a unit.
#[must_use]
pub fn dump(unit: &Unit) -> String {
    let mut out = String::new();
    for rule in &unit.rules {
        dump_rule(rule, &mut out);
    }
    out
}

/// Text of a query.
#[must_use]
pub fn dump_query(query: &Query) -> String {
    let mut printer = Printer {
        names: &query.var_names,
        out: String::from("query\n"),
    };
    printer.block(&query.block, 1);
    let bindings: Vec<String> = query
        .bindings
        .iter()
        .map(|(name, var)| format!("{name} = {}", printer.var(*var)))
        .collect();
    printer.line(1, &format!("bindings [{}]", bindings.join(", ")));
    printer.out
}

fn dump_rule(rule: &Rule, out: &mut String) {
    let mut printer = Printer {
        names: &rule.var_names,
        out: String::new(),
    };
    let mut head = text::data_path(&rule.path);
    for element in &rule.dynamic {
        head.push_str(&format!("[{}]", printer.term(element)));
    }
    let word = match rule.kind {
        RuleKind::Value => "rule",
        RuleKind::Set => "set",
        RuleKind::Function => "function",
    };
    if rule.kind == RuleKind::Function {
        head.push_str(&format!("({})", printer.list(&rule.args)));
    }
    let default = if rule.is_default { "default " } else { "" };
    printer.line(0, &format!("{default}{word} {head}"));
    for (index, clause) in rule.clauses.iter().enumerate() {
        if index > 0 {
            printer.line(1, "else");
        }
        printer.block(&clause.body, 1);
        let value = printer.term(&clause.value);
        printer.line(1, &format!("=> {value}"));
    }
    out.push_str(&printer.out);
}

struct Printer<'n> {
    names: &'n [String],
    out: String,
}

impl Printer<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        self.out.push_str(&"  ".repeat(depth));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn block(&mut self, block: &Block, depth: usize) {
        for stmt in &block.stmts {
            self.stmt(stmt, depth);
        }
    }

    fn stmt(&mut self, stmt: &Stmt, depth: usize) {
        match &stmt.kind {
            StmtKind::Test(term) => {
                let term = self.term(term);
                self.line(depth, &format!("test {term}"));
            }
            StmtKind::Unify {
                left,
                right,
                directed,
            } => {
                let sign = if *directed { ":=" } else { "=" };
                let text = format!("{} {sign} {}", self.term(left), self.term(right));
                self.line(depth, &text);
            }
            StmtKind::Call { callee, args, out } => {
                let call = format!("{}({})", callee_text(callee), self.list(args));
                let text = match out {
                    Some(out) => format!("{} = {call}", self.term(out)),
                    None => format!("test {call}"),
                };
                self.line(depth, &text);
            }
            StmtKind::Not(block) => {
                self.line(depth, "not");
                self.block(block, depth + 1);
            }
            StmtKind::Every {
                key,
                value,
                domain,
                body,
            } => {
                let key = key.map_or_else(String::new, |key| format!("{}, ", self.var(key)));
                let text = format!("every {key}{} in {}", self.var(*value), self.term(domain));
                self.line(depth, &text);
                self.block(body, depth + 1);
            }
            StmtKind::With { modifiers, block } => {
                let modifiers: Vec<String> = modifiers.iter().map(|with| self.with(with)).collect();
                self.line(depth, &format!("with {}", modifiers.join(", ")));
                self.block(block, depth + 1);
            }
            StmtKind::And(left, right) => self.pair("and", left, right, depth),
            StmtKind::Or(left, right) => self.pair("or", left, right, depth),
        }
    }

    fn pair(&mut self, word: &str, left: &Block, right: &Block, depth: usize) {
        self.line(depth, &format!("either side of {word}, left"));
        self.block(left, depth + 1);
        self.line(depth, &format!("either side of {word}, right"));
        self.block(right, depth + 1);
    }

    fn with(&self, with: &With) -> String {
        let target = match &with.target {
            WithTarget::Input(path) => text::dotted("input", path),
            WithTarget::Data(path) => text::data_path(path),
            WithTarget::Function(path) => format!("function {}", text::data_path(path)),
            WithTarget::Builtin(id) => format!("builtin {}", id.get().name),
        };
        let value = match &with.value {
            WithValue::Term(term) => self.term(term),
            WithValue::Function(path) => format!("function {}", text::data_path(path)),
            WithValue::Document(keys) => {
                let keys: String = keys
                    .iter()
                    .map(|key| format!("[{}]", constant::text(key)))
                    .collect();
                format!("document data{keys}")
            }
            WithValue::Builtin(id) => format!("builtin {}", id.get().name),
        };
        format!("{target} as {value}")
    }

    fn var(&self, var: VarId) -> String {
        let name = self.names.get(var.0 as usize).map_or("?", String::as_str);
        if name.starts_with('$') {
            name.to_owned()
        } else {
            format!("{name}#{}", var.0)
        }
    }

    fn list(&self, terms: &[Term]) -> String {
        terms
            .iter()
            .map(|term| self.term(term))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn term(&self, term: &Term) -> String {
        match term {
            Term::Const(constant) => constant::text(constant),
            Term::Var(var) => self.var(*var),
            Term::Array(items) => format!("[{}]", self.list(items)),
            Term::Set(items) => format!("{{{}}}", self.list(items)),
            Term::Object(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("{}: {}", self.term(key), self.term(value)))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
            Term::Ref(reference) => self.reference(reference),
            Term::Comprehension(comprehension) => self.comprehension(comprehension),
        }
    }

    fn reference(&self, reference: &Ref) -> String {
        let mut out = match &reference.head {
            RefHead::Input => "input".to_owned(),
            RefHead::Data => "data".to_owned(),
            RefHead::Var(var) => self.var(*var),
            RefHead::Const(constant) => constant::text(constant),
        };
        for element in &reference.path {
            out.push_str(&format!("[{}]", self.term(element)));
        }
        out
    }

    /// On one line: statements joined by `;`.
    fn comprehension(&self, comprehension: &Comprehension) -> String {
        let mut inner = Printer {
            names: self.names,
            out: String::new(),
        };
        inner.block(&comprehension.body, 0);
        let body = inner.out.trim_end().replace('\n', "; ");
        match &comprehension.kind {
            ComprehensionKind::Array(value) => format!("[{} | {body}]", self.term(value)),
            ComprehensionKind::Set(value) => format!("{{{} | {body}}}", self.term(value)),
            ComprehensionKind::Object(key, value) => {
                format!("{{{}: {} | {body}}}", self.term(key), self.term(value))
            }
        }
    }
}

fn callee_text(callee: &Callee) -> String {
    match callee {
        Callee::Builtin(id) => id.get().name.to_owned(),
        Callee::Function(path) => text::data_path(path),
    }
}
