//! What a person has agreed to for a connection, and what another build of its plugin asks for beyond that.

use portolan_connector::Manifest;
use portolan_core::UserId;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What was agreed to, and when: shown again when an upgrade asks for more.
pub fn consent_record(manifest: &Manifest, by: Option<UserId>, now: i64) -> Value {
    json!({
        "hosts": manifest.hosts,
        "secrets": manifest.secret_fields(),
        "personal_data": personal_data(manifest),
        "plugin_version": manifest.version,
        "given_by": by.map(|user| user.to_string()),
        "given_at": now,
    })
}

/// What a build asks for and nobody has agreed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct NewAsks {
    /// Hosts that it wants to reach, as its manifest names them.
    pub hosts: Vec<String>,
    /// Fields that hold secrets.
    pub secrets: Vec<String>,
    /// Personal data, as stream and path.
    pub personal_data: Vec<String>,
}

impl NewAsks {
    /// What `next` asks for beyond what was agreed to for `present`.
    pub fn between(consent: &str, present: Option<&Manifest>, next: &Manifest) -> Self {
        let record: Value = serde_json::from_str(consent).unwrap_or_default();
        let agreed = |field: &str| -> Option<Vec<String>> {
            let listed = record.get(field)?.as_array()?;
            Some(listed.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        // Records of before personal data was asked for name none: what the present build declares was there.
        let data = agreed("personal_data").or_else(|| present.map(personal_data)).unwrap_or_default();
        Self {
            hosts: beyond(next.hosts.clone(), &agreed("hosts").unwrap_or_default()),
            secrets: beyond(next.secret_fields(), &agreed("secrets").unwrap_or_default()),
            personal_data: beyond(personal_data(next), &data),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.secrets.is_empty() && self.personal_data.is_empty()
    }
}

fn beyond(wanted: Vec<String>, agreed: &[String]) -> Vec<String> {
    wanted.into_iter().filter(|wanted| !agreed.contains(wanted)).collect()
}

fn personal_data(manifest: &Manifest) -> Vec<String> {
    let streams = manifest.streams.iter();
    streams
        .flat_map(|stream| stream.personal_data.iter().map(|path| format!("{} {path}", stream.name)))
        .collect()
}
