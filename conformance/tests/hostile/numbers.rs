//! Numbers, networks, times.

use super::*;

#[test]
fn ranges_and_bits() {
    let billion = || number("1000000000");
    check("numbers.range(1, 1000000000)", vec![], FUEL);
    check("numbers.range(1, input.a)", vec![billion()], FUEL);
    check("numbers.range(input.a, 1e300)", vec![number("-1e300")], FUEL);
    check("numbers.range_step(1, input.a, 3)", vec![number("1e25")], FUEL);
    check(
        "numbers.range_step(input.a, 1e9000, 1e8998)",
        vec![number("-1e9000")],
        VALUE,
    );
    check("bits.lsh(1, input.a)", vec![billion()], FUEL);
    check("bits.lsh(1, 1000000000)", vec![], FUEL);
    check("bits.lsh(1, input.a)", vec![number("99999999999999999999")], FUEL);
    check("bits.rsh(input.a, 1)", vec![number("1e30000")], VALUE);
    check("bits.rsh(-5, input.a)", vec![billion()], VALUE);
    check("bits.and(input.a, input.a)", vec![number("1e30000")], VALUE);
    check("bits.negate(input.a)", vec![number("1e1000000000")], FUEL);
    check("input.a & {1}", vec![list(3, |_| Constant::Null)], UNDEFINED);
}

#[test]
fn numbers_without_end() {
    let huge = || number("1e1000000000");
    let tiny = || number("1e-1000000000");
    let digits = || number(&"9".repeat(100_000));
    let long = || number(&"9".repeat(MIB));
    for op in ["+", "-", "*", "/", "%"] {
        check(&format!("input.a {op} 3"), vec![huge()], FUEL);
        check(&format!("input.a {op} 7"), vec![digits()], VALUE);
        check(&format!("input.a {op} 7"), vec![long()], FUEL);
        let want = match op {
            "+" | "-" => VALUE,
            "%" => UNDEFINED,
            _ => FUEL,
        };
        check(&format!("0.5 {op} input.a"), vec![tiny()], want);
    }
    check("input.a * input.a", vec![digits()], FUEL);
    for f in ["abs", "ceil", "floor", "round", "to_number", "is_number"] {
        for (name, operand) in [("huge", huge()), ("tiny", tiny()), ("long", long())] {
            let expression = format!("{f}(input.a)");
            let want = match (f, name) {
                ("to_number" | "is_number", _) => VALUE,
                ("ceil" | "floor" | "round", "tiny") => VALUE,
                _ => FUEL,
            };
            check(&expression, vec![operand], want);
        }
    }
    check("format_int(input.a, 10)", vec![huge()], FUEL);
    check("format_int(input.a, 2)", vec![digits()], VALUE);
    check("format_int(input.a, 16)", vec![long()], FUEL);
    check(
        "sum(input.a)",
        vec![list(1000, |_| number(&"9".repeat(20_000)))],
        FUEL,
    );
    check("product(input.a)", vec![list(1000, |_| number("1e300"))], FUEL);
    check("product(input.a)", vec![list(100_000, |_| number("1e300"))], FUEL);
    check(
        "max(input.a)",
        vec![list(1000, |at| number(&format!("{}{at}", "9".repeat(20_000))))],
        FUEL,
    );
    check(
        "sort(input.a)",
        vec![list(1000, |at| number(&format!("{}{at}", "9".repeat(20_000))))],
        FUEL,
    );
    check("to_number(input.a)", vec![many("9", MIB)], UNDEFINED);
    check(
        "to_number(input.a)",
        vec![text(format!("0x1p{}", "9".repeat(1000)))],
        UNDEFINED,
    );
    check(
        "[y | some i in numbers.range(1, 1000); y := input.a + i]",
        vec![digits()],
        FUEL,
    );
    check(
        "[y | some i in numbers.range(1, 1000); y := input.a * 1.5]",
        vec![digits()],
        FUEL,
    );
}

