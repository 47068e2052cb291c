//! `signer`: use a secret without seeing it. Only secrets and algorithms that the manifest's
//! `signing` lists.

mod rsa;
#[cfg(test)]
mod tests;

use hmac::{Hmac, KeyInit, Mac};
use portolan_connector::SecretValue;
use sha1::Sha1;
use sha2::Sha256;

use crate::bindings::portolan::plugin::signer::Host;
use crate::state::HostState;

const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// The keys of one call: field, value, algorithms that it may be used for.
#[derive(Default)]
pub struct Signer {
    keys: Vec<(String, SecretValue, Vec<String>)>,
}

impl Signer {
    pub fn new(manifest: &portolan_connector::Manifest, secrets: &[(String, SecretValue)]) -> Self {
        let keys = manifest.signing.iter().filter_map(|entry| {
            let (_, value) = secrets.iter().find(|(field, _)| *field == entry.secret)?;
            Some((entry.secret.clone(), value.clone(), entry.algorithms.clone()))
        });
        Self { keys: keys.collect() }
    }

    fn sign(&self, secret: &str, algorithm: &str, message: &[u8]) -> Result<Vec<u8>, String> {
        let key = self.key(secret, algorithm, message)?.expose();
        match algorithm {
            "hmac-sha256" => Ok(mac::<Hmac<Sha256>>(key, message)?.finalize().into_bytes().to_vec()),
            "hmac-sha1" => Ok(mac::<Hmac<Sha1>>(key, message)?.finalize().into_bytes().to_vec()),
            "rsa-sha256" => rsa::sign(key, message),
            _ => Err(unknown()),
        }
    }

    fn verify(
        &self,
        secret: &str,
        algorithm: &str,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, String> {
        let key = self.key(secret, algorithm, message)?.expose();
        // `verify_slice` compares in constant time.
        match algorithm {
            "hmac-sha256" => Ok(mac::<Hmac<Sha256>>(key, message)?.verify_slice(signature).is_ok()),
            "hmac-sha1" => Ok(mac::<Hmac<Sha1>>(key, message)?.verify_slice(signature).is_ok()),
            "rsa-sha256" => rsa::verify(key, message, signature),
            _ => Err(unknown()),
        }
    }

    /// The key, if the manifest allows this use of it.
    fn key(&self, secret: &str, algorithm: &str, message: &[u8]) -> Result<&SecretValue, String> {
        if message.len() > MAX_MESSAGE_BYTES {
            return Err("the message is larger than 4 MiB".to_owned());
        }
        let Some((_, value, algorithms)) = self.keys.iter().find(|(field, ..)| field == secret) else {
            return Err(
                "no such key: list the secret in the manifest's signing, and enter it in the connection"
                    .to_owned(),
            );
        };
        if !algorithms.iter().any(|listed| listed == algorithm) {
            return Err("the manifest's signing does not list this algorithm for the key".to_owned());
        }
        Ok(value)
    }
}

fn mac<M: Mac + KeyInit>(key: &str, message: &[u8]) -> Result<M, String> {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).map_err(|error| error.to_string())?;
    mac.update(message);
    Ok(mac)
}

fn unknown() -> String {
    "this host offers hmac-sha256, hmac-sha1 and rsa-sha256".to_owned()
}

impl Host for HostState {
    fn sign(
        &mut self,
        secret: String,
        algorithm: String,
        message: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        Ok(self.signer.sign(&secret, &algorithm, &message))
    }

    fn verify(
        &mut self,
        secret: String,
        algorithm: String,
        message: Vec<u8>,
        signature: Vec<u8>,
    ) -> wasmtime::Result<Result<bool, String>> {
        Ok(self.signer.verify(&secret, &algorithm, &message, &signature))
    }
}
