//! Host templates. A configuration value may name one label of a host, or a whole host where the
//! template is nothing but that value; it can never smuggle in another host, a port or a user.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{render, template_fields, text_of};
use crate::FieldError;

const HTTPS_PORT: u16 = 443;

/// A host that a connection may reach over https, on one port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AllowedHost {
    /// Lower case.
    pub host: String,
    pub port: u16,
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.port == HTTPS_PORT {
            formatter.write_str(&self.host)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}

/// A checked template: `{{shop}}.myshopify.com`, `api.example.com:8443`, `{{host}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    template: String,
    port: u16,
}

impl HostPattern {
    /// Errors: what is wrong, to be read after the template's text.
    pub fn parse(template: &str) -> Result<Self, String> {
        let (host, port) = match template.rsplit_once(':') {
            Some((host, port)) if !port.contains("}}") => {
                let port = port.parse().ok().filter(|port| *port != 0);
                (host, port.ok_or("has a port that is no number from 1 to 65535")?)
            }
            _ => (template, HTTPS_PORT),
        };
        let sample = render(host, |_| Some("x".to_owned())).map_err(|_| "has an unclosed {{")?;
        let whole = is_whole(host);
        if !whole && !is_host_name(&sample) {
            return Err(
                "is not a host name: write it without scheme, path and address, like api.example.com"
                    .to_owned(),
            );
        }
        if !whole && !host.rsplit('.').take(2).all(|label| template_fields(label).is_empty()) {
            return Err("lets the configuration choose the domain: the last two labels must be fixed, or the whole host be one field".to_owned());
        }
        Ok(Self { template: host.to_ascii_lowercase_outside_fields(), port })
    }

    /// The host for this configuration; `None` when a field it needs is not set.
    ///
    /// Errors: the field whose value is not part of a host name.
    pub fn render(&self, config: &Value) -> Result<Option<AllowedHost>, FieldError> {
        let whole = is_whole(&self.template);
        for field in template_fields(&self.template) {
            let Some(value) = text_of(config, field).filter(|value| !value.is_empty()) else {
                return Ok(None);
            };
            let accepted = if whole { is_host_name(&value.to_ascii_lowercase()) } else { is_label(&value) };
            if !accepted {
                let message = if whole {
                    "must be a host name such as shop.example.com, without https:// and path"
                } else {
                    "must be a single name of letters, digits and hyphens, without dots and slashes"
                };
                return Err(FieldError { path: field.to_owned(), message: message.to_owned() });
            }
        }
        let host = render(&self.template, |field| text_of(config, field))
            .map_err(|field| FieldError { path: field, message: "is required".to_owned() })?
            .to_ascii_lowercase();
        Ok(Some(AllowedHost { host, port: self.port }))
    }
}

trait LowerCase {
    fn to_ascii_lowercase_outside_fields(&self) -> String;
}

impl LowerCase for str {
    /// Field names are case-sensitive, host names are not.
    fn to_ascii_lowercase_outside_fields(&self) -> String {
        let mut inside = false;
        let mut lowered = String::with_capacity(self.len());
        for piece in self.split_inclusive(['{', '}']) {
            if inside {
                lowered.push_str(piece)
            } else {
                lowered.push_str(&piece.to_ascii_lowercase())
            }
            inside = piece.ends_with('{') || (inside && !piece.ends_with('}'));
        }
        lowered
    }
}

/// Whether the template is one field and nothing else.
fn is_whole(template: &str) -> bool {
    template.starts_with("{{") && template.ends_with("}}") && template.matches("{{").count() == 1
}

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A name of at least two labels that is no address, however spelled (`0x7f.1` ends in a number).
fn is_host_name(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').collect();
    let last_is_name =
        labels.last().is_some_and(|last| last.starts_with(|first: char| first.is_ascii_alphabetic()));
    text.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(|label| is_label(label))
        && last_is_name
        && text.parse::<IpAddr>().is_err()
        && !text.eq_ignore_ascii_case("localhost.localdomain")
}
