//! What the world says of itself is what its documents say.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, TimeZone, Utc};
use chrono_tz::Tz;
use portolan_sandbox_shopify::{MonthTruth, Options, Sandbox};
use serde_json::Value;

use crate::{everything, minor};

const MONEY: &str = "{ shopMoney { amount } }";

fn orders(sandbox: &Sandbox, shop: &str) -> Vec<Value> {
    let fields = format!(
        "id test taxesIncluded cancelledAt createdAt totalPriceSet {MONEY} currentTotalPriceSet {MONEY}
         totalTaxSet {MONEY} totalRefundedSet {MONEY} originalTotalDutiesSet {MONEY}
         lineItems(first: 40) {{ nodes {{ quantity originalTotalSet {MONEY} totalDiscountSet {MONEY}
            taxLines {{ priceSet {MONEY} }} discountAllocations {{ allocatedAmountSet {MONEY} }} }} }}
         shippingLines(first: 3) {{ nodes {{ discountedPriceSet {MONEY} taxLines {{ priceSet {MONEY} }} }} }}
         transactions(first: 20) {{ kind status amountSet {MONEY} }}
         refunds(first: 20) {{ totalRefundedSet {MONEY} duties {{ amountSet {MONEY} }}
            refundLineItems(first: 40) {{ nodes {{ subtotalSet {MONEY} totalTaxSet {MONEY} }} }}
            refundShippingLines(first: 3) {{ nodes {{ subtotalAmountSet {MONEY} taxAmountSet {MONEY} }} }}
            orderAdjustments(first: 3) {{ nodes {{ amountSet {MONEY} }} }} }}
         agreements(first: 10) {{ nodes {{ happenedAt reason sales(first: 50) {{ nodes {{ lineType actionType quantity
            totalAmount {MONEY} totalTaxAmount {MONEY} totalDiscountAmountBeforeTaxes {MONEY} }} }} }} }}"
    );
    everything(sandbox, shop, "orders", &fields, 5)
}

