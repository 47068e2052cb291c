//! How often somebody has mail sent: one a minute, two an hour; who asks for more waits for an hour.
//!
//! Counted in the database by purpose and name, whether there is such a name or not: so the limit tells nobody who is
//! there, and nobody fills anybody's mailbox.

use portolan_core::{Duration, Instant};
use portolan_db::entity::mail_limit;
use portolan_db::{DbError, SystemTx};
use sea_orm::{ConnectionTrait, IntoActiveModel};

use crate::token::token_hash;

const COOLDOWN: Duration = Duration::from_secs(60);
const WITHIN: Duration = Duration::from_hours(1);
const LOCKED_FOR: Duration = Duration::from_hours(1);

/// What is known of one purpose and name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Asked {
    /// The newest first; zero is never.
    at: [Instant; 2],
    locked_until: Instant,
}

impl Asked {
    /// Whether a mail may be sent now, and what is known afterwards. Asking too soon counts for nothing; asking a third
    /// time within the hour locks.
    fn ask(self, now: Instant) -> (bool, Self) {
        let is_recent = |at: Instant, span: Duration| at.0 > 0 && now.since(at) < span;
        if now < self.locked_until || is_recent(self.at[0], COOLDOWN) {
            return (false, self);
        }
        if is_recent(self.at[1], WITHIN) {
            return (false, Self { locked_until: now + LOCKED_FOR, ..self });
        }
        (true, Self { at: [now, self.at[0]], ..self })
    }
}

/// Counts that a mail is asked for; says whether it may be sent. Whoever asks for the same at the same moment waits until
/// the transaction has ended.
pub async fn ask_for_mail(tx: &SystemTx, purpose: &str, name: &str, now: Instant) -> Result<bool, DbError> {
    let key = token_hash(&format!("{purpose}:{name}"));
    let nothing = mail_limit::Model { key_hash: key.clone(), asked_at_1: 0, asked_at_2: 0, locked_until: 0 };
    tx.insert_many_on_conflict_do_nothing(vec![nothing.into_active_model()]).await?;
    let sql = format!(
        "SELECT key_hash, asked_at_1, asked_at_2, locked_until FROM mail_limit WHERE key_hash = $1{}",
        tx.dialect().for_update()
    );
    let known = tx.find::<mail_limit::Entity>().from_raw_sql(tx.statement(sql, [key.clone().into()]));
    let known = known.one(tx).await?.map(|row| Asked {
        at: [Instant(row.asked_at_1), Instant(row.asked_at_2)],
        locked_until: Instant(row.locked_until),
    });
    let known = known.unwrap_or_default();
    let (may, after) = known.ask(now);
    if after != known {
        let sql =
            "UPDATE mail_limit SET asked_at_1 = $2, asked_at_2 = $3, locked_until = $4 WHERE key_hash = $1";
        let [first, second] = after.at.map(|at| at.0);
        let values = [key.into(), first.into(), second.into(), after.locked_until.0.into()];
        tx.execute_raw(tx.statement(sql, values)).await?;
    }
    Ok(may)
}

/// Forgets what no longer limits anybody.
pub async fn forget_mail_limits(tx: &SystemTx, now: Instant) -> Result<(), DbError> {
    let sql = "DELETE FROM mail_limit WHERE locked_until <= $1 AND asked_at_1 <= $2";
    tx.execute_raw(tx.statement(sql, [now.0.into(), (now.0 - WITHIN.0).into()])).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
