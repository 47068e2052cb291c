//! What a manifest must hold beyond its shape. Every finding is reported, not the first alone.

use std::collections::BTreeSet;

use serde_json::Value;

use super::subject::MOST_STEPS;
use super::{
    AuthMethod, CONTRACT_VERSION, Manifest, PluginKind, PrivacyAsks, PrivacyWebhooks, StreamDeclaration,
    StreamMode, Verification,
};
use crate::config::{self, HostPattern};

/// What `signer` can do; the manifest's schema lists the same.
const SIGNING_ALGORITHMS: [&str; 3] = ["hmac-sha256", "hmac-sha1", "rsa-sha256"];

/// The manifest is not accepted: every finding in one message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .findings.join("; "))]
pub struct ManifestError {
    pub findings: Vec<String>,
}

impl ManifestError {
    pub(super) fn one(finding: String) -> Self {
        Self { findings: vec![finding] }
    }
}

pub(super) fn check(manifest: &Manifest) -> Result<(), ManifestError> {
    let mut findings = Vec::new();
    check_identity(manifest, &mut findings);
    check_config(manifest, &mut findings);
    check_hosts(manifest, &mut findings);
    check_auth(manifest, &mut findings);
    check_streams(manifest, &mut findings);
    check_rate_buckets(manifest, &mut findings);
    if let Some(webhooks) = &manifest.privacy_webhooks {
        check_privacy_webhooks(manifest, webhooks, &mut findings);
    }
    if findings.is_empty() { Ok(()) } else { Err(ManifestError { findings }) }
}

fn check_identity(manifest: &Manifest, findings: &mut Vec<String>) {
    if manifest.contract != CONTRACT_VERSION {
        findings.push(format!(
            "contract is {:?}, but this host speaks exactly {CONTRACT_VERSION}: rebuild the plugin with the SDK of that version",
            shorten(&manifest.contract)
        ));
    }
    if !is_name(&manifest.id) {
        findings.push(format!(
            "id {:?} is not accepted: use 1 to 64 lower-case letters, digits and single hyphens, beginning with a letter",
            shorten(&manifest.id)
        ));
    }
    let numbers: Vec<&str> = manifest.version.split('-').next().unwrap_or_default().split('.').collect();
    if numbers.len() != 3 || numbers.iter().any(|number| number.parse::<u32>().is_err()) {
        findings.push(format!(
            "version {:?} is not accepted: write three numbers like 1.4.0",
            shorten(&manifest.version)
        ));
    }
    for (field, text) in [("name", &manifest.name), ("publisher", &manifest.publisher)] {
        if text.trim().is_empty() || text.len() > 120 {
            findings.push(format!("{field} must have 1 to 120 characters"));
        }
    }
}

fn check_config(manifest: &Manifest, findings: &mut Vec<String>) {
    if manifest.config.get("type").and_then(Value::as_str) != Some("object") {
        findings.push("config must be a JSON Schema with \"type\": \"object\"".to_owned());
        return;
    }
    if let Err(detail) = config::compile(&manifest.config) {
        findings.push(format!("config is not a usable JSON Schema: {detail}"));
    }
    for field in manifest.secret_fields() {
        let kind = manifest.config.pointer(&format!("/properties/{field}/type")).and_then(Value::as_str);
        if kind != Some("string") {
            findings.push(format!("config.{field} is secret and must therefore have \"type\": \"string\""));
        }
    }
    check_secrets_below(&manifest.config, &manifest.config, "", findings);
}

