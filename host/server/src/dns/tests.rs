//! Against a server of DNS on this machine that answers as it is told.

use std::net::{IpAddr, Ipv4Addr};

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::net::UdpSocket;

use super::*;

const TXT: [u8; 2] = [0, 16];

/// The answer to any question, with these texts, each in its pieces; `code` as RFC 1035 numbers them.
fn answer(question: &[u8], code: u8, texts: &[&[&str]]) -> Vec<u8> {
    let end = question[12..].iter().position(|byte| *byte == 0).expect("a name") + 12 + 5;
    let mut sent = question[..2].to_vec();
    sent.extend([0x81, 0x80 | code, 0, 1, 0, u8::try_from(texts.len()).expect("few"), 0, 0, 0, 0]);
    sent.extend(&question[12..end]);
    for pieces in texts {
        let data: Vec<u8> = pieces
            .iter()
            .flat_map(|piece| [&[u8::try_from(piece.len()).expect("short")], piece.as_bytes()].concat())
            .collect();
        let length = u16::try_from(data.len()).expect("short").to_be_bytes();
        // The name of the question, class IN, kept for a minute.
        sent.extend([0xc0, 12, TXT[0], TXT[1], 0, 1, 0, 0, 0, 60]);
        sent.extend(length);
        sent.extend(data);
    }
    sent
}

/// A resolver that asks a server which answers by the first label of a name.
async fn dns() -> Dns {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a socket");
    let port = socket.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let mut bytes = [0; 1_024];
        while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
            let question = &bytes[..length];
            let label = &question[13..13 + usize::from(question[12])];
            let sent = match label {
                b"two" => answer(question, 0, &[&["first"], &["a long ", "text"]]),
                b"none" => answer(question, 0, &[]),
                b"unknown" => answer(question, 3, &[]),
                b"refused" => answer(question, 5, &[]),
                _ => answer(question, 2, &[]),
            };
            socket.send_to(&sent, from).await.expect("sent");
        }
    });
    let mut connection = ConnectionConfig::udp();
    connection.port = port;
    let server = NameServerConfig::new(IpAddr::V4(Ipv4Addr::LOCALHOST), true, vec![connection]);
    let config = ResolverConfig::from_name_servers(vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    set_options(builder.options_mut());
    Dns { resolver: builder.build().map_err(|error| error.to_string()) }
}

#[tokio::test]
async fn texts_are_read_whole_and_nothing_is_told_from_silence() {
    let dns = dns().await;
    assert_eq!(dns.texts("two.example").await, Ok(vec!["first".to_owned(), "a long text".to_owned()]));
    assert_eq!(dns.texts("none.example").await, Ok(Vec::new()));
    assert_eq!(dns.texts("unknown.example").await, Ok(Vec::new()));
    // That its servers fail says nothing of a record.
    assert!(dns.texts("refused.example").await.is_err());
    assert!(dns.texts("failing.example").await.is_err());
}
