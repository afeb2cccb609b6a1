//! The stack of blocks of one clause: which names it declared or has seen, and how often each was used.

use super::rename::Renames;
use super::tree::{VarName, Vars};
use super::vars::VarSet;
use crate::hir::VarId;
use std::collections::HashMap;

/// How a name first came up in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurrence {
    /// A parameter.
    Arg,
    /// Used without a declaration.
    Seen,
    /// `:=`
    Assigned,
    /// `some`, `every`
    Declared,
}

#[derive(Clone, Debug)]
struct Entry {
    var: VarId,
    occurrence: Occurrence,
    uses: usize,
}

/// A variable that a block declared.
pub(super) struct DeclaredVar {
    pub(super) name: String,
    pub(super) var: VarId,
    pub(super) occurrence: Occurrence,
    pub(super) uses: usize,
}

/// Blocks from the outermost to the current one.
#[derive(Clone, Debug)]
pub(super) struct Scopes {
    blocks: Vec<HashMap<String, Entry>>,
    /// Names without a declaration: one variable in the whole clause.
    implicit: HashMap<String, VarId>,
}

impl Scopes {
    pub(super) fn new() -> Scopes {
        Scopes {
            blocks: vec![HashMap::new()],
            implicit: HashMap::new(),
        }
    }

    pub(super) fn push(&mut self) {
        self.blocks.push(HashMap::new());
    }

    pub(super) fn pop(&mut self) {
        self.blocks.pop();
    }

    /// Declares a name in the current block, or tells why it may not be.
    pub(super) fn declare(
        &mut self,
        vars: &mut Vars,
        name: &str,
        occurrence: Occurrence,
    ) -> Result<VarId, String> {
        if name == "_" {
            return Ok(vars.fresh(VarName::Wildcard));
        }
        match self.current().get(name).map(|entry| entry.occurrence) {
            Some(Occurrence::Seen) => return Err(format!("var {name} referenced above")),
            Some(Occurrence::Assigned) => return Err(format!("var {name} assigned above")),
            Some(Occurrence::Declared) => return Err(format!("var {name} declared above")),
            Some(Occurrence::Arg) => return Err(format!("arg {name} redeclared")),
            None => {}
        }
        let var = vars.fresh(VarName::Written(name.to_owned()));
        self.insert(name, var, occurrence);
        Ok(var)
    }

    /// A parameter, or the parameter of that name that came before.
    pub(super) fn parameter(&mut self, vars: &mut Vars, name: &str) -> VarId {
        if name == "_" {
            return vars.fresh(VarName::Wildcard);
        }
        if let Some(var) = self.use_declared(name) {
            return var;
        }
        let var = vars.fresh(VarName::Written(name.to_owned()));
        self.insert(name, var, Occurrence::Arg);
        var
    }

    /// The variable of a name in use. A name without declaration is noted in the current block.
    pub(super) fn lookup(&mut self, vars: &mut Vars, name: &str) -> VarId {
        if name == "_" {
            return vars.fresh(VarName::Wildcard);
        }
        if let Some(var) = self.use_declared(name) {
            return var;
        }
        let var = self.undeclared(vars, name);
        self.insert(name, var, Occurrence::Seen);
        var
    }

    /// The variable of a name in the head, where no use is noted.
    pub(super) fn undeclared(&mut self, vars: &mut Vars, name: &str) -> VarId {
        *self
            .implicit
            .entry(name.to_owned())
            .or_insert_with(|| vars.undeclared(name))
    }

    /// The declared variables of the current block, for names that were taken for undeclared ones before.
    pub(super) fn renames(&self) -> Renames {
        self.current()
            .iter()
            .filter(|(_, entry)| entry.occurrence != Occurrence::Seen)
            .filter_map(|(name, entry)| Some((*self.implicit.get(name)?, entry.var)))
            .collect()
    }

    /// Notes in the current block that an undeclared name was used below it.
    pub(super) fn see(&mut self, vars: &mut Vars, var: VarId) {
        let name = self
            .implicit
            .iter()
            .find(|(_, implicit)| **implicit == var)
            .map(|(name, _)| name.clone());
        if let Some(name) = name {
            self.see_root(vars, &name);
        }
    }

    /// Names of the undeclared variables among some.
    pub(super) fn undeclared_names(&self, vars: &VarSet) -> Vec<String> {
        self.implicit
            .iter()
            .filter(|(_, var)| vars.contains(var))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// No blocks, but the same undeclared names.
    pub(super) fn detached(&mut self) -> Scopes {
        Scopes {
            implicit: std::mem::take(&mut self.implicit),
            ..Scopes::new()
        }
    }

    /// Takes the undeclared names back from [`Scopes::detached`].
    pub(super) fn attach(&mut self, detached: Scopes) {
        self.implicit = detached.implicit;
    }

    /// Notes that a root document was used, so that it cannot be declared below.
    pub(super) fn see_root(&mut self, vars: &mut Vars, name: &str) {
        if self.use_declared(name).is_none() {
            let var = self.undeclared(vars, name);
            self.insert(name, var, Occurrence::Seen);
        }
    }

    /// The variable that was declared (not merely seen) under a name.
    pub(super) fn declared(&self, name: &str) -> Option<VarId> {
        self.blocks
            .iter()
            .rev()
            .find_map(|block| block.get(name))
            .filter(|entry| entry.occurrence != Occurrence::Seen)
            .map(|entry| entry.var)
    }

    /// Uses of a name, its declaration included.
    pub(super) fn uses(&self, name: &str) -> usize {
        self.blocks
            .iter()
            .rev()
            .find_map(|block| block.get(name))
            .map_or(0, |entry| entry.uses)
    }

    /// What the current block declared.
    pub(super) fn declared_here(&self) -> Vec<DeclaredVar> {
        let mut found: Vec<DeclaredVar> = self
            .current()
            .iter()
            .map(|(name, entry)| DeclaredVar {
                name: name.clone(),
                var: entry.var,
                occurrence: entry.occurrence,
                uses: entry.uses,
            })
            .collect();
        found.sort_by_key(|declared| declared.var);
        found
    }

    fn use_declared(&mut self, name: &str) -> Option<VarId> {
        let entry = self
            .blocks
            .iter_mut()
            .rev()
            .find_map(|block| block.get_mut(name))?;
        entry.uses += 1;
        Some(entry.var)
    }

    fn insert(&mut self, name: &str, var: VarId, occurrence: Occurrence) {
        let entry = Entry {
            var,
            occurrence,
            uses: 1,
        };
        if let Some(block) = self.blocks.last_mut() {
            block.insert(name.to_owned(), entry);
        }
    }

    fn current(&self) -> &HashMap<String, Entry> {
        static EMPTY: std::sync::LazyLock<HashMap<String, Entry>> = std::sync::LazyLock::new(HashMap::new);
        self.blocks.last().unwrap_or(&EMPTY)
    }
}
