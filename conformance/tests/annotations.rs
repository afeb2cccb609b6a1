//! What PORC, scopes, groups and roles say about a principal, over domains and requests from a seed: against a model of the
//! merging written from its description, as a whole and through single members, by policies that read both or members alone.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helpers fail as the test does"
)]

use gavel_compiler::source::SourceMap;
use gavel_compiler::{Options, compile, render};
use gavel_runtime::decision::{Decider, RecordOptions, Settled, Stamp, write_json};
use gavel_runtime::image::Image;
use gavel_runtime::input::Trailing;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::RequestEnv;
use serde_json::{Map, Value, json};

const STAMP: Stamp = Stamp {
    wall_ns: 1_700_000_000_000_000_000,
    random: [0x5a; 16],
};
const ENV: RequestEnv = RequestEnv::timeless(STAMP.wall_ns, 1);

/// Grants if what is read member by member is what is read as a whole, where members have values of all kinds. `note` is a
/// member that nothing reads by its name.
const GATE: &str = r#"
package authz

import rego.v1

default allow := -1

allow := 1 if not differs

said(name) := value if {
	some key, value in input.principal.mannotations
	key == name
} else := "nothing"

differs if object.get(input.principal.mannotations, "list", "nothing") != said("list")

differs if object.get(input.principal.mannotations, "map", "nothing") != said("map")

differs if object.get(input.principal.mannotations, "plain", "nothing") != said("plain")

differs if input.principal.mannotations.map.deep.list != said("map").deep.list

differs if {
	input.principal.mannotations.map.deep.list
	not said("map").deep.list
}

differs if {
	said("map").deep.list
	not input.principal.mannotations.map.deep.list
}
"#;

/// Grants if what is read member by member is what the model says, which the request brings along. Nothing reads the whole.
const MEMBERS: &str = r#"
package authz

import rego.v1

default allow := -1

allow := 1 if not differs

differs if input.principal.mannotations.list != input.context.want.list

differs if {
	input.principal.mannotations.list
	not input.context.want.list
}

differs if {
	input.context.want.list
	not input.principal.mannotations.list
}

differs if input.principal.mannotations.plain != input.context.want.plain

differs if {
	input.principal.mannotations.plain
	not input.context.want.plain
}

differs if {
	input.context.want.plain
	not input.principal.mannotations.plain
}

differs if input.principal.mannotations.map.a != input.context.want.map.a

differs if {
	input.principal.mannotations.map.a
	not input.context.want.map.a
}

differs if {
	input.context.want.map.a
	not input.principal.mannotations.map.a
}

differs if input.principal.mannotations.map.deep.list != input.context.want.map.deep.list

differs if {
	input.principal.mannotations.map.deep.list
	not input.context.want.map.deep.list
}

differs if {
	input.context.want.map.deep.list
	not input.principal.mannotations.map.deep.list
}
"#;

const NAMES: [&str; 4] = ["list", "map", "note", "plain"];
const STRATEGIES: [&str; 6] = ["", "deep", "append", "prepend", "union", "replace"];

/// Numbers by chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }

    fn one<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        list.get(usize::try_from(self.below(list.len() as u64)).unwrap())
            .unwrap()
    }

    fn list(&mut self) -> Value {
        (0..self.below(4)).map(|_| json!(self.below(5))).collect()
    }

    /// Mostly what fits the name, sometimes something of another kind.
    fn value(&mut self, name: &str) -> Value {
        let kind = match self.below(6) {
            0 => *self.one(&NAMES),
            _ => name,
        };
        match kind {
            "list" => self.list(),
            "map" => {
                let mut map = Map::new();
                for key in ["a", "b"] {
                    if self.below(2) == 0 {
                        map.insert(key.to_owned(), json!(self.below(9)));
                    }
                }
                if self.below(2) == 0 {
                    map.insert(
                        "deep".to_owned(),
                        json!({"list": self.list(), "n": self.below(9)}),
                    );
                }
                Value::Object(map)
            }
            _ => json!(format!("t{}", self.below(9))),
        }
    }

    fn annotations(&mut self) -> Vec<Annotation> {
        let named = NAMES.map(|name| (name, self.below(3) > 0));
        let named = named.into_iter().filter(|(_, is_said)| *is_said);
        named
            .map(|(name, _)| {
                let value = self.value(name);
                let strategy = *self.one(&STRATEGIES);
                Annotation {
                    name,
                    value,
                    strategy,
                }
            })
            .collect()
    }

    /// Names of a list, some repeated, some unknown.
    fn names(&mut self, known: &[Subject]) -> Vec<String> {
        let count = self.below(4);
        let mut name = || match self.below(8) {
            0 => "mrn:nobody".to_owned(),
            _ => self.one(known).mrn.clone(),
        };
        (0..count).map(|_| name()).collect()
    }
}

