//! What `gavel serve` serves: loaded from the command line's words, at the start and at every reload.

use std::path::{Path, PathBuf};

use gavel_compiler::documents;
use gavel_compiler::policies;
use sha2::{Digest, Sha256};

use crate::cli::args::{DomainArgs, Global};
use crate::cli::deep_stack::on_a_deep_stack;
use crate::cli::image;
use crate::cli::load::{self, Loaded};
use crate::cli::references::Roots;
use crate::cli::report;
use crate::cli::retrace;
use crate::cli::serve_args::ServeArgs;
use crate::config::{self, AtStart, Found};
use crate::envoy::Lens;
use crate::error::Failure;
use crate::files;
use crate::limits;
use crate::log::{self, Level};
use crate::opa::Documents;
use crate::publish::Fresh;
use crate::reload::{Attempt, Fingerprint, Loading, Wish, label};
use crate::source::{self, Content, Origin};
use crate::trace::Tracing;
use crate::why::Retrace;

/// The command line's words about what is served.
pub(crate) struct Served {
    domains: DomainArgs,
    global: Global,
    name: Option<String>,
    /// In place of files.
    origin: Option<Origin>,
    /// Envoy is served, which needs a mapper.
    with_mapper: bool,
    /// OPA's data API is served, which needs all documents.
    with_documents: bool,
    revision: Option<Label>,
    /// The configuration file that was found last.
    configuration: Option<PathBuf>,
    /// What the configuration said in place of flags.
    at_start: AtStart,
    /// Keys of it of which was told that they wait for the next start.
    told: Vec<String>,
}

/// What the operator calls the policies.
#[derive(Clone)]
enum Label {
    /// Those that the process starts with.
    Fixed(String),
    /// A file says it, which is read at each load.
    File(PathBuf),
}

impl Served {
    /// What these words mean.
    ///
    /// # Errors
    /// A label that cannot be one, or a source that cannot be one.
    pub(crate) fn new(
        args: &ServeArgs,
        (global, found): (&Global, &Found),
        with_mapper: bool,
    ) -> Result<Served, Failure> {
        let revision = match &args.revision {
            None => None,
            Some(text) => Some(match text.strip_prefix('@') {
                Some(path) => Label::File(PathBuf::from(path)),
                None => Label::Fixed(label(text).map_err(|why| Failure::Usage(format!("--revision {why}")))?),
            }),
        };
        let options = args.source.clone().map(|url| source::Options {
            url,
            key_file: args.source_key.clone(),
            token_file: args.source_token_file.clone(),
            cache_dir: args.cache_dir.clone(),
        });
        let origin = options.map(Origin::new).transpose()?;
        let name = args.name.clone().filter(|name| !name.is_empty());
        Ok(Served {
            domains: args.domains.clone(),
            global: global.clone(),
            name,
            origin,
            with_mapper,
            with_documents: args.opa,
            revision,
            configuration: found.file.clone(),
            at_start: AtStart::of(found.settings.clone()),
            told: Vec::new(),
        })
    }

    /// What the first load shall be like.
    pub(crate) fn first_wish(&self) -> Wish {
        let label = match &self.revision {
            Some(Label::Fixed(label)) => Some(label.clone()),
            Some(Label::File(_)) | None => None,
        };
        Wish {
            label,
            ..Wish::default()
        }
    }

    /// Where the policies come from that tell what happens in them.
    pub(crate) fn retrace(&self) -> Retrace {
        match &self.origin {
            Some(_) => retrace::of_source(),
            None => {
                let mapper = self.with_mapper.then(|| self.name.clone());
                retrace::of_domains(&self.domains, self.global.trace, mapper)
            }
        }
    }

    /// What the reloader works with.
    pub(crate) fn loading(mut self) -> Loading {
        let (files, is_patient) = (self.named_files(), self.origin.is_some());
        let image = self.image_file();
        Loading::new(Box::new(move |wish| self.load(wish)), files, is_patient).noting(image)
    }

    /// The image file, if one is named: what is read of it is hashed anyway.
    fn image_file(&self) -> Vec<PathBuf> {
        let named = image::named(&self.domains).ok().flatten();
        named.map(Path::to_path_buf).into_iter().collect()
    }

    fn named_files(&self) -> Vec<PathBuf> {
        let mut files = self.domains.bundle.clone();
        if let Some(Label::File(path)) = &self.revision {
            files.push(path.clone());
        }
        files.extend(config::files());
        files
    }

    /// The configuration file that there is. What is served was loaded with what it says: without it records could show what
    /// they are to leave out.
    ///
    /// # Errors
    /// There was one, or one was named, and it is not there.
    fn configuration_now(&self) -> Result<Option<PathBuf>, Failure> {
        match (config::named_file()?, &self.configuration) {
            (None, Some(path)) => Err(Failure::Operator(format!(
                "error reading config: {} is gone\n  = help: put it back; an empty one says nothing",
                path.display()
            ))),
            (found, _) => Ok(found),
        }
    }

    /// Says once which keys of the configuration have changed and take no effect.
    fn tell_of_the_next_start(&mut self) {
        let changed = self.at_start.changed();
        if changed == self.told {
            return;
        }
        for key in changed.iter().filter(|key| !self.told.contains(key)) {
            let text =
                format_args!("`{key}` has changed in the configuration: that takes effect at the next start");
            log::line(Level::Warn, text);
        }
        self.told = changed;
    }

