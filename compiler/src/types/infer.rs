//! The types of variables and terms at one place of a body.

use super::documents::{Documents, Step, select};
use super::ty::Type;
use crate::hir::{Comprehension, ComprehensionKind, Ref, RefHead, Term, VarId};
use gavel_runtime::value::Constant;
use std::collections::HashMap;
use std::rc::Rc;

/// What is known at one place of a body.
pub(super) struct Env<'c> {
    /// Types of rules.
    documents: &'c Documents,
    /// Documents that `with` replaces, the outermost first.
    layers: Vec<Layer>,
    vars: HashMap<VarId, Type>,
    /// What variables were before the closures that the place is in, for each closure.
    undo: Vec<Vec<(VarId, Option<Type>)>>,
    /// Types of the comprehensions that were checked.
    closures: HashMap<*const Comprehension, Type>,
}

/// Documents that stand in front of others.
pub(super) enum Layer {
    /// Below `data`.
    Data(Rc<Documents>),
    /// The input and what is below it.
    Input(Documents),
}

/// The two trees of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// `data`
    Data,
    /// `input`
    Input,
}

impl<'c> Env<'c> {
    /// Knows the documents and no variable.
    pub(super) fn new(documents: &'c Documents) -> Env<'c> {
        Env {
            documents,
            layers: Vec::new(),
            vars: HashMap::new(),
            undo: Vec::new(),
            closures: HashMap::new(),
        }
    }

    /// The trees of documents to ask, in this order. Without replacements nothing is known of the input.
    pub(super) fn trees(&self, root: Root) -> impl Iterator<Item = &Documents> {
        let layers = self
            .layers
            .iter()
            .rev()
            .filter_map(move |layer| match (root, layer) {
                (Root::Data, Layer::Data(tree)) => Some(tree.as_ref()),
                (Root::Input, Layer::Input(tree)) => Some(tree),
                _ => None,
            });
        layers.chain(Some(self.documents).filter(|tree| root == Root::Data && !tree.is_empty()))
    }

    /// Replaces documents.
    pub(super) fn push_layer(&mut self, layer: Layer) {
        self.layers.push(layer);
    }

    /// Number of layers, for [`Env::pop_layers`].
    pub(super) fn layer_count(&self) -> usize {
        self.layers.len()
    }

    /// Ends the replacements that came after `count`.
    pub(super) fn pop_layers(&mut self, count: usize) {
        self.layers.truncate(count);
    }

    /// Enters a closure: what becomes known inside is forgotten at its end.
    pub(super) fn enter(&mut self) {
        self.undo.push(Vec::new());
    }

    /// Leaves the closure.
    pub(super) fn leave(&mut self) {
        for (var, before) in self.undo.pop().unwrap_or_default().into_iter().rev() {
            match before {
                Some(value) => self.vars.insert(var, value),
                None => self.vars.remove(&var),
            };
        }
    }

    /// The type of a variable.
    pub(super) fn var(&self, var: VarId) -> Type {
        self.vars.get(&var).cloned().unwrap_or(Type::Unknown)
    }

    /// Gives a variable its type.
    pub(super) fn set_var(&mut self, var: VarId, value: Type) {
        let before = self.vars.insert(var, value);
        if let Some(undo) = self.undo.last_mut() {
            undo.push((var, before));
        }
    }

    /// Keeps the type of a comprehension whose body was checked just now.
    pub(super) fn set_closure(&mut self, closure: &Comprehension, value: Type) {
        self.closures.insert(std::ptr::from_ref(closure), value);
    }

    /// The types of all comprehensions that were met.
    pub(super) fn closure_types(&self) -> HashMap<*const Comprehension, Type> {
        self.closures.clone()
    }

    /// Puts the types of comprehensions back.
    pub(super) fn restore_closure_types(&mut self, types: HashMap<*const Comprehension, Type>) {
        self.closures = types;
    }

    /// The type of a comprehension, seen from inside its body.
    pub(super) fn closure_from_inside(&self, closure: &Comprehension) -> Type {
        match &closure.kind {
            ComprehensionKind::Array(head) => Type::array(Vec::new(), Some(self.type_of(head))),
            ComprehensionKind::Set(head) => Type::set(self.type_of(head)),
            ComprehensionKind::Object(key, value) => {
                Type::object(Vec::new(), Some((self.type_of(key), self.type_of(value))))
            }
        }
    }

    /// The type of a term.
    pub(super) fn type_of(&self, term: &Term) -> Type {
        match term {
            Term::Const(value) => Type::of_constant(value),
            Term::Var(var) => self.var(*var),
            Term::Array(items) => Type::array(items.iter().map(|t| self.type_of(t)).collect(), None),
            Term::Object(entries) => self.type_of_object(entries),
            Term::Set(members) => Type::set(Type::one_of(members.iter().map(|t| self.type_of(t)))),
            Term::Ref(reference) => self.type_of_ref(reference),
            Term::Comprehension(closure) => self
                .closures
                .get(&std::ptr::from_ref(closure.as_ref()))
                .cloned()
                .unwrap_or(Type::Any),
        }
    }

    fn type_of_object(&self, entries: &[(Term, Term)]) -> Type {
        let mut members = Vec::new();
        let mut rest: Option<(Type, Type)> = None;
        for (key, value) in entries {
            let value = self.type_of(value);
            match key {
                Term::Const(key) => members.push((super::select::property(key), value)),
                // OPA keeps the last of them.
                key => rest = Some((self.type_of(key), value)),
            }
        }
        Type::object(members, rest)
    }

    /// The type of what a reference yields.
    pub(super) fn type_of_ref(&self, reference: &Ref) -> Type {
        let path: Vec<Step<'_>> = reference.path.iter().map(step).collect();
        match &reference.head {
            RefHead::Input => self.type_of_document(Root::Input, &path),
            RefHead::Data => self.type_of_document(Root::Data, &path),
            RefHead::Var(var) => select(&self.var(*var), &path),
            RefHead::Const(value @ (Constant::Array(_) | Constant::Object(_) | Constant::Set(_))) => {
                select(&Type::of_constant(value), &path)
            }
            RefHead::Const(_) => Type::Unknown,
        }
    }

    /// The type of what stands at a path behind `data` or `input`.
    pub(super) fn type_of_document(&self, root: Root, path: &[Step<'_>]) -> Type {
        self.trees(root)
            .find_map(|tree| tree.type_at(path))
            .unwrap_or(Type::Any)
    }
}

fn step(term: &Term) -> Step<'_> {
    match term {
        Term::Const(value @ (Constant::Array(_) | Constant::Object(_) | Constant::Set(_))) => {
            Step::Composite(value)
        }
        Term::Const(value) => Step::Scalar(value),
        Term::Var(_)
        | Term::Array(_)
        | Term::Object(_)
        | Term::Set(_)
        | Term::Ref(_)
        | Term::Comprehension(_) => Step::Open,
    }
}
