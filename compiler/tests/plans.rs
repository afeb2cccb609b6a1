//! Text in, plan out: what the planner and the optimiser make of small modules.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers fail as the test does"
)]

use bumpalo::Bump;
use expect_test::{Expect, expect};
use gavel_compiler::analyse::{AnalyseOptions, analyse};
use gavel_compiler::diagnostic::Diagnostic;
use gavel_compiler::opt::{OptOptions, Passes, optimise};
use gavel_compiler::parse::{BaseDialect, ParseOptions, parse_module};
use gavel_compiler::plan::{Plan, Request, plan};
use gavel_compiler::source::SourceMap;
use gavel_compiler::{dump, emit};
use gavel_runtime::bytecode::verify;

fn planned(module: &str, entry: &[&str]) -> Result<Plan, Vec<Diagnostic>> {
    let mut sources = SourceMap::default();
    let file = sources.add_file("test.rego", module);
    let bump = Bump::new();
    let options = ParseOptions {
        base: BaseDialect::V1,
        ..ParseOptions::default()
    };
    let module = parse_module(&bump, &sources, file, options)?;
    let unit = analyse(&sources, &[module], &AnalyseOptions::default())?;
    let entry: Vec<String> = entry.iter().map(|key| (*key).to_owned()).collect();
    let plan = plan(
        &unit,
        Request {
            entries: &[entry],
            queries: &[],
            trace: false,
            spellings: false,
            strict_builtins: false,
        },
    )?;
    for passes in [Passes::NONE, Passes::ALL] {
        let options = OptOptions {
            passes,
            ..OptOptions::default()
        };
        let mut builder = emit::ProgramBuilder::new(emit::EmitOptions::default());
        builder
            .add_unit(&optimise(plan.clone(), &options), &sources)
            .map_err(|problem| vec![problem])?;
        verify(builder.finish()).expect("what the compiler emits passes the verifier");
    }
    Ok(plan)
}

#[track_caller]
fn check(module: &str, entry: &[&str], want: Expect) {
    match planned(module, entry) {
        Ok(plan) => want.assert_eq(&dump::plan(&optimise(plan, &OptOptions::default()))),
        Err(problems) => panic!("{problems:?}"),
    }
}

