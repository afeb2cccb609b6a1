//! Arrays, objects, sets, graphs.

use super::*;

#[test]
fn collections() {
    let node = |at: usize| text(format!("n{at}"));
    let complete = |count: usize| object((0..count).map(|at| (node(at), list(count, node))));
    check("graph.reachable(input.a, [\"n0\"])", vec![complete(700)], VALUE);
    check(
        "graph.reachable_paths(input.a, [\"n0\"])",
        vec![complete(14)],
        MEMORY,
    );
    check(
        "graph.reachable_paths(input.a, [\"n0\"])",
        vec![object((0..5000).map(|at| (node(at), list(1, |_| node(at + 1)))))],
        DEPTH,
    );
    check(
        "graph.reachable(input.a, [\"n0\"])",
        vec![object(
            (0..50_000).map(|at| (node(at), list(1, |_| node(at + 1)))),
        )],
        VALUE,
    );
    for wrap in [in_array as fn(Constant) -> Constant, in_object, |inner| {
        Constant::Set(vec![inner])
    }] {
        let deep = || nested(9_000, wrap);
        check("[y | walk(input.a, y)]", vec![deep()], MEMORY);
        let want = if wrap(Constant::Null).get("a").is_some() {
            DEPTH
        } else {
            VALUE
        };
        check(
            "object.union({\"x\": input.a}, {\"x\": input.b})",
            vec![deep(), nested_in(Constant::Bool(true), 9_000, wrap)],
            want,
        );
        check(
            "object.union({\"x\": input.a}, {\"x\": input.b})",
            vec![deep(), deep()],
            VALUE,
        );
        check(
            "json.filter({\"x\": input.a}, input.b)",
            vec![deep(), list(1, |_| many("x/a", 9_000))],
            VALUE,
        );
        check(
            "json.remove({\"x\": input.a}, input.b)",
            vec![deep(), list(1, |_| many("x/a", 9_000))],
            VALUE,
        );
        check(
            "object.subset({\"x\": input.a}, {\"x\": input.b})",
            vec![deep(), deep()],
            VALUE,
        );
        check("sort([input.a, input.b, input.a])", vec![deep(), deep()], VALUE);
        check("input.a == input.b", vec![deep(), deep()], VALUE);
        check("{input.a, input.b}", vec![deep(), deep()], VALUE);
        check("sprintf(\"%v\", [input.a])", vec![deep()], VALUE);
    }
    check(
        "json.patch(input.a, input.b)",
        vec![
            list(1000, |_| Constant::Null),
            list(100_000, |_| {
                Constant::object(vec![
                    (text("op"), text("add")),
                    (text("path"), text("/0")),
                    (text("value"), Constant::Null),
                ])
            }),
        ],
        MEMORY,
    );
    let doubling = list(60, |_| {
        Constant::object(vec![
            (text("op"), text("copy")),
            (text("from"), text("")),
            (text("path"), text("/a")),
        ])
    });
    check("json.patch({\"a\": 1}, input.a)", vec![doubling.clone()], VALUE);
    check(
        "json.marshal(json.patch({\"a\": 1, \"b\": 2}, input.a))",
        vec![doubling],
        VALUE,
    );
    let doubling = |end: &str| {
        list(60, |_| {
            Constant::object(vec![
                (text("op"), text("copy")),
                (text("from"), text("")),
                (text("path"), text(format!("/{end}"))),
            ])
        })
    };
    check(
        "json.marshal(json.patch([1], input.a))",
        vec![doubling("-")],
        FUEL,
    );
    check(
        "sprintf(\"%v\", [json.patch([1], input.a)])",
        vec![doubling("-")],
        FUEL,
    );
    check(
        "yaml.marshal(json.patch([1], input.a))",
        vec![doubling("-")],
        FUEL,
    );
    check(
        "json.patch([1], input.a) == json.patch([1], input.b)",
        vec![doubling("-"), doubling("-")],
        FUEL,
    );
    check(
        "{json.patch([1], input.a), json.patch([1], input.b)}",
        vec![doubling("-"), doubling("-")],
        FUEL,
    );
    check(
        "count([y | walk(json.patch([1], input.a), y)])",
        vec![doubling("-")],
        FUEL,
    );
    check(
        "object.subset({\"x\": json.patch([1], input.a)}, {\"x\": json.patch([1], input.b)})",
        vec![doubling("-"), doubling("-")],
        FUEL,
    );
    check(
        "object.union_n(input.a)",
        vec![list(3000, |at| {
            object((0..20).map(|k| (text(format!("{at}-{k}")), Constant::Null)))
        })],
        MEMORY,
    );
    check(
        "object.subset(input.a, input.b)",
        vec![
            list(20_000, |_| Constant::Null),
            list(10_001, |at| {
                if at == 10_000 {
                    Constant::Int(1)
                } else {
                    Constant::Null
                }
            }),
        ],
        FUEL,
    );
    check(
        "array.concat(input.a, input.a)",
        vec![list(500_000, |_| Constant::Null)],
        VALUE,
    );
    check(
        "[y | some i in numbers.range(1, 100000); y := array.concat(input.a, [i])]",
        vec![list(10_000, |_| Constant::Null)],
        MEMORY,
    );
    check(
        "[y | some i in numbers.range(1, 1000000); y := count(input.a)]",
        vec![many("ß", MIB)],
        FUEL,
    );
    check(
        "intersection(input.a)",
        vec![Constant::set(
            (0..300)
                .map(|at| Constant::set((0..300).map(|k| Constant::Int(k * at)).collect()))
                .collect(),
        )],
        VALUE,
    );
    check(
        "union(input.a)",
        vec![Constant::set(
            (0..300)
                .map(|at| Constant::set((0..300).map(|k| Constant::Int(k * at)).collect()))
                .collect(),
        )],
        VALUE,
    );
}
