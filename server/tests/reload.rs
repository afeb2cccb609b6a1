//! Policies that change while a real server serves them: by signal, by watched files, under load.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod common;
#[path = "common/grpc.rs"]
mod grpc;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::{Server, denied, eventually, file, granted, on_each_driver, post};
use grpc::{GrpcClient, request};
use serde_json::Value;

const EVEN: &str = r#"{"operation":"lamp:even"}"#;
const ODD: &str = r#"{"operation":"lamp:odd"}"#;

/// A domain whose policy has a number in its name and grants the operation that fits the number.
fn domain(number: u32) -> String {
    let parity = ["even", "odd"][number as usize % 2];
    format!(
        r#"apiVersion: iamlite.manetu.io/v1beta1
kind: PolicyDomain
metadata:
  name: lamp
spec:
  policies:
    - mrn: "mrn:iam:policy:lamp-{number}"
      rego: |
        package authz

        default allow = -1

        allow = 1 {{
          input.operation == "lamp:{parity}"
        }}
  operations:
    - selector: ["lamp:.*"]
      policy: "mrn:iam:policy:lamp-{number}"
"#
    )
}

/// An empty folder of this test and driver.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn records(output: &str) -> Vec<Value> {
    output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn policy(record: &Value) -> &str {
    record["references"][0]["policies"][0]["mrn"].as_str().unwrap()
}

#[test]
fn a_signal_reloads_and_what_is_broken_changes_nothing() {
    on_each_driver(|driver| {
        let bundle = folder(&format!("signal-{driver}")).join("lamp.yml");
        fs::write(&bundle, domain(1)).unwrap();
        let mut server = Server::start_on(&bundle, driver, &["--threads", "2"], |_| {});
        let mut client = server.connect();
        assert_eq!(client.post(ODD), granted());
        fs::write(&bundle, domain(2)).unwrap();
        assert_eq!(client.post(EVEN), denied());
        server.signal("HUP");
        server.wait_for("revision 2 is served");
        assert_eq!(client.post(EVEN), granted());
        assert_eq!(server.connect().post(ODD), denied());
        fs::write(&bundle, domain(3).replace("package authz", "package authz.{")).unwrap();
        server.signal("HUP");
        let line = server.wait_for("reload (signal) failed");
        assert!(
            line.contains("revision 2 is still served") && line.contains("lamp.yml"),
            "{line}"
        );
        fs::remove_file(&bundle).unwrap();
        server.signal("HUP");
        server.wait_for("reload (signal) failed");
        assert_eq!(client.post(EVEN), granted());
        fs::write(&bundle, domain(2)).unwrap();
        server.signal("HUP");
        server.wait_for("nothing changed, revision 2 is served");
        let (status, output, _) = server.stop();
        assert_eq!(status.code(), Some(0));
        let by: Vec<Value> = records(&output);
        let by: Vec<&str> = by.iter().map(policy).map(|mrn| &mrn[mrn.len() - 1..]).collect();
        assert_eq!(by, ["1", "1", "2", "2", "2"]);
    });
}

/// Each answer is that of the policy which its record names, and no request fails.
#[test]
fn nobody_notices_a_reload_under_load() {
    on_each_driver(|driver| {
        let bundle = folder(&format!("load-{driver}")).join("lamp.yml");
        fs::write(&bundle, domain(1)).unwrap();
        let flags = ["--threads", "2", "--revision", "first", "--audit-full", "deny"];
        let mut server = Server::start_on(&bundle, driver, &flags, |_| {});
        let reader = server.read_records();
        let (over, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
        let grants: usize = thread::scope(|scope| {
            let clients: Vec<_> = (0..4)
                .map(|_| {
                    let (mut client, over, answers) = (server.connect(), &over, &answers);
                    scope.spawn(move || {
                        let mut grants = 0;
                        while !over.load(Ordering::Relaxed) {
                            client.send([post(EVEN), post(ODD)].concat());
                            for _ in 0..2 {
                                let answer = client.answer().unwrap();
                                assert!(answer == granted() || answer == denied(), "{answer:?}");
                                grants += usize::from(answer == granted());
                                answers.fetch_add(1, Ordering::Relaxed);
                            }
                            thread::sleep(Duration::from_millis(1));
                        }
                        grants
                    })
                })
                .collect();
            for number in 2..12 {
                let (text, said) = if number % 2 == 0 {
                    (domain(number), "is served, digest")
                } else {
                    ("kind: [".to_owned(), "is still served")
                };
                fs::write(
                    &bundle,
                    text.replace("lamp:even", ["lamp:odd", "lamp:even"][number as usize / 2 % 2]),
                )
                .unwrap();
                server.signal("HUP");
                server.wait_for(said);
                // More than were on their way.
                let enough = answers.load(Ordering::Relaxed) + 40;
                eventually(|| answers.load(Ordering::Relaxed) > enough);
            }
            over.store(true, Ordering::Relaxed);
            clients.into_iter().map(|client| client.join().unwrap()).sum()
        });
        let (status, _, _) = server.stop();
        assert_eq!(status.code(), Some(0));
        let mut records = records(&reader.join().unwrap());
        // On a busy machine the audit thread may fall behind: what has no record was denied.
        records.retain(|record| record.get("gap").is_none());
        let mut granted = 0;
        for record in &records {
            let number: u32 = policy(record).rsplit('-').next().unwrap().parse().unwrap();
            let env = &record["metadata"]["env"];
            let revision = (number / 2 + 1).to_string();
            assert_eq!(env["policy.revision"], revision.as_str(), "{record}");
            assert_eq!(env.get("policy.label").is_some(), number == 1, "{record}");
            let even = number != 1 && number / 2 % 2 == 1;
            let grants = record["operation"] == if even { "lamp:even" } else { "lamp:odd" };
            assert_eq!(record["decision"] == "GRANT", grants, "{record}");
            granted += usize::from(grants);
        }
        assert_eq!(granted, grants);
        assert!(records.iter().any(|record| policy(record).ends_with("-10")));
    });
}

fn write_beside_and_rename(path: &Path, text: &str) {
    let beside = path.with_extension("tmp");
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, path).unwrap();
}

