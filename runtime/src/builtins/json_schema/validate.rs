//! A document against a schema: the walk, and the score by which the best of several alternatives is found.
//!
//! Problems lie on one list. Those of an alternative are the tail of it: dropped when another one fits, kept when they
//! belong to the best one. The score counts checks that were made, less two for each problem, as gojsonschema counts.

use super::problem::{Place, Problem, Step, What};
use super::schema::{Combined, Dependency, Node, NodeId, Rules, Searcher, TypeName, Types};
use crate::arena::List;
use crate::builtins::{Call, Failure};
use crate::error::EvalErrorKind;
use crate::limits::BUILTIN_DEPTH_MAX;
use crate::number::is_whole;
use crate::value::{Kind, Object, Value};

/// The walk over one document.
pub(super) struct Validator<'s, 'c, 'k, 'r: 's> {
    pub(super) nodes: &'s [Node],
    pub(super) patterns: &'s mut [Searcher],
    pub(super) call: &'c mut Call<'k, 'r>,
    pub(super) problems: List<'s, Problem<'s, 'r>>,
    pub(super) depth: usize,
}

/// The outcome of one schema: its problems are the tail of the list.
#[derive(Clone, Copy)]
pub(super) struct Outcome {
    pub(super) start: usize,
    pub(super) score: i64,
}

/// Attempts of which one should fit.
pub(super) struct Tries {
    start: usize,
    /// Score of the best one so far.
    best: Option<i64>,
    fitting: usize,
}

/// What the walk gives back: it stops only for a budget.
pub(super) type Checked<T = ()> = Result<T, Failure>;

impl<'s, 'r> Validator<'s, '_, '_, 'r> {
    /// Checks a value; adds to the score.
    pub(super) fn check(
        &mut self,
        id: NodeId,
        value: Value<'r>,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        self.call.charge(1)?;
        if self.depth > BUILTIN_DEPTH_MAX {
            return Err(EvalErrorKind::DepthExceeded.into());
        }
        self.depth += 1;
        let nodes = self.nodes;
        match nodes.get(id.0 as usize) {
            Some(Node::Boolean(true)) | None => {}
            Some(Node::Boolean(false)) => self.problem(What::False, place, score)?,
            Some(Node::Reference(to)) => self.check(*to, value, place, score)?,
            Some(Node::Rules(rules)) => self.rules(rules, value, place, score)?,
            // A reference to a schema that is nothing but references to each other.
            Some(Node::Pending) => return Err(EvalErrorKind::DepthExceeded.into()),
        }
        self.depth -= 1;
        Ok(())
    }

    fn rules(
        &mut self,
        rules: &'s Rules,
        value: Value<'r>,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        let given = type_of(value);
        if !rules.types.take(given) {
            let expected = &*rules.types.shown;
            return self.problem(What::InvalidType { expected, given }, place, score);
        }
        if let Some(combined) = &rules.combined {
            self.combined(combined, value, place, score)?;
        }
        *score += 1;
        match value.kind() {
            Kind::Int(_) | Kind::Number(_) => {
                if let Some(numbers) = &rules.numbers {
                    self.number(numbers, value, place, score)?;
                }
                *score += 1;
            }
            Kind::Array(items) => {
                if let Some(arrays) = &rules.arrays {
                    self.array(arrays, items, place, score)?;
                }
                *score += 1;
            }
            Kind::Object(members) => {
                if let Some(objects) = &rules.objects {
                    self.object(objects, members, place, score)?;
                }
                *score += 1;
            }
            _ => {}
        }
        if let Some(common) = &rules.common {
            self.common(common, value, place, score)?;
        }
        *score += 1;
        if let Kind::String(text) = value.kind() {
            if let Some(strings) = &rules.strings {
                self.string(strings, text, place, score)?;
            }
            *score += 1;
        }
        if let (Kind::Object(_), Some(objects)) = (value.kind(), &rules.objects) {
            for (name, schema) in &objects.properties {
                if let Some(member) = value.field(name) {
                    let place = place.below(Step::Member(self.name(value, name)?));
                    self.check(*schema, member, &place, score)?;
                }
            }
        }
        *score += 1;
        Ok(())
    }

