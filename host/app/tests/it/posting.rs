//! The order in which versions and refunds arrive does not matter to what stands in the ledger.

use portolan_commerce::document::Document;
use portolan_db::entity::{document, document_version};

use crate::support::*;

/// A tenant whose channel told these documents in this order, one sync each.
async fn told(test: &TestDatabase, name: &str, documents: &[Document]) -> TestApp {
    let shop = TestApp::new(test, name).await;
    let connection = shop.connect().await;
    for document in documents {
        shop.runtime.clear_pages("orders");
        shop.runtime.clone().page("orders", std::slice::from_ref(document));
        assert_succeeded(&shop.sync(connection).await);
        shop.assert_idle().await;
    }
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_older_version_does_not_move_the_head_back_and_posts_the_right_difference() {
    on_both(migrate, async |test| {
        let (older, newer) = (order("A", 2, 60), order("A", 3, 20));
        let in_order = told(test, "in-order", &[older.clone(), newer.clone()]).await;
        let late = told(test, "late", &[newer, older]).await;
        let heads = late.rows::<document::Entity>().await;
        let Moment::At(newest) = minutes_before_start(20) else { panic!("an instant") };
        assert_eq!((heads.len(), heads[0].updated_at, heads[0].amount_minor), (1, newest.0, Some(3_000)));
        assert_eq!(late.net_minor(None).await, 3_000);
        assert_eq!(late.standing().await, in_order.standing().await);
        assert_eq!(late.standing().await.len(), 2, "the sale, and the units that were added later");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_arrives_before_its_order_stands_the_same() {
    on_both(migrate, async |test| {
        let (sale, back) = (order("A", 3, 60), refund("R", "A", 1, 30));
        let in_order = told(test, "in-order", &[sale.clone(), back.clone()]).await;
        let early = told(test, "early", &[back, sale]).await;
        assert_eq!(early.net_minor(None).await, 2_000);
        assert_eq!(early.standing().await, in_order.standing().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_moves_to_another_order_leaves_nothing_behind() {
    on_both(migrate, async |test| {
        let sales = [order("A", 3, 60), order("B", 2, 60)];
        let (wrong, right) = (refund("R", "A", 1, 30), refund("R", "B", 1, 20));
        let shop =
            told(test, "moved", &[sales[0].clone(), sales[1].clone(), wrong.clone(), right.clone()]).await;
        assert_eq!((shop.net_minor(Some("A")).await, shop.net_minor(Some("B")).await), (3_000, 1_000));

        // The version before the move comes last: it changes nothing.
        let late = told(test, "late", &[right, sales[1].clone(), sales[0].clone(), wrong]).await;
        assert_eq!(late.standing().await, shop.standing().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_again_unchanged_keeps_the_version_its_head_names() {
    on_both(migrate, async |test| {
        let (sale, back) = (order("A", 3, 60), refund("R", "A", 1, 30));
        let shop = told(test, "shop", &[sale.clone(), back.clone(), sale, back]).await;
        let versions: Vec<_> =
            shop.rows::<document_version::Entity>().await.iter().map(|row| row.id).collect();
        assert_eq!(versions.len(), 2);
        for head in shop.rows::<document::Entity>().await {
            assert!(versions.contains(&head.version_id), "{} {}", head.entity, head.key);
        }
        assert_eq!(shop.net_minor(None).await, 2_000);
    })
    .await;
}
