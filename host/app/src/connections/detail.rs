//! One connection, and what can be done to it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use portolan_admin_ui::format;
use portolan_admin_ui::pages::{
    CheckView, ConnectionBody, ConnectionPage, EgressRow, SecretRow, StreamRow, UploadForm, UploadRow,
};
use portolan_admin_ui::parts::{
    Badge, Fact, FieldKind, FormField, Notice, PostAction, Section, SelectOption, Tone, When,
};
use portolan_analytics::Visibility;
use portolan_connector::manifest::FileNeed;
use portolan_connector::{CheckReport, Manifest};
use portolan_core::{ConnectionId, Instant};
use portolan_db::TenantTx;
use portolan_db::entity::connection::{self, ConnectionState};
use portolan_db::entity::upload;
use serde::Deserialize;

use super::pages::{actions, documents_text, freshness_text, state_badge};
use super::settings::{facts as facts_of, setter};
use super::uploads::PACKED;
use super::{mapping, ops, queries, remove};
use crate::App;
use crate::channels::build_of_connection;
use crate::channels::context::{UPLOAD_REFUSED, UPLOAD_STAGED, UPLOAD_WAITING};
use crate::coverage::coverage_rows;
use crate::coverage::queries::coverage_of;
use crate::drift::drift_rows;
use crate::drift::queries::drift_of;
use crate::replays::ops::settle_dead;
use crate::replays::stored_data;
use crate::syncs::ops::{Trigger, start_sync};
use crate::syncs::queries::{SyncFilter, list_syncs, unread_chunks};
use crate::syncs::vanish::held;
use crate::syncs::{held_rows, sync_row};
use crate::upgrades::upgrade_notice;
use crate::web::actor::{ConnectionsRead, ConnectionsWrite, PageActor, Require};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};
use crate::web::{html, wants_part};

/// Lists on this page are short; each links to the whole.
const SHOWN: u64 = 8;

pub async fn show_connection(
    PageActor(actor): PageActor<ConnectionsRead>,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<ConnectionId>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    if let Err(error) = settle_dead(&app, actor.tenant, id).await {
        // Where nothing can be written, looking still works.
        tracing::warn!(tenant.id = %actor.tenant, error = error.full_detail(), "failed to settle a dead replay");
    }
    let tx = app.db.read(actor.tenant).await?;
    let connection = ops::find_connection(&tx, id).await?;
    if wants_part(&headers) {
        return html(&body(&app, &tx, &viewer, &connection).await?);
    }
    html(&page(&app, &tx, &viewer, &connection, None, &flash).await?)
}

async fn page(
    app: &App,
    tx: &TenantTx,
    viewer: &Viewer,
    connection: &connection::Model,
    check: Option<CheckView>,
    flash: &FlashQuery,
) -> AppResult<ConnectionPage> {
    let id = ConnectionId(connection.id);
    let plugin = build_of_connection(app, connection);
    let manifest = plugin.as_ref().map(|plugin| plugin.manifest.as_ref());
    let config: serde_json::Value = serde_json::from_str(&connection.config).unwrap_or_default();
    let hosts = manifest.and_then(|manifest| manifest.render_hosts(&config).ok()).unwrap_or_default();
    let secrets = queries::secrets_of(tx, id).await?;
    let mut secret_rows = Vec::new();
    for secret in secrets {
        let title = manifest.and_then(|manifest| {
            manifest.config.pointer(&format!("/properties/{}/title", secret.field))?.as_str()
        });
        secret_rows.push(SecretRow {
            label: title.unwrap_or(&secret.field).to_owned(),
            set_by: setter(tx, &secret).await?,
            set_at: viewer.when(Instant(secret.set_at)),
        });
    }
    let grants = queries::grants_of(tx, id).await?;
    Ok(ConnectionPage {
        shell: viewer.shell_after(connection.label.as_str(), Section::Connections, flash),
        id: id.to_string(),
        plugin: manifest.map_or_else(|| connection.plugin_id.clone(), |manifest| manifest.name.clone()),
        plugin_href: format!("/plugins/{}", connection.plugin_id),
        state: state_badge(connection.state),
        notice: notice(connection, manifest.is_some()).or_else(|| upgrade_notice(app, connection)),
        check,
        body: body(app, tx, viewer, connection).await?,
        settings: settings(connection, manifest, &config),
        settings_href: manifest.is_some().then(|| format!("/connections/{id}/settings")),
        secrets: secret_rows,
        hosts: hosts.iter().map(ToString::to_string).collect(),
        egress_grants: grants
            .into_iter()
            .map(|grant| EgressRow {
                address: format!("{}://{}:{}", grant.scheme, grant.host, grant.port),
                granted_by: "the operator".to_owned(),
                granted_at: viewer.when(Instant(grant.granted_at)),
            })
            .collect(),
        upload: manifest.and_then(|manifest| upload_form(id, manifest, None)),
        actions: actions(connection),
        danger: vec![PostAction::danger(
            "Delete this connection",
            format!("/connections/{id}/delete"),
            connection.label.as_str(),
            "Removes the connection with its secrets and schedules. One that has brought sales or payments into the ledger can only be paused.",
        )],
    })
}

