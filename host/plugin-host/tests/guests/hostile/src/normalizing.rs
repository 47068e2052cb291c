//! What goes wrong, or right, where there is a sink.

use crate::exports::portolan::plugin::normalizer::Summary;
use crate::portolan::plugin::commerce::{Order, OrderLine, Skipped, Store};
use crate::portolan::plugin::http::{self, Method, Request};
use crate::portolan::plugin::sink;
use crate::portolan::plugin::sync::ChunkInfo;
use crate::portolan::plugin::types::{Decimal, Moment, PluginError};
use crate::{field, lying, script};

/// Without a behaviour, each line of the body is an order's key; an empty line is skipped.
pub fn normalize(_: &ChunkInfo, body: &[u8], config: &str, received_at: i64) -> Result<Summary, PluginError> {
    let text = String::from_utf8_lossy(body);
    let keys: Vec<&str> = text.lines().collect();
    let behaviour = field(config, "behaviour");
    if let Some(summary) = lying::normalize(behaviour, received_at) {
        return Ok(summary);
    }
    match behaviour {
        "script" => return script::normalize(body),
        // What these fetched is for the test to look at.
        "get" | "get-all" | "get-few" | "download" => return Ok(Summary { seen: 0, emitted: 0, skipped: 0 }),
        "http" => {
            let request = Request {
                method: Method::Get,
                url: "https://api.example/".to_owned(),
                headers: Vec::new(),
                body: None,
                auth: None,
                bucket: None,
                cost: 1,
                timeout_ms: None,
            };
            let _ = http::send(&request);
        }
        "loop" => loop {
            std::hint::black_box(0);
        },
        "flood" => {
            for _ in 0..10_000 {
                let orders: Vec<Order> = (0..500).map(|src| order(src, "key", received_at)).collect();
                sink::orders(&orders);
            }
        }
        "bad-currency" => {
            sink::orders(&[Order { currency: "euro".to_owned(), ..order(0, "key", received_at) }])
        }
        "bad-moment" => {
            sink::orders(&[Order { placed_at: Moment::At(i64::MAX), ..order(0, "key", received_at) }])
        }
        "empty-key" => sink::orders(&[order(0, "", received_at)]),
        "beyond" => {
            sink::orders(&[order(5, "key", received_at)]);
            return Ok(Summary { seen: 1, emitted: 1, skipped: 0 });
        }
        "swallow" => return Ok(Summary { seen: 3, emitted: 3, skipped: 0 }),
        "wrong-sum" => return Ok(Summary { seen: 3, emitted: 1, skipped: 1 }),
        "silent-skip" => return Ok(Summary { seen: 1, emitted: 0, skipped: 1 }),
        "clock" => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            let hash = {
                use std::hash::{BuildHasher, RandomState};
                RandomState::new().hash_one("x")
            };
            let name = format!("{} {hash}", now.as_micros());
            sink::stores(&[Store { src: 0, key: "clock".to_owned(), name, currency: None, time_zone: None }]);
            return Ok(Summary { seen: 1, emitted: 1, skipped: 0 });
        }
        _ => {}
    }
    well_behaved(&keys, received_at)
}

fn well_behaved(keys: &[&str], received_at: i64) -> Result<Summary, PluginError> {
    let mut summary = Summary { seen: 0, emitted: 0, skipped: 0 };
    let mut orders = Vec::new();
    for (src, key) in (0_u32..).zip(keys) {
        summary.seen += 1;
        if key.is_empty() {
            summary.skipped += 1;
            sink::skip(&[Skipped { src, path: Some("/key".to_owned()), reason: "has no key".to_owned() }]);
            continue;
        }
        summary.emitted += 1;
        orders.push(order(src, key, received_at));
        if orders.len() == 500 {
            sink::orders(&std::mem::take(&mut orders));
        }
    }
    sink::orders(&orders);
    Ok(summary)
}

pub fn order(src: u32, key: &str, at: i64) -> Order {
    Order {
        src,
        also: Vec::new(),
        key: key.to_owned(),
        updated_at: Moment::At(at),
        deleted: false,
        test: false,
        number: Some(key.to_owned()),
        placed_at: Moment::At(at),
        cancelled_at: None,
        cancel_reason: None,
        channel: None,
        store: None,
        location: None,
        staff: None,
        state: "open".to_owned(),
        payment_state: "paid".to_owned(),
        fulfilment_state: "none".to_owned(),
        customer: Some("customer-1".to_owned()),
        country: Some("DE".to_owned()),
        region: None,
        currency: "EUR".to_owned(),
        presentment_currency: None,
        gross: 3_000,
        discount: 0,
        shipping: 0,
        tax: 0,
        tip: 0,
        duty: 0,
        total: 3_000,
        tax_included: false,
        lines: (1..=3).map(line).collect(),
        shipping_taxes: Vec::new(),
        agreements: Vec::new(),
        attributes: Vec::new(),
    }
}

pub fn line(number: i64) -> OrderLine {
    OrderLine {
        key: number.to_string(),
        product: Some("product".to_owned()),
        variant: None,
        sku: Some("SKU".to_owned()),
        title: "A thing".to_owned(),
        quantity: Decimal { unscaled: 1, scale: 0 },
        unit_price: None,
        gross: 1_000,
        discount: 0,
        tax: 0,
        cost: None,
        gift_card: false,
        allocations: Vec::new(),
        taxes: Vec::new(),
    }
}
