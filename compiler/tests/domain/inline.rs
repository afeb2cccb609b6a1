//! PolicyDomains that name `.rego` files: the YAML with the texts in it, and where its bytes came from.

use std::sync::Arc;

use gavel_compiler::domain;
use gavel_compiler::domain::yaml::{self, NodeKind};
use gavel_compiler::source::SourceMap;

/// The YAML with `rego` in place of every named file, or the message of what is wrong.
fn inline(text: &str, rego: &str) -> Result<String, String> {
    let mut sources = SourceMap::default();
    let file = sources.add_file("d.yml", text);
    let rego_file = sources.add_file("p.rego", rego);
    let document = yaml::parse(file, &Arc::from(text)).map_err(|problem| problem.message.clone())?;
    let references = domain::references(&document).map_err(|problem| problem.message.clone())?;
    let texts = vec![(rego_file, rego); references.list.len()];
    Ok(references.inline(&texts).text)
}

#[test]
fn comments_order_and_the_rest_stay() {
    let text = "# head\nkind: PolicyDomainReference # what\nspec:\n  policies:\n  # a gate\n  - mrn: p # tail\n    \
                rego_filename: p.rego # from a file\n    dependencies: []\n# foot\n---\nother: document\n";
    let expected = "# head\nkind: PolicyDomain # what\nspec:\n  policies:\n  # a gate\n  - mrn: p # tail\n    \
                    rego: | # from a file\n      package authz\n\n      default allow = 0\n    dependencies: []\n# foot\n";
    assert_eq!(
        inline(text, "package authz\n\ndefault allow = 0\n\n\n").unwrap(),
        expected
    );
}

#[test]
fn flow_style_and_values_on_a_line_of_their_own_get_quotes() {
    assert_eq!(
        inline("policies: [{mrn: p, rego_filename: p.rego}]", "package a\n").unwrap(),
        "policies: [{mrn: p, rego: \"package a\\n\"}]"
    );
    assert_eq!(
        inline("policies:\n- {\n    rego_filename: p.rego\n  }\n", "package a\n").unwrap(),
        "policies:\n- {\n    rego: \"package a\\n\"\n  }\n"
    );
    assert_eq!(
        inline("policies:\n- rego_filename:\n    p.rego\n", "package a").unwrap(),
        "policies:\n- rego:\n    \"package a\\n\"\n"
    );
}

#[test]
fn anchors_stay_with_what_they_mark() {
    assert_eq!(
        inline(
            "policies:\n- &e\n  rego_filename: &t p.rego\n- <<: *e\n  rego: x\n",
            "package a\n"
        )
        .unwrap(),
        "policies:\n- &e\n  rego: &t |\n    package a\n- <<: *e\n  rego: x\n"
    );
}

#[test]
fn entries_without_a_text_are_refused() {
    for (text, message) in [
        (
            "policies:\n- mrn: p\n",
            "missing 'rego' or 'rego_filename' in 'policies' entry",
        ),
        (
            "a:\n- mappers:\n  - mrn: p\n",
            "missing 'rego' or 'rego_filename' in 'mappers' entry",
        ),
        (
            "policies:\n- {rego: x, rego_filename: y}\n",
            "cannot specify both 'rego' and 'rego_filename' in the same block",
        ),
        ("a: {rego_filename: ''}\n", "rego_filename cannot be empty"),
        (
            "a: {rego_filename: [x]}\n",
            "rego_filename must be the name of a file",
        ),
        (
            "a: &x p.rego\nb: {rego_filename: *x}\n",
            "rego_filename must be a name, not an alias",
        ),
    ] {
        assert_eq!(inline(text, "").unwrap_err(), message, "{text}");
    }
}

/// Whatever a file holds, the YAML gives it back, with the line ends behind it as one.
#[test]
fn every_text_reads_back() {
    let hosts = [
        "policies:\n  - mrn: p\n    rego_filename: p.rego\n    z: 1\n",
        "policies:\n- rego_filename: p.rego",
        "policies: [{rego_filename: p.rego, z: 1}]\n",
        "kind: x\r\npolicies:\r\n- rego_filename: p.rego # c\r\n  z: 1\r\n",
    ];
    let texts = [
        "",
        "a",
        "a\n",
        " a\n b",
        "\n\na\n",
        "  \na\n",
        "a\n  \n\t\n b\n   ",
        "\ta\n\tb\n",
        "a \nb\t\n",
        "# c: d\n- e\n",
        "a\r\nb\r\n",
        "ä \"q\" \\ \u{85} \u{2028} \u{feff} \u{1} \u{1f600}\n",
        "---\n...\n",
        "a: [\n",
        "%x\n",
    ];
    for host in hosts {
        for text in texts {
            let built: Arc<str> = inline(host, text).unwrap().into();
            let mut sources = SourceMap::default();
            let document = yaml::parse(sources.add_file("b.yml", &built), &built).unwrap();
            let mut found = None;
            let mut open = vec![document.root()];
            while let Some(id) = open.pop() {
                match &document.node(id).kind {
                    NodeKind::Scalar(_) => {}
                    NodeKind::Sequence(items) => open.extend(items),
                    NodeKind::Mapping(entries) => {
                        for &(key, value) in entries {
                            if document.scalar(key).is_some_and(|key| &*key.text == "rego") {
                                found = document.scalar(value).map(|scalar| scalar.text.to_string());
                            }
                            open.push(value);
                        }
                    }
                }
            }
            let body = text.trim_end_matches('\n');
            let wanted = if text.is_empty() {
                String::new()
            } else {
                format!("{body}\n")
            };
            assert_eq!(found.as_deref(), Some(&*wanted), "{host:?} {text:?} {built:?}");
        }
    }
}

#[test]
fn places_lead_to_the_rego_file() {
    let yaml = "policies:\n- mrn: p\n  rego_filename: p.rego\n- {rego_filename: p.rego, z: 1}\n";
    let rego = "package a\n\nallow = \"x\"\n";
    let mut sources = SourceMap::default();
    let file = sources.add_file("d.yml", yaml);
    let rego_file = sources.add_file("p.rego", rego);
    let document = yaml::parse(file, &Arc::from(yaml)).unwrap();
    let references = domain::references(&document).unwrap();
    let built = references.inline(&[(rego_file, rego), (rego_file, rego)]);
    let inlined = sources.add_inlined("d.yml", &built.text, built.pieces);
    let place = |needle: &str| {
        let at = built.text.rfind(needle).unwrap() as u32;
        let span = sources.on_disk(gavel_compiler::source::Span {
            file: inlined,
            start: at,
            end: at + 1,
        });
        let position = sources.position(span);
        format!(
            "{}:{}:{}",
            sources.source(span.file).name,
            position.row,
            position.col
        )
    };
    assert_eq!(place("= \"x"), "p.rego:3:7");
    assert_eq!(place("allow = \\"), "p.rego:3:1");
    assert_eq!(place("x\\\""), "p.rego:3:10");
    assert_eq!(place("mrn: p"), "d.yml:2:3");
    assert_eq!(place("z: 1"), "d.yml:4:27");
}
