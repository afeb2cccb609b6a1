//! `with`: what a statement sees when documents and functions are replaced.

use super::body::Body;
use super::compatible::compatible;
use super::documents::{Documents, Key, Step};
use super::infer::{Layer, Root};
use super::report;
use super::rules::relaxed_documents;
use super::show;
use super::ty::{FunctionType, Type};
use crate::hir::{With, WithTarget, WithValue};
use crate::source::Span;
use gavel_runtime::builtins::BuiltinId;
use gavel_runtime::value::Constant;
use std::rc::Rc;

impl Body<'_, '_, '_> {
    /// Checks that functions are replaced by functions of the same shape. Whether they are.
    pub(super) fn modifiers(&mut self, modifiers: &[With]) -> bool {
        for modifier in modifiers {
            let (name, old) = match &modifier.target {
                WithTarget::Function(path) => (
                    show::path_text("data", path.iter().map(String::as_str)),
                    self.function(path),
                ),
                WithTarget::Builtin(id) => (id.get().name.to_owned(), Some(self.builtin(*id))),
                WithTarget::Input(_) | WithTarget::Data(_) => continue,
            };
            let new = match &modifier.value {
                WithValue::Function(path) => self.function(path),
                WithValue::Builtin(id) => Some(self.builtin(*id)),
                WithValue::Term(_) | WithValue::Document(_) => None,
            };
            let (Some(old), Some(new)) = (old, new) else {
                continue;
            };
            if !compatible(&Type::Function(Rc::clone(&old)), &Type::Function(Rc::clone(&new))) {
                self.errors
                    .push(report::arity_error(modifier.span, &name, &new, &old));
                return false;
            }
        }
        true
    }

    fn builtin(&mut self, id: BuiltinId) -> Rc<FunctionType> {
        self.shared.signatures.get(id)
    }

    /// OPA takes functions named by the `with` of a nested statement for values, and refuses them.
    pub(super) fn functions_as_values(&mut self, modifiers: &[With]) {
        for modifier in modifiers {
            let at = self.place(modifier.target_span);
            match &modifier.target {
                WithTarget::Function(path) => self.function_as_value(path, at),
                WithTarget::Builtin(id) => self.builtin_as_value(*id, at),
                WithTarget::Input(_) | WithTarget::Data(_) => {}
            }
            let at = self.place(modifier.value_span);
            match &modifier.value {
                WithValue::Function(path) => self.function_as_value(path, at),
                WithValue::Builtin(id) => self.builtin_as_value(*id, at),
                WithValue::Term(_) | WithValue::Document(_) => {}
            }
        }
    }

    fn function_as_value(&mut self, path: &[String], at: Span) {
        if self.function(path).is_some() {
            let name = show::path_text("data", path.iter().map(String::as_str));
            self.errors.push(report::function_error(Some(at), &name));
        }
    }

    /// OPA has no place for the name of a builtin that is one word.
    fn builtin_as_value(&mut self, id: BuiltinId, at: Span) {
        let name = id.get().name;
        let at = name.contains('.').then_some(at);
        self.errors.push(report::function_error(at, name));
    }

    /// Puts replaced documents on top: what depends on them may be anything, they themselves may have the new type as well.
    pub(super) fn replace(&mut self, modifiers: &[With]) {
        let mut data = Documents::new();
        let mut input = Documents::new();
        for modifier in modifiers {
            match &modifier.target {
                // The declaration of a replaced function still counts for its calls.
                WithTarget::Function(path) if self.function(path).is_some() => self.relax(path, true),
                WithTarget::Function(path) | WithTarget::Data(path) => {
                    let old = self.document(path);
                    put(&mut data, path, self.either(&old, &modifier.value));
                    self.relax(path, false);
                }
                WithTarget::Input(path) => {
                    let steps: Vec<Constant> = path.iter().cloned().map(Constant::String).collect();
                    let steps: Vec<Step<'_>> = steps.iter().map(Step::Scalar).collect();
                    let old = self.env.type_of_document(Root::Input, &steps);
                    put(&mut input, path, self.either(&old, &modifier.value));
                }
                WithTarget::Builtin(_) => {}
            }
        }
        if !data.is_empty() {
            self.env.push_layer(Layer::Data(Rc::new(data)));
        }
        if !input.is_empty() {
            self.env.push_layer(Layer::Input(input));
        }
    }

    fn either(&self, old: &Type, value: &WithValue) -> Type {
        let new = match value {
            WithValue::Term(term) => self.env.type_of(term),
            WithValue::Function(path) => self.document(path),
            WithValue::Document(_) | WithValue::Builtin(_) => return Type::Any,
        };
        match (old, new) {
            (Type::Unknown | Type::Function(_), _) | (_, Type::Unknown | Type::Function(_)) => Type::Any,
            (old, new) => old.or(&new),
        }
    }

    fn relax(&mut self, path: &[String], function: bool) {
        if let Some(layer) = self.relaxed(path, function) {
            self.env.push_layer(Layer::Data(layer));
        }
    }

    /// The layer for one replaced path; made once for all statements that replace it.
    fn relaxed(&mut self, path: &[String], function: bool) -> Option<Rc<Documents>> {
        let key = (path.to_vec(), function);
        if let Some(layer) = self.shared.relaxed.get(&key) {
            return layer.clone();
        }
        let layer = relaxed_documents(self.shared.unit, self.shared.graph, path, function).map(Rc::new);
        self.shared.relaxed.insert(key, layer.clone());
        layer
    }
}

fn put(documents: &mut Documents, path: &[String], value: Type) {
    documents.put(
        path.iter().cloned().map(Constant::String).map(Key::Constant),
        value,
    );
}
