//! What is personal: by the name of the member that holds it, and by its own shape wherever it stands.
//!
//! Rather too much than too little: a product that is called like a buyer loses its name in a cassette, and
//! nothing else happens.

use std::ops::Range;

/// What a value is, and so by what it is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Email,
    Phone,
    Name,
    Company,
    Street,
    Town,
    PostCode,
    NetAddress,
    /// Of a bank, a card, a tax office.
    Account,
    /// What people wrote.
    Text,
    Birthday,
    Coordinate,
    /// Whoever has it gets in: a token, a signature.
    Secret,
    /// Whoever has it may read: a receipt, an order's own page.
    Link,
}

/// Whose `name` is a person's: members that hold one. An order and a product have a `name`, too.
const PEOPLE: [&str; 38] = [
    "address",
    "addresses",
    "agent",
    "attendee",
    "author",
    "billing",
    "billingaddress",
    "billingdetails",
    "billto",
    "buyer",
    "cardholder",
    "client",
    "consignee",
    "contact",
    "customer",
    "defaultaddress",
    "employee",
    "guest",
    "individual",
    "lead",
    "member",
    "owner",
    "payer",
    "person",
    "purchaser",
    "receiver",
    "recipient",
    "requester",
    "sender",
    "shipping",
    "shippingaddress",
    "shippingdetails",
    "shipto",
    "shopper",
    "staff",
    "staffmember",
    "subscriber",
    "user",
];

/// Members that only hold others together.
const CONTAINERS: [&str; 5] = ["data", "edges", "items", "node", "nodes"];

/// Of [`PEOPLE`] those that never hold a person's name themselves: they hold a place, or a way to it.
const PLACES: [&str; 5] = ["address", "billing", "billto", "defaultaddress", "ship"];

/// Members beside which `name` is a person's.
const BESIDE_A_PERSON: [&str; 8] =
    ["address1", "birthday", "dateofbirth", "familyname", "firstname", "givenname", "lastname", "line1"];

/// What the member of this name holds. `within` are the members around it, the nearest last.
pub fn kind_of(name: &str, within: &[String], siblings: &[String]) -> Option<Kind> {
    let name = plain(name);
    let name = name.as_str();
    // A product's category has a full name, too.
    if name == "name" || name == "fullname" {
        let mut around = within.iter().rev().map(String::as_str);
        let holder = around.find(|holder| !CONTAINERS.contains(holder)).unwrap_or_default();
        let person = PEOPLE.contains(&holder)
            || PEOPLE.contains(&singular(holder))
            || siblings.iter().any(|sibling| BESIDE_A_PERSON.contains(&sibling.as_str()))
            || (name == "fullname" && siblings.iter().any(|sibling| sibling.ends_with("email")));
        return person.then_some(Kind::Name);
    }
    by_name(name).or_else(|| by_name(singular(name)))
}

/// Whether a member such as `author` holds a name and not an id: two to four words with capitals.
pub fn is_name_of_person(name: &str, text: &str) -> bool {
    let name = plain(name);
    let person = PEOPLE.contains(&name.as_str()) || PEOPLE.contains(&singular(&name));
    let has_capital = |word: &str| word.starts_with(char::is_uppercase) && !word.contains(char::is_numeric);
    person
        && !PLACES.iter().any(|place| name.starts_with(place))
        && (2..=4).contains(&text.split_whitespace().count())
        && text.split_whitespace().all(has_capital)
}

