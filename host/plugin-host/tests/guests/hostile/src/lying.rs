//! Documents and counts that no honest plugin would hand over.

use crate::exports::portolan::plugin::normalizer::Summary;
use crate::normalizing::{line, order};
use crate::portolan::plugin::commerce::{Metric, Order, OrderLine, Skipped, StaffMember};
use crate::portolan::plugin::sink;
use crate::portolan::plugin::types::{Decimal, Moment};

/// None: not one of these.
pub fn normalize(behaviour: &str, at: i64) -> Option<Summary> {
    let summary = match behaviour {
        "large-batch" => {
            sink::orders(&(0..501).map(|src| order(src, "key", at)).collect::<Vec<_>>());
            all_emitted(501)
        }
        "rows" => loop {
            sink::staff(&(0..500).map(|src| staff(src, "key")).collect::<Vec<_>>());
        },
        "skips" => loop {
            let skip = |src| Skipped { src, path: Some("/\u{10348}".repeat(199)), reason: String::new() };
            sink::skip(&(0..500).map(skip).collect::<Vec<_>>());
        },
        "lines" => loop {
            sink::orders(&[Order { lines: (0..15_000).map(line).collect(), ..order(0, "key", at) }]);
        },
        "many-lines" => {
            sink::orders(&[Order { lines: vec![thin_line(); 20_001], ..order(0, "key", at) }]);
            all_emitted(1)
        }
        "long-title" => {
            let title = "t".repeat(5_000);
            sink::orders(&[Order { lines: vec![OrderLine { title, ..thin_line() }], ..order(0, "key", at) }]);
            all_emitted(1)
        }
        "least-money" => {
            let least = Order {
                gross: i64::MIN,
                discount: i64::MIN,
                tax: i64::MAX,
                total: i64::MIN,
                ..order(0, "key", at)
            };
            sink::orders(&[least]);
            all_emitted(1)
        }
        "scale" => {
            let quantity = Decimal { unscaled: i64::MIN, scale: 255 };
            sink::orders(&[Order {
                lines: vec![OrderLine { quantity, ..thin_line() }],
                ..order(0, "key", at)
            }]);
            all_emitted(1)
        }
        "infinite-metric" => {
            sink::metrics(&[Metric { value: Decimal { unscaled: 1, scale: 200 }, ..metric() }]);
            all_emitted(1)
        }
        "negative-day" => {
            sink::metrics(&[Metric { day: i32::MIN, ..metric() }]);
            all_emitted(1)
        }
        "first-moment" => {
            sink::orders(&[Order { updated_at: Moment::Local(i64::MIN), ..order(0, "key", at) }]);
            all_emitted(1)
        }
        "duplicates" => {
            sink::orders(&(0..100).map(|src| order(src, "the same", at)).collect::<Vec<_>>());
            all_emitted(100)
        }
        "nul-key" => {
            sink::orders(&[order(0, "a\0b", at)]);
            all_emitted(1)
        }
        "tenant-key" => {
            // Whose row it is, is not the plugin's to say: this is a key like any other.
            sink::orders(&[order(0, "tenant=01890a5d-ac96-774b-bcce-b302099a9999;id=1", at)]);
            all_emitted(1)
        }
        "hostile-reason" => {
            let reason = "\u{1b}[2J<script>\u{202e}\0".repeat(10_000);
            sink::skip(&[Skipped { src: 0, path: Some("\u{7}".repeat(10_000)), reason }]);
            Summary { seen: 1, emitted: 0, skipped: 1 }
        }
        "also-beyond" => {
            sink::orders(&[Order { also: vec![u32::MAX], ..order(0, "key", at) }]);
            Summary { seen: 2, emitted: 2, skipped: 0 }
        }
        "counts-overflow" => Summary { seen: 0, emitted: u32::MAX, skipped: 1 },
        "counts-most" => Summary { seen: u32::MAX, emitted: u32::MAX, skipped: 0 },
        "too-few" => {
            sink::orders(&[order(0, "key", at), order(1, "key", at)]);
            Summary { seen: 1, emitted: 1, skipped: 0 }
        }
        _ => return None,
    };
    Some(summary)
}

fn all_emitted(count: u32) -> Summary {
    Summary { seen: count, emitted: count, skipped: 0 }
}

fn staff(src: u32, key: &str) -> StaffMember {
    StaffMember { src, key: key.to_owned(), location: None }
}

fn thin_line() -> OrderLine {
    OrderLine { product: None, sku: None, title: String::new(), ..line(1) }
}

fn metric() -> Metric {
    Metric {
        src: 0,
        name: "spend".to_owned(),
        day: 20_000,
        dimensions: Vec::new(),
        value: Decimal { unscaled: 1, scale: 0 },
        currency: None,
    }
}
