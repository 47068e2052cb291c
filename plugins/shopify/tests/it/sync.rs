//! Whole syncs against the sandbox, compared with what the world knows of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use portolan_plugin_shopify::Shopify;
use portolan_sandbox_shopify::{LineKind, MonthTruth, Options, Sandbox, Shop, ThrottlePlan};
use portolan_sdk::commerce::Order;
use portolan_sdk::testing::{Answer, Host, Output, request as request_page};
use portolan_sdk::{Connector, Continuation, Error, FetchRequest, Moment};

use crate::support::{Synced, connection_to, fetch, normalize, sync, to_answer, window};

const SHOPS: [&str; 3] = ["demo-kolkata", "demo-berlin", "demo-tokyo"];

/// One tiny world for all tests that don't disturb it.
static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::new(Options::tiny()));

/// Every order of each shop, synced once.
static ORDERS: LazyLock<BTreeMap<&str, Synced>> = LazyLock::new(|| {
    let all = |name| sync(&SANDBOX, name, &window("orders", None, None)).expect("a sync");
    SHOPS.iter().map(|name| (*name, all(name))).collect()
});

fn all_orders(shop: &str) -> &'static Output {
    &ORDERS[shop].output
}

#[test]
fn every_order_refund_and_transaction_arrives_once() {
    let sandbox = &*SANDBOX;
    for name in SHOPS {
        let truth = sandbox.world.shop(name).expect("a shop").truth();
        let output = all_orders(name);
        assert!(output.skipped.is_empty(), "{:?}", output.skipped);
        assert_eq!(output.seen, truth.order_documents);
        assert_eq!(output.orders.len() as u64, truth.order_documents);
        assert_eq!(output.refunds.len() as u64, truth.refund_documents);
        assert_eq!(output.transactions.len() as u64, truth.transaction_documents);
        let keys = output.orders.iter().map(|order| &order.key).collect::<BTreeSet<_>>();
        assert_eq!(keys.len(), output.orders.len());
        assert_eq!(output.orders.iter().filter(|order| order.test).count() as u64, truth.test_orders);
    }
}

#[test]
fn windows_that_meet_bring_the_same_as_one() {
    let sandbox = &*SANDBOX;
    let until = sandbox.world.until;
    let whole = all_orders(SHOPS[0]);
    let mut keys = Vec::new();
    let bounds = [None, Some(until - 86_400 * 400), Some(until - 86_400 * 90), Some(until)];
    for pair in bounds.windows(2) {
        let part = sync(sandbox, SHOPS[0], &window("orders", pair[0], pair[1])).expect("a sync");
        assert_eq!(part.expected, Some(part.output.seen), "the channel's count is given");
        assert_eq!(part.pages, (part.output.seen as usize).div_ceil(100).max(1));
        keys.extend(part.output.orders.iter().map(|order| order.key.clone()));
    }
    keys.sort();
    let mut expected = whole.orders.iter().map(|order| order.key.clone()).collect::<Vec<_>>();
    expected.sort();
    assert_eq!(keys, expected);
}

#[test]
fn long_orders_lose_no_line_and_no_sale() {
    let sandbox = &*SANDBOX;
    let shop = &sandbox.world.shops[0];
    let output = all_orders(SHOPS[0]);
    let mapped = output.orders.iter().map(|order| (order.key.clone(), order)).collect::<BTreeMap<_, _>>();
    let mut longest = 0;
    for order in shop.each_order() {
        let found = mapped[&format!("Order/{}", order.id)];
        let lines = order.lines.iter().filter(|line| line.kind != LineKind::Tip).count();
        let sales = order.agreements.iter().map(|agreement| agreement.sales.len()).sum::<usize>();
        assert_eq!(found.lines.len(), lines);
        assert_eq!(found.agreements.len(), order.agreements.len());
        assert_eq!(found.agreements.iter().map(|agreement| agreement.sales.len()).sum::<usize>(), sales);
        longest = longest.max(lines);
    }
    assert!(longest > 12, "the world has orders beyond a nested page");
}

#[test]
fn the_parts_of_an_order_add_up_to_its_total() {
    for name in SHOPS {
        for order in &all_orders(name).orders {
            let on_top = if order.tax_included { 0 } else { order.tax };
            let parts = order.gross - order.discount + order.shipping + order.tip + order.duty + on_top;
            assert_eq!(parts, order.total, "{}", order.key);
            let lines = order.lines.iter().map(|line| line.tax).sum::<i64>();
            let shipping = order.shipping_taxes.iter().map(|tax| tax.amount).sum::<i64>();
            assert_eq!(lines + shipping, order.tax, "{}", order.key);
        }
    }
}

