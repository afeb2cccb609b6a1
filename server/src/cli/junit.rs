//! The outcomes of a suite as JUnit XML, which build servers read.

use std::fmt::Write as _;
use std::time::Duration;

/// One test.
pub(crate) struct JunitCase {
    pub(crate) name: String,
    pub(crate) time: Duration,
    pub(crate) problem: Option<Problem>,
}

/// Why a test did not pass.
pub(crate) struct Problem {
    /// Another decision than the expected one; else none at all.
    pub(crate) is_failure: bool,
    /// What went wrong, on one line.
    pub(crate) message: String,
    /// The access record, where there is one.
    pub(crate) record: String,
}

/// The report of one suite. `suite` names its file.
pub(crate) fn report(suite: &str, cases: &[JunitCase]) -> String {
    let problems = |is_failure: bool| {
        let of_kind = |case: &&JunitCase| case.problem.as_ref().is_some_and(|p| p.is_failure == is_failure);
        cases.iter().filter(of_kind).count()
    };
    let sums = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{}\"",
        cases.len(),
        problems(true),
        problems(false),
        seconds(cases.iter().map(|case| case.time).sum())
    );
    let suite = escape(suite);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gavel\" {sums}>\n  \
         <testsuite name=\"{suite}\" {sums} skipped=\"0\">\n"
    );
    for case in cases {
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "    <testcase name=\"{}\" classname=\"{suite}\" time=\"{}\"",
            escape(&case.name),
            seconds(case.time)
        );
        match &case.problem {
            None => out.push_str("/>\n"),
            Some(problem) => {
                let (tag, kind) = if problem.is_failure {
                    ("failure", "decision")
                } else {
                    ("error", "error")
                };
                let _ = write!(
                    out,
                    ">\n      <{tag} type=\"{kind}\" message=\"{}\">{}</{tag}>\n    </testcase>\n",
                    escape(&problem.message),
                    escape(problem.record.trim_end())
                );
            }
        }
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn seconds(time: Duration) -> String {
    format!("{:.6}", time.as_secs_f64())
}

/// Text as content or attribute. Characters that XML cannot hold in any form become U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            // In an attribute they would be read as blanks.
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_case() {
        let case = |name: &str, problem| JunitCase {
            name: name.to_owned(),
            time: Duration::from_micros(1500),
            problem,
        };
        let problem = |is_failure, message: &str| {
            Some(Problem {
                is_failure,
                message: message.to_owned(),
                record: "{\"a\":1}\n".to_owned(),
            })
        };
        let cases = [
            case("a <b> & \"c\"\n\u{1}", None),
            case("f", problem(true, "expected allow=true")),
            case("e", problem(false, "no PORC")),
        ];
        assert_eq!(
            report("suite.yml", &cases),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuites name=\"gavel\" tests=\"3\" failures=\"1\" errors=\"1\" time=\"0.004500\">\n  \
             <testsuite name=\"suite.yml\" tests=\"3\" failures=\"1\" errors=\"1\" time=\"0.004500\" skipped=\"0\">\n    \
             <testcase name=\"a &lt;b&gt; &amp; &quot;c&quot;&#10;\u{fffd}\" classname=\"suite.yml\" time=\"0.001500\"/>\n    \
             <testcase name=\"f\" classname=\"suite.yml\" time=\"0.001500\">\n      \
             <failure type=\"decision\" message=\"expected allow=true\">{&quot;a&quot;:1}</failure>\n    </testcase>\n    \
             <testcase name=\"e\" classname=\"suite.yml\" time=\"0.001500\">\n      \
             <error type=\"error\" message=\"no PORC\">{&quot;a&quot;:1}</error>\n    </testcase>\n  \
             </testsuite>\n</testsuites>\n"
        );
    }
}
