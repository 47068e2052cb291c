//! Lists: which objects there are at a moment, newest first, a page at a time.

use std::collections::HashMap;

use super::query::{ListQuery, Refusal, Window};
use crate::world::Account;

/// Stripe keeps events for thirty days.
pub const EVENTS_KEPT_S: i64 = 30 * 86_400;

/// The kinds of objects that are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Entries,
    Charges,
    Refunds,
    Disputes,
    Payouts,
    Intents,
    Customers,
    Products,
    Events,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Entries,
        Self::Charges,
        Self::Refunds,
        Self::Disputes,
        Self::Payouts,
        Self::Intents,
        Self::Customers,
        Self::Products,
        Self::Events,
    ];

    /// The list's place, and what an id that is not there is called.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Entries => ("balance_transactions", "balance transaction"),
            Self::Charges => ("charges", "charge"),
            Self::Refunds => ("refunds", "refund"),
            Self::Disputes => ("disputes", "dispute"),
            Self::Payouts => ("payouts", "payout"),
            Self::Intents => ("payment_intents", "payment_intent"),
            Self::Customers => ("customers", "customer"),
            Self::Products => ("products", "product"),
            Self::Events => ("events", "event"),
        }
    }

    pub fn expandable(self) -> &'static [&'static str] {
        match self {
            Self::Entries => &["source", "source.charge"],
            Self::Refunds | Self::Disputes => &["charge"],
            Self::Intents => &["latest_charge"],
            Self::Products => &["default_price"],
            _ => &[],
        }
    }

    pub fn filters(self) -> &'static [&'static str] {
        match self {
            Self::Entries => &["payout", "type"],
            Self::Refunds | Self::Disputes => &["charge"],
            Self::Events => &["type"],
            _ => &[],
        }
    }

    /// The permission that a restricted key needs.
    pub fn permission(self) -> String {
        let (_, name) = self.names();
        format!("rak_{}_read", name.replace(' ', "_"))
    }
}

/// One list in the order of creation, and where each id stands in it.
#[derive(Debug, Default)]
struct Order {
    /// Moment of creation and index into the account's list.
    by_creation: Vec<(i64, usize)>,
    places: HashMap<String, usize>,
}

/// The lists of one account.
#[derive(Debug)]
pub struct Lists(HashMap<Kind, Order>);

/// A page: indices into the account's list.
pub struct PageOf {
    pub indices: Vec<usize>,
    pub has_more: bool,
}

impl Lists {
    pub fn of(account: &Account) -> Self {
        Self(Kind::ALL.into_iter().map(|kind| (kind, Order::of(identities(account, kind)))).collect())
    }

    /// The index of an object that is there at the moment.
    pub fn find(&self, account: &Account, kind: Kind, id: &str, now: i64) -> Option<usize> {
        let order = &self.0[&kind];
        let (created, index) = order.by_creation[*order.places.get(id)?];
        (created <= now
            && (kind != Kind::Events || created > now - EVENTS_KEPT_S)
            && !is_deleted_product(account, kind, index, now))
        .then_some(index)
    }

    /// A page of what is there at the moment.
    pub fn page(
        &self,
        account: &Account,
        kind: Kind,
        query: &ListQuery,
        now: i64,
    ) -> Result<PageOf, Refusal> {
        let order = &self.0[&kind];
        let mut below = order.by_creation.len();
        if let Some(after) = &query.starting_after {
            let found = self.find(account, kind, after, now).and_then(|_| order.places.get(after));
            let missing = || Refusal::missing(kind.names().1, after, "starting_after");
            below = *found.ok_or_else(missing)?;
        }
        let Window { since, until } = visible(query.window, kind, now);
        let candidates = order.by_creation[..below].iter().rev();
        let chosen = candidates
            .skip_while(|(created, _)| *created >= until)
            .take_while(|(created, _)| *created >= since)
            .map(|(_, index)| *index)
            .filter(|index| is_listed(account, kind, *index, query, now));
        let mut indices: Vec<usize> = chosen.take(query.limit + 1).collect();
        let has_more = indices.len() > query.limit;
        indices.truncate(query.limit);
        Ok(PageOf { indices, has_more })
    }
}

fn visible(window: Window, kind: Kind, now: i64) -> Window {
    let oldest = if kind == Kind::Events { now - EVENTS_KEPT_S + 1 } else { i64::MIN };
    Window { since: window.since.max(oldest), until: window.until.min(now + 1) }
}

impl Order {
    fn of(identities: Vec<(i64, &str)>) -> Self {
        let mut sorted: Vec<(i64, &str, usize)> =
            identities.into_iter().enumerate().map(|(index, (created, id))| (created, id, index)).collect();
        sorted.sort_unstable();
        let places = sorted.iter().enumerate().map(|(place, (_, id, _))| ((*id).to_owned(), place)).collect();
        Self { by_creation: sorted.into_iter().map(|(created, _, index)| (created, index)).collect(), places }
    }
}

fn identities(account: &Account, kind: Kind) -> Vec<(i64, &str)> {
    match kind {
        Kind::Entries => account.entries.iter().map(|one| (one.created, one.id.as_str())).collect(),
        Kind::Charges => account.charges.iter().map(|one| (one.created, one.id.as_str())).collect(),
        Kind::Refunds => account.refunds.iter().map(|one| (one.created, one.id.as_str())).collect(),
        Kind::Disputes => account.disputes.iter().map(|one| (one.created, one.id.as_str())).collect(),
        Kind::Payouts => account.payouts.iter().map(|one| (one.created, one.id.as_str())).collect(),
        Kind::Intents => account.intents.iter().map(|one| (one.created, one.id.as_str())).collect(),
        Kind::Customers => account.customers.iter().map(|one| (one.created, one.id.as_str())).collect(),
        Kind::Products => account.products.iter().map(|one| (one.created, one.id.as_str())).collect(),
        Kind::Events => account.events.iter().map(|one| (one.created, one.id.as_str())).collect(),
    }
}

fn is_deleted_product(account: &Account, kind: Kind, index: usize, now: i64) -> bool {
    kind == Kind::Products && account.products[index].deleted_at.is_some_and(|at| at <= now)
}

fn is_listed(account: &Account, kind: Kind, index: usize, query: &ListQuery, now: i64) -> bool {
    match kind {
        Kind::Entries => {
            let entry = &account.entries[index];
            let payout =
                entry.payout.map(|payout| &account.payouts[payout]).filter(|payout| payout.created <= now);
            query.filter("payout").is_none_or(|id| payout.is_some_and(|payout| payout.id == id))
                && query.filter("type").is_none_or(|name| entry.kind.names().0 == name)
        }
        Kind::Refunds => {
            let charge = &account.charges[account.refunds[index].charge];
            query.filter("charge").is_none_or(|id| charge.id == id)
        }
        Kind::Disputes => {
            let charge = &account.charges[account.disputes[index].charge];
            query.filter("charge").is_none_or(|id| charge.id == id)
        }
        Kind::Customers => account.customers[index].deleted_at.is_none_or(|at| at > now),
        Kind::Products => !is_deleted_product(account, kind, index, now),
        Kind::Events => query.filter("type").is_none_or(|name| account.events[index].kind == name),
        Kind::Charges | Kind::Payouts | Kind::Intents => true,
    }
}
