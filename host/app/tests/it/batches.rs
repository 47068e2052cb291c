//! What posting costs, and that how a chunk is cut into transactions changes nothing.

use std::sync::Arc;

use portolan_app::ingest::KnownLabels;
use portolan_app::ingest::batch::{BatchAim, prepare};
use portolan_app::ingest::post::{PostContext, PostError, post_batch};
use portolan_commerce::document::Document;
use portolan_core::{ChunkId, ConnectionId, Random as _, SeededRandom, StoreCalendar};
use portolan_db::entity::{document, document_version, sale_event};

use crate::support::*;

/// What one transaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub statements: u64,
    pub events: u64,
}

/// Posts documents as one chunk of a sync, in transactions of this size.
pub async fn post(
    shop: &TestApp,
    connection: ConnectionId,
    documents: Vec<Document>,
    aim: BatchAim,
) -> Vec<Written> {
    post_knowing(&Arc::default(), shop, connection, documents, aim).await
}

/// [`post`] by a run that knows labels already.
pub async fn post_knowing(
    known_labels: &Arc<KnownLabels>,
    shop: &TestApp,
    connection: ConnectionId,
    documents: Vec<Document>,
    aim: BatchAim,
) -> Vec<Written> {
    let app = shop.app.clone();
    let calendar = StoreCalendar::new("UTC", 0).expect("a calendar");
    let (chunk, received_at) = (ChunkId::generate(&*app.clock, &*app.random), app.clock.now());
    let context = PostContext {
        connection,
        chunk,
        plugin_build: Uuid::nil(),
        received_at,
        calendar: &calendar,
        known_labels,
        clock: &*app.clock,
        random: &*app.random,
    };
    let prepared = prepare(shop.tenant, &context, documents, aim);
    assert_eq!(prepared.quarantined, []);
    let mut written = Vec::new();
    for batch in prepared.batches {
        let (app, calendar, known_labels) = (app.clone(), calendar.clone(), Arc::clone(known_labels));
        let posted = shop.app.db.write(shop.tenant, move |tx| {
            Box::pin(async move {
                let context = PostContext {
                    connection,
                    chunk,
                    plugin_build: Uuid::nil(),
                    received_at,
                    calendar: &calendar,
                    known_labels: &known_labels,
                    clock: &*app.clock,
                    random: &*app.random,
                };
                let posted = post_batch(tx, &context, batch).await?;
                assert_eq!(posted.quarantined, []);
                Ok::<_, PostError>(Written { statements: tx.statements_sent(), events: posted.events })
            })
        });
        written.push(posted.await.expect("posted"));
    }
    written
}

