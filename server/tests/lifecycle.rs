//! Starting and ending: ports, signals, draining, what goes to which stream.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use common::{
    Answer, GRANTED, Server, eventually, file, gavel, granted, on_each_driver, post, records_and_lost,
};
use gavel_server::limits;

#[test]
fn a_port_in_use_is_an_operator_error() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    for threads in ["1", "2"] {
        let mut command = gavel();
        command
            .args(["serve", "--threads", threads, "--port", &port, "-b"])
            .arg(file("shop.yml"));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("in use") && text.contains(&port), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

/// Each thread has some of its own.
#[test]
fn more_threads_than_files_are_told_of_with_the_limit() {
    for (threads, driver) in [
        ("2000", "epoll"),
        ("90", "epoll"),
        ("40", "epoll"),
        ("40", "auto"),
    ] {
        let mut command = Command::new("prlimit");
        command.args(["--nofile=128:128", "--", gavel().get_program().to_str().unwrap()]);
        command.args(["serve", "--port", "0", "--threads", threads, "--io", driver, "-b"]);
        command.arg(file("shop.yml")).env("MPE_CONFIG_PATH", "");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        let last = text.lines().last().unwrap();
        assert!(
            last.contains("LimitNOFILE (ulimit -n) has to be higher"),
            "{text}"
        );
    }
}

#[test]
fn two_servers_do_not_share_a_port_by_accident() {
    on_each_driver(|driver| {
        let first = Server::start(driver, &["--threads", "2"]);
        let mut command = gavel();
        let port = first.port.to_string();
        command
            .args(["serve", "--threads", "2", "--port", &port, "-b"])
            .arg(file("shop.yml"));
        assert_eq!(command.output().unwrap().status.code(), Some(1));
        first.stop();
    });
}

#[test]
fn a_file_that_cannot_be_read_is_an_operator_error() {
    let output = gavel()
        .args(["serve", "--port", "0", "-b", "nowhere.yml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text, "error: open nowhere.yml: no such file or directory\n");
}

/// Times to wait are a day at most: a service that waits for years does not do what anybody meant.
#[test]
fn times_to_wait_have_a_bound() {
    for flag in ["--drain-seconds", "--drain-delay", "--source-poll"] {
        let words = ["serve", "--source", "http://localhost/a", flag, "86401"];
        let output = gavel().args(words).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(flag) && text.contains("..=86400"), "{text}");
        let words = [
            "serve",
            "--source",
            "http://localhost/a",
            flag,
            "86400",
            "--print-config",
        ];
        assert_eq!(gavel().args(words).output().unwrap().status.code(), Some(0));
    }
    let server = Server::start("epoll", &["--drain-seconds", "86400"]);
    assert_eq!(server.connect().post(GRANTED), granted());
    let (status, output, log) = server.stop();
    assert_eq!((status.code(), output.lines().count()), (Some(0), 1), "{log:?}");
}

#[test]
fn draining_finishes_what_is_in_flight() {
    on_each_driver(|driver| {
        for signal in ["TERM", "INT"] {
            let mut server = Server::start(driver, &[]);
            let mut idle = server.connect();
            assert_eq!(idle.post(GRANTED), granted());
            let mut busy = server.connect();
            let request = post(GRANTED);
            let (first, rest) = request.split_at(request.len() - 5);
            busy.send(first);
            thread::sleep(Duration::from_millis(50));
            server.signal(signal);
            server.wait_for("shutting down");
            idle.expect_closed();
            eventually(|| std::net::TcpStream::connect(("127.0.0.1", server.port)).is_err());
            assert!(!server.has_ended());
            busy.send(rest);
            assert_eq!(
                busy.answer(),
                Some(Answer {
                    close: true,
                    ..granted()
                })
            );
            busy.expect_closed();
            drop(busy);
            let (status, output, _) = server.wait();
            assert_eq!(status.code(), Some(0));
            assert_eq!(output.lines().count(), 2);
        }
    });
}

#[test]
fn a_client_that_asked_a_moment_ago_may_ask_once_more() {
    on_each_driver(|driver| {
        let is_answered = |_| {
            let mut server = Server::start(driver, &[]);
            let mut client = server.connect();
            assert_eq!(client.post(GRANTED), granted());
            server.signal("TERM");
            server.wait_for("shutting down");
            eventually(|| std::net::TcpStream::connect(("127.0.0.1", server.port)).is_err());
            let answer = match client.stream.write_all(post(GRANTED).as_bytes()) {
                Ok(()) => client.answer(),
                Err(_) => None,
            };
            let last = Answer {
                close: true,
                ..granted()
            };
            assert!(answer.is_none() || answer.as_ref() == Some(&last), "{answer:?}");
            let (status, output, _) = server.wait();
            assert_eq!(status.code(), Some(0));
            assert_eq!(output.lines().count(), 1 + usize::from(answer.is_some()));
            answer.is_some()
        };
        // It has a second, which a machine that stalls may take.
        assert!((0..5).any(is_answered));
    });
}

#[test]
fn draining_has_an_end() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &["--drain-seconds", "1"]);
        let mut client = server.connect();
        assert_eq!(client.post(GRANTED), granted());
        client.send(&post(GRANTED)[..60]);
        thread::sleep(Duration::from_millis(50));
        let start = Instant::now();
        let (status, output, _) = server.stop();
        assert_eq!(status.code(), Some(0));
        assert_eq!(output.lines().count(), 1);
        // The head had more time than that.
        assert!(start.elapsed() < Duration::from_secs(limits::HEAD_SECONDS - 1));
    });
}

