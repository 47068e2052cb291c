//! The page of exchange rates.

use std::sync::Arc;

use axum::extract::{Multipart, State};
use portolan_admin_ui::pages::{RatePairRow, RatesPage};
use portolan_admin_ui::parts::{Empty, FieldKind, FormField, Section, SelectOption};
use portolan_core::{Instant, RatePolicy};
use serde::Deserialize;

use super::queries::{KnownPair, known_pairs, newest_rates, policy};
use super::{ops, read};
use crate::App;
use crate::web::actor::{AnalyticsQuery, PageActor, RatesManage, Require};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Query};
use crate::web::html;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

const LONGEST_NAME: usize = 120;

pub async fn show_rates(
    PageActor(actor): PageActor<AnalyticsQuery>,
    State(app): State<Arc<App>>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    html(&page(&app, &actor, &flash, None).await?)
}

/// Takes a file of rates in, all or nothing.
pub async fn import_rates(
    PageActor(actor): PageActor<RatesManage>,
    State(app): State<Arc<App>>,
    form: Multipart,
) -> PageResult {
    let stored = match receive(form).await {
        Ok((name, bytes)) => match read::read_rates(&bytes) {
            Ok(rates) => ops::store_rates(&app, actor.tenant, actor.who(), rates, &name).await.map(|_| ()),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    match stored {
        Ok(()) => Ok(redirect_after("/rates", "rates-stored")),
        Err(error) if error.status.is_client_error() => {
            let mut response = html(&page(&app, &actor, &FlashQuery::default(), Some(&error)).await?)?;
            *response.status_mut() = error.status;
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, Deserialize)]
pub struct PolicyForm {
    policy: String,
}

pub async fn set_policy(
    PageActor(actor): PageActor<RatesManage>,
    State(app): State<Arc<App>>,
    Form(form): Form<PolicyForm>,
) -> PageResult {
    let policy = form.policy.parse::<RatePolicy>();
    let policy = policy.map_err(|error| AppError::invalid("policy", format!("{error}.")))?;
    ops::set_policy(&app, actor.tenant, actor.who(), policy).await?;
    Ok(redirect_after("/rates", "rate-policy-saved"))
}

async fn receive(mut form: Multipart) -> AppResult<(String, Vec<u8>)> {
    let broken = |error: axum::extract::multipart::MultipartError| {
        if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            return AppError::too_large("A file of rates has at most 4 MiB. Leave out older years.");
        }
        AppError::bad_request(format!("The upload broke off: {}. Send it again.", error.body_text()))
    };
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if field.name() == Some("file") {
            let name: String = field.file_name().unwrap_or_default().chars().take(LONGEST_NAME).collect();
            let bytes = field.bytes().await.map_err(broken)?;
            if !name.is_empty() {
                return Ok((name, bytes.to_vec()));
            }
        }
    }
    Err(AppError::invalid("file", "Choose a file."))
}

async fn page<G>(
    app: &App,
    actor: &Require<G>,
    flash: &FlashQuery,
    error: Option<&AppError>,
) -> AppResult<RatesPage> {
    let viewer = Viewer::load(app, actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let (currency, chosen) = policy(&tx, actor.tenant).await?;
    let pairs = known_pairs(&tx).await?;
    let newest = newest_rates(&tx, &pairs).await?;
    let rows = pairs.into_iter().map(|pair| {
        let found = newest.get(&(pair.base.clone(), pair.quote.clone()));
        let said_at = found.and_then(|row| viewer.when_us(Some(Instant(row.said_at).0)));
        RatePairRow {
            rate: found.map(|row| short(&row.rate)).unwrap_or_default(),
            source: found.map(|row| row.source.clone()).unwrap_or_default(),
            said_at,
            days: days_text(&pair),
            last_day: pair.last_day.to_string(),
            base: pair.base,
            quote: pair.quote,
        }
    });
    let rows: Vec<RatePairRow> = rows.collect();
    let empty = rows.is_empty().then(|| {
        Empty::nothing_yet(
            "rates",
            "Without rates, amounts in other currencies are shown as they are and added to nothing. Import a file below: \
             the European Central Bank publishes one with all days since 1999.",
        )
    });
    let options = RatePolicy::ALL
        .map(|policy| SelectOption::new(policy.as_str(), policy_label(policy), policy == chosen))
        .to_vec();
    Ok(RatesPage {
        shell: viewer.shell_after("Exchange rates", Section::Pulse, flash),
        scope: format!("Amounts are converted into {currency}, at the rate of their order's day"),
        rows,
        empty,
        file: FormField {
            help: Some(
                "Comma-separated: date, base, quote, rate; or Date and then a column per currency for one euro.".to_owned(),
            ),
            error: error.map(AppError::full_detail),
            ..FormField::new("file", "File of rates", FieldKind::File { accept: Some(".csv,text/csv".to_owned()) })
        },
        policy: FormField::new("policy", "Convert by", FieldKind::Select { options }),
    })
}

/// Without the zeros at its end.
fn short(rate: &str) -> String {
    rate.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn days_text(pair: &KnownPair) -> String {
    match pair.days {
        1 => "1 day".to_owned(),
        days => format!("{days} days since {}", pair.first_day),
    }
}

fn policy_label(policy: RatePolicy) -> &'static str {
    match policy {
        RatePolicy::EventDate => "the day's rate, or the newest of the week before it",
        RatePolicy::MonthAverage => "the mean of the month",
        RatePolicy::Fixed => "one rate for all days: the newest",
    }
}
