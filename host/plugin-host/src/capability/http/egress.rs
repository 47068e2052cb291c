//! Where a connection's plugin may send requests. The one place that decides it; every request and
//! every hop of a redirect passes through [`Egress::permit`].

use portolan_connector::{AllowedHost, ConnectionContext, EgressGrant, Manifest};
use portolan_core::{ConnectionId, TenantId};
use reqwest::Url;
use serde_json::Value;

/// The rule under which an address may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permit {
    /// A declared host: https, global addresses only.
    Declared,
    /// An operator's grant of exactly this scheme, host and port. A granted name may lead to private
    /// networks, never to metadata services and other reserved addresses.
    Granted,
}

/// Whose rule it is, and all it allows: connections that were opened under one policy are not used under another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    tenant: TenantId,
    connection: ConnectionId,
    permit: Permit,
    /// Hosts or grants, in words, sorted.
    allowed: Vec<String>,
}

impl Policy {
    pub fn new(
        tenant: TenantId,
        connection: ConnectionId,
        permit: Permit,
        hosts: &[AllowedHost],
        grants: &[EgressGrant],
    ) -> Self {
        let mut allowed: Vec<String> = match permit {
            Permit::Declared => hosts.iter().map(ToString::to_string).collect(),
            Permit::Granted => {
                grants.iter().map(|grant| format!("{} {} {}", grant.scheme, grant.host, grant.port)).collect()
            }
        };
        allowed.sort();
        Self { tenant, connection, permit, allowed }
    }

    pub fn permit(&self) -> Permit {
        self.permit
    }
}

/// The destinations of one call.
#[derive(Debug, Clone)]
pub struct Egress {
    hosts: Vec<AllowedHost>,
    grants: Vec<EgressGrant>,
    base_url: Option<Url>,
    declared: Policy,
    granted: Policy,
}

impl Egress {
    /// Errors: a sentence about the configuration value that does not fit.
    pub fn new(manifest: &Manifest, config: &Value, connection: &ConnectionContext) -> Result<Self, String> {
        let told = |errors: Vec<portolan_connector::FieldError>| {
            let all: Vec<String> =
                errors.iter().map(|error| format!("{} {}", error.path, error.message)).collect();
            format!("the connection's configuration names no usable host: {}", all.join("; "))
        };
        let hosts = manifest.render_hosts(config).map_err(told)?;
        let base_url = match manifest.render_base_url(config).map_err(told)? {
            Some(address) => Some(
                Url::parse(&address).map_err(|error| format!("the base address is not a URL: {error}"))?,
            ),
            None => None,
        };
        let grants = connection.egress_grants.clone();
        let policy = |permit| Policy::new(connection.tenant, connection.id, permit, &hosts, &grants);
        let (declared, granted) = (policy(Permit::Declared), policy(Permit::Granted));
        Ok(Self { hosts, grants, base_url, declared, granted })
    }

    pub fn base_url(&self) -> Option<&Url> {
        self.base_url.as_ref()
    }

    /// A guest's address: absolute, or a path joined to the base URL.
    pub fn resolve(&self, address: &str) -> Result<Url, String> {
        if address.len() > 8_192 {
            return Err("the address is longer than 8 KiB".to_owned());
        }
        let mut url = if address.starts_with('/') && !address.starts_with("//") {
            let base = self.base_url.as_ref().ok_or("a relative path needs base_url in the manifest")?;
            let joined = format!("{}{address}", base.as_str().trim_end_matches('/'));
            Url::parse(&joined).map_err(|error| format!("the address is not a URL: {error}"))?
        } else {
            Url::parse(address).map_err(|error| format!("the address is not a URL: {error}"))?
        };
        url.set_fragment(None);
        Ok(url)
    }

    /// Whether the address may be reached, and under which rule.
    ///
    /// Errors: a sentence that says what is missing.
    pub fn permit(&self, url: &Url) -> Result<Permit, String> {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address must not carry a user name".to_owned());
        }
        if !matches!(url.scheme(), "http" | "https") || host.is_empty() {
            return Err(format!("{}: is not a web address", url.scheme()));
        }
        if self.grants.iter().any(|grant| is_grant_for(grant, url)) {
            return Ok(Permit::Granted);
        }
        let shown = format!("{}://{host}:{port}", url.scheme());
        if url.scheme() != "https" {
            return Err(format!(
                "{shown} is not https: an operator has to grant exactly this address on the connection"
            ));
        }
        if url.domain().is_none() {
            return Err(format!(
                "{shown} is an address, not a name: an operator has to grant exactly it on the connection"
            ));
        }
        if !self.hosts.iter().any(|allowed| is_host(allowed, url)) {
            return Err(format!(
                "{shown} is not among the hosts that the plugin declares for this connection"
            ));
        }
        Ok(Permit::Declared)
    }

    /// Under which policy connections of this rule are opened and kept.
    pub fn policy(&self, permit: Permit) -> &Policy {
        match permit {
            Permit::Declared => &self.declared,
            Permit::Granted => &self.granted,
        }
    }

    /// Whether a scheme's secrets may be sent there: a host that it is bound to, or, for the default
    /// scheme, the granted address that stands in place of the base URL.
    pub fn binds(&self, bound: &[AllowedHost], is_default: bool, url: &Url, permit: Permit) -> bool {
        match permit {
            Permit::Declared => bound.iter().any(|allowed| is_host(allowed, url)),
            Permit::Granted => {
                let bound_here = url.scheme() == "https" && bound.iter().any(|allowed| is_host(allowed, url));
                let is_base = self.base_url.as_ref().is_some_and(|base| base.origin() == url.origin());
                bound_here || (is_default && is_base)
            }
        }
    }
}

/// Letter for letter: a trailing dot would be the same name to DNS and another one to the channel's server.
fn is_host(allowed: &AllowedHost, url: &Url) -> bool {
    url.domain() == Some(allowed.host.as_str()) && url.port_or_known_default() == Some(allowed.port)
}

pub(super) fn is_grant_for(grant: &EgressGrant, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    grant.scheme.eq_ignore_ascii_case(url.scheme())
        && grant
            .host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .eq_ignore_ascii_case(host.trim_start_matches('[').trim_end_matches(']'))
        && Some(grant.port) == url.port_or_known_default()
}

#[cfg(test)]
mod tests;
