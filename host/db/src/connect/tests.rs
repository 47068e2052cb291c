use sea_orm::{ConnectionTrait, DbErr};
use tempfile::TempDir;

use super::{accept_or_refuse, expect_pragmas, leaves_this_machine_in_clear, open_sqlite, refused};
use crate::{DatabaseConfig, DbError};

#[tokio::test]
async fn a_sqlite_that_reads_back_wrong_is_refused() {
    for (pragma, wrong) in [
        ("synchronous", "NORMAL"),
        ("synchronous", "OFF"),
        ("journal_mode", "DELETE"),
        ("foreign_keys", "OFF"),
        ("query_only", "ON"),
    ] {
        let folder = TempDir::new().expect("folder");
        let config = DatabaseConfig::sqlite(&folder.path().join("portolan.db"));
        let pools = open_sqlite(&config).await.expect("open");
        pools.reader.close_by_ref().await.expect("close the reader, or the journal stays as it is");
        expect_pragmas(&pools.writer, 0).await.expect("as it was opened");
        pools.writer.execute_unprepared(&format!("PRAGMA {pragma} = {wrong}")).await.expect("set");
        let refused = expect_pragmas(&pools.writer, 0).await.expect_err(pragma);
        assert!(matches!(&refused, DbError::Unsafe(problem) if problem.contains(pragma)), "{refused}");
        let told = accept_or_refuse(Err(refused.clone()), false).expect_err("refused");
        assert!(told.to_string().contains("--accept-data-loss"), "{told}");
        accept_or_refuse(Err(refused), true).expect("as the operator asks");
        pools.writer.close_by_ref().await.expect("close");
    }
}

#[test]
fn only_what_loses_data_can_be_accepted() {
    let away = DbError::Unavailable(sea_orm::DbErr::Custom("away".to_owned()));
    assert!(matches!(accept_or_refuse(Err(away), true), Err(DbError::Unavailable(_))));
}

#[test]
fn another_machine_is_spoken_to_by_tls_unless_its_address_says_otherwise() {
    let in_clear = |url: &str| leaves_this_machine_in_clear(&url.parse().expect("an address"));
    for elsewhere in ["postgres://p@db/x", "postgres://p@10.0.0.7/x", "postgres://p@db/x?sslmode=prefer"] {
        assert!(in_clear(elsewhere), "{elsewhere}");
        let no_tls = || DbErr::Custom("error: server does not support TLS".to_owned());
        let told = refused(no_tls(), elsewhere).to_string();
        assert!(told.contains("sslmode=disable"), "{told}");
    }
    for fine in [
        "postgres://p@localhost/x",
        "postgres://p@127.0.0.1:5433/x",
        "postgres://p@[::1]/x",
        "postgres://p@x/x?host=/run/postgresql",
        "postgres://p@db/x?sslmode=disable",
        "postgres://p@db/x?sslmode=require",
        "postgres://p@db/x?sslmode=verify-full",
    ] {
        assert!(!in_clear(fine), "{fine}");
    }
}
