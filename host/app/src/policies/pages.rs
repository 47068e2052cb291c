//! The pages of policies: the list with what somebody sees, and one policy.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse as _;
use portolan_access::Member;
use portolan_access::data_policies::{self, DataPolicy, DataPolicyKind};
use portolan_admin_ui::pages::{ChoiceForm, PoliciesPage, PolicyPage, PolicyRow};
use portolan_admin_ui::parts::{Fact, FieldKind, FormField, Notice, PostAction, Section, SelectOption, Tone};
use portolan_analytics::policy::{ColumnEffect, ColumnPolicy, RowPolicy};
use portolan_analytics::{Closed, Dimension, FilterOp, METRICS, Visibility};
use portolan_core::{UserId, id};
use portolan_db::TenantTx;
use serde::Deserialize;
use uuid::Uuid;

use super::form::{
    Everybody, Sent, fill_again, form_of, is_about_what_was_typed, new_form, read_policy, value,
};
use super::ops::{change, save_attributes, what_sees};
use super::text::write_rules;
use crate::App;
use crate::web::actor::{PageActor, PoliciesManage, Require};
use crate::web::confirm::ConfirmForm;
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Path, Query};
use crate::web::html;
use crate::web::step_up::StepUp;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

#[derive(Debug, Default, Deserialize)]
pub struct PoliciesQuery {
    /// Whose sight to explain.
    #[serde(default)]
    person: String,
    done: Option<String>,
}

pub async fn list_policies(
    PageActor(actor): PageActor<PoliciesManage>,
    State(app): State<Arc<App>>,
    Query(query): Query<PoliciesQuery>,
) -> PageResult {
    html(&list_page(&app, &actor, query).await?)
}

