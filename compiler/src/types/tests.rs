//! The type language by itself, and the checker over programs written as HIR.

use super::compatible::compatible;
use super::ty::Type;
use super::{check, show};
use crate::hir::{
    Block, Callee, Clause, ModuleMeta, Ref, RefHead, Rule, RuleKind, Stmt, StmtKind, Term, Unit, VarId,
};
use crate::source::{SourceMap, Span};
use expect_test::{Expect, expect};
use gavel_runtime::builtins;
use gavel_runtime::value::Constant;

fn text(value: &str) -> Constant {
    Constant::String(value.to_owned())
}

fn object(members: &[(&str, Type)]) -> Type {
    let members = members.iter().map(|(key, t)| (text(key), t.clone())).collect();
    Type::object(members, None)
}

#[track_caller]
fn shows(value: &Type, want: Expect) {
    want.assert_eq(&show::type_text(value));
}

#[test]
fn alternatives_are_flat_and_sorted() {
    let strings = Type::array(Vec::new(), Some(Type::String));
    let value = Type::String.or(&Type::Number).or(&strings).or(&Type::Number);
    shows(&value, expect!["any<number, string, array[string]>"]);
    shows(&value.or(&Type::Any), expect!["any"]);
    shows(
        &value.or(&Type::Unknown),
        expect!["any<number, string, array[string]>"],
    );
}

#[test]
fn constants_have_the_type_of_their_parts() {
    let value = Constant::object(vec![
        (text("a"), Constant::Int(1)),
        (Constant::Int(2), Constant::Array(vec![Constant::Null, text("x")])),
        (text("s"), Constant::set(vec![Constant::Int(1), text("y")])),
    ]);
    let value = Type::of_constant(&value);
    shows(
        &value,
        expect!["object<2: array<null, string>, a: number, s: set[any<number, string>]>"],
    );
    shows(&value.keys(), expect!["any<number, string>"]);
    shows(&value.member(&text("a")), expect!["number"]);
    shows(&value.member(&text("b")), expect!["???"]);
}

#[test]
fn literal_index_counts_by_its_spelling() {
    let value = Type::array(vec![Type::Null, Type::String], None);
    shows(&value.member(&Constant::Int(1)), expect!["string"]);
    shows(&value.member(&Constant::number("1.0")), expect!["???"]);
    shows(&value.member(&Constant::Int(-1)), expect!["???"]);
    shows(&value.member(&Constant::Int(2)), expect!["???"]);
}

#[test]
fn arrays_of_other_lengths_have_nothing_in_common() {
    let one = Type::array(vec![Type::Number], None);
    let two = Type::array(vec![Type::Number, Type::Number], None);
    let many = Type::array(Vec::new(), Some(Type::Number));
    assert!(!compatible(&one, &two));
    assert!(!compatible(&one, &Type::array(Vec::new(), None)));
    assert!(compatible(&two, &many));
    assert!(!compatible(&many, &Type::array(vec![Type::String], None)));
}

#[test]
fn closed_objects_must_agree_in_keys() {
    let a = object(&[("a", Type::Number)]);
    assert!(!compatible(&a, &object(&[("b", Type::Number)])));
    assert!(!compatible(
        &a,
        &object(&[("a", Type::Number), ("b", Type::Number)])
    ));
    assert!(!compatible(&a, &object(&[])));
    assert!(!compatible(&a, &object(&[("a", Type::String)])));
    let open = Type::object(vec![(text("b"), Type::Null)], Some((Type::String, Type::Any)));
    assert!(compatible(&a, &open));
}

#[test]
fn the_empty_set_is_in_every_set_type() {
    let empty = Type::set(Type::Unknown);
    assert!(compatible(&empty, &Type::set(Type::String)));
    assert!(empty.is_empty_collection() && empty.has_unknown());
}

#[test]
fn types_stop_growing() {
    // Each round would double the type: without a bound, comparing it takes for ever.
    let mut value = object(&[("a", Type::Number), ("b", Type::String)]);
    for _ in 0..100 {
        value = Type::array(vec![value.clone(), value], None);
    }
    assert!(compatible(&value, &value));
    assert!(!compatible(&value, &Type::Null));
}

// Programs. One file whose text does not matter; statement `n` stands at byte `n`.

fn span(at: u32) -> Span {
    Span {
        file: SourceMap::default().add_file("p.rego", ""),
        start: at,
        end: at + 1,
    }
}

fn stmt(at: u32, kind: StmtKind) -> Stmt {
    Stmt { span: span(at), kind }
}

fn unify(left: Term, right: Term) -> StmtKind {
    StmtKind::Unify {
        left,
        right,
        directed: false,
    }
}

fn constant(value: Constant) -> Term {
    Term::Const(value)
}

fn number(value: i64) -> Term {
    constant(Constant::Int(value))
}

fn string(value: &str) -> Term {
    constant(text(value))
}

fn var(id: u32) -> Term {
    Term::Var(VarId(id))
}

fn data(path: &[&str], tail: Vec<Term>) -> Term {
    Term::Ref(Box::new(Ref {
        span: span(90),
        head: RefHead::Data,
        path: path.iter().map(|name| string(name)).chain(tail).collect(),
    }))
}

