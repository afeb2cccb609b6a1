//! Go's pattern syntax: what is refused in which words, and what matches.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

use gavel_runtime::re2;

#[track_caller]
fn refused(pattern: &str, message: &str) {
    let error = re2::compile(pattern).err().map(|error| error.to_string());
    assert_eq!(
        error.as_deref(),
        Some(format!("error parsing regexp: {message}").as_str()),
        "{pattern}"
    );
}

/// `matches` and `others` are texts that the pattern finds something in, and does not.
#[track_caller]
fn check(pattern: &str, matches: &[&str], others: &[&str]) {
    let compiled = re2::compile(pattern).unwrap();
    let mut cache = compiled.create_cache();
    for text in matches {
        assert!(
            compiled.is_match(&mut cache, text),
            "{pattern} should match {text:?}"
        );
    }
    for text in others {
        assert!(
            !compiled.is_match(&mut cache, text),
            "{pattern} should not match {text:?}"
        );
    }
}

#[test]
fn errors_are_go_s() {
    refused("a**", "invalid nested repetition operator: `**`");
    refused("a*?*", "invalid nested repetition operator: `*?*`");
    refused("a++", "invalid nested repetition operator: `++`");
    refused("*", "missing argument to repetition operator: `*`");
    refused("a|*", "missing argument to repetition operator: `*`");
    refused("a{1001}", "invalid repeat count: `{1001}`");
    refused("a{2,1}", "invalid repeat count: `{2,1}`");
    refused("(a{501}){2}", "invalid repeat count: `{2}`");
    refused("(a", "missing closing ): `(a`");
    refused("a)", "unexpected ): `a)`");
    refused("x[a", "missing closing ]: `[a`");
    refused("[]", "missing closing ]: `[]`");
    refused("[z-a]", "invalid character class range: `z-a`");
    refused("[[:foo:]]", "invalid character class range: `[:foo:]`");
    refused(r"\p{Foo}", r"invalid character class range: `\p{Foo}`");
    refused(r"\p{Grek}", r"invalid character class range: `\p{Grek}`");
    refused(r"\y", r"invalid escape sequence: `\y`");
    refused(r"\1", r"invalid escape sequence: `\1`");
    refused(r"\C", r"invalid escape sequence: `\C`");
    refused(r"\Z", r"invalid escape sequence: `\Z`");
    refused(r"[a-\d]", r"invalid escape sequence: `\d`");
    refused(r"\x{110000}", r"invalid escape sequence: `\x{110000`");
    refused(r"a\", "trailing backslash at end of expression: ``");
    refused("(?=a)", "invalid or unsupported Perl syntax: `(?=`");
    refused("(?x)a", "invalid or unsupported Perl syntax: `(?x`");
    refused("(?P=n)", "invalid or unsupported Perl syntax: `(?P`");
    refused("(?<=a)", "invalid named capture: `(?<=a)`");
    refused("(?P<a b>x)", "invalid named capture: `(?P<a b>`");
}

#[test]
fn nesting_and_size_are_bounded() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    check(&nested(900), &["a"], &["b"]);
    let deep = nested(1001);
    refused(&deep, &format!("expression nests too deeply: `{deep}`"));
    let large = format!("({}){{1000}}", "x".repeat(4000));
    refused(&large, &format!("expression too large: `{large}`"));
}

#[test]
fn braces_that_are_no_counts_are_literal() {
    check("^/users/{id}$", &["/users/{id}"], &["/users/7"]);
    check("^a{,3}$", &["a{,3}"], &["aa"]);
    check("^a{02}$", &["a{02}"], &["aa"]);
}

#[test]
fn named_classes_are_ascii_and_the_dot_is_not() {
    check(r"^\w+$", &["az_9"], &["é"]);
    check(r"^\s$", &["\t", "\r"], &["\u{b}", "\u{a0}"]);
    check(r"^[[:space:]]$", &["\u{b}"], &["\u{a0}"]);
    check(r"^\d$", &["7"], &["٣"]);
    check("^.$", &["é", "😀", "\r"], &["\n", "ab"]);
    check(r"\bok\b", &["é ok", "éok"], &["xok"]);
    check("^[^a]$", &["\n", "é"], &["a"]);
}

#[test]
fn class_operators_of_rust_are_literal() {
    check("^[a&&b]+$", &["a&b"], &["c"]);
    check("^[[]x$", &["[x"], &["]x"]);
    check("^[--/]+$", &["-./"], &["a"]);
    check("^[]a]$", &["]", "a"], &["b"]);
}

#[test]
fn flags_quotes_and_escapes() {
    check(
        "^(?i)straSSe$",
        &["STRASSE", "\u{17f}tra\u{17f}\u{17f}e"],
        &["straße"],
    );
    check("^(?i)a(?-i)b$", &["Ab"], &["AB"]);
    check("^a(?i:b)c$", &["aBc"], &["aBC"]);
    check("(?s)^a.b$", &["a\nb"], &["ab"]);
    check("(?m)^b$", &["a\nb\nc"], &["a\nbc"]);
    check("^b$", &["b"], &["a\nb", "b\n"]);
    check(r"^\Qa.b*\E+$", &["a.b***"], &["axb"]);
    check(r"^\x41\x{1F600}\101\07$", &["A😀A\u{7}"], &["A😀A7"]);
    check(r"^\pL\p{Greek}\P{Lu}\p{^Lu}$", &["aαbc"], &["aabc"]);
    check(r"^\p{letter}\p{greek}$", &["aα"], &["1α"]);
}

#[test]
fn groups_are_numbered_and_may_share_a_name() {
    let pattern = re2::compile("(?P<n>a)(b)?(?<n>c)").unwrap();
    let mut groups = pattern.create_captures();
    pattern.captures_at(&mut pattern.create_cache(), "xac", 0, &mut groups);
    let spans: Vec<_> = (0..groups.group_len())
        .map(|at| groups.get_group(at).map(|span| (span.start, span.end)))
        .collect();
    assert_eq!(spans, [Some((1, 3)), Some((1, 2)), None, Some((2, 3))]);
    let names: Vec<_> = pattern.group_names().iter().map(|name| name.as_deref()).collect();
    assert_eq!(names, [None, Some("n"), None, Some("n")]);
}

#[test]
fn a_search_may_start_later_but_not_inside_of_a_character() {
    let pattern = re2::compile("a|^b").unwrap();
    let mut cache = pattern.create_cache();
    let start = |found: Option<regex_automata::Match>| found.map(|found| found.start());
    assert_eq!(start(pattern.find_at(&mut cache, "aéa", 1)), Some(3));
    assert_eq!(start(pattern.find_at(&mut cache, "aéa", 2)), None);
    assert_eq!(start(pattern.find_at(&mut cache, "xb", 1)), None);
    assert_eq!(start(pattern.find_at(&mut cache, "a", 9)), None);
}
