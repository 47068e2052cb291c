//! Which addresses plugins may reach: the global internet, nothing of ours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address lies, seen from the egress guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The global internet: what a declared host may lead to.
    Global,
    /// This machine and its own networks: what a name may lead to that an operator granted.
    Private,
    /// Metadata services, link-local, multicast, reserved, and every IPv6 form that hides an IPv4 address:
    /// no name ever leads there. Only a grant of the very address does.
    Never,
}

/// IPv4 ranges that are not the global internet (IANA special-purpose registry), as address and prefix.
pub(super) const BLOCKED_V4: [(Ipv4Addr, u32, Reach); 17] = [
    // Before the ranges that hold them: the first that fits decides.
    (Ipv4Addr::new(100, 100, 100, 200), 32, Reach::Never), // a metadata service inside the carriers' range
    (Ipv4Addr::new(0, 0, 0, 0), 8, Reach::Never),          // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8, Reach::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Reach::Private), // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8, Reach::Private),   // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16, Reach::Never),  // link-local; 169.254.169.254 is the metadata service
    (Ipv4Addr::new(172, 16, 0, 0), 12, Reach::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Reach::Never), // protocol assignments; 192.0.0.192 is a metadata service
    (Ipv4Addr::new(192, 0, 2, 0), 24, Reach::Never), // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24, Reach::Never), // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16, Reach::Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Reach::Never), // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24, Reach::Never), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24, Reach::Never), // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4, Reach::Never),   // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4, Reach::Never),   // reserved, broadcast
    (Ipv4Addr::new(255, 255, 255, 255), 32, Reach::Never), // broadcast
];

/// The one global unicast block of IPv6.
pub(super) const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What inside it is not the global internet, or carries an IPv4 address in disguise.
pub(super) const BLOCKED_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Unique local addresses: private networks, with one metadata service among them.
const UNIQUE_LOCAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7);
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Where an address lies. IPv4 in IPv6 (mapped, compatible, NAT64, 6to4, Teredo) is never reached, whatever it
/// holds: no vendor needs it, and it hides where a connection goes.
pub fn reach_of(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(v4) => {
            let found = BLOCKED_V4.iter().find(|(network, prefix, _)| in_v4(v4, *network, *prefix));
            found.map_or(Reach::Global, |(_, _, reach)| *reach)
        }
        IpAddr::V6(METADATA_V6) => Reach::Never,
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Reach::Private,
        IpAddr::V6(v6) if in_v6(v6, UNIQUE_LOCAL_V6.0, UNIQUE_LOCAL_V6.1) => Reach::Private,
        IpAddr::V6(v6) => {
            let global = in_v6(v6, GLOBAL_V6.0, GLOBAL_V6.1)
                && !BLOCKED_V6.iter().any(|(network, prefix)| in_v6(v6, *network, *prefix));
            if global { Reach::Global } else { Reach::Never }
        }
    }
}

fn in_v4(address: Ipv4Addr, network: Ipv4Addr, prefix: u32) -> bool {
    let shift = 32 - prefix;
    address.to_bits() >> shift == network.to_bits() >> shift
}

fn in_v6(address: Ipv6Addr, network: Ipv6Addr, prefix: u32) -> bool {
    let shift = 128 - prefix;
    address.to_bits() >> shift == network.to_bits() >> shift
}

#[cfg(test)]
mod tests;
