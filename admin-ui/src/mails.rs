//! Mails: the same words as text and as HTML. Nothing in them is loaded from elsewhere.

use askama::Template;

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub title: String,
    pub paragraphs: Vec<String>,
    pub link: Option<MailLink>,
    /// Who sends it, and what whoever did not ask for it should do.
    pub end: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailLink {
    pub text: String,
    pub href: String,
}

/// For whoever reads text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(path = "mail.txt")]
pub struct MailText<'a> {
    pub mail: &'a Mail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(path = "mail.html")]
pub struct MailHtml<'a> {
    pub mail: &'a Mail,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text_in_a_mail() {
        let link =
            MailLink { text: "Join \"Harbour\"".into(), href: "https://portolan.example/i/<x>\"".into() };
        let mail = Mail {
            title: "<script>alert(1)</script>".into(),
            paragraphs: vec!["Harbour & <b>Sons</b>".into()],
            link: Some(link),
            end: "Sent by Portolan.".into(),
        };
        let html = MailHtml { mail: &mail }.render().expect("it renders");
        assert!(!html.contains("<script>") && !html.contains("<b>") && !html.contains("<x>"), "{html}");
        let text = MailText { mail: &mail }.render().expect("it renders");
        assert!(text.contains("Harbour & <b>Sons</b>") && text.contains("https://portolan.example/i/<x>\""));
    }
}
