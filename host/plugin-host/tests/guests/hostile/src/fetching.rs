//! What goes wrong, or right, where there is a network.

use crate::portolan::plugin::http::{self, HttpError, Method, Request};
use crate::portolan::plugin::log::{self, Level};
use crate::portolan::plugin::sync::{
    CheckReport, ChunkInfo, Connection, Continuation, FetchRequest, Page, Payload, RawChunk,
};
use crate::portolan::plugin::types::{OtherError, PluginError, Retry};
use crate::portolan::plugin::{files, signer};
use crate::{exhausting, field, script};

pub fn check(conn: &Connection) -> Result<CheckReport, PluginError> {
    if let Some(report) = exhausting::check(field(&conn.config, "behaviour")) {
        return Ok(report);
    }
    let note = match field(&conn.config, "behaviour") {
        "config" => conn.config.clone(),
        "clock" => clock_and_random(),
        "sign" => match signer::sign("signing_key", "hmac-sha256", b"message") {
            Ok(signature) => signature.iter().map(|byte| format!("{byte:02x}")).collect(),
            Err(error) => error,
        },
        "sign-other" => match signer::sign("token", "hmac-sha256", b"message") {
            Ok(_) => "signed".to_owned(),
            Err(error) => error,
        },
        "error-with-secret" => {
            return Err(PluginError::Other(OtherError {
                code: "echo".to_owned(),
                retryable: true,
                detail: format!("\u{1b}[31m{}", field(&conn.config, "argument")),
            }));
        }
        _ => String::new(),
    };
    Ok(CheckReport {
        account: "account".to_owned(),
        display_name: conn.base_url.clone().unwrap_or_default(),
        currency: Some("EUR".to_owned()),
        time_zone: None,
        notes: vec![note],
    })
}

fn clock_and_random() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let first = std::time::Instant::now();
    let hash = {
        use std::hash::{BuildHasher, RandomState};
        RandomState::new().hash_one("x")
    };
    format!("{} {} {hash}", now.as_micros(), first.elapsed().as_nanos())
}

