//! Tables for what people may do: roles given to members and teams, roles of a tenant's own, and sessions that know
//! how somebody came in.
//!
//! Sessions are made anew: whoever is signed in while this is applied signs in again.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null, uuid};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::table::{create_index, create_unique_index, key, owned_by};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_column(manager, "tenant", big_integer("access_version").default(0).take()).await?;
        add_column(manager, "membership", big_integer("joined_at").default(0).take()).await?;
        add_column(manager, "membership", big_integer_null("banned_at").take()).await?;
        add_column(manager, "membership", text_null("ban_reason").take()).await?;
        for table in [role_grant(), team(), team_member(), team_grant(), custom_role(), custom_role_rule()] {
            manager.create_table(table).await?;
        }
        create_unique_index(manager, "team", "name", &["tenant_id", "name"]).await?;
        create_index(manager, "team_member", "user", &["tenant_id", "user_id"]).await?;
        as_house(manager, "INSERT INTO role_grant (tenant_id, user_id, role) SELECT tenant_id, user_id, role FROM membership")
            .await?;
        manager.alter_table(Table::alter().table("membership").drop_column("role").take()).await?;
        manager.drop_table(Table::drop().table("session").take()).await?;
        manager.create_table(session()).await?;
        create_unique_index(manager, "session", "id", &["id"]).await?;
        create_index(manager, "session", "user", &["user_id"]).await?;
        create_index(manager, "session", "expires_at", &["expires_at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("session").take()).await?;
        manager.create_table(session_before()).await?;
        create_index(manager, "session", "user", &["user_id"]).await?;
        create_index(manager, "session", "expires_at", &["expires_at"]).await?;
        add_column(manager, "membership", text("role").default("viewer").take()).await?;
        as_house(
            manager,
            "UPDATE membership SET role = 'owner' WHERE EXISTS (SELECT 1 FROM role_grant AS held \
             WHERE held.tenant_id = membership.tenant_id AND held.user_id = membership.user_id AND held.role = 'owner')",
        )
        .await?;
        for table in ["custom_role_rule", "custom_role", "team_grant", "team_member", "team", "role_grant"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        for column in ["ban_reason", "banned_at", "joined_at"] {
            manager.alter_table(Table::alter().table("membership").drop_column(column).take()).await?;
        }
        manager.alter_table(Table::alter().table("tenant").drop_column("access_version").take()).await
    }
}

async fn add_column(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: ColumnDef,
) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).add_column(column).take()).await
}

/// Memberships are behind a forced policy that opens to the work of the house alone.
async fn as_house(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let walled = connection.get_database_backend() == DbBackend::Postgres;
    if walled {
        connection.execute_unprepared("SELECT set_config('app.system', 'on', true)").await?;
    }
    connection.execute_unprepared(sql).await?;
    if walled {
        connection.execute_unprepared("SELECT set_config('app.system', '', true)").await?;
    }
    Ok(())
}

fn role_grant() -> TableCreateStatement {
    Table::create()
        .table("role_grant")
        .col(uuid("tenant_id"))
        .col(uuid("user_id"))
        .col(text("role"))
        .primary_key(&mut key(&["tenant_id", "user_id", "role"]))
        .foreign_key(&mut owned_by(&["tenant_id", "user_id"], "membership", &["tenant_id", "user_id"]))
        .take()
}

fn team() -> TableCreateStatement {
    Table::create()
        .table("team")
        .col(uuid("tenant_id"))
        .col(uuid("id"))
        .col(text("name"))
        .col(big_integer("created_at"))
        .primary_key(&mut key(&["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .take()
}

fn team_member() -> TableCreateStatement {
    Table::create()
        .table("team_member")
        .col(uuid("tenant_id"))
        .col(uuid("team_id"))
        .col(uuid("user_id"))
        .primary_key(&mut key(&["tenant_id", "team_id", "user_id"]))
        .foreign_key(&mut owned_by(&["tenant_id", "team_id"], "team", &["tenant_id", "id"]))
        .foreign_key(&mut owned_by(&["tenant_id", "user_id"], "membership", &["tenant_id", "user_id"]))
        .take()
}

fn team_grant() -> TableCreateStatement {
    Table::create()
        .table("team_grant")
        .col(uuid("tenant_id"))
        .col(uuid("team_id"))
        .col(text("role"))
        .primary_key(&mut key(&["tenant_id", "team_id", "role"]))
        .foreign_key(&mut owned_by(&["tenant_id", "team_id"], "team", &["tenant_id", "id"]))
        .take()
}

fn custom_role() -> TableCreateStatement {
    Table::create()
        .table("custom_role")
        .col(uuid("tenant_id"))
        .col(text("name"))
        .col(text("description"))
        .col(big_integer("created_at"))
        .primary_key(&mut key(&["tenant_id", "name"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .take()
}

fn custom_role_rule() -> TableCreateStatement {
    Table::create()
        .table("custom_role_rule")
        .col(uuid("tenant_id"))
        .col(text("role"))
        .col(text("permission"))
        .col(text("effect"))
        .primary_key(&mut key(&["tenant_id", "role", "permission"]))
        .foreign_key(&mut owned_by(&["tenant_id", "role"], "custom_role", &["tenant_id", "name"]))
        .take()
}

fn session() -> TableCreateStatement {
    session_before()
        .col(uuid("id"))
        .col(big_integer("authenticated_at"))
        .col(text("factors"))
        .col(text("user_agent"))
        .col(text("address"))
        .take()
}

fn session_before() -> TableCreateStatement {
    Table::create()
        .table("session")
        .col(text("id_hash"))
        .col(uuid("user_id"))
        .col(uuid("tenant_id"))
        .col(big_integer("created_at"))
        .col(big_integer("last_seen_at"))
        .col(big_integer("expires_at"))
        .primary_key(&mut key(&["id_hash"]))
        .foreign_key(&mut owned_by(&["tenant_id"], "tenant", &["id"]))
        .foreign_key(&mut owned_by(&["user_id"], "user", &["id"]))
        .take()
}
