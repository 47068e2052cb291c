//! The query root over one shop.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::bulk::Exports;
use super::memory::Memory;
use crate::answer::order::OrderWriter;
use crate::answer::{catalogue, history, parse_gid, stock};
use crate::graphql::connection::{SortKey, count, page_of_items};
use crate::graphql::execute::{Rendered, Resolved, Root};
use crate::graphql::query::Arguments;
use crate::graphql::search::{Marks, Search, Searchable};
use crate::graphql::{GraphqlError, GraphqlResult};
use crate::world::{Checkout, Customer, Product, Shop};

/// Orders in which one kind of thing can be paged, as indices.
#[derive(Debug, Default)]
pub struct Sorted {
    by_id: Vec<u32>,
    by_created: Vec<u32>,
    by_updated: Vec<u32>,
}

impl Sorted {
    fn of<T: Searchable>(items: &[T]) -> Self {
        let by = |key: SortKey| {
            let mut indices = (0..items.len() as u32).collect::<Vec<_>>();
            indices.sort_unstable_by_key(|index| key.of(&items[*index as usize]));
            indices
        };
        Self {
            by_id: by(SortKey::Id),
            by_created: by(SortKey::CreatedAt),
            by_updated: by(SortKey::UpdatedAt),
        }
    }

    fn get(&self, key: SortKey) -> &[u32] {
        match key {
            SortKey::Id => &self.by_id,
            SortKey::CreatedAt => &self.by_created,
            SortKey::UpdatedAt => &self.by_updated,
        }
    }
}

#[derive(Debug, Default)]
pub struct ShopIndex {
    orders: Sorted,
    products: Sorted,
    customers: Sorted,
    checkouts: Sorted,
}

impl ShopIndex {
    pub fn of(shop: &Shop) -> Self {
        Self {
            orders: Sorted::of(shop.orders.seeds()),
            products: Sorted::of(&shop.products),
            customers: Sorted::of(&shop.customers),
            checkouts: Sorted::of(&shop.checkouts),
        }
    }
}

/// One request's view of a shop.
pub struct ShopRoot<'a> {
    pub shop: &'a Shop,
    pub index: &'a ShopIndex,
    /// Every field name in the query.
    pub asked: HashSet<&'a str>,
    pub memory: &'a Memory,
    pub exports: Exports<'a>,
    /// Whether the request changes something.
    pub mutation: bool,
}

impl Root for ShopRoot<'_> {
    fn resolve(&self, name: &str, arguments: &Arguments) -> GraphqlResult<Resolved> {
        let shop = self.shop;
        let one = |value: Option<Value>| Ok(Resolved::Object(value.unwrap_or(Value::Null)));
        if self.mutation {
            return match name {
                "bulkOperationRunQuery" => {
                    self.exports.desk().begin(arguments, self.exports).map(Resolved::Object)
                }
                _ => Err(GraphqlError::new(
                    "undefinedField",
                    format!("Mutation '{name}' is not served by the sandbox"),
                )),
            };
        }
        match name {
            "bulkOperation" => {
                self.bulk_operation(arguments.text("id").and_then(|id| parse_gid("BulkOperation", id)))
            }
            "currentBulkOperation" => {
                let newest = self.exports.desk().newest();
                self.bulk_operation(newest)
            }
            "bulkOperations" => one(Some(self.bulk_operations(arguments))),
            "nodes" => one(Some(self.nodes(arguments)?)),
            "shop" => one(Some(catalogue::shop(shop))),
            "orders" => pages(shop.orders.seeds(), &self.index.orders, arguments, SortKey::CreatedAt),
            "products" => pages(&shop.products, &self.index.products, arguments, SortKey::Id),
            "customers" => pages(&shop.customers, &self.index.customers, arguments, SortKey::Id),
            "abandonedCheckouts" => pages(&shop.checkouts, &self.index.checkouts, arguments, SortKey::Id),
            "abandonedCheckoutsCount" => counted(&shop.checkouts, arguments),
            "locations" => one(Some(stock::locations(shop))),
            "location" => one(self.location(arguments)),
            "ordersCount" => counted(shop.orders.seeds(), arguments),
            "productsCount" => counted(&shop.products, arguments),
            "customersCount" => counted(&shop.customers, arguments),
            "order" => {
                one(position(shop.orders.seeds(), "Order", arguments).map(|at| self.write("orders", at)))
            }
            "product" => {
                one(position(&shop.products, "Product", arguments).map(|at| self.write("products", at)))
            }
            "customer" => {
                one(position(&shop.customers, "Customer", arguments).map(|at| self.write("customers", at)))
            }
            "refund" => one(self.refund(arguments)),
            _ => Err(GraphqlError::new(
                "undefinedField",
                format!("Field '{name}' is not served by the sandbox"),
            )),
        }
    }

    fn write(&self, name: &str, index: u32) -> Value {
        let index = index as usize;
        match name {
            "orders" => OrderWriter::new(self.shop, &self.shop.order(index), &self.asked).write(),
            "products" => catalogue::product(&self.shop.profile, &self.shop.products[index]),
            "abandonedCheckouts" => stock::checkout(self.shop, &self.shop.checkouts[index]),
            _ => catalogue::customer(&self.shop.customers[index]),
        }
    }

    fn recall(&self, question: u64, index: u32) -> Option<Arc<Rendered>> {
        self.memory.recall((self.shop.profile.name, question, index))
    }

    fn remember(&self, question: u64, index: u32, rendered: &Arc<Rendered>) {
        self.memory.remember((self.shop.profile.name, question, index), rendered);
    }
}

