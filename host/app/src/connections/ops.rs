//! Making, changing, checking and ending connections.

use std::sync::Arc;

use portolan_access::audit::{self, Who};
use portolan_access::{CONNECTION_SECRET, TenantKeys};
use portolan_connector::{
    CheckReport, ConnectionContext, FieldError, InstalledPlugin, Manifest, SecretValue,
};
use portolan_core::calendar::StoreCalendar;
use portolan_core::{ConnectionId, Instant, TenantId, UserId};
use portolan_db::entity::connection::{self, ConnectionState};
use portolan_db::entity::{connection_secret, egress_grant};
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};

pub(super) use crate::channels::hold_connection;
pub use crate::channels::{find_connection, find_plugin, plugin_of};

use crate::App;
use crate::channels::consent::consent_record;
use crate::channels::context::{load_context, secret_row};
use crate::syncs::jobs::{schedule_streams, stream_rows};
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
    who: Who,
    new: NewConnection,
) -> AppResult<ConnectionId> {
    let by = who.user();
    let plugin = find_plugin(app, &new.plugin_id)?;
    let settings = Settings {
        label: new.label.trim().to_owned(),
        time_zone: new.time_zone,
        day_cutover_minutes: new.day_cutover_minutes,
        config: new.config,
    };
    let mut errors = settings.errors(&plugin.manifest, &Value::Null, &[]);
    if !new.consent {
        let message = "Agree to the hosts and secrets above, or cancel.".to_owned();
        errors.push(FieldError { path: "consent".to_owned(), message });
    }
    if !errors.is_empty() {
        return Err(AppError::invalid_fields(errors));
    }
    let id = ConnectionId::generate(&*app.clock, &*app.random);
    let now = app.clock.now().0;
    let split = plugin.manifest.split_config(&settings.config);
    let context = ConnectionContext {
        tenant,
        id,
        config: split.public.to_string().into(),
        secrets: Vec::new(),
        egress_grants: Vec::new(),
        time_zone: settings.time_zone.clone(),
        files: Vec::new(),
    };
    check_offline(app, &plugin, context).await?;
    let sealer = Sealer { app: Arc::clone(app), connection: id, by };
    let secrets = split.secrets;
    let row = connection::ActiveModel {
        tenant_id: Set(tenant.0),
        id: Set(id.0),
        plugin_id: Set(new.plugin_id),
        label: Set(settings.label),
        state: Set(ConnectionState::Active),
        config: Set(split.public.to_string()),
        time_zone: Set(settings.time_zone),
        day_cutover_minutes: Set(settings.day_cutover_minutes),
        consent: Set(consent_record(&plugin.manifest, by, now).to_string()),
        created_at: Set(now),
        updated_at: Set(now),
        plugin_sha256: Set(Some(plugin.plugin.sha256.clone())),
        pseudonyms: Set(plugin.manifest.names_subjects()),
    };
    let streams = stream_rows(&plugin.manifest, tenant, id);
    let entry = who.did("connection.create", "connection", id).after(json!({
        "plugin_id": plugin.plugin.id, "plugin_sha256": plugin.plugin.sha256,
        "secrets": secrets.iter().map(|(field, _)| field).collect::<Vec<_>>(),
    }));
    let queue = app.queue.clone();
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                refuse_taken_label(tx, id, &row.label.clone().unwrap()).await?;
                tx.insert(row).await?;
                tx.insert_many(sealer.seal(tx, &secrets).await?).await?;
                tx.insert_many(streams).await?;
                schedule_streams(&queue, tx, id).await?;
                tx.bump_data_version().await?;
                audit::write(tx, Instant(now), entry);
                Ok::<(), AppError>(())
            })
        })
        .await?;
    tracing::info!(tenant.id = %tenant, connection.id = %id, "connection created");
    Ok(id)
}

/// What a person may set, at creation and afterwards.
pub(super) struct Settings {
    pub label: String,
    pub time_zone: String,
    pub day_cutover_minutes: i32,
    /// The plugin's own fields, entered secrets included.
    pub config: Value,
}

impl Settings {
    /// Every field that is not accepted in the place of the config `before`, which is null where there was
    /// none. Of stored secrets none needs to be entered again.
    pub fn errors(&self, manifest: &Manifest, before: &Value, stored_secrets: &[String]) -> Vec<FieldError> {
        let checked = manifest.validate_change(before, &self.config, stored_secrets);
        let mut errors = checked.err().unwrap_or_default();
        let mut refuse = |path: &str, message: String| {
            errors.push(FieldError { path: path.to_owned(), message });
        };
        if self.label.is_empty() || self.label.chars().count() > 100 {
            refuse("label", "Give the connection a name of at most 100 characters.".to_owned());
        }
        if let Err(error) = StoreCalendar::new(&self.time_zone, self.day_cutover_minutes) {
            refuse("time_zone", error.to_string());
        }
        errors
    }
}

/// Asks a plugin that works without the network whether it accepts these settings: that costs nothing,
/// and it knows more than its schema can say. One that has to ask its channel does so in [`check_connection`].
pub(super) async fn check_offline(
    app: &App,
    plugin: &InstalledPlugin,
    context: ConnectionContext,
) -> AppResult<()> {
    let manifest = &plugin.manifest;
    if manifest.hosts.is_empty() && manifest.base_url_field.is_none() {
        app.runtime.check(&plugin.plugin, context, app.clock.now()).await?;
    }
    Ok(())
}

/// Seals secrets of one connection.
pub(super) struct Sealer {
    pub app: Arc<App>,
    pub connection: ConnectionId,
    /// Who entered them; nobody for the operator's command line.
    pub by: Option<UserId>,
}

