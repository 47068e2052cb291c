//! The list of sealed columns is the tables', on both databases: what is missing there would be passed over by
//! rotation and doctor, in silence.

use std::collections::BTreeSet;

use portolan_access::{HOUSE_COLUMNS, KeyPart, SEALED_COLUMNS, WRAPPED_KEYS};
use portolan_db::Dialect;
use portolan_db::testing::TestDatabase;
use sea_orm::{ConnectionTrait, Statement};

use crate::support::{migrate, on_both};

/// Columns of bytes that hold nothing secret. A new column of bytes is put here, with a reason, or into
/// `SEALED_COLUMNS`.
const PLAIN_BYTES: &[(&str, &str, &str)] = &[
    ("chunk", "body", "a page as the channel sent it; no personal field is asked for"),
    ("person", "identity_sealed", "sealed with the key in key_sealed of the same row, which is listed"),
    ("slice", "token", "where the next page begins, in the plugin's own words"),
    ("tenant_branding", "logo", "a picture that is shown to whoever comes to the company's door"),
    ("idempotency_key", "body", "an answer of the API, for a day; no answer holds a secret"),
];

/// Words in a column's name that say it holds a secret.
const SECRET_WORDS: [&str; 6] = ["sealed", "secret", "wrapped", "cipher", "encrypted", "password"];

/// Columns that are called like a secret and hold none.
const HARMLESS: &[(&str, &str, &str)] = &[("user", "password_hash", "argon2id, which nobody turns back")];

struct Column {
    table: String,
    name: String,
    kind: String,
}

async fn columns(test: &TestDatabase) -> Vec<Column> {
    let connection = test.database.migration_connection();
    let sql = match test.dialect() {
        Dialect::Sqlite => {
            "SELECT m.name, p.name, lower(p.type) FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p \
             WHERE m.type = 'table'"
        }
        Dialect::Postgres => {
            "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns \
             WHERE table_schema = 'public'"
        }
    };
    let rows = connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await;
    let text = |row: &sea_orm::QueryResult, place| row.try_get_by_index::<String>(place).expect("text");
    let column = |row| Column { table: text(row, 0), name: text(row, 1), kind: text(row, 2) };
    rows.expect("columns").iter().map(column).collect()
}

/// SQLite keeps ids as sixteen bytes, by a type of their own.
fn holds_bytes(column: &Column) -> bool {
    ["bytea", "blob"].contains(&column.kind.as_str())
}

#[tokio::test]
async fn every_sealed_column_is_listed_and_every_listed_column_is_there() {
    on_both(migrate, async |test| {
        let columns = columns(test).await;
        assert!(columns.len() > 150, "the tables are read");
        let of_tenants = SEALED_COLUMNS.iter().map(|column| (column.table, column.column));
        let of_the_house = HOUSE_COLUMNS.iter().map(|column| (column.table, column.column));
        let listed: BTreeSet<(&str, &str)> =
            of_tenants.chain(of_the_house).chain([WRAPPED_KEYS]).collect();
        let plain: BTreeSet<(&str, &str)> =
            PLAIN_BYTES.iter().chain(HARMLESS).map(|(table, column, _)| (*table, *column)).collect();
        for column in &columns {
            let place = (column.table.as_str(), column.name.as_str());
            let suspicious =
                holds_bytes(column) || SECRET_WORDS.iter().any(|word| column.name.contains(word));
            assert!(
                !suspicious || listed.contains(&place) || plain.contains(&place),
                "{place:?} looks like a secret: list it in SEALED_COLUMNS or HOUSE_COLUMNS, or here as plain with the reason"
            );
            assert!(
                !listed.contains(&place) || holds_bytes(column),
                "{place:?} is listed and holds no bytes"
            );
        }
        let is_there = |table: &str, name: &str| {
            columns.iter().any(|column| column.table == table && column.name == name)
        };
        for (table, column) in listed.iter().chain(&plain) {
            assert!(is_there(table, column), "{table}.{column} is listed and not there");
        }
        for column in HOUSE_COLUMNS {
            assert!(!is_there(column.table, "tenant_id"), "{} belongs to tenants", column.table);
            assert!(is_there(column.table, column.key), "{}.{} names its rows", column.table, column.key);
        }
        for column in SEALED_COLUMNS {
            assert!(is_there(column.table, "tenant_id"), "{} has no tenant", column.table);
            for part in column.key {
                let (KeyPart::Uuid(name) | KeyPart::Text(name)) = part;
                assert!(is_there(column.table, name), "{}.{name} names its rows", column.table);
            }
        }
    })
    .await;
}
