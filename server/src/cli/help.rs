//! What `--help` says beside the flags: examples that can be copied, environment variables, exit statuses.

/// The name that the texts call the binary by; `usage` puts the real one there.
pub(crate) const OWN_NAME: &str = "gavel";

/// Root, `-h`.
pub(crate) const ROOT: &str = "\
Examples:
  gavel serve -b domain.yml                                serve decisions on port 9000
  gavel test decision -b domain.yml -i request.json        decide once; print the access record
  gavel test decisions -b domain.yml -i suite.yml          run a suite of expected decisions
  gavel lint -f domain.yml                                 report everything that is wrong with it
  gavel build -f domain.yml                                write the .rego files that it names into it

`gavel COMMAND --help` tells more about a command, `gavel --help` about environment and exit statuses.";

/// Root, `--help`.
pub(crate) const ROOT_LONG: &str = "\
Examples:
  gavel serve -b domain.yml
      Serve decisions on port 9000: POST /decision with a PORC as JSON.
  gavel test decision -b domain.yml -i request.json
      Decide once and print the access record.
  gavel --trace --trace-filter 'policy:clerk$' test decision -b domain.yml -i request.json
      The same, and what happened in the policies whose name ends so.
  gavel test decisions -b domain.yml -i suite.yml --coverage --junit report.xml
      Run a suite; say which lines of Rego it reached; write a report for a build server.
  gavel eval -d policy/ -i input.json 'data.authz.allow'
      Ask one Rego query.
  source <(gavel completion bash)
      Completion in this shell.

A PORC is a JSON object with principal, operation, resource and context.

Environment:
  MPE_CONFIG_PATH       folder of the configuration file (default: the working directory; set but empty: none)
  MPE_CONFIG_FILENAME   its name, with or without extension (default: mpe-config)
  MPE_BUNDLES_INCLUDEALL, MPE_SERVER_PORT and others
                        win over the key of that name in it (bundles.includeall, server.port);
                        `gavel serve --print-config` names all keys
  MPE_LOG_FORMATTER     log lines of serve: text or json (default: json unless standard error is a terminal)
  MPE_CLI_OPA_FLAGS     as --opa-flags
  NO_COLOR              no colour on a terminal

Exit status:
  0  done; also for a decision that denies
  1  policies, flags or input are wrong; a test failed; a port or file cannot be had
  2  the service stopped because of a fault of its own
  3  there is no such command";

/// `serve -h`.
pub(crate) const SERVE: &str = "\
Examples:
  gavel serve -b domain.yml
  gavel serve -b iam.yml -b shop.yml --host 127.0.0.1 --port 8181 --threads 2
  gavel serve -b domain.yml -p envoy --envoy-socket /run/gavel/envoy.sock
  curl -s localhost:9000/decision -H 'Content-Type: application/json' -d @request.json";

/// `serve --help`.
pub(crate) const SERVE_LONG: &str = "\
Examples:
  gavel serve -b domain.yml
  gavel serve -b iam.yml -b shop.yml --host 127.0.0.1 --port 8181 --threads 2
  gavel serve -b domain.yml -p envoy --envoy-socket /run/gavel/envoy.sock
  curl -s localhost:9000/decision -H 'Content-Type: application/json' -d @request.json
  curl -s 'localhost:9000/decision?probe=true' -H 'Content-Type: application/json' -d @request.json
      Ask without leaving an access record.
  gavel serve -b domain.yml --audit-full deny --audit-spool /var/lib/gavel/spool --audit-fsync each-batch
      No answer without a record that outlives the machine's power.
  gavel serve --print-config
      What the configuration file says, with the name of every other key; each flag has one.

Paths: POST /decision; GET /livez, /readyz, /health, /openapi.yaml, /swagger-ui/.
Access records go to standard output, one JSON object a line, or to --audit-file, through --audit-spool if they are to
survive a crash; the log goes to standard error.
SIGTERM and SIGINT let requests in flight end (--drain-seconds) and write their records.";

/// `test decision`.
pub(crate) const DECISION: &str = "\
Examples:
  gavel test decision -b domain.yml -i request.json
  echo '{\"operation\":\"shop:order:read\"}' | gavel test decision -b domain.yml | jq .decision
  gavel --trace test decision -b domain.yml -i request.json >record.json

A denial is a success, too: the exit status is 0. Without any record it is 1.";