fn rule(name: &str, kind: RuleKind, args: Vec<Term>, stmts: Vec<Stmt>, value: Term) -> Rule {
    Rule {
        span: span(0),
        module: 0,
        kind,
        is_default: false,
        new_not: false,
        path: vec!["p".to_owned(), name.to_owned()],
        dynamic: Vec::new(),
        args,
        clauses: vec![Clause {
            span: span(0),
            body: Block { stmts },
            value,
        }],
        var_names: ["x", "y", "z"].map(str::to_owned).to_vec(),
        builtin_names: Vec::new(),
        head_builtins: Vec::new(),
    }
}

fn value_rule(name: &str, stmts: Vec<Stmt>, value: Term) -> Rule {
    rule(name, RuleKind::Value, Vec::new(), stmts, value)
}

#[track_caller]
fn finds(rules: Vec<Rule>, want: Expect) {
    let mut sources = SourceMap::default();
    let file = sources.add_file("p.rego", "");
    let unit = Unit {
        modules: vec![ModuleMeta {
            file,
            package: vec!["p".to_owned()],
            dialect: crate::ast::Dialect::default(),
            last_uses: std::collections::HashMap::new(),
        }],
        rules,
        base: None,
        schemas: Vec::new(),
    };
    let found = check(&sources, &unit).errors;
    let lines: Vec<String> = found
        .iter()
        .map(|error| format!("{}: {}", error.span.map_or(0, |span| span.start), error.message))
        .collect();
    want.assert_eq(&lines.join("\n"));
}

#[test]
fn a_rule_has_the_type_of_its_values() {
    finds(
        vec![
            value_rule(
                "r",
                vec![stmt(3, unify(data(&["p", "q"], Vec::new()), string("a")))],
                constant(Constant::Bool(true)),
            ),
            value_rule("q", Vec::new(), number(1)),
        ],
        expect!["3: match error"],
    );
}

#[test]
fn two_rules_make_alternatives() {
    finds(
        vec![
            value_rule("q", Vec::new(), number(1)),
            value_rule("q", Vec::new(), string("b")),
            value_rule(
                "r",
                vec![
                    stmt(1, unify(data(&["p", "q"], Vec::new()), string("a"))),
                    stmt(2, unify(data(&["p", "q"], Vec::new()), constant(Constant::Null))),
                ],
                constant(Constant::Bool(true)),
            ),
        ],
        expect!["2: match error"],
    );
}

#[test]
fn a_missing_member_is_an_undefined_ref() {
    let q = Constant::object(vec![(text("a"), Constant::Int(1))]);
    finds(
        vec![
            value_rule("q", Vec::new(), constant(q)),
            value_rule(
                "r",
                vec![stmt(1, unify(var(0), data(&["p", "q", "b"], Vec::new())))],
                var(0),
            ),
        ],
        expect!["90: undefined ref: data.p.q.b"],
    );
}

#[test]
fn parameters_get_their_types_from_the_body() {
    let startswith = builtins::find("startswith").map(Callee::Builtin);
    let plus = builtins::find("plus").map(Callee::Builtin);
    let (Some(startswith), Some(plus)) = (startswith, plus) else {
        return;
    };
    let call = |callee: &Callee, args: Vec<Term>, out: Option<Term>| StmtKind::Call {
        callee: callee.clone(),
        args,
        out,
    };
    let f = Callee::Function(vec!["p".to_owned(), "f".to_owned()]);
    finds(
        vec![
            rule(
                "f",
                RuleKind::Function,
                vec![var(0)],
                vec![
                    stmt(1, call(&startswith, vec![var(0), string("a")], None)),
                    stmt(2, call(&plus, vec![number(1), number(2)], Some(var(1)))),
                ],
                var(1),
            ),
            value_rule("a", vec![stmt(3, call(&f, vec![number(1)], None))], number(1)),
            value_rule(
                "b",
                vec![stmt(4, call(&f, vec![string("x")], Some(string("s"))))],
                number(1),
            ),
            value_rule(
                "c",
                vec![stmt(5, call(&f, vec![string("x")], Some(number(3))))],
                number(1),
            ),
            value_rule(
                "d",
                vec![stmt(6, unify(var(0), data(&["p", "f"], Vec::new())))],
                var(0),
            ),
        ],
        expect![[r#"
            3: data.p.f: invalid argument(s)
            4: data.p.f: invalid argument(s)
            90: function data.p.f used as reference, not called"#]],
    );
}

#[test]
fn a_wrong_rule_does_not_spread() {
    finds(
        vec![
            value_rule("q", vec![stmt(1, unify(number(1), string("a")))], number(1)),
            value_rule(
                "r",
                vec![stmt(2, unify(data(&["p", "q"], Vec::new()), string("a")))],
                number(1),
            ),
        ],
        expect!["1: match error"],
    );
}

#[test]
fn open_documents_may_have_other_members() {
    let object = Constant::object(vec![(text("z"), text("s"))]);
    finds(
        vec![
            value_rule("a", Vec::new(), number(1)),
            Rule {
                path: vec!["q".to_owned(), "r".to_owned()],
                ..value_rule(
                    "r",
                    vec![
                        stmt(1, unify(data(&["p"], Vec::new()), constant(object))),
                        stmt(2, unify(data(&["p"], vec![var(0)]), string("s"))),
                        stmt(3, unify(data(&["p", "b", "c"], Vec::new()), string("s"))),
                        stmt(4, unify(data(&["p", "a"], Vec::new()), string("s"))),
                    ],
                    number(1),
                )
            },
        ],
        expect!["4: match error"],
    );
}
