//! The shapes in which a secret comes back: as it is, and as the encodings on its way write it. Whoever
//! wants to smuggle it out can always invent another; this is about channels that echo what they were sent.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use portolan_core::hex;

/// Shorter pieces of base64 would mask ordinary words.
const MIN_BASE64_CHARS: usize = 8;

/// What is left alone by RFC 3986, by JavaScript, and in forms.
const UNESCAPED: [(&[u8], &str); 3] = [(b"-._~", "%20"), (b"-._~!'()*", "%20"), (b"-._*", "+")];

/// A secret, and how it looks in a query, a form, JSON, HTML, hexadecimal, and anywhere inside of base64.
pub fn forms_of(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.to_owned()];
    for (unescaped, blank) in UNESCAPED {
        let encoded = percent_encoded(secret, unescaped, blank);
        forms.extend([lower_case_escapes(&encoded), encoded]);
    }
    let json = json_string(secret);
    forms.extend([json.replace('/', "\\/"), ascii_only(&json), json]);
    forms.extend(html(secret));
    let hex = hex(secret.as_bytes());
    forms.extend([hex.to_ascii_uppercase(), hex]);
    for offset in 0..3 {
        forms.extend(base64_cores(secret, offset));
    }
    forms.into_iter().map(String::into_bytes).collect()
}

fn percent_encoded(text: &str, unescaped: &[u8], blank: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push_str(blank),
            byte if byte.is_ascii_alphanumeric() || unescaped.contains(&byte) => {
                encoded.push(char::from(byte))
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn lower_case_escapes(encoded: &str) -> String {
    let mut lower = String::new();
    let mut escape = 0;
    for character in encoded.chars() {
        if character == '%' {
            escape = 3;
        }
        lower.push(if escape > 0 { character.to_ascii_lowercase() } else { character });
        escape = if escape > 0 { escape - 1 } else { 0 };
    }
    lower
}

/// The inside of a JSON string.
fn json_string(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// As encoders write JSON that leave nothing but ASCII.
fn ascii_only(json: &str) -> String {
    let mut ascii = String::new();
    for character in json.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    ascii
}

/// With both usual spellings of an apostrophe and a quote.
fn html(text: &str) -> [String; 2] {
    let plain = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    [plain.replace('"', "&quot;").replace('\'', "&#39;"), plain.replace('"', "&#34;").replace('\'', "&#x27;")]
}

/// What a secret contributes to the base64 of a longer text, where so many bytes modulo 3 stand before it: the
/// characters that it alone decides.
fn base64_cores(secret: &str, offset: usize) -> Vec<String> {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(secret.as_bytes());
    let first = [0, 2, 3][offset];
    let whole = bytes.len() * 8 / 6;
    let core = |encoded: String| encoded.get(first..whole).unwrap_or_default().to_owned();
    let cores = [core(STANDARD_NO_PAD.encode(&bytes)), core(URL_SAFE_NO_PAD.encode(&bytes))];
    cores.into_iter().filter(|core| core.len() >= MIN_BASE64_CHARS).collect()
}