fn by_name(name: &str) -> Option<Kind> {
    Some(match name {
        "firstname" | "lastname" | "givenname" | "familyname" | "middlename" | "surname" | "nickname"
        | "username" | "cardholder" | "attn" | "attention" | "accountholder" => Kind::Name,
        "mobile" | "tel" | "fax" | "msisdn" => Kind::Phone,
        "address" | "address1" | "address2" | "address3" | "addressline" | "addressline1"
        | "addressline2" | "addressline3" | "line1" | "line2" | "street" | "street1" | "street2"
        | "streetaddress" | "streetname" | "housenumber" => Kind::Street,
        "city" | "town" | "locality" | "suburb" | "neighborhood" | "neighbourhood" => Kind::Town,
        "zip" | "zipcode" | "postalcode" | "postcode" => Kind::PostCode,
        "company" | "companyname" | "organization" | "organisation" | "businessname" => Kind::Company,
        "ip" | "ipaddress" | "browserip" | "clientip" | "customerip" | "remoteip" => Kind::NetAddress,
        "latitude" | "longitude" | "lat" | "lng" | "lon" => Kind::Coordinate,
        "iban" | "accountnumber" | "routingnumber" | "sortcode" | "last4" | "fingerprint" | "cardnumber"
        | "taxid" | "taxnumber" | "vatid" | "vatnumber" | "passportnumber" | "ssn" | "ssnlast4"
        | "idnumber" => Kind::Account,
        "birthday" | "birthdate" | "dateofbirth" | "dob" => Kind::Birthday,
        "token" | "password" | "secret" | "signature" | "apikey" | "sessionid" => Kind::Secret,
        "receipturl"
        | "orderstatusurl"
        | "statuspageurl"
        | "hostedinvoiceurl"
        | "invoiceurl"
        | "invoicepdf"
        | "abandonedcheckouturl"
        | "recoveryurl" => Kind::Link,
        "note" | "comment" | "memo" | "useragent" | "customernote" | "staffnote" | "giftmessage" => {
            Kind::Text
        }
        _ if name.ends_with("email") || name.ends_with("emailaddress") => Kind::Email,
        _ if name.ends_with("phone") || name.ends_with("phonenumber") => Kind::Phone,
        _ if SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending)) => Kind::Secret,
        _ if ["customername", "buyername", "recipientname", "holdername", "contactname", "payername"]
            .iter()
            .any(|ending| name.ends_with(ending)) =>
        {
            Kind::Name
        }
        _ => return None,
    })
}

/// Of members and parameters alike. A page's token is none: nobody gets in with it alone.
const SECRET_ENDINGS: [&str; 9] = [
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "authtoken",
    "securitytoken",
    "checkouttoken",
    "carttoken",
    "clientsecret",
    "xgoogcredential",
];

/// What is secret in an address only: as a member's name each of them means other things, too.
const SECRET_PARAMETERS: [&str; 7] =
    ["key", "sig", "hmac", "policy", "credential", "xamzcredential", "awsaccesskeyid"];

/// Shorter ones, and numbers, are places in a list.
const SHORTEST_SECRET: usize = 8;

fn is_secret_parameter(name: &str) -> bool {
    let name = plain(name);
    let name = name.as_str();
    SECRET_PARAMETERS.contains(&name) || name.ends_with("signature") || by_name(name) == Some(Kind::Secret)
}

/// A member's name without what only tells spellings apart: `first_name`, `firstName`, `First-Name`.
pub fn plain(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn singular(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}

/// Personal or secret whatever member holds it, with the places: mail addresses, numbers with a country's prefix,
/// network addresses, bank accounts; and in addresses the parameters that open what they lead to.
pub fn found_in(text: &str) -> Vec<(Range<usize>, Kind)> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if let Some(secret) = secret_parameter_at(text, at) {
            at = secret.end;
            found.push((secret, Kind::Secret));
            continue;
        }
        let here = email_at(text, at)
            .map(|end| (end, Kind::Email))
            .or_else(|| phone_at(bytes, at).map(|end| (end, Kind::Phone)))
            .or_else(|| net_address_at(bytes, at).map(|end| (end, Kind::NetAddress)))
            .or_else(|| bank_account_at(bytes, at).map(|end| (end, Kind::Account)));
        match here {
            Some((end, kind)) => {
                found.push((at..end, kind));
                at = end;
            }
            None => at += 1,
        }
    }
    found
}

/// Whether a word may begin here: not inside of one, and not inside of an escape; `%3A` is as good as a blank.
fn begins_word(bytes: &[u8], at: usize, also: &[u8]) -> bool {
    if (at >= 1 && is_escape(bytes, at - 1)) || (at >= 2 && is_escape(bytes, at - 2)) {
        return false;
    }
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80 || also.contains(&byte);
    at == 0 || (at >= 3 && is_escape(bytes, at - 3)) || !inside(bytes[at - 1])
}

