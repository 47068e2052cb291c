//! Can everything that is kept be read? Secrets open, parts are what was written, plugins load.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use portolan_access::{ColumnReport, examine as examine_sealed, examine_house};
use portolan_core::{TenantId, hex};
use portolan_db::TenantTx;
use portolan_db::entity::{connection, fact_part};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::App;
use crate::audit;
use crate::channels::build_of_connection;
use crate::people::all_tenants;
use crate::web::error::{AppError, AppResult};

/// One thing that was examined.
#[derive(Debug)]
pub struct Finding {
    pub what: String,
    pub count: usize,
    /// What there is to know beside the number.
    pub detail: Option<String>,
    /// What is wrong and what to do; absent where nothing is.
    pub problem: Option<String>,
}

/// Reads everything of every tenant.
pub async fn examine(app: &App) -> AppResult<Vec<Finding>> {
    app.db.ping().await?;
    let mut findings = vec![Finding { what: "database".to_owned(), count: 1, detail: None, problem: None }];
    let of_the_house = examine_house(&app.key_ring, &app.db.system_read().await?).await?;
    findings.extend(of_the_house.into_iter().map(|report| sealed_finding(report, "people")));
    for tenant in all_tenants(app).await? {
        let tx = app.db.read(TenantId(tenant.id)).await?;
        let sealed = examine_sealed(&app.key_ring, &tx).await?;
        findings.extend(sealed.into_iter().map(|report| sealed_finding(report, &tenant.slug)));
        findings.push(examine_parts(app, &tx, &tenant.slug).await?);
        findings.push(examine_plugins(app, &tx, &tenant.slug).await?);
        findings.push(examine_settings(app, &tx, &tenant.slug).await?);
        findings.push(examine_audit(app, TenantId(tenant.id), &tenant.slug).await?);
    }
    Ok(findings)
}

/// How many rows that do not open, or fields that nobody declares, are named.
const NAMED: usize = 10;

fn sealed_finding(report: ColumnReport, slug: &str) -> Finding {
    let keys: Vec<String> = report.by_key.iter().map(|(key, count)| format!("{key}: {count}")).collect();
    let keys = if keys.is_empty() { String::new() } else { format!("; {}", keys.join(", ")) };
    let problem = (!report.closed.is_empty()).then(|| {
        let named: Vec<String> =
            report.closed.iter().take(NAMED).map(|(row, error)| format!("{row}: {error}")).collect();
        let more = match report.closed.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let open = format!("{} of {} open{keys}", report.readable, report.total);
        format!("{open}. {}{more}. What cannot be restored has to be entered again", named.join("; "))
    });
    Finding {
        what: format!("{slug}: sealed {}.{}", report.table, report.column),
        count: usize::try_from(report.total).unwrap_or(usize::MAX),
        detail: Some(format!("{} readable{keys}", report.readable)),
        problem,
    }
}

async fn examine_audit(app: &App, tenant: TenantId, slug: &str) -> AppResult<Finding> {
    let found = audit::ops::verify(app, tenant, app.audit_anchors.as_deref()).await?;
    Ok(Finding {
        what: format!("{slug}: audit"),
        count: usize::try_from(found.events).unwrap_or_default(),
        detail: found.anchored_seq.map(|seq| format!("signed up to {seq}")),
        problem: found.broken.map(|broken| format!("{broken}. Compare with a backup from before")),
    })
}

async fn examine_parts(app: &App, tx: &TenantTx, slug: &str) -> AppResult<Finding> {
    let parts = tx.find::<fact_part::Entity>().all(tx).await?;
    let count = parts.len();
    let folder = app.data_dir.join("parts");
    let damaged = move || parts.into_iter().filter(|part| !is_whole(&folder, part)).collect::<Vec<_>>();
    let damaged = tokio::task::spawn_blocking(damaged).await.map_err(AppError::internal)?;
    let problem = (!damaged.is_empty()).then(|| {
        let paths: Vec<&str> = damaged.iter().take(NAMED).map(|part| part.path.as_str()).collect();
        let more = match damaged.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let count = damaged.len();
        format!("{count} files are gone or damaged: restore the folder parts ({}{more})", paths.join(", "))
    });
    Ok(Finding { what: format!("{slug}: ledger parts"), count, detail: None, problem })
}

/// Whether a part is there, byte for byte as it was written.
fn is_whole(folder: &Path, part: &fact_part::Model) -> bool {
    let digest = |mut file: File| {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok::<_, io::Error>(hasher.finalize()),
                length => hasher.update(&buffer[..length]),
            }
        }
    };
    let digest = File::open(folder.join(&part.path)).and_then(digest);
    digest.is_ok_and(|digest| hex(&digest) == part.sha256)
}

async fn examine_plugins(app: &App, tx: &TenantTx, slug: &str) -> AppResult<Finding> {
    let connections = tx.find::<connection::Entity>().all(tx).await?;
    let missing: Vec<String> = connections
        .iter()
        .filter(|connection| build_of_connection(app, connection).is_none())
        .map(|connection| format!("{} (for {})", connection.plugin_id, connection.label))
        .collect();
    let problem = (!missing.is_empty()).then(|| {
        format!("not installed: {}. Install with: portolan plugin install FILE", missing.join(", "))
    });
    Ok(Finding {
        what: format!("{slug}: plugins of connections"),
        count: connections.len(),
        detail: None,
        problem,
    })
}

/// Settings of before undeclared fields were refused, or of another build. They keep working, so nothing is
/// broken; but one may be a secret under a wrong name, which rests in clear.
async fn examine_settings(app: &App, tx: &TenantTx, slug: &str) -> AppResult<Finding> {
    let connections = tx.find::<connection::Entity>().all(tx).await?;
    let mut undeclared = Vec::new();
    for connection in &connections {
        let Some(build) = build_of_connection(app, connection) else { continue };
        let config: Value = serde_json::from_str(&connection.config).map_err(AppError::internal)?;
        let fields = build.manifest.undeclared_fields(&config);
        undeclared.extend(fields.iter().map(|field| format!("{} of {}", field.path, connection.label)));
    }
    let more = match undeclared.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    undeclared.truncate(NAMED);
    let detail = (!undeclared.is_empty()).then(|| {
        format!(
            "no field of its plugin, and in clear: {}{more}. Save the connection's settings once to drop it, and change whatever secret it held",
            undeclared.join(", ")
        )
    });
    Ok(Finding {
        what: format!("{slug}: settings of connections"),
        count: connections.len(),
        detail,
        problem: None,
    })
}
