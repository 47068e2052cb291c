//! Orders written by hand, with amounts worked out by hand.

use portolan_sdk::commerce::Order;
use portolan_sdk::testing::Output;
use portolan_sdk::{Decimal, Moment};
use serde_json::{Value, json};

use crate::support::{chunk, normalize};

fn bag(amount: &str) -> Value {
    json!({ "shopMoney": { "amount": amount, "currencyCode": "EUR" },
            "presentmentMoney": { "amount": amount, "currencyCode": "EUR" } })
}

fn line(id: u64, quantity: i64, unit: &str, discount: &str, tax: &str, gift_card: bool) -> Value {
    let allocations = if discount == "0.0" {
        json!([])
    } else {
        json!([{ "allocatedAmountSet": bag(discount),
                 "discountApplication": { "__typename": "DiscountCodeApplication", "code": "TEA" } }])
    };
    let taxes = if tax == "0.0" {
        json!([])
    } else {
        json!([{ "title": "VAT", "rate": 0.19, "priceSet": bag(tax) }])
    };
    json!({ "id": format!("gid://shopify/LineItem/{id}"), "title": "Kettle", "variantTitle": "Large", "quantity": quantity,
        "sku": "K-1", "isGiftCard": gift_card, "product": { "id": "gid://shopify/Product/1" },
        "variant": { "id": "gid://shopify/ProductVariant/2" }, "originalUnitPriceSet": bag(unit),
        "discountAllocations": allocations, "taxLines": taxes })
}

/// total, tax, discount before and after taxes
fn sale(kind: &str, line: Option<u64>, action: &str, quantity: Option<i64>, amounts: [&str; 4]) -> Value {
    let mut sale = json!({ "__typename": "X", "lineType": kind, "actionType": action, "quantity": quantity,
        "totalAmount": bag(amounts[0]), "totalTaxAmount": bag(amounts[1]),
        "totalDiscountAmountBeforeTaxes": bag(amounts[2]), "totalDiscountAmountAfterTaxes": bag(amounts[3]) });
    if let Some(id) = line {
        sale["lineItem"] = json!({ "id": format!("gid://shopify/LineItem/{id}") });
    }
    sale
}

fn agreement(id: u64, at: &str, reason: &str, sales: Value) -> Value {
    json!({ "id": format!("gid://shopify/SalesAgreement/{id}"), "happenedAt": at, "reason": reason,
        "sales": { "nodes": sales } })
}

fn order(parts: Value) -> Value {
    let mut order = json!({
        "id": "gid://shopify/Order/77", "name": "#1077", "createdAt": "2026-03-01T10:00:00Z",
        "processedAt": "2026-03-01T10:00:00Z", "updatedAt": "2026-03-09T10:00:00Z", "test": false,
        "taxesIncluded": true, "currencyCode": "EUR", "presentmentCurrencyCode": "EUR",
        "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "FULFILLED", "sourceName": "web",
        "customer": { "id": "gid://shopify/Customer/5" },
        "shippingAddress": { "countryCodeV2": "AT", "provinceCode": null },
        "totalTaxSet": bag("0.0"), "totalTipReceivedSet": bag("0.0"),
    });
    let fields = order.as_object_mut().expect("an object");
    fields.extend(parts.as_object().cloned().expect("an object"));
    order
}

fn map(order: Value) -> Output {
    let output = normalize(&chunk("orders", &json!([order]))).expect("documents");
    assert!(output.skipped.is_empty(), "{:?}", output.skipped);
    output
}

/// Kind, action, line, units, gross, discount, tax.
type SaleFacts<'a> = (&'a str, &'a str, Option<&'a str>, Option<i64>, i64, i64, i64);

