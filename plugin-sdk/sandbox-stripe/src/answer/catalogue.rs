//! Customers and products.

use serde_json::{Value, json};

use super::{View, code};

impl View<'_> {
    pub fn customer(&self, index: usize) -> Value {
        let customer = &self.account.customers[index];
        if customer.deleted_at.is_some_and(|at| at <= self.now) {
            return json!({ "id": customer.id, "object": "customer", "deleted": true });
        }
        json!({
            "id": customer.id,
            "object": "customer",
            "address": {
                "city": "Private City", "country": customer.country, "line1": "1 Private Street", "line2": null,
                "postal_code": "00000", "state": null,
            },
            "balance": 0,
            "created": customer.created,
            "description": "A private person",
            "email": format!("{}@shop.example", customer.id),
            "livemode": false,
            "metadata": { "birthday": "private" },
            "name": format!("Buyer {}", customer.id),
            "phone": "+000000000",
            "shipping": null,
        })
    }

    pub fn product(&self, index: usize, expand_price: bool) -> Value {
        let product = &self.account.products[index];
        let price_id = product.id.replace("prod_", "price_");
        let price = if expand_price {
            json!({
                "id": price_id, "object": "price", "active": true, "billing_scheme": "per_unit",
                "created": product.created, "currency": code(product.currency), "livemode": false, "metadata": {},
                "product": product.id, "type": "one_time", "unit_amount": product.price_minor,
                "unit_amount_decimal": product.price_minor.to_string(),
            })
        } else {
            price_id.into()
        };
        // Before its change it looked the same but for the date.
        let updated = if product.updated <= self.now { product.updated } else { product.created };
        json!({
            "id": product.id,
            "object": "product",
            "active": true,
            "created": product.created,
            "default_price": price,
            "description": null,
            "features": [],
            "images": [],
            "livemode": false,
            "metadata": { "sku": product.sku },
            "name": product.name,
            "updated": updated,
        })
    }
}
