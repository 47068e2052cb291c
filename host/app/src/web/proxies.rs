//! Whose address a request comes from, where proxies stand in front.
//!
//! `X-Forwarded-For` alone is read: every proxy in use writes it. `Forwarded` is not: a proxy that writes the one lets the
//! other through as its client sent it, and whoever believes both believes the client. Each proxy adds at the end whom
//! it was asked by, so the list is read from its end, and only as far as proxies go that the operator named.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderValue};
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// More proxies than these are not walked through.
const MOST_HOPS: usize = 16;

/// A proxy, or a network of proxies, that is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedProxy(IpNet);

/// Why a text names no proxy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAProxy {
    #[error("write the address or the network of your proxy: 10.0.0.7 or 10.0.0.0/24")]
    NotANetwork,
    #[error("this would believe everybody: name your own proxies only")]
    Everybody,
}

impl FromStr for TrustedProxy {
    type Err = NotAProxy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        // A single address is the network of itself.
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let network = network.map_err(|_| NotAProxy::NotANetwork)?;
        if network.prefix_len() == 0 {
            return Err(NotAProxy::Everybody);
        }
        Ok(Self(network))
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// The proxies that are believed; nobody, where none are named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(pub Vec<TrustedProxy>);

impl TrustedProxies {
    fn include(&self, address: IpAddr) -> bool {
        self.0.iter().any(|proxy| proxy.0.contains(&address))
    }

    /// Who asks: the nearest address that is no trusted proxy's.
    ///
    /// What stands left of it was written by whoever asks and is not looked at, however long or strange it is. Where a
    /// trusted proxy wrote something that is no address, it is itself the last that is known.
    pub fn client_of(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut known = peer.to_canonical();
        let mut hops = headers.get_all(FORWARDED_FOR).into_iter().rev().flat_map(hops_of);
        for _ in 0..MOST_HOPS {
            if !self.include(known) {
                break;
            }
            let Some(hop) = hops.next().and_then(address_in) else { break };
            known = hop;
        }
        known
    }
}

/// The nearest first.
fn hops_of(line: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    line.as_bytes().rsplit(|byte| *byte == b',')
}

/// An address as proxies write it, with a port or without; IPv4 as such, however it is written.
fn address_in(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim_matches([' ', '\t']);
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|at| at.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests;
