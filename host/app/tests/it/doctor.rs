//! What the doctor finds of the ledger's parts.

use portolan_app::system::doctor;
use portolan_db::DbError;
use portolan_db::entity::fact_part;
use sea_orm::IntoActiveModel;
use sha2::{Digest, Sha256};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_a_part_that_is_not_what_was_written() {
    on_both(migrate, async |test| {
        let shop = TestApp::new(test, "shop").await;
        let folder = shop.app.data_dir.join("parts");
        std::fs::create_dir_all(&folder).expect("a folder");
        let part = folder.join("2026-01.parquet");
        let bytes = b"columns of January".to_vec();
        let row = fact_part::Model {
            tenant_id: shop.tenant.0,
            id: Uuid::from_u128(1),
            fact: "sale_events".to_owned(),
            month: 672,
            path: "2026-01.parquet".to_owned(),
            row_count: 1,
            size_bytes: bytes.len() as i64,
            min_version: 1,
            max_version: 1,
            sha256: Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
            created_at: START.0,
        };
        let listed = shop.app.db.write(shop.tenant, move |tx| {
            Box::pin(async move { tx.insert(row.into_active_model()).await.map(|_| ()) })
        });
        listed.await.map_err(|error: DbError| error).expect("listed");
        let told = async || {
            let findings = doctor::examine(&shop.app).await.expect("the doctor");
            let parts = findings.into_iter().find(|finding| finding.what.ends_with("ledger parts"));
            parts.expect("a finding").problem
        };
        let problem = "1 files are gone or damaged: restore the folder parts (2026-01.parquet)";
        assert_eq!(told().await.as_deref(), Some(problem), "gone");
        std::fs::write(&part, &bytes).expect("written");
        assert_eq!(told().await, None);
        std::fs::write(&part, b"columns of january").expect("damaged");
        assert_eq!(told().await.as_deref(), Some(problem), "as long as it was, and another");
    })
    .await;
}
