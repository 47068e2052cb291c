//! Choosing the columns of a file: what its beginning looks like, a first mapping, and what its rows would
//! become. The mapping that is saved here is the stream's part of the connection's settings.

mod boxes;
mod page;
mod preview;
mod shapes;
mod sniff;
mod suggest;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use portolan_admin_ui::pages::ConnectionMappingPage;
use portolan_admin_ui::parts::{Link, Notice, Tone};
use portolan_connector::manifest::StreamMode;
use portolan_connector::{FieldError, Manifest};
use portolan_core::{ConnectionId, TenantId};
use portolan_db::entity::{connection, upload};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use uuid::Uuid;

use self::page::MappingForm;
use self::sniff::HEAD_BYTES;
use super::change::{ConnectionChange, change_connection, revision};
use super::form::schema::Node;
use super::form::{Typed, read_config};
use super::uploads::retry_refused;
use super::{ops, queries};
use crate::App;
use crate::channels::context::UPLOAD_REFUSED;
use crate::syncs::ops::{Trigger, start_sync};
use crate::web::actor::{ConnectionsWrite, PageActor};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::html;
use crate::web::viewer::{Viewer, redirect_after};

/// Where the columns of each kind of file are chosen: for streams whose columns the plugin lets a person map.
pub fn links(connection: &connection::Model, manifest: &Manifest) -> Vec<Link> {
    let streams = manifest.streams.iter().filter(|stream| has_mapping(manifest, &stream.name));
    let link = |name: &str| {
        let href = format!("/connections/{}/mapping/{name}", connection.id);
        Link::new(format!("Choose the columns of {name} from a file"), href)
    };
    streams.map(|stream| link(&stream.name)).collect()
}

/// Whether the config has a part for this stream's files in which fields name columns.
pub fn has_mapping(manifest: &Manifest, stream: &str) -> bool {
    let of_files = manifest.stream(stream).is_some_and(|stream| stream.mode == StreamMode::Files);
    let part = manifest.config.pointer(&format!("/properties/{stream}"));
    of_files && part.is_some_and(|part| part.to_string().contains("\"x-file\":\"column\""))
}

/// The schema of one stream's part alone, as the whole of a form.
fn part_schema(manifest: &Manifest, stream: &str) -> Value {
    let part = manifest.config.pointer(&format!("/properties/{stream}")).cloned().unwrap_or_default();
    json!({
        "type": "object", "properties": { stream: part }, "required": [stream],
        "$defs": manifest.config.get("$defs").cloned().unwrap_or_default()
    })
}

#[derive(Debug, Default, Deserialize)]
pub struct MappingQuery {
    /// The upload to look at.
    file: Option<Uuid>,
}

/// The beginning of what is looked at.
pub struct Sample {
    upload: Option<upload::Model>,
    name: String,
    pasted: String,
    head: Vec<u8>,
}

impl Sample {
    fn pasted(text: String) -> Self {
        let mut head = text.clone().into_bytes();
        head.truncate(HEAD_BYTES);
        Self { upload: None, name: "pasted lines".to_owned(), pasted: text, head }
    }

    /// Reads the beginning of a waiting file, and nothing else of it.
    async fn of_upload(app: &App, upload: upload::Model) -> AppResult<Self> {
        let mut head = Vec::new();
        let file = tokio::fs::File::open(app.data_dir.join(&upload.path)).await.map_err(AppError::storage)?;
        file.take(HEAD_BYTES as u64).read_to_end(&mut head).await.map_err(AppError::storage)?;
        Ok(Self { name: upload.name.clone(), upload: Some(upload), pasted: String::new(), head })
    }
}

pub async fn show_mapping(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path((id, stream)): Path<(ConnectionId, String)>,
    Query(query): Query<MappingQuery>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let form = load(&app, actor.tenant, id, &stream).await?;
    let upload = match query.file {
        Some(file) => Some(form.upload(file).ok_or_else(|| AppError::not_found("file"))?),
        None => form.waiting.first().cloned(),
    };
    let Some(upload) = upload else { return html(&form.empty_page(&viewer)) };
    let sample = Sample::of_upload(&app, upload).await?;
    suggested_page(&app, &viewer, &form, &sample).await
}

