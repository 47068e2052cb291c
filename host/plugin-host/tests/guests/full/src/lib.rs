//! A connector with everything that the contract leaves open: it understands webhooks, and asks the
//! channel for its own totals.

use portolan_sdk::{
    Chunk, Connection, Connector, Control, ControlTotals, Event, FetchRequest, Outcome, Page, RecordResult,
    Result, Sink, Slice, Webhook, commerce, each, http, pager, time,
};
use serde::Deserialize;

/// The connector.
pub struct Shop;

portolan_sdk::connector!(Shop, manifest: "../plugin.json", webhook, control);

#[derive(Deserialize)]
struct RawProduct {
    id: u64,
    title: String,
    updated_at: String,
}

/// A movement of the provider's balance, with the provider's own sums.
#[derive(Deserialize)]
struct RawMovement {
    id: String,
    at: String,
    category: String,
    kind: String,
    charge: Option<String>,
    currency: String,
    amount: i64,
    fee: i64,
    net: i64,
    charged: Option<(i64, String)>,
}

impl Connector for Shop {
    fn fetch(request: &FetchRequest) -> Result<Page> {
        let question = match request.cursor() {
            Some(next_url) => http::get(next_url),
            None => within(http::get("/api/products"), &request.slice),
        };
        let answer = question.send()?;
        let next = pager::link(&answer);
        Ok(answer.into_page("products", "json:/products", next))
    }

    fn normalize(chunk: &Chunk, out: &mut Sink) -> Result<()> {
        if chunk.stream == "balance" {
            return each(chunk, out, movement);
        }
        each(chunk, out, |src, raw: RawProduct, out| {
            let updated_at = time::moment(&raw.updated_at).map_err(|bad| bad.at("updated_at"))?;
            out.push(commerce::Product::new(src, raw.id.to_string(), updated_at, raw.title));
            Ok(())
        })
    }
}

fn movement(src: u32, raw: RawMovement, out: &mut Sink) -> RecordResult {
    let at = time::moment(&raw.at).map_err(|bad| bad.at("at"))?;
    let entry = commerce::BalanceEntry::new(src, raw.id, at, at, raw.category, raw.kind, raw.currency);
    out.push(commerce::BalanceEntry {
        payment: raw.charge,
        net: raw.net,
        charged: raw.charged.map(|(amount, currency)| commerce::Money { currency, amount }),
        ..entry.settled(raw.amount, raw.fee)
    });
    Ok(())
}

impl Webhook for Shop {
    fn handle(_: &Connection, event: &Event) -> Result<Outcome> {
        let outcome = match event.topic.as_deref() {
            // The event carries the whole product.
            Some("products/updated") => Outcome::carries(event, "products", "json"),
            _ => Outcome::nothing(),
        };
        Ok(match event.header("x-shop-event-id") {
            Some(id) => outcome.with_id(id),
            None => outcome,
        })
    }
}

impl Control for Shop {
    fn totals(_: &Connection, slice: &Slice) -> Result<ControlTotals> {
        let answer = within(http::get("/api/products/count"), slice).send()?;
        let count = answer.text_at("/count")?.and_then(|count| count.parse().ok());
        Ok(ControlTotals { count, sums: Vec::new() })
    }
}

/// The question, for the slice's window.
fn within(question: http::Request, slice: &Slice) -> http::Request {
    question
        .query_if("updated_since", slice.since.map(time::rfc3339))
        .query_if("updated_before", slice.until.map(time::rfc3339))
}