fn sales(order: &Order, agreement: usize) -> Vec<SaleFacts<'_>> {
    let sales = order.agreements[agreement].sales.iter();
    let fact = |sale: &'_ portolan_sdk::commerce::Sale| {
        (sale.quantity.map(|quantity| quantity.unscaled), sale.gross, sale.discount, sale.tax)
    };
    sales
        .map(|sale| {
            let (units, gross, discount, tax) = fact(sale);
            (sale.line_kind.as_str(), sale.action.as_str(), sale.line.as_deref(), units, gross, discount, tax)
        })
        .collect()
}

#[test]
fn an_edit_adds_a_line_and_takes_a_unit_out() {
    let output = map(order(json!({
        "totalPriceSet": bag("126.0"), "totalTaxSet": bag("20.12"),
        "lineItems": { "nodes": [line(1, 3, "40.0", "12.0", "17.24", false), line(2, 1, "18.0", "0.0", "2.88", false)] },
        "agreements": { "nodes": [
            agreement(1, "2026-03-01T10:00:00Z", "ORDER", json!([
                sale("PRODUCT", Some(1), "ORDER", Some(3), ["108.0", "17.24", "10.08", "12.0"])])),
            agreement(2, "2026-03-02T10:00:00Z", "ORDER_EDIT", json!([
                sale("PRODUCT", Some(2), "ORDER", Some(1), ["18.0", "2.88", "0.0", "0.0"]),
                sale("PRODUCT", Some(1), "RETURN", Some(-1), ["-36.0", "-5.75", "-3.36", "-4.0"])])),
        ] },
    })));
    let order = &output.orders[0];
    assert_eq!((order.gross, order.discount, order.tax, order.total), (13_800, 1_200, 2_012, 12_600));
    assert_eq!(order.agreements[1].reason, "edit");
    assert_eq!(sales(order, 0), [("product", "order", Some("LineItem/1"), Some(3), 12_000, 1_200, 1_724)]);
    // What of the discount is tax is Shopify's word, for it rounds per line and never again.
    let discount_taxes = order.agreements.iter().flat_map(|one| &one.sales).map(|sale| sale.discount_tax);
    assert_eq!(discount_taxes.collect::<Vec<_>>(), [Some(192), Some(0), Some(-64)]);
    assert_eq!(
        sales(order, 1),
        [
            ("product", "order", Some("LineItem/2"), Some(1), 1_800, 0, 288),
            ("product", "return", Some("LineItem/1"), Some(-1), -4_000, -400, -575),
        ]
    );
    let line = &order.lines[0];
    assert_eq!(
        (line.title.as_str(), line.quantity, line.unit_price),
        ("Kettle – Large", Decimal::whole(3), Some(Decimal::whole(40)))
    );
    assert_eq!(
        (line.allocations[0].code.as_deref(), line.allocations[0].kind.as_str()),
        (Some("TEA"), "code")
    );
    assert_eq!((line.taxes[0].kind.as_str(), line.taxes[0].rate), ("vat", Some(Decimal::new(19, 2))));
    assert_eq!((order.customer.as_deref(), order.country.as_deref()), (Some("Customer/5"), Some("AT")));
}

#[test]
fn tax_on_top_is_no_part_of_gross() {
    let output = map(order(json!({
        "taxesIncluded": false, "totalPriceSet": bag("99.0"), "totalTaxSet": bag("9.0"),
        "lineItems": { "nodes": [line(1, 1, "100.0", "10.0", "9.0", false)] },
        "agreements": { "nodes": [agreement(1, "2026-03-01T10:00:00Z", "ORDER", json!([
            sale("PRODUCT", Some(1), "ORDER", Some(1), ["99.0", "9.0", "10.0", "11.0"])]))] },
    })));
    assert_eq!(
        sales(&output.orders[0], 0),
        [("product", "order", Some("LineItem/1"), Some(1), 10_000, 1_000, 900)]
    );
    assert!(!output.orders[0].tax_included);
}

