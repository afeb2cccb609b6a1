//! Chains of certificates from a leaf to a root, found and checked as Go's `Certificate.Verify` does.

use super::certificate::Certificate;
use super::constraints::chain_is_within;
use super::der::{Read, Reader};
use super::hosts::is_valid_for;
use super::oid::SUBJECT_ALT_NAME;
use super::policies;
use super::public_key::PublicKey;
use crate::builtins::jwt::{Curve, Scheme};
use crate::builtins::{Call, Failure};

/// Candidates that are looked at for one leaf, so that certificates that all have the same name cost no more.
const CANDIDATES_MAX: usize = 100;

/// Fuel of one signature, about what its time is worth.
const SIGNATURE_FUEL: usize = 10_000;

/// Bit of the key usage that allows to sign certificates.
const CERTIFICATE_SIGNING: i64 = 1 << 5;

/// Number of the extended usage "any", and of "server", which is asked for where nothing else is.
const ANY_USAGE: usize = 0;
const SERVER_USAGE: usize = 1;

/// What has to hold for a leaf.
#[derive(Debug, Default)]
pub(super) struct Options<'r> {
    /// Empty: any.
    pub(super) host: &'r str,
    pub(super) now_ns: i64,
    /// Numbers of Go's list; one of them is enough.
    pub(super) usages: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Intermediate,
    Root,
}

/// The first chain from the last of the certificates to the first, if there is one; those between may be used.
pub(super) fn first_chain<'c, 'r>(
    call: &mut Call<'_, 'r>,
    certificates: &'c [Certificate<'r>],
    options: &Options<'_>,
) -> Read<Option<Vec<&'c Certificate<'r>>>> {
    let [root, intermediates @ .., leaf] = certificates else {
        return Ok(None);
    };
    if !is_valid(leaf, None, &[], options) {
        return Ok(None);
    }
    if !options.host.is_empty() {
        call.charge(leaf.raw.len())?;
        if !is_valid_for(leaf, options.host) {
            return Ok(None);
        }
    }
    // The same certificate twice counts once.
    let mut pool: Vec<&Certificate<'r>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    pool.extend(intermediates.iter().filter(|one| seen.insert(one.raw)));
    let mut search = Search {
        root,
        intermediates: pool,
        options,
        candidates: 0,
        chains: Vec::new(),
    };
    if leaf.raw == root.raw {
        search.chains.push(vec![leaf]);
    } else {
        search.extend(call, &[leaf])?;
    }
    let usages = match options.usages.as_slice() {
        [] => &[SERVER_USAGE],
        usages => usages,
    };
    for chain in search.chains {
        call.charge(chain.iter().map(|one| one.raw.len()).sum())?;
        let is_fine = policies::are_valid(&chain)
            && (usages.contains(&ANY_USAGE) || chain_allows(&chain, usages))
            && chain_is_within(call, &chain)?;
        if is_fine {
            return Ok(Some(chain));
        }
    }
    Ok(None)
}

/// The search for chains, depth first.
struct Search<'c, 'r, 'o> {
    root: &'c Certificate<'r>,
    intermediates: Vec<&'c Certificate<'r>>,
    options: &'o Options<'o>,
    /// How many were looked at.
    candidates: usize,
    chains: Vec<Vec<&'c Certificate<'r>>>,
}

impl<'c, 'r> Search<'c, 'r, '_> {
    /// All chains that begin with the given one.
    fn extend(&mut self, call: &mut Call<'_, 'r>, chain: &[&'c Certificate<'r>]) -> Read<()> {
        let Some(child) = chain.last() else {
            return Ok(());
        };
        call.charge(1 + self.intermediates.len())?;
        let roots = possible_parents(child, &[self.root]);
        let intermediates = possible_parents(child, &self.intermediates);
        let candidates = roots
            .into_iter()
            .map(|root| (Place::Root, root))
            .chain(intermediates.into_iter().map(|one| (Place::Intermediate, one)));
        for (place, candidate) in candidates {
            self.candidates += 1;
            if self.candidates > CANDIDATES_MAX {
                return Ok(());
            }
            if is_in_chain(candidate, chain)
                || !is_signed_by(call, child, candidate)?
                || !is_valid(candidate, Some(place), chain, self.options)
            {
                continue;
            }
            let mut longer = chain.to_vec();
            longer.push(candidate);
            match place {
                Place::Root => self.chains.push(longer),
                Place::Intermediate => self.extend(call, &longer)?,
            }
        }
        Ok(())
    }
}

