use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderValue};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{FORWARDED_FOR, MOST_HOPS, NotAProxy, TrustedProxies, TrustedProxy};

fn proxies(names: &[&str]) -> TrustedProxies {
    TrustedProxies(names.iter().map(|name| name.parse().expect("a proxy")).collect())
}

fn client(trusted: &TrustedProxies, peer: &str, lines: &[&str]) -> String {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(FORWARDED_FOR, HeaderValue::from_str(line).expect("a value"));
    }
    trusted.client_of(peer.parse().expect("an address"), &headers).to_string()
}

#[test]
fn the_client_is_the_nearest_address_that_is_no_trusted_proxys() {
    let ours = proxies(&["10.0.0.0/8", "2001:db8:1::/48"]);
    for (peer, lines, expected) in [
        // Whoever is no proxy of ours is believed nothing.
        ("198.51.100.7", &["203.0.113.9"][..], "198.51.100.7"),
        ("10.0.0.7", &["203.0.113.9"], "203.0.113.9"),
        ("::ffff:10.0.0.7", &["::ffff:203.0.113.9"], "203.0.113.9"),
        ("2001:db8:1::5", &["2001:db8:2::9"], "2001:db8:2::9"),
        // What the client wrote itself stands left of what the proxy wrote.
        ("10.0.0.7", &["10.9.9.9, 192.0.2.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.7", &["192.0.2.1", "203.0.113.9"], "203.0.113.9"),
        ("10.0.0.7", &["<script>, ,, 203.0.113.9"], "203.0.113.9"),
        // Through two proxies of ours.
        ("10.0.0.7", &["203.0.113.9, 10.0.0.8"], "203.0.113.9"),
        ("10.0.0.7", &["203.0.113.9", "10.0.0.8"], "203.0.113.9"),
        // With ports, and with brackets.
        ("10.0.0.7", &["203.0.113.9:4711"], "203.0.113.9"),
        ("10.0.0.7", &["[2001:db8:2::9]:4711"], "2001:db8:2::9"),
        ("10.0.0.7", &["[2001:db8:2::9]"], "2001:db8:2::9"),
        // What a proxy can't say leaves the proxy.
        ("10.0.0.7", &[], "10.0.0.7"),
        ("10.0.0.7", &[""], "10.0.0.7"),
        ("10.0.0.7", &["203.0.113.9, unknown"], "10.0.0.7"),
        ("10.0.0.7", &["203.0.113.9, 10.0.0.8, _hidden"], "10.0.0.7"),
        ("10.0.0.7", &["203.0.113.9, unknown, 10.0.0.8"], "10.0.0.8"),
        // Nobody but our own: the one that is farthest away.
        ("10.0.0.7", &["10.0.0.9, 10.0.0.8"], "10.0.0.9"),
    ] {
        assert_eq!(client(&ours, peer, lines), expected, "{peer} {lines:?}");
    }
    assert_eq!(client(&TrustedProxies::default(), "10.0.0.7", &["203.0.113.9"]), "10.0.0.7");
}

#[test]
fn a_list_without_end_is_not_walked_through() {
    let ours = proxies(&["10.0.0.0/8"]);
    let many = vec!["10.0.0.8"; 10_000].join(",");
    assert_eq!(client(&ours, "10.0.0.7", &[&format!("203.0.113.9,{many}")]), "10.0.0.8");
    let most = vec!["10.0.0.8"; MOST_HOPS - 1].join(",");
    assert_eq!(client(&ours, "10.0.0.7", &[&format!("203.0.113.9,{most}")]), "203.0.113.9");
    // However much the client wrote itself, it doesn't change what the proxy says.
    let noise = "x".repeat(60_000);
    assert_eq!(client(&ours, "10.0.0.7", &[&noise, &format!("{noise},203.0.113.9")]), "203.0.113.9");
}

#[test]
fn a_proxy_is_named_by_its_address_or_network_and_never_everybody() {
    for name in ["10.0.0.7", "10.0.0.0/8", " ::1 ", "2001:db8::/32"] {
        assert!(name.parse::<TrustedProxy>().is_ok(), "{name}");
    }
    for name in ["0.0.0.0/0", "::/0"] {
        assert_eq!(name.parse::<TrustedProxy>(), Err(NotAProxy::Everybody), "{name}");
    }
    for name in ["", "proxy.example", "10.0.0.0/33", "10.0.0.7:80"] {
        assert_eq!(name.parse::<TrustedProxy>(), Err(NotAProxy::NotANetwork), "{name}");
    }
}

/// 10.0.0.0/8 and 2001:db8:1::/48 are ours.
fn ours() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 3]>().prop_map(|[b, c, d]| IpAddr::V4(Ipv4Addr::new(10, b, c, d))),
        any::<[u16; 5]>()
            .prop_map(|[a, b, c, d, e]| { IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, a, b, c, d, e)) }),
    ]
}

fn strangers() -> impl Strategy<Value = IpAddr> {
    any::<IpAddr>().prop_map(|address| address.to_canonical()).prop_filter("a stranger", |address| {
        match address {
            IpAddr::V4(address) => address.octets()[0] != 10,
            IpAddr::V6(address) => address.segments()[..3] != [0x2001, 0xdb8, 1],
        }
    })
}

/// An address as one proxy or another writes it.
fn written(address: IpAddr, how: u8) -> String {
    match (address, how % 4) {
        (IpAddr::V4(address), 1) => format!("::ffff:{address}"),
        (IpAddr::V4(address), 2) => format!("{address}:4711"),
        (IpAddr::V6(address), 1) => format!("[{address}]"),
        (IpAddr::V6(address), 2) => format!("[{address}]:4711"),
        (address, 3) => format!("  {address}\t"),
        (address, _) => address.to_string(),
    }
}

proptest! {
    /// Whatever a client sends along, it is known by the address that the first proxy of ours saw.
    #[test]
    fn no_client_chooses_its_address(
        client in strangers(),
        chain in vec((ours(), any::<u8>()), 1..6),
        how in any::<u8>(),
        forged in vec(vec(any::<u8>().prop_filter("a byte of a header", |byte| *byte >= 32 && *byte != 127), 0..80), 0..4),
        lines_break in any::<bool>(),
    ) {
        let trusted = proxies(&["10.0.0.0/8", "2001:db8:1::/48"]);
        let mut headers = HeaderMap::new();
        for line in forged {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(&line).expect("a value"));
        }
        // The client asks the last of the chain; each tells the next one whom it was asked by.
        let (peer, before) = (chain[0].0, &chain[1..]);
        let told = before.iter().rev().map(|(proxy, how)| written(*proxy, *how));
        let told: Vec<String> = std::iter::once(written(client, how)).chain(told).collect();
        if lines_break {
            for hop in told {
                headers.append(FORWARDED_FOR, HeaderValue::from_str(&hop).expect("a value"));
            }
        } else {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(&told.join(", ")).expect("a value"));
        }
        prop_assert_eq!(trusted.client_of(peer, &headers), client);
    }

    /// And whoever asks without a proxy is known by the connection.
    #[test]
    fn whoever_is_no_proxy_is_believed_nothing(
        peer in strangers(),
        forged in vec(vec(any::<u8>().prop_filter("a byte of a header", |byte| *byte >= 32 && *byte != 127), 0..80), 0..4),
    ) {
        let trusted = proxies(&["10.0.0.0/8", "2001:db8:1::/48"]);
        let mut headers = HeaderMap::new();
        for line in forged {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(&line).expect("a value"));
        }
        prop_assert_eq!(trusted.client_of(peer, &headers), peer);
    }
}
