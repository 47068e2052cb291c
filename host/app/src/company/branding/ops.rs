//! Changing how a company looks, and taking it back.

use portolan_access::audit::{self, Who};
use portolan_connector::FieldError;
use portolan_core::{TenantId, hex};
use portolan_db::entity::tenant_branding::{Entity, Model};
use portolan_db::{DbError, TenantTx};
use sea_orm::IntoActiveModel;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::logo::{Logo, LogoError};
use crate::App;
use crate::people::ops::sentence;
use crate::web::brand::colours::Accent;
use crate::web::error::{AppError, AppResult};

const LONGEST_NAME_CHARS: usize = 60;
/// In a sender's name they make it look like an address, another one.
const NOT_IN_A_SENDER: [char; 8] = ['@', '<', '>', '"', ',', ';', ':', '\\'];

/// What was typed, as it was typed; empty where it is to be Portolan's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypedBranding {
    pub name: String,
    pub mail_sender: String,
    pub accent: String,
}

/// What can be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedBranding {
    pub name: Option<String>,
    pub mail_sender: Option<String>,
    pub accent: Option<Accent>,
}

impl TypedBranding {
    pub fn of(row: &Model) -> Self {
        Self {
            name: row.name.clone().unwrap_or_default(),
            mail_sender: row.mail_sender.clone().unwrap_or_default(),
            accent: row.accent.as_ref().map(|accent| format!("#{accent}")).unwrap_or_default(),
        }
    }

    /// All faults at once, each beside its field.
    pub fn check(&self) -> AppResult<CheckedBranding> {
        let mut faults = Vec::new();
        let mut fault =
            |path: &str, message: String| faults.push(FieldError { path: path.to_owned(), message });
        let text = |typed: &str| Some(typed.trim().to_owned()).filter(|text| !text.is_empty());
        let (name, mail_sender) = (text(&self.name), text(&self.mail_sender));
        if name.as_ref().is_some_and(|name| !is_one_line(name)) {
            fault("name", "Write at most 60 characters, on one line.".to_owned());
        }
        let as_address = |sender: &String| sender.contains(NOT_IN_A_SENDER);
        if mail_sender.as_ref().is_some_and(|sender| !is_one_line(sender) || as_address(sender)) {
            let message = "Write a name of at most 60 characters: no address, and none of @ < > \" , ; : \\.";
            fault("mail_sender", message.to_owned());
        }
        let accent = text(&self.accent).map(|accent| accent.parse::<Accent>());
        if let Some(Err(error)) = &accent {
            fault("accent", sentence(&error.to_string()));
        }
        match accent.transpose() {
            Ok(accent) if faults.is_empty() => Ok(CheckedBranding { name, mail_sender, accent }),
            _ => Err(AppError::invalid_fields(faults)),
        }
    }
}

/// Neither line breaks nor what turns the direction of the text around it.
fn is_one_line(text: &str) -> bool {
    let turns = |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}');
    text.chars().count() <= LONGEST_NAME_CHARS
        && !text.chars().any(|letter| letter.is_control() || turns(letter))
}

/// How the company looks; nothing where it looks like Portolan.
pub async fn branding(app: &App, tenant: TenantId) -> AppResult<Option<Model>> {
    let tx = app.db.read(tenant).await?;
    Ok(tx.find::<Entity>().one(&tx).await?)
}

pub async fn change(app: &App, tenant: TenantId, who: Who, typed: &TypedBranding) -> AppResult<()> {
    let new = typed.check()?;
    put(app, tenant, who, move |row| {
        row.name = new.name;
        row.mail_sender = new.mail_sender;
        row.accent = new.accent.map(|accent| accent.to_string());
    })
    .await
}

pub async fn set_logo(app: &App, tenant: TenantId, who: Who, file: &[u8]) -> AppResult<()> {
    let logo = Logo::read(file)?;
    let hash = hex(&Sha256::digest(&logo.bytes));
    put(app, tenant, who, move |row| {
        row.logo_kind = Some(logo.kind.content_type().to_owned());
        row.logo_hash = Some(hash);
        row.logo = Some(logo.bytes);
    })
    .await
}

