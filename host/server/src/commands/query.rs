//! `portolan query`: ask for metrics, without a server.

use anyhow::{Context, Result};
use portolan_analytics::{Cell, MASKED, Query, Table, Visibility};
use portolan_app::analytics::question::{Question as Asked, build};
use portolan_app::people::find_tenant;

use super::print_line;
use super::user::sentence;
use crate::cli::{Place, Question};
use crate::wire::Portolan;

pub async fn run(place: &Place, question: Question) -> Result<()> {
    let portolan = Portolan::open(place).await?;
    let tenant = find_tenant(&portolan.app, question.tenant.as_deref()).await.map_err(sentence)?;
    let as_json = question.json;
    let asked = Asked {
        metrics: question.metrics,
        by: question.by,
        from: question.from,
        until: question.until,
        filters: question.filters,
        limit: question.limit,
        currency: question.currency,
        as_of: question.as_of,
    };
    let query: Query = build(&portolan.app, tenant, asked).await.map_err(sentence)?;
    let table = portolan.app.engine.run(tenant, &Visibility::everything(), &query).await?;
    if as_json {
        return print_line(&serde_json::to_string_pretty(&table).context("the answer is no JSON")?);
    }
    print_table(&table)
}

fn print_table(table: &Table) -> Result<()> {
    let head: Vec<&str> = table.columns.iter().map(|column| column.label.as_str()).collect();
    print_line(&head.join("\t"))?;
    for row in table.rows.iter() {
        print_line(&row.cells.iter().map(text_of).collect::<Vec<_>>().join("\t"))?;
    }
    for total in &table.totals {
        print_line(&format!("total\t{}", total.cells.iter().map(text_of).collect::<Vec<_>>().join("\t")))?;
    }
    Ok(())
}

fn text_of(cell: &Cell) -> String {
    match cell {
        Cell::Null => "-".to_owned(),
        Cell::Masked => MASKED.to_owned(),
        Cell::Period(bucket) => bucket.start.to_string(),
        Cell::Key { label, .. } => label.clone(),
        Cell::Count(count) => count.to_string(),
        Cell::Quantity(quantity) => quantity.to_string(),
        Cell::Ratio(ratio) => format!("{ratio:.4}"),
        Cell::Money(money) => money.to_string(),
    }
}
