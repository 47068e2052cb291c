//! Cassettes that `portolan connection record` wrote, replayed natively: a connector's regression test without
//! network and without a component.
//!
//! ```ignore
//! for take in Cassette::read(include_str!("cassettes/orders.json"))?.replay::<Shop>()? {
//!     assert_eq!(take.run.output.orders.len(), 250, "{}", take.stream);
//! }
//! ```

use serde::Deserialize;
use serde_json::Value;

use super::answer::Answer;
use super::run::{Run, connection};
use super::stub::Host;
use crate::{Connection, Connector, Error, Instant, Mode, Partition, Result, Slice, time};

/// Name and version of the format; a reader accepts exactly its own.
const FORMAT: &str = "portolan-cassette 1";

/// A file as the host writes it.
#[derive(Debug, Deserialize)]
pub struct Cassette {
    format: String,
    now: String,
    time_zone: String,
    config: Value,
    takes: Vec<Take>,
}

#[derive(Debug, Deserialize)]
struct Take {
    stream: String,
    mode: String,
    since: Option<String>,
    until: Option<String>,
    partition: Option<Recorded>,
    pages: usize,
    exchanges: Vec<Exchange>,
}

#[derive(Debug, Deserialize)]
struct Recorded {
    key: String,
    label: String,
    data: String,
}

#[derive(Debug, Deserialize)]
struct Exchange {
    request: Request,
    response: Response,
}

#[derive(Debug, Deserialize)]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    body: Body,
}

#[derive(Debug, Deserialize)]
struct Response {
    status: u16,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    body: Body,
}

/// A body as a cassette holds it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    #[default]
    Empty,
    /// As it was written: an amount keeps its digits.
    Json(Box<serde_json::value::RawValue>),
    Lines(Vec<Box<serde_json::value::RawValue>>),
    Text(String),
}

impl Body {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Empty => Vec::new(),
            Self::Json(json) => json.get().as_bytes().to_vec(),
            // Indented in the file, and one value a line where it came from.
            Self::Lines(lines) => {
                lines.iter().flat_map(|line| [compact(line.get()), b"\n".to_vec()].concat()).collect()
            }
            Self::Text(text) => text.clone().into_bytes(),
        }
    }
}

/// JSON without the blanks and line breaks between its parts.
fn compact(json: &str) -> Vec<u8> {
    let (mut compact, mut in_text, mut escaped) = (Vec::with_capacity(json.len()), false, false);
    for byte in json.bytes() {
        if in_text || !byte.is_ascii_whitespace() {
            compact.push(byte);
        }
        match byte {
            b'"' if !escaped => in_text = !in_text,
            _ => {}
        }
        escaped = in_text && byte == b'\\' && !escaped;
    }
    compact
}

/// A slice that was replayed.
#[derive(Debug)]
pub struct Replayed {
    pub stream: String,
    pub run: Run,
}

impl Cassette {
    /// Reads a file of this format and version.
    pub fn read(json: &str) -> Result<Self> {
        let broken = |error: serde_json::Error| Error::PluginBug(format!("this is no cassette: {error}"));
        let cassette: Self = serde_json::from_str(json).map_err(broken)?;
        if cassette.format != FORMAT {
            let other =
                format!("the cassette is of the format {:?}, and the SDK reads {FORMAT:?}", cassette.format);
            return Err(Error::PluginBug(other));
        }
        Ok(cassette)
    }

    /// The connection that was recorded, without its secrets.
    pub fn connection(&self) -> Result<Connection> {
        let now = moment(&self.now)?;
        Ok(Connection { now, time_zone: self.time_zone.clone(), ..connection(&self.config.to_string()) })
    }

    /// Runs every slice through `fetch` and `normalize`. A request that was not recorded fails it, also where the
    /// connector goes on without an answer.
    pub fn replay<C: Connector>(&self) -> Result<Vec<Replayed>> {
        let connection = self.connection()?;
        let mut replayed = Vec::new();
        for take in &self.takes {
            let host = take.host();
            let run = host.sync_pages::<C>(&connection, &take.slice()?, take.pages);
            if let Some(what) = host.unanswered() {
                return Err(Error::PluginBug(format!("{what}: it was not recorded")));
            }
            replayed.push(Replayed { stream: take.stream.clone(), run: run? });
        }
        Ok(replayed)
    }
}

impl Take {
    fn host(&self) -> Host {
        self.exchanges.iter().fold(Host::new(), |host, Exchange { request, response }| {
            let answer = Answer::recorded(response.status, &response.headers, response.body.bytes());
            host.answer_to(&request.method, &request.url, &request.body.bytes(), answer)
        })
    }

    fn slice(&self) -> Result<Slice> {
        let instant = |text: &Option<String>| text.as_deref().map(moment).transpose();
        let partition = self.partition.as_ref().map(|recorded| Partition {
            key: recorded.key.clone(),
            label: recorded.label.clone(),
            data: recorded.data.clone(),
        });
        Ok(Slice {
            stream: self.stream.clone(),
            partition,
            since: instant(&self.since)?,
            until: instant(&self.until)?,
            mode: match self.mode.as_str() {
                "incremental" => Mode::Incremental,
                "snapshot" => Mode::Snapshot,
                _ => Mode::Backfill,
            },
        })
    }
}

fn moment(text: &str) -> Result<Instant> {
    time::instant(text).map_err(|error| Error::PluginBug(format!("the cassette holds no moment: {error:?}")))
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn only_what_stands_between_the_parts_goes() {
        let written = "{\n  \"a b\": [1, 2.50 ],\n  \"quote \\\" and \\\\\": \" x \"\n}";
        assert_eq!(compact(written), br#"{"a b":[1,2.50],"quote \" and \\":" x "}"#);
    }
}
