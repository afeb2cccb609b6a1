//! Rules that each add something to one document: partial sets, partial objects, and trees of general references.
//!
//! A reference with known keys gets a view of the document that only the rules that can contribute to those keys make:
//! the keys are given to the head's variables before the bodies run.

use super::body::{Body, Env, Planned};
use super::cond::Cond;
use super::ir::{Again, Container, Inst, K, Label, NO_BODY, Note, Reg};
use super::planner::FnKey;
use super::tree::{Node, NodeKind, Place, places};
use crate::hir::{Clause, RuleKind, Term};
use gavel_runtime::value::Constant;
use std::collections::BTreeSet;
use std::rc::Rc;

/// A key that the reference behind which a document is built has.
#[derive(Clone, Debug)]
pub(super) enum HeadKey {
    /// A constant.
    Known(Constant),
    /// An argument.
    Param(Reg),
}

/// Where control goes behind a body.
struct Ways {
    /// A question in it fails that OPA asks before it enters the body.
    excluded: Label,
    /// It has no solution.
    failed: Label,
    /// It has one.
    found: Label,
}

/// The document being built.
struct Document<'k> {
    kind: Container,
    to: Reg,
    keys: &'k [HeadKey],
}

impl Body<'_, '_> {
    /// The document of a node that several rules contribute to.
    pub(super) fn partial(&mut self, path: &[String], keys: &[HeadKey]) -> Planned<()> {
        let tree = Rc::clone(&self.planner.tree);
        let Some(node) = tree.find(path) else {
            self.emit(Inst::RetUndefined);
            return Ok(());
        };
        let document = Document {
            kind: match node.kind {
                NodeKind::Set => Container::Set,
                NodeKind::Object => Container::Object,
                NodeKind::Tree | NodeKind::Inner | NodeKind::Complete | NodeKind::Function => Container::Tree,
            },
            to: self.reg(),
            keys,
        };
        self.emit(Inst::New {
            kind: document.kind,
            dst: document.to,
        });
        self.contributions(node, path, &document)?;
        self.emit(Inst::End {
            kind: document.kind,
            reg: document.to,
        });
        self.emit(Inst::Ret {
            value: document.to,
            body: NO_BODY,
        });
        Ok(())
    }

    fn contributions(&mut self, node: &Node, path: &[String], document: &Document<'_>) -> Planned<()> {
        let places = places(node, self.planner.unit);
        if document.kind == Container::Tree {
            self.containers(&places, document);
        }
        let mut complete = BTreeSet::new();
        for place in &places {
            let rule = place.rule;
            // Among the rules around a variable OPA does not ask for defaults.
            let is_left_out = place.is_open && rule.is_default;
            let is_complete = !place.is_open && rule.kind == RuleKind::Value && rule.dynamic.is_empty();
            if is_left_out || (is_complete && !complete.insert(place.suffix.clone())) {
                continue;
            }
            self.span = Some(rule.span);
            self.note_names(&rule.var_names);
            self.env = Env::default();
            let other = self.label();
            if self.take_keys(&place.head, document.keys, place.filed, other) {
                if is_complete {
                    let leaf = path.iter().chain(&place.suffix).cloned().collect();
                    self.leaf(leaf, &place.head, document)?;
                } else {
                    self.contribution(place, document)?;
                }
            }
            self.place(other);
        }
        Ok(())
    }

    /// Objects and sets that are there though no rule puts anything into them: what heads without a variable name, and
    /// what they stand in.
    fn containers(&mut self, places: &[Place<'_>], document: &Document<'_>) {
        let mut found: Vec<&[Constant]> = Vec::new();
        for place in places {
            let is_below = |other: &Place<'_>| {
                other.is_general()
                    && other.keys.len() < place.keys.len()
                    && place.keys.starts_with(&other.keys)
            };
            if places.iter().any(is_below) {
                continue;
            }
            let is_set = place.rule.kind == RuleKind::Set && !place.is_general();
            let deepest = place.keys.len() + usize::from(place.is_general() || is_set);
            for depth in 1..deepest {
                let Some(keys) = place.keys.get(..depth).filter(|keys| !found.contains(keys)) else {
                    continue;
                };
                found.push(keys);
                let head: Vec<Term> = keys.iter().cloned().map(Term::Const).collect();
                let other = self.label();
                self.span = Some(place.rule.span);
                if self.take_keys(&head, document.keys, depth, other) {
                    self.container(keys, is_set && depth == place.keys.len(), document);
                }
                self.place(other);
            }
        }
    }

    fn container(&mut self, keys: &[Constant], is_set: bool, document: &Document<'_>) {
        let to = document.to;
        let path = keys
            .iter()
            .map(|key| self.constant(K::new(key.clone())))
            .collect();
        if is_set {
            let member = None;
            self.emit(Inst::TreeAdd { to, path, member });
        } else {
            let value = self.constant(K::new(Constant::Object(Vec::new())));
            self.emit(Inst::TreeMerge { to, path, value });
        }
    }

