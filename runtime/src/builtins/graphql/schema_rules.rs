//! What must hold in a schema.

use super::tree::{Checked, WRONG, flag, kind, list, named, text, type_name, value_kind};
use super::types::{Schema, TypeDefinition};
use crate::builtins::call::charge;
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::value::Value;
use std::collections::HashSet;

/// Checks types and directives.
pub(super) fn check<'r>(schema: &Schema<'r>, fuel: &mut u64) -> Checked {
    for definition in schema.types() {
        charge(fuel, 1 + definition.fields.len())?;
        type_definition(schema, definition, fuel)?;
    }
    input_cycles(schema)?;
    for (name, directive) in &schema.directives {
        not_reserved(name)?;
        arguments(schema, list(*directive, "Arguments"), Some(name))?;
    }
    Ok(())
}

/// The directives of a schema definition or of an extension of it.
pub(super) fn schema_directives(schema: &Schema<'_>, node: Value<'_>) -> Checked {
    directives(schema, list(node, "Directives"), Place::single("SCHEMA"))
}

/// Where directives stand.
#[derive(Clone, Copy)]
struct Place<'p> {
    location: &'p str,
    /// The directive whose definition this is.
    within: Option<&'p str>,
    /// They were all written at one place, and not some in extensions.
    single: bool,
}

impl<'p> Place<'p> {
    fn single(location: &'p str) -> Place<'p> {
        Place {
            location,
            within: None,
            single: true,
        }
    }
}

fn ensure(holds: bool) -> Checked {
    if holds { Ok(()) } else { Err(WRONG) }
}

/// Names with two underscores belong to the specification.
fn not_reserved(name: &str) -> Checked {
    ensure(!name.starts_with("__"))
}

fn all_different<'t>(names: impl Iterator<Item = &'t str>) -> bool {
    let mut seen = HashSet::new();
    names.into_iter().all(|name| seen.insert(name))
}

fn type_definition<'r>(schema: &Schema<'r>, definition: &TypeDefinition<'r>, fuel: &mut u64) -> Checked {
    let is_input = definition.kind == "INPUT_OBJECT";
    let location = if is_input {
        "INPUT_FIELD_DEFINITION"
    } else {
        "FIELD_DEFINITION"
    };
    for field in &definition.fields {
        not_reserved(text(*field, "Name"))?;
        let field_type = schema.named(type_name(part(*field, "Type")?)).ok_or(WRONG)?;
        arguments(schema, list(*field, "Arguments"), None)?;
        directives(schema, list(*field, "Directives"), Place::single(location))?;
        match definition.kind {
            "OBJECT" | "INTERFACE" => ensure(field_type.kind != "INPUT_OBJECT")?,
            "INPUT_OBJECT" => ensure(field_type.is_input())?,
            _ => {}
        }
    }
    for name in &definition.types {
        ensure(schema.named(name).is_some_and(|member| member.kind == "OBJECT"))?;
    }
    for interface in &definition.interfaces {
        implements(schema, definition, interface, fuel)?;
    }
    match definition.kind {
        "OBJECT" | "INTERFACE" | "INPUT_OBJECT" => ensure(!definition.fields.is_empty())?,
        "ENUM" => ensure(!definition.enum_values.is_empty())?,
        _ => {}
    }
    if definition.kind == "ENUM" {
        for value in &definition.enum_values {
            ensure(!matches!(text(*value, "Name"), "true" | "false" | "null"))?;
            directives(schema, list(*value, "Directives"), Place::single("ENUM_VALUE"))?;
        }
    }
    ensure(all_different(
        definition.fields.iter().map(|field| text(*field, "Name")),
    ))?;
    ensure(all_different(
        definition.enum_values.iter().map(|value| text(*value, "Name")),
    ))?;
    ensure(all_different(definition.types.iter().copied()))?;
    if !definition.built_in {
        not_reserved(definition.name)?;
    }
    let place = Place {
        single: false,
        ..Place::single(definition.kind)
    };
    directives(schema, &definition.directives, place)
}

/// A member that a tree of a text always has.
fn part<'r>(node: Value<'r>, key: &str) -> Checked<Value<'r>> {
    node.field(key).ok_or(WRONG)
}

fn arguments<'r>(schema: &Schema<'r>, arguments: &[Value<'r>], within: Option<&str>) -> Checked {
    for argument in arguments {
        not_reserved(text(*argument, "Name"))?;
        let argument_type = schema.named(type_name(part(*argument, "Type")?)).ok_or(WRONG)?;
        ensure(argument_type.is_input())?;
        let place = Place {
            within,
            ..Place::single("ARGUMENT_DEFINITION")
        };
        directives(schema, list(*argument, "Directives"), place)?;
    }
    Ok(())
}

