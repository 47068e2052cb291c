//! `signer`: use a secret without seeing it. Only secrets and algorithms that the manifest's
//! `signing` lists.

use hmac::{Hmac, KeyInit, Mac};
use portolan_connector::SecretValue;
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

    fn mac(&self, secret: &str, algorithm: &str, message: &[u8]) -> Result<Hmac<Sha256>, String> {
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
        if algorithm != "hmac-sha256" {
            return Err("this host offers hmac-sha256".to_owned());
        }
        let mut mac =
            Hmac::<Sha256>::new_from_slice(value.expose().as_bytes()).map_err(|error| error.to_string())?;
        mac.update(message);
        Ok(mac)
    }
}

impl Host for HostState {
    fn sign(
        &mut self,
        secret: String,
        algorithm: String,
        message: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        Ok(self.signer.mac(&secret, &algorithm, &message).map(|mac| mac.finalize().into_bytes().to_vec()))
    }

    fn verify(
        &mut self,
        secret: String,
        algorithm: String,
        message: Vec<u8>,
        signature: Vec<u8>,
    ) -> wasmtime::Result<Result<bool, String>> {
        // `verify_slice` compares in constant time.
        Ok(self.signer.mac(&secret, &algorithm, &message).map(|mac| mac.verify_slice(&signature).is_ok()))
    }
}
