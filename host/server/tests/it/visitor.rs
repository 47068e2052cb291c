//! Somebody with a browser, or a program, in front of a running server.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::support::Portolan;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    /// A header's value, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body as problem details.
    pub fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        self.json()
    }
}

/// Somebody who is signed in.
pub struct Visitor {
    port: u16,
    cookie: String,
}

impl Visitor {
    /// Signs the owner in by a one-time link.
    pub fn sign_in(portolan: &Portolan, port: u16) -> Self {
        let link = portolan.run(&["user", "link", "--name", "owner"]);
        let path = link.find("/sign-in/").map(|start| link[start..].trim()).expect("a link");
        let nobody = Self { port, cookie: "none=none".to_owned() };
        let welcome = nobody.post(path, "text/plain", b"");
        assert_eq!(welcome.status, 303, "{welcome:?}");
        let cookie = welcome.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        Self { port, cookie: cookie.expect("a session").to_owned() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", b"")
    }

    /// Documents that all syncs have brought so far, as the API tells.
    pub fn documents(&self) -> i64 {
        let syncs = self.get("/api/v1/syncs").json();
        let syncs = syncs["data"].as_array().expect("syncs").iter();
        syncs.filter_map(|sync| sync["documents"].as_i64()).sum()
    }

    pub fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.post(path, "application/json", body.to_string().as_bytes())
    }

    /// Uploads a file through the form of a connection's page.
    pub fn upload(&self, path: &str, stream: &str, file: &[u8]) -> Answer {
        let mut body = format!(
            "--border\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\n{stream}\r\n\
             --border\r\nContent-Disposition: form-data; name=\"file\"; filename=\"more.csv\"\r\n\
             Content-Type: text/csv\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--border--\r\n");
        self.post(path, "multipart/form-data; boundary=border", &body)
    }

    fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Answer {
        let more = format!(
            "Sec-Fetch-Site: same-origin\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n",
            body.len()
        );
        self.send("POST", path, &more, body)
    }

    /// In the words of HTTP/1.0: the answer ends with the connection.
    fn send(&self, method: &str, path: &str, more: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connect");
        let head =
            format!("{method} {path} HTTP/1.0\r\nHost: portolan\r\nCookie: {}\r\n{more}\r\n", self.cookie);
        stream.write_all(head.as_bytes()).expect("send");
        // A server may answer, and hang up, before it has heard everything.
        let _heard = stream.write_all(body);
        let mut answer = Vec::new();
        let _hung_up = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }
}
