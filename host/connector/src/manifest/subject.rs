//! Where the customer's id stands in what a stream fetches. The host puts a pseudonym in its place before anything is
//! stored, so that no id of a customer comes to rest.

use serde::{Deserialize, Serialize};

/// One place of a stream's pages where a customer's id stands.
///
/// A path like a JSON pointer from the page's (or, of NDJSON, the line's) root, `/data/orders/nodes/*/customer/id`: a step
/// is a key, `*` each element of an array, `**` any number of keys and elements, also none. In delimited files the
/// framing of each chunk names the column (`subject=`), which [`IN_FRAMING`] says instead of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SubjectPlace {
    Path(String),
    /// Only values that begin with something are ids of customers: a page that mixes kinds of things.
    Those {
        path: String,
        begins: String,
    },
}

/// The place that says: the framing names the column.
pub const IN_FRAMING: &str = "framing";

/// The most steps that all paths of a stream have together, each path counting one more.
pub(super) const MOST_STEPS: usize = 64;

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Key(String),
    /// `*`
    Element,
    /// `**`
    Anything,
}

impl SubjectPlace {
    pub fn path(&self) -> &str {
        match self {
            Self::Path(path) | Self::Those { path, .. } => path,
        }
    }

    /// What an id has to begin with here.
    pub fn begins(&self) -> Option<&str> {
        match self {
            Self::Path(_) => None,
            Self::Those { begins, .. } => Some(begins),
        }
    }

    /// The steps of the path; none where the framing names the column.
    ///
    /// Errors: a sentence for the plugin's author.
    pub fn steps(&self) -> Result<Option<Vec<Step>>, String> {
        let path = self.path();
        if path == IN_FRAMING {
            return Ok(None);
        }
        let refused = || {
            format!(
                "the path {path:?} is not accepted: begin it with /, separate keys, * and ** by /, and end it with a key \
                 or *; or write {IN_FRAMING:?} where the chunks' framing names the column"
            )
        };
        let steps = path.strip_prefix('/').ok_or_else(refused)?.split('/').map(|step| match step {
            "*" => Step::Element,
            "**" => Step::Anything,
            key => Step::Key(key.replace("~1", "/").replace("~0", "~")),
        });
        let steps: Vec<Step> = steps.collect();
        if steps.contains(&Step::Key(String::new())) || steps.last() == Some(&Step::Anything) {
            return Err(refused());
        }
        Ok(Some(steps))
    }
}