/// The world's totals, from documents alone.
fn mapped_truth(orders: &[Order], shop: &Shop) -> BTreeMap<String, MonthTruth> {
    let mut months = BTreeMap::<String, MonthTruth>::new();
    for order in orders.iter().filter(|order| !order.test) {
        let mut standing = 0;
        for agreement in &order.agreements {
            let month = months.entry(month(shop, agreement.happened_at)).or_default();
            for sale in &agreement.sales {
                let net = sale.gross - sale.discount - if order.tax_included { sale.tax } else { 0 };
                let quantity = sale.quantity.map_or(0, |quantity| quantity.unscaled);
                month.taxes_minor += sale.tax;
                match sale.line_kind.as_str() {
                    "product" => {
                        month.net_sales_minor += net;
                        month.units_net += quantity;
                        if sale.action == "return" {
                            month.returns_minor -= net;
                        } else {
                            month.units_ordered += quantity;
                        }
                        if agreement.reason != "refund" {
                            standing += quantity;
                        }
                    }
                    "gift-card" => month.gift_cards_minor += net,
                    "tip" => month.tips_minor += net,
                    "shipping" => month.shipping_minor += net,
                    "duty" => month.duties_minor += net,
                    "adjustment" => {
                        month.net_sales_minor += net;
                        month.returns_minor -= net;
                        month.refund_discrepancy_minor -= net;
                    }
                    other => panic!("{other}"),
                }
            }
        }
        if order.cancelled_at.is_none() && standing > 0 {
            months.entry(month(shop, order.placed_at)).or_default().orders += 1;
        }
    }
    months
}

fn month(shop: &Shop, moment: Moment) -> String {
    let Moment::At(instant) = moment else { panic!("an exact instant") };
    portolan_sandbox_shopify::local_month(shop.profile.zone, instant / 1_000_000)
}

#[test]
fn the_documents_say_what_the_world_says() {
    let sandbox = &*SANDBOX;
    for name in SHOPS {
        let shop = sandbox.world.shop(name).expect("a shop");
        let mut truth = shop.truth().months;
        for month in truth.values_mut() {
            // Their difference is in net sales; each alone depends on how a discount's tax is rounded.
            (month.gross_sales_minor, month.discounts_minor) = (0, 0);
        }
        assert_eq!(mapped_truth(&all_orders(name).orders, shop), truth);
    }
}

#[test]
fn refunds_balance_and_say_what_went_beyond_the_lines() {
    let sandbox = &*SANDBOX;
    for name in SHOPS {
        let output = all_orders(name);
        let planted = sandbox.world.shop(name).expect("a shop").each_order().flat_map(|order| order.refunds);
        let planted =
            planted.map(|refund| (format!("Refund/{}", refund.id), refund)).collect::<BTreeMap<_, _>>();
        let included = output.orders.first().is_some_and(|order| order.tax_included);
        assert!(!output.refunds.is_empty());
        for mapped in &output.refunds {
            let lines = mapped.lines.iter().map(|line| line.amount).sum::<i64>();
            let tax = if included { 0 } else { mapped.tax + mapped.shipping_tax };
            let worth = lines + mapped.shipping + mapped.duty + mapped.tip + tax + mapped.adjustment;
            assert_eq!(worth, mapped.total);
            assert_eq!(mapped.total, planted[&mapped.key].total_minor);
            if mapped.total != 0 {
                assert_eq!(mapped.adjustment, planted[&mapped.key].adjustment_minor);
            }
        }
    }
}

