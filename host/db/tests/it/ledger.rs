//! Posting versions under concurrency, and events as they are stored.

use std::collections::BTreeSet;

use portolan_commerce::cash::{BalanceCategory, CashEvent, DisputeState};
use portolan_commerce::ledger::{EventKind, PostedEvent, SaleEvent};
use portolan_core::{ConnectionId, Decimal, EventId, Instant, LocalDate, TenantId};
use portolan_db::entity::{cash_event, sale_event};
use portolan_db::sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, Statement};
use portolan_db::{DbError, Dialect, Posting, WriteClass};
use portolan_migrations::Migrator;
use sea_orm_migration::MigratorTrait;

use crate::support::{TestDatabase, migrate, new_id, on_both};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn posting_versions_have_no_gap_and_no_double() {
    on_both(migrate, async |test| {
        let tenant = TenantId(new_id());
        let postings: Vec<_> = (0..40)
            .map(|number| {
                let class = if number % 2 == 0 { WriteClass::Person } else { WriteClass::Background };
                let database = test.database.clone();
                tokio::spawn(async move {
                    database
                        .write_as(class, tenant, |tx| Box::pin(async move { tx.lock_ledger().await }))
                        .await
                })
            })
            .collect();
        let mut versions = BTreeSet::new();
        for posting in postings {
            versions.insert(posting.await.expect("task").expect("posting"));
        }
        assert_eq!(versions, (1..=40).collect());

        let bump =
            test.database.write(tenant, |tx| Box::pin(async move { tx.bump_data_version().await })).await;
        assert_eq!(bump.expect("bump"), 41);
        let head = test.database.read(tenant).await.expect("read").ledger_head().await.expect("head");
        assert_eq!((head.posting_version, head.data_version, head.folded_version), (40, 41, 0));
    })
    .await;
}

#[tokio::test]
async fn an_event_comes_back_as_it_was_posted() {
    on_both(migrate, async |test| {
        let tenant = TenantId(new_id());
        for kind in EventKind::ALL {
            let posted =
                PostedEvent { id: EventId(new_id()), reverses: Some(EventId(new_id())), event: event(kind) };
            let expected = posted.clone();
            let stored = test
                .database
                .write(tenant, move |tx| {
                    Box::pin(async move {
                        let posting = Posting {
                            tenant,
                            connection: ConnectionId(new_id()),
                            posting_version: tx.lock_ledger().await?,
                            recorded_at: Instant(5),
                        };
                        tx.insert(sale_event::ActiveModel::from(sale_event::Model::new(posting, posted)))
                            .await
                    })
                })
                .await;
            let id = stored.expect("insert").id;
            let tx = test.database.read(tenant).await.expect("read");
            let found = tx.find::<sale_event::Entity>().filter(sale_event::Column::Id.eq(id)).one(&tx).await;
            let row = found.expect("find").expect("row");
            assert_eq!(row.into_posted().expect("readable"), expected);
        }
    })
    .await;
}

#[tokio::test]
async fn a_movement_of_a_balance_comes_back_as_it_was_posted() {
    on_both(migrate, async |test| {
        let tenant = TenantId(new_id());
        for (index, category) in BalanceCategory::ALL.into_iter().enumerate() {
            let state = DisputeState::ALL.get(index).copied();
            let event = cash_event(category, state);
            let posted = PostedEvent { id: EventId(new_id()), reverses: Some(EventId(new_id())), event };
            let expected = posted.clone();
            let stored = test
                .database
                .write(tenant, move |tx| {
                    Box::pin(async move {
                        let posting = Posting {
                            tenant,
                            connection: ConnectionId(new_id()),
                            posting_version: tx.lock_ledger().await?,
                            recorded_at: Instant(5),
                        };
                        tx.insert(cash_event::ActiveModel::from(cash_event::Model::new(posting, posted)))
                            .await
                    })
                })
                .await;
            let stored = stored.expect("insert");
            assert_eq!(stored.payment_key, if state.is_some() { "ch_1" } else { "txn_1" });
            let tx = test.database.read(tenant).await.expect("read");
            let found = tx.find::<cash_event::Entity>().filter(cash_event::Column::Id.eq(stored.id)).one(&tx);
            let row = found.await.expect("find").expect("row");
            assert_eq!(row.into_posted().expect("readable"), expected);
        }
    })
    .await;
}

#[tokio::test]
async fn a_rolled_back_posting_takes_no_version() {
    on_both(migrate, async |test| {
        let tenant = TenantId(new_id());
        let failed: Result<(), DbError> = test
            .database
            .write(tenant, |tx| {
                Box::pin(async move {
                    tx.lock_ledger().await?;
                    Err(DbError::Unsafe("changed my mind".to_owned()))
                })
            })
            .await;
        assert!(failed.is_err());
        let next = test.database.write(tenant, |tx| Box::pin(async move { tx.lock_ledger().await })).await;
        assert_eq!(next.expect("posting"), 1);
    })
    .await;
}

