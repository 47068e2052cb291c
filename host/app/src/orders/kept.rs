//! What of an order is kept from whoever looks at it: taken out where the order is read, so that no page, answer or
//! export of it can tell.

use std::collections::BTreeMap;

use portolan_analytics::policy::ColumnGroup;
use portolan_analytics::{Closed, Dimension, MASKED, Visibility};
use portolan_commerce::document::{Order, Refund};
use portolan_commerce::ledger::SaleEvent;
use portolan_db::entity::document;
use serde_json::Value;

use super::queries::OrderRecord;
use crate::web::error::{AppError, AppResult};

/// Fields of documents, wherever they stand in one.
const PERSONAL: &[&str] = &["customer", "customer_key", "attributes"];
const COSTS: &[&str] = &["cost_minor"];

const fn fields_of(dimension: Dimension) -> &'static [&'static str] {
    match dimension {
        Dimension::Country => &["country", "region"],
        Dimension::Store => &["store", "store_key", "location"],
        Dimension::SalesChannel => &["channel"],
        Dimension::Product => &["product", "product_key", "variant", "variant_key", "sku", "title"],
        _ => &[],
    }
}

/// Fails where amounts of sales are kept from somebody: an order is made of them.
pub fn check_amounts_are_open(seen: &Visibility) -> AppResult<()> {
    if !seen.closes_amounts_of_sales() {
        return Ok(());
    }
    Err(AppError::closed(
        "A policy of your company keeps amounts of sales from you, and orders are made of them: ask an owner or admin.",
    ))
}

/// What a list shows of an order.
pub fn keep_head(seen: &Visibility, head: &mut document::Model) {
    keep(&mut head.customer_key, seen.of_group(ColumnGroup::Personal));
    keep(&mut head.country, seen.of_dimension(Dimension::Country));
    if seen.closes_amounts_of_sales() {
        head.amount_minor = None;
    }
}

/// What its page and its document show.
pub fn keep_record(seen: &Visibility, record: &mut OrderRecord) -> AppResult<()> {
    let closed = closed_fields(seen);
    if closed.is_empty() {
        return Ok(());
    }
    keep_head(seen, &mut record.head);
    keep_order(seen, &mut record.order);
    for (head, refund) in &mut record.refunds {
        keep_head(seen, head);
        keep_refund(seen, refund);
    }
    for (posted, _) in &mut record.events {
        keep_event(seen, &mut posted.event);
    }
    let mut body: Value = serde_json::from_str(&record.body).map_err(AppError::internal)?;
    keep_fields(&mut body, &closed);
    record.body = body.to_string();
    Ok(())
}

fn closed_fields(seen: &Visibility) -> BTreeMap<&'static str, Closed> {
    let groups = [(ColumnGroup::Personal, PERSONAL), (ColumnGroup::Costs, COSTS)];
    let groups = groups.into_iter().filter_map(|(group, fields)| Some((seen.of_group(group)?, fields)));
    let dimensions =
        Dimension::ALL.iter().filter_map(|one| Some((seen.of_dimension(*one)?, fields_of(*one))));
    groups.chain(dimensions).flat_map(|(how, fields)| fields.iter().map(move |field| (*field, how))).collect()
}

fn keep_order(seen: &Visibility, order: &mut Order) {
    let personal = seen.of_group(ColumnGroup::Personal);
    keep(&mut order.customer, personal);
    if personal.is_some() {
        order.attributes.clear();
    }
    let country = seen.of_dimension(Dimension::Country);
    keep(&mut order.country, country);
    keep(&mut order.region, country);
    let store = seen.of_dimension(Dimension::Store);
    keep(&mut order.store, store);
    keep(&mut order.location, store);
    keep(&mut order.channel, seen.of_dimension(Dimension::SalesChannel));
    let product = seen.of_dimension(Dimension::Product);
    for line in &mut order.lines {
        keep(&mut line.product, product);
        keep(&mut line.variant, product);
        keep(&mut line.sku, product);
        if product.is_some() {
            MASKED.clone_into(&mut line.title);
        }
        if seen.of_group(ColumnGroup::Costs).is_some() {
            line.cost_minor = None;
        }
    }
}

fn keep_refund(seen: &Visibility, refund: &mut Refund) {
    for line in &mut refund.lines {
        keep(&mut line.product, seen.of_dimension(Dimension::Product));
    }
}

fn keep_event(seen: &Visibility, event: &mut SaleEvent) {
    keep(&mut event.customer_key, seen.of_group(ColumnGroup::Personal));
    let country = seen.of_dimension(Dimension::Country);
    keep(&mut event.country, country);
    keep(&mut event.region, country);
    let store = seen.of_dimension(Dimension::Store);
    keep(&mut event.store_key, store);
    keep(&mut event.location_key, store);
    keep(&mut event.channel, seen.of_dimension(Dimension::SalesChannel));
    let product = seen.of_dimension(Dimension::Product);
    keep(&mut event.product_key, product);
    keep(&mut event.variant_key, product);
    if seen.of_group(ColumnGroup::Costs).is_some() {
        event.cost_minor = 0;
    }
}

/// A value that is there is masked or goes; that there is none is no secret.
fn keep(value: &mut Option<String>, closed: Option<Closed>) {
    match closed {
        None => {}
        Some(Closed::Masked) => {
            if let Some(text) = value {
                MASKED.clone_into(text);
            }
        }
        Some(Closed::Hidden) => *value = None,
    }
}

fn keep_fields(value: &mut Value, closed: &BTreeMap<&'static str, Closed>) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| closed.get(name.as_str()) != Some(&Closed::Hidden));
            for (name, field) in fields.iter_mut() {
                match closed.contains_key(name.as_str()) {
                    true if !field.is_null() => *field = Value::from(MASKED),
                    _ => keep_fields(field, closed),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| keep_fields(item, closed)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use portolan_analytics::policy::ColumnName;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_closed_is_nowhere_in_a_document() {
        let mut seen = Visibility::everything();
        seen.close(ColumnName::Group(ColumnGroup::Personal), Closed::Masked);
        seen.close(ColumnName::Group(ColumnGroup::Costs), Closed::Hidden);
        seen.close(ColumnName::Dimension(Dimension::Product), Closed::Masked);
        let mut body = json!({
            "key": "1001", "customer": "c-17", "country": "DE", "attributes": [["note", "for my aunt"]],
            "lines": [{ "product": "p-9", "title": "Secret", "cost_minor": 350, "gross_minor": 900, "sku": null }],
        });
        keep_fields(&mut body, &closed_fields(&seen));
        assert_eq!(
            body,
            json!({
                "key": "1001", "customer": MASKED, "country": "DE", "attributes": MASKED,
                "lines": [{ "product": MASKED, "title": MASKED, "gross_minor": 900, "sku": null }],
            })
        );
    }
}
