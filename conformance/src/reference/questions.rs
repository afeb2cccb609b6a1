//! Bodies that are not entered at all: OPA's rule index looks at the questions that a body asks of the input and of base
//! documents, so that an error in front of a question that fails is never raised.

use super::machine::{Flow, Machine, Stop};
use super::tree::Node;
use super::value::Value;
use gavel_compiler::hir::{Callee, Ref, RefHead, Stmt, StmtKind, Term, VarId};
use gavel_runtime::builtins::BuiltinId;
use gavel_runtime::value::Constant;
use std::collections::BTreeMap;

/// What a term is known to be without evaluating anything.
#[derive(Clone, Debug)]
enum Known {
    /// A constant.
    Constant(Value),
    /// A part of a document; `None`: undefined. And which one it is.
    Document(Option<Value>, String),
    /// An argument, and which one it is.
    Argument(Value, String),
}

/// What a statement says before its body is entered.
enum Verdict {
    /// Nothing.
    Silent,
    /// The body fails.
    Fails,
    /// A question to a document, and whether it holds.
    Asked {
        document: String,
        holds: bool,
        affix: Option<Affix>,
    },
}

/// A question for the start (`true`) or the end of a text, and the length of the shortest that would do.
type Affix = (bool, usize);

impl Verdict {
    fn asked(document: String, holds: bool) -> Verdict {
        Verdict::Asked {
            document,
            holds,
            affix: None,
        }
    }
}

/// Builtins that are questions when both operands are known.
const QUESTIONS: &[&str] = &[
    "equal",
    "internal.member_2",
    "startswith",
    "endswith",
    "strings.any_prefix_match",
    "strings.any_suffix_match",
    "glob.match",
];

impl<'u> Machine<'u> {
    /// Whether the questions of a body exclude it: several to one document are alternatives.
    pub(super) fn is_excluded(&mut self, stmts: &'u [Stmt]) -> Result<bool, Stop> {
        let mut known: BTreeMap<VarId, Known> = BTreeMap::new();
        for (var, value) in &self.vars {
            known.insert(*var, Known::Argument(value.clone(), format!("{var:?}")));
        }
        let mut asked: BTreeMap<String, Vec<(bool, Option<Affix>)>> = BTreeMap::new();
        for stmt in stmts {
            match self.verdict(stmt, &mut known)? {
                Verdict::Silent => {}
                Verdict::Fails => return Ok(true),
                Verdict::Asked {
                    document,
                    holds,
                    affix,
                } => asked.entry(document).or_default().push((holds, affix)),
            }
        }
        Ok(asked
            .values()
            .any(|questions| !one_end(questions).any(|holds| holds)))
    }

    fn verdict(&mut self, stmt: &'u Stmt, known: &mut BTreeMap<VarId, Known>) -> Result<Verdict, Stop> {
        match &stmt.kind {
            StmtKind::Test(term @ Term::Ref(_)) => Ok(match self.known(term, known)? {
                Some(Known::Document(None, _)) => Verdict::Fails,
                _ => Verdict::Silent,
            }),
            StmtKind::Unify {
                left: Term::Ref(reference),
                right: Term::Const(member),
                ..
            }
            | StmtKind::Unify {
                left: Term::Const(member),
                right: Term::Ref(reference),
                ..
            } if self.iterates_last(reference) => self.member_verdict(reference, member),
            StmtKind::Unify {
                left: Term::Array(items),
                right: document,
                ..
            }
            | StmtKind::Unify {
                left: document,
                right: Term::Array(items),
                ..
            } if items.iter().all(is_element) => Ok(match self.known(document, known)? {
                Some(Known::Document(None, _)) => Verdict::Fails,
                Some(Known::Document(Some(value), name) | Known::Argument(value, name)) => {
                    Verdict::asked(name, has_shape(&value, items))
                }
                _ => Verdict::Silent,
            }),
            StmtKind::Unify { left, right, .. } => {
                let sides = (self.known(left, known)?, self.known(right, known)?);
                for (term, other) in [(left, &sides.1), (right, &sides.0)] {
                    if let (Term::Var(var), Some(other)) = (term, other)
                        && !known.contains_key(var)
                    {
                        known.insert(*var, other.clone());
                    }
                }
                Ok(match sides {
                    (Some(Known::Document(None, _)), _) if is_simple(right) => Verdict::Fails,
                    (_, Some(Known::Document(None, _))) if is_simple(left) => Verdict::Fails,
                    (Some(asked), Some(Known::Constant(value)))
                    | (Some(Known::Constant(value)), Some(asked))
                        if !are_variables(left, right) =>
                    {
                        match asked {
                            Known::Document(Some(part), name) | Known::Argument(part, name) => {
                                Verdict::asked(name, part == value)
                            }
                            Known::Document(None, _) | Known::Constant(_) => Verdict::Silent,
                        }
                    }
                    _ => Verdict::Silent,
                })
            }
            StmtKind::Call {
                callee: callee @ Callee::Builtin(id),
                args,
                out: None,
            } if QUESTIONS.contains(&id.get().name) && !self.scope.mocks.contains_key(callee) => {
                match args.as_slice() {
                    [left, right] => self.call_verdict(*id, left, right, known),
                    _ => self.glob_verdict(*id, args, known),
                }
            }
            StmtKind::Test(_)
            | StmtKind::Call { .. }
            | StmtKind::Not(_)
            | StmtKind::Every { .. }
            | StmtKind::With { .. }
            | StmtKind::And(..)
            | StmtKind::Or(..) => Ok(Verdict::Silent),
        }
    }

