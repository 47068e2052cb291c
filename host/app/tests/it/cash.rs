//! A provider's balance on its way into the cash ledger.

use std::collections::BTreeMap;

use portolan_app::ingest::batch::BatchAim;
use portolan_commerce::document::Document;
use portolan_connector::{Normalized, PluginRef};
use portolan_core::{Random as _, SeededRandom};
use portolan_db::entity::{cash_event, document, sale_event};

use crate::batches::{Written, post};
use crate::replays::read_again;
use crate::support::*;

/// What stands in the cash ledger: amounts by what, where and of which payment; what was taken back is gone.
async fn standing(shop: &TestApp) -> BTreeMap<String, (i64, i64, i64)> {
    let mut standing = BTreeMap::new();
    for event in shop.rows::<cash_event::Entity>().await {
        let payment = if event.has_payment { event.payment_key.as_str() } else { "-" };
        let state = event.dispute_state.as_deref().unwrap_or("-");
        let key = format!("{payment} {} {} {state} {}", event.entry_key, event.category, event.payment_at);
        let sums: &mut (i64, i64, i64) = standing.entry(key).or_default();
        sums.0 += event.amount_minor;
        sums.1 += event.fee_minor;
        sums.2 += event.net_minor;
    }
    standing.retain(|_, sums| *sums != (0, 0, 0));
    standing
}

async fn net_minor(shop: &TestApp, payment: &str) -> i64 {
    let events = shop.rows::<cash_event::Entity>().await;
    events.iter().filter(|event| event.payment_key == payment).map(|event| event.net_minor).sum()
}

