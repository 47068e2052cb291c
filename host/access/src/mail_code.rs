//! Codes by mail, in the place of an authenticator: for whoever has neither that nor a passkey, where their company asks for a
//! second factor and lets a mailed code count. Six digits, for ten minutes, once.
//!
//! Weaker than the others, since whoever reads the mailbox may have set the password by it, too: so it is off until a company
//! switches it on.
//!
//! **Invariants**
//! - A code belongs to one first step, and goes with it. Its hash is made with that step's token, which is kept nowhere: a copy
//!   of the database does not tell the code by trying a million.
//! - [`TRIES`] wrong codes in a row lock all codes of that person for [`LOCKED_FOR`], whichever first steps they came by.
//! - How often one is sent is limited by [`crate::ask_for_mail`], like any mail that strangers may cause.

use portolan_core::{Duration, Instant, Random, TenantId, UserId};
use portolan_db::entity::{
    mail_code, mail_code_tries, pending_sign_in, role_grant, team_grant, team_member, user,
};
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter};
use subtle::ConstantTimeEq;

use crate::client::Factor;
use crate::second_factor::has_second_factor;
use crate::token::token_hash;
use crate::{Sessions, SignInPolicy, ask_for_mail};

/// As long as the first step is good for.
pub const MAIL_CODE_LASTS: Duration = Duration::from_minutes(10);
/// In `mail_limit`.
const PURPOSE: &str = "sign_in_code";
const DIGITS: usize = 6;
const TRIES: i32 = 3;
const LOCKED_FOR: Duration = Duration::from_minutes(30);

/// A code to be sent, known here for the only time.
#[derive(Clone, PartialEq, Eq)]
pub struct MailCode {
    pub to: String,
    pub code: String,
}

impl std::fmt::Debug for MailCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("MailCode(…)")
    }
}

impl Sessions {
    /// Makes a code for the second step, in the place of an older one; `None` where none may be sent now, whatever the reason.
    /// Has to be sent in the transaction that makes it.
    pub async fn make_mail_code(&self, tx: &SystemTx, token: &str) -> Result<Option<MailCode>, DbError> {
        let now = self.clock.now();
        let Some(pending) = self.find_pending(tx, token).await? else { return Ok(None) };
        let (user, tenant) = (UserId(pending.user_id), TenantId(pending.tenant_id));
        if has_second_factor(tx, user).await? {
            return Ok(None);
        }
        let Some(to) = self.mail_code_for(tx, user, tenant).await? else { return Ok(None) };
        if tries_of(tx, user).await?.locked_until > now.0 || !ask_for_mail(tx, PURPOSE, &to, now).await? {
            tracing::info!(user.id = %user, "a code by mail was asked for too often, or after too many wrong ones");
            return Ok(None);
        }
        let code = new_code(&*self.random);
        let older = mail_code::Column::SignInHash.eq(pending.token_hash.as_str());
        tx.delete_many::<mail_code::Entity>().filter(older).exec(tx).await?;
        let row = mail_code::Model {
            code_hash: code_hash(token, &code),
            sign_in_hash: pending.token_hash,
            expires_at: (now + MAIL_CODE_LASTS).0,
        };
        tx.insert(row.into_active_model()).await?;
        Ok(Some(MailCode { to, code }))
    }

    /// Tries a mailed code and counts the try. The transaction has to be committed whatever comes out, or the try would not
    /// count. Of many who send one right code at once, one is right.
    pub(crate) async fn try_mail_code(
        &self,
        tx: &SystemTx,
        pending: &pending_sign_in::Model,
        token: &str,
        typed: &str,
    ) -> Result<Option<Factor>, DbError> {
        let (user, tenant) = (UserId(pending.user_id), TenantId(pending.tenant_id));
        let now = self.clock.now();
        if self.mail_code_for(tx, user, tenant).await?.is_none() {
            return Ok(None);
        }
        let tries = lock_tries(tx, user).await?;
        if tries.locked_until > now.0 {
            tracing::warn!(user.id = %user, "too many mailed codes were wrong; this one is not looked at");
            return Ok(None);
        }
        let code: String = typed.chars().filter(|character| !character.is_whitespace()).collect();
        let own = mail_code::Column::SignInHash.eq(pending.token_hash.as_str());
        let found = tx.find::<mail_code::Entity>().filter(own.clone());
        let found = found.filter(mail_code::Column::ExpiresAt.gt(now.0)).one(tx).await?;
        let hash = code_hash(token, &code);
        let is_right =
            found.is_some_and(|found| bool::from(found.code_hash.as_bytes().ct_eq(hash.as_bytes())));
        if !is_right {
            tracing::warn!(user.id = %user, "a mailed code was not right");
            note_wrong(tx, user, tries.wrong + 1, now).await?;
            return Ok(None);
        }
        let used = tx.delete_many::<mail_code::Entity>().filter(own).exec(tx).await?.rows_affected == 1;
        store_tries(tx, user, 0, 0).await?;
        Ok(used.then_some(Factor::MailCode))
    }

