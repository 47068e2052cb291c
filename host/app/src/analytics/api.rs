//! Metrics, dimensions and questions over the JSON API.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portolan_analytics::{Closed, Dimension, METRICS, Metric, MetricInfo, Query, Visibility, metric};
use portolan_core::hex;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::App;
use crate::web::actor::{AnalyticsQuery, Require};
use crate::web::error::{AppError, AppResult, Problem};
use crate::web::extract::Path;
use crate::web::json::Json;
use crate::web::route::{ApiRoutes, guarded};

pub fn routes() -> ApiRoutes {
    ApiRoutes::new()
        .with(guarded!(list_metrics))
        .with(guarded!(show_metric))
        .with(guarded!(list_dimensions))
        .with(guarded!(run_query))
}

/// A way to cut a metric.
#[derive(Debug, Serialize, ToSchema)]
pub struct DimensionResponse {
    pub id: &'static str,
    pub label: &'static str,
    pub description: &'static str,
}

/// List the metrics of the catalogue that may be asked for.
#[utoipa::path(get, path = "/api/v1/metrics", tag = "analytics",
    responses((status = 200, body = Vec<Object>, description = "Id, label, unit, additivity, definition"),
        (status = "4XX", body = Problem)))]
pub async fn list_metrics(actor: Require<AnalyticsQuery>) -> AppResult<Json<Vec<Value>>> {
    let metrics = METRICS.iter().filter(|metric| actor.seen().answers(metric)).map(describe);
    Ok(Json(metrics.collect::<AppResult<_>>()?))
}

/// One metric's definition.
#[utoipa::path(get, path = "/api/v1/metrics/{id}", tag = "analytics", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = Problem)))]
pub async fn show_metric(actor: Require<AnalyticsQuery>, Path(id): Path<String>) -> AppResult<Json<Value>> {
    let found = metric(&id).ok_or_else(|| AppError::not_found("metric"))?;
    if !actor.seen().answers(found) {
        let detail =
            format!("{id} is kept from you, by your roles or by a policy: ask an owner or admin for it.");
        return Err(AppError::closed(detail));
    }
    Ok(Json(describe(found)?))
}

fn describe(metric: &'static Metric) -> AppResult<Value> {
    serde_json::to_value(MetricInfo::from(metric)).map_err(AppError::internal)
}

/// List the dimensions that metrics can be cut by.
#[utoipa::path(get, path = "/api/v1/dimensions", tag = "analytics",
    responses((status = 200, body = Vec<DimensionResponse>), (status = "4XX", body = Problem)))]
pub async fn list_dimensions(actor: Require<AnalyticsQuery>) -> Json<Vec<DimensionResponse>> {
    let shown = |one: &&Dimension| actor.seen().of_dimension(**one) != Some(Closed::Hidden);
    let dimensions = Dimension::ALL.iter().filter(shown).map(|dimension| DimensionResponse {
        id: dimension.id(),
        label: dimension.label(),
        description: dimension.description(),
    });
    Json(dimensions.collect())
}

/// The same question over the same data has the same answer to whoever sees the same; another question never has.
fn etag(query: &Query, seen: &Visibility, data_version: i64) -> AppResult<String> {
    let asked = serde_json::to_vec(&(query, seen)).map_err(AppError::internal)?;
    Ok(format!("\"{data_version}-{}\"", &hex(&Sha256::digest(&asked))[..16]))
}

/// Ask a question. With `as_of`, a day or an RFC 3339 moment, the answer is as it was reported then; the answer's own `as_of`,
/// RFC 3339, is the moment that it is as of. Its ETag is the version of the data and the question.
#[utoipa::path(post, path = "/api/v1/queries", tag = "analytics", request_body = Object,
    responses((status = 200, body = Object, description = "Columns, rows, totals, data version, `as_of`"),
        (status = 304, description = "Unchanged since the ETag"), (status = "4XX", body = Problem)))]
pub async fn run_query(
    actor: Require<AnalyticsQuery>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    query: Result<Json<Query>, JsonRejection>,
) -> AppResult<Response> {
    let Json(query) = query?;
    let table = app.engine.run(actor.tenant, actor.seen(), &query).await?;
    let etag = etag(&query, actor.seen(), table.data_version)?;
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let mut response = Json(table).into_response();
    let etag = HeaderValue::from_str(&etag).map_err(AppError::internal)?;
    response.headers_mut().insert(header::ETAG, etag);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use portolan_analytics::{DateRange, Query, RowLimit, Visibility};
    use portolan_core::LocalDate;

    use super::etag;

    #[test]
    fn another_question_or_other_data_has_another_etag() {
        let range = DateRange::inclusive(LocalDate(0), LocalDate(9)).expect("range");
        let orders = Query::over(range, &["orders"]);
        let sales = Query::over(range, &["net_sales"]);
        let everything = Visibility::everything();
        let tag = |query: &Query, version| etag(query, &everything, version).expect("etag");
        let mut part = Visibility::everything();
        part.limit(RowLimit::nothing());
        assert_ne!(tag(&orders, 7), etag(&orders, &part, 7).expect("etag"));
        assert_eq!(tag(&orders, 7), tag(&orders, 7));
        assert_ne!(tag(&orders, 7), tag(&sales, 7));
        assert_ne!(tag(&orders, 7), tag(&orders, 8));
    }
}
