//! Form fields and actions. Every form posts without a script.

use askama::Template;
use askama::filters::HtmlSafe;

/// One choice of a select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectOption {
    pub value: String,
    pub text: String,
    pub selected: bool,
}

impl SelectOption {
    pub fn new(value: impl Into<String>, text: impl Into<String>, selected: bool) -> Self {
        Self { value: value.into(), text: text.into(), selected }
    }
}

/// A secret that is already stored: it is never shown, only when and by whom it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretState {
    pub set_on: String,
    pub set_by: String,
}

/// What kind of input a field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    Text {
        value: String,
        placeholder: Option<String>,
    },
    Number {
        value: String,
        min: Option<String>,
        max: Option<String>,
        step: Option<String>,
    },
    Date {
        value: String,
    },
    Select {
        options: Vec<SelectOption>,
    },
    Checkbox {
        checked: bool,
    },
    /// Write-only. Empty means: keep what is stored.
    Secret {
        stored: Option<SecretState>,
    },
    TextArea {
        value: String,
        rows: u8,
    },
    /// The form must be sent as multipart.
    File {
        accept: Option<String>,
    },
}

/// One field: label above, help below, error beside it in words that say what to do.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "_field.html")]
pub struct FormField {
    pub name: String,
    pub label: String,
    pub help: Option<String>,
    pub error: Option<String>,
    pub required: bool,
    pub kind: FieldKind,
}
impl HtmlSafe for FormField {}

impl FormField {
    pub fn new(name: impl Into<String>, label: impl Into<String>, kind: FieldKind) -> Self {
        Self { name: name.into(), label: label.into(), help: None, error: None, required: false, kind }
    }

    pub fn text(name: impl Into<String>, label: impl Into<String>, value: impl Into<String>) -> Self {
        Self::new(name, label, FieldKind::Text { value: value.into(), placeholder: None })
    }

    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn with_error(mut self, error: Option<String>) -> Self {
        self.error = error;
        self
    }

    /// A choice always has a value; only what may stay empty says so.
    pub(crate) fn says_optional(&self) -> bool {
        !self.required && !matches!(self.kind, FieldKind::Select { .. } | FieldKind::Checkbox { .. })
    }

    /// Ids of help and error, for `aria-describedby`.
    pub(crate) fn described_by(&self) -> String {
        let mut ids = Vec::new();
        if self.error.is_some() {
            ids.push(format!("{}-error", self.name));
        }
        if self.help.is_some() {
            ids.push(format!("{}-help", self.name));
        }
        ids.join(" ")
    }
}

/// What a form is made of: fields, and groups of them.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = "{% match self %}{% when FormItem::Field(field) %}{{ field }}{% when FormItem::Group(group) %}{{ group }}{% endmatch %}"
)]
pub enum FormItem {
    Field(FormField),
    Group(FieldGroup),
}
impl HtmlSafe for FormItem {}

/// A fault as the summary above a form tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormFault {
    /// Of the field or group: its element has this id.
    pub name: String,
    /// With the groups around it: "Orders › Columns › Date".
    pub label: String,
    pub error: String,
}

/// Fields that belong together, or a list that grows and shrinks. Nothing of it needs a script.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "_group.html")]
pub struct FieldGroup {
    /// The path of what it holds: its id, and the beginning of its fields' names.
    pub name: String,
    pub legend: String,
    pub help: Option<String>,
    pub error: Option<String>,
    /// Whether the group can be folded away, and if so whether it is open.
    pub folded: Option<bool>,
    pub items: Vec<FormItem>,
    /// Present where the items are the entries of a list.
    pub list: Option<FieldList>,
}
impl HtmlSafe for FieldGroup {}

/// How a list of entries changes: its buttons send the form as `_list=add:NAME` or `_list=remove:NAME.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldList {
    /// Absent where the list is as long as it may be.
    pub add: Option<String>,
}

impl FieldGroup {
    pub fn new(name: impl Into<String>, legend: impl Into<String>, items: Vec<FormItem>) -> Self {
        Self {
            name: name.into(),
            legend: legend.into(),
            help: None,
            error: None,
            folded: None,
            items,
            list: None,
        }
    }

    fn with_folds_opened(&mut self) {
        if self.folded.is_some() {
            self.folded = Some(true);
        }
    }
}

impl From<FormField> for FormItem {
    fn from(field: FormField) -> Self {
        Self::Field(field)
    }
}

impl FormItem {
    pub fn name(&self) -> &str {
        match self {
            Self::Field(field) => &field.name,
            Self::Group(group) => &group.name,
        }
    }

    /// Puts a message beside the field or group of this name, and unfolds what it stands in.
    ///
    /// Gives whether there is such a field.
    pub fn set_error(&mut self, name: &str, message: &str) -> bool {
        let add = |error: &mut Option<String>| {
            *error = Some(match error.take() {
                Some(known) => format!("{known} {message}"),
                None => message.to_owned(),
            });
        };
        match self {
            Self::Field(field) if field.name == name => add(&mut field.error),
            Self::Field(_) => return false,
            Self::Group(group) => {
                if group.name == name {
                    add(&mut group.error);
                } else if !group.items.iter_mut().any(|item| item.set_error(name, message)) {
                    return false;
                }
                group.with_folds_opened();
            }
        }
        true
    }

    /// Every message in the order of the form.
    pub fn faults(&self) -> Vec<FormFault> {
        let fault = |name: &str, label: &str, error: &String| FormFault {
            name: name.to_owned(),
            label: label.to_owned(),
            error: error.clone(),
        };
        match self {
            Self::Field(field) => {
                field.error.iter().map(|error| fault(&field.name, &field.label, error)).collect()
            }
            Self::Group(group) => {
                let own = group.error.iter().map(|error| fault(&group.name, &group.legend, error));
                let inner =
                    group.items.iter().flat_map(Self::faults).map(|inner| FormFault {
                        label: format!("{} › {}", group.legend, inner.label),
                        ..inner
                    });
                own.chain(inner).collect()
            }
        }
    }

    pub(crate) fn has_file(&self) -> bool {
        match self {
            Self::Field(field) => matches!(field.kind, FieldKind::File { .. }),
            Self::Group(group) => group.items.iter().any(Self::has_file),
        }
    }
}

/// A button that posts; destructive ones ask for the name of what they destroy.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "_action.html")]
pub struct PostAction {
    pub href: String,
    pub label: String,
    pub style: ActionStyle,
    /// Must be typed to confirm; sent as `confirm`.
    pub confirm_name: Option<String>,
    /// What the action does, said where it is confirmed.
    pub help: Option<String>,
}
impl HtmlSafe for PostAction {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ActionStyle {
    #[default]
    Normal,
    Primary,
    Danger,
}

impl PostAction {
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            href: href.into(),
            label: label.into(),
            style: ActionStyle::Normal,
            confirm_name: None,
            help: None,
        }
    }

    pub fn primary(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { style: ActionStyle::Primary, ..Self::new(label, href) }
    }

    /// A destructive action; `name` has to be typed.
    pub fn danger(
        label: impl Into<String>,
        href: impl Into<String>,
        name: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            style: ActionStyle::Danger,
            confirm_name: Some(name.into()),
            help: Some(help.into()),
            ..Self::new(label, href)
        }
    }

    pub(crate) fn css(&self) -> &'static str {
        match self.style {
            ActionStyle::Normal => "",
            ActionStyle::Primary => "primary",
            ActionStyle::Danger => "danger",
        }
    }
}
