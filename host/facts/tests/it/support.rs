//! A tenant with a ledger, told in a few words per event.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use portolan_analytics::{Cell, Query, QueryEngine, Row, Table, Visibility};
use portolan_commerce::cash::{BalanceCategory, CashEvent};
use portolan_commerce::ledger::{EventKind, PostedEvent, SaleEvent};
use portolan_core::calendar::DateRange;
use portolan_core::{
    Clock as _, ConnectionId, Duration, EventId, Instant, LocalDate, ManualClock, SeededRandom, TenantId,
};
use portolan_db::entity::{cash_event, connection, fx_rate, fx_rate_replaced, sale_event, tenant};
use portolan_db::sea_orm::sea_query::Expr;
use portolan_db::sea_orm::{ActiveModelTrait, ColumnTrait, IntoActiveModel, QueryFilter};
use portolan_db::testing::TestDatabase;
use portolan_db::{Database, DbError, Posting};
use portolan_facts::{FactStore, FactStoreConfig};
use serde::Deserialize;
use tempfile::TempDir;

/// One event of a fixture; what is left out is zero or unknown.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventLine {
    pub at: String,
    pub ordered: Option<String>,
    pub connection: Option<String>,
    pub order: String,
    pub kind: String,
    pub customer: Option<String>,
    pub product: Option<String>,
    pub country: Option<String>,
    pub store: Option<String>,
    pub currency: Option<String>,
    pub test: bool,
    pub no_order: bool,
    pub quantity: f64,
    pub gross: i64,
    pub discount: i64,
    pub tax: i64,
    pub shipping: i64,
    pub shipping_tax: i64,
    pub duty: i64,
    pub tip: i64,
    pub fee: i64,
    pub gift_card: i64,
    pub cost: i64,
}

impl EventLine {
    pub fn event(&self) -> SaleEvent {
        let event_at = Instant::parse_rfc3339(&self.at).expect("at is RFC 3339");
        let order_at =
            self.ordered.as_deref().map_or(event_at, |at| Instant::parse_rfc3339(at).expect("ordered"));
        let date = |at: Instant| LocalDate(at.0.div_euclid(86_400_000_000) as i32);
        SaleEvent {
            kind: self.kind.parse::<EventKind>().expect("kind"),
            reason: None,
            order_key: self.order.clone(),
            has_order: !self.no_order,
            line_key: None,
            product_key: self.product.clone(),
            variant_key: None,
            customer_key: self.customer.clone(),
            store_key: self.store.clone(),
            location_key: None,
            staff_key: None,
            channel: None,
            country: self.country.clone(),
            region: None,
            test: self.test,
            quantity_milli: (self.quantity * 1_000.0).round() as i64,
            gross_minor: self.gross,
            discount_minor: self.discount,
            tax_minor: self.tax,
            marketplace_tax_minor: 0,
            shipping_minor: self.shipping,
            shipping_tax_minor: self.shipping_tax,
            duty_minor: self.duty,
            tip_minor: self.tip,
            fee_minor: self.fee,
            gift_card_minor: self.gift_card,
            cost_minor: self.cost,
            currency: self.currency.as_deref().unwrap_or("EUR").parse().expect("currency"),
            presentment_currency: None,
            presentment_minor: None,
            event_at,
            event_date: date(event_at),
            order_at,
            order_date: date(order_at),
        }
    }
}

/// A sale of one unit.
pub fn sale(at: &str, order: &str, gross: i64) -> EventLine {
    EventLine {
        at: format!("{at}T10:00:00Z"),
        order: order.to_owned(),
        kind: "sale".to_owned(),
        quantity: 1.0,
        gross,
        ..EventLine::default()
    }
}

/// One `base` was so many `quote` on a day.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLine {
    pub day: String,
    pub base: String,
    pub quote: String,
    pub rate: String,
}

/// One movement of a balance; what is left out is zero or unknown.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CashLine {
    pub at: String,
    /// When its payment was made.
    pub paid: Option<String>,
    pub connection: Option<String>,
    pub entry: String,
    pub payment: Option<String>,
    pub category: String,
    pub payout: Option<String>,
    /// What it is about: of money that a bank sent back, the payout that failed.
    pub source: Option<String>,
    pub method: Option<String>,
    pub dispute: Option<String>,
    pub currency: Option<String>,
    /// A negated copy.
    pub reverses: bool,
    pub amount: i64,
    pub fee: i64,
}

