//! `package` and `import` clauses: their paths, and what an import turns on.

use crate::ast::{Import, Name, Package, Term, TermKind};
use crate::layout::Words;
use crate::parse::BlanketImport;
use crate::parse::text::value_name;
use crate::parse::tree::{Cx, Reject};
use crate::source::Span;
use crate::token::Word;

/// What OPA calls the first wildcard of a module; a package may begin with one.
pub(crate) const FIRST_WILDCARD: &str = "$0";

/// Checks the path of `package`.
pub(crate) fn package<'a>(
    cx: &Cx<'a>,
    span: Span,
    path: Term<'a>,
    behind: Span,
) -> Result<Package<'a>, Reject> {
    let path = match path.kind {
        TermKind::Ref { head, .. } if !matches!(head.kind, TermKind::Var(_)) => {
            let message = format!("unexpected {} token: expecting var", value_name(head));
            return Err(Reject::new(head.span, message));
        }
        TermKind::Var(_) | TermKind::Ref { .. } => names(cx, path)?,
        _ => return Err(Reject::new(behind, "expected path")),
    };
    Ok(Package { span, path })
}

/// The elements of a variable or a reference of strings. The wildcard at the start of a package is a module's first, and
/// named so.
fn names<'a>(cx: &Cx<'a>, path: Term<'a>) -> Result<&'a [Name<'a>], Reject> {
    let (head, rest): (Term<'a>, &[Term<'a>]) = match path.kind {
        TermKind::Ref { head, path } => (*head, path),
        _ => (path, &[]),
    };
    let TermKind::Var(first) = head.kind else {
        return Err(Reject::new(head.span, "expected path"));
    };
    let mut found = vec![Name {
        span: head.span,
        text: if first == "_" { FIRST_WILDCARD } else { first },
    }];
    for term in rest {
        let TermKind::String { text, .. } = term.kind else {
            let message = format!("unexpected {} token: expecting string", value_name(term));
            return Err(Reject::new(term.span, message));
        };
        found.push(Name {
            span: term.span,
            text,
        });
    }
    Ok(cx.bump.alloc_slice_copy(&found))
}

/// Checks path and alias of `import`. `behind`: the next token, where OPA reports what is no path or name.
pub(crate) fn import<'a>(
    cx: &Cx<'a>,
    words: &Words,
    span: Span,
    path: Term<'a>,
    alias: Option<Term<'a>>,
    behind: Span,
) -> Result<Import<'a>, Reject> {
    if !matches!(path.kind, TermKind::Var(_) | TermKind::Ref { .. }) {
        return Err(Reject::new(behind, "expected path"));
    }
    let names = names(cx, path)?;
    let root = names.first().map_or("", |name| name.text);
    if !matches!(root, "data" | "input" | "future" | "rego") {
        let message = format!(
            "unexpected import path, must begin with one of: {{data, future, input, rego}}, got: {root}"
        );
        return Err(Reject::new(path.span, message));
    }
    let alias = match alias.map(|alias| (alias, alias.kind)) {
        None => None,
        Some((alias, TermKind::Var(text @ ("data" | "input")))) => {
            let message = format!("unexpected import alias, must not be a reserved name, got: {text}");
            return Err(Reject::new(alias.span, message));
        }
        Some((alias, TermKind::Var("contains"))) if words.dialect.kw_contains => {
            let message = "unexpected contains keyword: expected var";
            return Err(Reject::new(alias.span, message));
        }
        Some((alias, TermKind::Var(text))) => Some(Name {
            span: alias.span,
            text,
        }),
        Some(_) => return Err(Reject::new(behind, "expected var")),
    };
    if alias.is_none()
        && root != "future"
        && let Some(last) = names.last()
        && Word::parse(last.text).is_some_and(|word| words.in_base(word))
    {
        let message = format!(
            "unexpected import path, must not end with a keyword, got: {}",
            last.text
        );
        let mut reject = Reject::new(last.span, message);
        reject.help = Some("import a different path or use an alias".to_owned());
        return Err(reject);
    }
    Ok(Import {
        span,
        path: names,
        alias,
    })
}

/// Turns on what `import future.…` and `import rego.…` ask for. `next`: the lexeme behind the import.
pub(crate) fn apply(
    words: &mut Words,
    import: &Import<'_>,
    blanket: BlanketImport,
    next: usize,
) -> Result<(), Reject> {
    let mut path = import.path.iter().map(|name| name.text);
    match path.next() {
        Some("future") => future(words, import, blanket),
        Some("rego") => rego(words, import),
        _ => {
            words.name_at = import.alias.is_none().then_some(next);
            Ok(())
        }
    }
}

fn path_span(import: &Import<'_>) -> Span {
    match (import.path.first(), import.path.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => import.span,
    }
}

fn future(words: &mut Words, import: &Import<'_>, blanket: BlanketImport) -> Result<(), Reject> {
    let path = match import.path {
        [_, keywords, rest @ ..] if keywords.text == "keywords" => rest,
        _ => {
            return Err(Reject::new(
                path_span(import),
                "invalid import, must be `future.keywords`",
            ));
        }
    };
    if let Some(alias) = import.alias {
        return Err(Reject::new(alias.span, "`future` imports cannot be aliased"));
    }
    let dialect = &mut words.dialect;
    // OPA takes a path of more than one keyword for the blanket import.
    let [keyword] = path else {
        v1_keywords(words);
        if blanket == BlanketImport::Opa {
            v2_keywords(words);
        }
        return Ok(());
    };
    match keyword.text {
        "in" => dialect.kw_in = true,
        "if" => dialect.kw_if = true,
        "contains" => dialect.kw_contains = true,
        "every" => {
            dialect.kw_every = true;
            dialect.kw_in = true;
        }
        "and" => dialect.kw_and = true,
        "or" => dialect.kw_or = true,
        "not" => dialect.new_not = true,
        _ => {
            let message = "unexpected keyword, must be one of [and contains every if in not or]";
            return Err(Reject::new(path_span(import), message));
        }
    }
    Ok(())
}

fn rego(words: &mut Words, import: &Import<'_>) -> Result<(), Reject> {
    let version = match import.path {
        [_, version] if matches!(version.text, "v1" | "v2") => version.text,
        _ => {
            let path: Vec<&str> = import.path.iter().map(|name| name.text).collect();
            let message = format!(
                "invalid import `{}`, must be one of: `rego.v1`, `rego.v2`",
                path.join(".")
            );
            return Err(Reject::new(path_span(import), message));
        }
    };
    if let Some(alias) = import.alias {
        return Err(Reject::new(alias.span, "`rego` imports cannot be aliased"));
    }
    words.dialect.v1 = true;
    v1_keywords(words);
    if version == "v2" {
        v2_keywords(words);
    }
    Ok(())
}

fn v1_keywords(words: &mut Words) {
    let dialect = &mut words.dialect;
    dialect.kw_in = true;
    dialect.kw_if = true;
    dialect.kw_contains = true;
    dialect.kw_every = true;
}

fn v2_keywords(words: &mut Words) {
    let dialect = &mut words.dialect;
    dialect.kw_and = true;
    dialect.kw_or = true;
    dialect.new_not = true;
}