pub fn fetch(request: &FetchRequest) -> Result<Page, PluginError> {
    let config = &request.conn.config;
    let argument = field(config, "argument");
    let behaviour = field(config, "behaviour");
    if let Some(answer) = exhausting::fetch(behaviour, argument) {
        return answer;
    }
    match behaviour {
        "loop" => loop {
            std::hint::black_box(0);
        },
        "memory" => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(vec![1; 1 << 20]);
                std::hint::black_box(&hoard);
            }
        }
        "recursion" => Ok(page(vec![recurse(0) as u8])),
        "trap" => panic!("a plugin panics with {argument}"),
        "exit" => std::process::exit(3),
        "sleep" => {
            std::thread::sleep(std::time::Duration::from_secs(3_600));
            Ok(page(Vec::new()))
        }
        "huge-token" => Ok(Page { next: Continuation::More(vec![0; 100_000]), ..page(Vec::new()) }),
        "huge-chunks" => {
            let chunk = || RawChunk { info: info(), payload: Payload::Inline(vec![b' '; 100]) };
            Ok(Page { chunks: (0..5_000).map(|_| chunk()).collect(), ..page(Vec::new()) })
        }
        "log-flood" => {
            for number in 0..3_000 {
                log::write(Level::Info, &format!("\u{1b}[2Jline {number} {argument}"), &[]);
            }
            println!("standard output too");
            Ok(page(Vec::new()))
        }
        "stdout" => {
            println!("first\nsecond {argument}");
            Ok(page(Vec::new()))
        }
        "foreign-stream" => {
            let mut page = page(b"[]".to_vec());
            page.chunks[0].info.stream = "customers".to_owned();
            Ok(page)
        }
        "unknown-file" => {
            let payload = Payload::Staged(7);
            Ok(Page { chunks: vec![RawChunk { info: info(), payload }], ..page(Vec::new()) })
        }
        "peek" => {
            let waiting = files::waiting("orders")?;
            let head = files::peek(waiting.first().map_or(99, |file| file.id), 5)?;
            Ok(page(head))
        }
        "sink" => {
            crate::portolan::plugin::sink::skip(&[]);
            Ok(page(Vec::new()))
        }
        "get" => Ok(page(said(http::send(&get(argument, None))).into_bytes())),
        "get-without-auth" => Ok(page(said(http::send(&get(argument, Some("")))).into_bytes())),
        "get-with-foreign-auth" => {
            Ok(page(said(http::send(&get(argument, Some("other-connection")))).into_bytes()))
        }
        "sign-foreign" => {
            let keys = ["other_tenant/signing_key", "../signing_key", "{{token}}", "", "SIGNING_KEY"];
            let said = keys.map(|key| {
                signer::sign(key, "hmac-sha256", b"message")
                    .map_or_else(|error| error, |_| "signed".to_owned())
            });
            Ok(page(said.join("|").into_bytes()))
        }
        "sign-flood" => {
            let message = vec![0; 4 << 20];
            loop {
                let _ = signer::sign("signing_key", "hmac-sha256", &message);
            }
        }
        "get-placeholder" => {
            let mut request = get(argument, Some(""));
            request.url.push_str("?token={{token}}");
            request.headers.push(("x-wanted".to_owned(), "{{token}} ${token} %7B%7Btoken%7D%7D".to_owned()));
            Ok(page(said(http::send(&request)).into_bytes()))
        }
        "script" => script::fetch(argument),
        "get-with-login" => Ok(page(said(http::send(&get(argument, Some("login")))).into_bytes())),
        // Says of every failure that it is transient, which is the wrong word for an empty budget.
        "get-scarce" => {
            let request = Request { bucket: Some("scarce".to_owned()), cost: 2, ..get(argument, None) };
            match http::send(&request) {
                Ok(answer) => Ok(page(said(Ok(answer)).into_bytes())),
                Err(error) => Err(PluginError::Transient(Retry {
                    after_ms: None,
                    bucket: None,
                    detail: format!("{error:?}"),
                })),
            }
        }
        // A fan-out into the bucket of which few may be in flight.
        "get-few" => {
            let few =
                |url: &str| Request { bucket: Some("few".to_owned()), timeout_ms: None, ..get(url, None) };
            let requests: Vec<Request> = argument.split(' ').map(few).collect();
            let mut answers = Vec::new();
            for answer in http::send_all(&requests) {
                match answer {
                    Ok(answer) => answers.push(said(Ok(answer))),
                    Err(error) => {
                        let detail = format!("{error:?}");
                        return Err(PluginError::Transient(Retry { after_ms: None, bucket: None, detail }));
                    }
                }
            }
            Ok(page(answers.join("|").into_bytes()))
        }
        "observe" => {
            let (remaining, reset_ms) = argument.split_once(' ').unwrap_or_default();
            http::observe_limit("scarce", remaining.parse().unwrap_or(0), reset_ms.parse().unwrap_or(0));
            Ok(page(Vec::new()))
        }
        "rate-limited" => Err(PluginError::RateLimited(Retry {
            after_ms: argument.parse().ok(),
            bucket: Some("scarce".to_owned()),
            detail: "slow down".to_owned(),
        })),
        "get-signed" => {
            let mut request = get(argument, None);
            request.headers.push(("x-signature".to_owned(), "signed".to_owned()));
            Ok(page(said(http::send(&request)).into_bytes()))
        }
        "get-all" => {
            let requests: Vec<Request> = argument.split(' ').map(|url| get(url, None)).collect();
            let answers: Vec<String> = http::send_all(&requests).into_iter().map(said).collect();
            Ok(page(answers.join("|").into_bytes()))
        }
        "download" => match http::download(&get(argument, None)) {
            Ok(staged) => {
                let payload = Payload::Staged(staged.id);
                Ok(Page { chunks: vec![RawChunk { info: info(), payload }], ..page(Vec::new()) })
            }
            Err(error) => Ok(page(format!("{error:?}").into_bytes())),
        },
        _ => Ok(page(argument.as_bytes().to_vec())),
    }
}

fn get(url: &str, auth: Option<&str>) -> Request {
    Request {
        method: Method::Get,
        url: url.to_owned(),
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        body: None,
        auth: auth.map(str::to_owned),
        bucket: None,
        cost: 1,
        timeout_ms: Some(1_000),
    }
}

fn said(answer: Result<http::Response, HttpError>) -> String {
    match answer {
        Ok(response) => {
            format!("{} {} {:?}", response.status, String::from_utf8_lossy(&response.body), response.headers)
        }
        Err(error) => format!("{error:?}"),
    }
}

pub fn info() -> ChunkInfo {
    ChunkInfo {
        stream: "orders".to_owned(),
        framing: "json".to_owned(),
        content_type: "application/json".to_owned(),
    }
}

pub fn page(body: Vec<u8>) -> Page {
    Page {
        chunks: vec![RawChunk { info: info(), payload: Payload::Inline(body) }],
        next: Continuation::Done,
        expected: None,
        progress: None,
    }
}

#[expect(unconditional_recursion, reason = "the stack must end, not the test")]
fn recurse(depth: u64) -> u64 {
    let mut frame = [depth; 64];
    std::hint::black_box(&mut frame);
    frame[0] + recurse(depth + 1)
}
