//! Pulse over the JSON API: the figures of its strip, and what of the payments reaches the bank.

use std::sync::Arc;

use axum::extract::State;
use portolan_analytics::{AsOf, Cell, Row, Table};
use portolan_core::{ConnectionId, Currency};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::money::{self, Flow};
use super::queries::{self, Asked, currency_of};
use super::scope::{PulseQuery, Scope, last_day};
use crate::App;
use crate::analytics::question::parse_as_of;
use crate::channels::find_connection;
use crate::web::actor::{AnalyticsQuery, Require};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::Query;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};
use crate::web::seen::sees;
use crate::web::viewer::Viewer;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new().with(guarded!(show_pulse))
}

#[derive(Debug, Deserialize, IntoParams)]
pub struct PulseParameters {
    /// First business date, `YYYY-MM-DD`. Without dates and range: the last 30 days.
    #[serde(default)]
    from: String,
    /// Last business date, included.
    #[serde(default)]
    until: String,
    /// In place of the dates: `last_7_days`, `month_to_date`, `previous_month`, `all`.
    #[serde(default)]
    range: String,
    /// Only what came through this connection.
    connection_id: Option<Uuid>,
    /// Whether amounts are converted into the reporting currency where a rate is known; they are if this is left out.
    convert: Option<bool>,
    /// As it was reported then: the end of a day, `YYYY-MM-DD`, or an RFC 3339 moment.
    as_of: Option<String>,
}

/// How the business does.
#[derive(Debug, Serialize, ToSchema)]
pub struct PulseResponse {
    /// `YYYY-MM-DD`.
    pub from: String,
    /// The last day.
    pub until: String,
    pub connection_id: Option<Uuid>,
    /// What amounts were converted into where a rate is known.
    pub display_currency: Option<String>,
    pub data_version: i64,
    /// RFC 3339: what was recorded later is not in it.
    pub as_of: String,
    pub orders: i64,
    pub customers: i64,
    /// One for each currency: amounts of unlike currencies are never added.
    pub sales: Vec<SalesResponse>,
    /// From gross payments to what the bank gets, one for each currency.
    pub money: Vec<MoneyFlowResponse>,
}

/// Sales in one currency, in minor units.
#[derive(Debug, Serialize, ToSchema)]
pub struct SalesResponse {
    pub currency: String,
    /// No rate is known into the display currency.
    pub unconverted: bool,
    pub net_sales_minor: i64,
    pub demand_sales_minor: i64,
    pub returns_minor: i64,
    /// Absent where nothing was ordered.
    pub aov_minor: Option<i64>,
}

/// What payments did to the balances in one currency, in minor units, each as the metric of its name counts it:
/// gross − refunds − disputed − fees + other = net, and net − payouts = change of the balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoneyFlowResponse {
    pub currency: String,
    /// No rate is known into the display currency.
    pub unconverted: bool,
    pub gross_payments_minor: i64,
    pub payment_refunds_minor: i64,
    pub disputed_payments_minor: i64,
    pub payment_fees_minor: i64,
    pub other_movements_minor: i64,
    pub net_payout_minor: i64,
    pub payouts_minor: i64,
    pub balance_change_minor: i64,
    /// What each kind of movement did to the balance; they add up to its change.
    pub kinds: Vec<MoneyKindResponse>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MoneyKindResponse {
    pub balance_category: String,
    pub amount_minor: i64,
}

impl From<Flow> for MoneyFlowResponse {
    fn from(flow: Flow) -> Self {
        Self {
            currency: flow.currency.to_string(),
            unconverted: flow.unconverted,
            gross_payments_minor: flow.of("gross_payments"),
            payment_refunds_minor: flow.of("payment_refunds"),
            disputed_payments_minor: flow.of("disputed_payments"),
            payment_fees_minor: flow.of("payment_fees"),
            other_movements_minor: flow.of("other_movements"),
            net_payout_minor: flow.of("net_payout"),
            payouts_minor: flow.of("payouts"),
            balance_change_minor: flow.of("balance_change"),
            kinds: flow
                .kinds
                .into_iter()
                .map(|(balance_category, amount_minor)| MoneyKindResponse { balance_category, amount_minor })
                .collect(),
        }
    }
}

