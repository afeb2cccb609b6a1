//! Image files on the command line: written by `compile -o`, taken by `test` and `serve`, refused when they do not fit.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use common::cli::{Scratch, run};
use common::{DENIED, GRANTED, Server, denied, granted};

/// An image file of the shop, which is deleted with the value.
fn shop(name: &str) -> Scratch {
    let image = Scratch::new(name, "");
    let (status, output, error) = run(&format!("compile -o {} -b {{shop}}", image.path()), "");
    assert_eq!((status, output.as_str()), (Some(0), ""), "{error}");
    assert!(error.contains("policies in"), "{error}");
    image
}

/// A record without its times, durations and id.
fn plain(record: &str) -> serde_json::Value {
    let mut record: serde_json::Value = serde_json::from_str(record).unwrap();
    let object = record.as_object_mut().unwrap();
    object.remove("metadata");
    object.remove("duration");
    let references = object.get_mut("references").unwrap().as_array_mut().unwrap();
    for reference in references {
        reference.as_object_mut().unwrap().remove("duration");
    }
    record
}

#[test]
fn tests_take_an_image_for_the_domain() {
    let image = shop("tests.image");
    for porc in [GRANTED, DENIED] {
        let (_, from_domain, _) = run("test decision -b {shop}", porc);
        let (status, from_image, error) = run(&format!("test decision -b {}", image.path()), porc);
        assert_eq!((status, error.as_str()), (Some(0), ""));
        assert_eq!(plain(&from_image), plain(&from_domain));
    }
}

#[test]
fn the_service_takes_an_image() {
    let image = shop("serve.image");
    let server = Server::start_on(&image.0, "epoll", &[], |_| {});
    let mut client = server.connect();
    assert_eq!(client.post(GRANTED), granted());
    assert_eq!(client.post(DENIED), denied());
}

#[track_caller]
fn check_refused(args: &str, said: &str) {
    let (status, output, error) = run(args, GRANTED);
    assert_eq!((status, output.as_str()), (Some(1), ""), "{args}: {error}");
    assert!(error.contains(said), "{args}: {error}");
}

#[test]
fn what_does_not_fit_is_refused_with_its_reason() {
    let image = shop("refused.image");
    let path = image.path();
    check_refused(
        &format!("test decision -b {path} -b {{shop}}"),
        "it is loaded alone",
    );
    check_refused(&format!("test decision -b {path} --v1-compatible"), "its dialect");
    check_refused(&format!("test decision -b {path} --rego-root ."), "--rego-root");
    check_refused(
        &format!("test mapper -b {path}"),
        "no mappers found in any domain(code-NOTFOUND_ERROR)",
    );
    check_refused(
        &format!("--trace test decision -b {path}"),
        "--trace needs the PolicyDomain",
    );
    check_refused(&format!("compile -o x.image -b {path}"), "an image file already");
    check_refused("compile -o x.image --emit ast {shop}", "--emit");
    let bytes = std::fs::read(path).unwrap();
    let damaged = |change: fn(&mut Vec<u8>), said: &str| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        std::fs::write(path, bytes).unwrap();
        check_refused(&format!("test decision -b {path}"), said);
    };
    damaged(|bytes| bytes.truncate(100), "truncated");
    damaged(|bytes| bytes.push(0), "behind its end");
    damaged(|bytes| *bytes.last_mut().unwrap() ^= 1, "corrupt");
    damaged(|bytes| *bytes.get_mut(8).unwrap() = 200, "newer format");
    damaged(|bytes| *bytes.get_mut(13).unwrap() = b'9', "made by gavel 9.");
}

#[test]
fn nothing_is_written_where_nothing_compiles() {
    let broken = Scratch::new("broken.yml", "kind: PolicyDomain\n");
    let image = Scratch::new("none.image", "as it was");
    let args = format!("compile -o {} {}", image.path(), broken.path());
    let (status, _, error) = run(&args, "");
    assert_eq!(status, Some(1), "{error}");
    assert_eq!(std::fs::read_to_string(&image.0).unwrap(), "as it was");
    let (status, _, error) = run("compile -o /nowhere/x.image {shop}", "");
    assert_eq!(status, Some(1));
    assert!(error.contains("/nowhere/x.image"), "{error}");
}

#[test]
fn an_image_brings_its_mappers_along() {
    let gate = common::file("gate.yml");
    let image = Scratch::new("gate.image", "");
    let (status, _, error) = run(&format!("compile -o {} -b {}", image.path(), gate.display()), "");
    assert_eq!(status, Some(0), "{error}");
    let request = r#"{"request":{"http":{"path":"/x","headers":{"x-word":"open"}}}}"#;
    for args in ["", " -n gate"] {
        let from_domain = run(&format!("test mapper -b {}{args}", gate.display()), request);
        let from_image = run(&format!("test mapper -b {}{args}", image.path()), request);
        assert!(
            from_image.1.contains(r#""operation":"gate:open""#),
            "{from_image:?}"
        );
        assert_eq!(from_image, from_domain);
    }
    let (status, output, error) = run(&format!("test envoy -b {}", image.path()), request);
    assert_eq!(status, Some(0), "{error}");
    assert!(output.starts_with(r#"{"decision":"GRANT""#), "{output}");
    check_refused(
        &format!("test mapper -n other -b {}", image.path()),
        "domain 'other' not found(code-NOTFOUND_ERROR)",
    );
}
