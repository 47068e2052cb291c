//! Whether a request was made under a company's own domain. Only its `Host` header says so, only where the operator says which
//! address is the server's own, and only while the domain is verified: no header of a proxy, and nothing that is kept.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use portolan_access::{DomainName, holder_of_domain};
use portolan_core::TenantId;

use crate::App;
use crate::web::address::{PublicAddress, without_port};
use crate::web::error::AppResult;

/// The company under whose domain a request was made.
#[derive(Debug, Clone, Copy)]
struct Holder(TenantId);

/// Finds out under whose domain a request is made, before anything is decided by it. Where that cannot be looked up nothing is
/// answered: a session that is begun there would be taken for one of the server's own address.
pub async fn find_out(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // Files are the same for everybody.
    let is_file = ["/assets/", "/brand/"].iter().any(|root| path.starts_with(root));
    if !is_file {
        match holder(&app, request.headers()).await {
            Ok(Some(tenant)) => {
                request.extensions_mut().insert(Holder(tenant));
            }
            Ok(None) => {}
            Err(error) => return error.into_response(),
        }
    }
    next.run(request).await
}

async fn holder(app: &App, headers: &HeaderMap) -> AppResult<Option<TenantId>> {
    let Some(domain) = app.public_address.as_ref().and_then(|own| foreign_domain(headers, own)) else {
        return Ok(None);
    };
    Ok(holder_of_domain(&app.db.system_read().await?, domain.as_str()).await?)
}

/// The domain that was asked, where it is not the server's own. Two `Host` headers name none.
fn foreign_domain(headers: &HeaderMap, own: &PublicAddress) -> Option<DomainName> {
    let mut sent = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (sent.next(), sent.next()) else { return None };
    let host = without_port(host.to_str().ok()?);
    let domain: DomainName = host.parse().ok()?;
    (domain.as_str() != own.host() && host.is_ascii()).then_some(domain)
}

/// What a browser has to name as the origin of a request that it made from a page of this domain.
pub fn origin_under_domain(request: &Request, own: Option<&PublicAddress>) -> Option<String> {
    request.extensions().get::<Holder>()?;
    let host = request.headers().get(header::HOST)?.to_str().ok()?;
    Some(format!("{}://{}", own?.scheme(), host.to_ascii_lowercase()))
}

/// The company under whose domain it is asked.
pub fn domain_in(extensions: &Extensions) -> Option<TenantId> {
    extensions.get::<Holder>().map(|holder| holder.0)
}

/// The same, for handlers that show something of it.
#[derive(Debug, Clone, Copy)]
pub struct UnderDomain(pub Option<TenantId>);

impl<S: Sync> FromRequestParts<S> for UnderDomain {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(domain_in(&parts.extensions)))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn one_host_header_names_a_domain_and_nothing_else_does() {
        let own: PublicAddress = "https://portolan.example".parse().expect("an address");
        let asked = |hosts: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, HeaderValue::from_static(host));
            }
            headers.insert("x-forwarded-host", HeaderValue::from_static("figures.harbour.example"));
            headers.insert("forwarded", HeaderValue::from_static("host=figures.harbour.example"));
            foreign_domain(&headers, &own).map(|domain| domain.to_string())
        };
        let domain = Some("figures.harbour.example".to_owned());
        for host in ["figures.harbour.example", "Figures.Harbour.Example:8443", "figures.harbour.example."] {
            assert_eq!(asked(&[host]), domain, "{host}");
        }
        for host in [
            "portolan.example",
            "PORTOLAN.example",
            "portolan.example:443",
            "127.0.0.1:8080",
            "[::1]:8080",
            "localhost",
            "",
            "figures.harbour.example/x",
            "figures.harbour.example@evil.example",
            "figures.harbour.example:x",
        ] {
            assert_eq!(asked(&[host]), None, "{host}");
        }
        assert_eq!(asked(&[]), None);
        assert_eq!(asked(&["figures.harbour.example", "figures.harbour.example"]), None);
    }
}
