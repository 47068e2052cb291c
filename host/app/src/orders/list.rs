//! The list of orders.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use portolan_admin_ui::format;
use portolan_admin_ui::pages::{OrderRow, OrdersPage};
use portolan_admin_ui::parts::{Empty, FieldKind, FormField, Pager, Section, SelectOption};
use portolan_analytics::Visibility;
use portolan_core::calendar::{DateRange, StoreCalendar};
use portolan_core::{ConnectionId, Currency, Instant, LocalDate};
use portolan_db::TenantTx;
use portolan_db::entity::document;
use serde::Deserialize;
use uuid::Uuid;

use super::queries::{self, OrderFilter};
use super::views::{order_name, payment_badge, state_badge};
use crate::App;
use crate::syncs::queries::connection_labels;
use crate::web::actor::{OrdersRead, PageActor};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::Query;
use crate::web::html;
use crate::web::page::Paging;
use crate::web::viewer::Viewer;

const PAGE: u64 = 50;

/// `GET /orders?connection=&state=&from=&until=&q=&cursor=`.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct OrdersQuery {
    #[serde(default)]
    pub connection: String,
    #[serde(default)]
    pub state: String,
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub until: String,
    #[serde(default)]
    pub q: String,
    pub cursor: Option<String>,
}

/// What the address asks for, and which of its dates could not be read.
#[derive(Debug, Default)]
pub(super) struct Dates {
    pub from: Option<LocalDate>,
    pub until: Option<LocalDate>,
    pub from_error: Option<String>,
    pub until_error: Option<String>,
}

pub async fn list_orders(
    PageActor(actor): PageActor<OrdersRead>,
    State(app): State<Arc<App>>,
    Query(query): Query<OrdersQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let labels = connection_labels(&tx, actor.seen()).await?;
    let paging = Paging::new(&app, query.address(None), Some(PAGE), query.cursor.as_deref())?;
    let dates = Dates::read(&query);
    let calendar = StoreCalendar::new(&viewer.tenant.time_zone, 0).unwrap_or_else(|_| StoreCalendar::utc());
    let filter = OrderFilter { beside: paging.beside, ..filter(&query, &dates, &labels, &calendar)? };
    let mut found = queries::list_orders(&tx, actor.seen(), &filter, paging.limit).await?;
    let neighbours = paging.cut(&app, &mut found, |order| order.id);
    let place = |cursor: Option<String>| cursor.map(|cursor| query.address(Some(&cursor)));
    let rows: Vec<OrderRow> = found.iter().map(|row| order_row(&viewer, row, &labels)).collect();
    let empty = if rows.is_empty() { Some(empty(&tx, actor.seen(), &query, &labels).await?) } else { None };
    let states = queries::known_states(&tx, actor.seen()).await?;
    html(&OrdersPage {
        shell: viewer.shell("Orders", Section::Orders),
        scope: scope_text(&query, &dates, &labels, &viewer.tenant.time_zone),
        filters: filter_fields(&query, &dates, &labels, &states),
        clear_href: query.is_filtered().then(|| "/orders".to_owned()),
        pager: Pager {
            summary: format!("{} orders shown, newest first", format::count(rows.len() as i64)),
            first: query.cursor.as_ref().map(|_| query.address(None)),
            previous: place(neighbours.previous),
            next: place(neighbours.next),
        },
        rows,
        empty,
    })
}

impl OrdersQuery {
    pub fn is_filtered(&self) -> bool {
        let filters = [&self.connection, &self.state, &self.from, &self.until, &self.q];
        filters.iter().any(|filter| !filter.trim().is_empty())
    }

    /// This list, from the place that a cursor says.
    pub fn address(&self, cursor: Option<&str>) -> String {
        let pairs = [
            ("connection", Some(self.connection.as_str())),
            ("state", Some(self.state.as_str())),
            ("from", Some(self.from.as_str())),
            ("until", Some(self.until.as_str())),
            ("q", Some(self.q.as_str())),
            ("cursor", cursor),
        ];
        let set = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let set = set.filter(|(_, value)| !value.is_empty());
        let set = form_urlencoded::Serializer::new(String::new()).extend_pairs(set).finish();
        if set.is_empty() { "/orders".to_owned() } else { format!("/orders?{set}") }
    }
}

impl Dates {
    pub fn read(query: &OrdersQuery) -> Self {
        let (from, from_error) = date(&query.from);
        let (until, mut until_error) = date(&query.until);
        if let (Some(from), Some(until)) = (from, until)
            && until < from
        {
            until_error = Some("Until lies before From: swap them.".to_owned());
            return Self { from: Some(from), until: None, from_error, until_error };
        }
        Self { from, until, from_error, until_error }
    }
}

/// A year that no order has is a typing error.
fn date(text: &str) -> (Option<LocalDate>, Option<String>) {
    if text.is_empty() {
        return (None, None);
    }
    match LocalDate::parse(text).filter(|date| (1900..2200).contains(&date.year())) {
        Some(date) => (Some(date), None),
        None => (None, Some("This is no date: write it as YYYY-MM-DD.".to_owned())),
    }
}

