//! The first records of a chunk. The rest of its body is not read: looking must cost little.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::shape::Shape;

/// Records of a chunk that are looked at.
pub const SAMPLED: usize = 50;

/// The shape of the first records of a chunk in JSON; none where it is something else, or broken.
pub fn sample(framing: &str, body: &[u8]) -> Option<Shape> {
    let kind = framing.split(';').next().unwrap_or_default().trim();
    let records = match kind {
        "ndjson" => lines(body),
        "json" => records_at(&[], body),
        _ => {
            let pointer = kind.strip_prefix("json:")?;
            let steps: Vec<String> = pointer.split('/').skip(1).map(unescaped).collect();
            records_at(&steps, body)
        }
    };
    let mut shape = Shape::default();
    records.iter().for_each(|record| shape.add(record));
    (shape.records > 0).then_some(shape)
}

fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

fn lines(body: &[u8]) -> Vec<Value> {
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines.take(SAMPLED).filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

fn records_at(steps: &[String], body: &[u8]) -> Vec<Value> {
    let found = RefCell::new(Vec::new());
    let mut reader = serde_json::Deserializer::from_slice(body);
    // Reading stops with an error once enough is found; what was found before counts.
    let _stopped = Walk { steps, found: &found }.deserialize(&mut reader);
    found.into_inner()
}

/// Follows a pointer through the text and takes what is there.
struct Walk<'a> {
    steps: &'a [String],
    found: &'a RefCell<Vec<Value>>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        if let Some((step, rest)) = self.steps.split_first() {
            // A step into an array is a position.
            let Ok(position) = step.parse::<usize>() else {
                while entries.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(());
            };
            for _ in 0..position {
                if entries.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(());
                }
            }
            entries.next_element_seed(Walk { steps: rest, found: self.found })?;
            while entries.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        while let Some(record) = entries.next_element::<Value>()? {
            let mut found = self.found.borrow_mut();
            found.push(record);
            if found.len() >= SAMPLED {
                return Err(A::Error::custom("enough"));
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.steps.split_first() else {
            // One record alone.
            let mut record = serde_json::Map::new();
            while let Some((name, value)) = fields.next_entry::<String, Value>()? {
                record.insert(name, value);
            }
            self.found.borrow_mut().push(Value::Object(record));
            return Ok(());
        };
        while let Some(name) = fields.next_key::<String>()? {
            if name == *step {
                fields.next_value_seed(Walk { steps: rest, found: self.found })?;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}
