//! What passes of the optimiser make of small modules, and how many instructions the machine executes then: text in, counts
//! and results out.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as the test does")]

use gavel_compiler::opt::{PASSES, Passes};
use gavel_compiler::parse::{BaseDialect, ParseOptions};
use gavel_compiler::rego::{RegoOptions, compile};
use gavel_compiler::source::SourceMap;
use gavel_runtime::bytecode::{Op, verify};
use gavel_runtime::limits::Limits;
use gavel_runtime::value::Constant;
use gavel_runtime::vm::{Event, Observer, RequestEnv, Vm};

#[derive(Default)]
struct Counted(u64);

impl Observer for Counted {
    fn event(&mut self, _: &Event<'_>) {}

    fn instruction(&mut self, _: Op, _: u32) {
        self.0 += 1;
    }
}

/// The result of `data.p.x` for an input, or the code of the error, and the number of executed instructions.
fn run(module: &str, input: &str, passes: Passes) -> (Result<Constant, &'static str>, u64) {
    let mut sources = SourceMap::default();
    let file = sources.add_file("test.rego", module);
    let query = sources.add_file("query", "x = data.p.x");
    let options = RegoOptions {
        parse: ParseOptions {
            base: BaseDialect::V1,
            ..ParseOptions::default()
        },
        optimise: passes,
        ..RegoOptions::default()
    };
    let compiled = compile(&sources, &[file], Some(query), &options).unwrap();
    let program = verify(compiled.program).unwrap();
    let mut vm = Vm::new(&Limits::DEFAULT);
    let env = RequestEnv::timeless(0, 0);
    let mut request = vm.request(&program, &env);
    request.read_document(input.as_bytes()).unwrap();
    let mut counted = Counted::default();
    let result = request.trace(compiled.query.unwrap().entry, &mut counted);
    let result = result
        .map(|value| value.unwrap().to_constant().unwrap())
        .map_err(|error| error.kind.code());
    (result, counted.0)
}

/// Instructions with all passes and without one; the results are the same.
#[track_caller]
fn worth(module: &str, input: &str, pass: &str) -> (u64, u64) {
    let (with, few) = run(module, input, Passes::ALL);
    let (without, many) = run(module, input, Passes::ALL.without(pass).unwrap());
    assert_eq!(with, without);
    assert_eq!(with, run(module, input, Passes::NONE).0);
    (few, many)
}

#[test]
fn a_join_takes_about_the_sum_of_both_sides() {
    let module = r#"package p
x contains [order.id, customer.name] if {
    some order in input.orders
    some customer in input.customers
    customer.id == order.customer
}
"#;
    let input = |count: usize| {
        let orders: Vec<String> = (0..count)
            .map(|at| format!(r#"{{"id": {at}, "customer": "c{}"}}"#, at * 7 % count))
            .collect();
        let customers: Vec<String> = (0..count)
            .map(|at| format!(r#"{{"id": "c{at}", "name": "name {at}"}}"#))
            .collect();
        format!(
            r#"{{"orders": [{}], "customers": [{}]}}"#,
            orders.join(","),
            customers.join(",")
        )
    };
    let (few_50, many_50) = worth(module, &input(50), "join");
    let (few_200, many_200) = worth(module, &input(200), "join");
    // Four times the members: sixteen times the work without, about four times with the pass.
    assert!(many_200 > 14 * many_50, "{many_50} {many_200}");
    assert!(few_200 < 5 * few_50, "{few_50} {few_200}");
    assert!(20 * few_200 < many_200, "{few_200} {many_200}");
}

#[test]
fn a_comprehension_in_a_loop_is_grouped_once() {
    let module = r#"package p
x[user] := roles if {
    some user in input.users
    roles := [grant.role | some grant in input.grants; grant.user == user]
}
"#;
    let users: Vec<String> = (0..100).map(|at| format!(r#""u{at}""#)).collect();
    let grants: Vec<String> = (0..300)
        .map(|at| format!(r#"{{"user": "u{}", "role": "r{at}"}}"#, at % 100))
        .collect();
    let input = format!(
        r#"{{"users": [{}], "grants": [{}]}}"#,
        users.join(","),
        grants.join(",")
    );
    let (few, many) = worth(module, &input, "join");
    assert!(20 * few < many, "{few} {many}");
}

#[test]
fn values_without_a_plain_order_are_joined_one_by_one() {
    let module = r#"package p
x := [[a.n, b.n] | some a in input.a; some b in input.b; b.n == a.n]
"#;
    let values = r#"{"n": 1}, {"n": 1.0}, {"n": 0.1}, {"n": 0.10}, {"n": "1"}, {"n": null}, {"n": [1]}, {"n": 9007199254740993},
        {"n": 9007199254740992.9}, {"n": {"k": 1}}, {"m": 1}, {"n": false}"#;
    let ints = r#"{"n": 3}, {"n": 1}, {"n": 1}, {"n": "a"}, {"n": true}, {"n": null}, {"n": 2}, {"n": 2}, {"n": "b"}, {"n": "a"}"#;
    for input in [
        format!(r#"{{"a": [{values}], "b": [{values}]}}"#),
        format!(r#"{{"a": [{ints}], "b": [{ints}]}}"#),
        format!(r#"{{"a": [{values}], "b": [{ints}]}}"#),
        format!(r#"{{"a": {{"k": {{"n": 1}}, "l": {{"n": "a"}}}}, "b": [{ints}]}}"#),
    ] {
        worth(module, &input, "join");
    }
}

/// A rule of so many bodies, each for an operation of its own.
fn bodies(count: usize, value: impl Fn(usize) -> usize) -> String {
    let body = |at: usize| {
        format!(
            "x := {} if {{ input.operation == \"shop:thing:{at}\"; input.role == \"r{}\" }}\n",
            value(at),
            at % 3
        )
    };
    let bodies: String = (0..count).map(body).collect();
    format!("package p\ndefault x := -1\n{bodies}")
}

#[test]
fn the_cost_of_a_rule_does_not_grow_with_its_bodies() {
    let input = |at: usize| format!(r#"{{"operation": "shop:thing:{at}", "role": "r{}"}}"#, at % 3);
    let (few, many) = worth(&bodies(10, |_| 1), &input(9), "index");
    assert!(few < many, "{few} {many}");
    let (few_of_many, many_of_many) = worth(&bodies(1000, |_| 1), &input(400), "index");
    assert_eq!(few, few_of_many);
    assert!(many_of_many > 400);
    // Bodies beyond those that one index takes have the next one.
    let (two, _) = worth(&bodies(1000, |_| 1), &input(999), "index");
    assert!(two <= few + 2, "{few} {two}");
    for input in ["{}", "1", r#"{"operation": 1}"#, r#"{"operation": "other"}"#] {
        let (few, many) = worth(&bodies(100, |_| 1), input, "index");
        assert!(few < 20 && many > 20, "{input}: {few} {many}");
    }
}

#[test]
fn an_index_keeps_order_conflicts_and_what_the_bodies_have_in_common() {
    let module = r#"package p
x := 1 if { startswith(input.o, "a:"); input.n == 1 }
x := 2 if { input.o in {"a:b", "b:b"}; input.n == 2 }
x := 3 if { endswith(input.o, ":b"); input.n == 3 }
x := 4 if { glob.match("a:*", [":"], input.o); input.n == 4 }
x := 5 if { input.o == "a:b"; input.n > 4 }
x := 6 if { input.o == "a:b"; input.n > 5 }
x := 7 if { strings.any_prefix_match(input.o, {"a", "b"}); input.n == 7 }
x := 8 if input.n == 0
"#;
    for operation in [
        r#""a:b""#, r#""b:b""#, r#""a:c""#, r#""c:b""#, r#""""#, "1", "null",
    ] {
        for n in 0..9 {
            let input = format!(r#"{{"o": {operation}, "n": {n}}}"#);
            let guarded = module.replace("x :=", "x contains");
            let guarded: String = guarded
                .lines()
                .map(|line| match line.split_once(" if ") {
                    Some((head, body)) => format!("{head} if {body}\n"),
                    None => format!("{line}\n"),
                })
                .collect();
            worth(&guarded, &input, "index");
            let elses = module.replacen("x := 2 if", "else := 2 if", 1);
            for module in [module, elses.as_str()] {
                let (with, _) = run(&format!("{module}default x := 0\n"), &input, Passes::ALL);
                let (none, _) = run(&format!("{module}default x := 0\n"), &input, Passes::NONE);
                assert_eq!(with, none, "{input}");
            }
        }
    }
    // Two bodies hold and differ.
    let (result, _) = run(module, r#"{"o": "a:b", "n": 6}"#, Passes::ALL);
    assert_eq!(result, Err("eval_conflict_error"));
}

#[test]
fn bodies_that_ask_a_number_are_looked_up_too() {
    let body = |at: usize| format!("x if {{ input.level == {at}; input.on }}\n");
    let bodies: String = (0..50).map(body).collect();
    let module = format!("package p\n{bodies}x if {{ input.level in {{7, \"7\", true}}; not input.on }}\n");
    let (few, many) = worth(&module, r#"{"level": 47, "on": true}"#, "index");
    assert!(4 * few < many, "{few} {many}");
    for level in [
        "7", "7.0", "7e0", "0.7e1", "7.5", r#""7""#, "true", "false", "null", "[7]", "-7", "70",
    ] {
        worth(&module, &format!(r#"{{"level": {level}, "on": true}}"#), "index");
    }
    worth(&module, "{}", "index");
}

#[test]
fn searches_are_tests_where_the_member_does_not_matter_behind_them() {
    let module = r#"package p
verbs := {":read", ":list"}
x if {
    some verb in verbs
    endswith(input.operation, verb)
    some ward in input.wards
    ward == input.ward
    input.other
}
"#;
    let input = r#"{"operation": "a:list", "wards": [1, 2, 3, 4, 5, 6], "ward": 5, "other": true}"#;
    let (few, many) = worth(module, input, "search");
    assert!(2 * few < many, "{few} {many}");
    // Each member that passes counts.
    let counts = r#"package p
x := [1 | some suffix in ["b", "ab"]; endswith(input.o, suffix)]
"#;
    let (few, many) = worth(counts, r#"{"o": "cab"}"#, "search");
    assert_eq!(few, many);
}

#[test]
fn what_needs_no_request_is_a_constant() {
    let module = r#"package p
grants := [{"role": "boss", "may": ["read", "write"]}, {"role": "clerk", "may": ["read"]}]
verbs contains verb if { some grant in grants; some verb in grant.may }
x if input.verb in verbs
"#;
    let (few, many) = worth(module, r#"{"verb": "read"}"#, "constant");
    assert!(3 * few < many, "{few} {many}");
    // A conflict is one at run time, and only when somebody asks.
    let conflict = "package p\ny := 1\ny := 2\nx := 3 if not input.a\nx := y if input.a\n";
    assert_eq!(run(conflict, "{}", Passes::ALL).0, Ok(solutions(3)));
    assert_eq!(
        run(conflict, r#"{"a": 1}"#, Passes::ALL).0,
        Err("eval_conflict_error")
    );
}

fn solutions(value: i64) -> Constant {
    Constant::Array(vec![Constant::Array(vec![Constant::Int(value)])])
}

#[test]
fn what_was_computed_is_not_computed_again() {
    let module = r#"package p
x if { lower(input.name) != "root"; startswith(input.path, lower(input.name)); lower(input.name) != "admin" }
"#;
    let (few, many) = worth(module, r#"{"name": "Ann", "path": "ann/x"}"#, "cse");
    assert!(few < many, "{few} {many}");
}

#[test]
fn object_get_of_an_input_path_reads_a_cell() {
    let module = r#"package p
x if {
    object.get(input.user, "plan", "free") == "free"
    not input.user.sub in object.get(input.user, ["kept_from"], [])
    object.get(input, "level", 3) > 2
}
"#;
    let (few, many) = worth(module, r#"{"user": {"sub": "a", "other": 1}}"#, "defaults");
    assert!(few < many, "{few} {many}");
    for input in [
        "{}",
        "[]",
        "1",
        r#"{"user": {}}"#,
        r#"{"user": null}"#,
        r#"{"user": []}"#,
        r#"{"user": "plan"}"#,
        r#"{"user": {"plan": "paid", "sub": "a"}}"#,
        r#"{"user": {"plan": false, "sub": "a"}}"#,
        r#"{"user": {"plan": "free", "sub": "a", "kept_from": ["a"]}}"#,
        r#"{"user": {"plan": "free", "sub": "a", "kept_from": {}}, "level": 1}"#,
        r#"{"user": {"plan": null, "sub": "a"}, "level": null}"#,
    ] {
        worth(module, input, "defaults");
    }
    // What `with` puts into the input may be what no JSON text is.
    let replaced = r#"package p
x := [n |
    some value in [{"a"}, {"a": 1}, ["a"], {"b": 2}, "a", null]
    n := object.get(input.o, "a", 7) with input.o as value
]
"#;
    worth(replaced, r#"{"o": {"a": 5}}"#, "defaults");
}

#[test]
fn counts_are_read_from_the_value() {
    let module = r#"package p
x := [count(input.a), count(input.b) > 0, count(input.a) == count(input.b), count("äöü"), count({"k": 1})]
"#;
    for (a, b) in [
        ("[]", "{}"),
        ("[1, 2]", r#""häuser""#),
        (r#""""#, r#"{"k": 1}"#),
        ("1", "[]"),
        ("[]", "null"),
        ("true", "1.5"),
    ] {
        let (few, many) = worth(module, &format!(r#"{{"a": {a}, "b": {b}}}"#), "counts");
        assert!(few <= many, "{few} {many}");
    }
    worth(module, "{}", "counts");
}

#[test]
fn pieces_of_a_text_are_found_without_splitting_it() {
    let module = r#"package p
x := [verb, kind, rest] if {
    parts := split(input.o, ":")
    verb := parts[2]
    input.n > 0
    kind := parts[1]
    rest := split(input.o, "::")[1]
}
"#;
    let (few, many) = worth(module, r#"{"o": "shop:order:read::x:y", "n": 1}"#, "pieces");
    assert!(few < many, "{few} {many}");
    for operation in [
        r#""""#,
        r#"":""#,
        r#""::""#,
        r#"":::""#,
        r#""a:b:c""#,
        r#""a:b::c:d::e""#,
        r#""ä::ö:ü""#,
        "1",
        "null",
        "[]",
    ] {
        worth(module, &format!(r#"{{"o": {operation}, "n": 1}}"#), "pieces");
    }
    // Somebody wants all of them, or a piece that is no number.
    for module in [
        "package p\nx := [parts[1], parts] if parts := split(input.o, \":\")\n",
        "package p\nx := split(input.o, \":\")[input.n]\n",
        "package p\nx := split(input.o, \"\")[1]\n",
        "package p\nx := not_there if { parts := split(input.o, \":\"); not parts[5]; not_there := 1 }\n",
        "package p\nx := [p | some o in input.all; p := split(o, \":\")[1]]\n",
    ] {
        for input in [
            r#"{"o": "a:b", "n": 1, "all": ["a", "a:b", 1, "b:c:d"]}"#,
            r#"{"o": 1, "n": 1}"#,
        ] {
            worth(module, input, "pieces");
        }
    }
}

#[test]
fn a_hash_finds_what_a_search_finds() {
    let texts = |count: usize| {
        (0..count)
            .map(|at| format!("\"person {at}\""))
            .collect::<Vec<_>>()
    };
    let asked = |count: usize| {
        let near = [
            r#""person""#,
            r#""person 01""#,
            r#""""#,
            "1",
            "null",
            "true",
            r#"["person 1"]"#,
        ];
        let some = texts(count + 1).into_iter().step_by(1 + count / 9);
        let values = some.chain(near.map(str::to_owned));
        let inputs = values.map(|value| format!(r#"{{"who": {value}}}"#));
        inputs.chain(["{}".to_owned()]).collect::<Vec<_>>()
    };
    // Below and above both bounds and at them; some values of tables are equal and spelled in several ways.
    for count in [8, 9, 32, 33, 300] {
        let listed = texts(count).join(", ");
        let line = |(at, text): (usize, String)| {
            let value = ["1", "1.0", "\"x\"", "null", "[1]", "[1.0]", "true"].get(at % 8);
            format!(
                "level({text}) := {}\n",
                value.map_or(at.to_string(), |value| (*value).to_owned())
            )
        };
        let lines: String = texts(count).into_iter().enumerate().map(line).collect();
        for module in [
            format!("package p\nx if input.who in {{{listed}}}"),
            format!("package p\nx if input.who in [{listed}]"),
            format!("package p\nx if input.who in [{listed}, {listed}]"),
            format!("package p\nx if not input.who in {{{listed}}}"),
            format!("package p\nx if {{ some who in [input.who, 1, \"person 3\"]; who in {{{listed}}} }}"),
            format!(
                "package p\nx contains who if {{ some who in [input.who, \"z\"]; not who in {{{listed}}} }}"
            ),
            format!("package p\nx if input.who in {{{listed}, 1}}"),
            format!("package p\n{lines}x := [level(input.who), input.who]"),
            format!(
                "package p\nlevels[who] := 1 if some who in [{listed}]\nx := [levels[input.who], input.who]"
            ),
            format!(
                "package p\n{lines}x := [level(who) | some who in [\"person 1\", input.who, \"person 0\"]]"
            ),
        ] {
            for input in asked(count) {
                worth(&module, &input, "hashes");
            }
        }
    }
}

#[test]
fn every_pass_can_be_left_out() {
    let module = r#"package p
level("a") := 1
level("b") := 2
level("c") := 3
level("d") := 4
x := [n, m] if {
    some role in input.roles
    n := level(role)
    m := count([r | some r in input.roles; level(r) >= n])
    glob.match("*a", [], input.name)
}
"#;
    for pass in PASSES {
        worth(module, r#"{"roles": ["a"], "name": "anna"}"#, pass.name);
    }
    assert_eq!(Passes::ALL.without("nosuch"), None);
}
