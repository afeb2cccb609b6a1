//! How a decision's cost grows with the request: with the roles of its principal, with the bytes of its body.

use crate::corpus::{self, Example};
use crate::measure::one;
use crate::synthetic;
use gavel_runtime::image::Image;
use std::fmt::Write as _;
use std::hint::black_box;

/// What the principal's roles have for policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policies {
    /// Each role has a policy of its own, forty lines long.
    Own,
    /// Ten policies among all roles.
    Shared,
}

/// What makes a body longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// Members of all kinds that no policy reads, in a request that the operation phase settles.
    Unread,
    /// The reason of an emergency, of which a policy of the identity phase counts the characters; all phases are asked.
    Read,
}

impl Added {
    /// The request of the clinic that it is added to.
    fn request(self) -> &'static str {
        match self {
            Added::Unread => "opening-hours",
            Added::Read => "nurse-reads",
        }
    }

    /// The body, of about so many bytes.
    fn to(self, body: &str, bytes: usize) -> String {
        match self {
            Added::Unread => padded(body, bytes),
            Added::Read => {
                let emergency = |reason: &str| {
                    let away = format!("\"network\":\"away\",\"emergency\":true,\"reason\":\"{reason}\"");
                    body.replace("\"network\":\"clinic\"", &away)
                };
                let without = emergency("").len();
                emergency(&"r".repeat(bytes.saturating_sub(without).max(REASON_MIN)))
            }
        }
    }
}

/// Characters of a reason that the clinic takes for one.
const REASON_MIN: usize = 10;

/// Roles of the largest request.
const ROLES_MAX: usize = 1_000;

/// Roles of the requests.
const ROLES: [usize; 7] = [1, 3, 10, 30, 100, 300, ROLES_MAX];

/// Bytes of the requests, about.
const BODY_BYTES: [usize; 8] = [100, 400, 1 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10];

/// Roles of the principal, and ns of a decision.
///
/// # Errors
/// A domain that does not compile; a request that not all of its roles are asked for.
pub fn roles(policies: Policies, rounds: usize, round_ns: u64) -> Result<Vec<(f64, f64)>, String> {
    let mut parts = corpus::parts_of("roles.yml", &synthetic::domain(ROLES_MAX, 1))?;
    if policies == Policies::Shared {
        let few: Vec<u32> = parts.roles.iter().take(10).map(|role| role.policy).collect();
        for (role, policy) in parts.roles.iter_mut().zip(few.iter().cycle()) {
            role.policy = *policy;
        }
    }
    let image = Image::new(parts).map_err(|error| error.to_string())?;
    let mut decider = corpus::decider(&image);
    let mut series = Vec::new();
    for count in ROLES {
        let body = with_roles(count);
        let references = corpus::decide(&mut decider, &image, body.as_bytes())?
            .references
            .len();
        // The operation's and the resource's stand beside those of the roles.
        if references != count + 2 {
            return Err(format!("{count} roles gave {references} references"));
        }
        let ns = one(rounds, round_ns, || {
            black_box(corpus::decide(&mut decider, &image, black_box(body.as_bytes())).map(|d| d.granted))
                .ok();
        });
        series.push((count as f64, ns));
    }
    Ok(series)
}

/// The request of [`synthetic::request`] with the first so many roles.
fn with_roles(count: usize) -> String {
    let roles: Vec<String> = (0..count).map(|at| format!("\"mrn:large:role:r{at}\"")).collect();
    synthetic::request(0).replace("\"mrn:large:role:r0\"", &roles.join(","))
}

/// ns that each further role costs, over the upper part of a series of [`roles`].
#[must_use]
pub fn per_role(series: &[(f64, f64)]) -> f64 {
    let from = series.iter().find(|(count, _)| *count >= 10.0);
    match (from, series.last()) {
        (Some((few, short)), Some((many, long))) if many > few => (long - short) / (many - few),
        _ => f64::NAN,
    }
}

/// Bytes of a body, and ns of a decision on it: a request of the clinic, with more and more in it.
///
/// # Errors
/// A domain that does not compile; a request that is not granted at every length.
pub fn bodies(
    example: &Example,
    added: Added,
    rounds: usize,
    round_ns: u64,
) -> Result<Vec<(f64, f64)>, String> {
    let request = added.request();
    let Some((_, body)) = example.requests.iter().find(|(name, _)| name == request) else {
        return Err(format!("{} has no request {request}", example.name));
    };
    let body: String = String::from_utf8_lossy(body).split_whitespace().collect();
    let image = corpus::image(example)?;
    let mut decider = corpus::decider(&image);
    let mut series = Vec::new();
    for bytes in BODY_BYTES {
        let body = added.to(&body, bytes);
        if !corpus::decide(&mut decider, &image, body.as_bytes())?.granted {
            return Err(format!(
                "{}/{request} of {bytes} bytes is not granted",
                example.name
            ));
        }
        let ns = one(rounds, round_ns, || {
            black_box(corpus::decide(&mut decider, &image, black_box(body.as_bytes())).map(|d| d.granted))
                .ok();
        });
        series.push((body.len() as f64, ns));
    }
    Ok(series)
}

/// The body with members of all kinds added, up to about `bytes`.
fn padded(body: &str, bytes: usize) -> String {
    let Some(head) = body.strip_suffix('}') else {
        return body.to_owned();
    };
    let mut padded = format!("{head},\"seen\":[");
    let mut at = 0;
    while padded.len() + 2 < bytes {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(
            padded,
            "{comma}{{\"id\":{at},\"name\":\"item {at}\",\"tags\":[\"new\",\"unread\"],\"weight\":{at}.25,\"open\":true}}"
        );
        at += 1;
    }
    if at == 0 {
        return body.to_owned();
    }
    padded.push_str("]}");
    padded
}