    /// Where a code would be mailed to, for somebody without another second factor: `None` where their company asks them for none,
    /// or does not let it count, or where nothing can be sent.
    pub(crate) async fn mail_code_for(
        &self,
        tx: &SystemTx,
        user: UserId,
        tenant: TenantId,
    ) -> Result<Option<String>, DbError> {
        if !self.sends_mail {
            return Ok(None);
        }
        let policy = SignInPolicy::of_tenant(tx, tenant).await?;
        if !policy.mail_codes || !is_asked(tx, user, tenant, &policy).await? {
            return Ok(None);
        }
        let person = tx.find::<user::Entity>().filter(user::Column::Id.eq(user.0)).one(tx).await?;
        Ok(person.map(|person| person.sign_in_name).filter(|name| may_be_mailbox(name)))
    }
}

/// Whether the policy asks this person for a second factor, by a role of theirs or of their team. As
/// [`crate::TenantPolicy::needs_second_factor`] says it, from the transaction that decides by it.
async fn is_asked(
    tx: &SystemTx,
    user: UserId,
    tenant: TenantId,
    policy: &SignInPolicy,
) -> Result<bool, DbError> {
    let own = tx
        .find_across_tenants::<role_grant::Entity>()
        .filter(role_grant::Column::TenantId.eq(tenant.0))
        .filter(role_grant::Column::UserId.eq(user.0));
    let own = own.all(tx).await?;
    if policy.asks_second_factor_of(own.iter().map(|grant| grant.role.as_str())) {
        return Ok(true);
    }
    let teams = tx
        .find_across_tenants::<team_member::Entity>()
        .filter(team_member::Column::TenantId.eq(tenant.0))
        .filter(team_member::Column::UserId.eq(user.0));
    let teams = teams.all(tx).await?.into_iter().map(|member| member.team_id);
    let by_team = tx
        .find_across_tenants::<team_grant::Entity>()
        .filter(team_grant::Column::TenantId.eq(tenant.0))
        .filter(team_grant::Column::TeamId.is_in(teams));
    let by_team = by_team.all(tx).await?;
    Ok(policy.asks_second_factor_of(by_team.iter().map(|grant| grant.role.as_str())))
}

/// A name that is sent to is an address as a whole; what is none is nobody's mailbox.
fn may_be_mailbox(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_graphic());
    plain && name.split_once('@').is_some_and(|(local, host)| !local.is_empty() && host.contains('.'))
}

/// Each as likely as the others.
fn new_code(random: &dyn Random) -> String {
    let mut code = String::with_capacity(DIGITS);
    while code.len() < DIGITS {
        let mut byte = [0_u8];
        random.fill(&mut byte);
        // 250 is the largest multiple of ten in a byte.
        if byte[0] < 250 {
            code.push(char::from(b'0' + byte[0] % 10));
        }
    }
    code
}

fn code_hash(token: &str, code: &str) -> String {
    token_hash(&format!("portolan mail code\n{token}\n{code}"))
}

async fn tries_of(tx: &SystemTx, user: UserId) -> Result<mail_code_tries::Model, DbError> {
    let own = tx.find::<mail_code_tries::Entity>().filter(mail_code_tries::Column::UserId.eq(user.0));
    let none = mail_code_tries::Model { user_id: user.0, wrong: 0, locked_until: 0 };
    Ok(own.one(tx).await?.unwrap_or(none))
}

/// The same, held until the transaction ends: whoever tries another code of this person waits.
async fn lock_tries(tx: &SystemTx, user: UserId) -> Result<mail_code_tries::Model, DbError> {
    let none = mail_code_tries::Model { user_id: user.0, wrong: 0, locked_until: 0 };
    tx.insert_many_on_conflict_do_nothing(vec![none.into_active_model()]).await?;
    let sql = "UPDATE mail_code_tries SET wrong = wrong WHERE user_id = $1";
    tx.execute_raw(tx.statement(sql, [user.0.into()])).await?;
    tries_of(tx, user).await
}

async fn note_wrong(tx: &SystemTx, user: UserId, wrong: i32, now: Instant) -> Result<(), DbError> {
    if wrong < TRIES {
        return store_tries(tx, user, wrong, 0).await;
    }
    tracing::warn!(user.id = %user, locked_minutes = LOCKED_FOR.0 / 60_000_000, "mailed codes of a person are locked");
    store_tries(tx, user, 0, (now + LOCKED_FOR).0).await
}

async fn store_tries(tx: &SystemTx, user: UserId, wrong: i32, locked_until: i64) -> Result<(), DbError> {
    let sql = "UPDATE mail_code_tries SET wrong = $2, locked_until = $3 WHERE user_id = $1";
    tx.execute_raw(tx.statement(sql, [user.0.into(), wrong.into(), locked_until.into()])).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use portolan_core::SystemRandom;

    use super::*;

    #[test]
    fn a_code_has_six_digits_and_every_digit_is_as_likely() {
        let mut counts = [0_u32; 10];
        for _ in 0..10_000 {
            let code = new_code(&SystemRandom);
            assert_eq!(code.len(), DIGITS);
            for digit in code.chars() {
                counts[digit.to_digit(10).expect("a digit") as usize] += 1;
            }
        }
        // 6,000 of each, give or take eight standard deviations.
        assert!(counts.iter().all(|count| (5_400..6_600).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_code_is_sent_to_whole_addresses_alone() {
        for name in ["ada@example.com", "a@b.c"] {
            assert!(may_be_mailbox(name), "{name}");
        }
        for name in ["ada", "@example.com", "ada@", "ada@localhost", "ada @example.com", "äda@example.com"] {
            assert!(!may_be_mailbox(name), "{name}");
        }
    }
}
