//! Which column of a file holds what, with what its first rows would become.

use askama::Template;

use super::{ConnectionFormPage, EXTREME_TEXT, UploadForm};
use crate::parts::{
    Badge, Fact, FieldGroup, FieldKind, FormFault, FormField, FormItem, Link, Notice, Section, Shell, Tone,
};

/// The beginning of a file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileLook {
    /// Its name, its encoding, its delimiter, where its header is.
    pub facts: Vec<Fact>,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// A document that rows would become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewRow {
    /// "order", "refund".
    pub kind: String,
    pub key: String,
    /// As it was read: "3 Mar 2026 14:05".
    pub date: String,
    /// "3 lines, 5 units".
    pub lines: String,
    /// With its currency.
    pub amount: String,
    pub customer: String,
    pub country: String,
}

/// A row that would be put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewFault {
    /// "row 3".
    pub place: String,
    /// The column, where one is to blame.
    pub column: String,
    pub reason: String,
}

/// What the mapping makes of the first rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewView {
    pub state: Badge,
    /// "12 documents of 20 rows; 2 rows would be put aside."
    pub summary: String,
    pub rows: Vec<PreviewRow>,
    pub faults: Vec<PreviewFault>,
}

/// `GET` and `POST /connections/{id}/mapping/{stream}`.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "connection_mapping.html")]
pub struct ConnectionMappingPage {
    pub shell: Shell,
    pub connection: Link,
    pub action: String,
    pub revision: String,
    pub notice: Option<Notice>,
    /// Files that wait for this stream, and the one that is looked at.
    pub files: Vec<Link>,
    /// The upload that is looked at; empty for lines that were pasted.
    pub file: String,
    pub pasted: String,
    pub upload: UploadForm,
    /// Absent until there is something to look at.
    pub look: Option<FileLook>,
    /// What a person should look at before they trust the suggestion.
    pub notes: Vec<String>,
    pub error: Option<String>,
    pub fields: Vec<FormItem>,
    pub preview: Option<PreviewView>,
    /// Whether a file waits that can be imported at once.
    pub can_import: bool,
}

impl ConnectionMappingPage {
    fn faults(&self) -> Vec<FormFault> {
        self.fields.iter().flat_map(FormItem::faults).collect()
    }

    pub fn sample() -> Self {
        let id = "01932f1c-0000-7000-8000-000000000001";
        let dropped = [("4b756e6465", "Kunde"), ("452d4d61696c", "E-Mail")].map(|(hex, column)| {
            FormItem::from(FormField::new(
                format!("_drop.{hex}"),
                column,
                FieldKind::Checkbox { checked: true },
            ))
        });
        let mut fields: Vec<FormItem> = ConnectionFormPage::sample_fields().into_iter().skip(8).collect();
        fields.push(FormItem::Group(FieldGroup::new("orders.personal", "Personal columns", dropped.into())));
        Self {
            shell: Shell::new("Columns of orders", Section::Connections, "Harbour & Sons", "owner"),
            connection: Link::new("Till export", format!("/connections/{id}")),
            action: format!("/connections/{id}/mapping/orders"),
            revision: "5f2b8c0d".into(),
            notice: None,
            files: vec![Link::new("verkauf.csv", "#")],
            file: "01932f1c-0000-7000-8000-00000000000f".into(),
            pasted: String::new(),
            upload: UploadForm {
                action: format!("/connections/{id}/uploads"),
                fields: Vec::new(),
                can_look: true,
            },
            look: Some(FileLook {
                facts: vec![
                    Fact::new("File", "verkauf.csv"),
                    Fact::new("Encoding", "windows-1252"),
                    Fact::new("Delimiter", "semicolon"),
                    Fact::new("Header", "line 3"),
                ],
                columns: ["Beleg-Nr.", "Datum", "Menge", "Einzelpreis", "Kunde"].map(String::from).to_vec(),
                rows: vec![["1001", "03.03.2026", "2", "1.234,50", "Müller"].map(String::from).to_vec(); 5],
            }),
            notes: vec!["No column names a currency, so EUR is filled in.".into()],
            error: None,
            fields,
            preview: Some(PreviewView {
                state: Badge::new("readable", Tone::Good),
                summary: "4 documents of 5 rows; 1 row would be put aside.".into(),
                rows: vec![
                    PreviewRow {
                        kind: "order".into(),
                        key: "1001".into(),
                        date: "3 Mar 2026".into(),
                        lines: "1 line".into(),
                        amount: "2\u{202f}469.00\u{202f}EUR".into(),
                        customer: "–".into(),
                        country: "DE".into(),
                    };
                    4
                ],
                faults: vec![PreviewFault {
                    place: "row 3".into(),
                    column: "Einzelpreis".into(),
                    reason: "\"gratis\" is not a number with the decimal mark ','".into(),
                }],
            }),
            can_import: true,
        }
    }

    pub fn sample_empty() -> Self {
        Self {
            look: None,
            fields: Vec::new(),
            preview: None,
            notes: Vec::new(),
            files: Vec::new(),
            ..Self::sample()
        }
    }

    pub fn sample_extreme() -> Self {
        let mut page = Self::sample();
        if let Some(look) = &mut page.look {
            look.columns = vec![EXTREME_TEXT.into(); 12];
            look.rows = vec![vec![EXTREME_TEXT.into(); 12]; 5];
        }
        page.notes = vec![EXTREME_TEXT.into()];
        page
    }
}
