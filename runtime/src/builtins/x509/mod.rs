//! Certificates, requests and keys.

mod algorithm;
mod builtin;
mod certificate;
mod constraints;
mod der;
mod extensions;
mod hosts;
mod json;
mod moment;
mod name;
mod names;
mod oid;
mod other;
pub(super) mod pem;
mod policies;
mod private_key;
mod public_key;
mod request;
mod rsa_private;
mod show;
mod show_private;
mod strings;
#[cfg(test)]
mod tests;
mod verify;

pub(super) use builtin::{
    parse_and_verify, parse_and_verify_with_options, parse_certificate_request, parse_certificates,
    parse_keypair, parse_private_keys, parse_rsa_private_key,
};
pub(super) use certificate::key_of_certificate;
pub(super) use private_key::PrivateKey;
pub(super) use public_key::{PublicKey, of_info};
pub(super) use rsa_private::RsaPrivate;
