//! Places, stock and abandoned checkouts against what the world knows of itself.

use std::collections::BTreeSet;

use portolan_plugin_shopify::ENDPOINT;
use portolan_sandbox_shopify::{Fault, FaultKind, Options, Sandbox};
use portolan_sdk::testing::{Answer, Host, connection, request};
use portolan_sdk::{Decimal, Error};
use serde_json::{Value, json};

use crate::support::{
    bulk_connection_to, chunk, connection_to, fetch, history, normalize, sync, sync_over, window,
};

const SHOPS: [&str; 3] = ["demo-kolkata", "demo-berlin", "demo-tokyo"];

#[test]
fn every_level_of_every_place_arrives_once() {
    let sandbox = Sandbox::new(Options::tiny());
    for name in SHOPS {
        let truth = sandbox.world.shop(name).expect("a shop").truth();
        let levels = sync(&sandbox, name, &window("inventory", None, None)).expect("a sync").output;
        assert!(levels.skipped.is_empty(), "{:?}", levels.skipped);
        assert_eq!(levels.inventory.len() as u64, truth.inventory_levels);
        let keys =
            levels.inventory.iter().map(|level| (&level.product, &level.location)).collect::<BTreeSet<_>>();
        assert_eq!(keys.len(), levels.inventory.len());
        let sum = |amounts: Vec<Decimal>| amounts.iter().map(|amount| amount.unscaled).sum::<i64>();
        let all = &levels.inventory;
        assert_eq!(sum(all.iter().map(|level| level.on_hand).collect()), truth.units_on_hand);
        assert_eq!(sum(all.iter().filter_map(|level| level.available).collect()), truth.units_available);
        assert_eq!(sum(all.iter().filter_map(|level| level.incoming).collect()), truth.units_incoming);

        let places =
            sync(&sandbox, name, &window("locations", None, None)).expect("a sync").output.locations.clone();
        assert_eq!(places.len() as u64, truth.locations);
        let places = places.iter().map(|place| &place.key).collect::<BTreeSet<_>>();
        assert!(all.iter().all(|level| places.contains(&level.location)));

        let products = sync(&sandbox, name, &window("products", None, None)).expect("a sync");
        let variants = products.output.products.iter().filter(|one| one.parent.is_some()).map(|one| &one.key);
        let variants = variants.collect::<BTreeSet<_>>();
        assert!(
            all.iter().all(|level| variants.contains(&level.product)),
            "stock is of variants that are known"
        );
    }
}

#[test]
fn abandoned_checkouts_are_the_same_by_pages_and_by_bulk() {
    let sandbox = Sandbox::new(Options::tiny());
    for name in SHOPS {
        let truth = sandbox.world.shop(name).expect("a shop").truth();
        let pages = sync(&sandbox, name, &window("abandoned_checkouts", None, None)).expect("a sync");
        let slice = history("abandoned_checkouts", Some(0), Some(sandbox.world.until));
        let bulk = sync_over(&sandbox, name, &bulk_connection_to(name), &slice).expect("a file");
        assert!(bulk.waits > 0);
        let sorted = |mut checkouts: Vec<portolan_sdk::commerce::Checkout>| {
            checkouts.iter_mut().for_each(|checkout| checkout.src = 0);
            checkouts.sort_by(|left, right| left.key.cmp(&right.key));
            checkouts
        };
        let all = sorted(pages.output.checkouts.clone());
        assert_eq!(all, sorted(bulk.output.checkouts.clone()));
        assert_eq!((all.len() as u64, pages.expected), (truth.checkouts, Some(truth.checkouts)));
        let recovered = all.iter().filter(|checkout| checkout.stage == "recovered").count() as u64;
        assert_eq!(recovered, truth.recovered_checkouts);
        let left = all.iter().filter(|checkout| checkout.stage == "abandoned").map(|checkout| checkout.total);
        assert_eq!(left.sum::<i64>(), truth.abandoned_minor);
        assert!(all.iter().all(|checkout| checkout.url.is_none() && checkout.currency == truth.currency));
    }
}

