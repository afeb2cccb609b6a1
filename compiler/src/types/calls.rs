//! Calls and unifications against types.

use super::body::{Body, Mismatch};
use super::compatible::compatible;
use super::documents::Step;
use super::infer::Root;
use super::report;
use super::show;
use super::ty::{FunctionType, Type};
use crate::hir::{Callee, Term};
use crate::source::Span;
use gavel_runtime::value::Constant;
use std::rc::Rc;

impl Body<'_, '_, '_> {
    /// Both sides must be possible at once.
    pub(super) fn unify(&mut self, left: &Term, right: &Term, at: Span) -> Option<Mismatch> {
        let (a, b) = (self.env.type_of(left), self.env.type_of(right));
        if self.env.unifies(left, right) {
            return None;
        }
        Some(report::match_error(at, &a, &b))
    }

    /// A call: arguments and result against the signature.
    pub(super) fn call(
        &mut self,
        callee: &Callee,
        args: &[Term],
        out: Option<&Term>,
        at: Span,
    ) -> Option<Mismatch> {
        let (name, signature) = match callee {
            Callee::Builtin(id) => {
                let name = id.get().name;
                self.shared.meets_deprecated |= id.get().deprecated;
                match (name, args, out) {
                    ("eq" | "equal", [left, right], None) => return self.unify(left, right, at),
                    ("internal.member_2", [member, of], _) => {
                        if let Some(error) = self.member(None, member, of, at) {
                            return Some(error);
                        }
                    }
                    ("internal.member_3", [key, member, of], _) => {
                        if let Some(error) = self.member(Some(key), member, of, at) {
                            return Some(error);
                        }
                    }
                    _ => {}
                }
                (name.to_owned(), self.shared.signatures.get(*id))
            }
            Callee::Function(path) => {
                let name = show::path_text("data", path.iter().map(String::as_str));
                match self.document(path) {
                    Type::Function(signature) => (name, signature),
                    Type::Any => return None,
                    _ => return Some(report::no_function(at, &name)),
                }
            }
        };
        self.arguments(&name, &signature, args, out, at)
    }

    /// The signature of a function rule, where its type is known.
    pub(super) fn function(&self, path: &[String]) -> Option<Rc<FunctionType>> {
        match self.document(path) {
            Type::Function(signature) => Some(signature),
            _ => None,
        }
    }

    /// The type of the document at a path behind `data`.
    pub(super) fn document(&self, path: &[String]) -> Type {
        let keys: Vec<Constant> = path.iter().cloned().map(Constant::String).collect();
        let steps: Vec<Step<'_>> = keys.iter().map(Step::Scalar).collect();
        self.env.type_of_document(Root::Data, &steps)
    }

    fn arguments(
        &mut self,
        name: &str,
        signature: &FunctionType,
        args: &[Term],
        out: Option<&Term>,
        at: Span,
    ) -> Option<Mismatch> {
        let args: Vec<&Term> = args.iter().chain(out).collect();
        let result = match &signature.result {
            Type::Unknown => &Type::Any,
            known => known,
        };
        let wants: Vec<&Type> = signature.args.iter().chain([result]).collect();
        // The number of arguments was checked before.
        if args.len() > wants.len() || args.len() < signature.args.len() {
            return None;
        }
        let before: Vec<Type> = args.iter().map(|arg| self.env.type_of(arg)).collect();
        for ((arg, want), have) in args.iter().zip(&wants).zip(&before) {
            if !have.has_unknown() && !compatible(have, want) {
                return Some(report::argument_error(at, name, &before, signature));
            }
            if !self.env.fits(arg, want, false) {
                let after: Vec<Type> = args.iter().map(|arg| self.env.type_of(arg)).collect();
                return Some(report::argument_error(at, name, &after, signature));
            }
        }
        None
    }

    /// `key, member in of`: both must be possible there, when anything is known of what is searched.
    fn member(&mut self, key: Option<&Term>, member: &Term, of: &Term, at: Span) -> Option<Mismatch> {
        let of = self.env.type_of(of);
        let values = of.values();
        if matches!(values, Type::Unknown) {
            return None;
        }
        let key = key.map(|key| (key, of.keys()));
        key.into_iter()
            .chain([(member, values)])
            .find_map(|(term, want)| self.operand_of_in(term, &want, at))
    }

    fn operand_of_in(&mut self, term: &Term, want: &Type, at: Span) -> Option<Mismatch> {
        if want.has_unknown() {
            return None;
        }
        let have = self.env.type_of(term);
        if (!have.has_unknown() && !compatible(&have, want)) || !self.env.fits(term, want, false) {
            return Some(report::match_error(at, &have, want));
        }
        None
    }
}
