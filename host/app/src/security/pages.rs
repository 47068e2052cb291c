//! The page of the security policy.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use portolan_access::{NewSignInPolicy, SignInPolicy, SystemRole};
use portolan_admin_ui::pages::{RoleChoice, SecurityPage};
use portolan_admin_ui::parts::{FieldKind, FormField, Section};

use super::ops;
use crate::App;
use crate::web::actor::{PageActor, Require, SecurityManage};
use crate::web::client::AskedFrom;
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Query};
use crate::web::html;
use crate::web::step_up::StepUp;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

const HERE: &str = "/admin/security";

/// What stands in the form: the policy, or what was typed and why it was refused.
struct Shown {
    roles: BTreeSet<String>,
    session_minutes: String,
    idle_minutes: String,
    networks: String,
    mail_codes: bool,
    device_days: String,
    error: Option<AppError>,
}

impl From<SignInPolicy> for Shown {
    fn from(policy: SignInPolicy) -> Self {
        let networks: Vec<String> = policy.networks.iter().map(ToString::to_string).collect();
        Self {
            roles: policy.second_factor_roles,
            session_minutes: policy.session_minutes.to_string(),
            idle_minutes: policy.idle_minutes.to_string(),
            networks: networks.join("\n"),
            mail_codes: policy.mail_codes,
            device_days: policy.device_days.to_string(),
            error: None,
        }
    }
}

impl Shown {
    fn error_of(&self, field: &str) -> Option<String> {
        let fields = self.error.iter().flat_map(|error| &error.fields);
        fields.into_iter().find(|found| found.path == field).map(|found| found.message.clone())
    }
}

pub async fn show_security(
    PageActor(actor): PageActor<SecurityManage>,
    State(app): State<Arc<App>>,
    AskedFrom(from): AskedFrom,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    let shown = Shown::from(ops::read(&app, actor.tenant).await?);
    html(&page(&app, &actor, from, &flash, &shown).await?)
}

pub async fn save_security(
    StepUp(PageActor(actor)): StepUp<PageActor<SecurityManage>>,
    State(app): State<Arc<App>>,
    AskedFrom(from): AskedFrom,
    Form(sent): Form<Vec<(String, String)>>,
) -> PageResult {
    let value = |name: &str| {
        let found = sent.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let roles = sent.iter().filter(|(field, _)| field == "role").map(|(_, role)| role.clone()).collect();
    let mut shown = Shown {
        roles,
        session_minutes: value("session_minutes"),
        idle_minutes: value("idle_minutes"),
        networks: value("networks"),
        mail_codes: value("mail_codes") == "true",
        device_days: value("device_days"),
        error: None,
    };
    let new = NewSignInPolicy {
        second_factor_roles: shown.roles.clone(),
        // What is no number is refused like one that is out of range.
        session_minutes: shown.session_minutes.parse().unwrap_or_default(),
        idle_minutes: shown.idle_minutes.parse().unwrap_or_default(),
        networks: shown.networks.split([' ', ',', '\n', '\r']).map(str::to_owned).collect(),
        mail_codes: shown.mail_codes,
        device_days: match shown.device_days.as_str() {
            "" => NewSignInPolicy::default().device_days,
            // What is no number is no zero either.
            typed => typed.parse().unwrap_or(-1),
        },
    };
    match ops::change(&app, &actor, from, new).await {
        Ok(_) => Ok(redirect_after(HERE, "security-saved")),
        Err(error) if error.status.is_client_error() => {
            let status = error.status;
            shown.error = Some(error);
            let page = page(&app, &actor, from, &FlashQuery::default(), &shown).await?;
            Ok((status, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(
    app: &App,
    actor: &Require<SecurityManage>,
    from: Option<IpAddr>,
    flash: &FlashQuery,
    shown: &Shown,
) -> AppResult<SecurityPage> {
    let viewer = Viewer::load(app, actor).await?;
    let minutes = |name: &str, label: &str, value: &str, (min, max): (&str, &str)| {
        let kind = FieldKind::Number {
            value: value.to_owned(),
            min: Some(min.to_owned()),
            max: Some(max.to_owned()),
            step: Some("1".to_owned()),
        };
        FormField::new(name, label, kind).required().with_error(shown.error_of(name))
    };
    let system = SystemRole::ALL.iter().map(|role| role.as_str().to_owned());
    let roles = system.chain(ops::own_roles(app, actor.tenant).await?);
    let networks = FieldKind::TextArea { value: shown.networks.clone(), rows: 4 };
    let here = from.map(|from| format!(" You are at {from}.")).unwrap_or_default();
    Ok(SecurityPage {
        shell: viewer.shell_after("Security", Section::Admin, flash),
        roles: roles
            .map(|name| RoleChoice { checked: shown.roles.contains(&name), name })
            .collect(),
        mail_codes: shown.mail_codes,
        sends_mail: app.mail.is_some(),
        roles_error: shown.error_of("second_factor_roles"),
        fields: vec![
            minutes("session_minutes", "Longest session, in minutes", &shown.session_minutes, ("15", "720"))
                .with_help("Whoever signed in longer ago signs in again, however busy they are."),
            minutes("idle_minutes", "Unused session, in minutes", &shown.idle_minutes, ("5", "120"))
                .with_help("Without a click for this long, a session ends."),
            minutes("device_days", "Remember a browser, in days", &shown.device_days, ("0", "30"))
                .with_help("Whoever ticks it is asked for no second factor there for so long. With 0 nobody can; 30 where empty."),
            FormField::new("networks", "Only from these networks", networks)
                .with_help(format!(
                    "One in each line: 192.0.2.0/24, 2001:db8::/32. From anywhere where empty. It holds for people and for \
                     keys; a key's own networks come on top.{here}"
                ))
                .with_error(shown.error_of("networks")),
        ],
    })
}
