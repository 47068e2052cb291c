//! Nodes as they were sent: a world never changes, so the next sync may have them again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::graphql::execute::Rendered;

/// Shop, question, index.
type NodeKey = (&'static str, u64, u32);

/// Holds up to a number of bytes and then takes no more.
#[derive(Debug)]
pub struct Memory {
    limit_bytes: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    nodes: HashMap<NodeKey, Arc<Rendered>>,
}

impl Memory {
    pub fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, held: Mutex::default() }
    }

    pub fn recall(&self, key: NodeKey) -> Option<Arc<Rendered>> {
        self.held().nodes.get(&key).map(Arc::clone)
    }

    pub fn remember(&self, key: NodeKey, rendered: &Arc<Rendered>) {
        let mut held = self.held();
        if held.bytes + rendered.text.len() <= self.limit_bytes {
            held.bytes += rendered.text.len();
            held.nodes.insert(key, Arc::clone(rendered));
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