fn nodes(connection: &Value) -> &[Value] {
    connection["nodes"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn month(zone: Tz, text: &Value) -> String {
    let at = text.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok()).expect("an instant");
    let local = zone.from_utc_datetime(&at.naive_utc());
    format!("{:04}-{:02}", local.year(), local.month())
}

/// The same totals, added up from what is served.
fn served_truth(orders: &[Value], zone: Tz, exponent: usize) -> BTreeMap<String, MonthTruth> {
    let mut months = BTreeMap::<String, MonthTruth>::new();
    for order in orders.iter().filter(|order| order["test"] == false) {
        let mut standing = 0;
        for agreement in nodes(&order["agreements"]) {
            let truth = months.entry(month(zone, &agreement["happenedAt"])).or_default();
            for sale in nodes(&agreement["sales"]) {
                let [total, tax] = ["totalAmount", "totalTaxAmount"].map(|name| minor(&sale[name], exponent));
                let net = total - tax;
                truth.taxes_minor += tax;
                match sale["lineType"].as_str().expect("a line type") {
                    "PRODUCT" => {
                        let quantity = sale["quantity"].as_i64().unwrap_or(0);
                        truth.net_sales_minor += net;
                        truth.units_net += quantity;
                        if sale["actionType"] == "RETURN" {
                            truth.returns_minor -= net;
                        } else {
                            let discount = minor(&sale["totalDiscountAmountBeforeTaxes"], exponent);
                            truth.discounts_minor += discount;
                            truth.gross_sales_minor += net + discount;
                            truth.units_ordered += quantity;
                        }
                        if agreement["reason"] != "REFUND" {
                            standing += quantity;
                        }
                    }
                    "GIFT_CARD" => truth.gift_cards_minor += net,
                    "TIP" => truth.tips_minor += net,
                    "SHIPPING" => truth.shipping_minor += net,
                    "DUTY" => truth.duties_minor += net,
                    "ADJUSTMENT" => {
                        truth.net_sales_minor += net;
                        truth.returns_minor -= net;
                        truth.refund_discrepancy_minor -= net;
                    }
                    other => panic!("{other}"),
                }
            }
        }
        if order["cancelledAt"].is_null() && standing > 0 {
            months.entry(month(zone, &order["createdAt"])).or_default().orders += 1;
        }
    }
    months
}

#[test]
fn the_truth_is_what_the_documents_add_up_to() {
    let sandbox = Sandbox::new(Options::tiny());
    for shop in &sandbox.world.shops {
        let served = orders(&sandbox, shop.profile.name);
        let truth = shop.truth();
        assert_eq!(truth.months, served_truth(&served, shop.profile.zone, truth.exponent as usize));
        assert!(truth.months.values().map(|month| month.net_sales_minor).sum::<i64>() > 0);
    }
}

fn sum(items: &[Value], exponent: usize, names: &[&str]) -> i64 {
    items.iter().flat_map(|item| names.iter().map(|name| minor(&item[*name], exponent))).sum()
}

#[test]
fn the_parts_of_every_order_add_up_to_its_totals() {
    let sandbox = Sandbox::new(Options::tiny());
    for shop in &sandbox.world.shops {
        let exponent = shop.profile.exponent as usize;
        for order in orders(&sandbox, shop.profile.name) {
            let included = order["taxesIncluded"] == true;
            let taxes = |item: &Value| {
                item["taxLines"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|tax| minor(&tax["priceSet"], exponent))
                    .sum::<i64>()
            };
            let (lines, shipping) = (nodes(&order["lineItems"]), nodes(&order["shippingLines"]));
            let tax = lines.iter().chain(shipping).map(taxes).sum::<i64>();
            assert_eq!(tax, minor(&order["totalTaxSet"], exponent));
            for line in lines {
                let allocations =
                    line["discountAllocations"].as_array().map(Vec::as_slice).unwrap_or_default();
                assert_eq!(
                    sum(allocations, exponent, &["allocatedAmountSet"]),
                    minor(&line["totalDiscountSet"], exponent)
                );
            }
            let goods =
                sum(lines, exponent, &["originalTotalSet"]) - sum(lines, exponent, &["totalDiscountSet"]);
            let duty = match &order["originalTotalDutiesSet"] {
                Value::Null => 0,
                bag => minor(bag, exponent),
            };
            let total = goods
                + sum(shipping, exponent, &["discountedPriceSet"])
                + duty
                + if included { 0 } else { tax };
            assert_eq!(total, minor(&order["totalPriceSet"], exponent), "{}", order["id"]);

            let on_top = |amount: i64| if included { 0 } else { amount };
            let sales = nodes(&order["agreements"]).iter().flat_map(|agreement| nodes(&agreement["sales"]));
            let current = sales.filter(|sale| sale["lineType"] != "ADJUSTMENT");
            let current = current.map(|sale| minor(&sale["totalAmount"], exponent)).sum::<i64>();
            assert_eq!(current, minor(&order["currentTotalPriceSet"], exponent), "{}", order["id"]);

            for refund in order["refunds"].as_array().into_iter().flatten() {
                let (lines, shipping) =
                    (nodes(&refund["refundLineItems"]), nodes(&refund["refundShippingLines"]));
                let tax = sum(lines, exponent, &["totalTaxSet"]) + sum(shipping, exponent, &["taxAmountSet"]);
                let duties = refund["duties"].as_array().map(Vec::as_slice).unwrap_or_default();
                let worth = sum(lines, exponent, &["subtotalSet"])
                    + sum(shipping, exponent, &["subtotalAmountSet"])
                    + sum(duties, exponent, &["amountSet"])
                    - sum(nodes(&refund["orderAdjustments"]), exponent, &["amountSet"]);
                let total = minor(&refund["totalRefundedSet"], exponent);
                assert!(total == worth + on_top(tax) || total == 0, "{}", order["id"]);
            }
        }
    }
}
