//! A curve as SVG, by hand: both axes logarithmic, because loads, sizes and latencies span decades.

use std::fmt::Write as _;

use crate::outcome::Curve;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 480.0;
/// Room for labels.
const LEFT: f64 = 80.0;
const RIGHT: f64 = 230.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 60.0;

/// Colours that people with any eyes tell apart (Okabe and Ito).
const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#888888",
];

/// An axis over whole decades.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone) -> Axis {
        let above = values.filter(|value| *value > 0.0);
        let low = above.clone().fold(f64::INFINITY, f64::min);
        let high = above.fold(0.0, f64::max);
        if high <= 0.0 {
            return Axis { low: 0.0, high: 1.0 };
        }
        let (low, high) = (low.log10().floor(), high.log10().ceil());
        Axis {
            low,
            high: high.max(low + 1.0),
        }
    }

    /// Where a value lies, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
        ((value.max(f64::MIN_POSITIVE)).log10() - self.low) / (self.high - self.low)
    }

    fn decades(&self) -> impl Iterator<Item = f64> + use<> {
        let (low, high) = (self.low as i32, self.high as i32);
        (low..=high).map(|decade| 10f64.powi(decade))
    }
}

/// The picture.
pub(crate) fn svg(curve: &Curve) -> String {
    let points = || curve.lines.iter().flat_map(|line| line.points.iter());
    let across = Axis::over(points().map(|(x, _)| *x));
    let upwards = Axis::over(points().map(|(_, y)| *y));
    let x = |value: f64| LEFT + across.place(value) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - upwards.place(value) * (HEIGHT - TOP - BOTTOM);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"26\" font-size=\"16\">{}</text>\n",
        curve.title
    );
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    // Writing to a `String` cannot fail.
    for value in across.decades() {
        let at = x(value);
        let _ = writeln!(
            out,
            "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 18.0,
            short(value)
        );
    }
    for value in upwards.decades() {
        let at = y(value);
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            at + 4.0,
            short(value)
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
         <text transform=\"translate(18 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        f64::midpoint(LEFT, right),
        HEIGHT - 14.0,
        curve.across,
        f64::midpoint(TOP, bottom),
        curve.upwards
    );
    for (at, (line, colour)) in curve.lines.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let path: Vec<String> = line
            .points
            .iter()
            .map(|(across, upwards)| format!("{:.1} {:.1}", x(*across), y(*upwards)))
            .collect();
        let _ = writeln!(
            out,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join("L")
        );
        let down = TOP + 12.0 + 18.0 * at as f64;
        let _ = writeln!(
            out,
            "<path d=\"M{:.1} {down:.1}h18\" stroke=\"{colour}\" stroke-width=\"2\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            right + 14.0,
            right + 38.0,
            down + 4.0,
            line.name
        );
    }
    out.push_str("</svg>\n");
    out
}

/// A power of ten as people write it.
fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{:.0}M", value / 1e6),
        value if value >= 1e3 => format!("{:.0}k", value / 1e3),
        value => format!("{value}"),
    }
}
