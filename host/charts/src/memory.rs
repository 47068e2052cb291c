//! Drawings that were asked for before. A specification carries its numbers, so a remembered drawing
//! can never be stale; new data simply asks for another one.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::Theme;

/// About 2 MB of drawings of 8 kB.
const MOST_DRAWINGS: usize = 256;

/// One drawing, told by everything that decides how it looks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    pub spec_json: String,
    pub width: u32,
    pub height: u32,
    pub theme: Theme,
}

/// The newest drawings; the oldest goes first.
#[derive(Debug, Default)]
pub(crate) struct Drawings {
    svgs: HashMap<Wanted, Arc<str>>,
    oldest_first: VecDeque<Wanted>,
}

impl Drawings {
    pub fn find(&self, wanted: &Wanted) -> Option<Arc<str>> {
        self.svgs.get(wanted).cloned()
    }

    pub fn keep(&mut self, wanted: Wanted, svg: Arc<str>) {
        if self.svgs.insert(wanted.clone(), svg).is_some() {
            return;
        }
        self.oldest_first.push_back(wanted);
        if self.oldest_first.len() > MOST_DRAWINGS
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.svgs.remove(&oldest);
        }
    }
}
