//! A deterministic ledger of any size, written as parts: what the benchmarks ask.
//!
//! Sixty months from January 2021, eight connections of four channels in three currencies, orders of
//! three lines on average, one return in twenty lines, one cancellation in fifty orders, few customers and products
//! that sell much.

use portolan_analytics::Fact;
use portolan_commerce::ledger::EventKind;
use portolan_core::calendar::DateRange;
use portolan_core::{ConnectionId, LocalDate, PartId, Random, SeededRandom, TenantId};
use portolan_db::DbError;
use portolan_db::entity::{connection, ledger_head, sale_event, tenant};
use portolan_db::sea_orm::{ActiveValue, IntoActiveModel};
use uuid::Uuid;

use crate::fold::row;
use crate::part::{self, month_of, order};
use crate::{FactStore, FactsError};

mod columns;

const MONTHS: i32 = 60;
const CHANNELS: [&str; 4] = ["shopify", "amazon", "woocommerce", "csv"];
const CURRENCIES: [&str; 3] = ["EUR", "USD", "JPY"];
const COUNTRIES: [&str; 8] = ["DE", "FR", "US", "IN", "JP", "GB", "BR", "AU"];
const CONNECTIONS: u64 = 8;
/// The posting that all generated events belong to.
const POSTING: i64 = 1;
/// Events of one part at most: about what compacting leaves.
const EVENTS_PER_PART: u64 = 250_000;
/// Events of one posting, as a page of a thousand orders has them.
const EVENTS_PER_POSTING: usize = 3_000;
/// Months over which [`post`] spreads its events, the newest ones.
const POSTED_MONTHS: i32 = 12;
const DAY_US: i64 = 86_400_000_000;

/// What was generated.
#[derive(Debug, Clone, Copy)]
pub struct Generated {
    pub tenant: TenantId,
    pub events: u64,
    pub size_bytes: u64,
    pub range: DateRange,
}

/// Writes a ledger of about `events` events for a new tenant; the same number gives the same ledger.
pub async fn generate(store: &FactStore, slug: &str, events: u64) -> Result<Generated, FactsError> {
    let tenant = TenantId::generate(store.clock.as_ref(), store.random.as_ref());
    add_tenant(store, tenant, slug).await?;
    let mut parts = Vec::new();
    let (mut written, mut size_bytes) = (0_u64, 0_u64);
    for month in 0..MONTHS {
        let mut left = events / MONTHS as u64;
        for number in 0.. {
            let count = left.min(EVENTS_PER_PART);
            let (folder, id) = (store.folder.clone(), PartId(Uuid::from_u64_pair(2 + number, month as u64)));
            let slice = Slice { month, number, count };
            let part = tokio::task::spawn_blocking(move || {
                let rows = order::sorted(Fact::Sales, &columns::batch(&slice.events(tenant))?)?;
                let part = part::write(&folder, tenant, Fact::Sales, id, month_of(slice.start()), &rows)?;
                part::settle(&folder, std::iter::once(&part))?;
                Ok::<_, FactsError>(part)
            });
            let part = part.await.map_err(|_| FactsError::Stopped)??;
            written += part.row_count as u64;
            size_bytes += part.size_bytes as u64;
            parts.push(row(&part, (POSTING, POSTING), store.clock.now().0));
            left -= count;
            if left == 0 {
                break;
            }
        }
    }
    store
        .database
        .write(tenant, move |tx| {
            Box::pin(async move {
                tx.insert_many(parts).await?;
                let head = ledger_head::ActiveModel {
                    tenant_id: ActiveValue::NotSet,
                    posting_version: ActiveValue::Set(POSTING),
                    data_version: ActiveValue::Set(1),
                    folded_version: ActiveValue::Set(POSTING),
                };
                tx.insert(head).await.map(|_| ())
            })
        })
        .await
        .map_err(|error: DbError| FactsError::from(error))?;
    let range = DateRange { from: first_day(), until: first_day().plus_months(MONTHS) };
    Ok(Generated { tenant, events: written, size_bytes, range })
}

