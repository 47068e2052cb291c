//! A database that could forget acknowledged writes is refused.

use portolan_db::testing::POSTGRES_URL_VARIABLE;
use portolan_db::{Database, DatabaseConfig, DbError};

use crate::support::{TestDatabase, migrate};

#[tokio::test]
async fn a_sqlite_that_cannot_keep_a_write_ahead_log_is_refused() {
    for url in ["sqlite::memory:", "sqlite://?mode=memory", "mysql://localhost/x", "portolan.db"] {
        assert!(Database::connect(&DatabaseConfig::new(url)).await.is_err(), "{url}");
    }
}

#[tokio::test]
async fn a_missing_folder_is_said() {
    let config = DatabaseConfig::new("sqlite:///nowhere/at/all/portolan.db");
    let error = Database::connect(&config).await.expect_err("no folder");
    assert!(matches!(error, DbError::Unavailable(_) | DbError::Other(_)), "{error:?}");
}

#[tokio::test]
async fn a_postgres_that_acknowledges_too_early_is_refused() {
    let Some(test) = TestDatabase::postgres(migrate).await else {
        return portolan_db::testing::say_skipped();
    };
    assert!(std::env::var(POSTGRES_URL_VARIABLE).is_ok());
    let separator = if test.config.url.contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}options=-c%20synchronous_commit%3Doff", test.config.url);
    let early = DatabaseConfig { url, ..test.config.clone() };
    Database::connect(&early).await.expect("a test may accept data loss").close().await.expect("close");
    let strict = DatabaseConfig { accept_data_loss: false, ..early };
    let error = Database::connect(&strict).await.expect_err("refused");
    assert!(matches!(error, DbError::Unsafe(_)), "{error}");
    test.discard().await;
}