/// `test decisions -h`.
pub(crate) const DECISIONS: &str = "\
Examples:
  gavel test decisions -b domain.yml -i suite.yml
  gavel test decisions -b domain.yml -i suite.yml --test 'clerk-*' --trace
  gavel test decisions -b domain.yml -i suite.yml --coverage --coverage-min 80 --junit report.xml";

/// `test decisions --help`.
pub(crate) const DECISIONS_LONG: &str = "\
Examples:
  gavel test decisions -b domain.yml -i suite.yml
  gavel test decisions -b domain.yml -i suite.yml --test 'clerk-*' --trace
      Some tests, with access records and trace on standard error.
  gavel test decisions -b domain.yml -i suite.yml --coverage --coverage-min 80 --junit report.xml
  gavel test decisions -b domain.yml -i suite.yml --coverage=lcov --coverage-out lcov.info

A suite is YAML:
  tests:
    - name: clerk-reads
      porc:
        principal: {sub: ann, mroles: ['mrn:iam:role:clerk']}
        operation: shop:order:read
        resource: mrn:shop:order:7
      result: {allow: true}

Patterns of --test: * and ? do not cross /, [a-z], \\ for the next character as it is.
The exit status is 0 when every test passed and the coverage is enough, else 1.";

/// `test replay`.
pub(crate) const REPLAY: &str = "\
Examples:
  gavel test replay access.jsonl -b next.yml
  gavel test replay access-*.jsonl.gz -b next.yml --resolve --format json
  kubectl logs deploy/pdp | gavel test replay - -b next.yml

Each request is decided over the document and at the time of its record.
The exit status is 0 when every decision is as before, else 1.";

/// `test mapper`.
pub(crate) const MAPPER: &str = "\
Examples:
  gavel test mapper -b domain.yml -i request.json
  gavel --trace test mapper -b iam.yml -b shop.yml -n shop -i request.json";

/// `test envoy`.
pub(crate) const ENVOY: &str = "\
Examples:
  gavel test envoy -b domain.yml -i request.json
  gavel --trace test envoy -b iam.yml -b shop.yml -n shop -i request.json";

/// `eval`.
pub(crate) const EVAL: &str = "\
Examples:
  gavel eval -d policy/ -d users.json -i input.json 'data.authz.allow'
  gavel eval --explain -d policy.rego -i input.json 'data.authz.allow'
  gavel eval 'count([1, 2, 3])'

The answer is {\"result\": …}, or {} where the query is undefined.";

/// `compile`.
pub(crate) const COMPILE: &str = "\
Examples:
  gavel compile policy.rego library.rego
  gavel compile --emit plan policy.rego
  gavel compile -o shop.image -b shop.yml -b people.yml

An image file fits only the version of gavel that made it.";

/// `audit`.
pub(crate) const AUDIT: &str = "\
Examples:
  gavel audit cat /var/lib/gavel/spool | jq .decision
  gavel audit verify /var/lib/gavel/spool";

/// `audit cat`.
pub(crate) const AUDIT_CAT: &str = "\
Examples:
  gavel audit cat /var/lib/gavel/spool | jq .decision
  gavel audit cat /var/lib/gavel/spool > access.jsonl && gavel test replay access.jsonl -b next.yml

The exit status is 1 when records are damaged; those that are whole are printed all the same. A record that was being
written when a crash came is no damage.";

/// `audit verify`.
pub(crate) const AUDIT_VERIFY: &str = "\
Examples:
  gavel audit verify /var/lib/gavel/spool

The exit status is 1 when records are damaged.";

/// `lint`.
pub(crate) const LINT: &str = "\
Examples:
  gavel lint -f domain.yml
  gavel lint -f policies/ --regal                          with the lints for authorisation policies
  gavel lint -f domain.yml --format sarif > lint.sarif

The exit status is 1 when there are errors (with --deny-warnings also for warnings), else 0.";

/// `build`.
pub(crate) const BUILD: &str = "\
Examples:
  gavel build -f domain.yml                    writes domain-built.yml
  gavel build -f domain.yml -o built.yml

`serve` and `test` do the same in memory and write no file.";

/// `completion`.
pub(crate) const COMPLETION: &str = "\
Examples:
  source <(gavel completion bash)
  gavel completion zsh > \"${fpath[1]}/_gavel\"
  gavel completion fish > ~/.config/fish/completions/gavel.fish
  gavel completion powershell | Out-String | Invoke-Expression";