    /// Whether a document has the member that a reference with a variable at its end is compared with.
    fn member_verdict(&mut self, reference: &'u Ref, member: &'u Constant) -> Result<Verdict, Stop> {
        let element_count = reference.path.len().saturating_sub(1);
        let document = self.part_of(reference, element_count)?;
        let is_asked = is_simple(&Term::Const(member.clone())) && !matches!(member, Constant::Array(_));
        let member = Value::of(member);
        Ok(match document {
            Some(Known::Document(document, name)) if is_asked => {
                let members = document.map(|document| document.members()).unwrap_or_default();
                Verdict::asked(name, members.iter().any(|(_, part)| *part == member))
            }
            _ => Verdict::Silent,
        })
    }

    fn call_verdict(
        &mut self,
        id: BuiltinId,
        left: &'u Term,
        other: &'u Term,
        known: &BTreeMap<VarId, Known>,
    ) -> Result<Verdict, Stop> {
        let name = id.get().name;
        let affix = match name {
            "startswith" | "strings.any_prefix_match" => shortest(other).map(|len| (true, len)),
            "endswith" | "strings.any_suffix_match" => shortest(other).map(|len| (false, len)),
            _ => None,
        };
        let right = match other {
            Term::Const(texts) if name.starts_with("strings.") && are_texts(texts) => {
                Some(Known::Constant(Value::of(texts)))
            }
            right => self.known(right, known)?,
        };
        let (a, b, document) = match (name, self.known(left, known)?, right) {
            ("equal", ..) if are_variables(left, other) => return Ok(Verdict::Silent),
            ("internal.member_2", Some(Known::Constant(a)), Some(Known::Document(Some(b), document)))
                if a < Value::array(Vec::new()) =>
            {
                (a, b, document)
            }
            ("internal.member_2", _, Some(Known::Constant(members))) if members.members().is_empty() => {
                return Ok(Verdict::Silent);
            }
            ("equal" | "internal.member_2", Some(Known::Argument(a, document)), Some(Known::Constant(b)))
            | ("equal", Some(Known::Constant(b)), Some(Known::Argument(a, document)))
            | ("equal", Some(Known::Constant(b)), Some(Known::Document(Some(a), document)))
            | (_, Some(Known::Document(Some(a), document)), Some(Known::Constant(b))) => (a, b, document),
            _ => return Ok(Verdict::Silent),
        };
        let result = self.builtin(id, &[a, b]);
        Ok(Verdict::Asked {
            document,
            holds: matches!(result, Ok(Some(value)) if value.is_true()),
            affix,
        })
    }

    /// A pattern whose parts are texts or a lone `*`.
    fn glob_verdict(
        &mut self,
        id: BuiltinId,
        args: &'u [Term],
        known: &BTreeMap<VarId, Known>,
    ) -> Result<Verdict, Stop> {
        let [
            Term::Const(pattern),
            Term::Const(Constant::Array(delimiters)),
            text,
        ] = args
        else {
            return Ok(Verdict::Silent);
        };
        let (
            Constant::String(parts),
            Some(Known::Document(Some(text), document) | Known::Argument(text, document)),
        ) = (pattern, self.known(text, known)?)
        else {
            return Ok(Verdict::Silent);
        };
        let mut among = String::new();
        for delimiter in delimiters {
            match delimiter {
                Constant::String(text) => among.push_str(text),
                _ => return Ok(Verdict::Silent),
            }
        }
        if among.is_empty() {
            among.push('.');
        }
        let is_plain = |part: &str| part == "*" || !part.contains(['[', '?', '{', '*', '\\']);
        if !parts.split(|c| among.contains(c)).all(is_plain) {
            return Ok(Verdict::Silent);
        }
        let delimiters = Value::of(&Constant::Array(delimiters.clone()));
        let result = self.builtin(id, &[Value::of(pattern), delimiters, text]);
        let holds = matches!(result, Ok(Some(value)) if value.is_true());
        Ok(Verdict::asked(document, holds))
    }

    fn known(&mut self, term: &'u Term, known: &BTreeMap<VarId, Known>) -> Result<Option<Known>, Stop> {
        match term {
            Term::Const(constant) if is_simple(term) => Ok(Some(Known::Constant(Value::of(constant)))),
            Term::Var(var) => Ok(known.get(var).cloned()),
            Term::Ref(reference) => self.part_of(reference, reference.path.len()),
            Term::Const(_) | Term::Array(_) | Term::Object(_) | Term::Set(_) | Term::Comprehension(_) => {
                Ok(None)
            }
        }
    }

