//! Hostile texts: each ends soon, with an error or with a budget that is used up.

use crate::arena::Arena;
use crate::builtins::base64::standard_text;
use crate::builtins::testing::run;

/// Bytes as base64.
fn base64(bytes: &[u8]) -> String {
    let arena = Arena::new(1 << 16, 1 << 28);
    standard_text(&arena, bytes).expect("memory").to_owned()
}

/// An element with a length of four bytes.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let header: &[u8] = &match len {
        0..0x80 => vec![tag, len as u8],
        0x80..0x100 => vec![tag, 0x81, len as u8],
        0x100..0x1_0000 => vec![tag, 0x82, (len >> 8) as u8, len as u8],
        _ => vec![tag, 0x83, (len >> 16) as u8, (len >> 8) as u8, len as u8],
    };
    [header, content].concat()
}

/// Runs all builtins that read DER or PEM.
#[track_caller]
fn refused(text: &str) {
    let text = text.replace('\n', "\\n");
    for call in [
        format!("crypto.x509.parse_certificates(\"{text}\")"),
        format!("crypto.x509.parse_certificate_request(\"{text}\")"),
        format!("crypto.x509.parse_keypair(\"{text}\", \"{text}\")"),
        format!("crypto.x509.parse_rsa_private_key(\"{text}\")"),
        format!("io.jwt.verify_rs256(\"a.b.c\", \"{text}\")"),
    ] {
        let result = run(&call);
        let is_refused = result.starts_with('!') || matches!(result.as_str(), "null" | "[]");
        assert!(is_refused, "{}", result.get(..100).unwrap_or(&result));
    }
    let result = run(&format!("crypto.x509.parse_and_verify_certificates(\"{text}\")"));
    assert!(matches!(result.as_str(), "[false, []]") || result.starts_with('!'));
}

#[test]
fn lengths_that_lie() {
    refused(&base64(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]));
    refused(&base64(&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x30]));
    refused(&base64(&[0x30, 0x88, 1, 0, 0, 0, 0, 0, 0, 0]));
    refused(&base64(&[0x30, 0x80, 0, 0]));
}

#[test]
fn deep_nesting() {
    let nested = (0..3_000).fold(Vec::new(), |inner, _| element(0x30, &inner));
    refused(&base64(&nested));
}

#[test]
fn many_pem_blocks() {
    let block = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    refused(&block.repeat((1 << 18) / block.len()));
    refused(&"-----BEGIN CERTIFICATE-----\n".repeat(1 << 13));
    refused(&"\n-----END CERTIFICATE-----".repeat(1 << 13));
    refused(&"-----BEGIN A-----\n-----END B-----\n".repeat(1 << 13));
}

/// The PEM text of a private key with these numbers.
fn rsa_key(numbers: &[&Vec<u8>]) -> String {
    let fields: Vec<u8> = numbers.iter().flat_map(|number| number.iter().copied()).collect();
    let key = base64(&element(0x30, &fields));
    format!("-----BEGIN RSA PRIVATE KEY-----\n{key}\n-----END RSA PRIVATE KEY-----\n")
}

#[test]
fn large_numbers() {
    // A million bits, as modulus and as exponent.
    let large = element(2, &[&[1], vec![0xff; 1 << 17].as_slice()].concat());
    let (version, small) = (element(2, &[0]), element(2, &[1, 0, 1]));
    refused(&rsa_key(&[&version, &large, &small, &large, &large, &large]));
    refused(&rsa_key(&[&version, &small, &large, &large, &large, &large]));
    refused(&rsa_key(&[&version, &large, &small, &small, &large, &small]));
}

#[test]
fn many_primes() {
    let small = element(2, &[3]);
    let prime = element(0x30, &[small.as_slice(), &small, &small].concat());
    let modulus = element(2, &[&[1], [7; 512].as_slice()].concat());
    let (version, exponent) = (element(2, &[1]), element(2, &[1, 0, 1]));
    let primes = element(0x30, &prime.repeat(20_000));
    refused(&rsa_key(&[
        &version, &modulus, &exponent, &small, &small, &small, &small, &small, &small, &primes,
    ]));
}

#[test]
fn keys_with_large_numbers() {
    let long = "_".repeat(1 << 18);
    for (n, e) in [
        ("AQAB", long.as_str()),
        (long.as_str(), "AQAB"),
        (long.as_str(), long.as_str()),
    ] {
        let key = format!(r#"{{\"kty\":\"RSA\",\"n\":\"{n}\",\"e\":\"{e}\"}}"#);
        let result = run(&format!("io.jwt.verify_rs256(\"e30.e30.AAAA\", \"{key}\")"));
        assert!(result.starts_with('!') || result == "false", "{result}");
        let key = format!(
            r#"{{\"kty\":\"RSA\",\"n\":\"{n}\",\"e\":\"AQAB\",\"d\":\"{e}\",\"p\":\"{n}\",\"q\":\"{n}\"}}"#
        );
        let result = run(&format!(
            r#"io.jwt.encode_sign_raw("{{\"alg\":\"RS256\"}}", "{{}}", "{key}")"#
        ));
        assert!(result.starts_with('!'), "{result}");
    }
}
