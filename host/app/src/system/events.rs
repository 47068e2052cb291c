//! Server-sent events for open pages.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use futures::stream;
use portolan_analytics::Visibility;
use portolan_core::{ConnectionId, SyncId, TenantId};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::App;
use crate::channels::seen::seen_connections;
use crate::live::LiveMessage;
use crate::web::actor::{AnalyticsQuery, Require, session_token};
use crate::web::client::AskedFrom;
use crate::web::error::{AppError, AppResult};
use crate::web::seen::visibility;

/// Messages within this are one: a page re-asks at most four times a second.
const TOGETHER: Duration = Duration::from_millis(250);

/// Tells an open page which syncs moved and that the data changed, for as long as its session stands.
pub async fn stream_events(
    actor: Require<AnalyticsQuery>,
    State(app): State<Arc<App>>,
    AskedFrom(from): AskedFrom,
    headers: HeaderMap,
) -> AppResult<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let token = session_token(&headers, &app).ok_or_else(AppError::unauthenticated)?;
    let mut look_again = interval(app.live.look_again);
    look_again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    look_again.reset();
    let state = Listener {
        receiver: app.live.subscribe(),
        endings: app.sessions.endings(),
        look_again,
        token,
        from,
        tenant: actor.tenant,
        seen: actor.seen().clone(),
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
    /// Changes when somebody signs out.
    endings: watch::Receiver<u64>,
    look_again: Interval,
    token: String,
    /// Where it was opened.
    from: Option<IpAddr>,
    tenant: TenantId,
    /// Renewed with the look whether the session still stands.
    seen: Visibility,
    app: Arc<App>,
    waiting: Vec<Event>,
}

impl Listener {
    /// The next event; `None` ends the stream when the server stops or the session has ended.
    async fn next(&mut self) -> Option<Event> {
        while self.waiting.is_empty() {
            let stopping = self.app.stopping.cancelled();
            let first = tokio::select! {
                () = stopping => return None,
                message = self.receiver.recv() => Some(message),
                Ok(()) = self.endings.changed() => None,
                _ = self.look_again.tick() => None,
            };
            let Some(first) = first else {
                if self.is_signed_out().await {
                    return None;
                }
                continue;
            };
            let mut batch = Batch::default();
            batch.take(self.tenant, first)?;
            tokio::time::sleep(TOGETHER).await;
            while let Ok(message) = self.receiver.try_recv() {
                batch.add(self.tenant, &message);
            }
            batch.keep_seen(&self.app, self.tenant, &self.seen).await;
            self.waiting = batch.into_events();
        }
        self.waiting.pop()
    }

    /// Whether whoever opened the stream may no longer listen. A database that is away says nothing about
    /// them, and there is nothing to hear without it.
    async fn is_signed_out(&mut self) -> bool {
        match self.app.sessions.still_stands(&self.token).await {
            Ok(Some(signed_in)) => {
                self.seen = visibility(&signed_in.restrictions(), |permission| signed_in.may(permission));
                signed_in.tenant != self.tenant
                    || !signed_in.may(AnalyticsQuery::PERMISSION)
                    || !signed_in.may_come_from(self.from)
                    || signed_in.lacks_second_factor()
            }
            Ok(None) => true,
            Err(error) => {
                tracing::warn!(%error, "failed to look whether the session of an open page still stands");
                false
            }
        }
    }
}

/// What happened within one moment.
#[derive(Default)]
struct Batch {
    syncs: HashMap<SyncId, ConnectionId>,
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
            LiveMessage::Sync { sync, connection, .. } => {
                self.syncs.insert(*sync, *connection);
            }
            LiveMessage::Data { data_version, .. } => {
                self.data_version = self.data_version.max(Some(*data_version));
            }
        }
    }

    /// Without syncs of connections that whoever listens does not see. A database that is away tells of none.
    async fn keep_seen(&mut self, app: &App, tenant: TenantId, seen: &Visibility) {
        if self.syncs.is_empty() || !seen.limits_connections() {
            return;
        }
        let known = async { seen_connections(&app.db.read(tenant).await?, seen).await };
        match known.await {
            Ok(Some(known)) => self.syncs.retain(|_, connection| known.contains(&connection.0)),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(?error, "failed to look which connections an open page may hear of");
                self.syncs.clear();
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
