//! The pages of syncs.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use portolan_admin_ui::pages::{SyncPage, SyncsBody, SyncsPage};
use portolan_admin_ui::parts::{Empty, FieldKind, FormField, Pager, Section, SelectOption};
use portolan_analytics::Visibility;
use portolan_core::{ConnectionId, SyncId};
use portolan_db::TenantTx;
use portolan_db::entity::sync::{RequestedAction, SyncState};
use serde::Deserialize;
use uuid::Uuid;

use super::api::progress_of;
use super::orphans::settle_orphans_or_log;
use super::queries::{self, SyncFilter};
use super::views::{SyncParts, sync_body, sync_row};
use super::{ops, vanish};
use crate::App;
use crate::web::actor::{PageActor, SyncsRead, SyncsRun};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Path, Query};
use crate::web::page::Paging;
use crate::web::seen::sees_raw;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};
use crate::web::{html, wants_part};

/// Rejected records on a page.
const SHOWN_REJECTED: u64 = 50;
const STATES: [SyncState; 6] = [
    SyncState::Queued,
    SyncState::Running,
    SyncState::Paused,
    SyncState::Succeeded,
    SyncState::Failed,
    SyncState::Cancelled,
];

#[derive(Debug, Default, Deserialize)]
pub struct SyncsQuery {
    #[serde(default)]
    connection: String,
    #[serde(default)]
    state: String,
    cursor: Option<String>,
}

pub async fn list_syncs(
    PageActor(actor): PageActor<SyncsRead>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(query): Query<SyncsQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    settle_orphans_or_log(&app, actor.tenant).await;
    let tx = app.db.read(actor.tenant).await?;
    let labels = queries::connection_labels(&tx, actor.seen()).await?;
    let body = syncs_body(&app, (&tx, actor.seen()), &viewer, &query, &labels).await?;
    if wants_part(&headers) {
        return html(&body);
    }
    let filters = filter_fields(&query, &labels);
    html(&SyncsPage {
        shell: viewer.shell("Syncs", Section::Syncs),
        filters,
        body,
        live_src: address(&query, query.cursor.as_deref()),
    })
}

async fn syncs_body(
    app: &App,
    (tx, seen): (&TenantTx, &Visibility),
    viewer: &Viewer,
    query: &SyncsQuery,
    labels: &BTreeMap<Uuid, String>,
) -> AppResult<SyncsBody> {
    let paging = Paging::new(app, address(query, None), Some(25), query.cursor.as_deref())?;
    let filter = SyncFilter {
        connection: parse_connection(&query.connection)?,
        state: STATES.into_iter().find(|state| state.as_str() == query.state),
        beside: paging.beside,
    };
    let mut found = queries::list_syncs(tx, seen, &filter, paging.limit).await?;
    let neighbours = paging.cut(app, &mut found, |sync| sync.id);
    let mut rows = Vec::new();
    for row in &found {
        let progress = progress_of(app, tx, row).await?;
        let label = labels.get(&row.connection_id).map_or("", String::as_str);
        rows.push(sync_row(viewer, row, label, progress.as_ref()));
    }
    let empty = rows.is_empty().then(|| {
        if query.connection.is_empty() && query.state.is_empty() {
            Empty::nothing_yet(
                "syncs",
                "A sync brings a connection's orders here. Connect a channel to run the first.",
            )
            .with_action("Connect a channel", "/connections/new")
        } else {
            Empty::filtered_away("syncs", "/syncs")
        }
    });
    let place = |cursor: Option<String>| cursor.map(|cursor| address(query, Some(&cursor)));
    let first = query.cursor.as_ref().map(|_| address(query, None));
    let summary = format!("{} syncs shown, newest first", rows.len());
    Ok(SyncsBody {
        rows,
        pager: Pager { summary, first, previous: place(neighbours.previous), next: place(neighbours.next) },
        empty,
    })
}

fn parse_connection(text: &str) -> AppResult<Option<ConnectionId>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| AppError::not_found("connection"))
}

fn filter_fields(query: &SyncsQuery, labels: &BTreeMap<Uuid, String>) -> Vec<FormField> {
    let mut connections = vec![SelectOption::new("", "all connections", query.connection.is_empty())];
    connections.extend(labels.iter().map(|(id, label)| {
        let id = id.to_string();
        let selected = id == query.connection;
        SelectOption::new(id, label.as_str(), selected)
    }));
    let mut states = vec![SelectOption::new("", "any state", query.state.is_empty())];
    states.extend(
        STATES
            .iter()
            .map(|state| SelectOption::new(state.as_str(), state.as_str(), state.as_str() == query.state)),
    );
    vec![
        FormField::new("connection", "Connection", FieldKind::Select { options: connections }),
        FormField::new("state", "State", FieldKind::Select { options: states }),
    ]
}

fn address(query: &SyncsQuery, cursor: Option<&str>) -> String {
    let mut address = format!("/syncs?connection={}&state={}", query.connection, query.state);
    if let Some(cursor) = cursor {
        address.push_str("&cursor=");
        address.push_str(cursor);
    }
    address
}

pub async fn show_sync(
    PageActor(actor): PageActor<SyncsRead>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<SyncId>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    settle_orphans_or_log(&app, actor.tenant).await;
    let tx = app.db.read(actor.tenant).await?;
    let row = ops::find_sync(&tx, id).await?;
    let labels = queries::connection_labels(&tx, actor.seen()).await?;
    let slices = queries::slices_of(&tx, id).await?;
    let file_names = queries::file_names(&tx, &slices).await?;
    let (mut quarantine, quarantine_total) = queries::quarantine_of(&tx, id, SHOWN_REJECTED).await?;
    if !sees_raw(actor.seen()) {
        // The reasons say what stood there.
        quarantine.clear();
    }
    let connection = labels.get(&row.connection_id).map_or("", String::as_str);
    let parts = SyncParts {
        row: &row,
        connection,
        progress: progress_of(&app, &tx, &row).await?,
        slices: &slices,
        file_names: &file_names,
        quarantine: &quarantine,
        quarantine_total,
    };
    let body = sync_body(&viewer, &parts);
    if wants_part(&headers) {
        return html(&body);
    }
    let shell = viewer.shell_after(format!("Sync of {connection}"), Section::Syncs, &flash);
    html(&SyncPage { shell, body })
}

pub async fn act_on_sync(
    PageActor(actor): PageActor<SyncsRun>,
    State(app): State<Arc<App>>,
    Path((id, action)): Path<(SyncId, String)>,
) -> PageResult {
    let done = match action.as_str() {
        "pause" => {
            ops::request_action(&app, actor.tenant, actor.who(), id, RequestedAction::Pause).await?;
            "sync-paused"
        }
        "cancel" => {
            ops::request_action(&app, actor.tenant, actor.who(), id, RequestedAction::Cancel).await?;
            "sync-cancelled"
        }
        "resume" => {
            ops::resume_sync(&app, actor.tenant, actor.who(), id).await?;
            "sync-resumed"
        }
        _ => return Err(AppError::not_found("action").into()),
    };
    Ok(redirect_after(&format!("/syncs/{id}"), done))
}

pub async fn confirm_deletes(
    PageActor(actor): PageActor<SyncsRun>,
    State(app): State<Arc<App>>,
    Path((id, stream)): Path<(ConnectionId, String)>,
) -> PageResult {
    vanish::confirm(&app, actor.tenant, actor.who(), id, stream).await?;
    Ok(redirect_after(&format!("/connections/{id}"), "deletes-confirmed"))
}
