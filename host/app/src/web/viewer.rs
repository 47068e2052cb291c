//! What every page needs beside its own object: whose it is, who looks, what time it is for them.

use axum::response::{IntoResponse, Redirect, Response};
use portolan_access::{Permission, tenants_of};
use portolan_admin_ui::format;
use portolan_admin_ui::parts::{Brand, Notice, Section, Shell, TenantChoice, Tone, When};
use portolan_core::calendar::StoreCalendar;
use portolan_core::{Instant, LocalDate, UserId};
use portolan_db::entity::{tenant, user};
use sea_orm::{ColumnTrait, QueryFilter};
use serde::Deserialize;
use tokio::try_join;

use crate::App;
use crate::web::actor::Require;
use crate::web::brand::brand_of;
use crate::web::error::{AppError, AppResult};
use crate::web::preferences::Preferences;

/// The person who looks at a page, and their tenant.
pub struct Viewer {
    pub tenant: tenant::Model,
    user_name: String,
    now: Instant,
    calendar: StoreCalendar,
    disk_is_full: bool,
    sees_admin: bool,
    sees_audit: bool,
    sees_privacy: bool,
    /// Where they belong to several.
    tenants: Vec<TenantChoice>,
    preferences: Preferences,
    brand: Brand,
}

/// What every page says while nothing can be written.
pub const DISK_FULL_WAITING: &str = "The disk of this server is full. Free some space: syncs wait for it and go on by \
    themselves. Nothing that was acknowledged is lost.";

/// What an action left behind for the next page: a fixed code, never text from the address.
#[derive(Debug, Default, Deserialize)]
pub struct FlashQuery {
    pub done: Option<String>,
}

impl Viewer {
    pub async fn load<G>(app: &App, actor: &Require<G>) -> AppResult<Self> {
        let ((user, all, preferences), brand) =
            try_join!(read_person(app, actor.user), brand_of(app, actor.tenant))?;
        let tenant = all.iter().find(|one| one.id == actor.tenant.0).cloned();
        let (Some(tenant), Some(user)) = (tenant, user) else { return Err(AppError::unauthenticated()) };
        let mut tenants: Vec<TenantChoice> = all
            .into_iter()
            .map(|one| TenantChoice { current: one.id == tenant.id, id: one.id.to_string(), name: one.name })
            .collect();
        // Under a company's own domain there is that company alone.
        if tenants.len() < 2 || actor.at_domain() {
            tenants.clear();
        }
        let sees_admin = actor.may(Permission::PeopleRead);
        let sees_audit = actor.may(Permission::AuditRead);
        let sees_privacy = actor.may(Permission::PrivacyManage);
        let calendar = StoreCalendar::new(&tenant.time_zone, 0).unwrap_or_else(|_| StoreCalendar::utc());
        let (now, disk_is_full) = (app.clock.now(), app.db.disk_is_full());
        let user_name = user.sign_in_name;
        Ok(Self {
            tenant,
            user_name,
            now,
            calendar,
            disk_is_full,
            sees_admin,
            sees_audit,
            sees_privacy,
            tenants,
            preferences,
            brand,
        })
    }

    pub fn shell(&self, title: impl Into<String>, section: Section) -> Shell {
        let shell = Shell::new(title, section, self.tenant.name.as_str(), self.user_name.as_str())
            .with_admin(self.sees_admin)
            .with_audit(self.sees_audit)
            .with_privacy(self.sees_privacy)
            .with_theme(self.preferences.theme_choice())
            .with_brand(self.brand.clone())
            .with_tenants(self.tenants.clone());
        let trouble = self.disk_is_full.then(|| Notice::new(Tone::Bad, "Disk full", DISK_FULL_WAITING));
        shell.with_flash(trouble)
    }

    /// The shell with the outcome of the action that led here.
    pub fn shell_after(&self, title: impl Into<String>, section: Section, flash: &FlashQuery) -> Shell {
        let done = flash.done.as_deref().and_then(flash_notice);
        let shell = self.shell(title, section);
        // Trouble that lasts is more important than the outcome of an action.
        if shell.flash.is_some() { shell } else { shell.with_flash(done) }
    }