struct Annotation {
    name: &'static str,
    value: Value,
    strategy: &'static str,
}

struct Subject {
    mrn: String,
    /// Of a group.
    roles: Vec<String>,
    annotations: Vec<Annotation>,
}

struct Domain {
    roles: Vec<Subject>,
    groups: Vec<Subject>,
    scopes: Vec<Subject>,
}

impl Domain {
    fn by(chance: &mut Chance) -> Domain {
        let mut subjects = |kind: &str, roles: &[Subject]| -> Vec<Subject> {
            let subject = |at: u32| {
                let count = if roles.is_empty() { 0 } else { chance.below(4) };
                Subject {
                    mrn: format!("mrn:iam:{kind}:{at}"),
                    roles: (0..count).map(|_| chance.one(roles).mrn.clone()).collect(),
                    annotations: chance.annotations(),
                }
            };
            (0..3).map(subject).collect()
        };
        let roles = subjects("role", &[]);
        Domain {
            groups: subjects("group", &roles),
            scopes: subjects("scope", &[]),
            roles,
        }
    }

    /// JSON is YAML.
    fn text(&self, gate: &str) -> String {
        let annotations = |subject: &Subject| -> Value {
            let one =
                |said: &Annotation| json!({"name": said.name, "value": said.value, "merge": said.strategy});
            subject.annotations.iter().map(one).collect()
        };
        let asked = |subjects: &[Subject]| -> Value {
            let one = |s: &Subject| json!({"mrn": s.mrn, "name": s.mrn, "policy": "mrn:policy:gate", "annotations": annotations(s)});
            subjects.iter().map(one).collect()
        };
        let group = |s: &Subject| json!({"mrn": s.mrn, "name": s.mrn, "roles": s.roles, "annotations": annotations(s)});
        json!({
            "apiVersion": "iamlite.manetu.io/v1beta1",
            "kind": "PolicyDomain",
            "metadata": {"name": "said"},
            "spec": {
                "policies": [{"mrn": "mrn:policy:gate", "name": "gate", "rego": gate}],
                "roles": asked(&self.roles),
                "groups": self.groups.iter().map(group).collect::<Value>(),
                "scopes": asked(&self.scopes),
                "operations": [{"name": "all", "selector": [".*"], "policy": "mrn:policy:gate"}],
            },
        })
        .to_string()
    }

    fn image(&self, gate: &str) -> Image {
        let mut sources = SourceMap::default();
        let file = sources.add_file("said.yml", &self.text(gate));
        match compile(&mut sources, &[file], &Options::default()) {
            Ok(compiled) => compiled.image,
            Err(problems) => panic!("{}", render::text(&sources, &problems)),
        }
    }

    /// What is said about a principal, by the description: PORC over scopes over groups over roles.
    fn said(&self, principal: &Value) -> Value {
        let names = |list: &str| -> Vec<String> {
            let list = principal.get(list).and_then(Value::as_array);
            let texts = list.into_iter().flatten().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        };
        let of = |subjects: &'_ [Subject], mrn: &str| subjects.iter().position(|s| s.mrn == mrn);
        let groups = names("mgroups");
        let groups = groups
            .iter()
            .filter_map(|mrn| self.groups.get(of(&self.groups, mrn)?));
        let mut roles = names("mroles");
        roles.extend(groups.clone().flat_map(|group| group.roles.clone()));
        let mut once = Vec::new();
        for mrn in roles {
            if !once.contains(&mrn) {
                once.push(mrn);
            }
        }
        let scopes = names("scopes");
        let scopes = scopes
            .iter()
            .filter_map(|mrn| self.scopes.get(of(&self.scopes, mrn)?));
        let roles = once
            .iter()
            .filter_map(|mrn| self.roles.get(of(&self.roles, mrn)?));
        let mut said: Map<String, Value> = Map::new();
        let mut strategies: Map<String, Value> = Map::new();
        if let Some(Value::Object(sent)) = principal.get("mannotations") {
            said.clone_from(sent);
        }
        for subject in scopes.chain(groups).chain(roles) {
            for lower in &subject.annotations {
                let name = lower.name.to_owned();
                let Some(higher) = said.get(&name) else {
                    said.insert(name.clone(), lower.value.clone());
                    strategies.insert(name, json!(lower.strategy));
                    continue;
                };
                let own = strategies.get(&name).and_then(Value::as_str).unwrap_or("");
                let strategy = if own.is_empty() { lower.strategy } else { own };
                let value = merged(strategy, &lower.value, higher);
                said.insert(name, value);
            }
        }
        Value::Object(said)
    }
}