/// Posts about `events` further events to a generated ledger, as syncs do: rows in SQL, which wait to be folded. Says how
/// many they are. `round` tells calls apart.
pub async fn post(store: &FactStore, tenant: TenantId, events: u64, round: u64) -> Result<u64, FactsError> {
    let mut posted = 0;
    for month in MONTHS - POSTED_MONTHS..MONTHS {
        let slice = Slice { month, number: 1_000_000 + round, count: events.div_ceil(POSTED_MONTHS as u64) };
        let mut rows = slice.events(tenant);
        posted += rows.len() as u64;
        while !rows.is_empty() {
            let page: Vec<sale_event::Model> =
                rows.drain(rows.len().saturating_sub(EVENTS_PER_POSTING)..).collect();
            let insert = store.database.write(tenant, move |tx| {
                Box::pin(async move {
                    let posting_version = tx.lock_ledger().await?;
                    let rows = page.into_iter().map(|row| sale_event::Model { posting_version, ..row });
                    tx.insert_many(rows.map(IntoActiveModel::into_active_model).collect::<Vec<_>>())
                        .await
                        .map(|_| ())
                })
            });
            insert.await.map_err(|error: DbError| FactsError::from(error))?;
        }
    }
    Ok(posted)
}

fn first_day() -> LocalDate {
    LocalDate::from_ymd(2021, 1, 1).unwrap_or_default()
}

async fn add_tenant(store: &FactStore, id: TenantId, slug: &str) -> Result<(), FactsError> {
    let now = store.clock.now().0;
    let tenant = tenant::Model {
        id: id.0,
        slug: slug.to_owned(),
        name: slug.to_owned(),
        reporting_currency: "EUR".to_owned(),
        rate_policy: "event_date".to_owned(),
        rates_changed_at: 0,
        time_zone: "UTC".to_owned(),
        week_start: 1,
        fiscal_start_month: 1,
        created_at: now,
        access_version: 0,
        parent_id: None,
    };
    let connections: Vec<connection::ActiveModel> = (0..CONNECTIONS)
        .map(|number| {
            connection::Model {
                tenant_id: id.0,
                id: connection_id(number).0,
                plugin_id: CHANNELS[number as usize % CHANNELS.len()].to_owned(),
                label: format!("Connection {number}"),
                state: connection::ConnectionState::Paused,
                config: "{}".to_owned(),
                time_zone: "UTC".to_owned(),
                day_cutover_minutes: 0,
                consent: "{}".to_owned(),
                created_at: now,
                updated_at: now,
                plugin_sha256: None,
                pseudonyms: false,
            }
            .into_active_model()
        })
        .collect();
    let insert_tenant = store.database.system_write(move |tx| {
        Box::pin(async move { tx.insert(tenant.into_active_model()).await.map(|_| ()) })
    });
    insert_tenant.await.map_err(|error: DbError| FactsError::from(error))?;
    let insert_connections = store
        .database
        .write(id, move |tx| Box::pin(async move { tx.insert_many(connections).await.map(|_| ()) }));
    insert_connections.await.map_err(|error: DbError| FactsError::from(error))
}

fn connection_id(number: u64) -> ConnectionId {
    ConnectionId(Uuid::from_u64_pair(0x0190_0000_0000_7000, 0x8000_0000_0000_0000 | number))
}

/// Some events of a month. The same slice has the same events, and no two slices share an order.
#[derive(Clone, Copy)]
struct Slice {
    /// Since the first.
    month: i32,
    number: u64,
    count: u64,
}

impl Slice {
    fn start(self) -> LocalDate {
        first_day().plus_months(self.month)
    }

