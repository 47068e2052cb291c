//! What order lines call their products. Files of orders seldom come with a file of products, and people
//! know their goods by name: the title of a product's newest sale is kept, once per product.
//!
//! Of two titles the one of the later order wins; of two of the same moment the one with the greater
//! digest, because the databases sort texts each in their own way. So what is kept does not depend on
//! which order came first, and posting an order again changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use portolan_commerce::document::Order;
use portolan_core::ConnectionId;
use portolan_db::entity::product_label::{self, Column};
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sha2::{Digest, Sha256};

/// Longer ones are notes; a label has to fit beside a figure.
const LONGEST_CHARS: usize = 200;

/// Products that a run remembers the labels of; of more it asks the database.
const MOST_KNOWN: usize = 100_000;

/// Titles by product.
#[derive(Debug, Default)]
pub struct Labels(BTreeMap<String, Said>);

/// A title as it was said; the greatest wins.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    at_us: i64,
    tie: i64,
    title: String,
}

impl Labels {
    /// Takes up what an order placed at `placed_at_us` calls its products. Lines that were not sold,
    /// as in write-offs, carry remarks in place of titles: they are passed over.
    pub fn add(&mut self, order: &Order, placed_at_us: i64) {
        if order.test || order.deleted {
            return;
        }
        for line in order.lines.iter().filter(|line| line.gross_minor > 0) {
            let title = line.title.trim();
            let Some(product) = line.product.as_deref().filter(|key| !title.is_empty() && *key != title)
            else {
                continue;
            };
            let said = Said::new(placed_at_us, title.chars().take(LONGEST_CHARS).collect());
            match self.0.get_mut(product) {
                Some(known) => *known = said.max(std::mem::take(known)),
                None => {
                    self.0.insert(product.to_owned(), said);
                }
            }
        }
    }

    /// Keeps those that are newer than what is kept.
    pub async fn store(
        mut self,
        tx: &TenantTx,
        connection: ConnectionId,
        known: &Arc<KnownLabels>,
    ) -> Result<(), DbError> {
        known.take_out(&mut self.0);
        let kept: Vec<_> = self.0.iter().map(|(product, said)| (product.clone(), said.age())).collect();
        let rows = self.0.into_iter().map(|(product, said)| product_label::ActiveModel {
            tenant_id: Set(tx.tenant().0),
            connection_id: Set(connection.0),
            product_key: Set(product),
            title: Set(said.title),
            said_at: Set(said.at_us),
            tie: Set(said.tie),
        });
        tx.upsert_many(rows, &newest_wins()).await?;
        let known = Arc::clone(known);
        tx.after_commit(move || known.add(kept));
        Ok(())
    }
}

/// How new the kept labels of one connection are at least, as far as one run has kept them itself: what is no
/// newer need not be sent. Labels only ever give way to newer ones, so it can't become untrue.
#[derive(Debug, Default)]
pub struct KnownLabels(Mutex<HashMap<String, Age>>);

/// The moment of a label, then its tie.
type Age = (i64, i64);

impl KnownLabels {
    fn take_out(&self, labels: &mut BTreeMap<String, Said>) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        labels.retain(|product, said| known.get(product).is_none_or(|age| said.age() > *age));
    }

    fn add(&self, kept: Vec<(String, Age)>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (product, age) in kept {
            if known.len() < MOST_KNOWN || known.contains_key(&product) {
                known.entry(product).and_modify(|known| *known = age.max(*known)).or_insert(age);
            }
        }
    }
}

impl Said {
    fn new(at_us: i64, title: String) -> Self {
        let mut tie = [0; 8];
        tie.copy_from_slice(&Sha256::digest(title.as_bytes())[..8]);
        Self { at_us, tie: i64::from_be_bytes(tie), title }
    }

    fn age(&self) -> Age {
        (self.at_us, self.tie)
    }
}

fn newest_wins() -> OnConflict {
    let incoming = |column: Column| Expr::col(("excluded", column));
    let stored = |column: Column| Expr::col((product_label::Entity, column));
    let later = incoming(Column::SaidAt).gt(stored(Column::SaidAt));
    let same_moment = incoming(Column::SaidAt).eq(stored(Column::SaidAt));
    let greater = incoming(Column::Tie).gt(stored(Column::Tie));
    OnConflict::columns([Column::TenantId, Column::ConnectionId, Column::ProductKey])
        .update_columns([Column::Title, Column::SaidAt, Column::Tie])
        .action_and_where(later.or(same_moment.and(greater)))
        .to_owned()
}
