//! `portolan secrets`: the keys that secrets rest sealed with.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Result, bail};
use portolan_access::{ColumnRotation, DataKeyUse, HouseRotation, Secrets};
use portolan_app::people::all_tenants;
use portolan_core::TenantId;

use super::print_line;
use super::user::sentence;
use crate::cli::SecretsCommand;
use crate::wire::Portolan;

pub async fn run(command: SecretsCommand) -> Result<()> {
    match command {
        SecretsCommand::Status { place } => status(&Portolan::open(&place).await?).await,
        SecretsCommand::Rotate { place } => rotate(&Portolan::open(&place).await?).await,
        SecretsCommand::RemoveKey { place, key } => {
            let portolan = Portolan::open(&place).await?;
            secrets_of(&portolan).remove_master_key(key).await?;
            print_line(&format!(
                "The master key {key} is gone from the key file. Copies of the database from before the rotation need it: keep a copy of the key as long as you keep those."
            ))
        }
    }
}

fn secrets_of(portolan: &Portolan) -> Secrets {
    let app = &portolan.app;
    Secrets::new(app.db.clone(), Arc::clone(&app.key_ring), Arc::clone(&app.clock), Arc::clone(&app.random))
}

async fn slugs(portolan: &Portolan) -> Result<HashMap<TenantId, String>> {
    let tenants = all_tenants(&portolan.app).await.map_err(sentence)?;
    Ok(tenants.into_iter().map(|tenant| (TenantId(tenant.id), tenant.slug)).collect())
}

async fn status(portolan: &Portolan) -> Result<()> {
    let slugs = slugs(portolan).await?;
    let status = secrets_of(portolan).status().await?;
    let mut missing = 0;
    for key in &status.master_keys {
        let note = match (key.active, key.present, key.data_keys + key.values) {
            (true, ..) => "active",
            (_, false, _) => "MISSING: restore the key file that belongs to this database",
            (_, _, 0) => "not needed any more: portolan secrets remove-key takes it out",
            _ => "still needed: portolan secrets rotate",
        };
        missing += usize::from(!key.present);
        print_line(&format!(
            "master key {}: wraps {} data keys, seals {} values; {note}",
            key.id, key.data_keys, key.values
        ))?;
    }
    for key in &status.data_keys {
        missing += usize::from(key.version.is_none());
        let slug = slugs.get(&key.tenant).map_or("", String::as_str);
        print_line(&format!("{slug}: {}", describe(key)))?;
    }
    if missing > 0 {
        bail!("{missing} keys are needed and not there");
    }
    Ok(())
}

fn describe(key: &DataKeyUse) -> String {
    let values = key.values;
    match (key.version, key.newest) {
        (Some(version), true) => format!("data key {version}: seals {values} values; newest"),
        (Some(version), false) => {
            format!("data key {version}: seals {values} values; portolan secrets rotate ends it")
        }
        (None, _) => {
            format!("data key {} is GONE and {values} values need it: restore the table tenant_key", key.id)
        }
    }
}

async fn rotate(portolan: &Portolan) -> Result<()> {
    let slugs = slugs(portolan).await?;
    let rotated = secrets_of(portolan).rotate().await?;
    let begun = if rotated.resumed { "Finished the rotation that was begun" } else { "Rotated" };
    print_line(&format!(
        "{begun}. Master key {}: {} data keys wrapped anew, {} that nothing needed are gone.",
        rotated.master_key, rotated.rewrapped, rotated.forgotten
    ))?;
    let (mut closed, mut left) = (0, 0);
    for ColumnRotation { tenant, column, resealed, closed: rows, left: held } in &rotated.columns {
        let slug = slugs.get(tenant).map_or("", String::as_str);
        let (table, name) = (column.table, column.column);
        print_line(&format!(
            "{slug}: {table}.{name}: {resealed} sealed anew, {} do not open, {held} left",
            rows.len()
        ))?;
        closed += rows.len();
        left += held;
    }
    for HouseRotation { column, resealed, closed: rows } in &rotated.house {
        let (table, name) = (column.table, column.column);
        print_line(&format!("people: {table}.{name}: {resealed} sealed anew, {} do not open", rows.len()))?;
        closed += rows.len();
    }
    print_line(
        "Copy the key file to a safe place now: the old copy does not open what is sealed from here on.",
    )?;
    if closed > 0 || left > 0 {
        bail!(
            "{closed} values do not open and stayed as they are (portolan doctor says which and why), {left} were held by others (run this again)"
        );
    }
    print_line("portolan secrets status shows which master keys nothing needs any more.")
}