/// Whether a byte stands here as addresses write it: `%40`.
pub fn is_escape(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b'%'
        && bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// The value of a parameter whose name begins here: `Signature=…`, also where one address holds another one. A file
/// in a store of others' is opened by whoever has its signed address.
fn secret_parameter_at(text: &str, at: usize) -> Option<Range<usize>> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let bytes = text.as_bytes();
    let before = bytes.get(..at)?;
    let begins = ["?", "&", "%3F", "%3f", "%26"].iter().any(|mark| before.ends_with(mark.as_bytes()));
    if !begins || !is_name(bytes[at]) {
        return None;
    }
    let name_end = at + bytes[at..].iter().take(60).take_while(|byte| is_name(**byte)).count();
    let rest = &bytes[name_end..];
    let start = match rest {
        [b'=', ..] => name_end + 1,
        [b'%', b'3', b'D' | b'd', ..] => name_end + 3,
        _ => return None,
    };
    let ends = |at: usize| {
        bytes[at].is_ascii_whitespace() || b"&#\"'<>".contains(&bytes[at]) || bytes[at..].starts_with(b"%26")
    };
    let end = (start..bytes.len()).find(|at| ends(*at)).unwrap_or(bytes.len());
    let value = bytes.get(start..end).filter(|value| value.len() >= SHORTEST_SECRET)?;
    let is_number = value.iter().all(u8::is_ascii_digit);
    (!is_number && is_secret_parameter(&text[at..name_end])).then_some(start..end)
}

/// `ada@shop.example`, also with `%40`. Gives its end.
fn email_at(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_local = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80 || b"._+-'".contains(&byte);
    if !is_local(bytes[at]) || !begins_word(bytes, at, b"._+-'") || !text.is_char_boundary(at) {
        return None;
    }
    let mut local_end = at;
    while local_end < bytes.len().min(at + 64) {
        let plus = bytes[local_end..].starts_with(b"%2B") || bytes[local_end..].starts_with(b"%2b");
        match bytes[local_end] {
            _ if plus => local_end += 3,
            byte if is_local(byte) => local_end += 1,
            _ => break,
        }
    }
    let rest = &bytes[local_end..];
    let domain = if rest.starts_with(b"@") {
        local_end + 1
    } else if rest.starts_with(b"%40") {
        local_end + 3
    } else {
        return None;
    };
    let is_domain = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80 || b".-".contains(&byte);
    let mut end = domain + bytes[domain..].iter().take(253).take_while(|byte| is_domain(**byte)).count();
    while end > domain && b".-".contains(&bytes[end - 1]) {
        end -= 1;
    }
    let has_dot = bytes[domain..end].contains(&b'.');
    (has_dot && text.is_char_boundary(end)).then_some(end)
}

/// `+49 151 1234567`. Gives its end.
fn phone_at(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes[at] != b'+' || !begins_word(bytes, at, b"/=") {
        return None;
    }
    let (mut digits, mut end) = (0, at + 1);
    for (offset, byte) in bytes[at + 1..].iter().enumerate().take(30) {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                end = at + 2 + offset;
            }
            b' ' | b'-' | b'(' | b')' | b'.' | b'/' => {}
            _ => break,
        }
    }
    (8..=15).contains(&digits).then_some(end)
}

/// Four numbers with dots, or groups of hexadecimal digits with colons. Gives its end.
fn net_address_at(bytes: &[u8], at: usize) -> Option<usize> {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || b".:".contains(byte);
    if !is_part(&bytes[at]) || !begins_word(bytes, at, b".:-_") {
        return None;
    }
    let mut end = at + bytes[at..].iter().take(46).take_while(|byte| is_part(byte)).count();
    while end > at && b".:".contains(&bytes[end - 1]) && !bytes[at..end].ends_with(b"::") {
        end -= 1;
    }
    if bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)) {
        return None;
    }
    let text = std::str::from_utf8(&bytes[at..end]).ok()?;
    // A time of day has colons, too; an address of the sixth version more of them.
    let is_address = text.parse::<std::net::Ipv4Addr>().is_ok()
        || (text.matches(':').count() >= 3 && text.parse::<std::net::Ipv6Addr>().is_ok());
    is_address.then_some(end)
}

/// An IBAN whose check digits are right. Gives its end.
fn bank_account_at(bytes: &[u8], at: usize) -> Option<usize> {
    if !bytes[at].is_ascii_uppercase() || !begins_word(bytes, at, b"_-") {
        return None;
    }
    let length =
        bytes[at..].iter().take(35).take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let end = at + length.count();
    let iban = &bytes[at..end];
    let shaped = (15..=34).contains(&iban.len())
        && iban[1].is_ascii_uppercase()
        && iban[2..4].iter().all(u8::is_ascii_digit);
    if !shaped {
        return None;
    }
    let turned = iban[4..].iter().chain(&iban[..4]);
    let remainder = turned.fold(0_u32, |remainder, byte| match byte {
        b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
        letter => (remainder * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    (remainder == 1).then_some(end)
}
