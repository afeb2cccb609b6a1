//! What the extensions of a certificate say.

use super::certificate::Extension;
use super::constraints::Subtrees;
use super::der::{INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Read, Reader, constructed, context, int_of};
use super::names::AlternativeNames;
use super::oid::{self, Oid};
use crate::arena::Arena;
use crate::builtins::Failure;
use std::collections::HashSet;

/// The extensions that Go knows. Lists are empty and numbers 0 where a certificate says nothing.
#[derive(Debug, Default)]
pub(super) struct Extensions<'r> {
    /// A bit for each usage, the first being the lowest.
    pub(super) key_usage: i64,
    /// Whether there are basic constraints.
    pub(super) has_basic_constraints: bool,
    pub(super) is_ca: bool,
    /// -1: no limit is said.
    pub(super) path_len_max: i64,
    pub(super) names: AlternativeNames<'r>,
    pub(super) permitted: Subtrees<'r>,
    pub(super) excluded: Subtrees<'r>,
    pub(super) constraints_are_critical: bool,
    pub(super) revocation_lists: Vec<&'r [u8]>,
    pub(super) authority_key_id: Option<&'r [u8]>,
    pub(super) subject_key_id: Option<&'r [u8]>,
    pub(super) require_explicit_policy: Option<i64>,
    pub(super) inhibit_policy_mapping: Option<i64>,
    pub(super) inhibit_any_policy: Option<i64>,
    /// Numbers of Go's list of extended usages.
    pub(super) extended_usages: Vec<usize>,
    pub(super) unknown_usages: Vec<Oid<'r>>,
    /// `None`: there is no such extension.
    pub(super) policies: Option<Vec<Oid<'r>>>,
    /// Policies of the issuer's domain and those of the subject's that mean the same.
    pub(super) policy_mappings: Vec<(Oid<'r>, Oid<'r>)>,
    pub(super) ocsp_servers: Vec<&'r [u8]>,
    pub(super) issuer_urls: Vec<&'r [u8]>,
    pub(super) unhandled_critical: Vec<Oid<'r>>,
}

