//! References into `data`: rules are called, base documents read, and elements that are not constant are resolved over
//! the tree of virtual documents, so that only what the rest of the reference can match is evaluated.

use super::body::{Body, Planned};
use super::ir::{Inst, K, Label, Reg};
use super::planner::{FnKey, Planner};
use super::tree::{Node, NodeKind};
use crate::hir::Term;
use gavel_runtime::builtins;
use gavel_runtime::value::{Constant, array_index};
use std::rc::Rc;

/// What the elements of a reference behind some node must be; `None`: anything.
pub(super) type Filter = Vec<Option<Constant>>;

impl Body<'_, '_> {
    /// The value of `data` at a path.
    pub(super) fn data(&mut self, path: &[Term], redo: &mut Label) -> Planned<Reg> {
        let tree = Rc::clone(&self.planner.tree);
        let mut node: &Node = &tree;
        let mut at: Vec<String> = Vec::new();
        loop {
            let rest = path.get(at.len()..).unwrap_or_default();
            if node.kind == NodeKind::Function {
                return self.base_ref(&at, rest, redo);
            }
            if node.is_group() {
                let value = match self.keyed(node, &at, rest, redo)? {
                    Some(value) => value,
                    None => self.view(node, &at, &self.filter(rest), *redo),
                };
                return self.steps(value, rest, redo);
            }
            let Some((element, behind)) = rest.split_first() else {
                return Ok(self.view(node, &at, &[], *redo));
            };
            match self.known_term(element) {
                Some(Constant::String(key)) => match node.children.get(&key) {
                    Some(child) => {
                        node = child;
                        at.push(key);
                    }
                    None => return self.base_ref(&at, path.get(at.len()..).unwrap_or_default(), redo),
                },
                Some(_) => return self.base_ref(&at, path.get(at.len()..).unwrap_or_default(), redo),
                None if self.has_value(element) => {
                    let key = self.value(element, redo)?;
                    let value = self.dispatch(node, &at, key, behind, *redo);
                    return self.steps(value, behind, redo);
                }
                None => return self.each_child(&at, rest, redo),
            }
        }
    }

    /// Elements without a value over the children of a node.
    fn each_child(&mut self, at: &[String], path: &[Term], redo: &mut Label) -> Planned<Reg> {
        let (elements, rest) = path.split_at(self.open_elements(at, path));
        let mut filter = vec![None; elements.len()];
        filter.extend(self.filter(rest));
        self.planner.trim(&mut filter);
        let key = FnKey::Children {
            path: at.to_vec(),
            filter,
            depth: elements.len(),
        };
        let tuples = self.call_rule(key, *redo);
        let (_, tuple) = self.open_loop(tuples, redo);
        let mut position = 0i64..;
        let mut next = |body: &mut Self, fail| {
            let at = Constant::Int(position.next().unwrap_or(0));
            body.field(tuple, K::new(at), fail)
        };
        for element in elements {
            let key = next(self, *redo);
            *redo = self.unify_value(element, key, *redo)?;
        }
        let value = next(self, *redo);
        self.steps(value, rest, redo)
    }

    /// How many elements iterate in one go: the first; and different variables behind it, where base data and rules may
    /// stand side by side further down, because OPA keeps them apart at each level.
    fn open_elements(&self, at: &[String], path: &[Term]) -> usize {
        if self.planner.base_at(at).is_none() && !self.planner.replaced.touches(at) {
            return 1;
        }
        let mut seen = Vec::new();
        let open = path.iter().take_while(|element| match self.unbound(element) {
            Some(var) if !seen.contains(&var) => {
                seen.push(var);
                true
            }
            _ => false,
        });
        open.count().max(1)
    }

