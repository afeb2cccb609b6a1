//! Secrets in the text of a policy: keys for tokens and signatures, private keys. Policies are stored, shown and logged.

use std::collections::HashMap;

use super::findings::Findings;
use super::module::ModuleCx;
use super::names;
use super::rule::Rule;
use super::visit::{self, Event};
use crate::ast::{LiteralKind, Module, Term, TermKind};
use crate::source::Span;

const HELP: &str = "pass it in with the request, or verify with a public key; a secret that was stored here is no secret any more";

pub(super) fn check(cx: &ModuleCx<'_, '_>, findings: &mut Findings) {
    let known = known_texts(cx.module);
    visit::module(cx.module, &mut |event| {
        let Event::Term(term) = event else { return };
        match &term.kind {
            TermKind::String { text, .. } => {
                if let Some(what) = secret_of_its_own(text) {
                    findings.add(
                        Rule::LiteralSecret,
                        term.span,
                        format!("{what} stands in the policy"),
                        HELP,
                    );
                }
            }
            TermKind::Call { name, args } => {
                let Some(builtin) = cx.builtin(name) else { return };
                if let Some(span) = secret_argument(builtin.name, args, &known) {
                    let message = format!("the secret of `{}` stands in the policy", builtin.name);
                    findings.add(Rule::LiteralSecret, span, message, HELP);
                }
            }
            _ => {}
        }
    });
}

/// A text that is secret wherever it stands.
fn secret_of_its_own(text: &str) -> Option<&'static str> {
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    let id = text.strip_prefix("AKIA")?;
    let is_id = id.len() == 16
        && id
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    is_id.then_some("an AWS access key")
}

/// Names that stand for one text in all of a module; nothing where a name has several.
fn known_texts<'a>(module: &Module<'a>) -> HashMap<&'a str, Option<Span>> {
    let mut known: HashMap<&str, Option<Span>> = HashMap::new();
    let mut note = |name: &'a str, value: Option<&Term<'a>>| {
        let text = value.filter(|value| is_text(value)).map(|value| value.span);
        known
            .entry(name)
            .and_modify(|earlier| *earlier = None)
            .or_insert(text);
    };
    for rule in module.rules {
        note(names::of_head(&rule.head), rule.head.value.as_ref());
    }
    visit::module(module, &mut |event| {
        if let Event::Literal(literal) = event
            && let LiteralKind::Assign(left, right) = &literal.kind
            && let TermKind::Var(name) = left.kind
        {
            note(name, Some(right));
        }
    });
    known
}

fn is_text(term: &Term<'_>) -> bool {
    matches!(term.kind, TermKind::String { text, .. } if !text.is_empty())
}

/// Where the secret stands that a call is given.
fn secret_argument(builtin: &str, args: &[Term<'_>], known: &HashMap<&str, Option<Span>>) -> Option<Span> {
    let literal = |term: &Term<'_>| match term.kind {
        TermKind::Var(name) => known.get(name).copied().flatten(),
        _ => is_text(term).then_some(term.span),
    };
    let member = |term: &Term<'_>, key: &str| {
        let TermKind::Object(entries) = term.kind else {
            return None;
        };
        let found = entries
            .iter()
            .find(|(name, _)| matches!(name.kind, TermKind::String { text, .. } if text == key));
        found.and_then(|(_, value)| literal(value))
    };
    match builtin {
        "io.jwt.verify_hs256"
        | "io.jwt.verify_hs384"
        | "io.jwt.verify_hs512"
        | "crypto.hmac.md5"
        | "crypto.hmac.sha1"
        | "crypto.hmac.sha256"
        | "crypto.hmac.sha512" => literal(args.get(1)?),
        "io.jwt.decode_verify" => member(args.get(1)?, "secret"),
        "io.jwt.encode_sign" => {
            let key = args.get(2)?;
            member(key, "k").or_else(|| member(key, "d"))
        }
        "providers.aws.sign_req" => member(args.get(1)?, "aws_secret_access_key"),
        _ => None,
    }
}