    fn load(&mut self, wish: &Wish) -> Attempt {
        let mut files = self.named_files();
        let mut noted = Fingerprint::default();
        match self.configuration_now() {
            Ok(found) => self.configuration = found,
            Err(failure) => {
                return Attempt {
                    outcome: Err(failure),
                    files,
                    noted,
                };
            }
        }
        self.tell_of_the_next_start();
        let outcome = match self.origin.take() {
            Some(mut origin) => {
                let outcome = self.load_from(&mut origin, wish);
                self.origin = Some(origin);
                outcome
            }
            None => {
                let roots = Roots::noting(&self.domains.roots.rego_root);
                let loaded = load::load_saved(&self.domains, &self.global, &roots);
                noted = roots.noted();
                files.extend(noted.files().map(Path::to_path_buf));
                loaded
                    .and_then(|loaded| {
                        let is_image = loaded.files.is_empty();
                        let fresh = self.fresh(loaded, wish)?;
                        if let Some(path) = self.domains.bundle.first().filter(|_| is_image) {
                            noted.note_digest(path, fresh.digest);
                        }
                        Ok(fresh)
                    })
                    .map(Some)
            }
        };
        Attempt {
            outcome,
            files,
            noted,
        }
    }

    fn load_from(&self, origin: &mut Origin, wish: &Wish) -> Result<Option<Fresh>, Failure> {
        let Some(content) = origin.fetch(wish.only_if_changed)? else {
            return Ok(None);
        };
        let (content, fresh) = match self.fresh_of(origin.url(), &content, wish) {
            Ok(fresh) => (content, fresh),
            Err(failure) => {
                let kept = origin.kept_instead(&content, failure)?;
                let fresh = self.fresh_of(origin.url(), &kept, wish)?;
                (kept, fresh)
            }
        };
        origin.accept(content);
        Ok(Some(fresh))
    }

    fn fresh_of(&self, url: &str, content: &Content, wish: &Wish) -> Result<Fresh, Failure> {
        let loaded = load::load_got(url, content.bytes(), &self.domains, &self.global)?;
        self.fresh(loaded, wish)
    }

    fn fresh(&self, mut loaded: Loaded, wish: &Wish) -> Result<Fresh, Failure> {
        // A source may have taken its time, in which the file went that `loaded` should have been made with.
        self.configuration_now()?;
        let documents = self
            .with_documents
            .then(|| self.documents(&mut loaded))
            .transpose()?;
        let lens = self.with_mapper.then(|| self.lens(&mut loaded)).transpose()?;
        let label = match (&wish.label, &self.revision) {
            (Some(label), _) => Some(label.clone()),
            (None, Some(Label::File(path))) => Some(label_of(path)?),
            (None, Some(Label::Fixed(_)) | None) => None,
        };
        let mut records = loaded.records;
        if loaded.grants_sample.get() > 1 {
            records.grants_sample = Some(loaded.grants_sample);
            let text = format_args!(
                "one of {} grants is recorded, and every denial",
                loaded.grants_sample
            );
            log::line(Level::Info, text);
        }
        let digest = Sha256::digest(&loaded.saved).into();
        let tracing = loaded.trace.map(|filter| Tracing {
            sources: loaded.sources,
            files: loaded.program_files,
            filter,
        });
        Ok(Fresh {
            image: loaded.image,
            digest,
            label,
            lens,
            documents,
            tracing,
            records,
            is_recorded: loaded.records_revision || self.revision.is_some(),
        })
    }

    /// All documents of policies and libraries.
    ///
    /// # Errors
    /// An image file, which does not have them; documents that the compiler refuses, though no decision needs them.
    fn documents(&self, loaded: &mut Loaded) -> Result<Documents, Failure> {
        if loaded.files.is_empty() {
            let file = self.domains.bundle.first().map(|path| path.to_string_lossy());
            let name = file.unwrap_or_else(|| "what --source has".into());
            let text = "--opa needs the PolicyDomain itself, because an image has only what decisions need";
            let advice = "serve the files that it was compiled from, or leave --opa out";
            return Err(Failure::Usage(format!(
                "{name} is an image file: {text}\n  = help: {advice}"
            )));
        }
        let options = policies::Options {
            dialect: loaded.dialect,
            disallowed_builtins: loaded.unsafe_builtins.clone(),
            network: loaded.network,
            ..policies::Options::default()
        };
        let (sources, files) = (&mut loaded.sources, &loaded.files);
        let outcome = on_a_deep_stack(|| documents::compile(sources, files, &options))?;
        let compiled =
            outcome.map_err(|problems| Failure::Policy(report::problems(&loaded.sources, &problems)))?;
        Documents::new(compiled).map_err(Failure::Policy)
    }

    /// The mapper for Envoy. Without one the server starts, as the reference does, and denies every request of Envoy.
    fn lens(&self, loaded: &mut Loaded) -> Result<Lens, Failure> {
        let mapper = match loaded.mapper(self.name.as_deref()) {
            Ok(mapper) => mapper,
            Err(Failure::Input(why)) => {
                log::line(
                    Level::Error,
                    format_args!("every request of Envoy is denied: {why}"),
                );
                return Ok(Err(why));
            }
            Err(failure) => return Err(failure),
        };
        if mapper.waits && loaded.trace.is_some() {
            let text =
                "the mapper is not traced: it may wait for http.send, and runs beside; see `test mapper`";
            log::line(Level::Warn, format_args!("{text}"));
        }
        Ok(Ok(mapper))
    }
}

fn label_of(path: &Path) -> Result<String, Failure> {
    let text =
        files::text(path, limits::TEXT_BYTES_MAX).map_err(|error| Failure::unreadable(path, &error))?;
    label(&text).map_err(|why| Failure::Operator(format!("{}: {why}", path.display())))
}
