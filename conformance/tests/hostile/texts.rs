//! Texts.

use super::*;

#[test]
fn texts_that_grow() {
    let mib = || many("x", MIB);
    check("sprintf(\"%1000000000d\", [1])", vec![], VALUE);
    check("sprintf(input.a, [1])", vec![many("%1000000d", 1000)], VALUE);
    check("sprintf(input.a, [1.5])", vec![many("%.1000000f", 1000)], VALUE);
    check("sprintf(input.a, [1.5])", vec![many("%[1]1000000v", 1000)], VALUE);
    check("sprintf(\"%.*f\", [999999, 1.5])", vec![], VALUE);
    check(
        "sprintf(\"%d %s %v\", [input.a, input.a, input.a])",
        vec![number("1e1000000000")],
        VALUE,
    );
    check("sprintf(\"%d\", [input.a])", vec![number(&"9".repeat(MIB))], FUEL);
    check(
        "sprintf(\"%x\", [input.a])",
        vec![number(&"9".repeat(100_000))],
        VALUE,
    );
    check("sprintf(input.a, [])", vec![many("%", MIB)], VALUE);
    check("sprintf(input.a, [])", vec![many("%[", MIB / 2)], VALUE);
    check(
        "sprintf(input.a, input.b)",
        vec![many("%v", 1000), list(1000, |_| many("x", 100_000))],
        MEMORY,
    );
    check(
        "replace(input.a, \"x\", input.a)",
        vec![many("x", 100_000)],
        MEMORY,
    );
    check(
        "replace(input.a, \"\", input.a)",
        vec![many("x", 100_000)],
        MEMORY,
    );
    check(
        "strings.replace_n({\"x\": input.a}, input.a)",
        vec![many("x", 100_000)],
        MEMORY,
    );
    check(
        "strings.replace_n(input.b, input.a)",
        vec![
            mib(),
            object((0..1000).map(|at| (text(format!("y{at}")), text("z")))),
        ],
        FUEL,
    );
    check(
        "concat(input.a, input.b)",
        vec![many("x", 100_000), list(10_000, |_| text(""))],
        MEMORY,
    );
    check(
        "concat(\"\", [y | some i in numbers.range(1, 100000); y := input.a])",
        vec![many("x", 10_000)],
        MEMORY,
    );
    check("indexof_n(input.a, input.b)", vec![mib(), many("x", 1000)], FUEL);
    check(
        "indexof_n(input.a, input.b)",
        vec![mib(), many("x", MIB / 2)],
        FUEL,
    );
    check(
        "indexof_n(input.a, input.b)",
        vec![
            mib(),
            text(format!("{}y{}", "x".repeat(MIB / 4), "x".repeat(MIB / 4))),
        ],
        VALUE,
    );
    check(
        "contains(input.a, input.b)",
        vec![mib(), text(format!("{}y", "x".repeat(MIB / 2)))],
        VALUE,
    );
    check("strings.count(input.a, \"x\")", vec![mib()], VALUE);
    check("split(input.a, \"\")", vec![mib()], VALUE);
    check(
        "split(input.a, input.b)",
        vec![mib(), text(format!("{}y", "x".repeat(MIB / 2)))],
        VALUE,
    );
    check(
        "[y | some i in numbers.range(1, 100); y := split(input.a, \"\")]",
        vec![mib()],
        MEMORY,
    );
    check(
        "trim(input.a, input.b)",
        vec![mib(), text(format!("{}x", "ab".repeat(MIB / 2)))],
        VALUE,
    );
    check(
        "trim_left(input.a, input.b)",
        vec![mib(), text(format!("{}x", "ab".repeat(MIB / 2)))],
        VALUE,
    );
    check(
        "strings.any_prefix_match(input.a, input.b)",
        vec![
            list(5000, |_| many("x", 2000)),
            list(5000, |_| text(format!("{}y", "x".repeat(1999)))),
        ],
        FUEL,
    );
    check(
        "strings.any_suffix_match(input.a, input.a)",
        vec![list(20_000, |at| text(format!("{at}x")))],
        FUEL,
    );
    for f in ["upper", "lower", "strings.reverse", "trim_space", "count"] {
        check(&format!("{f}(input.a)"), vec![many("ß", MIB)], VALUE);
    }
    check(
        "substring(input.a, 9223372036854775807, 9223372036854775807)",
        vec![mib()],
        VALUE,
    );
    check(
        "[y | some i in numbers.range(1, 1000000); y := substring(input.a, 1000000, 1)]",
        vec![many("ß", MIB)],
        FUEL,
    );
    check(
        "[y | some i in numbers.range(1, 1000000); y := startswith(input.a, input.b)]",
        vec![mib(), mib()],
        FUEL,
    );
    check(
        "[y | some i in numbers.range(1, 1000000); y := trim_space(input.a)]",
        vec![many(" ", MIB)],
        FUEL,
    );
}
