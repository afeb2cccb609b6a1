//! The walk over a document of operations and fragments, with the rules that look at one node and its surroundings.

use super::schema_rules::is_compatible;
use super::tree::{Checked, WRONG, flag, kind, list, named, text, type_name, value_kind};
use super::types::{Schema, TypeDefinition};
use crate::builtins::call::charge;
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::value::Value;
use std::collections::{HashMap, HashSet};

/// Lists of introspection that may lie within each other.
const INTROSPECTION_LISTS_MAX: usize = 3;

/// A document that is being checked.
pub(super) struct Walker<'s, 'c, 'r> {
    pub(super) schema: &'s Schema<'r>,
    pub(super) fuel: &'c mut u64,
    /// The first fragment of each name.
    pub(super) fragments: HashMap<&'r str, Value<'r>>,
    /// The variables of the operation that is being walked; `None` in fragments that are walked for themselves.
    pub(super) variables: Option<&'r [Value<'r>]>,
    /// Variables that were used in it.
    used_variables: HashSet<&'r str>,
    /// Fragments that were walked as parts of it.
    walked: HashSet<&'r str>,
    used_fragments: HashSet<&'r str>,
    /// Pairs of fragments whose fields were compared, and whether they exclude each other.
    pub(super) compared: HashMap<(&'r str, &'r str), bool>,
    pub(super) depth: usize,
}

/// A selection by its structure: a field has an alias, a fragment in its place a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    Field,
    Inline,
    Spread,
}

impl Selection {
    pub(super) fn of(node: Value<'_>) -> Selection {
        if node.field("Alias").is_some() {
            Selection::Field
        } else if node.field("TypeCondition").is_some() {
            Selection::Inline
        } else {
            Selection::Spread
        }
    }
}

/// Checks a document against a schema.
pub(super) fn check<'r>(schema: &Schema<'r>, fuel: &mut u64, document: Value<'r>) -> Checked {
    let operations = list(document, "Operations");
    let fragments = list(document, "Fragments");
    let mut by_name = HashMap::new();
    for fragment in fragments {
        let replaced = by_name.insert(text(*fragment, "Name"), *fragment);
        ensure(replaced.is_none())?;
    }
    let mut walker = Walker {
        schema,
        fuel,
        fragments: by_name,
        variables: None,
        used_variables: HashSet::new(),
        walked: HashSet::new(),
        used_fragments: HashSet::new(),
        compared: HashMap::new(),
        depth: 0,
    };
    let mut names = HashSet::new();
    for operation in operations {
        let name = text(*operation, "Name");
        ensure(names.insert(name) && (!name.is_empty() || operations.len() == 1))?;
        walker.walked.clear();
        walker.operation(*operation)?;
    }
    let used = std::mem::take(&mut walker.used_fragments);
    ensure(
        fragments
            .iter()
            .all(|fragment| used.contains(text(*fragment, "Name"))),
    )?;
    for fragment in fragments {
        walker.walked.clear();
        walker.fragment(*fragment)?;
    }
    walker.fragment_cycles(fragments)
}

pub(super) fn ensure(holds: bool) -> Checked {
    if holds { Ok(()) } else { Err(WRONG) }
}

type Parent<'s, 'r> = Option<&'s TypeDefinition<'r>>;

