//! `gavel serve --source`: a real server that asks a small HTTP server for its policies.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod common;
#[path = "common/tls.rs"]
mod tls;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::cli::{Scratch, run_words};
use common::{GRANTED, eventually, file, gavel};
use ed25519_dalek::{Signer as _, SigningKey};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tls::Authority;

/// What is at which path, and which tags were shown.
#[derive(Default)]
struct Shelf {
    files: HashMap<String, Vec<u8>>,
    headers: String,
    token: Option<String>,
    asked: Vec<Option<String>>,
}

/// An HTTP server for a few files.
struct Source {
    port: u16,
    shelf: Arc<Mutex<Shelf>>,
}

impl Source {
    fn start() -> Source {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shelf = Arc::<Mutex<Shelf>>::default();
        let shared = Arc::clone(&shelf);
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &shared);
            }
        });
        Source { port, shelf }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/shop.yml", self.port)
    }

    fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let content = content.as_ref().to_vec();
        self.shelf.lock().unwrap().files.insert(path.to_owned(), content);
    }

    fn clear(&self) {
        self.shelf.lock().unwrap().files.clear();
    }
}

/// One answer; the tag of a file is its length.
fn answer(mut stream: TcpStream, shelf: &Mutex<Shelf>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap())
        .lines()
        .map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let headers: HashMap<String, String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            line.split_once(": ")
                .map(|(n, v)| (n.to_lowercase(), v.to_owned()))
        })
        .collect();
    let mut shelf = shelf.lock().unwrap();
    let tag = headers.get("if-none-match").cloned();
    shelf.asked.push(tag.clone());
    let allowed = shelf
        .token
        .as_ref()
        .is_none_or(|token| headers.get("authorization") == Some(token));
    let (status, content) = match shelf.files.get(&path).filter(|_| allowed) {
        None => ("404 Not Found", &b""[..]),
        Some(content) if tag == Some(format!("\"{}\"", content.len())) => ("304 Not Modified", &b""[..]),
        Some(content) => ("200 OK", content.as_slice()),
    };
    let length = content.len();
    let more = &shelf.headers;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: \"{length}\"\r\n{more}Connection: close\r\n\r\n"
    );
    let _ = stream.write_all(&[head.as_bytes(), content].concat());
}

fn shop() -> String {
    fs::read_to_string(file("shop.yml")).unwrap()
}

/// A running `gavel serve`, its log, its port and that of its administration.
struct Gavel {
    child: Child,
    log: Arc<Mutex<String>>,
    admin: u16,
}

impl Drop for Gavel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Gavel {
    fn start(url: &str, flags: &[&str]) -> Gavel {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let admin = holder.local_addr().unwrap().port();
        drop(holder);
        let mut child = gavel()
            .args(["serve", "--port", "0", "--threads", "1", "--source-poll", "1"])
            .args(["--source", url, "--admin", &admin.to_string()])
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::<Mutex<String>>::default();
        let (shared, mut stderr) = (Arc::clone(&log), child.stderr.take().unwrap());
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = stderr.read(&mut chunk) {
                shared
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&chunk[..read]));
            }
        });
        Gavel { child, log, admin }
    }

    #[track_caller]
    fn wait_for(&self, text: &str) {
        eventually(|| self.log.lock().unwrap().contains(text));
    }

    fn ask(&self, port: u16, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn status(&self, path: &str) -> String {
        self.ask(
            self.admin,
            &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        )
    }

    /// Those until the next attempt that the log has, in seconds.
    fn pauses(&self) -> Vec<f64> {
        let log = self.log.lock().unwrap();
        let behind = log.split("the next attempt is in ").skip(1);
        behind
            .map(|rest| rest.split(' ').next().unwrap().parse().unwrap())
            .collect()
    }

    fn grants(&self) -> bool {
        let log = self.log.lock().unwrap().clone();
        let port = log
            .split("listening on [::]:")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap();
        let request = common::post(GRANTED).replace("Host: a", "Host: a\r\nConnection: close");
        self.ask(port.parse().unwrap(), &request)
            .ends_with("{\"allow\":true}\n")
    }
}

fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    path
}

