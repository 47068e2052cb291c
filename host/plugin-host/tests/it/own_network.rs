//! A network of a test's own, in which the forbidden addresses are this very machine's, with somebody listening
//! at each: what should never be reached would be reached here, and counted.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;

use crate::support::{component, say};

/// Set in the process that lives in the network.
const INSIDE: &str = "PORTOLAN_TEST_OWN_NETWORK";

/// A global address, here an alias of loopback: nothing ever leaves the network.
pub const PUBLIC: &str = "9.9.9.9";
/// A global address that is nobody's here.
pub const NOBODY: &str = "9.9.9.10";

/// Forbidden addresses that get an alias, besides 127.0.0.0/8 and ::1, which are there.
const ALIASES: [&str; 12] = [
    PUBLIC,
    "10.0.0.5",
    "100.64.0.9",
    "100.100.100.200",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "fd00:ec2::254",
    "fd12:3456::1",
];

/// The ports at which the canaries sit: those of the addresses that the tests spell, declared or not.
pub const PORTS: [u16; 5] = [22, 80, 443, 4_010, 8_443];

/// Where a test finds itself.
pub enum Place {
    /// In a network of its own.
    Inside,
    /// Outside; the test has run inside, in a process of its own, and has passed.
    Done,
    /// No such network can be made here.
    Unavailable,
}

/// Runs the test with this name in a network of its own, where the system allows it.
pub fn own_network(test: &str) -> Place {
    if std::env::var_os(INSIDE).is_some() {
        return Place::Inside;
    }
    // Built before the network is gone.
    component();
    let aliases: Vec<String> =
        ALIASES.iter().map(|address| format!("ip address add {address} dev lo")).collect();
    let set_up = format!("ip link set lo up && {}", aliases.join(" && "));
    for namespaces in [vec!["--net"], vec!["--user", "--map-root-user", "--net"]] {
        let within = |rest: &str| {
            let mut command = Command::new("unshare");
            command.args(&namespaces).args(["sh", "-c", &format!("{set_up} && {rest}"), "sh"]);
            command
        };
        if !within("true").output().is_ok_and(|output| output.status.success()) {
            continue;
        }
        let binary = std::env::current_exe().expect("this test's binary");
        let output = within("exec \"$@\"")
            .arg(binary)
            .args(["--exact", test, "--nocapture"])
            .env(INSIDE, "1")
            .output()
            .expect("the test runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success() && said.contains("1 passed"),
            "in its own network:\n{said}\n{complained}"
        );
        say(&said);
        return Place::Done;
    }
    say("skipped in part: no network of its own can be made here (unshare, ip)");
    Place::Unavailable
}

/// Listeners that count who connects, by the address at which they were reached.
#[derive(Clone, Default)]
pub struct Canaries(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

impl Canaries {
    /// At every address of the network, at each of [`PORTS`].
    pub async fn everywhere() -> Self {
        let canaries = Self::default();
        for port in PORTS {
            // One socket hears both families: IPv4 comes as mapped, and is told as itself.
            canaries.listen(SocketAddr::new("::".parse().expect("an address"), port)).await;
        }
        canaries
    }

    /// At both loopback addresses, at one free port: where nothing else can be had.
    pub async fn on_loopback() -> (Self, u16) {
        let canaries = Self::default();
        let port = canaries.listen("127.0.0.1:0".parse().expect("an address")).await;
        canaries.listen(SocketAddr::new("::1".parse().expect("an address"), port)).await;
        (canaries, port)
    }

    async fn listen(&self, address: SocketAddr) -> u16 {
        let listener = TcpListener::bind(address).await.unwrap_or_else(|error| panic!("{address}: {error}"));
        let port = listener.local_addr().expect("an address").port();
        let counts = self.0.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let reached = stream.local_addr().expect("an address").ip().to_canonical();
                *counts.lock().expect("no panic").entry(reached).or_default() += 1;
            }
        });
        port
    }

    /// Connections so far, by the address that was reached.
    pub fn reached(&self) -> BTreeMap<IpAddr, usize> {
        self.0.lock().expect("no panic").clone()
    }

    pub fn reached_at(&self, address: &str) -> usize {
        self.reached().get(&address.parse().expect("an address")).copied().unwrap_or_default()
    }
}
