//! The decision API over a unix socket: who may connect, with and without a port, and what becomes of the file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::cli::{Folder, run};
use common::{GRANTED, Server, eventually, gavel, granted, on_each_driver, post};

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        Place(std::env::temp_dir().join(format!("gavel-{name}-{}.sock", std::process::id())))
    }

    fn flag(&self) -> String {
        format!("unix:{}", self.0.display())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Everything that comes back before the service closes, for a request that is the last one.
fn ask(path: &Path) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    let request = post(GRANTED).replacen("Host: a", "Host: a\r\nConnection: close", 1);
    // A service that does not take this process may have closed already.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn decisions_over_a_socket_beside_a_port() {
    on_each_driver(|driver| {
        let place = Place::new(driver);
        let mut server = Server::start(driver, &["--listen", &place.flag(), "--threads", "2"]);
        assert!(server.wait_for("reachable: ").contains(&place.flag()));
        for _ in 0..4 {
            assert!(ask(&place.0).ends_with("{\"allow\":true}\n"));
        }
        assert!(server.connect().post(GRANTED).body.contains("true"));
        let mode = std::fs::metadata(&place.0).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        let (status, records, _) = server.stop();
        assert_eq!((status.code(), records.lines().count()), (Some(0), 5));
        assert!(!place.0.exists());
    });
}

/// Two doors take newcomers in turn, and each has one go that waits for its client.
#[test]
fn two_doors_at_the_bound_open_again() {
    on_each_driver(|driver| {
        let place = Place::new(&format!("full-{driver}"));
        let server = Server::start(driver, &["--listen", &place.flag(), "--max-connections", "2"]);
        let mut first = server.connect();
        assert_eq!(first.post(GRANTED), granted());
        // The socket's door is at the bound with this one.
        let mut second = UnixStream::connect(&place.0).unwrap();
        second.write_all(post(GRANTED).as_bytes()).unwrap();
        assert!(second.read(&mut [0; 1]).is_ok());
        // For this one the first one goes, which waits for longest.
        let mut third = server.connect();
        assert_eq!(third.post(GRANTED), granted());
        drop((first, second, third));
        assert!(ask(&place.0).ends_with("{\"allow\":true}\n"));
        assert_eq!(server.connect().post(GRANTED), granted());
        let (status, _, log) = server.stop();
        assert_eq!(status.code(), Some(0));
        let is_cut = |line: &String| line.contains("the time to drain is over");
        assert!(!log.iter().any(is_cut), "{log:?}");
    });
}

#[test]
fn only_named_users_are_served() {
    on_each_driver(|driver| {
        let place = Place::new(&format!("users-{driver}"));
        let own = std::fs::metadata(std::env::current_exe().unwrap().parent().unwrap())
            .unwrap()
            .uid();
        // Whoever runs the tests owns what they built, or is root.
        for (user, is_served) in [(own, true), (own + 1, false)] {
            let user = user.to_string();
            let flags = [
                "--listen",
                &place.flag(),
                "--socket-user",
                &user,
                "--socket-mode",
                "600",
            ];
            let server = Server::start(driver, &flags);
            let mode = std::fs::metadata(&place.0).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            assert_eq!(ask(&place.0).ends_with("{\"allow\":true}\n"), is_served);
            let (status, records, _) = server.stop();
            assert_eq!(
                (status.code(), records.lines().count()),
                (Some(0), usize::from(is_served))
            );
        }
    });
}

#[test]
fn a_stale_socket_is_replaced_and_one_in_use_is_not() {
    let place = Place::new("stale");
    drop(UnixListener::bind(&place.0).unwrap());
    let server = Server::start("epoll", &["--listen", &place.flag()]);
    assert!(ask(&place.0).ends_with("{\"allow\":true}\n"));
    let bundle = common::file("shop.yml");
    let (status, _, problem) = run(
        &format!("serve -b {} --listen {}", bundle.display(), place.flag()),
        "",
    );
    assert!(
        status == Some(1) && problem.contains("in use by another process"),
        "{problem}"
    );
    assert!(ask(&place.0).ends_with("{\"allow\":true}\n"));
    server.stop();
}

/// Whatever else has the name of the lock is named, and not waited for.
#[test]
fn a_lock_that_is_no_file_is_named() {
    let place = Place::new("lock");
    let lock = place.0.with_extension("sock.lock");
    std::fs::create_dir(&lock).unwrap();
    let bundle = common::file("shop.yml");
    let serve = format!("serve -b {} --listen {}", bundle.display(), place.flag());
    let (status, _, problem) = run(&serve, "");
    assert!(status == Some(1) && problem.contains("its lock "), "{problem}");
    std::fs::remove_dir(&lock).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&lock).status();
    assert!(made.unwrap().success());
    let (status, _, problem) = run(&serve, "");
    assert!(status == Some(1) && problem.contains("its lock "), "{problem}");
    // Somebody else's: it stays.
    std::fs::remove_file(&lock).unwrap();
}

