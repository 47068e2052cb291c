//! A passkey in software, for tests: answers as a browser with an authenticator would, and lies on demand. ECDSA over P-256,
//! without attestation.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const HAS_CREDENTIAL: u8 = 0x40;

/// One authenticator with one passkey, in a browser at one origin.
#[derive(Debug)]
pub struct Authenticator {
    pub origin: String,
    /// The name that it takes itself to answer for.
    pub rp_id: String,
    /// Whether its person shows that it is they.
    pub verifies: bool,
    /// What it counts; grows with each answer unless a test turns it back.
    pub counter: u32,
    /// Whose it is, as it was told when it was made.
    pub user_handle: Vec<u8>,
    credential_id: Vec<u8>,
    key: EcdsaKeyPair,
}

impl Authenticator {
    pub fn new(origin: &str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let mut credential_id = vec![0; 32];
        random.fill(&mut credential_id).expect("random bytes");
        let host = origin.split("://").nth(1).expect("an origin");
        Self {
            origin: origin.to_owned(),
            rp_id: host.split(':').next().expect("a host").to_owned(),
            verifies: true,
            counter: 0,
            user_handle: Vec::new(),
            credential_id,
            key: EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("a key"),
        }
    }

    /// Makes its passkey: the answer to a question of a registration.
    pub fn create(&mut self, options: &Value) -> String {
        let public_key = &options["publicKey"];
        self.user_handle = bytes_of(&public_key["user"]["id"]);
        let client_data = self.client_data("webauthn.create", &public_key["challenge"]);
        let mut data = self.authenticator_data(HAS_CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.credential_id.len()).expect("short").to_be_bytes());
        data.extend(&self.credential_id);
        data.extend(self.cose_key());
        let mut attestation = vec![0xa3];
        attestation.extend(cbor_text("fmt"));
        attestation.extend(cbor_text("none"));
        attestation.extend(cbor_text("attStmt"));
        attestation.push(0xa0);
        attestation.extend(cbor_text("authData"));
        attestation.extend(cbor_bytes(&data));
        self.told(json!({
            "attestationObject": text_of(&attestation),
            "clientDataJSON": text_of(client_data.as_bytes()),
            "transports": ["internal"],
        }))
    }

    /// The answer to a question of signing in.
    pub fn get(&mut self, options: &Value) -> String {
        self.counter += 1;
        let client_data = self.client_data("webauthn.get", &options["publicKey"]["challenge"]);
        let data = self.authenticator_data(0);
        let signed = [&data[..], &Sha256::digest(client_data.as_bytes())[..]].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("a signature");
        self.told(json!({
            "authenticatorData": text_of(&data),
            "clientDataJSON": text_of(client_data.as_bytes()),
            "signature": text_of(signature.as_ref()),
            "userHandle": text_of(&self.user_handle),
        }))
    }

    fn told(&self, response: Value) -> String {
        let id = text_of(&self.credential_id);
        json!({ "id": id, "rawId": id, "type": "public-key", "extensions": {}, "response": response })
            .to_string()
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> String {
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
    }

    fn authenticator_data(&self, more: u8) -> Vec<u8> {
        let flags = PRESENT | more | if self.verifies { VERIFIED } else { 0 };
        let mut data = Sha256::digest(self.rp_id.as_bytes()).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// `{1: 2, 3: -7, -1: 1, -2: x, -3: y}`
    fn cose_key(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21];
        key.extend(cbor_bytes(&point[1..33]));
        key.push(0x22);
        key.extend(cbor_bytes(&point[33..65]));
        key
    }
}

/// The head of a text or of bytes, as short as it can be.
fn cbor_head(kind: u8, length: usize) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(short @ 0..24) => vec![kind | short],
        Ok(byte) => vec![kind | 24, byte],
        Err(_) => {
            let [high, low] = u16::try_from(length).expect("short").to_be_bytes();
            vec![kind | 25, high, low]
        }
    }
}

fn cbor_bytes(bytes: &[u8]) -> Vec<u8> {
    [cbor_head(0x40, bytes.len()), bytes.to_vec()].concat()
}

fn cbor_text(text: &str) -> Vec<u8> {
    [cbor_head(0x60, text.len()), text.as_bytes().to_vec()].concat()
}

fn text_of(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes_of(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().expect("base64url")).expect("base64url")
}
