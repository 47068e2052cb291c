//! Files that people give to a connection: unpacked, recognised when they come again, waiting for
//! the next sync.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use portolan_access::audit::{self, Who};
use portolan_core::id::new_uuid;
use portolan_core::{ConnectionId, Instant, TenantId};
use portolan_db::entity::{slice, upload};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use super::ops::{find_connection, plugin_of};
use crate::App;
use crate::channels::context::{UPLOAD_REFUSED, UPLOAD_STAGED, UPLOAD_WAITING};
use crate::ingest::unpack::{LARGEST_FILE_BYTES, UnpackError, Unpacked, unpack};
use crate::web::error::{AppError, AppResult};

/// A file on this machine's disk, about to be taken in.
#[derive(Debug, Clone)]
pub struct NewUpload {
    pub stream: String,
    pub name: String,
    pub content_type: String,
    /// As it came, maybe packed. It stays where it is.
    pub path: PathBuf,
}

/// Unpacks a file into the data folder and leaves it waiting for the next sync. One that was set aside may come
/// again.
///
/// Errors: a file that is damaged, too large, or was taken in before.
pub async fn take_file(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    connection: ConnectionId,
    new: NewUpload,
) -> AppResult<upload::Model> {
    let tx = app.db.read(tenant).await?;
    let row = find_connection(&tx, connection).await?;
    drop(tx);
    let plugin = plugin_of(app, &row)?;
    let need = plugin.manifest.files.iter().find(|need| need.stream == new.stream);
    let Some(need) = need else {
        return Err(AppError::invalid("stream", "This connection takes no files for that stream."));
    };
    check_ending(&need.extensions, &new.name)?;
    let limit_bytes = need.largest_bytes.unwrap_or(LARGEST_FILE_BYTES).min(LARGEST_FILE_BYTES);
    let id = new_uuid(&*app.clock, &*app.random);
    let path = PathBuf::from("uploads").join(tenant.to_string()).join(id.to_string());
    let destination = app.data_dir.join(&path);
    let unpacked = unpack_into(new.path.clone(), destination.clone(), limit_bytes).await;
    let stored = match unpacked {
        Ok(unpacked) => store(app, tenant, who, connection, &new, id, &path, unpacked).await,
        Err(error) => Err(error),
    };
    match stored {
        Ok(stored) => {
            if let Some(replaced) = stored.replaced {
                remove_file(&app.data_dir.join(replaced)).await;
            }
            Ok(stored.upload)
        }
        Err(error) => {
            remove_file(&destination).await;
            Err(error)
        }
    }
}

/// What a file may end in beside what the connection reads: it is unpacked on the way in.
pub const PACKED: [&str; 2] = [".gz", ".xz"];

/// Whether a stream takes files that are named so. What is in them its plugin looks at.
fn check_ending(extensions: &[String], name: &str) -> AppResult<()> {
    let name = name.to_lowercase();
    let unpacked = PACKED.iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(&name);
    if extensions.is_empty() || extensions.iter().any(|ending| unpacked.ends_with(&ending.to_lowercase())) {
        return Ok(());
    }
    let endings = extensions.join(", ");
    let hint = match unpacked.rsplit_once('.') {
        Some((_, "xls" | "xlsx" | "xlsm" | "ods" | "numbers")) => " Save the workbook as CSV first.",
        _ => "",
    };
    Err(AppError::invalid(
        "file",
        format!("Choose a file that ends in {endings}, or in one of them and .gz or .xz, as .csv.gz.{hint}"),
    ))
}

/// A file that waits, and the path of the same one that had been set aside.
struct Stored {
    upload: upload::Model,
    replaced: Option<String>,
}

async fn unpack_into(source: PathBuf, destination: PathBuf, limit_bytes: u64) -> AppResult<Unpacked> {
    let work = move || {
        if let Some(folder) = destination.parent() {
            std::fs::create_dir_all(folder).map_err(UnpackError::Storage)?;
        }
        unpack(&source, &destination, limit_bytes)
    };
    let unpacked = tokio::task::spawn_blocking(work).await.map_err(AppError::internal)?;
    unpacked.map_err(|error| match error {
        UnpackError::TooLarge { .. } => AppError::too_large(format!("{error}.")),
        UnpackError::Damaged(_) => AppError::invalid("file", format!("{error}.")),
        UnpackError::Storage(cause) => AppError::storage(cause),
    })
}