/// Where no socket can be made, what has to be so is said.
#[test]
fn a_folder_that_takes_no_socket_is_named_with_what_it_lacks() {
    let folder = Folder::new("socket-folder", &[("there", "")]);
    let bundle = common::file("shop.yml");
    let at = |path: &Path| format!("unix:{}", path.display());
    let missing = at(&folder.0.join("missing/a.sock"));
    let (status, _, problem) = run(&format!("serve -b {} --listen {missing}", bundle.display()), "");
    let said = "missing: it has to be there";
    assert!(status == Some(1) && problem.contains(said), "{problem}");
    std::fs::set_permissions(&folder.0, std::fs::Permissions::from_mode(0o555)).unwrap();
    // Root has the right whatever the mode, by this capability.
    let without = ["--bounding-set=-dac_override"];
    let mut command = Command::new("setpriv");
    if command
        .args(without)
        .arg("true")
        .status()
        .is_ok_and(|status| status.success())
    {
        command = Command::new("setpriv");
        command.args(without).arg(gavel().get_program());
    } else if std::fs::File::create(folder.0.join("mine")).is_err() {
        command = gavel();
    } else {
        eprintln!(
            "skipped: a folder without the right to write: this user has every right, and there is no setpriv"
        );
        return;
    }
    command.env("MPE_CONFIG_PATH", "").args(["serve", "--listen"]);
    let mut server = Server::spawn(command.arg(at(&folder.0.join("a.sock"))).arg("-b").arg(bundle));
    server.wait_for("the socket's place is looked at without its lock");
    let problem = server.wait_for("listen on ");
    let said = format!(
        "permission denied: the folder {}: this user has to be allowed to write to it",
        folder.0.display()
    );
    assert!(problem.contains(&said), "{problem}");
    assert_eq!(server.wait().0.code(), Some(1));
}

/// Each of them finds the same stale socket; one serves there, and the others say that it does.
#[test]
fn of_many_that_start_at_once_one_serves() {
    const COUNT: usize = 6;
    let place = Place::new("race");
    let bundle = common::file("shop.yml");
    for _ in 0..4 {
        let _ = std::fs::remove_file(&place.0);
        drop(UnixListener::bind(&place.0).unwrap());
        let start = |_| {
            let mut command = gavel();
            command.args(["serve", "--threads", "1", "--io", "epoll", "--listen"]);
            Server::spawn(command.arg(place.flag()).arg("-b").arg(&bundle))
        };
        let mut servers: Vec<Server> = (0..COUNT).map(start).collect();
        let mut lost = Vec::new();
        eventually(|| {
            lost.extend(servers.extract_if(.., |server| server.has_ended()));
            lost.len() == COUNT - 1
        });
        for server in lost {
            let (status, _, log) = server.wait();
            let said = log.iter().any(|line| line.contains("in use by another process"));
            assert!(status.code() == Some(1) && said, "{log:?}");
        }
        assert!(ask(&place.0).ends_with("{\"allow\":true}\n"));
        servers.pop().unwrap().stop();
        assert!(!place.0.exists() && !place.0.with_extension("sock.lock").exists());
    }
}

#[test]
fn wrong_places_are_named() {
    let bundle = common::file("shop.yml");
    for (flags, want) in [
        (
            "--listen 9000",
            "--listen 9000: it must be an IP address and a port, as in 127.0.0.1:9000 or [::]:9000, or unix:PATH",
        ),
        ("--listen unix:", "one unix socket can be named, with its path"),
        ("--listen 127.0.0.1:0 --port 1", "one address can be named"),
        (
            "--listen 127.0.0.1:0 --listen [::1]:0",
            "one address can be named",
        ),
        (
            "--listen unix:/run/x.sock --socket-mode 999",
            "--socket-mode 999: no mode in octal digits",
        ),
        (
            "--listen unix:/run/x.sock --socket-owner web",
            "--socket-owner web: neither USER nor USER:GROUP",
        ),
        (
            "--port 0 --socket-user 1",
            "--socket-user are for the unix socket of --listen unix:PATH",
        ),
        (
            "-p envoy --listen 127.0.0.1:0",
            "--listen is for the decision API",
        ),
    ] {
        let (status, _, problem) = run(&format!("serve -b {} {flags}", bundle.display()), "");
        assert!(status == Some(1) && problem.contains(want), "{flags}: {problem}");
    }
}
