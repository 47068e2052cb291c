//! Tables for the sales ledger, its head, and the parts folded from it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, text, text_null, uuid, uuid_null,
};

use crate::table::{create_index, key};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(sale_event()).await?;
        manager.create_table(ledger_head()).await?;
        manager.create_table(fact_part()).await?;
        create_index(manager, "sale_event", "order_key", &["tenant_id", "connection_id", "order_key"])
            .await?;
        create_index(manager, "sale_event", "posting_version", &["tenant_id", "posting_version"]).await?;
        create_index(manager, "fact_part", "fact_month", &["tenant_id", "fact", "month"]).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["fact_part", "ledger_head", "sale_event"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn sale_event() -> TableCreateStatement {
    Table::create()
        .table("sale_event")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(big_integer("posting_version"))
        .col(uuid("connection_id"))
        .col(uuid_null("reverses"))
        .col(big_integer("recorded_at"))
        .col(text("kind"))
        .col(text_null("reason"))
        .col(text("order_key"))
        .col(boolean("has_order"))
        .col(text_null("line_key"))
        .col(text_null("product_key"))
        .col(text_null("variant_key"))
        .col(text_null("customer_key"))
        .col(text_null("store_key"))
        .col(text_null("location_key"))
        .col(text_null("staff_key"))
        .col(text_null("channel"))
        .col(text_null("country"))
        .col(text_null("region"))
        .col(boolean("test"))
        .col(big_integer("quantity_milli"))
        .col(big_integer("gross_minor"))
        .col(big_integer("discount_minor"))
        .col(big_integer("tax_minor"))
        .col(big_integer("marketplace_tax_minor"))
        .col(big_integer("shipping_minor"))
        .col(big_integer("shipping_tax_minor"))
        .col(big_integer("duty_minor"))
        .col(big_integer("tip_minor"))
        .col(big_integer("fee_minor"))
        .col(big_integer("gift_card_minor"))
        .col(big_integer("cost_minor"))
        .col(text("currency"))
        .col(text_null("presentment_currency"))
        .col(big_integer_null("presentment_minor"))
        .col(big_integer("event_at"))
        .col(integer("event_date"))
        .col(big_integer("order_at"))
        .col(integer("order_date"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .take()
}

fn ledger_head() -> TableCreateStatement {
    Table::create()
        .table("ledger_head")
        .col(uuid("tenant_id"))
        .col(big_integer("posting_version"))
        .col(big_integer("data_version"))
        .col(big_integer("folded_version"))
        .primary_key(&mut key(&["tenant_id"]))
        .take()
}

fn fact_part() -> TableCreateStatement {
    Table::create()
        .table("fact_part")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(text("fact"))
        .col(integer("month"))
        .col(text("path"))
        .col(big_integer("row_count"))
        .col(big_integer("size_bytes"))
        .col(big_integer("min_version"))
        .col(big_integer("max_version"))
        .col(text("sha256"))
        .col(big_integer("created_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .take()
}