fn directives(schema: &Schema<'_>, used: &[Value<'_>], place: Place<'_>) -> Checked {
    let mut seen = HashSet::new();
    for directive in used {
        let name = text(*directive, "Name");
        not_reserved(name)?;
        ensure(place.within != Some(name))?;
        let definition = *schema.directives.get(name).ok_or(WRONG)?;
        let is_new = seen.insert(name);
        ensure(is_new || !place.single || flag(definition, "IsRepeatable"))?;
        let locations = list(definition, "Locations");
        ensure(
            locations
                .iter()
                .any(|location| location.as_str() == Some(place.location)),
        )?;
        let (given, declared) = (list(*directive, "Arguments"), list(definition, "Arguments"));
        for argument in given {
            ensure(named(declared, text(*argument, "Name")).is_some())?;
        }
        for argument in declared {
            let is_required = flag(part(*argument, "Type")?, "NonNull");
            if is_required && argument.field("DefaultValue").is_none() {
                let given = named(given, text(*argument, "Name")).ok_or(WRONG)?;
                ensure(value_kind(part(given, "Value")?) != kind::NULL)?;
            }
        }
    }
    Ok(())
}

fn implements<'r>(
    schema: &Schema<'r>,
    definition: &TypeDefinition<'r>,
    name: &str,
    fuel: &mut u64,
) -> Checked {
    let interface = schema.named(name).ok_or(WRONG)?;
    ensure(interface.kind == "INTERFACE")?;
    for required in &interface.fields {
        let found = definition.field(text(*required, "Name")).ok_or(WRONG)?;
        let candidates = schema.possible(type_name(part(*required, "Type")?));
        charge(fuel, 1 + candidates.len() / 4)?;
        ensure(is_covariant(
            schema,
            part(*required, "Type")?,
            part(found, "Type")?,
        ))?;
        let (wanted, given) = (list(*required, "Arguments"), list(found, "Arguments"));
        for argument in wanted {
            let found = named(given, text(*argument, "Name")).ok_or(WRONG)?;
            ensure(is_compatible(
                part(*argument, "Type")?,
                part(found, "Type")?,
                None,
            ))?;
        }
        for argument in given {
            let is_required =
                flag(part(*argument, "Type")?, "NonNull") && argument.field("DefaultValue").is_none();
            ensure(!is_required || named(wanted, text(*argument, "Name")).is_some())?;
        }
    }
    let has = |name: &&str| definition.interfaces.contains(name);
    ensure(interface.interfaces.iter().all(has))
}

/// Whether a field of the type `actual` may stand for one of the type `required`.
fn is_covariant(schema: &Schema<'_>, required: Value<'_>, actual: Value<'_>) -> bool {
    if flag(required, "NonNull") && !flag(actual, "NonNull") {
        return false;
    }
    match (
        text(required, "NamedType"),
        required.field("Elem"),
        actual.field("Elem"),
    ) {
        ("", Some(required), Some(actual)) => is_covariant(schema, required, actual),
        ("", ..) => false,
        (name, ..) => {
            let actual = text(actual, "NamedType");
            name == actual || schema.possible(name).contains(&actual)
        }
    }
}

/// Whether a value of one type may be used where another is expected; `required` replaces what the other says about null.
pub(super) fn is_compatible(given: Value<'_>, expected: Value<'_>, required: Option<bool>) -> bool {
    if text(given, "NamedType") != text(expected, "NamedType") {
        return false;
    }
    let elements_fit = match (given.field("Elem"), expected.field("Elem")) {
        (Some(given), Some(expected)) => is_compatible(given, expected, None),
        (Some(_), None) => false,
        (None, _) => true,
    };
    let required = required.unwrap_or_else(|| flag(expected, "NonNull"));
    elements_fit && (!required || flag(given, "NonNull"))
}

/// Refuses input objects that contain themselves through fields that must be there.
fn input_cycles(schema: &Schema<'_>) -> Checked {
    let (mut done, mut path) = (HashSet::new(), Vec::new());
    for definition in schema.types() {
        if definition.kind == "INPUT_OBJECT" {
            cycle_from(schema, definition, &mut done, &mut path)?;
        }
    }
    Ok(())
}

fn cycle_from<'s>(
    schema: &'s Schema<'_>,
    definition: &'s TypeDefinition<'_>,
    done: &mut HashSet<&'s str>,
    path: &mut Vec<&'s str>,
) -> Checked {
    if !done.insert(definition.name) {
        return Ok(());
    }
    if path.len() >= BUILTIN_DEPTH_MAX {
        return Err(EvalErrorKind::DepthExceeded.into());
    }
    path.push(definition.name);
    for field in &definition.fields {
        let field_type = part(*field, "Type")?;
        let name = text(field_type, "NamedType");
        if !flag(field_type, "NonNull") || name.is_empty() {
            continue;
        }
        if let Some(inner) = schema.named(name)
            && inner.kind == "INPUT_OBJECT"
        {
            ensure(!path.contains(&inner.name))?;
            cycle_from(schema, inner, done, path)?;
        }
    }
    path.pop();
    Ok(())
}
