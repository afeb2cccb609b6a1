//! The engine in process: where records go, what a resolver's answers become, and what happens when a record is lost.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use gavel_compiler::source::SourceMap;
use gavel_compiler::{Options, compile};
use gavel_runtime::decision::{RecordOptions, Resolution, ResourceFacts};
use gavel_runtime::embed::{Engine, JsonRecords, Moment, PorcBuilder, Record};
use gavel_runtime::image::Image;
use gavel_runtime::value::Constant;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

const DOMAIN: &str = r#"
apiVersion: iamlite.manetu.io/v1beta1
kind: PolicyDomain
metadata: {name: shelf}
spec:
  policies:
    - mrn: "mrn:shelf:policy:open"
      name: open
      rego: |
        package authz
        default allow = 0
    - mrn: "mrn:shelf:policy:yes"
      name: "yes"
      rego: |
        package authz
        default allow = true
    - mrn: "mrn:shelf:policy:own"
      name: own
      rego: |
        package authz
        default allow = false
        allow { input.resource.owner == input.principal.sub; input.resource.annotations.shelf > 1.5; not input.resource.annotations.kept }
  roles:
    - {mrn: "mrn:shelf:role:r", name: r, policy: "mrn:shelf:policy:yes"}
  resource-groups:
    - {mrn: "mrn:shelf:resource-group:own", name: own, policy: "mrn:shelf:policy:own"}
    - {mrn: "mrn:shelf:resource-group:any", name: any, default: true, policy: "mrn:shelf:policy:yes"}
  operations:
    - {name: all, selector: [".*"], policy: "mrn:shelf:policy:open"}
"#;

fn image() -> Arc<Image> {
    let mut sources = SourceMap::default();
    let file = sources.add_file("shelf.yml", DOMAIN);
    match compile(&mut sources, &[file], &Options::default()) {
        Ok(compiled) => Arc::new(compiled.image),
        Err(problems) => panic!("{}", gavel_compiler::render::text(&sources, &problems)),
    }
}

fn moment() -> Moment {
    Moment::new(1_700_000_000_000_000_000, [9; 16])
}

fn porc(subject: &str, resource: &str) -> PorcBuilder {
    PorcBuilder::new("read")
        .subject(subject)
        .role("mrn:shelf:role:r")
        .resource(resource)
}

fn shelf(mrn: &str) -> Resolution {
    let facts = |shelf: &str, kept: bool| ResourceFacts {
        group: "mrn:shelf:resource-group:own".to_owned(),
        owner: "ann".to_owned(),
        annotations: vec![
            ("shelf".to_owned(), Constant::number(shelf)),
            ("kept".to_owned(), kept.into()),
        ],
        ..ResourceFacts::default()
    };
    match mrn {
        "mrn:book:1" => Resolution::Found(facts("2", false)),
        "mrn:book:2" => Resolution::Found(facts("2", true)),
        "mrn:book:nan" => Resolution::Found(facts("NaN", false)),
        "mrn:book:gone" => Resolution::Unknown,
        _ => Resolution::AskImage,
    }
}

/// An engine with this resolver, and the lines that its sink gets.
fn engine() -> (Engine, Rc<RefCell<Vec<serde_json::Value>>>) {
    let lines: Rc<RefCell<Vec<serde_json::Value>>> = Rc::default();
    let kept = Rc::clone(&lines);
    let records = JsonRecords::new(RecordOptions::default(), move |line| {
        kept.borrow_mut().push(serde_json::from_slice(line).unwrap());
        true
    });
    (Engine::new(image()).sink(records).resolver(shelf), lines)
}

#[track_caller]
fn check(subject: &str, resource: &str, granted: bool, shown: &str) {
    let (mut engine, lines) = engine();
    let decided = engine.decide_porc(&porc(subject, resource), &moment());
    assert_eq!(decided, Ok(granted));
    let lines = lines.borrow();
    let [record] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    let word = if granted { "GRANT" } else { "DENY" };
    assert_eq!(record.get("decision").unwrap(), word);
    let resource = record.pointer("/porc/resource").map(ToString::to_string);
    assert_eq!(resource.as_deref().unwrap_or("none"), shown);
}

