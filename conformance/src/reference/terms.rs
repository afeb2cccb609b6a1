//! Values of terms: a reference with unbound variables has many.

use super::machine::{Flow, Machine, Stop, Take, Tried};
use super::value::Value;
use gavel_compiler::hir::{Comprehension, ComprehensionKind, Ref, RefHead, Term};
use gavel_runtime::error::EvalErrorKind;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What comes next, for each list of values.
type TakeList<'n, 'u> = &'n mut dyn FnMut(&mut Machine<'u>, &[Value]) -> Tried;

impl<'u> Machine<'u> {
    /// Whether a term has values now. Unbound variables in the path of a reference iterate.
    pub(super) fn is_known(&self, term: &Term) -> bool {
        match term {
            Term::Const(_) | Term::Comprehension(_) => true,
            Term::Var(var) => self.vars.contains_key(var),
            Term::Array(items) | Term::Set(items) => items.iter().all(|item| self.is_known(item)),
            Term::Object(entries) => entries
                .iter()
                .all(|(key, value)| self.is_known(key) && self.is_known(value)),
            Term::Ref(reference) => match reference.head {
                RefHead::Var(var) => self.vars.contains_key(&var),
                RefHead::Input | RefHead::Data | RefHead::Const(_) => true,
            },
        }
    }

    /// Each value of a term.
    pub(super) fn values(&mut self, term: &'u Term, take: Take<'_, 'u>) -> Tried {
        match term {
            Term::Const(constant) => take(self, Value::of(constant)),
            Term::Var(var) => {
                let value = self.var(*var)?;
                take(self, value)
            }
            Term::Array(items) => {
                let items: Vec<&Term> = items.iter().collect();
                self.lists(&items, &mut Vec::new(), &mut |machine, items| {
                    take(machine, Value::array(items.to_vec()))
                })
            }
            Term::Set(items) => {
                let items: Vec<&Term> = items.iter().collect();
                self.lists(&items, &mut Vec::new(), &mut |machine, values| {
                    let value = machine.literal(&items, values);
                    take(machine, value)
                })
            }
            Term::Object(entries) => {
                let parts: Vec<&Term> = entries.iter().flat_map(|(key, value)| [key, value]).collect();
                self.lists(&parts, &mut Vec::new(), &mut |machine, parts| {
                    let (pairs, _) = parts.as_chunks::<2>();
                    let mut known: BTreeMap<&Value, &Value> = BTreeMap::new();
                    for [key, value] in pairs {
                        let old = known.insert(key, value);
                        if old.is_some_and(|old| old != value) {
                            return Err(EvalErrorKind::ObjectConflict.into());
                        }
                    }
                    let keys: Vec<&Term> = entries.iter().map(|(key, _)| key).collect();
                    let members = pairs.iter().map(|[key, value]| (key.clone(), value.clone()));
                    let value = machine.object_literal(&keys, members.collect());
                    take(machine, value)
                })
            }
            Term::Ref(reference) => self.reference(reference, take),
            Term::Comprehension(comprehension) => {
                let value = self.comprehension(comprehension)?;
                take(self, value)
            }
        }
    }

    /// Each list of values of some terms.
    pub(super) fn lists(
        &mut self,
        terms: &[&'u Term],
        done: &mut Vec<Value>,
        take: TakeList<'_, 'u>,
    ) -> Tried {
        let Some((first, rest)) = terms.split_first() else {
            return take(self, done);
        };
        self.values(first, &mut |machine, value| {
            done.push(value.settled());
            let tried = machine.lists(rest, done, take);
            done.pop();
            tried
        })
    }

    /// The only value of a term whose variables all have one and that holds no reference.
    pub(super) fn value(&mut self, term: &'u Term) -> Result<Value, Stop> {
        let mut found = None;
        self.values(term, &mut |_, value| {
            found = Some(value);
            Ok(Flow::Enough)
        })?;
        found.ok_or(Stop::Strange("a plain term without a value"))
    }

    fn reference(&mut self, reference: &'u Ref, take: Take<'_, 'u>) -> Tried {
        let head = match &reference.head {
            RefHead::Data => return self.data(&reference.path, take),
            RefHead::Input => match self.scope.input.clone() {
                Some(input) => input,
                None => return Ok(Flow::More),
            },
            RefHead::Var(var) => self.var(*var)?,
            RefHead::Const(constant) => Value::of(constant),
        };
        self.follow(&head, &reference.path, take)
    }

    /// Each value that a path leads to from another.
    pub(super) fn follow(&mut self, from: &Value, path: &'u [Term], take: Take<'_, 'u>) -> Tried {
        let Some((element, rest)) = path.split_first() else {
            return take(self, from.clone());
        };
        if self.is_known(element) {
            let key = self.value(element)?;
            return match from.index(&key) {
                Some(part) => self.follow(&part, rest, take),
                None => Ok(Flow::More),
            };
        }
        for (key, part) in from.members() {
            let tried = self.unify_value(element, key, &mut |machine| machine.follow(&part, rest, take))?;
            if tried == Flow::Enough {
                return Ok(Flow::Enough);
            }
        }
        Ok(Flow::More)
    }

    fn comprehension(&mut self, comprehension: &'u Comprehension) -> Result<Value, Stop> {
        let body = &comprehension.body.stmts;
        let mut found = Vec::new();
        match &comprehension.kind {
            ComprehensionKind::Array(head) | ComprehensionKind::Set(head) => {
                self.block(body, &mut |machine| {
                    machine.values(head, &mut |_, value| {
                        found.push(value.settled());
                        Ok(Flow::More)
                    })
                })?;
                Ok(match comprehension.kind {
                    ComprehensionKind::Array(_) => Value::array(found),
                    ComprehensionKind::Set(_) | ComprehensionKind::Object(..) => Value::set(found),
                })
            }
            ComprehensionKind::Object(key, value) => {
                let mut entries: BTreeMap<Value, Value> = BTreeMap::new();
                self.block(body, &mut |machine| {
                    machine.lists(&[key, value], &mut Vec::new(), &mut |_, pair| {
                        let [key, value] = pair else {
                            return Err(Stop::Strange("a member without a value"));
                        };
                        match entries.get(key) {
                            Some(other) if other != value => return Err(EvalErrorKind::ObjectConflict.into()),
                            // The spelling of the key stays, that of the value is the last one's.
                            Some(_) | None => {
                                entries.insert(key.clone(), value.clone());
                            }
                        }
                        Ok(Flow::More)
                    })
                })?;
                Ok(Value::Object(Rc::new(entries), None))
            }
        }
    }
}
