//! What a connector exports beyond the least: the SDK's macro makes it callable as the contract says.

use std::sync::Arc;

use bytes::Bytes;
use portolan_commerce::document::Document;
use portolan_connector::{ChunkInfo, Fault, NormalizeRequest, Normalized, PluginRuntime};
use portolan_plugin_host::SandboxRuntime;
use wasmtime::component::{Component, Linker, Val};
use wasmtime::{Config, Engine, Store};

use crate::support::{NOW, full_component, options};

/// Calls an exported function with nothing behind the imports.
fn call(interface: &str, function: &str, arguments: &[Val]) -> Val {
    let mut config = Config::new();
    config.wasm_component_model(true);
    let engine = Engine::new(&config).expect("an engine");
    let component = Component::new(&engine, full_component()).expect("a component");
    let mut linker = Linker::<()>::new(&engine);
    linker.define_unknown_imports_as_traps(&component).expect("imports");
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).expect("an instance");
    let interface =
        instance.get_export_index(&mut store, None, interface).expect("the interface is exported");
    let function =
        instance.get_export_index(&mut store, Some(&interface), function).expect("the function, too");
    let function = instance.get_func(&mut store, function).expect("a function");
    let mut results = [Val::Bool(false)];
    function.call(&mut store, arguments, &mut results).expect("an answer");
    let [result] = results;
    result
}

fn text(text: &str) -> Val {
    Val::String(text.to_owned())
}

fn record(fields: Vec<(&str, Val)>) -> Val {
    Val::Record(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn field<'v>(value: &'v Val, name: &str) -> &'v Val {
    let Val::Record(fields) = value else { panic!("{value:?} is no record") };
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value).expect(name)
}

#[tokio::test]
async fn a_connector_with_optional_exports_installs_and_starts() {
    let runtime = SandboxRuntime::new(options()).expect("the sandbox starts");
    let installed = runtime.install(full_component()).await.expect("it installs");
    assert_eq!(installed.manifest.webhooks.len(), 1);
    runtime.instantiate(&installed.plugin).await.expect("it starts");
}

#[test]
fn a_webhook_is_handled_by_the_connectors_own_code() {
    let connection = record(vec![
        ("config", text("{}")),
        ("base-url", Val::Option(None)),
        ("time-zone", text("UTC")),
        ("now", Val::S64(0)),
    ]);
    let header = |name: &str, value: &str| Val::Tuple(vec![text(name), text(value)]);
    let body = br#"{"id":1}"#;
    let event = record(vec![
        ("topic", Val::Option(Some(Box::new(text("products/updated"))))),
        ("method", text("POST")),
        ("path", text("/")),
        ("query", text("")),
        (
            "headers",
            Val::List(vec![header("x-shop-event-id", "e-1"), header("content-type", "application/json")]),
        ),
        ("body", Val::List(body.iter().copied().map(Val::U8).collect())),
    ]);
    let answer = call("portolan:plugin/webhook@0.1.0", "handle", &[connection, event]);
    let Val::Result(Ok(Some(outcome))) = answer else { panic!("{answer:?}") };
    assert_eq!(*field(&outcome, "event-id"), Val::Option(Some(Box::new(text("e-1")))));
    let Val::List(chunks) = field(&outcome, "chunks") else { panic!("{outcome:?}") };
    assert_eq!(*field(field(&chunks[0], "info"), "stream"), text("products"));
}

/// What the connector makes of one movement of a balance.
async fn movement(net: i64) -> Result<Normalized, Fault> {
    let runtime = SandboxRuntime::new(options()).expect("the sandbox starts");
    let plugin = runtime.install(full_component()).await.expect("it installs").plugin;
    let body = serde_json::json!([{
        "id": "m-1", "at": "2026-05-01T12:00:00Z", "category": "sale", "kind": "charge", "charge": "c-1",
        "currency": "EUR", "amount": 915, "fee": 45, "net": net, "charged": [1_000, "USD"]
    }]);
    let request = NormalizeRequest {
        info: ChunkInfo {
            stream: "balance".to_owned(),
            framing: "json".to_owned(),
            content_type: "application/json".to_owned(),
        },
        body: Bytes::from(body.to_string()),
        config: Arc::from("{}"),
        time_zone: "UTC".to_owned(),
        received_at: NOW,
    };
    runtime.normalize(&plugin, request).await
}

#[tokio::test]
async fn a_movement_of_a_balance_crosses_the_boundary_with_both_of_its_currencies() {
    let normalized = movement(870).await.expect("documents");
    let [Document::BalanceEntry(entry)] = normalized.documents.as_slice() else {
        panic!("{:?}", normalized.documents)
    };
    assert_eq!((entry.category.as_str(), entry.provider_kind.as_str()), ("sale", "charge"));
    assert_eq!(entry.payment.as_deref(), Some("c-1"));
    assert_eq!((entry.amount_minor, entry.fee_minor, entry.net_minor), (915, 45, 870));
    let charged = entry.charged.expect("what the buyer was charged");
    assert_eq!((charged.to_string().as_str(), entry.currency.as_str()), ("10.00 USD", "EUR"));
}

#[tokio::test]
async fn a_movement_whose_net_is_not_its_amount_less_its_fee_is_the_plugins_bug() {
    match movement(915).await {
        Err(Fault::PluginBug { detail }) => assert!(detail.contains("net is not amount − fee"), "{detail}"),
        other => panic!("{other:?}"),
    }
}