    /// Gives keys to the head's variables and goes to `other` where the head has another constant; false: the rule can
    /// never contribute to them. OPA files the rule under the first `filed` elements, numbers by their spelling.
    fn take_keys(&mut self, head: &[Term], keys: &[HeadKey], filed: usize, other: Label) -> bool {
        for (at, (element, key)) in head.iter().zip(keys).enumerate() {
            let known = self.known_term(element);
            let spelling = known.as_ref().filter(|_| at < filed).and_then(spelling);
            match (known, key) {
                (Some(known), HeadKey::Known(key)) if known != *key => return false,
                (Some(_), HeadKey::Known(key)) if spelling.is_some() && spelling != self::spelling(key) => {
                    return false;
                }
                (Some(_), HeadKey::Known(_)) => {}
                (Some(known), HeadKey::Param(param)) => {
                    self.test_const(*param, K::new(known), other);
                    if let Some(spelling) = spelling {
                        self.test_spelling(*param, spelling, other);
                    }
                }
                (None, key) => {
                    let Some(var) = self.unbound(element) else {
                        continue;
                    };
                    let reg = match key {
                        HeadKey::Known(key) => self.constant(K::new(key.clone())),
                        HeadKey::Param(param) => *param,
                    };
                    self.bind(var, reg);
                }
            }
        }
        true
    }

    /// Goes to `other` where a number is not spelled so: parts of the store are found by the texts of numbers.
    fn test_spelling(&mut self, number: Reg, spelling: String, other: Label) {
        let found = (Constant::String(spelling), Constant::Bool(true));
        let of = self.constant(K::new(Constant::Object(vec![found])));
        let dst = self.reg();
        self.emit(Inst::Index {
            dst,
            of,
            key: number,
            stored: true,
            fail: other,
        });
    }

    /// A complete rule below the root of a tree.
    fn leaf(&mut self, path: Vec<String>, head: &[Term], document: &Document<'_>) -> Planned<()> {
        let none = self.label();
        let value = self.call_rule(FnKey::Leaf { path }, none);
        let mut redo = none;
        let path = self.head_regs(head, &mut redo)?;
        self.emit(Inst::TreePut {
            to: document.to,
            path,
            value,
        });
        self.place(none);
        Ok(())
    }

    fn contribution(&mut self, place: &Place<'_>, document: &Document<'_>) -> Planned<()> {
        let rule = place.rule;
        let is_set = rule.kind == RuleKind::Set;
        let before = self.env.clone();
        let next = self.label();
        for (at, clause) in rule.clauses.iter().enumerate() {
            self.env = before.clone();
            if is_set {
                let member = document.keys.get(place.head.len());
                let fits = member.is_none_or(|key| {
                    self.take_keys(
                        std::slice::from_ref(&clause.value),
                        std::slice::from_ref(key),
                        0,
                        next,
                    )
                });
                if !fits {
                    continue;
                }
            }
            let is_last = at + 1 == rule.clauses.len();
            let other = if is_last { next } else { self.label() };
            let go = match place.is_open {
                // The first branch that OPA's index lets through is the only one.
                true => Ways {
                    excluded: other,
                    failed: next,
                    found: next,
                },
                false => Ways {
                    excluded: other,
                    failed: other,
                    found: next,
                },
            };
            self.contribute(clause, &place.head, is_set, &go, document)?;
            if !is_last {
                self.place(other);
            }
        }
        self.place(next);
        Ok(())
    }

    /// All solutions of one body.
    fn contribute(
        &mut self,
        clause: &Clause,
        head: &[Term],
        is_set: bool,
        go: &Ways,
        document: &Document<'_>,
    ) -> Planned<()> {
        self.span = Some(clause.span);
        self.note(Note::Body(clause.span));
        let tells = go.failed != go.found;
        let hit = self.reg();
        if tells {
            self.emit(Inst::Unset { dst: hit });
        }
        let exhausted = self.label();
        let excluded = if go.excluded == go.failed {
            exhausted
        } else {
            go.excluded
        };
        let (mut redo, raises) = self.indexed_body(&clause.body, false, excluded, exhausted)?;
        self.span = Some(clause.span);
        self.note(Note::Yields(clause.span));
        let is_ground = self.known_term(&clause.value).is_some()
            && head.iter().all(|element| self.known_term(element).is_some());
        let to = document.to;
        let path = self.head_regs(head, &mut redo)?;
        let value = self.value(&clause.value, &mut redo)?;
        self.emit(match document.kind {
            Container::Tree if is_set => Inst::TreeAdd {
                to,
                path,
                member: Some(value),
            },
            Container::Tree => Inst::TreePut { to, path, value },
            Container::Object => match path.first() {
                Some(key) => Inst::Put {
                    to,
                    key: *key,
                    value,
                    again: Again::First,
                },
                None => return self.refuse("a partial object rule without a key"),
            },
            kind @ (Container::Set | Container::Array) => Inst::Add { kind, to, value },
        });
        // Further solutions add the same again.
        if redo == exhausted || (is_ground && !raises) {
            self.emit(Inst::Jump(go.found));
            self.place(exhausted);
            self.emit(Inst::Jump(go.failed));
            return Ok(());
        }
        if tells {
            self.emit(Inst::Move { dst: hit, src: value });
        }
        self.emit(Inst::Jump(redo));
        self.place(exhausted);
        if tells {
            self.test(Cond::IsSet(hit), go.failed);
        }
        self.emit(Inst::Jump(go.found));
        Ok(())
    }

    fn head_regs(&mut self, head: &[Term], redo: &mut Label) -> Planned<Vec<Reg>> {
        head.iter().map(|element| self.value(element, redo)).collect()
    }
}

/// How a number is spelled.
fn spelling(value: &Constant) -> Option<String> {
    match value {
        Constant::Int(int) => Some(int.to_string()),
        Constant::Number(text) => Some(text.clone()),
        _ => None,
    }
}
