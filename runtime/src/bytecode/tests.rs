//! The verifier's refusals, and the text of programs.

mod assemble;

use super::{Inst, Op, Role, dump, verify};

pub(crate) use assemble::assemble;

/// Which complaint a program meets; empty: none.
#[track_caller]
fn check(text: &str, complaint: &str) {
    let found = verify(assemble(text)).map_err(|error| error.to_string());
    match found {
        Ok(_) => assert_eq!(complaint, "", "{text}"),
        Err(error) => assert!(
            !complaint.is_empty() && error.contains(complaint),
            "{error}\n{text}"
        ),
    }
}

/// A query of the ops, with 8 registers.
#[track_caller]
fn query(ops: &str, complaint: &str) {
    check(&format!("query q regs=8\n{ops}"), complaint);
}

/// The verifier follows registers in the operands of 16 bits alone.
#[test]
fn registers_stand_in_no_wide_operand() {
    for op in Op::ALL {
        let [_, _, c, _, _, f] = op.shape().roles;
        let is_register = [c, f].into_iter().any(|role| match role {
            Role::Def | Role::Use | Role::UseDef | Role::DefLoop | Role::Loop | Role::DefOpt | Role::Run => {
                true
            }
            Role::None
            | Role::Count
            | Role::CountPairs
            | Role::Const
            | Role::Slot
            | Role::Label
            | Role::Func
            | Role::Builtin
            | Role::Prepared
            | Role::Mock
            | Role::Target
            | Role::Imm => false,
        });
        assert!(!is_register, "{}", op.name());
    }
}

#[test]
fn registers_are_written_before_they_are_read() {
    query("ret r0 #0", "no value of the right kind");
    query("const r0 1\n ret r0 #0", "");
    query("slot r0 input ->no\n no: ret r0 #0", "no value of the right kind");
    query("slot r0 input ->no\n ret r0 #0\n no: ret.undef", "");
    query(
        "slot.def input ->no\n const r0 1\n no: ret r0 #0",
        "no value of the right kind",
    );
    query(
        "const r0 1\n array.of r1 r0 #2\n ret r1 #0",
        "a register of a run",
    );
    query("const r8 1\n ret.undef", "outside of the frame");
    query(
        "const r0 1\n array.of r1 r0 #9\n ret r1 #0",
        "outside of the frame",
    );
}

#[test]
fn unset_reaches_only_ops_that_know_it() {
    query(
        "unset r0\n eq.k r0 1 ->no\n no: ret.undef",
        "no value of the right kind",
    );
    query("unset r0\n is.set r0 ->no\n eq.k r0 1 ->no\n no: ret.undef", "");
    query(
        "unset r0\n const r1 1\n set.once r0 r1\n eq.k r0 1 ->no\n no: ret.undef",
        "",
    );
    query(
        "unset r0\n unset r1\n set.once r0 r1\n ret.undef",
        "no value of the right kind",
    );
    query("unset r0\n array.of r1 r0 #1\n ret r1 #0", "a register of a run");
    query("unset r0\n ret r0 #0", "");
}

#[test]
fn loops_and_builders_are_used_as_such() {
    let start = "const r0 []\n loop.init r1 r0 ->no\n";
    query(
        &format!("{start} next: loop.next r1 _ _ ->no\n jump ->next\n no: ret.undef"),
        "",
    );
    query(
        "const r0 []\n next: loop.next r0 _ _ ->no\n jump ->next\n no: ret.undef",
        "not started",
    );
    query(
        &format!("{start} next: loop.next r1 r2 _ ->no\n jump ->next\n no: ret.undef"),
        "not started",
    );
    query(
        &format!("{start} ret r1 #0\n no: ret.undef"),
        "no value of the right kind",
    );
    query(
        "const r0 []\n loop.init r7 r0 ->no\n no: ret.undef",
        "outside of the frame",
    );
    query(
        "array.new r0\n const r1 1\n array.push r0 r1\n array.end r0\n ret r0 #0",
        "",
    );
    query("array.new r0\n ret r0 #0", "no value of the right kind");
    query(
        "array.new r0\n const r1 1\n set.add r0 r1\n ret.undef",
        "no value of the right kind",
    );
    query(
        "const r0 1\n array.end r0\n ret.undef",
        "no value of the right kind",
    );
    query(
        "array.new r0\n array.end r0\n array.end r0\n ret.undef",
        "no value of the right kind",
    );
}

#[test]
fn every_way_back_leads_through_a_round() {
    query("again: jump ->again", "nothing would end it");
    query(
        "const r0 1\n again: eq.k r0 2 ->again\n ret.undef",
        "nothing would end it",
    );
    query(
        "const r0 []\n again: loop.init r1 r0 ->again\n ret.undef",
        "nothing would end it",
    );
    query(
        "const r0 []\n again: loop.init r1 r0 ->no\n loop.next r1 _ _ ->again\n no: ret.undef",
        "",
    );
    query("jump ->b\n a: jump ->c\n b: jump ->a\n c: ret.undef", "");
    query("jump ->b\n a: jump ->b\n b: jump ->a", "nothing would end it");
}

