//! Scalars: the text they stand for, and where its characters stood.

use super::load;
use expect_test::{Expect, expect};
use gavel_compiler::source::{Origin, Span};

/// The Rego text `rego` stands for (`\n` shown as `⏎`), and under it the line and column of each of its lines in the file.
#[track_caller]
fn check(rego: &str, expect: Expect) {
    let text = format!(
        "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomain\nmetadata: {{name: d}}\nspec:\n  policies:\n    \
         - mrn: p\n      rego: {rego}"
    );
    let (sources, loaded) = load(&[&text]);
    let file = loaded.unwrap().policies[0].rego;
    let source = sources.source(file);
    assert!(matches!(source.origin, Origin::Embedded { .. }));
    let mut shown = format!("{}\n", source.text.replace('\n', "⏎").replace('\r', "␍"));
    for (at, c) in source.text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        let start = u32::try_from(at).unwrap();
        let end = start + u32::try_from(c.len_utf8()).unwrap();
        let on_disk = sources.on_disk(Span { file, start, end });
        let found = sources.slice(on_disk);
        assert!(
            found.starts_with(c) || found.starts_with('\\'),
            "{c:?} of {:?} is at {found:?}",
            source.text
        );
    }
    for line in source.text.split_inclusive('\n') {
        let start = line.as_ptr() as usize - source.text.as_ptr() as usize;
        let start = u32::try_from(start).unwrap();
        let at = sources.position(sources.on_disk(Span {
            file,
            start,
            end: start,
        }));
        shown.push_str(&format!("{}:{} ", at.row, at.col));
    }
    expect.assert_eq(&shown);
}

#[test]
fn literal_blocks() {
    check(
        "|\n        package a\n\n        x = 1\n",
        expect![[r#"
        package a⏎⏎x = 1⏎
        8:9 9:1 10:9 "#]],
    );
    check(
        "|-\n        package a\n          x\n\n",
        expect![[r#"
        package a⏎  x
        8:9 9:9 "#]],
    );
    check(
        "|+\n        package a\n\n\n",
        expect![[r#"
        package a⏎⏎⏎
        8:9 9:1 10:1 "#]],
    );
    check(
        "|2\n          package a\n",
        expect![[r#"
          package a⏎
        8:9 "#]],
    );
    check(
        "|\n\n        late\n",
        expect![[r#"
        ⏎late⏎
        8:1 9:9 "#]],
    );
    check(
        "&anchor |\n        package a\n",
        expect![[r#"
        package a⏎
        8:9 "#]],
    );
    check(
        "|\n        a\n   ",
        expect![[r#"
        a⏎
        8:9 "#]],
    );
    check(
        "|\n        a\n          ",
        expect![[r#"
        a⏎  
        8:9 9:9 "#]],
    );
    check(
        "|\n        no end of line",
        expect![[r#"
        no end of line
        8:9 "#]],
    );
}

#[test]
fn folded_blocks() {
    check(
        ">\n        package a\n\n\n        x\n        y\n          more\n        z\n",
        expect![[r#"
        package a⏎⏎x y⏎  more⏎z⏎
        8:9 10:1 11:9 13:9 14:9 "#]],
    );
    check(
        ">-\n        größer 😀\n        b\n",
        expect![[r#"
        größer 😀 b
        8:9 "#]],
    );
}

#[test]
fn flow_scalars() {
    check(
        "\"package a\\n\\nx\\t\\u00e9 b\\\"\"\n",
        expect![[r#"
        package a⏎⏎x	é b"
        7:14 7:25 7:27 "#]],
    );
    check(
        "'it''s\n          folded\n\n          twice'\n",
        expect![[r#"
        it's folded⏎twice
        7:14 10:11 "#]],
    );
    check(
        "package a\n        b\n\n        c # comment\n",
        expect![[r#"
        package a b⏎c
        7:13 10:9 "#]],
    );
    check(
        "\"a\\\n        b\"\n",
        expect![[r#"
        ab
        7:14 "#]],
    );
}

#[test]
fn quoted_scalars_may_go_on_further_left() {
    check(
        "\"package a\\n\n  x = 1\\n\ny\"\n",
        expect![[r#"
        package a⏎ x = 1⏎ y
        7:14 7:25 8:10 "#]],
    );
}

#[test]
fn windows_line_ends() {
    check(
        "|\r\n        package a\r\n\r\n        x\r\n",
        expect![[r#"
        package a⏎⏎x⏎
        8:9 9:1 10:9 "#]],
    );
}

#[test]
fn merged_and_aliased_texts_stand_where_they_were_written() {
    let text = "\
apiVersion: iamlite.manetu.io/v1beta1
kind: PolicyDomain
metadata: {name: d}
spec:
  policies:
    - &base
      mrn: p
      rego: &text package a
    - {<<: *base, mrn: q}
    - {mrn: r, rego: *text}
";
    let (sources, loaded) = load(&[text]);
    for policy in loaded.unwrap().policies {
        let span = Span {
            file: policy.rego,
            start: 8,
            end: 9,
        };
        assert_eq!(sources.position(sources.on_disk(span)).row, 8);
        assert_eq!(&*sources.source(policy.rego).name, &*policy.mrn);
    }
}
