//! What a document of any kind shows in lists: its identity, its place in time, its amount.

use portolan_commerce::cash::BalanceCategory;
use portolan_commerce::document::{Document, Entity, Moment};
use portolan_core::Currency;

/// The facts of a document that tables and lists need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentHead {
    pub entity: Entity,
    /// The channel's stable id, unique per connection and entity.
    pub key: String,
    /// Orders the versions; absent where the source gives none: the time of receipt then counts.
    pub updated_at: Option<Moment>,
    pub deleted: bool,
    pub test: bool,
    /// The order of a refund, the payment of a balance entry or dispute, the parent of a variant.
    pub parent_key: Option<String>,
    pub title: Option<String>,
    pub number: Option<String>,
    pub state: Option<String>,
    pub payment_state: Option<String>,
    pub occurred_at: Option<Moment>,
    pub currency: Option<Currency>,
    pub amount_minor: Option<i64>,
    pub customer_key: Option<String>,
    pub country: Option<String>,
}

impl DocumentHead {
    fn new(entity: Entity, key: &str) -> Self {
        Self {
            entity,
            key: key.to_owned(),
            updated_at: None,
            deleted: false,
            test: false,
            parent_key: None,
            title: None,
            number: None,
            state: None,
            payment_state: None,
            occurred_at: None,
            currency: None,
            amount_minor: None,
            customer_key: None,
            country: None,
        }
    }

    /// Reads the head off a document.
    #[expect(clippy::too_many_lines, reason = "one table, one arm per entity")]
    pub fn of(document: &Document) -> Self {
        match document {
            Document::Order(order) => Self {
                updated_at: Some(order.updated_at),
                deleted: order.deleted,
                test: order.test,
                number: order.number.clone(),
                state: Some(order.state.clone()),
                payment_state: Some(order.payment_state.clone()),
                occurred_at: Some(order.placed_at),
                currency: Some(order.currency),
                amount_minor: Some(order.total_minor),
                customer_key: order.customer.clone(),
                country: order.country.clone(),
                ..Self::new(Entity::Order, &order.key)
            },
            Document::Refund(refund) => Self {
                updated_at: Some(refund.updated_at),
                deleted: refund.deleted,
                parent_key: refund.order.clone(),
                state: Some(refund.state.clone()),
                occurred_at: Some(refund.at),
                currency: Some(refund.currency),
                amount_minor: refund.total_minor.checked_neg(),
                customer_key: refund.customer.clone(),
                country: refund.country.clone(),
                ..Self::new(Entity::Refund, &refund.key)
            },
            Document::Transaction(transaction) => Self {
                updated_at: Some(transaction.updated_at),
                test: transaction.test,
                parent_key: transaction.order.clone(),
                state: Some(transaction.state.clone()),
                title: Some(transaction.kind.clone()),
                // By it the payment is found that the provider tells of.
                number: transaction.provider_reference.clone(),
                occurred_at: Some(transaction.at),
                currency: Some(transaction.currency),
                amount_minor: Some(transaction.amount_minor),
                ..Self::new(Entity::Transaction, &transaction.key)
            },
            Document::BalanceEntry(entry) => Self {
                updated_at: Some(entry.updated_at),
                deleted: entry.deleted,
                parent_key: entry.payment.clone(),
                title: Some(entry.provider_kind.clone()),
                number: entry.reference.clone(),
                state: Some(BalanceCategory::posted(&entry.category).to_string()),
                occurred_at: Some(entry.at),
                currency: Some(entry.currency),
                amount_minor: Some(entry.net_minor),
                ..Self::new(Entity::BalanceEntry, &entry.key)
            },
            Document::Payout(payout) => Self {
                updated_at: Some(payout.updated_at),
                deleted: payout.deleted,
                title: payout.bank_reference.clone(),
                state: Some(payout.state.clone()),
                occurred_at: Some(payout.initiated_at),
                currency: Some(payout.currency),
                amount_minor: Some(payout.amount_minor),
                ..Self::new(Entity::Payout, &payout.key)
            },
            Document::Dispute(dispute) => Self {
                updated_at: Some(dispute.updated_at),
                parent_key: dispute.payment.clone(),
                title: Some(dispute.reason.clone()),
                state: Some(dispute.state.clone()),
                payment_state: Some(dispute.phase.clone()),
                occurred_at: Some(dispute.opened_at),
                currency: Some(dispute.currency),
                amount_minor: Some(dispute.amount_minor),
                ..Self::new(Entity::Dispute, &dispute.key)
            },
            Document::Checkout(checkout) => Self {
                updated_at: Some(checkout.updated_at),
                parent_key: checkout.order.clone(),
                state: Some(checkout.stage.clone()),
                occurred_at: Some(checkout.created_at),
                currency: Some(checkout.currency),
                amount_minor: Some(checkout.total_minor),
                customer_key: checkout.customer.clone(),
                ..Self::new(Entity::Checkout, &checkout.key)
            },
            Document::Product(product) => Self {
                updated_at: Some(product.updated_at),
                deleted: product.deleted,
                parent_key: product.parent.clone(),
                title: Some(product.title.clone()),
                number: product.sku.clone(),
                ..Self::new(Entity::Product, &product.key)
            },
            Document::InventoryLevel(level) => Self {
                updated_at: Some(level.at),
                parent_key: Some(level.product.clone()),
                occurred_at: Some(level.at),
                ..Self::new(Entity::InventoryLevel, &format!("{}@{}", level.product, level.location))
            },
            Document::Store(store) => Self {
                title: Some(store.name.clone()),
                currency: store.currency,
                ..Self::new(Entity::Store, &store.key)
            },
            Document::Location(location) => Self {
                title: Some(location.name.clone()),
                country: location.country.clone(),
                ..Self::new(Entity::Location, &location.key)
            },
            Document::StaffMember(staff) => {
                Self { parent_key: staff.location.clone(), ..Self::new(Entity::StaffMember, &staff.key) }
            }
            Document::Fulfilment(fulfilment) => Self {
                updated_at: Some(fulfilment.updated_at),
                parent_key: Some(fulfilment.order.clone()),
                state: Some(fulfilment.state.clone()),
                occurred_at: fulfilment.shipped_at,
                ..Self::new(Entity::Fulfilment, &fulfilment.key)
            },
            Document::Customer(customer) => Self {
                updated_at: Some(customer.updated_at),
                deleted: customer.deleted,
                occurred_at: customer.first_seen,
                country: customer.country.clone(),
                ..Self::new(Entity::Customer, &customer.key)
            },
            Document::Metric(metric) => {
                let dimensions: Vec<String> =
                    metric.dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let key = format!("{}|{}|{}", metric.name, metric.day, dimensions.join("|"));
                Self { title: Some(metric.name.clone()), ..Self::new(Entity::Metric, &key) }
            }
        }
    }
}

