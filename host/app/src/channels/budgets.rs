//! Rate budgets that the processes of one database share: each holder's is a row, changed under its lock.
//!
//! So that not every request goes to the database, a process draws up to half a second's worth at once and spends it by
//! itself; what is left when that time is over goes back. The row holds that much less than the documents allow, so
//! that all processes together stay within them in every window. What a channel says is applied here at once where it
//! lowers, and carried to the row with the next draw.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use portolan_connector::rate::{Budget, Holder, RateBudgets, RateLimit, Told};
use portolan_core::{Clock, Duration, Instant};
use portolan_db::entity::rate_budget;
use portolan_db::{Database, DbError, SystemTx, WriteClass};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, QueryFilter};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A process draws no more at once than flows in meanwhile.
const LARGEST_DRAWING_S: f64 = 0.5;
/// Of the whole, at most so much is drawn at once: other processes want some, too.
const LARGEST_SHARE: f64 = 0.25;
/// When the database can't be asked, the request waits for it.
const DATABASE_AWAY_MS: u64 = 1_000;
/// A budget that nobody has drawn from for so long is full again and forgotten.
const FORGET_AFTER: Duration = Duration::from_days(1);
const FORGET_EVERY: Duration = Duration::from_hours(1);
/// Drawings that are remembered in this process.
const MOST_DRAWINGS: usize = 10_000;

/// Budgets behind a database.
pub struct SharedBudgets {
    db: Database,
    clock: Arc<dyn Clock>,
    here: Mutex<Here>,
}

#[derive(Default)]
struct Here {
    drawings: HashMap<Holder, Drawing>,
    forgot_at: Instant,
}

/// What this process holds of a budget.
#[derive(Debug, Clone, Copy)]
struct Drawing {
    tokens: f64,
    spend_until: Instant,
    /// What the channel said last and the row does not know yet.
    told: Option<Told>,
}

/// What is done to a row.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// Draws the cost, and what else may be spent at once if that is there.
    Draw {
        cost: f64,
        at_once: f64,
        back: f64,
        told: Option<Told>,
    },
    Refused {
        after_ms: Option<u64>,
    },
}

impl SharedBudgets {
    pub fn new(db: Database, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock, here: Mutex::default() }
    }

    fn here(&self) -> MutexGuard<'_, Here> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a row under its lock. Gives the tokens that were drawn, or the milliseconds until they are there.
    async fn change(
        &self,
        holder: &Holder,
        limit: RateLimit,
        change: Change,
    ) -> Result<Result<f64, u64>, DbError> {
        let now = self.clock.now();
        let apply = move |budget: &mut Budget| apply(budget, limit, change, now);
        change_row(&self.db, holder.0.to_string(), Budget::full(limit, now), now, apply).await
    }

    async fn forget_sometimes(&self) -> Result<(), DbError> {
        let now = self.clock.now();
        {
            let mut here = self.here();
            if now.since(here.forgot_at) < FORGET_EVERY {
                return Ok(());
            }
            here.forgot_at = now;
        }
        let before = now - FORGET_AFTER;
        self.db
            .system_write_as(WriteClass::Background, move |tx| {
                Box::pin(async move {
                    tx.delete_many::<rate_budget::Entity>()
                        .filter(rate_budget::Column::UpdatedAt.lt(before.0))
                        .exec(tx)
                        .await?;
                    Ok::<_, DbError>(())
                })
            })
            .await
    }
}

impl Here {
    /// Spends what is here, or gives what goes along to the row: what was not spent, and what the channel said.
    fn spend(&mut self, holder: &Holder, cost: f64, now: Instant) -> Result<(), (f64, Option<Told>)> {
        let Some(drawing) = self.drawings.get_mut(holder) else { return Err((0.0, None)) };
        if now < drawing.spend_until && drawing.tokens >= cost {
            drawing.tokens -= cost;
            drawing.told = drawing.told.map(|told| less(told, cost));
            return Ok(());
        }
        Err((std::mem::take(&mut drawing.tokens), drawing.told.take()))
    }

    fn of(&mut self, holder: &Holder, now: Instant) -> &mut Drawing {
        if self.drawings.len() >= MOST_DRAWINGS {
            self.drawings.retain(|_, drawing| drawing.spend_until > now);
        }
        let fresh = Drawing { tokens: 0.0, spend_until: now, told: None };
        self.drawings.entry(holder.clone()).or_insert(fresh)
    }
}

/// What the channel would say now that one more request is on its way.
fn less(told: Told, cost: f64) -> Told {
    let less = |remaining: u32| remaining.saturating_sub(cost.ceil() as u32);
    match told {
        Told::Left { remaining, reset_ms } => Told::Left { remaining: less(remaining), reset_ms },
        Told::AtMost { remaining, reset_ms } => Told::AtMost { remaining: less(remaining), reset_ms },
    }
}

/// How a limit is shared.
#[derive(Debug, Clone, Copy)]
struct Sharing {
    /// What the row keeps to.
    limit: RateLimit,
    /// What a process may draw at once, where a request does not cost more; 0 where that is not worth it.
    at_once: f64,
    /// How long it may spend that: as long as it takes to flow in again.
    spend_within: Duration,
}