#[test]
fn a_source_is_waited_for_polled_and_outlived() {
    let source = Source::start();
    let cache = folder("source-cache");
    let flags = ["--cache-dir", cache.to_str().unwrap()];
    let server = Gavel::start(&source.url(), &flags);
    server.wait_for("nothing is served yet");
    assert!(server.status("/readyz").contains("starting") && server.status("/livez").contains("200 OK"));
    source.put("/shop.yml", shop());
    server.wait_for("reachable: ");
    assert!(server.grants());
    // Nothing new is told nobody, and what is broken changes nothing.
    eventually(|| {
        source
            .shelf
            .lock()
            .unwrap()
            .asked
            .iter()
            .filter(|tag| tag.is_some())
            .count()
            >= 2
    });
    assert!(!server.log.lock().unwrap().contains("reload ("));
    source.put("/shop.yml", shop().replace("package authz", "package authz.{"));
    server.wait_for("reload (source) failed, revision 1 is still served");
    assert!(server.grants() && server.status("/status").contains("/shop.yml"));
    source.put("/shop.yml", shop().replace("door:open", "door:closed"));
    server.wait_for("reload (source): revision 2 is served");
    assert!(!server.grants());
    source.clear();
    server.wait_for("the answer is 404, not 200");
    drop(server);
    let server = Gavel::start(&source.url(), &flags);
    server.wait_for("reachable: ");
    assert!(!server.grants());
    server.wait_for("what was kept in");
    drop(server);
    source.put("/shop.yml", "kind: [");
    let server = Gavel::start(&source.url(), &flags);
    server.wait_for("reachable: ");
    assert!(!server.grants());
    drop(server);
    source.clear();
    let kept = cache.join("last-good");
    let damaged = fs::read_to_string(&kept)
        .unwrap()
        .replace("door:closed", "door:open");
    fs::write(&kept, damaged).unwrap();
    let server = Gavel::start(&source.url(), &flags);
    server.wait_for("it is damaged");
    assert!(server.status("/startupz").contains("503"));
}

const RELOAD: &str =
    "POST /reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// A start that waits asks for whoever asks, and not only after its pause. Who is told that it is loaded finds it served.
#[test]
fn whoever_asks_at_the_start_need_not_wait() {
    for by_signal in [true, false] {
        let source = Source::start();
        let server = Gavel::start(&source.url(), &[]);
        // Up to four seconds, a tenth more or less.
        eventually(|| server.pauses().iter().any(|pause| *pause > 3.0));
        source.put("/shop.yml", shop());
        if by_signal {
            let pid = server.child.id().to_string();
            let status = Command::new("kill").args(["-s", "HUP", &pid]).status();
            assert!(status.unwrap().success());
            server.wait_for("reachable: ");
            let standing = server.status("/status");
            assert!(standing.contains("\"signal\""), "{standing}");
        } else {
            let answer = server.ask(server.admin, RELOAD);
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(answer.contains("loaded"), "{answer}");
            let ready = server.status("/readyz");
            assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
            server.wait_for("reachable: ");
        }
        assert!(server.grants());
    }
}

/// Nine pauses in a row would be of five minutes.
#[test]
fn who_asks_at_the_start_puts_off_nothing() {
    let source = Source::start();
    let server = Gavel::start(&source.url(), &[]);
    server.wait_for("nothing is served yet");
    for _ in 0..9 {
        let answer = server.ask(server.admin, RELOAD);
        assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
        assert!(answer.contains("the answer is 404, not 200"), "{answer}");
    }
    source.put("/shop.yml", shop());
    server.wait_for("reachable: ");
    assert!(server.grants());
}

#[test]
fn content_must_be_signed_where_there_is_a_key() {
    let secret = SigningKey::from_bytes(&[9; 32]);
    let key = Scratch::new("source.key", &STANDARD.encode(secret.verifying_key().to_bytes()));
    let sign = |content: &str| secret.sign(content.as_bytes()).to_bytes();
    let source = Source::start();
    let cache = folder("source-signed");
    let flags = ["--source-key", key.path(), "--cache-dir", cache.to_str().unwrap()];
    source.put("/shop.yml", shop());
    let server = Gavel::start(&source.url(), &flags);
    server.wait_for("its signature cannot be had");
    source.put("/shop.yml.sig", sign("something else"));
    server.wait_for("the signature is not one of the key");
    source.put("/shop.yml.sig", sign(&shop()));
    server.wait_for("reachable: ");
    assert!(server.grants());
    let other = shop().replace("door:open", "door:closed");
    source.put("/shop.yml", &other);
    server.wait_for("reload (source) failed, revision 1 is still served");
    source.shelf.lock().unwrap().headers = format!("Gavel-Signature: {}\r\n", STANDARD.encode(sign(&other)));
    server.wait_for("revision 2 is served");
    assert!(!server.grants());
    drop(server);
    // What is kept is believed only with its signature: here that of another key.
    source.clear();
    let stranger = SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes();
    fs::write(&key.0, STANDARD.encode(stranger)).unwrap();
    let server = Gavel::start(&source.url(), &flags);
    server.wait_for("its signature is not one of the key");
    assert!(server.status("/readyz").contains("503"));
}