/// The certificates whose subject is the issuer, those with the right key identifier first.
fn possible_parents<'c, 'r>(
    child: &Certificate<'r>,
    pool: &[&'c Certificate<'r>],
) -> Vec<&'c Certificate<'r>> {
    let wanted = child.extensions.authority_key_id.unwrap_or_default();
    let rank = |one: &&Certificate<'_>| match one.extensions.subject_key_id.unwrap_or_default() {
        own if own == wanted => 0,
        own if own.is_empty() != wanted.is_empty() => 1,
        _ => 2,
    };
    let mut parents: Vec<_> = pool
        .iter()
        .copied()
        .filter(|one| one.raw_subject == child.raw_issuer)
        .collect();
    parents.sort_by_key(rank);
    parents
}

/// Whether the same subject with the same key and the same names is in a chain already.
fn is_in_chain(candidate: &Certificate<'_>, chain: &[&Certificate<'_>]) -> bool {
    let names = candidate.extension(SUBJECT_ALT_NAME);
    let mut same = chain
        .iter()
        .filter(|one| one.raw_subject == candidate.raw_subject && one.raw_key == candidate.raw_key)
        .map(|one| one.extension(SUBJECT_ALT_NAME));
    // One that has names where the other has none ends the search, as in Go.
    same.find(|own| own.is_none() || names.is_none() || *own == names)
        .is_some_and(|own| own == names)
}

/// Whether a certificate is in force, and may stand above the given chain.
fn is_valid(
    certificate: &Certificate<'_>,
    place: Option<Place>,
    chain: &[&Certificate<'_>],
    options: &Options<'_>,
) -> bool {
    let known = &certificate.extensions;
    let now = i128::from(options.now_ns);
    if !known.unhandled_critical.is_empty()
        || now < certificate.not_before.ns()
        || now > certificate.not_after.ns()
    {
        return false;
    }
    if place == Some(Place::Intermediate) && !(known.has_basic_constraints && known.is_ca) {
        return false;
    }
    // The leaf is not among the certificates that are counted.
    let between = chain.len() as i64 - 1;
    !(known.has_basic_constraints && known.path_len_max >= 0 && between > known.path_len_max)
}

/// Whether a parent may sign certificates and has signed this one.
fn is_signed_by(call: &mut Call<'_, '_>, child: &Certificate<'_>, parent: &Certificate<'_>) -> Read<bool> {
    let known = &parent.extensions;
    let may_sign = match known.has_basic_constraints {
        true => known.is_ca,
        false => parent.version != 3,
    };
    let usage_allows = known.key_usage == 0 || known.key_usage & CERTIFICATE_SIGNING != 0;
    let Some(scheme) = child.signature_algorithm.scheme() else {
        return Ok(false);
    };
    if !may_sign || !usage_allows {
        return Ok(false);
    }
    call.charge(SIGNATURE_FUEL + child.raw_signed.len())?;
    let key = parent.key.verifier()?;
    Ok(match (scheme, &parent.key) {
        (Scheme::Ecdsa(_), PublicKey::Ecdsa { curve, .. }) => match both_halves(child.signature, *curve) {
            Ok(signature) => key.verifies(scheme, child.raw_signed, &signature, true),
            Err(_) => false,
        },
        (Scheme::Ecdsa(_), _) => false,
        _ => key.verifies(scheme, child.raw_signed, child.signature, false),
    })
}

/// The two numbers of a signature on a curve, each as long as the field.
fn both_halves(signature: &[u8], curve: Curve) -> Read<Vec<u8>> {
    let mut reader = Reader::new(signature);
    let mut numbers = reader.sequence()?;
    reader.end()?;
    let mut halves = Vec::new();
    for _ in 0..2 {
        let digits = numbers.positive()?;
        let missing = curve
            .field_bytes()
            .checked_sub(digits.len())
            .ok_or(Failure::BUILTIN)?;
        halves.extend(std::iter::repeat_n(0, missing));
        halves.extend(digits);
    }
    numbers.end()?;
    Ok(halves)
}

/// Whether a usage is left that every certificate allows. One that names none allows all.
fn chain_allows(chain: &[&Certificate<'_>], usages: &[usize]) -> bool {
    let mut left = usages.to_vec();
    for certificate in chain.iter().rev() {
        let known = &certificate.extensions;
        let names_none = known.extended_usages.is_empty() && known.unknown_usages.is_empty();
        if !names_none && !known.extended_usages.contains(&ANY_USAGE) {
            left.retain(|usage| known.extended_usages.contains(usage));
        }
    }
    !left.is_empty()
}
