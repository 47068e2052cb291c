//! Whether a body was signed by who knows the secret: over its very bytes, compared in constant time, before any of it is read.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use portolan_connector::SecretValue;
use portolan_connector::manifest::Verification;
use sha2::Sha256;

const SIGNATURE_BYTES: usize = 32;

/// Checks the one signature that the headers carry. Two of them are none.
pub fn is_signed(
    verification: &Verification,
    secret: &SecretValue,
    headers: &HeaderMap,
    body: &[u8],
) -> bool {
    let mut said = headers.get_all(verification.header.as_str()).iter();
    let (Some(said), None) = (said.next(), said.next()) else { return false };
    let Ok(said) = said.to_str() else { return false };
    let Some(said) = said.strip_prefix(verification.prefix.as_deref().unwrap_or_default()) else {
        return false;
    };
    let Some(signature) = decode(&verification.encoding, said) else { return false };
    // An empty key is one that everybody knows.
    if secret.expose().is_empty() || signature.len() != SIGNATURE_BYTES {
        return false;
    }
    let key = secret.expose().as_bytes();
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any key length");
    mac.update(body);
    mac.verify_slice(&signature).is_ok()
}

fn decode(encoding: &str, text: &str) -> Option<Vec<u8>> {
    match encoding {
        "base64" => STANDARD.decode(text).ok(),
        "hex" => {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
            pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()).collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn verification(encoding: &str) -> Verification {
        Verification {
            algorithm: "hmac-sha256".to_owned(),
            secret: "key".to_owned(),
            header: "X-Signature".to_owned(),
            prefix: None,
            encoding: encoding.to_owned(),
            message: "{{body}}".to_owned(),
            timestamp_header: None,
            tolerance_seconds: None,
        }
    }

    fn sign(secret: &str, body: &[u8]) -> Vec<u8> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).expect("a key");
        mac.update(body);
        mac.finalize().into_bytes().to_vec()
    }

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-signature", HeaderValue::from_str(value).expect("visible"));
        }
        headers
    }

    fn asks(secret: &str, headers: &HeaderMap, body: &[u8]) -> bool {
        is_signed(&verification("base64"), &SecretValue::new(secret.to_owned()), headers, body)
    }

    #[test]
    fn a_known_signature_is_right() {
        // RFC 4231, test case 2.
        let (secret, body) = ("Jefe", b"what do ya want for nothing?");
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let secret = SecretValue::new(secret.to_owned());
        assert!(is_signed(&verification("hex"), &secret, &headers(&[hex]), body));
        assert!(!is_signed(&verification("base64"), &secret, &headers(&[hex]), body));
        let with_prefix = Verification { prefix: Some("v1=".to_owned()), ..verification("hex") };
        assert!(is_signed(&with_prefix, &secret, &headers(&[&format!("v1={hex}")]), body));
        assert!(!is_signed(&with_prefix, &secret, &headers(&[hex]), body));
    }

    #[test]
    fn nothing_two_of_it_and_an_empty_secret_prove_nothing() {
        let signature = STANDARD.encode(sign("s", b"{}"));
        assert!(asks("s", &headers(&[&signature]), b"{}"));
        assert!(!asks("s", &headers(&[]), b"{}"));
        assert!(!asks("s", &headers(&[&signature, &signature]), b"{}"));
        assert!(!asks("s", &headers(&[""]), b"{}"));
        let of_nothing = STANDARD.encode(sign("", b"{}"));
        assert!(!asks("", &headers(&[&of_nothing]), b"{}"));
        let short = STANDARD.encode(&sign("s", b"{}")[..16]);
        assert!(!asks("s", &headers(&[&short]), b"{}"), "the beginning of a signature is none");
    }

    proptest! {
        #[test]
        fn what_was_changed_anywhere_is_not_signed(
            secret in "[ -~]{1,40}",
            body in proptest::collection::vec(any::<u8>(), 1..200),
            place in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let signature = sign(&secret, &body);
            prop_assert!(asks(&secret, &headers(&[&STANDARD.encode(&signature)]), &body));
            let mut other = body.clone();
            other[place.index(body.len())] ^= 1 << bit;
            prop_assert!(!asks(&secret, &headers(&[&STANDARD.encode(&signature)]), &other));
            let mut forged = signature.clone();
            forged[place.index(SIGNATURE_BYTES)] ^= 1 << bit;
            prop_assert!(!asks(&secret, &headers(&[&STANDARD.encode(&forged)]), &body));
            let another = secret + "x";
            prop_assert!(!asks(&another, &headers(&[&STANDARD.encode(&signature)]), &body));
        }
    }
}
