//! Making, changing, checking and ending connections.

use std::sync::Arc;

use portolan_access::SealedCell;
use portolan_connector::manifest::StreamMode;
use portolan_connector::{CheckReport, FieldError, Manifest};
use portolan_core::calendar::StoreCalendar;
use portolan_core::{ConnectionId, TenantId, UserId};
use portolan_db::DbError;
use portolan_db::entity::connection::{self, ConnectionState};
use portolan_db::entity::{connection_secret, egress_grant, stream};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};

pub use crate::channels::{find_connection, find_plugin};

use crate::App;
use crate::channels::context::{SECRET_COLUMN, SECRET_TABLE, load_context, secret_row};
use crate::syncs::jobs::{default_cron, schedule_streams};
use crate::web::error::{AppError, AppResult};

/// A connection as somebody asks for it.
#[derive(Debug, Clone)]
pub struct NewConnection {
    pub plugin_id: String,
    pub label: String,
    pub time_zone: String,
    pub day_cutover_minutes: i32,
    /// The plugin's own fields, secrets included.
    pub config: Value,
    /// Whether the person agreed to the hosts and secrets that the plugin asks for.
    pub consent: bool,
}

/// Stores a new connection with its sealed secrets and its streams. Nothing is fetched yet.
///
/// Errors: the fields that were not accepted, each with what to do.
pub async fn create_connection(
    app: &Arc<App>,
    tenant: TenantId,
    by: Option<UserId>,
    new: NewConnection,
) -> AppResult<ConnectionId> {
    let plugin = find_plugin(app, &new.plugin_id)?;
    validate(&plugin.manifest, &new)?;
    let id = ConnectionId::generate(&*app.clock, &*app.random);
    let now = app.clock.now().0;
    let split = plugin.manifest.split_config(&new.config);
    let mut secrets = Vec::new();
    for (field, value) in split.secrets {
        let row = secret_row(id, &field);
        let cell = SealedCell { table: SECRET_TABLE, column: SECRET_COLUMN, tenant, row: &row };
        let sealed =
            app.key_ring.seal(cell, value.expose().as_bytes(), &*app.random).map_err(AppError::internal)?;
        secrets.push(connection_secret::ActiveModel {
            tenant_id: Set(tenant.0),
            connection_id: Set(id.0),
            field: Set(field),
            sealed: Set(sealed),
            set_by: Set(by.map(|user| user.0)),
            set_at: Set(now),
        });
    }
    let row = connection::ActiveModel {
        tenant_id: Set(tenant.0),
        id: Set(id.0),
        plugin_id: Set(new.plugin_id),
        label: Set(new.label.trim().to_owned()),
        state: Set(ConnectionState::Active),
        config: Set(split.public.to_string()),
        time_zone: Set(new.time_zone),
        day_cutover_minutes: Set(new.day_cutover_minutes),
        consent: Set(consent_record(&plugin.manifest, by, now).to_string()),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let streams = stream_rows(&plugin.manifest, tenant, id);
    let queue = app.queue.clone();
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let label = row.label.clone().unwrap();
                let taken = tx
                    .find::<connection::Entity>()
                    .filter(connection::Column::Label.eq(label))
                    .one(tx)
                    .await?;
                if taken.is_some() {
                    return Err(AppError::invalid(
                        "label",
                        "Another connection has this name. Choose another one.",
                    ));
                }
                tx.insert(row).await?;
                tx.insert_many(secrets).await?;
                tx.insert_many(streams).await?;
                schedule_streams(&queue, tx, id).await?;
                tx.bump_data_version().await?;
                Ok(())
            })
        })
        .await?;
    tracing::info!(tenant.id = %tenant, connection.id = %id, "connection created");
    Ok(id)
}

fn validate(manifest: &Manifest, new: &NewConnection) -> AppResult<()> {
    let mut errors = manifest.validate_config(&new.config, &[]).err().unwrap_or_default();
    let mut refuse = |path: &str, message: String| {
        errors.push(FieldError { path: path.to_owned(), message });
    };
    if new.label.trim().is_empty() || new.label.chars().count() > 100 {
        refuse("label", "Give the connection a name of at most 100 characters.".to_owned());
    }
    if let Err(error) = StoreCalendar::new(&new.time_zone, new.day_cutover_minutes) {
        refuse("time_zone", error.to_string());
    }
    if !new.consent {
        refuse("consent", "Agree to the hosts and secrets above, or cancel.".to_owned());
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::invalid_fields(errors)) }
}

/// What was agreed to, and when: shown again when an upgrade asks for more.
fn consent_record(manifest: &Manifest, by: Option<UserId>, now: i64) -> Value {
    json!({
        "hosts": manifest.hosts,
        "secrets": manifest.secret_fields(),
        "plugin_version": manifest.version,
        "given_by": by.map(|user| user.to_string()),
        "given_at": now,
    })
}

