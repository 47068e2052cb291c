//! `portolan mail`: whether mail goes out.

use anyhow::Result;
use portolan_app::mail::{jobs, outbox};

use super::print_line;
use super::user::sentence;
use crate::mail_options::MailCommand;
use crate::wire::Portolan;

pub async fn run(command: MailCommand) -> Result<()> {
    match command {
        MailCommand::Test { place, address } => {
            let portolan = Portolan::open(&place).await?;
            jobs::send_test(&portolan.app, &address).await.map_err(sentence)?;
            print_line("The mail server took it. Look whether it arrives, also among unwanted mail.")
        }
        MailCommand::Status { place } => {
            let portolan = Portolan::open(&place).await?;
            let mails = outbox::list(&portolan.app).await.map_err(sentence)?;
            if mails.is_empty() {
                return print_line("No mail waits.");
            }
            for mail in mails {
                let state = if mail.failed_at.is_some() { "given up" } else { "waits" };
                let why = mail.last_error.map(|why| format!("\t{why}")).unwrap_or_default();
                print_line(&format!("{}\t{}\t{state}{why}", mail.created_at, mail.kind))?;
            }
            Ok(())
        }
        MailCommand::Retry { place } => {
            let portolan = Portolan::open(&place).await?;
            let mails = outbox::send_again(&portolan.app).await.map_err(sentence)?;
            print_line(&format!("{mails} mails that were given up wait again: the server sends them."))
        }
    }
}