#[test]
fn products_variants_customers_and_the_store_arrive() {
    let sandbox = &*SANDBOX;
    let shop = &sandbox.world.shops[0];
    let truth = shop.truth();
    let products = sync(sandbox, SHOPS[0], &window("products", None, None)).expect("a sync");
    assert_eq!(products.expected, Some(truth.products));
    assert_eq!(products.output.products.len() as u64, truth.products + truth.variants);
    let variant =
        products.output.products.iter().find(|product| product.parent.is_some()).expect("a variant");
    assert_eq!(variant.currency.as_deref(), Some("INR"));
    assert!(variant.price.is_some() && variant.sku.is_some());

    let customers = sync(sandbox, SHOPS[0], &window("customers", None, None)).expect("a sync");
    assert_eq!(customers.output.customers.len() as u64, truth.customers);
    assert!(
        customers
            .output
            .customers
            .iter()
            .all(|customer| customer.person.is_none() && customer.country.is_some())
    );

    let stores = sync(sandbox, SHOPS[0], &window("stores", None, None)).expect("a sync");
    let store = &stores.output.stores[0];
    let facts = (store.key.as_str(), store.currency.as_deref(), store.time_zone.as_deref());
    assert_eq!(facts, ("demo-kolkata.myshopify.com", Some("INR"), Some("Asia/Kolkata")));

    let orders = all_orders(SHOPS[0]);
    let catalogue = products.output.products.iter().map(|product| &product.key).collect::<BTreeSet<_>>();
    let people = customers.output.customers.iter().map(|customer| &customer.key).collect::<BTreeSet<_>>();
    for order in &orders.orders {
        assert!(order.customer.as_ref().is_none_or(|customer| people.contains(customer)));
        assert_eq!(order.store.as_deref(), Some(store.key.as_str()));
        for line in &order.lines {
            assert!([&line.product, &line.variant].into_iter().flatten().all(|key| catalogue.contains(key)));
        }
    }
}

#[test]
fn normalising_again_in_any_order_gives_the_same_documents() {
    let synced = &ORDERS[SHOPS[1]];
    let mut again = Output::default();
    for chunk in synced.chunks.iter().rev() {
        again.add(normalize(chunk).expect("documents"));
    }
    let sorted = |output: &Output| {
        let mut orders = output.orders.clone();
        orders.sort_by(|left, right| left.key.cmp(&right.key));
        orders
    };
    assert_eq!(sorted(&synced.output), sorted(&again));
}

#[test]
fn a_page_that_leaves_too_little_budget_asks_to_wait_before_the_next() {
    let throttle = ThrottlePlan { maximum_available: 1_000, restore_rate: 50 };
    let sandbox = &Sandbox::new(Options { throttle, ..Options::tiny() });
    let slice = window("customers", None, None);
    let request = |token| FetchRequest { token, ..request_page(&connection_to(SHOPS[0]), &slice, None) };
    let first = fetch(sandbox, SHOPS[0], &request(None)).page.expect("a page");
    assert_eq!(first.next, Continuation::Done, "a page of customers is cheap");

    let slice = window("orders", None, None);
    let request = |token| FetchRequest { token, ..request_page(&connection_to(SHOPS[0]), &slice, None) };
    let first = fetch(sandbox, SHOPS[0], &request(None)).page.expect("a page");
    let Continuation::Wait(wait) = first.next else { panic!("{:?}", first.next) };
    assert!(wait.ms > 100, "{} ms", wait.ms);
    assert_eq!(first.chunks.len(), 1, "what came stays");
    match fetch(sandbox, SHOPS[0], &request(Some(wait.token))).page {
        Err(Error::RateLimited(retry)) => assert!(retry.after_ms.is_some_and(|ms| ms >= 1_000)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_check_says_who_is_there() {
    let sandbox = &*SANDBOX;
    let query = portolan_plugin_shopify::all_queries()
        .into_iter()
        .find(|(name, _)| name == "shop")
        .expect("a query")
        .1
        .text;
    let body = serde_json::json!({ "query": query }).to_string();
    let route = format!("POST {}", portolan_plugin_shopify::ENDPOINT);
    let check = |shop: &str, token: &str| {
        let answer = to_answer(&sandbox.answer(Some(shop), Some(token), None, body.as_bytes()));
        Host::new().answer(&route, answer).run(|| Shopify::check(&connection_to(shop)))
    };
    let report = check(SHOPS[0], "shpat_sandbox").expect("a report");
    assert_eq!((report.display_name.as_str(), report.notes.len()), ("Hooghly Tea & Textiles", 0));
    assert_eq!(report.time_zone.as_deref(), Some("Asia/Kolkata"));
    assert!(matches!(check(SHOPS[0], "wrong"), Err(Error::Auth(_))));
    assert!(matches!(check("nowhere", "shpat_sandbox"), Err(Error::InvalidConfig(_))));
    let answer = Host::new().answer(&route, Answer::json("[]")).run(|| Shopify::check(&connection_to("x")));
    assert!(answer.is_err());
}
