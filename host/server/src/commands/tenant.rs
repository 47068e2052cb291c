//! `portolan tenant`: the companies of this server.

use anyhow::Result;
use portolan_app::people::{NewTenant, add_tenant, all_tenants, find_tenant};
use portolan_app::security::ops::let_in_from_anywhere;

use super::print_line;
use super::user::sentence;
use crate::cli::TenantCommand;
use crate::wire::Portolan;

pub async fn run(command: TenantCommand) -> Result<()> {
    match command {
        TenantCommand::Add { place, slug, currency, time_zone } => {
            let portolan = Portolan::open(&place).await?;
            let new_tenant = NewTenant { slug: slug.clone(), currency, time_zone };
            add_tenant(&portolan.app, new_tenant).await.map_err(sentence)?;
            print_line(&format!(
                "{slug} is there. Add its owner with: portolan user add NAME --tenant {slug}"
            ))
        }
        TenantCommand::LiftNetworks { place, slug } => {
            let portolan = Portolan::open(&place).await?;
            let tenant = find_tenant(&portolan.app, Some(&slug)).await.map_err(sentence)?;
            if let_in_from_anywhere(&portolan.app, tenant).await.map_err(sentence)? {
                print_line(&format!("The people and keys of {slug} may come from anywhere again."))
            } else {
                print_line(&format!("{slug} names no networks: its people may come from anywhere already."))
            }
        }
        TenantCommand::List { place } => {
            let portolan = Portolan::open(&place).await?;
            for tenant in all_tenants(&portolan.app).await.map_err(sentence)? {
                let (slug, name) = (tenant.slug, tenant.name);
                print_line(&format!("{slug}\t{name}\t{}\t{}", tenant.reporting_currency, tenant.time_zone))?;
            }
            Ok(())
        }
    }
}