fn notice(connection: &connection::Model, installed: bool) -> Option<Notice> {
    if !installed {
        let text = format!("Install {} again with: portolan plugin install FILE", connection.plugin_id);
        return Some(Notice::new(Tone::Bad, "The plugin is not installed", text));
    }
    match connection.state {
        ConnectionState::NeedsAuth => Some(Notice::new(
            Tone::Bad,
            "The channel refused the credentials",
            "Enter them again in the settings, then sync. What was imported stays.",
        )),
        ConnectionState::Paused => {
            Some(Notice::new(Tone::Warn, "Paused", "Nothing is fetched until you resume it."))
        }
        ConnectionState::Active => None,
    }
}

fn settings(
    connection: &connection::Model,
    manifest: Option<&Manifest>,
    config: &serde_json::Value,
) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("Time zone", connection.time_zone.as_str()),
        Fact::new("Business day begins", format!("{} min after midnight", connection.day_cutover_minutes)),
    ];
    facts.extend(manifest.into_iter().flat_map(|manifest| facts_of(manifest, config)));
    facts
}

/// The form for a file, of one stream or of any that takes files.
pub(super) fn upload_form(id: ConnectionId, manifest: &Manifest, stream: Option<&str>) -> Option<UploadForm> {
    let needs: Vec<&FileNeed> =
        manifest.files.iter().filter(|need| stream.is_none_or(|stream| need.stream == stream)).collect();
    if needs.is_empty() {
        return None;
    }
    let streams = needs.iter().enumerate();
    let streams =
        streams.map(|(index, need)| SelectOption::new(&need.stream, &need.stream, index == 0)).collect();
    let mut accept: Vec<String> = needs.iter().flat_map(|need| need.extensions.clone()).collect();
    accept.sort();
    accept.dedup();
    let file = FormField::new("file", "File", FieldKind::File { accept: offered(&accept) }).required();
    let file = match accept.as_slice() {
        [] => file,
        endings => {
            file.with_help(format!("It ends in {}, also packed: .csv.gz, .csv.xz.", endings.join(", ")))
        }
    };
    Some(UploadForm {
        action: format!("/connections/{id}/uploads"),
        fields: vec![
            FormField::new("stream", "What the file holds", FieldKind::Select { options: streams }),
            file,
        ],
        can_look: needs.iter().any(|need| mapping::has_mapping(manifest, &need.stream)),
    })
}

/// What a browser's file picker shows; everything, where files may end in anything.
fn offered(extensions: &[String]) -> Option<String> {
    let packed = PACKED.iter().map(|packed| (*packed).to_owned());
    (!extensions.is_empty()).then(|| extensions.iter().cloned().chain(packed).collect::<Vec<_>>().join(","))
}

async fn body(
    app: &App,
    tx: &TenantTx,
    viewer: &Viewer,
    connection: &connection::Model,
) -> AppResult<ConnectionBody> {
    let plugin = build_of_connection(app, connection);
    let look_href = |upload: &upload::Model| {
        let waits = upload.state != UPLOAD_STAGED;
        let mapped =
            plugin.as_ref().is_some_and(|plugin| mapping::has_mapping(&plugin.manifest, &upload.stream));
        (waits && mapped)
            .then(|| format!("/connections/{}/mapping/{}?file={}", connection.id, upload.stream, upload.id))
    };
    let id = ConnectionId(connection.id);
    let streams = queries::streams_of(tx, id).await?;
    let counts = queries::document_counts(tx, id).await?;
    let filter = SyncFilter { connection: Some(id), ..SyncFilter::default() };
    // Of a connection that whoever looks sees.
    let syncs = list_syncs(tx, &Visibility::everything(), &filter, SHOWN).await?;
    let uploads = queries::uploads_of(tx, id, SHOWN).await?;
    let mut facts = vec![
        Fact::new("Documents", documents_text(&counts)),
        Fact::new("Freshness", freshness_text(viewer, &streams)),
    ];
    let unread = unread_chunks(tx, id).await?;
    if unread > 0 {
        let pages = format::count(i64::try_from(unread).unwrap_or(i64::MAX));
        facts.push(Fact::new("Stored, but not read", format!("{pages} pages; “Sync now” tries them again")));
    }
    Ok(ConnectionBody {
        coverage: coverage_rows(viewer, &coverage_of(app, tx, connection).await?),
        held: held_rows(&held(tx, id).await?),
        drift: drift_rows(&drift_of(tx, id).await?),
        stored: stored_data(tx, viewer, id).await?,
        facts,
        streams: streams.iter().map(|stream| stream_row(viewer, stream)).collect(),
        syncs: syncs
            .iter()
            .take(SHOWN as usize)
            .map(|sync| sync_row(viewer, sync, &connection.label, None))
            .collect(),
        syncs_href: format!("/syncs?connection={id}"),
        uploads: uploads
            .into_iter()
            .map(|upload| UploadRow {
                look_href: look_href(&upload),
                name: upload.name.clone(),
                stream: upload.stream.clone(),
                size: format::bytes(upload.size_bytes.unsigned_abs()),
                state: match upload.state.as_str() {
                    UPLOAD_WAITING => Badge::new("waits for the next sync", Tone::Active),
                    UPLOAD_REFUSED => Badge::new("set aside", Tone::Bad),
                    _ => Badge::new("imported", Tone::Good),
                },
                reason: upload.reason.clone(),
                retry: (upload.state == UPLOAD_REFUSED).then(|| {
                    PostAction::new("Try again", format!("/connections/{id}/uploads/{}/retry", upload.id))
                }),
                received_at: viewer.when(Instant(upload.received_at)),
                remove: (upload.state != UPLOAD_STAGED).then(|| {
                    PostAction::new("Take away", format!("/connections/{id}/uploads/{}/remove", upload.id))
                }),
            })
            .collect(),
    })
}

