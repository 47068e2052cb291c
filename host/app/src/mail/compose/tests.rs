use portolan_admin_ui::mails::MailLink;
use proptest::prelude::*;

use super::*;

fn mailer() -> Mailer {
    let smtp = "smtp://127.0.0.1:1".parse().expect("an address");
    let from = "Portolan <portolan@example.com>".parse().expect("a mailbox");
    Mailer::new(&smtp, None, from, "https://portolan.example".parse().expect("an address")).expect("a mailer")
}

/// The names of the headers, as whoever reads the mail splits them.
fn headers(message: &Message) -> Vec<String> {
    let bytes = message.formatted();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, _) = text.split_once("\r\n\r\n").expect("a head and a body");
    let lines = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    let mut names: Vec<String> =
        lines.map(|line| line.split(':').next().unwrap_or_default().to_lowercase()).collect();
    names.sort();
    assert!(!head.replace("\r\n", "").contains(['\r', '\n']), "a bare line break: {head:?}");
    names
}

const HEADERS: [&str; 8] =
    ["auto-submitted", "content-type", "date", "from", "message-id", "mime-version", "subject", "to"];

proptest! {
    #[test]
    fn nothing_that_somebody_named_becomes_a_header(
        name in "(\\PC|\r|\n|:|@|<|>|,){0,60}",
        subject in "(\\PC|\r|\n|:){0,120}",
        text in "(\\PC|\r|\n|<|&|\"){0,200}",
        sender in prop::option::of("(\\PC|\r|\n|:|@|<|>|,|\"){0,60}"),
    ) {
        let to = mailbox_of(&name).unwrap_or_else(|| mailbox_of("ada@example.com").expect("an address"));
        let link = MailLink { text: text.clone(), href: format!("https://portolan.example/{text}") };
        let mail = Mail { title: subject.clone(), paragraphs: vec![text], link: Some(link), end: String::new() };
        let words = Words { to: to.clone(), from_name: sender, subject, mail };
        let message = message(&mailer(), Uuid::nil(), Instant::from_unix_ms(1_780_000_000_000), &words).expect("a mail");
        prop_assert_eq!(headers(&message), HEADERS);
        let envelope: Vec<String> = message.envelope().to().iter().map(ToString::to_string).collect();
        prop_assert_eq!(envelope, [to.email.to_string()]);
        // Whatever it is called, it comes from the operator's address.
        let from = message.envelope().from().map(ToString::to_string);
        prop_assert_eq!(from.as_deref(), Some("portolan@example.com"));
    }

    #[test]
    fn a_mailbox_is_the_whole_text_or_none(name in "(\\PC|\r|\n|:|@|<|>|,| |a|b|\\.){0,80}") {
        if let Some(mailbox) = mailbox_of(&name) {
            prop_assert_eq!(mailbox.email.to_string(), name);
            prop_assert_eq!(mailbox.name, None);
        }
    }
}

#[test]
fn what_is_no_single_address_is_none() {
    for name in [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@exa mple.com",
        "ada@example.com\0",
        "ädä@example.com",
    ] {
        assert!(mailbox_of(name).is_none(), "{name:?}");
    }
    assert!(mailbox_of(&format!("{}@example.com", "a".repeat(300))).is_none());
    assert!(mailbox_of("ada.lovelace+shop@mail.example.com").is_some());
}