fn merged(strategy: &str, lower: &Value, higher: &Value) -> Value {
    match (lower, higher, strategy) {
        (Value::Array(_), Value::Array(_), "replace") | (Value::Object(_), Value::Object(_), "replace") => {
            higher.clone()
        }
        (Value::Array(low), Value::Array(high), "prepend") => low.iter().chain(high).cloned().collect(),
        (Value::Array(low), Value::Array(high), "union") => {
            let mut all: Vec<Value> = Vec::new();
            for item in high.iter().chain(low) {
                if !all.contains(item) {
                    all.push(item.clone());
                }
            }
            Value::Array(all)
        }
        (Value::Array(low), Value::Array(high), _) => high.iter().chain(low).cloned().collect(),
        (Value::Object(low), Value::Object(high), "append" | "prepend") => {
            let (under, over) = if strategy == "append" {
                (low, high)
            } else {
                (high, low)
            };
            let mut all = under.clone();
            all.extend(over.clone());
            Value::Object(all)
        }
        (Value::Object(low), Value::Object(high), _) => {
            let mut all = low.clone();
            for (key, value) in high {
                let value = match low.get(key) {
                    Some(lower) => merged("deep", lower, value),
                    None => value.clone(),
                };
                all.insert(key.clone(), value);
            }
            Value::Object(all)
        }
        (Value::Array(_) | Value::Object(_), _, _) | (_, Value::Array(_) | Value::Object(_), _) => {
            higher.clone()
        }
        (_, _, "prepend") => lower.clone(),
        _ => higher.clone(),
    }
}

/// One request to a domain: its policy finds no difference, and the record shows what the model says.
#[track_caller]
fn check(domain: &Domain, image: &Image, decider: &mut Decider, principal: &Value) {
    let want = domain.said(principal);
    let context = json!({ "want": want });
    let body = json!({"principal": principal, "operation": "read", "resource": "mrn:a", "context": context});
    let body = body.to_string();
    let mut frame = Vec::new();
    let decision = decider
        .decide(image, body.as_bytes(), Trailing::Ignore, &ENV)
        .unwrap();
    assert_eq!(
        decision.settled,
        Settled::Grant(1),
        "{body}\n{}",
        domain.text(GATE)
    );
    decision.encode(body.as_bytes(), STAMP, &mut frame);
    let mut line = Vec::new();
    assert!(write_json(
        image,
        &frame,
        &RecordOptions::default(),
        decider,
        &mut line
    ));
    let record: Value = serde_json::from_slice(&line).unwrap();
    let shown = record.pointer("/porc/principal/mannotations").unwrap();
    assert_eq!(*shown, want, "{body}\n{}", domain.text(GATE));
}

#[test]
fn members_the_whole_and_the_model_agree() {
    let mut chance = Chance(11);
    // One decider goes from image to image, which have the same names for different things.
    let domains: Vec<_> = (0..12).map(|_| Domain::by(&mut chance)).collect();
    let images: Vec<_> = domains
        .iter()
        .map(|domain| [GATE, MEMBERS].map(|gate| domain.image(gate)))
        .collect();
    let caches = |images: &[Image; 2]| images.each_ref().map(Image::selector_caches);
    let mut caches: Vec<_> = images.iter().map(caches).collect();
    let mut decider = Decider::new(images.first().unwrap().first().unwrap(), &Limits::DEFAULT);
    for _ in 0..40 {
        for ((domain, images), caches) in domains.iter().zip(&images).zip(&mut caches) {
            let mut principal = json!({
                "sub": "ann",
                "mroles": chance.names(&domain.roles),
                "mgroups": chance.names(&domain.groups),
                "scopes": chance.names(&domain.scopes),
            });
            let members = principal.as_object_mut().unwrap();
            match chance.below(4) {
                0 => {}
                1 => _ = members.insert("mannotations".to_owned(), json!("none")),
                _ => {
                    let sent = chance.annotations().into_iter();
                    let sent: Map<_, _> = sent.map(|said| (said.name.to_owned(), said.value)).collect();
                    members.insert("mannotations".to_owned(), Value::Object(sent));
                }
            }
            let mut reversed = principal.clone();
            // The same names in another order.
            for list in ["mroles", "mgroups", "scopes"] {
                let names = reversed.get_mut(list).and_then(Value::as_array_mut);
                names.unwrap().reverse();
            }
            for (image, caches) in images.iter().zip(caches) {
                decider.exchange(caches);
                // What is asked for again and again is remembered.
                for principal in [&principal, &reversed] {
                    for _ in 0..3 {
                        check(domain, image, &mut decider, principal);
                    }
                }
                decider.exchange(caches);
            }
        }
    }
}
