//! The page of one order.

use std::sync::Arc;

use axum::extract::State;
use portolan_admin_ui::pages::OrderPage;
use portolan_admin_ui::parts::Section;
use portolan_core::Instant;
use serde_json::Value;
use uuid::Uuid;

use super::agreement::Agreement;
use super::customer::channel_customer;
use super::lineage::{self, Lineage};
use super::payment_views::order_payments;
use super::payments::OrderMoney;
use super::queries::{OrderRecord, load_order};
use super::views;
use crate::App;
use crate::channels::seen::check_cash_is_open;
use crate::web::actor::{FinanceRead, OrdersRead, PageActor, SyncsRun};
use crate::web::error::PageResult;
use crate::web::extract::Path;
use crate::web::html;
use crate::web::viewer::Viewer;

pub async fn show_order(
    PageActor(actor): PageActor<OrdersRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let record = load_order(&tx, actor.seen(), id).await?;
    let lineage = lineage::trace(&tx, &record).await?;
    let money = match actor.may(FinanceRead::PERMISSION) && check_cash_is_open(actor.seen()).is_ok() {
        true => Some(OrderMoney::load(&tx, actor.seen(), &record.head).await?),
        false => None,
    };
    let customer = channel_customer(&app, &tx, actor.seen(), &record).await?;
    drop(tx);
    let may_read_again = actor.may(SyncsRun::PERMISSION);
    let mut page = page(&viewer, &record, &lineage, money.as_ref(), may_read_again);
    page.facts.extend(customer.map(|identity| views::channel_customer(&viewer, identity)));
    html(&page)
}

fn page(
    viewer: &Viewer,
    record: &OrderRecord,
    lineage: &Lineage,
    money: Option<&OrderMoney>,
    may_read_again: bool,
) -> OrderPage {
    let (head, order) = (&record.head, &record.order);
    let placed = viewer.when(Instant(head.occurred_at.unwrap_or(head.updated_at)));
    OrderPage {
        shell: viewer.shell(format!("Order {}", views::order_name(head)), Section::Orders),
        scope: format!("{} · placed {} · {}", record.connection.label, placed.full, order.currency),
        currency: order.currency.to_string(),
        badges: views::badges(head, order),
        facts: views::facts(order),
        lines: order
            .lines
            .iter()
            .map(|line| views::line_row(line, order.currency, order.tax_included))
            .collect(),
        totals: views::totals(order),
        events: views::event_rows(viewer, record),
        event_total: views::event_total(viewer, record),
        agreement: Agreement::of(record).badge(order.currency),
        refunds: record
            .refunds
            .iter()
            .map(|(refund_head, refund)| views::refund_row(viewer, refund_head, refund, order))
            .collect(),
        payments: money.map(|money| order_payments(viewer, money)),
        versions: views::version_rows(viewer, &record.version_rows, head.version_id),
        lineage: views::lineage_rows(viewer, record, lineage, may_read_again),
        body_json: indented(&record.body),
    }
}

fn indented(body: &str) -> Option<String> {
    let value: Value = serde_json::from_str(body).ok()?;
    serde_json::to_string_pretty(&value).ok()
}
