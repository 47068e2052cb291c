//! Can everything that is kept be read? Secrets open, parts exist, plugins load.

use portolan_access::SealedCell;
use portolan_core::{ConnectionId, TenantId};
use portolan_db::TenantTx;
use portolan_db::entity::{connection, connection_secret, fact_part};

use crate::App;
use crate::channels::build_of_connection;
use crate::channels::context::{SECRET_COLUMN, SECRET_TABLE, secret_row};
use crate::people::all_tenants;
use crate::web::error::AppResult;

/// One thing that was examined.
#[derive(Debug)]
pub struct Finding {
    pub what: String,
    pub count: usize,
    /// What is wrong and what to do; absent where nothing is.
    pub problem: Option<String>,
}

/// Reads everything of every tenant.
pub async fn examine(app: &App) -> AppResult<Vec<Finding>> {
    app.db.ping().await?;
    let mut findings = vec![Finding { what: "database".to_owned(), count: 1, problem: None }];
    for tenant in all_tenants(app).await? {
        let tx = app.db.read(TenantId(tenant.id)).await?;
        findings.push(examine_secrets(app, &tx, &tenant.slug).await?);
        findings.push(examine_parts(app, &tx, &tenant.slug).await?);
        findings.push(examine_plugins(app, &tx, &tenant.slug).await?);
    }
    Ok(findings)
}

async fn examine_secrets(app: &App, tx: &TenantTx, slug: &str) -> AppResult<Finding> {
    let secrets = tx.find::<connection_secret::Entity>().all(tx).await?;
    let mut closed = Vec::new();
    for secret in &secrets {
        let row = secret_row(ConnectionId(secret.connection_id), &secret.field);
        let cell = SealedCell { table: SECRET_TABLE, column: SECRET_COLUMN, tenant: tx.tenant(), row: &row };
        if app.key_ring.open(cell, &secret.sealed).is_err() {
            closed.push(row);
        }
    }
    let problem = (!closed.is_empty()).then(|| {
        format!(
            "{} do not open with this master key: restore the right master.key, or enter them again",
            closed.join(", ")
        )
    });
    Ok(Finding { what: format!("{slug}: sealed secrets"), count: secrets.len(), problem })
}

async fn examine_parts(app: &App, tx: &TenantTx, slug: &str) -> AppResult<Finding> {
    let parts = tx.find::<fact_part::Entity>().all(tx).await?;
    let folder = app.data_dir.join("parts");
    let missing: Vec<&str> =
        parts.iter().map(|part| part.path.as_str()).filter(|path| !folder.join(path).is_file()).collect();
    let problem = (!missing.is_empty()).then(|| {
        format!("{} files are gone: restore the folder parts ({})", missing.len(), missing.join(", "))
    });
    Ok(Finding { what: format!("{slug}: ledger parts"), count: parts.len(), problem })
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
    Ok(Finding { what: format!("{slug}: plugins of connections"), count: connections.len(), problem })
}