#[test]
fn a_resolver_says_what_policies_and_records_see() {
    let book = |id: &str, kept: bool| {
        format!(
            r#"{{"annotations":{{"kept":{kept},"shelf":2}},"group":"mrn:shelf:resource-group:own","id":"mrn:book:{id}","owner":"ann"}}"#
        )
    };
    check("ann", "mrn:book:1", true, &book("1", false));
    check("bob", "mrn:book:1", false, &book("1", false));
    check("ann", "mrn:book:2", false, &book("2", true));
    check("ann", "mrn:book:gone", false, r#"{"id":"mrn:book:gone"}"#);
    // The image's default group grants.
    check(
        "bob",
        "mrn:book:else",
        true,
        r#"{"group":"mrn:shelf:resource-group:any","id":"mrn:book:else"}"#,
    );
}

#[test]
fn what_json_cannot_hold_denies_without_asking_anybody() {
    check("ann", "mrn:book:nan", false, "none");
}

#[test]
fn a_record_that_is_not_kept_denies() {
    let mut engine = Engine::new(image()).sink(|record: Record<'_>| !record.decode().unwrap().granted);
    let granted = porc("bob", "mrn:book:else");
    assert_eq!(engine.decide_porc(&granted, &moment()), Ok(false));
    let body = granted.to_json();
    assert!(engine.probe(&body, &moment()).unwrap().granted);
}

#[test]
fn a_refused_request_leaves_a_record() {
    let (mut engine, lines) = engine();
    for body in ["", "null", "[]", "{} x"] {
        assert!(engine.decide(body.as_bytes(), &moment()).is_err(), "{body}");
    }
    let unreadable = PorcBuilder::new("read").context("n", Constant::Number("1.2.3".to_owned()));
    assert!(engine.decide_porc(&unreadable, &moment()).is_err());
    let lines = lines.borrow();
    assert_eq!(lines.len(), 5);
    for line in lines.iter() {
        assert_eq!(line.get("decision").unwrap(), "DENY");
        assert_eq!(
            line.pointer("/references/0/reasonCode").unwrap(),
            "INVALPARAM_ERROR"
        );
    }
}

#[test]
fn another_image_decides_from_the_next_request_on() {
    let (mut engine, lines) = engine();
    assert_eq!(
        engine.decide_porc(&porc("ann", "mrn:book:1"), &moment()),
        Ok(true)
    );
    engine.replace_image(Arc::new(
        Image::new(gavel_runtime::image::ImageParts::default()).unwrap(),
    ));
    assert_eq!(
        engine.decide_porc(&porc("ann", "mrn:book:1"), &moment()),
        Ok(false)
    );
    assert_eq!(lines.borrow().len(), 2);
}

#[test]
fn the_builder_says_everything_that_a_porc_can() {
    let porc = PorcBuilder::new("op\"1")
        .subject("ann")
        .realm("r")
        .claim("exp", 7)
        .claim("mroles", "lost")
        .role("a")
        .role("b")
        .group("g")
        .scope("s")
        .annotation("tags", vec![Constant::from("x"), Constant::Null])
        .resource_object(
            "mrn:1",
            ResourceFacts {
                owner: "ann".to_owned(),
                annotations: vec![("n".to_owned(), Constant::number("1.50"))],
                ..ResourceFacts::default()
            },
        )
        .context("deep", Constant::object(vec![("k".into(), true.into())]));
    let value: serde_json::Value = serde_json::from_slice(&porc.to_json()).unwrap();
    let want = r#"{"principal":{"sub":"ann","mrealm":"r","exp":7,"mroles":["a","b"],"mgroups":["g"],"scopes":["s"],
        "mannotations":{"tags":["x",null]}},"operation":"op\"1",
        "resource":{"id":"mrn:1","group":"","owner":"ann","classification":"","annotations":{"n":1.50}},
        "context":{"deep":{"k":true}}}"#;
    assert_eq!(value, serde_json::from_str::<serde_json::Value>(want).unwrap());
}
