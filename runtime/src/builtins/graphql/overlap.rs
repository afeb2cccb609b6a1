//! Fields that answer under one name must be the same field, ask for the same and give the same type.

use super::tree::{Checked, WRONG, flag, list, text, value_kind};
use super::types::TypeDefinition;
use super::walk::{FieldType, Selection, Walker, ensure};
use crate::builtins::call::charge;
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::value::Value;
use std::collections::{HashMap, HashSet};

/// A field in the type it is selected in.
#[derive(Clone, Copy)]
struct Selected<'s, 'r> {
    node: Value<'r>,
    parent: Option<&'s TypeDefinition<'r>>,
}

/// The fields of a selection set by the name they answer under, and the fragments it spreads.
struct Collected<'s, 'r> {
    fields: Vec<(&'r str, Vec<Selected<'s, 'r>>)>,
    by_name: HashMap<&'r str, usize>,
    spreads: Vec<&'r str>,
    /// The selection set itself.
    from: &'r [Value<'r>],
}

impl<'s, 'r> Collected<'s, 'r> {
    fn get(&self, name: &str) -> &[Selected<'s, 'r>] {
        let at = self.by_name.get(name).and_then(|at| self.fields.get(*at));
        at.map_or(&[], |(_, fields)| fields)
    }
}

type Parent<'s, 'r> = Option<&'s TypeDefinition<'r>>;

