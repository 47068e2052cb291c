//! What open pages are told as it happens: a sync moved, the data changed.
//!
//! In process; a lost message costs freshness, never data. Subscribers of one tenant never see
//! another's messages.

use std::sync::Arc;
use std::time::Duration;

use portolan_core::{ConnectionId, SyncId, TenantId};
use tokio::sync::broadcast;

/// Something that open pages may want to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveMessage {
    /// A sync's state or counts changed.
    Sync { tenant: TenantId, sync: SyncId, connection: ConnectionId },
    /// New ledger events can be queried.
    Data { tenant: TenantId, data_version: i64 },
}

impl LiveMessage {
    pub fn tenant(&self) -> TenantId {
        match self {
            Self::Sync { tenant, .. } | Self::Data { tenant, .. } => *tenant,
        }
    }
}

/// Fan-out to the pages of this process.
#[derive(Debug, Clone)]
pub struct LiveBus {
    sender: Arc<broadcast::Sender<LiveMessage>>,
    /// How often an open stream asks whether its session still stands.
    pub look_again: Duration,
}

impl Default for LiveBus {
    fn default() -> Self {
        // A page that lags more than this many messages re-reads everything it shows.
        let (sender, _) = broadcast::channel(256);
        Self { sender: Arc::new(sender), look_again: Duration::from_secs(60) }
    }
}

impl LiveBus {
    /// Tells every open page of the message's tenant. Nobody listening is fine.
    pub fn publish(&self, message: LiveMessage) {
        let _nobody_listens = self.sender.send(message);
    }

    pub fn subscribe(&self) -> broadcast::Receiver<LiveMessage> {
        self.sender.subscribe()
    }
}