impl CashLine {
    pub fn event(&self) -> CashEvent {
        let event_at = Instant::parse_rfc3339(&self.at).expect("at is RFC 3339");
        let payment_at =
            self.paid.as_deref().map_or(event_at, |at| Instant::parse_rfc3339(at).expect("paid"));
        let date = |at: Instant| LocalDate(at.0.div_euclid(86_400_000_000) as i32);
        CashEvent {
            category: self.category.parse::<BalanceCategory>().expect("category"),
            provider_kind: self.category.clone(),
            entry_key: self.entry.clone(),
            payment_key: self.payment.clone(),
            order_key: None,
            reference: None,
            payout_key: self.payout.clone(),
            source_key: self.source.clone(),
            method: self.method.clone(),
            dispute_state: self.dispute.as_deref().map(|state| state.parse().expect("dispute")),
            currency: self.currency.as_deref().unwrap_or("EUR").parse().expect("currency"),
            amount_minor: self.amount,
            fee_minor: self.fee,
            fee_tax_minor: 0,
            net_minor: self.amount - self.fee,
            charged_currency: None,
            charged_minor: None,
            fx_rate: None,
            event_at,
            event_date: date(event_at),
            payment_at,
            payment_date: date(payment_at),
            available_on: None,
        }
    }
}

/// Worlds of one process differ in their ids.
static WORLDS: AtomicU64 = AtomicU64::new(1);

/// A tenant, its store, and the folder of its parts.
pub struct World {
    pub store: FactStore,
    pub database: Database,
    pub tenant: TenantId,
    pub folder: TempDir,
    pub clock: ManualClock,
    random: Arc<SeededRandom>,
    connections: BTreeMap<String, ConnectionId>,
}

impl World {
    /// With one connection named `shop`.
    pub async fn new(test: &TestDatabase) -> Self {
        Self::with_connections(test, &[("shop", "shopify")]).await
    }

    pub async fn with_connections(test: &TestDatabase, names: &[(&str, &str)]) -> Self {
        let clock = ManualClock::at(Instant::parse_rfc3339("2026-06-01T00:00:00Z").expect("instant"));
        let random = Arc::new(SeededRandom::new(WORLDS.fetch_add(1, Ordering::Relaxed)));
        let folder = TempDir::new().expect("temporary folder");
        let database = test.database.clone();
        let store = FactStore::new(database.clone(), folder.path(), Arc::new(clock.clone()), random.clone())
            .expect("store");
        let tenant = TenantId::generate(&clock, random.as_ref());
        let row = tenant::Model {
            id: tenant.0,
            slug: format!("tenant-{tenant}"),
            name: "Tenant".to_owned(),
            reporting_currency: "EUR".to_owned(),
            rate_policy: "event_date".to_owned(),
            rates_changed_at: 0,
            time_zone: "UTC".to_owned(),
            week_start: 1,
            fiscal_start_month: 1,
            created_at: 0,
            access_version: 0,
            parent_id: None,
        };
        database
            .system_write(move |tx| {
                Box::pin(async move { tx.insert(row.into_active_model()).await.map(|_| ()) })
            })
            .await
            .map_err(|error: DbError| error)
            .expect("tenant");
        let mut world = Self { store, database, tenant, folder, clock, random, connections: BTreeMap::new() };
        for (name, channel) in names {
            world.connect(name, channel).await;
        }
        world
    }

    async fn connect(&mut self, name: &str, channel: &str) {
        let id = ConnectionId::generate(&self.clock, self.random.as_ref());
        let row = connection::Model {
            tenant_id: self.tenant.0,
            id: id.0,
            plugin_id: channel.to_owned(),
            label: name.to_owned(),
            state: connection::ConnectionState::Active,
            config: "{}".to_owned(),
            time_zone: "UTC".to_owned(),
            day_cutover_minutes: 0,
            consent: "{}".to_owned(),
            created_at: 0,
            updated_at: 0,
            plugin_sha256: None,
            pseudonyms: false,
        };
        self.database
            .write(self.tenant, move |tx| {
                Box::pin(async move { tx.insert(row.into_active_model()).await.map(|_| ()) })
            })
            .await
            .map_err(|error: DbError| error)
            .expect("connection");
        self.connections.insert(name.to_owned(), id);
    }

    pub fn connection(&self, name: &str) -> ConnectionId {
        self.connections[name]
    }

    /// Posts the events in one posting.
    pub async fn post(&self, lines: &[EventLine]) {
        let events: Vec<(ConnectionId, PostedEvent)> = lines
            .iter()
            .map(|line| {
                let id = EventId::generate(&self.clock, self.random.as_ref());
                let connection = self.connection(line.connection.as_deref().unwrap_or("shop"));
                (connection, PostedEvent { id, reverses: None, event: line.event() })
            })
            .collect();
        let (tenant, recorded_at) = (self.tenant, portolan_core::Clock::now(&self.clock));
        self.database
            .write(tenant, move |tx| {
                Box::pin(async move {
                    let posting_version = tx.lock_ledger().await?;
                    let rows = events
                        .into_iter()
                        .map(|(connection, event)| {
                            let posting = Posting { tenant, connection, posting_version, recorded_at };
                            sale_event::Model::new(posting, event).into_active_model()
                        })
                        .collect::<Vec<_>>();
                    tx.insert_many(rows).await.map(|_| ())
                })
            })
            .await
            .map_err(|error: DbError| error)
            .expect("post");
    }