impl<'s, 'r> Walker<'s, '_, 'r> {
    /// Checks the fields of a selection set among themselves and with those of the fragments in it.
    pub(super) fn fields_merge(&mut self, parent: Parent<'s, 'r>, selections: &'r [Value<'r>]) -> Checked {
        if selections.is_empty() {
            return Ok(());
        }
        let own = self.collect(parent, selections)?;
        for (_, fields) in &own.fields {
            for (at, one) in fields.iter().enumerate() {
                for other in fields.iter().skip(at + 1) {
                    self.same(false, *one, *other)?;
                }
            }
        }
        let mut seen = HashSet::new();
        for (at, spread) in own.spreads.iter().enumerate() {
            self.fields_with_fragment(false, &own, spread, &mut seen)?;
            for other in own.spreads.iter().skip(at + 1) {
                self.fragments_merge(false, spread, other)?;
            }
        }
        Ok(())
    }

    fn collect(&mut self, parent: Parent<'s, 'r>, from: &'r [Value<'r>]) -> Checked<Collected<'s, 'r>> {
        let mut collected = Collected {
            fields: Vec::new(),
            by_name: HashMap::new(),
            spreads: Vec::new(),
            from,
        };
        let mut waiting = vec![(parent, from.iter())];
        while let Some((parent, selections)) = waiting.last_mut() {
            let Some(node) = selections.next().copied() else {
                waiting.pop();
                continue;
            };
            charge(self.fuel, 4)?;
            let parent = *parent;
            match Selection::of(node) {
                Selection::Field => {
                    let name = match text(node, "Alias") {
                        "" => text(node, "Name"),
                        alias => alias,
                    };
                    let next = collected.fields.len();
                    let at = *collected.by_name.entry(name).or_insert(next);
                    if at == next {
                        collected.fields.push((name, Vec::new()));
                    }
                    if let Some((_, fields)) = collected.fields.get_mut(at) {
                        fields.push(Selected { node, parent });
                    }
                }
                Selection::Inline => {
                    let inner = self.inline_parent(parent, node);
                    waiting.push((inner, list(node, "SelectionSet").iter()));
                }
                Selection::Spread => collected.spreads.push(text(node, "Name")),
            }
        }
        Ok(collected)
    }

    fn collect_fragment(&mut self, name: &str) -> Checked<Option<Collected<'s, 'r>>> {
        let Some(fragment) = self.fragments.get(name).copied() else {
            return Ok(None);
        };
        let parent = self.schema.named(text(fragment, "TypeCondition"));
        self.collect(parent, list(fragment, "SelectionSet")).map(Some)
    }

    fn fields_with_fragment(
        &mut self,
        exclusive: bool,
        own: &Collected<'s, 'r>,
        name: &'r str,
        seen: &mut HashSet<&'r str>,
    ) -> Checked {
        if !seen.insert(name) {
            return Ok(());
        }
        let Some(fragment) = self.collect_fragment(name)? else {
            return Ok(());
        };
        // A fragment within itself is another rule's matter.
        if std::ptr::eq(own.from, fragment.from) {
            return Ok(());
        }
        self.deeper(|walker| {
            walker.fields_between(exclusive, own, &fragment)?;
            for spread in &fragment.spreads {
                walker.fields_with_fragment(exclusive, own, spread, seen)?;
            }
            Ok(())
        })
    }

    fn fragments_merge(&mut self, exclusive: bool, one: &'r str, other: &'r str) -> Checked {
        if one == other {
            return Ok(());
        }
        // Fields that were compared as not excluding each other need no second look.
        if let Some(compared) = self.compared.get(&(one, other))
            && (exclusive || !compared)
        {
            return Ok(());
        }
        self.compared.insert((one, other), exclusive);
        self.compared.insert((other, one), exclusive);
        let (Some(first), Some(second)) = (self.collect_fragment(one)?, self.collect_fragment(other)?) else {
            return Ok(());
        };
        self.deeper(|walker| {
            walker.fields_between(exclusive, &first, &second)?;
            for spread in &second.spreads {
                walker.fragments_merge(exclusive, one, spread)?;
            }
            for spread in &first.spreads {
                walker.fragments_merge(exclusive, spread, other)?;
            }
            Ok(())
        })
    }

    fn deeper(&mut self, inner: impl FnOnce(&mut Self) -> Checked) -> Checked {
        if self.depth >= BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        self.depth += 1;
        inner(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn fields_between(
        &mut self,
        exclusive: bool,
        one: &Collected<'s, 'r>,
        other: &Collected<'s, 'r>,
    ) -> Checked {
        for (name, fields) in &one.fields {
            for field in fields {
                for twin in other.get(name) {
                    self.same(exclusive, *field, *twin)?;
                }
            }
        }
        Ok(())
    }

    /// Whether two fields that answer under one name go together.
    fn same(&mut self, exclusive: bool, one: Selected<'s, 'r>, other: Selected<'s, 'r>) -> Checked {
        charge(self.fuel, 16)?;
        let (Some(parent), Some(twin)) = (one.parent, other.parent) else {
            return Ok(());
        };
        let types = (
            self.field_type(one.parent, one.node),
            self.field_type(other.parent, other.node),
        );
        let both_known = types.0.is_some() && types.1.is_some();
        let exclusive = exclusive
            || (parent.name != twin.name && parent.kind == "OBJECT" && twin.kind == "OBJECT" && both_known);
        if !exclusive {
            ensure(text(one.node, "Name") == text(other.node, "Name"))?;
            self.same_arguments(list(one.node, "Arguments"), list(other.node, "Arguments"))?;
        }
        if let (Some(first), Some(second)) = types {
            self.types_go_together(first, second)?;
        }
        let inner = (
            self.inner_parent(one.parent, one.node),
            self.inner_parent(other.parent, other.node),
        );
        self.deeper(|walker| {
            let first = walker.collect(inner.0, list(one.node, "SelectionSet"))?;
            let second = walker.collect(inner.1, list(other.node, "SelectionSet"))?;
            walker.fields_between(exclusive, &first, &second)?;
            for spread in &second.spreads {
                walker.fields_with_fragment(exclusive, &first, spread, &mut HashSet::new())?;
            }
            for spread in &first.spreads {
                walker.fields_with_fragment(exclusive, &second, spread, &mut HashSet::new())?;
            }
            for spread in &first.spreads {
                for other in &second.spreads {
                    walker.fragments_merge(exclusive, spread, other)?;
                }
            }
            Ok(())
        })
    }

    fn same_arguments(&mut self, one: &[Value<'r>], other: &[Value<'r>]) -> Checked {
        ensure(one.len() == other.len())?;
        for argument in one {
            let mut found = false;
            for twin in other {
                charge(self.fuel, 1)?;
                found = found
                    || (text(*argument, "Name") == text(*twin, "Name")
                        && self.same_value(argument.field("Value"), twin.field("Value"), 0)?);
            }
            ensure(found)?;
        }
        Ok(())
    }

    fn same_value(
        &mut self,
        one: Option<Value<'r>>,
        other: Option<Value<'r>>,
        depth: usize,
    ) -> Checked<bool> {
        charge(self.fuel, 2)?;
        if depth >= BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        let (Some(one), Some(other)) = (one, other) else {
            return Err(WRONG);
        };
        let (mut first, mut second) = (list(one, "Children").to_vec(), list(other, "Children").to_vec());
        if value_kind(one) != value_kind(other)
            || text(one, "Raw") != text(other, "Raw")
            || first.len() != second.len()
        {
            return Ok(false);
        }
        if value_kind(one) == super::tree::kind::OBJECT {
            first.sort_by_key(|child| text(*child, "Name"));
            second.sort_by_key(|child| text(*child, "Name"));
        }
        for (child, twin) in first.into_iter().zip(second) {
            if text(child, "Name") != text(twin, "Name")
                || !self.same_value(child.field("Value"), twin.field("Value"), depth + 1)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn types_go_together(&self, one: FieldType<'r>, other: FieldType<'r>) -> Checked {
        let (mut one, mut other) = (Shape::of(one)?, Shape::of(other)?);
        loop {
            match (one.element(), other.element()) {
                (Some(first), Some(second)) => (one, other) = (first, second),
                (None, None) => break,
                _ => return Err(WRONG),
            }
        }
        ensure(one.required() == other.required())?;
        let (first, second) = (self.schema.named(one.name()), self.schema.named(other.name()));
        let (Some(first), Some(second)) = (first, second) else {
            return Err(WRONG);
        };
        ensure(!(first.is_leaf() && second.is_leaf()) || first.name == second.name)
    }
}

/// The type of a field, that of `__typename` included.
#[derive(Clone, Copy)]
enum Shape<'r> {
    Node(Value<'r>),
    Text,
}

impl<'r> Shape<'r> {
    fn of(field: FieldType<'r>) -> Checked<Shape<'r>> {
        match field {
            FieldType::Declared(field) => Ok(Shape::Node(field.field("Type").ok_or(WRONG)?)),
            FieldType::Typename => Ok(Shape::Text),
        }
    }

    fn element(self) -> Option<Shape<'r>> {
        match self {
            Shape::Node(node) => node.field("Elem").map(Shape::Node),
            Shape::Text => None,
        }
    }

    fn required(self) -> bool {
        matches!(self, Shape::Node(node) if flag(node, "NonNull"))
    }

    fn name(self) -> &'r str {
        match self {
            Shape::Node(node) => text(node, "NamedType"),
            Shape::Text => "String",
        }
    }
}
