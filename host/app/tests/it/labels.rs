//! Products without a document are known by what order lines call them, whichever line came first.

use std::collections::BTreeMap;
use std::sync::Arc;

use portolan_app::ingest::batch::BatchAim;
use portolan_commerce::document::Document;
use portolan_core::{Random as _, SeededRandom};
use portolan_db::entity::product_label;

use crate::batches::{post, post_knowing};
use crate::support::*;

/// An order of so many minutes ago whose line calls a product so.
fn calling(key: &str, placed_minutes_ago: i64, product: &str, title: &str) -> Document {
    let Document::Order(mut order) = order(key, 1, 1) else { unreachable!("an order") };
    order.placed_at = minutes_before_start(placed_minutes_ago);
    order.lines[0].product = Some(product.to_owned());
    order.lines[0].title = title.to_owned();
    Document::Order(order)
}

async fn labels(shop: &TestApp) -> BTreeMap<String, String> {
    let rows = shop.rows::<product_label::Entity>().await;
    rows.into_iter().map(|row| (row.product_key, row.title)).collect()
}

fn named(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(product, title)| ((*product).to_owned(), (*title).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_sale_names_a_product() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let given_away = {
            let Document::Order(mut order) = calling("D", 5, "85123A", "?") else { unreachable!("an order") };
            order.lines[0].gross_minor = 0;
            Document::Order(order)
        };
        let one_by_one = [
            vec![calling("A", 60, "85123A", " WHITE HANGING HEART ")],
            vec![calling("B", 30, "85123A", "CREAM HANGING HEART"), calling("C", 20, "POST", "POST")],
            // Older than what is known, and a remark on goods that were not sold.
            vec![calling("E", 90, "85123A", "HEART"), given_away],
        ];
        for documents in one_by_one {
            post(&shop, connection, documents, BatchAim::default()).await;
        }
        assert_eq!(labels(&shop).await, named(&[("85123A", "CREAM HANGING HEART")]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_order_and_cut_of_orders_ends_in_the_same_names() {
    on_both(migrate, async |test| {
        let mut expected = None;
        for seed in 0..8 {
            // The same orders in another order. Ten of them stand at three moments: ties are many. The titles
            // are such that languages sort them otherwise than bytes do.
            let titles = ["mug", "Mug", "MUG", "Möge", "mug 2", "Mug-2", "äpfel", "Zebra", "_mug", "mug!"];
            let mut documents: Vec<Document> = titles
                .iter()
                .enumerate()
                .map(|(index, title)| {
                    calling(&format!("O{index}"), 10 + index as i64 % 3, ["P", "Q"][index % 2], title)
                })
                .collect();
            let random = SeededRandom::new(seed);
            for last in (1..documents.len()).rev() {
                documents.swap(last, random.next_u64() as usize % (last + 1));
            }
            let shop = TestApp::new(test, &format!("shop-{seed}")).await;
            let connection = shop.connect().await;
            // One run that knows what it has kept, or a run for each part.
            let mut known_labels = Arc::default();
            while !documents.is_empty() {
                let rest = documents.split_off(1 + random.next_u64() as usize % documents.len());
                let aim = BatchAim { documents: 1 + random.next_u64() as usize % 4, bytes: usize::MAX };
                post_knowing(&known_labels, &shop, connection, documents, aim).await;
                if seed % 2 == 0 {
                    known_labels = Arc::default();
                }
                documents = rest;
            }
            let found = labels(&shop).await;
            assert_eq!(found.len(), 2);
            assert_eq!(expected.get_or_insert_with(|| found.clone()), &found, "seed {seed}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_sends_no_title_twice() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let connection = shop.connect().await;
        let known_labels = Arc::default();
        let mut statements = Vec::new();
        let orders = [("A", 60, "MUG"), ("B", 90, "OLD MUG"), ("C", 30, "NEW MUG"), ("D", 40, "MUG")];
        for (key, placed_minutes_ago, title) in orders {
            let documents = vec![calling(key, placed_minutes_ago, "P", title)];
            let written =
                post_knowing(&known_labels, &shop, connection, documents, BatchAim::default()).await;
            statements.push(written[0].statements);
        }
        assert_eq!(labels(&shop).await, named(&[("P", "NEW MUG")]));
        let [first, older, newer, between] = statements[..] else { panic!("four transactions") };
        assert_eq!((older, newer, between), (first - 1, first, first - 1), "only what is newer is sent");
    })
    .await;
}
