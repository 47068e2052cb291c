//! A question in the few words of a command line.

use portolan_analytics::{AsOf, DateRange, Filter, FilterOp, GrainChoice, Query, Visibility};
use portolan_core::{LocalDate, TenantId};

use crate::App;
use crate::web::error::{AppError, AppResult};

/// Metrics, cuts, days and filters as text.
#[derive(Debug, Clone, Default)]
pub struct Question {
    pub metrics: Vec<String>,
    /// Dimensions, and at most one grain.
    pub by: Vec<String>,
    /// `YYYY-MM-DD`; the ledger's first day where absent.
    pub from: Option<String>,
    /// `YYYY-MM-DD`, included; the ledger's last day where absent.
    pub until: Option<String>,
    /// `dimension=value`.
    pub filters: Vec<String>,
    pub limit: Option<u32>,
    /// What amounts are converted into, where rates are known.
    pub currency: Option<String>,
    /// `YYYY-MM-DD` or RFC 3339: the answer as it was then.
    pub as_of: Option<String>,
}

/// Turns words into a typed question.
pub async fn build(app: &App, tenant: TenantId, question: Question) -> AppResult<Query> {
    let (first, last) = ledger_days(app, tenant).await?;
    let from = question.from.as_deref().map(|text| parse_date("from", text)).transpose()?.unwrap_or(first);
    let until = question.until.as_deref().map(|text| parse_date("until", text)).transpose()?.unwrap_or(last);
    let range = DateRange::inclusive(from, until)
        .ok_or_else(|| AppError::invalid("until", "The last day is before the first one."))?;
    let mut query = Query::over(range, &[]);
    query.metrics = question.metrics;
    query.limit = question.limit;
    query.display_currency = match question.currency.as_deref().map(str::parse) {
        None => None,
        Some(Ok(currency)) => Some(currency),
        Some(Err(error)) => {
            let error: portolan_core::currency::InvalidCurrency = error;
            return Err(AppError::invalid("currency", format!("{error}.")));
        }
    };
    query.as_of = question.as_of.as_deref().map(parse_as_of).transpose()?;
    for word in question.by {
        match grain_of(&word) {
            Some(grain) => query.grain = Some(grain),
            None => query.dimensions.push(word),
        }
    }
    for text in question.filters {
        let (dimension, value) = text
            .split_once('=')
            .ok_or_else(|| AppError::invalid("where", format!("{text:?} is no dimension=value")))?;
        query.filters.push(Filter {
            dimension: dimension.to_owned(),
            op: FilterOp::In,
            values: vec![Some(value.to_owned())],
        });
    }
    Ok(query)
}

/// The first and the last business date on which anything happened; 1970-01-01 where nothing did. Of the whole ledger: for
/// the operator's command line.
pub async fn ledger_days(app: &App, tenant: TenantId) -> AppResult<(LocalDate, LocalDate)> {
    let days = app.engine.days(tenant, &Visibility::everything()).await?;
    Ok(days.and_then(|days| Some((days.from, days.last()?))).unwrap_or_default())
}

pub fn parse_date(field: &str, text: &str) -> AppResult<LocalDate> {
    LocalDate::parse(text)
        .ok_or_else(|| AppError::invalid(field, format!("{text:?} is no date: write YYYY-MM-DD.")))
}

/// A day, or a moment.
pub fn parse_as_of(text: &str) -> AppResult<AsOf> {
    AsOf::parse(text).ok_or_else(|| {
        let message = format!("{text:?} is no moment: write YYYY-MM-DD, or 2026-03-01T12:00:00Z.");
        AppError::invalid("as_of", message)
    })
}

fn grain_of(word: &str) -> Option<GrainChoice> {
    match word {
        "day" => Some(GrainChoice::Day),
        "week" => Some(GrainChoice::Week),
        "month" => Some(GrainChoice::Month),
        "quarter" => Some(GrainChoice::Quarter),
        "year" => Some(GrainChoice::Year),
        "time" => Some(GrainChoice::Auto),
        _ => None,
    }
}
