//! Documents → [`Schema`]: one function for the keywords of each kind, in the order in which gojsonschema looks at them,
//! since the first mistake is the one that is told.

use super::bounds::{Keywords, numbers, sizes, types};
use super::documents::{Document, Documents, Draft, Fault, draft_of};
use super::formats::Format;
use super::keywords::{count, invalid_type, list, must_be, not_greater, shared_text, text};
use super::reference::Reference;
use super::schema::{
    Arrays, Choices, Combined, Common, Dependency, Items, Node, NodeId, Objects, PatternId, Rest, Rules,
    Schema, Searcher, Strings,
};
use super::values::write_normal;
use crate::arena::Arena;
use crate::builtins::caches::regex_price;
use crate::builtins::call::charge;
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::re2::{self, Re2ErrorKind};
use crate::value::{Kind, Object, Value};
use std::collections::HashMap;

/// Parts of one schema, some hundred bytes each.
const NODES_MAX: usize = 1 << 16;
/// Fuel for a part: it is read, allocated and freed.
const NODE_FUEL: usize = 64;
/// Bytes of the compiled patterns of one schema, and of one pattern.
const PATTERN_BYTES_MAX: usize = 8 << 20;
const ONE_PATTERN_BYTES_MAX: usize = 1 << 20;

/// Compiles a document that was just parsed.
pub(super) fn compile<'r>(arena: &'r Arena, fuel: &mut u64, document: Value<'r>) -> Result<Schema, Fault> {
    let documents = Documents::of(arena, fuel, document)?;
    let mut compiler = Compiler {
        documents,
        nodes: Vec::new(),
        patterns: Vec::new(),
        pattern_ids: HashMap::new(),
        pattern_bytes: 0,
        by_reference: HashMap::new(),
        depth: 0,
    };
    let draft = draft_of(document)?.unwrap_or(Draft::Hybrid);
    let root = compiler.schema(document, draft)?;
    Ok(Schema {
        nodes: compiler.nodes,
        root,
        patterns: compiler.patterns,
    })
}

struct Compiler<'c, 'r> {
    documents: Documents<'c, 'r>,
    nodes: Vec<Node>,
    patterns: Vec<Searcher>,
    pattern_ids: HashMap<Box<str>, PatternId>,
    pattern_bytes: usize,
    /// What references lead to, compiled or being compiled.
    by_reference: HashMap<String, NodeId>,
    depth: usize,
}