/// On SQLite the tables are copied for it; the way back is the same with the keys exchanged.
#[tokio::test]
async fn events_outlive_the_change_of_their_tables_keys() {
    on_both(migrate, async |test| {
        let tenant = TenantId(new_id());
        let sale = PostedEvent { id: EventId(new_id()), reverses: None, event: event(EventKind::Sale) };
        let category = BalanceCategory::ALL[0];
        let cash = PostedEvent { id: EventId(new_id()), reverses: None, event: cash_event(category, None) };
        let (posted_sale, posted_cash) = (sale.clone(), cash.clone());
        let written: Result<(), DbError> = test
            .database
            .write(tenant, move |tx| {
                Box::pin(async move {
                    let posting = Posting {
                        tenant,
                        connection: ConnectionId(new_id()),
                        posting_version: tx.lock_ledger().await?,
                        recorded_at: Instant(5),
                    };
                    let (sale, cash) = (
                        sale_event::Model::new(posting, posted_sale),
                        cash_event::Model::new(posting, posted_cash),
                    );
                    tx.insert(sale_event::ActiveModel::from(sale)).await?;
                    tx.insert(cash_event::ActiveModel::from(cash)).await?;
                    Ok(())
                })
            })
            .await;
        written.expect("written");

        let connection = test.database.migration_connection();
        let indexes = indexes_of(test).await;
        let migrations = Migrator::migrations();
        let later = migrations.iter().rev().position(|migration| migration.name() == "m0017_fewer_indexes");
        let steps = u32::try_from(later.expect("the migration")).expect("few") + 1;
        Migrator::down(connection, Some(steps)).await.expect("back");
        assert_ne!(indexes_of(test).await, indexes, "they were others");
        migrate(connection).await.expect("and forth");
        assert_eq!(indexes_of(test).await, indexes);

        let tx = test.database.read(tenant).await.expect("read");
        let sales = tx.find::<sale_event::Entity>().all(&tx).await.expect("sales");
        let moved = tx.find::<cash_event::Entity>().all(&tx).await.expect("movements");
        let sales: Vec<_> = sales.into_iter().map(|row| row.into_posted().expect("readable")).collect();
        let moved: Vec<_> = moved.into_iter().map(|row| row.into_posted().expect("readable")).collect();
        assert_eq!((sales, moved), (vec![sale], vec![cash]));
    })
    .await;
}

/// Every index and key of the schema, in the database's words.
async fn indexes_of(test: &TestDatabase) -> Vec<String> {
    let connection = test.database.migration_connection();
    let sql = match test.dialect() {
        Dialect::Sqlite => {
            "SELECT tbl_name || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master WHERE type = 'index' ORDER BY 1"
        }
        Dialect::Postgres => "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    };
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await.expect("indexes");
    rows.iter().map(|row| row.try_get_by_index(0).expect("text")).collect()
}

fn event(kind: EventKind) -> SaleEvent {
    SaleEvent {
        kind,
        reason: Some("other".to_owned()),
        order_key: "1001".to_owned(),
        has_order: true,
        line_key: Some("1".to_owned()),
        product_key: None,
        variant_key: None,
        customer_key: Some("c".to_owned()),
        store_key: None,
        location_key: None,
        staff_key: None,
        channel: Some("web".to_owned()),
        country: Some("PT".to_owned()),
        region: None,
        test: false,
        quantity_milli: -2_000,
        gross_minor: i64::MIN,
        discount_minor: i64::MAX,
        tax_minor: 3,
        marketplace_tax_minor: 4,
        shipping_minor: 5,
        shipping_tax_minor: 6,
        duty_minor: 7,
        tip_minor: 8,
        fee_minor: 9,
        gift_card_minor: 10,
        cost_minor: 11,
        currency: "EUR".parse().expect("currency"),
        presentment_currency: Some("JPY".parse().expect("currency")),
        presentment_minor: Some(12),
        event_at: Instant(-1),
        event_date: LocalDate(-1),
        order_at: Instant(1_700_000_000_000_000),
        order_date: LocalDate(19_675),
    }
}

/// Nothing optional is known where there is no dispute.
fn cash_event(category: BalanceCategory, dispute_state: Option<DisputeState>) -> CashEvent {
    let known = |text: &str| dispute_state.map(|_| text.to_owned());
    CashEvent {
        category,
        provider_kind: "adjustment".to_owned(),
        entry_key: "txn_1".to_owned(),
        payment_key: known("ch_1"),
        order_key: known("1001"),
        reference: known("#1001"),
        payout_key: known("po_1"),
        source_key: known("dp_1"),
        method: known("card"),
        dispute_state,
        currency: "EUR".parse().expect("currency"),
        amount_minor: i64::MIN,
        fee_minor: i64::MAX,
        fee_tax_minor: 3,
        net_minor: 4,
        charged_currency: dispute_state.map(|_| "JPY".parse().expect("currency")),
        charged_minor: dispute_state.map(|_| -5),
        fx_rate: dispute_state.map(|_| Decimal::new(9_150, 6)),
        event_at: Instant(-1),
        event_date: LocalDate(-1),
        payment_at: Instant(1_700_000_000_000_000),
        payment_date: LocalDate(19_675),
        available_on: dispute_state.map(|_| LocalDate(19_677)),
    }
}
