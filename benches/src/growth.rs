//! What a domain costs as the number of its policies grows: compiling, loading, memory, and deciding with the same few.

use crate::corpus;
use crate::measure::{Pair, median, pair};
use crate::server::{Server, binary};
use crate::synthetic::{self, Crossing};
use gavel_compiler::source::SourceMap;
use gavel_runtime::image::{self, Image, ImageParts};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Starts and compilations of which the median counts.
const ROUNDS: usize = 5;

/// The figures, by name. `rounds` and `round_ns` are those of [`pair`].
///
/// # Errors
/// A domain that does not compile, a server that does not start, two sizes of one domain that decide differently.
pub fn figures(rounds: usize, round_ns: u64) -> Result<Vec<(&'static str, f64)>, String> {
    let mut figures = vec![("compile.ms_tree_1000_libraries", tree_ms()?)];
    let began = Instant::now();
    let large = loaded(parts(100_000)?)?;
    figures.push(("compile.s_100000_policies", began.elapsed().as_secs_f64()));
    let small = loaded(parts(10)?)?;
    let times = decisions(&small, &large, rounds, round_ns)?;
    figures.push(("decision.ns_100000_policies", times.second_ns));
    figures.push(("decision.policies_100000_over_10", times.ratio));
    drop((small, large));
    let served = binary("gavel-server", "gavel")?;
    let few = ImageFile::new(10)?;
    let thousand = ImageFile::new(1_000)?;
    let many = ImageFile::new(10_000)?;
    let mut starts = Vec::new();
    for _ in 0..ROUNDS {
        starts.push(thousand.serve(&served)?.start_ms);
    }
    figures.push(("image.start_ms_1000_policies", median(&mut starts)));
    let empty_mib = few.serve(&served)?.rss_mib()?;
    let full_mib = many.serve(&served)?.rss_mib()?;
    figures.push(("image.rss_mib_per_10000_policies", full_mib - empty_mib));
    Ok(figures)
}

/// An image of so many policies.
///
/// # Errors
/// A domain that does not compile.
pub fn image_of(policies: usize) -> Result<Image, String> {
    loaded(parts(policies)?)
}

/// What an image of so many policies is made of.
fn parts(policies: usize) -> Result<ImageParts, String> {
    let mut sources = SourceMap::default();
    let mut files = Vec::new();
    for (text, at) in synthetic::growing(policies, 1).iter().zip(0..) {
        files.push(sources.add_file(&format!("large{at}.yml"), text));
    }
    gavel_compiler::compile_parts(&mut sources, &files, &gavel_compiler::Options::default())
        .map(|linked| linked.parts)
        .map_err(|problems| format!("{problems:?}"))
}

fn loaded(parts: ImageParts) -> Result<Image, String> {
    Image::new(parts).map_err(|error| error.to_string())
}

/// Compiling libraries that need each other, and a policy for each.
fn tree_ms() -> Result<f64, String> {
    let text = synthetic::crossing(1_000, Crossing::Tree);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        black_box(corpus::image_of("tree.yml", black_box(&text))?);
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(&mut times))
}

/// One request that meets the same policies in both images.
fn decisions(small: &Image, large: &Image, rounds: usize, round_ns: u64) -> Result<Pair, String> {
    let body = synthetic::request(7);
    let body = body.as_bytes();
    let (mut few, mut many) = (corpus::decider(small), corpus::decider(large));
    let granted = corpus::decide(&mut few, small, body)?.granted;
    if corpus::decide(&mut many, large, body)?.granted != granted {
        return Err("a domain decides differently when it has grown".to_owned());
    }
    Ok(pair(
        rounds,
        round_ns,
        || {
            black_box(corpus::decide(&mut few, small, black_box(body)).map(|d| d.granted)).ok();
        },
        || {
            black_box(corpus::decide(&mut many, large, black_box(body)).map(|d| d.granted)).ok();
        },
    ))
}

/// An image file for a server; removed with the value.
struct ImageFile(PathBuf);

impl ImageFile {
    fn new(policies: usize) -> Result<ImageFile, String> {
        let bytes = image::save(&parts(policies)?).map_err(|error| error.to_string())?;
        let name = format!("gavel-growth-{}-{policies}.img", std::process::id());
        let file = ImageFile(std::env::temp_dir().join(name));
        std::fs::write(&file.0, bytes).map_err(|error| error.to_string())?;
        Ok(file)
    }

    fn serve(&self, binary: &Path) -> Result<Server, String> {
        Server::start(binary, &self.0, synthetic::request(7).as_bytes(), &[])
    }
}

impl Drop for ImageFile {
    fn drop(&mut self) {
        // Nobody is told: it lies in the folder for what may be deleted at any time.
        let _ = std::fs::remove_file(&self.0);
    }
}
