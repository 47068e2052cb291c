//! Who asks for a passkey: the host under its public address. Passkeys are bound to its name, so it has to be said once and stay.

use webauthn_rs::prelude::{Url, Webauthn, WebauthnBuilder};

/// What authenticators show beside the address.
const NAME: &str = "Portolan";

/// This host, as passkeys know it.
#[derive(Debug, Clone)]
pub struct RelyingParty(pub(super) Webauthn);

/// Why passkeys cannot be used at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRelyingParty {
    #[error("the public address of this server is not said: start it with --public-address https://…")]
    Unknown,
    #[error("browsers use passkeys over https alone: start the server with --public-address https://…")]
    NotSecure,
    #[error(
        "browsers use passkeys under a host name, not under a number: give the server a name and start it with --public-address https://…"
    )]
    NoName,
}

impl RelyingParty {
    /// At an origin such as `https://portolan.example`. No other name, no subdomain and no other port counts.
    pub fn at(origin: &str) -> Result<Self, NoRelyingParty> {
        let url = Url::parse(origin).map_err(|_| NoRelyingParty::Unknown)?;
        let name = url.domain().ok_or(NoRelyingParty::NoName)?;
        let is_this_machine = name == "localhost" || name.ends_with(".localhost");
        if url.scheme() != "https" && !(url.scheme() == "http" && is_this_machine) {
            return Err(NoRelyingParty::NotSecure);
        }
        let built = WebauthnBuilder::new(name, &url).and_then(|builder| builder.rp_name(NAME).build());
        built.map(Self).map_err(|_| NoRelyingParty::NoName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_need_a_name_and_https_but_on_this_machine() {
        for origin in ["https://portolan.example", "https://a.b:8443", "http://localhost:8080"] {
            assert!(RelyingParty::at(origin).is_ok(), "{origin}");
        }
        for (origin, why) in [
            ("http://portolan.example", NoRelyingParty::NotSecure),
            ("http://localhost.example", NoRelyingParty::NotSecure),
            ("https://192.0.2.1", NoRelyingParty::NoName),
            ("http://127.0.0.1:8080", NoRelyingParty::NoName),
            ("https://[::1]", NoRelyingParty::NoName),
            ("portolan.example", NoRelyingParty::Unknown),
        ] {
            assert_eq!(RelyingParty::at(origin).err(), Some(why), "{origin}");
        }
    }
}
