//! Where a request comes from: the address of whoever asks, and what the browser calls itself.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, header};
use axum::middleware::Next;
use axum::response::Response;
use portolan_access::{Client, DeviceToken};

use crate::App;
use crate::web::cookies::{device_token, earlier_session};
use crate::web::domain::domain_in;
use crate::web::request_id;

/// The other end of the connection that a request came by; put into each request where connections are served.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Who asks, behind the proxies that the operator trusts.
#[derive(Debug, Clone, Copy)]
struct Asker(IpAddr);

/// Finds out who asks, before anything else does.
pub async fn find_out(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    if let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() {
        let asker = app.trusted_proxies.client_of(peer.ip(), request.headers());
        request.extensions_mut().insert(Asker(asker));
    }
    next.run(request).await
}

/// The address that a request comes from; none where it came by no connection.
pub fn address_in(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Asker>().map(|asker| asker.0)
}

/// The address that a request comes from, for handlers that decide by it.
#[derive(Debug, Clone, Copy)]
pub struct AskedFrom(pub Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for AskedFrom {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(address_in(&parts.extensions)))
    }
}

/// The same as text, empty where there is none.
pub fn address_of(parts: &Parts) -> String {
    address_in(&parts.extensions).map(|address| address.to_string()).unwrap_or_default()
}

/// Where a request comes from, for lists of sessions.
#[derive(Debug)]
pub struct FromWhere(pub Client);

impl<S: Sync> FromRequestParts<S> for FromWhere {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let domain = domain_in(&parts.extensions);
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|name| name.to_str().ok());
        Ok(Self(Client {
            address: address_of(parts),
            user_agent: user_agent.unwrap_or_default().to_owned(),
            request_id: request_id::current(),
            // What is remembered in a browser is remembered under the server's own address alone.
            device: if domain.is_some() { DeviceToken::default() } else { device_token(&parts.headers) },
            earlier: earlier_session(&parts.headers),
            domain,
        }))
    }
}
