//! Products without a document are known by what order lines call them, whichever line came first.

use std::collections::BTreeMap;

use portolan_app::ingest::batch::BatchAim;
use portolan_commerce::document::Document;
use portolan_core::{Random as _, SeededRandom};
use portolan_db::entity::product_label;

use crate::batches::post;
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
            while !documents.is_empty() {
                let rest = documents.split_off(1 + random.next_u64() as usize % documents.len());
                let aim = BatchAim { documents: 1 + random.next_u64() as usize % 4, bytes: usize::MAX };
                post(&shop, connection, documents, aim).await;
                documents = rest;
            }
            let found = labels(&shop).await;
            assert_eq!(found.len(), 2);
            assert_eq!(expected.get_or_insert_with(|| found.clone()), &found, "seed {seed}");
        }
    })
    .await;
}
