use sea_orm::ConnectionTrait;
use tempfile::TempDir;

use super::{accept_or_refuse, expect_pragmas, open_sqlite};
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
