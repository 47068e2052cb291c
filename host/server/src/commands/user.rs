//! `portolan user`: people who sign in.

use anyhow::{Context, Result, bail};
use portolan_access::audit::Who;
use portolan_app::people::{
    NewTenant, OperatorChange, add_with_role, change_member, erase_person, find_member, find_person,
    find_tenant, list_members, reset_second_factor,
};

use super::print_line;
use crate::cli::{Place, UserCommand};
use crate::wire::Portolan;

/// Where `portolan serve` listens unless it is told otherwise.
const DEFAULT_ADDRESS: &str = "http://127.0.0.1:8080";

pub async fn run(command: UserCommand) -> Result<()> {
    match command {
        UserCommand::Add { place, name, role, tenant, currency, time_zone, password_stdin } => {
            let portolan = Portolan::open(&place).await?;
            let password = if password_stdin { Some(read_password()?) } else { None };
            let new_tenant = NewTenant { slug: tenant, currency, time_zone };
            let added = add_with_role(&portolan.app, &name, password.as_deref(), new_tenant, role).await;
            added.map_err(sentence)?;
            if password.is_some() {
                return print_line(&format!("{name} can sign in with the password."));
            }
            print_line(&format!("{name} was added. Make a link with: portolan user link --name {name}"))
        }
        UserCommand::ResetSecondFactor { place, name } => {
            let portolan = Portolan::open(&place).await?;
            if !reset_second_factor(&portolan.app, &name).await.map_err(sentence)? {
                return print_line(&format!("{name} has no second factor. Nothing was changed."));
            }
            print_line(&format!(
                "{name} signs in without a second step now, and has to set up a new one. Their sessions have ended."
            ))
        }
        UserCommand::List { place, tenant } => {
            let portolan = Portolan::open(&place).await?;
            let tenant = find_tenant(&portolan.app, tenant.as_deref()).await.map_err(sentence)?;
            for (member, roles) in list_members(&portolan.app, tenant).await.map_err(sentence)? {
                let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
                let banned = member.ban.map(|ban| format!("\tbanned: {}", ban.reason)).unwrap_or_default();
                print_line(&format!("{}\t{}{banned}", member.sign_in_name, roles.join(" ")))?;
            }
            Ok(())
        }
        UserCommand::Roles { place, name, roles, tenant } => {
            let change = OperatorChange::Roles(roles.into_iter().collect());
            apply(&place, tenant.as_deref(), &name, change, "holds these roles now").await
        }
        UserCommand::Ban { place, name, reason, tenant } => {
            let change = OperatorChange::Ban { reason };
            apply(&place, tenant.as_deref(), &name, change, "is banned, and what they had open has ended")
                .await
        }
        UserCommand::Erase { place, name, confirm } => {
            let portolan = Portolan::open(&place).await?;
            let person = find_person(&portolan.app, &name).await.map_err(sentence)?;
            let left =
                erase_person(&portolan.app, Who::operator(), person, &confirm).await.map_err(sentence)?;
            let companies = if left == 1 { "1 company".to_owned() } else { format!("{left} companies") };
            print_line(&format!(
                "{name} has left {companies} and is forgotten. Backups from before still know them."
            ))
        }
        UserCommand::SignOut { place, name, tenant } => {
            apply(&place, tenant.as_deref(), &name, OperatorChange::SignOut, "is signed out").await
        }
        UserCommand::Unban { place, name, tenant } => {
            apply(&place, tenant.as_deref(), &name, OperatorChange::Unban, "may come in again").await
        }
        UserCommand::Link { place, name, address } => {
            let portolan = Portolan::open(&place).await?;
            let (user, tenant) = find_member(&portolan.app, &name).await.map_err(sentence)?;
            let token = portolan.app.sessions.create_link(tenant, user).await?;
            let address = address.or(place.public_address).map(|address| address.to_string());
            let address = address.unwrap_or_else(|| DEFAULT_ADDRESS.to_owned());
            print_line(&format!("{address}/sign-in/link/{token}"))
        }
    }
}

async fn apply(
    place: &Place,
    tenant: Option<&str>,
    name: &str,
    change: OperatorChange,
    done: &str,
) -> Result<()> {
    let portolan = Portolan::open(place).await?;
    let tenant = find_tenant(&portolan.app, tenant).await.map_err(sentence)?;
    change_member(&portolan.app, tenant, name, change).await.map_err(sentence)?;
    print_line(&format!("{name} {done}."))
}

fn read_password() -> Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("the password cannot be read from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        bail!("standard input holds no password");
    }
    Ok(password)
}

/// The product's own sentence, for the terminal.
pub fn sentence(error: portolan_app::web::error::AppError) -> anyhow::Error {
    anyhow::anyhow!("{}", error.full_detail())
}
