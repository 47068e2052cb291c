//! How channels say that there is more: each of these makes a page's continuation.

use crate::http::Response;
use crate::{Continuation, Result};

/// More at this token, or done where there is none.
pub fn token(next: Option<String>) -> Continuation {
    match next {
        Some(next) => Continuation::More(next.into_bytes()),
        None => Continuation::Done,
    }
}

/// The Link header's `next`; the token is its URL, to be passed to [`get`](crate::http::get).
pub fn link(response: &Response) -> Continuation {
    token(response.link("next"))
}

/// A cursor in the body, at a JSON pointer: `/meta/next_cursor`. Absent, null or empty: done.
pub fn cursor(response: &Response, pointer: &str) -> Result<Continuation> {
    Ok(token(response.text_at(pointer)?))
}

/// Offsets, or page numbers: done with the first page that came short of `limit`.
pub fn offset(current: u64, limit: u64, received: u64) -> Continuation {
    if received < limit || limit == 0 {
        return Continuation::Done;
    }
    token(Some(current.saturating_add(received).to_string()))
}

/// GraphQL connections: the `pageInfo` at a JSON pointer, `/data/orders/pageInfo`.
pub fn graphql(response: &Response, pointer: &str) -> Result<Continuation> {
    let answer: serde_json::Value = response.json()?;
    let Some(page_info) = answer.pointer(pointer) else {
        return Err(response.upstream_bug(format!("the answer has no page information at {pointer}")));
    };
    if page_info.get("hasNextPage").and_then(serde_json::Value::as_bool) != Some(true) {
        return Ok(Continuation::Done);
    }
    match page_info.get("endCursor").and_then(serde_json::Value::as_str) {
        Some(cursor) if !cursor.is_empty() => Ok(token(Some(cursor.to_owned()))),
        _ => Err(response.upstream_bug("there is a next page but no cursor to it".to_owned())),
    }
}

/// The target of a relation in a Link header (RFC 8288).
pub(crate) fn link_target(header: &str, relation: &str) -> Option<String> {
    let mut rest = header;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>')?;
        let target = &rest[start + 1..end];
        let parameters_end = rest[end..].find('<').map_or(rest.len(), |next| end + next);
        let parameters = &rest[end + 1..parameters_end];
        let matches = parameters.split([';', ',']).any(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else { return false };
            let value = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel")
                && value.split_ascii_whitespace().any(|each| each.eq_ignore_ascii_case(relation))
        });
        if matches {
            return Some(target.to_owned());
        }
        rest = &rest[parameters_end..];
    }
    None
}

#[cfg(test)]
mod tests;
