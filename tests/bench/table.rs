//! The one table, and the line that says on which machine it was made.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::thread;

use countersign_tests::artifacts;

/// One figure.
pub(crate) struct Row {
    pub(crate) name: Cow<'static, str>,
    /// With its unit.
    pub(crate) measured: String,
    /// What it is held against, of the same run; empty if it is a figure of its own.
    pub(crate) reference: String,
    /// What the target is about.
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) target: Target,
    /// Printed below the table: what the number is made of.
    pub(crate) note: String,
}

/// What a figure should reach.
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

/// All figures of a run.
#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    pub(crate) fn extend(&mut self, rows: Vec<Row>) {
        self.0.extend(rows);
    }
}

impl Row {
    fn verdict(&self) -> &'static str {
        let reached = match self.target {
            Target::AtLeast(least) => self.value >= least,
            Target::AtMost(most) => self.value <= most,
        };
        if reached { "ok" } else { "below" }
    }

    fn cells(&self) -> [String; 6] {
        let target = match self.target {
            Target::AtLeast(least) => format!("≥ {least:.2}"),
            Target::AtMost(most) => format!("≤ {most}{}", self.unit),
        };
        [
            self.name.to_string(),
            self.measured.clone(),
            self.reference.clone(),
            format!("{:.2}{}", self.value, self.unit),
            target,
            self.verdict().to_owned(),
        ]
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let head = [
            "figure",
            "measured",
            "reference",
            "ratio or value",
            "target",
            "",
        ];
        let mut lines = vec![head.map(str::to_owned)];
        lines.extend(self.0.iter().map(Row::cells));
        let width = |column: usize| {
            lines
                .iter()
                .map(|cells| cells[column].chars().count())
                .max()
        };
        let widths: Vec<usize> = (0..head.len()).filter_map(width).collect();
        for (index, cells) in lines.iter().enumerate() {
            let padded = cells.iter().zip(&widths);
            let padded: Vec<String> = padded
                .map(|(text, width)| format!("{text:width$}"))
                .collect();
            writeln!(f, "| {} |", padded.join(" | "))?;
            if index == 0 {
                let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                writeln!(f, "| {} |", rules.join(" | "))?;
            }
        }
        for row in self.0.iter().filter(|row| !row.note.is_empty()) {
            write!(f, "\n{}: {}", row.name, row.note)?;
        }
        Ok(())
    }
}

/// Cores, processor and build profile: absolute numbers mean nothing without them.
pub(crate) fn machine() -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let profile = artifacts::built().file_name().unwrap_or_default();
    let profile = profile.display();
    format!("machine: {cores} cores, {model}, load {load}; profile {profile}\n")
}
