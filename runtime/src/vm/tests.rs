//! The machine, op by op: hand-written programs and an input in, the result as text out.

use super::{Request, RequestEnv, Vm};
use crate::bytecode::{Program, assemble, verify};
use crate::error::EvalErrorKind;
use crate::limits::Limits;
use crate::repeated::repeated;
use crate::value::{Kind, Value};

pub(super) const ENV: RequestEnv = RequestEnv::timeless(0, 0);

pub(super) fn program(text: &str) -> Program {
    verify(assemble(text)).unwrap_or_else(|error| panic!("{error}"))
}

/// Rego text of a value.
pub(super) fn show(value: Value<'_>) -> String {
    let list = |items: &[Value<'_>]| items.iter().map(|item| show(*item)).collect::<Vec<_>>().join(",");
    match value.kind() {
        Kind::Undefined => "unset".to_owned(),
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Int(value) => value.to_string(),
        Kind::Number(text) => text.to_owned(),
        Kind::String(text) => format!("{text:?}"),
        Kind::Array(items) => format!("[{}]", list(items)),
        Kind::Set(items) => format!("set({})", list(items)),
        Kind::Object(entries) => {
            let members = entries
                .iter()
                .map(|entry| format!("{}:{}", show(entry.key), show(entry.value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
    }
}

fn answer(request: &mut Request<'_>) -> String {
    let last = request.program().functions.len() as u32 - 1;
    match request.call(crate::bytecode::FnId(last)) {
        Ok(Some(value)) => show(value),
        Ok(None) => "undefined".to_owned(),
        Err(error) => format!("{:?}", error.kind),
    }
}

/// Calls the last function; once over the tape, once over a value; both must agree.
#[track_caller]
fn check(text: &str, input: &str, wanted: &str) {
    let program = program(text);
    let mut vm = Vm::new(&Limits::DEFAULT);
    for by_value in [false, true] {
        let mut request = vm.request(&program, &ENV);
        if by_value || !input.starts_with('{') {
            request.read_document(input.as_bytes()).unwrap();
        } else {
            request
                .read_porc(input.as_bytes(), crate::input::Trailing::Refuse)
                .unwrap();
        }
        assert_eq!(answer(&mut request), wanted, "by value: {by_value}\n{text}");
        // Nothing of a call is left behind that changes the next one.
        assert_eq!(answer(&mut request), wanted, "second call\n{text}");
    }
}

/// Whether the condition in the middle holds, as `true` or `undefined`.
#[track_caller]
fn holds(condition: &str, input: &str, wanted: bool) {
    let text = format!("query q regs=4\n{condition}\nret.k #0 true\nno: ret.undef");
    check(&text, input, if wanted { "true" } else { "undefined" });
}

#[test]
fn loads_and_paths() {
    let field = "query q regs=3\n slot r0 input ->no\n field r1 r0 \"a\" ->no\n index r2 r1 r1 ->no\n ret r1 #0\nno: ret.undef";
    check(field, r#"{"b":1}"#, "undefined");
    check(field, r#"[1]"#, "undefined");
    let index = "query q regs=3\n slot r0 input.a ->no\n slot r1 input.k ->no\n index r2 r0 r1 ->no\n ret r2 #0\nno: ret.undef";
    check(index, r#"{"a":[5,6],"k":1}"#, "6");
    check(index, r#"{"a":[5,6],"k":1.0}"#, "6");
    check(index, r#"{"a":[5,6],"k":2}"#, "undefined");
    check(index, r#"{"a":{"x":7},"k":"x"}"#, "7");
    check(index, r#"{"a":7,"k":"x"}"#, "undefined");
    check(index, r#"{"a":[5]}"#, "undefined");
    check(
        "base {\"x\":[1]}\nquery q regs=1\n base r0 ->no\n ret r0 #0\nno: ret.undef",
        "1",
        r#"{"x":[1]}"#,
    );
    check(
        "query q regs=1\n base r0 ->no\n ret r0 #0\nno: ret.undef",
        "1",
        "undefined",
    );
}

#[test]
fn comparisons() {
    let two = "slot r0 input.a ->no\n slot r1 input.b ->no\n";
    for (op, less, equal, greater) in [
        ("eq", false, true, false),
        ("ne", true, false, true),
        ("lt", true, false, false),
        ("le", true, true, false),
    ] {
        let text = format!("{two}{op} r0 r1 ->no");
        holds(&text, r#"{"a":1,"b":2}"#, less);
        holds(&text, r#"{"a":1,"b":1.0}"#, equal);
        holds(&text, r#"{"a":[2],"b":[1]}"#, greater);
        holds(&text, r#"{"a":1}"#, false);
    }
    for (op, at_1, at_2, at_3) in [
        ("eq.k", false, true, false),
        ("ne.k", true, false, true),
        ("lt.k", true, false, false),
        ("le.k", true, true, false),
        ("gt.k", false, false, true),
        ("ge.k", false, true, true),
    ] {
        let text = format!("slot r0 input.a ->no\n{op} r0 2 ->no");
        holds(&text, r#"{"a":1}"#, at_1);
        holds(&text, r#"{"a":2}"#, at_2);
        holds(&text, r#"{"a":3}"#, at_3);
        holds(&text, r#"{"a":"x"}"#, matches!(op, "ne.k" | "gt.k" | "ge.k"));
    }
}

#[test]
fn slot_tests() {
    holds("slot.eq.k input.a.b \"x\" ->no", r#"{"a":{"b":"x"}}"#, true);
    holds("slot.eq.k input.a.b \"x\" ->no", r#"{"a":{"b":"y"}}"#, false);
    holds("slot.eq.k input.a.b \"x\" ->no", r#"{"a":"x"}"#, false);
    holds("slot.eq.k input.a {\"b\":[1]} ->no", r#"{"a":{"b":[1]}}"#, true);
    holds("slot.ne.k input.a.b \"x\" ->no", r#"{"a":{"b":"y"}}"#, true);
    holds("slot.ne.k input.a.b \"x\" ->no", r#"{"a":{}}"#, false);
    for (value, defined, truthy) in [
        ("1", true, true),
        ("false", true, false),
        ("null", true, true),
        ("{}", true, true),
    ] {
        let input = format!(r#"{{"a":{value}}}"#);
        holds("slot.def input.a ->no", &input, defined);
        holds("slot.truthy input.a ->no", &input, truthy);
    }
    holds("slot.def input.a ->no", "{}", false);
    holds("slot.truthy input.a ->no", "{}", false);
    holds(
        "slot.eq.slot input.a input.b ->no",
        r#"{"a":[1],"b":[1.0]}"#,
        true,
    );
    holds("slot.eq.slot input.a input.b ->no", r#"{"a":[1]}"#, false);
    holds("slot.in.k input.a [\"x\",\"y\"] ->no", r#"{"a":"y"}"#, true);
    holds("slot.in.k input.a set[\"x\",\"y\"] ->no", r#"{"a":"z"}"#, false);
    holds("slot.in.k input.a set[\"x\",\"y\"] ->no", r#"{}"#, false);
}

#[test]
fn membership_and_shapes() {
    let text = "slot r0 input.a ->no\n slot r1 input.b ->no\n in r0 r1 ->no";
    holds(text, r#"{"a":1,"b":[2,1]}"#, true);
    holds(text, r#"{"a":1,"b":{"k":1}}"#, true);
    holds(text, r#"{"a":"k","b":{"k":1}}"#, false);
    holds(text, r#"{"a":"k","b":"k"}"#, false);
    holds("slot r0 input.a ->no\n in.k r0 [1,2] ->no", r#"{"a":2}"#, true);
    holds(
        "slot r0 input.a ->no\n is.array r0 #2 ->no",
        r#"{"a":[1,2]}"#,
        true,
    );
    holds(
        "slot r0 input.a ->no\n is.array r0 #2 ->no",
        r#"{"a":[1]}"#,
        false,
    );
    holds(
        "slot r0 input.a ->no\n is.object r0 #1 ->no",
        r#"{"a":{"x":1}}"#,
        true,
    );
    holds(
        "slot r0 input.a ->no\n is.object r0 #1 ->no",
        r#"{"a":[1]}"#,
        false,
    );
    holds("slot r0 input.a ->no\n truthy r0 ->no", r#"{"a":0}"#, true);
    holds("slot r0 input.a ->no\n truthy r0 ->no", r#"{"a":false}"#, false);
}

#[test]
fn what_builtins_would_give() {
    let count = "query q regs=2\n slot r0 input.a ->no\n count r1 r0 ->no\n ret r1 #0\nno: ret.undef";
    for (value, wanted) in [
        ("[1,2]", "2"),
        ("{}", "0"),
        (r#""häuser""#, "6"),
        ("1", "undefined"),
        ("1.5", "undefined"),
        ("null", "undefined"),
    ] {
        check(count, &format!(r#"{{"a":{value}}}"#), wanted);
    }
    for (separator, at, wanted) in [
        (":", 0, r#""a""#),
        (":", 2, r#""""#),
        (":", 3, r#""c""#),
        (":", 4, "undefined"),
        ("::", 1, r#""c""#),
        ("ü", 1, r#"":b::c""#),
        ("-", 0, r#""aü:b::c""#),
        ("-", 1, "undefined"),
    ] {
        let start = if matches!(separator, "ü" | "-") {
            "aü"
        } else {
            "a"
        };
        let text = format!(
            "query q regs=2\n slot r0 input.a ->no\n piece r1 r0 #{at} \"{separator}\" ->no\n ret r1 #0\nno: ret.undef"
        );
        check(&text, &format!(r#"{{"a":"{start}:b::c"}}"#), wanted);
        check(&text, r#"{"a":[1]}"#, "undefined");
    }
    let or = "query q regs=2\n slot.or r0 input.a.b [7]\n ret r0 #0";
    check(or, r#"{"a":{"b":1}}"#, "1");
    check(or, r#"{"a":{"b":{"c":false}}}"#, r#"{"c":false}"#);
    check(or, r#"{"a":{"c":1}}"#, "[7]");
    check(or, r#"{"a":1}"#, "[7]");
    for (value, is_object) in [("{}", true), (r#"{"b":1}"#, true), ("[]", false), ("1", false)] {
        holds(
            "slot.object input.a ->no",
            &format!(r#"{{"a":{value}}}"#),
            is_object,
        );
    }
    holds("slot.object input.a ->no", "{}", false);
    holds("slot.object input ->no", "{}", true);
}

const COLLECT: &str = "query q regs=6
    slot r0 input.a ->no
    array.new r3
    loop.init r1 r0 ->no
  next: loop.next r1 r4 r5 ->end
    array.push r3 r4
    array.push r3 r5
    jump ->next
  end: array.end r3
    ret r3 #0
  no: ret.undef";

#[test]
fn loops_and_arrays() {
    check(COLLECT, r#"{"a":["x","y"]}"#, r#"[0,"x",1,"y"]"#);
    check(COLLECT, r#"{"a":{"k":1,"b":2}}"#, r#"["b",2,"k",1]"#);
    check(COLLECT, r#"{"a":[]}"#, "[]");
    check(COLLECT, r#"{"a":"xy"}"#, "undefined");
    let many: Vec<String> = (0..repeated(500)).map(|i| i.to_string()).collect();
    let wanted: Vec<String> = (0..repeated(500)).map(|i| format!("{i},{i}")).collect();
    check(
        COLLECT,
        &format!(r#"{{"a":[{}]}}"#, many.join(",")),
        &format!("[{}]", wanted.join(",")),
    );
}

#[test]
fn sets_and_objects() {
    let set = "query q regs=6\n slot r0 input.a ->no\n set.new r3\n loop.init r1 r0 ->no
      next: loop.next r1 _ r5 ->end\n set.add r3 r5\n jump ->next\n end: set.end r3\n ret r3 #0\n no: ret.undef";
    check(set, r#"{"a":[3,1,2,1,3,"x"]}"#, r#"set(1,2,3,"x")"#);
    let repeated: Vec<String> = (0..repeated(3000)).map(|i| (i % 7).to_string()).collect();
    check(
        set,
        &format!(r#"{{"a":[{}]}}"#, repeated.join(",")),
        "set(0,1,2,3,4,5,6)",
    );
    for (op, clash) in [
        ("object.put", "ObjectConflict"),
        ("object.set", r#"{"k":2,"l":1}"#),
    ] {
        let object = format!(
            "query q regs=7\n slot r0 input.a ->no\n object.new r3\n loop.init r1 r0 ->no
          next: loop.next r1 _ r4 ->end\n field r5 r4 \"k\" ->no\n field r6 r4 \"v\" ->no\n {op} r3 r5 r6\n jump ->next
          end: object.end r3\n ret r3 #0\n no: ret.undef"
        );
        check(
            &object,
            r#"{"a":[{"k":"l","v":1},{"k":"k","v":1},{"k":"l","v":1}]}"#,
            r#"{"k":1,"l":1}"#,
        );
        check(
            &object,
            r#"{"a":[{"k":"l","v":1},{"k":"k","v":1},{"k":"k","v":2}]}"#,
            clash,
        );
    }
    let literal = "query q regs=5\n slot r0 input.a ->no\n move r1 r0\n const r2 7\n const r3 \"z\"
        array.of r4 r0 #2\n set.of r4 r0 #2\n object.of r4 r0 #2\n ret r4 #0\n no: ret.undef";
    check(literal, r#"{"a":"y"}"#, r#"{7:"z","y":"y"}"#);
}

/// Without an input, whose reading forgets results, too.
#[test]
fn results_of_a_request_are_none_of_the_next() {
    let program = program("rule data.p.a regs=1\n ret.k #0 \"a\"\nrule data.p.b regs=1\n ret.k #0 \"b\"");
    let [a, b] = ["data.p.a", "data.p.b"].map(|name| program.function(name).unwrap());
    let mut vm = Vm::new(&Limits::DEFAULT);
    for order in [[(a, "\"a\""), (b, "\"b\"")], [(b, "\"b\""), (a, "\"a\"")]] {
        let mut request = vm.request(&program, &ENV);
        for (rule, wanted) in order {
            assert_eq!(request.evidence(rule), None);
            assert_eq!(request.call(rule).unwrap().map(show).as_deref(), Some(wanted));
        }
    }
}

#[test]
fn rules_are_cached_and_conflict() {
    let text = "rule data.p.a regs=2\n slot r0 input.a ->no\n ret r0 #3\n no: ret.undef
        query q regs=2\n call.rule r0 data.p.a ->no\n call.rule r1 data.p.a ->no\n eq r0 r1 ->no\n ret r1 #0\n no: ret.k #0 \"none\"";
    check(text, r#"{"a":5}"#, "5");
    check(text, r#"{}"#, r#""none""#);
    let program = program(text);
    let mut vm = Vm::new(&Limits::DEFAULT);
    let mut request = vm.request(&program, &ENV);
    request.read_document(br#"{"a":5}"#).unwrap();
    let rule = program.function("data.p.a").unwrap();
    assert_eq!(request.evidence(rule), None);
    answer(&mut request);
    assert_eq!(request.evidence(rule), Some(3));
    let conflict = |kind: &str, call: &str| {
        format!(
            "{kind} f regs=3\n unset r1\n const r0 1\n set.once r1 r0\n slot r0 input.a ->end\n set.once r1 r0
             end: is.set r1 ->no\n ret r1 #0\n no: ret.undef
             query q regs=3\n {call}\n ret r0 #0\n no: ret.undef"
        )
    };
    check(
        &conflict("rule", "call.rule r0 f ->no"),
        r#"{"a":2}"#,
        "CompleteConflict",
    );
    check(&conflict("rule", "call.rule r0 f ->no"), r#"{"a":1.0}"#, "1");
    check(
        &conflict("function", "call.fn r0 r0 #0 f ->no"),
        r#"{"a":2}"#,
        "FunctionConflict",
    );
}

#[test]
fn functions_have_frames_of_their_own() {
    let text = "function f params=2 regs=3\n lt r0 r1 ->no\n array.of r2 r0 #2\n ret r2 #0\n no: ret.undef
        query q regs=5\n const r3 9\n slot r1 input.a ->no\n slot r2 input.b ->no\n call.fn r0 r1 #2 f ->no
        array.of r4 r0 #4\n ret r4 #0\n no: ret.k #0 \"none\"";
    check(text, r#"{"a":1,"b":2}"#, "[[1,2],1,2,9]");
    check(text, r#"{"a":2,"b":1}"#, r#""none""#);
}

#[test]
fn builtins_run_and_fail() {
    let text = "query q regs=2\n slot r0 input.a ->no\n call.builtin r1 r0 #1 count ->no\n ret r1 #0\n no: ret.k #0 \"none\"";
    check(text, r#"{"a":[1,2]}"#, "2");
    check(text, r#"{"a":true}"#, r#""none""#);
    let mut strict = assemble(text);
    strict.strict_builtins = true;
    let program = verify(strict).unwrap();
    let mut vm = Vm::new(&Limits::DEFAULT);
    let mut request = vm.request(&program, &ENV);
    request.read_document(br#"{"a":true}"#).unwrap();
    assert_eq!(answer(&mut request), "StrictType");
}

#[test]
#[cfg_attr(miri, ignore = "runs until a budget of 100,000 steps is used up")]
fn budgets_end_calls_and_leave_the_request_usable() {
    let endless = "query q regs=6\n slot r0 input.a ->no\n again: loop.init r1 r0 ->no
        next: loop.next r1 r3 r4 ->again\n jump ->next\n no: ret.undef";
    let program = program(endless);
    let query = program.function("q").unwrap();
    let limits = Limits {
        fuel: 100_000,
        ..Limits::DEFAULT
    };
    let mut vm = Vm::new(&limits);
    let mut request = vm.request(&program, &ENV);
    request.read_document(br#"{"a":[1]}"#).unwrap();
    assert_eq!(
        request.call(query).unwrap_err().kind,
        EvalErrorKind::FuelExhausted
    );
    assert_eq!(request.fuel_used(), limits.fuel);
    drop(request);
    let late = RequestEnv {
        monotonic_ns: || 100,
        deadline_ns: Some(100),
        ..ENV
    };
    let mut request = vm.request(&program, &late);
    request.read_document(br#"{"a":[1]}"#).unwrap();
    assert_eq!(
        request.call(query).unwrap_err().kind,
        EvalErrorKind::DeadlineExceeded
    );
    request.read_document(b"{}").unwrap();
    assert_eq!(request.call(query).unwrap(), None);
}

#[test]
#[cfg_attr(miri, ignore = "assembles 300 functions and fills an arena of a mebibyte")]
fn depth_and_memory_are_bounded() {
    let mut text = "function f0 regs=100\n unset r0\n ret.k #0 1\n".to_owned();
    for i in 1..300 {
        text += &format!(
            "function f{i} regs=100\n call.fn r0 r0 #0 f{} ->no\n no: ret.k #0 1\n",
            i - 1
        );
    }
    text += "query q regs=1\n call.fn r0 r0 #0 f299 ->no\n ret r0 #0\n no: ret.undef";
    check(&text, "1", "1");
    let program = program(&text);
    let mut vm = Vm::new(&Limits {
        stack_cells_max: 20_000,
        ..Limits::DEFAULT
    });
    assert_eq!(answer(&mut vm.request(&program, &ENV)), "DepthExceeded");
    let mut vm = Vm::new(&Limits {
        frames_max: 100,
        ..Limits::DEFAULT
    });
    assert_eq!(answer(&mut vm.request(&program, &ENV)), "DepthExceeded");

    let greedy = "query q regs=6\n slot r0 input.a ->no\n array.new r5\n again: loop.init r1 r0 ->no
        next: loop.next r1 r3 r4 ->again\n array.push r5 r0\n jump ->next\n no: ret.undef";
    let program = self::program(greedy);
    let mut vm = Vm::new(&Limits {
        arena_max_bytes: 1 << 20,
        ..Limits::DEFAULT
    });
    let mut request = vm.request(&program, &ENV);
    request.read_document(br#"{"a":[1]}"#).unwrap();
    assert_eq!(answer(&mut request), "ArenaExhausted");
    drop(request);
    assert!(vm.memory_bytes() < 4 << 20);
}
