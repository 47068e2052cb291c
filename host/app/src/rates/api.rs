//! Exchange rates over the JSON API.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode, header};
use portolan_core::calendar::DateRange;
use portolan_core::{Currency, DatedRate, Decimal, LocalDate, Rate, RatePolicy};
use portolan_db::entity::fx_rate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ops, queries, read};
use crate::App;
use crate::web::actor::{AnalyticsQuery, RatesManage, Require};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::Query;
use crate::web::json::{Json, read_object};
use crate::web::route::{ApiRoutes, guarded};

/// The longest span that one answer lists.
const LONGEST_SPAN_DAYS: i64 = 366 * 5;

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_fx_rates))
        .with(guarded!(store_fx_rates))
        .with(guarded!(show_fx_policy))
        .with(guarded!(set_fx_policy))
}

#[derive(Debug, Deserialize, IntoParams)]
pub struct RateListQuery {
    base: String,
    quote: String,
    /// First day, `YYYY-MM-DD`.
    from: String,
    /// Last day.
    until: String,
}

/// One `base` was so many `quote` on a day.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateBody {
    /// `YYYY-MM-DD`.
    pub day: String,
    pub base: String,
    pub quote: String,
    /// A decimal number as text.
    pub rate: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RateListResponse {
    /// Newest first.
    pub data: Vec<RateBody>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreRatesRequest {
    pub rates: Vec<RateBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct StoredRatesResponse {
    /// Pairs and days of which something is known now by this request.
    pub stored: usize,
}

/// What amounts are converted into, and by which rates.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyResponse {
    pub reporting_currency: String,
    /// `event_date`: the day's own rate, or the newest of the week before it; `month_average`; `fixed`: the newest.
    pub policy: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPolicyRequest {
    /// `event_date`, `month_average` or `fixed`.
    pub policy: String,
}

/// List what is known of one pair of currencies.
#[utoipa::path(get, path = "/api/v1/fx-rates", tag = "rates", params(RateListQuery),
    responses((status = 200, body = RateListResponse), (status = "4XX", body = Problem)))]
pub async fn list_fx_rates(
    actor: Require<AnalyticsQuery>,
    State(app): State<Arc<App>>,
    Query(query): Query<RateListQuery>,
) -> AppResult<Json<RateListResponse>> {
    let (base, quote) = (currency("base", &query.base)?, currency("quote", &query.quote)?);
    let days = DateRange::inclusive(day("from", &query.from)?, day("until", &query.until)?);
    let days = days.filter(|days| days.days() <= LONGEST_SPAN_DAYS);
    let days = days.ok_or_else(|| AppError::invalid("until", "Ask for a span of at most five years."))?;
    let tx = app.db.read(actor.tenant).await?;
    let rates = queries::rates_of(&tx, base, quote, days).await?;
    Ok(Json(RateListResponse { data: rates.into_iter().map(RateBody::from).collect() }))
}

/// Keep exchange rates. A rate of the same pair and day is replaced; questions as of a day before still convert by the old one.
///
/// As JSON, or as `text/csv` with the columns `date, base, quote, rate`, or with a column per currency for one euro, as the
/// European Central Bank publishes its history. All or nothing is kept.
#[utoipa::path(post, path = "/api/v1/fx-rates", tag = "rates", request_body = StoreRatesRequest,
    responses((status = 200, body = StoredRatesResponse), (status = "4XX", body = Problem)))]
pub async fn store_fx_rates(
    actor: Require<RatesManage>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> AppResult<Json<StoredRatesResponse>> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let rates = if kind.starts_with("text/csv") {
        read::read_rates(&body)?
    } else {
        let request: StoreRatesRequest = read_object(&body)
            .map_err(|error| AppError::unreadable(&format!("The body could not be read: {error}.")))?;
        request.rates.into_iter().enumerate().map(dated).collect::<AppResult<_>>()?
    };
    let stored = ops::store_rates(&app, actor.tenant, actor.who(), rates, "api").await?;
    Ok(Json(StoredRatesResponse { stored }))
}

/// What amounts are converted into, and by which rates.
#[utoipa::path(get, path = "/api/v1/fx-policy", tag = "rates",
    responses((status = 200, body = PolicyResponse), (status = "4XX", body = Problem)))]
pub async fn show_fx_policy(
    actor: Require<AnalyticsQuery>,
    State(app): State<Arc<App>>,
) -> AppResult<Json<PolicyResponse>> {
    let tx = app.db.read(actor.tenant).await?;
    let (currency, policy) = queries::policy(&tx, actor.tenant).await?;
    Ok(Json(PolicyResponse { reporting_currency: currency.to_string(), policy: policy.to_string() }))
}

/// Choose by which rates amounts are converted. It changes answers about the past as well.
#[utoipa::path(put, path = "/api/v1/fx-policy", tag = "rates", request_body = SetPolicyRequest,
    responses((status = 204), (status = "4XX", body = Problem)))]
pub async fn set_fx_policy(
    actor: Require<RatesManage>,
    State(app): State<Arc<App>>,
    request: Result<Json<SetPolicyRequest>, JsonRejection>,
) -> AppResult<StatusCode> {
    let Json(request) = request?;
    let policy: RatePolicy = request.policy.parse().map_err(|error| invalid("policy", error))?;
    ops::set_policy(&app, actor.tenant, actor.who(), policy).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<fx_rate::Model> for RateBody {
    fn from(row: fx_rate::Model) -> Self {
        Self { day: LocalDate(row.day).to_string(), base: row.base, quote: row.quote, rate: row.rate }
    }
}

fn dated((index, body): (usize, RateBody)) -> AppResult<DatedRate> {
    let path = |name: &str| format!("rates/{index}/{name}");
    let (base, quote) = (currency(&path("base"), &body.base)?, currency(&path("quote"), &body.quote)?);
    if base == quote {
        return Err(AppError::invalid(&path("quote"), "A currency has no rate against itself."));
    }
    let decimal: Decimal = body.rate.parse().map_err(|error| invalid(&path("rate"), error))?;
    let rate =
        Rate::new(decimal).ok_or_else(|| AppError::invalid(&path("rate"), "Write a number above zero."))?;
    Ok(DatedRate { day: day(&path("day"), &body.day)?, base, quote, rate })
}

fn currency(path: &str, text: &str) -> AppResult<Currency> {
    text.parse().map_err(|error| invalid(path, error))
}

fn day(path: &str, text: &str) -> AppResult<LocalDate> {
    LocalDate::parse(text).ok_or_else(|| AppError::invalid(path, "Write YYYY-MM-DD."))
}

fn invalid<E: std::fmt::Display>(path: &str, error: E) -> AppError {
    AppError::invalid(path, format!("{error}."))
}
