//! The configuration file and environment of real processes: what flags say there, who wins, what is refused and where.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

mod common;

use std::process::{Command, Stdio};

use common::cli::{Folder, outcome};
use common::{GRANTED, Server, file, gavel, granted};

/// Runs in a folder with this configuration: status, output, log.
fn run(folder: &Folder, args: &str, variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = command(folder, variables);
    command.args(args.split_whitespace());
    outcome(command.stdin(Stdio::null()).output().unwrap())
}

fn command(folder: &Folder, variables: &[(&str, &str)]) -> Command {
    let mut command = gavel();
    command
        .current_dir(&folder.0)
        .env_remove("MPE_CONFIG_PATH")
        .envs(variables.iter().copied());
    command
}

fn printed(folder: &Folder, args: &str, variables: &[(&str, &str)]) -> String {
    let (status, output, error) = run(folder, &format!("serve --print-config {args}"), variables);
    assert_eq!(status, Some(0), "{error}");
    output
}

#[track_caller]
fn has_line(output: &str, line: &str) {
    assert!(
        output.lines().any(|one| one == line),
        "{line} is not in\n{output}"
    );
}

const CONFIG: &str = "\
Server:
  Port: 7001
  threads: 3
  protocol: envoy-http
policies.watch: true
policies:
  bundle: [a.yml, 'b c.yml']
limits: {connections: 5}
trace:
  filter: one
log:
  level: debug
";

#[test]
fn flags_win_over_variables_and_these_over_the_file() {
    let folder = Folder::new("config-order", &[("mpe-config.yaml", CONFIG)]);
    let variables = [
        ("MPE_SERVER_THREADS", "4"),
        ("MPE_LIMITS_CONNECTIONS", "6"),
        ("MPE_POLICIES_REGOROOT", "x, y"),
        ("MPE_DRAIN_DELAY", ""),
        // What Kubernetes says of a service `mpe-server`.
        ("MPE_SERVER_PORT", "tcp://10.0.0.7:80"),
    ];
    let output = printed(&folder, "--threads 5", &variables);
    for line in [
        "server.port: 7001  # ./mpe-config.yaml:2",
        "server.threads: 5  # --threads",
        "limits.connections: 6  # MPE_LIMITS_CONNECTIONS",
        "server.protocol: \"envoy-http\"  # ./mpe-config.yaml:4",
        "policies.watch: true  # ./mpe-config.yaml:5",
        "policies.bundle: [\"a.yml\", \"b c.yml\"]  # ./mpe-config.yaml:7",
        "policies.regoroot: [\"x\", \"y\"]  # MPE_POLICIES_REGOROOT",
        "trace.filter: [\"one\"]  # ./mpe-config.yaml:10",
        "log.level: \"debug\"  # ./mpe-config.yaml:12",
        "drain.delay: 0  # default",
        "# server.host:  # Address; all interfaces if absent.",
    ] {
        has_line(&output, line);
    }
    // What is printed says the same again.
    let again = Folder::new("config-again", &[("mpe-config.yml", output.as_str())]);
    let bare = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.split("  # ").next().unwrap());
        lines.map(str::to_owned).collect()
    };
    assert_eq!(bare(&printed(&again, "", &[])), bare(&output));
    let quiet = printed(&folder, "--watch=false -b c.yml", &[("GAVEL_IO", "epoll")]);
    has_line(&quiet, "policies.watch: false  # --watch");
    has_line(&quiet, "policies.bundle: [\"c.yml\"]  # --bundle");
    has_line(&quiet, "server.io: \"epoll\"  # GAVEL_IO");
}

