//! The chain: what of an event is hashed, and how the next one is added.

use portolan_core::{Instant, TenantId, hex};
use portolan_db::entity::audit_event;
use portolan_db::{DbError, Dialect, SystemTx};
use sea_orm::{ConnectionTrait, DbErr};
use sha2::{Digest, Sha256};

use super::Entry;

/// What the first event names as the hash before it.
pub(super) const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Adds an event behind the head, whose row is held until the end of the transaction.
pub(super) async fn append(
    tx: &SystemTx,
    tenant: TenantId,
    at: Instant,
    entry: Entry,
) -> Result<(), DbError> {
    let (last_seq, previous_hash) = hold_head(tx, tenant).await?;
    let mut row = audit_event::Model {
        tenant_id: tenant.0,
        seq: last_seq + 1,
        at: at.0,
        actor_kind: entry.who.actor.kind().to_owned(),
        actor_id: entry.who.actor.id(),
        session_id: entry.who.session,
        action: entry.action.to_owned(),
        subject_kind: entry.subject_kind.to_owned(),
        subject_id: entry.subject_id,
        before: entry.before.map(|before| before.to_string()),
        after: entry.after.map(|after| after.to_string()),
        address: entry.who.address,
        request_id: entry.who.request_id,
        previous_hash,
        hash: String::new(),
    };
    row.hash = hash_of(&row);
    add(tx, row).await
}

/// The number and the hash of the last event.
async fn hold_head(tx: &SystemTx, tenant: TenantId) -> Result<(i64, String), DbError> {
    let hold = format!("SELECT seq, hash FROM audit_head WHERE tenant_id = $1{}", tx.dialect().for_update());
    let mut held = tx.query_one_raw(tx.statement(hold.as_str(), [tenant.0.into()])).await?;
    if held.is_none() {
        // Of two that begin a chain at the same moment one makes the head, and the other waits for it.
        let begin = "INSERT INTO audit_head (tenant_id, seq, hash) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING";
        tx.execute_raw(tx.statement(begin, [tenant.0.into(), BEGINNING.into()])).await?;
        held = tx.query_one_raw(tx.statement(hold, [tenant.0.into()])).await?;
    }
    let row = held.ok_or_else(|| DbErr::RecordNotFound("the head of an audit".to_owned()))?;
    Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))
}

const INSERT: &str = r#"INSERT INTO audit_event (tenant_id, seq, hash, at, actor_kind, actor_id, session_id, action,
    subject_kind, subject_id, "before", "after", address, request_id, previous_hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"#;
const MOVE_HEAD: &str = "UPDATE audit_head SET seq = $2, hash = $3 WHERE tenant_id = $1";

/// Stores the event and moves the head behind it.
async fn add(tx: &SystemTx, event: audit_event::Model) -> Result<(), DbError> {
    let head = [event.tenant_id.into(), event.seq.into(), event.hash.into()];
    let rest = [
        event.at.into(),
        event.actor_kind.into(),
        event.actor_id.into(),
        event.session_id.into(),
        event.action.into(),
        event.subject_kind.into(),
        event.subject_id.into(),
        event.before.into(),
        event.after.into(),
        event.address.into(),
        event.request_id.into(),
        event.previous_hash.into(),
    ];
    let values = head.iter().cloned().chain(rest);
    match tx.dialect() {
        Dialect::Sqlite => {
            tx.execute_raw(tx.statement(INSERT, values)).await?;
            tx.execute_raw(tx.statement(MOVE_HEAD, head)).await?;
        }
        // At once: others wait for the head, and every statement is a way to the server and back.
        Dialect::Postgres => {
            let both = format!("WITH head AS ({MOVE_HEAD}) {INSERT}");
            tx.execute_raw(tx.statement(both, values)).await?;
        }
    }
    Ok(())
}

/// SHA-256 of the hash before it and of everything else that the event holds, in hex.
pub(super) fn hash_of(event: &audit_event::Model) -> String {
    let mut digest = Sha256::new();
    digest.update(event.previous_hash.as_bytes());
    let mut part = |bytes: Option<&[u8]>| match bytes {
        // Each part after its length: no two events have the same bytes.
        Some(bytes) => {
            digest.update([1]);
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        }
        None => digest.update([0]),
    };
    part(Some(b"portolan audit event 1"));
    part(Some(event.tenant_id.as_bytes()));
    part(Some(&event.seq.to_be_bytes()));
    part(Some(&event.at.to_be_bytes()));
    part(Some(event.actor_kind.as_bytes()));
    part(event.actor_id.as_ref().map(|id| id.as_bytes().as_slice()));
    part(event.session_id.as_ref().map(|id| id.as_bytes().as_slice()));
    part(Some(event.action.as_bytes()));
    part(Some(event.subject_kind.as_bytes()));
    part(Some(event.subject_id.as_bytes()));
    part(event.before.as_deref().map(str::as_bytes));
    part(event.after.as_deref().map(str::as_bytes));
    part(Some(event.address.as_bytes()));
    part(Some(event.request_id.as_bytes()));
    hex(&digest.finalize())
}
