//! `retinamark serve`, asked over real connections.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use retinamark::output::PhotoRecord;

use crate::support::tempdir;

const HOME: &str = env!("CARGO_MANIFEST_DIR");

/// A running server, which is ended with the value.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let weights = "weights/retinamark-scrfd500m-wflw98-f16.safetensors";
        let mut child = Command::new(env!("CARGO_BIN_EXE_retinamark"))
            .args(["serve", "--bind", "127.0.0.1:0", "--weights"])
            .arg(Path::new(HOME).join(weights))
            .args(arguments)
            .current_dir(tempdir().path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        stderr.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening at http://").unwrap();
        let address = address.trim_end_matches('/').to_owned();
        Self { child, address }
    }

    /// Send a request and give what comes back.
    fn ask(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = self.connect();
        send(&mut stream, head, body.len(), body);
        Answer::read(stream)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).unwrap();
        stream
    }

    fn metrics(&self) -> String {
        self.ask("GET /metrics", b"").body
    }

    fn wait_for(&self, line: &str) {
        while !self.metrics().contains(line) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn post(&self, query: &str, body: &[u8]) -> Answer {
        self.ask(&format!("POST /detect{query}"), body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The head's first line without the version, `length` bytes promised, and `body` sent.
fn send(stream: &mut TcpStream, head: &str, length: usize, body: &[u8]) {
    let (line, more) = head.split_once('\n').unwrap_or((head, ""));
    let text = format!(
        "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(text.as_bytes()).unwrap();
    // A server that refuses need not read on.
    let _ = stream.write_all(body);
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        // Where the server stops reading, the connection is reset behind its answer.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_lowercase(),
            body: body.to_owned(),
        }
    }
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(HOME).join("data/sample").join(name)).unwrap()
}

#[test]
fn photos_are_answered_with_their_faces_and_others_with_what_is_wrong() {
    let server = Server::start(&["--max-body", "1", "--max-pixels", "1M"]);
    let photo = sample("astronaut.png");
    let found = server.post("?name=a%20b.png", &photo);
    assert_eq!(found.status, 200, "{}", found.body);
    let record: PhotoRecord = serde_json::from_str(&found.body).unwrap();
    assert_eq!(
        (record.image.as_str(), record.width, record.height),
        ("a b.png", 512, 512)
    );
    assert_eq!(
        (record.faces.len(), record.faces[0].landmarks.len()),
        (1, 98)
    );

    let refused = |body: &[u8]| {
        let answer = server.post("", body);
        let error: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        (answer.status, error["error"].as_str().unwrap().to_owned())
    };
    assert_eq!(refused(b"no photo").0, 415);
    assert_eq!(refused(&photo[..photo.len() / 2]).0, 422);
    assert_eq!(refused(b"").0, 400);
    let (status, error) = refused(&vec![0; (1 << 20) + 1]);
    assert!(status == 413 && error.contains("1 MiB"), "{error}");
    let (status, error) = refused(&sample("biden.jpg"));
    assert!(status == 413 && error.contains("pixels"), "{error}");

    assert_eq!(server.ask("GET /detect", b"").status, 405);
    assert_eq!(server.ask("GET /weights", b"").status, 404);
    let page = server.ask("GET /", b"");
    assert!(page.status == 200 && page.head.contains("content-security-policy"));
    let described = server.ask("GET /openapi.json", b"");
    assert!(
        described
            .body
            .contains(&format!("\"{}\"", env!("CARGO_PKG_VERSION")))
    );
    let metrics = server.metrics();
    for line in [
        "retinamark_requests_total{code=\"200\"} 1",
        "retinamark_requests_total{code=\"413\"} 2",
        "retinamark_faces_total 1",
        "retinamark_inside 0",
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
    assert_eq!(server.ask("GET /healthz", b"").body, "ok\n");
}

#[test]
fn a_token_keeps_others_out() {
    let server = Server::start(&["--token", "secret"]);
    let with = |token: &str| {
        let head = format!("POST /detect\nAuthorization: Bearer {token}\r\n");
        server.ask(&head, b"x")
    };
    assert_eq!(with("secret").status, 415);
    let refused = with("Secret");
    assert!(refused.status == 401 && refused.head.contains("www-authenticate: bearer"));
    assert_eq!(server.post("", b"x").status, 401);
    assert_eq!(server.ask("GET /healthz", b"").status, 200);
    let counted = "retinamark_requests_total{code=\"401\"} 2";
    assert!(server.metrics().contains(counted));
}

#[test]
fn work_keeps_its_place_when_nobody_waits_for_it() {
    let server = Server::start(&["--jobs", "1", "--size", "3072", "--any-angle"]);
    let photo = sample("astronaut.png");
    let mut stream = server.connect();
    send(&mut stream, "POST /detect", photo.len(), &photo);
    server.wait_for("retinamark_inside 1");
    // The work begins, the client goes, the server notices; looking takes longer than all of that.
    let moment = Duration::from_millis(150);
    std::thread::sleep(moment);
    drop(stream);
    std::thread::sleep(moment);
    assert!(server.metrics().contains("retinamark_inside 1"));
    server.wait_for("retinamark_inside 0");
    assert!(server.metrics().contains("retinamark_look_seconds_count 1"));
}

#[test]
fn who_comes_to_a_full_server_is_told_to_come_again_and_who_dawdles_goes() {
    let server = Server::start(&["--jobs", "1", "--queue", "1", "--timeout", "2"]);
    let dawdlers = [0, 1].map(|_| {
        let mut stream = server.connect();
        send(&mut stream, "POST /detect", 100, b"half");
        stream
    });
    // Until both have their places.
    server.wait_for("retinamark_inside 2");
    let refused = server.post("", b"x");
    assert!(
        refused.status == 503 && refused.head.contains("retry-after: 1"),
        "{}",
        refused.body
    );
    for stream in dawdlers {
        assert_eq!(Answer::read(stream).status, 408);
    }
    assert_eq!(server.post("", b"x").status, 415);
}

#[cfg(unix)]
#[test]
fn a_request_to_end_lets_work_finish() {
    let mut server = Server::start(&[]);
    let photo = sample("astronaut.png");
    let mut stream = server.connect();
    let (first, rest) = photo.split_at(1000);
    send(&mut stream, "POST /detect", photo.len(), first);
    server.wait_for("retinamark_inside 1");
    let id = i32::try_from(server.child.id()).unwrap();
    // SAFETY: sends a signal to the program that this test has started.
    assert_eq!(unsafe { libc::kill(id, libc::SIGTERM) }, 0);
    std::thread::sleep(Duration::from_millis(200));
    stream.write_all(rest).unwrap();
    assert_eq!(Answer::read(stream).status, 200);
    assert!(server.child.wait().unwrap().success());
    assert!(TcpStream::connect(&server.address).is_err());
}
