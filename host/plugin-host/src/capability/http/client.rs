//! The HTTP clients, one for each connection and rule: none follows redirects, knows a proxy, or keeps
//! cookies, and each connects to addresses that were checked after their name was resolved.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use portolan_core::{Clock, Duration as Span};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy as Redirects;
use reqwest::{Client, ClientBuilder};

use super::address::{Reach, reach_of};
use super::egress::{Permit, Policy};
use crate::options::HttpOptions;

/// Policies whose clients are kept; beyond it the one that was used longest ago goes.
const MOST_POLICIES: usize = 256;
/// A client that nobody has used for so long goes with its open connections.
const IDLE: Span = Span::from_minutes(10);

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
    permit: Permit,
}

impl fmt::Display for BlockedAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        match self.permit {
            Permit::Declared => write!(
                formatter,
                "{host} leads to an address of a private or reserved network, which plugins may not reach"
            ),
            Permit::Granted => write!(
                formatter,
                "{host} leads to a link-local, metadata or reserved address, which the grant of a name does not cover"
            ),
        }
    }
}

impl std::error::Error for BlockedAddress {}

/// The clients by policy, built when first used: only then does a missing set of CA certificates matter.
///
/// A client keeps connections open between requests, and an open connection is not checked again. So none is
/// shared: what one tenant's connection has opened under its rule is never spoken to under another's.
pub struct Clients {
    options: HttpOptions,
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<Policy, Kept>>,
}

struct Kept {
    client: Client,
    used_at: Span,
}

impl Clients {
    pub fn new(options: HttpOptions, clock: Arc<dyn Clock>) -> Self {
        Self { options, clock, kept: Mutex::default() }
    }

    /// The client of a policy.
    ///
    /// Errors: why none could be built.
    pub fn of(&self, policy: &Policy) -> Result<Client, String> {
        let now = self.clock.monotonic();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get_mut(policy) {
            known.used_at = now;
            return Ok(known.client.clone());
        }
        make_room(&mut kept, now);
        let client = build_client(&self.options, policy.permit())?;
        kept.insert(policy.clone(), Kept { client: client.clone(), used_at: now });
        Ok(client)
    }

    #[cfg(test)]
    pub fn kept(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// A client of its own for one rule.
pub fn build_client(options: &HttpOptions, permit: Permit) -> Result<Client, String> {
    // Another part of the process may have installed the same provider before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let lookup = options.lookup.clone().unwrap_or_else(|| Arc::new(SystemLookup));
    let builder = Client::builder()
        .user_agent(&options.user_agent)
        .redirect(Redirects::none())
        .no_proxy()
        .referer(false)
        .https_only(permit == Permit::Declared)
        .dns_resolver(Arc::new(Resolver { lookup, permit }))
        .http1_max_headers(256)
        .connect_timeout(Duration::from_millis(options.connect_timeout_ms))
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(8);
    built(builder)
}

/// Forgets who has been idle; where that is not enough, who was used longest ago.
fn make_room(kept: &mut HashMap<Policy, Kept>, now: Span) {
    kept.retain(|_, known| now.0 - known.used_at.0 < IDLE.0);
    while kept.len() >= MOST_POLICIES {
        let oldest = kept.iter().min_by_key(|(_, known)| known.used_at).map(|(policy, _)| policy.clone());
        let Some(oldest) = oldest else { return };
        kept.remove(&oldest);
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
    permit: Permit,
}

impl Resolver {
    fn may_reach(&self, address: SocketAddr) -> bool {
        match (reach_of(address.ip()), self.permit) {
            (Reach::Global, _) => true,
            (Reach::Private, permit) => permit == Permit::Granted,
            (Reach::Never, _) => false,
        }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Self { lookup: self.lookup.clone(), permit: self.permit };
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let mut addresses = resolver.lookup.addresses_of(&host).await?;
            let found = addresses.len();
            addresses.retain(|address| resolver.may_reach(*address));
            if addresses.is_empty() && found > 0 {
                return Err(BlockedAddress { host, permit: resolver.permit }.into());
            }
            for address in &mut addresses {
                address.set_port(0);
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
