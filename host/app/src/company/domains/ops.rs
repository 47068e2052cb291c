//! The verbs of domains. A look at DNS never happens within a transaction.

use std::sync::Arc;
use std::time::Duration as Wait;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portolan_access::audit::{self, Who};
use portolan_core::{Duration, Instant, TenantId, id};
use portolan_db::entity::tenant_domain::{Column, Entity, Model};
use portolan_db::{DbError, TenantTx};
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::json;
use uuid::Uuid;

use super::jobs::{put_schedule, remove_schedule};
use super::lookup::NoAnswer;
use super::name::{DomainError, read_domain};
use super::state::{DomainState, Seen, Standing};
use crate::App;
use crate::people::ops::sentence;
use crate::web::error::{AppError, AppResult};

const MOST_DOMAINS: u64 = 10;
/// Between two looks that somebody asks for.
const LOOKS_EVERY: Duration = Duration::from_secs(30);
const PATIENCE: Wait = Wait::from_secs(15);
const LABEL: &str = "_portolan";
const PREFIX: &str = "portolan-verification=";
const HELD: &str = "Another company of this server has shown that this domain is theirs. It is free once their record is \
    gone for three days, or they remove the domain.";

/// Where the record of a domain stands.
pub fn record_name(domain: &str) -> String {
    format!("{LABEL}.{domain}")
}

/// What it has to say.
pub fn record_text(row: &Model) -> String {
    format!("{PREFIX}{}", row.token)
}

pub fn standing(row: &Model) -> Standing {
    Standing {
        state: DomainState::of_stored(&row.state),
        verified_at: row.verified_at.map(Instant),
        failing_since: row.failing_since.map(Instant),
    }
}

/// The domains of a company, by name.
pub async fn list(app: &App, tenant: TenantId) -> AppResult<Vec<Model>> {
    let tx = app.db.read(tenant).await?;
    Ok(tx.find::<Entity>().order_by_asc(Column::Domain).all(&tx).await?)
}

/// Claims a domain. That keeps it from nobody: it is theirs once they have shown it.
pub async fn add(app: &Arc<App>, tenant: TenantId, who: Who, typed: &str) -> AppResult<Model> {
    let domain = read_domain(typed, app.public_address.as_ref())?;
    let mut token = [0_u8; 32];
    app.random.fill(&mut token);
    let now = app.clock.now();
    let row = Model {
        tenant_id: tenant.0,
        id: id::new_uuid(&*app.clock, &*app.random),
        domain: domain.to_string(),
        state: DomainState::Pending.as_str().to_owned(),
        token: URL_SAFE_NO_PAD.encode(token),
        created_at: now.0,
        checked_at: None,
        verified_at: None,
        failing_since: None,
        error: None,
    };
    let in_task = Arc::clone(app);
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let known = tx.find::<Entity>().filter(Column::Domain.eq(row.domain.as_str()));
                if known.one(tx).await?.is_some() {
                    return Err(AppError::invalid("domain", "This domain is on the list already."));
                }
                if tx.find::<Entity>().count(tx).await? >= MOST_DOMAINS {
                    let full = "A company has at most 10 domains: remove one first.";
                    return Err(AppError::invalid("domain", full));
                }
                put_schedule(&in_task, tx).await?;
                let entry = who.did("domain.add", "domain", row.id).after(json!({ "domain": row.domain }));
                audit::write(tx, now, entry);
                Ok(tx.insert(row.into_active_model()).await?)
            })
        })
        .await
}

/// Takes a domain away; its door closes at once.
pub async fn remove(app: &Arc<App>, tenant: TenantId, who: Who, id: Uuid) -> AppResult<()> {
    let now = app.clock.now();
    let in_task = Arc::clone(app);
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let row = find(tx, id).await?;
                tx.delete_many::<Entity>().filter(Column::Id.eq(id)).exec(tx).await?;
                if tx.find::<Entity>().count(tx).await? == 0 {
                    remove_schedule(&in_task, tx).await?;
                }
                let was = json!({ "domain": row.domain, "state": row.state });
                audit::write(tx, now, who.did("domain.remove", "domain", id).before(was));
                Ok(())
            })
        })
        .await
}

/// Looks for a domain's record because somebody asks for it; not more often than each half minute.
pub async fn verify(app: &Arc<App>, tenant: TenantId, who: Who, id: Uuid) -> AppResult<Model> {
    let now = app.clock.now();
    let row = app.db.write(tenant, move |tx| Box::pin(async move { take_turn(tx, id, now).await })).await?;
    let seen = look(app, &row).await;
    settle(app, tenant, id, seen, Some(who)).await
}

