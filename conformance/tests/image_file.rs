//! Image files: what is loaded decides as what was saved, and no bytes make the loader panic or believe them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]

use gavel_compiler::source::SourceMap;
use gavel_compiler::{Options, compile_parts};
use gavel_runtime::bytecode::FnId;
use gavel_runtime::decision::{Decider, RecordOptions, Stamp, write_json};
use gavel_runtime::image::{Entry, Image, ImageParts, LoadError, LoadOptions, load, save};
use gavel_runtime::input::Trailing;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::RequestEnv;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

const STAMP: Stamp = Stamp {
    wall_ns: 1_700_000_000_000_000_000,
    random: [7; 16],
};
const ENV: RequestEnv = RequestEnv::timeless(STAMP.wall_ns, 1);

/// Small budgets: a changed program may loop or build until they are used up.
const LIMITS: Limits = Limits {
    fuel: 20_000,
    arena_max_bytes: 1 << 20,
    ..Limits::DEFAULT
};

/// Every construct that a table of an image stands for.
const DOMAIN: &str = r#"
apiVersion: iamlite.manetu.io/v1beta1
kind: PolicyDomain
metadata: {name: small}
spec:
  policy-libraries:
    - mrn: "mrn:small:library:tools"
      name: tools
      rego: |
        package tools
        known := {"a": [1, 2.50, null], "b": {"x", "y"}}
        is_word(text) { regex.match("^[a-z]+$", text) }
  policies:
    - mrn: "mrn:small:policy:gate"
      name: gate
      rego: |
        package authz
        default allow = -1
        allow = 0 { input.principal.sub != "" }
    - mrn: "mrn:small:policy:words"
      name: words
      dependencies: ["mrn:small:library:tools"]
      rego: |
        package authz
        default allow = false
        allow { data.tools.is_word(input.principal.sub); glob.match("a:*", [":"], input.operation); some i; data.tools.known.a[i] == 2.5 }
        allow { count([x | x := input.context.list[_]; x > 3]) > 2 with input.context.list as [4, 5, 6] }
    - mrn: "mrn:small:policy:index"
      name: index
      rego: |
        package authz
        default allow = false
        allow { input.context.n == 1; object.get(input.context, "b", 7) == 7 }
        allow { input.context.n == true }
        allow { input.context.n == "x"; split(input.operation, ":")[1] == "read" }
        allow { input.context.n == -5; count(input.context.list) > 1 }
        allow { startswith(input.context.n, "a:"); tree.a.b }
        allow { endswith(input.context.n, ":z"); some x, y; input.context.list[x].id == input.context.list[y].id }
        allow { input.context.n == 7; replaced }
        replaced { upper("a") == "b" with upper as "b"; count(word(input.context.n)) == 1 with word as {"w"} }
        tree.a[k] = v { k := input.operation; v := {"k": k} }
        tree.a.c = 1 { input.context.n }
        word(x) = y { y := {x: [x, {x}]} }
  roles:
    - {mrn: "mrn:small:role:index", name: index, policy: "mrn:small:policy:index"}
    - {mrn: "mrn:small:role:reader", name: reader, policy: "mrn:small:policy:words", annotations: [{name: tier, value: "{\"n\": 1.5}"}]}
  groups:
    - {mrn: "mrn:small:group:all", name: all, roles: ["mrn:small:role:reader", "mrn:small:role:index"]}
  scopes:
    - {mrn: "mrn:small:scope:api", name: api, policy: "mrn:small:policy:words"}
  resource-groups:
    - {mrn: "mrn:small:resource-group:any", name: any, default: true, policy: "mrn:small:policy:words"}
  resources:
    - {name: docs, selector: ["mrn:doc:.*"], group: "mrn:small:resource-group:any", annotations: [{name: tag, value: "\"d\""}]}
  operations:
    - {name: all, selector: ["a:.*"], policy: "mrn:small:policy:gate"}
"#;

const REQUEST: &str = r#"{"principal":{"sub":"ann","mgroups":["mrn:small:group:all"],"scopes":["mrn:small:scope:api"]},
    "operation":"a:read","resource":"mrn:doc:1","context":{"list":[1,9]}}"#;