#[test]
fn networks_and_times() {
    check("net.cidr_expand(\"0.0.0.0/0\")", vec![], FUEL);
    check("net.cidr_expand(input.a)", vec![text("0.0.0.0/0")], FUEL);
    check("net.cidr_expand(input.a)", vec![text("::/0")], FUEL);
    check("net.cidr_expand(input.a)", vec![text("10.0.0.0/10")], FUEL);
    check("net.cidr_expand(input.a)", vec![text("10.0.0.0/12")], MEMORY);
    let apart = |count: usize| {
        list(count, |at| {
            text(format!(
                "{}.{}.{}.0/24",
                10 + at / 32768,
                at / 128 % 256,
                at % 128 * 2
            ))
        })
    };
    check("net.cidr_merge(input.a)", vec![apart(100_000)], VALUE);
    let together = |count: usize| {
        list(count, |at| {
            text(format!(
                "{}.{}.{}.0/24",
                10 + at / 65536,
                at / 256 % 256,
                at % 256
            ))
        })
    };
    check("net.cidr_merge(input.a)", vec![together(100_000)], VALUE);
    check(
        "net.cidr_merge(input.a)",
        vec![list(100_000, |at| text(format!("{at:x}::/128")))],
        UNDEFINED,
    );
    check(
        "net.cidr_contains_matches(input.a, input.b)",
        vec![together(3000), together(3000)],
        FUEL,
    );
    check(
        "net.cidr_contains_matches(input.a, input.b)",
        vec![together(30_000), together(30_000)],
        FUEL,
    );
    for f in ["time.format", "time.date", "time.clock", "time.weekday"] {
        check(&format!("{f}(input.a)"), vec![number("1e1000000000")], FUEL);
        check(
            &format!("{f}(input.a)"),
            vec![number("9223372036854775807")],
            VALUE,
        );
        check(
            &format!("{f}(input.a)"),
            vec![number("-9223372036854775808")],
            VALUE,
        );
        check(
            &format!("{f}([input.a, \"America/New_York\"])"),
            vec![number("-9223372036854775808")],
            VALUE,
        );
    }
    check(
        "time.add_date(input.a, input.a, input.a, input.a)",
        vec![number("9223372036854775807")],
        VALUE,
    );
    check(
        "time.add_date(input.a, input.a, input.a, input.a)",
        vec![number("-9223372036854775808")],
        UNDEFINED,
    );
    check(
        "time.diff(input.a, input.b)",
        vec![number("9223372036854775807"), number("-9223372036854775808")],
        VALUE,
    );
    check("time.parse_duration_ns(input.a)", vec![many("1h", MIB)], VALUE);
    check(
        "time.parse_duration_ns(input.a)",
        vec![text(format!("1.{}h", "9".repeat(MIB)))],
        VALUE,
    );
    check(
        "time.parse_duration_ns(input.a)",
        vec![text(format!("{}d", "9".repeat(MIB)))],
        UNDEFINED,
    );
    check(
        "time.parse_ns(input.a, input.b)",
        vec![many("2006", 100_000), many("2006", 100_000)],
        VALUE,
    );
    check(
        "time.format([1, \"UTC\", input.a])",
        vec![many("2006", MIB)],
        VALUE,
    );
    check(
        "time.format([1, \"UTC\", input.a])",
        vec![many("Monday", 10 * MIB)],
        MEMORY,
    );
    check("units.parse(input.a)", vec![text("1e999999")], FUEL);
    check("units.parse(input.a)", vec![text("1e-999999")], FUEL);
    check("units.parse(input.a)", vec![text("1e-30000m")], VALUE);
    check("units.parse_bytes(input.a)", vec![text("1e999999")], FUEL);
    check("units.parse(input.a)", vec![text("9".repeat(MIB))], FUEL);
    check(
        "units.parse(input.a)",
        vec![text(format!("0.{}1", "0".repeat(MIB)))],
        FUEL,
    );
    check(
        "semver.compare(input.a, input.a)",
        vec![text(format!("1.0.0-{}1", "a.".repeat(MIB)))],
        VALUE,
    );
    check(
        "semver.compare(input.a, input.a)",
        vec![text(format!("1.0.{}", "9".repeat(MIB)))],
        UNDEFINED,
    );
    check(
        "rand.intn(input.a, input.b)",
        vec![many("x", 4 * MIB), number("-9223372036854775808")],
        VALUE,
    );
    check("uuid.rfc4122(input.a)", vec![many("x", 4 * MIB)], VALUE);
    check(
        "io.jwt.decode_verify(input.a, {\"secret\": \"x\"})",
        vec![many(".", MIB)],
        UNDEFINED,
    );
    check(
        "io.jwt.verify_rs256(input.a, input.b)",
        vec![
            text("a.b.c"),
            text(format!(
                "{{\"keys\":[{}{{}}]}}",
                "{\"kty\":\"oct\",\"k\":\"eA\"},".repeat(100_000)
            )),
        ],
        UNDEFINED,
    );
}
