//! JSON as it was written: numbers keep their digits, members their order. An amount that went through a float
//! would come back as another one.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Deeper than any channel nests what it sends.
const DEEPEST: usize = 120;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    /// Its digits.
    Number(String),
    Text(String),
    List(Vec<Json>),
    /// In their order; a name may stand twice, as in what was sent.
    Members(Vec<(String, Json)>),
}

impl Json {
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        Self::of(serde_json::from_str(text)?, 0)
    }

    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Members(members) = self else { return None };
        members.iter().find(|(each, _)| each == name).map(|(_, value)| value)
    }

    fn of(raw: &RawValue, depth: usize) -> serde_json::Result<Self> {
        if depth > DEEPEST {
            return Err(serde::de::Error::custom("it is nested too deeply"));
        }
        let text = raw.get().trim();
        Ok(match text.bytes().next() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => Self::Text(serde_json::from_str(text)?),
            Some(b'[') => {
                let entries: Vec<&RawValue> = serde_json::from_str(text)?;
                let entries = entries.into_iter().map(|entry| Self::of(entry, depth + 1));
                Self::List(entries.collect::<serde_json::Result<_>>()?)
            }
            Some(b'{') => {
                let Members(members) = serde_json::from_str(text)?;
                let members =
                    members.into_iter().map(|(name, value)| Ok((name, Self::of(value, depth + 1)?)));
                Self::Members(members.collect::<serde_json::Result<_>>()?)
            }
            _ => Self::Number(text.to_owned()),
        })
    }
}

/// The members of an object in their order, not yet read further.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Number(digits) => RawValue::from_string(digits.clone())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(entries) => {
                let mut list = serializer.serialize_seq(Some(entries.len()))?;
                entries.iter().try_for_each(|entry| list.serialize_element(entry))?;
                list.end()
            }
            Self::Members(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::of(&raw, 0).map_err(serde::de::Error::custom)
    }
}
