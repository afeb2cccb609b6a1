//! Documents of inner nodes: the object of all children that are defined, merged with base data.

use super::body::{Body, Planned};
use super::cond::Cond;
use super::data::Filter;
use super::ir::{Again, Container, Inst, K, NO_BODY, Reg};
use super::tree::{Node, NodeKind};
use gavel_runtime::value::Constant;
use std::collections::BTreeSet;
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
        let of = Parent {
            path,
            filter,
            is_iterated: self.planner.overlaps && !filter.is_empty(),
            depth: 1,
        };
        self.children(&of, &mut |body, keys, value| {
            for key in keys {
                body.emit(Inst::Put {
                    to,
                    key: *key,
                    value,
                    again: Again::Replaces,
                });
            }
        });
        self.emit(Inst::End {
            kind: Container::Object,
            reg: to,
        });
        if filter.is_empty() && self.planner.overlaps {
            self.return_scalar_base(path);
        }
        self.emit(Inst::Ret {
            value: to,
            body: NO_BODY,
        });
        Ok(())
    }

    /// The array of `[name, …, document]` of what stands so many names below a node: base data first, then rules, each in
    /// order, which is the order that OPA iterates them in.
    pub(super) fn child_tuples(&mut self, path: &[String], filter: &Filter, depth: usize) -> Planned<()> {
        let to = self.reg();
        self.emit(Inst::New {
            kind: Container::Array,
            dst: to,
        });
        let of = Parent {
            path,
            filter,
            is_iterated: true,
            depth,
        };
        self.children(&of, &mut |body, keys, value| {
            let tuple = body.reg();
            body.emit(Inst::Collect {
                kind: Container::Array,
                dst: tuple,
                parts: keys.iter().copied().chain([value]).collect(),
            });
            body.emit(Inst::Add {
                kind: Container::Array,
                to,
                value: tuple,
            });
        });
        self.emit(Inst::End {
            kind: Container::Array,
            reg: to,
        });
        self.emit(Inst::Ret {
            value: to,
            body: NO_BODY,
        });
        Ok(())
    }

    /// Members of the base document, and what rules have, those that both have in the place of the former.
    fn children(&mut self, of: &Parent<'_>, add: Add<'_, Self>) {
        let tree = Rc::clone(&self.planner.tree);
        let Some(node) = tree.find(of.path) else {
            return;
        };
        if self.planner.replaced.touches(of.path) {
            return self.children_of_replaced(node, of, add);
        }
        let base = self.planner.base_at(of.path).cloned();
        let mut met: BTreeSet<&String> = BTreeSet::new();
        match base {
            Some(Constant::Object(members)) => {
                let mut run = Vec::new();
                for (key, value) in members {
                    if of.is_iterated
                        && let Some((name, child)) = child_of(node, &key)
                    {
                        self.base_members(Constant::Object(std::mem::take(&mut run)), of, add);
                        self.child(of, name, child, add);
                        met.insert(name);
                    } else if of.wants(&key) && !of.hides(node, &key) {
                        run.push((key, value));
                    }
                }
                self.base_members(Constant::Object(run), of, add);
            }
            Some(array @ Constant::Array(_)) => self.base_members(array, of, add),
            Some(_) | None => {}
        }
        for (name, child) in node.children.iter().filter(|(name, _)| !met.contains(*name)) {
            self.child(of, name, child, add);
        }
    }

    fn base_members(&mut self, members: Constant, of: &Parent<'_>, add: Add<'_, Self>) {
        if members == Constant::Object(Vec::new()) {
            return;
        }
        let over = self.constant(K::new(members));
        let done = self.label();
        let mut redo = done;
        let (key, value) = self.open_loop(over, &mut redo);
        self.inside_value(&[key], value, of.depth, add);
        self.emit(Inst::Jump(redo));
        self.place(done);
    }

    /// As [`Body::children`], with a base document that is known only at run time.
    fn children_of_replaced(&mut self, node: &Node, of: &Parent<'_>, add: Add<'_, Self>) {
        let none = self.label();
        let base = self.reg();
        self.emit(Inst::Unset { dst: base });
        if let Some(mut src) = self.base_value(of.path, none) {
            if !of.is_iterated {
                src = self.with_members_of_store(of.path, 0, src, none);
            }
            self.emit(Inst::Move { dst: base, src });
            let mut redo = none;
            let (key, value) = self.open_loop(src, &mut redo);
            let hidden = (of.path.is_empty() && !node.children.contains_key(SYSTEM)).then_some(SYSTEM);
            for name in node.children.keys().map(String::as_str).chain(hidden) {
                let constant = Constant::String(name.to_owned());
                let other = self.label();
                match node.children.get_key_value(name) {
                    Some((name, child)) if of.is_iterated => {
                        self.test_const(key, K::new(constant), other);
                        self.child(of, name, child, add);
                    }
                    _ if of.hides(node, &constant) => self.test_const(key, K::new(constant), other),
                    _ => continue,
                }
                self.emit(Inst::Jump(redo));
                self.place(other);
            }
            self.inside_value(&[key], value, of.depth, add);
            self.emit(Inst::Jump(redo));
        }
        self.place(none);
        for (name, child) in &node.children {
            let met = self.label();
            if of.is_iterated {
                let free = self.label();
                self.test(Cond::IsSet(base), free);
                self.field(base, K::new(Constant::String(name.clone())), free);
                self.emit(Inst::Jump(met));
                self.place(free);
            }
            self.child(of, name, child, add);
            self.place(met);
        }
    }

    /// What stands so many names below the parent of a value.
    fn inside_value(&mut self, keys: &[Reg], value: Reg, depth: usize, add: Add<'_, Self>) {
        if depth <= keys.len() {
            return add(self, keys, value);
        }
        let done = self.label();
        let mut redo = done;
        let (key, value) = self.open_loop(value, &mut redo);
        self.inside_value(&[keys, &[key]].concat(), value, depth, add);
        self.emit(Inst::Jump(redo));
        self.place(done);
    }

    fn child(&mut self, of: &Parent<'_>, name: &String, child: &Node, add: Add<'_, Self>) {
        let key = Constant::String(name.clone());
        let is_hidden = !of.is_iterated && of.path.is_empty() && name == SYSTEM;
        if child.kind == NodeKind::Function || !of.wants(&key) || is_hidden {
            return;
        }
        let mut rest: Filter = of.filter.get(1..).unwrap_or_default().to_vec();
        self.planner.trim(&mut rest);
        let is_merged = self.planner.overlaps && of.filter.is_empty() && !of.is_iterated;
        let mut path = of.path.to_vec();
        path.push(name.clone());
        if of.depth > 1 && child.kind == NodeKind::Inner {
            let key = self.constant(K::new(key));
            let inner = Parent {
                path: &path,
                filter: &rest,
                depth: of.depth - 1,
                ..*of
            };
            return self.children(&inner, &mut |body, keys, value| {
                add(body, &[&[key], keys].concat(), value);
            });
        }
        let skip = self.label();
        let value = match is_merged && child.is_group() {
            true => self.merged(child, &path, skip),
            false => self.view(child, &path, &rest, skip),
        };
        let key = self.constant(K::new(key));
        self.inside_value(&[key], value, of.depth, add);
        self.place(skip);
    }
}

/// Takes what was found: the names that lead to it, and itself.
type Add<'f, B> = &'f mut dyn FnMut(&mut B, &[Reg], Reg);

/// Whose children are asked for, and which of them.
struct Parent<'w> {
    path: &'w [String],
    filter: &'w Filter,
    /// One by one, not as one document.
    is_iterated: bool,
    /// How many names lead to them.
    depth: usize,
}

impl Parent<'_> {
    fn wants(&self, key: &Constant) -> bool {
        match self.filter.first() {
            Some(Some(only)) => only == key,
            Some(None) | None => true,
        }
    }

    /// Whether a member of the base document is not part of a document because of what rules have at its place. OPA does
    /// not look at functions then.
    fn hides(&self, node: &Node, key: &Constant) -> bool {
        let is_system = self.path.is_empty() && *key == Constant::String(SYSTEM.to_owned());
        is_system || child_of(node, key).is_some_and(|(_, child)| child.kind != NodeKind::Function)
    }
}

fn child_of<'n>(node: &'n Node, key: &Constant) -> Option<(&'n String, &'n Node)> {
    match key {
        Constant::String(name) => node.children.get_key_value(name),
        _ => None,
    }
}

/// A package that OPA keeps apart from users' documents.
const SYSTEM: &str = "system";
