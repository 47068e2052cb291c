//! One tenant never sees or touches another's rows.

use portolan_db::entity::quarantine;
use portolan_db::sea_orm::{ActiveValue, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use portolan_db::{DbError, WriteClass};

use crate::support::{migrate, note, on_both, write_note};
use portolan_core::TenantId;

fn tenants() -> (TenantId, TenantId) {
    (TenantId(crate::support::new_id()), TenantId(crate::support::new_id()))
}

#[tokio::test]
async fn a_tenant_finds_its_own_rows_only() {
    on_both(migrate, async |test| {
        let (ours, theirs) = tenants();
        let their_row = note(theirs, "theirs");
        write_note(&test.database, note(ours, "ours")).await.expect("write ours");
        write_note(&test.database, their_row.clone()).await.expect("write theirs");

        let tx = test.database.read(ours).await.expect("read");
        let found = tx.find::<quarantine::Entity>().all(&tx).await.expect("find");
        assert_eq!(found.iter().map(|row| row.reason.as_str()).collect::<Vec<_>>(), ["ours"]);
        assert_eq!(tx.find_by_id::<quarantine::Entity>(their_row.id).await.expect("find by id"), None);
    })
    .await;
}

#[tokio::test]
async fn changing_and_deleting_stop_at_the_tenant() {
    on_both(migrate, async |test| {
        let (ours, theirs) = tenants();
        let their_row = note(theirs, "theirs");
        write_note(&test.database, their_row.clone()).await.expect("write theirs");

        let deleted = test
            .database
            .write(ours, |tx| {
                Box::pin(
                    async move { Ok::<_, DbError>(tx.delete_many::<quarantine::Entity>().exec(tx).await?) },
                )
            })
            .await
            .expect("delete");
        assert_eq!(deleted.rows_affected, 0);

        let foreign =
            quarantine::ActiveModel { reason: ActiveValue::Set("taken".to_owned()), ..their_row.into() };
        let error = test
            .database
            .write(ours, move |tx| Box::pin(async move { tx.update(foreign).await.map(|_| ()) }))
            .await
            .expect_err("another tenant's row");
        assert!(error.to_string().contains("another tenant"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_statement_without_the_tenant_is_refused() {
    on_both(migrate, async |test| {
        let (ours, theirs) = tenants();
        write_note(&test.database, note(theirs, "theirs")).await.expect("write theirs");
        let tx = test.database.read(ours).await.expect("read");

        let bare = quarantine::Entity::find().all(&tx).await;
        assert!(bare.expect_err("bare finder").to_string().contains("tenant"));
        let foreign =
            quarantine::Entity::find().filter(quarantine::Column::TenantId.eq(theirs.0)).all(&tx).await;
        assert!(foreign.is_err());
        assert!(tx.execute_unprepared("SELECT 1").await.is_err());
        let raw = tx.statement("SELECT count(*) FROM quarantine WHERE tenant_id = $1", [ours.0.into()]);
        let count: i64 =
            tx.query_one_raw(raw).await.expect("query").expect("row").try_get_by_index(0).expect("i64");
        assert_eq!(count, 0);
    })
    .await;
}

#[tokio::test]
async fn the_tenant_is_filled_in_where_a_row_names_none() {
    on_both(migrate, async |test| {
        let (ours, _) = tenants();
        let row = quarantine::ActiveModel { tenant_id: ActiveValue::NotSet, ..note(ours, "ours").into() };
        let stored = test
            .database
            .write_as(WriteClass::Background, ours, move |tx| Box::pin(async move { tx.insert(row).await }))
            .await;
        assert_eq!(stored.expect("insert").tenant_id, ours.0);
    })
    .await;
}

#[tokio::test]
async fn a_snapshot_does_not_move_and_cannot_write() {
    on_both(migrate, async |test| {
        let (ours, _) = tenants();
        write_note(&test.database, note(ours, "before")).await.expect("write");
        let snapshot = test.database.read(ours).await.expect("read");
        assert_eq!(snapshot.find::<quarantine::Entity>().all(&snapshot).await.expect("find").len(), 1);

        write_note(&test.database, note(ours, "after")).await.expect("write");
        assert_eq!(snapshot.find::<quarantine::Entity>().all(&snapshot).await.expect("find").len(), 1);
        let refused = snapshot.insert(quarantine::ActiveModel::from(note(ours, "never"))).await;
        assert!(refused.is_err());
    })
    .await;
}
