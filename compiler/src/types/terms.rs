//! Terms against types and terms against terms: finds contradictions, and gives variables their types.

use super::compatible::compatible;
use super::infer::Env;
use super::ty::{ArrayType, ObjectType, Type};
use crate::hir::Term;
use gavel_runtime::value::Constant;
use std::borrow::Cow;

impl Env<'_> {
    /// Whether a term can have a type. Variables without one get it; when `widen`, the term may have other types as well, and
    /// those of its variables are added to what they had.
    pub(super) fn fits(&mut self, term: &Term, want: &Type, widen: bool) -> bool {
        match term {
            Term::Const(value) => constant_fits(value, want),
            Term::Var(var) => {
                let have = self.var(*var);
                if widen {
                    self.set_var(*var, have.or(want));
                    return true;
                }
                if !matches!(have, Type::Unknown) {
                    return compatible(&have, want);
                }
                self.set_var(*var, want.clone());
                true
            }
            Term::Array(items) => match want {
                Type::Array(t) => self.array_fits(items, t, widen),
                Type::Any => {
                    self.each_is_anything(items.iter());
                    true
                }
                _ => self.some_option_fits(term, want),
            },
            Term::Object(entries) => match want {
                Type::Object(t) => self.object_fits(entries, t, widen),
                Type::Any => {
                    self.each_is_anything(entries.iter().flat_map(|(k, v)| [k, v]));
                    true
                }
                _ => self.some_option_fits(term, want),
            },
            Term::Set(members) => match want {
                Type::Set(t) => members.iter().all(|member| self.fits(member, &t.member, widen)),
                Type::Any => {
                    self.each_is_anything(members.iter());
                    true
                }
                _ => self.some_option_fits(term, want),
            },
            Term::Ref(_) | Term::Comprehension(_) => compatible(&self.type_of(term), want),
        }
    }

    fn each_is_anything<'t>(&mut self, terms: impl Iterator<Item = &'t Term>) {
        for term in terms {
            self.fits(term, &Type::Any, true);
        }
    }

    /// Every alternative is tried, because each may add to the types of variables.
    fn some_option_fits(&mut self, term: &Term, want: &Type) -> bool {
        let Type::OneOf(t) = want else { return false };
        let mut found = false;
        for option in &t.options {
            found |= self.fits(term, option, true);
        }
        found
    }

    fn array_fits(&mut self, items: &[Term], want: &ArrayType, widen: bool) -> bool {
        if items.len() != want.items.len() && want.rest.is_none() {
            return false;
        }
        items.iter().enumerate().all(|(at, item)| {
            let want = want.items.get(at).or(want.rest.as_ref());
            self.fits(item, want.unwrap_or(&Type::Unknown), widen)
        })
    }

    fn object_fits(&mut self, entries: &[(Term, Term)], want: &ObjectType, widen: bool) -> bool {
        if entries.len() != want.members.len() && !has_rest(want) {
            return false;
        }
        entries.iter().all(|(key, value)| match key {
            Term::Const(key) => match want.member(key) {
                Type::Unknown => false,
                want => self.fits(value, &want, widen),
            },
            _ => {
                // Which members a variable key can meet is not worked out.
                self.fits(value, &Type::Any, widen);
                true
            }
        })
    }

    /// Whether two terms can be equal; both get the types of the other where they have none.
    pub(super) fn unifies(&mut self, a: &Term, b: &Term) -> bool {
        let (type_a, type_b) = (self.type_of(a), self.type_of(b));
        match (type_a.has_unknown(), type_b.has_unknown()) {
            (true, false) => return self.fits(a, &type_b, false),
            (false, true) => return self.fits(b, &type_a, false),
            (false, false) => return compatible(&type_a, &type_b),
            (true, true) => {}
        }
        let (a, b) = (&opened(a), &opened(b));
        match (a.as_ref(), b.as_ref()) {
            (Term::Array(x), Term::Array(y)) => {
                x.len() == y.len() && x.iter().zip(y).all(|(x, y)| self.unifies(x, y))
            }
            (Term::Object(x), Term::Object(y)) => self.objects_unify(x, y),
            (Term::Array(_) | Term::Object(_) | Term::Var(_), Term::Var(_)) => self.is_whatever(a, b),
            (Term::Var(_), Term::Array(_) | Term::Object(_)) => self.is_whatever(b, a),
            (Term::Var(_), Term::Ref(_)) => self.fits(a, &Type::Any, false),
            (Term::Ref(_), Term::Var(_)) => self.fits(b, &Type::Any, false),
            (Term::Var(_), _) if matches!(type_a, Type::Unknown) && !matches!(type_b, Type::Unknown) => {
                self.fits(a, &type_b, false)
            }
            (_, Term::Var(_)) if matches!(type_b, Type::Unknown) && !matches!(type_a, Type::Unknown) => {
                self.fits(b, &type_a, false)
            }
            _ => false,
        }
    }

    /// A term with unknown parts meets a variable: the parts may be anything, and the variable is that term.
    fn is_whatever(&mut self, term: &Term, var: &Term) -> bool {
        self.fits(term, &Type::Any, false) && {
            let value = self.type_of(term);
            self.fits(var, &value, false)
        }
    }

    /// Objects with the same keys whose values unify one by one.
    fn objects_unify(&mut self, a: &[(Term, Term)], b: &[(Term, Term)]) -> bool {
        a.len() == b.len()
            && a.iter().all(|(key, value)| {
                b.iter()
                    .find(|(other, _)| same_key(key, other))
                    .is_some_and(|(_, other)| self.unifies(value, other))
            })
    }
}

