//! A domain in its canonical form: small ASCII letters, punycode, without a dot at its end. Two texts that a browser takes
//! for the same host are the same here, and what is no host of the internet is none.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// What DNS takes, less what is put in front to look a record up.
const LONGEST_BYTES: usize = 240;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(String);

/// The text is no domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no domain")]
pub struct NotADomain;

impl DomainName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this name or one below it.
    pub fn is_at_or_below(&self, other: &Self) -> bool {
        let above = self.0.strip_suffix(other.as_str());
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    }

    /// As people write it.
    pub fn for_people(&self) -> String {
        let (text, read) = idna::domain_to_unicode(&self.0);
        if read.is_ok() { text } else { self.0.clone() }
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for DomainName {
    type Err = NotADomain;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let text = text.strip_suffix('.').unwrap_or(text);
        let ascii = idna::domain_to_ascii_strict(text).map_err(|_| NotADomain)?;
        let ascii = ascii.to_ascii_lowercase();
        // Two labels at least; a number at the end makes browsers read an address, as 0x7f.1 is one.
        let (_, last) = ascii.rsplit_once('.').ok_or(NotADomain)?;
        let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
        if is_number || last.is_empty() || ascii.len() > LONGEST_BYTES || ascii.parse::<IpAddr>().is_ok() {
            return Err(NotADomain);
        }
        Ok(Self(ascii))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<String> {
        text.parse::<DomainName>().ok().map(|domain| domain.to_string())
    }

    #[test]
    fn what_a_browser_takes_for_the_same_host_is_the_same() {
        for (typed, canonical) in [
            ("Figures.Example.COM", "figures.example.com"),
            ("figures.example.com.", "figures.example.com"),
            (" figures.example.com ", "figures.example.com"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("bu\u{308}cher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("figures。example．com", "figures.example.com"),
            ("ｆｉｇｕｒｅｓ.example", "figures.example"),
        ] {
            assert_eq!(read(typed).as_deref(), Some(canonical), "{typed}");
        }
    }

    #[test]
    fn what_is_no_host_of_the_internet_is_refused() {
        let long = format!("{}.example", "a".repeat(64));
        let longer = format!("{}example", "abcdefgh.".repeat(28));
        for wrong in [
            "",
            ".",
            "example",
            "localhost",
            ".example",
            "a..example",
            "-a.example",
            "a-.example",
            "a_b.example",
            "*.example",
            "a.example:8080",
            "a.example/x",
            "user@a.example",
            "https://a.example",
            "a b.example",
            "a\n.example",
            "a.example\0",
            "192.0.2.7",
            "[::1]",
            "2130706433",
            "1.0x7f",
            "0x7f.1",
            "a.1",
            "xn--a.example",
            "a%2eexample",
            "_portolan.a.example",
            "a.example,b.example",
            "a.example..",
            &long,
            &longer,
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn below_is_by_whole_labels() {
        let domain = |text: &str| text.parse::<DomainName>().expect("a domain");
        assert!(domain("a.b.example").is_at_or_below(&domain("b.example")));
        assert!(domain("b.example").is_at_or_below(&domain("b.example")));
        assert!(!domain("ab.example").is_at_or_below(&domain("b.example")));
        assert_eq!(domain("xn--bcher-kva.example").for_people(), "bücher.example");
    }

    proptest! {
        #[test]
        fn the_form_is_one_and_stays_what_it_is(text in "(\\PC|\\.|-|[a-z0-9]|ü|ß|xn--){0,40}") {
            let Some(canonical) = read(&text) else { return Ok(()) };
            prop_assert_eq!(read(&canonical), Some(canonical.clone()));
            prop_assert_eq!(read(&canonical.to_uppercase()), Some(canonical.clone()));
            prop_assert_eq!(read(&format!("{canonical}.")), Some(canonical.clone()));
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
            prop_assert!(canonical.bytes().all(plain), "{}", canonical);
            let written = canonical.parse::<DomainName>().expect("a domain").for_people();
            prop_assert_eq!(read(&written), Some(canonical));
        }
    }
}
