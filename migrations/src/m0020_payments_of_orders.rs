//! Indexes by which the payments of an order are found.

use sea_orm_migration::prelude::*;

use crate::table::create_index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            create_index(manager, "cash_event", column, &["tenant_id", column]).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            let name = format!("cash_event_{column}");
            manager.drop_index(Index::drop().name(name).table("cash_event").to_owned()).await?;
        }
        Ok(())
    }
}

/// What an entry says of its order: the order itself, the provider's own id, what the merchant wrote.
const COLUMNS: [&str; 3] = ["order_key", "source_key", "reference"];