fn orders(count: usize) -> Vec<Document> {
    (0..count).map(|number| order(&format!("order-{number}"), 2, 60)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_transaction_sends_does_not_grow_with_its_orders() {
    on_both(migrate, async |test| {
        let mut sent = Vec::new();
        for count in [4, 64, 256] {
            let shop = TestApp::new(test, &format!("shop-{count}")).await;
            let connection = shop.connect().await;
            let written = post(&shop, connection, orders(count), BatchAim::default()).await;
            assert_eq!(written.len(), 1, "one transaction for {count} orders");
            assert_eq!(written[0].events, count as u64);
            sent.push(written[0].statements);
            let again = post(&shop, connection, orders(count), BatchAim::default()).await;
            assert_eq!(again[0].events, 0, "nothing is posted twice");
            sent.push(again[0].statements);
        }
        assert!(sent.iter().all(|statements| *statements <= 18), "{sent:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_chunk_is_posted_in_transactions_of_bounded_size() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let aim = BatchAim { documents: 100, ..BatchAim::default() };
        let written = post(&shop, shop.connect().await, orders(1_000), aim).await;
        let events: Vec<u64> = written.iter().map(|written| written.events).collect();
        assert_eq!(events, [100; 10]);
        assert_eq!(shop.net_minor(None).await, 2_000_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_and_known_documents_and_equal_keys_mix_in_a_chunk() {
    on_both(migrate, async |test| {
        let before = [order("A", 3, 90), refund("R", "A", 1, 80), order("B", 2, 70), refund("S", "B", 1, 60)];
        let chunk = [
            order("C", 1, 50),
            // Known already, and unchanged.
            order("B", 2, 70),
            // Two further versions of a known order; the newer one comes first, and twice.
            order("A", 5, 30),
            order("A", 4, 40),
            order("A", 5, 30),
            // Two versions of a new order, around a refund of it.
            order("D", 6, 45),
            refund("T", "D", 2, 20),
            order("D", 7, 25),
            // A known refund that moves to an order that is new.
            refund("R", "C", 1, 15),
            store("north"),
            store("north"),
        ];
        let whole = TestApp::new(test, "whole").await;
        let connection = whole.connect().await;
        post(&whole, connection, before.to_vec(), BatchAim::default()).await;
        post(&whole, connection, chunk.to_vec(), BatchAim::default()).await;
        let net = |key| whole.net_minor(Some(key));
        assert_eq!(
            (net("A").await, net("B").await, net("C").await, net("D").await),
            (5_000, 1_000, 0, 5_000)
        );

        let versions = whole.rows::<document_version::Entity>().await;
        assert_eq!(versions.len(), 4 + 8, "each version is kept once");
        let heads = whole.rows::<document::Entity>().await;
        assert_eq!(heads.len(), 4 + 4, "each document has one head");
        let head = heads.iter().find(|head| head.key == "A").expect("the head of A");
        assert_eq!(head.amount_minor, Some(5_000));
        assert!(heads.iter().all(|head| versions.iter().any(|version| version.id == head.version_id)));

        let events = whole.rows::<sale_event::Entity>().await.len();
        let again = post(&whole, connection, chunk.to_vec(), BatchAim::default()).await;
        assert_eq!((again.len(), again[0].events), (1, 0));
        assert_eq!(whole.rows::<sale_event::Entity>().await.len(), events);

        let single = TestApp::new(test, "single").await;
        let connection = single.connect().await;
        for document in before.into_iter().chain(chunk) {
            post(&single, connection, vec![document], BatchAim::default()).await;
        }
        assert_eq!(single.standing().await, whole.standing().await);
    })
    .await;
}

/// Versions of a few orders and of their refunds, no two of a document updated at the same moment.
fn any_documents(random: &SeededRandom) -> Vec<Document> {
    let below = |limit: u64| (random.next_u64() % limit) as i64;
    let mut documents = Vec::new();
    for minute in 1..30 {
        let key = ["A", "B", "C"][below(3) as usize];
        documents.push(match below(3) {
            0 => refund(["R", "S"][below(2) as usize], key, below(3), minute),
            _ => order(key, below(9), minute),
        });
    }
    for last in (1..documents.len()).rev() {
        documents.swap(last, below(last as u64 + 1) as usize);
    }
    documents
}

#[tokio::test(flavor = "multi_thread")]
async fn any_cut_into_chunks_and_transactions_ends_in_the_same_ledger() {
    const WORLDS: u64 = 12;
    on_both(migrate, async |test| {
        for seed in 0..WORLDS {
            let random = SeededRandom::new(seed);
            let documents = any_documents(&random);
            let whole = TestApp::new(test, &format!("whole-{seed}")).await;
            post(&whole, whole.connect().await, documents.clone(), BatchAim::default()).await;

            let pieces = TestApp::new(test, &format!("pieces-{seed}")).await;
            let connection = pieces.connect().await;
            let mut rest = documents;
            while !rest.is_empty() {
                let chunk = 1 + random.next_u64() as usize % rest.len();
                let after = rest.split_off(chunk);
                let aim = BatchAim { documents: 1 + random.next_u64() as usize % 4, bytes: usize::MAX };
                post(&pieces, connection, rest, aim).await;
                rest = after;
            }
            assert_eq!(pieces.standing().await, whole.standing().await, "seed {seed}");
        }
    })
    .await;
}
