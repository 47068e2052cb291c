//! The boundary tried with what nobody would think of: random answers of a guest, random requests of the
//! host, damaged manifests and components. Whatever it is, there is an answer that keeps the contract or a
//! refusal in words; never a panic, never a wait without end.
//!
//! proptest prints the smallest input that fails, as the bytes of its script: paste them to run it again.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use portolan_commerce::document::Document;
use portolan_connector::{ChunkInfo, Continuation, Fault, NormalizeRequest, Normalized, Page, PluginRuntime};
use portolan_core::Instant;
use portolan_plugin_host::inspect;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::parasite::hollow;
use crate::support::{NOW, Sandbox, behaving};

const MANIFEST: &[u8] = include_bytes!("../guests/hostile/plugin.json");

/// Years 1 to 9999 in microseconds.
const CALENDAR: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// Cases of one property: the whole file ends within seconds.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() }
}

fn with_sandbox<T>(work: impl AsyncFnOnce(&Sandbox) -> T) -> T {
    static PLACE: OnceLock<(Runtime, Sandbox)> = OnceLock::new();
    let (runtime, sandbox) = PLACE.get_or_init(|| {
        let runtime = Runtime::new().expect("a runtime");
        let sandbox = runtime.block_on(Sandbox::new());
        (runtime, sandbox)
    });
    runtime.block_on(in_time(work(sandbox)))
}

/// No call may hang, whatever it is about.
async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work).await.expect("it ends")
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn what_normalize_emits_keeps_the_contract(script in prop::collection::vec(any::<u8>(), 0..600)) {
        let answer = with_sandbox(async |sandbox| {
            sandbox.runtime.normalize(&sandbox.plugin, request(Bytes::from(script.clone()))).await
        });
        match answer {
            Ok(normalized) => keeps_the_contract(&normalized)?,
            Err(fault) => is_in_words(&fault)?,
        }
    }

    #[test]
    fn what_fetch_returns_keeps_the_contract(script in prop::collection::vec(any::<u8>(), 0..200)) {
        let script: String = script.iter().map(|byte| format!("{byte:02x}")).collect();
        let answer = with_sandbox(async |sandbox| sandbox.fetch(behaving("script", &script)).await);
        match answer {
            Ok(page) => is_a_page(&page)?,
            Err(fault) => is_in_words(&fault)?,
        }
    }

    #[test]
    fn whatever_the_host_asks_is_answered(
        texts in prop::collection::vec(any_text(), 5),
        body in prop::collection::vec(any::<u8>(), 0..200),
        received_at in any::<i64>(),
    ) {
        let [stream, framing, content_type, config, time_zone] = &texts[..] else { unreachable!("five") };
        let info = ChunkInfo { stream: stream.clone(), framing: framing.clone(), content_type: content_type.clone() };
        let request = NormalizeRequest {
            info,
            body: Bytes::from(body),
            config: Arc::from(config.as_str()),
            time_zone: time_zone.clone(),
            received_at: Instant(received_at),
        };
        let answer = with_sandbox(async |sandbox| sandbox.runtime.normalize(&sandbox.plugin, request).await);
        if let Err(fault) = answer {
            is_in_words(&fault)?;
        }
        let mut context = behaving("echo", "").context();
        context.config = Arc::from(config.as_str());
        context.time_zone = time_zone.clone();
        let report = with_sandbox(async |sandbox| sandbox.runtime.check(&sandbox.plugin, context, Instant(received_at)).await);
        if let Err(fault) = report {
            is_in_words(&fault)?;
        }
    }

    #[test]
    fn a_changed_manifest_is_accepted_whole_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 1..4),
    ) {
        let mut manifest: Value = serde_json::from_slice(MANIFEST).expect("a manifest");
        for (place, value) in changes {
            let paths = paths_of(&manifest);
            let path = &paths[place.index(paths.len())];
            if let Some(slot) = manifest.pointer_mut(path) {
                *slot = value;
            }
        }
        inspected(&manifest.to_string().into_bytes())?;
    }

    #[test]
    fn a_damaged_manifest_is_accepted_whole_or_refused(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut manifest = MANIFEST.to_vec();
        for (place, byte) in damage {
            let place = place.index(manifest.len());
            manifest[place] = byte;
        }
        inspected(&manifest)?;
    }

    #[test]
    fn a_damaged_component_is_refused_in_words(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = small_component();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let answer = with_sandbox(async |sandbox| sandbox.runtime.install(Bytes::from(bytes)).await);
        // It exports nothing of the contract: however it is damaged, it is no plugin.
        let fault = answer.expect_err("it is no plugin");
        is_in_words(&fault)?;
    }
}

fn request(body: Bytes) -> NormalizeRequest {
    NormalizeRequest {
        info: ChunkInfo {
            stream: "orders".to_owned(),
            framing: "json".to_owned(),
            content_type: "application/json".to_owned(),
        },
        body,
        config: Arc::from(json!({ "behaviour": "script" }).to_string()),
        time_zone: "UTC".to_owned(),
        received_at: NOW,
    }
}

