//! Networks of addresses: what a limit counts as one client, and whom an operator names as a proxy.
//!
//! A limit counts an IPv4 address as one client whichever way it comes, also through NAT64. Trust does not follow it
//! there: whoever trusts 10.0.0.0/8 has not said that a translator before the server may claim to be in it.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// The addresses whose first bits are the same. IPv4 written as IPv6 counts as IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// A text that names no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no network: write an address such as 192.0.2.7, or a network such as 10.0.0.0/8 or 2001:db8::/32"
)]
pub struct NetworkError(String);

impl Network {
    /// The address that a client is counted by: the IPv4 address in one of IPv6 that only carries it, written as IPv6
    /// (`::ffff:0:0/96`) or translated by NAT64 (`64:ff9b::/96`, RFC 6052 section 2.1). The prefixes for local use
    /// (`64:ff9b:1::/48`, RFC 8215) stay as they are: where in them an address lies is for each network to say.
    #[must_use]
    pub fn canonical(address: IpAddr) -> IpAddr {
        let address = address.to_canonical();
        let IpAddr::V6(translated) = address else { return address };
        match translated.segments() {
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)).into()
            }
            _ => address,
        }
    }

    /// The network of a client's address by so many of its first bits. More bits than it has mean the address alone.
    #[must_use]
    pub fn around(address: IpAddr, bits: u8) -> Self {
        Self::beginning(Self::canonical(address), bits)
    }

    /// The network of an address as it stands.
    fn beginning(address: IpAddr, bits: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let bits = bits.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                Self { first: Ipv4Addr::from_bits(address.to_bits() & mask).into(), bits }
            }
            IpAddr::V6(address) => {
                let bits = bits.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                Self { first: Ipv6Addr::from_bits(address.to_bits() & mask).into(), bits }
            }
        }
    }

    /// Whether an address is in it, as it stands: one that NAT64 translated is in no network of IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::beginning(address, self.bits) == *self
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let text = text.trim();
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse::<u8>().ok().filter(|bits| *bits <= most).ok_or_else(wrong)?,
            None => most,
        };
        // The first 96 bits of IPv4 written as IPv6 only say that it is so.
        let mapped = address.is_ipv6() && address.to_canonical().is_ipv4();
        let bits = if mapped { bits.checked_sub(96).ok_or_else(wrong)? } else { bits };
        Ok(Self::beginning(address, bits))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn holds(text: &str, address: &str) -> bool {
        network(text).contains(address.parse().unwrap())
    }

    #[test]
    fn networks_hold_the_addresses_that_begin_like_them() {
        assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("10.1.2.3/8", "10.9.9.9"), "bits behind the network's are nothing");
        assert!(holds("192.0.2.7", "192.0.2.7") && !holds("192.0.2.7", "192.0.2.8"));
        assert!(holds("2001:db8::/32", "2001:db8:ffff::1") && !holds("2001:db8::/32", "2001:db9::1"));
        assert!(holds("0.0.0.0/0", "203.0.113.1") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("::/0", "::1") && !holds("::/0", "203.0.113.1"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.1.1"), "IPv4 written as IPv6");
        assert!(holds("::ffff:10.0.0.0/104", "10.1.1.1"), "and the network too");
        assert_eq!(network("2001:db8:1:2:3::/64").to_string(), "2001:db8:1:2::/64");
        assert_eq!(Network::around("192.0.2.7".parse().unwrap(), 64).to_string(), "192.0.2.7/32");
    }

    #[test]
    fn clients_behind_nat64_are_counted_by_their_ipv4_address() {
        let around = |address: &str, bits| Network::around(address.parse().unwrap(), bits).to_string();
        assert_eq!(around("64:ff9b::203.0.113.9", 64), "203.0.113.9/32");
        assert_eq!(around("64:ff9b::cb00:7109", 48), around("203.0.113.9", 48));
        assert_eq!(around("64:ff9b::", 64), "0.0.0.0/32");
        assert_eq!(around("64:ff9b::1:0:0", 64), "64:ff9b::/64", "not in the /96");
        assert_eq!(around("64:ff9b:1::203.0.113.9", 64), "64:ff9b:1::/64", "for local use");
        let canonical = |address: &str| Network::canonical(address.parse().unwrap()).to_string();
        assert_eq!(canonical("64:ff9b::203.0.113.9"), "203.0.113.9");
        assert_eq!(canonical("::ffff:203.0.113.9"), "203.0.113.9");
        assert_eq!(canonical("64:ff9b:1::1"), "64:ff9b:1::1");
        assert_eq!(canonical("203.0.113.9"), "203.0.113.9");
    }

    #[test]
    fn trust_does_not_follow_an_address_through_nat64() {
        assert!(!holds("10.0.0.0/8", "64:ff9b::10.0.0.1"));
        assert!(!holds("0.0.0.0/0", "64:ff9b::203.0.113.9"));
        assert!(holds("64:ff9b::/96", "64:ff9b::203.0.113.9"), "unless it is named");
        assert!(!holds("64:ff9b::/96", "203.0.113.9"));
    }

    #[test]
    fn other_texts_name_no_network() {
        let bits = ["10.0.0.0/33", "::/129", "10.0.0.0/", "::ffff:10.0.0.0/8"];
        for text in bits.into_iter().chain(["", "10/8", "host/8", "1.2.3.4:80"]) {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
