//! Looking at the whole chain, and the anchors that are kept in a file.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use portolan_access::audit::{self, Anchor, Verification};
use portolan_core::TenantId;

use crate::App;
use crate::web::error::{AppError, AppResult};

/// Walks the tenant's chain, against the anchors in the database and in the operator's file, where there is one.
pub async fn verify(app: &App, tenant: TenantId, file: Option<&Path>) -> AppResult<Verification> {
    let elsewhere = match file {
        Some(file) => read_anchors(file.to_owned()).await?,
        None => Vec::new(),
    };
    let tx = app.db.read(tenant).await?;
    let found = audit::verify(&tx, &app.key_ring, &elsewhere).await?;
    if let Some(broken) = &found.broken {
        tracing::error!(tenant.id = %tenant, %broken, "the audit does not hold");
    }
    Ok(found)
}

/// The anchors of all tenants in a file; none while there is no file.
pub async fn read_anchors(file: PathBuf) -> AppResult<Vec<Anchor>> {
    let name = file.display().to_string();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(file));
    let text = match read.await.map_err(AppError::internal)? {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            let detail = "The file of audit anchors cannot be read. Whoever runs the server finds out why.";
            return Err(AppError::unavailable(detail, format!("{name}: {error}")));
        }
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            Anchor::parse(line).ok_or_else(|| {
                let detail = format!(
                    "Line {} of the file of audit anchors is none: it was changed, or a disk was full. Keep a copy of \
                     the file, take the line out, and verify again.",
                    number + 1
                );
                AppError::conflict(detail)
            })
        })
        .collect()
}

/// Adds an anchor to the file, on the disk before this ends.
pub async fn append_anchor(file: PathBuf, anchor: &Anchor) -> std::io::Result<()> {
    let line = format!("{}\n", anchor.to_line());
    let work = move || {
        let mut file = std::fs::File::options().append(true).create(true).open(file)?;
        file.write_all(line.as_bytes())?;
        file.sync_all()
    };
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}
