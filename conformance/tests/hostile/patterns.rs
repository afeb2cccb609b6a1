//! Regular expressions and globs.

use super::*;

#[test]
fn patterns() {
    let mib = || many("a", MIB);
    check(
        "regex.match(input.a, input.b)",
        vec![many("(a*)*", 100), mib()],
        VALUE,
    );
    check(
        "regex.match(input.a, input.b)",
        vec![text("(a|aa)+$"), text(format!("{}b", "a".repeat(MIB)))],
        VALUE,
    );
    check(
        "regex.match(input.a, input.b)",
        vec![text("(x+x+)+y"), many("x", MIB)],
        VALUE,
    );
    check(
        "regex.match(input.a, input.b)",
        vec![text("(.*)(.*)(.*)(.*)(.*)(.*)(.*)[0-9]"), mib()],
        VALUE,
    );
    check(
        "regex.match(input.a, input.b)",
        vec![text("[ab]*a[ab]{500}c"), many("abbab", MIB / 5)],
        VALUE,
    );
    check(
        "regex.match(input.a, input.b)",
        vec![text("(?:a?){1000}a{1000}"), many("a", 1000)],
        VALUE,
    );
    check(
        "regex.match(input.a, input.b)",
        vec![text("((a{100}){100}){100}"), mib()],
        UNDEFINED,
    );
    check("regex.match(input.a, \"x\")", vec![many("(", MIB)], FUEL);
    check(
        "regex.match(input.a, \"x\")",
        vec![text(format!("{}{}", "(".repeat(900), ")".repeat(900)))],
        VALUE,
    );
    check("regex.match(input.a, \"x\")", vec![many("a|", MIB)], FUEL);
    check("regex.match(input.a, \"x\")", vec![many("\\pL", 100_000)], FUEL);
    check("regex.match(input.a, \"x\")", vec![many("[^a]", 100_000)], FUEL);
    check(
        "regex.match(input.a, \"x\")",
        vec![text(format!("(?i){}", "k".repeat(100_000)))],
        MEMORY,
    );
    check(
        "regex.find_n(input.a, input.b, -1)",
        vec![text("a.*z|a"), mib()],
        FUEL,
    );
    check(
        "regex.find_n(input.a, input.b, -1)",
        vec![text(".*?"), mib()],
        VALUE,
    );
    check("regex.find_n(input.a, input.b, -1)", vec![text(""), mib()], VALUE);
    check(
        "regex.find_all_string_submatch_n(input.a, input.b, -1)",
        vec![many("()", 400), mib()],
        MEMORY,
    );
    check("regex.split(input.a, input.b)", vec![text("a.*z|a"), mib()], FUEL);
    check(
        "regex.replace(input.b, input.a, \"$0$0$0\")",
        vec![text("a.*z|a"), mib()],
        FUEL,
    );
    check(
        "regex.replace(input.b, input.a, input.c)",
        vec![text("a"), mib(), many("$0", 1000)],
        FUEL,
    );
    check(
        "regex.replace(input.b, \"(?P<n>a)\", input.c)",
        vec![text("a"), mib(), many("${x}", 100_000)],
        FUEL,
    );
    check(
        "regex.replace(input.b, input.a, \"x\")",
        vec![text("[ab]*a[ab]{500}c|b"), many("abbab", MIB / 5)],
        FUEL,
    );
    check(
        "regex.template_match(input.a, input.b, \"{\", \"}\")",
        vec![many("{a*}", 10_000), mib()],
        MEMORY,
    );
    check(
        "regex.globs_match(input.a, input.a)",
        vec![many(".*", MIB)],
        VALUE,
    );
    check(
        "regex.globs_match(input.a, input.b)",
        vec![many("a*b*", 100), many("b*a*", 100)],
        VALUE,
    );
    let set = |from: u32| -> String {
        (0..50_000)
            .filter_map(|at| char::from_u32(from + 3 * at))
            .filter(|c| !"[]-\\".contains(*c))
            .collect()
    };
    check(
        "regex.globs_match(input.a, input.b)",
        vec![
            text(format!("[{}]", set(0x100)).repeat(3)),
            text(format!("[{}]", set(0x101)).repeat(3)),
        ],
        VALUE,
    );
    check(
        "glob.match(input.a, [], input.b)",
        vec![many("*a", 1000), mib()],
        VALUE,
    );
    check(
        "glob.match(input.a, [], input.b)",
        vec![many("{a,b,c}", 100), many("a", 100)],
        VALUE,
    );
    check(
        "glob.match(input.a, [], input.b)",
        vec![many("{a,{b,{c,", 1000), mib()],
        UNDEFINED,
    );
    check(
        "glob.match(input.a, [], input.b)",
        vec![
            text(format!("{}{}", "{a*,".repeat(2000), "}".repeat(2000))),
            mib(),
        ],
        FUEL,
    );
    check(
        "glob.match(input.a, [], input.b)",
        vec![many("{*,?,**}", 10_000), mib()],
        FUEL,
    );
    check(
        "glob.match(input.a, [], input.b)",
        vec![many("[!a]", 100_000), mib()],
        VALUE,
    );
    check(
        "glob.match(input.a, input.b, input.c)",
        vec![
            many("*", 1000),
            list(10_000, |at| {
                text(char::from_u32(0x100 + at as u32).unwrap_or('x').to_string())
            }),
            many("é", MIB),
        ],
        VALUE,
    );
    check(
        "[y | some i in numbers.range(1, 100000); y := regex.match(sprintf(\"%d(a|b)*c{50}\", [i]), \"x\")]",
        vec![],
        FUEL,
    );
    check(
        "[y | some i in numbers.range(1, 1000000); y := glob.match(sprintf(\"%d{a,b}*%s\", [i, input.a]), [], \"x\")]",
        vec![many("[abc]", 1000)],
        FUEL,
    );
}
