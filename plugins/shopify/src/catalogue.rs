//! Products with their variants, customers, the store itself.

use portolan_sdk::commerce;
use portolan_sdk::{BadRecord, RecordResult, Sink, money};

use crate::orders::moment;
use crate::shape::{Address, Customer, Product, Shop, Variant, key};

/// A product, and each variant with the product as its parent.
pub fn map_product(src: u32, product: &Product, out: &mut Sink) -> RecordResult {
    let category = product.category.as_ref().map(|category| category.full_name.clone());
    let parent = commerce::Product {
        category: category.or_else(|| product.product_type.clone()).filter(|name| !name.is_empty()),
        brand: product.vendor.clone().filter(|name| !name.is_empty()),
        tags: product.tags.clone(),
        ..commerce::Product::new(
            src,
            key(&product.id),
            moment(&product.updated_at, "updatedAt")?,
            &product.title,
        )
    };
    let currency =
        product.price_range_v2.as_ref().map(|range| range.min_variant_price.currency_code.as_str());
    let currency = currency.map(money::currency).transpose().map_err(|bad| bad.at("priceRangeV2"))?;
    for variant in &product.variants.nodes {
        out.push(map_variant(&parent, variant, currency.as_deref())?);
    }
    out.push(parent);
    Ok(())
}

fn map_variant(
    parent: &commerce::Product,
    variant: &Variant,
    currency: Option<&str>,
) -> Result<commerce::Product, BadRecord> {
    let updated_at = match &variant.updated_at {
        Some(at) => moment(at, "variants/updatedAt")?,
        None => parent.updated_at,
    };
    let title = match variant.title.as_deref() {
        None | Some("" | "Default Title") => parent.title.clone(),
        Some(title) => format!("{} – {title}", parent.title),
    };
    let price = variant.price.as_deref().map(money::decimal).transpose();
    let cost = variant.inventory_item.as_ref().and_then(|item| item.unit_cost.as_ref());
    // A cost in another currency than the price's can't stand beside it.
    let cost = cost.filter(|cost| currency.is_none_or(|currency| currency == cost.currency_code));
    let currency = currency.or(cost.map(|cost| cost.currency_code.as_str()));
    let cost = cost.map(|cost| money::decimal(&cost.amount)).transpose();
    Ok(commerce::Product {
        parent: Some(parent.key.clone()),
        sku: variant.sku.clone().filter(|sku| !sku.is_empty()),
        gtin: variant.barcode.clone().filter(|code| !code.is_empty()),
        category: parent.category.clone(),
        brand: parent.brand.clone(),
        tags: parent.tags.clone(),
        currency: currency.map(str::to_owned),
        price: price.map_err(|bad| bad.at("variants/price"))?,
        cost: cost.map_err(|bad| bad.at("variants/inventoryItem/unitCost"))?,
        ..commerce::Product::new(parent.src, key(&variant.id), updated_at, title)
    })
}

/// A customer without a name.
pub fn map_customer(src: u32, customer: &Customer, out: &mut Sink) -> RecordResult {
    let first_seen = customer.created_at.as_deref().map(|at| moment(at, "createdAt")).transpose()?;
    let Address { country_code_v2, province_code } =
        customer.default_address.clone().unwrap_or(Address { country_code_v2: None, province_code: None });
    out.push(commerce::Customer {
        country: country_code_v2,
        region: province_code,
        first_seen,
        tags: customer.tags.clone(),
        ..commerce::Customer::new(src, key(&customer.id), moment(&customer.updated_at, "updatedAt")?)
    });
    Ok(())
}

/// The shop under the key that orders name it by.
pub fn map_store(src: u32, shop: &Shop, store: &str, out: &mut Sink) -> RecordResult {
    let currency = money::currency(&shop.currency_code).map_err(|bad| bad.at("currencyCode"))?;
    out.push(commerce::Store {
        src,
        key: store.to_owned(),
        name: shop.name.clone(),
        currency: Some(currency),
        time_zone: Some(shop.iana_timezone.clone()),
    });
    Ok(())
}
