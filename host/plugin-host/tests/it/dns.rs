//! A DNS server of the tests' own, on loopback, that changes its mind between questions; and the way to ask it.
//! It speaks real DNS over UDP, as far as questions for one A or AAAA record go.

use std::collections::HashMap;
use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use portolan_plugin_host::Lookup;
use tokio::net::UdpSocket;

const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;
const HEADER_BYTES: usize = 12;

/// What a name leads to, each time it is asked for; begins anew after the last.
type Answers = Vec<Vec<IpAddr>>;

#[derive(Clone)]
pub struct DnsServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    names: HashMap<String, Answers>,
    /// For every name without answers of its own.
    others: Answers,
    /// By name and type.
    asked: HashMap<(String, u16), usize>,
}

impl DnsServer {
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("an address");
        let server = Self { address, state: Arc::default() };
        let state = server.state.clone();
        tokio::spawn(async move {
            let mut question = [0_u8; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question).await {
                if let Some(answer) = answer(&question[..length], &state) {
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        server
    }

    /// What a name leads to: the first list when it is asked for first, then the next one.
    pub fn name(&self, name: &str, answers: &[&[&str]]) {
        self.state.lock().expect("no panic").names.insert(name.to_owned(), parsed(answers));
    }

    /// The same for every other name.
    pub fn others(&self, answers: &[&[&str]]) {
        self.state.lock().expect("no panic").others = parsed(answers);
    }

    /// How often a name was asked for its IPv4 addresses.
    pub fn asked(&self, name: &str) -> usize {
        let state = self.state.lock().expect("no panic");
        state.asked.get(&(name.to_owned(), TYPE_A)).copied().unwrap_or_default()
    }
}

#[async_trait]
impl Lookup for DnsServer {
    async fn addresses_of(&self, host: &str) -> std::io::Result<Vec<SocketAddr>> {
        let mut addresses = self.ask(host, TYPE_A).await?;
        addresses.extend(self.ask(host, TYPE_AAAA).await?);
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, 0)).collect())
    }
}

impl DnsServer {
    async fn ask(&self, host: &str, record_type: u16) -> std::io::Result<Vec<IpAddr>> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        socket.send_to(&question(host, record_type), self.address).await?;
        let mut reply = [0_u8; 2_048];
        let length = tokio::time::timeout(Duration::from_secs(5), socket.recv(&mut reply)).await??;
        addresses_in(&reply[..length]).ok_or_else(|| Error::from(ErrorKind::InvalidData))
    }
}

fn parsed(answers: &[&[&str]]) -> Answers {
    let parse = |text: &&str| text.parse().unwrap_or_else(|_| panic!("{text} is an address"));
    answers.iter().map(|list| list.iter().map(parse).collect()).collect()
}

fn question(host: &str, record_type: u16) -> Vec<u8> {
    let mut message = vec![0x4d, 0x4d, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in host.trim_end_matches('.').split('.') {
        message.push(label.len() as u8);
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    message.extend_from_slice(&record_type.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    message
}

/// The name of a question, its type, and where it ends.
fn read_question(message: &[u8]) -> Option<(String, u16, usize)> {
    let (mut labels, mut at) = (Vec::new(), HEADER_BYTES);
    loop {
        let length = usize::from(*message.get(at)?);
        let label = message.get(at + 1..at + 1 + length)?;
        at += 1 + length;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(label).into_owned());
    }
    let record_type = u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]);
    Some((labels.join("."), record_type, at + 4))
}

fn answer(message: &[u8], state: &Mutex<State>) -> Option<Vec<u8>> {
    let (name, record_type, end) = read_question(message)?;
    let mut state = state.lock().expect("no panic");
    let asked = state.asked.entry((name.clone(), record_type)).or_default();
    let turn = *asked;
    *asked += 1;
    let answers = state.names.get(&name).unwrap_or(&state.others);
    let list = answers.get(turn % answers.len().max(1)).cloned().unwrap_or_default();
    let records: Vec<Vec<u8>> = list
        .into_iter()
        .filter_map(|address| match (record_type, address) {
            (TYPE_A, IpAddr::V4(v4)) => Some(v4.octets().to_vec()),
            (TYPE_AAAA, IpAddr::V6(v6)) => Some(v6.octets().to_vec()),
            _ => None,
        })
        .collect();
    let mut reply = message.get(..end)?.to_vec();
    reply[2..4].copy_from_slice(&[0x81, 0x80]);
    reply[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
    for record in records {
        reply.extend_from_slice(&[0xc0, HEADER_BYTES as u8]);
        reply.extend_from_slice(&record_type.to_be_bytes());
        // Class IN, and a life of no seconds: nobody may keep it.
        reply.extend_from_slice(&[0, 1, 0, 0, 0, 0]);
        reply.extend_from_slice(&(record.len() as u16).to_be_bytes());
        reply.extend_from_slice(&record);
    }
    Some(reply)
}

fn addresses_in(reply: &[u8]) -> Option<Vec<IpAddr>> {
    let records = u16::from_be_bytes([*reply.get(6)?, *reply.get(7)?]);
    let (_, _, mut at) = read_question(reply)?;
    let mut addresses = Vec::new();
    for _ in 0..records {
        let length = usize::from(u16::from_be_bytes([*reply.get(at + 10)?, *reply.get(at + 11)?]));
        let data = reply.get(at + 12..at + 12 + length)?;
        addresses.push(match data.len() {
            4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?)),
            _ => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?)),
        });
        at += 12 + length;
    }
    Some(addresses)
}
