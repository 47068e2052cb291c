//! `portolan role`: what each role allows.

use anyhow::Result;
use portolan_access::{Effect, SystemRole};
use portolan_app::people::{find_tenant, list_custom_roles};

use super::print_line;
use super::user::sentence;
use crate::cli::RoleCommand;
use crate::wire::Portolan;

pub async fn run(command: RoleCommand) -> Result<()> {
    let RoleCommand::List { place, tenant } = command;
    let portolan = Portolan::open(&place).await?;
    for role in SystemRole::ALL {
        let allowed: Vec<&str> = role.permissions().iter().map(|permission| permission.as_str()).collect();
        print_line(&format!("{role}\t{}", allowed.join(" ")))?;
    }
    let tenant = find_tenant(&portolan.app, tenant.as_deref()).await.map_err(sentence)?;
    for role in list_custom_roles(&portolan.app, tenant).await.map_err(sentence)? {
        let rules = role.rules.iter().map(|(permission, effect)| match effect {
            Effect::Allow => permission.to_string(),
            Effect::Deny => format!("!{permission}"),
        });
        print_line(&format!("{}\t{}", role.name, rules.collect::<Vec<_>>().join(" ")))?;
    }
    Ok(())
}
