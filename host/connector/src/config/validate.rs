//! Validation by the manifest's JSON Schema, with messages made for people beside form fields.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::{FieldError, Manifest};

const MAX_CONFIG_BYTES: usize = 256 * 1024;

/// Compiles a schema written by a plugin author: nothing is fetched, and patterns run in linear time.
pub(crate) fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex().size_limit(1 << 20))
        .should_ignore_unknown_formats(true)
        .build(schema)
        .map_err(|error| error.to_string().chars().take(200).collect())
}

/// Every finding, one per field; those of `undeclared` are findings already.
pub(super) fn validate(
    manifest: &Manifest,
    form: &Value,
    stored_secrets: &[String],
    undeclared: Vec<FieldError>,
) -> Vec<FieldError> {
    let Ok(validator) = compile(&manifest.config) else {
        return vec![FieldError {
            path: String::new(),
            message: "the plugin's configuration schema is broken: install another version of the plugin"
                .to_owned(),
        }];
    };
    if form.to_string().len() > MAX_CONFIG_BYTES {
        return vec![FieldError {
            path: String::new(),
            message: format!("the configuration is larger than {} KiB", MAX_CONFIG_BYTES / 1024),
        }];
    }
    let told_already = !undeclared.is_empty();
    let mut errors = undeclared;
    errors.extend(empty_required(manifest, form, stored_secrets));
    for error in validator.iter_errors(form) {
        if told_already && matches!(error.kind(), ValidationErrorKind::AdditionalProperties { .. }) {
            continue;
        }
        let found = field_error(&error);
        let stored = matches!(error.kind(), ValidationErrorKind::Required { .. })
            && stored_secrets.contains(&found.path);
        if !stored && !errors.iter().any(|known| known.path == found.path) {
            errors.push(found);
        }
    }
    errors
}

/// Forms submit an untouched field as an empty text: for a required one that is missing.
fn empty_required(manifest: &Manifest, form: &Value, stored_secrets: &[String]) -> Vec<FieldError> {
    let required = manifest.config.get("required").and_then(Value::as_array);
    required
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|field| form.get(field).and_then(Value::as_str) == Some(""))
        .filter(|field| !stored_secrets.iter().any(|stored| stored == field))
        .map(|field| FieldError { path: field.to_owned(), message: "is required".to_owned() })
        .collect()
}

fn field_error(error: &ValidationError<'_>) -> FieldError {
    let pointer = error.instance_path().to_string();
    let mut path = pointer.trim_start_matches('/').replace('/', ".");
    let message = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            path = if path.is_empty() { property.to_owned() } else { format!("{path}.{property}") };
            "is required".to_owned()
        }
        ValidationErrorKind::Pattern { .. } => "does not have the expected form".to_owned(),
        ValidationErrorKind::MinLength { limit } => format!("must have at least {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("must have at most {limit} characters"),
        ValidationErrorKind::Minimum { limit } => format!("must be {limit} or more"),
        ValidationErrorKind::Maximum { limit } => format!("must be {limit} or less"),
        ValidationErrorKind::Enum { options } => format!("must be one of {options}"),
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            format!("has fields that the plugin does not know: {}", unexpected.join(", "))
        }
        // Masked: a message must never repeat a submitted value, which may be a secret.
        _ => error.masked().to_string(),
    };
    FieldError { path, message: message.chars().take(300).collect() }
}
