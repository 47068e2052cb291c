//! Locations with their stock, and checkouts. Streets, names and the link into a buyer's checkout are not served:
//! the world holds no personal data.

use serde_json::{Value, json};

use super::gid;
use super::money::Cash;
use crate::time::instant_text;
use crate::world::{Checkout, Level, Location, Shop};

pub fn locations(shop: &Shop) -> Value {
    shop.locations.iter().enumerate().map(|(index, one)| location(shop, index, one)).collect()
}

/// A `Location` with all its levels.
pub fn location(shop: &Shop, index: usize, location: &Location) -> Value {
    let levels = shop.levels.iter().filter(|level| level.location == index);
    json!({
        "__typename": "Location",
        "id": gid("Location", location.id),
        "name": location.name,
        "isActive": true,
        "isFulfillmentService": location.service,
        "fulfillsOnlineOrders": true,
        "address": { "countryCode": shop.profile.country, "provinceCode": location.province },
        "inventoryLevels": levels.map(|one| level(shop, location, one)).collect::<Vec<_>>(),
    })
}

fn level(shop: &Shop, location: &Location, level: &Level) -> Value {
    let variant = &shop.products[level.product].variants[level.variant];
    let updated_at = instant_text(level.updated_at);
    let quantity = |name: &str, quantity: i64| {
        let id = format!("{}?name={name}", gid("InventoryQuantity", level.id));
        json!({ "id": id, "name": name, "quantity": quantity, "updatedAt": updated_at })
    };
    json!({
        "__typename": "InventoryLevel",
        "id": format!("{}?inventory_item_id={}", gid("InventoryLevel", level.id), variant.id),
        "isActive": true,
        "updatedAt": updated_at,
        "item": {
            "id": gid("InventoryItem", variant.id),
            "sku": variant.sku,
            "tracked": true,
            "variant": { "id": gid("ProductVariant", variant.id) },
        },
        "location": { "id": gid("Location", location.id), "name": location.name },
        "quantities": [
            quantity("available", level.available),
            quantity("incoming", level.incoming),
            quantity("on_hand", level.on_hand),
        ],
    })
}

/// An `AbandonedCheckout`, without the way back into it.
pub fn checkout(shop: &Shop, checkout: &Checkout) -> Value {
    let cash = Cash::of_presentment(&shop.profile, checkout.presentment);
    let customer =
        checkout.customer.map(|index| json!({ "id": gid("Customer", shop.customers[index as usize].id) }));
    json!({
        "__typename": "AbandonedCheckout",
        "id": gid("AbandonedCheckout", checkout.id),
        "name": format!("#{}", checkout.id),
        "createdAt": instant_text(checkout.created_at),
        "updatedAt": instant_text(checkout.updated_at),
        "completedAt": checkout.completed_at.map(instant_text),
        "customer": customer,
        "taxesIncluded": shop.profile.taxes_included,
        "totalPriceSet": cash.bag(checkout.total_minor),
    })
}
