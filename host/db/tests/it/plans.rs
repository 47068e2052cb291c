//! The reads that pages and folds live on go through an index and sort nothing.

use portolan_db::Dialect;
use portolan_db::sea_orm::{ConnectionTrait, Statement};

use crate::support::{TestDatabase, migrate};

/// A read, and the index it has to use.
const READS: &[(&str, &str)] = &[
    (
        "SELECT * FROM document WHERE tenant_id = x'00' AND entity = 'order' \
         ORDER BY occurred_at DESC, id DESC LIMIT 50",
        "document_occurred_at",
    ),
    (
        "SELECT * FROM document WHERE tenant_id = x'00' AND connection_id = x'01' AND entity = 'order' \
         ORDER BY occurred_at DESC, id DESC LIMIT 50",
        "document_connection_occurred_at",
    ),
    (
        "SELECT * FROM document_version WHERE tenant_id = x'00' AND connection_id = x'01' \
         AND entity = 'order' AND key = '1001'",
        "document_version_key",
    ),
    (
        "SELECT * FROM sale_event WHERE tenant_id = x'00' AND connection_id = x'01' AND order_key = '1001'",
        "sale_event_order_key",
    ),
    (
        "SELECT * FROM sale_event WHERE tenant_id = x'00' AND posting_version > 7 ORDER BY posting_version",
        "sqlite_autoindex_sale_event_1",
    ),
    (
        "SELECT * FROM cash_event WHERE tenant_id = x'00' AND connection_id = x'01' AND payment_key = 'ch_1'",
        "cash_event_payment_key",
    ),
    (
        "SELECT * FROM cash_event WHERE tenant_id = x'00' AND posting_version > 7 ORDER BY posting_version",
        "sqlite_autoindex_cash_event_1",
    ),
    ("SELECT * FROM cash_event WHERE tenant_id = x'00' AND payout_key = 'po_1'", "cash_event_payout_key"),
    ("SELECT * FROM cash_event WHERE tenant_id = x'00' AND order_key = '1001'", "cash_event_order_key"),
    ("SELECT * FROM cash_event WHERE tenant_id = x'00' AND source_key IN ('ch_1')", "cash_event_source_key"),
    ("SELECT * FROM cash_event WHERE tenant_id = x'00' AND reference IN ('#1001')", "cash_event_reference"),
    (
        "SELECT * FROM document WHERE tenant_id = x'00' AND connection_id = x'01' AND entity = 'refund' \
         AND parent_key IN ('1001', '1002')",
        "document_parent",
    ),
    ("SELECT * FROM chunk WHERE tenant_id = x'00' AND slice_id = x'01' AND state = 'staged'", "chunk_slice"),
    (
        "SELECT * FROM sync WHERE tenant_id = x'00' AND connection_id = x'01' ORDER BY created_at DESC LIMIT 1",
        "sync_connection",
    ),
    ("SELECT * FROM slice WHERE tenant_id = x'00' AND sync_id = x'01' ORDER BY position", "slice_sync"),
    (
        "SELECT id FROM job WHERE lane_id = 'a' AND state = 'ready' AND run_at <= 7 \
         ORDER BY priority, run_at, id LIMIT 3",
        "job_ready",
    ),
    ("SELECT * FROM job WHERE state = 'running' AND lease_until < 7 ORDER BY lease_until", "job_running"),
];

#[tokio::test]
async fn the_frequent_reads_use_their_index_and_sort_nothing() {
    let test = TestDatabase::sqlite(migrate).await;
    assert_eq!(test.dialect(), Dialect::Sqlite);
    let connection = test.database.migration_connection();
    for (sql, index) in READS {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let statement = Statement::from_string(connection.get_database_backend(), explain);
        let rows = connection.query_all_raw(statement).await.expect("plan");
        let plan: Vec<String> = rows.iter().map(|row| row.try_get_by("detail").expect("detail")).collect();
        let plan = plan.join("; ");
        assert!(plan.contains(&format!("INDEX {index} (")), "{sql}\n{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
    test.discard().await;
}