#[test]
fn a_second_signal_ends_at_once() {
    on_each_driver(|driver| {
        let mut server = Server::start(driver, &[]);
        let mut client = server.connect();
        client.send(&post(GRANTED)[..60]);
        thread::sleep(Duration::from_millis(50));
        server.signal("TERM");
        server.wait_for("shutting down");
        let start = Instant::now();
        server.signal("TERM");
        let (status, _, _) = server.wait();
        assert_eq!(status.code(), Some(128 + 15));
        assert!(start.elapsed() < Duration::from_secs(limits::HEAD_SECONDS - 1));
    });
}

#[test]
fn records_are_not_lost_when_the_process_ends() {
    on_each_driver(|driver| {
        let server = Server::start(driver, &[]);
        let mut client = server.connect();
        client.send(post(GRANTED).repeat(500));
        for _ in 0..500 {
            assert_eq!(client.answer(), Some(granted()));
        }
        let (_, output, _) = server.stop();
        assert_eq!(output.lines().count(), 500);
    });
}

#[test]
fn a_reader_of_the_records_that_goes_away() {
    on_each_driver(|driver| {
        for (policy, allowed) in [("wait", true), ("drop", true), ("deny", false)] {
            let mut server = Server::start(driver, &["--audit-full", policy]);
            drop(server.take_stdout());
            let mut client = server.connect();
            // Until the last copy of the pipe's other end is gone, which a process that is just being started may hold.
            eventually(|| {
                client.post(GRANTED);
                server.saw("access records are lost")
            });
            let answer = client.post(GRANTED);
            assert_eq!(answer.body, format!("{{\"allow\":{allowed}}}\n"), "{policy}");
            let (status, _, log) = server.stop();
            assert_eq!(status.code(), Some(0));
            assert!(
                log.iter()
                    .any(|line| line.contains("not all access records were written")),
                "{log:#?}"
            );
        }
    });
}

/// Nobody reads the records: the ring fills up, and the policy shows in the answers and in the stream.
#[test]
fn a_reader_of_the_records_that_is_too_slow() {
    const REQUESTS: usize = 100;
    on_each_driver(|driver| {
        for policy in ["wait", "drop", "deny"] {
            let mut server = Server::start(driver, &["--audit-full", policy]);
            let mut stdout = server.take_stdout();
            let mut client = server.connect();
            let padded = format!("{}{}", GRANTED.trim_end_matches('}'), ",\"context\":{\"pad\":\"")
                + &"x".repeat(200_000)
                + "\"}}";
            let answers: Vec<Answer> = (0..REQUESTS).map(|_| client.post(&padded)).collect();
            let denied = answers.iter().filter(|answer| **answer != granted()).count();
            let reader = thread::spawn(move || {
                let mut output = String::new();
                std::io::Read::read_to_string(&mut stdout, &mut output).unwrap();
                output
            });
            eventually(|| client.post(GRANTED) == granted());
            let (status, _, log) = server.stop();
            assert_eq!(status.code(), Some(0));
            let output = reader.join().unwrap();
            let (records, lost) = records_and_lost(&output);
            assert!(
                lost > 0 && records + lost > REQUESTS,
                "{policy}: {records} records, {lost} lost"
            );
            assert!(
                log.iter().any(|line| line.contains(&format!("{lost} lost"))),
                "{log:#?}"
            );
            if policy == "deny" {
                assert!(denied > 0 && denied <= lost, "{denied} denied, {lost} lost");
            } else {
                assert_eq!(denied, 0, "{policy}");
            }
        }
    });
}

/// Linux 6.12 and later keep a turn for each thread; older ones, and kernels without `/proc/PID/sched`, show none.
#[test]
fn threads_that_serve_ask_for_short_turns() {
    let turn_ns = |task: &Path| {
        let sched = fs::read_to_string(task.join("sched")).unwrap_or_default();
        let line = sched
            .lines()
            .find(|line| line.starts_with("se.slice "))?
            .to_owned();
        line.rsplit(' ').next()?.parse::<u64>().ok()
    };
    if turn_ns(Path::new("/proc/thread-self")).is_none() {
        eprintln!("skipped: this kernel does not tell turns of threads");
        return;
    }
    let server = Server::start("auto", &["--threads", "2"]);
    let tasks = fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap();
    let workers = tasks.map(|task| task.unwrap().path()).filter(|task| {
        let name = fs::read_to_string(task.join("comm")).unwrap();
        name.starts_with("worker-")
    });
    let turns: Vec<_> = workers.map(|task| turn_ns(&task)).collect();
    assert_eq!(turns, [Some(100_000); 2]);
    server.stop();
}
