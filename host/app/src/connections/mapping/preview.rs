//! What the first rows of a file would become: the plugin's own `fetch` and `normalize`, in its sandbox, of the
//! beginning of the file alone. Nothing is stored.

use std::path::Path;
use std::sync::Arc;

use portolan_commerce::document::{Document, Skipped};
use portolan_connector::{
    ConnectionContext, FetchRequest, InstalledPlugin, NormalizeRequest, SliceMode, SliceSpec, StagedFile,
};
use portolan_core::{ConnectionId, Duration, TenantId};
use serde_json::Value;

use super::sniff::whole_lines;
use crate::App;
use crate::connections::passing::PassingFile;
use crate::ingest::stage::{StageError, cut_page, unpack_body};
use crate::web::error::{AppError, AppResult};

/// How long the plugin may look.
const DEADLINE: Duration = Duration::from_secs(10);
/// The one file of the call.
const FILE_ID: u64 = 1;

/// The documents of a file's beginning, and the rows that would be put aside.
#[derive(Debug, Default)]
pub struct Preview {
    pub documents: Vec<Document>,
    pub skipped: Vec<Skipped>,
    /// How many rows were read.
    pub rows: u32,
}

/// The connection as it would be with the mapping.
pub struct Draft<'a> {
    pub tenant: TenantId,
    pub connection: ConnectionId,
    pub plugin: &'a InstalledPlugin,
    pub config: &'a Value,
    pub time_zone: &'a str,
    pub stream: &'a str,
    pub file_name: &'a str,
}

/// Reads the beginning of a file by a mapping that is not stored yet.
///
/// Errors: the fields that the plugin does not accept for this file; what is wrong with the file.
pub async fn preview(app: &Arc<App>, draft: &Draft<'_>, head: &[u8]) -> AppResult<Preview> {
    let passing = PassingFile::new(app).await?;
    let head = whole_lines(head);
    tokio::fs::write(passing.path(), head).await.map_err(AppError::storage)?;
    read(app, draft, passing.path(), head.len()).await
}

async fn read(app: &Arc<App>, draft: &Draft<'_>, path: &Path, size: usize) -> AppResult<Preview> {
    let now = app.clock.now();
    let file = StagedFile {
        id: FILE_ID,
        stream: draft.stream.to_owned(),
        name: draft.file_name.to_owned(),
        size_bytes: size as u64,
        content_type: "text/csv".to_owned(),
        received_at: now,
        path: path.to_owned(),
    };
    let config: Arc<str> = draft.config.to_string().into();
    let request = FetchRequest {
        connection: ConnectionContext {
            tenant: draft.tenant,
            id: draft.connection,
            config: Arc::clone(&config),
            secrets: Vec::new(),
            egress_grants: Vec::new(),
            time_zone: draft.time_zone.to_owned(),
            files: vec![file.clone()],
        },
        slice: SliceSpec {
            stream: draft.stream.to_owned(),
            partition: None,
            since: None,
            until: None,
            mode: SliceMode::Snapshot,
        },
        token: None,
        now,
        deadline: now + DEADLINE,
    };
    let plugin = &draft.plugin.plugin;
    let page = app.runtime.fetch(plugin, request).await?;
    let limits = draft.plugin.manifest.limits.clone();
    let cut = tokio::task::spawn_blocking(move || cut_page(page, &[file], &limits, None)).await;
    let cut = cut.map_err(AppError::internal)?.map_err(|error| match error {
        StageError::Storage(error) => AppError::storage(error),
        other => AppError::invalid("file", format!("{other}.")),
    })?;
    let mut preview = Preview::default();
    for chunk in cut.chunks {
        let request = NormalizeRequest {
            info: chunk.info,
            body: unpack_body(&chunk.body).map_err(AppError::internal)?.into(),
            config: Arc::clone(&config),
            time_zone: draft.time_zone.to_owned(),
            received_at: now,
        };
        let normalized = app.runtime.normalize(plugin, request).await?;
        preview.rows += normalized.seen;
        preview.documents.extend(normalized.documents);
        preview.skipped.extend(normalized.skipped);
    }
    Ok(preview)
}
