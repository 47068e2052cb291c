use portolan_core::hex;

use super::*;

const MESSAGE: &[u8] = b"what do ya want for nothing?";
/// Made for this test alone, with `openssl genpkey`; the signature with `openssl dgst -sha256 -sign`.
const PRIVATE: &str = include_str!("test-key.pem");
const PUBLIC: &str = include_str!("test-key.pub.pem");
const SIGNATURE: &str = include_str!("test-signature.hex");

fn signer(value: &str, algorithm: &str) -> Signer {
    Signer { keys: vec![("key".to_owned(), SecretValue::new(value), vec![algorithm.to_owned()])] }
}

#[test]
fn codes_are_those_of_the_standards() {
    // RFC 4231 and RFC 2202, test case 2 of each.
    let cases = [
        ("hmac-sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ("hmac-sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    ];
    for (algorithm, expected) in cases {
        let signer = signer("Jefe", algorithm);
        let signature = signer.sign("key", algorithm, MESSAGE).expect("a signature");
        assert_eq!(hex(&signature), expected, "{algorithm}");
        assert_eq!(signer.verify("key", algorithm, MESSAGE, &signature), Ok(true));
        assert_eq!(signer.verify("key", algorithm, b"else", &signature), Ok(false));
        assert_eq!(signer.verify("key", algorithm, MESSAGE, &signature[1..]), Ok(false));
    }
}

#[test]
fn rsa_signs_as_others_do_and_either_half_verifies() {
    let signature = signer(PRIVATE, "rsa-sha256").sign("key", "rsa-sha256", MESSAGE).expect("a signature");
    assert_eq!(hex(&signature), SIGNATURE.trim());
    for key in [PRIVATE, PUBLIC] {
        let signer = signer(key, "rsa-sha256");
        assert_eq!(signer.verify("key", "rsa-sha256", MESSAGE, &signature), Ok(true));
        assert_eq!(signer.verify("key", "rsa-sha256", b"else", &signature), Ok(false));
        assert_eq!(signer.verify("key", "rsa-sha256", MESSAGE, b"short"), Ok(false));
    }
}

#[test]
fn a_key_that_does_not_fit_is_named_and_not_shown() {
    for value in ["canary", PUBLIC, &PRIVATE[..600]] {
        let error = signer(value, "rsa-sha256").sign("key", "rsa-sha256", MESSAGE).expect_err("no key");
        assert!(error.contains("no RSA private key") && !error.contains("canary"), "{error}");
    }
    assert!(signer("canary", "rsa-sha256").verify("key", "rsa-sha256", MESSAGE, b"").is_err());
}

#[test]
fn what_the_manifest_does_not_list_is_refused() {
    let hmac = signer("Jefe", "hmac-sha256");
    assert!(hmac.sign("key", "hmac-sha1", MESSAGE).expect_err("not listed").contains("does not list"));
    assert!(hmac.sign("other", "hmac-sha256", MESSAGE).expect_err("no key").contains("no such key"));
    assert!(hmac.sign("key", "hmac-sha256", &vec![0; 5 << 20]).expect_err("too long").contains("4 MiB"));
    let error = signer("Jefe", "hmac-md5").sign("key", "hmac-md5", MESSAGE).expect_err("unknown");
    assert!(error.contains("hmac-sha1"), "{error}");
}
