use portolan_core::Instant;
use proptest::prelude::*;

use super::*;
use crate::SliceMode;

const NOW: Instant = Instant::from_unix_ms(1_767_225_600_000);

fn exchange(url: &str, asked: &str, status: u16, answered: &str) -> Exchange {
    Exchange {
        request: Request {
            method: "POST".to_owned(),
            url: url.to_owned(),
            body: Body::of_complaint(asked.as_bytes()),
        },
        response: Response {
            status,
            headers: BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]),
            body: Body::of_complaint(answered.as_bytes()),
        },
    }
}

fn recording(exchanges: Vec<Exchange>) -> Recording {
    let plugin = PluginName { id: "shop".to_owned(), version: "1.0.0".to_owned() };
    let config = Json::parse(r#"{"shop": "acme", "contact": "ada@shop.example"}"#).expect("JSON");
    let mut recording = Recording::new(plugin, NOW, "Europe/Berlin".to_owned(), config);
    let slice = SliceSpec {
        stream: "orders".to_owned(),
        partition: None,
        since: Some(NOW),
        until: None,
        mode: SliceMode::Backfill,
    };
    recording.push(&slice, 1, exchanges);
    recording
}

fn scrubbed(answered: &str) -> String {
    let cassette = recording(vec![exchange("/orders", "", 200, answered)]).scrub();
    serde_json::to_string(&cassette.takes[0].exchanges[0].response.body).expect("JSON")
}

const ORDERS: &str = r##"{"orders": [
  {"id": 7001, "name": "#1001", "total": 19.90, "large": 12345678901234567890.10, "status": "open",
   "email": "Ada.Lovelace@Shop.example", "phone": "+49 (151) 123-45678", "note": "Ring at Lovelace, thanks",
   "customer": {"id": 9, "name": "Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace", "tags": "open"},
   "shipping_address": {"name": "Ada Lovelace", "address1": "12 St James's Square", "city": "London", "zip": "SW1Y 4JH",
     "latitude": 51.507, "country": "GB"},
   "client_details": {"browser_ip": "203.0.113.77"},
   "line_items": [{"name": "Lamp", "title": "For ada lovelace, with +4915112345678"}]},
  {"id": 7002, "name": "#1002", "email": "ada.lovelace@shop.example", "customer": {"name": "Grace Hopper"},
   "payment": {"last4": "4242", "fingerprint": "Xt5EWLLDS7FJjR1c", "iban": "DE89370400440532013000"},
   "text": "pay to DE89370400440532013000 or grace@navy.example"}
]}"##;

/// As it stands, and as an address or another case writes it.
const CANARIES: [&str; 20] = [
    "lovelace",
    "grace hopper",
    "ada.",
    "shop.example",
    "navy.example",
    "12345678\"",
    "4915112345678",
    "151) 123",
    "st james",
    "london",
    "sw1y",
    "51.507",
    "203.0.113.77",
    "4242",
    "xt5ewllds7fjjr1c",
    "de89370400440532013000",
    "hopper",
    "\"ada\"",
    "ada ",
    "ring at",
];

#[test]
fn nothing_personal_is_left() {
    let recorded = recording(vec![exchange(
        "/orders?q=name%3AAda%20Lovelace+OR+email%3Aada.lovelace%40shop.example&to=Ada+Lovelace",
        r#"{"query": "{ orders { name email } }", "variables": {"email": "ada.lovelace@shop.example"}}"#,
        200,
        ORDERS,
    )]);
    let written = recorded.scrub().write().expect("written").to_lowercase();
    for canary in CANARIES {
        assert!(!written.contains(canary), "{canary} in {written}");
    }
    for kept in [
        "#1001",
        "19.90",
        "12345678901234567890.10",
        "\"lamp\"",
        "7002",
        "\"gb\"",
        "\"status\": \"open\"",
        "\"tags\": \"open\"",
    ] {
        assert!(written.contains(kept), "{kept} is missing in {written}");
    }
    assert!(written.contains("{ orders { name email } }"), "the plugin's own text stays: {written}");
}

#[test]
fn the_same_person_stays_the_same() {
    let json = scrubbed(ORDERS);
    assert_eq!(json.matches("person2@example.com").count(), 2, "one address in two spellings: {json}");
    assert_eq!(json.matches("Given1 Family1").count(), 3, "in two members, and in a title: {json}");
    assert!(json.contains("Given4 Family4") || json.contains("Given2 Family2"), "another person: {json}");
    assert_eq!(json.matches("account-").count(), 3, "{json}");
    assert_eq!(json.matches("+15550000001").count(), 2, "one number in two spellings: {json}");
}

