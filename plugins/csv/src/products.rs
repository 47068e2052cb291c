//! Rows become products, one a key: of several rows of one key the last one stands.

use portolan_sdk::commerce::Product;
use portolan_sdk::read::{Row, Table};
use portolan_sdk::{BadRecord, Instant, Moment, RecordResult, Result, Sink};

use crate::columns;
use crate::mapping::{ProductColumns, ProductMapping};
use crate::values::{number, text};

pub fn normalize(
    mapping: &ProductMapping,
    table: &Table,
    received_at: Instant,
    out: &mut Sink,
) -> Result<()> {
    let headers: Vec<String> = table.headers().map(str::to_owned).collect();
    let columns = columns::products(mapping, &headers)?;
    let last = last_rows(table, |row| text(&mapping.locale, row, Some(&columns.key)));
    table.each(out, |row, out| {
        let key = text(&mapping.locale, &row, Some(&columns.key))
            .ok_or_else(|| BadRecord::at(columns.key.as_str(), "the row does not say which product it is"))?;
        if last.get(&key) != Some(&row.src()) {
            return Err(BadRecord::at(columns.key.as_str(), "a later row of the file has the same key"));
        }
        push(mapping, &columns, key, &row, received_at, out)
    })
}

fn push(
    mapping: &ProductMapping,
    columns: &ProductColumns,
    key: String,
    row: &Row<'_>,
    received_at: Instant,
    out: &mut Sink,
) -> RecordResult {
    let field = |column: &Option<String>| text(&mapping.locale, row, column.as_ref());
    let title = field(&columns.title).unwrap_or_else(|| key.clone());
    let mut product = Product::new(row.src(), key, Moment::At(received_at), title);
    product.sku = field(&columns.sku);
    product.gtin = field(&columns.gtin);
    product.category = field(&columns.category);
    product.brand = field(&columns.brand);
    product.price = number(&mapping.locale, row, columns.price.as_ref())?;
    product.cost = number(&mapping.locale, row, columns.cost.as_ref())?;
    product.currency = mapping.currency.clone();
    out.push(product);
    Ok(())
}

/// The last row of each key. The host keeps rows of one key in one chunk, so last here is last in the file.
pub fn last_rows(
    table: &Table,
    key: impl Fn(&Row<'_>) -> Option<String>,
) -> std::collections::BTreeMap<String, u32> {
    table.rows().filter_map(|row| Some((key(&row)?, row.src()))).collect()
}