fn events(written: &[Written]) -> u64 {
    written.iter().map(|written| written.events).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_is_posted_once_and_corrected_by_difference() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let told = [
            balance_entry("t-1", Some("ch_1"), "sale", (1_000, 30), 90),
            balance_entry("t-2", Some("ch_1"), "refund", (-400, 0), 80),
            balance_entry("t-3", None, "fee", (-200, 0), 70),
            order("A", 1, 60),
        ];
        let aim = BatchAim::default();
        let written = post(&shop, connection, told.to_vec(), aim).await;
        assert_eq!((written.len(), events(&written)), (1, 4), "both ledgers in one transaction");
        let before = shop.app.db.read(shop.tenant).await.expect("read").ledger_head().await.expect("head");
        assert_eq!(before.posting_version, 1);

        assert_eq!(events(&post(&shop, connection, told.to_vec(), aim).await), 0, "replay adds nothing");
        assert_eq!(net_minor(&shop, "ch_1").await, 570);
        assert_eq!(net_minor(&shop, "t-3").await, -200, "under its own key");

        let corrected = balance_entry("t-1", Some("ch_1"), "sale", (1_000, 25), 10);
        assert_eq!(events(&post(&shop, connection, vec![corrected], aim).await), 2);
        assert_eq!(net_minor(&shop, "ch_1").await, 575);
        let rows = shop.rows::<cash_event::Entity>().await;
        assert_eq!(rows.len(), 5, "the ledger only grows");
        let reversal = rows.iter().find(|row| row.reverses.is_some()).expect("a negated copy");
        assert_eq!((reversal.amount_minor, reversal.fee_minor, reversal.net_minor), (-1_000, -30, -970));
        let after = shop.app.db.read(shop.tenant).await.expect("read").ledger_head().await.expect("head");
        assert_eq!(after.posting_version, 2);
        assert!(after.data_version > before.data_version, "answers have changed");
        assert_eq!(shop.rows::<sale_event::Entity>().await.len(), 1, "the sales ledger is not concerned");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_moves_to_another_payment_leaves_nothing_behind() {
    on_both(migrate, async |test| {
        let sales = [
            balance_entry("t-1", Some("ch_1"), "sale", (1_000, 30), 90),
            balance_entry("t-2", Some("ch_2"), "sale", (2_000, 60), 90),
        ];
        let wrong = balance_entry("t-3", Some("ch_1"), "refund", (-400, 0), 80);
        let right = balance_entry("t-3", Some("ch_2"), "refund", (-400, 0), 20);
        let told = async |name: &str, documents: &[Document]| {
            let shop = TestApp::new(test, name).await;
            let connection = shop.connect().await;
            for document in documents {
                post(&shop, connection, vec![document.clone()], BatchAim::default()).await;
            }
            shop
        };
        let [first, second] = sales;
        let moved = told("moved", &[first.clone(), second.clone(), wrong.clone(), right.clone()]).await;
        assert_eq!((net_minor(&moved, "ch_1").await, net_minor(&moved, "ch_2").await), (970, 1_540));
        let late = told("late", &[right, second, first, wrong]).await;
        assert_eq!(standing(&late).await, standing(&moved).await, "the version before the move comes last");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contested_money_is_posted_anew_when_its_dispute_is_decided() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let aim = BatchAim::default();
        let sale = balance_entry("t-1", Some("ch_1"), "sale", (1_000, 30), 90);
        let taken = balance_entry("t-2", Some("ch_1"), "dispute", (-1_000, 1_500), 80);
        post(&shop, connection, vec![sale, dispute("dp_1", "ch_1", "under_review", 70), taken], aim).await;
        assert_eq!(events(&post(&shop, connection, vec![dispute("dp_1", "ch_1", "lost", 30)], aim).await), 2);
        let standing = standing(&shop).await;
        let lost: Vec<&String> = standing.keys().filter(|key| key.contains("dispute lost")).collect();
        assert_eq!((lost.len(), standing.len()), (1, 2), "{standing:?}");
        assert_eq!(net_minor(&shop, "ch_1").await, 970 - 2_500, "no money moved");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_that_is_read_differently_leaves_nothing_of_what_it_said() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let told = [
            balance_entry("t-1", Some("ch_1"), "sale", (1_000, 30), 60),
            balance_entry("t-2", Some("ch_1"), "fee", (-50, 0), 60),
        ];
        shop.runtime.clone().page("orders", &told);
        assert_succeeded(&shop.sync(connection).await);
        assert_eq!(net_minor(&shop, "ch_1").await, 920);

        shop.runtime.clone().on_normalize(|_: &PluginRef, normalized: &mut Normalized| {
            for document in &mut normalized.documents {
                if let Document::BalanceEntry(entry) = document
                    && entry.key == "t-1"
                {
                    entry.payment = Some("ch_9".to_owned());
                }
            }
        });
        let replay = read_again(&shop, connection).await;
        assert_eq!((replay.events_posted, replay.superseded), (2, 1), "taken back, and posted anew");
        assert_eq!((net_minor(&shop, "ch_1").await, net_minor(&shop, "ch_9").await), (-50, 970));
        assert_eq!(read_again(&shop, connection).await.events_posted, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_say_what_a_person_looks_for() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let told = vec![
            balance_entry("t-1", Some("ch_1"), "Fee-Refund", (50, 0), 90),
            dispute("dp_1", "ch_1", "lost", 30),
        ];
        post(&shop, connection, told, BatchAim::default()).await;
        let heads = shop.rows::<document::Entity>().await;
        let head = |key: &str| heads.iter().find(|head| head.key == key).expect(key);
        let entry = head("t-1");
        assert_eq!(entry.title.as_deref(), Some("provider Fee-Refund"));
        assert_eq!((entry.state.as_deref(), entry.number.as_deref()), (Some("fee_refund"), Some("#1001")));
        assert_eq!((entry.parent_key.as_deref(), entry.amount_minor), (Some("ch_1"), Some(50)));
        let dispute = head("dp_1");
        assert_eq!((dispute.title.as_deref(), dispute.state.as_deref()), (Some("fraud"), Some("lost")));
        assert_eq!((dispute.parent_key.as_deref(), dispute.currency.as_deref()), (Some("ch_1"), Some("EUR")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_whose_balance_is_in_the_ledger_stays() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let lone = balance_entry("t-3", None, "fee", (-200, 0), 70);
        post(&shop, connection, vec![lone], BatchAim::default()).await;
        let label = shop.connection_row(connection).await.label;
        let removed = portolan_app::connections::remove::delete_connection(
            &shop.app,
            shop.tenant,
            shop.who(),
            connection,
            Some(label.as_str()),
        );
        let refused = format!("{:?}", removed.await.expect_err("refused"));
        assert!(refused.contains("only grows"), "{refused}");
    })
    .await;
}

/// Versions of a few entries and disputes, no two of a document updated at the same moment.
fn any_documents(random: &SeededRandom) -> Vec<Document> {
    let below = |limit: u64| (random.next_u64() % limit) as i64;
    let mut documents = Vec::new();
    for minute in 1..30 {
        let payment = ["ch_1", "ch_2", "t-1"][below(3) as usize];
        documents.push(match below(4) {
            0 => {
                let state = ["lost", "won", "under_review"][below(3) as usize];
                dispute(["dp_1", "dp_2"][below(2) as usize], payment, state, minute)
            }
            _ => {
                let key = ["t-1", "t-2", "t-3", "t-4"][below(4) as usize];
                let category = ["sale", "refund", "dispute", "fee", "moon_tax"][below(5) as usize];
                let payment = (below(4) > 0).then_some(payment);
                balance_entry(key, payment, category, (below(900) - 300, below(50)), minute)
            }
        });
    }
    for last in (1..documents.len()).rev() {
        documents.swap(last, below(last as u64 + 1) as usize);
    }
    documents
}

#[tokio::test(flavor = "multi_thread")]
async fn any_cut_into_chunks_and_transactions_ends_in_the_same_balance() {
    const WORLDS: u64 = 8;
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
            assert_eq!(standing(&pieces).await, standing(&whole).await, "seed {seed}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_transaction_sends_does_not_grow_with_its_payments() {
    on_both(migrate, async |test| {
        let mut sent = Vec::new();
        for count in [4, 64, 256] {
            let shop = TestApp::new(test, &format!("shop-{count}")).await;
            let connection = shop.connect().await;
            let entries: Vec<Document> = (0..count)
                .map(|number| {
                    let (key, payment) = (format!("t-{number}"), format!("ch_{number}"));
                    balance_entry(&key, Some(&payment), "sale", (1_000, 30), 60)
                })
                .collect();
            let written = post(&shop, connection, entries, BatchAim::default()).await;
            assert_eq!((written.len(), events(&written)), (1, count));
            sent.push(written[0].statements);
        }
        assert!(sent.iter().all(|statements| *statements <= 16), "{sent:?}");
    })
    .await;
}