pub async fn submit_mapping(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path((id, stream)): Path<(ConnectionId, String)>,
    Form(sent): Form<BTreeMap<String, String>>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let form = load(&app, actor.tenant, id, &stream).await?;
    let mut typed = Typed::sent(sent);
    let pasted = typed.text("pasted");
    let file = typed.get("file").and_then(|file| file.parse::<Uuid>().ok());
    let sample = match file.and_then(|file| form.upload(file)) {
        Some(upload) => Sample::of_upload(&app, upload).await?,
        None if !pasted.trim().is_empty() => Sample::pasted(pasted),
        None => {
            let page = form.empty_page(&viewer);
            let told = Notice::new(
                Tone::Warn,
                "Nothing to look at",
                "The file no longer waits, or no lines were pasted.",
            );
            let page = ConnectionMappingPage { notice: Some(told), ..page };
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response());
        }
    };
    let then = typed.text("then");
    if then == "suggest" {
        return suggested_page(&app, &viewer, &form, &sample).await;
    }
    form.take_dropped_columns(&mut typed, &sample.head);
    if typed.press_list_button().is_some() {
        let page = form.page(&viewer, &sample, &typed, &[]);
        return html(&ConnectionMappingPage { revision: typed.text("revision"), ..page });
    }
    let part = match read_config(&form.schema, &mut typed) {
        Ok(mut config) => config.get_mut(&stream).map(Value::take).unwrap_or_else(|| json!({})),
        Err(errors) => return refused(&form, &viewer, &sample, &typed, &errors),
    };
    let mut config = form.config();
    config[&stream] = part;
    if then != "save" && then != "import" {
        return looked_at(&app, &viewer, &form, &sample, &typed, &config).await;
    }
    let change = ConnectionChange {
        revision: typed.text("revision"),
        config: Some(config),
        ..ConnectionChange::default()
    };
    if let Err(error) = change_connection(&app, actor.tenant, actor.who(), id, change).await {
        if error.status == StatusCode::UNPROCESSABLE_ENTITY {
            return refused(&form, &viewer, &sample, &typed, &error.fields);
        }
        if ![StatusCode::CONFLICT, StatusCode::PRECONDITION_FAILED].contains(&error.status) {
            return Err(error.into());
        }
        let mut page = form.page(&viewer, &sample, &typed, &[]);
        // With the newer one, saving again would overwrite what somebody else saved and nobody saw here.
        page.revision = typed.text("revision");
        page.notice = Some(Notice::new(Tone::Warn, "Not saved", error.detail));
        return Ok((StatusCode::CONFLICT, html(&page)?).into_response());
    }
    if then == "import" {
        if let Some(refused) = sample.upload.as_ref().filter(|upload| upload.state == UPLOAD_REFUSED) {
            retry_refused(&app, actor.tenant, actor.who(), id, refused.id).await?;
        }
        let sync = start_sync(&app, actor.tenant, actor.who(), id, Trigger::Upload).await?;
        return Ok(redirect_after(&format!("/syncs/{sync}"), "file-taken"));
    }
    Ok(redirect_after(&format!("/connections/{id}"), "mapping-saved"))
}

/// Everything that the page needs beside the file.
async fn load(app: &App, tenant: TenantId, id: ConnectionId, stream: &str) -> AppResult<MappingForm> {
    let tx = app.db.read(tenant).await?;
    let connection = ops::find_connection(&tx, id).await?;
    let plugin = ops::plugin_of(app, &connection)?;
    if !has_mapping(&plugin.manifest, stream) {
        return Err(AppError::not_found("mapping"));
    }
    Ok(MappingForm {
        schema: part_schema(&plugin.manifest, stream),
        revision: revision(&connection),
        waiting: queries::waiting_uploads(&tx, id, stream).await?,
        stream: stream.to_owned(),
        connection,
        plugin,
    })
}

/// The mapping that is stored where the file has its columns, else a suggestion; with what it makes of the file.
async fn suggested_page(app: &Arc<App>, viewer: &Viewer, form: &MappingForm, sample: &Sample) -> PageResult {
    let dialect = sniff::dialect(&sample.head);
    let head = sniff::read_head(sniff::whole_lines(&sample.head), dialect);
    let (mut typed, notes) = match form.stored_for(&head) {
        Some(stored) => (stored, Vec::new()),
        None => {
            let part = Node::root(&form.schema).properties();
            let node = part.first().ok_or_else(|| AppError::not_found("mapping"))?.node;
            let suggestion =
                suggest::suggest(node, &form.stream, &head, dialect, &viewer.tenant.reporting_currency);
            (suggestion.typed, suggestion.notes)
        }
    };
    let mut page = match read_config(&form.schema, &mut typed) {
        Ok(mut part) => {
            let mut config = form.config();
            config[&form.stream] = part.get_mut(&form.stream).map(Value::take).unwrap_or_else(|| json!({}));
            form.page_with_preview(app, viewer, sample, &typed, &config).await?
        }
        Err(errors) => form.page(viewer, sample, &typed, &errors),
    };
    page.notes = notes;
    html(&page)
}

async fn looked_at(
    app: &Arc<App>,
    viewer: &Viewer,
    form: &MappingForm,
    sample: &Sample,
    typed: &Typed,
    config: &Value,
) -> PageResult {
    let mut page = form.page_with_preview(app, viewer, sample, typed, config).await?;
    page.revision = typed.text("revision");
    html(&page)
}

fn refused(
    form: &MappingForm,
    viewer: &Viewer,
    sample: &Sample,
    typed: &Typed,
    errors: &[FieldError],
) -> PageResult {
    let mut page = form.page(viewer, sample, typed, errors);
    page.revision = typed.text("revision");
    Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)?).into_response())
}
