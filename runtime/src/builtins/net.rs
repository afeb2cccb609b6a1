//! IP networks.

use super::operand::{args, string};
use super::output::Text;
use super::{BuiltinResult, Call, Failure};
use crate::arena::{Arena, List};
use crate::error::EvalErrorKind;
use crate::value::{Kind, Value, set_from};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses of both families as numbers. An IPv4-mapped address (`::ffff:1.2.3.4`) is one of IPv4, as for Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Address {
    is_v4: bool,
    number: u128,
}

impl Address {
    /// An address without a zone.
    fn parse(text: &str) -> Option<Address> {
        text.parse().ok().map(Address::of)
    }

    fn of(address: IpAddr) -> Address {
        match address {
            IpAddr::V4(v4) => Address {
                is_v4: true,
                number: u128::from(u32::from(v4)),
            },
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => Address {
                    is_v4: true,
                    number: u128::from(u32::from(v4)),
                },
                None => Address {
                    is_v4: false,
                    number: u128::from(v6),
                },
            },
        }
    }

    fn bits(self) -> u32 {
        if self.is_v4 { 32 } else { 128 }
    }

    /// Where it stands among all addresses, as sixteen bytes.
    fn position(self) -> u128 {
        if self.is_v4 {
            self.number | 0xffff << 32
        } else {
            self.number
        }
    }

    fn write(self, out: &mut Text<'_>) -> Result<(), Failure> {
        match self.is_v4 {
            true => out.format(format_args!("{}", Ipv4Addr::from(self.number as u32))),
            false => out.format(format_args!("{}", Ipv6Addr::from(self.number))),
        }
    }
}

/// An address with the number of bits that count.
#[derive(Clone, Copy, Debug)]
struct Network {
    address: Address,
    prefix: u32,
}

impl Network {
    /// `address/prefix`; the bits that do not count are cleared.
    fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = text.split_once('/')?;
        let given: IpAddr = address.parse().ok()?;
        let all_digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
        let prefix: u32 = if all_digits {
            prefix.parse().ok()?
        } else {
            return None;
        };
        let address = match given {
            IpAddr::V4(_) if prefix <= 32 => Address::of(given),
            IpAddr::V6(v6) if prefix <= 128 => {
                let network = Ipv6Addr::from(u128::from(v6) & mask(prefix, 128));
                let address = Address::of(IpAddr::V6(network));
                let prefix = if address.is_v4 { prefix - 96 } else { prefix };
                return Some(Network { address, prefix });
            }
            IpAddr::V4(_) | IpAddr::V6(_) => return None,
        };
        let number = address.number & mask(prefix, 32);
        Some(Network {
            address: Address { number, ..address },
            prefix,
        })
    }

    fn mask(self) -> u128 {
        mask(self.prefix, self.address.bits())
    }

    fn first(self) -> Address {
        Address {
            number: self.address.number & self.mask(),
            ..self.address
        }
    }

    fn last(self) -> Address {
        let all = mask(self.address.bits(), self.address.bits());
        Address {
            number: self.address.number | (all & !self.mask()),
            ..self.address
        }
    }

    fn has(self, address: Address) -> bool {
        self.address.is_v4 == address.is_v4 && address.number & self.mask() == self.first().number
    }

    fn includes(self, other: Network) -> bool {
        self.has(other.first()) && self.has(other.last())
    }
}

/// The upper `prefix` of `bits` bits.
fn mask(prefix: u32, bits: u32) -> u128 {
    let all = if bits == 128 { u128::MAX } else { (1 << bits) - 1 };
    match bits.checked_sub(prefix) {
        Some(low) if low < 128 => all >> low << low,
        _ => 0,
    }
}

/// `net.cidr_contains(network, network or address)`
pub(super) fn cidr_contains<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [network, other] = self::args(args)?;
    contains(network, other).map(Value::bool)
}

fn contains(network: Value<'_>, other: Value<'_>) -> Result<bool, Failure> {
    let network = network_of(network)?;
    let other = string(other)?;
    match Address::parse(other) {
        Some(address) => Ok(network.has(address)),
        None => Ok(network.includes(Network::parse(other).ok_or(Failure::BUILTIN)?)),
    }
}

