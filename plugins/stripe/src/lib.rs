//! Stripe as a payment provider, over its REST API.
//!
//! - Lists are read in windows of `created`, newest first, by the id of the last object (`fetch`).
//! - Lists filter on creation alone, so an edit does not come back by itself. Three things bring it: the stream
//!   `events` names what changed and fetches it again (Stripe keeps events for 30 days); each stream reads a
//!   stretch behind its watermark again, as long as its objects usually change (the manifest's lookback); and a
//!   payout's entries are asked for with the payout.
//! - An object has no date of its last change. What is fetched is its state at the time of asking, so versions of
//!   one object all carry its creation as `updated_at`, and the host's order of receipt tells the newest.
//! - Personal data can't be unasked: Stripe has no choice of fields. `keep` lets through what is known to be none,
//!   before a page leaves `fetch`.

mod amount;
mod catalogue;
pub mod category;
mod client;
mod entries;
mod fetch;
mod keep;
mod payments;
mod shape;
mod streams;

use portolan_sdk::read::{each_json, record};
use portolan_sdk::{
    BadRecord, CheckReport, Chunk, Connection, Connector, Error, FetchRequest, Page, RecordResult, Result,
    Sink,
};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use client::VERSION;

/// The connector; public so that it can be driven by tests of other crates.
pub struct Stripe;

portolan_sdk::connector!(Stripe, manifest: "../plugin.json");

/// A connection's settings; the key is the host's alone.
#[derive(Debug, Default, Deserialize)]
struct Config {
    order_metadata_key: Option<String>,
}

impl Config {
    /// The metadata fields that may carry an order number, the first found counts.
    fn reference_keys(&self) -> Vec<&str> {
        match self.order_metadata_key.as_deref() {
            Some(key) => vec![key],
            None => vec!["order_number", "order_id", "order_name", "order"],
        }
    }
}

impl Connector for Stripe {
    fn check(_: &Connection) -> Result<CheckReport> {
        client::check()
    }

    fn fetch(request: &FetchRequest) -> Result<Page> {
        let config: Config = request.conn.parse_config()?;
        fetch::fetch(request, &config.reference_keys())
    }

    fn normalize(chunk: &Chunk, out: &mut Sink) -> Result<()> {
        let config: Config = chunk.parse_config()?;
        let keys = config.reference_keys();
        if streams::Stream::named(&chunk.stream).is_none() {
            return Err(unknown_stream(&chunk.stream));
        }
        each_json::<&RawValue>(chunk, out, |src, raw, out| map(src, raw.get(), &keys, out))
    }
}

/// Maps one object by what it says it is: a stream may hold several kinds.
fn map(src: u32, raw: &str, reference_keys: &[&str], out: &mut Sink) -> RecordResult {
    #[derive(Deserialize)]
    struct Tag<'a> {
        #[serde(borrow)]
        object: portolan_sdk::Text<'a>,
    }
    match record::<Tag<'_>>(raw)?.object.as_str() {
        "balance_transaction" => out.push(entries::map(src, &record(raw)?, reference_keys)?),
        "charge" => {
            for transaction in payments::map_charge(src, &record(raw)?, reference_keys)? {
                out.push(transaction);
            }
        }
        "refund" => out.push(payments::map_refund(src, &record(raw)?, reference_keys)?),
        "dispute" => out.push(payments::map_dispute(src, &record(raw)?, reference_keys)?),
        "payout" => out.push(payments::map_payout(src, &record(raw)?)?),
        "payment_intent" => out.push(payments::map_intent(src, &record(raw)?, reference_keys)?),
        "customer" => out.push(catalogue::map_customer(src, &record(raw)?)?),
        "product" => out.push(catalogue::map_product(src, &record(raw)?)?),
        other => return Err(BadRecord::at("object", format!("{other:?} is no object that is asked for"))),
    }
    Ok(())
}

fn unknown_stream(name: &str) -> Error {
    Error::PluginBug(format!("the stream {name:?} is in the manifest but not in the code"))
}