/// Only what stands directly in the top level's `properties` is sealed: a secret anywhere else, or one that
/// is reached through a reference, would look sealed in the form and be stored in clear.
fn check_secrets_below(root: &Value, schema: &Value, pointer: &str, findings: &mut Vec<String>) {
    let refused = |findings: &mut Vec<String>, what: &str| {
        findings.push(format!(
            "config{pointer} {what}, but only fields directly in config.properties are sealed: make it a field of its own there"
        ));
    };
    if names_secret(schema) && !is_top_level_field(pointer) {
        refused(findings, "has \"format\": \"secret\"");
    }
    let referred = |keyword: &str| {
        let target = schema.get(keyword)?.as_str()?.strip_prefix('#')?;
        root.pointer(target)
    };
    if ["$ref", "$dynamicRef"].into_iter().filter_map(referred).any(holds_secret) {
        refused(findings, "refers to a secret");
    }
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                let name = shorten(name).replace('~', "~0").replace('/', "~1");
                check_secrets_below(root, member, &format!("{pointer}/{name}"), findings);
            }
        }
        Value::Array(members) => {
            for (place, member) in members.iter().enumerate() {
                check_secrets_below(root, member, &format!("{pointer}/{place}"), findings);
            }
        }
        _ => {}
    }
}

fn names_secret(schema: &Value) -> bool {
    schema.get("format").and_then(Value::as_str) == Some("secret")
}

/// `/properties/field`, and nothing below it.
fn is_top_level_field(pointer: &str) -> bool {
    pointer.strip_prefix("/properties/").is_some_and(|field| !field.contains('/'))
}

fn holds_secret(schema: &Value) -> bool {
    names_secret(schema)
        || match schema {
            Value::Object(members) => members.values().any(holds_secret),
            Value::Array(members) => members.iter().any(holds_secret),
            _ => false,
        }
}

fn check_hosts(manifest: &Manifest, findings: &mut Vec<String>) {
    let secrets = manifest.secret_fields();
    for host in &manifest.hosts {
        if host.contains('*') {
            findings.push(format!(
                "hosts: {:?} is a wildcard: name each host, with {{{{field}}}} where the configuration decides",
                shorten(host)
            ));
            continue;
        }
        if let Err(detail) = HostPattern::parse(host) {
            findings.push(format!("hosts: {:?} {detail}", shorten(host)));
            continue;
        }
        for field in config::template_fields(host) {
            check_template_field(manifest, &secrets, field, &format!("hosts: {:?}", shorten(host)), findings);
        }
    }
    if let Some(field) = &manifest.base_url_field {
        check_template_field(manifest, &secrets, field, "base_url_field", findings);
    }
    let Some(base_url) = &manifest.base_url else { return };
    for field in config::template_fields(base_url) {
        check_template_field(manifest, &secrets, field, "base_url", findings);
    }
    let authority = base_url.strip_prefix("https://").map(|rest| rest.split('/').next().unwrap_or_default());
    match authority {
        None => findings.push("base_url must begin with https://".to_owned()),
        Some(authority) if !manifest.hosts.iter().any(|declared| declared == authority) => {
            findings.push(format!(
                "base_url names {:?}, which is not among hosts: add it there",
                shorten(authority)
            ));
        }
        Some(_) => {}
    }
}

fn check_template_field(
    manifest: &Manifest,
    secrets: &[String],
    field: &str,
    place: &str,
    findings: &mut Vec<String>,
) {
    if secrets.iter().any(|secret| secret == field) {
        findings.push(format!("{place} uses the secret {field:?}: an address must not carry a secret"));
    } else if !manifest.has_field(field) {
        findings.push(format!(
            "{place} uses {field:?}, which config does not define: add it to config.properties"
        ));
    }
}

