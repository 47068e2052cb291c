//! The payments of an order over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use portolan_commerce::cash::CashEvent;
use portolan_db::entity::document;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::payments::OrderMoney;
use super::queries::find_order;
use crate::App;
use crate::finance::api::EntryResponse;
use crate::finance::links::PaymentRecord;
use crate::web::actor::{FinanceRead, OrdersRead, Require};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};

pub fn routes() -> ApiRoutes {
    ApiRoutes::new().with(guarded!(list_order_payments))
}

/// The money of an order.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderPaymentsResponse {
    pub order_id: Uuid,
    pub payments: Vec<PaymentResponse>,
    /// What they did to the balances, one for each currency.
    pub totals: Vec<PaymentTotalResponse>,
    /// Payments that fit other orders as well: they are linked to none.
    pub ambiguous: Vec<AmbiguousPaymentResponse>,
    /// More payments name this order than are looked at: the totals are not all of it.
    pub more_exist: bool,
}

/// A payment and what became of it at its provider.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentResponse {
    pub connection_id: Uuid,
    /// The provider's own.
    pub key: String,
    /// order, provider_id or reference: by what it was linked.
    pub linked_by: String,
    /// Payment, refunds, disputes, fees; oldest first.
    pub entries: Vec<PaymentEntryResponse>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentEntryResponse {
    #[serde(flatten)]
    pub entry: EntryResponse,
    pub payout_key: Option<String>,
    /// The payout that it went out with, where that is known.
    pub payout_id: Option<Uuid>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentTotalResponse {
    pub currency: String,
    pub amount_minor: i64,
    pub fee_minor: i64,
    pub net_minor: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AmbiguousPaymentResponse {
    pub connection_id: Uuid,
    pub key: String,
    pub other_orders: Vec<OrderReference>,
}

/// An order by its names.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderReference {
    pub id: Uuid,
    pub connection_id: Uuid,
    pub key: String,
    pub number: Option<String>,
}

impl From<document::Model> for OrderReference {
    fn from(head: document::Model) -> Self {
        Self { id: head.id, connection_id: head.connection_id, key: head.key, number: head.number }
    }
}

/// The payments of an order: what providers' balances gained and lost by it, and the payouts it went out with.
#[utoipa::path(get, path = "/api/v1/orders/{id}/payments", tag = "orders", params(("id" = Uuid, Path)),
    responses((status = 200, body = OrderPaymentsResponse), (status = "4XX", body = Problem)))]
pub async fn list_order_payments(
    actor: Require<(OrdersRead, FinanceRead)>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<OrderPaymentsResponse>> {
    let tx = app.db.read(actor.tenant).await?;
    let order = find_order(&tx, actor.seen(), id).await?;
    let money = OrderMoney::load(&tx, actor.seen(), &order).await?;
    drop(tx);
    let mut totals = Vec::new();
    for (currency, sum) in money.totals() {
        totals.push(PaymentTotalResponse {
            currency: currency.to_string(),
            amount_minor: fit(sum.amount_minor)?,
            fee_minor: fit(sum.fee_minor)?,
            net_minor: fit(sum.net_minor)?,
        });
    }
    let payments = money.payments.linked.iter().map(|(payment, by)| PaymentResponse {
        connection_id: payment.connection,
        key: payment.key.clone(),
        linked_by: by.as_str().to_owned(),
        entries: payment.entries.iter().map(|entry| entry_response(&money, payment, entry)).collect(),
    });
    Ok(Json(OrderPaymentsResponse {
        order_id: order.id,
        payments: payments.collect(),
        totals,
        more_exist: money.payments.more_exist,
        ambiguous: money
            .payments
            .ambiguous
            .iter()
            .map(|(payment, others)| AmbiguousPaymentResponse {
                connection_id: payment.connection,
                key: payment.key.clone(),
                other_orders: others.iter().cloned().map(OrderReference::from).collect(),
            })
            .collect(),
    }))
}

fn entry_response(money: &OrderMoney, payment: &PaymentRecord, entry: &CashEvent) -> PaymentEntryResponse {
    PaymentEntryResponse {
        payout_id: entry.payout_key.as_deref().and_then(|key| money.payout(payment, key)),
        payout_key: entry.payout_key.clone(),
        entry: EntryResponse::from(entry.clone()),
    }
}

fn fit(sum: i128) -> AppResult<i64> {
    i64::try_from(sum).map_err(|_| AppError::internal("a sum of an order's payments does not fit"))
}