#[test]
fn a_scope_that_only_a_stream_needs_pauses_that_stream_alone() {
    for stream in ["inventory", "locations", "abandoned_checkouts"] {
        let sandbox = Sandbox::new(Options::tiny());
        sandbox.inject(Fault::next(FaultKind::AccessDenied { scope: Some("read_locations".to_owned()) }));
        let slice = window(stream, None, None);
        let refused = fetch(&sandbox, SHOPS[0], &request(&connection_to(SHOPS[0]), &slice, None)).page;
        assert!(
            matches!(&refused, Err(Error::Unavailable(why)) if why.contains("read_locations")),
            "{stream}: {refused:?}"
        );
    }
}

fn level(tracked: bool, quantities: &Value) -> Value {
    json!({
        "id": "gid://shopify/InventoryLevel/1?inventory_item_id=2",
        "updatedAt": "2026-01-01T00:00:00Z",
        "item": { "id": "gid://shopify/InventoryItem/2", "tracked": tracked, "variant": { "id": "gid://shopify/ProductVariant/3" } },
        "location": { "id": "gid://shopify/Location/4" },
        "quantities": quantities,
    })
}

#[test]
fn what_is_not_tracked_has_nothing_available_and_what_has_no_quantity_is_put_aside() {
    let all = json!([{ "name": "on_hand", "quantity": -2 }, { "name": "available", "quantity": 5 }]);
    let none = json!([{ "name": "available", "quantity": 5 }]);
    let levels = json!([level(true, &all), level(false, &all), level(true, &none)]);
    let mut chunk = chunk("inventory", &levels);
    chunk.framing = "json:/data/locations/nodes/0/inventoryLevels/nodes".to_owned();
    chunk.body =
        json!({ "data": { "locations": { "nodes": [{ "inventoryLevels": { "nodes": levels } }] } } })
            .to_string()
            .into_bytes();
    let output = normalize(&chunk).expect("documents");
    let told = |index: usize| {
        let level = &output.inventory[index];
        (level.on_hand.unscaled, level.available.map(|available| available.unscaled), level.incoming)
    };
    assert_eq!((told(0), told(1)), ((-2, Some(5), None), (-2, None, None)));
    assert_eq!((output.skipped.len(), output.skipped[0].src), (1, 2));
    assert_eq!(output.inventory[0].product, "ProductVariant/3");
}

/// Places and their levels are walked by two cursors; neither may stand still.
#[test]
fn a_cursor_that_repeats_fails_instead_of_reading_for_ever() {
    let info = |next: bool, cursor: &str| json!({ "hasNextPage": next, "endCursor": cursor });
    let answer = |levels: Value, places: Value| {
        let nodes = json!([{ "id": "p", "inventoryLevels": { "nodes": [], "pageInfo": levels } }]);
        let body = json!({ "data": { "locations": { "nodes": nodes, "pageInfo": places } } });
        Host::new().answer(&format!("POST {ENDPOINT}"), Answer::json(body.to_string()))
    };
    let connection = connection(r#"{"shop":"demo.myshopify.com"}"#);
    let slice = window("inventory", None, None);
    let fetch = |host: Host, token: &str| {
        host.fetch::<portolan_plugin_shopify::Shopify>(&request(&connection, &slice, Some(token)))
    };
    let token = r#"{"place":"p1","after":"l1"}"#;
    let stuck = fetch(answer(info(true, "l1"), info(true, "p2")), token);
    assert!(matches!(stuck, Err(Error::UpstreamBug(_))));
    let stuck = fetch(answer(info(false, "l2"), info(true, "p1")), token);
    assert!(matches!(stuck, Err(Error::UpstreamBug(_))));
    let Ok(page) = fetch(answer(info(false, "l2"), info(true, "p2")), token) else { panic!("a page") };
    let portolan_sdk::Continuation::More(next) = page.next else { panic!("{:?}", page.next) };
    assert_eq!(
        serde_json::from_slice::<Value>(&next).expect("JSON"),
        json!({ "place": "p2", "after": null })
    );
}
