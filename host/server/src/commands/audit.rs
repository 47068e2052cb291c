//! `portolan audit`: who did what, and whether that was changed since.

use std::path::Path;

use anyhow::{Result, bail};
use portolan_access::audit::Verification;
use portolan_app::audit::ops::verify;
use portolan_app::people::{all_tenants, find_tenant};
use portolan_core::TenantId;

use super::print_line;
use super::user::sentence;
use crate::cli::AuditCommand;
use crate::wire::Portolan;

pub async fn run(command: AuditCommand) -> Result<()> {
    let AuditCommand::Verify { place, anchors, tenant } = command;
    let file = anchors.or_else(|| place.audit_anchors.clone());
    if let Some(missing) = file.as_deref().filter(|file| !file.exists()) {
        bail!("there is no file of anchors at {}", missing.display());
    }
    let portolan = Portolan::open(&place).await?;
    let mut tenants = all_tenants(&portolan.app).await.map_err(sentence)?;
    if tenant.is_some() {
        let only = find_tenant(&portolan.app, tenant.as_deref()).await.map_err(sentence)?;
        tenants.retain(|tenant| tenant.id == only.0);
    }
    let mut broken = 0;
    for tenant in tenants {
        let found = verify(&portolan.app, TenantId(tenant.id), file.as_deref()).await.map_err(sentence)?;
        broken += usize::from(found.broken.is_some());
        print_line(&format!("{}: {}", tenant.slug, told(&found, file.as_deref())))?;
    }
    if broken > 0 {
        bail!(
            "{broken} audits do not hold. Keep a copy of the database and of the file of anchors as they are, and compare \
             with a backup from before"
        );
    }
    Ok(())
}

fn told(found: &Verification, file: Option<&Path>) -> String {
    let keys = found.public_keys.join(", ");
    let signed = match found.anchored_seq {
        Some(seq) => format!("signed up to event {seq} by {keys}, {} anchors met", found.anchors),
        None => "nothing signed yet".to_owned(),
    };
    let elsewhere = if file.is_some() { "" } else { " (of the database alone: no file was given)" };
    match &found.broken {
        None => format!("holds, {} events, {signed}{elsewhere}", found.events),
        Some(broken) => format!("BROKEN, {broken}; {} events before it hold", found.events),
    }
}
