//! Tables for the durable queue: jobs, lanes, schedules, attempts.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, text, text_null, uuid, uuid_null,
};

use crate::table::{create_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(job()).await?;
        manager.create_table(lane()).await?;
        manager.create_table(schedule()).await?;
        manager.create_table(job_attempt()).await?;
        create_index(manager, "job", "tenant", &["tenant_id", "created_at"]).await?;
        create_index(manager, "lane", "next_at", &["next_at"]).await?;
        create_index(manager, "schedule", "next_fire_at", &["next_fire_at"]).await?;
        // Partial indexes: sea-query has no portable word for them, both databases read the same SQL.
        for statement in PARTIAL_INDEXES {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["job_attempt", "schedule", "lane", "job"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

const PARTIAL_INDEXES: [&str; 4] = [
    "CREATE UNIQUE INDEX job_unique_key ON job (kind, unique_key) WHERE state IN ('ready', 'running')",
    "CREATE UNIQUE INDEX job_schedule_fire_at ON job (schedule_id, fire_at) WHERE schedule_id IS NOT NULL",
    "CREATE INDEX job_ready ON job (lane_id, priority, run_at, id) WHERE state = 'ready'",
    "CREATE INDEX job_running ON job (lease_until) WHERE state = 'running'",
];

fn job() -> TableCreateStatement {
    Table::create()
        .table("job")
        .col(uuid("id"))
        .col(uuid_null("tenant_id"))
        .col(text("lane_id"))
        .col(text("kind"))
        .col(text("payload"))
        .col(text("state"))
        .col(integer("priority"))
        .col(big_integer("run_at"))
        .col(integer("attempt"))
        .col(integer("crash_count"))
        .col(integer("max_attempts"))
        .col(big_integer("lease_token"))
        .col(big_integer_null("lease_until"))
        .col(uuid_null("worker_id"))
        .col(text_null("unique_key"))
        .col(text_null("schedule_id"))
        .col(big_integer_null("fire_at"))
        .col(uuid_null("replay_of"))
        .col(text_null("last_error_class"))
        .col(text_null("last_error"))
        .col(big_integer("created_at"))
        .col(big_integer_null("finished_at"))
        .primary_key(&mut key(&["id"]))
        .take()
}

fn lane() -> TableCreateStatement {
    Table::create()
        .table("lane")
        .col(text("id"))
        .col(uuid_null("tenant_id"))
        .col(uuid_null("connection_id"))
        .col(integer("max_running"))
        .col(integer("running"))
        .col(big_integer_null("next_at"))
        .col(big_integer_null("paused_until"))
        .col(text_null("pause_reason"))
        .col(big_integer("last_served"))
        .primary_key(&mut key(&["id"]))
        .take()
}

fn schedule() -> TableCreateStatement {
    Table::create()
        .table("schedule")
        .col(text("id"))
        .col(uuid_null("tenant_id"))
        .col(text("lane_id"))
        .col(text("kind"))
        .col(text("payload"))
        .col(text("cron"))
        .col(text("time_zone"))
        .col(integer("jitter_seconds"))
        .col(text("catch_up"))
        .col(big_integer("next_fire_at"))
        .col(boolean("enabled"))
        .primary_key(&mut key(&["id"]))
        .take()
}

fn job_attempt() -> TableCreateStatement {
    Table::create()
        .table("job_attempt")
        .col(uuid("job_id"))
        .col(big_integer("lease_token"))
        .col(integer("attempt"))
        .col(uuid("worker_id"))
        .col(big_integer("started_at"))
        .col(big_integer_null("ended_at"))
        .col(text_null("outcome"))
        .col(text_null("error_class"))
        .col(text_null("error"))
        .primary_key(&mut key(&["job_id", "lease_token"]))
        .foreign_key(&mut owned_by(&["job_id"], "job", &["id"]))
        .take()
}
