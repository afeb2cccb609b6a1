//! Large domains made up from a seed: policies of forty lines as people write them, for measuring how compilation grows.

use std::fmt::Write as _;

/// Lines of each policy.
pub const POLICY_LINES: usize = 40;

/// Policies that share one library.
const POLICIES_PER_LIBRARY: usize = 40;

/// What every domain begins with.
const HEAD: &str =
    "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomain\nmetadata:\n  name: large\nspec:\n";

/// Text of a PolicyDomain with a number of policies, each used by one role; the same for the same seed.
#[must_use]
pub fn domain(policies: usize, seed: u64) -> String {
    sized(policies, seed, 0)
}

/// Policies of [`growing`] that are the same however many follow.
const FIRST_POLICIES: usize = 10;

/// Policies of one PolicyDomain of [`growing`]: a file has a bound.
const POLICIES_PER_DOMAIN: usize = 10_000;

/// Texts of PolicyDomains with so many policies together. The first ten policies, their library and the operation that a
/// request of one of their roles meets are the same whatever the number.
#[must_use]
pub fn growing(policies: usize, seed: u64) -> Vec<String> {
    let sizes = (0..policies.div_ceil(POLICIES_PER_DOMAIN))
        .map(|at| POLICIES_PER_DOMAIN.min(policies - at * POLICIES_PER_DOMAIN));
    sizes
        .zip(0..)
        .map(|(size, at)| match at {
            0 => sized(size, seed, FIRST_POLICIES),
            _ => sized(size, seed + at, 0)
                .replace("mrn:large:", &format!("mrn:large{at}:"))
                .replace("large:service", &format!("large{at}:service"))
                .replace("name: large\n", &format!("name: large{at}\n"))
                .replace("      default: true\n", ""),
        })
        .collect()
}

/// The first few policies need the first library, all others any.
fn sized(policies: usize, seed: u64, first: usize) -> String {
    let libraries = policies / POLICIES_PER_LIBRARY + 1;
    let mut text = String::from(HEAD);
    text.push_str("  policy-libraries:\n");
    for at in 0..libraries {
        library(&mut text, at);
    }
    text.push_str("  policies:\n");
    entry(&mut text, "policy", "gate", &[]);
    block(&mut text, &gate());
    let mut random = Random(seed | 1);
    for at in 0..policies {
        let library = if at < first { 0 } else { random.below(libraries) };
        entry(&mut text, "policy", &format!("p{at}"), &[library]);
        block(&mut text, &policy(at, library, &mut random));
    }
    uses(&mut text, policies, libraries);
    text
}

/// How the libraries of [`crossing`] need each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// Not at all.
    Apart,
    /// Each needs two of those before it: all that a policy needs are some hundred.
    Tree,
    /// Each needs the one before it: the longest way is as long as the domain.
    Chain,
}

/// Text of a PolicyDomain with as many policies as libraries, in which each policy names ten libraries, or one of a chain.
#[must_use]
pub fn crossing(libraries: usize, how: Crossing) -> String {
    let mut text = String::from(HEAD);
    text.push_str("  policy-libraries:\n");
    for at in 0..libraries {
        let mut needed: Vec<usize> = match (how, at) {
            (Crossing::Apart, _) | (_, 0) => Vec::new(),
            (Crossing::Tree, 1) | (Crossing::Chain, _) => vec![at - 1],
            (Crossing::Tree, _) => vec![at / 2, at / 3],
        };
        needed.dedup();
        let mut lines = vec![format!("package lib{at}"), "import rego.v1".to_owned()];
        lines.extend(needed.iter().map(|other| format!("import data.lib{other}")));
        lines.push(format!("ok if input.principal.mannotations.level == {at}"));
        lines.extend(needed.iter().map(|other| format!("near if lib{other}.ok")));
        entry(&mut text, "library", &format!("l{at}"), &needed);
        block(&mut text, &lines);
    }
    text.push_str("  policies:\n");
    entry(&mut text, "policy", "gate", &[]);
    block(&mut text, &gate());
    for at in 0..libraries {
        let needed: Vec<usize> = match how {
            Crossing::Chain => vec![at],
            Crossing::Apart | Crossing::Tree => {
                (0..10).map(|step| (at * 7 + step * 13) % libraries).collect()
            }
        };
        let mut lines = vec!["package authz".to_owned(), "import rego.v1".to_owned()];
        lines.extend(needed.iter().map(|other| format!("import data.lib{other}")));
        lines.push("default allow := false".to_owned());
        lines.extend(needed.iter().map(|other| format!("allow if lib{other}.ok")));
        entry(&mut text, "policy", &format!("p{at}"), &needed);
        block(&mut text, &lines);
    }
    uses(&mut text, libraries, 1);
    text
}

