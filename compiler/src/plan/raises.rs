//! What may abort an evaluation: two values where one may be, a failing builtin in strict mode. OPA goes through all
//! solutions of most bodies even where the first one settles the result, and aborts if a later one does; what cannot abort
//! need not be gone through.

use super::body::Body;
use super::disjoint::are_disjoint;
use super::rules::same_constant;
use super::tree::{Node, NodeKind};
use crate::hir::{
    Block, Callee, Comprehension, ComprehensionKind, Ref, RefHead, Rule, RuleKind, Stmt, StmtKind, Term,
};
use std::rc::Rc;

impl Body<'_, '_> {
    /// Whether a statement may abort.
    pub(super) fn raises(&mut self, stmt: &Stmt) -> bool {
        match &stmt.kind {
            StmtKind::Test(term) => self.term_raises(term),
            StmtKind::Unify { left, right, .. } => self.term_raises(left) || self.term_raises(right),
            StmtKind::Call { callee, args, out } => {
                self.call_raises(callee) || args.iter().chain(out).any(|term| self.term_raises(term))
            }
            StmtKind::Not(block) => self.block_raises(block),
            StmtKind::Every { domain, body, .. } => self.term_raises(domain) || self.block_raises(body),
            // Its targets may contradict each other, and what stands in it may be anything.
            StmtKind::With { .. } => true,
            StmtKind::And(first, second) | StmtKind::Or(first, second) => {
                self.block_raises(first) || self.block_raises(second)
            }
        }
    }

    fn block_raises(&mut self, block: &Block) -> bool {
        block.stmts.iter().any(|stmt| self.raises(stmt))
    }

    fn call_raises(&mut self, callee: &Callee) -> bool {
        match callee {
            Callee::Builtin(_) if self.planner.replaced.is_mocked(callee) => true,
            Callee::Builtin(_) => self.planner.strict,
            Callee::Function(path) => self.document_raises(path),
        }
    }

    /// Whether a term may abort.
    pub(super) fn term_raises(&mut self, term: &Term) -> bool {
        match term {
            Term::Const(_) | Term::Var(_) => false,
            Term::Array(items) | Term::Set(items) => items.iter().any(|item| self.term_raises(item)),
            // Keys may turn out to be equal.
            Term::Object(entries) => {
                let are_known = entries.iter().all(|(key, _)| matches!(key, Term::Const(_)));
                (entries.len() > 1 && !are_known) || entries.iter().any(|(_, value)| self.term_raises(value))
            }
            Term::Ref(reference) => self.reference_raises(reference),
            Term::Comprehension(comprehension) => self.comprehension_raises(comprehension),
        }
    }

    fn comprehension_raises(&mut self, comprehension: &Comprehension) -> bool {
        match &comprehension.kind {
            ComprehensionKind::Array(head) | ComprehensionKind::Set(head) => {
                self.term_raises(head) || self.block_raises(&comprehension.body)
            }
            ComprehensionKind::Object(..) => true,
        }
    }

    fn reference_raises(&mut self, reference: &Ref) -> bool {
        match reference.head {
            RefHead::Input | RefHead::Var(_) | RefHead::Const(_) => false,
            RefHead::Data => self.document_raises(&super::refs::strings(&reference.path)),
        }
    }

    /// Whether a document may abort: what stands at a path or above it.
    pub(super) fn document_raises(&mut self, path: &[String]) -> bool {
        let tree = Rc::clone(&self.planner.tree);
        let mut node: &Node = &tree;
        for (at, key) in path.iter().enumerate() {
            if node.kind != NodeKind::Inner {
                return self.node_raises(node, path.get(..at).unwrap_or_default());
            }
            match node.children.get(key) {
                Some(child) => node = child,
                None => return false,
            }
        }
        self.node_raises(node, path)
    }

    fn node_raises(&mut self, node: &Node, path: &[String]) -> bool {
        if let Some(known) = self.planner.raising.get(path) {
            return *known;
        }
        if self.planner.asking >= ASKING_MAX {
            return true;
        }
        self.planner.asking += 1;
        let unit = self.planner.unit;
        let rules: Vec<&Rule> = node.rules.iter().filter_map(|at| unit.rules.get(*at)).collect();
        let raises = match node.kind {
            // All that is below them counts, so that little would be won by a closer look.
            NodeKind::Inner | NodeKind::Object | NodeKind::Tree => true,
            NodeKind::Set => self.bodies_raise(&rules),
            NodeKind::Complete | NodeKind::Function => {
                let bodies: Vec<&Rule> = rules.iter().copied().filter(|rule| !rule.is_default).collect();
                let may_differ = same_constant(&bodies).is_none() && !are_disjoint(&bodies);
                may_differ || bodies.iter().any(|rule| has_several(rule)) || self.bodies_raise(&rules)
            }
        };
        self.planner.asking -= 1;
        self.planner.raising.insert(path.to_vec(), raises);
        raises
    }

    fn bodies_raise(&mut self, rules: &[&Rule]) -> bool {
        let clauses = rules.iter().flat_map(|rule| &rule.clauses);
        let mut clauses = clauses.map(|clause| (&clause.body, &clause.value));
        clauses.any(|(body, value)| self.block_raises(body) || self.term_raises(value))
    }
}

/// Documents that are looked at on the way to one; behind a longer way anything may be.
const ASKING_MAX: usize = 64;

/// Whether one body may yield several values, as far as a glance tells.
fn has_several(rule: &Rule) -> bool {
    let iterates = |stmt: &Stmt| match &stmt.kind {
        StmtKind::Test(term) => has_variable(term),
        StmtKind::Unify { left, right, .. } => has_variable(left) || has_variable(right),
        StmtKind::Call { callee, .. } => matches!(callee, Callee::Builtin(id) if id.get().relation),
        StmtKind::With { .. } => true,
        StmtKind::Not(_) | StmtKind::Every { .. } | StmtKind::And(..) | StmtKind::Or(..) => false,
    };
    rule.kind != RuleKind::Set
        && rule
            .clauses
            .iter()
            .any(|clause| !matches!(clause.value, Term::Const(_)) && clause.body.stmts.iter().any(iterates))
}

/// Whether a reference in a term has a variable in its path, which may iterate.
fn has_variable(term: &Term) -> bool {
    match term {
        Term::Const(_) | Term::Var(_) | Term::Comprehension(_) => false,
        Term::Array(items) | Term::Set(items) => items.iter().any(has_variable),
        Term::Object(entries) => entries
            .iter()
            .any(|(key, value)| has_variable(key) || has_variable(value)),
        Term::Ref(reference) => !reference
            .path
            .iter()
            .all(|element| matches!(element, Term::Const(_))),
    }
}
