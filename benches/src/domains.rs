//! The figures of large domains: compiled, loaded from an image file, served, linted.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use gavel_benches::corpus;
use gavel_benches::measure::median;
use gavel_benches::server::{Server, binary};
use gavel_benches::synthetic;
use gavel_runtime::image::{self, LoadOptions};

use crate::commands;
use crate::effort::Effort;

/// Policies of the large domain.
const POLICIES: usize = 1_000;

/// A domain of a thousand policies: compiled in process, then served.
///
/// # Errors
/// A domain that does not compile, or a server that does not start.
pub(crate) fn compilation(effort: &Effort, figures: &mut Vec<(&'static str, f64)>) -> Result<(), String> {
    let text = synthetic::domain(POLICIES, 1);
    let mut times = Vec::new();
    for _ in 0..effort.load_rounds {
        let start = Instant::now();
        black_box(corpus::image_of("large.yml", black_box(&text))?);
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    figures.push(("compile.ms_per_1000_policies", median(&mut times)));
    loading(&text, effort, figures)?;
    let domain = std::env::temp_dir().join(format!("gavel-report-{}.yml", std::process::id()));
    std::fs::write(&domain, &text).map_err(|error| error.to_string())?;
    let served = served_large(&domain, figures).and_then(|()| linting(&domain, effort, figures));
    std::fs::remove_file(&domain).map_err(|error| error.to_string())?;
    served
}

/// The same domain from an image file in memory.
fn loading(text: &str, effort: &Effort, figures: &mut Vec<(&'static str, f64)>) -> Result<(), String> {
    let parts = corpus::parts_of("large.yml", text)?;
    let bytes = image::save(&parts).map_err(|error| error.to_string())?;
    let mut times = Vec::new();
    for _ in 0..effort.load_rounds {
        let start = Instant::now();
        let loaded = image::load(black_box(&bytes), &LoadOptions::default());
        black_box(loaded.map_err(|error| error.to_string())?);
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    figures.push(("image.load_ms_per_1000_policies", median(&mut times)));
    figures.push(("image.file_mib", bytes.len() as f64 / f64::from(1 << 20)));
    Ok(())
}

fn served_large(domain: &Path, figures: &mut Vec<(&'static str, f64)>) -> Result<(), String> {
    let binary = binary("gavel-server", "gavel")?;
    let server = Server::start(&binary, domain, synthetic::request(7).as_bytes(), &[])?;
    figures.push(("large.start_ms", server.start_ms));
    figures.push(("large.rss_mib", server.rss_mib()?));
    Ok(())
}

fn linting(domain: &Path, effort: &Effort, figures: &mut Vec<(&'static str, f64)>) -> Result<(), String> {
    let binary = binary("gavel-server", "gavel")?;
    let spent = commands::lint_ms(&binary, domain, effort.load_rounds)?;
    figures.push(("lint.ms_per_1000_policies", spent));
    Ok(())
}
