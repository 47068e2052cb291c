//! The product: vertical slices over one database, one plugin runtime and one query engine.
//!
//! The only crate that knows axum. Plugins and the columnar engine are behind ports
//! ([`PluginRuntime`], [`QueryEngine`]), so the daily loop of a slice links neither.

pub mod account;
pub mod analytics;
pub mod api_keys;
pub mod audit;
pub mod channels;
pub mod company;
pub mod connections;
pub mod coverage;
pub mod drift;
pub mod finance;
pub mod ingest;
pub mod live;
pub mod mail;
pub mod orders;
pub mod people;
pub mod plugins;
pub mod policies;
pub mod pulse;
pub mod rates;
pub mod replays;
pub mod router;
pub mod security;
pub mod setup;
pub mod signin;
pub mod syncs;
pub mod system;
pub mod upgrades;
pub mod web;

use std::path::PathBuf;
use std::sync::Arc;

use portolan_access::passkeys::{NoRelyingParty, Passkeys, RelyingParty};
use portolan_access::{KeyRing, SecondFactors, Sessions};
use portolan_analytics::QueryEngine;
use portolan_charts::ChartRenderer;
use portolan_connector::PluginRuntime;
use portolan_core::{Clock, Random};
use portolan_db::Database;
use portolan_jobs::Queue;

use tokio_util::sync::CancellationToken;

use crate::live::LiveBus;
use crate::mail::Mailer;
use crate::web::address::PublicAddress;
use crate::web::limits::RequestLimits;
use crate::web::proxies::TrustedProxies;

/// The script that draws charts in-process: for whoever makes the [`ChartRenderer`].
pub use portolan_admin_ui::assets::CHARTS_SERVER as CHART_BUNDLE;

/// What the slices stand on; built once by the server, shared by every request and job.
pub struct App {
    pub db: Database,
    pub runtime: Arc<dyn PluginRuntime>,
    pub engine: Arc<dyn QueryEngine>,
    pub key_ring: Arc<KeyRing>,
    pub charts: ChartRenderer,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub live: LiveBus,
    /// Cancelled when the process stops: event streams end, nothing is claimed any more.
    pub stopping: CancellationToken,
    pub queue: Queue,
    pub sessions: Sessions,
    /// How often anybody may ask.
    pub limits: RequestLimits,
    /// Where people reach this server, where the operator says it.
    pub public_address: Option<PublicAddress>,
    /// Proxies that are believed whom they were asked by.
    pub trusted_proxies: TrustedProxies,
    /// Folder of uploads, plugins and parts.
    pub data_dir: PathBuf,
    /// Where signed heads of audits are kept as well, where the operator says so: outside of the database.
    pub audit_anchors: Option<PathBuf>,
    /// The way out for mail, where the operator says one.
    pub mail: Option<Mailer>,
}

impl App {
    /// What people prove themselves with beside their password.
    pub fn second_factors(&self) -> SecondFactors {
        SecondFactors::new(&self.sessions, &self.key_ring)
    }

    /// Passkeys, where browsers use them at the address of this server.
    pub fn passkeys(&self) -> Result<Passkeys, NoRelyingParty> {
        let address = self.public_address.as_ref().ok_or(NoRelyingParty::Unknown)?;
        Ok(Passkeys::new(&self.second_factors(), RelyingParty::at(address.as_str())?))
    }
}