/// Every raw record accounted for, every text fit for a table.
fn keeps_the_contract(normalized: &Normalized) -> TestCaseResult {
    let Normalized { documents, skipped, seen, emitted, .. } = normalized;
    let emitted_records: BTreeSet<u32> = documents.iter().flat_map(records_of).collect();
    let skipped_records: BTreeSet<u32> = skipped.iter().map(|skip| skip.src).collect();
    prop_assert_eq!(emitted_records.len() as u32, *emitted);
    prop_assert_eq!(emitted_records.union(&skipped_records).count() as u32, *seen);
    prop_assert!(emitted_records.iter().chain(&skipped_records).all(|record| record < seen));
    for document in documents {
        let shown = serde_json::to_string(document).expect("json");
        prop_assert!(!shown.contains("\\u0000"), "{}", shown);
    }
    for skip in skipped {
        prop_assert!(skip.reason.chars().count() <= 500 && !skip.reason.chars().any(char::is_control));
    }
    Ok(())
}

fn records_of(document: &Document) -> Vec<u32> {
    let with = |src: u32, also: &[u32]| std::iter::once(src).chain(also.iter().copied()).collect();
    match document {
        Document::Order(order) => with(order.src, &order.also),
        Document::Refund(refund) => with(refund.src, &refund.also),
        other => {
            let src = serde_json::to_value(other).expect("json")["src"].as_u64();
            vec![src.and_then(|src| u32::try_from(src).ok()).expect("every document has one")]
        }
    }
}

fn is_a_page(page: &Page) -> TestCaseResult {
    prop_assert!(page.expected.is_none_or(|expected| expected <= 1_000_000_000_000));
    prop_assert!(page.progress_percent.is_none_or(|percent| percent <= 100));
    for chunk in &page.chunks {
        prop_assert_eq!(&chunk.info.stream, "orders");
        prop_assert!(!chunk.info.framing.chars().any(char::is_control));
    }
    match &page.next {
        Continuation::Done => {}
        Continuation::More(token) => prop_assert!(token.len() <= 64 << 10),
        Continuation::Wait(wait) => prop_assert!(wait.wait_ms <= 24 * 3_600_000),
        Continuation::Split(slices) => {
            prop_assert!(!slices.is_empty());
            for slice in slices {
                let times = [slice.since, slice.until];
                prop_assert!(times.into_iter().flatten().all(|time| CALENDAR.contains(&time.0)));
                prop_assert_eq!(&slice.stream, "orders");
            }
        }
    }
    Ok(())
}

/// Bounded words without anything that moves a terminal.
fn is_in_words(fault: &Fault) -> TestCaseResult {
    let words = fault.to_string();
    prop_assert!(!words.is_empty() && words.len() < 8_000, "{}", words);
    prop_assert!(!words.chars().any(char::is_control), "{:?}", words);
    Ok(())
}

/// Accepted, it says the same again; refused, it says why.
fn inspected(manifest: &[u8]) -> TestCaseResult {
    match inspect(&hollow("", &[manifest]), 64 << 20) {
        Ok(inspected) => {
            let again = serde_json::to_vec(&inspected.manifest).expect("json");
            let second = inspect(&hollow("", &[&again]), 64 << 20);
            let second = second.map_err(|fault| TestCaseError::fail(format!("accepted once: {fault}")))?;
            prop_assert_eq!(second.manifest, inspected.manifest);
            Ok(())
        }
        Err(fault) => is_in_words(&fault),
    }
}

/// A component with something of everything, small enough to be compiled hundreds of times.
fn small_component() -> Vec<u8> {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let build = || {
        hollow(
            r#"(core module $m
                (memory (export "memory") 1) (table 4 funcref) (global $g (mut i32) (i32.const 7))
                (func $add (export "add") (param i32 i32) (result i32)
                    (local i32) (block (loop (br_if 1 (local.get 0)) (global.set $g (i32.const 1))))
                    (i32.add (local.get 0) (local.get 1)))
                (func $call (param i32) (call_indirect (local.get 0)))
                (elem (i32.const 0) $call) (data (i32.const 0) "words"))
              (core instance $i (instantiate $m))
              (func $lifted (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "add")))
              (component $inner (import "add" (func (param "a" s32) (param "b" s32) (result s32))))
              (instance (instantiate $inner (with "add" (func $lifted))))
              (export "add" (func $lifted))"#,
            &[MANIFEST],
        )
    };
    BYTES.get_or_init(build).clone()
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just(String::new()),
        Just("{\"behaviour\":\"script\"}".to_owned()),
        Just("{\"shop\":{\"a\":[1]},\"sandbox_url\":7}".to_owned()),
        Just("\0\u{1b}[2J\u{202e}".to_owned()),
        Just("Europe/Berlin".to_owned()),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!({"a": {"b": [1, 2, {"c": null}]}})),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
        Just(json!("{{")),
        Just(json!("*.example")),
        Just(json!("169.254.169.254")),
    ]
}

/// Pointers to every value inside, the whole included.
fn paths_of(value: &Value) -> Vec<String> {
    let mut paths = vec![String::new()];
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(place, value)| (place.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, value) in inner {
        paths.extend(paths_of(value).into_iter().map(|path| format!("/{name}{path}")));
    }
    paths
}