impl<'r> Compiler<'_, 'r> {
    fn schema(&mut self, value: Value<'r>, draft: Draft) -> Result<NodeId, Fault> {
        let id = self.reserve()?;
        self.fill(id, value, draft)?;
        Ok(id)
    }

    fn reserve(&mut self) -> Result<NodeId, Fault> {
        charge(self.documents.fuel, NODE_FUEL)?;
        if self.nodes.len() >= NODES_MAX {
            return Err(EvalErrorKind::ArenaExhausted.into());
        }
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node::Pending);
        Ok(id)
    }

    fn fill(&mut self, id: NodeId, value: Value<'r>, draft: Draft) -> Result<(), Fault> {
        if self.depth > BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        self.depth += 1;
        let node = self.node(value, draft)?;
        self.depth -= 1;
        if let Some(place) = self.nodes.get_mut(id.0 as usize) {
            *place = node;
        }
        Ok(())
    }

    fn node(&mut self, value: Value<'r>, draft: Draft) -> Result<Node, Fault> {
        if let Kind::Bool(value) = value.kind()
            && draft >= Draft::Draft6
        {
            return Ok(Node::Boolean(value));
        }
        let Kind::Object(members) = value.kind() else {
            return Err("Expected: Valid Schema, given: Invalid JSON".to_owned().into());
        };
        let keywords = Keywords { value, draft };
        self.identity(keywords)?;
        let mut referred = None;
        if let Some(written) = text(value, "$ref")? {
            let reference = self.documents.meaning(members, written)?;
            match self.by_reference.get(&reference.text()) {
                Some(id) => referred = Some(*id),
                None => return Ok(Node::Reference(self.reference(&reference, draft)?)),
            }
        }
        let rules = self.rules(keywords)?;
        Ok(match referred {
            Some(id) => Node::Reference(id),
            None => Node::Rules(Box::new(rules)),
        })
    }

    /// Keywords that name things.
    fn identity(&mut self, keywords: Keywords<'r>) -> Result<(), Fault> {
        let key = match keywords.draft {
            Draft::Draft4 => "id",
            Draft::Hybrid if keywords.get("id").is_some() => "id",
            Draft::Hybrid | Draft::Draft6 | Draft::Draft7 => "$id",
        };
        if let Some(id) = text(keywords.value, key)? {
            Reference::parse(id)?;
        }
        if let Some(definitions) = keywords.get("definitions") {
            let Kind::Object(definitions) = definitions.kind() else {
                return Err(invalid_type("Array Of Schemas", "definitions"));
            };
            for definition in definitions {
                if !matches!(definition.value.kind(), Kind::Bool(_) | Kind::Object(_)) {
                    return Err(invalid_type("Array Of Schemas", "definitions"));
                }
                self.schema(definition.value, keywords.draft)?;
            }
        }
        text(keywords.value, "title")?;
        text(keywords.value, "description")?;
        Ok(())
    }

    fn reference(&mut self, reference: &Reference, draft: Draft) -> Result<NodeId, Fault> {
        let id = self.reserve()?;
        self.by_reference.insert(reference.text(), id);
        let Document { value, draft: own } = self.documents.get(reference)?;
        if !matches!(value.kind(), Kind::Bool(_) | Kind::Object(_)) {
            return Err("Valid Schema must be of type object".to_owned().into());
        }
        self.fill(id, value, own.unwrap_or(draft))?;
        Ok(id)
    }

    fn rules(&mut self, keywords: Keywords<'r>) -> Result<Rules, Fault> {
        let types = types(keywords)?;
        let (mut objects, mut combined) = (Objects::default(), Combined::default());
        self.members(keywords, &mut objects, &mut combined)?;
        let mut arrays = Arrays::default();
        self.items(keywords, &mut arrays)?;
        let numbers = numbers(keywords)?;
        let strings = self.strings(keywords)?;
        let format = text(keywords.value, "format")?;
        sizes(keywords, &mut objects, &mut arrays)?;
        self.contains(keywords, &mut arrays)?;
        let common = self.common(keywords, format)?;
        self.combined(keywords, &mut combined)?;
        let used = |is_used: bool| is_used.then_some(());
        Ok(Rules {
            types,
            combined: used(!combined.is_empty()).map(|()| Box::new(combined)),
            numbers: numbers.map(Box::new),
            common: common.map(Box::new),
            strings: strings.map(Box::new),
            arrays: used(!arrays.is_empty()).map(|()| Box::new(arrays)),
            objects: used(!objects.is_empty()).map(|()| Box::new(objects)),
        })
    }

    /// Keywords about the members of objects.
    fn members(
        &mut self,
        keywords: Keywords<'r>,
        objects: &mut Objects,
        combined: &mut Combined,
    ) -> Result<(), Fault> {
        let draft = keywords.draft;
        if let Some(properties) = keywords.get("properties") {
            let Kind::Object(properties) = properties.kind() else {
                return Err("Properties must be of type object".to_owned().into());
            };
            for property in properties {
                let schema = self.schema(property.value, draft)?;
                objects.properties.push((shared_text(property.key), schema));
            }
        }
        objects.additional = self.rest(keywords, "additionalProperties")?;
        if let Some(patterns) = keywords.get("patternProperties") {
            let Kind::Object(patterns) = patterns.kind() else {
                return Err(invalid_type("Valid Schema", "patternProperties"));
            };
            for entry in patterns {
                let pattern = entry.key.as_str().unwrap_or_default();
                let Some(id) = self.pattern(pattern)? else {
                    return Err(format!("Invalid regex pattern '{pattern}'").into());
                };
                let schema = self.schema(entry.value, draft)?;
                objects.patterns.push((id, schema));
            }
        }
        if let Some(names) = keywords.get("propertyNames")
            && draft >= Draft::Draft6
        {
            if !matches!(names.kind(), Kind::Bool(_) | Kind::Object(_)) {
                return Err(invalid_type("Valid Schema", "patternProperties"));
            }
            objects.names = Some(self.schema(names, draft)?);
        }
        if let Some(dependencies) = keywords.get("dependencies") {
            let Kind::Object(dependencies) = dependencies.kind() else {
                return Err("dependencies must be of type object".to_owned().into());
            };
            self.dependencies(dependencies, draft, combined)?;
        }
        Ok(())
    }

    fn dependencies(
        &mut self,
        dependencies: Object<'r>,
        draft: Draft,
        combined: &mut Combined,
    ) -> Result<(), Fault> {
        let wrong = || Fault::Schema("Dependency must be of type Schema Or Array Of Strings".to_owned());
        for entry in dependencies {
            let dependency = match entry.value.kind() {
                Kind::Array(members) => {
                    let names: Option<Vec<Box<str>>> =
                        members.iter().map(|name| name.as_str().map(Box::from)).collect();
                    Dependency::Members(names.ok_or_else(wrong)?)
                }
                Kind::Bool(_) | Kind::Object(_) => Dependency::Schema(self.schema(entry.value, draft)?),
                _ => return Err(wrong()),
            };
            combined.dependencies.push((shared_text(entry.key), dependency));
        }
        Ok(())
    }

    fn items(&mut self, keywords: Keywords<'r>, arrays: &mut Arrays) -> Result<(), Fault> {
        let wrong = || invalid_type("Valid Schema/Array Of Schemas", "items");
        if let Some(items) = keywords.get("items") {
            arrays.items = match items.kind() {
                Kind::Array(items) => {
                    let mut first = Vec::with_capacity(items.len());
                    for item in items {
                        if !matches!(item.kind(), Kind::Bool(_) | Kind::Object(_)) {
                            return Err(wrong());
                        }
                        first.push(self.schema(*item, keywords.draft)?);
                    }
                    Items::First(first)
                }
                Kind::Bool(_) | Kind::Object(_) => Items::Each(self.schema(items, keywords.draft)?),
                _ => return Err(wrong()),
            };
        }
        arrays.additional = self.rest(keywords, "additionalItems")?;
        Ok(())
    }

    fn rest(&mut self, keywords: Keywords<'r>, key: &'static str) -> Result<Rest, Fault> {
        let Some(value) = keywords.get(key) else {
            return Ok(Rest::Unsaid);
        };
        match value.kind() {
            Kind::Bool(allowed) => Ok(Rest::Allowed(allowed)),
            Kind::Object(_) => Ok(Rest::Schema(self.schema(value, keywords.draft)?)),
            _ => Err(invalid_type("boolean/Valid Schema", key)),
        }
    }

    fn strings(&mut self, keywords: Keywords<'r>) -> Result<Option<Strings>, Fault> {
        let min_length = count(keywords.value, "minLength")?;
        let max_length = count(keywords.value, "maxLength")?;
        not_greater(("minLength", min_length), ("maxLength", max_length))?;
        let pattern = match text(keywords.value, "pattern")? {
            Some(pattern) => match self.pattern(pattern)? {
                Some(id) => Some((id, Box::from(pattern))),
                None => return Err("pattern must be a valid regex".to_owned().into()),
            },
            None => None,
        };
        let is_used = min_length.is_some() || max_length.is_some() || pattern.is_some();
        Ok(is_used.then_some(Strings {
            min_length,
            max_length,
            pattern,
        }))
    }

    /// A regular expression; `None` for what is none.
    fn pattern(&mut self, pattern: &str) -> Result<Option<PatternId>, Fault> {
        if let Some(id) = self.pattern_ids.get(pattern) {
            return Ok(Some(*id));
        }
        charge(self.documents.fuel, regex_price(pattern))?;
        let bytes_max = ONE_PATTERN_BYTES_MAX.min(PATTERN_BYTES_MAX.saturating_sub(self.pattern_bytes));
        let compiled = match re2::compile_within(pattern, bytes_max) {
            Ok(compiled) => compiled,
            // Memory is our bound, not a property of the pattern.
            Err(error) if error.kind == Re2ErrorKind::Large => {
                return Err(EvalErrorKind::ArenaExhausted.into());
            }
            Err(_) => return Ok(None),
        };
        self.pattern_bytes += compiled.memory_bytes();
        let id = PatternId(self.patterns.len() as u32);
        self.patterns.push(Searcher {
            cache: compiled.create_cache(),
            pattern: compiled,
        });
        self.pattern_ids.insert(pattern.into(), id);
        Ok(Some(id))
    }

    fn contains(&mut self, keywords: Keywords<'r>, arrays: &mut Arrays) -> Result<(), Fault> {
        if let Some(contains) = keywords.get("contains")
            && keywords.draft >= Draft::Draft6
        {
            arrays.contains = Some(self.schema(contains, keywords.draft)?);
        }
        Ok(())
    }

    fn common(&mut self, keywords: Keywords<'r>, format: Option<&str>) -> Result<Option<Common>, Fault> {
        let constant = match keywords.get("const") {
            Some(value) if keywords.draft >= Draft::Draft6 => Some(self.normal(value)?),
            _ => None,
        };
        let choices = match list(keywords.value, "enum")? {
            Some(values) => {
                let mut texts: Vec<Box<str>> = Vec::with_capacity(values.len());
                for value in values {
                    charge(self.documents.fuel, 1 + texts.len() / 8)?;
                    let text = self.normal(*value)?;
                    if texts.contains(&text) {
                        return Err("enum items must be unique".to_owned().into());
                    }
                    texts.push(text);
                }
                let shown = texts.join(", ").into();
                Some(Choices { texts, shown })
            }
            None => None,
        };
        let format = format.and_then(|name| Format::find(name).map(|format| (format, Box::from(name))));
        let is_used = constant.is_some() || choices.is_some() || format.is_some();
        Ok(is_used.then_some(Common {
            constant,
            choices,
            format,
        }))
    }

    fn normal(&mut self, value: Value<'r>) -> Result<Box<str>, Fault> {
        let mut out = Vec::new();
        if let Err(failure) = write_normal(&mut out, value) {
            return Err(match failure {
                crate::builtins::Failure::Abort(_) => failure.into(),
                crate::builtins::Failure::Error(_) => {
                    Fault::Schema("json: cannot unmarshal number into Go value of type float64".to_owned())
                }
            });
        }
        charge(self.documents.fuel, out.len())?;
        Ok(String::from_utf8_lossy(&out).into())
    }

    fn combined(&mut self, keywords: Keywords<'r>, combined: &mut Combined) -> Result<(), Fault> {
        combined.one_of = self.alternatives(keywords, "oneOf")?;
        combined.any_of = self.alternatives(keywords, "anyOf")?;
        combined.all_of = self.alternatives(keywords, "allOf")?;
        combined.not = self.single(keywords, "not")?;
        if keywords.draft >= Draft::Draft7 {
            combined.condition = self.single(keywords, "if")?;
            combined.then = self.single(keywords, "then")?;
            combined.otherwise = self.single(keywords, "else")?;
        }
        Ok(())
    }

    fn alternatives(&mut self, keywords: Keywords<'r>, key: &'static str) -> Result<Vec<NodeId>, Fault> {
        let mut schemas = Vec::new();
        for value in list(keywords.value, key)?.unwrap_or_default() {
            schemas.push(self.schema(*value, keywords.draft)?);
        }
        Ok(schemas)
    }

    fn single(&mut self, keywords: Keywords<'r>, key: &'static str) -> Result<Option<NodeId>, Fault> {
        let Some(value) = keywords.get(key) else {
            return Ok(None);
        };
        match value.kind() {
            Kind::Bool(_) | Kind::Object(_) => Ok(Some(self.schema(value, keywords.draft)?)),
            _ => Err(must_be(key, "an object")),
        }
    }
}
