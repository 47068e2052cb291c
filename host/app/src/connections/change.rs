//! Changing a connection's settings after it was made.
//!
//! What a person sends is about the settings as they saw them: settings that somebody else changed in
//! between are never overwritten unseen.

use std::sync::Arc;

use portolan_access::audit::{self, Who};
use portolan_connector::manifest::StreamMode;
use portolan_connector::{FieldError, InstalledPlugin, Manifest};
use portolan_core::{ConnectionId, TenantId, hex};
use portolan_db::entity::chunk::{self, ChunkState};
use portolan_db::entity::sync::{self, SyncState};
use portolan_db::entity::{cash_event, connection, document, sale_event};
use portolan_db::{DbError, TenantTx};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::ops::{
    Sealer, Settings, check_offline, find_connection, hold_connection, plugin_of, refuse_taken_label,
    replace_secret,
};
use super::queries::secrets_of;
use crate::App;
use crate::channels::context::load_context;
use crate::web::error::{AppError, AppResult};

/// The field that says: the settings reach another address, but the same account.
pub const SAME_ACCOUNT: &str = "same_account";

/// New settings; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct ConnectionChange {
    /// [`revision`] of the settings that the person saw.
    pub revision: String,
    pub label: Option<String>,
    pub time_zone: Option<String>,
    pub day_cutover_minutes: Option<i32>,
    /// The plugin's own fields as a whole. Secrets that are not in it stay.
    pub config: Option<Value>,
    /// Whether a new address leads to the account whose documents the connection holds.
    pub same_account: bool,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changed {
    /// Whether the channel should be asked again: other secrets, or another address.
    pub access: bool,
}

/// Names the settings of a connection: equal settings have equal revisions, whatever happened in between.
pub fn revision(connection: &connection::Model) -> String {
    let settings =
        json!([connection.label, connection.time_zone, connection.day_cutover_minutes, connection.config]);
    hex(&Sha256::digest(settings.to_string().as_bytes())[..16])
}

/// The [`revision`] in an `ETag`; a revision alone is one, too. What follows the hyphen names
/// the rest of the answer: a new secret or a pause is no reason to refuse new settings.
pub fn revision_in(tag: &str) -> &str {
    let tag = tag.trim().trim_matches('"');
    tag.split_once('-').map_or(tag, |(revision, _)| revision)
}

/// Stores new settings and the secrets that were entered, in one transaction.
///
/// Errors: fields that are not accepted, each with what to do; 412 where somebody else changed the
/// settings after this person had read them; 409 while rows are read by the settings as they are.
pub async fn change_connection(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    id: ConnectionId,
    change: ConnectionChange,
) -> AppResult<Changed> {
    let tx = app.db.read(tenant).await?;
    let before = find_connection(&tx, id).await?;
    let plugin = plugin_of(app, &before)?;
    let stored: Vec<String> = secrets_of(&tx, id).await?.into_iter().map(|secret| secret.field).collect();
    let config_before: Value = serde_json::from_str(&before.config).map_err(AppError::internal)?;
    let settings = Settings {
        label: change.label.as_deref().unwrap_or(&before.label).trim().to_owned(),
        time_zone: change.time_zone.unwrap_or_else(|| before.time_zone.clone()),
        day_cutover_minutes: change.day_cutover_minutes.unwrap_or(before.day_cutover_minutes),
        config: change.config.unwrap_or_else(|| config_before.clone()),
    };
    let manifest = &plugin.manifest;
    let split = manifest.split_config(&settings.config);
    let errors = settings.errors(manifest, &config_before, &stored);
    if !errors.is_empty() {
        return Err(AppError::invalid_fields(errors));
    }
    let guard = Guard {
        entered: split.secrets.iter().map(|(field, _)| field.clone()).collect(),
        same_account: change.same_account,
        seen: change.revision,
        plugin: plugin.clone(),
    };
    // Decided again when it is stored; here so that the plugin is not asked in vain.
    guard.accept_move(&tx, &before, &split.public).await?;
    let after = connection::Model {
        label: settings.label,
        time_zone: settings.time_zone,
        day_cutover_minutes: settings.day_cutover_minutes,
        config: split.public.to_string(),
        updated_at: app.clock.now().0,
        ..before.clone()
    };
    if after.config != before.config {
        let context = load_context(app, &tx, &after).await?;
        check_offline(app, &plugin, context).await?;
    }
    drop(tx);
    let sealer = Sealer { app: Arc::clone(app), connection: id, by: who.user() };
    let secrets = split.secrets;
    let now = app.clock.now();
    let new_secrets = !secrets.is_empty();
    let moved = app
        .db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let moved = store(tx, &guard, &after).await?;
                let entry = who.did("connection.change", "connection", id);
                let entry = entry.before(told(&before, &after)).after(told(&after, &before));
                audit::write(tx, now, entry);
                for secret in sealer.seal(tx, &secrets).await? {
                    replace_secret(tx, id, secret).await?;
                }
                Ok::<_, AppError>(moved)
            })
        })
        .await?;
    let access = moved || new_secrets;
    tracing::info!(tenant.id = %tenant, connection.id = %id, "connection settings changed");
    Ok(Changed { access })
}

