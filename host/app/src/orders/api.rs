//! Orders over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use portolan_commerce::ledger::PostedEvent;
use portolan_core::calendar::{DateRange, StoreCalendar};
use portolan_core::{ConnectionId, Currency, Instant, LocalDate, Money};
use portolan_db::entity::document;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::agreement::{Agreement, charged_total};
use super::customer::{ChannelCustomerResponse, channel_customer};
use super::queries::{self, OrderFilter};
use crate::App;
use crate::analytics::question::parse_date;
use crate::web::actor::{OrdersRead, Require};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::{Path, Query};
use crate::web::json::Json;
use crate::web::page::{ListedPage, Page, Paging};
use crate::web::route::{ApiRoutes, guarded};
use crate::web::viewer::Viewer;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new().with(guarded!(list_orders)).with(guarded!(show_order)).with(guarded!(show_ledger))
}

/// An amount in the minor units of its currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoneyResponse {
    pub amount_minor: i64,
    /// ISO 4217, or X- and a provider's code.
    pub currency: String,
    pub display: String,
}

impl MoneyResponse {
    fn new(amount_minor: i64, currency: Currency) -> Self {
        Self {
            amount_minor,
            currency: currency.to_string(),
            display: Money::new(amount_minor, currency).to_string(),
        }
    }

    /// Of a sum, which may not fit.
    fn of_sum(amount_minor: i128, currency: Currency) -> AppResult<Self> {
        let amount_minor = i64::try_from(amount_minor)
            .map_err(|_| AppError::internal("a sum of an order's events does not fit"))?;
        Ok(Self::new(amount_minor, currency))
    }
}

/// An order as it stands now.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderResponse {
    pub id: Uuid,
    pub connection_id: Uuid,
    /// The channel's stable id.
    pub key: String,
    pub number: Option<String>,
    pub state: Option<String>,
    pub payment_state: Option<String>,
    /// RFC 3339.
    pub placed_at: Option<String>,
    pub updated_at: String,
    pub received_at: String,
    pub total: Option<MoneyResponse>,
    pub customer_key: Option<String>,
    pub country: Option<String>,
    pub test: bool,
    pub deleted: bool,
}

impl From<document::Model> for OrderResponse {
    fn from(row: document::Model) -> Self {
        let time = |at_us: i64| Instant(at_us).to_rfc3339();
        let currency = row.currency.as_deref().and_then(|code| code.parse::<Currency>().ok());
        Self {
            id: row.id,
            connection_id: row.connection_id,
            key: row.key,
            number: row.number,
            state: row.state,
            payment_state: row.payment_state,
            placed_at: row.occurred_at.map(time),
            updated_at: time(row.updated_at),
            received_at: time(row.received_at),
            total: row
                .amount_minor
                .zip(currency)
                .map(|(amount, currency)| MoneyResponse::new(amount, currency)),
            customer_key: row.customer_key,
            country: row.country,
            test: row.test,
            deleted: row.deleted,
        }
    }
}

/// An order with its document.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderDetailResponse {
    #[serde(flatten)]
    pub order: OrderResponse,
    /// The newest version in the words of the canonical model; amounts in minor units of its currency.
    #[schema(value_type = Object)]
    pub document: Value,
    /// Who stands behind `customer_key` at the channel: with `personal:read`, where the connection goes by pseudonyms.
    pub channel_customer: Option<ChannelCustomerResponse>,
    pub refunds: Vec<RefundResponse>,
    /// Newest first.
    pub versions: Vec<VersionResponse>,
}

/// Money given back on an order.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundResponse {
    pub id: Uuid,
    pub key: String,
    pub state: String,
    /// RFC 3339.
    pub refunded_at: Option<String>,
    pub reason: Option<String>,
    pub total: MoneyResponse,
    pub deleted: bool,
}

/// One version of an order's document.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionResponse {
    pub id: Uuid,
    /// RFC 3339.
    pub updated_at: String,
    pub received_at: String,
    /// SHA-256 of the content.
    pub hash: String,
    pub current: bool,
}

/// What the ledger says of an order.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerResponse {
    pub order_id: Uuid,
    /// nothing_posted, adds_up, follows_history, several_currencies or behind.
    pub agreement: String,
    /// What the buyer is charged by all events; absent where they are in several currencies.
    pub charged: Option<MoneyResponse>,
    /// In the order of posting.
    pub events: Vec<LedgerEventResponse>,
}

/// One movement of money or quantity; what the seller gains is positive.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerEventResponse {
    pub id: Uuid,
    /// Set on a negated copy: the event it takes back.
    pub reverses: Option<Uuid>,
    pub kind: String,
    pub reason: Option<String>,
    pub line_key: Option<String>,
    pub product_key: Option<String>,
    /// `YYYY-MM-DD` in the store's calendar.
    pub event_date: String,
    /// RFC 3339.
    pub event_at: String,
    pub recorded_at: String,
    /// Units, as a decimal number.
    pub quantity: String,
    pub gross: MoneyResponse,
    pub discount: MoneyResponse,
    pub tax: MoneyResponse,
    pub marketplace_tax: MoneyResponse,
    pub shipping: MoneyResponse,
    pub shipping_tax: MoneyResponse,
    pub duty: MoneyResponse,
    pub tip: MoneyResponse,
    pub fee: MoneyResponse,
    pub gift_card: MoneyResponse,
    /// The sum of all of them, the discount taken off.
    pub charged: MoneyResponse,
}

