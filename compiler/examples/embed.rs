//! A service that decides in process: compiles a domain, keeps it as an image file, loads that again, and decides on two
//! threads, with records and with resources that come from a table of the service's own.
//!
//! `cargo run -p gavel-compiler --example embed`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use gavel_compiler::opa_ast::parse_module;
use gavel_compiler::source::SourceMap;
use gavel_compiler::{Options, compile_parts, render};
use gavel_runtime::decision::{RecordOptions, Resolution, ResourceFacts};
use gavel_runtime::embed::{Engine, JsonRecords, Moment, PorcBuilder};
use gavel_runtime::image::{Image, LoadOptions, load, save};
use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

const DOMAIN: &str = r#"
apiVersion: iamlite.manetu.io/v1beta1
kind: PolicyDomain
metadata:
  name: library
spec:
  policies:
    - mrn: "mrn:library:policy:gate"
      name: gate
      rego: |
        package authz
        default allow = 0
    - mrn: "mrn:library:policy:reader"
      name: reader
      rego: |
        package authz
        default allow = false
        allow { input.operation == "library:book:read" }
    - mrn: "mrn:library:policy:own-books"
      name: own-books
      rego: |
        package authz
        default allow = false
        allow { input.resource.owner == input.principal.sub }
        allow { input.resource.annotations.public == true }
  roles:
    - {mrn: "mrn:library:role:reader", name: reader, policy: "mrn:library:policy:reader"}
  resource-groups:
    - {mrn: "mrn:library:resource-group:books", name: books, policy: "mrn:library:policy:own-books"}
  operations:
    - {name: library, selector: ["library:.*"], policy: "mrn:library:policy:gate"}
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let file = compiled()?;
    println!("an image of {} bytes", file.len());

    // From here on nothing needs the compiler but `rego.parse_module`, which this domain does not call.
    let options = LoadOptions {
        parse_module: Some(parse_module),
        ..LoadOptions::default()
    };
    let image = Arc::new(load(&file, &options)?);
    let (send, lines) = mpsc::channel();
    thread::scope(|scope| {
        for reader in ["ann", "bob"] {
            let (image, send) = (Arc::clone(&image), send.clone());
            scope.spawn(move || decide(image, reader, send));
        }
    });
    drop(send);
    for line in lines {
        print!("{line}");
    }
    Ok(())
}

/// The domain as the bytes of an image file. A service would write them to disk, or compile at build time.
fn compiled() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut sources = SourceMap::default();
    let file = sources.add_file("library.yml", DOMAIN);
    let linked = compile_parts(&mut sources, &[file], &Options::default())
        .map_err(|problems| render::text(&sources, &problems))?;
    Ok(save(&linked.parts)?)
}

/// One thread of the service.
fn decide(image: Arc<Image>, reader: &str, send: mpsc::Sender<String>) {
    let records = JsonRecords::new(RecordOptions::default(), move |line| {
        // Where a record cannot be kept the decision becomes a deny.
        send.send(String::from_utf8_lossy(line).into_owned()).is_ok()
    });
    let mut engine = Engine::new(image).sink(records).resolver(book);
    for number in 1..=3 {
        let porc = PorcBuilder::new("library:book:read")
            .subject(reader)
            .role("mrn:library:role:reader")
            .resource(&format!("mrn:library:book:{number}"));
        match engine.decide_porc(&porc, &moment()) {
            Ok(true) => println!("{reader} reads book {number}"),
            Ok(false) => println!("{reader} must not read book {number}"),
            Err(refusal) => println!("refused, which is a deny: {refusal}"),
        }
    }
}

/// What the service knows of its books.
fn book(mrn: &str) -> Resolution {
    let facts = |owner: &str, public: bool| {
        Resolution::Found(ResourceFacts {
            group: "mrn:library:resource-group:books".to_owned(),
            owner: owner.to_owned(),
            annotations: vec![("public".to_owned(), public.into())],
            ..ResourceFacts::default()
        })
    };
    match mrn {
        "mrn:library:book:1" => facts("ann", false),
        "mrn:library:book:2" => facts("bob", true),
        _ => Resolution::Unknown,
    }
}

fn moment() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ns = monotonic_ns();
    // Good enough for the ids of an example; a service takes its bytes from the system.
    let mut random = [0; 16];
    let (low, high) = random.split_at_mut(8);
    low.copy_from_slice(&RandomState::new().hash_one(now_ns).to_le_bytes());
    high.copy_from_slice(&RandomState::new().hash_one(now_ns).to_le_bytes());
    Moment {
        wall_ns: i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        random,
        monotonic_ns,
        deadline_ns: Some(now_ns + 1_000_000_000),
    }
}

fn monotonic_ns() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}