impl<'r> Extensions<'r> {
    pub(super) fn read(arena: &'r Arena, extensions: &[Extension<'r>]) -> Read<Extensions<'r>> {
        let mut known = Extensions::default();
        for extension in extensions {
            let is_handled = known.read_one(arena, extension)?;
            if extension.is_critical && !is_handled {
                known.unhandled_critical.push(extension.oid);
            }
        }
        Ok(known)
    }

    /// Whether all that the extension says is known.
    fn read_one(&mut self, arena: &'r Arena, extension: &Extension<'r>) -> Read<bool> {
        let mut value = Reader::new(extension.value);
        if extension.oid == oid::AUTHORITY_INFO_ACCESS {
            never_critical(extension)?;
            self.read_info_access(value.sequence()?)?;
            return Ok(true);
        }
        match extension.oid.standard_extension() {
            Some(14) => {
                never_critical(extension)?;
                self.subject_key_id = Some(value.content(OCTET_STRING)?);
            }
            Some(15) => {
                let bits = value.bits()?;
                self.key_usage = (0..9).map(|bit| i64::from(bits.has(bit)) << bit).sum();
            }
            Some(17) => {
                self.names = AlternativeNames::read(arena, value)?;
                return Ok(!self.names.is_empty());
            }
            Some(19) => self.read_basic_constraints(value.sequence()?)?,
            Some(30) => return self.read_name_constraints(value, extension.is_critical),
            Some(31) => self.read_revocation_lists(value.sequence()?)?,
            Some(32) => self.policies = Some(policies(value.sequence()?)?),
            Some(33) => self.read_policy_mappings(value.sequence()?)?,
            Some(35) => {
                never_critical(extension)?;
                self.authority_key_id = value.sequence()?.optional(context(0))?;
            }
            Some(36) => self.read_policy_constraints(value.sequence()?)?,
            Some(37) => self.read_extended_usages(value.sequence()?)?,
            Some(54) => self.inhibit_any_policy = Some(value.int()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn read_basic_constraints(&mut self, mut fields: Reader<'r>) -> Read<()> {
        self.has_basic_constraints = true;
        self.is_ca = fields.optional_boolean()?;
        self.path_len_max = -1;
        if fields.is_next(INTEGER) {
            self.path_len_max = fields.int()?;
            if self.path_len_max < 0 {
                return Err(Failure::BUILTIN);
            }
        }
        Ok(())
    }

    fn read_name_constraints(&mut self, mut value: Reader<'r>, is_critical: bool) -> Read<bool> {
        let mut fields = value.sequence()?;
        value.end()?;
        let permitted = fields.optional(constructed(0))?.unwrap_or_default();
        let excluded = fields.optional(constructed(1))?.unwrap_or_default();
        fields.end()?;
        if permitted.is_empty() && excluded.is_empty() {
            return Err(Failure::BUILTIN);
        }
        let (permitted, all_permitted) = Subtrees::read(Reader::new(permitted))?;
        let (excluded, all_excluded) = Subtrees::read(Reader::new(excluded))?;
        (self.permitted, self.excluded) = (permitted, excluded);
        self.constraints_are_critical = is_critical;
        Ok(all_permitted && all_excluded)
    }

    fn read_revocation_lists(&mut self, mut points: Reader<'r>) -> Read<()> {
        while !points.is_empty() {
            let mut point = points.sequence()?;
            let Some(name) = point.optional(constructed(0))? else {
                continue;
            };
            let mut uris = Reader::new(name).inside(constructed(0))?;
            while let Some(uri) = uris.optional(context(6))? {
                self.revocation_lists.push(uri);
            }
        }
        Ok(())
    }

    fn read_policy_constraints(&mut self, mut fields: Reader<'r>) -> Read<()> {
        if fields.is_next(context(0)) {
            self.require_explicit_policy = Some(int_of(fields.integer_tagged(context(0))?)?);
        }
        if fields.is_next(context(1)) {
            self.inhibit_policy_mapping = Some(int_of(fields.integer_tagged(context(1))?)?);
        }
        Ok(())
    }

    fn read_extended_usages(&mut self, mut usages: Reader<'r>) -> Read<()> {
        while !usages.is_empty() {
            let usage = usages.oid()?;
            match oid::KEY_USAGES.iter().position(|known| *known == usage) {
                Some(number) => self.extended_usages.push(number),
                None => self.unknown_usages.push(usage),
            }
        }
        Ok(())
    }

    fn read_policy_mappings(&mut self, mut mappings: Reader<'r>) -> Read<()> {
        while !mappings.is_empty() {
            let mut mapping = mappings.sequence()?;
            let issuer = Oid(mapping.content(OBJECT_IDENTIFIER)?);
            let subject = Oid(mapping.content(OBJECT_IDENTIFIER)?);
            self.policy_mappings.push((issuer, subject));
        }
        Ok(())
    }

    fn read_info_access(&mut self, mut methods: Reader<'r>) -> Read<()> {
        while !methods.is_empty() {
            let mut method = methods.sequence()?;
            let kind = method.oid()?;
            let Some(uri) = method.optional(context(6))? else {
                continue;
            };
            match kind {
                oid::OCSP => self.ocsp_servers.push(uri),
                oid::CA_ISSUERS => self.issuer_urls.push(uri),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Some extensions must not be critical.
fn never_critical(extension: &Extension<'_>) -> Read<()> {
    if extension.is_critical {
        Err(Failure::BUILTIN)
    } else {
        Ok(())
    }
}

/// Policies, of which none may come twice.
fn policies(mut list: Reader<'_>) -> Read<Vec<Oid<'_>>> {
    let (mut policies, mut seen) = (Vec::new(), HashSet::new());
    while !list.is_empty() {
        let policy = Oid(list.sequence()?.content(OBJECT_IDENTIFIER)?);
        if !policy.is_well_formed() || !seen.insert(policy) {
            return Err(Failure::BUILTIN);
        }
        policies.push(policy);
    }
    Ok(policies)
}
