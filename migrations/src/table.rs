//! The few shapes that every table shares.

use sea_orm_migration::prelude::*;

/// The primary key; in tenant tables the tenant comes first.
pub fn key(columns: &[&'static str]) -> IndexCreateStatement {
    let mut key = Index::create();
    for column in columns {
        key.col(*column);
    }
    key.take()
}

/// A foreign key to the owner of a row: when the owner goes, the row goes.
pub fn owned_by(
    columns: &[&'static str],
    table: &'static str,
    referenced: &[&'static str],
) -> ForeignKeyCreateStatement {
    let mut foreign_key = ForeignKey::create();
    foreign_key.on_delete(ForeignKeyAction::Cascade);
    for column in columns {
        foreign_key.from_col(*column);
    }
    for column in referenced {
        foreign_key.to(table, *column);
    }
    foreign_key.take()
}

pub async fn create_index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    manager.create_index(index(table, name, columns)).await
}

pub async fn create_unique_index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    manager.create_index(index(table, name, columns).unique().take()).await
}

/// Columns may end in ` desc`.
fn index(table: &'static str, name: &str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("{table}_{name}")).table(table);
    for column in columns {
        match column.strip_suffix(" desc") {
            Some(column) => index.col((column, IndexOrder::Desc)),
            None => index.col(*column),
        };
    }
    index.take()
}
