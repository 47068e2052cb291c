//! `portolan key`: keys of programs, made by the operator for a person.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use portolan_access::Permission;
use portolan_access::api_keys::NewApiKey;
use portolan_access::audit::Who;
use portolan_app::api_keys::ops::{Reach, create, list, revoke};
use portolan_app::people::{find_member, find_tenant};
use portolan_core::Instant;
use uuid::Uuid;

use super::print_line;
use super::user::sentence;
use crate::cli::KeyCommand;
use crate::wire::Portolan;

pub async fn run(command: KeyCommand) -> Result<()> {
    match command {
        KeyCommand::Create { place, owner, name, scopes, days, networks } => {
            let portolan = Portolan::open(&place).await?;
            let (user, tenant) = find_member(&portolan.app, &owner).await.map_err(sentence)?;
            let scopes: BTreeSet<Permission> =
                scopes.iter().map(|scope| scope.parse()).collect::<Result<_, _>>()?;
            let new = NewApiKey { name, scopes, days: Some(days), networks };
            let made = create(&portolan.app, tenant, Who::operator(), user, new).await.map_err(sentence)?;
            print_line(&made.key)
        }
        KeyCommand::List { place, tenant } => {
            let portolan = Portolan::open(&place).await?;
            let tenant = find_tenant(&portolan.app, tenant.as_deref()).await.map_err(sentence)?;
            for key in list(&portolan.app, tenant, Reach::All).await.map_err(sentence)? {
                let ends = Instant(key.expires_at).to_rfc3339();
                let state = match key.revoked_at {
                    Some(at) => format!("ended {}", Instant(at).to_rfc3339()),
                    None => format!("until {ends}"),
                };
                print_line(&format!("{} {}: {}; {state}", key.id, key.name, key.scopes))?;
            }
            Ok(())
        }
        KeyCommand::Revoke { place, tenant, id } => {
            let portolan = Portolan::open(&place).await?;
            let tenant = find_tenant(&portolan.app, tenant.as_deref()).await.map_err(sentence)?;
            let Ok(key) = id.parse::<Uuid>() else { bail!("{id} is no id: portolan key list shows them") };
            revoke(&portolan.app, tenant, Who::operator(), Reach::All, key).await.map_err(sentence)?;
            print_line("The key has ended.")
        }
    }
}
