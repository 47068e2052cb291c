//! How often passwords may be guessed: counted in the database, by all processes alike, before one is looked at.
//!
//! A guess is paid from budgets that refill with time: of the name, of the network it comes from, and of the house. All of
//! them pay, or none. Whoever signed in before from the network they are in now pays from a budget of their own there:
//! a stranger who spends those of the name and of the house keeps them out of places alone where they never were.
//!
//! **Invariants**
//! - A name that nobody has is counted like any other, by the same statements.
//! - Of a budget one number is kept: when it will be full again. A row whose moment is over says nothing and may go.
//! - Names and addresses are kept as hashes.

use portolan_core::{Duration, Instant, UserId};
use portolan_db::entity::familiar_place;
use portolan_db::{DbError, SystemTx};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter};
use uuid::Uuid;

use crate::network::client_network;
use crate::token::token_hash;
use crate::{Sessions, SignInError};

/// So many guesses at once, and one more each time that `every` has passed.
#[derive(Debug, Clone, Copy)]
struct Budget {
    kind: &'static str,
    at_once: i64,
    every: Duration,
}

/// Of one name, from all places where its person never was: 298 guesses in a day.
const NAME: Budget = Budget { kind: "name", at_once: 10, every: Duration::from_minutes(5) };
/// Of one IPv4 address or one /64, over all names.
const NETWORK: Budget = Budget { kind: "network", at_once: 30, every: Duration::from_secs(30) };
/// Of everybody from everywhere: what hashing may cost.
const HOUSE: Budget = Budget { kind: "house", at_once: 500, every: Duration::from_ms(100) };
/// Of one person in a place from where they came in before, or in their own session.
const OWN: Budget = Budget { kind: "own", at_once: 10, every: Duration::from_minutes(5) };

/// Of recovery codes of somebody who has passkeys alone: nobody guesses one, it is what looking at them may cost.
const RECOVERY: Budget = Budget { kind: "recovery", at_once: 5, every: Duration::from_minutes(1) };
/// Of questions to passkeys that somebody asks from one network before anybody knows who they are.
const PASSKEY: Budget = Budget { kind: "passkey", at_once: 30, every: Duration::from_secs(10) };

/// A place is forgotten when its person didn't come in from there for so long.
const FAMILIAR_FOR: Duration = Duration::from_hours(24 * 90);

/// Whose password is guessed, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Guess<'a> {
    /// At the door: nobody knows yet who that is.
    AtTheDoor { normal_name: &'a str, user: Option<UserId>, address: &'a str },
    /// By somebody in a session of their own.
    InSession { user: UserId },
}

/// What a guess was paid from.
struct Paid {
    from: Vec<(String, Budget)>,
    /// Where the person is, if the password turns out to be right.
    place: Option<(UserId, String)>,
}

/// A budget is spent: nothing of the transaction stays.
enum Unpaid {
    Spent(&'static str),
    Database(DbError),
}

impl From<DbError> for Unpaid {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

impl Sessions {
    /// Whether this is the password, if one may be looked at at all. Right ones cost nothing.
    pub(crate) async fn try_password(
        &self,
        guess: Guess<'_>,
        stored: Option<&str>,
        password: &str,
    ) -> Result<bool, SignInError> {
        let paid = match self.pay(guess).await {
            Ok(paid) => paid,
            Err(Unpaid::Spent(budget)) => {
                tracing::warn!(budget, "too many passwords were tried; this one is not looked at");
                return Ok(false);
            }
            Err(Unpaid::Database(error)) => return Err(error.into()),
        };
        let right = self.passwords().verify(password, stored).await?;
        if right {
            self.give_back(paid).await?;
        } else {
            // Who that is, is said of people who exist alone, and by their id.
            let user = paid.place.map(|(user, _)| user.to_string()).unwrap_or_default();
            tracing::warn!(user.id = user, "a password was not right");
        }
        Ok(right)
    }

