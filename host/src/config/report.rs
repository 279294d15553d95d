//! What the configuration's reader has to say: errors, all at once and sorted
//! by place, and notices. No text here ever holds a value, only keys, places,
//! kinds and what to do.

use std::error::Error;
use std::fmt;

use super::origins::Place;

/// One error.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What is wrong, with the key's name; one line.
    pub message: String,
    /// What lies beneath, outermost first; each may have several lines.
    pub causes: Vec<String>,
    /// What to do.
    pub help: Vec<String>,
}

impl Finding {
    /// An error at a place.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Finding {
            place,
            message: message.into(),
            causes: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Adds what lies beneath.
    pub fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds what to do, if there is something.
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help.extend(help);
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_block(
            f,
            "error",
            &self.message,
            &self.place,
            &self.causes,
            &self.help,
        )
    }
}

/// Every error of one configuration, sorted by place.
#[derive(Debug, Clone)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Sorts the findings by place and drops repetitions.
    pub fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort();
        findings.dedup();
        Report { findings }
    }

    /// The errors, in order.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, finding) in self.findings.iter().enumerate() {
            if i > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl Error for Report {}

/// Something the operator should know; the configuration holds all the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// Where.
    pub place: Place,
    /// What; one line.
    pub message: String,
    /// What to do.
    pub help: Vec<String>,
}

impl Notice {
    /// A notice at a place.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Notice {
            place,
            message: message.into(),
            help: Vec::new(),
        }
    }

    /// Adds what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Tells the log.
    pub fn log(&self) {
        let (message, help) = (&self.message, self.help.join("; "));
        tracing::warn!(place = %self.place, help, "{message}");
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_block(f, "warning", &self.message, &self.place, &[], &self.help)
    }
}

fn write_block(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    message: &str,
    place: &Place,
    causes: &[String],
    help: &[String],
) -> fmt::Result {
    write!(f, "{title}: {message}")?;
    if *place != Place::Default {
        write!(f, "\n  --> {place}")?;
    }
    for cause in causes {
        write!(f, "\ncaused by: {}", indented(cause))?;
    }
    for line in help {
        write!(f, "\nhelp: {}", indented(line))?;
    }
    Ok(())
}

/// Keeps a text of several lines under its title.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n  ")
}
