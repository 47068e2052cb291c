//! Seats among the requests in flight of a quota, which the processes of one database share: each holder's are a row
//! beside its budget, changed under its lock.
//!
//! Each request asks for its own and gives it back. Channels that say how many requests may be in flight allow some tens of
//! them in a second, and each takes longer than the two short transactions.

use std::sync::Arc;

use async_trait::async_trait;
use portolan_connector::rate::{Holder, RateSeats, Seating, Ticket};
use portolan_core::{Clock, Duration, Random};
use portolan_db::{Database, DbError};

use super::budgets::change_row;

/// Seats behind a database.
pub struct SharedSeats {
    db: Database,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl SharedSeats {
    pub fn new(db: Database, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { db, clock, random }
    }

    async fn change<T: Send + 'static>(
        &self,
        holder: &Holder,
        change: impl FnOnce(&mut Seating) -> T + Send + 'static,
    ) -> Result<T, DbError> {
        let row = format!("{}/seats", holder.0);
        change_row(&self.db, row, Seating::default(), self.clock.now(), change).await
    }
}

#[async_trait]
impl RateSeats for SharedSeats {
    fn ticket(&self) -> Ticket {
        Ticket(self.random.next_u64())
    }

    async fn sit(&self, holder: &Holder, ticket: Ticket, most: u32, held: Duration) -> bool {
        let now = self.clock.now();
        match self.change(holder, move |seats| seats.sit(ticket, most, held, now)).await {
            Ok(sits) => sits,
            Err(error) => {
                tracing::warn!(%error, "failed to ask for a shared seat");
                false
            }
        }
    }

    async fn rise(&self, holder: &Holder, ticket: Ticket) {
        let now = self.clock.now();
        if let Err(error) = self.change(holder, move |seats| seats.rise(ticket, now)).await {
            tracing::warn!(%error, "failed to give a shared seat back: it is free when its time is over");
        }
    }
}
