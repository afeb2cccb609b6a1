//! Documents of inner nodes: the object of all children that are defined, merged with base data.

use super::body::{Body, Planned};
use super::data::{Filter, trim};
use super::ir::{Container, Inst, K, NO_BODY, Reg};
use super::tree::{Node, NodeKind};
use gavel_runtime::value::Constant;
use std::rc::Rc;

impl Body<'_, '_> {
    /// The object of a node's children, as far as a filter goes. Documents below `system` are not part of `data` as a
    /// whole.
    pub(super) fn extent(&mut self, path: &[String], filter: &Filter) -> Planned<()> {
        let to = self.reg();
        self.emit(Inst::New {
            kind: Container::Object,
            dst: to,
        });
        self.children(path, filter, false, |body, key, value| {
            body.emit(Inst::Put {
                to,
                key,
                value,
                once: false,
            });
        });
        self.finish(Container::Object, to);
        Ok(())
    }

    /// The array of `[name, document]` of a node's children: base data first, then rules, each in order, which is the
    /// order that OPA iterates them in.
    pub(super) fn child_pairs(&mut self, path: &[String], filter: &Filter) -> Planned<()> {
        let to = self.reg();
        self.emit(Inst::New {
            kind: Container::Array,
            dst: to,
        });
        self.children(path, filter, true, |body, key, value| {
            let pair = body.reg();
            body.emit(Inst::Collect {
                kind: Container::Array,
                dst: pair,
                parts: vec![key, value],
            });
            body.emit(Inst::Add {
                kind: Container::Array,
                to,
                value: pair,
            });
        });
        self.finish(Container::Array, to);
        Ok(())
    }

    fn finish(&mut self, kind: Container, to: Reg) {
        self.emit(Inst::End { kind, reg: to });
        self.emit(Inst::Ret {
            value: to,
            body: NO_BODY,
        });
    }

    fn children(
        &mut self,
        path: &[String],
        filter: &Filter,
        with_system: bool,
        mut add: impl FnMut(&mut Self, Reg, Reg),
    ) {
        let tree = Rc::clone(&self.planner.tree);
        let Some(node) = tree.find(path) else {
            return;
        };
        let wanted = |key: &Constant| match filter.first() {
            Some(Some(only)) => only == key,
            Some(None) | None => true,
        };
        self.base_children(node, path, wanted, &mut add);
        let mut rest: Filter = filter.get(1..).unwrap_or_default().to_vec();
        trim(&mut rest);
        for (name, child) in &node.children {
            let key = Constant::String(name.clone());
            let is_hidden = !with_system && path.is_empty() && name == SYSTEM;
            if child.kind == NodeKind::Function || !wanted(&key) || is_hidden {
                continue;
            }
            let skip = self.label();
            let mut path = path.to_vec();
            path.push(name.clone());
            let value = self.view(child, &path, &rest, skip);
            let key = self.constant(K::new(key));
            add(self, key, value);
            self.place(skip);
        }
    }

    /// Members of the base document that no rule or package is at.
    fn base_children(
        &mut self,
        node: &Node,
        path: &[String],
        wanted: impl Fn(&Constant) -> bool,
        add: &mut impl FnMut(&mut Self, Reg, Reg),
    ) {
        let taken = |name: &str| (path.is_empty() && name == SYSTEM) || taken_by_rules(node, name);
        if !self.planner.replaced.touches(path) {
            let Some(base) = self.planner.base_at(path) else {
                return;
            };
            let Constant::Object(members) = base else {
                return;
            };
            let free: Vec<(Constant, Constant)> = members
                .iter()
                .filter(|(key, _)| wanted(key) && !matches!(key, Constant::String(name) if taken(name)))
                .cloned()
                .collect();
            if free.is_empty() {
                return;
            }
            let over = self.constant(K::new(Constant::Object(free)));
            let done = self.label();
            let mut redo = done;
            let (key, value) = self.open_loop(over, &mut redo);
            add(self, key, value);
            self.emit(Inst::Jump(redo));
            self.place(done);
            return;
        }
        let done = self.label();
        let Some(over) = self.base_value(path, done) else {
            return;
        };
        let mut redo = done;
        let (key, value) = self.open_loop(over, &mut redo);
        let hidden = path.is_empty().then_some(SYSTEM);
        let taken = node.children.keys().map(String::as_str).chain(hidden);
        for name in taken.filter(|name| taken_by_rules(node, name) || hidden == Some(name)) {
            let other = self.label();
            self.test_const(key, K::new(Constant::String(name.to_owned())), other);
            self.emit(Inst::Jump(redo));
            self.place(other);
        }
        add(self, key, value);
        self.emit(Inst::Jump(redo));
        self.place(done);
    }
}

/// A package that OPA keeps apart from users' documents.
const SYSTEM: &str = "system";

fn taken_by_rules(node: &Node, name: &str) -> bool {
    node.children
        .get(name)
        .is_some_and(|child| child.kind != NodeKind::Function)
}
