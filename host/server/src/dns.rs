//! The resolver behind the domains of companies: asks the servers that this machine is configured with, for TXT records
//! alone, and keeps nothing: whoever has just made a record wants it seen.

use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::ResolverOpts;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RData;
use portolan_app::company::domains::lookup::{NoAnswer, TxtLookup};

const PATIENCE: Duration = Duration::from_secs(5);
const ATTEMPTS: usize = 2;
/// More of one name are not looked at.
const MOST_TEXTS: usize = 50;

pub struct Dns {
    /// Or why there is none: then every look says so, and everything else works.
    resolver: Result<TokioResolver, String>,
}

impl Dns {
    /// As `/etc/resolv.conf` says. Asks nobody yet.
    pub fn of_the_system() -> Self {
        let builder = TokioResolver::builder_tokio().map_err(|error| error.to_string());
        let resolver = builder.and_then(|mut builder| {
            set_options(builder.options_mut());
            builder.build().map_err(|error| error.to_string())
        });
        if let Err(error) = &resolver {
            tracing::warn!(error, "no DNS resolver: domains of companies cannot be verified");
        }
        Self { resolver }
    }
}

fn set_options(options: &mut ResolverOpts) {
    options.cache_size = 0;
    options.timeout = PATIENCE;
    options.attempts = ATTEMPTS;
}

#[async_trait]
impl TxtLookup for Dns {
    async fn texts(&self, name: &str) -> Result<Vec<String>, NoAnswer> {
        let resolver = self.resolver.as_ref().map_err(|error| NoAnswer(error.clone()))?;
        // With the dot at its end it is this name, and none below a domain that the machine searches.
        match resolver.txt_lookup(format!("{name}.")).await {
            Ok(found) => {
                let texts = found.answers().iter().filter_map(|record| match &record.data {
                    // One text may come in pieces of 255 bytes.
                    RData::TXT(text) => Some(text.txt_data.concat()),
                    _ => None,
                });
                Ok(texts.take(MOST_TEXTS).map(|text| String::from_utf8_lossy(&text).into_owned()).collect())
            }
            Err(error) if is_empty(&error) => Ok(Vec::new()),
            Err(error) => Err(NoAnswer(error.to_string())),
        }
    }
}

/// The name is not there, or has no such record. That its servers fail is no answer.
fn is_empty(error: &NetError) -> bool {
    let NetError::Dns(DnsError::NoRecordsFound(nothing)) = error else { return false };
    matches!(nothing.response_code, ResponseCode::NXDomain | ResponseCode::NoError)
}

#[cfg(test)]
mod tests;
