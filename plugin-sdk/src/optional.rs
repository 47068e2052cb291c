//! What a connector may do besides: understand what its channel pushes, and ask for the channel's own
//! totals. Each is a trait that the macro [`connector!`](crate::connector) exports when it is named there.

use serde::Deserialize;

pub use crate::bindings::control::exports::portolan::plugin::control::ControlTotals;
use crate::bindings::portolan::plugin::sync::ChunkInfo;
pub use crate::bindings::webhook::exports::portolan::plugin::webhook::{Outcome, Request as Event};
use crate::{Connection, Connector, Error, Payload, RawChunk, Result, Slice};

/// A connector whose channel pushes events.
///
/// The manifest's `webhooks` name the topics and how they are signed. The host verifies, stores and
/// answers a request by itself; `handle` runs afterwards, and again after an upgrade if it failed.
///
/// ```ignore
/// portolan_sdk::connector!(Shop, manifest: "../plugin.json", webhook);
/// ```
pub trait Webhook: Connector {
    /// Says what an event means: raw records that it carries, or slices to fetch.
    fn handle(connection: &Connection, event: &Event) -> Result<Outcome>;
}

/// A connector whose channel can be asked what a slice should add up to.
///
/// ```ignore
/// portolan_sdk::connector!(Shop, manifest: "../plugin.json", webhook, control);
/// ```
pub trait Control: Connector {
    /// The channel's own count and sums of a slice, in minor units, one sum per currency.
    fn totals(connection: &Connection, slice: &Slice) -> Result<ControlTotals>;
}

impl Event {
    /// A header's value; the host hands names over in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; a type with [`Text`](crate::Text) fields borrows from it.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let (path, inner) = (error.path(), error.inner());
            Error::upstream_bug(format!("the event is not the JSON that was expected, at {path}: {inner}"))
        })
    }
}

impl Outcome {
    /// Nothing to do: an event that touches no stream.
    pub fn nothing() -> Self {
        Self { event_id: None, chunks: Vec::new(), poke: Vec::new() }
    }

    /// The event's body is itself a chunk of a stream's raw records.
    pub fn carries(event: &Event, stream: &str, framing: &str) -> Self {
        let content_type = event.header("content-type").unwrap_or("application/json").to_owned();
        let info = ChunkInfo { stream: stream.to_owned(), framing: framing.to_owned(), content_type };
        let payload = Payload::Inline(event.body.clone());
        Self { chunks: vec![RawChunk { info, payload }], ..Self::nothing() }
    }

    /// The event only says that something happened: these slices are fetched.
    pub fn pokes(slices: Vec<Slice>) -> Self {
        Self { poke: slices, ..Self::nothing() }
    }

    /// Names the event, so that it counts once however often it is sent.
    pub fn with_id(self, event_id: impl Into<String>) -> Self {
        Self { event_id: Some(event_id.into()), ..self }
    }
}

/// The exports that a connector asks for by name.
#[doc(hidden)]
#[macro_export]
macro_rules! optional_export {
    (webhook, $connector:ty) => {
        const _: () = {
            use $crate::bindings::portolan::plugin::{sync, types};
            use $crate::bindings::webhook::exports::portolan::plugin::webhook;

            struct Handler;

            impl webhook::Guest for Handler {
                fn handle(
                    conn: sync::Connection,
                    req: webhook::Request,
                ) -> Result<webhook::Outcome, types::PluginError> {
                    <$connector as $crate::Webhook>::handle(&conn, &req)
                }
            }

    $crate::bindings::webhook::export_webhook!(Handler with_types_in $crate::bindings::webhook);
        };
    };
    (control, $connector:ty) => {
        const _: () = {
            use $crate::bindings::control::exports::portolan::plugin::control;
            use $crate::bindings::portolan::plugin::{sync, types};

            struct Totals;

            impl control::Guest for Totals {
                fn totals(
                    conn: sync::Connection,
                    slice: sync::Slice,
                ) -> Result<control::ControlTotals, types::PluginError> {
                    <$connector as $crate::Control>::totals(&conn, &slice)
                }
            }

    $crate::bindings::control::export_control!(Totals with_types_in $crate::bindings::control);
        };
    };
}