fn network_of(value: Value<'_>) -> Result<Network, Failure> {
    Network::parse(string(value)?).ok_or(Failure::BUILTIN)
}

/// `net.cidr_intersects(a, b)`
pub(super) fn cidr_intersects<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [a, b] = self::args(args)?;
    let (a, b) = (network_of(a)?, network_of(b)?);
    Ok(Value::bool(a.has(b.first()) || b.has(a.first())))
}

/// `net.cidr_is_valid(network)`: false for what is no string.
pub(super) fn cidr_is_valid<'r>(_call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [network] = self::args(args)?;
    Ok(Value::bool(
        network
            .as_str()
            .is_some_and(|text| Network::parse(text).is_some()),
    ))
}

/// `net.cidr_expand(network)`: all its addresses.
pub(super) fn cidr_expand<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [network] = self::args(args)?;
    let network = network_of(network)?;
    let (first, last) = (network.first(), network.last());
    // Paid for before anything is made: some dozen steps an address.
    let count = usize::try_from(last.number - first.number).map_err(|_| EvalErrorKind::FuelExhausted)?;
    call.charge(count.saturating_mul(16))?;
    let mut addresses = List::new(call.arena);
    for number in first.number..=last.number {
        let mut out = Text::new(call.arena);
        Address { number, ..first }.write(&mut out)?;
        addresses.push(out.value()?)?;
    }
    Ok(set_from(call.arena, addresses.finish())?)
}

/// `net.cidr_contains_matches(networks, others)`: the pairs of places where the one contains the other.
pub(super) fn cidr_contains_matches<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [networks, others] = self::args(args)?;
    let networks = places(call.arena, networks)?;
    let mut found = List::new(call.arena);
    // Go looks at the second operand only when there is something in the first.
    if !networks.is_empty() {
        let others = places(call.arena, others)?;
        for (network, at) in networks {
            // Each is read anew.
            call.charge(others.len().saturating_mul(32) + 1)?;
            for (other, other_at) in others {
                if contains(*network, *other)? {
                    found.push(Value::array(call.arena.values(&[*at, *other_at])?))?;
                }
            }
        }
    }
    Ok(set_from(call.arena, found.finish())?)
}

/// The networks of an operand, each with its key, index, or itself.
fn places<'r>(arena: &'r Arena, value: Value<'r>) -> Result<&'r [(Value<'r>, Value<'r>)], Failure> {
    let network = |item: Value<'r>| match item.kind() {
        Kind::String(_) => Ok(item),
        Kind::Array(parts) => parts.first().copied().ok_or(Failure::BUILTIN),
        _ => Err(Failure::BUILTIN),
    };
    let mut places = List::new(arena);
    match value.kind() {
        Kind::String(_) => places.push((value, value))?,
        Kind::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                places.push((network(*item)?, Value::int(at as i64)))?;
            }
        }
        Kind::Set(members) => {
            for member in members {
                places.push((network(*member)?, *member))?;
            }
        }
        Kind::Object(entries) => {
            for entry in entries {
                places.push((network(entry.value)?, entry.key))?;
            }
        }
        _ => {}
    }
    Ok(places.finish())
}

/// A run of addresses; `network`: it is this one network, not joined with any other.
#[derive(Clone, Copy)]
struct Run {
    first: Bound,
    last: Bound,
    network: Option<Network>,
}

/// An end of a run.
#[derive(Clone, Copy)]
struct Bound {
    address: Address,
    /// Of a network that is written as an IPv4-mapped one with a prefix: Go puts the mapping in front of it once more, so
    /// that it stands among the addresses behind 0.0.0.0, and this behind it.
    mapped: u128,
}

impl Bound {
    fn position(self) -> (u128, u128) {
        (self.address.position(), self.mapped)
    }

    /// The position before it; nothing is before an address that is zero.
    fn previous(self) -> (u128, u128) {
        let (at, mapped) = self.position();
        match mapped.checked_sub(1) {
            Some(mapped) => (at, mapped),
            None => (at.saturating_sub(u128::from(self.address.number > 0)), 0),
        }
    }
}