/// Text of a PolicyDomain with one policy and so many operations, each with a selector of its own.
#[must_use]
pub fn selectors(count: usize) -> String {
    let mut text = String::from(HEAD);
    text.push_str("  policies:\n");
    for name in ["gate", "p0"] {
        entry(&mut text, "policy", name, &[]);
        block(&mut text, &gate());
    }
    uses(&mut text, 1, count);
    text
}

/// A role for each policy, one group of resources, an operation for each service.
fn uses(text: &mut String, policies: usize, services: usize) {
    text.push_str("  roles:\n");
    for at in 0..policies {
        let _ = write!(
            text,
            "    - mrn: \"mrn:large:role:r{at}\"\n      name: r{at}\n      policy: \"mrn:large:policy:p{at}\"\n"
        );
    }
    text.push_str(
        "  resource-groups:\n    - mrn: \"mrn:large:resource-group:all\"\n      name: all\n      default: true\n      \
         policy: \"mrn:large:policy:p0\"\n",
    );
    text.push_str("  operations:\n");
    for at in 0..services {
        let _ = write!(
            text,
            "    - name: service {at}\n      selector: [\"large:service{at}:.*\"]\n      policy: \"mrn:large:policy:gate\"\n"
        );
    }
}

/// A request that a domain of [`domain`] decides: one of its roles reads.
#[must_use]
pub fn request(role: usize) -> String {
    format!(
        r#"{{"principal":{{"sub":"ada","mroles":["mrn:large:role:r{role}"],"mannotations":{{"team":"t7"}}}},"operation":"large:service0:read","resource":{{"id":"mrn:large:doc:1","owner":"ada","group":"mrn:large:resource-group:all"}},"context":{{"hour":11,"network":"office"}}}}"#
    )
}

fn entry(text: &mut String, kind: &str, name: &str, libraries: &[usize]) {
    let _ = write!(
        text,
        "    - mrn: \"mrn:large:{kind}:{name}\"\n      name: {name}\n"
    );
    if !libraries.is_empty() {
        text.push_str("      dependencies:\n");
        for at in libraries {
            let _ = writeln!(text, "        - \"mrn:large:library:l{at}\"");
        }
    }
    text.push_str("      rego: |\n");
}

fn block(text: &mut String, lines: &[String]) {
    for line in lines {
        if !line.is_empty() {
            text.push_str("        ");
            text.push_str(line);
        }
        text.push('\n');
    }
}

fn library(text: &mut String, at: usize) {
    let levels = ["guest", "staff", "lead", "owner"];
    let mut lines = vec![
        format!("package lib{at}"),
        String::new(),
        "import rego.v1".to_owned(),
        String::new(),
    ];
    lines.push(format!(
        "read_operations := {{\"large:service{at}:read\", \"large:service{at}:list\"}}"
    ));
    lines.push(format!(
        "write_operations := {{\"large:service{at}:write\", \"large:service{at}:delete\"}}"
    ));
    lines.push(String::new());
    for (rank, level) in levels.iter().enumerate() {
        lines.push(format!("rank(\"{level}\") := {}", rank + at % 3));
    }
    for line in [
        "",
        "owned if input.principal.sub == input.resource.owner",
        "",
        "same_team if {",
        "  some team in input.principal.mannotations.teams",
        "  team == input.resource.annotations.team",
        "}",
        "",
        "office_hours if {",
        "  input.context.hour >= 8",
        "  input.context.hour < 18",
        "}",
    ] {
        lines.push(line.to_owned());
    }
    entry(text, "library", &format!("l{at}"), &[]);
    block(text, &lines);
}