    /// The child that a value names at run time.
    fn dispatch(&mut self, node: &Node, at: &[String], key: Reg, rest: &[Term], fail: Label) -> Reg {
        let filter = self.filter(rest);
        let (dst, done) = (self.reg(), self.label());
        for (name, child) in &node.children {
            let constant = Constant::String(name.clone());
            if child.kind == NodeKind::Function || !self.may_be(key, &constant) {
                continue;
            }
            let next = self.label();
            self.test_const(key, K::new(constant), next);
            let mut path = at.to_vec();
            path.push(name.clone());
            let src = self.view(child, &path, &filter, fail);
            self.emit(Inst::Move { dst, src });
            self.emit(Inst::Jump(done));
            self.place(next);
        }
        match self.base_value(at, fail) {
            Some(base) => {
                let src = self.reg();
                self.emit(Inst::Index {
                    dst: src,
                    of: base,
                    key,
                    stored: true,
                    fail,
                });
                self.emit(Inst::Move { dst, src });
            }
            None => {
                self.note_failure(true);
                self.emit(Inst::Jump(fail));
            }
        }
        self.place(done);
        dst
    }

    /// The document of a node as far as a filter goes.
    pub(super) fn view(
        &mut self,
        node: &Node,
        at: &[String],
        filter: &[Option<Constant>],
        fail: Label,
    ) -> Reg {
        let path = at.to_vec();
        let key = match node.kind {
            NodeKind::Complete => FnKey::Group {
                path,
                keys: Vec::new(),
            },
            NodeKind::Set | NodeKind::Object | NodeKind::Tree => FnKey::Group {
                path,
                keys: filter.iter().map_while(Clone::clone).collect(),
            },
            NodeKind::Inner | NodeKind::Function => {
                let mut filter = filter.to_vec();
                self.planner.trim(&mut filter);
                FnKey::Extent { path, filter }
            }
        };
        self.call_rule(key, fail)
    }

    /// A partial document at keys that have values but are not all constant: only what can contribute to them is
    /// evaluated, so that conflicts at other keys are not raised.
    fn keyed(&mut self, node: &Node, at: &[String], rest: &[Term], redo: &mut Label) -> Planned<Option<Reg>> {
        let has_keys = match node.kind {
            NodeKind::Object | NodeKind::Tree => true,
            // As a whole it is worked out once for all keys, where that raises nothing.
            NodeKind::Set => self.document_raises(at),
            NodeKind::Inner | NodeKind::Complete | NodeKind::Function => false,
        };
        if !has_keys || self.planner.replaced.touches(at) {
            return Ok(None);
        }
        let (mut keys, mut args) = (Filter::new(), Vec::new());
        for element in rest.iter().take(KEYS_MAX) {
            let known = self.known_term(element);
            if known.is_none() {
                if !self.has_value(element) {
                    break;
                }
                args.push(self.value(element, redo)?);
            }
            keys.push(known);
        }
        if args.is_empty() {
            return Ok(None);
        }
        let func = self.planner.request(FnKey::Keyed {
            path: at.to_vec(),
            keys,
        });
        let dst = self.reg();
        self.emit(Inst::CallFn {
            dst,
            func,
            args,
            fail: *redo,
        });
        Ok(Some(dst))
    }

    /// The result of a rule or of one that the planner makes up.
    pub(super) fn call_rule(&mut self, key: FnKey, fail: Label) -> Reg {
        let func = self.planner.request(key);
        let dst = self.reg();
        self.emit(Inst::CallRule { dst, func, fail });
        dst
    }

    /// What is known of the elements of a path now.
    fn filter(&self, rest: &[Term]) -> Filter {
        let mut filter: Filter = rest.iter().map(|element| self.known_term(element)).collect();
        self.planner.trim(&mut filter);
        filter
    }