impl Run {
    fn of(network: Network, is_mapped: bool) -> Run {
        let (mut first, mut last) = (network.first(), network.last());
        let mapped = if is_mapped { first.position() } else { 0 };
        if is_mapped {
            last.number &= !first.number;
            first.number = 0;
        }
        let bound = |address| Bound { address, mapped };
        Run {
            first: bound(first),
            last: bound(last),
            network: Some(network),
        }
    }

    /// Whether a run that ends before this one (or with it) touches or overlaps it.
    fn touches(self, before: Run) -> bool {
        self.first.previous() <= before.last.position()
    }
}

/// `net.cidr_merge(networks and addresses)`: as few networks as possible.
pub(super) fn cidr_merge<'r>(call: &mut Call<'_, 'r>, args: &[Value<'r>]) -> BuiltinResult<'r> {
    let [networks] = self::args(args)?;
    let (Kind::Array(items) | Kind::Set(items)) = networks.kind() else {
        return Err(Failure::BUILTIN);
    };
    call.charge(items.len().saturating_mul(16))?;
    let mut runs = List::new(call.arena);
    runs.reserve(items.len())?;
    for item in items {
        let text = item.as_str().ok_or(Failure::BUILTIN)?;
        let network = merge_operand(text).ok_or(Failure::BUILTIN)?;
        let is_mapped = network.address.is_v4 && text.contains(':') && text.contains('/');
        runs.push(Run::of(network, is_mapped))?;
    }
    let runs = runs.finish();
    runs.sort_unstable_by_key(|run| (run.last.position(), run.first.position()));
    // Runs that touch or overlap are joined from behind; the joined ones end up behind one another.
    let mut joined: List<'r, Run> = List::new(call.arena);
    joined.reserve(runs.len())?;
    for before in runs.iter().rev().copied() {
        match joined.items().last().copied() {
            Some(run) if run.touches(before) => {
                joined.pop();
                let is_before = before.first.position() < run.first.position();
                joined.push(Run {
                    first: if is_before { before.first } else { run.first },
                    last: run.last,
                    network: None,
                })?;
            }
            _ => joined.push(before)?,
        }
    }
    let mut merged = List::new(call.arena);
    for run in joined.finish().iter().rev().copied() {
        match run.network {
            // Here OPA does not return.
            None if run.first.mapped > 0 || run.last.mapped > 0 => {
                return Err(Failure::Abort(EvalErrorKind::StrictBuiltin));
            }
            Some(network) => merged.push(network_text(call.arena, network)?)?,
            None => split_run(call, run, &mut merged)?,
        }
    }
    Ok(set_from(call.arena, merged.finish())?)
}

/// An address of IPv4 stands for the network of its class, as in Go; one of IPv6 needs a prefix.
fn merge_operand(text: &str) -> Option<Network> {
    let Some(address) = Address::parse(text) else {
        return Network::parse(text);
    };
    let prefix = match address.number >> 24 {
        0..=127 => 8,
        128..=191 => 16,
        _ => 24,
    };
    address.is_v4.then_some(Network { address, prefix })
}

fn network_text<'r>(arena: &'r Arena, network: Network) -> BuiltinResult<'r> {
    let mut out = Text::new(arena);
    network.address.write(&mut out)?;
    out.format(format_args!("/{}", network.prefix))?;
    out.value()
}

/// The fewest networks that make up a run: the largest that begins at its start, again and again.
fn split_run<'r>(call: &mut Call<'_, 'r>, run: Run, out: &mut List<'r, Value<'r>>) -> Result<(), Failure> {
    let (first, last) = (run.first.address, run.last.address);
    let is_v4 = first.is_v4 && last.is_v4;
    let number = |address: Address| if is_v4 { address.number } else { address.position() };
    let (mut from, to, bits) = (number(first), number(last), if is_v4 { 32 } else { 128 });
    loop {
        call.charge(16)?;
        let mut free = from.trailing_zeros().min(bits);
        while free > 0
            && (free == 128 && (from, to) != (0, u128::MAX) || free < 128 && to - from < (1 << free) - 1)
        {
            free -= 1;
        }
        let address = Address { is_v4, number: from };
        out.push(network_text(
            call.arena,
            Network {
                address,
                prefix: bits - free,
            },
        )?)?;
        if free == 128 {
            return Ok(());
        }
        match from.checked_add(1 << free) {
            Some(next) if next <= to => from = next,
            _ => return Ok(()),
        }
    }
}
