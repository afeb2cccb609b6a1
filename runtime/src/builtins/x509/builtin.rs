//! `crypto.x509.*` and `crypto.parse_private_keys`.

use super::certificate::{Certificate, parse_all};
use super::der::Read;
use super::json::Maker;
use super::pem;
use super::private_key::{PrivateKey, of_block, of_server};
use super::request::Request;
use super::show::never_null;
use super::strings::lossy;
use super::verify::{Options, first_chain};
use crate::builtins::base64::standard_bytes;
use crate::builtins::operand::{args, object, string};
use crate::builtins::{BuiltinResult, Call, Failure};
use crate::number;
use crate::value::{Kind, Object, Value};

/// How a PEM text begins.
const PEM: &str = "-----BEGIN";

/// How the PEM text of a request begins.
const PEM_REQUEST: &str = "-----BEGIN CERTIFICATE REQUEST-----";

/// Fuel of each byte that is read: it is read several times, and shown several times.
const BYTE_FUEL: usize = 8;

/// Names of extended usages in the order of Go's numbers.
const USAGES: [&str; 14] = [
    "KeyUsageAny",
    "KeyUsageServerAuth",
    "KeyUsageClientAuth",
    "KeyUsageCodeSigning",
    "KeyUsageEmailProtection",
    "KeyUsageIPSECEndSystem",
    "KeyUsageIPSECTunnel",
    "KeyUsageIPSECUser",
    "KeyUsageTimeStamping",
    "KeyUsageOCSPSigning",
    "KeyUsageMicrosoftServerGatedCrypto",
    "KeyUsageNetscapeServerGatedCrypto",
    "KeyUsageMicrosoftCommercialCodeSigning",
    "KeyUsageMicrosoftKernelCodeSigning",
];

/// `crypto.x509.parse_certificates(text)`
pub(in crate::builtins) fn parse_certificates<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let certificates = certificates(call, string(text)?)?;
    let mut make = maker(call);
    let list = make.list(&certificates, |make, one| make.certificate(one, true))?;
    Ok(never_null(list))
}

/// `crypto.x509.parse_and_verify_certificates(text)`: at the time of the request, for servers.
pub(in crate::builtins) fn parse_and_verify<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let certificates = match certificates(call, string(text)?) {
        Err(Failure::Error(_)) => return not_verified(call),
        certificates => certificates?,
    };
    let options = Options {
        now_ns: call.now_ns,
        ..Options::default()
    };
    verified(call, &certificates, &options, true)
}

/// `crypto.x509.parse_and_verify_certificates_with_options(text, options)`
pub(in crate::builtins) fn parse_and_verify_with_options<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [text, options] = self::args(args)?;
    let (text, options) = (string(text)?, object(options)?);
    let certificates = match certificates(call, text) {
        Err(Failure::Error(_)) => return not_verified(call),
        certificates => certificates?,
    };
    let options = read_options(call, options)?;
    verified(call, &certificates, &options, false)
}

/// `crypto.x509.parse_certificate_request(text)`
pub(in crate::builtins) fn parse_certificate_request<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    call.charge(1 + BYTE_FUEL * text.len())?;
    let bytes = match text.starts_with(PEM_REQUEST) {
        true => text.as_bytes(),
        false => standard_bytes(call.arena, text)?,
    };
    let der = match pem::next(call.arena, lossy(call.arena, bytes)?)? {
        None => bytes,
        Some((block, _)) if block.label == "CERTIFICATE REQUEST" => block.bytes,
        Some(_) => return Err(Failure::BUILTIN),
    };
    let request = Request::parse(call.arena, der)?;
    maker(call).request(&request)
}

/// `crypto.x509.parse_keypair(certificate, key)`: both, if they belong together.
pub(in crate::builtins) fn parse_keypair<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [certificate, key] = self::args(args)?;
    let (certificate, key) = (string(certificate)?, string(key)?);
    call.charge(1 + BYTE_FUEL * (certificate.len() + key.len()))?;
    let mut chain = Vec::new();
    match pem_or_der(call, certificate, "-----BEGIN ")? {
        PemOrDer::Der(der) => chain.push(der),
        PemOrDer::Pem(mut text) => {
            while let Some((block, rest)) = pem::next(call.arena, text)? {
                text = rest;
                if block.label == "CERTIFICATE" {
                    chain.push(block.bytes);
                }
            }
        }
    }
    let key = match pem_or_der(call, key, PEM)? {
        PemOrDer::Der(der) => der,
        PemOrDer::Pem(text) => key_block(call, text)?,
    };
    let leaf = Certificate::parse(call.arena, chain.first().ok_or(Failure::BUILTIN)?)?;
    let key = of_server(call.fuel, key)?;
    if !key.belongs_to(&leaf.key) {
        return Err(Failure::BUILTIN);
    }
    let mut make = maker(call);
    let fields = [
        ("Certificate", make.list(chain, |make, der| make.bytes(der))?),
        ("PrivateKey", make.private_key(&key)?),
        ("SupportedSignatureAlgorithms", Value::NULL),
        ("OCSPStaple", Value::NULL),
        ("SignedCertificateTimestamps", Value::NULL),
        ("Leaf", make.certificate(&leaf, false)?),
    ];
    make.object(fields)
}

/// `crypto.x509.parse_rsa_private_key(text)`: the first private key, of whatever kind, as a JWK.
pub(in crate::builtins) fn parse_rsa_private_key<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let mut text = string(text)?;
    if text.is_empty() {
        return Err(Failure::BUILTIN);
    }
    call.charge(1 + BYTE_FUEL * text.len())?;
    if !text.starts_with(PEM) {
        text = lossy(call.arena, standard_bytes(call.arena, text)?)?;
    }
    let keys = private_keys(call, text)?;
    match keys.first() {
        Some(key) => maker(call).jwk(key),
        None => Ok(Value::NULL),
    }
}