impl Sealer {
    /// The rows of these secrets, sealed with the tenant's newest key, for the transaction that stores them.
    pub async fn seal(
        &self,
        tx: &TenantTx,
        secrets: &[(String, SecretValue)],
    ) -> AppResult<Vec<connection_secret::ActiveModel>> {
        if secrets.is_empty() {
            return Ok(Vec::new());
        }
        let app = &self.app;
        let keys = TenantKeys::load_to_seal(&app.key_ring, tx, &*app.clock, &*app.random).await?;
        let seal = |(field, value): &(String, SecretValue)| {
            let row = secret_row(self.connection, field);
            let cell = CONNECTION_SECRET.cell(tx.tenant(), &row);
            let sealed = keys.seal(cell, value.expose().as_bytes(), &*app.random);
            Ok(connection_secret::ActiveModel {
                tenant_id: Set(tx.tenant().0),
                connection_id: Set(self.connection.0),
                field: Set(field.clone()),
                sealed: Set(sealed.map_err(AppError::internal)?),
                set_by: Set(self.by.map(|user| user.0)),
                set_at: Set(app.clock.now().0),
            })
        };
        secrets.iter().map(seal).collect()
    }
}

/// Puts a secret in the place of the one that is stored under its field.
pub(super) async fn replace_secret(
    tx: &TenantTx,
    id: ConnectionId,
    secret: connection_secret::ActiveModel,
) -> AppResult<()> {
    tx.delete_many::<connection_secret::Entity>()
        .filter(connection_secret::Column::ConnectionId.eq(id.0))
        .filter(connection_secret::Column::Field.eq(secret.field.clone().unwrap()))
        .exec(tx)
        .await
        .map_err(DbError::from)?;
    tx.insert(secret).await?;
    Ok(())
}

pub(super) async fn refuse_taken_label(tx: &TenantTx, id: ConnectionId, label: &str) -> AppResult<()> {
    let taken = tx
        .find::<connection::Entity>()
        .filter(connection::Column::Label.eq(label))
        .filter(connection::Column::Id.ne(id.0))
        .one(tx)
        .await?;
    match taken {
        None => Ok(()),
        Some(_) => Err(AppError::invalid("label", "Another connection has this name. Choose another one.")),
    }
}

/// Asks the channel who is behind the connection.
pub async fn check_connection(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    id: ConnectionId,
) -> AppResult<CheckReport> {
    let tx = app.db.read(tenant).await?;
    let connection = find_connection(&tx, id).await?;
    let plugin = plugin_of(app, &connection)?;
    let context = load_context(app, &tx, &connection).await?;
    drop(tx);
    let report = app.runtime.check(&plugin.plugin, context, app.clock.now()).await?;
    let now = app.clock.now();
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                accept_credentials(tx, id).await?;
                audit::write(tx, now, who.did("connection.check", "connection", id));
                Ok::<_, AppError>(())
            })
        })
        .await?;
    Ok(report)
}

/// The channel accepts what is stored, or something new is: it is asked again on schedule.
async fn accept_credentials(tx: &TenantTx, id: ConnectionId) -> Result<(), DbError> {
    tx.update_many::<connection::Entity>()
        .col_expr(connection::Column::State, Expr::value(ConnectionState::Active.as_str()))
        .filter(connection::Column::Id.eq(id.0))
        .filter(connection::Column::State.eq(ConnectionState::NeedsAuth))
        .exec(tx)
        .await?;
    Ok(())
}

/// Stops or starts the connection's schedule. A running sync goes on.
pub async fn set_state(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    id: ConnectionId,
    state: ConnectionState,
) -> AppResult<()> {
    let now = app.clock.now().0;
    let action = match state {
        ConnectionState::Active => "connection.resume",
        ConnectionState::Paused => "connection.pause",
        ConnectionState::NeedsAuth => "connection.need_auth",
    };
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
                let entry = who.did(action, "connection", id);
                let entry = entry.before(json!({ "state": connection.state.as_str() }));
                audit::write(tx, Instant(now), entry.after(json!({ "state": state.as_str() })));
                Ok(())
            })
        })
        .await
}

/// Replaces one secret of a connection.
pub async fn set_secret(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    id: ConnectionId,
    field: String,
    value: String,
) -> AppResult<()> {
    let app_in_task = Arc::clone(app);
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let app = app_in_task;
                // A change of the address at the same moment must see this secret, or this one it.
                let connection = hold_connection(tx, id).await?;
                let plugin = plugin_of(&app, &connection)?;
                if !plugin.manifest.secret_fields().contains(&field) {
                    return Err(AppError::invalid("field", "The plugin has no such secret."));
                }
                if value.is_empty() {
                    return Err(AppError::invalid(&field, "Enter the new secret."));
                }
                let sealer = Sealer { app: Arc::clone(&app), connection: id, by: who.user() };
                let entry = who.did("connection.set_secret", "connection", id);
                audit::write(tx, app.clock.now(), entry.after(json!({ "field": field })));
                for secret in sealer.seal(tx, &[(field, SecretValue::new(value))]).await? {
                    replace_secret(tx, id, secret).await?;
                }
                tx.update_many::<connection::Entity>()
                    .col_expr(connection::Column::UpdatedAt, Expr::value(app.clock.now().0))
                    .filter(connection::Column::Id.eq(id.0))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                Ok(accept_credentials(tx, id).await?)
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
                let entry = Who::operator().did("connection.grant_egress", "connection", id);
                let address = json!({ "scheme": scheme, "host": host, "port": port });
                audit::write(tx, Instant(now), entry.after(address));
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
