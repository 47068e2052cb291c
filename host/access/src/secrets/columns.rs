//! The list of columns that hold sealed values. Whatever reads them all (rotation, the doctor, erasing) goes by
//! this list, and a test holds it against the tables: a column that is missing here would be forgotten there.

use portolan_core::TenantId;
use portolan_db::{DbError, TenantTx};
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait, QueryResult, Value};

use crate::sealed::{SealedBy, SealedCell};

/// A column of a tenant's table whose values are sealed with the tenant's data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedColumn {
    pub table: &'static str,
    pub column: &'static str,
    /// What names a row inside the tenant, in the order in which a value is bound to it.
    pub key: &'static [KeyPart],
}

/// A column of a row's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPart {
    Uuid(&'static str),
    Text(&'static str),
}

/// What connections sign in to their channels with.
pub const CONNECTION_SECRET: SealedColumn = SealedColumn {
    table: "connection_secret",
    column: "sealed",
    key: &[KeyPart::Uuid("connection_id"), KeyPart::Text("field")],
};

/// What signs the heads of audit chains.
pub const AUDIT_SIGNER: SealedColumn =
    SealedColumn { table: "audit_signer", column: "sealed", key: &[KeyPart::Uuid("id")] };

/// What pseudonyms of customers are made with.
pub const PSEUDONYM_KEY: SealedColumn =
    SealedColumn { table: "pseudonym_key", column: "sealed", key: &[KeyPart::Uuid("id")] };

/// What seals a customer's identity.
pub const PERSON_KEY: SealedColumn =
    SealedColumn { table: "person", column: "key_sealed", key: &[KeyPart::Uuid("id")] };

/// What a company's providers of identities know this server by.
pub const IDENTITY_PROVIDER_SECRET: SealedColumn =
    SealedColumn { table: "identity_provider", column: "sealed", key: &[KeyPart::Uuid("id")] };

/// Whom a privacy request is about.
pub const PRIVACY_SUBJECT: SealedColumn =
    SealedColumn { table: "privacy_request", column: "subject", key: &[KeyPart::Uuid("id")] };

/// What is handed out to whoever asked what is stored of them.
pub const PRIVACY_EXPORT: SealedColumn =
    SealedColumn { table: "privacy_request", column: "export", key: &[KeyPart::Uuid("id")] };

/// All of them.
pub const SEALED_COLUMNS: &[SealedColumn] = &[
    CONNECTION_SECRET,
    AUDIT_SIGNER,
    PSEUDONYM_KEY,
    PERSON_KEY,
    IDENTITY_PROVIDER_SECRET,
    PRIVACY_SUBJECT,
    PRIVACY_EXPORT,
];

/// Table and column of the data keys themselves, which a master key has wrapped.
pub const WRAPPED_KEYS: (&str, &str) = ("tenant_key", "wrapped");

/// A stored value with its place.
pub(crate) struct SealedRow {
    key: Vec<Value>,
    /// The key as text: what the value is bound to.
    pub name: String,
    pub sealed: Vec<u8>,
}

impl SealedColumn {
    pub fn cell<'name>(&self, tenant: TenantId, row: &'name str) -> SealedCell<'name> {
        SealedCell { table: self.table, column: self.column, tenant, row }
    }

    /// The next rows after one, in the order of their keys; of those only that `newest` has not sealed, where it
    /// is given. Those are locked, and passed over where somebody else has locked them.
    pub(crate) async fn rows(
        &self,
        tx: &TenantTx,
        after: Option<&SealedRow>,
        not_by: Option<SealedBy>,
        limit: usize,
    ) -> Result<Vec<SealedRow>, DbError> {
        let mut values = vec![Value::from(tx.tenant().0)];
        let mut place = |value: Value| {
            values.push(value);
            format!("${}", values.len())
        };
        let (table, column) = (self.table, self.column);
        let key = self.key_columns().join(", ");
        let mut sql = format!(
            "SELECT {key}, \"{column}\" FROM \"{table}\" WHERE tenant_id = $1 AND \"{column}\" IS NOT NULL"
        );
        if let Some(by) = not_by {
            let header = by.header();
            sql += &format!(" AND substr(\"{column}\", 1, {}) <> {}", header.len(), place(header.into()));
        }
        if let Some(after) = after {
            let places: Vec<String> = after.key.iter().cloned().map(&mut place).collect();
            sql += &format!(" AND ({key}) > ({})", places.join(", "));
        }
        sql += &format!(" ORDER BY {key} LIMIT {limit}");
        if not_by.is_some() {
            sql += tx.dialect().for_update_skip_locked();
        }
        let rows = tx.query_all_raw(tx.statement(sql, values)).await?;
        rows.iter().map(|row| self.row(row)).collect()
    }

    fn row(&self, row: &QueryResult) -> Result<SealedRow, DbError> {
        let mut key = Vec::new();
        let mut names = Vec::new();
        for (place, part) in self.key.iter().enumerate() {
            let (value, name) = match part {
                KeyPart::Uuid(_) => {
                    let id: Uuid = row.try_get_by_index(place)?;
                    (Value::from(id), id.to_string())
                }
                KeyPart::Text(_) => {
                    let text: String = row.try_get_by_index(place)?;
                    (Value::from(text.clone()), text)
                }
            };
            key.push(value);
            names.push(name);
        }
        Ok(SealedRow { key, name: names.join("/"), sealed: row.try_get_by_index(self.key.len())? })
    }

    /// Puts another sealed value in the place of a row's.
    pub(crate) async fn replace(
        &self,
        tx: &TenantTx,
        row: &SealedRow,
        sealed: Vec<u8>,
    ) -> Result<(), DbError> {
        let of_row: Vec<String> = self
            .key_columns()
            .iter()
            .enumerate()
            .map(|(index, name)| format!("{name} = ${}", index + 3))
            .collect();
        let sql = format!(
            "UPDATE \"{}\" SET \"{}\" = $2 WHERE tenant_id = $1 AND {}",
            self.table,
            self.column,
            of_row.join(" AND ")
        );
        let values =
            [Value::from(tx.tenant().0), Value::from(sealed)].into_iter().chain(row.key.iter().cloned());
        tx.execute_raw(tx.statement(sql, values)).await?;
        Ok(())
    }

    /// How many values each key has sealed; `None` for bytes that no key of ours has.
    pub(crate) async fn counts(&self, tx: &TenantTx) -> Result<Vec<(Option<SealedBy>, u64)>, DbError> {
        let (table, column) = (self.table, self.column);
        // The length of a header says its first byte.
        let sql = format!(
            "SELECT CASE WHEN substr(\"{column}\", 1, 1) = $2 THEN substr(\"{column}\", 1, 9) \
             ELSE substr(\"{column}\", 1, 17) END AS header, count(*) FROM \"{table}\" \
             WHERE tenant_id = $1 AND \"{column}\" IS NOT NULL GROUP BY 1"
        );
        let values = [Value::from(tx.tenant().0), Value::from(vec![1_u8])];
        let rows = tx.query_all_raw(tx.statement(sql, values)).await?;
        rows.iter()
            .map(|row| {
                let header: Vec<u8> = row.try_get_by_index(0)?;
                let count: i64 = row.try_get_by_index(1)?;
                Ok((SealedBy::of(&header), u64::try_from(count).unwrap_or_default()))
            })
            .collect()
    }

    /// Empties the values that a master key has sealed: they would outlive their tenant's data keys.
    pub(crate) async fn empty_old(&self, tx: &TenantTx) -> Result<u64, DbError> {
        let (table, column) = (self.table, self.column);
        let sql = format!(
            "UPDATE \"{table}\" SET \"{column}\" = $2 WHERE tenant_id = $1 AND substr(\"{column}\", 1, 1) = $3"
        );
        let values = [Value::from(tx.tenant().0), Value::from(Vec::<u8>::new()), Value::from(vec![1_u8])];
        Ok(tx.execute_raw(tx.statement(sql, values)).await?.rows_affected())
    }

    fn key_columns(&self) -> Vec<String> {
        let name = |part: &KeyPart| match part {
            KeyPart::Uuid(name) | KeyPart::Text(name) => format!("\"{name}\""),
        };
        self.key.iter().map(name).collect()
    }
}
