//! `portolan tenant`: the companies of this server.

use anyhow::Result;
use portolan_app::people::{NewTenant, add_client_tenant, add_tenant, all_tenants, find_tenant};
use portolan_app::security::ops::let_in_from_anywhere;

use super::print_line;
use super::user::sentence;
use crate::cli::TenantCommand;
use crate::wire::Portolan;

pub async fn run(command: TenantCommand) -> Result<()> {
    match command {
        TenantCommand::Add { place, slug, currency, time_zone, agency } => {
            let portolan = Portolan::open(&place).await?;
            let new_tenant = NewTenant { slug: slug.clone(), currency, time_zone };
            match agency {
                Some(agency) => {
                    add_client_tenant(&portolan.app, new_tenant, &agency).await.map_err(sentence)?
                }
                None => add_tenant(&portolan.app, new_tenant).await.map_err(sentence)?,
            };
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
            let tenants = all_tenants(&portolan.app).await.map_err(sentence)?;
            for tenant in &tenants {
                let agency = tenants.iter().find(|agency| tenant.parent_id == Some(agency.id));
                let agency = agency.map_or("-", |agency| agency.slug.as_str());
                let (slug, name, currency) = (&tenant.slug, &tenant.name, &tenant.reporting_currency);
                print_line(&format!("{slug}\t{name}\t{currency}\t{}\t{agency}", tenant.time_zone))?;
            }
            Ok(())
        }
    }
}
