//! The command line's words about mail.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::Place;

/// Where mail is handed in.
#[derive(Debug, Clone, Args)]
pub struct MailOptions {
    /// Mail server: smtps://user@mail.example (TLS), or smtp://user@mail.example (STARTTLS). Its password comes from
    /// --smtp-password-file or PORTOLAN_SMTP_PASSWORD.
    #[arg(long, env = "PORTOLAN_SMTP_URL", hide_env_values = true)]
    // Read later: what is wrong with it is told without quoting it, since a password may stand in it by mistake.
    pub smtp_url: Option<String>,
    /// File with the mail server's password, on its first line.
    #[arg(long, env = "PORTOLAN_SMTP_PASSWORD_FILE")]
    pub smtp_password_file: Option<PathBuf>,
    /// Who mails come from: "Portolan <portolan@example.com>"
    #[arg(long, env = "PORTOLAN_MAIL_FROM")]
    pub mail_from: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Send a test at once, and say what the mail server says.
    Test {
        #[command(flatten)]
        place: Place,
        /// To whom.
        address: String,
    },
    /// List mails that wait or were given up: kind and reason, not to whom.
    Status {
        #[command(flatten)]
        place: Place,
    },
    /// Have those sent again that were given up.
    Retry {
        #[command(flatten)]
        place: Place,
    },
}
