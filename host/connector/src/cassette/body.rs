//! A body in a cassette: JSON as JSON, so that people can read it and the scrubber knows what stands where.

use serde::{Deserialize, Serialize};

use super::Json;

/// A complaint longer than this tells nothing more.
const LONGEST_COMPLAINT_CHARS: usize = 2_000;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    #[default]
    Empty,
    Json(Json),
    /// One JSON value a line.
    Lines(Vec<Json>),
    /// The words with which a channel refuses; never data.
    Text(String),
}

impl Body {
    /// Errors: the body is neither JSON nor lines of it, so nobody can tell what in it is personal.
    pub fn of(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
        if text.trim().is_empty() {
            return Ok(Self::Empty);
        }
        let whole = Json::parse(text);
        if let Ok(json) = whole {
            return Ok(Self::Json(json));
        }
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let lines: Result<Vec<Json>, _> = lines.map(Json::parse).collect();
        lines.map(Self::Lines).map_err(|_| "it is neither JSON nor lines of JSON".to_owned())
    }

    /// The same for a part of a file of lines. One that is cut in the middle is left to the next part, where whoever
    /// reads the file in parts asks for it again.
    pub fn of_part(bytes: &[u8], is_last: bool) -> Result<Self, String> {
        let whole = match bytes.iter().rposition(|byte| *byte == b'\n') {
            _ if is_last => bytes,
            Some(end) => &bytes[..=end],
            None => return Err("a part of a file has no whole line".to_owned()),
        };
        // One line alone is a line, too: behind it stands the end of a line.
        Ok(match Self::of(whole)? {
            Self::Json(line) => Self::Lines(vec![line]),
            body => body,
        })
    }

    /// The same for an answer that is a refusal: any text will do.
    pub fn of_complaint(bytes: &[u8]) -> Self {
        Self::of(bytes).unwrap_or_else(|_| {
            Self::Text(String::from_utf8_lossy(bytes).chars().take(LONGEST_COMPLAINT_CHARS).collect())
        })
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let written = |json: &Json| serde_json::to_vec(json).unwrap_or_default();
        match self {
            Self::Empty => Vec::new(),
            Self::Json(json) => written(json),
            Self::Lines(lines) => {
                lines.iter().flat_map(|line| [written(line), b"\n".to_vec()].concat()).collect()
            }
            Self::Text(text) => text.clone().into_bytes(),
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::Empty
    }
}
