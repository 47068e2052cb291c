//! Whose quota a connection spends: the account at the channel, as far as it can be told from here.

use std::fmt;

use portolan_connector::config::{HostPattern, text_of};
use portolan_connector::{ConnectionContext, Manifest};
use portolan_core::hex;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Tells the accounts of a tenant apart, and nothing else about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Account([u8; 32]);

impl Account {
    /// The account behind a connection: who answers there, and to whose credentials. Two connections
    /// with the same shop and token are one account. With two tokens they count as two, as most
    /// channels meter them; where a channel does not, its own answers correct the budgets. Two tenants
    /// never share one: what one spends must not slow the other down.
    pub fn of(manifest: &Manifest, connection: &ConnectionContext, config: &Value) -> Self {
        let mut digest = Sha256::new();
        // Each part with its length, so that no two lists of parts read alike.
        let mut note = |part: &str| {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        };
        note(&connection.tenant.to_string());
        for host in destinations(manifest, config) {
            note(&host);
        }
        for field in manifest.auth.iter().flat_map(|scheme| scheme.fields()) {
            let secret = connection.secrets.iter().find(|(name, _)| *name == field);
            let value = secret.map(|(_, value)| value.expose().to_owned());
            note(&value.or_else(|| text_of(config, &field)).unwrap_or_default());
        }
        Self(digest.finalize().into())
    }
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex(&self.0))
    }
}

/// Every host in its rendered form, and the address that stands in for them where one is set.
fn destinations(manifest: &Manifest, config: &Value) -> Vec<String> {
    let hosts =
        manifest.hosts.iter().filter_map(|host| HostPattern::parse(host).ok()?.render(config).ok()?);
    let base_url = manifest.render_base_url(config).ok().flatten();
    hosts.map(|host| host.to_string()).chain(base_url).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use portolan_connector::SecretValue;
    use serde_json::json;

    use super::*;

    fn manifest(host: &str) -> Manifest {
        let manifest = json!({
            "id": "shop", "version": "1.0.0", "kind": "connector", "name": "Shop", "publisher": "Us", "contract": "0.1.0",
            "config": {"type": "object", "properties": {"shop": {"type": "string"}, "token": {"type": "string", "format": "secret"}}},
            "auth": [{"id": "token", "kind": "bearer", "value": "{{token}}", "hosts": [host]}],
            "hosts": [host],
            "streams": [{"name": "orders", "entity": "order", "mode": "snapshot", "framing": "json", "record_key": "/id"}],
        });
        Manifest::parse(manifest.to_string().as_bytes()).expect("a manifest")
    }

    fn account(host: &str, tenant: char, connection: char, shop: &str, token: &str) -> Account {
        let config = json!({ "shop": shop });
        let id = |last: char| format!("01890a5d-ac96-774b-bcce-b302099a805{last}");
        let context = ConnectionContext {
            tenant: id(tenant).parse().expect("an id"),
            id: id(connection).parse().expect("an id"),
            config: Arc::from(config.to_string()),
            secrets: vec![("token".to_owned(), SecretValue::new(token))],
            egress_grants: Vec::new(),
            time_zone: "UTC".to_owned(),
            files: Vec::new(),
        };
        Account::of(&manifest(host), &context, &config)
    }

    #[test]
    fn the_same_shop_and_token_are_one_account() {
        let host = "{{shop}}.shops.example";
        let acme = account(host, '1', '1', "acme", "a");
        assert_eq!(acme, account(host, '1', '2', "acme", "a"));
        assert_ne!(acme, account(host, '1', '2', "acme", "b"));
        assert_ne!(acme, account(host, '1', '2', "other", "a"));
        assert_ne!(acme, account(host, '2', '1', "acme", "a"), "another tenant has its own");
    }

    #[test]
    fn where_all_share_a_host_the_token_alone_tells_accounts_apart() {
        let host = "api.shops.example";
        let acme = account(host, '1', '1', "acme", "a");
        assert_eq!(acme, account(host, '1', '2', "renamed", "a"));
        assert_ne!(acme, account(host, '1', '2', "acme", "b"));
    }
}
