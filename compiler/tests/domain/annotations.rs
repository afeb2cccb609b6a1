//! Values of annotations in the three versions.

use super::{lines, load};
use expect_test::{Expect, expect};
use gavel_runtime::value::Constant;

fn json(value: &Constant) -> String {
    match value {
        Constant::Null => "null".to_owned(),
        Constant::Bool(value) => value.to_string(),
        Constant::Int(value) => value.to_string(),
        Constant::Number(text) => text.clone(),
        Constant::String(text) => format!("{text:?}"),
        Constant::Array(items) | Constant::Set(items) => {
            format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(","))
        }
        Constant::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}:{}", json(key), json(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
    }
}

/// Values `a`, `b`, … in the order of the list.
#[track_caller]
fn check(version: &str, values: &[&str], expect: Expect) {
    let mut text = format!(
        "x: &x {{k: 1, m: [2]}}\napiVersion: iamlite.manetu.io/{version}\nkind: PolicyDomain\nmetadata: {{name: d}}\nspec:\n  \
         policies: [{{mrn: p, rego: package authz}}]\n  roles:\n    - mrn: r\n      policy: p\n      annotations:\n"
    );
    for (value, name) in values.iter().zip('a'..) {
        text.push_str(&format!("        - name: {name}\n          value: {value}\n"));
    }
    let (sources, loaded) = load(&[&text]);
    let shown = match loaded {
        Err(problems) => lines(&sources, &problems),
        Ok(set) => set.roles[0]
            .annotations
            .iter()
            .map(|annotation| {
                let mark = annotation
                    .unprintable
                    .as_ref()
                    .map_or(String::new(), |why| format!(" ({why})"));
                format!("{}{mark}\n", json(&annotation.value))
            })
            .collect(),
    };
    expect.assert_eq(&shown);
}

#[test]
fn alpha_values_are_text_that_is_tried_as_json() {
    let values = [
        "42",
        "'42'",
        "yes",
        "0x1f",
        "1e3",
        "1.50",
        "~",
        "'null'",
        "'[1, {\"a\": 1, \"a\": 2}]'",
        "'[1] x'",
        "2024-01-15",
    ];
    let want = expect![[r#"
        42
        42
        "yes"
        "0x1f"
        1000
        1.5
        ""
        null
        [1,{"a":2}]
        "[1] x"
        "2024-01-15"
    "#]];
    check("v1alpha4", &values, want);
    check(
        "v1alpha4",
        &["[1]"],
        expect![[r#"
        1.yml:12:18: domain: yaml: cannot unmarshal !!seq into string
    "#]],
    );
}

#[test]
fn beta_values_keep_the_types_of_yaml() {
    let values = [
        "42",
        "'42'",
        "yes",
        "0x1f",
        "017",
        "08",
        "1_000",
        "3.0",
        "1e21",
        "~",
        "2024-01-15",
        "True",
    ];
    check(
        "v1beta1",
        &values,
        expect![[r#"
        42
        42
        "yes"
        31
        15
        8
        1000
        3
        1e+21
        null
        "2024-01-15T00:00:00Z"
        true
    "#]],
    );
    let values = [
        "['42', 42]",
        "{a: ~, b: [x]}",
        "{<<: *x, m: 9}",
        "*x",
        "!!str 12",
        "!!float 7",
        "|\n            {\"a\": 1}",
    ];
    check(
        "v1beta1",
        &values,
        expect![[r#"
        ["42",42]
        {"a":null,"b":["x"]}
        {"k":1,"m":9}
        {"k":1,"m":[2]}
        12
        7
        {"a":1}
    "#]],
    );
}

#[test]
fn whole_numbers_stay_exact() {
    let values = [
        "9007199254740993",
        "'9007199254740993'",
        "18446744073709551615",
        "18446744073709551616",
        "'1e400'",
        "'1.0'",
        "'-0'",
    ];
    check(
        "v1beta1",
        &values,
        expect![[r#"
        9007199254740993
        9007199254740993
        18446744073709551615
        18446744073709552000
        "1e400"
        1
        -0
    "#]],
    );
}

#[test]
fn what_json_cannot_hold_is_marked() {
    check(
        "v1beta1",
        &[".inf", "[1, -.inf]", "{a: .nan}", "{1: x}", "{a: {true: x}}"],
        expect![[r#"
        +Inf (json: unsupported value: +Inf)
        [1,-Inf] (json: unsupported value: -Inf)
        {"a":NaN} (json: unsupported value: NaN)
        {1:"x"} (json: unsupported type: map[interface {}]interface {})
        {"a":{true:"x"}} (json: unsupported type: map[interface {}]interface {})
    "#]],
    );
}

#[test]
fn of_two_values_with_one_name_the_last_counts() {
    let text = super::domain_text(
        "d",
        "  roles: [{mrn: r, policy: p, annotations: [{name: a, value: 1, merge: union}, {name: a, value: 2}]}]\n",
    );
    let set = load(&[&text]).1.unwrap();
    let [only] = set.roles[0].annotations.as_slice() else {
        panic!("one annotation")
    };
    assert_eq!((&only.value, &*only.merge), (&Constant::Int(2), ""));
}