impl LedgerEventResponse {
    fn new(posted: &PostedEvent, recorded_at: Instant) -> AppResult<Self> {
        let event = &posted.event;
        let money = |amount_minor: i64| MoneyResponse::new(amount_minor, event.currency);
        Ok(Self {
            id: posted.id.0,
            reverses: posted.reverses.map(|event| event.0),
            kind: event.kind.as_str().to_owned(),
            reason: event.reason.clone(),
            line_key: event.line_key.clone(),
            product_key: event.product_key.clone(),
            event_date: event.event_date.to_string(),
            event_at: event.event_at.to_rfc3339(),
            recorded_at: recorded_at.to_rfc3339(),
            quantity: portolan_core::Decimal::new(event.quantity_milli, 3).to_string(),
            gross: money(event.gross_minor),
            discount: money(event.discount_minor),
            tax: money(event.tax_minor),
            marketplace_tax: money(event.marketplace_tax_minor),
            shipping: money(event.shipping_minor),
            shipping_tax: money(event.shipping_tax_minor),
            duty: money(event.duty_minor),
            tip: money(event.tip_minor),
            fee: money(event.fee_minor),
            gift_card: money(event.gift_card_minor),
            charged: MoneyResponse::of_sum(event.charged_minor(), event.currency)?,
        })
    }
}

#[derive(Debug, Deserialize, IntoParams)]
pub struct OrderListQuery {
    /// Only orders of this connection.
    connection_id: Option<Uuid>,
    /// Only orders in this state.
    state: Option<String>,
    /// Placed on or after this day in the tenant's zone, `YYYY-MM-DD`.
    from: Option<String>,
    /// Placed on or before this day.
    until: Option<String>,
    /// Number or key, exactly.
    q: Option<String>,
}

/// List orders, newest first.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", params(OrderListQuery, Paging),
    responses((status = 200, body = Page<OrderResponse>), (status = "4XX", body = Problem)))]
pub async fn list_orders(
    actor: Require<OrdersRead>,
    State(app): State<Arc<App>>,
    Query(query): Query<OrderListQuery>,
    paging: Paging,
) -> AppResult<ListedPage<OrderResponse>> {
    let viewer = Viewer::load(&app, &actor).await?;
    let calendar = StoreCalendar::new(&viewer.tenant.time_zone, 0).unwrap_or_else(|_| StoreCalendar::utc());
    let day = |field: &str, text: Option<&str>| text.map(|text| parse_date(field, text)).transpose();
    let moments = |date: LocalDate| calendar.instants(DateRange::day(date));
    let filter = OrderFilter {
        connection: query.connection_id.map(ConnectionId),
        state: query.state,
        from: day("from", query.from.as_deref())?.map(|date| moments(date).0),
        until: day("until", query.until.as_deref())?.map(|date| moments(date).1),
        search: query.q.filter(|text| !text.trim().is_empty()),
        beside: paging.beside,
    };
    let tx = app.db.read(actor.tenant).await?;
    let rows = queries::list_orders(&tx, actor.seen(), &filter, paging.limit).await?;
    let orders = rows.into_iter().map(OrderResponse::from).collect();
    Ok(paging.page(&app, orders, |order: &OrderResponse| order.id))
}

/// One order: its document, refunds and versions.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = Uuid, Path)),
    responses((status = 200, body = OrderDetailResponse), (status = "4XX", body = Problem)))]
pub async fn show_order(
    actor: Require<OrdersRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<OrderDetailResponse>> {
    let tx = app.db.read(actor.tenant).await?;
    let record = queries::load_order(&tx, actor.seen(), id).await?;
    let customer = channel_customer(&app, &tx, actor.seen(), &record).await?;
    let current = record.head.version_id;
    Ok(Json(OrderDetailResponse {
        channel_customer: customer.map(ChannelCustomerResponse::from),
        document: serde_json::from_str(&record.body).map_err(AppError::internal)?,
        refunds: record
            .refunds
            .into_iter()
            .map(|(head, refund)| RefundResponse {
                id: head.id,
                key: refund.key,
                state: refund.state,
                refunded_at: head.occurred_at.map(|at_us| Instant(at_us).to_rfc3339()),
                reason: refund.reason,
                total: MoneyResponse::new(refund.total_minor, refund.currency),
                deleted: refund.deleted,
            })
            .collect(),
        versions: record
            .version_rows
            .into_iter()
            .map(|row| VersionResponse {
                id: row.id,
                updated_at: Instant(row.updated_at).to_rfc3339(),
                received_at: Instant(row.received_at).to_rfc3339(),
                hash: row.hash,
                current: row.id == current,
            })
            .collect(),
        order: record.head.into(),
    }))
}

/// The ledger events of an order, and whether they add up to its document.
#[utoipa::path(get, path = "/api/v1/orders/{id}/ledger", tag = "orders", params(("id" = Uuid, Path)),
    responses((status = 200, body = LedgerResponse), (status = "4XX", body = Problem)))]
pub async fn show_ledger(
    actor: Require<OrdersRead>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> AppResult<Json<LedgerResponse>> {
    let tx = app.db.read(actor.tenant).await?;
    let record = queries::load_order(&tx, actor.seen(), id).await?;
    let posted: Vec<PostedEvent> = record.events.iter().map(|(event, _)| event.clone()).collect();
    let currency = record.order.currency;
    let charged = charged_total(&posted, currency);
    let events =
        record.events.iter().map(|(event, recorded_at)| LedgerEventResponse::new(event, *recorded_at));
    Ok(Json(LedgerResponse {
        order_id: record.head.id,
        agreement: Agreement::of(&record).as_str().to_owned(),
        charged: charged.map(|sum| MoneyResponse::of_sum(sum, currency)).transpose()?,
        events: events.collect::<AppResult<_>>()?,
    }))
}
