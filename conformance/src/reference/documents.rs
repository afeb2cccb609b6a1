//! `data`: base documents and the documents that rules make, on one tree.

use super::machine::{Flow, Machine, Stop, Take, Tried};
use super::tree::{Kind, Node};
use super::value::Value;
use gavel_compiler::hir::Term;
use gavel_runtime::error::EvalErrorKind;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A package that OPA keeps apart from users' documents.
const SYSTEM: &str = "system";

impl<'u> Machine<'u> {
    /// Each value of a reference into `data`.
    pub(super) fn data(&mut self, path: &'u [Term], take: Take<'_, 'u>) -> Tried {
        let tree = Rc::clone(&self.tree);
        self.at(&tree, &[], path, take)
    }

    /// Each value that a path leads to from a place of the tree.
    fn at(&mut self, node: &Node<'u>, at: &[String], path: &'u [Term], take: Take<'_, 'u>) -> Tried {
        if self.scope.is_replaced(at) || node.kind == Kind::Function {
            return self.base(at, path, take);
        }
        if node.kind != Kind::Package {
            let mut keys = Vec::new();
            for element in path {
                if !self.is_known(element) {
                    break;
                }
                keys.push(self.value(element)?);
            }
            return match self.document(node, at, keys)? {
                Some(document) => self.follow(&document, path, take),
                None => Ok(Flow::More),
            };
        }
        let Some((element, rest)) = path.split_first() else {
            return match self.extent(node, at)? {
                Some(extent) => take(self, extent),
                None => Ok(Flow::More),
            };
        };
        if self.is_known(element) {
            let key = self.value(element)?;
            return match child(node, &key) {
                Some((name, child)) => self.at(child, &below(at, name), rest, take),
                None => self.base(at, path, take),
            };
        }
        for (key, part) in self.keys(node, at) {
            let tried = match (child(node, &key), part) {
                (Some((_, child)), _) if child.kind == Kind::Function => Flow::More,
                (Some((name, child)), _) => self.unify_value(element, key, &mut |machine| {
                    machine.at(child, &below(at, name), rest, take)
                })?,
                (None, Some(part)) => {
                    self.unify_value(element, key, &mut |machine| machine.follow(&part, rest, take))?
                }
                (None, None) => Flow::More,
            };
            if tried == Flow::Enough {
                return Ok(Flow::Enough);
            }
        }
        Ok(Flow::More)
    }

    /// A path that no rule is at.
    fn base(&mut self, at: &[String], path: &'u [Term], take: Take<'_, 'u>) -> Tried {
        let at: Vec<Value> = at.iter().map(|name| Value::text(name)).collect();
        match self.scope.base.clone() {
            Some(base) => match at.iter().try_fold(base, |value, name| value.index(name)) {
                Some(value) => self.follow_base(&value, at, path, take),
                None => Ok(Flow::More),
            },
            None => Ok(Flow::More),
        }
    }