impl Sharing {
    fn of(limit: RateLimit) -> Self {
        let at_once =
            (limit.refill_per_second * LARGEST_DRAWING_S).min(limit.capacity * LARGEST_SHARE).floor();
        let spend_within = Duration((at_once / limit.refill_per_second * 1_000_000.0) as i64);
        Self { limit: RateLimit { capacity: limit.capacity - at_once, ..limit }, at_once, spend_within }
    }
}

fn apply(budget: &mut Budget, limit: RateLimit, change: Change, now: Instant) -> Result<f64, u64> {
    match change {
        Change::Refused { after_ms } => {
            budget.refused(limit, after_ms, now);
            Ok(0.0)
        }
        Change::Draw { cost, at_once, back, told } => {
            budget.give_back(limit, back, now);
            if let Some(told) = told {
                budget.observe(limit, told, now);
            }
            if at_once > cost && budget.draw(limit, at_once, now).is_ok() {
                return Ok(at_once);
            }
            budget.draw(limit, cost, now).map(|()| cost)
        }
    }
}

/// Changes what a row says, under its lock. A row that is not there, or whose state an older version wrote differently,
/// begins as `fresh`.
pub(super) async fn change_row<S, T>(
    db: &Database,
    holder: String,
    fresh: S,
    now: Instant,
    change: impl FnOnce(&mut S) -> T + Send + 'static,
) -> Result<T, DbError>
where
    S: Serialize + DeserializeOwned + Send + 'static,
    T: Send + 'static,
{
    db.system_write_as(WriteClass::Background, move |tx| {
        Box::pin(async move {
            let state = locked(tx, &holder, now).await?;
            let mut state = state.and_then(|state| serde_json::from_str(&state).ok()).unwrap_or(fresh);
            let done = change(&mut state);
            tx.update_many::<rate_budget::Entity>()
                .col_expr(rate_budget::Column::State, Expr::value(json_of(&state)))
                .col_expr(rate_budget::Column::UpdatedAt, Expr::value(now.0))
                .filter(rate_budget::Column::Holder.eq(holder))
                .exec(tx)
                .await?;
            Ok::<_, DbError>(done)
        })
    })
    .await
}

fn json_of(state: &impl Serialize) -> String {
    serde_json::to_string(state).unwrap_or_default()
}

/// What the row says, locked until the transaction ends; a new one says nothing yet.
async fn locked(tx: &SystemTx, holder: &str, now: Instant) -> Result<Option<String>, DbError> {
    let row = rate_budget::ActiveModel {
        holder: Set(holder.to_owned()),
        state: Set(String::new()),
        updated_at: Set(now.0),
    };
    let sql = format!("SELECT * FROM rate_budget WHERE holder = $1{}", tx.dialect().for_update());
    let find = || tx.find::<rate_budget::Entity>().from_raw_sql(tx.statement(sql.clone(), [holder.into()]));
    let mut known = find().one(tx).await?;
    if known.is_none() {
        // Somebody else may make it at the same moment: whoever was first, both go on with the one row.
        tx.insert_many_on_conflict_do_nothing(vec![row]).await?;
        known = find().one(tx).await?;
    }
    Ok(known.map(|row| row.state))
}

#[async_trait]
impl RateBudgets for SharedBudgets {
    async fn draw(&self, holder: &Holder, limit: RateLimit, cost: u32) -> Result<(), u64> {
        let (sharing, cost, now) = (Sharing::of(limit), f64::from(cost.max(1)), self.clock.now());
        let (back, told) = match self.here().spend(holder, cost, now) {
            Ok(()) => return Ok(()),
            Err(carried) => carried,
        };
        let change = Change::Draw { cost, at_once: sharing.at_once, back, told };
        let drawn = match self.change(holder, sharing.limit, change).await {
            Ok(drawn) => drawn?,
            Err(error) => {
                tracing::warn!(%error, "failed to draw from a shared rate budget");
                return Err(DATABASE_AWAY_MS);
            }
        };
        {
            let mut here = self.here();
            let drawing = here.of(holder, now);
            drawing.tokens += drawn - cost;
            drawing.spend_until = now + sharing.spend_within;
        }
        if let Err(error) = self.forget_sometimes().await {
            tracing::warn!(%error, "failed to forget rate budgets that nobody uses");
        }
        Ok(())
    }

    fn observe(&self, holder: &Holder, _: RateLimit, told: Told) {
        let now = self.clock.now();
        let mut here = self.here();
        let drawing = here.of(holder, now);
        let (Told::Left { remaining, .. } | Told::AtMost { remaining, .. }) = told;
        drawing.tokens = drawing.tokens.min(f64::from(remaining));
        drawing.told = Some(told);
    }

    async fn refused(&self, holder: &Holder, limit: RateLimit, after_ms: Option<u64>) {
        self.here().drawings.remove(holder);
        if let Err(error) = self.change(holder, Sharing::of(limit).limit, Change::Refused { after_ms }).await
        {
            tracing::warn!(%error, "failed to note that a channel refused a request");
        }
    }
}
