//! The page on which columns are chosen.

use std::collections::BTreeMap;
use std::sync::Arc;

use portolan_admin_ui::format;
use portolan_admin_ui::pages::{
    ConnectionMappingPage, FileLook, PreviewFault, PreviewRow, PreviewView, UploadForm,
};
use portolan_admin_ui::parts::{
    Badge, Fact, FieldKind, FormField, FormItem, Link, Section, SelectOption, Tone,
};
use portolan_commerce::document::{Document, Moment};
use portolan_connector::{FieldError, InstalledPlugin};
use portolan_core::{ConnectionId, Instant, TenantId};
use portolan_db::entity::{connection, upload};
use serde_json::Value;
use uuid::Uuid;

use super::preview::{self, Draft};
use super::suggest::file_part;
use super::{Sample, boxes, sniff};
use crate::App;
use crate::connections::detail::upload_form;
use crate::connections::form::schema::{Node, Shape, join};
use crate::connections::form::{Fields, Typed, place_errors};
use crate::ingest::head::DocumentHead;
use crate::web::error::AppResult;
use crate::web::viewer::Viewer;

/// Rows and documents that are shown.
const SHOWN: usize = 8;

/// A stream's mapping, about to be chosen.
pub struct MappingForm {
    pub connection: connection::Model,
    pub plugin: InstalledPlugin,
    /// Of the stream's part of the config.
    pub schema: Value,
    pub stream: String,
    pub revision: String,
    /// Files of this stream that wait, newest first.
    pub waiting: Vec<upload::Model>,
}

impl MappingForm {
    pub fn config(&self) -> Value {
        serde_json::from_str(&self.connection.config).unwrap_or_default()
    }

    pub fn upload(&self, id: Uuid) -> Option<upload::Model> {
        self.waiting.iter().find(|upload| upload.id == id).cloned()
    }

    /// The stored mapping, if it maps columns and the file has them all.
    pub fn stored_for(&self, head: &sniff::Head) -> Option<Typed> {
        let typed = Typed::of_config(Node::root(&self.schema), &self.config());
        let paths = ColumnPaths::of(&self.schema);
        let mapped: Vec<&str> = paths.fields.iter().filter_map(|path| typed.get(path)).collect();
        let has = |column: &&str| head.columns.iter().any(|known| known == column);
        (!mapped.is_empty() && mapped.iter().all(has)).then_some(typed)
    }

    /// The checkboxes "dropped" as the list that the settings keep, in the order of the file.
    ///
    /// A ticked name stays also where the file, read as it is now typed, has no such column; so does what other
    /// files of the stream made personal.
    pub fn take_dropped_columns(&self, typed: &mut Typed, head: &[u8]) {
        let Some(list) = part_path(Node::root(&self.schema), "", "dropped_columns") else { return };
        if !typed.text(&list).trim().is_empty() {
            return; // The whole list stood there as JSON.
        }
        let columns = self.read(typed, head).columns;
        let mut entries = boxes::ticked(typed);
        entries.sort_by_key(|entry| columns.iter().position(|column| column == entry).unwrap_or(usize::MAX));
        for kept in self.kept_personal(&list, &columns) {
            if !entries.contains(&kept) {
                entries.push(kept);
            }
        }
        typed.set_list(&list, entries);
    }

    /// Stored names of this list that the file has no column for: its boxes say nothing about them.
    fn kept_personal(&self, list: &str, columns: &[String]) -> Vec<String> {
        let config = self.config();
        let stored = config.pointer(&format!("/{}", list.replace('.', "/"))).and_then(Value::as_array);
        let names = stored.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        names.filter(|name| !columns.contains(name)).collect()
    }