/// Whoever asks next waits. Of many who ask at once one looks.
async fn take_turn(tx: &TenantTx, id: Uuid, now: Instant) -> AppResult<Model> {
    let row = find(tx, id).await?;
    let sql = "UPDATE tenant_domain SET checked_at = $3 WHERE tenant_id = $1 AND id = $2 \
               AND (checked_at IS NULL OR checked_at <= $4)";
    let values = [tx.tenant().0.into(), id.into(), now.0.into(), (now - LOOKS_EVERY).0.into()];
    if tx.execute_raw(tx.statement(sql, values)).await?.rows_affected() == 1 {
        return Ok(row);
    }
    let waits = row.checked_at.map_or(LOOKS_EVERY, |at| Duration(LOOKS_EVERY.0 - now.since(Instant(at)).0));
    Err(AppError::too_many_requests(u64::try_from(waits.0 / 1_000_000).unwrap_or_default().max(1)))
}

/// What DNS says of a domain now.
pub async fn look(app: &App, row: &Model) -> Seen {
    let name = record_name(&row.domain);
    match tokio::time::timeout(PATIENCE, app.dns.texts(&name)).await {
        Ok(Ok(texts)) => {
            let wanted = record_text(row);
            if texts.iter().any(|text| text.trim() == wanted) { Seen::Record } else { Seen::NoRecord }
        }
        Ok(Err(error)) => Seen::Nothing(error),
        Err(_) => Seen::Nothing(NoAnswer("it did not answer in time".to_owned())),
    }
}

/// Writes down what was seen. With `who` it is told to the audit: what a schedule looks at is not.
pub async fn settle(
    app: &Arc<App>,
    tenant: TenantId,
    id: Uuid,
    seen: Seen,
    who: Option<Who>,
) -> AppResult<Model> {
    let now = app.clock.now();
    let written = app
        .db
        .write(tenant, move |tx| Box::pin(async move { write_down(tx, id, &seen, who, now).await }))
        .await;
    match written {
        Err(Refused::Held) => {
            // The record is right, and the domain somebody else's: that stands beside it.
            note_held(app, tenant, id, now).await?;
            Err(AppError::conflict(HELD))
        }
        Err(Refused::Other(error)) => Err(error),
        Ok(row) => Ok(row),
    }
}

/// Why what was seen could not be written down.
enum Refused {
    /// Another company has the domain: the index that allows one alone says so.
    Held,
    Other(AppError),
}

impl<E: Into<AppError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

async fn write_down(
    tx: &TenantTx,
    id: Uuid,
    seen: &Seen,
    who: Option<Who>,
    now: Instant,
) -> Result<Model, Refused> {
    let row = find(tx, id).await?;
    let before = standing(&row);
    let after = before.after(seen, now);
    let error = match seen {
        Seen::Record => None,
        Seen::NoRecord => {
            Some("DNS has no such record yet: it can take some hours until a new one is seen.".to_owned())
        }
        Seen::Nothing(why) => Some(format!("DNS did not answer: {why}.")),
    };
    let new = Model {
        state: after.state.as_str().to_owned(),
        checked_at: Some(now.0),
        verified_at: after.verified_at.map(|at| at.0),
        failing_since: after.failing_since.map(|at| at.0),
        error,
        ..row
    };
    let sql = "UPDATE tenant_domain SET state = $3, checked_at = $4, verified_at = $5, failing_since = $6, error = $7 \
               WHERE tenant_id = $1 AND id = $2";
    let values = [
        tx.tenant().0.into(),
        id.into(),
        new.state.clone().into(),
        new.checked_at.into(),
        new.verified_at.into(),
        new.failing_since.into(),
        new.error.clone().into(),
    ];
    match tx.execute_raw(tx.statement(sql, values)).await.map_err(DbError::from) {
        Ok(_) => {}
        Err(error) if error.is_unique_violation() => return Err(Refused::Held),
        Err(error) => return Err(error.into()),
    }
    if let Some(who) = who {
        let entry = who.did("domain.verify", "domain", id).before(json!({ "state": before.state.as_str() }));
        audit::write(tx, now, entry.after(json!({ "state": new.state })));
    } else if before.state != after.state {
        tracing::warn!(tenant.id = %tx.tenant(), domain.id = %id, state = new.state, "a domain is in another state");
    }
    Ok(new)
}

async fn note_held(app: &App, tenant: TenantId, id: Uuid, now: Instant) -> AppResult<()> {
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let sql =
                    "UPDATE tenant_domain SET checked_at = $3, error = $4 WHERE tenant_id = $1 AND id = $2";
                let values = [tx.tenant().0.into(), id.into(), now.0.into(), HELD.into()];
                tx.execute_raw(tx.statement(sql, values)).await?;
                Ok(())
            })
        })
        .await
}

async fn find(tx: &TenantTx, id: Uuid) -> AppResult<Model> {
    tx.find_by_id::<Entity>(id).await?.ok_or_else(|| AppError::not_found("domain"))
}

impl From<DomainError> for AppError {
    fn from(error: DomainError) -> Self {
        Self::invalid("domain", sentence(&error.to_string()))
    }
}