#[test]
fn keys_give_way_to_flags_that_say_where_else() {
    let text = "server: {listen: '127.0.0.1:7001', io: uring}\nsource: {url: 'http://localhost/a', poll: 9}\n\
                policies: {v1compatible: true}\n";
    let folder = Folder::new("config-way", &[("mpe-config.yaml", text)]);
    let output = printed(&folder, "", &[]);
    has_line(&output, "source.poll: 9  # ./mpe-config.yaml:2");
    let variables = [
        ("GAVEL_IO", "epoll"),
        ("MPE_CLI_OPA_FLAGS", "--v0-compatible"),
        ("MPE_SERVER_HOST", "127.0.0.1"),
    ];
    let output = printed(&folder, "-b x.yml --port 7002", &variables);
    for line in [
        "server.port: 7002  # --port",
        "server.host: \"127.0.0.1\"  # MPE_SERVER_HOST",
        "# server.listen:",
        "# source.url:",
        "source.poll: 30  # default",
        "server.io: \"epoll\"  # GAVEL_IO",
        "policies.v1compatible: false  # default",
        "cli.opa.flags: \"--v0-compatible\"  # MPE_CLI_OPA_FLAGS",
    ] {
        assert!(
            output.lines().any(|one| one.starts_with(line)),
            "{line}: {output}"
        );
    }
    // A flag may need one that only the configuration says.
    let output = printed(&folder, "--source-poll 7", &[]);
    has_line(&output, "source.poll: 7  # --source-poll");
}

#[test]
fn wrong_values_are_told_of_with_their_place() {
    for (text, wants) in [
        (
            "server:\n  port: 70000",
            [
                "mpe-config.yaml:2: `server.port`: \"70000\"",
                "0 to 65535",
                "a whole number",
            ]
            .as_slice(),
        ),
        (
            "server: {port: 1.5}",
            &["mpe-config.yaml:1: `server.port`: 1.5 is not allowed; it takes a whole number"],
        ),
        ("server: {port: [1]}", &["`server.port`: [1] is not allowed"]),
        ("server: {port: true}", &["`server.port`: true is not allowed"]),
        (
            "\n\naudit: {full: denny}",
            &["mpe-config.yaml:3: `audit.full`", "`wait`, `drop` or `deny`"],
        ),
        (
            "policies: {watch: maybe}",
            &["`policies.watch`: \"maybe\" is not allowed; it takes `true` or `false`"],
        ),
        (
            "policies: {bundle: [[a]]}",
            &["`policies.bundle`", "a path, or a list of such"],
        ),
        ("source: {poll: 0}", &["`source.poll`: \"0\"", "1.."]),
        (
            "server: {host: here}",
            &["`server.host`: \"here\"", "a text: `IP`"],
        ),
        (
            "server: {prot: 1}",
            &["mpe-config.yaml:1: unknown key `server.prot`, the nearest known one is `server.port`"],
        ),
        (
            "server: {port: {a: 1}}",
            &["mpe-config.yaml:1: server.port must not be a mapping"],
        ),
        (
            "server: {port: 1}\nserver.port: 2",
            &["mpe-config.yaml:2: `server.port` is said already at", "yaml:1"],
        ),
        (
            "bundles:\n  includeall: maybe",
            &["mpe-config.yaml:2: bundles.includeall: \"maybe\" is no boolean"],
        ),
        (
            "audit: {redact: [a]}",
            &["mpe-config.yaml:1: audit.redact: ", "JSON Pointer"],
        ),
        // With flags, and with each other.
        (
            "audit:\n  file: {bytes: 7}",
            &[
                "--audit-file <FILE>",
                "note: --audit-file-bytes is `audit.file.bytes` at ./mpe-config.yaml:2",
            ],
        ),
        (
            "server: {listen: ['127.0.0.1:1', '127.0.0.1:2']}",
            &[
                "one address can be named",
                "note: --listen is `server.listen` at ./mpe-config.yaml:1",
            ],
        ),
        (
            "admin:\n  listen: nowhere",
            &[
                "--admin nowhere: it must be a port",
                "note: --admin is `admin.listen` at ./mpe-config.yaml:2",
            ],
        ),
        (
            "opa: {api: true, defaultdecision: '?policy=a'}",
            &[
                "--opa-default-decision ?policy=a: it has to name a document",
                "`opa.defaultdecision` at",
            ],
        ),
    ] {
        let folder = Folder::new("config-wrong", &[("mpe-config.yaml", text)]);
        let (status, output, error) = run(&folder, &format!("serve -b {}", file("shop.yml").display()), &[]);
        assert_eq!((status, output.as_str()), (Some(1), ""), "{text}: {error}");
        for want in wants {
            assert!(error.contains(want), "{text}: {want}: {error}");
        }
    }
    let folder = Folder::new("config-variable", &[("x", "")]);
    let (status, _, error) = run(&folder, "serve -b x", &[("MPE_SERVER_THREADS", "many")]);
    assert_eq!(status, Some(1));
    assert!(
        error.contains("MPE_SERVER_THREADS: `server.threads`: \"many\""),
        "{error}"
    );
}