/// As Emacs: what was there becomes the backup, and a new file has its name.
fn backup_and_create(path: &Path, text: &str) {
    fs::rename(path, path.with_extension("yml~")).unwrap();
    thread::sleep(Duration::from_millis(20));
    fs::write(path, text).unwrap();
}

#[test]
fn watched_files_are_noticed_however_they_are_written() {
    let bundle = folder("watched").join("lamp.yml");
    fs::write(&bundle, domain(1)).unwrap();
    let mut server = Server::start_on(&bundle, "epoll", &["--watch"], |_| {});
    let ways: [fn(&Path, &str); 4] = [
        |path, text| fs::write(path, text).unwrap(),
        write_beside_and_rename,
        backup_and_create,
        |path, text| {
            fs::remove_file(path).unwrap();
            fs::write(path, text).unwrap();
        },
    ];
    for (number, write) in (2..).zip(ways) {
        write(&bundle, &domain(number));
        server.wait_for(&format!("revision {number} is served"));
    }
    fs::write(&bundle, "kind: [").unwrap();
    server.wait_for("reload (files) failed, revision 5 is still served");
    assert_eq!(server.connect().post(ODD), granted());
    server.stop();
}

/// A ConfigMap is mounted as links through `..data`, which is swapped as a whole; the folder is named, or each file.
#[test]
fn a_config_map_is_swapped_as_a_whole() {
    let other = |number| domain(number).replace("lamp", "torch");
    for (name, flags) in [
        ("map-folder", &[""][..]),
        ("map-files", &["/lamp.yml", "/torch.yml"]),
    ] {
        let mount = folder(name);
        let publish = |number: u32| {
            let version = mount.join(format!("..version-{number}"));
            fs::create_dir(&version).unwrap();
            fs::write(version.join("lamp.yml"), domain(number)).unwrap();
            fs::write(version.join("torch.yml"), other(number)).unwrap();
            symlink(version.file_name().unwrap(), mount.join("..data_tmp")).unwrap();
            fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
        };
        publish(1);
        for file in ["lamp.yml", "torch.yml"] {
            symlink(format!("..data/{file}"), mount.join(file)).unwrap();
        }
        let bundles: Vec<String> = flags
            .iter()
            .map(|flag| format!("{}{flag}", mount.display()))
            .collect();
        let mut flags = vec!["--watch"];
        flags.extend(bundles[1..].iter().flat_map(|bundle| ["-b", bundle]));
        let mut server = Server::start_on(Path::new(&bundles[0]), "epoll", &flags, |_| {});
        for number in 2..4 {
            publish(number);
            fs::remove_dir_all(mount.join(format!("..version-{}", number - 1))).unwrap();
            server.wait_for(&format!("revision {number} is served"));
            let mut client = server.connect();
            let (lamp, torch) = if number % 2 == 0 { (EVEN, EVEN) } else { (ODD, ODD) };
            assert_eq!(client.post(lamp), granted());
            assert_eq!(client.post(&torch.replace("lamp", "torch")), granted());
        }
        server.stop();
    }
}