/// How the business does: sales and money of some days.
#[utoipa::path(get, path = "/api/v1/pulse", tag = "analytics", params(PulseParameters),
    responses((status = 200, body = PulseResponse), (status = "4XX", body = Problem)))]
pub async fn show_pulse(
    actor: Require<AnalyticsQuery>,
    State(app): State<Arc<App>>,
    Query(parameters): Query<PulseParameters>,
) -> AppResult<Json<PulseResponse>> {
    let viewer = Viewer::load(&app, &actor).await?;
    let connection = parameters.connection_id.map(ConnectionId);
    if let Some(connection) = connection {
        let row = find_connection(&app.db.read(actor.tenant).await?, connection).await?;
        if !sees(actor.seen(), &row) {
            return Err(AppError::not_found("connection"));
        }
    }
    let query = PulseQuery {
        range: parameters.range,
        from: parameters.from,
        until: parameters.until,
        compare: "none".to_owned(),
        ..PulseQuery::default()
    };
    let days = match query.names_its_days() {
        true => None,
        false => queries::ledger_days(&app, actor.tenant, actor.seen(), connection).await?,
    };
    let as_of = parameters.as_of.as_deref().map(parse_as_of).transpose()?;
    // A range by its name is the one of then.
    let today = match as_of {
        None => viewer.today(),
        Some(AsOf::Day(day)) => day.min(viewer.today()),
        Some(AsOf::Moment(moment)) => viewer.day_of(moment).min(viewer.today()),
    };
    let scope = Scope::resolve(&query, days, today, &queries::tenant_calendar(&viewer.tenant));
    if let Some(error) = scope.error {
        return Err(AppError::invalid("range", error));
    }
    let converts = parameters.convert.unwrap_or(true);
    let reporting_currency: Option<Currency> = viewer.tenant.reporting_currency.parse().ok();
    let asked = Asked {
        tenant: actor.tenant,
        seen: actor.seen(),
        scope: &scope,
        connection,
        connections: 1,
        chart_currency: None,
        reporting_currency,
        display_currency: reporting_currency.filter(|_| converts),
        as_of,
    };
    let ((sales, counts), flows) =
        futures::try_join!(queries::ask_figures(&app, &asked), money::ask(&app, &asked))?;
    let count = |id: &str| match counts.rows.first().and_then(|row| counts.cell(row, id)) {
        Some(Cell::Count(count)) => *count,
        _ => 0,
    };
    Ok(Json(PulseResponse {
        from: scope.range.from.to_string(),
        until: last_day(scope.range).to_string(),
        connection_id: parameters.connection_id,
        display_currency: sales.display_currency.map(|currency| currency.to_string()),
        data_version: sales.data_version,
        as_of: sales.as_of.to_rfc3339(),
        orders: count("orders"),
        customers: count("customers"),
        sales: sales.rows.iter().filter_map(|row| sales_response(&sales, row)).collect(),
        money: flows.into_iter().map(MoneyFlowResponse::from).collect(),
    }))
}

fn sales_response(table: &Table, row: &Row) -> Option<SalesResponse> {
    let amount = |id: &str| table.cell(row, id).and_then(Cell::as_money).map(|money| money.amount_minor);
    let currency = currency_of(table, row)?;
    Some(SalesResponse {
        currency: currency.to_string(),
        unconverted: table.unconverted.contains(&currency),
        net_sales_minor: amount("net_sales")?,
        demand_sales_minor: amount("demand_sales")?,
        returns_minor: amount("returns")?,
        aov_minor: amount("aov"),
    })
}
