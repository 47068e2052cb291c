//! The two HTTP clients: one for declared hosts, which connects to checked addresses alone, and one
//! for addresses that an operator granted. Neither follows redirects, knows a proxy, or keeps cookies.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

use super::address::is_global;
use super::egress::Permit;
use crate::options::HttpOptions;

/// Turns a name into addresses.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    async fn addresses_of(&self, host: &str) -> std::io::Result<Vec<SocketAddr>>;
}

/// The operating system's resolver.
struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses_of(&self, host: &str) -> std::io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.collect())
    }
}

/// A name that leads to an address which plugins may not reach.
#[derive(Debug)]
pub struct BlockedAddress {
    host: String,
}

impl fmt::Display for BlockedAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} leads to an address of a private or reserved network, which plugins may not reach",
            self.host
        )
    }
}

impl std::error::Error for BlockedAddress {}

/// Both clients, built when first used: only then does a missing set of CA certificates matter.
pub struct Clients {
    options: HttpOptions,
    declared: OnceLock<Result<Client, String>>,
    granted: OnceLock<Result<Client, String>>,
}

impl Clients {
    pub fn new(options: HttpOptions) -> Self {
        // Another part of the process may have installed the same provider before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { options, declared: OnceLock::new(), granted: OnceLock::new() }
    }

    /// Errors: why no client could be built.
    pub fn of(&self, permit: Permit) -> Result<&Client, String> {
        let lookup = self.options.lookup.clone().unwrap_or_else(|| Arc::new(SystemLookup));
        let client = match permit {
            Permit::Declared => self.declared.get_or_init(|| {
                let resolver = Resolver { lookup, only_global: true };
                built(self.builder().https_only(true).dns_resolver(Arc::new(resolver)))
            }),
            Permit::Granted => self.granted.get_or_init(|| {
                let resolver = Resolver { lookup, only_global: false };
                built(self.builder().dns_resolver(Arc::new(resolver)))
            }),
        };
        client.as_ref().map_err(Clone::clone)
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder()
            .user_agent(&self.options.user_agent)
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .http1_max_headers(256)
            .connect_timeout(Duration::from_millis(self.options.connect_timeout_ms))
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(8)
    }
}

fn built(builder: ClientBuilder) -> Result<Client, String> {
    builder.build().map_err(|error| {
        tracing::error!(%error, "failed to set up the http client of the plugins");
        "the host could not set up TLS: install the package ca-certificates and restart".to_owned()
    })
}

/// Resolves once per connection and hands on checked addresses only, so that a name cannot change
/// between the check and the connect.
struct Resolver {
    lookup: Arc<dyn Lookup>,
    only_global: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = self.lookup.clone();
        let only_global = self.only_global;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let mut addresses = lookup.addresses_of(&host).await?;
            if only_global {
                let found = addresses.len();
                addresses.retain(|address| is_global(address.ip()));
                if addresses.is_empty() && found > 0 {
                    return Err(BlockedAddress { host }.into());
                }
            }
            for address in &mut addresses {
                address.set_port(0);
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
