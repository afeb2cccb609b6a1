//! The keywords for values of one type, and those that look at the value itself.

use super::problem::{Place, Step, What};
use super::schema::{
    Arrays, Bound, Choices, Common, Items, NodeId, Numbers, Objects, PatternId, Rest, Searcher, Strings,
};
use super::validate::{Checked, Validator, has};
use super::values::write_normal;
use crate::arena::Arena;
use crate::builtins::call::charge;
use crate::number::{compare_exactly, is_multiple};
use crate::value::{Kind, Object, Value, with_int_text};
use std::cmp::Ordering;

impl<'s, 'r> Validator<'s, '_, '_, 'r> {
    pub(super) fn common(
        &mut self,
        common: &'s Common,
        value: Value<'r>,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        if common.constant.is_some() || common.choices.is_some() {
            let mut text = std::mem::take(&mut self.call.caches.scratch);
            text.clear();
            let written = write_normal(&mut text, value);
            let is = |allowed: &str| allowed.as_bytes() == text.as_slice();
            let wrong_constant = common.constant.as_deref().filter(|allowed| !is(allowed));
            let taken = |choices: &&'s Choices| !choices.texts.iter().any(|choice| is(choice));
            let wrong_choice = common.choices.as_ref().filter(taken);
            let steps = text.len() / 8 + common.choices.as_ref().map_or(0, |choices| choices.texts.len());
            self.call.caches.scratch = text;
            written?;
            self.call.charge(steps)?;
            if let Some(allowed) = wrong_constant {
                self.problem(What::Const(allowed), place, score)?;
            }
            if let Some(choices) = wrong_choice {
                self.problem(What::Enum(&choices.shown), place, score)?;
            }
        }
        if let Some((format, name)) = &common.format
            && let Kind::String(text) = value.kind()
            && !format.fits(self.call, text)?
        {
            self.problem(What::Format(name), place, score)?;
        }
        Ok(())
    }

    pub(super) fn number(
        &mut self,
        numbers: &'s Numbers,
        value: Value<'r>,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        if let Some(unit) = &numbers.multiple_of {
            let fuel = &mut *self.call.fuel;
            let divides = |text: &str| is_multiple(text, &unit.text, |steps| charge(fuel, steps));
            if !with_text(value, divides)? {
                self.problem(What::MultipleOf(&unit.shown), place, score)?;
            }
        }
        let at = (value, place);
        self.limit(&numbers.maximum, Ordering::is_gt, What::AboveMaximum, at, score)?;
        self.limit(
            &numbers.exclusive_maximum,
            Ordering::is_ge,
            What::NotBelow,
            at,
            score,
        )?;
        self.limit(&numbers.minimum, Ordering::is_lt, What::BelowMinimum, at, score)?;
        self.limit(
            &numbers.exclusive_minimum,
            Ordering::is_le,
            What::NotAbove,
            at,
            score,
        )
    }

    /// One limit: `is_wrong` says of the number's order to it whether it is broken.
    fn limit(
        &mut self,
        bound: &'s Option<Bound>,
        is_wrong: fn(Ordering) -> bool,
        what: fn(&'s str) -> What<'s, 'r>,
        (value, place): (Value<'r>, &Place<'_, 'r>),
        score: &mut i64,
    ) -> Checked {
        if let Some(bound) = bound
            && is_wrong(with_text(value, |text| compare_exactly(text, &bound.text))?)
        {
            self.problem(what(&bound.shown), place, score)?;
        }
        Ok(())
    }

    pub(super) fn string(
        &mut self,
        strings: &'s Strings,
        text: &'r str,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        self.call.charge(text.len() / 4)?;
        if strings.min_length.is_some() || strings.max_length.is_some() {
            let length = text.chars().count() as i64;
            if let Some(min) = strings.min_length.filter(|min| length < *min) {
                self.problem(What::MinLength(min), place, score)?;
            }
            if let Some(max) = strings.max_length.filter(|max| length > *max) {
                self.problem(What::MaxLength(max), place, score)?;
            }
        }
        if let Some((pattern, shown)) = &strings.pattern
            && !self.matches(*pattern, text)
        {
            self.problem(What::Pattern(shown), place, score)?;
        }
        Ok(())
    }

    fn matches(&mut self, pattern: PatternId, text: &str) -> bool {
        let searcher = self.patterns.get_mut(pattern.0 as usize);
        searcher.is_some_and(|Searcher { pattern, cache }| pattern.is_match(cache, text))
    }

    pub(super) fn array(
        &mut self,
        arrays: &'s Arrays,
        items: &'r [Value<'r>],
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        match &arrays.items {
            Items::Each(id) => self.items(*id, items, 0, place, score)?,
            Items::First(first) => {
                for (at, (id, item)) in first.iter().zip(items).enumerate() {
                    self.merge(*id, *item, &place.below(Step::Item(at)), score)?;
                }
                if !first.is_empty() && first.len() < items.len() {
                    match arrays.additional {
                        Rest::Unsaid | Rest::Allowed(true) => {}
                        Rest::Allowed(false) => self.problem(What::AdditionalItems, place, score)?,
                        Rest::Schema(id) => self.items(id, items, first.len(), place, score)?,
                    }
                }
            }
        }
        let count = items.len() as i64;
        if let Some(min) = arrays.min_items.filter(|min| count < *min) {
            self.problem(What::MinItems(min), place, score)?;
        }
        if let Some(max) = arrays.max_items.filter(|max| count > *max) {
            self.problem(What::MaxItems(max), place, score)?;
        }
        if arrays.unique {
            self.unique(items, place, score)?;
        }
        if let Some(id) = arrays.contains {
            self.contains(id, items, place, score)?;
        }
        Ok(())
    }

    /// Checks the items from one on.
    fn items(
        &mut self,
        id: NodeId,
        items: &'r [Value<'r>],
        from: usize,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        for (at, item) in items.iter().enumerate().skip(from) {
            self.merge(id, *item, &place.below(Step::Item(at)), score)?;
        }
        Ok(())
    }

    /// Tells each item that is equal to one before it, together with the last such one.
    fn unique(&mut self, items: &'r [Value<'r>], place: &Place<'_, 'r>, score: &mut i64) -> Checked {
        let mut texts = std::mem::take(&mut self.call.caches.scratch);
        texts.clear();
        let twins = self.twins(items, &mut texts);
        self.call.caches.scratch = texts;
        for (at, twin) in twins?.iter().enumerate() {
            if let Some(twin) = twin {
                self.problem(What::Unique(*twin, at), place, score)?;
            }
        }
        Ok(())
    }

    /// For each item the last equal one before it.
    fn twins(&mut self, items: &'r [Value<'r>], texts: &mut Vec<u8>) -> Checked<&'r [Option<usize>]> {
        let arena: &'r Arena = self.call.arena;
        let spans = arena.filled(items.len(), (0, 0, 0))?;
        for (at, (item, span)) in items.iter().zip(spans.iter_mut()).enumerate() {
            let start = texts.len();
            write_normal(texts, *item)?;
            *span = (start, texts.len(), at);
            self.call.charge(1 + (texts.len() - start) / 8)?;
        }
        let text = |span: &(usize, usize, usize)| texts.get(span.0..span.1).unwrap_or_default();
        spans.sort_unstable_by(|a, b| text(a).cmp(text(b)).then(a.2.cmp(&b.2)));
        let twins = arena.filled(items.len(), None)?;
        for (one, next) in spans.iter().zip(spans.iter().skip(1)) {
            if text(one) == text(next)
                && let Some(twin) = twins.get_mut(next.2)
            {
                *twin = Some(one.2);
            }
        }
        Ok(twins)
    }

    fn contains(
        &mut self,
        id: NodeId,
        items: &'r [Value<'r>],
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        let mut tries = self.tries();
        for (at, item) in items.iter().enumerate() {
            if self.fits_as(&mut tries, id, *item, &place.below(Step::Item(at)))? {
                return Ok(());
            }
        }
        self.none_fits(&tries, What::Contains, place, score)
    }

    pub(super) fn object(
        &mut self,
        objects: &'s Objects,
        members: Object<'r>,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        let count = members.len() as i64;
        if let Some(min) = objects.min_properties.filter(|min| count < *min) {
            self.problem(What::MinProperties(min), place, score)?;
        }
        if let Some(max) = objects.max_properties.filter(|max| count > *max) {
            self.problem(What::MaxProperties(max), place, score)?;
        }
        for name in &objects.required {
            match has(members, name) {
                true => *score += 1,
                false => self.problem(What::Required(name), place, score)?,
            }
        }
        self.other_members(objects, members, place, score)?;
        if let Some(id) = objects.names {
            for member in members {
                let outcome = self.attempt(id, member.key, place)?;
                if !self.is_valid(outcome) {
                    let name = member.key.as_str().unwrap_or_default();
                    self.problem_before(outcome.start, What::PropertyName(name), place, score)?;
                    *score += outcome.score;
                }
            }
        }
        Ok(())
    }

    /// Members by the pattern of their names, and those that no keyword names.
    fn other_members(
        &mut self,
        objects: &'s Objects,
        members: Object<'r>,
        place: &Place<'_, 'r>,
        score: &mut i64,
    ) -> Checked {
        if objects.patterns.is_empty() && matches!(objects.additional, Rest::Unsaid | Rest::Allowed(true)) {
            return Ok(());
        }
        for member in members {
            let name = member.key.as_str().unwrap_or_default();
            self.call
                .charge(1 + objects.patterns.len() * (1 + name.len() / 4))?;
            let place_within = place.below(Step::Member(name));
            let mut is_named = objects
                .properties
                .binary_search_by(|(property, _)| (**property).cmp(name))
                .is_ok();
            let mut fits_pattern = false;
            for (pattern, id) in &objects.patterns {
                if self.matches(*pattern, name) {
                    fits_pattern = true;
                    self.merge(*id, member.value, &place_within, score)?;
                }
            }
            *score += i64::from(fits_pattern);
            is_named |= fits_pattern;
            match objects.additional {
                Rest::Allowed(false) if !is_named => {
                    self.problem(What::AdditionalProperty(name), place, score)?;
                }
                Rest::Schema(id) if !is_named => {
                    self.merge(id, member.value, &place_within, score)?;
                }
                Rest::Unsaid | Rest::Allowed(_) | Rest::Schema(_) => {}
            }
        }
        Ok(())
    }
}

fn with_text<T>(number: Value<'_>, use_text: impl FnOnce(&str) -> T) -> T {
    match number.kind() {
        Kind::Int(int) => with_int_text(int, use_text),
        Kind::Number(text) => use_text(text),
        _ => use_text("0"),
    }
}
