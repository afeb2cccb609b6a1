//! `with`, mocks and trees: what holds inside a scope and what is back behind it.

use super::tests::{ENV, program, show};
use super::{Request, Vm};
use crate::bytecode::FnId;
use crate::limits::Limits;
use crate::repeated::repeated;

fn answer(request: &mut Request<'_>) -> String {
    let last = request.program().functions.len() as u32 - 1;
    match request.call(FnId(last)) {
        Ok(Some(value)) => show(value),
        Ok(None) => "undefined".to_owned(),
        Err(error) => format!("{:?}", error.kind),
    }
}

#[track_caller]
fn check(text: &str, input: &str, wanted: &str) {
    let program = program(text);
    let mut vm = Vm::new(&Limits::DEFAULT);
    for by_value in [false, true] {
        let mut request = vm.request(&program, &ENV);
        if by_value {
            request.read_document(input.as_bytes()).unwrap();
        } else {
            request
                .read_porc(input.as_bytes(), crate::input::Trailing::Refuse)
                .unwrap();
        }
        assert_eq!(answer(&mut request), wanted, "by value: {by_value}\n{text}");
        assert_eq!(answer(&mut request), wanted, "second call\n{text}");
    }
}

/// `[inside, outside]` of the slots `input`, `input.a`, `input.a.b` around replacements.
fn slots(replacements: &str) -> String {
    format!(
        "rule all regs=4
           slot r0 input ->u0\n jump ->a\n u0: const r0 \"undefined\"
         a: slot r1 input.a ->u1\n jump ->b\n u1: const r1 \"undefined\"
         b: slot r2 input.a.b ->u2\n jump ->c\n u2: const r2 \"undefined\"
         c: array.of r3 r0 #3\n ret r3 #0
         query q regs=5\n const r4 7\n with.begin\n {replacements}\n call.rule r0 all ->bad\n with.end\n call.rule r1 all ->no\n array.of r2 r0 #2\n ret r2 #0
         bad: with.end\n no: ret.undef"
    )
}