/// Null says nothing of a key, and nothing of all keys of a section.
#[test]
fn null_is_as_if_the_key_were_not_there() {
    let folder = Folder::new("config-null-none", &[("mpe-config.yaml", "")]);
    let default = printed(&folder, "", &[]);
    for text in [
        "bundles:\n  # includeall: true\n",
        "bundles: {includeall: ~}",
        "audit: ~\nserver: null\nlog:\nmock:\nopa:\npolicies:",
        "audit: {env: ~, k8s: {podinfo: ~}, sample: {grants: ~}, redact: ~, hash: ~, hashkeyfile: ~, revision: ~}",
        "mock: {enabled: ~}\nopa: {unsafebuiltins: ~, api: ~}",
        "server: {port: ~, tls: ~}\npolicies: {bundle: ~, watch: ~}\nlog: {level: ~, formatter: ~}",
    ] {
        let folder = Folder::new("config-null", &[("mpe-config.yaml", text)]);
        assert_eq!(printed(&folder, "", &[]), default, "{text}");
    }
    let text = "server: ~\nserver.port: 7001";
    let folder = Folder::new("config-null-dots", &[("mpe-config.yaml", text)]);
    let output = printed(&folder, "", &[("MPE_BUNDLES_INCLUDEALL", "false")]);
    has_line(&output, "server.port: 7001  # ./mpe-config.yaml:2");
    has_line(&output, "bundles.includeall: \"false\"  # MPE_BUNDLES_INCLUDEALL");
    let folder = Folder::new("config-null-wrong", &[("mpe-config.yaml", "bundle: ~")]);
    let (status, _, error) = run(&folder, "serve --print-config", &[]);
    assert!(
        status == Some(1) && error.contains("unknown key `bundle`"),
        "{error}"
    );
}

