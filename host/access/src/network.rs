//! Networks by which whoever comes is told apart: where limits are counted, and where somebody may come from.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};

/// Of IPv6 one subscriber has at least so much: who counts single addresses counts nothing.
const IPV6_PREFIX: u8 = 64;

/// What limits count as one client: an IPv4 address, however it is written, or the /64 of an IPv6 address.
pub fn client_network(address: IpAddr) -> IpNet {
    match address.to_canonical() {
        IpAddr::V4(address) => IpNet::from(IpAddr::V4(address)),
        IpAddr::V6(address) => {
            let host_bits = 128 - u32::from(IPV6_PREFIX);
            let network = Ipv6Addr::from_bits(address.to_bits() >> host_bits << host_bits);
            Ipv6Net::new(network, IPV6_PREFIX).map_or_else(|_| IpNet::from(IpAddr::V6(network)), IpNet::V6)
        }
    }
}

/// Whether an address, however it is written, is in one of the networks.
pub(crate) fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// Networks without what stands beside their masks; a single address is the network of itself. The one that is none, or
/// one too many, where they cannot be taken.
pub(crate) fn read_networks(networks: &[String], most: usize) -> Result<Vec<IpNet>, String> {
    let wanted = networks.iter().map(|network| network.trim()).filter(|network| !network.is_empty());
    let read: Vec<IpNet> = wanted
        .map(|text| {
            let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            let network = network.map_err(|_| text.chars().take(60).collect::<String>())?;
            Ok(network.trunc())
        })
        .collect::<Result<_, String>>()?;
    match read.get(most) {
        Some(one_more) => Err(one_more.to_string()),
        None => Ok(read),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_an_address_or_the_network_of_a_subscriber() {
        for (address, network) in [
            ("192.0.2.7", "192.0.2.7/32"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
            ("::1", "::/64"),
        ] {
            assert_eq!(client_network(address.parse().expect("an address")).to_string(), network);
        }
    }
}
