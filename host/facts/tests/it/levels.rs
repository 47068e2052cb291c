//! Parts of several levels: whatever is posted, folded, merged and asked, and in which order, answers say what the rows of
//! the ledger say.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use portolan_analytics::{GrainChoice, Query, Table, Visibility};
use portolan_core::LocalDate;
use portolan_db::entity::{cash_event, fact_part, sale_event};
use portolan_db::sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use portolan_db::testing::{TestDatabase, on_both};
use portolan_facts::{FactStore, FactStoreConfig};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::property::property;
use crate::support::{CashLine, EventLine, World, plain_rows, range, sale};

/// Steps and parts so small that some dozens of events climb the levels that else take a hundred thousand.
fn small(events_per_step: i64) -> FactStoreConfig {
    FactStoreConfig { events_per_step, small_part_rows: 4, ..FactStoreConfig::default() }
}

fn by_month() -> Query {
    let metrics = ["net_sales", "orders", "customers", "gross_payments"];
    Query::over(range("2026-01-01", "2026-04-01"), &metrics).every(GrainChoice::Month)
}

fn by_product() -> Query {
    Query::over(range("2026-01-01", "2026-04-01"), &["net_sales", "customers"]).by("product")
}

fn told(table: &Table) -> Value {
    json!([plain_rows(&table.rows), plain_rows(&table.totals)])
}

/// Rows of SQL, up to a posting.
struct Ledger {
    sales: Vec<sale_event::Model>,
    cash: Vec<cash_event::Model>,
}

impl Ledger {
    async fn until(world: &World, posting: i64) -> Self {
        let tx = world.database.read(world.tenant).await.expect("read");
        let sales = tx.find::<sale_event::Entity>().filter(sale_event::Column::PostingVersion.lte(posting));
        let cash = tx.find::<cash_event::Entity>().filter(cash_event::Column::PostingVersion.lte(posting));
        Self { sales: sales.all(&tx).await.expect("sales"), cash: cash.all(&tx).await.expect("cash") }
    }

    /// What [`by_month`] is to be answered.
    fn by_month(&self) -> Value {
        let dates = self.sales.iter().map(|event| event.event_date);
        let dates = dates.chain(self.cash.iter().map(|event| event.event_date));
        let months: BTreeSet<String> = dates.map(month).collect();
        let row = |period: Option<&String>| {
            let sales =
                self.sales.iter().filter(|event| period.is_none_or(|is| *is == month(event.event_date)));
            let sales: Vec<&sale_event::Model> = sales.collect();
            let cash =
                self.cash.iter().filter(|event| period.is_none_or(|is| *is == month(event.event_date)));
            let payments: i64 = cash.map(|event| event.amount_minor).sum();
            json!([period, "EUR", net_sales(&sales), orders(&sales), customers(&sales), payments])
        };
        let rows: Value = months.iter().map(|month| row(Some(month))).collect();
        let totals = if months.is_empty() { json!([]) } else { json!([row(None)]) };
        json!([rows, totals])
    }

    /// The rows that [`by_product`] is to be answered, in any order.
    fn by_product(&self) -> BTreeSet<String> {
        let mut products: BTreeMap<String, Vec<&sale_event::Model>> = BTreeMap::new();
        for event in &self.sales {
            let product = event.product_key.as_deref().expect("a product");
            products.entry(format!("{}/{product}", event.connection_id)).or_default().push(event);
        }
        let row = |(product, sales): (String, Vec<&sale_event::Model>)| {
            json!([product, "EUR", net_sales(&sales), customers(&sales)]).to_string()
        };
        products.into_iter().map(row).collect()
    }
}

fn month(days: i32) -> String {
    let date = LocalDate(days);
    format!("{:04}-{:02}-01", date.year(), date.month())
}

fn net_sales(sales: &[&sale_event::Model]) -> i64 {
    sales.iter().map(|event| event.gross_minor).sum()
}

fn orders(sales: &[&sale_event::Model]) -> usize {
    let mut units: BTreeMap<(Uuid, &str), i64> = BTreeMap::new();
    for event in sales {
        *units.entry((event.connection_id, &event.order_key)).or_default() += event.quantity_milli;
    }
    units.into_values().filter(|units| *units > 0).count()
}

