//! The ledgers' rows: taking the next posting version, and events of the sales ledger as they are stored.

use std::str::FromStr;

use portolan_commerce::ledger::{EventKind, PostedEvent, SaleEvent};
use portolan_core::{ConnectionId, Currency, EventId, Instant, LocalDate, TenantId};
use sea_orm::ConnectionTrait;

use crate::entity::{ledger_head, sale_event};
use crate::{DbError, Dialect, TenantTx};

impl TenantTx {
    /// Keeps everybody else from posting until this transaction ends, without moving any version: what is
    /// read of the ledger from here on stays true. SQLite has one writer and needs no lock.
    pub async fn hold_ledger(&self) -> Result<(), DbError> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let sql = "INSERT INTO ledger_head (tenant_id, posting_version, data_version, folded_version) \
                   VALUES ($1, 0, 0, 0) ON CONFLICT (tenant_id) DO UPDATE SET tenant_id = excluded.tenant_id";
        self.execute_raw(self.statement(sql, [self.tenant().0.into()])).await?;
        Ok(())
    }

    /// Locks the tenant's ledger until this transaction ends and gives the posting version for the
    /// events that it adds. Because of the lock nothing can commit behind a fold. Moves the data
    /// version, too.
    pub async fn lock_ledger(&self) -> Result<i64, DbError> {
        self.move_head("posting_version = ledger_head.posting_version + 1", 1, "posting_version").await
    }

    /// Moves the data version without posting: answers may have changed. Gives the new one.
    pub async fn bump_data_version(&self) -> Result<i64, DbError> {
        self.move_head("posting_version = ledger_head.posting_version", 0, "data_version").await
    }

    /// Where the tenant's ledger stands; all zero before the first posting.
    pub async fn ledger_head(&self) -> Result<ledger_head::Model, DbError> {
        let head = self.find::<ledger_head::Entity>().one(self).await?;
        Ok(head.unwrap_or(ledger_head::Model {
            tenant_id: self.tenant().0,
            posting_version: 0,
            data_version: 0,
            folded_version: 0,
        }))
    }

    async fn move_head(&self, assignment: &str, first: i64, returned: &str) -> Result<i64, DbError> {
        let sql = format!(
            "INSERT INTO ledger_head (tenant_id, posting_version, data_version, folded_version) \
             VALUES ($1, $2, 1, 0) \
             ON CONFLICT (tenant_id) DO UPDATE SET {assignment}, data_version = ledger_head.data_version + 1 \
             RETURNING {returned}"
        );
        let statement = self.statement(sql, [self.tenant().0.into(), first.into()]);
        let row = self.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| sea_orm::DbErr::RecordNotFound("ledger_head".to_owned()))?;
        Ok(row.try_get_by_index(0)?)
    }
}

/// Where and when an event is posted.
#[derive(Debug, Clone, Copy)]
pub struct Posting {
    pub tenant: TenantId,
    pub connection: ConnectionId,
    /// From [`TenantTx::lock_ledger`].
    pub posting_version: i64,
    pub recorded_at: Instant,
}

/// A stored event that cannot be read: the row was written by something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ledger row {id} has no readable {field}: {value:?}")]
pub struct StoredEventError {
    pub id: EventId,
    pub field: &'static str,
    pub value: String,
}

impl sale_event::Model {
    /// The row of an event.
    pub fn new(posting: Posting, posted: PostedEvent) -> Self {
        let event = posted.event;
        Self {
            tenant_id: posting.tenant.0,
            id: posted.id.0,
            posting_version: posting.posting_version,
            connection_id: posting.connection.0,
            reverses: posted.reverses.map(|id| id.0),
            recorded_at: posting.recorded_at.0,
            kind: event.kind.as_str().to_owned(),
            reason: event.reason,
            order_key: event.order_key,
            has_order: event.has_order,
            line_key: event.line_key,
            product_key: event.product_key,
            variant_key: event.variant_key,
            customer_key: event.customer_key,
            store_key: event.store_key,
            location_key: event.location_key,
            staff_key: event.staff_key,
            channel: event.channel,
            country: event.country,
            region: event.region,
            test: event.test,
            quantity_milli: event.quantity_milli,
            gross_minor: event.gross_minor,
            discount_minor: event.discount_minor,
            tax_minor: event.tax_minor,
            marketplace_tax_minor: event.marketplace_tax_minor,
            shipping_minor: event.shipping_minor,
            shipping_tax_minor: event.shipping_tax_minor,
            duty_minor: event.duty_minor,
            tip_minor: event.tip_minor,
            fee_minor: event.fee_minor,
            gift_card_minor: event.gift_card_minor,
            cost_minor: event.cost_minor,
            currency: event.currency.as_str().to_owned(),
            presentment_currency: event.presentment_currency.map(|currency| currency.as_str().to_owned()),
            presentment_minor: event.presentment_minor,
            event_at: event.event_at.0,
            event_date: event.event_date.0,
            order_at: event.order_at.0,
            order_date: event.order_date.0,
        }
    }

    /// The event of a row.
    pub fn into_posted(self) -> Result<PostedEvent, StoredEventError> {
        let id = EventId(self.id);
        let event = SaleEvent {
            kind: parse::<EventKind>(id, "kind", &self.kind)?,
            reason: self.reason,
            order_key: self.order_key,
            has_order: self.has_order,
            line_key: self.line_key,
            product_key: self.product_key,
            variant_key: self.variant_key,
            customer_key: self.customer_key,
            store_key: self.store_key,
            location_key: self.location_key,
            staff_key: self.staff_key,
            channel: self.channel,
            country: self.country,
            region: self.region,
            test: self.test,
            quantity_milli: self.quantity_milli,
            gross_minor: self.gross_minor,
            discount_minor: self.discount_minor,
            tax_minor: self.tax_minor,
            marketplace_tax_minor: self.marketplace_tax_minor,
            shipping_minor: self.shipping_minor,
            shipping_tax_minor: self.shipping_tax_minor,
            duty_minor: self.duty_minor,
            tip_minor: self.tip_minor,
            fee_minor: self.fee_minor,
            gift_card_minor: self.gift_card_minor,
            cost_minor: self.cost_minor,
            currency: parse::<Currency>(id, "currency", &self.currency)?,
            presentment_currency: self
                .presentment_currency
                .map(|currency| parse::<Currency>(id, "presentment_currency", &currency))
                .transpose()?,
            presentment_minor: self.presentment_minor,
            event_at: Instant(self.event_at),
            event_date: LocalDate(self.event_date),
            order_at: Instant(self.order_at),
            order_date: LocalDate(self.order_date),
        };
        Ok(PostedEvent { id, reverses: self.reverses.map(EventId), event })
    }
}

pub(crate) fn parse<T: FromStr>(
    id: EventId,
    field: &'static str,
    value: &str,
) -> Result<T, StoredEventError> {
    value.parse().map_err(|_| StoredEventError { id, field, value: value.to_owned() })
}
