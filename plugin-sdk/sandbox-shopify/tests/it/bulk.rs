//! Bulk operations: what may be asked, how they go, and the files that they leave.

use std::collections::BTreeMap;
use std::path::Path;

use portolan_sandbox_shopify::{BulkPlan, ExportOutcome, Fault, FaultKind, Options, Sandbox};
use serde_json::{Value, json};

use crate::{data, everything};

const SHOP: &str = "demo-kolkata";
const QUERY: &str = "{ orders { edges { node { id name lineItems { edges { node { id title } } }
    agreements { edges { node { id sales { edges { node { __typename quantity } } } } } } } } } }";
const BEGIN: &str = "mutation($query: String!) { bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id status } userErrors { field message code } } }";
const ASK: &str =
    "query($id: ID!) { bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount fileSize
    url partialDataUrl completedAt } }";

fn begin(sandbox: &Sandbox, query: &str) -> Value {
    data(sandbox, SHOP, BEGIN, json!({ "query": query }))["bulkOperationRunQuery"].take()
}

fn ask(sandbox: &Sandbox, id: &Value) -> Value {
    data(sandbox, SHOP, ASK, json!({ "id": id }))["bulkOperation"].take()
}

fn ended(sandbox: &Sandbox, id: &Value) -> Value {
    loop {
        let operation = ask(sandbox, id);
        if !matches!(operation["status"].as_str(), Some("CREATED" | "RUNNING")) {
            return operation;
        }
    }
}

fn read(sandbox: &Sandbox, url: &Value, range: Option<&str>) -> (u16, Vec<u8>) {
    let path = url.as_str().and_then(|url| url.split('?').next()).expect("an address");
    let name = path.rsplit('/').next().expect("a name");
    let reply = sandbox.answer_file(SHOP, name, range, None);
    (reply.status, reply.body)
}

#[test]
fn a_file_says_what_pages_say_and_comes_in_ranges() {
    let bulk = BulkPlan { roots_per_poll: 100, ..BulkPlan::USUAL };
    let sandbox = Sandbox::new(Options { bulk, ..Options::tiny() });
    let id = begin(&sandbox, QUERY)["bulkOperation"]["id"].take();
    let states = [(); 4].map(|()| ask(&sandbox, &id)["rootObjectCount"].clone());
    assert_eq!(states, ["0", "100", "200", "240"].map(|count| json!(count)));
    let operation = ended(&sandbox, &id);
    assert_eq!((&operation["status"], &operation["partialDataUrl"]), (&json!("COMPLETED"), &Value::Null));
    let (status, whole) = read(&sandbox, &operation["url"], None);
    assert_eq!(
        (status, whole.len().to_string()),
        (200, operation["fileSize"].as_str().expect("a size").to_owned())
    );

    let lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines = lines.map(|line| serde_json::from_slice::<Value>(line).expect("JSON")).collect::<Vec<_>>();
    assert_eq!(operation["objectCount"], lines.len().to_string());
    let mut children = BTreeMap::<String, usize>::new();
    for line in &lines {
        if let Some(parent) = line["__parentId"].as_str() {
            *children.entry(parent.to_owned()).or_default() += 1;
        }
    }
    let fields = "id name lineItems(first: 50) { nodes { id } } agreements(first: 9) { nodes { id sales(first: 99) { nodes { quantity } } } }";
    let pages = everything(&sandbox, SHOP, "orders", fields, 100);
    let roots = lines.iter().filter(|line| line["__parentId"].is_null());
    assert_eq!(roots.count(), pages.len());
    for order in &pages {
        let nodes = |of: &Value| of["nodes"].as_array().map_or(0, Vec::len);
        let id = order["id"].as_str().expect("an id");
        assert_eq!(children[id], nodes(&order["lineItems"]) + nodes(&order["agreements"]), "{id}");
        for agreement in order["agreements"]["nodes"].as_array().expect("agreements") {
            let id = agreement["id"].as_str().expect("an id");
            assert_eq!(children[id], nodes(&agreement["sales"]), "{id}");
        }
    }

    let mut pieced = Vec::new();
    while pieced.len() < whole.len() {
        let range = format!("bytes={}-{}", pieced.len(), pieced.len() + 9_998);
        let (status, piece) = read(&sandbox, &operation["url"], Some(&range));
        assert_eq!(status, 206);
        pieced.extend(piece);
    }
    assert!(pieced == whole, "the pieces are the whole");
    let beyond = format!("bytes={}-", whole.len());
    assert_eq!(read(&sandbox, &operation["url"], Some(&beyond)).0, 416);
}

