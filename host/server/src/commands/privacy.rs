//! `portolan privacy`: what is stored of a customer, and forgetting them.

use anyhow::{Context, Result, bail};
use portolan_access::audit::Who;
use portolan_analytics::Visibility;
use portolan_app::people::find_tenant;
use portolan_app::privacy::ops::{Ask, ask, find_request, list_requests, take_export};
use portolan_core::{Instant, TenantId};
use portolan_db::entity::privacy_request::{self, PrivacyKind, PrivacySource, PrivacyState};
use uuid::Uuid;

use super::print_line;
use super::user::sentence;
use super::work::{find_connection, work_until};
use crate::cli::{Place, PrivacyCommand};
use crate::wire::Portolan;

const MOST_LISTED: u64 = 500;

pub async fn run(command: PrivacyCommand) -> Result<()> {
    match command {
        PrivacyCommand::List { place, tenant } => {
            let portolan = Portolan::open(&place).await?;
            let tenant = find_tenant(&portolan.app, tenant.as_deref()).await.map_err(sentence)?;
            let tx = portolan.app.db.read(tenant).await?;
            let seen = Visibility::everything();
            for row in list_requests(&tx, &seen, None, MOST_LISTED).await.map_err(sentence)? {
                let due = Instant(row.due_at).to_rfc3339();
                let (state, kind, source) = (row.state.as_str(), row.kind.as_str(), row.source.as_str());
                print_line(&format!(
                    "{}\t{state}\t{kind}\t{source}\t{}\tdue {due}",
                    row.id, row.connection_id
                ))?;
            }
            Ok(())
        }
        PrivacyCommand::Export { place, connection, customer } => {
            let (portolan, row) = done(&place, &connection, customer, PrivacyKind::Export).await?;
            let seen = Visibility::everything();
            let tenant = TenantId(row.tenant_id);
            let json = take_export(&portolan.app, tenant, Who::operator(), seen, row.id).await;
            let json = String::from_utf8(json.map_err(sentence)?)?;
            print_line(&json)
        }
        PrivacyCommand::Erase { place, connection, customer, confirm } => {
            if confirm != customer {
                bail!("--confirm has to name the same customer");
            }
            done(&place, &connection, customer, PrivacyKind::Erase).await?;
            print_line("The customer is erased. Backups from before still know them.")
        }
    }
}

/// Asks, and works until it is done.
async fn done(
    place: &Place,
    connection: &str,
    customer_id: String,
    kind: PrivacyKind,
) -> Result<(Portolan, privacy_request::Model)> {
    let portolan = Portolan::open(place).await?;
    let (tenant, connection) = find_connection(&portolan, connection).await?;
    let wish = Ask { kind, source: PrivacySource::Operator, connection, customer_id, at_once: true };
    let asked = ask(&portolan.app, tenant, Who::operator(), wish).await.map_err(sentence)?;
    let row = work_until(&portolan, async || closed(&portolan, tenant, asked.id).await).await?;
    if row.state != PrivacyState::Done {
        bail!("the request is {}: {}", row.state.as_str(), row.last_error.unwrap_or_default());
    }
    Ok((portolan, row))
}

async fn closed(portolan: &Portolan, tenant: TenantId, id: Uuid) -> Result<Option<privacy_request::Model>> {
    let tx = portolan.app.db.read(tenant).await.context("the database cannot be read")?;
    let row = find_request(&tx, &Visibility::everything(), id).await.map_err(sentence)?;
    Ok((!row.state.is_open()).then_some(row))
}
