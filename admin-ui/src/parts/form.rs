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
