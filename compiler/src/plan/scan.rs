//! What `with` replaces anywhere in a unit: decides which calls go through mock cells and which base documents are
//! read at run time.

use crate::hir::visit::Visit;
use crate::hir::{Callee, Query, Unit, With, WithTarget, WithValue};
use gavel_runtime::builtins::BuiltinId;
use std::collections::HashSet;

/// Targets of all `with` modifiers of a unit and its queries.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    /// Function rules.
    pub functions: HashSet<Vec<String>>,
    /// Builtins.
    pub builtins: HashSet<BuiltinId>,
    /// A function stands for one of them somewhere.
    pub by_function: bool,
    /// Those of them that a virtual document stands for somewhere.
    pub by_document: HashSet<Callee>,
    /// Paths behind `data`.
    pub data: Vec<Vec<String>>,
}

impl Replaced {
    /// Scans everything.
    pub(super) fn scan(unit: &Unit, queries: &[Query]) -> Replaced {
        let mut found = Replaced::default();
        for clause in unit.rules.iter().flat_map(|rule| &rule.clauses) {
            found.visit_block(&clause.body);
        }
        for query in queries {
            found.visit_block(&query.block);
        }
        found
    }

    /// Whether some `with` can change what stands at or below a base document's path.
    pub(super) fn touches(&self, path: &[String]) -> bool {
        self.data
            .iter()
            .any(|target| target.starts_with(path) || path.starts_with(target))
    }

    /// Whether calls of this callee go through a mock cell.
    pub(super) fn is_mocked(&self, callee: &Callee) -> bool {
        match callee {
            Callee::Builtin(id) => self.builtins.contains(id),
            Callee::Function(path) => self.functions.contains(path),
        }
    }
}

impl<'t> Visit<'t> for Replaced {
    fn visit_with(&mut self, with: &'t With) {
        if let (WithValue::Document(_), Some(callee)) = (&with.value, callee_of(&with.target)) {
            self.by_document.insert(callee);
        }
        self.by_function |= matches!(with.value, WithValue::Function(_));
        match &with.target {
            WithTarget::Input(_) => {}
            WithTarget::Data(path) => self.data.push(path.clone()),
            WithTarget::Function(path) => {
                self.functions.insert(path.clone());
            }
            WithTarget::Builtin(id) => {
                self.builtins.insert(*id);
            }
        }
        self.walk_with(with);
    }
}

/// The function that a target is.
pub(super) fn callee_of(target: &WithTarget) -> Option<Callee> {
    match target {
        WithTarget::Function(path) => Some(Callee::Function(path.clone())),
        WithTarget::Builtin(id) => Some(Callee::Builtin(*id)),
        WithTarget::Input(_) | WithTarget::Data(_) => None,
    }
}