#[test]
fn a_partial_refund_with_shipping_and_goodwill_balances() {
    let output = map(order(json!({
        "totalPriceSet": bag("124.5"), "displayFinancialStatus": "PARTIALLY_REFUNDED",
        "lineItems": { "nodes": [line(1, 3, "40.0", "0.0", "19.16", false)] },
        "shippingLines": { "nodes": [{ "isRemoved": false, "discountedPriceSet": bag("4.5"), "taxLines": [] }] },
        "refunds": [{
            "id": "gid://shopify/Refund/8", "createdAt": "2026-03-09T10:00:00Z", "processedAt": "2026-03-09T09:59:00Z",
            "updatedAt": "2026-03-09T10:00:00Z", "totalRefundedSet": bag("49.5"), "duties": null,
            "refundLineItems": { "nodes": [{ "quantity": 1, "restockType": "NO_RESTOCK",
                "lineItem": { "id": "gid://shopify/LineItem/1", "product": { "id": "gid://shopify/Product/1" } },
                "subtotalSet": bag("40.0"), "totalTaxSet": bag("6.39") }] },
            "refundShippingLines": { "nodes": [{ "subtotalAmountSet": bag("4.5"), "taxAmountSet": bag("0.72") }] },
        }],
        "transactions": [
            { "id": "gid://shopify/OrderTransaction/1", "kind": "SALE", "status": "SUCCESS", "gateway": "card",
              "processedAt": "2026-03-01T10:00:01Z", "paymentId": "p1", "test": false, "amountSet": bag("124.5") },
            { "id": "gid://shopify/OrderTransaction/2", "kind": "REFUND", "status": "PENDING", "gateway": "card",
              "createdAt": "2026-03-09T10:00:00Z", "amountSet": bag("49.5"),
              "parentTransaction": { "id": "gid://shopify/OrderTransaction/1" } },
        ],
    })));
    let refund = &output.refunds[0];
    assert_eq!((refund.total, refund.shipping, refund.shipping_tax, refund.tax), (4_950, 450, 72, 639));
    assert_eq!(refund.adjustment, 500, "five were given back beyond the line and the shipping");
    assert_eq!((refund.lines[0].amount, refund.lines[0].restock.as_str()), (4_000, "no_restock"));
    assert_eq!(refund.order.as_deref(), Some("Order/77"));
    assert_eq!(refund.at, Moment::At(1_773_050_340_000_000));
    let facts = output
        .transactions
        .iter()
        .map(|one| (one.kind.as_str(), one.state.as_str(), one.amount, one.parent.as_deref()));
    let expected =
        [("sale", "succeeded", 12_450, None), ("refund", "pending", 4_950, Some("OrderTransaction/1"))];
    assert_eq!(facts.collect::<Vec<_>>(), expected);
}

#[test]
fn a_cancelled_order_says_when_and_why() {
    let output = map(order(json!({
        "cancelledAt": "2026-03-01T12:00:00Z", "cancelReason": "FRAUD", "totalPriceSet": bag("40.0"),
        "displayFinancialStatus": "VOIDED", "lineItems": { "nodes": [line(1, 1, "40.0", "0.0", "6.39", false)] },
        "agreements": { "nodes": [
            agreement(1, "2026-03-01T10:00:00Z", "ORDER", json!([sale("PRODUCT", Some(1), "ORDER", Some(1), ["40.0", "6.39", "0.0", "0.0"])])),
            agreement(2, "2026-03-01T12:00:00Z", "REFUND", json!([sale("PRODUCT", Some(1), "RETURN", Some(1), ["40.0", "6.39", "0.0", "0.0"])])),
        ] },
    })));
    let order = &output.orders[0];
    assert_eq!((order.state.as_str(), order.cancel_reason.as_deref()), ("cancelled", Some("fraud")));
    assert!(order.cancelled_at.is_some());
    let back = ("product", "return", Some("LineItem/1"), Some(-1), -4_000, 0, -639);
    assert_eq!(sales(order, 1), [back], "what is taken back is negative even where it is written positive");
}

