//! The page, and its body alone for a page that is open already.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use portolan_admin_ui::pages::{FreshnessRow, PulseBody, PulseFilter, PulsePage};
use portolan_admin_ui::parts::{ChartView, Empty, EmptyKind, Link, Notice, Section, SelectOption, Tone};
use portolan_analytics::{AsOf, Visibility};
use portolan_core::calendar::TenantCalendar;
use portolan_core::{ConnectionId, Currency, TenantId};
use portolan_db::TenantTx;
use portolan_db::entity::sync::SyncState;
use portolan_db::entity::{connection, sync};
use uuid::Uuid;

use super::charts::{self, ChartScope};
use super::kpis::Strip;
use super::money_views::{self, MoneyScope};
use super::queries::{self, Answers, Asked};
use super::scope::{PulseQuery, Scope};
use super::{money, views};
use crate::App;
use crate::connections::queries as connection_queries;
use crate::web::actor::{AnalyticsQuery, PageActor};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::Query;
use crate::web::seen::sees;
use crate::web::viewer::Viewer;
use crate::web::{html, wants_part};

pub async fn show_pulse(
    PageActor(actor): PageActor<AnalyticsQuery>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(query): Query<PulseQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let sources = Sources::load(&tx, actor.seen(), &viewer).await?;
    drop(tx);
    let connection = sources.chosen(&query.connection)?;
    let calendar = queries::tenant_calendar(&viewer.tenant);
    let days = match query.names_its_days() {
        true => None,
        false => queries::ledger_days(&app, actor.tenant, actor.seen(), connection).await?,
    };
    let scope = Scope::resolve(&query, days, viewer.today(), &calendar);
    let page = Pulse {
        app: &app,
        tenant: actor.tenant,
        seen: actor.seen(),
        viewer: &viewer,
        sources,
        calendar,
        scope,
        connection,
        query,
    };
    let body = page.body().await?;
    if wants_part(&headers) {
        return html(&body);
    }
    html(&PulsePage {
        shell: viewer.shell("Pulse", Section::Pulse),
        filter: page.filter(),
        body,
        live_src: page.query.live_address(&page.scope),
    })
}

/// The tenant's connections with their newest syncs.
struct Sources {
    connections: Vec<connection::Model>,
    newest: BTreeMap<Uuid, sync::Model>,
    freshness: Vec<FreshnessRow>,
}

impl Sources {
    async fn load(tx: &TenantTx, seen: &Visibility, viewer: &Viewer) -> AppResult<Self> {
        let mut connections = connection_queries::list_connections(tx).await?;
        connections.retain(|connection| sees(seen, connection));
        let mut newest = connection_queries::newest_syncs(tx).await?;
        newest.retain(|id, _| connections.iter().any(|connection| connection.id == *id));
        let mut freshness = Vec::new();
        for connection in &connections {
            let streams = connection_queries::streams_of(tx, ConnectionId(connection.id)).await?;
            freshness.push(views::freshness_row(viewer, connection, &streams, newest.get(&connection.id)));
        }
        Ok(Self { connections, newest, freshness })
    }

    /// The connection that the address names. One of another tenant does not exist.
    fn chosen(&self, text: &str) -> AppResult<Option<ConnectionId>> {
        if text.is_empty() {
            return Ok(None);
        }
        let known = self.connections.iter().find(|connection| connection.id.to_string() == text);
        known.map(|known| Some(ConnectionId(known.id))).ok_or_else(|| AppError::not_found("connection"))
    }

    /// Keys in the order in which connections were made: colours stay when others come.
    fn in_order(&self) -> Vec<String> {
        let mut ids: Vec<Uuid> = self.connections.iter().map(|connection| connection.id).collect();
        ids.sort_unstable();
        ids.iter().map(ToString::to_string).collect()
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let labels = self.connections.iter().map(|row| (row.id.to_string(), row.label.clone()));
        labels.collect()
    }
}

struct Pulse<'a> {
    app: &'a Arc<App>,
    tenant: TenantId,
    seen: &'a Visibility,
    viewer: &'a Viewer,
    sources: Sources,
    calendar: TenantCalendar,
    scope: Scope,
    connection: Option<ConnectionId>,
    query: PulseQuery,
}