    /// What a reference into a document leads to with its first elements, when they are constants.
    fn part_of(&mut self, reference: &'u Ref, len: usize) -> Result<Option<Known>, Stop> {
        let path = reference.path.get(..len).unwrap_or_default();
        let is_ground = path.iter().all(|element| matches!(element, Term::Const(_)));
        if !is_ground {
            return Ok(None);
        }
        let mut found = None;
        let mut take = |_: &mut Machine<'u>, value| {
            found = Some(value);
            Ok(Flow::Enough)
        };
        match reference.head {
            RefHead::Input => {
                if let Some(input) = self.scope.input.clone() {
                    self.follow(&input, path, &mut take)?;
                }
            }
            RefHead::Data if !self.is_virtual(path) => {
                self.data(path, &mut take)?;
            }
            RefHead::Data | RefHead::Var(_) | RefHead::Const(_) => return Ok(None),
        }
        let name = format!("{:?}{path:?}", reference.head);
        Ok(Some(Known::Document(found, name)))
    }

    /// Whether the last element of a reference, and no other, is a variable without a value.
    fn iterates_last(&self, reference: &Ref) -> bool {
        matches!(reference.path.last(), Some(Term::Var(var)) if !self.vars.contains_key(var))
    }

    /// Whether a path leads to or through rules, or to a package.
    fn is_virtual(&self, path: &[Term]) -> bool {
        let mut node: &Node<'u> = &self.tree;
        for element in path {
            let Term::Const(Constant::String(name)) = element else {
                return false;
            };
            match node.children.get(name.as_str()) {
                Some(child) if child.rules.is_empty() => node = child,
                Some(_) => return true,
                None => return false,
            }
        }
        true
    }
}

/// Of two variables the index knows nothing.
fn are_variables(left: &Term, right: &Term) -> bool {
    matches!((left, right), (Term::Var(_), Term::Var(_)))
}

fn is_scalar(constant: &Constant) -> bool {
    !matches!(
        constant,
        Constant::Array(_) | Constant::Object(_) | Constant::Set(_)
    )
}

/// What an array may hold that the index compares with: scalars and variables.
fn is_element(item: &Term) -> bool {
    match item {
        Term::Const(constant) => is_scalar(constant),
        Term::Var(_) => true,
        Term::Array(_) | Term::Object(_) | Term::Set(_) | Term::Ref(_) | Term::Comprehension(_) => false,
    }
}

/// Whether a value is an array with the scalars of a pattern and with anything for its variables.
fn has_shape(value: &Value, items: &[Term]) -> bool {
    let is_array = *value >= Value::array(Vec::new()) && *value < Value::object(Vec::new());
    let members = value.members();
    let fits = |item: &Term, part: &Value| match item {
        Term::Const(constant) => Value::of(constant) == *part,
        _ => true,
    };
    is_array
        && members.len() == items.len()
        && items
            .iter()
            .zip(&members)
            .all(|(item, (_, part))| fits(item, part))
}

/// What the index can compare with: a scalar, a variable, or an array of those.
fn is_simple(term: &Term) -> bool {
    match term {
        Term::Const(Constant::Array(items)) => items.iter().all(is_scalar),
        Term::Const(constant) => is_scalar(constant),
        Term::Var(_) => true,
        Term::Array(items) => items.iter().all(is_element),
        Term::Object(_) | Term::Set(_) | Term::Ref(_) | Term::Comprehension(_) => false,
    }
}

/// Which of the questions to one document hold. Of those for the start and those for the end of a text OPA's index keeps
/// one kind, the one with the longer of the shortest.
fn one_end(questions: &[(bool, Option<Affix>)]) -> impl Iterator<Item = bool> + '_ {
    let least = |is_start: bool| {
        let affixes = questions.iter().filter_map(|(_, affix)| *affix);
        affixes
            .filter(|(start, _)| *start == is_start)
            .map(|(_, len)| len)
            .min()
    };
    let dropped = match (least(true), least(false)) {
        (Some(start), Some(end)) => Some(end > start),
        _ => None,
    };
    let is_kept = move |affix: &Option<Affix>| affix.is_none_or(|(start, _)| Some(start) != dropped);
    questions
        .iter()
        .filter(move |(_, affix)| is_kept(affix))
        .map(|(holds, _)| *holds)
}

/// Length of the shortest of some texts.
fn shortest(texts: &Term) -> Option<usize> {
    let len = |constant: &Constant| match constant {
        Constant::String(text) => Some(text.len()),
        _ => None,
    };
    match texts {
        Term::Const(Constant::Array(items) | Constant::Set(items)) => items.iter().filter_map(len).min(),
        Term::Const(constant) => len(constant),
        _ => None,
    }
}

/// A collection of texts, some of them.
fn are_texts(constant: &Constant) -> bool {
    match constant {
        Constant::Array(items) | Constant::Set(items) => {
            !items.is_empty() && items.iter().all(|item| matches!(item, Constant::String(_)))
        }
        _ => false,
    }
}
