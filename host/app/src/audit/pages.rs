//! One event of the audit, and the look at all of it.

use std::sync::Arc;

use axum::extract::State;
use portolan_access::audit::Verification;
use portolan_admin_ui::format;
use portolan_admin_ui::pages::{AuditEventPage, AuditVerificationPage};
use portolan_admin_ui::parts::{Fact, Notice, Section, Tone};
use portolan_core::Instant;
use serde_json::Value;

use super::list::actor_text;
use super::{ops, queries};
use crate::App;
use crate::web::actor::{AuditRead, PageActor};
use crate::web::error::PageResult;
use crate::web::extract::Path;
use crate::web::html;
use crate::web::viewer::Viewer;

pub async fn show_event(
    PageActor(actor): PageActor<AuditRead>,
    State(app): State<Arc<App>>,
    Path(seq): Path<i64>,
) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let tx = app.db.read(actor.tenant).await?;
    let event = queries::find_event(&tx, seq).await?;
    let names = queries::names(&tx, std::slice::from_ref(&event)).await?;
    let mut facts = vec![
        Fact::new("When", viewer.when(Instant(event.at)).full),
        Fact::new("Who", actor_text(&event, &names)),
        Fact::new("What", event.action.as_str()),
        Fact::new("To what", format!("{} {}", event.subject_kind.replace('_', " "), event.subject_id)),
    ];
    let present = [
        ("From", event.address.clone()),
        ("Session", event.session_id.map(|id| id.to_string()).unwrap_or_default()),
        ("Request", event.request_id.clone()),
    ];
    facts.extend(
        present.into_iter().filter(|(_, text)| !text.is_empty()).map(|(label, text)| Fact::new(label, text)),
    );
    html(&AuditEventPage {
        shell: viewer.shell(format!("Event {}", format::count(event.seq)), Section::Audit),
        facts,
        before: event.before.as_deref().map(readable),
        after: event.after.as_deref().map(readable),
        previous_hash: event.previous_hash,
        hash: event.hash,
    })
}

pub async fn verify_audit(PageActor(actor): PageActor<AuditRead>, State(app): State<Arc<App>>) -> PageResult {
    let viewer = Viewer::load(&app, &actor).await?;
    let found = ops::verify(&app, actor.tenant, app.audit_anchors.as_deref()).await?;
    html(&AuditVerificationPage {
        shell: viewer.shell("Audit: does it hold?", Section::Audit),
        notice: notice(&found),
        facts: vec![
            Fact::new("Events as they were written", format::count(found.events)),
            Fact::new("Signed heads that were met", format::count(found.anchors)),
            Fact::new(
                "Held by a signature up to",
                match found.anchored_seq {
                    Some(seq) => format!("event {}", format::count(seq)),
                    None => "none yet: heads are signed once an hour".to_owned(),
                },
            ),
            Fact::new(
                "Copy outside of the database",
                if app.audit_anchors.is_some() {
                    "yes, compared"
                } else {
                    "none: start the server with --audit-anchors"
                },
            ),
        ],
        broken_href: found.broken.as_ref().map(|broken| format!("/admin/audit/{}", broken.seq)),
        public_keys: found.public_keys,
    })
}

fn notice(found: &Verification) -> Notice {
    match &found.broken {
        None => Notice::new(
            Tone::Good,
            "It holds",
            "Every event is there, follows the one before it and is as it was written.",
        ),
        Some(broken) => Notice::new(
            Tone::Bad,
            "It does not hold",
            format!(
                "The first broken place: {broken}. Keep a copy of the database and of the file of anchors as they are, and \
                 compare with a backup from before."
            ),
        ),
    }
}

/// JSON with a line for each field.
fn readable(text: &str) -> String {
    let value = serde_json::from_str::<Value>(text);
    value.ok().and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.to_owned())
}
