//! Codes that a clock and a shared seed make (RFC 6238): six digits, SHA-1, a new one every 30 seconds.
//!
//! Pure: that a code counts once is the business of whoever stores the step that was used
//! ([`crate::SecondFactors`]).

use portolan_core::{Instant, Random};
use secrecy::zeroize::Zeroizing;
use totp_rs::{Builder, Totp};

const SEED_BYTES: usize = 20;
const STEP_SECONDS: i64 = 30;
/// Whom an authenticator names beside the code.
const ISSUER: &str = "Portolan";

/// What the codes of one person are made from.
pub(crate) struct Seed(Zeroizing<Vec<u8>>);

impl Seed {
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new(vec![0; SEED_BYTES]);
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// `None` where the bytes are no seed of ours.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let bytes = Zeroizing::new(bytes);
        (bytes.len() == SEED_BYTES).then_some(Self(bytes))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The step that this code is of, where that is the present one or the one before: clocks differ a little, and
    /// people type. Nothing of the future is taken.
    pub fn matched_step(&self, code: &str, now: Instant) -> Option<i64> {
        let totp = self.totp("");
        let present = now.0.div_euclid(1_000_000 * STEP_SECONDS);
        [present, present - 1].into_iter().find(|step| {
            let at = u64::try_from(step * STEP_SECONDS).ok();
            at.is_some_and(|at| totp.check(code, at).is_some())
        })
    }

    /// The code of a moment: for tests, and for nothing that a person sees.
    #[cfg(any(test, feature = "testing"))]
    pub fn code_at(&self, at: Instant) -> String {
        self.totp("").generate((at.0 / 1_000_000) as u64).to_string()
    }

    /// What an authenticator reads from the drawing; empty for somebody without a name.
    pub fn url(&self, sign_in_name: &str) -> String {
        self.totp(sign_in_name).to_url().unwrap_or_default()
    }

    /// What people type where nothing can be read from a screen: base 32, in groups of four.
    pub fn key_text(&self) -> String {
        let key = Zeroizing::new(self.totp("").secret().to_base32());
        let groups: Vec<&str> = (0..key.len()).step_by(4).map(|at| &key[at..key.len().min(at + 4)]).collect();
        groups.join(" ")
    }

    /// No skew: which steps count is said by [`Self::matched_step`]. A colon would end the account's name.
    fn totp(&self, sign_in_name: &str) -> Totp {
        Builder::new()
            .with_secret(self.bytes())
            .with_skew(0)
            .with_issuer(Some(ISSUER))
            .with_account_name(sign_in_name.replace(':', " "))
            .build_noncompliant()
    }
}

#[cfg(test)]
mod tests;