impl<'s, 'r> Walker<'s, '_, 'r> {
    fn operation(&mut self, operation: Value<'r>) -> Checked {
        let (root, location) = match text(operation, "Operation") {
            "query" | "" => (self.schema.query, "QUERY"),
            "mutation" => (self.schema.mutation, "MUTATION"),
            "subscription" => (self.schema.subscription, "SUBSCRIPTION"),
            _ => return Err(WRONG),
        };
        let root = Some(root.and_then(|id| self.schema.get(id)).ok_or(WRONG)?);
        let variables = list(operation, "VariableDefinitions");
        self.variables = Some(variables);
        self.used_variables.clear();
        let mut names = HashSet::new();
        for variable in variables {
            let name = text(*variable, "Variable");
            ensure(names.insert(name))?;
            if flag(*variable, "Used") {
                self.used_variables.insert(name);
            }
            let variable_type = variable.field("Type").ok_or(WRONG)?;
            let definition = self.schema.named(type_name(variable_type)).ok_or(WRONG)?;
            ensure(definition.is_input())?;
        }
        for variable in variables {
            let variable_type = variable.field("Type").ok_or(WRONG)?;
            if let Some(default) = variable.field("DefaultValue") {
                let has_default = flag(default, "ExpectedTypeHasDefault");
                let definition = self.schema.named(type_name(variable_type));
                self.value(default, Some((variable_type, has_default)), definition)?;
            }
            self.directives(list(*variable, "Directives"), "VARIABLE_DEFINITION")?;
        }
        self.directives(list(operation, "Directives"), location)?;
        let selections = list(operation, "SelectionSet");
        self.selections(root, selections)?;
        self.fields_merge(root, selections)?;
        if location == "SUBSCRIPTION" {
            self.single_field(selections)?;
        }
        ensure(names.iter().all(|name| self.used_variables.contains(name)))?;
        self.variables = None;
        Ok(())
    }

    fn fragment(&mut self, fragment: Value<'r>) -> Checked {
        let definition = self.schema.named(text(fragment, "TypeCondition")).ok_or(WRONG)?;
        ensure(text(fragment, "TypeCondition").is_empty() || definition.is_composite())?;
        self.directives(list(fragment, "Directives"), "FRAGMENT_DEFINITION")?;
        let selections = list(fragment, "SelectionSet");
        self.selections(Some(definition), selections)?;
        self.fields_merge(Some(definition), selections)
    }

    fn selections(&mut self, parent: Parent<'s, 'r>, selections: &'r [Value<'r>]) -> Checked {
        if self.depth >= BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        self.depth += 1;
        for selection in selections {
            charge(self.fuel, 8)?;
            match Selection::of(*selection) {
                Selection::Field => self.field(parent, *selection)?,
                Selection::Inline => self.inline(parent, *selection)?,
                Selection::Spread => self.spread(parent, *selection)?,
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// The type of a field in a type; `None` for a field that is not there. `__typename` is everywhere.
    pub(super) fn field_type(&self, parent: Parent<'s, 'r>, field: Value<'r>) -> Option<FieldType<'r>> {
        match text(field, "Name") {
            "__typename" => Some(FieldType::Typename),
            name => parent?.field(name).map(FieldType::Declared),
        }
    }

    /// The type that the selections of a field are made in.
    pub(super) fn inner_parent(&self, parent: Parent<'s, 'r>, field: Value<'r>) -> Parent<'s, 'r> {
        self.schema.named(self.field_type(parent, field)?.name())
    }

    /// The type that the selections of a fragment in its place are made in.
    pub(super) fn inline_parent(&self, parent: Parent<'s, 'r>, inline: Value<'r>) -> Parent<'s, 'r> {
        match text(inline, "TypeCondition") {
            "" => parent,
            condition => self.schema.named(condition),
        }
    }

    fn field(&mut self, parent: Parent<'s, 'r>, field: Value<'r>) -> Checked {
        let field_type = self.field_type(parent, field);
        let given = list(field, "Arguments");
        let declared = field_type.map_or(&[][..], FieldType::arguments);
        for argument in given {
            self.argument(*argument, named(declared, text(*argument, "Name")))?;
        }
        self.directives(list(field, "Directives"), "FIELD")?;
        let inner = self.inner_parent(parent, field);
        let selections = list(field, "SelectionSet");
        self.selections(inner, selections)?;
        ensure(parent.is_none() || field_type.is_some())?;
        arguments_differ(given)?;
        if field_type.is_some() {
            if parent.is_some() {
                all_known(given, declared)?;
            }
            required_given(given, declared)?;
            if let Some(inner) = inner {
                ensure(inner.is_leaf() == selections.is_empty())?;
            }
        }
        if matches!(text(field, "Name"), "__schema" | "__type") {
            self.introspection(field, 0, &mut HashSet::new())?;
        }
        if self.variables.is_some() {
            self.fields_merge(inner, selections)?;
        }
        Ok(())
    }

    fn inline(&mut self, parent: Parent<'s, 'r>, inline: Value<'r>) -> Checked {
        let inner = self.inline_parent(parent, inline);
        self.directives(list(inline, "Directives"), "INLINE_FRAGMENT")?;
        let selections = list(inline, "SelectionSet");
        self.selections(inner, selections)?;
        let condition = text(inline, "TypeCondition");
        if !condition.is_empty() {
            ensure(inner.is_some_and(TypeDefinition::is_composite))?;
        }
        self.may_apply(parent, condition)?;
        self.fields_merge(inner, selections)
    }

    fn spread(&mut self, parent: Parent<'s, 'r>, spread: Value<'r>) -> Checked {
        let name = text(spread, "Name");
        let fragment = *self.fragments.get(name).ok_or(WRONG)?;
        let condition = text(fragment, "TypeCondition");
        self.directives(list(spread, "Directives"), "FRAGMENT_SPREAD")?;
        if self.walked.insert(name) {
            self.directives(list(fragment, "Directives"), "FRAGMENT_DEFINITION")?;
            self.selections(self.schema.named(condition), list(fragment, "SelectionSet"))?;
        }
        self.used_fragments.insert(name);
        self.may_apply(parent, condition)
    }

    /// Whether some object of the parent type may be of the type of a condition.
    fn may_apply(&mut self, parent: Parent<'s, 'r>, condition: &str) -> Checked {
        let (Some(parent), Some(fragment)) = (parent, self.schema.named(condition)) else {
            return Ok(());
        };
        if !fragment.is_composite() {
            return Ok(());
        }
        let own = [parent.name];
        let parents = match parent.kind {
            "OBJECT" => &own[..],
            "INTERFACE" | "UNION" => self.schema.possible(parent.name),
            _ => return Ok(()),
        };
        let possible = self.schema.possible(fragment.name);
        charge(self.fuel, 1 + possible.len().saturating_mul(parents.len()) / 4)?;
        ensure(possible.iter().any(|name| parents.contains(name)))
    }

    fn directives(&mut self, directives: &'r [Value<'r>], location: &str) -> Checked {
        let mut seen = HashSet::new();
        for directive in directives {
            let name = text(*directive, "Name");
            let definition = *self.schema.directives.get(name).ok_or(WRONG)?;
            let (given, declared) = (list(*directive, "Arguments"), list(definition, "Arguments"));
            for argument in given {
                self.argument(*argument, named(declared, text(*argument, "Name")))?;
            }
            all_known(given, declared)?;
            required_given(given, declared)?;
            arguments_differ(given)?;
            let locations = list(definition, "Locations");
            ensure(locations.iter().any(|known| known.as_str() == Some(location)))?;
            ensure(seen.insert(name) || flag(definition, "IsRepeatable"))?;
        }
        Ok(())
    }

    fn argument(&mut self, argument: Value<'r>, declared: Option<Value<'r>>) -> Checked {
        let value = argument.field("Value").ok_or(WRONG)?;
        let Some(declared) = declared else {
            return self.value(value, None, None);
        };
        let expected = declared.field("Type").ok_or(WRONG)?;
        let definition = self.schema.named(type_name(expected));
        self.value(value, Some((expected, has_default(declared))), definition)
    }

    /// The definition of a variable of the operation.
    pub(super) fn variable(&self, name: &str) -> Option<Value<'r>> {
        let variables = self.variables?;
        variables
            .iter()
            .copied()
            .find(|variable| text(*variable, "Variable") == name)
    }

    /// A variable in the place of a value.
    pub(super) fn use_variable(&mut self, value: Value<'r>, expected: Option<(Value<'r>, bool)>) -> Checked {
        if self.variables.is_none() {
            return Ok(());
        }
        let name = text(value, "Raw");
        charge(self.fuel, self.variables.map_or(0, |all| all.len() / 4))?;
        let variable = self.variable(name).ok_or(WRONG)?;
        self.used_variables.insert(name);
        let Some((expected, has_default)) = expected else {
            return Ok(());
        };
        let own_default = variable.field("DefaultValue");
        let may_be_null = has_default || own_default.is_some_and(|value| value_kind(value) != kind::NULL);
        let given = variable.field("Type").ok_or(WRONG)?;
        let required = flag(expected, "NonNull") && !may_be_null;
        ensure(is_compatible(given, expected, Some(required)))
    }

    /// A subscription selects one field, which is none of introspection.
    fn single_field(&self, selections: &'r [Value<'r>]) -> Checked {
        let (mut names, mut seen) = (HashSet::new(), HashSet::new());
        self.top_fields(selections, &mut names, &mut seen, 0)?;
        ensure(names.len() <= 1 && names.iter().all(|name| !name.starts_with("__")))
    }

    fn top_fields(
        &self,
        selections: &'r [Value<'r>],
        names: &mut HashSet<&'r str>,
        seen: &mut HashSet<&'r str>,
        depth: usize,
    ) -> Checked {
        if depth >= BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        for selection in selections {
            let name = text(*selection, "Name");
            let inner = match Selection::of(*selection) {
                Selection::Field => {
                    names.insert(name);
                    continue;
                }
                Selection::Inline => *selection,
                Selection::Spread if seen.insert(name) => *self.fragments.get(name).ok_or(WRONG)?,
                Selection::Spread => continue,
            };
            self.top_fields(list(inner, "SelectionSet"), names, seen, depth + 1)?;
        }
        Ok(())
    }

    /// Bounds the lists of types within lists of types that a query asks for. `open`: fragments that are being looked at.
    fn introspection(&mut self, node: Value<'r>, lists: usize, open: &mut HashSet<&'r str>) -> Checked {
        charge(self.fuel, 4)?;
        if open.len() + self.depth >= BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        let is_list = Selection::of(node) == Selection::Field
            && matches!(
                text(node, "Name"),
                "fields" | "interfaces" | "possibleTypes" | "inputFields"
            );
        let lists = lists + usize::from(is_list);
        ensure(lists < INTROSPECTION_LISTS_MAX)?;
        self.depth += 1;
        for selection in list(node, "SelectionSet") {
            if Selection::of(*selection) != Selection::Spread {
                self.introspection(*selection, lists, open)?;
                continue;
            }
            let name = text(*selection, "Name");
            if let Some(fragment) = self.fragments.get(name).copied()
                && open.insert(name)
            {
                self.introspection(fragment, lists, open)?;
                open.remove(name);
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn fragment_cycles(&mut self, fragments: &'r [Value<'r>]) -> Checked {
        let (mut done, mut open) = (HashSet::new(), Vec::new());
        for fragment in fragments {
            self.cycle_from(*fragment, &mut done, &mut open)?;
        }
        Ok(())
    }

    fn cycle_from(
        &mut self,
        fragment: Value<'r>,
        done: &mut HashSet<&'r str>,
        open: &mut Vec<&'r str>,
    ) -> Checked {
        let name = text(fragment, "Name");
        if !done.insert(name) {
            return Ok(());
        }
        if open.len() >= BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        open.push(name);
        let mut waiting = vec![list(fragment, "SelectionSet")];
        while let Some(selections) = waiting.pop() {
            for selection in selections {
                charge(self.fuel, 1 + open.len() / 4)?;
                if Selection::of(*selection) != Selection::Spread {
                    waiting.push(list(*selection, "SelectionSet"));
                    continue;
                }
                let spread = text(*selection, "Name");
                ensure(!open.contains(&spread))?;
                if let Some(inner) = self.fragments.get(spread).copied() {
                    self.cycle_from(inner, done, open)?;
                }
            }
        }
        open.pop();
        Ok(())
    }
}

/// The declaration of a field.
#[derive(Clone, Copy)]
pub(super) enum FieldType<'r> {
    Declared(Value<'r>),
    /// `__typename: String`
    Typename,
}

impl<'r> FieldType<'r> {
    fn name(self) -> &'r str {
        match self {
            FieldType::Declared(field) => field.field("Type").map_or("", type_name),
            FieldType::Typename => "String",
        }
    }

    fn arguments(self) -> &'r [Value<'r>] {
        match self {
            FieldType::Declared(field) => list(field, "Arguments"),
            FieldType::Typename => &[],
        }
    }
}

/// Whether an argument or input field has a default other than null.
pub(super) fn has_default(declared: Value<'_>) -> bool {
    let default = declared.field("DefaultValue");
    default.is_some_and(|value| value_kind(value) != kind::NULL)
}

fn all_known(given: &[Value<'_>], declared: &[Value<'_>]) -> Checked {
    let is_known = |argument: &Value<'_>| named(declared, text(*argument, "Name")).is_some();
    ensure(given.iter().all(is_known))
}

fn required_given(given: &[Value<'_>], declared: &[Value<'_>]) -> Checked {
    for argument in declared {
        let is_required = argument.field("Type").is_some_and(|node| flag(node, "NonNull"));
        let is_given = argument.field("DefaultValue").is_some();
        if is_required && !is_given {
            ensure(named(given, text(*argument, "Name")).is_some())?;
        }
    }
    Ok(())
}

fn arguments_differ(given: &[Value<'_>]) -> Checked {
    let mut seen = HashSet::new();
    ensure(given.iter().all(|argument| seen.insert(text(*argument, "Name"))))
}
