//! `portolan setup-demo`: a tenant with a shop, its payments and a till, and their first syncs, once.

use std::path::Path;

use anyhow::{Context, Result};
use portolan_access::audit::Who;
use portolan_app::connections::ops::{NewConnection, create_connection, grant_egress};
use portolan_app::connections::queries::labels_of;
use portolan_app::connections::uploads::{NewUpload, take_file};
use portolan_app::people::{NewTenant, add_owner};
use portolan_app::plugins::ops::load_installed;
use portolan_app::syncs::ops::{Trigger, start_sync};
use portolan_core::TenantId;
use serde_json::{Value, json};

use super::connection::parse_address;
use super::plugin::install_folder;
use super::print_line;
use super::user::sentence;
use crate::cli::Place;
use crate::wire::Portolan;

/// What the sandboxes accept.
const SANDBOX_TOKEN: &str = "shpat_sandbox";
const SANDBOX_KEY: &str = "rk_test_sandbox";
const SHOP_LABEL: &str = "Lotus & Lamp";
const PAYMENTS_LABEL: &str = "Card payments";
const RETAIL_LABEL: &str = "Online retail";

/// How the columns of the retail data are read.
const RETAIL_MAPPING: &str = include_str!("../../../../plugins/csv/mappings/uci-online-retail.json");

pub async fn set_up(
    place: &Place,
    plugins: &Path,
    shopify_url: &str,
    stripe_url: Option<&str>,
    csv: &Path,
) -> Result<()> {
    let portolan = Portolan::open(place).await?;
    load_installed(&portolan.app).await.map_err(sentence)?;
    install_folder(&portolan, plugins).await?;
    let tenant = NewTenant { slug: "demo".into(), currency: "GBP".into(), time_zone: "Europe/London".into() };
    let tenant = add_owner(&portolan.app, "owner", None, tenant).await.map_err(sentence)?;
    let existing = labels_of(&portolan.app, tenant).await.map_err(sentence)?;
    if !existing.iter().any(|label| label == SHOP_LABEL) {
        connect_shop(&portolan, tenant, shopify_url)
            .await
            .context("the sandbox Shopify could not be connected")?;
    }
    if let Some(url) = stripe_url.filter(|_| !existing.iter().any(|label| label == PAYMENTS_LABEL)) {
        connect_payments(&portolan, tenant, url)
            .await
            .context("the sandbox Stripe could not be connected")?;
    }
    if !existing.iter().any(|label| label == RETAIL_LABEL) {
        connect_retail(&portolan, tenant, csv).await.context("the retail data could not be connected")?;
    }
    print_line("The demo tenant has its connections. Start the server to run their first syncs.")
}

async fn connect_shop(portolan: &Portolan, tenant: TenantId, shopify_url: &str) -> Result<()> {
    let new = NewConnection {
        plugin_id: "shopify".into(),
        label: SHOP_LABEL.into(),
        time_zone: "Asia/Kolkata".into(),
        day_cutover_minutes: 0,
        config: json!({
            "shop": "demo-kolkata.myshopify.com",
            "access_token": SANDBOX_TOKEN,
            "base_url": format!("{}/shops/demo-kolkata", shopify_url.trim_end_matches('/')),
        }),
        consent: true,
    };
    connect(portolan, tenant, new, shopify_url).await
}

/// The payments of the shop's own orders.
async fn connect_payments(portolan: &Portolan, tenant: TenantId, stripe_url: &str) -> Result<()> {
    let new = NewConnection {
        plugin_id: "stripe".into(),
        label: PAYMENTS_LABEL.into(),
        time_zone: "Asia/Kolkata".into(),
        day_cutover_minutes: 0,
        config: json!({
            "api_key": SANDBOX_KEY,
            "base_url": format!("{}/accounts/demo-kolkata", stripe_url.trim_end_matches('/')),
        }),
        consent: true,
    };
    connect(portolan, tenant, new, stripe_url).await
}

/// Connects a sandbox, allows its address, and queues the first sync.
async fn connect(portolan: &Portolan, tenant: TenantId, new: NewConnection, url: &str) -> Result<()> {
    let (scheme, host, port) = parse_address(url)?;
    let id = create_connection(&portolan.app, tenant, Who::operator(), new).await.map_err(sentence)?;
    grant_egress(&portolan.app, tenant, id, scheme, host, port).await.map_err(sentence)?;
    start_sync(&portolan.app, tenant, Who::operator(), id, Trigger::Manual).await.map_err(sentence)?;
    Ok(())
}

async fn connect_retail(portolan: &Portolan, tenant: TenantId, csv: &Path) -> Result<()> {
    let mapping: Value = serde_json::from_str(RETAIL_MAPPING).context("the retail mapping is no JSON")?;
    let new = NewConnection {
        plugin_id: "csv".into(),
        label: RETAIL_LABEL.into(),
        time_zone: "Europe/London".into(),
        day_cutover_minutes: 0,
        config: mapping,
        consent: true,
    };
    let id = create_connection(&portolan.app, tenant, Who::operator(), new).await.map_err(sentence)?;
    let upload = NewUpload {
        stream: "orders".into(),
        name: csv.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        content_type: "text/csv".into(),
        path: csv.to_owned(),
    };
    take_file(&portolan.app, tenant, Who::operator(), id, upload).await.map_err(sentence)?;
    start_sync(&portolan.app, tenant, Who::operator(), id, Trigger::Manual).await.map_err(sentence)?;
    Ok(())
}
