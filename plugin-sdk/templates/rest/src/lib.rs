//! A connector for one REST stream: orders, paged by a Link header.

use portolan_sdk::commerce::{Order, OrderLine};
use portolan_sdk::{
    Chunk, Connector, FetchRequest, Moment, Number, Page, Result, Sink, each, http, money, pager, time,
};
use serde::Deserialize;

struct Shop;

portolan_sdk::connector!(Shop, manifest: "../plugin.json");

#[derive(Deserialize)]
struct RawOrder {
    id: u64,
    created_at: String,
    updated_at: String,
    currency: String,
    total: Number,
    items: Vec<RawItem>,
}

#[derive(Deserialize)]
struct RawItem {
    id: u64,
    sku: Option<String>,
    name: String,
    quantity: Number,
    amount: Number,
}

impl Connector for Shop {
    fn fetch(request: &FetchRequest) -> Result<Page> {
        let question = match request.cursor() {
            Some(next_url) => http::get(next_url),
            None => http::get("/api/orders")
                .query("per_page", "100")
                .query_if("updated_since", request.slice.since.map(time::rfc3339))
                .query_if("updated_before", request.slice.until.map(time::rfc3339)),
        };
        let answer = question.send()?;
        let next = pager::link(&answer);
        Ok(answer.into_page("orders", "json:/orders", next))
    }

    fn normalize(chunk: &Chunk, out: &mut Sink) -> Result<()> {
        each(chunk, out, |src, raw: RawOrder, out| {
            let updated_at = Moment::At(time::instant(&raw.updated_at).map_err(|bad| bad.at("updated_at"))?);
            let placed_at = Moment::At(time::instant(&raw.created_at).map_err(|bad| bad.at("created_at"))?);
            let currency = money::currency(&raw.currency)?;
            let mut order = Order::new(src, raw.id.to_string(), updated_at, placed_at, currency.as_str());
            for item in raw.items {
                let mut line = OrderLine::new(item.id.to_string(), item.name, item.quantity.decimal()?);
                line.sku = item.sku;
                line.gross = item.amount.minor(&currency)?;
                order.gross += line.gross;
                order.lines.push(line);
            }
            order.total = raw.total.minor(&currency).map_err(|bad| bad.at("total"))?;
            out.push(order);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
