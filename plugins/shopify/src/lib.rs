//! Shopify as a channel, over the Admin GraphQL API.
//!
//! - Orders, products, customers and abandoned checkouts are read in windows of `updated_at`: history by bulk
//!   operations where it is large, everything else by cursor. The store, its places and their stock are read whole.
//! - One raw record is one node of the answer, with everything that hangs on it: an order carries its
//!   lines, refunds, transactions and its own history (`agreements`), which the ledger follows.
//! - No personal data is asked for: see `queries`.

mod bulk;
mod bulk_queries;
mod catalogue;
mod client;
mod fetch;
mod history;
mod lines;
mod nested;
mod orders;
mod queries;
mod shape;
mod stock;

use portolan_sdk::read::each_json;
use portolan_sdk::{CheckReport, Chunk, Connection, Connector, Error, FetchRequest, Page, Result, Sink};
use serde::Deserialize;
use serde_json::json;

pub use client::ENDPOINT;
pub use queries::Query;

/// Every query that the plugin can send, by name: for tests against the published schema and the sandbox's prices.
pub fn all_queries() -> Vec<(String, Query)> {
    use queries::Nested;
    let streams = ["orders", "products", "customers", queries::CHECKOUTS];
    let nested = [
        Nested::Lines,
        Nested::ShippingLines,
        Nested::RefundLines,
        Nested::RefundShippingLines,
        Nested::Variants,
    ];
    let pages = streams
        .iter()
        .map(|root| (format!("page of {root}"), queries::page(root, queries::page_size(root), true)));
    let counts = streams.iter().map(|root| (format!("count of {root}"), queries::count(root)));
    let rest = nested.iter().map(|nested| (format!("rest of {nested:?}"), nested.query()));
    let others = [
        ("shop", queries::shop()),
        ("agreements", queries::agreements()),
        ("refunds", queries::refunds()),
        ("stock", queries::stock()),
        ("locations", queries::locations()),
        ("begin a bulk operation", bulk_queries::begin()),
        ("a bulk operation", bulk_queries::operation()),
        ("the newest bulk operations", bulk_queries::newest()),
    ];
    let others = others.map(|(name, query)| (name.to_owned(), query));
    pages.chain(counts).chain(rest).chain(others).collect()
}

/// What bulk operations are asked to fetch, by stream and search.
pub fn bulk_query(root: &str, search: Option<&str>) -> String {
    bulk_queries::everything(root, search)
}

/// The connector; public so that it can be driven by tests of other crates.
pub struct Shopify;

portolan_sdk::connector!(Shopify, manifest: "../plugin.json");

/// A connection's settings; the token is the host's alone.
#[derive(Debug, Deserialize)]
struct Config {
    shop: String,
    /// History whose pages together cost more is fetched by a bulk operation.
    #[serde(default = "usual_least_points")]
    bulk_from_points: u32,
}

fn usual_least_points() -> u32 {
    bulk_queries::USUAL_LEAST_POINTS
}

impl Connector for Shopify {
    fn check(connection: &Connection) -> Result<CheckReport> {
        #[derive(Deserialize)]
        struct Data<'a> {
            #[serde(borrow)]
            shop: shape::Shop<'a>,
        }
        let config: Config = connection.parse_config()?;
        let answer =
            client::ask(&queries::shop(), &json!({})).map_err(|refusal| match Error::from(refusal) {
                Error::Unavailable(_) => {
                    Error::invalid_config("shop", format!("There is no open store at {}.", config.shop))
                }
                error => error,
            })?;
        let shop = answer.data::<Data<'_>>()?.shop;
        let mut notes = Vec::new();
        if *shop.myshopify_domain != config.shop {
            notes.push(format!("The store calls itself {}.", shop.myshopify_domain));
        }
        Ok(CheckReport {
            account: shop.myshopify_domain.into(),
            display_name: shop.name.into(),
            currency: Some(shop.currency_code.into()),
            time_zone: Some(shop.iana_timezone.into()),
            notes,
        })
    }

    fn fetch(request: &FetchRequest) -> Result<Page> {
        match request.slice.stream.as_str() {
            "orders" => fetch::fetch(request, "orders"),
            "products" => fetch::fetch(request, "products"),
            "customers" => fetch::fetch(request, "customers"),
            "abandoned_checkouts" => fetch::fetch(request, queries::CHECKOUTS).map_err(stock::optional),
            "inventory" => stock::fetch_levels(request),
            "locations" => stock::fetch_locations(request),
            "stores" => fetch::fetch_store(),
            other => {
                Err(Error::PluginBug(format!("the stream {other:?} is in the manifest but not in the code")))
            }
        }
    }

    fn normalize(chunk: &Chunk, out: &mut Sink) -> Result<()> {
        let config: Config = chunk.parse_config()?;
        let store = config.shop.as_str();
        match chunk.stream.as_str() {
            "orders" => each_json(chunk, out, |src, order, out| orders::map(src, &order, store, out)),
            "products" => {
                each_json(chunk, out, |src, product, out| catalogue::map_product(src, &product, out))
            }
            "customers" => {
                each_json(chunk, out, |src, customer, out| catalogue::map_customer(src, &customer, out))
            }
            "stores" => each_json(chunk, out, |src, shop, out| catalogue::map_store(src, &shop, store, out)),
            "abandoned_checkouts" => {
                each_json(chunk, out, |src, checkout, out| stock::map_checkout(src, &checkout, out))
            }
            "inventory" => each_json(chunk, out, |src, level, out| stock::map_level(src, &level, out)),
            "locations" => {
                each_json(chunk, out, |src, location, out| stock::map_location(src, &location, out))
            }
            other => {
                Err(Error::PluginBug(format!("the stream {other:?} is in the manifest but not in the code")))
            }
        }
    }
}
