//! The API document and the page that shows it, as a browser gets them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use std::io::Read as _;

use common::Server;

/// Head (without the status line) and body of an answer.
#[track_caller]
fn check(server: &Server, request: &str, status: &str) -> (Vec<String>, String) {
    let mut client = server.connect();
    client.send(format!(
        "{request} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    ));
    let mut text = String::new();
    client.stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines().map(str::to_owned);
    assert_eq!(lines.next().unwrap(), format!("HTTP/1.1 {status}"), "{request}");
    (lines.collect(), body.to_owned())
}

#[test]
fn the_viewer_is_served_with_rules_for_the_browser() {
    let server = Server::start("epoll", &[]);
    for (path, media_type, start) in [
        ("", "text/html", "<!doctype html>"),
        ("viewer.css", "text/css", "/* Looks"),
        ("viewer.js", "text/javascript", "// Shows"),
    ] {
        let (head, body) = check(&server, &format!("GET /swagger-ui/{path}"), "200 OK");
        assert!(body.starts_with(start), "{path}");
        assert!(
            head.contains(&format!("Content-Type: {media_type}; charset=utf-8")),
            "{head:?}"
        );
        assert!(
            head.contains(&format!("Content-Length: {}", body.len())),
            "{head:?}"
        );
        assert!(
            head.contains(&"X-Content-Type-Options: nosniff".to_owned()),
            "{head:?}"
        );
        let rules = head
            .iter()
            .find(|line| line.starts_with("Content-Security-Policy: "))
            .unwrap();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(rules.contains(rule), "{rules}");
        }
    }
    let (head, body) = check(&server, "HEAD /swagger-ui/", "200 OK");
    assert!(body.is_empty() && head.iter().any(|line| line.starts_with("Content-Length: ")));
}

#[test]
fn the_document_is_there_as_yaml_and_json() {
    let server = Server::start("epoll", &[]);
    let (head, yaml) = check(&server, "GET /openapi.yaml", "200 OK");
    assert!(head.contains(&"Content-Type: application/yaml".to_owned()));
    assert!(yaml.starts_with("openapi: 3.0.0\n"));
    let (head, json) = check(&server, "GET /openapi.json", "200 OK");
    assert!(head.contains(&"Content-Type: application/json".to_owned()));
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["openapi"], "3.0.0");
}

#[test]
fn other_paths_and_methods() {
    let server = Server::start("epoll", &[]);
    let (head, _) = check(&server, "GET /swagger-ui", "301 Moved Permanently");
    assert!(head.contains(&"Location: swagger-ui/".to_owned()));
    let (head, _) = check(&server, "GET /swagger-ui/index.html", "301 Moved Permanently");
    assert!(head.contains(&"Location: ./".to_owned()));
    for path in [
        "/swagger-ui/none.js",
        "/swagger-ui/../openapi.yaml",
        "/swagger-ui/viewer.css/",
    ] {
        check(&server, &format!("GET {path}"), "404 Not Found");
    }
    for path in [
        "/swagger-ui/",
        "/swagger-ui/viewer.js",
        "/openapi.yaml",
        "/openapi.json",
    ] {
        let (head, _) = check(&server, &format!("POST {path}"), "405 Method Not Allowed");
        assert!(head.contains(&"Allow: OPTIONS, GET".to_owned()));
        check(&server, &format!("OPTIONS {path}"), "204 No Content");
    }
}
