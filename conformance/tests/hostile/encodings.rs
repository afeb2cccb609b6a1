//! Encodings: JSON, YAML, base64, URLs, hashes.

use super::*;

#[test]
fn encodings() {
    let mib = || many("x", 4 * MIB);
    for f in [
        "base64.encode",
        "base64.decode",
        "base64url.decode",
        "base64url.encode",
        "hex.encode",
        "hex.decode",
        "urlquery.encode",
        "urlquery.decode",
        "json.marshal",
        "json.unmarshal",
        "yaml.marshal",
        "crypto.sha256",
        "crypto.md5",
        "base64.is_valid",
        "json.is_valid",
        "yaml.is_valid",
        "units.parse",
        "units.parse_bytes",
        "uuid.parse",
        "semver.is_valid",
        "uri.is_valid",
        "net.cidr_is_valid",
        "time.parse_rfc3339_ns",
        "time.parse_duration_ns",
        "regex.is_valid",
        "glob.quote_meta",
        "io.jwt.decode",
    ] {
        let got = outcome(&format!("{f}(input.a)"), vec![mib()], Passes::ALL);
        check(&format!("{f}(input.a)"), vec![mib()], &got);
    }
    check("crypto.hmac.sha256(input.a, input.a)", vec![mib()], VALUE);
    check("crypto.hmac.equal(input.a, input.a)", vec![mib()], VALUE);
    check(
        "uri.parse(input.a)",
        vec![text(format!("http://x/{}", "%41".repeat(MIB)))],
        VALUE,
    );
    check(
        "uri.parse(input.a)",
        vec![text(format!("http://x/?{}", "a=b&".repeat(MIB)))],
        VALUE,
    );
    check("urlquery.decode_object(input.a)", vec![many("a=b&", MIB)], MEMORY);
    check(
        "urlquery.encode_object(input.a)",
        vec![object((0..10_000).map(|at| {
            (number(&at.to_string()), list(100, |_| many("&", 100)))
        }))],
        MEMORY,
    );
    check("json.unmarshal(input.a)", vec![many("[", MIB)], UNDEFINED);
    check(
        "json.unmarshal(input.a)",
        vec![text(format!("{}{}", "[".repeat(9_000), "]".repeat(9_000)))],
        VALUE,
    );
    check(
        "json.unmarshal(input.a)",
        vec![text(format!("[1e{}]", "9".repeat(MIB)))],
        UNDEFINED,
    );
    check(
        "json.unmarshal(input.a)",
        vec![text(format!("[{}1]", "1e9,".repeat(MIB)))],
        MEMORY,
    );
    check(
        "json.unmarshal(input.a)",
        vec![text(format!("[{}1]", "1,".repeat(8 * MIB)))],
        MEMORY,
    );
    check(
        "json.unmarshal(input.a)",
        vec![text(format!("{{{}\"a\":1}}", "\"a\":1,".repeat(MIB)))],
        MEMORY,
    );
    check("json.marshal(input.a)", vec![nested(9_000, in_array)], VALUE);
    check(
        "json.marshal(input.a)",
        vec![nested(9_000, |inner| {
            Constant::object(vec![(inner, Constant::Null)])
        })],
        DEPTH,
    );
    check(
        "json.marshal_with_options(input.a, {\"indent\": input.b})",
        vec![nested(1000, in_array), many(" ", 100_000)],
        MEMORY,
    );
    check(
        "json.marshal_with_options(input.a, {\"pretty\": true})",
        vec![nested(9_000, in_array)],
        MEMORY,
    );
    check("json.marshal([input.a, input.a, input.a])", vec![mib()], VALUE);
    check("yaml.marshal(input.a)", vec![nested(9_000, in_array)], DEPTH);
    check("yaml.unmarshal(input.a)", vec![many("[", MIB)], DEPTH);
    check("yaml.unmarshal(input.a)", vec![many("- ", MIB)], DEPTH);
    check("yaml.unmarshal(input.a)", vec![many("a: ", MIB / 4)], UNDEFINED);
    check("yaml.unmarshal(input.a)", vec![many("? ", MIB)], DEPTH);
    check("yaml.unmarshal(input.a)", vec![many("a:\n ", MIB / 4)], VALUE);
    check("yaml.unmarshal(input.a)", vec![many("- a\n", MIB / 4)], VALUE);
    let bomb: String = (1..10)
        .map(|at| {
            format!(
                "a{at}: &a{at} [{}]\n",
                vec![format!("*a{}", at - 1); 10].join(",")
            )
        })
        .collect();
    check(
        "yaml.unmarshal(input.a)",
        vec![text(format!("a0: &a0 [x]\n{bomb}"))],
        UNDEFINED,
    );
    let merges: String = (1..200)
        .map(|at| {
            format!(
                "a{at}: &a{at}\n  <<: [{}]\n  k{at}: 1\n",
                vec![format!("*a{}", at - 1); 2].join(",")
            )
        })
        .collect();
    check(
        "yaml.unmarshal(input.a)",
        vec![text(format!("a0: &a0 {{x: 1}}\n{merges}"))],
        UNDEFINED,
    );
    check(
        "yaml.unmarshal(input.a)",
        vec![text(format!("a: &a [*a]\nb: {}", "*a ".repeat(3)))],
        UNDEFINED,
    );
    check(
        "yaml.unmarshal(input.a)",
        vec![text(format!("\"{}\"", "\\x41".repeat(MIB / 4)))],
        VALUE,
    );
    check(
        "yaml.unmarshal(input.a)",
        vec![text(format!("a: |\n{}", " x\n".repeat(MIB / 4)))],
        VALUE,
    );
    check("yaml.unmarshal(input.a)", vec![many("---\n", MIB / 4)], VALUE);
    check(
        "yaml.unmarshal(input.a)",
        vec![text(format!("{{{}}}", "a,".repeat(100_000)))],
        VALUE,
    );
    check(
        "yaml.unmarshal(input.a)",
        vec![text(format!("x: {}", "&a ".repeat(100_000)))],
        UNDEFINED,
    );
    check("yaml.unmarshal(input.a)", vec![text("\n".repeat(MIB))], VALUE);
    check(
        "yaml.unmarshal(input.a)",
        vec![text(format!("# {}", "x".repeat(MIB / 4)))],
        VALUE,
    );
    check(
        "yaml.unmarshal(input.a)",
        vec![text(format!("x{}", " ".repeat(MIB / 4)))],
        VALUE,
    );
    check(
        "yaml.unmarshal(input.a)",
        vec![text(format!("a{}", "\n\n b".repeat(MIB / 4)))],
        VALUE,
    );
    check(
        "yaml.unmarshal(input.a)",
        vec![text(format!("{}: x", "a".repeat(MIB / 4)))],
        UNDEFINED,
    );
    check(
        "yaml.unmarshal(input.a)",
        vec![text(format!("9{}", "9".repeat(MIB / 4)))],
        VALUE,
    );
    check(
        "yaml.unmarshal(input.a)",
        vec![text("a:\n".to_owned() + &"  b:\n".repeat(100_000))],
        VALUE,
    );
}