#[test]
fn conditions_on_input_become_tests_of_slots() {
    check(
        r#"package p
default allow := false
allow if { input.user.role == "admin"; not input.user.suspended }
allow if input.user.name in {"alice", "bob"}
"#,
        &["p", "allow"],
        expect![[r#"
            f0 data.p.allow (Rule, 0 params)
                test input.user.role == "admin" -> L0
                test input.user.suspended -> L2
                jump L0
             L2:
                return true by 0
             L0:
                test input.user.name in {"alice", "bob"} -> L3
                return true by 1
             L3:
                return false by 65535
            entry p.allow = f0
        "#]],
    );
}

#[test]
fn helper_functions_disappear_into_their_callers() {
    check(
        r#"package p
owns(principal, resource) if principal.sub == resource.owner
allow if owns(input.principal, input.resource)
"#,
        &["p", "allow"],
        expect![[r#"
            f0 data.p.allow (Rule, 0 params)
                test input.resource.owner == input.principal.sub -> L0
                return true by 0
             L0:
                return
            f1 data.p.owns (Function, 2 params)
                r4 = r0["sub"] -> L0
                r5 = r1["owner"] -> L0
                test r5 == r4 -> L0
                return true by 0
             L0:
                return
            entry p.allow = f0
        "#]],
    );
}

#[test]
fn functions_over_constants_become_tables() {
    check(
        r#"package p
level("a") := 1
level("b") := 2
level("c") := 3
level("d") := 4
x := n if { some role in input.roles; n := level(role); n > 2 }
"#,
        &["p", "x"],
        expect![[r#"
            f0 data.p.x (Rule, 0 params)
                r0 = unset
                r2 = input.roles -> L0
                r14 = {"a": 1, "b": 2, "c": 3, "d": 4}
                loop r3 over r2 -> L0
             L2:
                next r3: _, r5 -> L0
                r15 = r14[r5] -> L2
                test r15 > 2 -> L2
                once r0 = r15
                jump L2
             L0:
                test set r0 -> L3
                return r0 by 65535
             L3:
                return
            f1 data.p.level (Function, 1 params)
                r6 = {"a": 1, "b": 2, "c": 3, "d": 4}
                r7 = r6[r0] -> L8
                return r7 by 65535
             L8:
                return
            entry p.x = f0
        "#]],
    );
}

#[test]
fn else_runs_when_no_solution_was_found() {
    check(
        r#"package p
x := y if { some y in input.xs; y > 1 } else := 0
"#,
        &["p", "x"],
        expect![[r#"
            f0 data.p.x (Rule, 0 params)
                r0 = unset
                r1 = unset
                r2 = input.xs -> L2
                loop r3 over r2 -> L2
             L3:
                next r3: _, r5 -> L2
                test r5 > 1 -> L3
                once r1 = r5
                jump L3
             L2:
                test set r1 -> L1
                once r0 = r1
                jump L0
             L1:
                return 0 by 1
             L0:
                test set r0 -> L5
                return r0 by 65535
             L5:
                return
            entry p.x = f0
        "#]],
    );
}

#[test]
fn several_solutions_under_with_are_collected() {
    check(
        r#"package p
xs contains x if some x in input.xs
y := [x | some x in xs with input.xs as [1, 2]]
"#,
        &["p", "y"],
        expect![[r#"
            f0 data.p.y (Rule, 0 params)
                r2 = new array
                r3 = [1, 2]
                r8 = new array
                with
                with input.xs as r3
                r4 = data.p.xs -> L3
                loop r5 over r4 -> L3
             L5:
                next r5: r6, r7 -> L3
                r9 = array of r7, r6
                add r9 to r8
                jump L5
             L3:
                finish r8
                end with
                loop r10 over r8 -> L2
             L6:
                next r10: _, r12 -> L2
                r13 = r12[0] -> L6
                r14 = r12[1] -> L6
                add r13 to r2
                jump L6
             L2:
                finish r2
                return r2 by 0
            f1 data.p.xs (Rule, 0 params)
                r0 = new set
                r2 = input.xs -> L1
                loop r3 over r2 -> L1
             L3:
                next r3: _, r5 -> L1
                add r5 to r0
                jump L3
             L1:
                finish r0
                return r0 by 65535
            entry p.y = f0
        "#]],
    );
}

#[test]
fn a_key_selects_the_rules_that_can_have_it() {
    check(
        r#"package p
perms["admin"] := ["all"]
perms[role] := ["read"] if some role in input.roles
x := perms.admin
"#,
        &["p", "x"],
        expect![[r#"
            f0 data.p.x (Rule, 0 params)
                r2 = data.p.perms["admin"] -> L0
                r3 = r2["admin"] -> L0
                return r3 by 0
             L0:
                return
            f1 data.p.perms["admin"] (Rule, 0 params)
                r0 = new tree
                r1 = "admin"
                r3 = input.roles -> L1
                r7 = ["read"]
                r11 = "admin"
                test r11 in r3 -> L1
                put [r1]: r7 to r0
             L1:
                r9 = "admin"
                r10 = ["all"]
                put [r9]: r10 to r0
                finish r0
                return r0 by 65535
            entry p.x = f0
        "#]],
    );
}

#[test]
fn a_package_is_the_object_of_its_rules() {
    check(
        r#"package p
f(x) := x
a := 1 if input.a
b contains 2
"#,
        &["p"],
        expect![[r#"
            f0 extent data.p (Rule, 0 params)
                r0 = new object
                test input.a -> L0
                r1 = 1
                r2 = "a"
                put r2: r1 to r0
             L0:
                r3 = data.p.b -> L1
                r4 = "b"
                put r4: r3 to r0
             L1:
                finish r0
                return r0 by 65535
            f1 data.p.a (Rule, 0 params)
                test input.a -> L0
                return 1 by 0
             L0:
                return
            f2 data.p.b (Rule, 0 params)
                r0 = new set
                r2 = 2
                add r2 to r0
                finish r0
                return r0 by 65535
            entry p = f0
        "#]],
    );
}

#[test]
fn a_search_is_a_test_of_membership() {
    check(
        r#"package p
same if { some ward in input.user.wards; ward == input.record.ward }
"#,
        &["p", "same"],
        expect![[r#"
            f0 data.p.same (Rule, 0 params)
                r2 = input.user.wards -> L0
                r6 = input.record.ward -> L0
                test r6 in r2 -> L0
                return true by 0
             L0:
                return
            entry p.same = f0
        "#]],
    );
}

#[test]
fn a_document_that_needs_itself_is_refused() {
    let module = r#"package p
q[k].foo if { k := "a"; q[_].bar }
q[k].bar if k := "a"
"#;
    let problems = planned(module, &["p", "q"]).expect_err("evaluation would never end");
    let [problem] = problems.as_slice() else {
        panic!("{problems:?}");
    };
    assert_eq!(problem.code.as_str(), "rego_recursion_error");
}
