//! Numbers as a JSON document spells them: never through a float.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::BadValue;
use crate::money;
use crate::{Decimal, Minor};

/// A JSON number, or a string that holds one, with its digits as they were sent. For JSON only,
/// and not inside `#[serde(flatten)]` or untagged enums, where serde has already made a float of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(String);

impl Number {
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The exact decimal.
    pub fn decimal(&self) -> Result<Decimal, BadValue> {
        money::decimal(&self.0)
    }

    /// The amount in minor units; more digits than the currency has are an error.
    pub fn minor(&self, currency: &str) -> Result<Minor, BadValue> {
        money::minor(&self.0, currency)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let text = if raw.starts_with('"') {
            serde_json::from_str::<Cow<'_, str>>(raw).map_err(serde::de::Error::custom)?
        } else {
            Cow::Borrowed(raw)
        };
        if text.starts_with(['{', '[', 't', 'f', 'n']) {
            return Err(serde::de::Error::custom("expected a number"));
        }
        Ok(Self(text.into_owned()))
    }
}