#[test]
fn code_stays_inside_its_function() {
    query("const r0 1", "runs past the end");
    query("", "runs past the end");
    query("jump ->x\n x: ret.undef", "");
    let mut raw = assemble("query q regs=1\n slot.eq.k input 1 ->x\n x: ret.undef");
    for (label, ok) in [(0, false), (1, true), (2, false), (1000, false)] {
        let mut inst = Inst::decode(&raw.code, 0).unwrap();
        inst.c = label;
        raw.code[0] = inst.low_word();
        assert_eq!(verify(raw.clone()).is_ok(), ok, "{label}");
    }
    raw.code[1] = 0xff;
    assert!(
        verify(raw.clone())
            .unwrap_err()
            .what
            .contains("no op has this code")
    );
    raw.functions[0].end = 99;
    assert!(verify(raw).unwrap_err().what.contains("ends behind the code"));
}

#[test]
fn calls_go_to_earlier_functions_of_the_right_kind() {
    check(
        "rule r regs=1\n ret.undef\n query q regs=1\n call.rule r0 r ->no\n ret r0 #0\n no: ret.undef",
        "",
    );
    check(
        "function f params=1 regs=1\n ret r0 #0\n query q regs=1\n call.rule r0 f ->no\n no: ret.undef",
        "another kind",
    );
    check(
        "function f params=1 regs=1\n ret r0 #0\n query q regs=1\n call.fn r0 r0 #0 f ->no\n no: ret.undef",
        "number of arguments",
    );
    check("rule r params=1 regs=1\n ret r0 #0", "no parameters");
    check(
        "query q regs=1\n const r0 1\n call.builtin r0 r0 #1 count ->no\n no: ret.undef",
        "",
    );
    check(
        "query q regs=2\n const r0 1\n const r1 1\n call.builtin r0 r0 #2 count ->no\n no: ret.undef",
        "number of arguments",
    );
    let mut raw = assemble("rule r regs=1\n ret.undef\n rule s regs=1\n call.rule r0 r ->no\n no: ret.undef");
    raw.code[2] = u64::from(1_u32) << 32;
    assert!(verify(raw).unwrap_err().what.contains("before its callers"));
}

#[test]
fn with_scopes_are_closed_in_order() {
    query(
        "const r0 1\n with.begin\n with.input r0 []\n with.end\n ret.undef",
        "",
    );
    query(
        "const r0 1\n with.input r0 []\n ret.undef",
        "stands in a `with` scope",
    );
    query("with.begin\n ret.undef", "returns out of");
    query("with.end\n ret.undef", "never began");
    query(
        "with.begin\n slot.def input ->no\n with.end\n no: ret.undef",
        "different `with` scopes",
    );
    query(
        "const r0 1\n with.begin\n with.input r0 \"a\"\n with.end\n ret.undef",
        "array of at most 128 keys",
    );
}

#[test]
fn mock_cells_have_one_arity() {
    let text = |replacement: &str| {
        format!(
            "function f params=1 regs=1\n ret r0 #0\n function g params=2 regs=2\n ret r0 #0
             query q regs=2\n const r0 1\n with.begin\n with.mock.call m0 {replacement}\n call.mocked r1 r0 #1 m0 f ->no\n no: with.end\n ret.undef"
        )
    };
    check(&text("f"), "");
    check(&text("builtin:count"), "");
    check(&text("g"), "number of arguments");
}

#[test]
fn every_op_round_trips_through_its_words() {
    for &op in Op::ALL {
        let mut inst = Inst::new(op);
        (inst.a, inst.b, inst.c) = (0x1234, 0xfedc, 0x00ab_cdef);
        if op.shape().is_wide() {
            (inst.d, inst.e, inst.f) = (0x5678, 0x9abc, 0xdead_beef);
        }
        let code = [inst.low_word(), inst.high_word()];
        assert_eq!(Inst::decode(&code, 0), Some(inst));
        assert_eq!(Op::from_code(op as u8), Some(op));
    }
    assert_eq!(Op::from_code(Op::ALL.len() as u8), None);
}

#[test]
fn text_of_a_program() {
    let raw = assemble(
        r#"rule data.p.r regs=1
             slot.eq.k input.a.b "x" ->no
             ret.k #2 {"k":[1,2]}
             no: ret.undef
           query q regs=8
             call.rule r0 data.p.r ->no
             loop.init r1 r0 ->no
             next: loop.next r1 _ r3 ->no
             call.builtin r4 r3 #1 count ->next
             call.mocked r5 r3 #2 m0 builtin:count ->next
             object.of r6 r3 #1
             jump ->next
             no: ret.undef"#,
    );
    let wanted = r#"rule 0 data.p.r params=0 regs=1
      0  slot.eq.k     input.a.b, "x", -> 2
      1  ret.k         #2, {"k": [1, 2]}
      2  ret.undef

query 1 q params=0 regs=8
      3  call.rule     r0, data.p.r, -> 15
      5  loop.init     loop r1, r0, -> 15
      6  loop.next     loop r1, _, r3, -> 15
      8  call.builtin  r4, [r3], count, -> 6
     10  call.mocked   r5, [r3..r4], mock 0, count, -> 6
     12  object.of     r6, [r3..r4]
     14  jump          -> 6
     15  ret.undef
"#;
    assert_eq!(dump(&raw), wanted);
}
