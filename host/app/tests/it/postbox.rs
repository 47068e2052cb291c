//! A mail server of a test's own: takes what is handed in and keeps it, or refuses.

use std::sync::{Arc, Mutex};

use portolan_app::mail::Mailer;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail as it was handed in.
#[derive(Debug, Clone)]
pub struct Delivered {
    pub to: Vec<String>,
    /// Headers and body, with the transfer encoding taken off as far as links go over lines.
    pub text: String,
}

impl Delivered {
    /// The first address in it that begins so.
    pub fn link(&self, start: &str) -> String {
        let at = self.text.find(start).unwrap_or_else(|| panic!("no {start} in {}", self.text));
        self.text[at..].split_whitespace().next().expect("a link").to_owned()
    }
}

/// The postbox, on a port of its own; it takes mail until it goes out of scope.
pub struct Postbox {
    port: u16,
    taken: Arc<Mutex<Vec<Delivered>>>,
    /// What is answered to a recipient; taken from the front, and `250` when it is empty.
    answers: Arc<Mutex<Vec<&'static str>>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Postbox {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (taken, answers) =
            (Arc::<Mutex<Vec<Delivered>>>::default(), Arc::<Mutex<Vec<&'static str>>>::default());
        let (in_task, answers_in_task) = (Arc::clone(&taken), Arc::clone(&answers));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (taken, answers) = (Arc::clone(&in_task), Arc::clone(&answers_in_task));
                tokio::spawn(async move { take(stream, &taken, &answers).await });
            }
        });
        Self { port, taken, answers, serving }
    }

    /// A way to it.
    pub fn mailer(&self) -> Mailer {
        let smtp = format!("smtp://127.0.0.1:{}", self.port).parse().expect("an address");
        let from = "Portolan <portolan@example.com>".parse().expect("a mailbox");
        let address = "https://portolan.example".parse().expect("an address");
        Mailer::new(&smtp, None, from, address).expect("a mailer")
    }

    /// The next recipients hear this.
    pub fn answer(&self, answers: &[&'static str]) {
        *self.answers.lock().expect("no panic") = answers.to_vec();
    }

    pub fn mails(&self) -> Vec<Delivered> {
        self.taken.lock().expect("no panic").clone()
    }
}

impl Drop for Postbox {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(
    stream: TcpStream,
    taken: &Mutex<Vec<Delivered>>,
    answers: &Mutex<Vec<&'static str>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 postbox\r\n").await.ok()?;
    let mut to = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let answer = match line.get(..4).unwrap_or_default() {
            "RCPT" => {
                to.push(line.trim_end().trim_start_matches("RCPT TO:<").trim_end_matches('>').to_owned());
                let mut answers = answers.lock().expect("no panic");
                if answers.is_empty() { "250 OK" } else { answers.remove(0) }
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                let text = read_data(&mut stream).await?;
                taken.lock().expect("no panic").push(Delivered { to: std::mem::take(&mut to), text });
                "250 taken"
            }
            "QUIT" => "221 bye",
            _ => "250 OK",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

async fn read_data(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            // Quoted-printable, where it was needed.
            return Some(text.replace("=\r\n", "").replace("=3D", "="));
        }
        text.push_str(&line);
    }
}
