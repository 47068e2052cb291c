//! Customers' ids become pseudonyms before a page is stored: in JSON where the plugin's manifest says they stand, in
//! delimited files in the columns that the framing names. So a plugin's `normalize`, documents, ledgers and backups see
//! nothing else.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use portolan_access::PseudonymKey;
use portolan_connector::{IN_FRAMING, Manifest, StreamDeclaration};
use portolan_core::ConnectionId;

use super::subject_paths::{JsonError, Paths, replace_values};

/// Stands in the place of a line that is no JSON, and may name anybody: the plugin counts it and sets it aside.
const UNREADABLE_LINE: &str = "\"this line was no JSON and is not kept, because it might name a customer\"";

/// How one connection's customers are named.
#[derive(Debug, Clone)]
pub struct Pseudonyms {
    pub key: Arc<PseudonymKey>,
    pub connection: ConnectionId,
    pub manifest: Arc<Manifest>,
}

/// Those whom a page tells of: the channel's id, in its canonical form, by pseudonym.
pub type People = BTreeMap<String, String>;

/// Renames the customers of one stream, and notes them.
pub struct Renaming<'a> {
    pseudonyms: &'a Pseudonyms,
    stream: &'a StreamDeclaration,
    known: HashMap<String, String>,
    people: &'a mut People,
}

impl Pseudonyms {
    /// For a stream's pages; none where no customers are told.
    pub fn of_stream<'a>(&'a self, stream: &str, people: &'a mut People) -> Option<Renaming<'a>> {
        let stream = self.manifest.stream(stream).filter(|stream| !stream.subject.is_empty())?;
        Some(Renaming { pseudonyms: self, stream, known: HashMap::new(), people })
    }
}

impl Renaming<'_> {
    /// The pseudonym of a customer, by the id as the channel sent it; none where that names nobody.
    pub fn pseudonym(&mut self, id: &str) -> Option<String> {
        let id = canonical(id, self.stream.subject_prefix.as_deref());
        if id.is_empty() {
            return None;
        }
        if let Some(known) = self.known.get(id) {
            return Some(known.clone());
        }
        let pseudonym = self.pseudonyms.key.pseudonym(self.pseudonyms.connection, id);
        self.known.insert(id.to_owned(), pseudonym.clone());
        self.people.insert(pseudonym.clone(), id.to_owned());
        Some(pseudonym)
    }

    /// A page in JSON, or one value per line, with pseudonyms. Every other byte stays as it is.
    pub fn rename_json(&mut self, body: &[u8], framing: &str) -> Result<Vec<u8>, RenameError> {
        let paths = Paths::new(&self.stream.subject).map_err(RenameError::Plugin)?;
        if self.stream.subject.iter().all(|place| place.path() == IN_FRAMING) {
            let detail = "says that its framing names the customers' column, but its chunks are JSON";
            return Err(RenameError::Plugin(format!("the stream {:?} {detail}", self.stream.name)));
        }
        if framing.split(';').next().is_some_and(|kind| kind.trim() == "ndjson") {
            return Ok(self.rename_lines(body, &paths));
        }
        let text = std::str::from_utf8(body)
            .map_err(|error| RenameError::Page(JsonError::Malformed(error.to_string())))?;
        Ok(self.rename_value(text, &paths).map_err(RenameError::Page)?.into_bytes())
    }

    /// Errors: a delimited file of a stream that looks for customers in JSON would be stored with their ids.
    pub fn check_is_in_framing(&self) -> Result<(), String> {
        if self.stream.subject.iter().any(|place| place.path() == IN_FRAMING) {
            return Ok(());
        }
        let detail = "says where customers stand in JSON, but its chunks are delimited files";
        Err(format!("the stream {:?} {detail}: its subject has to be {IN_FRAMING:?}", self.stream.name))
    }

    fn rename_lines(&mut self, body: &[u8], paths: &Paths) -> Vec<u8> {
        let mut renamed = Vec::with_capacity(body.len());
        for line in body.split_inclusive(|byte| *byte == b'\n') {
            let content = line.trim_ascii();
            if content.is_empty() {
                renamed.extend_from_slice(line);
                continue;
            }
            let text = std::str::from_utf8(line).ok();
            match text.and_then(|text| self.rename_value(text, paths).ok()) {
                Some(text) => renamed.extend_from_slice(text.as_bytes()),
                None => {
                    renamed.extend_from_slice(UNREADABLE_LINE.as_bytes());
                    renamed.push(b'\n');
                }
            }
        }
        renamed
    }

    fn rename_value(&mut self, text: &str, paths: &Paths) -> Result<String, JsonError> {
        let stream = self.stream;
        replace_values(text, paths, |path, value| {
            let place = stream.subject.get(path)?;
            if place.begins().is_some_and(|beginning| !value.starts_with(beginning)) {
                return None;
            }
            self.pseudonym(value)
        })
    }
}

/// Why a page's customers cannot be renamed. Nothing of it is stored then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenameError {
    /// The manifest and what the plugin fetches do not fit.
    Plugin(String),
    /// The page itself is at fault.
    Page(JsonError),
}

/// An id without what surrounds it in some places.
fn canonical<'id>(id: &'id str, prefix: Option<&str>) -> &'id str {
    let id = id.trim();
    prefix.and_then(|prefix| id.strip_prefix(prefix)).unwrap_or(id)
}

/// `17850.0` as `17850`, where a file's framing says that ids are numbers; anything else stays as it is.
pub fn whole_number(id: &str) -> &str {
    match id.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => whole,
        _ => id,
    }
}

/// Every form under which a customer may be known whom somebody calls by this id.
pub fn canonical_forms(manifest: Option<&Manifest>, id: &str) -> Vec<String> {
    let id = id.trim();
    let streams = manifest.map(|manifest| manifest.streams.as_slice()).unwrap_or_default();
    let prefixes = streams.iter().filter_map(|stream| stream.subject_prefix.as_deref());
    let mut forms: Vec<String> = [id, whole_number(id)].map(str::to_owned).to_vec();
    forms.extend(prefixes.map(|prefix| canonical(id, Some(prefix)).to_owned()));
    forms.retain(|form| !form.is_empty());
    forms.sort_unstable();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests;