    /// A moment as this person reads it.
    pub fn when(&self, at: Instant) -> When {
        let offset_minutes = (self.calendar.local_micros(at) - at.0) / 60_000_000;
        let offset_minutes = i32::try_from(offset_minutes).unwrap_or_default();
        format::when(at, self.now, offset_minutes, &self.tenant.time_zone)
    }

    pub fn when_us(&self, at_us: Option<i64>) -> Option<When> {
        at_us.map(|at| self.when(Instant(at)))
    }

    /// `3 Mar 2026 14:05`, in the tenant's zone.
    pub fn date_and_time(&self, at: Instant) -> String {
        Instant(self.calendar.local_micros(at)).to_utc().format("%-d %b %Y %H:%M").to_string()
    }

    /// What they sign in as.
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    pub const fn preferences(&self) -> Preferences {
        self.preferences
    }

    pub fn now(&self) -> Instant {
        self.now
    }

    /// Today in the tenant's zone.
    pub fn today(&self) -> LocalDate {
        self.day_of(self.now)
    }

    /// The business day of a moment.
    pub fn day_of(&self, moment: Instant) -> LocalDate {
        self.calendar.business_date(moment)
    }
}

/// Whoever looks, the tenants that they belong to, and what they prefer.
async fn read_person(
    app: &App,
    user: UserId,
) -> AppResult<(Option<user::Model>, Vec<tenant::Model>, Preferences)> {
    let tx = app.db.system_read().await?;
    let row = tx.find::<user::Entity>().filter(user::Column::Id.eq(user.0)).one(&tx).await?;
    Ok((row, tenants_of(&tx, user).await?, Preferences::of(&tx, user).await?))
}

/// Back to a page, with a word about what was done.
pub fn redirect_after(path: &str, done: &str) -> Response {
    Redirect::to(&format!("{path}?done={done}")).into_response()
}