impl Pulse<'_> {
    fn filter(&self) -> PulseFilter {
        let range = self.scope.range;
        let mut connection = vec![SelectOption::new("", "all connections", self.connection.is_none())];
        connection.extend(self.sources.connections.iter().map(|row| {
            let selected = self.connection == Some(ConnectionId(row.id));
            SelectOption::new(row.id.to_string(), row.label.as_str(), selected)
        }));
        PulseFilter {
            from: range.from.to_string(),
            until: super::scope::last_day(range).to_string(),
            compare: self.scope.compare_options(),
            connection,
            currency: self.query.asked_currency().map(|currency| currency.to_string()).unwrap_or_default(),
            convert: if self.query.converts() { String::new() } else { "no".to_owned() },
            as_of: self.scope.as_of.map(|day| day.to_string()).unwrap_or_default(),
            latest_as_of: self.viewer.today().to_string(),
            presets: self.query.presets(&self.scope),
            error: self.scope.error.clone(),
        }
    }

    async fn body(&self) -> AppResult<PulseBody> {
        if self.sources.connections.is_empty() {
            return Ok(PulseBody {
                scope: self.scope_text(&[]),
                empty: Some(Empty::not_connected()),
                ..PulseBody::default()
            });
        }
        let asked = Asked {
            tenant: self.tenant,
            seen: self.seen,
            scope: &self.scope,
            connection: self.connection,
            connections: if self.connection.is_some() { 1 } else { self.sources.connections.len() },
            chart_currency: self.query.asked_currency(),
            reporting_currency: self.reporting_currency(),
            display_currency: self.reporting_currency().filter(|_| self.query.converts()),
            as_of: self.scope.as_of.map(AsOf::Day),
        };
        let answers = queries::ask(self.app, &asked).await?;
        let currencies = views::currencies(&answers.money);
        let compared = self.scope.compared_text();
        let mut body = PulseBody {
            scope: self.scope_text(&currencies),
            data_version: answers.money.data_version.to_string(),
            freshness: self.sources.freshness.clone(),
            ..PulseBody::default()
        };
        body.notices.extend(self.reported_then());
        if money::is_told(&asked) {
            body.money = money_views::block(&answers.flows, &self.money_scope());
        }
        if views::nothing_happened(&answers) {
            body.empty = Some(self.nothing().await?);
            return Ok(body);
        }
        body.notices.extend(views::currency_notice(&currencies, self.query.converts()));
        body.notices.extend(self.missing_currency(&answers));
        let strip = Strip {
            answers: &answers,
            compared_with: compared.as_deref(),
            calendar: &self.calendar,
            today: self.viewer.today(),
        };
        body.kpis = strip.kpis();
        if let Some(shown) = answers.currency.filter(|_| currencies.len() > 1) {
            body.currencies = self.query.currencies(&self.scope, &currencies, shown);
        }
        let converted = answers.money.display_currency.is_some();
        if let Some(into) = self.reporting_currency()
            && (converted || !self.query.converts())
        {
            body.conversion = Some(self.query.conversion(&self.scope, into));
        }
        body.top_products = views::top_products(&answers, &self.sources.labels(), compared.as_deref());
        body.charts = self.charts(&answers).await;
        Ok(body)
    }

    fn money_scope(&self) -> MoneyScope {
        let providers: Vec<Uuid> = self
            .sources
            .connections
            .iter()
            .filter(|connection| money::is_provider(self.app, connection))
            .map(|connection| connection.id)
            .collect();
        MoneyScope {
            has_provider: providers.iter().any(|id| self.connection.is_none_or(|chosen| chosen.0 == *id)),
            tenant_has_provider: !providers.is_empty(),
            connection: self.connection,
        }
    }

    fn reporting_currency(&self) -> Option<Currency> {
        self.viewer.tenant.reporting_currency.parse().ok()
    }

    /// What people looked at on another day.
    fn reported_then(&self) -> Option<Notice> {
        let day = self.scope.as_of?;
        let text = format!(
            "Figures are of what was recorded by the end of that day in {}; what came or changed later is not in them. \
             Amounts are converted at the exchange rates known by then.",
            self.viewer.tenant.time_zone
        );
        let action = Some(Link::new("Back to now", self.query.back_to_now(&self.scope)));
        let title = format!("As reported on {}", portolan_admin_ui::format::date(day));
        Some(Notice { action, ..Notice::new(Tone::Active, title, text) })
    }

    /// The address asks for charts in a currency in which nothing was sold.
    fn missing_currency(&self, answers: &Answers) -> Option<Notice> {
        let asked = self.query.asked_currency()?;
        let shown = answers.currency.filter(|shown| *shown != asked)?;
        let text = format!("Charts are in {shown}. Choose other days, or another currency.");
        Some(Notice::new(Tone::Neutral, format!("Nothing was sold in {asked}"), text))
    }

    async fn charts(&self, answers: &Answers) -> Vec<ChartView> {
        let Some(currency) = answers.currency else { return Vec::new() };
        let range_text = self.scope.range_text();
        let scope = ChartScope {
            calendar: &self.calendar,
            today: self.viewer.today(),
            currency,
            range_text: &range_text,
            subtitle: format!("{range_text}, {}, {currency}", self.connection_text()),
            orders_filter: self.connection.map(|id| format!("&connection={id}")).unwrap_or_default(),
        };
        let mut specs = Vec::new();
        if let Some(table) = &answers.by_time {
            specs.push(("net-sales-over-time", charts::by_time(table, &scope)));
        }
        if let Some(parts) = &answers.by_part
            && let Some(spec) = charts::by_part(parts, &self.sources.in_order(), &scope)
        {
            specs.push(("net-sales-by-part", spec));
        }
        charts::draw(self.app, specs).await
    }

    /// Why there is nothing to show, and what to do about it.
    async fn nothing(&self) -> AppResult<Empty> {
        let days = queries::ledger_days(self.app, self.tenant, self.seen, self.connection).await?;
        if let Some((first, last)) = days {
            let text = format!(
                "Nothing happened in these days. The ledger holds {}.",
                portolan_admin_ui::format::date_range(first, last)
            );
            let connection = self.connection.map(|id| format!("&connection={id}")).unwrap_or_default();
            return Ok(Empty::new(EmptyKind::FilteredAway, "No sales in this range", text)
                .with_action("Show everything", format!("/pulse?range=all{connection}"))
                .with_secondary("Clear the filters", "/pulse"));
        }
        let newest = self
            .sources
            .newest
            .values()
            .filter(|sync| self.connection.is_none_or(|connection| connection.0 == sync.connection_id));
        let newest = newest.max_by_key(|sync| sync.id);
        Ok(first_sync(newest))
    }

    fn connection_text(&self) -> String {
        let chosen =
            self.connection.and_then(|id| self.sources.connections.iter().find(|row| row.id == id.0));
        chosen.map_or_else(|| "all connections".to_owned(), |row| row.label.clone())
    }

    fn scope_text(&self, currencies: &[Currency]) -> String {
        let mut parts = vec![self.scope.range_text()];
        if self.scope.ends_with_newest_data {
            parts.push("counted from the newest data".to_owned());
        }
        parts.extend(self.scope.compared_text().map(|text| format!("compared with {text}")));
        parts.push(self.connection_text());
        let names: Vec<String> = currencies.iter().map(ToString::to_string).collect();
        match names.len() {
            0 => {}
            1 => parts.push(names.join("")),
            _ => parts.push(format!("{}, never added up", names.join(", "))),
        }
        parts.push(self.viewer.tenant.time_zone.clone());
        let in_scope = self.sources.connections.iter().zip(&self.sources.freshness);
        let in_scope = in_scope.filter(|(row, _)| self.connection.is_none_or(|id| id.0 == row.id));
        parts.extend(views::freshness_text(in_scope.map(|(_, freshness)| freshness)));
        parts.join(" · ")
    }
}

/// Nothing stands in the ledger yet: the first sync tells why.
fn first_sync(newest: Option<&sync::Model>) -> Empty {
    let Some(sync) = newest else {
        return Empty::nothing_yet("sales", "A connection is there, but it has not been synced yet.")
            .with_action("Go to the connections", "/connections");
    };
    let href = format!("/syncs/{}", sync.id);
    match sync.state {
        SyncState::Queued | SyncState::Running => Empty::nothing_yet(
            "sales",
            "The first sync runs. Figures appear here as soon as its orders stand in the ledger.",
        )
        .with_action("See the sync", href),
        SyncState::Failed => {
            let reason = sync.error_detail.as_deref().unwrap_or("The sync says why.");
            Empty::new(EmptyKind::Lagging, "The first sync failed", reason).with_action("See the sync", href)
        }
        _ => {
            Empty::nothing_yet("sales", "The newest sync brought no sales.").with_action("See the sync", href)
        }
    }
}