#[test]
fn scrubbing_again_changes_nothing() {
    let once = recording(vec![exchange("/orders?email=ada%40shop.example", ORDERS, 200, ORDERS)]).scrub();
    let again = scrub::scrub(once.clone());
    assert_eq!(once.write().expect("written"), again.write().expect("written"));
}

#[test]
fn json_inside_of_a_text_and_lines_of_it_are_walked_too() {
    let inner = r#"{"email":"ada@shop.example","n":1}"#;
    let outer = serde_json::json!({ "payload": inner }).to_string();
    assert_eq!(scrubbed(&outer), r#"{"json":{"payload":"{\"email\":\"person1@example.com\",\"n\":1}"}}"#);
    let lines = "{\"email\":\"ada@shop.example\"}\n{\"email\":\"bob@shop.example\"}\n";
    assert!(scrubbed(lines).contains(r#"[{"email":"person1@example.com"},{"email":"person2@example.com"}]"#));
    let unchanged = r#"{"json":{"payload":"{ \"n\": 1.10 }"}}"#;
    assert_eq!(scrubbed(r#"{"payload": "{ \"n\": 1.10 }"}"#), unchanged, "not written anew without need");
}

#[test]
fn what_only_looks_personal_stays() {
    assert!(scrubbed(r#"{"customers":[{"full_name":"Ada Lovelace"}]}"#).contains("Given1 Family1"));
    assert!(scrubbed(r#"{"phone":"+000000000"}"#).contains("+15550000001"), "also a number of zeros alone");
    let kept = r#"{"category":{"fullName":"Apparel > Bags"},"gid":"gid://shop/Order/4915112345678","at":"2026-01-01T00:00:00+01:00","version":"2026-07","name":"Lamp","time":"12:30:15","sku":"AB12CDEFGHIJKLMN","cursor":"eyJsYXN0X2lkIjo3fQ==","zone":"Europe/Berlin","handle":"@shop","sum":"+12.50"}"#;
    assert_eq!(scrubbed(kept), format!(r#"{{"json":{kept}}}"#));
}

#[test]
fn a_cassette_comes_back_as_it_was_written() {
    let cassette = recording(vec![exchange("/orders", "a=1", 429, "slow down")]).scrub();
    let written = cassette.write().expect("written");
    assert_eq!(Cassette::read(&written), Ok(cassette.clone()));
    assert!(written.starts_with("{\n  \"format\": \"portolan-cassette 1\",\n"), "{written}");
    assert_eq!(cassette.takes[0].slice().expect("a slice").since, Some(NOW));
    assert_eq!(cassette.takes[0].exchanges[0].response.body.to_bytes(), b"slow down");
}

#[test]
fn another_file_and_another_version_are_refused_with_a_sentence() {
    let cassette = recording(Vec::new()).scrub().write().expect("written");
    let error = |text: &str| Cassette::read(text).expect_err("refused").0;
    assert!(error("[]").contains("no cassette"));
    assert!(error("{").contains("no cassette"));
    assert!(error(&cassette.replace("cassette 1", "cassette 9")).contains("record it anew"));
    assert!(error(&cassette.replace("\"takes\"", "\"tapes\"")).contains("tapes"));
}

#[test]
fn data_that_nobody_can_read_is_not_recorded() {
    assert!(Body::of(b"name;mail\nAda;ada@shop.example\n").is_err());
    assert!(Body::of(&[0xff, 0xfe, 0]).is_err());
    assert_eq!(Body::of(b" \n"), Ok(Body::Empty));
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(Body::of(deep.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn a_planted_address_is_found_wherever_it_stands(
        local in "[a-z][a-z0-9._-]{2,12}[a-z0-9]", before in "[ -~]{0,20}", after in "[ -~]{0,20}", member in "[a-z_]{1,12}"
    ) {
        let address = format!("{local}@mail.example");
        let text = format!("{before} {address} {after}");
        let json = serde_json::json!({ &member: text, "list": [[address.clone()]] }).to_string();
        let left = scrubbed(&json);
        prop_assert!(!left.contains(&address), "{left}");
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let body = Body::of_complaint(&bytes);
        let _ = recording(vec![Exchange {
            request: Request { method: "GET".to_owned(), url: String::from_utf8_lossy(&bytes).into_owned(), body: body.clone() },
            response: Response { status: 500, headers: BTreeMap::new(), body },
        }])
        .scrub()
        .write()
        .expect("written");
    }

    #[test]
    fn json_keeps_its_digits_and_order(number in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?", names in proptest::collection::vec("[a-z]{1,6}", 1..6)) {
        let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":{number}")).collect();
        let text = format!("{{{}}}", members.join(","));
        let json = Json::parse(&text).expect("JSON");
        prop_assert_eq!(serde_json::to_string(&json).expect("JSON"), text);
    }
}
