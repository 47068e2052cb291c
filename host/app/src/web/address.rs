//! Where people reach this server: decides the cookie, the origin check and the links that are printed.

use std::fmt;
use std::str::FromStr;

use axum::http::Uri;

/// Scheme, host and port as a browser names them in `Origin`: `https://portolan.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicAddress {
    origin: String,
}

/// Why a text is no public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write scheme and host, without a path: https://portolan.example")]
pub struct NotAnAddress;

impl PublicAddress {
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// Without scheme and port.
    pub fn host(&self) -> &str {
        let (_, authority) = self.origin.split_once("://").unwrap_or_default();
        without_port(authority)
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &str {
        self.origin.split_once("://").map_or("", |(scheme, _)| scheme)
    }

    /// Without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.origin
    }
}

impl fmt::Display for PublicAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.origin)
    }
}

impl FromStr for PublicAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.trim().parse().map_err(|_| NotAnAddress)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(NotAnAddress);
        };
        let default_port = match scheme {
            "https" => 443,
            "http" => 80,
            _ => return Err(NotAnAddress),
        };
        let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        if !is_bare || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(NotAnAddress);
        }
        let host = authority.host().to_ascii_lowercase();
        // Browsers leave the default port out.
        let origin = match authority.port_u16().filter(|port| *port != default_port) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        Ok(Self { origin })
    }
}

/// The host of what stands in a `Host` header, or behind a scheme.
pub fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        text.parse::<PublicAddress>().ok().map(|address| address.to_string())
    }

    #[test]
    fn an_address_is_what_a_browser_calls_its_origin() {
        assert_eq!(read("https://Portolan.Example/").as_deref(), Some("https://portolan.example"));
        assert_eq!(read("https://portolan.example:443").as_deref(), Some("https://portolan.example"));
        assert_eq!(read("http://portolan.example:80").as_deref(), Some("http://portolan.example"));
        assert_eq!(read("https://portolan.example:8443").as_deref(), Some("https://portolan.example:8443"));
        assert_eq!(read("http://[::1]:8080").as_deref(), Some("http://[::1]:8080"));
    }

    #[test]
    fn whatever_else_it_says_is_refused() {
        for text in [
            "",
            "portolan.example",
            "https://",
            "https:///pulse",
            "ftp://a",
            "https://a/b",
            "https://a?b",
            "https://u@a",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_host_is_without_its_port() {
        let host = |text: &str| text.parse::<PublicAddress>().expect("an address").host().to_owned();
        assert_eq!(host("https://portolan.example:8443"), "portolan.example");
        assert_eq!(host("https://portolan.example"), "portolan.example");
        assert_eq!(host("http://[::1]:8080"), "[::1]");
    }

    #[test]
    fn only_https_is_https() {
        assert!("https://a".parse::<PublicAddress>().expect("an address").is_https());
        assert!(!"http://https.example".parse::<PublicAddress>().expect("an address").is_https());
    }
}
