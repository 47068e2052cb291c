//! The connector driven natively, through the SDK's test host.

mod component;
mod manifest;
mod messy_files;
mod orders;
mod people_and_products;
mod properties;
mod retail_data;

use portolan_plugin_csv::Csv;
use portolan_sdk::testing::{Host, Run, connection, slice};

/// Config of a small shop: `order;date;sku;qty;price`.
pub const SMALL: &str = r#"{"orders": {
    "columns": {"document_key": "order", "placed_at": "date", "sku": "sku", "quantity": "qty", "unit_price": "price"},
    "currency": "EUR", "returns": {"key_prefix": "R"}
}}"#;

/// Runs one file of a stream to its end.
pub fn run(config: &str, stream: &str, file: impl Into<Vec<u8>>) -> Run {
    let host = Host::new().file(stream, "file.csv", file);
    host.sync::<Csv>(&connection(config), &slice(stream)).expect("a run that ends well")
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub fn announce(message: &str) {
    eprintln!("{message}");
}