    /// The name of a member, as the document has it.
    fn name(&self, object: Value<'r>, name: &str) -> Checked<&'r str> {
        let Kind::Object(members) = object.kind() else {
            return Err(Failure::BUILTIN);
        };
        let at = members.binary_search_by(|member| member.key.as_str().unwrap_or_default().cmp(name));
        let member = at.ok().and_then(|at| members.get(at));
        member
            .and_then(|member| member.key.as_str())
            .ok_or(Failure::BUILTIN)
    }

    pub(super) fn problem(&mut self, what: What<'s, 'r>, place: &Place<'_, 'r>, score: &mut i64) -> Checked {
        let field = place.field(self.call.arena)?;
        self.problems.push(Problem { what, field })?;
        *score -= 2;
        Ok(())
    }

    /// Checks a schema on its own.
    pub(super) fn attempt(
        &mut self,
        id: NodeId,
        value: Value<'r>,
        place: &Place<'_, 'r>,
    ) -> Checked<Outcome> {
        let start = self.problems.items().len();
        let mut score = 0;
        self.check(id, value, place, &mut score)?;
        Ok(Outcome { start, score })
    }

    pub(super) fn is_valid(&self, outcome: Outcome) -> bool {
        self.problems.items().len() == outcome.start
    }

    /// Whether a schema fits; its problems are forgotten.
    fn fits(&mut self, id: NodeId, value: Value<'r>, place: &Place<'_, 'r>) -> Checked<bool> {
        let outcome = self.attempt(id, value, place)?;
        let fits = self.is_valid(outcome);
        self.problems.truncate(outcome.start);
        Ok(fits)
    }

    /// Checks a schema and takes over what comes of it.
    pub(super) fn merge(
        &mut self,
        id: NodeId,
        value: Value<'r>,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked<bool> {
        let outcome = self.attempt(id, value, place)?;
        *score += outcome.score;
        Ok(self.is_valid(outcome))
    }

    /// Begins with attempts of which one should fit.
    pub(super) fn tries(&self) -> Tries {
        Tries {
            start: self.problems.items().len(),
            best: None,
            fitting: 0,
        }
    }

    /// One attempt more; whether it fits. As long as none did, the problems of the best one stay.
    pub(super) fn fits_as(
        &mut self,
        tries: &mut Tries,
        id: NodeId,
        value: Value<'r>,
        place: &Place<'_, 'r>,
    ) -> Checked<bool> {
        let outcome = self.attempt(id, value, place)?;
        let fits = self.is_valid(outcome);
        if fits {
            tries.fitting += 1;
            self.problems.truncate(tries.start);
        } else if tries.fitting == 0 {
            tries.best = Some(self.keep_better(tries.start, tries.best, outcome));
        } else {
            self.problems.truncate(outcome.start);
        }
        Ok(fits)
    }

    /// The problem that none of the attempts fits, in front of those of the best one.
    pub(super) fn none_fits(
        &mut self,
        tries: &Tries,
        what: What<'s, 'r>,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        self.problem_before(tries.start, what, place, score)?;
        *score += tries.best.unwrap_or(0);
        Ok(())
    }

    /// Keeps of the tail from `start` on the better of two outcomes: the one before, and the one that was just made.
    fn keep_better(&mut self, start: usize, best: Option<i64>, outcome: Outcome) -> i64 {
        match best {
            Some(best) if outcome.score <= best => {
                self.problems.truncate(outcome.start);
                best
            }
            _ => {
                let len = self.problems.items().len();
                if outcome.start > start {
                    self.problems.items_mut().copy_within(outcome.start..len, start);
                }
                self.problems.truncate(len - (outcome.start - start));
                outcome.score
            }
        }
    }

    /// A problem in front of those that explain it.
    pub(super) fn problem_before(
        &mut self,
        start: usize,
        what: What<'s, 'r>,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        self.problem(what, place, score)?;
        if let Some(tail) = self.problems.items_mut().get_mut(start..) {
            tail.rotate_right(1);
        }
        Ok(())
    }

    fn combined(
        &mut self,
        combined: &'s Combined,
        value: Value<'r>,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        if !combined.any_of.is_empty() {
            self.any_of(&combined.any_of, value, place, score)?;
        }
        if !combined.one_of.is_empty() {
            self.one_of(&combined.one_of, value, place, score)?;
        }
        let mut all_fit = true;
        for id in &combined.all_of {
            all_fit &= self.merge(*id, value, place, score)?;
        }
        if !all_fit {
            self.problem(What::AllOf, place, score)?;
        }
        if let Some(id) = combined.not
            && self.fits(id, value, place)?
        {
            self.problem(What::Not, place, score)?;
        }
        if let Kind::Object(members) = value.kind() {
            for (name, dependency) in &combined.dependencies {
                if has(members, name) {
                    self.dependency(dependency, value, place, score)?;
                }
            }
        }
        if let Some(condition) = combined.condition {
            let (branch, what) = if self.fits(condition, value, place)? {
                (combined.then, What::Then)
            } else {
                (combined.otherwise, What::Else)
            };
            if let Some(branch) = branch {
                let outcome = self.attempt(branch, value, place)?;
                if !self.is_valid(outcome) {
                    self.problem_before(outcome.start, what, place, score)?;
                    *score += outcome.score;
                }
            }
        }
        Ok(())
    }

