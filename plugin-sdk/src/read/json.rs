//! JSON documents that hold an array of records, and one JSON document per line.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::index;
use crate::{BadRecord, Chunk, Error, RecordResult, Result, Sink};

/// Maps each element of the array at the framing's pointer (`json:/orders`; `json`: the document
/// itself). Where the pointer names an object it is the one record; null or nothing: none.
pub fn each_json<'a, T: Deserialize<'a>>(
    chunk: &'a Chunk,
    out: &mut Sink,
    mut map: impl FnMut(u32, T, &mut Sink) -> RecordResult,
) -> Result<()> {
    for (position, raw) in records(chunk)?.into_iter().enumerate() {
        let src = index(position)?;
        out.record(src, |out| map(src, parse(raw.get())?, out));
    }
    Ok(())
}

/// Maps each line of newline-delimited JSON; blank lines are no records.
pub fn each_line<'a, T: Deserialize<'a>>(
    chunk: &'a Chunk,
    out: &mut Sink,
    mut map: impl FnMut(u32, T, &mut Sink) -> RecordResult,
) -> Result<()> {
    let lines =
        chunk.body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    for (position, line) in lines.enumerate() {
        let src = index(position)?;
        out.record(src, |out| {
            let text = std::str::from_utf8(line).map_err(|_| BadRecord::new("the line is not UTF-8"))?;
            map(src, parse(text)?, out)
        });
    }
    Ok(())
}

/// The raw records of a JSON chunk, uncopied.
fn records(chunk: &Chunk) -> Result<Vec<&RawValue>> {
    let pointer = chunk.framing.strip_prefix("json:").unwrap_or_default();
    let steps: Vec<String> =
        pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    let mut reader = serde_json::Deserializer::from_slice(&chunk.body);
    let records = At { steps: &steps }.deserialize(&mut reader).map_err(|error| {
        Error::upstream_bug(format!(
            "the page is not the JSON that was expected ({}): {error}",
            chunk.framing
        ))
    })?;
    reader.end().map_err(|error| Error::upstream_bug(format!("the page goes on after its JSON: {error}")))?;
    Ok(records)
}

/// Parses one record; where that fails, once more to learn the path to blame.
fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> std::result::Result<T, BadRecord> {
    serde_json::from_str(text).map_err(|error| {
        let mut reader = serde_json::Deserializer::from_str(text);
        match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Err(located) => BadRecord::at(located.path().to_string(), located.inner().to_string()),
            Ok(_) => BadRecord::new(error.to_string()),
        }
    })
}

/// Walks down to the pointer, ignoring everything beside the way.
struct At<'s> {
    steps: &'s [String],
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if !self.steps.is_empty() {
            return deserializer.deserialize_any(self);
        }
        let raw = <&RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            Some(b'[') => serde_json::from_str(raw.get()).map_err(serde::de::Error::custom),
            Some(b'{') => Ok(vec![raw]),
            Some(b'n') => Ok(Vec::new()),
            _ => Err(serde::de::Error::custom("there is neither an array nor an object")),
        }
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "something with {:?} inside", self.steps.first())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if found.is_none() && Some(key.as_ref()) == self.steps.first().map(String::as_str) {
                found = Some(map.next_value_seed(At { steps: &self.steps[1..] })?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| serde::de::Error::custom(format!("there is no {:?}", self.steps[0])))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let wanted: Option<usize> = self.steps.first().and_then(|step| step.parse().ok());
        let (mut position, mut found) = (0, None);
        loop {
            if Some(position) == wanted {
                found = sequence.next_element_seed(At { steps: &self.steps[1..] })?;
                if found.is_none() {
                    break;
                }
            } else if sequence.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
            position += 1;
        }
        found.ok_or_else(|| serde::de::Error::custom(format!("there is no element {:?}", self.steps[0])))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Err(E::custom("there is null on the way to the records"))
    }
}