/// The settings for the audit: the house's own in full, of the plugin's the names of those that differ.
fn told(settings: &connection::Model, other: &connection::Model) -> Value {
    let config =
        |text: &str| serde_json::from_str::<serde_json::Map<String, Value>>(text).unwrap_or_default();
    let (own, others) = (config(&settings.config), config(&other.config));
    let differs = own.iter().filter(|(field, value)| others.get(*field) != Some(value));
    json!({
        "label": settings.label, "time_zone": settings.time_zone,
        "day_cutover_minutes": settings.day_cutover_minutes,
        "config_fields": differs.map(|(field, _)| field).collect::<Vec<_>>(),
    })
}

/// Where the settings let secrets go.
fn reach(manifest: &Manifest, config: &Value) -> (Vec<String>, Option<String>) {
    let hosts = manifest.render_hosts(config).unwrap_or_default();
    let base_url = manifest.render_base_url(config).unwrap_or_default();
    (hosts.iter().map(ToString::to_string).collect(), base_url)
}

/// A secret goes to the hosts alone that it was entered for: otherwise whoever may change an address could
/// have a secret sent to them that they were never shown.
fn secrets_to_enter_again(
    manifest: &Manifest,
    stored: &[String],
    entered: &[String],
    config: &Value,
) -> Vec<FieldError> {
    let (hosts, base_url) = reach(manifest, config);
    let place = if hosts.is_empty() { base_url.unwrap_or_default() } else { hosts.join(", ") };
    let missing = stored.iter().filter(|field| !entered.contains(field));
    missing
        .map(|field| FieldError {
            path: field.clone(),
            message: format!(
                "Enter it again: these settings send it to {place}, and it was entered for another address."
            ),
        })
        .collect()
}

/// What has to hold at the moment of storing.
struct Guard {
    plugin: InstalledPlugin,
    /// [`revision`] that the person saw.
    seen: String,
    /// Secrets that come with the change.
    entered: Vec<String>,
    same_account: bool,
}

impl Guard {
    /// Whether the settings reach another address than those before.
    ///
    /// Errors: the secrets that have to be entered for it, and whether it is the same account where the
    /// connection holds documents.
    async fn accept_move(
        &self,
        tx: &TenantTx,
        before: &connection::Model,
        config: &Value,
    ) -> AppResult<bool> {
        let manifest = &self.plugin.manifest;
        let id = ConnectionId(before.id);
        let config_before: Value = serde_json::from_str(&before.config).map_err(AppError::internal)?;
        if reach(manifest, &config_before) == reach(manifest, config) {
            return Ok(false);
        }
        let stored: Vec<String> = secrets_of(tx, id).await?.into_iter().map(|secret| secret.field).collect();
        let mut errors = secrets_to_enter_again(manifest, &stored, &self.entered, config);
        if !self.same_account && has_documents(tx, id).await? {
            errors.push(FieldError {
                path: SAME_ACCOUNT.to_owned(),
                message: "This connection holds documents of the address before. If it is the same account at a new address, say so here; connect another account as a connection of its own.".to_owned(),
            });
        }
        if errors.is_empty() { Ok(true) } else { Err(AppError::invalid_fields(errors)) }
    }
}