    /// Keeps exchange rates, as somebody brings them now, and those that they replace.
    pub async fn store_rates(&self, lines: &[RateLine]) {
        let (tenant, said_at) = (self.tenant, self.clock.now().0);
        let rate = |line: &RateLine| fx_rate::Model {
            tenant_id: tenant.0,
            base: line.base.clone(),
            quote: line.quote.clone(),
            day: LocalDate::parse(&line.day).expect("a day").0,
            rate: line.rate.clone(),
            source: "fixture".to_owned(),
            said_at,
        };
        let rates: Vec<fx_rate::Model> = lines.iter().map(rate).collect();
        let stored = self.database.write(tenant, move |tx| {
            Box::pin(async move {
                use fx_rate::Column::{Base, Day, Quote};
                for rate in rates {
                    let of_pair = tx.find::<fx_rate::Entity>().filter(Base.eq(&*rate.base));
                    let known =
                        of_pair.filter(Quote.eq(&*rate.quote)).filter(Day.eq(rate.day)).one(tx).await?;
                    let rate = rate.into_active_model().reset_all();
                    match known {
                        None => tx.insert(rate).await?,
                        Some(known) => {
                            let replaced = fx_rate_replaced::Model::from(known);
                            tx.insert(replaced.into_active_model().reset_all()).await?;
                            tx.update(rate).await?
                        }
                    };
                }
                let house = tx.host_wide();
                house
                    .update_many::<tenant::Entity>()
                    .col_expr(tenant::Column::RatesChangedAt, Expr::value(said_at))
                    .filter(tenant::Column::Id.eq(tenant.0))
                    .exec(house)
                    .await?;
                tx.bump_data_version().await
            })
        });
        stored.await.map_err(|error: DbError| error).expect("rates");
    }

    /// Posts the movements of a balance in one posting.
    pub async fn post_cash(&self, lines: &[CashLine]) {
        let id = || EventId::generate(&self.clock, self.random.as_ref());
        let events: Vec<(ConnectionId, PostedEvent<CashEvent>)> = lines
            .iter()
            .map(|line| {
                let connection = self.connection(line.connection.as_deref().unwrap_or("shop"));
                let reverses = line.reverses.then(id);
                (connection, PostedEvent { id: id(), reverses, event: line.event() })
            })
            .collect();
        let (tenant, recorded_at) = (self.tenant, portolan_core::Clock::now(&self.clock));
        self.database
            .write(tenant, move |tx| {
                Box::pin(async move {
                    let posting_version = tx.lock_ledger().await?;
                    let rows = events
                        .into_iter()
                        .map(|(connection, event)| {
                            let posting = Posting { tenant, connection, posting_version, recorded_at };
                            cash_event::Model::new(posting, event).into_active_model()
                        })
                        .collect::<Vec<_>>();
                    tx.insert_many(rows).await.map(|_| ())
                })
            })
            .await
            .map_err(|error: DbError| error)
            .expect("post");
    }

    /// Another process on the same database and folder.
    pub fn another_store(&self) -> FactStore {
        let random = Arc::new(SeededRandom::new(WORLDS.fetch_add(1, Ordering::Relaxed)));
        FactStore::new(self.database.clone(), self.folder.path(), Arc::new(self.clock.clone()), random)
            .expect("store")
    }

    /// The same ledger behind a store with other limits.
    pub fn store_with(&self, config: &FactStoreConfig) -> FactStore {
        let (clock, random) = (Arc::new(self.clock.clone()), self.random.clone());
        FactStore::with_config(self.database.clone(), self.folder.path(), clock, random, config)
            .expect("store")
    }

    pub async fn fold(&self) -> portolan_facts::FoldReport {
        self.store.fold(self.tenant).await.expect("fold")
    }

    pub async fn ask(&self, query: &Query) -> Table {
        self.store.run(self.tenant, &Visibility::everything(), query).await.expect("answer")
    }

    pub async fn ask_afresh(&self, query: &Query) -> Table {
        self.store.run_uncached(self.tenant, &Visibility::everything(), query).await.expect("answer")
    }

    /// The files in the tenant's folder of parts.
    pub fn files(&self) -> Vec<String> {
        let folder = self.folder.path().join(format!("{}/sale_events", self.tenant));
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned()).collect()
    }

    pub fn minutes_pass(&self, minutes: i64) {
        self.clock.advance(Duration::from_minutes(minutes));
    }
}

pub fn range(from: &str, until: &str) -> DateRange {
    DateRange { from: LocalDate::parse(from).expect("date"), until: LocalDate::parse(until).expect("date") }
}

/// What a cell says: an amount in minor units, a number, a key, the first day of a period.
pub fn plain(cell: &Cell) -> serde_json::Value {
    match cell {
        Cell::Money(money) => money.amount_minor.into(),
        Cell::Key { key, .. } => serde_json::to_value(key).expect("key"),
        Cell::Period(bucket) => bucket.range.from.to_string().into(),
        other => serde_json::to_value(other).expect("cell"),
    }
}

pub fn plain_rows(rows: &[Row]) -> serde_json::Value {
    rows.iter().map(|row| row.cells.iter().map(plain).collect::<serde_json::Value>()).collect()
}
