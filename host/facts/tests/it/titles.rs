//! What products are called in an answer.

use portolan_analytics::{Query, QueryEngine, Visibility};
use portolan_db::DbError;
use portolan_db::entity::{document, product_label};
use portolan_db::sea_orm::IntoActiveModel;
use portolan_db::testing::on_both;

use crate::support::{EventLine, World, range, sale};

fn sold(order: &str, product: &str, gross: i64) -> EventLine {
    EventLine { product: Some(product.to_owned()), ..sale("2026-01-05", order, gross) }
}

#[tokio::test]
async fn a_document_names_a_product_else_its_newest_sale_does() {
    on_both(portolan_migrations::migrate, async |test| {
        let world = World::new(test).await;
        world.post(&[sold("A", "p1", 300), sold("B", "p2", 200), sold("C", "p3", 100)]).await;
        let (tenant, connection) = (world.tenant, world.connection("shop"));
        let label = move |product: &str, title: &str| product_label::Model {
            tenant_id: tenant.0,
            connection_id: connection.0,
            product_key: product.to_owned(),
            title: title.to_owned(),
            said_at: 0,
            tie: 0,
        };
        let named = document::Model {
            tenant_id: tenant.0,
            id: uuid::Uuid::from_u128(1),
            connection_id: connection.0,
            entity: "product".to_owned(),
            key: "p1".to_owned(),
            version_id: uuid::Uuid::from_u128(2),
            updated_at: 0,
            received_at: 0,
            hash: String::new(),
            deleted: false,
            test: false,
            parent_key: None,
            title: Some("Red mug".to_owned()),
            number: None,
            state: None,
            payment_state: None,
            occurred_at: None,
            currency: None,
            amount_minor: None,
            customer_key: None,
            country: None,
        };
        let stored = world.database.write(tenant, move |tx| {
            Box::pin(async move {
                tx.insert(named.into_active_model()).await?;
                for row in [label("p1", "MUG RED"), label("p2", "MUG BLUE")] {
                    tx.insert(row.into_active_model()).await?;
                }
                Ok::<_, DbError>(())
            })
        });
        stored.await.expect("stored");
        let query = Query::over(range("2026-01-01", "2026-02-01"), &["net_sales"]).by("product");
        let table = world.store.run(tenant, &Visibility::everything(), &query).await.expect("an answer");
        let mut labels: Vec<&str> =
            table.rows.iter().filter_map(|row| table.cell(row, "product")?.label()).collect();
        labels.sort_unstable();
        assert_eq!(labels, ["MUG BLUE (p2)", "Red mug", "p3"]);
    })
    .await;
}
