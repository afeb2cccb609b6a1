//! Fingerprints and lists of libraries.

use super::load;
use expect_test::{Expect, expect};
use gavel_compiler::domain::set::LibraryIdx;
use sha2::{Digest, Sha256};

const LIBRARIES: &str = "\
apiVersion: iamlite.manetu.io/v1beta1
kind: PolicyDomain
metadata: {name: d}
spec:
  policy-libraries:
    - {mrn: a, rego: A}
    - {mrn: b, rego: B, dependencies: [a]}
    - {mrn: c, rego: C, dependencies: [b, a]}
  policies:
    - {mrn: p, rego: P, dependencies: DEPENDENCIES}
";

/// The hashed text and the libraries of a policy with these dependencies.
#[track_caller]
fn check(dependencies: &str, hashed: &str, libraries: Expect) {
    let set = load(&[&LIBRARIES.replace("DEPENDENCIES", dependencies)])
        .1
        .unwrap();
    let policy = &set.policies[0];
    let want: [u8; 32] = Sha256::digest(hashed.as_bytes()).into();
    assert_eq!(policy.fingerprint, want, "{dependencies}");
    let names: Vec<_> = policy
        .libraries
        .iter()
        .map(|&LibraryIdx(at)| &*set.libraries[at].mrn)
        .collect();
    libraries.assert_eq(&names.join(" "));
}

#[test]
fn a_fingerprint_covers_mrn_text_and_libraries_in_order() {
    check("[]", "pP", expect![""]);
    check("[a]", "pPA", expect!["a"]);
    check("[a, a]", "pPA", expect!["a"]);
    check("[c]", "pPCBA", expect!["c b a"]);
}

#[test]
fn a_library_reached_by_two_names_counts_twice_in_the_fingerprint_only() {
    check("[b, a]", "pPBAA", expect!["b a"]);
    check("[d/a, a]", "pPAA", expect!["a"]);
    check("[a, b, c]", "pPABACB", expect!["a b c"]);
}
