//! `portolan connection`: what an operator decides about connections.

use anyhow::{Context, Result, bail};
use portolan_app::connections::ops::grant_egress;

use super::print_line;
use super::record::{self, Wanted};
use super::user::sentence;
use super::work::find_connection;
use crate::cli::ConnectionCommand;
use crate::wire::Portolan;

pub async fn run(command: ConnectionCommand) -> Result<()> {
    match command {
        ConnectionCommand::GrantEgress { place, connection, address } => {
            let (scheme, host, port) = parse_address(&address)?;
            let portolan = Portolan::open(&place).await?;
            let (tenant, id) = find_connection(&portolan, &connection).await?;
            grant_egress(&portolan.app, tenant, id, scheme, host, port).await.map_err(sentence)?;
            print_line(&format!("{connection} may reach {address} from now on."))
        }
        ConnectionCommand::Record { place, connection, output, streams, since, until, pages } => {
            let portolan = Portolan::open(&place).await?;
            record::record(&portolan, Wanted { connection, output, streams, since, until, pages }).await
        }
    }
}

/// Scheme, host and port of an address without a path.
pub fn parse_address(address: &str) -> Result<(String, String, u16)> {
    let (scheme, rest) =
        address.split_once("://").context("write an address such as http://127.0.0.1:9911")?;
    let default_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => bail!("only http and https can be granted"),
    };
    let rest = rest.trim_end_matches('/');
    if rest.is_empty() || rest.contains(['/', '@', '?', '#']) {
        bail!("an address has a scheme, a host and a port, nothing else: http://127.0.0.1:9911");
    }
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') => (host, port.parse().context("the port is no number")?),
        _ => (rest, default_port),
    };
    Ok((scheme.to_owned(), host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::parse_address;

    #[test]
    fn an_address_is_scheme_host_and_port_and_nothing_else() {
        let parsed = parse_address("http://127.0.0.1:9911/").expect("address");
        assert_eq!(parsed, ("http".to_owned(), "127.0.0.1".to_owned(), 9911));
        assert_eq!(parse_address("https://shop.example").expect("address").2, 443);
        for wrong in ["127.0.0.1:1", "ftp://a:1", "http://user@a:1", "http://a:1/path", "http://"] {
            assert!(parse_address(wrong).is_err(), "{wrong}");
        }
    }
}
