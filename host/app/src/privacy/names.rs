//! Names of requests by what they ask, keyed: they tell nothing to whoever reads the database, and the same is found again.

use hmac::{Hmac, KeyInit, Mac};
use portolan_access::{DerivedKey, Purpose};
use portolan_core::{TenantId, hex};
use sha2::Sha256;
use uuid::Uuid;

use crate::App;

/// What a request is named by.
#[derive(Debug, Clone, Copy)]
pub enum Asked<'a> {
    /// This customer, by somebody here. It is free again once the request is closed.
    Of { kind: &'static str, connection: Uuid, customer: &'a str },
    /// These very bytes, by the channel of this connection.
    Bytes { connection: Uuid, body: &'a [u8] },
}

/// The name under the active master key first, then those that older ones have given.
pub fn names_of(app: &App, tenant: TenantId, asked: Asked<'_>) -> Vec<String> {
    let keys = app.key_ring.derive_all(Purpose::PrivacyRequests);
    keys.iter().map(|key| name(key, tenant, asked)).collect()
}

fn name(key: &DerivedKey, tenant: TenantId, asked: Asked<'_>) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.bytes()).expect("any key length");
    let mut add = |part: &[u8]| {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    };
    add(tenant.0.as_bytes());
    match asked {
        Asked::Of { kind, connection, customer } => {
            [kind.as_bytes(), connection.as_bytes(), customer.as_bytes()].into_iter().for_each(&mut add);
        }
        Asked::Bytes { connection, body } => {
            [connection.as_bytes(), body].into_iter().for_each(&mut add);
        }
    }
    hex(&mac.finalize().into_bytes())
}
