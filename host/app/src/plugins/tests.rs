use portolan_connector::Manifest;

use super::views::{how_text, secrets, used_text};

fn manifest() -> Manifest {
    serde_json::from_value(serde_json::json!({
        "id": "shop", "version": "0.1.0", "kind": "connector", "name": "Shop", "publisher": "Portolan",
        "contract": "0.1.0", "hosts": ["{{shop}}.example.com"],
        "config": {"type": "object", "properties": {
            "shop": {"type": "string"}, "token": {"type": "string", "format": "secret"},
            "spare": {"type": "string", "format": "secret"},
        }},
        "auth": [{"id": "token", "kind": "header", "header": "X-Token", "value": "{{token}}"}],
        "streams": [
            {"name": "orders", "entity": "order", "mode": "incremental", "framing": "json",
             "cursor_field": "updated_at", "largest_window_seconds": 2_592_000},
            {"name": "stores", "entity": "store", "mode": "snapshot", "framing": "json"},
        ],
    }))
    .expect("a manifest")
}

#[test]
fn each_secret_says_where_it_is_sent() {
    let told = secrets(&manifest());
    assert!(told.contains(&"token: sent as X-Token to {shop}.example.com".to_owned()), "{told:?}");
    assert!(told.contains(&"spare: kept, sent nowhere".to_owned()), "{told:?}");
}

#[test]
fn a_stream_says_how_it_is_read() {
    let manifest = manifest();
    let told: Vec<String> = manifest.streams.iter().map(how_text).collect();
    assert_eq!(told, ["by updated_at, windows of at most 30\u{202f}d", "whole each time"]);
}

#[test]
fn use_is_counted_in_connections() {
    assert_eq!(used_text(0), "not used");
    assert_eq!(used_text(1), "1 connection");
    assert_eq!(used_text(1_200), "1\u{202f}200 connections");
}
