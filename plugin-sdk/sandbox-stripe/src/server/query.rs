//! A request's parameters, as Stripe reads them: what it doesn't know it refuses.

use serde_json::{Value, json};

use portolan_sandbox::Reply;

/// A refusal in Stripe's words.
pub struct Refusal {
    pub status: u16,
    pub code: &'static str,
    pub param: Option<String>,
    pub message: String,
}

impl Refusal {
    pub fn invalid(code: &'static str, param: &str, message: impl Into<String>) -> Self {
        Self { status: 400, code, param: Some(param.to_owned()), message: message.into() }
    }

    pub fn missing(kind: &str, id: &str, param: &str) -> Self {
        let status = if param == "id" { 404 } else { 400 };
        let message = format!("No such {kind}: '{id}'");
        Self { status, code: "resource_missing", param: Some(param.to_owned()), message }
    }

    pub fn reply(&self) -> Reply {
        Reply::json(
            self.status,
            &complaint("invalid_request_error", self.code, self.param.as_deref(), &self.message),
        )
    }
}

pub fn complaint(kind: &str, code: &str, param: Option<&str>, message: &str) -> Value {
    json!({ "error": { "type": kind, "code": code, "param": param, "message": message } })
}

/// Half-open in the world's seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub since: i64,
    pub until: i64,
}

/// The parameters of a list.
#[derive(Debug)]
pub struct ListQuery {
    pub limit: usize,
    pub starting_after: Option<String>,
    pub window: Window,
    pub expand: Vec<String>,
    /// What else this list may be filtered by: `payout`, `type`, …
    pub filters: Vec<(String, String)>,
}

impl ListQuery {
    /// `filters`: names of the filters that are served; `expandable`: what may be expanded of an object.
    pub fn parse(query: &str, filters: &[&str], expandable: &[&str]) -> Result<Self, Refusal> {
        let window = Window { since: i64::MIN, until: i64::MAX };
        let mut found =
            Self { limit: 10, starting_after: None, window, expand: Vec::new(), filters: Vec::new() };
        for (name, value) in pairs(query) {
            match name.as_str() {
                "limit" => found.limit = limit(&value)?,
                "starting_after" => found.starting_after = Some(value),
                "expand[]" => found.expand.push(expansion(&value, "data.", expandable)?),
                _ if filters.contains(&name.as_str()) => found.filters.push((name, value)),
                _ => found.bound(&name, &value)?,
            }
        }
        Ok(found)
    }

    fn bound(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        let seconds = || {
            value
                .parse::<i64>()
                .map_err(|_| Refusal::invalid("parameter_invalid_integer", name, "Invalid integer"))
        };
        match name {
            "created[gte]" => self.window.since = seconds()?,
            "created[gt]" => self.window.since = seconds()? + 1,
            "created[lt]" => self.window.until = seconds()?,
            "created[lte]" => self.window.until = seconds()? + 1,
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    pub fn filter(&self, name: &str) -> Option<&str> {
        self.filters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// The only parameter of a single object.
pub fn expansions(query: &str, expandable: &[&str]) -> Result<Vec<String>, Refusal> {
    let parse = |(name, value): (String, String)| {
        if name == "expand[]" { expansion(&value, "", expandable) } else { Err(unknown(&name)) }
    };
    pairs(query).into_iter().map(parse).collect()
}

fn unknown(name: &str) -> Refusal {
    Refusal::invalid("parameter_unknown", name, format!("Received unknown parameter: {name}"))
}

fn limit(value: &str) -> Result<usize, Refusal> {
    match value.parse() {
        Ok(limit @ 1..=100) => Ok(limit),
        _ => Err(Refusal::invalid("parameter_invalid_integer", "limit", "Limit has to be between 1 and 100")),
    }
}

fn expansion(value: &str, prefix: &str, expandable: &[&str]) -> Result<String, Refusal> {
    match value.strip_prefix(prefix).filter(|property| expandable.contains(property)) {
        Some(property) => Ok(property.to_owned()),
        None => {
            let message = format!("This property cannot be expanded ({value}).");
            Err(Refusal { status: 400, code: "property_not_expandable", param: None, message })
        }
    }
}

/// Names and values, decoded.
fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{ListQuery, Window};

    #[test]
    fn parameters_are_read_or_refused() {
        let query = "limit=100&created%5Bgte%5D=5&created[lt]=9&starting_after=ch_1&expand%5B%5D=data.source&payout=po_1";
        let found = ListQuery::parse(query, &["payout"], &["source"]).ok().expect("a query");
        assert_eq!((found.limit, found.window), (100, Window { since: 5, until: 9 }));
        assert_eq!((found.starting_after.as_deref(), found.filter("payout")), (Some("ch_1"), Some("po_1")));
        assert_eq!(found.expand, ["source"]);
        for wrong in
            ["limit=101", "limit=0", "updated[gte]=1", "created[gte]=x", "expand[]=data.person", "page=2"]
        {
            assert!(ListQuery::parse(wrong, &[], &["source"]).is_err(), "{wrong}");
        }
    }
}
