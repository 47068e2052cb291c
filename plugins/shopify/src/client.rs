//! One question to Shopify: sends it, reads what the answer says about limits and errors, and turns
//! each failure into the case that says what the host does about it.

use portolan_sdk::http::{self, Response};
use portolan_sdk::{Error, Result, observe_limit};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::queries::Query;

/// The version of the API that the queries are written for.
pub const ENDPOINT: &str = "/admin/api/2026-07/graphql.json";

/// The bucket of the manifest, in points of query cost.
const BUCKET: &str = "graphql";

/// An answer without errors.
pub struct Answer {
    pub response: Response,
    /// How long to wait until the same question fits into the budget again; 0 if it does now.
    pub wait_ms: u64,
}

impl Answer {
    /// What was asked for.
    pub fn data<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        #[derive(Deserialize)]
        struct Whole<T> {
            data: T,
        }
        Ok(self.response.json::<Whole<T>>()?.data)
    }
}

/// Why there is no answer.
pub enum Refusal {
    /// The query costs more than one query may: ask for less.
    TooDear,
    Error(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Error(error) => error,
            Refusal::TooDear => Self::upstream_bug("Shopify says that the smallest query costs too much"),
        }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
    extensions: Option<Extensions>,
}

#[derive(Deserialize)]
struct Extensions {
    cost: Option<Cost>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    requested_query_cost: Option<f64>,
    throttle_status: Option<ThrottleStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ThrottleStatus {
    maximum_available: f64,
    currently_available: f64,
    restore_rate: f64,
}

#[derive(Deserialize)]
struct GraphqlError {
    #[serde(default)]
    message: String,
    #[serde(default)]
    extensions: ErrorExtensions,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorExtensions {
    code: Option<String>,
    required_access: Option<String>,
}

/// Asks. `data` of the answer is there; an answer with any error in it is no answer, for half of
/// an order would be a wrong number.
pub fn ask(query: &Query, variables: &impl Serialize) -> std::result::Result<Answer, Refusal> {
    let response = http::graphql(ENDPOINT, &query.text, variables)?.bucket(BUCKET, query.points).send()?;
    let envelope = serde_json::from_slice::<Envelope<'_>>(response.body()).map_err(|error| {
        let detail = format!("the answer is not the JSON that was expected: {error}");
        if error.is_eof() {
            Error::transient("the answer breaks off in the middle")
        } else {
            response.upstream_bug(detail)
        }
    })?;
    let cost = envelope.extensions.and_then(|extensions| extensions.cost);
    let wait_ms = cost.as_ref().map_or(0, note_limit);
    if let Some(errors) = envelope.errors {
        return Err(refusal(&response, errors, cost.map(|_| wait_ms)));
    }
    if envelope.data.is_none_or(|data| data.get() == "null") {
        return Err(response.upstream_bug("the answer has neither data nor errors".to_owned()).into());
    }
    Ok(Answer { response, wait_ms })
}

/// Tells the host what the budget still holds, and gives the time until the same question fits into it again.
fn note_limit(cost: &Cost) -> u64 {
    let (Some(requested), Some(status)) = (cost.requested_query_cost, &cost.throttle_status) else {
        return 0;
    };
    let available = status.currently_available.max(0.0);
    let until = |points: f64| {
        let missing = (points - available).max(0.0);
        (missing / status.restore_rate.max(1.0) * 1_000.0).ceil() as u64
    };
    observe_limit(BUCKET, available as u32, until(status.maximum_available));
    until(requested.max(1.0))
}

fn refusal(response: &Response, errors: &RawValue, wait_ms: Option<u64>) -> Refusal {
    // A refused login is told as a text in the place of the list.
    let Ok(errors) = serde_json::from_str::<Vec<GraphqlError>>(errors.get()) else {
        return response
            .upstream_bug(format!("Shopify answered an error: {}", shortened(errors.get())))
            .into();
    };
    let Some(error) = errors.into_iter().next() else {
        return response.upstream_bug("the answer has an empty list of errors".to_owned()).into();
    };
    let message = shortened(&error.message);
    match error.extensions.code.as_deref() {
        Some("MAX_COST_EXCEEDED") => Refusal::TooDear,
        Some("THROTTLED") => {
            // At least a second: the budget may be shared with other apps of ours.
            Error::rate_limited(
                Some(wait_ms.unwrap_or(0).max(1_000)),
                "the query budget of the shop is spent",
            )
            .into()
        }
        Some("ACCESS_DENIED") => {
            let required = error.extensions.required_access.unwrap_or_default();
            Error::missing_scope(scopes(&required), message).into()
        }
        Some("SHOP_INACTIVE") => Error::Unavailable(message).into(),
        Some("INTERNAL_SERVER_ERROR" | "SERVICE_UNAVAILABLE" | "TIMEOUT") => Error::transient(message).into(),
        _ if message.to_ascii_lowercase().contains("invalid cursor") => Error::CursorExpired(message).into(),
        code => {
            let code = code.unwrap_or("no code");
            response.upstream_bug(format!("Shopify refused the query ({code}): {message}")).into()
        }
    }
}

/// The scopes between back quotes: `read_orders` access scope.
fn scopes(required: &str) -> Vec<String> {
    required.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn shortened(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).take(300).collect()
}
