use std::sync::Arc;

use portolan_connector::{ConnectionContext, EgressGrant, Manifest};
use serde_json::{Value, json};

use super::{Egress, Permit};

fn manifest() -> Manifest {
    let text = json!({
        "id": "sample", "version": "1.0.0", "kind": "connector", "name": "Sample", "publisher": "P", "contract": "0.1.0",
        "config": {
            "type": "object",
            "properties": {
                "shop": { "type": "string" }, "token": { "type": "string", "format": "secret" }, "url": { "type": "string" }
            }
        },
        "hosts": ["{{shop}}.shops.example", "files.example:8443"],
        "auth": [{ "id": "a", "kind": "bearer", "value": "{{token}}", "hosts": ["{{shop}}.shops.example"] }],
        "base_url": "https://{{shop}}.shops.example",
        "base_url_field": "url",
        "streams": [{ "name": "orders", "entity": "order", "mode": "snapshot", "framing": "json" }],
    });
    Manifest::parse(text.to_string().as_bytes()).expect("a manifest")
}

fn egress(grants: &[EgressGrant]) -> Egress {
    configured(&json!({ "shop": "acme" }), grants).expect("usable")
}

fn configured(config: &Value, grants: &[EgressGrant]) -> Result<Egress, String> {
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let connection = ConnectionContext {
        tenant: id.parse().expect("an id"),
        id: id.parse().expect("an id"),
        config: Arc::from(config.to_string()),
        secrets: Vec::new(),
        egress_grants: grants.to_vec(),
        time_zone: "UTC".to_owned(),
        files: Vec::new(),
    };
    Egress::new(&manifest(), config, &connection)
}

fn permitted(egress: &Egress, address: &str) -> Result<Permit, String> {
    egress.permit(&egress.resolve(address)?)
}

#[test]
fn declared_hosts_are_reached_by_https_on_their_port() {
    let egress = egress(&[]);
    for address in [
        "/orders",
        "https://acme.shops.example/x",
        "https://ACME.shops.example:443/",
        "https://files.example:8443/",
    ] {
        assert_eq!(permitted(&egress, address), Ok(Permit::Declared), "{address}");
    }
    for address in [
        "https://files.example/",
        "http://acme.shops.example/",
        "https://shops.example/",
        "https://1.1.1.1/",
        "https://acme.shops.example./",
        "ht\ttps://127.0.0.1/",
        "https://127.0.0.\n1/",
        "https:\\\\127.0.0.1\\",
        "\\\\127.0.0.1\\",
    ] {
        assert!(permitted(&egress, address).is_err(), "{address}");
    }
}

#[test]
fn a_path_stays_on_the_base_address() {
    let egress = egress(&[]);
    for path in ["/\\127.0.0.1/", "/\t/127.0.0.1/", "/..//127.0.0.1/", "/@127.0.0.1/", "/:80@127.0.0.1/"] {
        let url = egress.resolve(path).expect("a url");
        assert_eq!(
            (url.host_str(), url.port(), url.username()),
            (Some("acme.shops.example"), None, ""),
            "{path:?}"
        );
    }
}

#[test]
fn a_grant_replaces_the_base_address_and_nothing_else() {
    let grant = EgressGrant { scheme: "http".to_owned(), host: "127.0.0.1".to_owned(), port: 4010 };
    let config = json!({ "shop": "acme", "url": "http://127.0.0.1:4010" });
    let egress = configured(&config, std::slice::from_ref(&grant)).expect("usable");
    assert_eq!(permitted(&egress, "/orders"), Ok(Permit::Granted));
    assert!(permitted(&egress, "http://127.0.0.1:4011/").is_err());
    let url = egress.resolve("/orders").expect("a url");
    assert!(egress.binds(&[], true, &url, Permit::Granted), "the default scheme goes along");
    assert!(!egress.binds(&[], false, &url, Permit::Granted), "another one does not");
}

#[test]
fn a_base_address_without_a_grant_reaches_nothing() {
    let config = json!({ "shop": "acme", "url": "http://127.0.0.1:4010" });
    let egress = configured(&config, &[]).expect("usable");
    assert!(permitted(&egress, "/orders").is_err());
}

#[test]
fn a_configuration_cannot_smuggle_in_another_host() {
    for shop in ["evil.example/", "evil.example#", "a.b", "evil.example:443", "user@evil", "..", "-", "é"] {
        assert!(configured(&json!({ "shop": shop }), &[]).is_err(), "{shop}");
    }
}

#[test]
fn a_granted_ipv6_address_matches_with_or_without_brackets() {
    for host in ["::1", "[::1]"] {
        let grant = EgressGrant { scheme: "http".to_owned(), host: host.to_owned(), port: 80 };
        assert_eq!(permitted(&egress(&[grant]), "http://[::1]/"), Ok(Permit::Granted));
    }
}