#[test]
fn input_is_seen_at_above_and_below() {
    let outside = r#"[{"a":{"b":1,"c":2}},{"b":1,"c":2},1]"#;
    let check = |replacements: &str, inside: &str| {
        check(
            &slots(replacements),
            r#"{"a":{"b":1,"c":2}}"#,
            &format!("[{inside},{outside}]"),
        );
    };
    check(
        "with.input r4 [\"a\",\"b\"]",
        r#"[{"a":{"b":7,"c":2}},{"b":7,"c":2},7]"#,
    );
    check("with.input r4 [\"a\"]", r#"[{"a":7},7,"undefined"]"#);
    check("with.input r4 []", r#"[7,"undefined","undefined"]"#);
    check(
        "with.input r4 [\"x\",\"y\"]",
        r#"[{"a":{"b":1,"c":2},"x":{"y":7}},{"b":1,"c":2},1]"#,
    );
    check(
        "with.input r4 [\"a\",\"b\",\"d\"]",
        r#"[{"a":{"b":{"d":7},"c":2}},{"b":{"d":7},"c":2},{"d":7}]"#,
    );
    check(
        "const r3 {\"b\":8}\n with.input r3 [\"a\"]\n with.input r4 [\"a\",\"d\"]",
        r#"[{"a":{"b":8,"d":7}},{"b":8,"d":7},8]"#,
    );
    check(
        "with.input r4 [\"a\",\"b\"]\n const r3 {\"b\":8}\n with.input r3 [\"a\"]",
        r#"[{"a":{"b":8}},{"b":8},8]"#,
    );
}

#[test]
fn base_is_patched_and_restored() {
    let text = "base {\"x\":{\"y\":1}}\nquery q regs=4\n const r0 2\n with.begin\n with.base r0 [\"x\",\"z\"]\n base r1 ->bad\n with.end\n base r2 ->no\n array.of r3 r1 #2\n ret r3 #0\n bad: with.end\n no: ret.undef";
    check(text, "{}", r#"[{"x":{"y":1,"z":2}},{"x":{"y":1}}]"#);
}

#[test]
fn rules_are_replaced_also_in_inner_scopes() {
    let text = "rule r regs=1\n ret.k #1 \"own\"
        rule user regs=2\n call.rule r0 r ->no\n ret r0 #0\n no: ret.k #0 \"none\"
        query q regs=8\n call.rule r0 user ->bad0\n const r4 7\n with.begin\n with.rule r4 r\n call.rule r1 user ->bad1
        with.begin\n with.input r4 []\n call.rule r2 user ->bad2\n with.end\n with.end
        unset r5\n with.begin\n with.rule r5 r\n call.rule r3 user ->bad1\n with.end
        call.rule r4 user ->bad0\n array.of r6 r0 #5\n ret r6 #0
        bad2: with.end\n bad1: with.end\n bad0: ret.undef";
    check(text, "{}", r#"["own",7,7,"none","own"]"#);
}

#[test]
fn mocks_answer_call_and_mean_the_original_inside() {
    let text = "function f params=1 regs=2\n array.of r1 r0 #1\n ret r1 #0
        function g params=1 regs=3\n call.mocked r1 r0 #1 m0 f ->no\n const r0 \"g\"\n array.of r2 r0 #2\n ret r2 #0\n no: ret.undef
        rule user regs=2\n const r0 1\n call.mocked r1 r0 #1 m0 f ->no\n ret r1 #0\n no: ret.undef
        query q regs=8\n call.rule r0 user ->bad0\n const r7 \"mock\"
        with.begin\n with.mock.value r7 m0\n call.rule r1 user ->bad1\n with.end
        with.begin\n with.mock.call m0 g\n call.rule r2 user ->bad1\n with.end
        with.begin\n with.mock.call m0 builtin:count\n call.rule r3 user ->un\n with.end\n jump ->last
        un: with.end\n const r3 \"undefined\"
        last: call.rule r4 user ->bad0\n array.of r6 r0 #5\n ret r6 #0
        bad1: with.end\n bad0: ret.undef";
    check(text, "{}", r#"[[1],"mock",["g",[1]],"undefined",[1]]"#);
}

#[test]
fn errors_inside_scopes_put_everything_back() {
    let text = "rule r regs=3\n slot r0 input.a ->no\n unset r1\n set.once r1 r0\n const r2 1\n set.once r1 r2\n is.set r1 ->no\n ret r1 #0\n no: ret.undef
        query q regs=2\n const r0 2\n with.begin\n with.input r0 [\"a\"]\n call.rule r1 r ->no\n with.end\n ret r1 #0\n no: with.end\n ret.undef";
    let program = program(text);
    let mut vm = Vm::new(&Limits::DEFAULT);
    let mut request = vm.request(&program, &ENV);
    request.read_document(br#"{"a":1}"#).unwrap();
    assert_eq!(answer(&mut request), "CompleteConflict");
    assert_eq!(show(request.call(FnId(0)).unwrap().unwrap()), "1");
    assert_eq!(show(request.input().unwrap().unwrap()), r#"{"a":1}"#);
}

/// Records of a tree, as `op path value` with JSON operands.
fn tree(records: &[&str]) -> String {
    let mut text = "query q regs=12\n tree.new r0\n".to_owned();
    for record in records {
        let mut words: Vec<&str> = record.split(' ').collect();
        let value = (words[0] != "tree.set").then(|| words.pop().unwrap());
        for (at, key) in words[1..].iter().enumerate() {
            text += &format!("const r{} \"{key}\"\n", at + 2);
        }
        let count = words.len() - 1;
        if let Some(value) = value {
            text += &format!("const r1 {value}\n{} r0 r2 #{count} r1\n", words[0]);
        } else {
            text += &format!("{} r0 r2 #{count}\n", words[0]);
        }
    }
    text + "tree.end r0\n ret r0 #0"
}

#[test]
fn trees() {
    let check = |records: &[&str], wanted: &str| check(&tree(records), "{}", wanted);
    check(&[], "{}");
    check(
        &["tree.put a b 1", "tree.put a c 2", "tree.put d 3"],
        r#"{"a":{"b":1,"c":2},"d":3}"#,
    );
    check(&["tree.put a 1", "tree.put a 1.0"], r#"{"a":1}"#);
    check(&["tree.put a 1", "tree.put a 2"], "ObjectConflict");
    check(&["tree.put a 1", "tree.put a b 2"], "ObjectConflict");
    check(&["tree.put a b 2", "tree.put a {\"b\":2}"], r#"{"a":{"b":2}}"#);
    check(&["tree.put a b 2", "tree.put a {\"b\":3}"], "ObjectConflict");
    check(&["tree.put a {\"b\":2}", "tree.put a b 2"], "ObjectConflict");
    check(
        &["tree.add a b 2", "tree.add a b 1", "tree.add a b 2"],
        r#"{"a":{"b":set(1,2)}}"#,
    );
    check(&["tree.set a b", "tree.put c 1"], r#"{"a":{"b":set()},"c":1}"#);
    check(&["tree.set a b", "tree.add a b 1"], r#"{"a":{"b":set(1)}}"#);
    check(&["tree.add a 1", "tree.put a b 1"], "ObjectConflict");
    check(
        &["tree.merge a {\"x\":1,\"b\":{\"y\":2}}", "tree.put a b z 3"],
        r#"{"a":{"b":{"y":2,"z":3},"x":1}}"#,
    );
    check(
        &["tree.put a b 3", "tree.merge {\"a\":{\"b\":4,\"c\":5}}"],
        r#"{"a":{"b":3,"c":5}}"#,
    );
    check(
        &[
            "tree.merge {\"a\":1,\"o\":{\"x\":1}}",
            "tree.merge {\"a\":2,\"o\":{\"y\":2}}",
        ],
        r#"{"a":1,"o":{"x":1,"y":2}}"#,
    );
    check(&["tree.merge {\"a\":1}", "tree.put a b 2"], r#"{"a":{"b":2}}"#);
}

#[test]
fn many_equal_records_do_not_pile_up() {
    let text = "query q regs=8\n slot r0 input.a ->no\n tree.new r6\n loop.init r1 r0 ->no
        next: loop.next r1 _ r4 ->end\n const r3 \"k\"\n tree.put r6 r3 #2 r4\n jump ->next\n end: tree.end r6\n ret r6 #0\n no: ret.undef";
    let values: Vec<String> = (0..repeated(2000)).map(|i| (i % 3).to_string()).collect();
    check(
        text,
        &format!(r#"{{"a":[{}]}}"#, values.join(",")),
        r#"{"k":{0:0,1:1,2:2}}"#,
    );
}

#[test]
fn scopes_in_a_loop_keep_no_results() {
    let text = "rule r regs=1\n ret.k #1 1
        query q regs=6\n slot r0 input.a ->no\n loop.init r1 r0 ->no
        next: loop.next r1 _ r3 ->no\n with.begin\n with.input r3 []\n call.rule r4 r ->end\n end: with.end\n jump ->next\n no: ret.undef";
    let program = program(text);
    let mut vm = Vm::new(&Limits::DEFAULT);
    let mut request = vm.request(&program, &ENV);
    let many: Vec<String> = (0..repeated(1000)).map(|i| i.to_string()).collect();
    request
        .read_document(format!(r#"{{"a":[{}]}}"#, many.join(",")).as_bytes())
        .unwrap();
    assert_eq!(answer(&mut request), "undefined");
    assert_eq!(request.rules.outcomes.len(), 0);
    let rare = request.rare.as_ref().unwrap();
    assert!(rare.undo.is_empty() && rare.scopes.is_empty());
}