    /// As `follow`; but OPA's store names members by text, so that `1` finds the member `"1"` and `"1"` the second element.
    /// What `with` put somewhere is not in the store.
    fn follow_base(&mut self, from: &Value, at: Vec<Value>, path: &'u [Term], take: Take<'_, 'u>) -> Tried {
        let Some((element, rest)) = path.split_first() else {
            let whole = self.scope.whole(&at, from.clone());
            return take(self, whole);
        };
        let step = |machine: &mut Machine<'u>, key: Value, part: Option<Value>, take: Take<'_, 'u>| {
            let mut at = at.clone();
            at.push(key);
            match part {
                Some(part) => machine.follow_base(&part, at, rest, take),
                None => Ok(Flow::More),
            }
        };
        if self.is_known(element) {
            let key = self.value(element)?;
            let mut here = at.clone();
            here.push(key.clone());
            let part = match self.scope.replaces(&here) {
                true => from.index(&key),
                false => from.stored(&key),
            };
            return step(self, key, part, take);
        }
        for (key, part) in from.members() {
            let tried = self.unify_value(element, key.clone(), &mut |machine| {
                step(machine, key.clone(), Some(part.clone()), take)
            })?;
            if tried == Flow::Enough {
                return Ok(Flow::Enough);
            }
        }
        Ok(Flow::More)
    }

    /// The value of `data` at some keys.
    pub(super) fn data_at(&mut self, keys: &[Value]) -> Result<Option<Value>, Stop> {
        let tree = Rc::clone(&self.tree);
        let (mut node, mut at) = (&*tree, Vec::new());
        loop {
            let rest = keys.get(at.len()..).unwrap_or_default();
            let is_package = node.kind == Kind::Package && !self.scope.is_replaced(&at);
            let next = rest
                .first()
                .filter(|_| is_package)
                .and_then(|key| child(node, key));
            if let Some((name, child)) = next {
                node = child;
                at.push(name.to_owned());
                continue;
            }
            let from = match (is_package, rest) {
                (true, [_, ..]) => self.scope.base_at(&at),
                (true, []) => self.extent(node, &at)?,
                (false, _) if self.scope.is_replaced(&at) || node.kind == Kind::Function => {
                    self.scope.base_at(&at)
                }
                (false, _) => self.document(node, &at, rest.to_vec())?,
            };
            return Ok(from.and_then(|from| rest.iter().try_fold(from, |value, key| value.index(key))));
        }
    }

    /// What a package is iterated over: members of the base document, then what only rules have.
    fn keys(&self, node: &Node<'u>, at: &[String]) -> Vec<(Value, Option<Value>)> {
        let base = self.scope.base_at(at);
        let members = base.map(|base| base.members()).unwrap_or_default();
        let mut keys: Vec<(Value, Option<Value>)> = members
            .into_iter()
            .filter(|(key, _)| !at.is_empty() || *key != Value::text(SYSTEM))
            .map(|(key, part)| (key, Some(part)))
            .collect();
        for name in node.children.keys() {
            let name = Value::text(name);
            if !keys.iter().any(|(key, _)| *key == name) {
                keys.push((name, None));
            }
        }
        keys
    }

    /// The object of all that stands at and below a package.
    fn extent(&mut self, node: &Node<'u>, at: &[String]) -> Result<Option<Value>, Stop> {
        if self.scope.is_replaced(at) || node.kind == Kind::Function {
            return Ok(self.scope.base_at(at));
        }
        if node.kind != Kind::Package {
            return self.document(node, at, Vec::new());
        }
        let mut entries = Vec::new();
        for (name, child) in &node.children {
            if child.kind == Kind::Function || (at.is_empty() && *name == SYSTEM) {
                continue;
            }
            if let Some(value) = self.extent(child, &below(at, name))? {
                entries.push((Value::text(name), value));
            }
        }
        let rules = Value::object(entries);
        let keys: Vec<Value> = at.iter().map(|name| Value::text(name)).collect();
        let base = self.scope.base_at(at).map(|base| self.scope.whole(&keys, base));
        Ok(Some(match base {
            Some(Value::Object(base, _)) if at.is_empty() => {
                let mut base = BTreeMap::clone(&base);
                base.remove(&Value::text(SYSTEM));
                Value::Object(Rc::new(base), None).over(rules)
            }
            Some(base) => base.over(rules),
            None => rules,
        }))
    }

    /// What rules make of a path; with keys, what of it can stand at them.
    pub(super) fn document(
        &mut self,
        node: &Node<'u>,
        at: &[String],
        keys: Vec<Value>,
    ) -> Result<Option<Value>, Stop> {
        // Rules under a number are found by its spelling, which is lost in what is kept.
        if keys.iter().any(|key| matches!(key, Value::Number(_))) && node.is_filed_under_numbers() {
            return self.partial(node, &keys).map(Some);
        }
        let whole = (at.to_vec(), Vec::new());
        if let Some(known) = self.scope.documents.get(&whole) {
            return Ok(known.clone());
        }
        let keys = match node.kind {
            Kind::Complete => Vec::new(),
            Kind::Package | Kind::Set | Kind::Object | Kind::Function => keys,
        };
        let name = (at.to_vec(), keys.clone());
        if let Some(known) = self.scope.documents.get(&name) {
            return Ok(known.clone());
        }
        let document = match node.kind {
            Kind::Complete => self.one_value(&node.rules, &[], EvalErrorKind::CompleteConflict)?,
            Kind::Set | Kind::Object => Some(self.partial(node, &keys)?),
            Kind::Package | Kind::Function => None,
        };
        self.scope.documents.insert(name, document.clone());
        Ok(document)
    }
}

fn child<'n, 'u>(node: &'n Node<'u>, key: &Value) -> Option<(&'u str, &'n Node<'u>)> {
    let Value::String(name) = key else {
        return None;
    };
    node.children
        .get_key_value(&**name)
        .map(|(name, child)| (*name, child))
}

fn below(at: &[String], name: &str) -> Vec<String> {
    let mut path = at.to_vec();
    path.push(name.to_owned());
    path
}