fn flash_notice(code: &str) -> Option<Notice> {
    let (title, text) = match code {
        "sync-started" => ("Sync started", "It runs in the background; this page can be left."),
        "sync-paused" => ("Pausing", "The sync stops after the page it is at."),
        "sync-resumed" => ("Resumed", "The sync goes on where it stood."),
        "sync-cancelled" => ("Cancelling", "What has been imported stays."),
        "replay-started" => (
            "Reading stored data again",
            "It runs in the background, behind syncs; nothing is asked of the channel.",
        ),
        "replay-cancelled" => ("Cancelled", "What was read again stays so; the rest is as it was."),
        "shadow-started" => {
            ("Comparing", "Both versions read the newest stored pages; nothing changes by it.")
        }
        "shadow-cancelled" => ("Cancelled", "Nothing has been changed."),
        "build-switched" => ("Switched", "Stored pages are read again with the other version, behind syncs."),
        "build-rolled-back" => ("Gone back", "Stored pages are read again with the version before."),
        "deletes-confirmed" => ("Gone", "The documents count as deleted at the channel from now on."),
        "connection-created" => ("Connected", "The first sync has started; orders appear while it runs."),
        "connection-waits-for-files" => {
            ("Connected", "Upload a file below; its columns can be looked at first.")
        }
        "file-waits" => ("File taken in", "It waits. Look at its columns, then import it."),
        "mapping-saved" => {
            ("Columns saved", "They apply to files that are read from now on: sync to read those that wait.")
        }
        "settings-saved" => ("Saved", "The new settings apply from the next sync on."),
        "rates-stored" => ("Imported", "The rates count in every answer from now on."),
        "rate-policy-saved" => {
            ("Saved", "Answers are converted by it from now on, those about the past as well.")
        }
        "company-saved" => ("Saved", "It counts on every page from now on."),
        "invitation-withdrawn" => ("Withdrawn", "The link leads nowhere any more."),
        "roles-saved" => ("Saved", "What they may do has changed, from their next click on."),
        "person-banned" => ("Banned", "What they had open here has ended. Their roles stay for later."),
        "person-let-in" => ("Let in again", "They may sign in, with the roles that they had."),
        "person-signed-out" => ("Signed out", "What they had open here has ended. They may sign in again."),
        "person-removed" => ("Removed", "They belong to the company no more. What they did stays."),
        "team-made" => ("Made", "Now say who is in it, and which roles they hold by it."),
        "team-saved" => ("Saved", "What its members may do has changed, from their next click on."),
        "team-deleted" => ("Deleted", "Nobody was removed; what they held by the team alone is gone."),
        "policy-saved" => ("Saved", "It counts for everybody it applies to, from their next click on."),
        "policy-deleted" => ("Deleted", "Whoever it applied to sees what it kept from them."),
        "privacy-export-asked" => {
            ("Gathering", "What is stored is ready in some minutes; it can be taken below for seven days.")
        }
        "privacy-erase-asked" => ("Noted", "Until it begins it can be taken back below."),
        "privacy-erasing" => ("Erasing", "It is done in some minutes. Figures stay as they are."),
        "privacy-cancelled" => ("Taken back", "Nothing was done."),
        "privacy-retried" => ("Begun again", "How far it is, is said below."),
        "retention-saved" => ("Saved", "Whoever was not seen for longer is erased once a day."),
        "attributes-saved" => ("Saved", "Policies that ask for it count by it from the next click on."),
        "role-saved" => ("Saved", "It counts for everybody who holds it, from their next click on."),
        "role-deleted" => ("Deleted", "The role is gone."),
        "api-key-revoked" => ("Ended", "Whatever still sends the key is refused from now on."),
        "connection-paused" => ("Paused", "Nothing is fetched until you resume it."),
        "connection-resumed" => ("Resumed", "Scheduled syncs run again."),
        "connection-deleted" => ("Deleted", "The connection and its secrets are gone."),
        "client-made" => ("Made", "The company is there. Its owner lets others in."),
        "client-granted" => ("Let in", "They find the company among theirs, from their next click on."),
        "client-revoked" => ("Taken out", "They belong to the company no more. What they did stays."),
        "client-released" => ("Released", "The agency looks after the company no more."),
        "branding-saved" => ("Saved", "It holds for everybody from their next click on."),
        "branding-reset" => ("Taken back", "The company looks like Portolan again."),
        "domain-added" => ("Added", "Make the record below where the domain is managed, then look for it."),
        "domain-verified" => ("Verified", "Your company is reached under this domain."),
        "domain-looked" => ("Not seen", "What the look said stands beside the domain."),
        "domain-removed" => ("Removed", "Its door is closed."),
        "preferences-saved" => ("Saved", "It holds in every company that you belong to."),
        "security-saved" => ("Saved", "It holds from everybody's next click on."),
        "provider-added" => {
            ("Added", "Register the address below at the provider, then check whether it answers.")
        }
        "provider-saved" => ("Saved", "It counts for whoever signs in from now on."),
        "provider-deleted" => ("Deleted", "Nobody comes in by it any more."),
        "identity-linked" => ("Linked", "From now on you can sign in by it."),
        "identity-unlinked" => ("Unlinked", "Nobody signs in as you by it any more."),
        "password-changed" => ("Password changed", "Your other sessions have ended."),
        "second-factor-required" => (
            "A second factor is needed",
            "Your company asks for one. Set it up below; then everything else opens.",
        ),
        "passkey-added" => ("Passkey added", "It opens your account from now on."),
        "passkey-renamed" => ("Renamed", "The passkey is listed under its new name."),
        "passkey-removed" => ("Passkey removed", "It opens your account no more."),
        "second-factor-off" => (
            "Second factor off",
            "From now on your password alone lets somebody in. Set up another one soon.",
        ),
        "recovery-code-used" => {
            ("Signed in with a recovery code", "It opens nothing any more. How many are left is said below.")
        }
        "device-forgotten" => ("Forgotten", "A code is asked for in that browser again."),
        "session-ended" => ("Ended", "Whoever uses that browser has to sign in again."),
        "sessions-ended" => ("Ended", "All your other sessions are over."),
        "file-removed" => ("File taken away", "Correct it and upload it again, or go on with the next one."),
        "file-taken" => ("File taken in", "Its rows are imported now; this page can be left."),
        _ => return None,
    };
    let warns = ["second-factor-required", "domain-looked"].contains(&code);
    let tone = if warns { Tone::Warn } else { Tone::Good };
    Some(Notice::new(tone, title, text))
}