    /// How the form says that the file is written; what it leaves open is detected.
    fn dialect(&self, typed: &Typed, head: &[u8]) -> sniff::Dialect {
        let mut dialect = sniff::dialect(head);
        let said = |part: &str| {
            let path = part_path(Node::root(&self.schema), "", part)?;
            typed.get(&path).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        if let Some(encoding) =
            said("encoding").and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()))
            && encoding.is_ascii_compatible()
        {
            dialect.encoding = encoding;
        }
        match said("delimiter").as_deref().map(str::as_bytes) {
            Some(b"\\t" | b"tab") => dialect.delimiter = b'\t',
            Some([byte]) if byte.is_ascii() => dialect.delimiter = *byte,
            _ => {}
        }
        if let Some(lines) = said("skip_lines").and_then(|lines| lines.parse().ok()) {
            dialect.skip_lines = lines;
        }
        dialect
    }

    fn read(&self, typed: &Typed, head: &[u8]) -> sniff::Head {
        sniff::read_head(sniff::whole_lines(head), self.dialect(typed, head))
    }

    pub fn empty_page(&self, viewer: &Viewer) -> ConnectionMappingPage {
        let here = format!("/connections/{}", self.connection.id);
        let upload = upload_form(ConnectionId(self.connection.id), &self.plugin.manifest, Some(&self.stream));
        ConnectionMappingPage {
            shell: viewer.shell(format!("Columns of {}", self.stream), Section::Connections),
            connection: Link::new(self.connection.label.as_str(), here.as_str()),
            action: format!("{here}/mapping/{}", self.stream),
            revision: self.revision.clone(),
            notice: None,
            files: self
                .waiting
                .iter()
                .map(|upload| {
                    Link::new(
                        upload.name.as_str(),
                        format!("{here}/mapping/{}?file={}", self.stream, upload.id),
                    )
                })
                .collect(),
            file: String::new(),
            pasted: String::new(),
            upload: upload.unwrap_or(UploadForm {
                action: format!("{here}/uploads"),
                fields: Vec::new(),
                can_look: true,
            }),
            look: None,
            notes: Vec::new(),
            error: None,
            fields: Vec::new(),
            preview: None,
            can_import: false,
        }
    }

    pub fn page(
        &self,
        viewer: &Viewer,
        sample: &Sample,
        typed: &Typed,
        errors: &[FieldError],
    ) -> ConnectionMappingPage {
        let dialect = self.dialect(typed, &sample.head);
        let head = self.read(typed, &sample.head);
        let stored = BTreeMap::new();
        let mut fields = Fields { typed, stored: &stored }.of_schema(&self.schema);
        let paths = ColumnPaths::of(&self.schema);
        let dropped = part_path(Node::root(&self.schema), "", "dropped_columns");
        let dropped = dropped.map(|list| Dropped { kept: self.kept_personal(&list, &head.columns), list });
        for item in &mut fields {
            offer_columns(item, &paths, dropped.as_ref(), &head.columns);
        }
        let general = place_errors(&mut fields, errors);
        ConnectionMappingPage {
            file: sample.upload.as_ref().map(|upload| upload.id.to_string()).unwrap_or_default(),
            pasted: sample.pasted.clone(),
            look: Some(file_look(sample, dialect, &head)),
            error: (!general.is_empty()).then(|| general.join(" ")),
            fields,
            can_import: sample.upload.is_some(),
            ..self.empty_page(viewer)
        }
    }

    /// The page, with what the plugin makes of the first rows; its findings stand beside their fields.
    pub async fn page_with_preview(
        &self,
        app: &Arc<App>,
        viewer: &Viewer,
        sample: &Sample,
        typed: &Typed,
        config: &Value,
    ) -> AppResult<ConnectionMappingPage> {
        let errors =
            self.plugin.manifest.validate_change(&self.config(), config, &[]).err().unwrap_or_default();
        if !errors.is_empty() {
            return Ok(self.page(viewer, sample, typed, &errors));
        }
        let draft = Draft {
            tenant: TenantId(self.connection.tenant_id),
            connection: ConnectionId(self.connection.id),
            plugin: &self.plugin,
            config,
            time_zone: &self.connection.time_zone,
            stream: &self.stream,
            file_name: &sample.name,
        };
        match preview::preview(app, &draft, &sample.head).await {
            Ok(seen) => {
                let page = self.page(viewer, sample, typed, &[]);
                Ok(ConnectionMappingPage { preview: Some(preview_view(&seen)), ..page })
            }
            Err(error) if !error.fields.is_empty() => Ok(self.page(viewer, sample, typed, &error.fields)),
            Err(error) if error.status.is_server_error() && error.code == "internal" => Err(error),
            Err(error) => {
                let page = self.page(viewer, sample, typed, &[]);
                Ok(ConnectionMappingPage { error: Some(error.detail), ..page })
            }
        }
    }
}

/// Where the form names columns of the file.
#[derive(Default)]
struct ColumnPaths {
    /// Fields that name one column each.
    fields: Vec<String>,
    /// Lists of names.
    lists: Vec<String>,
}

impl ColumnPaths {
    fn of(schema: &Value) -> Self {
        let mut paths = Self::default();
        paths.collect(Node::root(schema), "");
        paths
    }

    fn collect(&mut self, node: Node<'_>, path: &str) {
        match node.shape() {
            Shape::Object(properties) => {
                for property in properties {
                    self.collect(property.node, &join(path, property.name));
                }
            }
            Shape::List { item, .. } if file_part(item) == Some("column") => self.lists.push(path.to_owned()),
            _ if file_part(node) == Some("column") => self.fields.push(path.to_owned()),
            _ => {}
        }
    }
}

/// The path of the field that is about this part of a file.
fn part_path(node: Node<'_>, path: &str, part: &str) -> Option<String> {
    let Shape::Object(properties) = node.shape() else { return None };
    properties.into_iter().find_map(|property| {
        let below = join(path, property.name);
        if file_part(property.node) == Some(part) {
            Some(below)
        } else {
            part_path(property.node, &below, part)
        }
    })
}

