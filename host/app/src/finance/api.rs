//! Payouts over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use portolan_commerce::cash::CashEvent;
use portolan_core::{ConnectionId, Instant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::links::{OrderOfPayment, orders_of_entries};
use super::queries::{self, PayoutFilter, PayoutRecord};
use crate::App;
use crate::web::actor::{FinanceRead, Require};
use crate::web::error::{AppResult, Problem};
use crate::web::extract::{Path, Query};
use crate::web::json::Json;
use crate::web::page::{ListedPage, Page, Paging};
use crate::web::route::{ApiRoutes, guarded};

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_payouts))
        .with(guarded!(show_payout))
        .with(guarded!(list_payout_entries))
}

#[derive(Debug, Deserialize, IntoParams)]
pub struct PayoutListQuery {
    /// Only payouts of this connection.
    connection_id: Option<Uuid>,
    /// Only payouts in this state, as the provider names it.
    state: Option<String>,
}

/// Money on its way from a provider to the bank, beside what its entries add up to.
#[derive(Debug, Serialize, ToSchema)]
pub struct PayoutResponse {
    pub id: Uuid,
    pub connection_id: Uuid,
    /// The provider's own.
    pub key: String,
    pub state: String,
    pub currency: String,
    /// What the provider says it paid out.
    pub amount_minor: i64,
    /// RFC 3339.
    pub initiated_at: String,
    /// `YYYY-MM-DD`.
    pub arrives_on: Option<String>,
    pub bank_reference: Option<String>,
    /// What its entries in its currency add up to, the payout's own aside.
    pub entries_net_minor: i64,
    pub entry_count: i64,
    /// Entries in another currency, which are added to nothing.
    pub foreign_entry_count: i64,
    /// `amount_minor` − `entries_net_minor`.
    pub difference_minor: i64,
    /// Whether the entries explain the payout to the last minor unit.
    pub explained: bool,
}

/// One movement of the balance that a payout paid out.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryResponse {
    pub key: String,
    pub category: String,
    /// The provider's own name of it.
    pub provider_kind: String,
    /// RFC 3339.
    pub at: String,
    pub payment_key: Option<String>,
    /// What the merchant wrote on the payment.
    pub reference: Option<String>,
    pub currency: String,
    pub amount_minor: i64,
    pub fee_minor: i64,
    pub net_minor: i64,
    /// What the buyer saw, where it was in another currency.
    pub charged_currency: Option<String>,
    pub charged_minor: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct EntryListResponse {
    /// All of them, oldest first.
    pub data: Vec<PayoutEntryResponse>,
}

/// An entry of a payout, and the order that it is about.
#[derive(Debug, Serialize, ToSchema)]
pub struct PayoutEntryResponse {
    #[serde(flatten)]
    pub entry: EntryResponse,
    /// The only order that fits the payment.
    pub order_id: Option<Uuid>,
    /// order, provider_id or reference: by what it was found.
    pub linked_by: Option<String>,
    /// Where several orders fit, so that none is chosen.
    pub fitting_order_ids: Vec<Uuid>,
}

/// List payouts, newest first.
#[utoipa::path(get, path = "/api/v1/payouts", tag = "finance", params(PayoutListQuery, Paging),
    responses((status = 200, body = Page<PayoutResponse>), (status = "4XX", body = Problem)))]
pub async fn list_payouts(
    actor: Require<FinanceRead>,
    State(app): State<Arc<App>>,
    Query(query): Query<PayoutListQuery>,
    paging: Paging,
) -> AppResult<ListedPage<PayoutResponse>> {
    let tx = app.db.read(actor.tenant).await?;
    let filter = PayoutFilter {
        connection: query.connection_id.map(ConnectionId),
        state: query.state,
        beside: paging.beside,
    };
    let payouts = queries::list_payouts(&tx, actor.seen(), &filter, paging.limit).await?;
    let payouts = payouts.into_iter().map(PayoutResponse::from).collect();
    Ok(paging.page(&app, payouts, |payout: &PayoutResponse| payout.id))
}

/// One payout.
#[utoipa::path(get, path = "/api/v1/payouts/{id}", tag = "finance", params(("id" = Uuid, Path)),
    responses((status = 200, body = PayoutResponse), (status = "4XX", body = Problem)))]
pub async fn show_payout(
    actor: Require<FinanceRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<PayoutResponse>> {
    let tx = app.db.read(actor.tenant).await?;
    Ok(Json(queries::find_payout(&tx, actor.seen(), id).await?.into()))
}

/// The entries that a payout paid out.
#[utoipa::path(get, path = "/api/v1/payouts/{id}/entries", tag = "finance", params(("id" = Uuid, Path)),
    responses((status = 200, body = EntryListResponse), (status = "4XX", body = Problem)))]
pub async fn list_payout_entries(
    actor: Require<FinanceRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<EntryListResponse>> {
    let tx = app.db.read(actor.tenant).await?;
    let payout = queries::find_payout(&tx, actor.seen(), id).await?;
    let entries = queries::entries_of_payout(&tx, &payout).await?;
    let orders = orders_of_entries(&tx, actor.seen(), payout.head.connection_id, &entries).await?;
    let data = entries.into_iter().map(|entry| {
        let (order_id, linked_by, fitting_order_ids) = match orders.get(entry.ledger_key()) {
            Some(OrderOfPayment::Linked { order, by }) => {
                (Some(order.id), Some(by.as_str().to_owned()), Vec::new())
            }
            Some(OrderOfPayment::Ambiguous { orders }) => {
                (None, None, orders.iter().map(|order| order.id).collect())
            }
            Some(OrderOfPayment::Unknown) | None => (None, None, Vec::new()),
        };
        PayoutEntryResponse { entry: entry.into(), order_id, linked_by, fitting_order_ids }
    });
    Ok(Json(EntryListResponse { data: data.collect() }))
}

impl From<PayoutRecord> for PayoutResponse {
    fn from(record: PayoutRecord) -> Self {
        let explained = record.holds();
        let difference_minor = record.difference_minor();
        Self {
            id: record.head.id,
            connection_id: record.head.connection_id,
            initiated_at: Instant(record.head.occurred_at.unwrap_or(record.head.updated_at)).to_rfc3339(),
            key: record.head.key,
            state: record.payout.state,
            currency: record.payout.currency.to_string(),
            amount_minor: record.payout.amount_minor,
            arrives_on: record.payout.arrives_on.map(|date| date.to_string()),
            bank_reference: record.payout.bank_reference,
            entries_net_minor: record.entries_net_minor,
            entry_count: record.entry_count,
            foreign_entry_count: record.foreign_count,
            difference_minor: i64::try_from(difference_minor).unwrap_or(i64::MAX),
            explained,
        }
    }
}

impl From<CashEvent> for EntryResponse {
    fn from(event: CashEvent) -> Self {
        Self {
            key: event.entry_key,
            category: event.category.to_string(),
            provider_kind: event.provider_kind,
            at: event.event_at.to_rfc3339(),
            payment_key: event.payment_key,
            reference: event.reference,
            currency: event.currency.to_string(),
            amount_minor: event.amount_minor,
            fee_minor: event.fee_minor,
            net_minor: event.net_minor,
            charged_currency: event.charged_currency.map(|currency| currency.to_string()),
            charged_minor: event.charged_minor,
        }
    }
}
