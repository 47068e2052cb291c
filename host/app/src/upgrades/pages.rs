//! The page on which a connection is upgraded.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect};
use portolan_admin_ui::pages::{SwitchForm, UpgradeBody, UpgradePage};
use portolan_admin_ui::parts::{ActionStyle, Empty, Fact, Link, PostAction, Section};
use portolan_core::ConnectionId;
use portolan_db::TenantTx;
use portolan_db::entity::connection;
use portolan_db::entity::replay::ReplayState;
use serde::Deserialize;
use uuid::Uuid;

use super::ops::{self, ShadowAim};
use super::report::ShadowReport;
use super::views::{asks, build_text, shadow_view, switch_row, trial_badge, trial_progress};
use super::{queries, switch};
use crate::App;
use crate::channels::find_connection;
use crate::web::actor::{ConnectionsRead, ConnectionsWrite, PageActor};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::next::with_next;
use crate::web::step_up::check_fresh;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};
use crate::web::{html, wants_part};

/// Switches that the page shows.
const SHOWN: u64 = 10;

pub async fn show_upgrade(
    PageActor(actor): PageActor<ConnectionsRead>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<ConnectionId>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    if let Err(error) = ops::settle_dead(&app, actor.tenant, id).await {
        // Where nothing can be written, looking still works.
        tracing::warn!(tenant.id = %actor.tenant, error = error.full_detail(), "failed to settle a dead trial");
    }
    let tx = app.db.read(actor.tenant).await?;
    let connection = find_connection(&tx, id).await?;
    let body = body(&app, &tx, &viewer, &connection).await?;
    if wants_part(&headers) {
        return html(&body);
    }
    let plugin = queries::builds_of(&app, &connection).present;
    let open = queries::open_shadow(&tx, id).await?;
    html(&UpgradePage {
        shell: viewer.shell_after(format!("Upgrade of {}", connection.label), Section::Connections, &flash),
        connection: Link::new(connection.label.as_str(), format!("/connections/{id}")),
        plugin: plugin.map_or_else(|| connection.plugin_id.clone(), |plugin| plugin.manifest.name.clone()),
        notice: None,
        live_id: open.map_or_else(String::new, |shadow| shadow.id.to_string()),
        live_src: format!("/connections/{id}/upgrade"),
        body,
    })
}

async fn body(
    app: &App,
    tx: &TenantTx,
    viewer: &Viewer,
    connection: &connection::Model,
) -> AppResult<UpgradeBody> {
    let id = ConnectionId(connection.id);
    let builds = queries::builds_of(app, connection);
    let here = format!("/connections/{id}/upgrade");
    let mut facts =
        vec![Fact::new("On", builds.present.as_ref().map_or_else(|| "not installed".to_owned(), build_text))];
    facts.extend(builds.newer.as_ref().map(|newer| Fact::new("Newest installed", build_text(newer))));
    let switches = queries::switches_of(tx, id, SHOWN).await?;
    let previous = switches.first().and_then(|switch| switch.from_sha256.as_deref());
    let previous = previous.and_then(|sha256| app.runtime.build(sha256));
    let mut body = UpgradeBody {
        facts,
        switches: switches.iter().map(|row| switch_row(app, viewer, row)).collect(),
        rollback: previous.map(|build| {
            PostAction::danger(
                format!("Go back to {}", build.plugin.version),
                format!("/connections/{id}/rollback"),
                connection.label.as_str(),
                "Stored pages are read again with that version. What was reported meanwhile stays in the ledger.",
            )
        }),
        ..UpgradeBody::default()
    };
    let Some(newer) = builds.newer else {
        body.empty = Some(Empty::nothing_yet(
            "newer version",
            "The connection is on the newest installed version of its plugin.",
        ));
        return Ok(body);
    };
    body.asks = asks(&switch::asks_of(app, tx, id, &newer.plugin.sha256).await?);
    let shadows = queries::shadows_of(tx, id, SHOWN).await?;
    let present = builds.present.map(|build| build.plugin.sha256);
    let last = shadows
        .into_iter()
        .find(|row| row.to_sha256 == newer.plugin.sha256 && Some(&row.from_sha256) == present.as_ref());
    let compare = |label: &str| PostAction::primary(label, here.as_str());
    match last {
        None => body.actions.push(compare("See what would change")),
        Some(row) => {
            body.trial = Some(trial_badge(&row));
            body.progress = trial_progress(&row);
            body.error = row.error_detail.clone();
            let report = row.report.as_deref().map(serde_json::from_str::<ShadowReport>).transpose();
            body.view = report.map_err(AppError::internal)?.as_ref().map(shadow_view);
            if row.state.is_open() {
                let cancel = PostAction::new("Cancel", format!("{here}/{}/cancel", row.id));
                body.actions.push(PostAction { style: ActionStyle::Danger, ..cancel });
            } else {
                body.actions.push(PostAction::new("Compare anew", here.as_str()));
            }
            body.switch = (row.state == ReplayState::Succeeded).then(|| SwitchForm {
                action: format!("{here}/{}/switch", row.id),
                label: format!("Switch to {}", newer.plugin.version),
            });
        }
    }
    Ok(body)
}

pub async fn start_shadow(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(id): Path<ConnectionId>,
) -> PageResult {
    ops::start_shadow(&app, actor.tenant, actor.who(), id, ShadowAim::default()).await?;
    Ok(redirect_after(&format!("/connections/{id}/upgrade"), "shadow-started"))
}

pub async fn cancel_shadow(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path((id, shadow)): Path<(ConnectionId, Uuid)>,
) -> PageResult {
    ops::cancel_shadow(&app, actor.tenant, actor.who(), id, shadow).await?;
    Ok(redirect_after(&format!("/connections/{id}/upgrade"), "shadow-cancelled"))
}

#[derive(Debug, Default, Deserialize)]
pub struct SwitchFields {
    consent: Option<String>,
}

pub async fn switch_build(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path((id, shadow)): Path<(ConnectionId, Uuid)>,
    Form(fields): Form<SwitchFields>,
) -> PageResult {
    let consent = fields.consent.as_deref() == Some("yes");
    if consent && check_fresh(&app, actor.signed_in()?).is_err() {
        return Ok(
            Redirect::to(&with_next("/sign-in/again", &format!("/connections/{id}/upgrade"))).into_response()
        );
    }
    switch::switch_build(&app, actor.tenant, actor.who(), id, shadow, consent).await?;
    Ok(redirect_after(&format!("/connections/{id}"), "build-switched"))
}

#[derive(Debug, Default, Deserialize)]
pub struct RollbackFields {
    /// The connection's name.
    confirm: Option<String>,
}

pub async fn roll_back(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(id): Path<ConnectionId>,
    Form(fields): Form<RollbackFields>,
) -> PageResult {
    let tx = app.db.read(actor.tenant).await?;
    let connection = find_connection(&tx, id).await?;
    drop(tx);
    if fields.confirm.as_deref().map(str::trim) != Some(connection.label.as_str()) {
        let message = format!("Type {:?} to go back.", connection.label);
        return Err(AppError::invalid("confirm", message).into());
    }
    switch::roll_back(&app, actor.tenant, actor.who(), id).await?;
    Ok(redirect_after(&format!("/connections/{id}"), "build-rolled-back"))
}
