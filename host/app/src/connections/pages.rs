//! The list of connections.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use portolan_admin_ui::format;
use portolan_admin_ui::pages::{ConnectionRow, ConnectionsBody, ConnectionsPage};
use portolan_admin_ui::parts::{Badge, Empty, PostAction, Section, Tone};
use portolan_core::{ConnectionId, Instant};
use portolan_db::TenantTx;
use portolan_db::entity::connection::{self, ConnectionState};
use portolan_db::entity::{stream, sync};

use super::queries;
use crate::App;
use crate::channels::build_of_connection;
use crate::syncs::sync_row;
use crate::web::actor::{ConnectionsRead, PageActor};
use crate::web::error::{AppResult, PageResult};
use crate::web::extract::Query;
use crate::web::seen::sees;
use crate::web::viewer::{FlashQuery, Viewer};
use crate::web::{html, wants_part};

pub async fn list_connections(
    PageActor(actor): PageActor<ConnectionsRead>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let newest = queries::newest_syncs(&tx).await?;
    let mut rows = Vec::new();
    let connections = queries::list_connections(&tx).await?;
    for connection in connections.into_iter().filter(|connection| sees(actor.seen(), connection)) {
        rows.push(row(&app, &tx, &viewer, &connection, newest.get(&connection.id)).await?);
    }
    let empty = rows.is_empty().then(Empty::not_connected);
    let body = ConnectionsBody { rows, empty };
    if wants_part(&headers) {
        return html(&body);
    }
    html(&ConnectionsPage { shell: viewer.shell_after("Connections", Section::Connections, &flash), body })
}

async fn row(
    app: &App,
    tx: &TenantTx,
    viewer: &Viewer,
    connection: &connection::Model,
    newest: Option<&sync::Model>,
) -> AppResult<ConnectionRow> {
    let id = ConnectionId(connection.id);
    let streams = queries::streams_of(tx, id).await?;
    let shown = newest.map(|sync| sync_row(viewer, sync, &connection.label, None));
    let plugin = build_of_connection(app, connection);
    Ok(ConnectionRow {
        href: format!("/connections/{id}"),
        label: connection.label.clone(),
        plugin: plugin.map_or_else(|| connection.plugin_id.clone(), |plugin| plugin.manifest.name.clone()),
        state: state_badge(connection.state),
        last_sync: shown.as_ref().and_then(|sync| sync.started.clone()),
        last_sync_href: shown.as_ref().map(|sync| sync.href.clone()),
        last_sync_state: shown.map(|sync| sync.state),
        documents: documents_text(&queries::document_counts(tx, id).await?),
        freshness: freshness_text(viewer, &streams),
        actions: actions(connection),
    })
}

pub fn state_badge(state: ConnectionState) -> Badge {
    match state {
        ConnectionState::Active => Badge::new("active", Tone::Good),
        ConnectionState::Paused => Badge::new("paused", Tone::Warn),
        ConnectionState::NeedsAuth => Badge::new("needs a new secret", Tone::Bad),
    }
}

/// The kinds of document that a list tells.
const COUNTED: [&str; 4] = ["order", "refund", "product", "customer"];

/// "20 000 orders, 412 products".
pub fn documents_text(counts: &BTreeMap<String, i64>) -> String {
    let shown: Vec<String> = COUNTED
        .iter()
        .filter_map(|entity| counts.get_key_value(*entity))
        .map(|(entity, count)| {
            let plural = if *count == 1 { "" } else { "s" };
            format!("{} {}{plural}", format::count(*count), entity.replace('_', " "))
        })
        .collect();
    if shown.is_empty() { "none yet".to_owned() } else { shown.join(", ") }
}

/// How long ago the slowest stream was last complete.
pub fn freshness_text(viewer: &Viewer, streams: &[stream::Model]) -> String {
    let enabled = streams.iter().filter(|stream| stream.enabled);
    let fed = enabled.filter(|stream| stream.cron.is_some() || stream.last_success_at.is_some());
    let slowest = fed.map(|stream| stream.last_success_at).min();
    match slowest {
        None | Some(None) => "not synced yet".to_owned(),
        Some(Some(at)) => format!("complete {}", viewer.when(Instant(at)).text),
    }
}

/// What may be done to a connection from here.
pub fn actions(connection: &connection::Model) -> Vec<PostAction> {
    let href = |action: &str| format!("/connections/{}/{action}", connection.id);
    match connection.state {
        ConnectionState::Active => vec![
            PostAction::primary("Sync now", href("sync")),
            PostAction::new("Check", href("check")),
            PostAction::new("Pause", href("pause")),
        ],
        ConnectionState::Paused => vec![PostAction::primary("Resume", href("resume"))],
        ConnectionState::NeedsAuth => vec![PostAction::primary("Check", href("check"))],
    }
}