#[track_caller]
fn parts(name: &str, text: &str) -> ImageParts {
    let mut sources = SourceMap::default();
    let file = sources.add_file(name, text);
    match compile_parts(&mut sources, &[file], &Options::default()) {
        Ok(linked) => linked.parts,
        Err(problems) => panic!("{}", gavel_compiler::render::text(&sources, &problems)),
    }
}

/// The access record, which shows everything that the image knows.
fn record(image: &Image, body: &[u8]) -> String {
    let mut decider = Decider::new(image, &LIMITS);
    let mut frame = Vec::new();
    match decider.decide(image, body, Trailing::Ignore, &ENV) {
        Ok(decision) => decision.encode(body, STAMP, &mut frame),
        Err(refusal) => refusal.encode(STAMP, &mut frame),
    }
    let mut line = Vec::new();
    let mut scratch = Decider::new(image, &LIMITS);
    assert!(write_json(
        image,
        &frame,
        &RecordOptions::default(),
        &mut scratch,
        &mut line
    ));
    String::from_utf8(line).unwrap()
}

fn loaded(bytes: &[u8]) -> Result<Image, LoadError> {
    load(bytes, &LoadOptions::default())
}

#[test]
fn a_loaded_image_decides_as_the_saved_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cases: Vec<(ImageParts, Vec<Vec<u8>>)> = vec![(parts("small.yml", DOMAIN), vec![REQUEST.into()])];
    for path in [
        "examples/clinic",
        "examples/saas",
        "examples/toolgate",
        "benches/domains/mcp",
    ] {
        let folder: PathBuf = root.join(path);
        let name = folder.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(folder.join(format!("{name}.yml"))).unwrap();
        let requests = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let bodies = requests
            .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
            .map(|path| std::fs::read(path).unwrap());
        cases.push((parts(name, &text), bodies.collect()));
    }
    for (parts, bodies) in cases {
        let bytes = save(&parts).unwrap();
        let (fresh, again) = (Image::new(parts).unwrap(), loaded(&bytes).unwrap());
        for body in bodies {
            assert_eq!(record(&again, &body), record(&fresh, &body));
        }
    }
}