/// Customers with an order that stands.
fn customers(sales: &[&sale_event::Model]) -> usize {
    let mut units: BTreeMap<(Uuid, &str, &str), i64> = BTreeMap::new();
    for event in sales {
        let Some(customer) = &event.customer_key else { continue };
        *units.entry((event.connection_id, customer, &event.order_key)).or_default() += event.quantity_milli;
    }
    let standing = units.into_iter().filter(|(_, units)| *units > 0);
    standing.map(|((connection, customer, _), _)| (connection, customer)).collect::<BTreeSet<_>>().len()
}

/// Order, product and units; the order's number decides its month, connection and customer.
type Sold = (u8, u8, i8);

fn line((order, product, units): &Sold) -> EventLine {
    EventLine {
        kind: if *units > 0 { "sale" } else { "cancel" }.to_owned(),
        quantity: f64::from(*units),
        connection: Some(if order % 2 == 0 { "shop" } else { "till" }.to_owned()),
        customer: (order % 4 > 0).then(|| format!("customer {}", order % 4)),
        product: Some(format!("p{product}")),
        ..sale(&format!("2026-{:02}-10", 1 + order % 3), &format!("order {order}"), i64::from(*units) * 100)
    }
}

fn payment(entry: u8) -> CashLine {
    CashLine {
        at: format!("2026-{:02}-11T12:00:00Z", 1 + entry % 3),
        entry: format!("e{entry}"),
        category: "sale".to_owned(),
        amount: i64::from(entry) * 10,
        ..CashLine::default()
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// One after the other.
    Post(Vec<Posting>),
    Fold,
    /// Two processes at once, while somebody asks.
    FoldTwice,
}

#[derive(Debug, Clone)]
enum Posting {
    Sales(Vec<Sold>),
    Cash(Vec<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let units = prop_oneof![4 => 1..3_i8, 1 => -2..0_i8];
    let sold = proptest::collection::vec((0..24_u8, 0..3_u8, units), 1..4);
    let posting = prop_oneof![
        5 => sold.prop_map(Posting::Sales),
        1 => proptest::collection::vec(1..9_u8, 1..3).prop_map(Posting::Cash),
    ];
    let step = prop_oneof![
        3 => proptest::collection::vec(posting, 1..40).prop_map(Step::Post),
        2 => Just(Step::Fold),
        1 => Just(Step::FoldTwice),
    ];
    proptest::collection::vec(step, 2..9)
}

async fn check(test: &TestDatabase, steps: &[Step]) {
    let world = World::with_connections(test, &[("shop", "shopify"), ("till", "csv")]).await;
    let (store, other) = (world.store_with(&small(3)), world.store_with(&small(3)));
    for step in steps {
        match step {
            Step::Post(postings) => {
                for posting in postings {
                    match posting {
                        Posting::Sales(sold) => world.post(&sold.iter().map(line).collect::<Vec<_>>()).await,
                        Posting::Cash(paid) => {
                            world.post_cash(&paid.iter().copied().map(payment).collect::<Vec<_>>()).await;
                        }
                    }
                }
            }
            Step::Fold => {
                store.fold(world.tenant).await.expect("fold");
            }
            Step::FoldTwice => {
                let (query, all) = (by_month(), Visibility::everything());
                let (one, another, asked) = tokio::join!(
                    store.fold(world.tenant),
                    other.fold(world.tenant),
                    store.run_uncached(world.tenant, &all, &query)
                );
                one.and(another).expect("both folds");
                let ledger = Ledger::until(&world, i64::MAX).await;
                assert_eq!(told(&asked.expect("an answer meanwhile")), ledger.by_month());
            }
        }
        let ledger = Ledger::until(&world, i64::MAX).await;
        let months =
            store.run_uncached(world.tenant, &Visibility::everything(), &by_month()).await.expect("by month");
        assert_eq!(told(&months), ledger.by_month(), "after {step:?}");
        let products = store
            .run_uncached(world.tenant, &Visibility::everything(), &by_product())
            .await
            .expect("by product");
        let rows = plain_rows(&products.rows);
        let rows: BTreeSet<String> = rows.as_array().expect("rows").iter().map(Value::to_string).collect();
        assert_eq!(rows, ledger.by_product(), "after {step:?}");
    }
}

#[test]
fn answers_say_what_the_ledger_says_however_it_was_folded_and_merged() {
    property(6, &steps(), async |test, steps| check(test, steps).await);
}

/// Rows of each part, in order of size.
async fn part_rows(world: &World) -> Vec<i64> {
    let tx = world.database.read(world.tenant).await.expect("read");
    let parts = tx.find::<fact_part::Entity>().order_by_asc(fact_part::Column::RowCount).all(&tx).await;
    parts.expect("parts").into_iter().map(|part| part.row_count).collect()
}

#[tokio::test]
async fn one_fold_merges_what_it_wrote_and_then_the_next_level() {
    on_both(portolan_migrations::migrate, async |test| {
        let world = World::with_connections(test, &[("shop", "shopify"), ("till", "csv")]).await;
        let store = world.store_with(&small(1));
        let mut merged = Vec::new();
        for round in 0..9_u8 {
            for number in 0..9_u8 {
                // Every third order is of January.
                world.post(&[line(&(3 * (9 * round + number), number % 3, 1))]).await;
            }
            merged.push(store.fold(world.tenant).await.expect("fold").parts_merged);
            let months = store
                .run_uncached(world.tenant, &Visibility::everything(), &by_month())
                .await
                .expect("by month");
            assert_eq!(told(&months), Ledger::until(&world, i64::MAX).await.by_month(), "round {round}");
        }
        assert_eq!(merged, [9, 9, 9, 9, 9, 9, 9, 9, 18], "nine parts of one, then nine parts of nine");
        assert_eq!(part_rows(&world).await, [81]);

        // Far more small parts than are merged at once: 64 and the other 16.
        for number in 0..80_u8 {
            world.post(&[line(&(3 * number, 0, 1))]).await;
        }
        assert_eq!(store.fold(world.tenant).await.expect("fold").parts_merged, 80);
        assert_eq!(part_rows(&world).await, [16, 64, 81]);
        let months =
            store.run_uncached(world.tenant, &Visibility::everything(), &by_month()).await.expect("by month");
        assert_eq!(told(&months), Ledger::until(&world, i64::MAX).await.by_month());
    })
    .await;
}

#[tokio::test]
async fn an_answer_amid_postings_folds_and_merges_is_of_one_moment() {
    on_both(portolan_migrations::migrate, async |test| {
        let world = World::with_connections(test, &[("shop", "shopify"), ("till", "csv")]).await;
        let (store, other) = (world.store_with(&small(2)), world.store_with(&small(2)));
        let (posting, answered) = (Cell::new(true), Cell::new(0));
        let posts = async {
            for number in 0..=u8::MAX {
                world.post(&[line(&(number, 0, 1)), line(&(number / 2, 1, 1))]).await;
                world.post_cash(&[payment(number)]).await;
                // However slowly answers come, some of them come in between.
                if number >= 40 && answered.get() >= 5 {
                    break;
                }
            }
            posting.set(false);
        };
        let folds = async |store: &FactStore| {
            while posting.get() {
                store.fold(world.tenant).await.expect("fold");
            }
        };
        let asks = async {
            let mut answers = Vec::new();
            while posting.get() {
                let table = store
                    .run_uncached(world.tenant, &Visibility::everything(), &by_month())
                    .await
                    .expect("by month");
                answers.push((table.data_version, told(&table)));
                answered.set(answers.len());
            }
            answers
        };
        let ((), (), (), answers) = tokio::join!(posts, folds(&store), folds(&other), asks);

        let moments: BTreeSet<i64> = answers.iter().map(|(version, _)| *version).collect();
        assert!(moments.len() > 1, "asked {} times, always of the same moment", answers.len());
        for (version, told) in answers {
            // Each posting moves both versions by one, and nothing else moves them here.
            assert_eq!(told, Ledger::until(&world, version).await.by_month(), "version {version}");
        }
    })
    .await;
}
