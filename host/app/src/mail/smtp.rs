//! Where mail is handed in: `smtps://user@mail.example:465`, or `smtp://…` which begins in clear and must change to TLS.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The address of a mail server, without a password.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpAddress {
    pub host: String,
    pub port: u16,
    pub user: Option<String>,
    pub security: Security,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// In clear up to `STARTTLS`, which has to be offered.
    StartTls,
    /// To this very machine.
    Loopback,
}

/// Why a text is no address of a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSmtpAddress {
    #[error(
        "write smtps://user@mail.example (TLS, port 465) or smtp://user@mail.example (STARTTLS, port 587)"
    )]
    Shape,
    #[error(
        "leave the password out of the address: put it into a file and name that with --smtp-password-file"
    )]
    Password,
}

// A name in it may be somebody's mail address.
impl fmt::Debug for SmtpAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SmtpAddress({}:{})", self.host, self.port)
    }
}

impl FromStr for SmtpAddress {
    type Err = NoSmtpAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(NoSmtpAddress::Shape)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // Users are often called like a mail address: the last @ counts.
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => return Err(NoSmtpAddress::Password),
            Some((user, place)) if !user.is_empty() => (Some(user.to_owned()), place),
            Some(_) => return Err(NoSmtpAddress::Shape),
            None => (None, rest),
        };
        let (host, port) = split_port(place).ok_or(NoSmtpAddress::Shape)?;
        let strange = |letter: char| letter.is_whitespace() || letter.is_control() || "/?#@".contains(letter);
        if host.is_empty() || host.chars().any(strange) {
            return Err(NoSmtpAddress::Shape);
        }
        let is_here =
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let security = match scheme {
            "smtps" => Security::Tls,
            "smtp" if is_here => Security::Loopback,
            "smtp" => Security::StartTls,
            _ => return Err(NoSmtpAddress::Shape),
        };
        let usual = match security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::Loopback => 25,
        };
        Ok(Self { host: host.to_owned(), port: port.unwrap_or(usual), user, security })
    }
}

/// Host and port; `None` where the port is none.
fn split_port(place: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        return match port.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None => port.is_empty().then_some((host, None)),
        };
    }
    match place.split_once(':') {
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
        None => Some((place, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, u16, Option<String>, Security), NoSmtpAddress> {
        let address: SmtpAddress = text.parse()?;
        Ok((address.host, address.port, address.user, address.security))
    }

    #[test]
    fn an_address_says_how_mail_is_handed_in() {
        let told = |host: &str, port, user: Option<&str>, security| {
            Ok((host.to_owned(), port, user.map(str::to_owned), security))
        };
        assert_eq!(read("smtps://mail.example"), told("mail.example", 465, None, Security::Tls));
        let with_user = told("mail.example", 587, Some("shop@example.com"), Security::StartTls);
        assert_eq!(read("smtp://shop@example.com@mail.example/"), with_user);
        assert_eq!(read("smtp://127.0.0.1:1025"), told("127.0.0.1", 1025, None, Security::Loopback));
        assert_eq!(read("smtp://[::1]:1025"), told("::1", 1025, None, Security::Loopback));
        assert_eq!(read("smtp://localhost"), told("localhost", 25, None, Security::Loopback));
    }

    #[test]
    fn nothing_leaves_this_machine_in_clear() {
        for text in
            ["smtp://mail.example", "smtp://192.0.2.1:25", "smtp://localhost.example", "smtp://[2001:db8::1]"]
        {
            assert_eq!(read(text).expect("an address").3, Security::StartTls, "{text}");
        }
    }

    #[test]
    fn whatever_else_it_says_is_refused() {
        assert_eq!(read("smtps://shop:word@mail.example"), Err(NoSmtpAddress::Password));
        for text in [
            "",
            "mail.example",
            "smtps://",
            "smtps://@mail.example",
            "https://mail.example",
            "smtp://a:b",
            "smtp://a/b",
            "smtp://a b",
            "smtp://[::1",
            "smtp://[::1]x",
            "smtp://a?tls=none",
        ] {
            assert_eq!(read(text), Err(NoSmtpAddress::Shape), "{text}");
        }
    }
}