#[test]
fn so_many_run_at_once_and_no_more() {
    let bulk = BulkPlan { at_once: 2, ..BulkPlan::USUAL };
    let sandbox = Sandbox::new(Options { bulk, ..Options::tiny() });
    let first = begin(&sandbox, QUERY)["bulkOperation"]["id"].take();
    begin(&sandbox, QUERY);
    let third = begin(&sandbox, QUERY);
    assert_eq!(third["userErrors"][0]["code"], "OPERATION_IN_PROGRESS");
    assert!(third["bulkOperation"].is_null());
    ended(&sandbox, &first);
    assert_eq!(begin(&sandbox, QUERY)["userErrors"], json!([]));
    let newest = data(
        &sandbox,
        SHOP,
        "{ bulkOperations(first: 1, reverse: true) { nodes { id query } }
        currentBulkOperation { id status } }",
        json!({}),
    );
    assert_eq!(newest["bulkOperations"]["nodes"][0]["id"], newest["currentBulkOperation"]["id"]);
    assert_eq!(newest["bulkOperations"]["nodes"][0]["query"], QUERY);
}

#[test]
fn each_outcome_is_what_it_says() {
    use ExportOutcome::{AccessDenied, Canceled, Expired, Failed, TimedOut};
    let ended = [Failed, TimedOut, AccessDenied, Canceled, Expired].map(|outcome| {
        let sandbox = Sandbox::new(Options::tiny());
        sandbox.inject(Fault::next(FaultKind::Export { outcome }));
        let id = begin(&sandbox, QUERY)["bulkOperation"]["id"].take();
        let operation = ended(&sandbox, &id);
        assert!(operation["url"].is_null() && operation["partialDataUrl"].is_string(), "{operation}");
        (operation["status"].clone(), operation["errorCode"].clone())
    });
    let told = |status: &str, code: Value| (json!(status), code);
    assert_eq!(
        ended,
        [
            told("FAILED", json!("INTERNAL_SERVER_ERROR")),
            told("FAILED", json!("TIMEOUT")),
            told("FAILED", json!("ACCESS_DENIED")),
            told("CANCELED", Value::Null),
            told("EXPIRED", Value::Null),
        ]
    );
}

#[test]
fn an_address_ends_and_the_operation_gives_another() {
    let sandbox = Sandbox::new(Options::tiny());
    let id = begin(&sandbox, QUERY)["bulkOperation"]["id"].take();
    let url = ended(&sandbox, &id)["url"].take();
    sandbox.inject(Fault::next(FaultKind::Export { outcome: ExportOutcome::LinkExpired }));
    assert_eq!(read(&sandbox, &url, None).0, 403);
    assert_eq!(read(&sandbox, &url, None).0, 403, "for good");
    let next = ask(&sandbox, &id)["url"].take();
    assert_ne!(next, url);
    assert_eq!(read(&sandbox, &next, None).0, 200);
    let with_token = sandbox.answer_file(SHOP, "7000000000001-1.jsonl", None, Some("shpat_sandbox"));
    assert_eq!(with_token.status, 400, "a credential has gone where it does not belong");
}

/// What real stores refused is refused here, with the same code and for the same reason.
#[test]
fn queries_are_refused_as_recorded() {
    let folder = "../../../shared/specs/shopify/graphql-captures";
    let name = "bulk-operations.2026-04.bulk-operation-run-query-validators.json";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        crate::schema::say("skipped: ../shared not present");
        return;
    };
    let recorded = serde_json::from_str::<Value>(&text).expect("JSON");
    let sandbox = Sandbox::new(Options::tiny());
    let cases = recorded["validations"].as_object().expect("cases");
    for (name, case) in cases {
        // The world has no fulfilments: its list with a connection inside is another.
        let query = case["variables"]["query"].as_str().expect("a query");
        let query = query.replace("fulfillments", "refunds").replace("events", "refundLineItems");
        let answer = begin(&sandbox, &query);
        let expected =
            case["response"]["data"]["bulkOperationRunQuery"]["userErrors"].as_array().expect("errors");
        let found = answer["userErrors"].as_array().expect("errors");
        assert_eq!(found.len(), expected.len(), "{name}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!((&found["code"], &found["field"]), (&expected["code"], &expected["field"]), "{name}");
        }
    }
    assert!(cases.len() >= 8, "{} cases", cases.len());
}
