//! What stands in the forms of the privacy centre: what was typed, and why it was refused.

use portolan_admin_ui::parts::{FieldKind, FormField, SelectOption};
use uuid::Uuid;

use super::retention::Kept;
use crate::web::error::AppError;

/// What was typed, for a form that is shown again.
#[derive(Default)]
pub struct Typed {
    pub connection: String,
    pub customer_id: String,
    pub retention_connection: String,
    pub days: Option<String>,
    pub error: Option<AppError>,
}

impl Typed {
    fn error_of(&self, field: &str) -> Option<String> {
        let fields = self.error.iter().flat_map(|error| &error.fields);
        fields.into_iter().find(|found| found.path == field).map(|found| found.message.clone())
    }

    /// Beside the confirmation of what is done at once.
    pub fn confirm_error(&self) -> Option<String> {
        self.error_of("confirm")
    }

    /// Whom to look for.
    pub fn find(&self, kept: &[Kept]) -> Vec<FormField> {
        vec![
            FormField::new("connection_id", "Connection", connections(kept, &self.connection))
                .with_error(self.error_of("connection_id")),
            FormField::text("customer_id", "Customer's id at the channel", self.customer_id.as_str())
                .required()
                .with_help("As the channel shows it: no mail address, no order number.")
                .with_error(self.error_of("customer_id")),
        ]
    }

    /// How long customers of a connection are kept; what is set where nothing was typed.
    pub fn retention(&self, kept: &[Kept]) -> Vec<FormField> {
        let set = kept.iter().find(|row| row.connection.id.to_string() == self.retention_connection);
        let set = set.or(kept.first()).and_then(Kept::retention_days);
        let value = self.days.clone().or(set.map(|days| days.to_string())).unwrap_or_default();
        let days = FieldKind::Number {
            value,
            min: Some("1".to_owned()),
            max: Some("3650".to_owned()),
            step: Some("1".to_owned()),
        };
        vec![
            FormField::new(
                "retention_connection_id",
                "Connection",
                connections(kept, &self.retention_connection),
            )
            .with_error(self.error_of("retention_connection_id")),
            FormField::new("days", "Days after they were seen last", days)
                .with_help("1 to 3650. Nothing: they are kept without an end.")
                .with_error(self.error_of("days")),
        ]
    }
}

fn connections(kept: &[Kept], chosen: &str) -> FieldKind {
    let option = |row: &Kept| {
        let id = row.connection.id.to_string();
        let selected = id == chosen;
        SelectOption::new(id, row.connection.label.as_str(), selected)
    };
    FieldKind::Select { options: kept.iter().map(option).collect() }
}

/// The label of a connection, where it still is there.
pub fn label_of(kept: &[Kept], id: Uuid) -> Option<&str> {
    kept.iter().find(|row| row.connection.id == id).map(|row| row.connection.label.as_str())
}
