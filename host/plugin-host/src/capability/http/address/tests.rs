use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::{BLOCKED_V4, BLOCKED_V6, Reach, reach_of};

/// Addresses that no plugin may reach, one or more for each range and disguise.
const INSIDE: [&str; 60] = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.1.2.3",
    "127.255.255.255",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
];

const OUTSIDE: [&str; 14] = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "2a00:1450:4001::200e",
];

/// What an operator's grant of a name may lead to, and what even that may not.
const PRIVATE: [&str; 9] = [
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.255",
    "172.16.0.1",
    "192.168.255.255",
    "::1",
    "fc00::1",
    "fd12:3456::1",
];
const NEVER: [&str; 14] = [
    "0.0.0.0",
    "100.100.100.200",
    "169.254.169.254",
    "169.254.0.1",
    "192.0.0.192",
    "198.51.100.7",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
];

fn reach(text: &str) -> Reach {
    reach_of(text.parse().expect(text))
}

#[test]
fn only_the_global_internet_is_reachable() {
    for text in INSIDE {
        assert_ne!(reach(text), Reach::Global, "{text} is inside");
    }
    for text in OUTSIDE {
        assert_eq!(reach(text), Reach::Global, "{text} is outside");
    }
}

#[test]
fn private_networks_are_told_from_what_nobody_may_reach() {
    for text in PRIVATE {
        assert_eq!(reach(text), Reach::Private, "{text}");
    }
    for text in NEVER {
        assert_eq!(reach(text), Reach::Never, "{text}");
    }
}

/// Every way in which IPv6 carries an IPv4 address and the guard can know it.
fn embeddings(v4: Ipv4Addr, filler: u64) -> Vec<Ipv6Addr> {
    let [a, b, c, d] = v4.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let [f0, f1, f2, f3] = [filler, filler >> 16, filler >> 32, filler >> 48].map(|part| part as u16);
    vec![
        v4.to_ipv6_mapped(),
        Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low), // compatible
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low), // translated (SIIT)
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low), // NAT64, well-known prefix
        Ipv6Addr::new(0x64, 0xff9b, 1, f0, f1, f2, high, low), // NAT64, local prefix
        Ipv6Addr::new(0x2002, high, low, f0, f1, f2, f3, f0), // 6to4
        Ipv6Addr::new(0x2001, 0, f0, f1, f2, f3, !high, !low), // Teredo, the client
        Ipv6Addr::new(0x2001, 0, high, low, f0, f1, f2, f3), // Teredo, its server
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0x5efe, high, low), // ISATAP on the link
    ]
}

fn a_blocked_v4() -> impl Strategy<Value = Ipv4Addr> {
    (proptest::sample::select(BLOCKED_V4.to_vec()), any::<u32>()).prop_map(|((network, prefix, _), host)| {
        let mask = u32::MAX.checked_shr(prefix).unwrap_or(0);
        Ipv4Addr::from_bits(network.to_bits() | host & mask)
    })
}

/// The standard library's own words for some of the ranges: an oracle that the table was not copied from.
fn is_special(v4: Ipv4Addr) -> bool {
    v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_broadcast()
        || v4.is_documentation()
        || v4.is_multicast()
        || v4.is_unspecified()
}

proptest! {
    #[test]
    fn a_blocked_address_is_blocked_in_every_disguise(v4 in a_blocked_v4(), filler in any::<u64>()) {
        prop_assert_ne!(reach_of(IpAddr::V4(v4)), Reach::Global);
        for v6 in embeddings(v4, filler) {
            prop_assert_ne!(reach_of(IpAddr::V6(v6)), Reach::Global, "{} as {}", v4, v6);
        }
    }

    #[test]
    fn no_disguise_is_reached_whatever_it_hides(bits in any::<u32>(), filler in any::<u64>()) {
        for v6 in embeddings(Ipv4Addr::from_bits(bits), filler) {
            prop_assert_ne!(reach_of(IpAddr::V6(v6)), Reach::Global, "{}", v6);
        }
    }

    #[test]
    fn what_the_standard_library_calls_special_is_not_global(bits in any::<u32>()) {
        let v4 = Ipv4Addr::from_bits(bits);
        prop_assert!(!is_special(v4) || reach_of(IpAddr::V4(v4)) != Reach::Global, "{}", v4);
    }

    #[test]
    fn an_ipv4_address_outside_the_table_is_global(bits in any::<u32>()) {
        let inside = BLOCKED_V4.iter().any(|(network, prefix, _)| {
            let mask = u32::MAX << (32 - prefix);
            bits & mask == network.to_bits() & mask
        });
        prop_assert_eq!(reach_of(IpAddr::V4(Ipv4Addr::from_bits(bits))) == Reach::Global, !inside);
    }

    #[test]
    fn ipv6_is_global_only_inside_its_one_block(bits in any::<u128>()) {
        let v6 = Ipv6Addr::from_bits(bits);
        let special = v6.is_loopback() || v6.is_multicast() || v6.is_unspecified()
            || v6.is_unique_local() || v6.is_unicast_link_local();
        let global = reach_of(IpAddr::V6(v6)) == Reach::Global;
        prop_assert!(!global || bits >> 125 == 1 && !special, "{}", v6);
    }

    #[test]
    fn the_holes_in_the_global_block_stay_closed(
        (network, prefix) in proptest::sample::select(BLOCKED_V6.to_vec()),
        host in any::<u128>(),
    ) {
        let v6 = Ipv6Addr::from_bits(network.to_bits() | host & (u128::MAX >> prefix));
        prop_assert_eq!(reach_of(IpAddr::V6(v6)), Reach::Never, "{}", v6);
    }
}
