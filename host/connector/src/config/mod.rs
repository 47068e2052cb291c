//! A connection's configuration: which fields are secret, whether it is valid, and the hosts that
//! it turns the manifest's templates into.

mod declared;
mod host;
#[cfg(test)]
mod tests;
mod validate;

pub use host::{AllowedHost, HostPattern};
pub(crate) use validate::compile;

use serde_json::{Map, Value};

use crate::{FieldError, Manifest, SecretValue};

/// How far a chain of `$ref` is followed.
const LONGEST_CHAIN: usize = 8;

/// What a part of a configuration's schema says, where it may only refer to another part.
pub fn referred<'a>(root: &'a Value, mut schema: &'a Value) -> &'a Value {
    for _ in 0..LONGEST_CHAIN {
        let pointer = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
        let Some(found) = pointer.and_then(|pointer| root.pointer(pointer)) else { break };
        schema = found;
    }
    schema
}

/// A submitted form, cut in two: what the plugin may see, and what it must not.
#[derive(Debug, Clone)]
pub struct SplitConfig {
    pub public: Value,
    pub secrets: Vec<(String, SecretValue)>,
}

impl Manifest {
    /// Names of the configuration's secret fields, in the order of the schema.
    pub fn secret_fields(&self) -> Vec<String> {
        let Some(properties) = self.config.get("properties").and_then(Value::as_object) else {
            return Vec::new();
        };
        properties.iter().filter(|(_, schema)| is_secret(schema)).map(|(name, _)| name.clone()).collect()
    }

    /// Whether the configuration has this field at its top level.
    pub fn has_field(&self, field: &str) -> bool {
        self.config.get("properties").and_then(|properties| properties.get(field)).is_some()
    }

    /// Separates a submitted form into the public part and the secrets that were entered.
    pub fn split_config(&self, form: &Value) -> SplitConfig {
        let mut public = form.as_object().cloned().unwrap_or_default();
        let mut secrets = Vec::new();
        for field in self.secret_fields() {
            if let Some(Value::String(secret)) = public.remove(&field)
                && !secret.is_empty()
            {
                secrets.push((field, SecretValue::new(secret)));
            }
        }
        SplitConfig { public: Value::Object(public), secrets }
    }

    /// Checks a submitted form, secrets included. `stored_secrets` names secrets that were set
    /// before and may therefore be missing now.
    ///
    /// Errors: one [`FieldError`] per field, also for each that the schema does not declare; no message
    /// carries a submitted value.
    pub fn validate_config(&self, form: &Value, stored_secrets: &[String]) -> Result<(), Vec<FieldError>> {
        self.validate_fields(form, stored_secrets, self.undeclared_fields(form))
    }

    /// The same for settings that take the place of others. What stays as it is stored may hold fields that
    /// the schema does not declare: they were accepted once, and the connection goes on working.
    pub fn validate_change(
        &self,
        before: &Value,
        form: &Value,
        stored_secrets: &[String],
    ) -> Result<(), Vec<FieldError>> {
        let fields = form.as_object().into_iter().flatten();
        let changed = fields.filter(|(name, value)| before.get(name.as_str()) != Some(*value));
        let changed = changed.map(|(name, value)| (name.clone(), value.clone())).collect();
        self.validate_fields(form, stored_secrets, self.undeclared_fields(&Value::Object(changed)))
    }

    /// The fields of a configuration that the schema does not declare, each with a sentence.
    pub fn undeclared_fields(&self, config: &Value) -> Vec<FieldError> {
        declared::undeclared(&self.config, config)
    }

    fn validate_fields(
        &self,
        config: &Value,
        stored_secrets: &[String],
        undeclared: Vec<FieldError>,
    ) -> Result<(), Vec<FieldError>> {
        let mut errors = validate::validate(self, config, stored_secrets, undeclared);
        if errors.is_empty() {
            errors.extend(self.render_hosts(config).err().unwrap_or_default());
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The hosts that this configuration lets the plugin reach.
    ///
    /// Errors: a field whose value would name another host than the template means to.
    pub fn render_hosts(&self, config: &Value) -> Result<Vec<AllowedHost>, Vec<FieldError>> {
        let mut hosts = Vec::new();
        let mut errors = Vec::new();
        for host in &self.hosts {
            match HostPattern::parse(host) {
                Ok(pattern) => match pattern.render(config) {
                    Ok(host) => hosts.extend(host),
                    Err(error) => errors.push(error),
                },
                Err(detail) => errors.push(FieldError {
                    path: String::new(),
                    message: format!("the plugin's manifest names a host that is not accepted: it {detail}"),
                }),
            }
        }
        if errors.is_empty() { Ok(hosts) } else { Err(errors) }
    }

    /// The address that the plugin's relative paths are joined to.
    ///
    /// The field that `base_url_field` names stands in its place where it is set: it changes where
    /// requests go, never where they may go (hosts and egress grants decide that).
    pub fn render_base_url(&self, config: &Value) -> Result<Option<String>, Vec<FieldError>> {
        if let Some(field) = &self.base_url_field
            && let Some(address) = text_of(config, field).filter(|address| !address.is_empty())
        {
            return Ok(Some(address.trim_end_matches('/').to_owned()));
        }
        let Some(template) = &self.base_url else { return Ok(None) };
        let rest = template.strip_prefix("https://").unwrap_or(template);
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let pattern = HostPattern::parse(authority).map_err(|detail| {
            vec![FieldError { path: String::new(), message: format!("base_url {detail}") }]
        })?;
        let Some(host) = pattern.render(config).map_err(|error| vec![error])? else { return Ok(None) };
        let path = render(path, |field| safe_path_value(config, field)).map_err(|field| {
            vec![FieldError {
                message: "must be set and have only letters, digits, - and _".to_owned(),
                path: field,
            }]
        })?;
        Ok(Some(format!("https://{host}{}", path.trim_end_matches('/'))))
    }
}

/// Marked by `"format": "secret"`.
fn is_secret(schema: &Value) -> bool {
    schema.get("format").and_then(Value::as_str) == Some("secret")
}

/// The fields that a template names, in order: `{{shop}}.example.com` names `shop`.
pub fn template_fields(template: &str) -> Vec<&str> {
    template
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}").map(|(field, _)| field.trim()))
        .collect()
}

/// Fills a template.
///
/// Errors: the name of the first field that has no value.
pub fn render(template: &str, value_of: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut rendered = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        rendered.push_str(before);
        let Some((field, remaining)) = after.split_once("}}") else {
            return Err(after.to_owned());
        };
        rendered.push_str(&value_of(field.trim()).ok_or_else(|| field.trim().to_owned())?);
        rest = remaining;
    }
    rendered.push_str(rest);
    Ok(rendered)
}

/// A configuration value as text: strings as they are, numbers and booleans as written.
pub fn text_of(config: &Value, field: &str) -> Option<String> {
    match config.get(field)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn safe_path_value(config: &Value, field: &str) -> Option<String> {
    let text = text_of(config, field)?;
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (!text.is_empty() && text.bytes().all(safe)).then_some(text)
}

/// An empty configuration.
pub fn empty() -> Value {
    Value::Object(Map::new())
}