    /// A path that no rule is at.
    fn base_ref(&mut self, at: &[String], rest: &[Term], redo: &mut Label) -> Planned<Reg> {
        let mut path = at.to_vec();
        // OPA's store names members by text, whatever the element was.
        while let Some(key) = rest
            .get(path.len() - at.len())
            .and_then(|element| self.known_term(element))
        {
            let is_object = !self.planner.replaced.touches(&path)
                && matches!(self.planner.base_at(&path), Some(Constant::Object(_)));
            match (key, is_object) {
                (Constant::String(key), _) if array_index(&key).is_none() => path.push(key),
                (Constant::String(key) | Constant::Number(key), true) => path.push(key),
                (Constant::Int(key), true) => path.push(key.to_string()),
                _ => break,
            }
        }
        let rest = rest.get(path.len() - at.len()..).unwrap_or_default();
        match self.base_value(&path, *redo) {
            Some(value) => {
                let value = self.with_members_of_store(&path, rest.len(), value, *redo);
                self.stored_steps(value, rest, redo)
            }
            None => {
                self.note_failure(true);
                self.emit(Inst::Jump(*redo));
                rest.iter().for_each(|element| self.bind_unreachable(element));
                let dst = self.reg();
                self.emit(Inst::Unset { dst });
                Ok(dst)
            }
        }
    }

    /// The base document at a path: a constant, or what `with` left when some `with` may replace it. `None`: there can
    /// be none.
    pub(super) fn base_value(&mut self, path: &[String], fail: Label) -> Option<Reg> {
        if self.planner.replaced.touches(path) {
            self.planner.reads_base = true;
            let dst = self.reg();
            self.emit(Inst::Base { dst, fail });
            return Some(path.iter().fold(dst, |of, key| {
                self.field(of, K::new(Constant::String(key.clone())), fail)
            }));
        }
        let value = self.planner.base_at(path)?;
        let value = K::new(value.clone());
        Some(self.constant(value))
    }

    /// A part of the base document that is read `steps` below its path: where `with` put an object further down, what is
    /// read has the members of the object in the store, too.
    pub(super) fn with_members_of_store(
        &mut self,
        path: &[String],
        steps: usize,
        value: Reg,
        fail: Label,
    ) -> Reg {
        let Some(store) = self.planner.store_below(path, path.len() + steps) else {
            return value;
        };
        let Some(builtin) = builtins::find("object.union") else {
            return value;
        };
        let store = self.constant(K::new(store));
        let dst = self.reg();
        self.emit(Inst::CallBuiltin {
            dst,
            builtin,
            args: vec![store, value],
            prepared: None,
            fail,
        });
        dst
    }
}

/// Keys of one reference that are told to the rules behind it; heads hardly have more.
const KEYS_MAX: usize = 4;

impl Planner<'_> {
    /// What the store has where `with` may put objects below a path, at more than `depth` names: an object of objects that
    /// lead there. `None`: there is nothing that a replacement could hide.
    fn store_below(&self, path: &[String], depth: usize) -> Option<Constant> {
        let targets = &self.replaced.data;
        let is_whole = |target: &&Vec<String>| {
            let above = |other: &Vec<String>| other.len() <= depth && target.starts_with(other);
            target.len() > depth && target.starts_with(path) && !targets.iter().any(above)
        };
        let mut store = None;
        for target in targets.iter().filter(is_whole) {
            if let (Some(found @ Constant::Object(_)), Some(rest)) =
                (self.base_at(target), target.get(path.len()..))
            {
                store = Some(put_below(store.take(), rest, found.clone()));
            }
        }
        store
    }

    /// Drops what matches anything from the end. Where rules hide base documents it stays: a document that is iterated
    /// has the rules' values, one that is read as a whole those of the base.
    pub(super) fn trim(&self, filter: &mut Filter) {
        while !self.overlaps && matches!(filter.last(), Some(None)) {
            filter.pop();
        }
    }
}

/// An object with a value at a path, beside what it has.
fn put_below(object: Option<Constant>, path: &[String], value: Constant) -> Constant {
    let Some((name, rest)) = path.split_first() else {
        return value;
    };
    let mut members = match object {
        Some(Constant::Object(members)) => members,
        _ => Vec::new(),
    };
    let key = Constant::String(name.clone());
    let at = members.iter().position(|(other, _)| *other == key);
    let old = at.map(|at| members.remove(at).1);
    members.push((key, put_below(old, rest, value)));
    members.sort_by(|(a, _), (b, _)| a.compare(b));
    Constant::Object(members)
}