/// Gives whether the settings reach another address now.
async fn store(tx: &TenantTx, guard: &Guard, after: &connection::Model) -> AppResult<bool> {
    let id = ConnectionId(after.id);
    let before = hold_connection(tx, id).await?;
    // Who sends the same again, or what stands there already, overwrites nobody.
    if revision(&before) != guard.seen && revision(&before) != revision(after) {
        return Err(changed_meanwhile());
    }
    if before.label != after.label {
        refuse_taken_label(tx, id, &after.label).await?;
        tx.bump_data_version().await?;
    }
    let days_changed =
        (&before.time_zone, before.day_cutover_minutes) != (&after.time_zone, after.day_cutover_minutes);
    if days_changed && has_sales(tx, id).await? {
        return Err(AppError::invalid(
            "time_zone",
            "Sales or payments of this connection stand in the ledger by its days, so its time zone and the beginning of its day stay.",
        ));
    }
    // The row may be another than the one that was read, and secrets may have come: what is stored now
    // decides whether a secret would go where it was not entered for.
    let config: Value = serde_json::from_str(&after.config).map_err(AppError::internal)?;
    let moved = guard.accept_move(tx, &before, &config).await?;
    if days_changed || before.config != after.config {
        refuse_while_reading(tx, id, &guard.plugin.manifest).await?;
    }
    let stored = tx
        .update_many::<connection::Entity>()
        .col_expr(connection::Column::Label, Expr::value(after.label.as_str()))
        .col_expr(connection::Column::TimeZone, Expr::value(after.time_zone.as_str()))
        .col_expr(connection::Column::DayCutoverMinutes, Expr::value(after.day_cutover_minutes))
        .col_expr(connection::Column::Config, Expr::value(after.config.as_str()))
        .col_expr(connection::Column::UpdatedAt, Expr::value(after.updated_at))
        .filter(connection::Column::Id.eq(id.0))
        // Two people may have passed the check above at the same moment: the row itself decides.
        .filter(connection::Column::Label.eq(before.label))
        .filter(connection::Column::TimeZone.eq(before.time_zone))
        .filter(connection::Column::DayCutoverMinutes.eq(before.day_cutover_minutes))
        .filter(connection::Column::Config.eq(before.config))
        .exec(tx)
        .await
        .map_err(DbError::from)?;
    if stored.rows_affected == 0 {
        return Err(changed_meanwhile());
    }
    Ok(moved)
}

fn changed_meanwhile() -> AppError {
    AppError::stale(
        "Somebody changed these settings after you had opened them. Nothing was overwritten: read them again, then send your change.",
    )
}

/// Rows that are being read, or wait to be, belong to the settings by which they were cut.
async fn refuse_while_reading(tx: &TenantTx, id: ConnectionId, manifest: &Manifest) -> AppResult<()> {
    let open = tx
        .find::<sync::Entity>()
        .filter(sync::Column::ConnectionId.eq(id.0))
        .filter(sync::Column::State.is_in([SyncState::Queued, SyncState::Running, SyncState::Paused]))
        .one(tx)
        .await?;
    if open.is_some() {
        return Err(AppError::conflict(
            "A sync of this connection is open and reads by the settings as they are. Wait until it has ended, or cancel it.",
        ));
    }
    let of_files = manifest.streams.iter().filter(|stream| stream.mode == StreamMode::Files);
    let unread = tx
        .find::<chunk::Entity>()
        .filter(chunk::Column::ConnectionId.eq(id.0))
        .filter(chunk::Column::State.eq(ChunkState::Staged))
        .filter(chunk::Column::Stream.is_in(of_files.map(|stream| stream.name.as_str())))
        .one(tx)
        .await?;
    match unread {
        None => Ok(()),
        Some(_) => Err(AppError::conflict(
            "Rows of a file wait to be read by the settings as they are. Sync once, then change the settings.",
        )),
    }
}

/// Whether a ledger knows the connection: by what it sold, or by what moved its balance.
pub async fn has_sales(tx: &TenantTx, id: ConnectionId) -> AppResult<bool> {
    let sold = tx.find::<sale_event::Entity>().filter(sale_event::Column::ConnectionId.eq(id.0));
    let moved = tx.find::<cash_event::Entity>().filter(cash_event::Column::ConnectionId.eq(id.0));
    Ok(sold.one(tx).await?.is_some() || moved.one(tx).await?.is_some())
}

async fn has_documents(tx: &TenantTx, id: ConnectionId) -> AppResult<bool> {
    let found = tx.find::<document::Entity>().filter(document::Column::ConnectionId.eq(id.0));
    Ok(found.one(tx).await?.is_some())
}
