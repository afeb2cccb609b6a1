//! What a report consists of: figures, curves, and what was left out and why.

/// A line of a plot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    /// What it shows.
    pub(crate) name: String,
    /// Abscissa and ordinate.
    pub(crate) points: Vec<(f64, f64)>,
}

/// One plot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Curve {
    /// Name of its file.
    pub(crate) file: &'static str,
    /// What stands above it.
    pub(crate) title: &'static str,
    /// What is to the right.
    pub(crate) across: &'static str,
    /// What is upwards.
    pub(crate) upwards: &'static str,
    /// Its lines.
    pub(crate) lines: Vec<Series>,
}

/// The whole of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Names and values, in the order in which they were measured.
    pub(crate) figures: Vec<(&'static str, f64)>,
    /// Plots.
    pub(crate) curves: Vec<Curve>,
    /// Titles and Markdown tables: what figures are the worst or the middle of.
    pub(crate) tables: Vec<(&'static str, String)>,
    /// Rows of text that explain figures: what was left out, and how things were measured.
    pub(crate) notes: Vec<String>,
}

impl Report {
    /// A figure.
    pub(crate) fn figure(&mut self, name: &'static str, value: f64) {
        self.figures.push((name, value));
    }

    /// A table in Markdown, with its head.
    pub(crate) fn table(&mut self, title: &'static str, text: String) {
        println!("\n{title}\n\n{text}");
        self.tables.push((title, text));
    }

    /// Something to be known beside the figures.
    pub(crate) fn note(&mut self, text: String) {
        println!("{text}");
        self.notes.push(text);
    }
}