fn stream_row(viewer: &Viewer, stream: &portolan_db::entity::stream::Model) -> StreamRow {
    let when = |at: Option<i64>| -> Option<When> { viewer.when_us(at) };
    StreamRow {
        name: stream.name.clone(),
        state: if stream.enabled { Badge::new("on", Tone::Good) } else { Badge::new("off", Tone::Neutral) },
        schedule: match stream.cron.as_deref() {
            None => "when a file is uploaded".to_owned(),
            Some("0 */6 * * *") => "every 6 hours".to_owned(),
            Some(cron) => cron.to_owned(),
        },
        next_run: when(stream.next_run_at),
        watermark: when(stream.watermark_at),
        last_success: when(stream.last_success_at),
        documents: String::new(),
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct ActionForm {
    /// The connection's name, typed to confirm what cannot be undone.
    confirm: Option<String>,
}

pub async fn act_on_connection(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path((id, action)): Path<(ConnectionId, String)>,
    Form(form): Form<ActionForm>,
) -> PageResult {
    let here = format!("/connections/{id}");
    match action.as_str() {
        "sync" => {
            let sync = start_sync(&app, actor.tenant, actor.who(), id, Trigger::Manual).await?;
            Ok(redirect_after(&format!("/syncs/{sync}"), "sync-started"))
        }
        "pause" => {
            ops::set_state(&app, actor.tenant, actor.who(), id, ConnectionState::Paused).await?;
            Ok(redirect_after(&here, "connection-paused"))
        }
        "resume" => {
            ops::set_state(&app, actor.tenant, actor.who(), id, ConnectionState::Active).await?;
            Ok(redirect_after(&here, "connection-resumed"))
        }
        "check" => show_check(&app, &actor, id).await,
        "delete" => {
            remove::delete_connection(&app, actor.tenant, actor.who(), id, form.confirm.as_deref()).await?;
            Ok(redirect_after("/connections", "connection-deleted"))
        }
        _ => Err(AppError::not_found("action").into()),
    }
}

async fn show_check(app: &Arc<App>, actor: &Require<ConnectionsWrite>, id: ConnectionId) -> PageResult {
    let outcome = ops::check_connection(app, actor.tenant, actor.who(), id).await;
    let viewer = Viewer::load(app, actor).await?;
    let check = check_view(&viewer, outcome)?;
    let tx = app.db.read(actor.tenant).await?;
    let connection = ops::find_connection(&tx, id).await?;
    html(&page(app, &tx, &viewer, &connection, Some(check), &FlashQuery::default()).await?)
}

/// What a check saw, or why it saw nothing.
pub(super) fn check_view(viewer: &Viewer, outcome: AppResult<CheckReport>) -> AppResult<CheckView> {
    let when = Some(viewer.when(viewer.now()));
    match outcome {
        Ok(report) => Ok(check_passed(report, when)),
        Err(error) if error.status.is_server_error() && error.code == "internal" => Err(error),
        Err(error) => {
            let told =
                error.fields.iter().map(|field| Fact::new(field.path.as_str(), field.message.as_str()));
            let mut facts = vec![Fact::new("Why", error.detail.as_str())];
            facts.extend(told);
            Ok(CheckView { ok: false, title: "The check failed".to_owned(), facts, notes: Vec::new(), when })
        }
    }
}

fn check_passed(report: CheckReport, when: Option<When>) -> CheckView {
    let mut facts = vec![Fact::new("Account", report.account)];
    facts.extend(report.currency.map(|currency| Fact::new("Currency", currency.to_string())));
    facts.extend(report.time_zone.map(|zone| Fact::new("Time zone", zone)));
    CheckView {
        ok: true,
        title: format!("The channel answers as {}", report.display_name),
        facts,
        notes: report.notes,
        when,
    }
}
