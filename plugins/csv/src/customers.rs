//! Rows become customers without names, one a key: of several rows of one key the last one stands.

use portolan_sdk::commerce::Customer;
use portolan_sdk::read::Table;
use portolan_sdk::{BadRecord, Instant, Moment, Result, Sink};

use crate::columns;
use crate::mapping::CustomerMapping;
use crate::products::last_rows;
use crate::values::{moment, text};

pub fn normalize(
    mapping: &CustomerMapping,
    table: &Table,
    received_at: Instant,
    out: &mut Sink,
) -> Result<()> {
    let headers: Vec<String> = table.headers().map(str::to_owned).collect();
    let columns = columns::customers(mapping, &headers)?;
    let locale = &mapping.locale;
    let last = last_rows(table, |row| text(locale, row, Some(&columns.key)));
    table.each(out, |row, out| {
        let key = text(locale, &row, Some(&columns.key)).ok_or_else(|| {
            BadRecord::at(columns.key.as_str(), "the row does not say which customer it is")
        })?;
        if last.get(&key) != Some(&row.src()) {
            return Err(BadRecord::at(columns.key.as_str(), "a later row of the file has the same key"));
        }
        let mut customer = Customer::new(row.src(), key, Moment::At(received_at));
        customer.country = text(locale, &row, columns.country.as_ref());
        customer.region = text(locale, &row, columns.region.as_ref());
        if let Some(column) = &columns.first_seen
            && let Some(first_seen) = text(locale, &row, Some(column))
        {
            customer.first_seen = Some(moment(locale, &first_seen).map_err(|bad| bad.at(column.as_str()))?);
        }
        out.push(customer);
        Ok(())
    })
}
