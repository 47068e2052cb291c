//! The standard itself, where a copy of it lies beside the repository.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::sheet::Id;

/// So many words in a row that stand in the standard as well are a quotation.
const QUOTED_WORDS: usize = 8;

/// A requirement of level 1 or 2.
pub struct Requirement {
    pub id: Id,
    pub level: u8,
    words: Vec<String>,
}

impl Requirement {
    pub fn new(id: Id, level: u8, text: &str) -> Self {
        Self { id, level, words: words_of(text) }
    }

    pub fn is_quoted_in(&self, note: &str) -> bool {
        let note = words_of(note);
        self.words.windows(QUOTED_WORDS).any(|run| note.windows(QUOTED_WORDS).any(|other| run == other))
    }
}

fn words_of(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// `None` where there is no copy.
pub fn read(path: &Path) -> Result<Option<Vec<Requirement>>> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let document: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    let listed = document["requirements"].as_array().context("the standard lists no requirements")?;
    let mut requirements = Vec::new();
    for entry in listed {
        let word = |name: &str| entry[name].as_str().with_context(|| format!("a requirement has no {name}"));
        let level: u8 = word("L")?.parse().context("a level is no number")?;
        if level <= 2 {
            let id: Id = word("req_id")?.parse().map_err(anyhow::Error::msg)?;
            requirements.push(Requirement::new(id, level, word("req_description")?));
        }
    }
    Ok(Some(requirements))
}
