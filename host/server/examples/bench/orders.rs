//! Prepared pages of a shop: orders of three lines in about 1 KB, as Shopify writes them.

use std::fmt::Write;

use bytes::Bytes;
use portolan_connector::ChunkInfo;

pub const ORDERS_PER_PAGE: u64 = 1_000;
pub const LINES_PER_ORDER: u64 = 3;

/// What a chunk of such a page says about itself.
pub fn chunk_info() -> ChunkInfo {
    ChunkInfo {
        stream: "orders".to_owned(),
        framing: "json:/data/orders/nodes".to_owned(),
        content_type: "application/json".to_owned(),
    }
}

/// The page with this number; no two pages share an order.
pub fn page(number: u64, orders: u64) -> Bytes {
    let first = number * orders;
    let nodes: Vec<String> = (first..first + orders).map(order).collect();
    Bytes::from(format!(r#"{{"data":{{"orders":{{"nodes":[{}]}}}}}}"#, nodes.join(",")))
}

fn order(number: u64) -> String {
    let mut lines = String::new();
    let mut total_minor = 0;
    for line in 0..LINES_PER_ORDER {
        let (product, quantity) = ((number * 7 + line * 13) % 2_000, 1 + (number + line) % 3);
        let unit_minor = 499 + product * 37 % 9_000;
        total_minor += quantity * unit_minor;
        let separator = if line == 0 { "" } else { "," };
        // Writing to text does not fail.
        let _ = write!(
            lines,
            r#"{separator}{{"id":"gid://shopify/LineItem/{}","title":"Brass lamp No. {product}","quantity":{quantity},"sku":"LAMP-{product}","product":{{"id":"gid://shopify/Product/{product}"}},"originalUnitPriceSet":{},"discountAllocations":[],"taxLines":[]}}"#,
            number * LINES_PER_ORDER + line,
            money(unit_minor)
        );
    }
    let (day, hour, minute) = (1 + number % 28, number % 24, number / 24 % 60);
    let at = format!("2026-03-{day:02}T{hour:02}:{minute:02}:00Z");
    format!(
        r##"{{"id":"gid://shopify/Order/{number}","name":"#{number}","createdAt":"{at}","updatedAt":"{at}","taxesIncluded":false,"currencyCode":"EUR","displayFinancialStatus":"PAID","sourceName":"web","customer":{{"id":"gid://shopify/Customer/{}"}},"shippingAddress":{{"countryCodeV2":"DE"}},"totalPriceSet":{},"lineItems":{{"nodes":[{lines}]}}}}"##,
        number % 5_000,
        money(total_minor)
    )
}

fn money(amount_minor: u64) -> String {
    let (whole, cents) = (amount_minor / 100, amount_minor % 100);
    format!(r#"{{"shopMoney":{{"amount":"{whole}.{cents:02}","currencyCode":"EUR"}}}}"#)
}
