//! Ten thousand guesses from five hundred addresses, over real connections.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use portolan_access::Client;
use portolan_app::people::{NewTenant, add_owner};
use portolan_app::router::router;
use portolan_app::web::serve::{Patience, serve};
use portolan_core::Clock as _;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::support::*;

const PASSWORD: &str = "a harbour at dusk, 1487";
const ADDRESSES: u16 = 500;
const GUESSES_EACH: u16 = 20;
const EXISTING: [&str; 5] = ["ada", "grace", "mara", "niels", "edsger"];
const NOT_EXISTING: [&str; 3] = ["admin", "root", "owner"];

/// Guesses of one name looked at within five minutes, whoever sends them and from however many addresses.
const LOOKED_AT_PER_NAME: u64 = 10;

/// One of the addresses of this machine's loopback network.
async fn connect_from(number: u16, server: SocketAddr) -> BufReader<TcpStream> {
    let [high, low] = (number + 300).to_be_bytes();
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, high, low), 0))).expect("an address");
    BufReader::new(socket.connect(server).await.expect("a connection"))
}

/// Sends a guess and reads the whole answer: its status line, and whether it gives a cookie.
async fn guess(connection: &mut BufReader<TcpStream>, name: &str, password: &str) -> (String, bool) {
    let form = format!("name={name}&password={}", password.replace(' ', "+").replace(',', "%2C"));
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nhost: portolan.example\r\nsec-fetch-site: same-origin\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    );
    connection.write_all(request.as_bytes()).await.expect("sent");
    let (mut status, mut length, mut cookie) = (String::new(), 0, false);
    loop {
        let mut line = String::new();
        assert_ne!(connection.read_line(&mut line).await.expect("a line"), 0, "the server hung up");
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if status.is_empty() {
            status = line;
        } else if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        } else {
            cookie |= line.starts_with("set-cookie:");
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.expect("a body");
    (status, cookie)
}

/// What one address does: wrong guesses, and at last the right password.
async fn attack(number: u16, server: SocketAddr, guesses: u16, password: &'static str) -> u32 {
    let mut connection = connect_from(number, server).await;
    let mut came_in = 0;
    for round in 0..guesses {
        let all = usize::from(number) + usize::from(round);
        let names: Vec<&str> = EXISTING.into_iter().chain(NOT_EXISTING).collect();
        let (status, cookie) = guess(&mut connection, names[all % names.len()], password).await;
        let refused = status.contains(" 422 ") && !cookie;
        came_in += u32::from(!refused);
    }
    came_in
}

async fn all_at_once(server: SocketAddr, guesses: u16, password: &'static str) -> u32 {
    let attackers: Vec<_> =
        (0..ADDRESSES).map(|number| tokio::spawn(attack(number, server, guesses, password))).collect();
    let mut came_in = 0;
    for attacker in attackers {
        came_in += attacker.await.expect("an attacker");
    }
    came_in
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_guesses_from_five_hundred_addresses_let_nobody_in() {
    on_both(migrate, async |test| {
        let mut shop = TestApp::new(test, "shop").await;
        let app = Arc::get_mut(&mut shop.app).expect("nobody else holds it yet");
        app.sessions = app.sessions.clone().with_cheap_passwords();
        for name in EXISTING {
            let tenant = NewTenant {
                slug: "shop".to_owned(),
                currency: "EUR".to_owned(),
                time_zone: "UTC".to_owned(),
            };
            add_owner(&shop.app, name, Some(PASSWORD), tenant).await.expect("an owner");
        }
        let home = || Client { address: "192.0.2.1".to_owned(), ..Client::default() };
        shop.app.sessions.sign_in_with_password("ada", PASSWORD, home()).await.expect("at home");

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let (stopped, routes) = (stop.clone(), router(Arc::clone(&shop.app)));
        let serving = tokio::spawn(serve(listener, routes, Patience::default(), async move {
            stopped.cancelled().await;
        }));

        let (begun, before) = (shop.clock.now(), shop.app.sessions.passwords().looked_at());
        let mut came_in = all_at_once(server, GUESSES_EACH - 1, "not a harbour").await;
        // By now somebody knows the right one, and is not heard.
        came_in += all_at_once(server, 1, PASSWORD).await;
        let looked_at = shop.app.sessions.passwords().looked_at() - before;
        // The clock of the test moves a little with each look at it.
        let refills = u64::try_from(shop.clock.now().since(begun).as_ms() / 300_000).expect("small");
        let names = (EXISTING.len() + NOT_EXISTING.len()) as u64;
        assert_eq!(came_in, 0, "nobody comes in");
        assert!(looked_at >= names, "{looked_at}: the first guesses are heard");
        assert!(
            looked_at <= names * (LOOKED_AT_PER_NAME + refills),
            "{looked_at} of {} guesses were looked at",
            u32::from(ADDRESSES) * u32::from(GUESSES_EACH)
        );

        // Whoever was there before comes in all the while.
        shop.app.sessions.sign_in_with_password("ada", PASSWORD, home()).await.expect("at home still");
        stop.cancel();
        serving.await.expect("a server").expect("that ends well");
    })
    .await;
}

/// Status, headers and text are the same, whatever was wrong.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_at_the_door_which_names_exist() {
    use axum::body::Body;
    use axum::http::{Request, header};

    on_both(migrate, async |test| {
        let mut shop = TestApp::new(test, "shop").await;
        let app = Arc::get_mut(&mut shop.app).expect("nobody else holds it yet");
        app.sessions = app.sessions.clone().with_cheap_passwords();
        let tenant =
            NewTenant { slug: "shop".to_owned(), currency: "EUR".to_owned(), time_zone: "UTC".to_owned() };
        add_owner(&shop.app, "mara", Some(PASSWORD), tenant).await.expect("an owner");
        let ask = async |name: &str, password: &str| {
            let request = Request::post("/sign-in")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("sec-fetch-site", "same-origin");
            let form = format!("name={name}&password={password}");
            let answer = shop.ask(request.body(Body::from(form)).expect("a request")).await;
            let mut headers: Vec<(String, String)> = answer
                .headers
                .iter()
                .filter(|(name, _)| *name != "x-request-id")
                .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()))
                .collect();
            headers.sort();
            (answer.status.as_u16(), headers, answer.body.replace(name, "NAME"))
        };
        // `mara` has a password, `shop` comes by links alone, `nils` is nobody: all as long.
        let first = ask("mara", "wrong").await;
        assert_eq!(first.0, 422);
        for round in 0..14 {
            for name in ["mara", "shop", "nils"] {
                assert_eq!(ask(name, "wrong").await, first, "{name}, {round}");
            }
        }
        // They rest by now, all three.
        assert_eq!(ask("mara", &PASSWORD.replace(' ', "+").replace(',', "%2C")).await, first);
    })
    .await;
}
