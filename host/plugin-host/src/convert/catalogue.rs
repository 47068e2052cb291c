//! Products and stock, places, people, pre-aggregated series.

use portolan_commerce::document::{
    Customer, Document, InventoryLevel, Location, Metric, Product, StaffMember, Store,
};

use super::{BadDocument, Check, Converted};
use crate::bindings::portolan::plugin::commerce as wit;

pub fn product(check: &mut Check, item: wit::Product) -> Converted {
    check.begin("product", &item.key);
    let src = item.src;
    let product = Product {
        src,
        key: check.key("key", item.key)?,
        updated_at: check.moment("updated-at", item.updated_at)?,
        deleted: item.deleted,
        parent: check.keys("parent", item.parent)?,
        sku: check.words("sku", item.sku)?,
        gtin: check.words("gtin", item.gtin)?,
        title: check.text("title", item.title)?,
        category: check.texts("category", item.category)?,
        brand: check.texts("brand", item.brand)?,
        tags: tags(check, item.tags)?,
        currency: check.currencies("currency", item.currency)?,
        price: check.decimals("price", item.price)?,
        cost: check.decimals("cost", item.cost)?,
    };
    Ok((Document::Product(product), vec![src]))
}

pub fn inventory_level(check: &mut Check, item: wit::InventoryLevel) -> Converted {
    check.begin("inventory level", &item.product);
    let src = item.src;
    let level = InventoryLevel {
        src,
        product: check.key("product", item.product)?,
        location: check.key("location", item.location)?,
        at: check.moment("at", item.at)?,
        on_hand: check.decimal("on-hand", item.on_hand)?,
        available: check.decimals("available", item.available)?,
        incoming: check.decimals("incoming", item.incoming)?,
    };
    Ok((Document::InventoryLevel(level), vec![src]))
}

pub fn store(check: &mut Check, item: wit::Store) -> Converted {
    check.begin("store", &item.key);
    let src = item.src;
    let store = Store {
        src,
        key: check.key("key", item.key)?,
        name: check.text("name", item.name)?,
        currency: check.currencies("currency", item.currency)?,
        time_zone: check.words("time-zone", item.time_zone)?,
    };
    Ok((Document::Store(store), vec![src]))
}

pub fn location(check: &mut Check, item: wit::Location) -> Converted {
    check.begin("location", &item.key);
    let src = item.src;
    let location = Location {
        src,
        key: check.key("key", item.key)?,
        name: check.text("name", item.name)?,
        kind: check.word("kind", item.kind)?,
        country: check.words("country", item.country)?,
        region: check.words("region", item.region)?,
    };
    Ok((Document::Location(location), vec![src]))
}

pub fn staff_member(check: &mut Check, item: wit::StaffMember) -> Converted {
    check.begin("staff member", &item.key);
    let src = item.src;
    let member = StaffMember {
        src,
        key: check.key("key", item.key)?,
        location: check.keys("location", item.location)?,
    };
    Ok((Document::StaffMember(member), vec![src]))
}

pub fn customer(check: &mut Check, item: wit::Customer) -> Converted {
    check.begin("customer", &item.key);
    let src = item.src;
    let customer = Customer {
        src,
        key: check.key("key", item.key)?,
        updated_at: check.moment("updated-at", item.updated_at)?,
        deleted: item.deleted,
        person: check.keys("person", item.person)?,
        country: check.words("country", item.country)?,
        region: check.words("region", item.region)?,
        first_seen: check.moments("first-seen", item.first_seen)?,
        tags: tags(check, item.tags)?,
    };
    Ok((Document::Customer(customer), vec![src]))
}

pub fn metric(check: &mut Check, item: wit::Metric) -> Converted {
    check.begin("metric", &item.name);
    let src = item.src;
    let metric = Metric {
        src,
        name: check.key("name", item.name)?,
        day: check.date("day", item.day)?,
        dimensions: check.pairs("dimensions", item.dimensions)?,
        value: check.decimal("value", item.value)?,
        currency: check.currencies("currency", item.currency)?,
    };
    Ok((Document::Metric(metric), vec![src]))
}

fn tags(check: &mut Check, tags: Vec<String>) -> Result<Vec<String>, BadDocument> {
    check.items("tags", &tags)?;
    tags.into_iter().map(|tag| check.text("tags", tag)).collect()
}