/// A typing mistake in where the configuration is must not serve without it; other verbs go on, as those of the reference do.
#[test]
fn a_configuration_that_was_named_must_be_there() {
    let shop = std::fs::read_to_string(file("shop.yml")).unwrap();
    let text = "server: {listen: '127.0.0.1:0', threads: 1, io: epoll}\naudit: {full: deny}\n";
    let files = [
        ("here/mpe-config.yaml", text),
        ("here/mpe-config.yml/none", ""),
        ("shop.yml", &shop),
        ("porc.json", GRANTED),
    ];
    let folder = Folder::new("config-named", &files);
    let ends = "{json,toml,yaml,yml,properties,props,prop,hcl,tfvars,dotenv,env,ini}";
    let (path, name) = ("MPE_CONFIG_PATH", "MPE_CONFIG_FILENAME");
    for (variables, said, bare, unset) in [
        (
            &[(path, "her")][..],
            "MPE_CONFIG_PATH=her",
            "her/mpe-config",
            path,
        ),
        (&[(name, "gavel")], "MPE_CONFIG_FILENAME=gavel", "./gavel", name),
        (
            &[(path, "here"), (name, "mpe-confg.yaml")],
            "MPE_CONFIG_PATH=here MPE_CONFIG_FILENAME=mpe-confg.yaml",
            "here/mpe-confg.yaml",
            "MPE_CONFIG_PATH and MPE_CONFIG_FILENAME",
        ),
    ] {
        let want = format!(
            "error: error reading config: {said}: there is neither {bare} nor {bare}.{ends}\n  \
             = help: put the configuration there, or unset {unset}\n"
        );
        for verb in ["serve -b shop.yml", "serve -b shop.yml --print-config"] {
            let (status, output, error) = run(&folder, verb, variables);
            assert_eq!((status, output.as_str(), error), (Some(1), "", want.clone()));
        }
        let (status, _, error) = run(&folder, "test decision -b shop.yml -i porc.json", variables);
        assert_eq!(status, Some(0), "{error}");
    }
    // Whoever says that there is none means it.
    printed(&folder, "-b shop.yml", &[(path, ""), (name, "gavel")]);
    printed(&folder, "-b shop.yml", &[(name, "")]);
    // That nothing is read is told, and where it was looked for.
    for (variables, why) in [
        (
            &[][..],
            "there is neither ./mpe-config nor ./mpe-config.{json,toml,",
        ),
        (&[(path, "")], "MPE_CONFIG_PATH is empty"),
    ] {
        let mut command = command(&folder, variables);
        let mut server = Server::start_command(command.args(["serve", "-b", "shop.yml"]), |_| {});
        server.wait_for(&format!("no configuration file is read: {why}"));
        server.stop();
    }
    // What is read is told, and once it is gone the last one stays in use.
    let mut command = command(&folder, &[(path, "here")]);
    let mut server = Server::start_command(command.args(["serve", "-b", "shop.yml"]), |_| {});
    assert!(server.saw("the configuration is that of here/mpe-config.yaml"));
    std::fs::remove_file(folder.0.join("here/mpe-config.yaml")).unwrap();
    server.signal("HUP");
    let line = server.wait_for("reload (signal) failed, revision 1 is still served");
    assert!(line.contains("MPE_CONFIG_PATH=here: there is neither"), "{line}");
    assert_eq!(server.connect().post(GRANTED), granted());
    server.stop();
}

/// What is no YAML, or says something twice, is shown where it stands.
#[test]
fn broken_files_are_told_of_with_line_and_column() {
    for (text, place, why) in [
        ("server:\n  port: [", "2:10", ""),
        (
            "server:\n  port: 1\n  host: x\n  port: 2\n",
            "4:3",
            "mapping key \"port\" already defined at line 2",
        ),
        ("server: *nothing", "1:9", "anchor"),
        (
            "server: {port: 1}\n---\nserver: {port: 2}\n",
            "3:1",
            "more than one document",
        ),
        ("- server", "1:1", "the top level must be a mapping"),
        ("server: {port: .nan}", "1:16", "no finite number"),
    ] {
        let folder = Folder::new("config-broken", &[("mpe-config.yaml", text)]);
        let (status, output, error) = run(&folder, "serve -b nowhere.yml", &[]);
        assert_eq!((status, output.as_str()), (Some(1), ""), "{text}: {error}");
        let begin = format!("error: error reading config: ./mpe-config.yaml:{place}: ");
        assert!(
            error.starts_with(&begin) && error.contains(why),
            "{text}: {error}"
        );
        assert!(error.contains("^"), "{error}");
    }
}

