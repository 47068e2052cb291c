//! The ways to write down where a request should not go. Each is an address as a guest would ask for it, on the
//! given port.

use std::net::Ipv4Addr;

/// What is spelled: loopback, private, link-local, and the metadata services.
const TARGETS: [Ipv4Addr; 9] = [
    Ipv4Addr::new(127, 0, 0, 1),
    Ipv4Addr::new(127, 8, 9, 10),
    Ipv4Addr::new(10, 0, 0, 5),
    Ipv4Addr::new(172, 16, 0, 1),
    Ipv4Addr::new(192, 168, 1, 1),
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(0, 0, 0, 0),
];

/// Every spelling of this file, without repetition.
pub fn all(port: u16) -> Vec<String> {
    let mut urls: Vec<String> = TARGETS
        .iter()
        .flat_map(|target| ipv4(*target).into_iter().chain(ipv6(*target)))
        .map(|host| format!("https://{host}:{port}/"))
        .collect();
    urls.extend(TARGETS.iter().flat_map(|target| confusing(*target, port)));
    urls.extend(names().iter().map(|name| format!("https://{name}:{port}/")));
    urls.extend(names().iter().map(|name| format!("https://{name}/")));
    urls.extend(schemes(port));
    urls.extend(other_ipv6().iter().map(|address| format!("https://[{address}]:{port}/")));
    urls.sort();
    urls.dedup();
    urls
}

/// An IPv4 address as browsers and C libraries have learnt to read it.
fn ipv4(target: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = target.octets();
    let number = target.to_bits();
    let (tail_2, tail_3) = (u32::from(c) << 8 | u32::from(d), number & 0x00ff_ffff);
    let full_width: String = target
        .to_string()
        .chars()
        .map(|character| match character.to_digit(10) {
            Some(digit) => char::from_u32(0xff10 + digit).expect("a digit"),
            None => '\u{3002}',
        })
        .collect();
    vec![
        format!("{a}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.{d}."),
        format!("{a}.{b}.{tail_2}"),
        format!("{a}.{tail_3}"),
        format!("{number}"),
        format!("0x{number:x}"),
        format!("0X{number:X}"),
        format!("0{number:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("000{a:o}.000{b:o}.000{c:o}.000{d:o}"),
        format!("0x{a:02x}.{b}.0{c:o}.{d}"),
        format!("0x{a:x}.0x{tail_3:x}"),
        format!("{a}.0{tail_3:o}"),
        format!("{a}%2e{b}%2e{c}%2e{d}"),
        format!("%{:02x}{}.{b}.{c}.{d}", a.to_string().as_bytes()[0], &a.to_string()[1..]),
        full_width,
        format!("{a}\u{ff0e}{b}\u{ff0e}{c}\u{ff0e}{d}"),
        format!("{a}.{b}.{c}.{d}\u{ad}"),
        format!("{}", u64::from(number) + (1 << 32)),
        format!("{a}.{b}.{c}.{}", u16::from(d) + 256),
    ]
}

/// An IPv4 address inside of IPv6.
fn ipv6(target: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = target.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    vec![
        format!("[::ffff:{target}]"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[0:0:0:0:0:FFFF:{high:X}:{low:X}]"),
        format!("[0000:0000:0000:0000:0000:ffff:{target}]"),
        format!("[::{target}]"),
        format!("[::ffff:0:{target}]"),
        format!("[64:ff9b::{target}]"),
        format!("[64:ff9b:1::{high:x}:{low:x}]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("[2001:0:{high:x}:{low:x}:0:0:{:x}:{:x}]", !high, !low),
        format!("[fe80::5efe:{target}]"),
        format!("[::ffff:{target}%25lo]"),
    ]
}

fn other_ipv6() -> [&'static str; 12] {
    [
        "::1",
        "::",
        "0:0:0:0:0:0:0:1",
        "0000:0000:0000:0000:0000:0000:0000:0001",
        "::1%25lo",
        "::1%lo",
        "fe80::1%25lo",
        "fe80::1",
        "fd00:ec2::254",
        "FD00:0EC2:0:0:0:0:0:0254",
        "fd12:3456::1",
        "ff02::1",
    ]
}

/// Addresses whose host is not the one that a quick look sees, or a quick parser takes.
fn confusing(target: Ipv4Addr, port: u16) -> Vec<String> {
    vec![
        format!("https://acme.shops.example@{target}:{port}/"),
        format!("https://acme.shops.example:443@{target}:{port}/"),
        format!("https://acme.shops.example%40{target}:{port}/"),
        format!("https://{target}:{port}#@acme.shops.example/"),
        format!("https://{target}:{port}?@acme.shops.example/"),
        format!("https://{target}:{port}\\@acme.shops.example/"),
        format!("https://user:password@{target}:{port}/"),
        format!("https://@{target}:{port}/"),
        format!("https:{target}:{port}/"),
        format!("https:///{target}:{port}/"),
        format!("https:\\\\{target}:{port}\\"),
        format!(" https://{target}:{port}/"),
        format!("https://{target}:0{port}/"),
        format!("ht\ttps://{target}:{port}/"),
        format!("https://127.0.0.\n1:{port}/?{target}"),
        format!("//{target}:{port}/"),
        format!("\\\\{target}:{port}\\"),
    ]
}

/// Names that are not declared, or only look as if they were.
fn names() -> [&'static str; 27] {
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "localhost.localdomain",
        "ip6-localhost",
        "x.localhost",
        "loopback",
        "metadata.google.internal",
        "metadata",
        "instance-data",
        "kubernetes.default.svc.cluster.local",
        "127.0.0.1.nip.example",
        "shops.example",
        "other.shops.example",
        "acme.shops.example.",
        "acme.shops.example..",
        "acme.shops.example.evil.example",
        "evil-acme.shops.example",
        "evil.acme.shops.example",
        "acme.shops.example%00.evil.example",
        "acme.shops.example%2eevil.example",
        "acme.shops.example%23.evil.example",
        "acme.shops.example,evil.example",
        "\u{430}cme.shops.example",
        "acm\u{435}.shops.example",
        "acme.shops.example\u{2024}evil.example",
        "xn--cme-8cd.shops.example",
    ]
}

/// The right host by the wrong way.
fn schemes(port: u16) -> Vec<String> {
    let mut urls: Vec<String> =
        ["http", "HTTP", "ftp", "ws", "wss", "gopher", "ldap", "dict", "tftp", "jar:https"]
            .iter()
            .map(|scheme| format!("{scheme}://acme.shops.example:{port}/"))
            .collect();
    urls.extend(
        [
            "file:///etc/passwd",
            "file://127.0.0.1/etc/passwd",
            "unix:///var/run/docker.sock",
            "data:text/plain,x",
            "blob:https://acme.shops.example/x",
            "javascript:fetch('https://acme.shops.example')",
            "about:blank",
            "https://",
            "https://?",
            "https://:443/",
            "https://acme.shops.example:0/",
            "https://acme.shops.example:22/",
            "https://acme.shops.example:80/",
            "https://acme.shops.example:8443/",
            "https://acme.shops.example:65979/",
            "https://acme.shops.example:-443/",
            "https://user@acme.shops.example/",
            "https://user:password@acme.shops.example/",
            "orders.json",
            "",
        ]
        .map(str::to_owned),
    );
    urls
}