/// The list of columns that are dropped.
struct Dropped {
    /// Its path.
    list: String,
    /// Names in it that the file has no column for.
    kept: Vec<String>,
}

/// Inputs for names of columns become choices among the file's.
fn offer_columns(item: &mut FormItem, paths: &ColumnPaths, dropped: Option<&Dropped>, known: &[String]) {
    match item {
        FormItem::Group(group) => {
            if let Some(dropped) = dropped.filter(|dropped| dropped.list == group.name) {
                boxes::offer(group, known, &dropped.kept);
                return;
            }
            let is_list = paths.lists.contains(&group.name);
            for item in &mut group.items {
                match item {
                    FormItem::Field(field) if is_list => offer(field, known),
                    item => offer_columns(item, paths, dropped, known),
                }
            }
        }
        FormItem::Field(field) if paths.fields.contains(&field.name) => offer(field, known),
        FormItem::Field(_) => {}
    }
}

fn offer(field: &mut FormField, known: &[String]) {
    let FieldKind::Text { value, .. } = &field.kind else { return };
    let mut options = vec![SelectOption::new("", "– no column –", value.is_empty())];
    options.extend(known.iter().map(|column| SelectOption::new(column, column, column == value)));
    if !value.is_empty() && !known.contains(value) {
        options.push(SelectOption::new(value, format!("{value} (not in this file)"), true));
    }
    field.kind = FieldKind::Select { options };
}

fn file_look(sample: &Sample, dialect: sniff::Dialect, head: &sniff::Head) -> FileLook {
    let delimiter = match dialect.delimiter {
        b',' => "comma".to_owned(),
        b';' => "semicolon".to_owned(),
        b'\t' => "tab".to_owned(),
        b'|' => "bar".to_owned(),
        other => char::from(other).to_string(),
    };
    FileLook {
        facts: vec![
            Fact::new("Looked at", sample.name.as_str()),
            Fact::new("Encoding", dialect.encoding.name().to_lowercase()),
            Fact::new("Delimiter", delimiter),
            Fact::new("Header", format!("line {}", dialect.skip_lines + 1)),
            Fact::new("Columns", head.columns.len().to_string()),
        ],
        columns: head.columns.clone(),
        rows: head.rows.iter().take(5).cloned().collect(),
    }
}

fn preview_view(seen: &preview::Preview) -> PreviewView {
    let aside = seen.skipped.len();
    let state = match (seen.documents.is_empty(), aside) {
        (false, 0) => Badge::new("readable", Tone::Good),
        (false, _) => Badge::new("some rows are put aside", Tone::Warn),
        (true, _) => Badge::new("nothing can be read", Tone::Bad),
    };
    let count = |number: usize, one: &str| {
        let number_text = format::count(number as i64);
        if number == 1 { format!("{number_text} {one}") } else { format!("{number_text} {one}s") }
    };
    let summary = format!(
        "{} from {}; {} would be put aside. The last document may be cut off where the look at the file ends.",
        count(seen.documents.len(), "document"),
        count(seen.rows as usize, "row"),
        count(aside, "row"),
    );
    PreviewView {
        state,
        summary,
        rows: seen.documents.iter().take(SHOWN).map(preview_row).collect(),
        faults: seen
            .skipped
            .iter()
            .take(SHOWN)
            .map(|skipped| PreviewFault {
                place: format!("row {}", skipped.src + 1),
                column: skipped.path.clone().unwrap_or_default(),
                reason: skipped.reason.clone(),
            })
            .collect(),
    }
}

fn preview_row(document: &Document) -> PreviewRow {
    let head = DocumentHead::of(document);
    let or_missing = |text: Option<String>| text.unwrap_or_else(|| format::MISSING.to_owned());
    let lines = match document {
        Document::Order(order) => Some(order.lines.len()),
        Document::Refund(refund) => Some(refund.lines.len()),
        _ => None,
    };
    let amount = head.currency.zip(head.amount_minor);
    PreviewRow {
        kind: crate::ingest::entity_name(head.entity).replace('_', " "),
        key: head.key,
        date: or_missing(head.occurred_at.map(clock_text)),
        lines: or_missing(
            lines.map(|lines| format!("{lines} {}", if lines == 1 { "line" } else { "lines" })),
        ),
        amount: or_missing(amount.map(|(currency, minor)| format::money_with_code(minor, currency))),
        customer: or_missing(head.customer_key),
        country: or_missing(head.country),
    }
}

/// A moment as the file says it: by the store's own clock, or in UTC where the file names an offset.
fn clock_text(moment: Moment) -> String {
    let text = |micros: i64| Instant(micros).to_utc().format("%-d %b %Y %H:%M").to_string();
    match moment {
        Moment::At(at) => format!("{} UTC", text(at.0)),
        Moment::Local(local) => text(local),
    }
}