    fn events(self, tenant: TenantId) -> Vec<sale_event::Model> {
        let start = self.start();
        let days = start.plus_months(1).0 - start.0;
        let last = start.plus_days(days - 1);
        let random = SeededRandom::new((self.number << 32) + 0x0001_0000 + start.0 as u64);
        let mut rows = Vec::with_capacity(self.count as usize + 16);
        let mut order = self.number << 32;
        while (rows.len() as u64) < self.count {
            order += 1;
            let pick = Pick(&random);
            let date = start.plus_days(pick.below(days as u64) as i32);
            let connection = pick.below(CONNECTIONS);
            let line_count = 1 + pick.below(5);
            let customer = pick.skewed(400_000);
            let country = COUNTRIES[pick.below(8) as usize];
            let order_key = format!("{}-{order}", start.0);
            let cancelled = pick.below(50) == 0;
            for line in 0..line_count {
                let sale =
                    Line { start, order, line, date, connection, customer, country, order_key: &order_key };
                let event = sale.event(tenant, &pick);
                if cancelled {
                    rows.push(taken_back(&event, EventKind::Cancel, 1, last));
                } else if pick.below(20) == 0 {
                    rows.push(taken_back(&event, EventKind::Return, 3, last));
                }
                rows.push(event);
            }
        }
        rows
    }
}

/// Numbers from a generator.
struct Pick<'a>(&'a SeededRandom);

impl Pick<'_> {
    fn below(&self, limit: u64) -> u64 {
        self.0.next_u64() % limit.max(1)
    }

    /// Low numbers come more often.
    fn skewed(&self, limit: u64) -> u64 {
        self.below(limit) * self.below(limit) / limit.max(1)
    }
}

struct Line<'a> {
    start: LocalDate,
    order: u64,
    line: u64,
    date: LocalDate,
    connection: u64,
    customer: u64,
    country: &'static str,
    order_key: &'a str,
}

impl Line<'_> {
    fn event(&self, tenant: TenantId, pick: &Pick<'_>) -> sale_event::Model {
        let quantity = 1 + pick.below(4) as i64;
        let product = pick.skewed(20_000);
        let gross = quantity * (199 + (product as i64 * 37) % 9_800);
        let discount = if pick.below(4) == 0 { gross / 10 } else { 0 };
        let at = i64::from(self.date.0) * DAY_US + pick.below(DAY_US as u64) as i64;
        sale_event::Model {
            tenant_id: tenant.0,
            id: Uuid::from_u64_pair((self.start.0 as u64) << 32 | self.line, self.order << 1),
            posting_version: POSTING,
            connection_id: connection_id(self.connection).0,
            reverses: None,
            recorded_at: at,
            kind: EventKind::Sale.as_str().to_owned(),
            reason: None,
            order_key: self.order_key.to_owned(),
            has_order: true,
            line_key: Some(self.line.to_string()),
            product_key: Some(format!("product-{product}")),
            variant_key: None,
            customer_key: Some(format!("customer-{}", self.customer)),
            store_key: None,
            location_key: None,
            staff_key: None,
            channel: Some("web".to_owned()),
            country: Some(self.country.to_owned()),
            region: None,
            test: false,
            quantity_milli: quantity * 1_000,
            gross_minor: gross,
            discount_minor: discount,
            tax_minor: (gross - discount) / 5,
            marketplace_tax_minor: 0,
            shipping_minor: 0,
            shipping_tax_minor: 0,
            duty_minor: 0,
            tip_minor: 0,
            fee_minor: 0,
            gift_card_minor: 0,
            cost_minor: gross / 2,
            currency: CURRENCIES[self.connection as usize % CURRENCIES.len()].to_owned(),
            presentment_currency: None,
            presentment_minor: None,
            event_at: at,
            event_date: self.date.0,
            order_at: i64::from(self.date.0) * DAY_US,
            order_date: self.date.0,
        }
    }
}

/// The whole line is taken back, within its month.
fn taken_back(sale: &sale_event::Model, kind: EventKind, days: i32, last: LocalDate) -> sale_event::Model {
    let date = (sale.event_date + days).min(last.0);
    let (high, low) = sale.id.as_u64_pair();
    sale_event::Model {
        id: Uuid::from_u64_pair(high, low | 1),
        kind: kind.as_str().to_owned(),
        quantity_milli: -sale.quantity_milli,
        gross_minor: -sale.gross_minor,
        discount_minor: -sale.discount_minor,
        tax_minor: -sale.tax_minor,
        cost_minor: -sale.cost_minor,
        event_date: date,
        event_at: i64::from(date) * DAY_US,
        ..sale.clone()
    }
}