#[test]
fn the_form_of_the_log() {
    for (text, variable, is_json, wrong) in [
        ("{}", "", true, None),
        ("log:\n  formatter: text", "", false, None),
        ("log: {formatter: text}", "json", true, None),
        ("log: {formatter: json}", "text", false, None),
        (
            "log:\n  formatter: [text]",
            "",
            true,
            Some("./mpe-config.yaml:2: log.formatter: [\\\"text\\\"] is neither"),
        ),
        (
            "log: {formatter: text}",
            "TEXT",
            true,
            Some("MPE_LOG_FORMATTER: log.formatter: \\\"TEXT\\\" is neither"),
        ),
    ] {
        let folder = Folder::new("config-log", &[("mpe-config.yaml", text)]);
        // Without Envoy a name has no effect, which is the first line of the log.
        let (_, _, error) = run(
            &folder,
            "serve -b nowhere.yml -n shop",
            &[("MPE_LOG_FORMATTER", variable)],
        );
        assert_eq!(
            error.starts_with("{\"level\":\"warn\""),
            is_json,
            "{text}, {variable}: {error}"
        );
        let is_told = error.contains("neither text nor json");
        assert_eq!(is_told, wrong.is_some(), "{text}, {variable}: {error}");
        assert!(error.contains(wrong.unwrap_or_default()), "{error}");
    }
}

#[test]
fn a_variable_that_nobody_reads_is_told_of() {
    let folder = Folder::new("config-stranger", &[("none", "")]);
    let (_, _, error) = run(&folder, "serve -b nowhere.yml", &[("MPE_AUDIT_FUL", "deny")]);
    let want = "MPE_AUDIT_FUL is no variable of the configuration, the nearest one is MPE_AUDIT_FULL";
    assert!(error.contains(want), "{error}");
}

#[test]
fn a_level_that_is_no_text_is_told_of() {
    let shop = std::fs::read_to_string(file("shop.yml")).unwrap();
    let files = [
        ("mpe-config.yaml", "log: {level: 7}"),
        ("shop.yml", &shop),
        ("porc.json", GRANTED),
    ];
    let folder = Folder::new("config-level", &files);
    let (status, _, error) = run(&folder, "test decision -b shop.yml -i porc.json", &[]);
    assert_eq!(status, Some(0), "{error}");
    assert!(
        error.contains("mpe-config.yaml:1: log.level: 7 is no text"),
        "{error}"
    );
}

#[test]
fn a_service_without_a_single_flag() {
    let shop = std::fs::read_to_string(file("shop.yml")).unwrap();
    let config = "policies: {bundle: shop.yml, revision: '1.10'}\nserver: {listen: '127.0.0.1:0', threads: 1, io: epoll}\n\
                  admin: {listen: 0}\naudit: {file: {path: records.jsonl}}\n";
    let folder = Folder::new(
        "config-alone",
        &[("mpe-config.yaml", config), ("shop.yml", &shop)],
    );
    let mut server = Server::start_command(command(&folder, &[]).arg("serve"), |_| {});
    server.wait_for("admin on 127.0.0.1:");
    assert_eq!(server.connect().post(GRANTED), granted());
    let (status, output, _) = server.stop();
    assert_eq!((status.code(), output.as_str()), (Some(0), ""));
    let records = std::fs::read_to_string(folder.0.join("records.jsonl")).unwrap();
    assert!(records.contains("\"policy.label\":\"1.10\""), "{records}");
}

#[test]
fn verbs_of_test_decide_as_the_service_does() {
    let domain = "apiVersion: iamlite.manetu.io/v1beta1\nkind: PolicyDomain\nmetadata: {name: d}\nspec:\n  policies:\n  \
                  - mrn: mrn:p\n    name: p\n    rego: |\n      package authz\n      allow := 1 if true\n  operations:\n  \
                  - {name: o, selector: ['.*'], policy: mrn:p}\n";
    let config = "policies: {bundle: [d.yml], v1compatible: true}\nserver: {port: 1}\n";
    let folder = Folder::new("config-test", &[("mpe-config.yaml", config), ("d.yml", domain)]);
    std::fs::write(folder.0.join("porc.json"), GRANTED).unwrap();
    let (status, output, error) = run(&folder, "test decision -i porc.json", &[]);
    assert_eq!(status, Some(0), "{error}");
    assert!(output.contains("\"decision\":\"GRANT\""), "{output}");
    let (status, _, error) = run(&folder, "test decision -i porc.json --v1-compatible=false", &[]);
    assert!(status == Some(1) && error.contains("rego_parse_error"), "{error}");
}