/// Index of the raw record that the document was (first) made from.
pub fn source_index(document: &Document) -> u32 {
    match document {
        Document::Order(document) => document.src,
        Document::Refund(document) => document.src,
        Document::Transaction(document) => document.src,
        Document::BalanceEntry(document) => document.src,
        Document::Payout(document) => document.src,
        Document::Dispute(document) => document.src,
        Document::Checkout(document) => document.src,
        Document::Product(document) => document.src,
        Document::InventoryLevel(document) => document.src,
        Document::Store(document) => document.src,
        Document::Location(document) => document.src,
        Document::StaffMember(document) => document.src,
        Document::Fulfilment(document) => document.src,
        Document::Customer(document) => document.src,
        Document::Metric(document) => document.src,
    }
}

/// Takes the provenance out of a document, so that the same content met in another chunk is the
/// same version.
pub fn without_provenance(mut document: Document) -> Document {
    match &mut document {
        Document::Order(document) => {
            document.src = 0;
            document.also.clear();
        }
        Document::Refund(document) => {
            document.src = 0;
            document.also.clear();
        }
        Document::Transaction(document) => document.src = 0,
        Document::BalanceEntry(document) => document.src = 0,
        Document::Payout(document) => document.src = 0,
        Document::Dispute(document) => document.src = 0,
        Document::Checkout(document) => document.src = 0,
        Document::Product(document) => document.src = 0,
        Document::InventoryLevel(document) => document.src = 0,
        Document::Store(document) => document.src = 0,
        Document::Location(document) => document.src = 0,
        Document::StaffMember(document) => document.src = 0,
        Document::Fulfilment(document) => document.src = 0,
        Document::Customer(document) => document.src = 0,
        Document::Metric(document) => document.src = 0,
    }
    document
}