#[test]
fn the_small_domain_grants() {
    let image = Image::new(parts("small.yml", DOMAIN)).unwrap();
    let record = record(&image, REQUEST.as_bytes());
    assert!(record.starts_with(r#"{"decision":"GRANT""#), "{record}");
}

#[test]
fn every_cut_and_every_changed_byte_is_found() {
    let bytes = save(&parts("small.yml", DOMAIN)).unwrap();
    for len in 0..bytes.len() {
        let error = loaded(bytes.get(..len).unwrap()).unwrap_err();
        assert!(matches!(error, LoadError::Truncated), "{len}: {error}");
    }
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        *changed.get_mut(at).unwrap() ^= 1 << (at % 8);
        assert!(loaded(&changed).is_err(), "{at}");
    }
    let longer = [bytes.as_slice(), b"\n"].concat();
    assert!(matches!(loaded(&longer), Err(LoadError::TooLong)));
    assert!(matches!(loaded(DOMAIN.as_bytes()), Err(LoadError::NoImage)));
}

#[test]
fn other_versions_are_told_apart() {
    let bytes = save(&parts("small.yml", DOMAIN)).unwrap();
    let mut newer = bytes.clone();
    *newer.get_mut(8).unwrap() += 1;
    let error = loaded(&newer).unwrap_err();
    assert!(
        error.to_string().contains("newer format, made by gavel 0."),
        "{error}"
    );
    let mut other = bytes.clone();
    *other.get_mut(13).unwrap() = b'9';
    let error = loaded(&other).unwrap_err();
    assert!(error.to_string().contains("made by gavel 9."), "{error}");
    let mut build = bytes;
    *build.get_mut(20).unwrap() ^= 1;
    assert!(matches!(loaded(&build), Err(LoadError::OtherBuild)));
}

#[test]
fn a_disallowed_builtin_is_refused_by_name() {
    let bytes = save(&parts("small.yml", DOMAIN)).unwrap();
    let names = ["time.now_ns".to_owned(), "glob.match".to_owned()];
    let options = LoadOptions {
        disallowed_builtins: &names,
        ..LoadOptions::default()
    };
    let error = load(&bytes, &options).unwrap_err();
    assert!(error.to_string().contains("`glob.match`"), "{error}");
}

/// The file with another body and the checksum that fits.
fn sealed(bytes: &[u8], body: &[u8]) -> Vec<u8> {
    let header = bytes.len() - body_of(bytes).len() - 40;
    let mut out = bytes.get(..header).unwrap().to_vec();
    out.extend_from_slice(&(body.len() as u64).to_le_bytes());
    let checksum = Sha256::new().chain_update(&out).chain_update(body).finalize();
    out.extend_from_slice(&checksum);
    out.extend_from_slice(body);
    out
}

/// Magic, format, length and text of the version, digest of the tables, length, checksum.
fn body_of(bytes: &[u8]) -> &[u8] {
    let version = usize::from(*bytes.get(12).unwrap());
    bytes.get(8 + 4 + 1 + version + 32 + 8 + 32..).unwrap()
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

fn mutate(body: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(body.len());
        match random.below(6) {
            0 => drop(body.drain(at..body.len().min(at + 1 + random.below(16)))),
            1 => {
                let piece = body
                    .get(at..body.len().min(at + 1 + random.below(32)))
                    .unwrap()
                    .to_vec();
                let to = random.below(body.len() + 1);
                drop(body.splice(to..to, piece));
            }
            2 => {
                // Lengths and indices are numbers of four bytes.
                let number = [0, 1, 255, 65_535, u32::MAX, random.below(1000) as u32];
                let number = number.get(random.below(6)).unwrap().to_le_bytes();
                let end = body.len().min(at + 4);
                body.splice(at..end, number);
            }
            3 => *body.get_mut(at).unwrap() = random.below(256) as u8,
            _ => *body.get_mut(at).unwrap() ^= 1 << random.below(8),
        }
        if body.is_empty() {
            body.push(0);
        }
    }
}

#[test]
fn changed_files_are_refused_or_harmless() {
    let bytes = save(&parts("small.yml", DOMAIN)).unwrap();
    let body = body_of(&bytes);
    assert!(loaded(&sealed(&bytes, body)).is_ok());
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut changed = body.to_vec();
        mutate(&mut changed, &mut random);
        match loaded(&sealed(&bytes, &changed)) {
            Ok(image) => {
                accepted += 1;
                record(&image, REQUEST.as_bytes());
            }
            Err(error) => {
                refused += 1;
                assert!(!error.to_string().is_empty());
            }
        }
    }
    assert!(
        accepted > 1000 && refused > 1000,
        "{accepted} accepted, {refused} refused"
    );
}

#[test]
fn indices_that_point_nowhere_are_refused() {
    #[track_caller]
    fn check(change: impl FnOnce(&mut ImageParts), said: &str) {
        let mut parts = parts("small.yml", DOMAIN);
        change(&mut parts);
        let error = loaded(&save(&parts).unwrap()).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    check(|p| p.roles.first_mut().unwrap().policy = 99, "a policy");
    check(|p| p.groups.first_mut().unwrap().roles.push(99), "a role");
    check(
        |p| {
            p.mappers.push(gavel_runtime::image::MapperPart {
                domain: "small".to_owned(),
                name: "m".to_owned(),
                program: p.program.clone(),
                entry: FnId(0),
            })
        },
        "mapper's query",
    );
    check(|p| p.default_resource_group = Some(1), "resource group");
    check(
        |p| p.policies.first_mut().unwrap().entry = Entry::Document(FnId(99)),
        "rule",
    );
    check(|p| p.program.lines.first_mut().unwrap().source = 99, "a source");
    check(
        |p| p.program.functions.last_mut().unwrap().end += 1,
        "behind the code",
    );
    check(
        |p| p.program.functions.last_mut().unwrap().entry = 0,
        "begins before",
    );
    check(
        |p| p.operations.first_mut().unwrap().selectors.push("(".to_owned()),
        "a selector",
    );
}
