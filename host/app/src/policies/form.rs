//! The form of a policy: whom it may apply to, what was typed into it, and what was wrong with that.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use portolan_access::data_policies::{DataPolicy, DataPolicyKind, NewDataPolicy, Subject};
use portolan_access::{Member, SystemRole, Team, custom_roles, members, teams};
use portolan_admin_ui::pages::ChoiceForm;
use portolan_admin_ui::parts::{FieldKind, FormField, SelectOption};
use portolan_analytics::policy::{ColumnEffect, ColumnPolicy, RowPolicy};
use portolan_db::TenantTx;

use super::ops::Kept;
use super::text::{read_columns, read_rules, write_rules};
use crate::web::error::{AppError, AppResult};

/// Fields of a form by their names.
pub type Sent = BTreeMap<String, String>;

/// Whom policies may apply to, by name.
pub struct Everybody {
    pub roles: Vec<String>,
    pub teams: Vec<Team>,
    pub people: Vec<Member>,
}

impl Everybody {
    pub async fn load(tx: &TenantTx) -> AppResult<Self> {
        let system = SystemRole::ALL.iter().filter(|role| **role != SystemRole::Owner);
        let own = custom_roles(tx).await?.into_iter().map(|role| role.name);
        let roles = system.map(|role| role.as_str().to_owned()).chain(own).collect();
        Ok(Self { roles, teams: teams(tx).await?, people: members(tx).await? })
    }

    /// A box for each, ticked where the policy applies.
    fn fields(&self, applies: &BTreeSet<Subject>) -> Vec<FormField> {
        let field = |subject: Subject, label: String| {
            let kind = FieldKind::Checkbox { checked: applies.contains(&subject) };
            FormField::new(format!("applies.{subject}"), label, kind)
        };
        let roles = self.roles.iter().map(|role| field(Subject::Role(role.clone()), format!("role {role}")));
        let teams =
            self.teams.iter().map(|team| field(Subject::Team(team.id), format!("team {}", team.name)));
        let owner = SystemRole::Owner.as_str();
        let people = self.people.iter().filter(|person| !person.roles.contains(owner));
        let people = people.map(|person| field(Subject::Person(person.user), person.sign_in_name.clone()));
        roles.chain(teams).chain(people).collect()
    }

    pub fn words(&self, applies: &BTreeSet<Subject>) -> String {
        let names: Vec<String> = applies.iter().map(|subject| self.word(subject)).collect();
        if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
    }

    fn word(&self, subject: &Subject) -> String {
        let known = match subject {
            Subject::Role(role) => Some(format!("role {role}")),
            Subject::Team(id) => {
                self.teams.iter().find(|team| team.id == *id).map(|team| format!("team {}", team.name))
            }
            Subject::Person(user) => {
                let person = self.people.iter().find(|person| person.user == *user);
                person.map(|person| person.sign_in_name.clone())
            }
        };
        known.unwrap_or_else(|| format!("a {} that is gone", subject.kind()))
    }
}

pub fn read_policy(kind: DataPolicyKind, sent: &Sent) -> AppResult<NewDataPolicy> {
    let keeps = value(sent, "keeps");
    let kept = match kind {
        DataPolicyKind::Rows => {
            Kept::Rows(read_rules(keeps).map_err(|message| AppError::invalid("keeps", message))?)
        }
        DataPolicyKind::Columns => Kept::Columns(read_columns(keeps, value(sent, "effect") != "mask")),
    };
    let (kind, body) = kept.checked()?;
    let ticked = sent.iter().filter(|(_, value)| value.as_str() == "true");
    let subjects = ticked.filter_map(|(name, _)| {
        let (kind, name) = name.strip_prefix("applies.")?.split_once(':')?;
        Subject::find(kind, name)
    });
    Ok(NewDataPolicy { kind, name: value(sent, "name").to_owned(), body, subjects: subjects.collect() })
}

pub fn value<'a>(sent: &'a Sent, name: &str) -> &'a str {
    sent.get(name).map(|text| text.trim()).unwrap_or_default()
}

/// Of a policy that is still to be made.
pub fn new_form(everybody: &Everybody) -> ChoiceForm {
    let kinds = vec![
        SelectOption::new("rows", "the rows that are seen", true),
        SelectOption::new("columns", "the columns that are closed", false),
    ];
    let mut fields = vec![
        FormField::text("name", "Name", "").required(),
        FormField::new("kind", "It says", FieldKind::Select { options: kinds }),
        keeps_field("").with_help(
            "Rows: “country in DE, AT, unknown, attr.countries” or “channel not in stripe”, one rule a line. Columns: cash, \
             costs, personal, sales, or ids of metrics and dimensions.",
        ),
        effect_field(ColumnEffect::Hide),
    ];
    fields.extend(everybody.fields(&BTreeSet::new()));
    ChoiceForm {
        action: "/admin/policies".to_owned(),
        legend: "New policy".to_owned(),
        fields,
        button: "Make the policy".to_owned(),
    }
}

/// Whether a form can say it again: what was typed is wrong, or in the way of something.
pub fn is_about_what_was_typed(error: &AppError) -> bool {
    matches!(error.status, StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT)
}

/// What was sent, with what is wrong where it is wrong.
pub fn fill_again(form: &mut ChoiceForm, sent: &Sent, error: &AppError) {
    form.fill_again(sent);
    for fault in &error.fields {
        // Rules and columns are one field here, and several to the API.
        let name = match fault.path.split('/').next().unwrap_or_default() {
            "rows" | "columns" => "keeps",
            other => other,
        };
        if let Some(field) = form.fields.iter_mut().find(|field| field.name == name) {
            field.error = Some(fault.message.clone());
        }
    }
}

fn keeps_field(value: &str) -> FormField {
    FormField::new("keeps", "Rules or columns", FieldKind::TextArea { value: value.to_owned(), rows: 4 })
        .required()
}

fn effect_field(effect: ColumnEffect) -> FormField {
    let options = vec![
        SelectOption::new("hide", "hidden: refused by their names", effect == ColumnEffect::Hide),
        SelectOption::new("mask", "masked: shown as •••", effect == ColumnEffect::Mask),
    ];
    FormField::new("effect", "Columns are", FieldKind::Select { options })
}

/// The policy as a form; nothing where a form can't hold it.
pub fn form_of(policy: &DataPolicy, everybody: &Everybody) -> Option<ChoiceForm> {
    let mut fields = vec![FormField::text("name", "Name", policy.name.as_str()).required()];
    match policy.kind? {
        DataPolicyKind::Rows => {
            let rows: RowPolicy = serde_json::from_str(&policy.body).ok()?;
            fields.push(keeps_field(&write_rules(&rows)?));
        }
        DataPolicyKind::Columns => {
            let columns: ColumnPolicy = serde_json::from_str(&policy.body).ok()?;
            fields.push(keeps_field(&columns.columns.join(", ")));
            fields.push(effect_field(columns.effect));
        }
    }
    fields.extend(everybody.fields(&policy.subjects));
    Some(ChoiceForm {
        action: format!("/admin/policies/{}", policy.id),
        legend: "What it keeps, and from whom".to_owned(),
        fields,
        button: "Save".to_owned(),
    })
}
