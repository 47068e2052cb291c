//! Customers (without names), the places and people that sell, and pre-aggregated series.

use portolan_core::{Currency, Decimal, LocalDate};
use serde::{Deserialize, Serialize};

use super::Moment;

/// A customer without a name: personal data never reaches a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub src: u32,
    pub key: String,
    pub updated_at: Moment,
    pub deleted: bool,
    pub person: Option<String>,
    pub country: Option<String>,
    pub region: Option<String>,
    pub first_seen: Option<Moment>,
    pub tags: Vec<String>,
}

/// A shop of a connection, with the zone its days are cut in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    pub src: u32,
    pub key: String,
    pub name: String,
    pub currency: Option<Currency>,
    pub time_zone: Option<String>,
}

/// A place that holds or sells stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    pub src: u32,
    pub key: String,
    pub name: String,
    pub kind: String,
    pub country: Option<String>,
    pub region: Option<String>,
}

/// A person who sells, by key alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMember {
    pub src: u32,
    pub key: String,
    pub location: Option<String>,
}

/// One value of a pre-aggregated series: the escape hatch with a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    pub src: u32,
    pub name: String,
    pub day: LocalDate,
    pub dimensions: Vec<(String, String)>,
    pub value: Decimal,
    pub currency: Option<Currency>,
}
