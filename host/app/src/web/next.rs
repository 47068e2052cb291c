//! Where people go after signing in: back to the page they had asked for, and never to another site.

use axum::http::request::Parts;
use axum::http::{Method, Uri, header};
use axum::response::Redirect;

/// Longer addresses are not kept: they end as a header.
const LONGEST_BYTES: usize = 2_000;

/// To the sign-in page, which leads back to what was asked for.
pub fn to_sign_in(parts: &Parts) -> Redirect {
    let asked = parts.uri.path_and_query().map(|asked| asked.as_str()).unwrap_or_default();
    // Only looking can be repeated; what was sent is not kept over a sign-in.
    if parts.method == Method::GET && is_place(asked) {
        return Redirect::to(&with_next("/sign-in", asked));
    }
    Redirect::to("/sign-in")
}

/// To the page that asks again who somebody is, which leads back to what was asked for; where something was sent, to the
/// page that it was sent from.
pub fn to_step_up(parts: &Parts) -> Redirect {
    let asked = parts.uri.path_and_query().map(|asked| asked.as_str()).unwrap_or_default();
    let sent_from = parts.headers.get(header::REFERER).and_then(|from| from.to_str().ok()).and_then(place_of);
    let next = if parts.method == Method::GET { Some(asked) } else { sent_from };
    match next.filter(|next| is_place(next)) {
        Some(next) => Redirect::to(&with_next("/sign-in/again", next)),
        None => Redirect::to("/sign-in/again"),
    }
}

/// An address of our own that leads on to a place.
pub fn with_next(address: &str, place: &str) -> String {
    format!("{address}?next={}", percent_encoded(place))
}

/// Path and query of an address, whoever's it is: only the path is gone to.
fn place_of(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    rest.find('/').map(|at| &rest[at..])
}

/// Whether this is a page of this host to which somebody who has signed in may be sent.
///
/// What a browser takes for an address begins with more than is seen: it drops tabs and line breaks, reads
/// `\` as `/`, and takes what follows two slashes for another host. So only plain characters are let
/// through, from a single slash on. Encoded characters stay part of the path.
pub fn is_place(next: &str) -> bool {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let own_path = next.starts_with('/') && !next.starts_with("//");
    let path = next.split(['?', '#']).next().unwrap_or_default();
    // Signing in leads away from signing in; what programs ask is no page.
    let page = !["/sign-in", "/sign-out", "/auth", "/api", "/assets"].iter().any(|root| is_below(path, root));
    plain && own_path && page && next.len() <= LONGEST_BYTES && next.parse::<Uri>().is_ok()
}

pub fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// As the value of a query: everything but letters, digits and a few signs is encoded.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_this_host_is_a_place() {
        for place in [
            "/pulse",
            "/pulse?from=2026-01-01&until=2026-01-31",
            "/orders/0192f0c1-0000-7000-8000-000000000000",
            "/connections?next=//evil.example",
            "/orders?query=50%25#top",
            "/sign-in-sheet",
            // Encoded slashes are characters of a path, whoever reads them.
            "/%2F%2Fevil.example",
            "/%5C%5Cevil.example",
            "/%09/evil.example",
        ] {
            assert!(is_place(place), "{place}");
        }
    }

    #[test]
    fn nobody_is_sent_elsewhere_after_signing_in() {
        for trap in [
            "",
            "pulse",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\\/evil.example",
            "https://evil.example",
            "https:evil.example",
            "https:/evil.example",
            "HTTPS://evil.example/pulse",
            "javascript:alert(1)",
            "data:text/html,hello",
            "/\t/evil.example",
            "\t//evil.example",
            "/\n/evil.example",
            "/pulse\r\nSet-Cookie: a=b",
            "/\u{0}",
            "/\u{7f}",
            " /pulse",
            "/pulse /evil",
            // No header holds these; one made of them would break the answer.
            "/é",
            "/\u{2028}",
            "/sign-in",
            "/sign-in?next=/pulse",
            "/sign-in/link/abc",
            "/sign-out",
            "/auth/oidc/abc/start",
            "/api/v1/orders",
            "/assets/app.js",
        ] {
            assert!(!is_place(trap), "{trap:?}");
        }
        assert!(!is_place(&format!("/{}", "a".repeat(LONGEST_BYTES))));
    }

    #[test]
    fn who_sent_something_is_led_back_to_the_page_it_was_sent_from() {
        assert_eq!(place_of("https://portolan.example/account?x=1"), Some("/account?x=1"));
        assert_eq!(place_of("https://portolan.example"), None);
        assert_eq!(place_of("https://portolan.example//evil.example"), Some("//evil.example"));
        assert!(!is_place("//evil.example"));
    }

    #[test]
    fn what_was_asked_for_survives_its_way_through_a_query() {
        assert_eq!(percent_encoded("/pulse?range=all&compare=none"), "/pulse%3Frange%3Dall%26compare%3Dnone");
        assert_eq!(percent_encoded("/a%2Fb+c"), "/a%252Fb%2Bc");
    }
}
