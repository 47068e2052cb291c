//! Products with their default price; customers without a name.

use portolan_sdk::commerce;
use portolan_sdk::{BadRecord, Text};

use crate::amount::Unit;
use crate::entries::moment;
use crate::shape::{Customer, Expandable, Product};

pub fn map_product(src: u32, product: &Product<'_>) -> Result<commerce::Product, BadRecord> {
    let changed = product.portolan_deleted_at.or(product.updated).unwrap_or(product.created);
    let mut mapped =
        commerce::Product::new(src, product.id.as_str(), moment(changed, "updated")?, product.name.as_str());
    mapped.deleted = product.portolan_deleted_at.is_some();
    let sku = product.metadata.as_ref().and_then(|metadata| metadata.get(&Text::from("sku")));
    mapped.sku = sku.filter(|sku| !sku.is_empty()).map(|sku| sku.as_str().to_owned());
    if let Some(price) = product.default_price.as_ref().and_then(Expandable::object) {
        let unit = Unit::new(&price.currency, "default_price.currency")?;
        let amount = price.unit_amount_decimal.as_ref();
        let amount = amount.map(|amount| unit.major(amount.text(), "default_price.unit_amount_decimal"));
        mapped.price = amount.transpose()?;
        mapped.currency = Some(unit.currency);
    }
    Ok(mapped)
}

pub fn map_customer(src: u32, customer: &Customer<'_>) -> Result<commerce::Customer, BadRecord> {
    let Some(changed) = customer.portolan_deleted_at.or(customer.created) else {
        return Err(BadRecord::at(
            "created",
            "neither the creation nor the deletion of the customer is told",
        ));
    };
    let shipping = customer.shipping.as_ref().and_then(|shipping| shipping.address.as_ref());
    let addresses = [customer.address.as_ref(), shipping];
    let country = addresses.into_iter().flatten().find_map(|address| address.country.as_deref());
    let mut mapped = commerce::Customer::new(src, customer.id.as_str(), moment(changed, "created")?);
    mapped.deleted = customer.portolan_deleted_at.is_some();
    mapped.country = country.filter(|country| !country.is_empty()).map(str::to_owned);
    mapped.first_seen = customer.created.map(|at| moment(at, "created")).transpose()?;
    Ok(mapped)
}
