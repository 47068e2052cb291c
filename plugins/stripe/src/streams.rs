//! Where each stream is read, and what of each kind of object is kept.

use crate::keep::{Field, each, leaf, metadata, nested};

/// A list of Stripe's.
pub struct Stream {
    pub name: &'static str,
    pub path: &'static str,
    /// Ids that come as the objects they name.
    pub expand: &'static [&'static str],
}

/// A movement says the charge that it is about only through its source, and a refund the order only through its
/// charge. What is not expandable for a source's kind comes as it is.
pub const ENTRY_EXPANSIONS: &[&str] = &["data.source", "data.source.charge"];

/// Every list that is read.
pub const STREAMS: &[Stream] = &[
    Stream { name: "balance_transactions", path: "/v1/balance_transactions", expand: ENTRY_EXPANSIONS },
    Stream { name: "payouts", path: "/v1/payouts", expand: &[] },
    Stream { name: "charges", path: "/v1/charges", expand: &[] },
    Stream { name: "refunds", path: "/v1/refunds", expand: &["data.charge"] },
    Stream { name: "disputes", path: "/v1/disputes", expand: &["data.charge"] },
    Stream { name: "payment_intents", path: "/v1/payment_intents", expand: &["data.latest_charge"] },
    Stream { name: "customers", path: "/v1/customers", expand: &[] },
    Stream { name: "products", path: "/v1/products", expand: &["data.default_price"] },
    Stream { name: "events", path: "/v1/events", expand: &[] },
];

impl Stream {
    pub fn named(name: &str) -> Option<&'static Self> {
        STREAMS.iter().find(|stream| stream.name == name)
    }

    /// The stream whose list holds objects of this kind; none for kinds that don't change once made, or that are not
    /// read.
    pub fn of_object(object: &str) -> Option<&'static Self> {
        let name = match object {
            "charge" => "charges",
            "refund" => "refunds",
            "dispute" => "disputes",
            "payout" => "payouts",
            "payment_intent" => "payment_intents",
            "customer" => "customers",
            "product" => "products",
            _ => return None,
        };
        Self::named(name)
    }
}

const ENTRY: &[Field] = &[
    leaf("id"),
    leaf("object"),
    leaf("amount"),
    leaf("available_on"),
    leaf("created"),
    leaf("currency"),
    leaf("exchange_rate"),
    leaf("fee"),
    each("fee_details", &[leaf("amount"), leaf("currency"), leaf("type")]),
    leaf("net"),
    leaf("reporting_category"),
    nested("source", SOURCE),
    leaf("type"),
];

const SOURCE: &[Field] = &[
    leaf("id"),
    leaf("object"),
    leaf("amount"),
    leaf("amount_captured"),
    leaf("currency"),
    nested("charge", PAYMENT),
    metadata(),
    nested("payment_method_details", METHOD),
];

/// As much of a charge as others need to know.
const PAYMENT: &[Field] =
    &[leaf("id"), leaf("object"), leaf("created"), metadata(), nested("payment_method_details", METHOD)];

const METHOD: &[Field] = &[leaf("type"), nested("card", &[leaf("brand")])];

const CHARGE: &[Field] = &[
    leaf("id"),
    leaf("object"),
    leaf("amount"),
    leaf("amount_captured"),
    leaf("captured"),
    leaf("created"),
    leaf("currency"),
    leaf("customer"),
    leaf("livemode"),
    metadata(),
    leaf("payment_intent"),
    nested("payment_method_details", METHOD),
    leaf("status"),
];

const REFUND: &[Field] = &[
    leaf("id"),
    leaf("object"),
    leaf("amount"),
    nested("charge", PAYMENT),
    leaf("created"),
    leaf("currency"),
    metadata(),
    leaf("payment_intent"),
    leaf("status"),
];

const DISPUTE: &[Field] = &[
    leaf("id"),
    leaf("object"),
    leaf("amount"),
    nested("charge", PAYMENT),
    leaf("created"),
    leaf("currency"),
    nested("evidence_details", &[leaf("due_by")]),
    metadata(),
    leaf("network_reason_code"),
    nested(
        "payment_method_details",
        &[nested("card", &[leaf("brand"), leaf("case_type"), leaf("network_reason_code")])],
    ),
    leaf("reason"),
    leaf("status"),
];

const PAYOUT: &[Field] = &[
    leaf("id"),
    leaf("object"),
    leaf("amount"),
    leaf("arrival_date"),
    leaf("automatic"),
    leaf("created"),
    leaf("currency"),
    leaf("status"),
    nested("trace_id", &[leaf("value")]),
];

const INTENT: &[Field] = &[
    leaf("id"),
    leaf("object"),
    leaf("amount"),
    leaf("canceled_at"),
    leaf("created"),
    leaf("currency"),
    leaf("customer"),
    nested("latest_charge", PAYMENT),
    metadata(),
    leaf("status"),
];

const CUSTOMER: &[Field] = &[
    leaf("id"),
    leaf("object"),
    nested("address", &[leaf("country")]),
    leaf("created"),
    leaf("deleted"),
    nested("shipping", &[nested("address", &[leaf("country")])]),
];

const PRODUCT: &[Field] = &[
    leaf("id"),
    leaf("object"),
    leaf("created"),
    nested(
        "default_price",
        &[leaf("id"), leaf("currency"), leaf("unit_amount"), leaf("unit_amount_decimal")],
    ),
    leaf("deleted"),
    metadata(),
    leaf("name"),
    leaf("updated"),
];

/// What is kept of an object of this kind.
pub fn kept(object: &str) -> Option<&'static [Field]> {
    Some(match object {
        "balance_transaction" => ENTRY,
        "charge" => CHARGE,
        "refund" => REFUND,
        "dispute" => DISPUTE,
        "payout" => PAYOUT,
        "payment_intent" => INTENT,
        "customer" => CUSTOMER,
        "product" => PRODUCT,
        _ => return None,
    })
}