fn check_auth(manifest: &Manifest, findings: &mut Vec<String>) {
    let mut ids = BTreeSet::new();
    let mut bound = BTreeSet::new();
    for scheme in &manifest.auth {
        let id = shorten(&scheme.id);
        if !is_name(&scheme.id) || !ids.insert(scheme.id.as_str()) {
            findings
                .push(format!("auth: id {id:?} must be unique, of lower-case letters, digits and hyphens"));
        }
        let fields = scheme.fields();
        if scheme.hosts.is_empty() && !matches!(scheme.method, AuthMethod::None) {
            findings.push(format!("auth {id:?} names no hosts: bind its secrets to at least one of hosts"));
        }
        for host in &scheme.hosts {
            if !manifest.hosts.contains(host) {
                findings.push(format!(
                    "auth {id:?} is bound to {:?}, which is not among hosts: add it there",
                    shorten(host)
                ));
            }
        }
        if let AuthMethod::Header { header, .. } = &scheme.method
            && !is_header_name(header)
        {
            findings.push(format!("auth {id:?}: {:?} is not a header name that may be set", shorten(header)));
        }
        for field in fields {
            if !manifest.has_field(&field) {
                findings.push(format!("auth {id:?} uses {field:?}, which config does not define"));
            }
            bound.insert(field);
        }
    }
    let secrets = manifest.secret_fields();
    let signing = manifest.signing.iter().map(|entry| ("signing", &entry.secret));
    let webhooks = manifest.webhooks.iter().map(|webhook| ("webhooks", &webhook.verification.secret));
    let privacy = manifest.privacy_webhooks.iter();
    let privacy = privacy.map(|webhooks| ("privacy_webhooks", &webhooks.verification.secret));
    for (place, secret) in signing.chain(webhooks).chain(privacy) {
        if !secrets.contains(secret) {
            findings.push(format!("{place} uses {:?}, which is no secret field of config", shorten(secret)));
        }
        bound.insert(secret.clone());
    }
    for algorithm in manifest.signing.iter().flat_map(|entry| &entry.algorithms) {
        if !SIGNING_ALGORITHMS.contains(&algorithm.as_str()) {
            findings.push(format!(
                "signing names the algorithm {:?}, which this host does not have: use {}",
                shorten(algorithm),
                SIGNING_ALGORITHMS.join(", ")
            ));
        }
    }
    for secret in secrets {
        if !bound.contains(&secret) {
            findings.push(format!(
                "config.{secret} is secret but bound to nothing: name it in auth with its hosts, in signing or in a webhook's verification, or drop it"
            ));
        }
    }
}

fn check_streams(manifest: &Manifest, findings: &mut Vec<String>) {
    if manifest.streams.is_empty() && manifest.kind == PluginKind::Connector {
        findings.push("streams is empty: a connector delivers at least one".to_owned());
    }
    let mut names = BTreeSet::new();
    for stream in &manifest.streams {
        let name = shorten(&stream.name);
        if !is_stream_name(&stream.name) || !names.insert(stream.name.as_str()) {
            findings
                .push(format!("streams: name {name:?} must be unique, of lower-case letters, digits and _"));
        }
        let kind = stream.framing.split([':', ';']).next().unwrap_or_default();
        if !["json", "ndjson", "csv", "tsv"].contains(&kind) {
            findings.push(format!(
                "stream {name:?}: framing {:?} is unknown: use json, json:/pointer, ndjson, csv or tsv",
                shorten(&stream.framing)
            ));
        }
        check_cursor(stream, findings);
        check_subject(stream, findings);
    }
    let files = manifest.files.iter().map(|need| ("files", &need.stream));
    let webhooks = manifest
        .webhooks
        .iter()
        .flat_map(|webhook| webhook.streams.iter().map(|stream| ("webhooks", stream)));
    for (place, stream) in files.chain(webhooks) {
        if !names.contains(stream.as_str()) {
            findings.push(format!("{place}: {:?} is not among streams", shorten(stream)));
        }
    }
}

fn check_subject(stream: &StreamDeclaration, findings: &mut Vec<String>) {
    let name = shorten(&stream.name);
    let mut steps = 0;
    for place in &stream.subject {
        match place.steps() {
            Ok(path) => steps += path.map_or(0, |path| path.len() + 1),
            Err(detail) => findings.push(format!("stream {name:?}: subject: {detail}")),
        }
    }
    if steps > MOST_STEPS {
        findings.push(format!("stream {name:?}: subject has too many paths: {MOST_STEPS} steps in all"));
    }
}

fn check_rate_buckets(manifest: &Manifest, findings: &mut Vec<String>) {
    let mut ids = BTreeSet::new();
    for bucket in &manifest.rate_buckets {
        let id = shorten(&bucket.id);
        if !is_name(&bucket.id) || !ids.insert(bucket.id.as_str()) {
            findings.push(format!(
                "rate_buckets: id {id:?} must be unique, of lower-case letters, digits and hyphens"
            ));
        }
        let usable = |number: f64| number.is_finite() && number > 0.0;
        if !usable(bucket.capacity) || !usable(bucket.refill_per_second) {
            findings
                .push(format!("rate bucket {id:?}: capacity and refill_per_second must be greater than 0"));
        }
        if bucket.concurrency == Some(0) {
            findings.push(format!("rate bucket {id:?}: concurrency must be 1 or more, or absent"));
        }
    }
}

