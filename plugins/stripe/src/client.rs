//! One question to Stripe, and what each of its refusals means to the host.

use portolan_sdk::http::{self, Request, Response};
use portolan_sdk::{CheckReport, Error, LogLevel, Result, log};
use serde::Deserialize;

/// The version of the API that shapes the answers, whatever the account's own: accounts are upgraded by a click. It
/// is the newest whose published specification these requests are tested against; objects of 2026 map as well.
pub const VERSION: &str = "2023-08-16";

/// The bucket of the manifest. Stripe lets 25 reads a second through in test mode and 100 live, for all that the
/// account runs; 20 leave room for the shop itself.
const BUCKET: &str = "api";

/// A read, ready to be sent.
pub fn get(path: impl Into<String>) -> Request {
    http::get(path).header("Stripe-Version", VERSION).bucket(BUCKET, 1)
}

/// Sends a read.
pub fn ask(request: Request) -> Result<Response> {
    judge(request.send_unchecked()?)
}

/// What an answer means. A JSON answer that breaks off in the middle is worth another try.
pub fn judge(response: Response) -> Result<Response> {
    if !(200..=299).contains(&response.status()) {
        return Err(refusal(response));
    }
    let response = response.checked()?;
    match serde_json::from_slice::<serde::de::IgnoredAny>(response.body()) {
        Ok(_) => Ok(response),
        Err(error) if error.is_eof() => Err(Error::transient("the answer breaks off in the middle")),
        Err(error) => Err(response.upstream_bug(format!("the answer is not JSON: {error}"))),
    }
}

#[derive(Default, Deserialize)]
struct Complaint {
    #[serde(default)]
    error: Reason,
}

#[derive(Default, Deserialize)]
struct Reason {
    code: Option<String>,
    param: Option<String>,
    #[serde(default)]
    message: String,
}

fn refusal(response: Response) -> Error {
    let reason = serde_json::from_slice::<Complaint>(response.body()).unwrap_or_default().error;
    let message: String =
        reason.message.chars().filter(|character| !character.is_control()).take(300).collect();
    let code = reason.code.as_deref().unwrap_or_default();
    match response.status() {
        // A page is named by the last object before it. One that was deleted since names nothing.
        400 | 404 if reason.param.as_deref() == Some("starting_after") => Error::CursorExpired(message),
        401 if code == "api_key_expired" => Error::expired(message),
        403 => Error::missing_scope(permissions(&reason.message), message),
        400 => response.upstream_bug(format!("Stripe refused the request ({code}): {message}")),
        _ => response.checked().err().unwrap_or_else(|| Error::upstream_bug(message)),
    }
}

/// The answer as JSON whose parts stay as they were written.
pub fn read<'a, T: Deserialize<'a>>(answer: &'a Response) -> Result<T> {
    serde_json::from_slice(answer.body()).map_err(|error| {
        answer.upstream_bug(format!("the answer is not the JSON that was expected: {error}"))
    })
}

/// Whether Stripe refused to expand something.
pub fn refuses_expansion(error: &Error) -> bool {
    matches!(error, Error::UpstreamBug(bug) if bug.detail.to_ascii_lowercase().contains("expand"))
}

/// The permissions that a refusal names: "Having the 'rak_charge_read' permission would allow …".
fn permissions(message: &str) -> Vec<String> {
    let quoted = message.split('\'').skip(1).step_by(2);
    quoted.filter(|word| word.starts_with("rak_")).map(str::to_owned).collect()
}

/// Who is behind the key.
pub fn check() -> Result<CheckReport> {
    #[derive(Deserialize)]
    struct Account {
        id: String,
        default_currency: Option<String>,
        business_profile: Option<Profile>,
        settings: Option<Settings>,
    }
    #[derive(Deserialize)]
    struct Profile {
        name: Option<String>,
    }
    #[derive(Deserialize)]
    struct Settings {
        dashboard: Option<Dashboard>,
    }
    #[derive(Deserialize)]
    struct Dashboard {
        display_name: Option<String>,
        timezone: Option<String>,
    }
    // Without the balance nothing of worth can be read, so this is asked first.
    ask(get("/v1/balance_transactions").query("limit", "1"))?;
    let account: Account = match ask(get("/v1/account")) {
        Ok(response) => response.json()?,
        Err(Error::Auth(_)) => {
            log(LogLevel::Info, "the key may not read who the account is", &[]);
            let notes = vec!["The key works, but may not read the account's name.".to_owned()];
            return Ok(CheckReport {
                account: String::new(),
                display_name: "Stripe".to_owned(),
                currency: None,
                time_zone: None,
                notes,
            });
        }
        Err(error) => return Err(error),
    };
    let dashboard = account.settings.and_then(|settings| settings.dashboard);
    let (name, time_zone) = dashboard.map_or((None, None), |found| (found.display_name, found.timezone));
    let name = name.or(account.business_profile.and_then(|profile| profile.name));
    Ok(CheckReport {
        display_name: name.filter(|name| !name.is_empty()).unwrap_or_else(|| account.id.clone()),
        account: account.id,
        currency: account.default_currency.map(|code| code.to_ascii_uppercase()),
        time_zone,
        notes: Vec::new(),
    })
}