impl ShopRoot<'_> {
    fn bulk_operation(&self, id: Option<u64>) -> GraphqlResult<Resolved> {
        let asked = id.map(|id| self.exports.desk().ask(id, self)).transpose()?;
        Ok(Resolved::Object(asked.unwrap_or(Value::Null)))
    }

    /// Newest last, or first where that is asked.
    fn bulk_operations(&self, arguments: &Arguments) -> Value {
        let mut all = self.exports.desk().all(self.exports);
        if arguments.get("reverse") == Some(&Value::Bool(true)) {
            all.reverse();
        }
        all.into()
    }

    /// Objects by their ids; so far refunds alone.
    fn nodes(&self, arguments: &Arguments) -> GraphqlResult<Value> {
        let ids = arguments.get("ids").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let refund = |id: &Value| match id.as_str().filter(|id| id.starts_with("gid://shopify/Refund/")) {
            Some(id) => Ok(self.refund_of(id).unwrap_or(Value::Null)),
            None => Err(GraphqlError::new("BAD_REQUEST", format!("the sandbox finds no {id} by nodes"))),
        };
        ids.iter().map(refund).collect()
    }

    /// Everything of a root connection that a search finds, as indices, oldest first.
    pub fn chosen(&self, name: &str, arguments: &Arguments) -> GraphqlResult<Vec<u32>> {
        let search = Search::parse(arguments.text("query").unwrap_or_default())?;
        match name {
            "orders" => Ok(matching(self.shop.orders.seeds(), &search)),
            "products" => Ok(matching(&self.shop.products, &search)),
            "customers" => Ok(matching(&self.shop.customers, &search)),
            "abandonedCheckouts" => Ok(matching(&self.shop.checkouts, &search)),
            _ => Err(GraphqlError::new("BAD_REQUEST", format!("the sandbox makes no file of '{name}'"))),
        }
    }

    fn location(&self, arguments: &Arguments) -> Option<Value> {
        let id = parse_gid("Location", arguments.text("id")?)?;
        let index = self.shop.locations.iter().position(|location| location.id == id)?;
        Some(stock::location(self.shop, index, &self.shop.locations[index]))
    }

    fn refund(&self, arguments: &Arguments) -> Option<Value> {
        self.refund_of(arguments.text("id")?)
    }

    fn refund_of(&self, id: &str) -> Option<Value> {
        let id = parse_gid("Refund", id)?;
        // Ids of what hangs on an order begin with the order's.
        let index = self.shop.orders.seeds().binary_search_by_key(&(id / 1_000), |order| order.id).ok()?;
        let order = self.shop.order(index);
        let refund = order.refunds.iter().find(|refund| refund.id == id)?;
        Some(history::refund(&OrderWriter::new(self.shop, &order, &self.asked), refund))
    }
}

fn matching<T: Searchable>(items: &[T], search: &Search) -> Vec<u32> {
    let found = items.iter().enumerate().filter(|(_, item)| search.matches(*item));
    found.map(|(index, _)| index as u32).collect()
}

fn pages<T: Searchable>(
    items: &[T],
    sorted: &Sorted,
    arguments: &Arguments,
    default: SortKey,
) -> GraphqlResult<Resolved> {
    let key = match arguments.text("sortKey") {
        None => default,
        Some("ID") => SortKey::Id,
        Some("CREATED_AT" | "PROCESSED_AT") => SortKey::CreatedAt,
        Some("UPDATED_AT") => SortKey::UpdatedAt,
        Some(other) => {
            return Err(GraphqlError::new("BAD_REQUEST", format!("the sandbox does not sort by {other}")));
        }
    };
    let search = Search::parse(arguments.text("query").unwrap_or_default())?;
    page_of_items(items, sorted.get(key), key, &search, &arguments.page()?).map(Resolved::Items)
}

fn counted<T: Searchable>(items: &[T], arguments: &Arguments) -> GraphqlResult<Resolved> {
    let search = Search::parse(arguments.text("query").unwrap_or_default())?;
    let limit = match arguments.get("limit") {
        None => Some(10_000),
        Some(limit) => limit.as_u64(),
    };
    Ok(Resolved::Object(count(items, &search, limit)))
}

fn position<T: Searchable>(items: &[T], kind: &str, arguments: &Arguments) -> Option<u32> {
    let id = parse_gid(kind, arguments.text("id")?)?;
    // Ids are given in the order of creation.
    items.binary_search_by_key(&id, |item| item.marks().id).ok().map(|index| index as u32)
}

impl Searchable for Checkout {
    fn marks(&self) -> Marks {
        Marks { id: self.id, created_at: self.created_at, updated_at: self.updated_at }
    }
}

impl Searchable for Product {
    fn marks(&self) -> Marks {
        Marks { id: self.id, created_at: self.created_at, updated_at: self.updated_at }
    }
}

impl Searchable for Customer {
    fn marks(&self) -> Marks {
        Marks { id: self.id, created_at: self.created_at, updated_at: self.updated_at }
    }
}
