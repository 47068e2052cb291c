//! The one place that wires it all: database, key ring, sandbox, engine, slices, workers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use portolan_access::{KeyRing, Purpose, Sessions};
use portolan_app::App;
use portolan_app::CHART_BUNDLE;
use portolan_app::audit::jobs::AnchorAudit;
use portolan_app::channels::budgets::SharedBudgets;
use portolan_app::channels::seats::SharedSeats;
use portolan_app::live::LiveBus;
use portolan_app::mail::jobs::SendMail;
use portolan_app::mail::{Mailer, SmtpAddress, read_sender};
use portolan_app::replays::jobs::RunReplay;
use portolan_app::syncs::jobs::{RunSync, StartScheduledSync};
use portolan_app::upgrades::jobs::RunShadow;
use portolan_app::web::limits::RequestLimits;
use portolan_app::web::proxies::TrustedProxies;
use portolan_charts::ChartRenderer;
use portolan_connector::PluginRuntime;
use portolan_core::{Clock, Random, SystemClock, SystemRandom};
use portolan_db::{Database, DatabaseConfig, Dialect};
use portolan_facts::FactStore;
use portolan_jobs::{Queue, Registry};
use portolan_plugin_host::{CacheKey, Options, SandboxRuntime};
use tokio_util::sync::CancellationToken;

use crate::cli::Place;
use crate::fold::FoldFacts;

/// Holds the master keys in base64, the active one on the first line, where a file is not wanted.
const MASTER_KEY_VARIABLE: &str = "PORTOLAN_MASTER_KEY";

/// Holds the mail server's password, where a file is not wanted.
const SMTP_PASSWORD_VARIABLE: &str = "PORTOLAN_SMTP_PASSWORD";

/// A Portolan with everything real, opened on a data folder.
pub struct Portolan {
    pub app: Arc<App>,
    pub facts: FactStore,
    /// The app's runtime, with what only a sandbox can do.
    pub sandbox: SandboxRuntime,
}

impl Portolan {
    /// Opens the data folder, creating what is missing, and brings the database up to date.
    pub async fn open(place: &Place) -> Result<Self> {
        let data_dir = std::path::absolute(&place.data_dir)?;
        std::fs::create_dir_all(&data_dir)
            .with_context(|| format!("the data folder {} cannot be created", data_dir.display()))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let key_ring = Arc::new(KeyRing::load_or_create(
            &data_dir,
            std::env::var(MASTER_KEY_VARIABLE).ok().as_deref(),
            &*random,
        )?);
        let db = open_database(place, &data_dir).await?;
        let cache_key = CacheKey::new(*key_ring.derive(Purpose::PluginCache).bytes());
        let mut options = Options::new(data_dir.clone(), cache_key);
        if db.dialect() == Dialect::Postgres {
            // Others may work on the same database, and spend the same quotas.
            options.budgets = Some(Arc::new(SharedBudgets::new(db.clone(), Arc::clone(&clock))));
            options.seats =
                Some(Arc::new(SharedSeats::new(db.clone(), Arc::clone(&clock), Arc::clone(&random))));
        }
        let sandbox = SandboxRuntime::new(options)?;
        let runtime: Arc<dyn PluginRuntime> = Arc::new(sandbox.clone());
        let facts =
            FactStore::new(db.clone(), &data_dir.join("parts"), Arc::clone(&clock), Arc::clone(&random))?;
        let mail = open_mailer(place)?;
        let sessions = Sessions::new(db.clone(), Arc::clone(&clock), Arc::clone(&random));
        let app = Arc::new(App {
            runtime,
            engine: Arc::new(facts.clone()),
            charts: ChartRenderer::new(CHART_BUNDLE)?,
            queue: Queue::new(db.clone(), Arc::clone(&clock), Arc::clone(&random)),
            sessions: if mail.is_some() { sessions.with_mail() } else { sessions },
            limits: RequestLimits::new(Arc::clone(&clock), place.allowances()),
            live: LiveBus::default(),
            stopping: CancellationToken::new(),
            public_address: place.public_address.clone(),
            trusted_proxies: TrustedProxies(place.trusted_proxies.clone()),
            db,
            key_ring,
            clock,
            random,
            data_dir,
            audit_anchors: place.audit_anchors.clone(),
            mail,
        });
        Ok(Self { app, facts, sandbox })
    }

    /// The kinds of job that this server's workers know.
    pub fn registry(&self) -> Registry {
        Registry::new()
            .with(RunSync { app: Arc::clone(&self.app) })
            .with(StartScheduledSync { app: Arc::clone(&self.app) })
            .with(RunReplay { app: Arc::clone(&self.app) })
            .with(RunShadow { app: Arc::clone(&self.app) })
            .with(AnchorAudit { app: Arc::clone(&self.app) })
            .with(SendMail { app: Arc::clone(&self.app) })
            .with(FoldFacts { facts: self.facts.clone() })
    }
}

/// The way out for mail; nothing where no mail server is named. Connects to nobody.
fn open_mailer(place: &Place) -> Result<Option<Mailer>> {
    let Some(smtp) = &place.mail.smtp_url else { return Ok(None) };
    let smtp: SmtpAddress = smtp.parse().context("--smtp-url")?;
    let address = place.public_address.clone();
    let address = address.context("mails hold links: say with --public-address what they begin with")?;
    let from = place.mail.mail_from.as_deref().context("say with --mail-from who mails come from")?;
    let from = read_sender(from).with_context(|| {
        format!("--mail-from {from:?} is no mail address: write \"Portolan <portolan@example.com>\"")
    })?;
    let password = match (&place.mail.smtp_password_file, std::env::var(SMTP_PASSWORD_VARIABLE)) {
        (Some(file), _) => {
            let text = std::fs::read_to_string(file).with_context(|| {
                format!("the mail server's password cannot be read from {}", file.display())
            })?;
            Some(text.lines().next().unwrap_or_default().to_owned())
        }
        (None, Ok(password)) => Some(password),
        (None, Err(_)) => None,
    };
    if smtp.user.is_some() && password.as_ref().is_none_or(String::is_empty) {
        bail!("the mail server's password is missing: name its file with --smtp-password-file");
    }
    Ok(Some(Mailer::new(&smtp, password, from, address)?))
}

async fn open_database(place: &Place, data_dir: &Path) -> Result<Database> {
    let mut config = match &place.database_url {
        Some(url) => DatabaseConfig::new(url.clone()),
        None => DatabaseConfig::sqlite(&data_dir.join("portolan.db")),
    };
    config.accept_data_loss = place.accept_data_loss;
    config.accept_missing_row_security = place.accept_missing_row_security;
    let db = Database::connect(&config).await.context("the database cannot be opened")?;
    portolan_migrations::migrate(db.migration_connection())
        .await
        .context("the database cannot be migrated: on PostgreSQL its owner does, with portolan migrate --database-url <the owner's address>")?;
    db.check_row_security().await?;
    Ok(db)
}

/// The files named *.wasm in a folder, sorted.
pub fn components_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("the plugin folder {} cannot be read", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
