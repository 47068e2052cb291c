//! What a domain is called, in the one form in which it is stored and compared.

use portolan_access::DomainName;

use crate::web::address::PublicAddress;

/// Under these, others let names to everybody: none of them is one company's. The list is a courtesy that says so at once.
/// What holds is the record: nobody who could not change the suffix itself can make one for it.
const SUFFIXES: [&str; 36] = [
    "ac.uk",
    "co.uk",
    "gov.uk",
    "ltd.uk",
    "me.uk",
    "net.uk",
    "org.uk",
    "plc.uk",
    "com.au",
    "net.au",
    "org.au",
    "co.nz",
    "org.nz",
    "co.jp",
    "ne.jp",
    "or.jp",
    "co.kr",
    "or.kr",
    "com.br",
    "net.br",
    "com.mx",
    "com.ar",
    "com.tr",
    "com.cn",
    "com.hk",
    "com.sg",
    "com.tw",
    "co.in",
    "co.id",
    "co.il",
    "co.za",
    "co.th",
    "github.io",
    "herokuapp.com",
    "netlify.app",
    "vercel.app",
];

/// Why a domain cannot be one company's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    #[error("write a domain such as figures.example.com, without scheme, port and path")]
    NoDomain,
    #[error("this is no domain of a single company's: write a name below it")]
    PublicSuffix,
    #[error("this is the address of the server itself: write a domain of your own")]
    OwnAddress,
}

/// Reads what somebody typed as the domain of a company.
pub fn read_domain(typed: &str, own: Option<&PublicAddress>) -> Result<DomainName, DomainError> {
    let domain: DomainName = typed.parse().map_err(|_| DomainError::NoDomain)?;
    if SUFFIXES.contains(&domain.as_str()) {
        return Err(DomainError::PublicSuffix);
    }
    // Neither the server's own host nor what is above or below it: who holds that host could be taken for its operator.
    if let Some(host) = own.and_then(|own| own.host().parse::<DomainName>().ok())
        && (domain.is_at_or_below(&host) || host.is_at_or_below(&domain))
    {
        return Err(DomainError::OwnAddress);
    }
    Ok(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_suffix_nor_the_servers_own_host_is_a_companys() {
        let own: PublicAddress = "https://app.portolan.example:8443".parse().expect("an address");
        let read = |typed: &str| read_domain(typed, Some(&own)).map(|domain| domain.to_string());
        assert_eq!(read("Figures.Harbour.Example"), Ok("figures.harbour.example".to_owned()));
        assert_eq!(read("bücher.example"), Ok("xn--bcher-kva.example".to_owned()));
        for typed in ["co.uk", "CO.UK.", "github.io"] {
            assert_eq!(read(typed), Err(DomainError::PublicSuffix), "{typed}");
        }
        for typed in
            ["app.portolan.example", "APP.portolan.example.", "x.app.portolan.example", "portolan.example"]
        {
            assert_eq!(read(typed), Err(DomainError::OwnAddress), "{typed}");
        }
        for typed in
            ["", "example", "localhost", "https://a.example", "a.example/", "192.0.2.7", "a b.example"]
        {
            assert_eq!(read(typed), Err(DomainError::NoDomain), "{typed}");
        }
    }
}
