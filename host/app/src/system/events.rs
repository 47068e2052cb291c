//! Server-sent events for open pages.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use futures::stream;
use portolan_core::{SyncId, TenantId};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::App;
use crate::live::LiveMessage;
use crate::web::actor::{AnalyticsQuery, Require};
use crate::web::error::AppResult;

/// Messages within this are one: a page re-asks at most four times a second.
const TOGETHER: Duration = Duration::from_millis(250);

/// Tells an open page which syncs moved and that the data changed.
pub async fn stream_events(
    actor: Require<AnalyticsQuery>,
    State(app): State<Arc<App>>,
) -> AppResult<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let state = Listener {
        receiver: app.live.subscribe(),
        tenant: actor.tenant,
        app: Arc::clone(&app),
        waiting: Vec::new(),
    };
    let events = stream::unfold(state, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

struct Listener {
    receiver: Receiver<LiveMessage>,
    tenant: TenantId,
    app: Arc<App>,
    waiting: Vec<Event>,
}

impl Listener {
    /// The next event; `None` ends the stream when the server stops.
    async fn next(&mut self) -> Option<Event> {
        while self.waiting.is_empty() {
            let stopping = self.app.stopping.cancelled();
            let first = tokio::select! {
                () = stopping => return None,
                message = self.receiver.recv() => message,
            };
            let mut batch = Batch::default();
            batch.take(self.tenant, first)?;
            tokio::time::sleep(TOGETHER).await;
            while let Ok(message) = self.receiver.try_recv() {
                batch.add(self.tenant, &message);
            }
            self.waiting = batch.into_events();
        }
        self.waiting.pop()
    }
}

/// What happened within one moment.
#[derive(Default)]
struct Batch {
    syncs: HashMap<SyncId, ()>,
    data_version: Option<i64>,
    missed: bool,
}

impl Batch {
    fn take(&mut self, tenant: TenantId, message: Result<LiveMessage, RecvError>) -> Option<()> {
        match message {
            Ok(message) => self.add(tenant, &message),
            Err(RecvError::Lagged(_)) => self.missed = true,
            Err(RecvError::Closed) => return None,
        }
        Some(())
    }

    fn add(&mut self, tenant: TenantId, message: &LiveMessage) {
        if message.tenant() != tenant {
            return;
        }
        match message {
            LiveMessage::Sync { sync, .. } => {
                self.syncs.insert(*sync, ());
            }
            LiveMessage::Data { data_version, .. } => {
                self.data_version = self.data_version.max(Some(*data_version));
            }
        }
    }

    fn into_events(self) -> Vec<Event> {
        let mut events: Vec<Event> = self
            .syncs
            .into_keys()
            .map(|sync| Event::default().event("sync").data(json!({ "id": sync }).to_string()))
            .collect();
        if self.missed {
            // Whoever missed messages asks for everything anew.
            events.push(Event::default().event("data").data(json!({ "version": 0 }).to_string()));
        } else if let Some(version) = self.data_version {
            events.push(Event::default().event("data").data(json!({ "version": version }).to_string()));
        }
        events
    }
}
