//! `portolan upgrade`: compare builds of a connection's plugin, switch, go back.

use anyhow::{Context, Result, bail};
use portolan_access::audit::Who;
use portolan_app::channels;
use portolan_app::plugins::ops::load_installed;
use portolan_app::upgrades::api::ShadowReplayResponse;
use portolan_app::upgrades::ops::{ShadowAim, settle_dead, start_shadow};
use portolan_app::upgrades::queries::{builds_of, find_shadow, shadows_of, switches_of};
use portolan_app::upgrades::report::ShadowReport;
use portolan_app::upgrades::switch::{asks_of, roll_back, switch_build};
use portolan_connector::InstalledPlugin;
use portolan_core::{ConnectionId, Instant, TenantId};
use uuid::Uuid;

use super::replay::{describe, finish, refuse_failure};
use super::user::sentence;
use super::work::{find_connection, work_until};
use super::{print_line, print_progress};
use crate::cli::{Place, UpgradeCommand};
use crate::wire::Portolan;

/// How many of each a list shows.
const NEWEST: u64 = 10;

/// A Portolan with its plugins, and one of its connections.
struct Aim {
    portolan: Portolan,
    tenant: TenantId,
    connection: ConnectionId,
}

impl Aim {
    async fn open(place: &Place, connection: &str) -> Result<Self> {
        let portolan = Portolan::open(place).await?;
        load_installed(&portolan.app).await.map_err(sentence)?;
        let (tenant, connection) = find_connection(&portolan, connection).await?;
        Ok(Self { portolan, tenant, connection })
    }
}

pub async fn run(command: UpgradeCommand) -> Result<()> {
    match command {
        UpgradeCommand::Status { place, connection } => status(&Aim::open(&place, &connection).await?).await,
        UpgradeCommand::Compare { place, connection, to, pages, json } => {
            let aim = Aim::open(&place, &connection).await?;
            let wanted = ShadowAim { sha256: to, chunks_per_stream: pages };
            compare(&aim, wanted, json).await
        }
        UpgradeCommand::Switch { place, connection, consent } => {
            let aim = Aim::open(&place, &connection).await?;
            let tx = aim.portolan.app.db.read(aim.tenant).await?;
            let newest = shadows_of(&tx, aim.connection, 1).await.map_err(sentence)?.pop();
            drop(tx);
            let newest = newest
                .context("nothing was compared yet: portolan upgrade compare shows what would change")?;
            let replay = switch_build(
                &aim.portolan.app,
                aim.tenant,
                Who::operator(),
                aim.connection,
                newest.id,
                consent,
            )
            .await;
            read_again(&aim, replay.map_err(sentence)?, "Switched").await
        }
        UpgradeCommand::Rollback { place, connection } => {
            let aim = Aim::open(&place, &connection).await?;
            let replay = roll_back(&aim.portolan.app, aim.tenant, Who::operator(), aim.connection).await;
            read_again(&aim, replay.map_err(sentence)?, "Gone back").await
        }
    }
}

async fn status(aim: &Aim) -> Result<()> {
    let app = &aim.portolan.app;
    settle_dead(app, aim.tenant, aim.connection).await.map_err(sentence)?;
    let tx = app.db.read(aim.tenant).await?;
    let connection = channels::find_connection(&tx, aim.connection).await.map_err(sentence)?;
    let builds = builds_of(app, &connection);
    let name = |build: &InstalledPlugin| format!("{} {}", build.plugin.version, build.plugin.sha256);
    let present = builds.present.as_ref().map_or_else(|| "not installed (any more)".to_owned(), name);
    print_line(&format!("on     {present}"))?;
    if let Some(newer) = &builds.newer {
        print_line(&format!("newest {}", name(newer)))?;
        let asks = asks_of(app, &tx, aim.connection, &newer.plugin.sha256).await.map_err(sentence)?;
        let hosts = asks.hosts.iter().map(|host| format!("reach {host}"));
        let secrets = asks.secrets.iter().map(|field| format!("use the secret {field}"));
        let data = asks.personal_data.iter().map(|path| format!("read personal data {path}"));
        for ask in hosts.chain(secrets).chain(data) {
            print_line(&format!("it newly asks to {ask}"))?;
        }
    }
    for shadow in shadows_of(&tx, aim.connection, NEWEST).await.map_err(sentence)? {
        let at = Instant(shadow.created_at).to_rfc3339();
        print_line(&format!("{at} compared with {}: {}", shadow.to_sha256, shadow.state.as_str()))?;
    }
    for switch in switches_of(&tx, aim.connection, NEWEST).await.map_err(sentence)? {
        print_line(&format!(
            "{} switched to {}",
            Instant(switch.switched_at).to_rfc3339(),
            switch.to_sha256
        ))?;
    }
    Ok(())
}

async fn compare(aim: &Aim, wanted: ShadowAim, json: bool) -> Result<()> {
    let app = &aim.portolan.app;
    let id =
        start_shadow(app, aim.tenant, Who::operator(), aim.connection, wanted).await.map_err(sentence)?;
    let ended = compared(aim, id).await?;
    let Some(report) = &ended.report else {
        bail!("{}", ended.error_detail.unwrap_or_else(|| format!("the comparison is {}", ended.state)));
    };
    if json {
        return print_line(&serde_json::to_string_pretty(report)?);
    }
    told(report).iter().try_for_each(|line| print_line(line))
}

async fn compared(aim: &Aim, id: Uuid) -> Result<ShadowReplayResponse> {
    let app = &aim.portolan.app;
    let mut told = -1;
    work_until(&aim.portolan, async || {
        settle_dead(app, aim.tenant, aim.connection).await.map_err(sentence)?;
        let tx = app.db.read(aim.tenant).await?;
        let row = find_shadow(&tx, aim.connection, id).await.map_err(sentence)?;
        drop(tx);
        if row.chunks_done != told {
            told = row.chunks_done;
            print_progress(row.chunks_done, row.chunks_total, "pages compared")?;
        }
        let over = !row.state.is_open();
        let shadow = ShadowReplayResponse::try_from(row).map_err(sentence)?;
        Ok(over.then_some(shadow))
    })
    .await
}

/// What would change, in a line for each kind of thing; amounts in minor units.
fn told(report: &ShadowReport) -> Vec<String> {
    let mut lines = Vec::new();
    if report.is_unchanged() {
        lines.push("Both builds say the same of everything that was compared.".to_owned());
    }
    for row in &report.documents {
        let (entity, same) = (&row.entity, row.same);
        lines.push(format!(
            "{entity}: {same} same, {} changed, {} added, {} removed",
            row.changed, row.added, row.removed
        ));
    }
    lines.extend(report.money.iter().filter(|row| !row.is_unchanged()).map(ToString::to_string));
    lines.extend(report.cash.iter().filter(|row| !row.is_unchanged()).map(ToString::to_string));
    lines
}

async fn read_again(aim: &Aim, replay: Uuid, done: &str) -> Result<()> {
    print_line(&format!("{done}. Stored pages are read again."))?;
    let ended = finish(&aim.portolan, aim.tenant, aim.connection, replay).await?;
    print_line(&describe(&ended))?;
    refuse_failure(&ended)
}