fn stream_rows(manifest: &Manifest, tenant: TenantId, connection: ConnectionId) -> Vec<stream::ActiveModel> {
    manifest
        .streams
        .iter()
        .map(|declaration| stream::ActiveModel {
            tenant_id: Set(tenant.0),
            connection_id: Set(connection.0),
            name: Set(declaration.name.clone()),
            enabled: Set(declaration.enabled),
            cron: Set(match declaration.mode {
                StreamMode::Files => None,
                _ => Some(default_cron(declaration.default_schedule.as_deref())),
            }),
            next_run_at: Set(None),
            watermark_at: Set(None),
            last_success_at: Set(None),
            state: Set("active".to_owned()),
        })
        .collect()
}

/// Asks the channel who is behind the connection.
pub async fn check_connection(app: &Arc<App>, tenant: TenantId, id: ConnectionId) -> AppResult<CheckReport> {
    let tx = app.db.read(tenant).await?;
    let connection = find_connection(&tx, id).await?;
    let plugin = find_plugin(app, &connection.plugin_id)?;
    let context = load_context(app, &tx, &connection).await?;
    drop(tx);
    let report = app.runtime.check(&plugin.plugin, context, app.clock.now()).await?;
    if connection.state == ConnectionState::NeedsAuth {
        set_state(app, tenant, id, ConnectionState::Active).await?;
    }
    Ok(report)
}

/// Stops or starts the connection's schedule. A running sync goes on.
pub async fn set_state(
    app: &Arc<App>,
    tenant: TenantId,
    id: ConnectionId,
    state: ConnectionState,
) -> AppResult<()> {
    let now = app.clock.now().0;
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let connection = find_connection(tx, id).await?;
                tx.update(connection::ActiveModel {
                    tenant_id: Set(connection.tenant_id),
                    id: Set(connection.id),
                    state: Set(state),
                    updated_at: Set(now),
                    ..Default::default()
                })
                .await?;
                Ok(())
            })
        })
        .await
}

/// Replaces one secret of a connection.
pub async fn set_secret(
    app: &Arc<App>,
    tenant: TenantId,
    by: UserId,
    id: ConnectionId,
    field: String,
    value: String,
) -> AppResult<()> {
    let app_in_task = Arc::clone(app);
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let app = app_in_task;
                let connection = find_connection(tx, id).await?;
                let plugin = find_plugin(&app, &connection.plugin_id)?;
                if !plugin.manifest.secret_fields().contains(&field) {
                    return Err(AppError::invalid("field", "The plugin has no such secret."));
                }
                if value.is_empty() {
                    return Err(AppError::invalid(&field, "Enter the new secret."));
                }
                let row = secret_row(id, &field);
                let cell = SealedCell { table: SECRET_TABLE, column: SECRET_COLUMN, tenant, row: &row };
                let sealed =
                    app.key_ring.seal(cell, value.as_bytes(), &*app.random).map_err(AppError::internal)?;
                tx.delete_many::<connection_secret::Entity>()
                    .filter(connection_secret::Column::ConnectionId.eq(id.0))
                    .filter(connection_secret::Column::Field.eq(field.as_str()))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                tx.insert(connection_secret::ActiveModel {
                    tenant_id: Set(tenant.0),
                    connection_id: Set(id.0),
                    field: Set(field),
                    sealed: Set(sealed),
                    set_by: Set(Some(by.0)),
                    set_at: Set(app.clock.now().0),
                })
                .await?;
                tx.update_many::<connection::Entity>()
                    .col_expr(connection::Column::State, Expr::value(ConnectionState::Active.as_str()))
                    .filter(connection::Column::Id.eq(id.0))
                    .filter(connection::Column::State.eq(ConnectionState::NeedsAuth))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                Ok(())
            })
        })
        .await
}

/// Lets a connection reach plain http or a loopback or private address: an operator's decision,
/// made on the command line, never by the tenant.
pub async fn grant_egress(
    app: &Arc<App>,
    tenant: TenantId,
    id: ConnectionId,
    scheme: String,
    host: String,
    port: u16,
) -> AppResult<()> {
    let now = app.clock.now().0;
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                find_connection(tx, id).await?;
                let row = egress_grant::ActiveModel {
                    tenant_id: Set(tenant.0),
                    connection_id: Set(id.0),
                    scheme: Set(scheme),
                    host: Set(host),
                    port: Set(i32::from(port)),
                    granted_by: Set(None),
                    granted_at: Set(now),
                };
                tx.insert_many_on_conflict_do_nothing(vec![row]).await?;
                Ok(())
            })
        })
        .await
}
