//! Batches of the data API: what is merged, what is said of errors, bounds.

use serde_json::{Value, json};

use super::common::{self, file, on_each_driver};
use super::{ask_packed, check, json_of, start};

#[test]
fn many_inputs_in_one_request() {
    on_each_driver(|driver| {
        let server = start(&file("opa/domain.yml"), driver, &[]);
        let batch = |path: &str, body: &str, status: u16| {
            json_of(&server, &format!("POST /v1/batch/data/{path} {body}"), status)
        };
        let answer = batch(
            "authz/echo",
            r#"{"common_input":{"a":{"b":1,"c":[1]},"d":1.50},"inputs":{"two":{"a":{"b":2,"c":[2]}},"one":7,"nil":null,"<":{}}}"#,
            200,
        );
        let want = json!({"responses": {
            "<": {"result": {"a": {"b": 1, "c": [1]}, "d": serde_json::from_str::<Value>("1.50").unwrap()}},
            "nil": {"result": null},
            "one": {"result": 7},
            "two": {"result": {"a": {"b": 2, "c": [2]}, "d": serde_json::from_str::<Value>("1.50").unwrap()}},
        }});
        assert_eq!(answer, want);
        let mixed = batch(
            "authz/twice",
            r#"{"common_input":{"first":1},"inputs":{"a":{"second":1},"b":{"second":2},"c":{"first":{}}}}"#,
            207,
        );
        assert_eq!(
            mixed["responses"]["a"],
            json!({"http_status_code": "200", "result": 1})
        );
        assert_eq!(mixed["responses"]["b"]["http_status_code"], "500");
        assert_eq!(mixed["responses"]["b"]["code"], "internal_error");
        let failed = batch("authz/twice", r#"{"inputs":{"b":{"first":1,"second":2}}}"#, 500);
        assert_eq!(failed["responses"]["b"].get("http_status_code"), None);
        let undefined = batch("authz/level", r#"{"inputs":{"b":{}}}"#, 200);
        assert_eq!(undefined, json!({"responses": {"b": {}}}));
        let metrics = batch("authz/allow?metrics&provenance", r#"{"inputs":{"b":{}}}"#, 200);
        assert!(
            metrics["metrics"]["timer_server_handler_ns"].is_number(),
            "{metrics}"
        );
        assert!(metrics["responses"]["b"]["metrics"].is_object(), "{metrics}");
        for body in ["", "{}", "null", r#"{"inputs":null}"#] {
            let answer = batch("authz/allow", body, 200);
            let message = "'inputs' key missing from the request";
            assert_eq!(answer["warning"]["message"], message, "{body}");
        }
        assert_eq!(batch("authz/allow", r#"{"inputs":{}}"#, 200), json!({}));
        for body in ["[]", "{", r#"{"inputs":[]}"#, r#"{"inputs":{"a":}}"#] {
            assert_eq!(
                batch("authz/allow", body, 400)["code"],
                "invalid_parameter",
                "{body}"
            );
        }
        batch("authz/double", r#"{"inputs":{"a":1}}"#, 500);
        check(&server, "GET /v1/batch/data/authz/allow", 405, "");
        // As many as a batch may have, and one more.
        let of = |count: usize| {
            let inputs: Vec<String> = (0..count).map(|at| format!("\"{at}\":{at}")).collect();
            format!("{{\"inputs\":{{{}}}}}", inputs.join(","))
        };
        let most = gavel_server::limits::BATCH_DECISIONS_MAX;
        let (status, is_packed, text) = ask_packed(&server, "POST /v1/batch/data/authz/echo", &of(most));
        assert!(status == 200 && is_packed, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["responses"]["9999"], json!({"result": 9999}));
        batch("authz/echo", &of(most + 1), 413);
        // What is asked behind a batch on the same connection is answered behind it.
        let mut client = server.connect();
        let body = r#"{"inputs":{"a":1}}"#;
        client.send(format!(
            "POST /v1/batch/data/authz/echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}{}",
            body.len(),
            common::post(common::GRANTED)
        ));
        assert_eq!(
            client.answer().unwrap().body,
            "{\"responses\":{\"a\":{\"result\":1}}}\n"
        );
        assert_eq!(client.answer().unwrap().status, 200);
        server.stop();
    });
}

#[test]
fn results_that_are_too_large_together_are_errors() {
    let server = start(&file("opa/domain.yml"), "epoll", &[]);
    let large = "x".repeat(900_000);
    let inputs: Vec<String> = (0..9).map(|at| format!("\"{at}\":{{}}")).collect();
    let body = format!(
        "{{\"common_input\":{{\"a\":\"{large}\"}},\"inputs\":{{{}}}}}",
        inputs.join(",")
    );
    let answer = json_of(&server, &format!("POST /v1/batch/data/authz/echo {body}"), 207);
    assert_eq!(answer["responses"]["0"]["http_status_code"], "200");
    let last = answer["responses"]["8"]["message"].as_str().unwrap();
    assert_eq!(last, "the results are larger together than an answer may be");
    server.stop();
}