#[expect(clippy::too_many_arguments, reason = "what is stored of a file, in one place")]
async fn store(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    connection: ConnectionId,
    new: &NewUpload,
    id: uuid::Uuid,
    path: &Path,
    unpacked: Unpacked,
) -> AppResult<Stored> {
    let received_at = app.clock.now().0;
    let (stream, name, content_type) = (new.stream.clone(), new.name.clone(), new.content_type.clone());
    let path = path.to_string_lossy().into_owned();
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let known = tx
                    .find::<upload::Entity>()
                    .filter(upload::Column::ConnectionId.eq(connection.0))
                    .filter(upload::Column::Stream.eq(stream.as_str()))
                    .filter(upload::Column::Sha256.eq(unpacked.sha256.as_str()))
                    .one(tx)
                    .await?;
                let last = tx.find::<upload::Entity>().order_by_desc(upload::Column::Number).one(tx).await?;
                // A sync may still be at work on a file that was taken away: its number names no other file.
                let read = tx
                    .find::<slice::Entity>()
                    .select_only()
                    .column_as(slice::Column::File.max(), "file")
                    .into_tuple::<Option<i64>>()
                    .one(tx)
                    .await?
                    .flatten();
                let last = last.map_or(0, |last| last.number).max(read.unwrap_or_default());
                let mut replaced = None;
                if let Some(known) = known.as_ref().filter(|known| known.state == UPLOAD_REFUSED) {
                    let refused = tx.delete_many::<upload::Entity>().filter(upload::Column::Id.eq(known.id));
                    refused.exec(tx).await?;
                    replaced = Some(known.path.clone());
                } else if let Some(known) = known {
                    return Err(AppError::conflict(format!(
                        "This file was taken in before, as {}. Nothing was imported twice.",
                        known.name
                    )));
                }
                let entry = who.did("upload.take", "upload", id).after(json!({
                    "connection_id": connection, "stream": stream,
                    "sha256": unpacked.sha256, "size_bytes": unpacked.size_bytes,
                }));
                audit::write(tx, Instant(received_at), entry);
                let row = upload::ActiveModel {
                    tenant_id: Set(tenant.0),
                    id: Set(id),
                    number: Set(last + 1),
                    connection_id: Set(connection.0),
                    stream: Set(stream),
                    name: Set(name),
                    content_type: Set(content_type),
                    size_bytes: Set(unpacked.size_bytes as i64),
                    sha256: Set(unpacked.sha256),
                    path: Set(path),
                    state: Set(UPLOAD_WAITING.to_owned()),
                    received_at: Set(received_at),
                    reason: Set(None),
                };
                Ok(Stored { upload: tx.insert(row).await?, replaced })
            })
        })
        .await
}

/// Lets a file that was set aside wait again, with the age it had. The next sync reads it.
///
/// Errors: the file is unknown, or was not set aside.
pub async fn retry_refused(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    connection: ConnectionId,
    upload_id: Uuid,
) -> AppResult<()> {
    let now = app.clock.now();
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let retried = tx
                    .update_many::<upload::Entity>()
                    .col_expr(upload::Column::State, Expr::value(UPLOAD_WAITING))
                    .col_expr(upload::Column::Reason, Expr::value(None::<String>))
                    .filter(upload::Column::Id.eq(upload_id))
                    .filter(upload::Column::ConnectionId.eq(connection.0))
                    .filter(upload::Column::State.eq(UPLOAD_REFUSED))
                    .exec(tx)
                    .await?;
                if retried.rows_affected == 1 {
                    audit::write(tx, now, who.did("upload.retry", "upload", upload_id));
                    return Ok(());
                }
                let found = tx.find_by_id::<upload::Entity>(upload_id).await?;
                let found = found.filter(|found| found.connection_id == connection.0);
                Err(match found {
                    Some(_) => {
                        AppError::conflict("The file was not set aside: it waits, or its rows are imported.")
                    }
                    None => AppError::not_found("file"),
                })
            })
        })
        .await
}

/// Forgets a file that still waits or was set aside; the same file may then be uploaded again.
///
/// Errors: the file is unknown, or its rows are imported already.
pub async fn remove_waiting(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    connection: ConnectionId,
    upload_id: Uuid,
) -> AppResult<()> {
    let now = app.clock.now();
    let path = app
        .db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let found = tx.find_by_id::<upload::Entity>(upload_id).await?;
                let found = found.filter(|found| found.connection_id == connection.0);
                let found = found.ok_or_else(|| AppError::not_found("file"))?;
                let removed = tx
                    .delete_many::<upload::Entity>()
                    .filter(upload::Column::Id.eq(upload_id))
                    .filter(upload::Column::State.ne(UPLOAD_STAGED))
                    .exec(tx)
                    .await?;
                if removed.rows_affected == 0 {
                    return Err(AppError::conflict("The file is imported already: its rows stay."));
                }
                let gone = json!({ "stream": found.stream, "sha256": found.sha256 });
                audit::write(tx, now, who.did("upload.remove", "upload", upload_id).before(gone));
                Ok(found.path)
            })
        })
        .await?;
    remove_file(&app.data_dir.join(path)).await;
    Ok(())
}

async fn remove_file(path: &Path) {
    if let Err(error) = tokio::fs::remove_file(path).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "failed to remove an unpacked file");
    }
}
