//! Certificates, requests and keys as documents, with the fields of Go's structures.

use super::certificate::{Certificate, Extension};
use super::constraints::Subtrees;
use super::der::Read;
use super::json::Maker;
use super::name::{Attribute, AttributeValue};
use super::names::AlternativeNames;
use super::oid::Oid;
use super::other::any;
use super::public_key::PublicKey;
use super::request::Request;
use crate::builtins::Failure;
use crate::builtins::uri::Parts;
use crate::value::{Entry, Kind, Value, object_from};
use std::net::{Ipv4Addr, Ipv6Addr};

impl<'r> Maker<'_, 'r> {
    /// All fields of a certificate; OPA adds the URIs as texts in most places.
    pub(super) fn certificate(
        &mut self,
        certificate: &Certificate<'r>,
        with_uri_texts: bool,
    ) -> Read<Value<'r>> {
        let texts = match with_uri_texts {
            true => self.uri_texts(&certificate.extensions.names.uris)?,
            false => Value::object(&[]),
        };
        let parts = [
            self.certificate_itself(certificate)?,
            self.extensions_itself(certificate)?,
            self.constraints(certificate)?,
            self.policy_limits(certificate)?,
            self.alternative_names(&certificate.extensions.names)?,
            texts,
        ];
        self.joined(&parts)
    }

    /// One object of the fields of several.
    fn joined(&self, parts: &[Value<'r>]) -> Read<Value<'r>> {
        let mut entries: Vec<Entry<'r>> = Vec::new();
        for part in parts {
            if let Kind::Object(fields) = part.kind() {
                entries.extend(fields);
            }
        }
        Ok(object_from(self.arena, self.arena.entries_mut(&entries)?)?)
    }

    fn certificate_itself(&mut self, certificate: &Certificate<'r>) -> Read<Value<'r>> {
        let algorithm = certificate.signature_algorithm.0;
        let fields = [
            ("Raw", self.bytes(certificate.raw)?),
            ("RawTBSCertificate", self.bytes(certificate.raw_signed)?),
            ("RawSubjectPublicKeyInfo", self.bytes(certificate.raw_key)?),
            ("RawSubject", self.bytes(certificate.raw_subject)?),
            ("RawIssuer", self.bytes(certificate.raw_issuer)?),
            ("Signature", self.bytes(certificate.signature)?),
            ("SignatureAlgorithm", Value::int(algorithm)),
            ("PublicKeyAlgorithm", Value::int(certificate.key.algorithm())),
            ("PublicKey", self.public_key(&certificate.key)?),
            ("Version", Value::int(certificate.version)),
            ("SerialNumber", self.number(certificate.serial)?),
            ("Issuer", self.name(&certificate.issuer)?),
            ("Subject", self.name(&certificate.subject)?),
            ("NotBefore", self.owned_text(&certificate.not_before.text())?),
            ("NotAfter", self.owned_text(&certificate.not_after.text())?),
            ("Extensions", self.extensions(&certificate.raw_extensions)?),
            ("ExtraExtensions", Value::NULL),
        ];
        self.object(fields)
    }

    fn extensions_itself(&mut self, certificate: &Certificate<'r>) -> Read<Value<'r>> {
        let known = &certificate.extensions;
        let id = |make: &mut Self, id: Option<&[u8]>| match id {
            Some(id) => make.bytes(id),
            None => Ok(Value::NULL),
        };
        let has_path_len = known.has_basic_constraints && known.path_len_max == 0;
        let texts = |make: &mut Self, texts: &[&'r [u8]]| {
            make.list(texts.iter().copied(), |make, text| make.text(text))
        };
        let fields = [
            ("KeyUsage", Value::int(known.key_usage)),
            (
                "UnhandledCriticalExtensions",
                self.list(known.unhandled_critical.iter(), |make, oid| make.oid(*oid))?,
            ),
            (
                "ExtKeyUsage",
                self.list(known.extended_usages.iter(), |_, usage| {
                    Ok(Value::int(*usage as i64))
                })?,
            ),
            (
                "UnknownExtKeyUsage",
                self.list(known.unknown_usages.iter(), |make, oid| make.oid(*oid))?,
            ),
            ("BasicConstraintsValid", Value::bool(known.has_basic_constraints)),
            ("IsCA", Value::bool(known.is_ca)),
            ("MaxPathLen", Value::int(known.path_len_max)),
            ("MaxPathLenZero", Value::bool(has_path_len)),
            ("SubjectKeyId", id(self, known.subject_key_id)?),
            ("AuthorityKeyId", id(self, known.authority_key_id)?),
            ("OCSPServer", texts(self, &known.ocsp_servers)?),
            ("IssuingCertificateURL", texts(self, &known.issuer_urls)?),
            ("CRLDistributionPoints", texts(self, &known.revocation_lists)?),
        ];
        self.object(fields)
    }

    fn constraints(&mut self, certificate: &Certificate<'r>) -> Read<Value<'r>> {
        let known = &certificate.extensions;
        let (permitted, excluded) = (&known.permitted, &known.excluded);
        let critical = Value::bool(known.constraints_are_critical);
        let fields = [
            ("PermittedDNSDomainsCritical", critical),
            ("PermittedDNSDomains", self.texts(&permitted.domains)?),
            ("ExcludedDNSDomains", self.texts(&excluded.domains)?),
            ("PermittedIPRanges", self.networks(permitted)?),
            ("ExcludedIPRanges", self.networks(excluded)?),
            ("PermittedEmailAddresses", self.texts(&permitted.emails)?),
            ("ExcludedEmailAddresses", self.texts(&excluded.emails)?),
            ("PermittedURIDomains", self.texts(&permitted.uri_domains)?),
            ("ExcludedURIDomains", self.texts(&excluded.uri_domains)?),
        ];
        self.object(fields)
    }

    fn policy_limits(&mut self, certificate: &Certificate<'r>) -> Read<Value<'r>> {
        let known = &certificate.extensions;
        let number = |limit: Option<i64>| Value::int(limit.unwrap_or(0));
        let is_zero = |limit: Option<i64>| Value::bool(limit == Some(0));
        // Identifiers with parts beyond 31 bits are shown as texts only.
        let (identifiers, policies) = match &known.policies {
            None => (Value::NULL, Value::NULL),
            Some(policies) => {
                let small = policies.iter().filter(|oid| oid.parts().is_some());
                let identifiers = never_null(self.list(small, |make, oid| make.oid(*oid))?);
                (identifiers, self.list(policies, |make, oid| make.oid_text(*oid))?)
            }
        };
        let mappings = self.list(known.policy_mappings.iter(), |make, (issuer, subject)| {
            let fields = [
                ("IssuerDomainPolicy", make.oid_text(*issuer)?),
                ("SubjectDomainPolicy", make.oid_text(*subject)?),
            ];
            make.object(fields)
        })?;
        self.object([
            ("PolicyIdentifiers", identifiers),
            ("Policies", policies),
            ("PolicyMappings", mappings),
            ("InhibitAnyPolicy", number(known.inhibit_any_policy)),
            ("InhibitAnyPolicyZero", is_zero(known.inhibit_any_policy)),
            ("InhibitPolicyMapping", number(known.inhibit_policy_mapping)),
            ("InhibitPolicyMappingZero", is_zero(known.inhibit_policy_mapping)),
            ("RequireExplicitPolicy", number(known.require_explicit_policy)),
            (
                "RequireExplicitPolicyZero",
                is_zero(known.require_explicit_policy),
            ),
        ])
    }

    fn alternative_names(&mut self, names: &AlternativeNames<'r>) -> Read<Value<'r>> {
        let fields = [
            ("DNSNames", self.texts(&names.domains)?),
            ("EmailAddresses", self.texts(&names.emails)?),
            (
                "IPAddresses",
                self.list(names.addresses.iter(), |make, address| {
                    make.owned_text(&address_text(address))
                })?,
            ),
            ("URIs", self.list(names.uris.iter(), |make, uri| make.uri(uri))?),
        ];
        self.object(fields)
    }

    fn uri_texts(&mut self, uris: &[Parts]) -> Read<Value<'r>> {
        let texts = self.list(uris.iter(), |make, uri| make.owned_text(&uri.text()))?;
        self.object([("URIStrings", texts)])
    }

    fn texts(&mut self, texts: &[&'r str]) -> Read<Value<'r>> {
        self.list(texts.iter(), |make, text| make.text(text.as_bytes()))
    }

    fn networks(&mut self, subtrees: &Subtrees<'r>) -> Read<Value<'r>> {
        self.list(subtrees.networks.iter(), |make, (address, mask)| {
            let fields = [
                ("IP", make.owned_text(&address_text(address))?),
                ("Mask", make.bytes(mask)?),
            ];
            make.object(fields)
        })
    }

    fn extensions(&mut self, extensions: &[Extension<'r>]) -> Read<Value<'r>> {
        self.list(extensions.iter(), |make, extension| {
            let fields = [
                ("Id", make.oid(extension.oid)?),
                ("Critical", Value::bool(extension.is_critical)),
                ("Value", make.bytes(extension.value)?),
            ];
            make.object(fields)
        })
    }

    /// A name: the usual attributes by field, and all of them in their order.
    fn name(&mut self, attributes: &[Attribute<'r>]) -> Read<Value<'r>> {
        let texts = |number: u8| {
            attributes
                .iter()
                .filter_map(move |attribute| match attribute.value {
                    _ if attribute.kind.standard_attribute() != Some(number) => None,
                    AttributeValue::Text(text) => Some(text),
                    AttributeValue::Other(_) => None,
                })
        };
        let list =
            |make: &mut Self, number: u8| make.list(texts(number), |make, text| make.text(text.as_bytes()));
        let last =
            |make: &Self, number: u8| make.text(texts(number).next_back().unwrap_or_default().as_bytes());
        let fields = [
            ("Country", list(self, 6)?),
            ("Organization", list(self, 10)?),
            ("OrganizationalUnit", list(self, 11)?),
            ("Locality", list(self, 7)?),
            ("Province", list(self, 8)?),
            ("StreetAddress", list(self, 9)?),
            ("PostalCode", list(self, 17)?),
            ("SerialNumber", last(self, 5)?),
            ("CommonName", last(self, 3)?),
            (
                "Names",
                self.list(attributes.iter(), |make, attribute| make.attribute(attribute))?,
            ),
            ("ExtraNames", Value::NULL),
        ];
        self.object(fields)
    }

    fn attribute(&mut self, attribute: &Attribute<'r>) -> Read<Value<'r>> {
        let value = match attribute.value {
            AttributeValue::Text(text) => self.text(text.as_bytes())?,
            AttributeValue::Other(element) => any(self, element)?,
        };
        self.object([("Type", self.oid(attribute.kind)?), ("Value", value)])
    }

    pub(super) fn public_key(&mut self, key: &PublicKey<'r>) -> Read<Value<'r>> {
        match *key {
            PublicKey::Rsa { modulus, exponent } => {
                let fields = [("N", self.number(modulus)?), ("E", Value::int(exponent))];
                self.object(fields)
            }
            PublicKey::Ecdsa { point, .. } => {
                let coordinates = point.get(1..).unwrap_or_default();
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                let fields = [
                    ("Curve", Value::object(&[])),
                    ("X", self.number(x)?),
                    ("Y", self.number(y)?),
                ];
                self.object(fields)
            }
            PublicKey::Ed25519(bytes) => self.bytes(bytes),
            PublicKey::Dsa { p, q, g, y } => {
                let fields = [
                    ("P", self.number(p)?),
                    ("Q", self.number(q)?),
                    ("G", self.number(g)?),
                    ("Y", self.number(y)?),
                ];
                self.object(fields)
            }
            PublicKey::X25519 | PublicKey::Unknown => Ok(Value::NULL),
        }
    }

    fn request_attribute(&mut self, kind: Oid<'r>, sets: &[Vec<Attribute<'r>>]) -> Read<Value<'r>> {
        let values = self.list(sets, |make, set| {
            let list = make.list(set, |make, attribute| make.attribute(attribute))?;
            Ok(never_null(list))
        })?;
        let fields = [("Type", self.oid(kind)?), ("Value", never_null(values))];
        self.object(fields)
    }

    /// All fields of a certificate request.
    pub(super) fn request(&mut self, request: &Request<'r>) -> Read<Value<'r>> {
        let mut attributes = Vec::new();
        for (kind, sets) in &request.attributes {
            match self.request_attribute(*kind, sets) {
                Ok(attribute) => attributes.push(attribute),
                // Go leaves out what it cannot read.
                Err(Failure::Error(_)) => {}
                Err(abort) => return Err(abort),
            }
        }
        let attributes = self.list(attributes, |_, attribute| Ok(attribute))?;
        let fields = [
            ("Raw", self.bytes(request.raw)?),
            ("RawTBSCertificateRequest", self.bytes(request.raw_signed)?),
            ("RawSubjectPublicKeyInfo", self.bytes(request.raw_key)?),
            ("RawSubject", self.bytes(request.raw_subject)?),
            ("Version", Value::int(request.version)),
            ("Signature", self.bytes(request.signature)?),
            ("SignatureAlgorithm", Value::int(request.signature_algorithm.0)),
            ("PublicKeyAlgorithm", Value::int(request.key.algorithm())),
            ("PublicKey", self.public_key(&request.key)?),
            ("Subject", self.name(&request.subject)?),
            ("Attributes", attributes),
            ("Extensions", self.extensions(&request.extensions)?),
            ("ExtraExtensions", Value::NULL),
        ];
        let parts = [self.object(fields)?, self.alternative_names(&request.names)?];
        self.joined(&parts)
    }
}

/// The empty list where Go has made one.
pub(super) fn never_null(list: Value<'_>) -> Value<'_> {
    match list.kind() {
        Kind::Null => Value::array(&[]),
        _ => list,
    }
}

/// An address as Go writes it: one that stands for an address of four bytes is shown as that.
fn address_text(bytes: &[u8]) -> String {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Ipv4Addr::from(bytes).to_string();
    }
    let Ok(bytes) = <[u8; 16]>::try_from(bytes) else {
        return String::new();
    };
    let address = Ipv6Addr::from(bytes);
    match address.to_ipv4_mapped() {
        Some(short) => short.to_string(),
        None => address.to_string(),
    }
}