/// `crypto.parse_private_keys(text)`: all private keys; null for no text.
pub(in crate::builtins) fn parse_private_keys<'r>(
    call: &mut Call<'_, 'r>,
    args: &[Value<'r>],
) -> BuiltinResult<'r> {
    let [text] = self::args(args)?;
    let text = string(text)?;
    if text.is_empty() {
        return Ok(Value::NULL);
    }
    call.charge(1 + BYTE_FUEL * text.len())?;
    let keys = private_keys(call, text)?;
    let mut make = maker(call);
    let list = make.list(&keys, |make, key| make.private_key(key))?;
    Ok(never_null(list))
}

fn maker<'f, 'r>(call: &'f mut Call<'_, 'r>) -> Maker<'f, 'r> {
    Maker {
        arena: call.arena,
        fuel: call.fuel,
    }
}

/// The certificates of a text: PEM, base64 of PEM, or base64 of DER.
fn certificates<'r>(call: &mut Call<'_, 'r>, text: &'r str) -> Read<Vec<Certificate<'r>>> {
    call.charge(1 + BYTE_FUEL * text.len())?;
    let mut text = match pem_or_der(call, text, PEM)? {
        PemOrDer::Der(der) => return parse_all(call.arena, call.fuel, der),
        PemOrDer::Pem(text) => text,
    };
    let mut der = Vec::new();
    while let Some((block, rest)) = pem::next(call.arena, text)? {
        if block.label != "CERTIFICATE" {
            return Err(Failure::BUILTIN);
        }
        der.extend(block.bytes);
        text = rest;
    }
    parse_all(call.arena, call.fuel, call.arena.bytes(&der)?)
}

enum PemOrDer<'r> {
    Pem(&'r str),
    Der(&'r [u8]),
}

/// A PEM text, or what its base64 holds: a PEM text or DER. PEM texts have to begin as is said.
fn pem_or_der<'r>(call: &Call<'_, 'r>, text: &'r str, begin: &str) -> Read<PemOrDer<'r>> {
    if text.starts_with(begin) {
        return Ok(PemOrDer::Pem(text));
    }
    let bytes = standard_bytes(call.arena, text)?;
    Ok(match bytes.starts_with(begin.as_bytes()) {
        true => PemOrDer::Pem(lossy(call.arena, bytes)?),
        false => PemOrDer::Der(bytes),
    })
}

/// The first block that holds a private key.
fn key_block<'r>(call: &Call<'_, 'r>, mut text: &'r str) -> Read<&'r [u8]> {
    while let Some((block, rest)) = pem::next(call.arena, text)? {
        if block.label == "PRIVATE KEY" || block.label.ends_with(" PRIVATE KEY") {
            return Ok(block.bytes);
        }
        text = rest;
    }
    Err(Failure::BUILTIN)
}

/// The private keys of a PEM text or of its base64.
fn private_keys<'r>(call: &mut Call<'_, 'r>, text: &'r str) -> Read<Vec<PrivateKey>> {
    let mut text = match standard_bytes(call.arena, text) {
        Ok(inner) => lossy(call.arena, inner)?,
        Err(Failure::Error(_)) => text,
        Err(abort) => return Err(abort),
    };
    let mut keys = Vec::new();
    while let Some((block, rest)) = pem::next(call.arena, text)? {
        keys.extend(of_block(call.fuel, block)?);
        text = rest;
    }
    Ok(keys)
}

fn read_options<'r>(call: &Call<'_, 'r>, options: Object<'r>) -> Read<Options<'r>> {
    let mut read = Options {
        now_ns: call.now_ns,
        ..Options::default()
    };
    let trimmed = |text: &'r str| text.trim_matches('"');
    for option in options {
        match option.key.as_str() {
            // Keys that are no texts are left out.
            None => {}
            Some("DNSName") => read.host = trimmed(option.value.as_str().ok_or(Failure::BUILTIN)?),
            Some("CurrentTime") => read.now_ns = number::int(option.value).ok_or(Failure::BUILTIN)?,
            // Go does not count comparisons any more.
            Some("MaxConstraintComparisons") => {
                number::int(option.value).ok_or(Failure::BUILTIN)?;
            }
            Some("KeyUsages") => {
                let (Kind::Array(usages) | Kind::Set(usages)) = option.value.kind() else {
                    return Err(Failure::BUILTIN);
                };
                for usage in usages.iter().filter_map(|usage| usage.as_str()) {
                    let number = USAGES.iter().position(|known| *known == trimmed(usage));
                    read.usages.push(number.ok_or(Failure::BUILTIN)?);
                }
            }
            Some(_) => return Err(Failure::BUILTIN),
        }
    }
    Ok(read)
}

fn verified<'r>(
    call: &mut Call<'_, 'r>,
    certificates: &[Certificate<'r>],
    options: &Options<'_>,
    with_uri_texts: bool,
) -> BuiltinResult<'r> {
    let Some(chain) = first_chain(call, certificates, options)? else {
        return not_verified(call);
    };
    let mut make = maker(call);
    let chain = make.list(chain, |make, one| make.certificate(one, with_uri_texts))?;
    Ok(Value::array(call.arena.values(&[Value::TRUE, chain])?))
}

fn not_verified<'r>(call: &Call<'_, 'r>) -> BuiltinResult<'r> {
    Ok(Value::array(
        call.arena.values(&[Value::FALSE, Value::array(&[])])?,
    ))
}
