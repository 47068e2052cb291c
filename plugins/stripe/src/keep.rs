//! Lets through what is known to hold no personal data, before a page is stored.
//!
//! Stripe sends whole objects: buyers' names and addresses on a charge, their mails in a dispute's evidence, secrets
//! on a payment intent. The host takes nothing out of JSON today, so this is where it stays out. What is listed is
//! kept; a field that Stripe adds tomorrow is not. Kept values keep their spelling, digit by digit.

use std::fmt;

use portolan_sdk::{Error, Result, Text};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A field that is kept, and how much of it.
pub struct Field {
    name: &'static str,
    part: Part,
}

enum Part {
    /// A text, a number, a flag. Where an object stands in its place it is one that was named by its id.
    Leaf,
    /// An object, or its id.
    Nested(&'static [Field]),
    /// A list of objects.
    Each(&'static [Field]),
    /// What the merchant noted: only the fields that carry an order's number, and a product's SKU.
    Metadata,
}

pub const fn leaf(name: &'static str) -> Field {
    Field { name, part: Part::Leaf }
}

pub const fn nested(name: &'static str, fields: &'static [Field]) -> Field {
    Field { name, part: Part::Nested(fields) }
}

pub const fn each(name: &'static str, fields: &'static [Field]) -> Field {
    Field { name, part: Part::Each(fields) }
}

pub const fn metadata() -> Field {
    Field { name: "metadata", part: Part::Metadata }
}

/// Writes what is kept of an object. `further` is put in as its last fields: JSON, ready to be written.
pub fn object(
    raw: &str,
    fields: &[Field],
    metadata_keys: &[&str],
    further: &[(&str, &str)],
    out: &mut String,
) -> Result<()> {
    Keeper { metadata_keys, out }.object(raw, fields, further)
}

struct Keeper<'k> {
    metadata_keys: &'k [&'k str],
    out: &'k mut String,
}

impl Keeper<'_> {
    fn object(&mut self, raw: &str, fields: &[Field], further: &[(&str, &str)]) -> Result<()> {
        let Members(members) = parse(raw)?;
        let mut first = true;
        self.out.push('{');
        for (name, value) in members {
            if let Some(field) = fields.iter().find(|field| field.name == &*name) {
                self.name(&name, &mut first);
                self.part(value.get(), &field.part)?;
            }
        }
        for (name, value) in further {
            self.name(name, &mut first);
            self.out.push_str(value);
        }
        self.out.push('}');
        Ok(())
    }

    /// Names are ours, or a metadata key of the manifest's pattern: nothing in them needs an escape.
    fn name(&mut self, name: &str, first: &mut bool) {
        if !std::mem::take(first) {
            self.out.push(',');
        }
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    fn part(&mut self, raw: &str, part: &Part) -> Result<()> {
        match (raw.as_bytes().first(), part) {
            (Some(b'{'), Part::Nested(fields)) => self.object(raw, fields, &[]),
            (Some(b'{'), Part::Metadata) => self.metadata(raw),
            (Some(b'{'), Part::Leaf) => self.id_of(raw),
            (Some(b'['), Part::Each(fields)) => self.list(raw, fields),
            (Some(b'{' | b'['), _) => self.null(),
            (_, Part::Leaf | Part::Nested(_)) => {
                self.out.push_str(raw);
                Ok(())
            }
            _ => self.null(),
        }
    }

    fn list(&mut self, raw: &str, fields: &'static [Field]) -> Result<()> {
        let items: Vec<&RawValue> = parse(raw)?;
        self.out.push('[');
        for (position, item) in items.into_iter().enumerate() {
            if position > 0 {
                self.out.push(',');
            }
            self.part(item.get(), &Part::Nested(fields))?;
        }
        self.out.push(']');
        Ok(())
    }

    fn metadata(&mut self, raw: &str) -> Result<()> {
        let Members(members) = parse(raw)?;
        let mut first = true;
        self.out.push('{');
        for (name, value) in members {
            let listed = &*name == "sku" || self.metadata_keys.contains(&&*name);
            if listed && value.get().starts_with('"') {
                self.name(&name, &mut first);
                self.out.push_str(value.get());
            }
        }
        self.out.push('}');
        Ok(())
    }

    fn id_of(&mut self, raw: &str) -> Result<()> {
        let Members(members) = parse(raw)?;
        match members.into_iter().find(|(name, value)| &**name == "id" && value.get().starts_with('"')) {
            Some((_, id)) => self.out.push_str(id.get()),
            None => self.out.push_str("null"),
        }
        Ok(())
    }

    fn null(&mut self) -> Result<()> {
        self.out.push_str("null");
        Ok(())
    }
}

fn parse<'a, T: Deserialize<'a>>(raw: &'a str) -> Result<T> {
    serde_json::from_str(raw).map_err(Error::from)
}

/// The members of an object in their order, uncopied.
struct Members<'a>(Vec<(Text<'a>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Self)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(Text<'de>, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, each, leaf, metadata, nested, object};

    #[test]
    fn only_what_is_listed_stays_and_keeps_its_spelling() {
        const FIELDS: &[Field] = &[
            leaf("id"),
            leaf("rate"),
            leaf("customer"),
            each("fees", &[leaf("amount")]),
            nested("address", &[leaf("country")]),
            metadata(),
        ];
        let raw = r##"{"id": "ch_1", "rate": 0.10000000000000000001, "name": "A \"B\"",
            "customer": {"id": "cus_1", "email": "x"}, "fees": [{"amount": 1, "description": "d"}],
            "address": {"line1": "s", "country": "DE"},
            "metadata": {"order_id": "#1 \u00e9", "note": "private", "order_number": {"deep": 1}}}"##;
        let mut out = String::new();
        object(raw, FIELDS, &["order_id", "order_number"], &[("made_by", "7")], &mut out).expect("an object");
        let expected = r##"{"id":"ch_1","rate":0.10000000000000000001,"customer":"cus_1","fees":[{"amount":1}],"address":{"country":"DE"},"metadata":{"order_id":"#1 \u00e9"},"made_by":7}"##;
        assert_eq!(out, expected);
    }

    #[test]
    fn what_is_of_another_shape_than_expected_is_not_let_through() {
        const FIELDS: &[Field] =
            &[leaf("id"), nested("card", &[leaf("brand")]), each("fees", &[leaf("amount")]), metadata()];
        let raw = r#"{"id": ["a person"], "card": [{"brand": "a person"}], "fees": "a person", "metadata": "a person"}"#;
        let mut out = String::new();
        object(raw, FIELDS, &[], &[], &mut out).expect("an object");
        assert_eq!(out, r#"{"id":null,"card":null,"fees":null,"metadata":null}"#);
        assert!(object("[]", FIELDS, &[], &[], &mut out).is_err());
    }
}
