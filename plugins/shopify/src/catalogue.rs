//! Products with their variants, customers, the store itself.

use portolan_sdk::commerce;
use portolan_sdk::{BadRecord, RecordResult, Sink, money};

use crate::orders::{moment, owned, owned_unless_empty};
use crate::shape::{Customer, Product, Shop, Variant, key};

/// A product, and each variant with the product as its parent.
pub fn map_product(src: u32, product: &Product<'_>, out: &mut Sink) -> RecordResult {
    let category = product.category.as_ref().map(|category| category.full_name.as_str());
    let category = category.or(product.product_type.as_deref()).filter(|name| !name.is_empty());
    let parent = commerce::Product {
        category: category.map(str::to_owned),
        brand: owned_unless_empty(&product.vendor),
        tags: product.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
        ..commerce::Product::new(
            src,
            key(&product.id),
            moment(&product.updated_at, "updatedAt")?,
            product.title.as_str(),
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
    variant: &Variant<'_>,
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
    let cost = cost.filter(|cost| currency.is_none_or(|currency| currency == &*cost.currency_code));
    let currency = currency.or(cost.map(|cost| cost.currency_code.as_str()));
    let cost = cost.map(|cost| money::decimal(&cost.amount)).transpose();
    Ok(commerce::Product {
        parent: Some(parent.key.clone()),
        sku: owned_unless_empty(&variant.sku),
        gtin: owned_unless_empty(&variant.barcode),
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
pub fn map_customer(src: u32, customer: &Customer<'_>, out: &mut Sink) -> RecordResult {
    let first_seen = customer.created_at.as_deref().map(|at| moment(at, "createdAt")).transpose()?;
    let address = customer.default_address.as_ref();
    out.push(commerce::Customer {
        country: address.and_then(|address| owned(&address.country_code_v2)),
        region: address.and_then(|address| owned(&address.province_code)),
        first_seen,
        tags: customer.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
        ..commerce::Customer::new(src, key(&customer.id), moment(&customer.updated_at, "updatedAt")?)
    });
    Ok(())
}

/// The shop under the key that orders name it by.
pub fn map_store(src: u32, shop: &Shop<'_>, store: &str, out: &mut Sink) -> RecordResult {
    let currency = money::currency(&shop.currency_code).map_err(|bad| bad.at("currencyCode"))?;
    out.push(commerce::Store {
        src,
        key: store.to_owned(),
        name: shop.name.as_str().to_owned(),
        currency: Some(currency),
        time_zone: Some(shop.iana_timezone.as_str().to_owned()),
    });
    Ok(())
}