/// The configuration is watched with the policies, and so are the files that it names: what can take effect does, what cannot
/// is told of, and what is broken changes nothing.
#[test]
fn the_configuration_is_watched() {
    let folder = folder("configuration");
    let (bundle, config, key) = (
        folder.join("lamp.yml"),
        folder.join("mpe-config.yaml"),
        folder.join("key"),
    );
    fs::write(&bundle, domain(1)).unwrap();
    let mut server = Server::start_on(&bundle, "epoll", &["--watch"], |command| {
        command.env_remove("MPE_CONFIG_PATH").current_dir(&folder);
    });
    let mut client = server.connect();
    let ask = r#"{"operation":"lamp:odd","principal":{"sub":"ann"}}"#;
    assert_eq!(client.post(ask), granted());
    // A file where there was none.
    let rules = format!(
        "audit: {{hash: [/principal/sub], hashkeyfile: {}}}\n",
        key.display()
    );
    fs::write(&key, "0123456789abcdef\n").unwrap();
    fs::write(&config, &rules).unwrap();
    server.wait_for("revision 2 is served");
    assert_eq!(client.post(ask), granted());
    // A key that was exchanged.
    write_beside_and_rename(&key, "fedcba9876543210\n");
    server.wait_for("revision 3 is served");
    assert_eq!(client.post(ask), granted());
    // One that is none: the last one stays, and the log says why.
    fs::write(&key, "short\n").unwrap();
    let line = server.wait_for("reload (files) failed, revision 3 is still served");
    assert!(line.contains("a key has at least 16 bytes"), "{line}");
    assert_eq!(client.post(ask), granted());
    fs::remove_file(&key).unwrap();
    let line = server.wait_for("reload (files) failed, revision 3 is still served");
    assert!(line.contains("no such file"), "{line}");
    assert_eq!(client.post(ask), granted());
    fs::write(&key, "fedcba9876543210\n").unwrap();
    server.wait_for("nothing changed, revision 3 is served");
    fs::write(&config, "audit: [").unwrap();
    server.wait_for("reload (files) failed, revision 3 is still served");
    // What a flag says is settled at the start.
    fs::write(&config, format!("{rules}limits: {{connections: 5}}\n")).unwrap();
    server.wait_for(
        "`limits.connections` has changed in the configuration: that takes effect at the next start",
    );
    server.wait_for("nothing changed, revision 3 is served");
    // Without it the records would show whom it hides.
    fs::remove_file(&config).unwrap();
    let line = server.wait_for("reload (files) failed, revision 3 is still served");
    assert!(line.contains("mpe-config.yaml is gone"), "{line}");
    assert_eq!(client.post(ask), granted());
    fs::write(&config, "").unwrap();
    server.wait_for("revision 4 is served");
    let (_, output, _) = server.stop();
    let subjects: Vec<Value> = records(&output)
        .into_iter()
        .map(|record| record["principal"]["subject"].clone())
        .collect();
    assert_eq!(subjects[0], "ann");
    let hashed = |at: usize| subjects[at].as_str().unwrap().starts_with("hmac-sha256:");
    assert!((1..6).all(hashed), "{subjects:?}");
    assert_ne!(subjects[1], subjects[2]);
    assert!(subjects[2] == subjects[3] && subjects[3] == subjects[4]);
}

/// Mapper and policies change together, for Envoy, too; idle threads let go of what they had.
#[test]
fn envoy_is_answered_by_what_is_new() {
    let bundle = folder("envoy").join("gate.yml");
    let text = fs::read_to_string(file("gate.yml")).unwrap();
    fs::write(&bundle, &text).unwrap();
    let flags = ["--envoy-port", "0", "--threads", "2"];
    let mut server = Server::start_on(&bundle, "epoll", &flags, |_| {});
    let client = GrpcClient::tcp(server.address_behind("serving Envoy gRPC on ").port());
    assert!(client.allows(request("open", b"/", b"")));
    let renamed = text
        .replace("\"gate:%s\"", "\"door:%s\"")
        .replace("gate:open", "door:open")
        .replace("gate:.*", "door:.*");
    fs::write(&bundle, renamed).unwrap();
    server.signal("HUP");
    server.wait_for("revision 2 is served");
    assert!(client.allows(request("open", b"/", b"")));
    let (_, output, _) = server.stop();
    let operations: Vec<Value> = records(&output);
    let operations: Vec<&Value> = operations.iter().map(|record| &record["operation"]).collect();
    assert_eq!(operations, ["gate:open", "door:open"]);
}

/// Many asked at the same time: all of them are done, and the last is what counts.
#[test]
fn many_signals_become_few_reloads() {
    let bundle = folder("many").join("lamp.yml");
    fs::write(&bundle, domain(1)).unwrap();
    let mut server = Server::start_on(&bundle, "epoll", &[], |_| {});
    // Only the last one grants what is even.
    for number in (3..20).step_by(2).chain([20]) {
        write_beside_and_rename(&bundle, &domain(number));
        server.signal("HUP");
    }
    let mut client = server.connect();
    eventually(|| client.post(EVEN) == granted());
    assert!(!server.saw("failed"));
    let (_, output, _) = server.stop();
    assert!(policy(records(&output).last().unwrap()).ends_with("-20"));
}