async fn list_page(
    app: &App,
    actor: &Require<PoliciesManage>,
    query: PoliciesQuery,
) -> AppResult<PoliciesPage> {
    let viewer = Viewer::load(app, actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let everybody = Everybody::load(&tx).await?;
    let asked = everybody.people.iter().find(|person| person.user.to_string() == query.person);
    let answer = match asked {
        Some(person) => Some(explained(&tx, person).await?),
        None => None,
    };
    let attributes = match asked {
        Some(person) => Some(attribute_form(&tx, person).await?),
        None => None,
    };
    let policies = data_policies::list(&tx).await?;
    drop(tx);
    let mut options = vec![SelectOption::new("", "choose somebody", query.person.is_empty())];
    options.extend(everybody.people.iter().map(|person| {
        let id = person.user.to_string();
        let chosen = id == query.person;
        SelectOption::new(id, person.sign_in_name.as_str(), chosen)
    }));
    let rows = policies.iter().map(|policy| PolicyRow {
        name: policy.name.clone(),
        href: format!("/admin/policies/{}", policy.id),
        keeps: keeps(policy),
        applies_to: everybody.words(&policy.subjects),
    });
    Ok(PoliciesPage {
        notice: None,
        shell: viewer.shell_after("Policies", Section::Admin, &FlashQuery { done: query.done }),
        scope: format!(
            "Who sees which data of {}. Every policy narrows; owners see everything",
            viewer.tenant.name
        ),
        rows: rows.collect(),
        question: vec![FormField::new("person", "Person", FieldKind::Select { options })],
        answer,
        attributes,
        new: new_form(&everybody),
    })
}

pub async fn make_policy(
    StepUp(PageActor(actor)): StepUp<PageActor<PoliciesManage>>,
    State(app): State<Arc<App>>,
    Form(sent): Form<Sent>,
) -> PageResult {
    let kind = match value(&sent, "kind") {
        "rows" => DataPolicyKind::Rows,
        _ => DataPolicyKind::Columns,
    };
    match create(&app, &actor, kind, &sent).await {
        Ok(()) => Ok(redirect_after("/admin/policies", "policy-saved")),
        Err(error) if is_about_what_was_typed(&error) => {
            let mut page = list_page(&app, &actor, PoliciesQuery::default()).await?;
            fill_again(&mut page.new, &sent, &error);
            page.notice = Some(not_saved(&error));
            Ok((error.status, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn create(
    app: &App,
    actor: &Require<PoliciesManage>,
    kind: DataPolicyKind,
    sent: &Sent,
) -> AppResult<()> {
    let new = read_policy(kind, sent)?;
    let policy = id::new_uuid(&*app.clock, &*app.random);
    let (by, now) = (actor.who(), app.clock.now());
    change(app, actor.tenant, move |tx| {
        Box::pin(async move { data_policies::create(tx, &by, policy, &new, now).await })
    })
    .await
}

fn not_saved(error: &AppError) -> Notice {
    Notice::new(Tone::Bad, "Not saved", error.full_detail())
}

pub async fn show_policy(
    PageActor(actor): PageActor<PoliciesManage>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Query(flash): Query<FlashQuery>,
) -> PageResult {
    html(&policy_page(&app, &actor, id, &flash).await?)
}

async fn policy_page(
    app: &App,
    actor: &Require<PoliciesManage>,
    id: Uuid,
    flash: &FlashQuery,
) -> AppResult<PolicyPage> {
    let viewer = Viewer::load(app, actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let (policy, everybody) = (data_policies::find(&tx, id).await?, Everybody::load(&tx).await?);
    drop(tx);
    let (name, form) = (policy.name.as_str(), form_of(&policy, &everybody));
    Ok(PolicyPage {
        notice: None,
        shell: viewer.shell_after(name, Section::Admin, flash),
        facts: vec![
            Fact::new("Keeps", keeps(&policy)),
            Fact::new("Applies to", everybody.words(&policy.subjects)),
            Fact::new("Changed", viewer.date_and_time(policy.updated_at)),
        ],
        note: form.is_none().then(|| {
            "This policy says what a form cannot hold, such as a value with a comma: change it over the API.".to_owned()
        }),
        form,
        danger: PostAction::danger(
            "Delete the policy",
            format!("/admin/policies/{id}/delete"),
            name,
            "Whoever it applied to sees what it kept from them.",
        ),
    })
}

pub async fn save_policy(
    StepUp(PageActor(actor)): StepUp<PageActor<PoliciesManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Form(sent): Form<Sent>,
) -> PageResult {
    match save(&app, &actor, id, &sent).await {
        Ok(()) => Ok(redirect_after(&format!("/admin/policies/{id}"), "policy-saved")),
        Err(error) if is_about_what_was_typed(&error) => {
            let mut page = policy_page(&app, &actor, id, &FlashQuery::default()).await?;
            if let Some(form) = &mut page.form {
                fill_again(form, &sent, &error);
            }
            page.notice = Some(not_saved(&error));
            Ok((error.status, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn save(app: &App, actor: &Require<PoliciesManage>, id: Uuid, sent: &Sent) -> AppResult<()> {
    let tx = app.db.read(actor.tenant).await?;
    let known = data_policies::find(&tx, id).await?;
    drop(tx);
    let kind =
        known.kind.ok_or_else(|| AppError::conflict("This version does not know this kind of policy."))?;
    let new = read_policy(kind, sent)?;
    let (by, now) = (actor.who(), app.clock.now());
    change(app, actor.tenant, move |tx| {
        Box::pin(async move { data_policies::change(tx, &by, id, &new, now).await })
    })
    .await
}

pub async fn remove_policy(
    StepUp(PageActor(actor)): StepUp<PageActor<PoliciesManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Form(form): Form<ConfirmForm>,
) -> PageResult {
    let tx = app.db.read(actor.tenant).await?;
    let known = data_policies::find(&tx, id).await?;
    drop(tx);
    form.check(&known.name)?;
    let (by, now) = (actor.who(), app.clock.now());
    change(&app, actor.tenant, move |tx| {
        Box::pin(async move { data_policies::delete(tx, &by, id, now).await })
    })
    .await?;
    Ok(redirect_after("/admin/policies", "policy-deleted"))
}

/// Says what is known of somebody: a line for each attribute.
pub async fn save_person_attributes(
    StepUp(PageActor(actor)): StepUp<PageActor<PoliciesManage>>,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Form(sent): Form<Sent>,
) -> PageResult {
    let mut attributes = data_policies::Attributes::new();
    for line in value(&sent, "attributes").lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, items) = line.split_once('=').ok_or_else(|| {
            AppError::invalid("attributes", "Write a line like “countries = DE, AT” for each attribute.")
        })?;
        let items = items.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned);
        attributes.insert(name.trim().to_owned(), items.collect());
    }
    save_attributes(&app, actor.tenant, actor.who(), UserId(id), attributes).await?;
    Ok(redirect_after("/admin/policies", "attributes-saved"))
}

/// In a sentence.
fn keeps(policy: &DataPolicy) -> String {
    let rows = || serde_json::from_str::<RowPolicy>(&policy.body).ok();
    let columns = || serde_json::from_str::<ColumnPolicy>(&policy.body).ok();
    let said = match policy.kind {
        Some(DataPolicyKind::Rows) => rows().map(|rows| {
            format!("rows with {}", write_rules(&rows).unwrap_or_default().replace('\n', ", and "))
        }),
        Some(DataPolicyKind::Columns) => columns().map(|policy| {
            let how = if policy.effect == ColumnEffect::Hide { "hides" } else { "masks" };
            format!("{how} {}", policy.columns.join(", "))
        }),
        None => None,
    };
    said.unwrap_or_else(|| "cannot be read: it shows nothing to whom it applies".to_owned())
}

async fn explained(tx: &TenantTx, person: &Member) -> AppResult<Notice> {
    let (seen, restrictions) = what_sees(tx, person.user).await?;
    let title = format!("What {} sees", person.sign_in_name);
    if restrictions.is_owner {
        return Ok(Notice::new(Tone::Good, title, "Everything: owners do, whatever policies there are."));
    }
    let policies: Vec<String> = restrictions.policies.into_iter().map(|policy| policy.name).collect();
    let policies = if policies.is_empty() { "none".to_owned() } else { policies.join(", ") };
    Ok(Notice::new(Tone::Neutral, title, format!("{} Policies that apply: {policies}.", in_words(&seen))))
}

fn in_words(seen: &Visibility) -> String {
    let limits: Vec<String> = seen
        .limits()
        .map(|limit| {
            let values: Vec<&str> =
                limit.values.iter().map(|value| value.as_deref().unwrap_or("unknown")).collect();
            let op = if limit.op == FilterOp::In { "in" } else { "not in" };
            let values = if values.is_empty() { "nothing".to_owned() } else { values.join(", ") };
            format!("{} {op} {values}", limit.dimension.id())
        })
        .collect();
    let rows = match limits.is_empty() {
        true => "All rows".to_owned(),
        false => format!("Rows with {}", limits.join(", and ")),
    };
    let of = |how: Closed| -> Vec<&str> {
        let metrics =
            METRICS.iter().filter(|metric| seen.of_metric(metric) == Some(how)).map(|metric| metric.id);
        let dimensions = Dimension::ALL.iter().filter(|one| seen.of_dimension(**one) == Some(how));
        metrics.chain(dimensions.map(|one| one.id())).collect()
    };
    let mut said = rows;
    for (how, word) in [(Closed::Hidden, "hidden"), (Closed::Masked, "masked")] {
        let names = of(how);
        if !names.is_empty() {
            said.push_str(&format!("; {word}: {}", names.join(", ")));
        }
    }
    said.push('.');
    said
}

async fn attribute_form(tx: &TenantTx, person: &Member) -> AppResult<ChoiceForm> {
    let known = data_policies::attributes_of(tx, person.user).await?;
    let line = |(name, items): (&String, &BTreeSet<String>)| {
        let items: Vec<&str> = items.iter().map(String::as_str).collect();
        format!("{name} = {}", items.join(", "))
    };
    let lines: Vec<String> = known.iter().map(line).collect();
    let field =
        FormField::new("attributes", "Attributes", FieldKind::TextArea { value: lines.join("\n"), rows: 4 })
            .with_help("A line for each, such as “countries = DE, AT”. Rules ask for it as attr.countries.");
    Ok(ChoiceForm {
        action: format!("/admin/people/{}/attributes", person.user),
        legend: format!("What is known of {}", person.sign_in_name),
        fields: vec![field],
        button: "Save".to_owned(),
    })
}
