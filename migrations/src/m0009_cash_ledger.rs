//! Table for the cash ledger: what providers' balances did.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, integer_null, text, text_null, uuid, uuid_null,
};

use crate::table::{create_index, key};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(cash_event()).await?;
        create_index(manager, "cash_event", "payment_key", &["tenant_id", "connection_id", "payment_key"])
            .await?;
        create_index(manager, "cash_event", "posting_version", &["tenant_id", "posting_version"]).await?;
        create_index(manager, "cash_event", "payout_key", &["tenant_id", "payout_key"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("cash_event").take()).await
    }
}

fn cash_event() -> TableCreateStatement {
    Table::create()
        .table("cash_event")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(big_integer("posting_version"))
        .col(uuid("connection_id"))
        .col(uuid_null("reverses"))
        .col(big_integer("recorded_at"))
        .col(text("category"))
        .col(text("provider_kind"))
        .col(text("entry_key"))
        .col(text("payment_key"))
        .col(boolean("has_payment"))
        .col(text_null("order_key"))
        .col(text_null("reference"))
        .col(text_null("payout_key"))
        .col(text_null("source_key"))
        .col(text_null("method"))
        .col(text_null("dispute_state"))
        .col(text("currency"))
        .col(big_integer("amount_minor"))
        .col(big_integer("fee_minor"))
        .col(big_integer("fee_tax_minor"))
        .col(big_integer("net_minor"))
        .col(text_null("charged_currency"))
        .col(big_integer_null("charged_minor"))
        .col(text_null("fx_rate"))
        .col(big_integer("event_at"))
        .col(integer("event_date"))
        .col(big_integer("payment_at"))
        .col(integer("payment_date"))
        .col(integer_null("available_on"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .take()
}