#[test]
fn an_image_file_and_a_token() {
    let image = Scratch::new("source.image", "");
    let status = Command::new(env!("CARGO_BIN_EXE_gavel"))
        .args(["compile", "-o", image.path(), "-b"])
        .arg(file("shop.yml"))
        .stderr(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let token = Scratch::new("source.token", "let me in\n");
    let source = Source::start();
    source.put("/shop.yml", fs::read(&image.0).unwrap());
    source.shelf.lock().unwrap().token = Some("Bearer let me in".to_owned());
    let server = Gavel::start(&source.url(), &["--source-token-file", token.path()]);
    server.wait_for("the token of --source-token-file is sent in clear text");
    server.wait_for("reachable: ");
    assert!(server.grants());
    // The digest is that of the file.
    let output = Command::new("sha256sum").arg(&image.0).output().unwrap();
    let digest = String::from_utf8(output.stdout).unwrap()[..64].to_owned();
    assert!(server.status("/status").contains(&digest));
}

/// An image that has nothing but the binary, and a file that is not there.
#[test]
fn roots_that_are_missing_are_told_of() {
    let root = rcgen::generate_simple_self_signed(Vec::new()).unwrap().cert.pem();
    let (root, none) = (Scratch::new("root.pem", &root), Scratch::new("none.pem", ""));
    let gone = "no such file or directory)";
    for (url, roots, said) in [
        ("https://127.0.0.1:1/shop.yml", "/nowhere/roots.pem", Some(gone)),
        ("https://127.0.0.1:1/shop.yml", none.path(), Some("names some")),
        ("https://127.0.0.1:1/shop.yml", root.path(), None),
        ("http://127.0.0.1:1/shop.yml", none.path(), None),
    ] {
        let mut command = gavel();
        command
            .args(["serve", "--port", "0", "--source", url])
            .env("SSL_CERT_FILE", roots)
            .env_remove("SSL_CERT_DIR");
        let mut server = common::Server::spawn(&mut command);
        // It goes on: an answer, too, could be had later.
        server.wait_for("onnection refused");
        let lines = "no trusted roots found: SSL_CERT_FILE names some";
        assert_eq!(server.saw(lines), said.is_some(), "{url} {roots}");
        assert!(said.is_none_or(|said| server.saw(said)), "{url} {roots}");
        server.signal("KILL");
    }
}

#[test]
fn sources_that_cannot_be_one() {
    for (url, said) in [
        ("ftp://a/b", "http:// or https://"),
        ("shop.yml", "http:// or https://"),
        ("http://user@a/b", "no user"),
    ] {
        let (status, _, error) = run_words(&["serve", "--port", "0", "--source", url], "");
        assert_eq!(status, Some(1), "{url}");
        assert!(error.contains(said), "{url}: {error}");
    }
    let bundle = file("shop.yml");
    let both = ["serve", "-b", bundle.to_str().unwrap(), "--source", "http://a/b"];
    assert_eq!(run_words(&both, "").0, Some(1));
    assert_eq!(run_words(&["serve", "--cache-dir", "x"], "").0, Some(1));
    let taken = Scratch::new("source-cache-file", "");
    let cache = ["serve", "--source", "http://a/b", "--cache-dir", taken.path()];
    let (status, _, error) = run_words(&cache, "");
    assert_eq!(status, Some(1));
    assert!(
        error.contains(&format!("--cache-dir {} is no folder", taken.path())),
        "{error}"
    );
}

/// A certificate that vouches for itself, those of strangers, one of whom has a trusted name, and an answer that leads elsewhere.
#[test]
fn what_a_source_says_instead_is_told_in_words() {
    let (authority, namesake) = (Authority::new(), Authority::new());
    let other = Authority::named("another authority");
    let roots = Scratch::new("roots.pem", &authority.pem);
    let of = |(chain, key): (String, String)| {
        let chain = vec![CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap())
            .unwrap()
    };
    let own = (authority.pem.clone(), authority.key());
    for (shown, said) in [
        (own, "its certificate is not taken: it is an authority's own"),
        (
            other.certificate("localhost"),
            "its certificate is not taken: no trusted root vouches for it",
        ),
        (
            namesake.certificate("localhost"),
            "its certificate is not taken: it is not signed with the key of the trusted root",
        ),
        (
            authority.certificate("localhost"),
            "the answer is 301 to https://b/c, and redirects are not followed",
        ),
    ] {
        let config = Arc::new(of(shown));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let session = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(session, stream.unwrap());
                let _ = stream.read(&mut [0; 4096]);
                let head = "HTTP/1.1 301 Moved\r\nLocation: https://b/c\r\nContent-Length: 0\r\n\r\n";
                let _ = stream.write_all(head.as_bytes());
            }
        });
        let url = format!("https://localhost:{port}/shop.yml");
        let mut command = gavel();
        command
            .args(["serve", "--port", "0", "--source", &url])
            .env("SSL_CERT_FILE", &roots.0);
        let mut server = common::Server::spawn(&mut command);
        server.wait_for(said);
        server.signal("KILL");
    }
}