    fn any_of(
        &mut self,
        schemas: &'s [NodeId],
        value: Value<'r>,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        let mut tries = self.tries();
        for id in schemas {
            if self.fits_as(&mut tries, *id, value, place)? {
                return Ok(());
            }
        }
        self.none_fits(&tries, What::AnyOf, place, score)
    }

    fn one_of(
        &mut self,
        schemas: &'s [NodeId],
        value: Value<'r>,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        let mut tries = self.tries();
        for id in schemas {
            self.fits_as(&mut tries, *id, value, place)?;
        }
        match tries.fitting {
            1 => Ok(()),
            0 => self.none_fits(&tries, What::OneOf, place, score),
            _ => self.problem(What::OneOf, place, score),
        }
    }

    fn dependency(
        &mut self,
        dependency: &'s Dependency,
        value: Value<'r>,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        match dependency {
            Dependency::Members(names) => {
                for name in names {
                    if value.field(name).is_none() {
                        self.problem(What::MissingDependency(name), place, score)?;
                    }
                }
                Ok(())
            }
            Dependency::Schema(id) => self.check(*id, value, place, score),
        }
    }
}

impl Types {
    fn take(&self, given: TypeName) -> bool {
        self.names.is_empty()
            || self.names.contains(&given)
            || (given == TypeName::Integer && self.names.contains(&TypeName::Number))
    }
}

/// Whether an object has a member.
pub(super) fn has(members: Object<'_>, name: &str) -> bool {
    members
        .binary_search_by(|member| member.key.as_str().unwrap_or_default().cmp(name))
        .is_ok()
}

fn type_of(value: Value<'_>) -> TypeName {
    match value.kind() {
        Kind::Undefined | Kind::Null => TypeName::Null,
        Kind::Bool(_) => TypeName::Boolean,
        Kind::Int(_) => TypeName::Integer,
        Kind::Number(text) if is_whole(text) => TypeName::Integer,
        Kind::Number(_) => TypeName::Number,
        Kind::String(_) => TypeName::String,
        Kind::Array(_) | Kind::Set(_) => TypeName::Array,
        Kind::Object(_) => TypeName::Object,
    }
}
