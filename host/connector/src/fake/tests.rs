use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use portolan_commerce::document::{Document, Store};
use portolan_core::Instant;
use serde_json::json;

use super::FakeRuntime;
use crate::{
    ConnectionContext, Continuation, Fault, FetchRequest, Manifest, NormalizeRequest, Page, Payload,
    PluginRef, PluginRuntime, SliceMode, SliceSpec,
};

/// Nothing of the fake ever waits: one poll is enough.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the fake waits for nothing"),
    }
}

fn manifest() -> Manifest {
    let text = json!({
        "id": "fake", "version": "1.0.0", "kind": "connector", "name": "Fake", "publisher": "P", "contract": "0.1.0",
        "streams": [{ "name": "stores", "entity": "store", "mode": "snapshot", "framing": "json" }],
    });
    Manifest::parse(text.to_string().as_bytes()).expect("a manifest")
}

fn store(key: &str) -> Document {
    Document::Store(Store {
        src: 0,
        key: key.to_owned(),
        name: key.to_owned(),
        currency: None,
        time_zone: None,
    })
}

fn request(token: Option<Bytes>, since: Option<i64>, until: Option<i64>) -> FetchRequest {
    FetchRequest {
        connection: ConnectionContext {
            tenant: "01890a5d-ac96-774b-bcce-b302099a8056".parse().expect("an id"),
            id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().expect("an id"),
            config: Arc::from("{}"),
            secrets: Vec::new(),
            egress_grants: Vec::new(),
            time_zone: "UTC".to_owned(),
            files: Vec::new(),
        },
        slice: SliceSpec {
            stream: "stores".to_owned(),
            partition: None,
            since: since.map(Instant),
            until: until.map(Instant),
            mode: SliceMode::Snapshot,
        },
        token,
        now: Instant(0),
        deadline: Instant(60_000_000),
    }
}

fn plugin(runtime: &FakeRuntime) -> PluginRef {
    runtime.find("fake").expect("installed").plugin
}

fn body(page: &Page) -> Bytes {
    match &page.chunks[0].payload {
        Payload::Inline(body) => body.clone(),
        Payload::Staged(_) => panic!("inline"),
    }
}

#[test]
fn scripted_documents_come_out_of_normalize() {
    let runtime = FakeRuntime::new().plugin(manifest()).page("stores", &[store("a"), store("b")]).records(
        "stores",
        None,
        vec![json!({ "no": "document" }), super::record_of(&store("c"))],
    );
    let plugin = plugin(&runtime);
    let first = now(runtime.fetch(&plugin, request(None, None, None))).expect("a page");
    let Continuation::More(token) = first.next.clone() else { panic!("a second page") };
    let second = now(runtime.fetch(&plugin, request(Some(token), None, None))).expect("a page");
    assert!(matches!(second.next, Continuation::Done));
    assert_eq!((first.expected, second.expected), (Some(4), Some(4)));

    let request = NormalizeRequest {
        info: second.chunks[0].info.clone(),
        body: body(&second),
        config: Arc::from("{}"),
        time_zone: "UTC".to_owned(),
        received_at: Instant(0),
    };
    let normalized = now(runtime.normalize(&plugin, request)).expect("documents");
    assert_eq!((normalized.seen, normalized.emitted, normalized.skipped[0].src), (2, 1, 0));
    let Document::Store(store) = &normalized.documents[0] else { panic!("a store") };
    assert_eq!((store.key.as_str(), store.src), ("c", 1));
    assert_eq!(runtime.fetches().len(), 2);
}

#[test]
fn a_slice_sees_the_pages_of_its_window() {
    let runtime = FakeRuntime::new()
        .plugin(manifest())
        .page_at("stores", Instant(5), &[store("early")])
        .page_at("stores", Instant(15), &[store("late")]);
    let plugin = plugin(&runtime);
    let late = now(runtime.fetch(&plugin, request(None, Some(10), Some(20)))).expect("a page");
    assert!(String::from_utf8_lossy(&body(&late)).contains("late"));
    let none = now(runtime.fetch(&plugin, request(None, Some(20), None))).expect("a page");
    assert!(none.chunks.is_empty() && matches!(none.next, Continuation::Done));
}

#[test]
fn a_scripted_fault_happens_once() {
    let fault = Fault::Transient { after_ms: None, detail: "busy".to_owned() };
    let runtime = FakeRuntime::new().plugin(manifest()).page("stores", &[store("a")]).fetch_fault(
        "stores",
        0,
        fault.clone(),
    );
    let plugin = plugin(&runtime);
    assert_eq!(now(runtime.fetch(&plugin, request(None, None, None))).expect_err("a fault"), fault);
    assert!(now(runtime.fetch(&plugin, request(None, None, None))).is_ok());
}