#[test]
fn gift_cards_tips_and_duties_stand_apart_from_goods() {
    let output = map(order(json!({
        "totalPriceSet": bag("58.0"), "totalTipReceivedSet": bag("3.0"), "originalTotalDutiesSet": bag("5.0"),
        "lineItems": { "nodes": [line(1, 1, "50.0", "0.0", "0.0", true), line(9, 1, "3.0", "0.0", "0.0", false)] },
        "agreements": { "nodes": [agreement(1, "2026-03-01T10:00:00Z", "ORDER", json!([
            sale("GIFT_CARD", Some(1), "ORDER", Some(1), ["50.0", "0.0", "0.0", "0.0"]),
            sale("TIP", Some(9), "ORDER", Some(1), ["3.0", "0.0", "0.0", "0.0"]),
            sale("DUTY", None, "ORDER", None, ["5.0", "0.0", "0.0", "0.0"])]))] },
    })));
    let order = &output.orders[0];
    assert_eq!(order.lines.len(), 1, "a tip is no line of goods");
    assert!(order.lines[0].gift_card);
    assert_eq!((order.gross, order.tip, order.duty, order.total), (5_000, 300, 500, 5_800));
    let expected = [
        ("gift-card", "order", Some("LineItem/1"), Some(1), 5_000, 0, 0),
        ("tip", "order", None, Some(1), 300, 0, 0),
        ("duty", "order", None, None, 500, 0, 0),
    ];
    assert_eq!(sales(order, 0), expected);
}

#[test]
fn the_buyers_currency_is_kept_beside_the_shops() {
    let both = |shop: &str, buyer: &str| {
        json!({ "shopMoney": { "amount": shop, "currencyCode": "INR" },
                "presentmentMoney": { "amount": buyer, "currencyCode": "KWD" } })
    };
    let mut given = order(
        json!({ "currencyCode": "INR", "presentmentCurrencyCode": "KWD", "totalPriceSet": both("1000.5", "3.652") }),
    );
    for field in ["totalTaxSet", "totalTipReceivedSet"] {
        given[field] = both("0.0", "0.0");
    }
    let mut sold = sale("SHIPPING", None, "ORDER", Some(1), ["0.0"; 4]);
    for field in ["totalTaxAmount", "totalDiscountAmountBeforeTaxes", "totalDiscountAmountAfterTaxes"] {
        sold[field] = both("0.0", "0.0");
    }
    sold["totalAmount"] = both("1000.5", "3.652");
    given["agreements"] = json!({ "nodes": [agreement(1, "2026-03-01T10:00:00Z", "ORDER", json!([sold]))] });
    let output = map(given);
    let order = &output.orders[0];
    assert_eq!((order.currency.as_str(), order.presentment_currency.as_deref()), ("INR", Some("KWD")));
    assert_eq!((order.total, order.agreements[0].sales[0].presentment), (100_050, Some(3_652)));
}

#[test]
fn an_order_that_cannot_be_mapped_is_put_aside_with_its_reason() {
    let good = order(json!({ "totalPriceSet": bag("1.0") }));
    let inexact = order(json!({ "totalPriceSet": bag("1.005") }));
    let mixed =
        order(json!({ "totalPriceSet": { "shopMoney": { "amount": "1.0", "currencyCode": "USD" } } }));
    let mut undated = good.clone();
    undated["updatedAt"] = json!("yesterday");
    let nodes = json!([good, inexact, mixed, undated, { "id": "gid://shopify/Order/1" }]);
    let output = normalize(&chunk("orders", &nodes)).expect("documents");
    assert_eq!((output.seen, output.emitted, output.orders.len()), (5, 1, 1));
    let paths =
        output.skipped.iter().map(|skipped| (skipped.src, skipped.path.as_deref())).collect::<Vec<_>>();
    assert_eq!(paths[..3], [(1, Some("totalPriceSet")), (2, Some("totalPriceSet")), (3, Some("updatedAt"))]);
    assert!(output.skipped[3].reason.contains("createdAt"), "{:?}", output.skipped[3]);
}