/// A constant array or object as one with terms, so that it meets patterns element by element.
fn opened(term: &Term) -> Cow<'_, Term> {
    let constant = |value: &Constant| Term::Const(value.clone());
    match term {
        Term::Const(Constant::Array(items)) => Cow::Owned(Term::Array(items.iter().map(constant).collect())),
        Term::Const(Constant::Object(entries)) => Cow::Owned(Term::Object(
            entries.iter().map(|(k, v)| (constant(k), constant(v))).collect(),
        )),
        other => Cow::Borrowed(other),
    }
}

fn same_key(a: &Term, b: &Term) -> bool {
    match (a, b) {
        (Term::Const(a), Term::Const(b)) => a == b,
        (Term::Var(a), Term::Var(b)) => a == b,
        _ => false,
    }
}

/// Whether a type of further members is known.
fn has_rest(object: &ObjectType) -> bool {
    object
        .rest
        .as_ref()
        .is_some_and(|(_, value)| !matches!(value, Type::Unknown))
}

/// Whether a constant can have a type. Unlike types, collections are met element by element.
fn constant_fits(value: &Constant, want: &Type) -> bool {
    match (value, want) {
        (Constant::Array(_) | Constant::Object(_) | Constant::Set(_), Type::Any) => true,
        (Constant::Array(_) | Constant::Object(_) | Constant::Set(_), Type::OneOf(t)) => {
            t.options.iter().any(|option| constant_fits(value, option))
        }
        (Constant::Array(items), Type::Array(t)) => {
            (items.len() == t.items.len() || t.rest.is_some())
                && items.iter().enumerate().all(|(at, item)| {
                    let want = t.items.get(at).or(t.rest.as_ref());
                    want.is_some_and(|want| constant_fits(item, want))
                })
        }
        (Constant::Object(entries), Type::Object(t)) => {
            (entries.len() == t.members.len() || has_rest(t))
                && entries.iter().all(|(key, value)| match t.member(key) {
                    Type::Unknown => false,
                    want => constant_fits(value, &want),
                })
        }
        (Constant::Set(members), Type::Set(t)) => {
            members.iter().all(|member| constant_fits(member, &t.member))
        }
        (Constant::Array(_) | Constant::Object(_) | Constant::Set(_), _) => false,
        (
            Constant::Null | Constant::Bool(_) | Constant::Int(_) | Constant::Number(_) | Constant::String(_),
            _,
        ) => compatible(&Type::of_constant(value), want),
    }
}
