//! Where a request comes from: the address of whoever opened the connection, and what the browser calls itself.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use portolan_access::Client;

use crate::web::cookies::device_token;
use crate::web::request_id;

/// The other end of the connection that a request came by; put into each request where connections are served.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The address that a request comes from; empty where it came by no connection.
pub fn address_of(parts: &Parts) -> String {
    let peer = parts.extensions.get::<Peer>();
    peer.map(|peer| peer.0.ip().to_canonical().to_string()).unwrap_or_default()
}

/// Where a request comes from, for lists of sessions.
#[derive(Debug)]
pub struct FromWhere(pub Client);

impl<S: Sync> FromRequestParts<S> for FromWhere {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|name| name.to_str().ok());
        Ok(Self(Client {
            address: address_of(parts),
            user_agent: user_agent.unwrap_or_default().to_owned(),
            request_id: request_id::current(),
            device: device_token(&parts.headers),
        }))
    }
}
