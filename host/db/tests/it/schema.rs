//! Tables and entities agree, on both databases.

use portolan_db::Dialect;
use portolan_db::sea_orm::{ConnectionTrait, EntityTrait, Iden, Iterable, Statement};

use crate::support::{migrate, on_both};

/// Fails unless the table of an entity exists with exactly its columns.
macro_rules! expect_columns {
    ($test:expr, $($entity:ident),* $(,)?) => {$(
        let expected = columns_of::<portolan_db::entity::$entity::Entity>();
        let actual = actual_columns($test, stringify!($entity)).await;
        assert_eq!(actual, expected, "table {}", stringify!($entity));
    )*};
}

fn columns_of<E: EntityTrait>() -> Vec<String> {
    let mut columns: Vec<String> = E::Column::iter().map(|column| column.unquoted().to_owned()).collect();
    columns.sort();
    columns
}

async fn actual_columns(test: &portolan_db::testing::TestDatabase, table: &str) -> Vec<String> {
    let connection = test.database.migration_connection();
    let sql = match test.dialect() {
        Dialect::Sqlite => "SELECT name FROM pragma_table_info($1)",
        Dialect::Postgres => {
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = $1 AND table_schema = 'public'"
        }
    };
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, [table.into()]);
    let rows = connection.query_all_raw(statement).await.expect("columns");
    let mut columns: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).expect("name")).collect();
    columns.sort();
    columns
}

#[tokio::test]
async fn every_entity_has_its_table_and_migrating_again_changes_nothing() {
    on_both(migrate, async |test| {
        expect_columns!(
            test,
            api_key,
            api_token,
            audit_anchor,
            audit_event,
            audit_head,
            audit_signer,
            cash_event,
            chunk,
            connection,
            connection_secret,
            custom_role,
            custom_role_rule,
            data_policy,
            data_policy_subject,
            document,
            document_version,
            egress_grant,
            fact_part,
            familiar_place,
            fx_rate,
            fx_rate_replaced,
            guess_budget,
            idempotency_key,
            held_delete,
            invitation,
            job,
            job_attempt,
            lane,
            ledger_head,
            mail,
            mail_code,
            mail_code_tries,
            mail_limit,
            membership,
            passkey,
            passkey_ceremony,
            password_reset,
            pending_sign_in,
            person_attribute,
            plugin,
            plugin_switch,
            posting,
            product_label,
            quarantine,
            rate_budget,
            recovery_code,
            remembered_device,
            replay,
            role_grant,
            sale_event,
            schedule,
            second_factor,
            session,
            set_up_token,
            shadow_replay,
            sign_in_link,
            sign_in_policy,
            slice,
            stream,
            stream_shape,
            sync,
            team,
            team_grant,
            team_member,
            tenant,
            tenant_key,
            upload,
            user,
            version_source,
        );
        migrate(test.database.migration_connection()).await.expect("again");
        let pending =
            portolan_migrations::pending(test.database.migration_connection()).await.expect("pending");
        assert!(pending.is_empty(), "{pending:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_at_the_same_moment_migrate_once() {
    on_both(
        async |_| Ok(()),
        async |test| {
            let mut processes = Vec::new();
            for _ in 0..4 {
                processes.push(portolan_db::Database::connect(&test.config).await.expect("open"));
            }
            let migrating: Vec<_> = processes
                .iter()
                .cloned()
                .map(|database| tokio::spawn(async move { migrate(database.migration_connection()).await }))
                .collect();
            for process in migrating {
                process.await.expect("task").expect("migrate");
            }
            for database in processes {
                database.close().await.expect("close");
            }
            let pending =
                portolan_migrations::pending(test.database.migration_connection()).await.expect("pending");
            assert!(pending.is_empty(), "{pending:?}");
        },
    )
    .await;
}