fn filter(
    query: &OrdersQuery,
    dates: &Dates,
    labels: &BTreeMap<Uuid, String>,
    calendar: &StoreCalendar,
) -> AppResult<OrderFilter> {
    let connection = match query.connection.as_str() {
        "" => None,
        text => {
            let id: ConnectionId = text.parse().map_err(|_| AppError::not_found("connection"))?;
            let known = labels.contains_key(&id.0);
            Some(if known { id } else { return Err(AppError::not_found("connection")) })
        }
    };
    let first_moment = |date: LocalDate| calendar.instants(DateRange::day(date)).0;
    let next_moment = |date: LocalDate| calendar.instants(DateRange::day(date)).1;
    let text = |value: &str| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
    Ok(OrderFilter {
        connection,
        state: text(&query.state),
        from: dates.from.map(first_moment),
        until: dates.until.map(next_moment),
        search: text(&query.q),
        beside: None,
    })
}

fn order_row(viewer: &Viewer, row: &document::Model, labels: &BTreeMap<Uuid, String>) -> OrderRow {
    let currency: Option<Currency> = row.currency.as_deref().and_then(|code| code.parse().ok());
    OrderRow {
        href: format!("/orders/{}", row.id),
        number: order_name(row),
        connection: labels.get(&row.connection_id).cloned().unwrap_or_default(),
        placed: viewer.when(Instant(row.occurred_at.unwrap_or(row.updated_at))),
        state: match (row.deleted, row.state.as_deref()) {
            (true, _) => state_badge("deleted"),
            (false, state) => state_badge(state.unwrap_or_default()),
        },
        payment: row.payment_state.as_deref().filter(|state| !state.is_empty()).map(payment_badge),
        country: row.country.clone().unwrap_or_else(|| format::MISSING.to_owned()),
        amount: match (row.amount_minor, currency) {
            (Some(amount_minor), Some(currency)) => format::money(amount_minor, currency),
            _ => format::MISSING.to_owned(),
        },
        currency: row.currency.clone().unwrap_or_default(),
        test: row.test,
    }
}

async fn empty(
    tx: &TenantTx,
    seen: &Visibility,
    query: &OrdersQuery,
    labels: &BTreeMap<Uuid, String>,
) -> AppResult<Empty> {
    if labels.is_empty() {
        return Ok(Empty::not_connected());
    }
    if (query.is_filtered() || query.cursor.is_some()) && queries::has_orders(tx, seen).await? {
        return Ok(Empty::filtered_away("orders", "/orders"));
    }
    Ok(Empty::nothing_yet("orders", "Orders appear here while a sync brings them.")
        .with_action("See the syncs", "/syncs"))
}

fn filter_fields(
    query: &OrdersQuery,
    dates: &Dates,
    labels: &BTreeMap<Uuid, String>,
    states: &[String],
) -> Vec<FormField> {
    let mut connections = vec![SelectOption::new("", "all connections", query.connection.is_empty())];
    connections.extend(labels.iter().map(|(id, label)| {
        let id = id.to_string();
        let selected = id == query.connection;
        SelectOption::new(id, label.as_str(), selected)
    }));
    let mut choices: Vec<&str> =
        states.iter().map(String::as_str).filter(|state| !state.is_empty()).collect();
    if !query.state.is_empty() && !choices.contains(&query.state.as_str()) {
        choices.push(&query.state);
    }
    let mut states = vec![SelectOption::new("", "any state", query.state.is_empty())];
    states.extend(choices.into_iter().map(|state| SelectOption::new(state, state, state == query.state)));
    vec![
        FormField::text("q", "Number or key", query.q.as_str()),
        FormField::new("connection", "Connection", FieldKind::Select { options: connections }),
        FormField::new("state", "State", FieldKind::Select { options: states }),
        FormField::new("from", "From", FieldKind::Date { value: query.from.clone() })
            .with_error(dates.from_error.clone()),
        FormField::new("until", "Until", FieldKind::Date { value: query.until.clone() })
            .with_error(dates.until_error.clone()),
    ]
}

pub(super) fn scope_text(
    query: &OrdersQuery,
    dates: &Dates,
    labels: &BTreeMap<Uuid, String>,
    time_zone: &str,
) -> String {
    let connection = query.connection.parse::<ConnectionId>().ok().and_then(|id| labels.get(&id.0));
    let when = match (dates.from, dates.until) {
        (None, None) => "any date".to_owned(),
        (Some(from), None) => format!("from {}", format::date(from)),
        (None, Some(until)) => format!("until {}", format::date(until)),
        (Some(from), Some(until)) => format::date_range(from, until),
    };
    let mut parts = vec![connection.map_or("all connections", String::as_str).to_owned(), when];
    if !query.state.is_empty() {
        parts.push(query.state.clone());
    }
    if !query.q.trim().is_empty() {
        parts.push(format!("number or key {:?}", query.q.trim()));
    }
    parts.push("newest first".to_owned());
    parts.push(time_zone.to_owned());
    parts.join(" · ")
}