pub async fn remove_logo(app: &App, tenant: TenantId, who: Who) -> AppResult<()> {
    put(app, tenant, who, |row| {
        row.logo_kind = None;
        row.logo_hash = None;
        row.logo = None;
    })
    .await
}

/// Back to Portolan's own looks.
pub async fn reset(app: &App, tenant: TenantId, who: Who) -> AppResult<()> {
    let now = app.clock.now();
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let before = tx.find::<Entity>().one(tx).await?;
                tx.delete_many::<Entity>().exec(tx).await.map_err(DbError::from)?;
                let entry = who.did("branding.reset", "tenant", tenant);
                audit::write(tx, now, entry.before(told(before.as_ref())));
                Ok(())
            })
        })
        .await
}

async fn put(
    app: &App,
    tenant: TenantId,
    who: Who,
    change: impl FnOnce(&mut Model) + Send + 'static,
) -> AppResult<()> {
    let now = app.clock.now();
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let before = tx.find::<Entity>().one(tx).await?;
                let mut row = before.clone().unwrap_or_else(|| nothing(tx));
                change(&mut row);
                row.changed_at = now.0;
                let entry = who.did("branding.change", "tenant", tenant).before(told(before.as_ref()));
                let mut told_after = told(Some(&row));
                // Of names only that they are others: events hold none.
                let names = |row: &Model| (row.name.clone(), row.mail_sender.clone());
                told_after["renamed"] = json!(before.as_ref().map(names).unwrap_or_default() != names(&row));
                audit::write(tx, now, entry.after(told_after));
                tx.delete_many::<Entity>().exec(tx).await.map_err(DbError::from)?;
                tx.insert(row.into_active_model()).await?;
                Ok(())
            })
        })
        .await
}

fn nothing(tx: &TenantTx) -> Model {
    Model {
        tenant_id: tx.tenant().0,
        name: None,
        mail_sender: None,
        accent: None,
        logo: None,
        logo_kind: None,
        logo_hash: None,
        changed_at: 0,
    }
}

fn told(row: Option<&Model>) -> Value {
    json!({
        "accent": row.and_then(|row| row.accent.clone()),
        "logo": row.and_then(|row| row.logo_hash.clone()),
    })
}

impl From<LogoError> for AppError {
    fn from(error: LogoError) -> Self {
        Self::invalid("logo", sentence(&error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(name: &str, mail_sender: &str, accent: &str) -> TypedBranding {
        TypedBranding { name: name.into(), mail_sender: mail_sender.into(), accent: accent.into() }
    }

    #[test]
    fn names_stay_on_one_line_and_a_sender_looks_like_no_address() {
        assert!(typed("Harbour & Søns <3", "Harbour & Søns", " #0F5280 ").check().is_ok());
        let nothing = typed(" ", "", "").check().expect("nothing");
        assert_eq!(nothing, CheckedBranding { name: None, mail_sender: None, accent: None });
        let faults = |branding: TypedBranding| -> Vec<String> {
            let error = branding.check().expect_err("refused");
            error.fields.into_iter().map(|fault| fault.path).collect()
        };
        for name in ["a\nb", "a\u{202e}b", "a\u{0}", &"a".repeat(61)] {
            assert_eq!(faults(typed(name, "", "")), ["name"], "{name:?}");
        }
        for sender in ["owner@bank.example", "Bank <owner", "a\r\nBcc: b", "a, b", "a;b", "\"a\""] {
            assert_eq!(faults(typed("", sender, "")), ["mail_sender"], "{sender:?}");
        }
        for accent in ["red", "#fff", "#0f5280;}body{display:none", "url(//evil.example)"] {
            assert_eq!(faults(typed("", "", accent)), ["accent"], "{accent:?}");
        }
    }
}
