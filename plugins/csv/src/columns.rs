//! Which column holds what: by the mapping, or, where there is none, by header names that shops'
//! exports are known to use.

use portolan_sdk::{Error, Result};

use crate::mapping::{
    CustomerColumns, CustomerMapping, OrderColumns, OrderMapping, ProductColumns, ProductMapping,
};

/// Words in a header that make its column personal, mapped or not.
const PERSONAL: [&str; 11] = [
    "email",
    "e-mail",
    "phone",
    "first name",
    "last name",
    "billing name",
    "shipping name",
    "address",
    "street",
    "company",
    "note",
];

/// The orders' columns. Errors name what is missing and what is there.
pub fn orders(mapping: &OrderMapping, headers: &[String]) -> Result<OrderColumns> {
    if let Some(columns) = &mapping.columns {
        require("orders", &columns.all(), headers)?;
        return Ok(columns.clone());
    }
    let found = |names: &[&str]| find(headers, names);
    let key = found(&[
        "name",
        "order number",
        "order_number",
        "order id",
        "order_id",
        "invoice",
        "invoiceno",
        "invoice no",
        "amazon-order-id",
    ]);
    let placed_at = found(&[
        "created at",
        "order date",
        "order_date",
        "date created",
        "invoicedate",
        "invoice date",
        "purchase-date",
        "date",
    ]);
    let columns = OrderColumns {
        document_key: key.unwrap_or_default(),
        placed_at: placed_at.unwrap_or_default(),
        quantity: found(&["lineitem quantity", "quantity", "qty", "item quantity", "quantity-purchased"]),
        unit_price: found(&["lineitem price", "unit price", "unitprice", "unit_price", "item cost", "price"]),
        line_total: found(&["line total", "line_total", "item total", "item-price"]),
        product: found(&["product id", "product_id", "asin"]),
        sku: found(&["lineitem sku", "sku", "stockcode", "stock code"]),
        title: found(&["lineitem name", "item name", "product name", "product-name", "description", "title"]),
        discount: found(&["lineitem discount", "line discount", "item discount"]),
        tax: found(&["line tax", "item tax", "item-tax"]),
        shipping: None,
        customer: found(&["customer id", "customer_id", "customerid", "customer user id"]),
        country: found(&[
            "billing country",
            "country",
            "country code (billing)",
            "shipping country",
            "ship-country",
        ]),
        region: found(&["billing province", "state code (billing)", "region", "ship-state"]),
        currency: found(&["currency", "order currency", "currency code"]),
        store: found(&["store", "shop", "sales-channel"]),
        channel: found(&["source", "channel"]),
    };
    let priced = columns.line_total.is_some() || (columns.quantity.is_some() && columns.unit_price.is_some());
    let currency = columns.currency.is_some() || mapping.currency.is_some();
    if columns.document_key.is_empty() || columns.placed_at.is_empty() || !priced || !currency {
        return Err(unknown("orders", headers));
    }
    Ok(columns)
}

pub fn products(mapping: &ProductMapping, headers: &[String]) -> Result<ProductColumns> {
    if let Some(columns) = &mapping.columns {
        require("products", &columns.all(), headers)?;
        return Ok(columns.clone());
    }
    let found = |names: &[&str]| find(headers, names);
    let key = found(&["product id", "product_id", "id", "handle", "sku", "variant sku", "stockcode"]);
    Ok(ProductColumns {
        key: key.ok_or_else(|| unknown("products", headers))?,
        title: found(&["title", "name", "product name", "description"]),
        sku: found(&["sku", "variant sku", "stockcode"]),
        gtin: found(&["gtin", "ean", "upc", "barcode", "variant barcode"]),
        category: found(&["category", "categories", "type", "product category"]),
        brand: found(&["brand", "vendor"]),
        price: found(&["price", "variant price", "regular price"]),
        cost: found(&["cost", "cost per item"]),
    })
}

pub fn customers(mapping: &CustomerMapping, headers: &[String]) -> Result<CustomerColumns> {
    if let Some(columns) = &mapping.columns {
        require("customers", &columns.all(), headers)?;
        return Ok(columns.clone());
    }
    let found = |names: &[&str]| find(headers, names);
    let key = found(&["customer id", "customer_id", "customerid", "id"]);
    Ok(CustomerColumns {
        key: key.ok_or_else(|| unknown("customers", headers))?,
        country: found(&["country", "country code", "default address country code"]),
        region: found(&["region", "province", "state"]),
        first_seen: found(&["created at", "registered", "date registered", "first order"]),
    })
}

/// The columns to drop: those marked, and those whose header says that they are personal, unless
/// they are mapped.
pub fn personal(marked: &[String], mapped: &[String], headers: &[String]) -> Vec<String> {
    let speaks = |header: &str| {
        let lower = header.to_lowercase();
        PERSONAL.iter().any(|word| lower.contains(word)) && !lower.contains("country")
    };
    headers
        .iter()
        .filter(|header| marked.contains(header) || (speaks(header) && !mapped.contains(header)))
        .cloned()
        .collect()
}

fn find(headers: &[String], names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| headers.iter().find(|header| header.to_lowercase() == *name).cloned())
}

fn require(stream: &str, columns: &[String], headers: &[String]) -> Result<()> {
    let missing: Vec<&String> = columns.iter().filter(|column| !headers.contains(column)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("the file has no column {}; it has {}", quoted(missing), quoted(headers));
    Err(Error::invalid_config(format!("{stream}.columns"), message))
}

fn unknown(stream: &str, headers: &[String]) -> Error {
    let message =
        format!("no columns are mapped and the file's are not well known: map some of {}", quoted(headers));
    Error::invalid_config(format!("{stream}.columns"), message)
}

fn quoted<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<String> =
        names.into_iter().take(40).map(|name| format!("{:?}", shortened(name))).collect();
    names.join(", ")
}

fn shortened(name: &str) -> String {
    name.chars().take(60).collect()
}
