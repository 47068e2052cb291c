//! `portolan user`: people who sign in.

use anyhow::{Context, Result, bail};
use portolan_app::people::{NewTenant, add_owner, find_member, reset_second_factor};

use super::print_line;
use crate::cli::UserCommand;
use crate::wire::Portolan;

/// Where `portolan serve` listens unless it is told otherwise.
const DEFAULT_ADDRESS: &str = "http://127.0.0.1:8080";

pub async fn run(command: UserCommand) -> Result<()> {
    match command {
        UserCommand::Add { place, name, tenant, currency, time_zone, password_stdin } => {
            let portolan = Portolan::open(&place).await?;
            let password = if password_stdin { Some(read_password()?) } else { None };
            let new_tenant = NewTenant { slug: tenant, currency, time_zone };
            add_owner(&portolan.app, &name, password.as_deref(), new_tenant).await.map_err(sentence)?;
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