fn gate() -> Vec<String> {
    [
        "package authz",
        "",
        "default allow = -1",
        "",
        "allow = 0 {",
        "  input.principal.sub != \"\"",
        "}",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// One policy; what it is made of, and in which order, comes from the seed.
fn policy(at: usize, library: usize, random: &mut Random) -> Vec<String> {
    let lib = format!("lib{library}");
    let mut lines = vec![
        "package authz".to_owned(),
        String::new(),
        "import rego.v1".to_owned(),
        format!("import data.{lib}"),
        String::new(),
        format!("# Policy {at} of a made-up domain."),
        "default allow := false".to_owned(),
        String::new(),
    ];
    let mut parts = 0;
    while lines.len() < POLICY_LINES {
        let part = PARTS.get(random.below(PARTS.len())).copied().unwrap_or_default();
        let left = POLICY_LINES - lines.len();
        if part.len() + 1 > left {
            lines.push(format!("# {left} lines are left."));
            continue;
        }
        for line in part {
            let line = line
                .replace("LIB", &lib)
                .replace("ID", &format!("{at}_{parts}"))
                .replace("NUM", &random.below(1000).to_string())
                .replace(
                    "WORD",
                    WORDS.get(random.below(WORDS.len())).copied().unwrap_or_default(),
                );
            lines.push(line);
        }
        lines.push(String::new());
        parts += 1;
    }
    lines
}

/// Xorshift: the sequence is part of what is measured, so it is ours.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap_or(0)
    }
}

const WORDS: [&str; 8] = [
    "invoice", "ledger", "payment", "contract", "ticket", "report", "shipment", "account",
];

/// Rules that policies are made of.
const PARTS: [&[&str]; 12] = [
    &[
        "allow if {",
        "  input.operation in LIB.read_operations",
        "  LIB.office_hours",
        "  LIB.same_team",
        "}",
    ],
    &[
        "allow if {",
        "  LIB.owned",
        "  startswith(input.resource.id, \"mrn:large:WORD\")",
        "}",
    ],
    &[
        "allow if {",
        "  input.operation in LIB.write_operations",
        "  LIB.rank(input.principal.mannotations.level) >= LIB.rank(\"lead\")",
        "  not frozen_ID",
        "}",
        "",
        "frozen_ID if input.resource.annotations.frozen_until > NUM",
    ],
    &[
        "tags_ID := {tag | some tag in input.resource.annotations.tags; startswith(tag, \"WORD-\")}",
        "",
        "allow if {",
        "  count(tags_ID) > NUM",
        "  every tag in tags_ID {",
        "    tag in input.principal.mannotations.tags",
        "  }",
        "}",
    ],
    &[
        "limit_ID := NUM if input.principal.mannotations.level == \"staff\"",
        "",
        "limit_ID := 5000 if input.principal.mannotations.level == \"lead\"",
        "",
        "allow if input.context.amount <= limit_ID",
    ],
    &[
        "score_ID(kind) := total if {",
        "  weights := {\"WORD\": NUM, \"audit\": 7, \"export\": 9}",
        "  total := weights[kind] + count(input.principal.mroles)",
        "}",
        "",
        "allow if score_ID(input.resource.annotations.kind) > NUM",
    ],
    &[
        "allow if {",
        "  some i, member in input.resource.annotations.members",
        "  member.sub == input.principal.sub",
        "  member.until > input.context.time",
        "  i < NUM",
        "}",
    ],
    &[
        "deny_ID contains msg if {",
        "  input.context.network != \"office\"",
        "  msg := sprintf(\"WORD: %v\", [input.context.network])",
        "}",
        "",
        "allow if count(deny_ID) == 0",
    ],
    &[
        "regions_ID := {\"eu\": [\"WORD\", \"NUM\"], \"us\": [\"WORD\"]}",
        "",
        "allow if input.resource.annotations.kind in regions_ID[input.context.region]",
    ],
    &["allow if regex.match(`^large:[a-z0-9]+:(read|WORD)$`, input.operation)"],
    &[
        "by_owner_ID[owner] contains doc.id if {",
        "  some doc in input.context.documents",
        "  owner := doc.owner",
        "}",
        "",
        "allow if input.resource.id in by_owner_ID[input.principal.sub]",
    ],
    &[
        "level_ID := \"high\" if input.context.amount > NUM",
        "else := \"middle\" if input.context.amount > 10",
        "else := \"low\"",
        "",
        "allow if level_ID == \"low\"",
    ],
];
