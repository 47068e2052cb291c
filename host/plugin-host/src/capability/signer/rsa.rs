//! `rsa-sha256`: RSASSA-PKCS1-v1_5 with SHA-256, as app stores and payment providers want it. Done by
//! the provider that also does TLS; 2048 bits and more.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};
use rustls::sign::SigningKey;

const SCHEME: SignatureScheme = SignatureScheme::RSA_PKCS1_SHA256;

/// `AlgorithmIdentifier` of rsaEncryption.
const RSA_ALGORITHM: [u8; 15] = *b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

/// Errors: a sentence that never shows anything of the key.
pub fn sign(key: &str, message: &[u8]) -> Result<Vec<u8>, String> {
    let key = private_key(key).ok_or("the secret is no RSA private key in PEM, of 2048 bits or more")?;
    let signer = key.choose_scheme(&[SCHEME]).ok_or("the secret is a private key, but not of RSA")?;
    signer.sign(message).map_err(|error| error.to_string())
}

/// With the public key in PEM, or the public half of a private one.
pub fn verify(key: &str, message: &[u8], signature: &[u8]) -> Result<bool, String> {
    let public = match SubjectPublicKeyInfoDer::from_pem_slice(key.as_bytes()) {
        Ok(public) => Some(public),
        Err(_) => private_key(key).and_then(|key| Some(key.public_key()?.into_owned())),
    };
    let public = public.as_deref().and_then(rsa_part);
    let public = public.ok_or("the secret is no RSA key in PEM, of 2048 bits or more")?;
    let known = ring::default_provider().signature_verification_algorithms;
    let algorithms =
        known.mapping.iter().find(|(scheme, _)| *scheme == SCHEME).map(|(_, algorithms)| algorithms);
    let mut algorithms = algorithms.into_iter().copied().flatten();
    Ok(algorithms.any(|algorithm| algorithm.verify_signature(public, message, signature).is_ok()))
}

fn private_key(pem: &str) -> Option<Arc<dyn SigningKey>> {
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()?;
    ring::sign::any_supported_type(&der).ok()
}

/// The key itself inside a `SubjectPublicKeyInfo`, whose outer lengths take two bytes from 1024 bits on.
fn rsa_part(info: &[u8]) -> Option<&[u8]> {
    match info.get(4..)?.strip_prefix(&RSA_ALGORITHM)? {
        [0x03, 0x82, _, _, 0x00, key @ ..] => Some(key),
        _ => None,
    }
}
