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

const PERSON: &str = r#""customer":{"name":"Jane Miller","phone":"0151 123 45678"},"shipping_address":{"address1":"7 Elm Street"}"#;

/// What is left of a text beside a person.
fn beside_jane(text: &str) -> String {
    let json = serde_json::json!({ "said": text }).to_string();
    let left = scrubbed(&format!("{{{PERSON},{}", &json[1..]));
    let at = left.find("\"said\":").expect("the text");
    left[at + 8..].trim_end_matches('}').trim_matches('"').to_owned()
}

#[test]
fn who_is_spoken_of_in_other_texts_is_found_there() {
    for (said, left) in [
        ("call Jane Miller", "call Given1 Family1"),
        ("CALL JANE MILLER", "CALL Given1 Family1"),
        ("call jane", "call Given1"),
        ("Mrs. Miller's parcel", "Mrs. Family1's parcel"),
        ("Miller, Jane", "Family1, Given1"),
        ("jane-miller-gift", "Given1-Family1-gift"),
        ("/search/Jane%20Miller", "/search/Given1%20Family1"),
        ("Jane", "Given1"),
        ("to 7 elm street, 2nd door", "to 1 Example Street, 2nd door"),
        ("ring 0151/12345678 or +49 151 12345678.", "ring 15550000001 or +15550000002."),
        ("ring 0049 151 123-45678", "ring 15550000001"),
    ] {
        assert_eq!(beside_jane(said), left, "{said}");
    }
    for kept in ["Miller-lite lamp", "mill", "Janet", "a long street", "0151", "7 Elm Streets"] {
        let kept_part = kept.replace("Miller", "Family1");
        assert_eq!(beside_jane(kept), kept_part, "{kept}");
    }
    let name =
        scrubbed(r#"{"author":"Ada Lovelace","text":"by ada","shipping":"Express Parcel","user":"usr_81"}"#);
    let expected =
        r#"{"author":"Given1 Family1","text":"by Given1","shipping":"Express Parcel","user":"usr_81"}"#;
    assert_eq!(name, format!(r#"{{"json":{expected}}}"#));
}

/// Whoever is called like a word of the channel must not change what the channel says.
#[test]
fn words_of_the_channel_and_of_the_plugin_stay() {
    let people = r#"{"customers":[{"first_name":"Open","last_name":"Order"},{"first_name":"Paid"}],
        "__typename":"Order","status":"Paid","state":"open","tags":"open","orders":1}"#;
    let left = scrubbed(people);
    for kept in [
        r#""__typename":"Order""#,
        r#""status":"Paid""#,
        r#""state":"open""#,
        r#""tags":"open""#,
        r#""orders":1"#,
    ] {
        assert!(left.contains(kept), "{kept} in {left}");
    }
    let asked = r#"{"query":"query Order { orders(query: \"email:ada@shop.example Order\") { Order } }"}"#;
    let cassette = recording(vec![exchange("/graphql", asked, 200, people)]).scrub();
    let Body::Json(asked) = &cassette.takes[0].exchanges[0].request.body else { panic!("JSON") };
    let Some(Json::Text(query)) = asked.member("query") else { panic!("a query") };
    assert_eq!(query, "query Order { orders(query: \"email:person1@example.com Name2\") { Order } }");
    let no_program = scrubbed(r#"{"query":"{\"email\":\"ada@shop.example\"}"}"#);
    assert!(!no_program.contains("ada@"), "{no_program}");
}

#[test]
fn what_opens_a_file_or_a_page_is_no_part_of_a_cassette() {
    let signed =
        "https://files.example/a.jsonl?Expires=1780000000&X-Goog-Signature=8f41aa0077&key=00af31bc99d2";
    let told = serde_json::json!({ "url": signed, "receipt_url": "https://pay.example/r/CAcaFwoVYWNj",
        "client_secret": "pi_1_secret_2", "via": "https://a.example/?to=https%3A%2F%2Fb.example%2F%3Ftoken%3Dabcd1234efgh%26page%3D2" });
    let recorded =
        recording(vec![exchange("/", "", 200, &told.to_string()), exchange(signed, "", 200, "{}")]);
    let cassette = recorded.scrub();
    let written = cassette.write().expect("written");
    for secret in ["8f41aa0077", "00af31bc99d2", "CAcaFwoVYWNj", "pi_1_secret_2", "abcd1234efgh"] {
        assert!(!written.contains(secret), "{secret} in {written}");
    }
    let asked = &cassette.takes[0].exchanges[1].request.url;
    assert!(
        asked.starts_with("https://files.example/a.jsonl?Expires=1780000000&X-Goog-Signature=secret-"),
        "{asked}"
    );
    assert_eq!(
        written.matches(asked).count(),
        2,
        "the same address where it is told and where it is asked: {written}"
    );
    assert!(written.contains("%26page%3D2"), "{written}");
    let pages = r#"{"next":"/orders?key=41&page_token=abcdefgh12345678&cursor=00af31bc99d2","token":""}"#;
    assert_eq!(scrubbed(pages), format!(r#"{{"json":{pages}}}"#), "a page's place is no secret");
}

#[test]
fn a_name_of_a_member_may_be_personal_too() {
    let left = scrubbed(r#"{"balances":{"ada@shop.example":1,"total":2}}"#);
    assert_eq!(left, r#"{"json":{"balances":{"person1@example.com":1,"total":2}}}"#);
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

/// Whoever reads a file in parts asks again for the line that a part's end cuts.
#[test]
fn a_part_of_a_file_ends_with_a_whole_line() {
    let lines = |text: &str| Body::Lines(text.lines().map(|line| Json::parse(line).expect("JSON")).collect());
    let part = b"{\"n\":1}\n{\"n\":2}\n{\"n\"";
    assert_eq!(Body::of_part(part, false), Ok(lines("{\"n\":1}\n{\"n\":2}")));
    assert_eq!(Body::of_part(b"{\"n\":1}\n{\"n\":2}", false), Ok(lines("{\"n\":1}")), "it may go on");
    assert_eq!(Body::of_part(b"{\"n\":1}\n{\"n\":2}", true), Ok(lines("{\"n\":1}\n{\"n\":2}")));
    assert_eq!(Body::of_part(b"{\"n\":1}", true).map(|body| body.to_bytes()), Ok(b"{\"n\":1}\n".to_vec()));
    assert!(Body::of_part(b"{\"n\"", false).is_err());
    assert!(Body::of_part(part, true).is_err());
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
    fn a_planted_name_is_found_in_any_text_and_in_any_case(
        given in "Zq[a-z]{1,8}", family in "Xw[a-z]{1,8}", apart in any::<bool>(), case in 0_u8..3,
        before in "([a-v]{1,8} ){1,3}", after in "( [a-v]{1,8}){0,3}", spoken in 0_u8..3,
    ) {
        let whole = format!("{given} {family}");
        let person = if apart {
            serde_json::json!({ "first_name": &given, "last_name": &family })
        } else {
            serde_json::json!({ "name": &whole })
        };
        let said = [&whole, &given, &family][usize::from(spoken)];
        let said = [said.clone(), said.to_lowercase(), said.to_uppercase()][usize::from(case)].clone();
        let json = serde_json::json!({ "customer": person, "said": format!("{before}{said}{after}") }).to_string();
        let left = scrubbed(&json).to_lowercase();
        prop_assert!(!left.contains(&given.to_lowercase()) && !left.contains(&family.to_lowercase()), "{left}");
        prop_assert!(left.contains(&before) && left.contains(&after), "the words around it stay: {left}");
    }

    #[test]
    fn ordinary_words_stay_where_nobody_is_called_so(title in "[A-Za-z]{1,9}( [A-Za-z0-9]{1,9}){0,5}") {
        let people = ["jane", "miller", "elm", "street", "7"];
        let own = |word: &str| !people.contains(&word.to_lowercase().as_str());
        prop_assume!(title.split(' ').all(own));
        prop_assert_eq!(beside_jane(&title), title);
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
