//! Shop, products and customers. Customers have no names, mails, phones or streets here: the
//! world holds no personal data.

use serde_json::{Value, json};

use super::gid;
use super::money::{Cash, amount_text};
use crate::time::instant_text;
use crate::world::{Customer, Product, Profile, Shop, Variant};

pub fn shop(shop: &Shop) -> Value {
    let profile = &shop.profile;
    let presentments = profile.presentments.iter().map(|presentment| presentment.currency);
    json!({
        "__typename": "Shop",
        "id": gid("Shop", 6_000_000_001),
        "name": profile.title,
        "myshopifyDomain": format!("{}.myshopify.com", profile.name),
        "currencyCode": profile.currency,
        "enabledPresentmentCurrencies": std::iter::once(profile.currency).chain(presentments).collect::<Vec<_>>(),
        "ianaTimezone": profile.zone.name(),
        "taxesIncluded": profile.taxes_included,
    })
}

pub fn product(profile: &Profile, product: &Product) -> Value {
    json!({
        "__typename": "Product",
        "id": gid("Product", product.id),
        "legacyResourceId": product.id.to_string(),
        "title": product.title,
        "handle": product.title.to_lowercase().replace([' ', '.'], "-"),
        "status": "ACTIVE",
        "vendor": product.vendor,
        "productType": product.category.rsplit(" > ").next().unwrap_or_default(),
        "category": category(product.category),
        "tags": [product.vendor],
        "isGiftCard": product.gift_card,
        "createdAt": instant_text(product.created_at),
        "updatedAt": instant_text(product.updated_at),
        "priceRangeV2": price_range(profile, product),
        "variantsCount": { "count": product.variants.len(), "precision": "EXACT" },
        "variants": product.variants.iter().map(|one| variant(profile, product, one)).collect::<Vec<_>>(),
    })
}

fn price_range(profile: &Profile, product: &Product) -> Value {
    let prices = || product.variants.iter().map(|variant| variant.price_minor);
    let cash = Cash::of_shop(profile);
    let shop = |price: Option<i64>| cash.shop(price.unwrap_or_default());
    json!({ "minVariantPrice": shop(prices().min()), "maxVariantPrice": shop(prices().max()) })
}

fn category(full_name: &str) -> Value {
    json!({
        "__typename": "TaxonomyCategory",
        "id": format!("gid://shopify/TaxonomyCategory/{}", full_name.to_lowercase().replace(" > ", "-")),
        "name": full_name.rsplit(" > ").next().unwrap_or_default(),
        "fullName": full_name,
    })
}

fn variant(profile: &Profile, product: &Product, variant: &Variant) -> Value {
    let cash = Cash::of_shop(profile);
    let unit_cost = if variant.cost_minor == 0 { Value::Null } else { cash.shop(variant.cost_minor) };
    json!({
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", variant.id),
        "legacyResourceId": variant.id.to_string(),
        "title": variant.title,
        "displayName": format!("{} - {}", product.title, variant.title),
        "sku": variant.sku,
        "barcode": variant.barcode,
        "price": amount_text(variant.price_minor, profile.exponent),
        "createdAt": instant_text(product.created_at),
        "updatedAt": instant_text(product.updated_at),
        "inventoryItem": { "id": gid("InventoryItem", variant.id), "sku": variant.sku, "unitCost": unit_cost },
    })
}

pub fn customer(customer: &Customer) -> Value {
    json!({
        "__typename": "Customer",
        "id": gid("Customer", customer.id),
        "legacyResourceId": customer.id.to_string(),
        "createdAt": instant_text(customer.created_at),
        "updatedAt": instant_text(customer.updated_at),
        "numberOfOrders": customer.orders.to_string(),
        "tags": if customer.wholesale { vec!["wholesale"] } else { Vec::new() },
        "state": "DISABLED",
        "defaultAddress": address(customer.country, customer.province, customer.id),
    })
}

/// An address without anything that names a person or a street.
pub fn address(country: &str, province: &str, id: u64) -> Value {
    json!({ "id": gid("MailingAddress", id), "countryCodeV2": country, "provinceCode": province })
}
