//! Stripe's objects, as far as they are mapped; what `keep` lets through. Both shapes of today's and of yesterday's
//! API versions are read: what either lacks is optional.

use std::collections::BTreeMap;

use portolan_sdk::{Number, Text};
use serde::Deserialize;
use serde::de::{Deserialize as Read, Deserializer, Error as _};
use serde_json::value::RawValue;

/// An id, or the object that it names.
#[derive(Debug, Clone)]
pub enum Expandable<'a, T> {
    Id(Text<'a>),
    Object(T),
}

impl<'de: 'a, 'a, T: Read<'de>> Read<'de> for Expandable<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let parsed = if raw.starts_with('"') {
            serde_json::from_str(raw).map(Self::Id)
        } else {
            serde_json::from_str(raw).map(Self::Object)
        };
        parsed.map_err(D::Error::custom)
    }
}

/// What has an id of its own.
pub trait Identified {
    fn id(&self) -> &str;
}

impl<T: Identified> Expandable<'_, T> {
    pub fn id(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Object(object) => object.id(),
        }
    }
}

impl<T> Expandable<'_, T> {
    pub fn object(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Object(object) => Some(object),
        }
    }
}

/// What the merchant noted on an object.
pub type Metadata<'a> = BTreeMap<Text<'a>, Text<'a>>;

/// The order's number or id as the merchant wrote it.
pub fn reference(metadata: Option<&Metadata<'_>>, keys: &[&str]) -> Option<String> {
    let metadata = metadata?;
    let found =
        keys.iter().find_map(|key| metadata.get(&Text::from(*key)).filter(|text| !text.is_empty()))?;
    Some(found.as_str().to_owned())
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct BalanceTransaction<'a> {
    pub id: Text<'a>,
    pub amount: i64,
    pub available_on: Option<i64>,
    pub created: i64,
    pub currency: Text<'a>,
    pub exchange_rate: Option<Number>,
    pub fee: i64,
    #[serde(default)]
    pub fee_details: Vec<FeeDetail<'a>>,
    pub net: i64,
    pub reporting_category: Option<Text<'a>>,
    pub source: Option<Expandable<'a, Source<'a>>>,
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    /// Put in by `fetch` where it asked for a payout's entries.
    pub portolan_payout: Option<PaidBy<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct FeeDetail<'a> {
    pub amount: i64,
    #[serde(rename = "type")]
    pub kind: Text<'a>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct PaidBy<'a> {
    pub id: Text<'a>,
    pub created: i64,
}

/// What a movement is about: a charge, refund, dispute, payout, transfer, …
#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Source<'a> {
    pub id: Text<'a>,
    pub object: Text<'a>,
    pub amount: Option<i64>,
    pub amount_captured: Option<i64>,
    pub currency: Option<Text<'a>>,
    pub charge: Option<Expandable<'a, Payment<'a>>>,
    pub metadata: Option<Metadata<'a>>,
    pub payment_method_details: Option<Method<'a>>,
}

/// As much of a charge as others need to know.
#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Payment<'a> {
    pub id: Text<'a>,
    pub created: Option<i64>,
    pub livemode: Option<bool>,
    pub metadata: Option<Metadata<'a>>,
    pub payment_method_details: Option<Method<'a>>,
}

impl Identified for Source<'_> {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Identified for Payment<'_> {
    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Method<'a> {
    #[serde(rename = "type")]
    pub kind: Option<Text<'a>>,
    pub card: Option<Card<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Card<'a> {
    pub brand: Option<Text<'a>>,
    pub case_type: Option<Text<'a>>,
    pub network_reason_code: Option<Text<'a>>,
}

impl Method<'_> {
    /// "card/visa", "sepa_debit", …
    pub fn name(&self) -> Option<String> {
        let kind = self.kind.as_deref()?;
        let brand = self.card.as_ref().and_then(|card| card.brand.as_deref());
        Some(brand.map_or_else(|| kind.to_owned(), |brand| format!("{kind}/{brand}")))
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Charge<'a> {
    pub id: Text<'a>,
    pub amount: i64,
    pub amount_captured: Option<i64>,
    pub captured: bool,
    pub created: i64,
    pub currency: Text<'a>,
    #[serde(default)]
    pub livemode: bool,
    pub metadata: Option<Metadata<'a>>,
    pub payment_intent: Option<Text<'a>>,
    pub status: Text<'a>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Refund<'a> {
    pub id: Text<'a>,
    pub amount: i64,
    pub charge: Option<Expandable<'a, Payment<'a>>>,
    pub created: i64,
    pub currency: Text<'a>,
    pub metadata: Option<Metadata<'a>>,
    pub payment_intent: Option<Text<'a>>,
    /// Null in old answers, where a refund always succeeded.
    pub status: Option<Text<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Dispute<'a> {
    pub id: Text<'a>,
    pub amount: i64,
    pub charge: Option<Expandable<'a, Payment<'a>>>,
    pub created: i64,
    pub currency: Text<'a>,
    pub evidence_details: Option<EvidenceDetails>,
    pub metadata: Option<Metadata<'a>>,
    pub network_reason_code: Option<Text<'a>>,
    pub payment_method_details: Option<Method<'a>>,
    pub reason: Text<'a>,
    pub status: Text<'a>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct EvidenceDetails {
    pub due_by: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Payout<'a> {
    pub id: Text<'a>,
    pub amount: i64,
    pub arrival_date: Option<i64>,
    pub created: i64,
    pub currency: Text<'a>,
    pub status: Text<'a>,
    pub trace_id: Option<Trace<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Trace<'a> {
    pub value: Option<Text<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Intent<'a> {
    pub id: Text<'a>,
    pub amount: i64,
    pub created: i64,
    pub currency: Text<'a>,
    pub customer: Option<Text<'a>>,
    pub latest_charge: Option<Expandable<'a, Payment<'a>>>,
    pub metadata: Option<Metadata<'a>>,
    pub status: Text<'a>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Customer<'a> {
    pub id: Text<'a>,
    pub address: Option<Address<'a>>,
    pub created: Option<i64>,
    pub shipping: Option<Shipping<'a>>,
    /// Put in by `fetch` where an event told of the deletion.
    pub portolan_deleted_at: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Address<'a> {
    pub country: Option<Text<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Shipping<'a> {
    pub address: Option<Address<'a>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Product<'a> {
    pub id: Text<'a>,
    pub created: i64,
    pub default_price: Option<Expandable<'a, Price<'a>>>,
    pub metadata: Option<Metadata<'a>>,
    pub name: Text<'a>,
    pub updated: Option<i64>,
    pub portolan_deleted_at: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Price<'a> {
    pub currency: Text<'a>,
    pub unit_amount_decimal: Option<Number>,
}
