//! JSON documents that hold an array of records, and one JSON document per line.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

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
    let mut done = 0;
    // Checked as a whole, which is much quicker than each of its texts.
    if let Ok(text) = std::str::from_utf8(&chunk.body) {
        let steps = steps(chunk);
        let take = |src, record| out.record(src, |out| map(src, record, out));
        if straight_through(text, &steps, &mut done, take).is_ok() {
            return Ok(());
        }
    }
    // Either one record is not what was expected, or the whole body is not: what follows the
    // records that went well is cut first and parsed one by one.
    for (position, raw) in records(chunk)?.into_iter().enumerate().skip(done as usize) {
        let src = index(position)?;
        out.record(src, |out| map(src, record(raw.get())?, out));
    }
    Ok(())
}

/// Parses records as they come, which spares a second look at every byte; ends with the first
/// that can't be parsed. `done` counts those that could.
fn straight_through<'a, T: Deserialize<'a>>(
    text: &'a str,
    steps: &[String],
    done: &mut u32,
    mut take: impl FnMut(u32, T),
) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let each = Each { done, take: &mut take, record: PhantomData };
    At { steps, end: each }.deserialize(&mut reader)?;
    reader.end()
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
            map(src, record(text)?, out)
        });
    }
    Ok(())
}

/// The raw records of a JSON chunk, uncopied.
fn records(chunk: &Chunk) -> Result<Vec<&RawValue>> {
    let steps = steps(chunk);
    let mut reader = serde_json::Deserializer::from_slice(&chunk.body);
    let records = At { steps: &steps, end: Cut }.deserialize(&mut reader).map_err(|error| {
        Error::upstream_bug(format!(
            "the page is not the JSON that was expected ({}): {error}",
            chunk.framing
        ))
    })?;
    reader.end().map_err(|error| Error::upstream_bug(format!("the page goes on after its JSON: {error}")))?;
    Ok(records)
}

/// The steps of the framing's JSON pointer.
fn steps(chunk: &Chunk) -> Vec<String> {
    let pointer = chunk.framing.strip_prefix("json:").unwrap_or_default();
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// Parses one record of JSON; where that fails, once more to learn the path to blame. For a chunk whose records are
/// of several kinds: read them as [`RawValue`], look, then parse.
pub fn record<'a, T: Deserialize<'a>>(text: &'a str) -> std::result::Result<T, BadRecord> {
    serde_json::from_str(text).map_err(|error| {
        let mut reader = serde_json::Deserializer::from_str(text);
        match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Err(located) => BadRecord::at(located.path().to_string(), located.inner().to_string()),
            Ok(_) => BadRecord::new(error.to_string()),
        }
    })
}

/// Walks down to the pointer, ignoring everything beside the way.
struct At<'s, End> {
    steps: &'s [String],
    /// What reads the value that the pointer names.
    end: End,
}

impl<'de, End: DeserializeSeed<'de>> DeserializeSeed<'de> for At<'_, End> {
    type Value = End::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.steps.is_empty() {
            self.end.deserialize(deserializer)
        } else {
            deserializer.deserialize_any(self)
        }
    }
}

impl<'de, End: DeserializeSeed<'de>> Visitor<'de> for At<'_, End> {
    type Value = End::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "something with {:?} inside", self.steps[0])
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self { steps, end } = self;
        let mut end = Some(end);
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match end.take_if(|_| key == steps[0].as_str()) {
                Some(end) => found = Some(map.next_value_seed(At { steps: &steps[1..], end })?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        found.ok_or_else(|| serde::de::Error::custom(format!("there is no {:?}", steps[0])))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let Self { steps, end } = self;
        let missing = || serde::de::Error::custom(format!("there is no element {:?}", steps[0]));
        let wanted: usize = steps[0].parse().map_err(|_| missing())?;
        for _ in 0..wanted {
            sequence.next_element::<IgnoredAny>()?.ok_or_else(missing)?;
        }
        let found = sequence.next_element_seed(At { steps: &steps[1..], end })?.ok_or_else(missing)?;
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }
}

/// Cuts the value into raw records.
struct Cut;

impl<'de> DeserializeSeed<'de> for Cut {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            Some(b'[') => serde_json::from_str(raw.get()).map_err(serde::de::Error::custom),
            Some(b'{') => Ok(vec![raw]),
            Some(b'n') => Ok(Vec::new()),
            _ => Err(serde::de::Error::custom("there is neither an array nor an object")),
        }
    }
}

/// Parses the elements of an array one after the other.
struct Each<'f, T, F> {
    done: &'f mut u32,
    take: &'f mut F,
    record: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, F: FnMut(u32, T)> DeserializeSeed<'de> for Each<'_, T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(u32, T)> Visitor<'de> for Each<'_, T, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while let Some(record) = sequence.next_element::<T>()? {
            (self.take)(*self.done, record);
            *self.done += 1;
        }
        Ok(())
    }
}
