//! One file per command.

mod audit;
mod connection;
mod demo;
mod doctor;
mod key;
mod mail;
mod plugin;
mod privacy;
mod query;
mod rates;
mod record;
mod replay;
mod role;
mod secrets;
mod serve;
mod sync;
mod tenant;
mod upgrade;
mod user;
mod work;

use std::io::Write as _;

use anyhow::Result;

use crate::cli::Command;
use crate::wire::Portolan;

/// Runs a command to its end.
pub async fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve { place, listen, plugins, workers } => {
            serve::serve(&place, listen, plugins.as_deref(), workers).await
        }
        Command::Migrate { place } => {
            Portolan::open(&place).await?;
            print_line("The database is up to date.")
        }
        Command::Sync { command } => sync::run(command).await,
        Command::Replay { command } => replay::run(command).await,
        Command::Upgrade { command } => upgrade::run(command).await,
        Command::Query { place, question } => query::run(&place, question).await,
        Command::Plugin { command } => plugin::run(command).await,
        Command::Connection { command } => connection::run(command).await,
        Command::User { command } => user::run(command).await,
        Command::Tenant { command } => tenant::run(command).await,
        Command::Role { command } => role::run(command).await,
        Command::Secrets { command } => secrets::run(command).await,
        Command::Audit { command } => audit::run(command).await,
        Command::Key { command } => key::run(command).await,
        Command::Privacy { command } => privacy::run(command).await,
        Command::Mail { command } => mail::run(command).await,
        Command::Rates { command } => rates::run(command).await,
        Command::Openapi => print_line(&portolan_app::router::openapi_json()?),
        Command::Doctor { place } => doctor::run(&place).await,
        Command::SetupDemo { place, plugins, shopify_url, stripe_url, csv } => {
            demo::set_up(&place, &plugins, &shopify_url, stripe_url.as_deref(), &csv).await
        }
    }
}

/// How far something is goes where the log goes: answers stay clean.
pub fn print_progress(done: i64, total: i64, what: &str) -> Result<()> {
    Ok(writeln!(std::io::stderr().lock(), "{done} of {total} {what}")?)
}

/// Answers go to standard output, the log to standard error.
pub fn print_line(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}
