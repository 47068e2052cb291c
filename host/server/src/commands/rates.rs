//! `portolan rates`: exchange rates from a file.

use anyhow::{Context, Result};
use portolan_access::audit::Who;
use portolan_app::people::find_tenant;
use portolan_app::rates::{ops::store_rates, read::read_rates};

use super::print_line;
use super::user::sentence;
use crate::cli::RatesCommand;
use crate::wire::Portolan;

pub async fn run(command: RatesCommand) -> Result<()> {
    let RatesCommand::Import { place, file, tenant } = command;
    let bytes = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let rates = read_rates(&bytes).map_err(sentence)?;
    let portolan = Portolan::open(&place).await?;
    let tenant = find_tenant(&portolan.app, tenant.as_deref()).await.map_err(sentence)?;
    let source = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stored =
        store_rates(&portolan.app, tenant, Who::operator(), rates, &source).await.map_err(sentence)?;
    print_line(&format!("{stored} rates stored."))
}