    async fn pay(&self, guess: Guess<'_>) -> Result<Paid, Unpaid> {
        let now = self.clock.now();
        let (named, user, network) = match guess {
            Guess::AtTheDoor { normal_name, user, address } => {
                let network = address.parse().ok().map(|address| client_network(address).to_string());
                (Some(hashed("name", normal_name)), user, network)
            }
            Guess::InSession { user } => (None, Some(user), None),
        };
        let place = network.as_ref().map(|network| hashed("place", network));
        self.database
            .system_write(move |tx| {
                Box::pin(async move {
                    // Asked for a name that nobody has as well: the same work for everybody.
                    let of = user.map_or_else(Uuid::nil, |user| user.0);
                    let familiar = is_familiar(tx, of, place.as_deref().unwrap_or_default(), now).await?;
                    let from = match (named, familiar) {
                        (Some(name), false) => {
                            let network = network.map(|network| (hashed("network", &network), NETWORK));
                            let rest = [(name, NAME), (hashed("house", ""), HOUSE)];
                            // Everybody takes them in this order, so that nobody waits for each other.
                            network.into_iter().chain(rest).collect()
                        }
                        _ => vec![(
                            hashed("own", &format!("{of} {}", place.as_deref().unwrap_or("session"))),
                            OWN,
                        )],
                    };
                    for (key_hash, budget) in &from {
                        if !take(tx, key_hash, *budget, now).await? {
                            return Err(Unpaid::Spent(budget.kind));
                        }
                    }
                    Ok(Paid { from, place: user.zip(place) })
                })
            })
            .await
    }

    /// A right password costs nothing, and the place is familiar from now on.
    async fn give_back(&self, paid: Paid) -> Result<(), DbError> {
        let until = self.clock.now() + FAMILIAR_FOR;
        self.database
            .system_write(move |tx| {
                Box::pin(async move {
                    for (key_hash, budget) in paid.from {
                        let sql = "UPDATE guess_budget SET full_at = full_at - $2 WHERE key_hash = $1";
                        tx.execute_raw(tx.statement(sql, [key_hash.into(), budget.every.0.into()])).await?;
                    }
                    let Some((user, place)) = paid.place else { return Ok(()) };
                    let sql = "INSERT INTO familiar_place (user_id, place_hash, until) VALUES ($1, $2, $3) \
                               ON CONFLICT (user_id, place_hash) DO UPDATE SET until = excluded.until";
                    tx.execute_raw(tx.statement(sql, [user.0.into(), place.into(), until.0.into()])).await?;
                    Ok(())
                })
            })
            .await
    }
}

/// Takes one guess from a budget, if there is one; holds the row until the transaction ends.
///
/// A budget that says it will be full later than a spent one can be was written by a clock that has been set back since:
/// it begins anew, or nobody came in until the clock is there again.
async fn take(tx: &SystemTx, key_hash: &str, budget: Budget, now: Instant) -> Result<bool, DbError> {
    let sql = "INSERT INTO guess_budget (key_hash, full_at) VALUES ($1, $3) \
               ON CONFLICT (key_hash) DO UPDATE SET full_at = \
               CASE WHEN guess_budget.full_at > $2 AND guess_budget.full_at <= $6 \
               THEN guess_budget.full_at + $4 ELSE $3 END \
               WHERE guess_budget.full_at <= $5 OR guess_budget.full_at > $6";
    let one_left = now.0 + budget.every.0 * (budget.at_once - 1);
    let values = [
        key_hash.into(),
        now.0.into(),
        (now + budget.every).0.into(),
        budget.every.0.into(),
        one_left.into(),
        (one_left + budget.every.0).into(),
    ];
    Ok(tx.execute_raw(tx.statement(sql, values)).await?.rows_affected() == 1)
}

/// Whether a passkey may be asked for from there, before it is known whose: each question takes a row for some minutes.
pub(crate) async fn may_ask_for_passkey(tx: &SystemTx, address: &str, now: Instant) -> Result<bool, DbError> {
    let network = address.parse().map(|address| client_network(address).to_string()).unwrap_or_default();
    take(tx, &hashed("passkey", &network), PASSKEY, now).await
}

/// Whether a recovery code of somebody without an authenticator may be looked at.
pub(crate) async fn may_try_recovery_code(
    tx: &SystemTx,
    user: UserId,
    now: Instant,
) -> Result<bool, DbError> {
    take(tx, &hashed("recovery", &user.to_string()), RECOVERY, now).await
}

async fn is_familiar(tx: &SystemTx, user: Uuid, place: &str, now: Instant) -> Result<bool, DbError> {
    let found = tx
        .find::<familiar_place::Entity>()
        .filter(familiar_place::Column::UserId.eq(user))
        .filter(familiar_place::Column::PlaceHash.eq(place))
        .filter(familiar_place::Column::Until.gt(now.0));
    Ok(found.one(tx).await?.is_some())
}

/// Hashes of unlike things never meet.
fn hashed(kind: &str, what: &str) -> String {
    token_hash(&format!("portolan guess {kind}\n{what}"))
}