/// The host verifies these itself, so it accepts only what it can.
fn check_privacy_webhooks(manifest: &Manifest, webhooks: &PrivacyWebhooks, findings: &mut Vec<String>) {
    let mut find = |finding: String| findings.push(format!("privacy_webhooks: {finding}"));
    let Verification { algorithm, header, encoding, message, timestamp_header, .. } = &webhooks.verification;
    if algorithm != "hmac-sha256" {
        find(format!("the algorithm {:?} is not accepted: use hmac-sha256", shorten(algorithm)));
    }
    if !["base64", "hex"].contains(&encoding.as_str()) {
        find(format!("the encoding {:?} is not accepted: use base64 or hex", shorten(encoding)));
    }
    if message != "{{body}}" || timestamp_header.is_some() {
        find("what is signed has to be {{body}}, and nothing else".to_owned());
    }
    if !is_header_name(header) {
        find(format!("{:?} is not the name of a header", shorten(header)));
    }
    if let Some(account) = &webhooks.account {
        let secret = manifest.secret_fields().contains(&account.field);
        if secret || !manifest.has_field(&account.field) {
            find(format!("account.field {:?} is no open field of config", shorten(&account.field)));
        }
    }
    if webhooks.topics.is_empty() {
        find("topics is empty: name at least one".to_owned());
    }
    for topic in &webhooks.topics {
        let name = shorten(&topic.topic);
        if topic.has.is_empty() && topic.lacks.is_empty() {
            find(format!("topic {name:?} is told apart by nothing: say what its body has or lacks"));
        }
        if (topic.asks == PrivacyAsks::EraseAll) == topic.customer.is_some() {
            find(format!("topic {name:?}: customer belongs to export and erase, and to those alone"));
        }
        let account = webhooks.account.iter().map(|account| &account.pointer);
        let pointers = topic.has.iter().chain(&topic.lacks).chain(&topic.customer).chain(account);
        for pointer in pointers.filter(|pointer| !pointer.starts_with('/')) {
            find(format!("topic {name:?}: {:?} is no JSON pointer: begin it with /", shorten(pointer)));
        }
    }
}

fn check_cursor(stream: &StreamDeclaration, findings: &mut Vec<String>) {
    let name = shorten(&stream.name);
    let missing = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
    if stream.mode == StreamMode::Incremental {
        if missing(&stream.cursor_field) {
            findings.push(format!(
                "stream {name:?} is incremental but has no cursor_field: name the field that the API filters on, or set mode to snapshot"
            ));
        }
        if missing(&stream.record_key) {
            findings.push(format!("stream {name:?} is incremental but has no record_key: say where a record carries its identity"));
        }
    }
    if stream.granularity_seconds == 0 {
        findings.push(format!("stream {name:?}: granularity_seconds must be 1 or more"));
    }
    if stream.largest_window_seconds.is_some_and(|window| window < stream.granularity_seconds) {
        findings.push(format!("stream {name:?}: largest_window_seconds is shorter than granularity_seconds"));
    }
    if stream.retention_seconds == Some(0) {
        findings.push(format!("stream {name:?}: retention_seconds must be 1 or more, or absent"));
    }
}

/// `^[a-z][a-z0-9]*(-[a-z0-9]+)*$`, at most 64 characters.
fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

/// `^[a-z][a-z0-9_]*$`, at most 64 characters.
fn is_stream_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Header names that a scheme may set: tokens that do not steer the connection itself.
fn is_header_name(name: &str) -> bool {
    let reserved = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"];
    !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && !reserved.contains(&name.to_ascii_lowercase().as_str())
}

/// Hostile text, cut to what a message can carry.
fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}
