//! The cookies that somebody is known by: of a session, and of a first step that waits for the second.

use axum::http::HeaderMap;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use portolan_access::{DEVICE_LASTS, DeviceToken, EarlierSession};

use crate::App;
use crate::web::actor::{SESSION_COOKIES, session_cookie};
use crate::web::address::PublicAddress;

/// The cookie between the two steps: never the session's, so that neither is taken for the other.
fn second_step_cookie(app: &App) -> &'static str {
    match &app.public_address {
        Some(address) if address.is_https() => "__Host-ptl_second_step",
        _ => "ptl_second_step",
    }
}

/// The cookie of a remembered browser, by which the code alone is left out.
const DEVICE_COOKIES: [&str; 2] = ["__Host-ptl_device", "ptl_device"];

/// What the cookie of a remembered browser holds. Its name is not looked at twice: whoever plants one plants a browser of
/// their own, which is remembered for nobody else.
pub fn device_token(headers: &HeaderMap) -> DeviceToken {
    let jar = CookieJar::from_headers(headers);
    DeviceToken(DEVICE_COOKIES.iter().find_map(|name| jar.get(name)).map(|cookie| cookie.value().to_owned()))
}

/// The session that the browser had so far. Whoever plants one has it ended, and no more.
pub fn earlier_session(headers: &HeaderMap) -> EarlierSession {
    let jar = CookieJar::from_headers(headers);
    EarlierSession(
        SESSION_COOKIES.iter().find_map(|name| jar.get(name)).map(|cookie| cookie.value().to_owned()),
    )
}

/// Gives the browser the token that it is remembered by.
pub fn with_device(app: &App, headers: &HeaderMap, jar: CookieJar, token: String) -> CookieJar {
    let [secure, plain] = DEVICE_COOKIES;
    let name = match &app.public_address {
        Some(address) if address.is_https() => secure,
        _ => plain,
    };
    let until_closed = cookie(app, headers, name, token);
    let seconds = DEVICE_LASTS.0 / 1_000_000;
    // The cookie's own type of spans is not ours to name; without one it lasts until the browser is closed.
    let lasting = Cookie::parse(format!("{until_closed}; Max-Age={seconds}")).unwrap_or(until_closed);
    jar.add(lasting)
}

/// Gives the browser a session's token, in the place of any other.
pub fn with_session(app: &App, headers: &HeaderMap, jar: CookieJar, token: String) -> CookieJar {
    jar.add(cookie(app, headers, session_cookie(app), token))
}

/// Gives the browser the token of a first step.
pub fn with_second_step(app: &App, headers: &HeaderMap, jar: CookieJar, token: String) -> CookieJar {
    jar.add(cookie(app, headers, second_step_cookie(app), token))
}

/// What the cookie between the steps holds.
pub fn second_step_token(headers: &HeaderMap, app: &App) -> Option<String> {
    CookieJar::from_headers(headers).get(second_step_cookie(app)).map(|cookie| cookie.value().to_owned())
}

pub fn without_session(app: &App, jar: CookieJar) -> CookieJar {
    without(jar, session_cookie(app))
}

pub fn without_second_step(app: &App, jar: CookieJar) -> CookieJar {
    without(jar, second_step_cookie(app))
}

/// The cookie of who is on the way to an identity provider and back.
fn provider_cookie(app: &App) -> &'static str {
    match &app.public_address {
        Some(address) if address.is_https() => "__Host-ptl_provider",
        _ => "ptl_provider",
    }
}

/// Binds the way to an identity provider and back to this browser.
pub fn with_provider_flow(app: &App, headers: &HeaderMap, jar: CookieJar, token: String) -> CookieJar {
    jar.add(cookie(app, headers, provider_cookie(app), token))
}

/// What that cookie holds.
pub fn provider_flow_token(headers: &HeaderMap, app: &App) -> Option<String> {
    CookieJar::from_headers(headers).get(provider_cookie(app)).map(|cookie| cookie.value().to_owned())
}

pub fn without_provider_flow(app: &App, jar: CookieJar) -> CookieJar {
    without(jar, provider_cookie(app))
}

/// A browser takes a `__Host-` cookie away only when told so securely.
fn without(jar: CookieJar, name: &'static str) -> CookieJar {
    jar.remove(Cookie::build(name).path("/").secure(name.starts_with("__Host-")))
}

fn cookie(app: &App, headers: &HeaderMap, name: &'static str, token: String) -> Cookie<'static> {
    let over_https = match &app.public_address {
        Some(address) => PublicAddress::is_https(address),
        None => headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https"),
    };
    Cookie::build((name, token)).path("/").http_only(true).secure(over_https).same_site(SameSite::Lax).build()
}
