//! Receiving a file from a browser.

use std::sync::Arc;

use axum::extract::multipart::Field;
use axum::extract::{Multipart, State};
use portolan_core::ConnectionId;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use super::ops::find_connection;
use super::passing::PassingFile;
use super::uploads::{NewUpload, remove_waiting, retry_refused, take_file};
use crate::App;
use crate::syncs::ops::{Trigger, start_sync};
use crate::web::actor::{ConnectionsWrite, PageActor};
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::Path;
use crate::web::viewer::redirect_after;

const LONGEST_NAME_BYTES: usize = 256;

/// Takes the file in and starts the sync that imports it, unless its columns are to be looked at first.
pub async fn upload_file(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path(id): Path<ConnectionId>,
    mut form: Multipart,
) -> PageResult {
    let tx = app.db.read(actor.tenant).await?;
    find_connection(&tx, id).await?;
    drop(tx);
    let passing = PassingFile::new(&app).await?;
    let received = receive(&mut form, passing.path()).await?;
    let upload = take_file(&app, actor.tenant, actor.who(), id, received.file).await?;
    if received.look_first {
        return Ok(redirect_after(&format!("/connections/{id}/mapping/{}", upload.stream), "file-waits"));
    }
    let sync = start_sync(&app, actor.tenant, actor.who(), id, Trigger::Upload).await?;
    Ok(redirect_after(&format!("/syncs/{sync}"), "file-taken"))
}

/// Takes away a file that still waits, so that it no longer stands before others.
pub async fn remove_upload(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path((id, upload_id)): Path<(ConnectionId, Uuid)>,
) -> PageResult {
    remove_waiting(&app, actor.tenant, actor.who(), id, upload_id).await?;
    Ok(redirect_after(&format!("/connections/{id}"), "file-removed"))
}

/// Tries a file again that was set aside, for example after its mapping was mended.
pub async fn retry_upload(
    PageActor(actor): PageActor<ConnectionsWrite>,
    State(app): State<Arc<App>>,
    Path((id, upload_id)): Path<(ConnectionId, Uuid)>,
) -> PageResult {
    retry_refused(&app, actor.tenant, actor.who(), id, upload_id).await?;
    let sync = start_sync(&app, actor.tenant, actor.who(), id, Trigger::Upload).await?;
    Ok(redirect_after(&format!("/syncs/{sync}"), "sync-started"))
}

/// A file, and whether its columns are to be looked at before it is imported.
struct Received {
    file: NewUpload,
    look_first: bool,
}

async fn receive(form: &mut Multipart, path: &std::path::Path) -> AppResult<Received> {
    let mut look_first = false;
    let mut stream = None;
    let mut file = None;
    while let Some(field) = form.next_field().await.map_err(broken_form)? {
        match field.name() {
            Some("stream") => stream = Some(short_text(field).await?),
            Some("then") => look_first = short_text(field).await? == "map",
            Some("file") => {
                let name = field.file_name().unwrap_or_default().to_owned();
                let content_type = field.content_type().unwrap_or("application/octet-stream").to_owned();
                store(field, path).await?;
                file = Some((name, content_type));
            }
            _ => {}
        }
    }
    let stream = stream.ok_or_else(|| AppError::invalid("stream", "Say what the file holds."))?;
    let (name, content_type) = file
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| AppError::invalid("file", "Choose a file."))?;
    Ok(Received { file: NewUpload { stream, name, content_type, path: path.to_owned() }, look_first })
}

/// A field that names something.
async fn short_text(mut field: Field<'_>) -> AppResult<String> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(broken_form)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > LONGEST_NAME_BYTES {
            return Err(AppError::invalid("stream", "Choose one of the offered streams."));
        }
    }
    String::from_utf8(bytes).map_err(|_| AppError::invalid("stream", "Choose one of the offered streams."))
}

async fn store(mut field: Field<'_>, path: &std::path::Path) -> AppResult<()> {
    let mut file = tokio::fs::File::create(path).await.map_err(AppError::storage)?;
    while let Some(piece) = field.chunk().await.map_err(broken_form)? {
        file.write_all(&piece).await.map_err(AppError::storage)?;
    }
    file.flush().await.map_err(AppError::storage)
}

fn broken_form(error: axum::extract::multipart::MultipartError) -> AppError {
    if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        return AppError::too_large("The file is larger than 512 MiB. Pack it as .gz or .xz, or split it.");
    }
    AppError::bad_request(format!("The upload broke off: {}. Send it again.", error.body_text()))
}
