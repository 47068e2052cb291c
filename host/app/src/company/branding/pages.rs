//! The page of branding. Looking at something before it is saved is a GET that changes nothing.

use std::sync::Arc;

use axum::extract::{Multipart, State};
use axum::response::IntoResponse;
use portolan_admin_ui::pages::BrandingPage;
use portolan_admin_ui::parts::{FieldKind, FormField, Notice, PostAction, Section, Tone};
use serde::Deserialize;

use super::logo::LARGEST_BYTES;
use super::ops::{self, TypedBranding};
use crate::App;
use crate::web::actor::{CompanyManage, PageActor, Require};
use crate::web::brand::colours::{Accent, ThemeColours, style_address};
use crate::web::brand::logo_address;
use crate::web::confirm::ConfirmForm;
use crate::web::error::{AppError, AppResult, PageResult};
use crate::web::extract::{Form, Query};
use crate::web::html;
use crate::web::viewer::{FlashQuery, Viewer, redirect_after};

const HERE: &str = "/admin/branding";
/// A logo and what a form adds to it.
pub const LARGEST_FORM_BYTES: usize = LARGEST_BYTES + (8 << 10);

#[derive(Debug, Default, Deserialize)]
pub struct BrandingQuery {
    done: Option<String>,
    /// What is to be looked at before it is saved.
    preview: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    mail_sender: String,
    #[serde(default)]
    accent: String,
}

#[derive(Debug, Deserialize)]
pub struct BrandingForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    mail_sender: String,
    #[serde(default)]
    accent: String,
}

pub async fn show_branding(
    PageActor(actor): PageActor<CompanyManage>,
    State(app): State<Arc<App>>,
    Query(query): Query<BrandingQuery>,
) -> PageResult {
    let BrandingQuery { done, preview, name, mail_sender, accent } = query;
    let typed = preview.map(|_| TypedBranding { name, mail_sender, accent });
    html(&page(&app, &actor, &FlashQuery { done }, typed, None).await?)
}

pub async fn save_branding(
    PageActor(actor): PageActor<CompanyManage>,
    State(app): State<Arc<App>>,
    Form(form): Form<BrandingForm>,
) -> PageResult {
    let BrandingForm { name, mail_sender, accent } = form;
    let typed = TypedBranding { name, mail_sender, accent };
    let saved = ops::change(&app, actor.tenant, actor.who(), &typed).await;
    settle(&app, &actor, saved, Some(typed)).await
}

pub async fn save_logo(
    PageActor(actor): PageActor<CompanyManage>,
    State(app): State<Arc<App>>,
    form: Multipart,
) -> PageResult {
    let saved = match receive(form).await {
        Ok(file) => ops::set_logo(&app, actor.tenant, actor.who(), &file).await,
        Err(error) => Err(error),
    };
    settle(&app, &actor, saved, None).await
}

pub async fn remove_logo(
    PageActor(actor): PageActor<CompanyManage>,
    State(app): State<Arc<App>>,
) -> PageResult {
    ops::remove_logo(&app, actor.tenant, actor.who()).await?;
    Ok(redirect_after(HERE, "branding-saved"))
}

pub async fn reset_branding(
    PageActor(actor): PageActor<CompanyManage>,
    State(app): State<Arc<App>>,
    Form(form): Form<ConfirmForm>,
) -> PageResult {
    form.check(&Viewer::load(&app, &actor).await?.tenant.name)?;
    ops::reset(&app, actor.tenant, actor.who()).await?;
    Ok(redirect_after(HERE, "branding-reset"))
}

async fn settle(
    app: &App,
    actor: &Require<CompanyManage>,
    saved: AppResult<()>,
    typed: Option<TypedBranding>,
) -> PageResult {
    match saved {
        Ok(()) => Ok(redirect_after(HERE, "branding-saved")),
        Err(error) if error.status.is_client_error() => {
            let page = page(app, actor, &FlashQuery::default(), typed, Some(&error)).await?;
            Ok((error.status, html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// The file of the form, whatever it calls itself.
async fn receive(mut form: Multipart) -> AppResult<Vec<u8>> {
    let broken = |error: axum::extract::multipart::MultipartError| {
        if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            return AppError::invalid("logo", "A logo has at most 256 kB: make the picture smaller.");
        }
        AppError::invalid("logo", "The upload broke off. Send it again.")
    };
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if field.name() == Some("logo") {
            let bytes = field.bytes().await.map_err(broken)?;
            if !bytes.is_empty() {
                return Ok(bytes.to_vec());
            }
        }
    }
    Err(AppError::invalid("logo", "Choose a file."))
}

async fn page(
    app: &App,
    actor: &Require<CompanyManage>,
    flash: &FlashQuery,
    typed: Option<TypedBranding>,
    error: Option<&AppError>,
) -> AppResult<BrandingPage> {
    let viewer = Viewer::load(app, actor).await?;
    let stored = ops::branding(app, actor.tenant).await?;
    let previewed = typed.as_ref().filter(|_| error.is_none()).map(TypedBranding::check);
    let refused = previewed.as_ref().and_then(|checked| checked.as_ref().err());
    let error = error.or(refused);
    let fault = |name: &str| {
        let found = error.and_then(|error| error.fields.iter().find(|field| field.path == name));
        found.map(|field| field.message.clone())
    };
    let mut shell = viewer.shell_after("Branding", Section::Admin, flash);
    if let Some(Ok(preview)) = &previewed {
        shell.brand.name.clone_from(&preview.name);
        shell.brand.style = preview.accent.map(style_address);
        let text = "This page shows what you typed. Nothing is saved yet.";
        shell = shell.with_flash(Some(Notice::new(Tone::Warn, "A look at it", text)));
    }
    let shown = typed.unwrap_or_else(|| stored.as_ref().map(TypedBranding::of).unwrap_or_default());
    let accent = shown.accent.trim().parse::<Accent>().ok();
    let text = |name: &str, label: &str, value: &str, help: &str| {
        FormField::text(name, label, value).with_help(help).with_error(fault(name))
    };
    let logo = stored.as_ref().and_then(|row| row.logo_hash.as_ref());
    let accept = Some("image/png,image/jpeg,image/webp".to_owned());
    Ok(BrandingPage {
        shell,
        fields: vec![
            text(
                "name",
                "Name",
                &shown.name,
                "In the place of \"Portolan\", on pages and at the door under your own domain.",
            ),
            text(
                "mail_sender",
                "Sender of mails",
                &shown.mail_sender,
                "The name beside the address that mails come from.",
            ),
            text(
                "accent",
                "Colour",
                &shown.accent,
                "Six hexadecimal digits, such as #0f5280. Where it could not be read it is made darker or lighter.",
            ),
        ],
        used: accent.map(|chosen| {
            let (light, dark) = (ThemeColours::light(chosen).accent, ThemeColours::dark(chosen).accent);
            format!("Used of it: #{light} in the light theme, #{dark} in the dark one.")
        }),
        logo: logo.map(|hash| logo_address(actor.tenant, hash)),
        logo_field: FormField::new("logo", "Logo", FieldKind::File { accept })
            .required()
            .with_help("PNG, JPEG or WebP, at most 256 kB and 2048 pixels on each side.")
            .with_error(fault("logo")),
        reset: stored.map(|_| {
            let help = "Name, colour, sender and logo are gone; pages look like Portolan's own.";
            PostAction::danger(
                "Back to Portolan's looks",
                "/admin/branding/reset",
                viewer.tenant.name.as_str(),
                help,
            )
        }),
    })
}
