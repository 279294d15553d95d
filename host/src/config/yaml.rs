//! YAML text → a small tree that remembers for every node where it stands and
//! whether it was quoted. Duplicate keys are reported with both places, aliases
//! are resolved within a budget, size and depth are bounded.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::origins::Place;
use super::report::Finding;
use super::tabs;

/// The largest file that is read, in bytes.
pub(super) const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting.
const MAX_DEPTH: usize = 64;
/// The most nodes, aliases expanded.
const MAX_NODES: usize = 100_000;

/// One node and where it starts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Where it starts.
    pub place: Place,
    /// What it is.
    pub data: Data,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    /// A scalar; not yet typed.
    Scalar {
        /// The text, escapes and folding undone.
        text: String,
        /// In quotes, a block scalar, or tagged `!!str`: certainly text.
        quoted: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file, each key once.
    Map(Vec<Entry>),
}

/// One key of a map.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// The key.
    pub key: String,
    /// Where the key starts.
    pub place: Place,
    /// Its value.
    pub value: Node,
}

/// Reads one document. `None`: its syntax is broken; the findings say where.
/// An empty file is an empty map.
pub(super) fn parse(text: &str, path: &Path, findings: &mut Vec<Finding>) -> Option<Node> {
    let path: Arc<Path> = path.into();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match Builder::new(text, &path, findings).document() {
        Ok(root) => Some(root),
        Err(finding) => {
            let tabs = tabs::findings(text, &path);
            if tabs.is_empty() {
                findings.push(*finding);
                return None;
            }
            findings.extend(tabs);
            // Read on as if the tabs were spaces, so that the other errors of the file show as
            // well; what breaks because of that guess is not reported.
            Builder::new(&tabs::removed(text), &path, &mut Vec::new())
                .document()
                .ok()
        }
    }
}

type Step<T> = Result<T, Box<Finding>>;

struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    text: &'a str,
    path: &'a Arc<Path>,
    findings: &'a mut Vec<Finding>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, path: &'a Arc<Path>, findings: &'a mut Vec<Finding>) -> Self {
        Builder {
            parser: Parser::new_from_str(text),
            text,
            path,
            findings,
            anchors: HashMap::new(),
            nodes: 0,
        }
    }

    fn document(&mut self) -> Step<Node> {
        if self.text.len() > MAX_BYTES {
            return Err(Box::new(Finding::new(
                Place::file(self.path),
                "the file is larger than 1 MiB",
            )));
        }
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::StreamEnd => break,
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(self.fail(
                        span,
                        "a second document starts here: one file is one document",
                    ));
                }
                Event::DocumentStart(_) => {
                    let (event, span) = self.next()?;
                    root = Some(self.node(event, span, 0)?);
                }
                _ => return Err(self.fail(span, "unexpected content outside of a document")),
            }
        }
        let empty = Node {
            place: self.at(1, 0),
            data: Data::Map(Vec::new()),
        };
        Ok(match root {
            Some(Node {
                data:
                    Data::Scalar {
                        text,
                        quoted: false,
                    },
                ..
            }) if text.is_empty() => empty,
            Some(Node {
                data: Data::Map(_), ..
            }) => root.unwrap_or(empty),
            Some(other) => {
                return Err(Box::new(
                    Finding::new(other.place, "expected a map of keys at the top of the file")
                        .help("a configuration starts with keys such as `server:` or `backends:`"),
                ));
            }
            None => empty,
        })
    }

    /// The parser repeats an error for ever: the first one ends everything.
    fn next(&mut self) -> Step<(Event<'a>, Span)> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Err(Box::new(Finding::new(
                Place::file(self.path),
                "the file ends too early",
            ))),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Step<Node> {
        if depth > MAX_DEPTH {
            return Err(self.fail(span, "nested too deeply: 64 levels are the limit"));
        }
        self.count(1, span)?;
        let first = self.nodes;
        let place = self.at(span.start.line(), span.start.col());
        let (anchor, data) = match event {
            Event::Alias(id) => return self.alias(id, span),
            Event::Scalar(text, style, anchor, tag) => {
                let forced = self.tag(tag.as_deref(), span, &["str"])?;
                (
                    anchor,
                    Data::Scalar {
                        text: text.into_owned(),
                        quoted: style != ScalarStyle::Plain || forced,
                    },
                )
            }
            Event::SequenceStart(anchor, tag) => {
                self.tag(tag.as_deref(), span, &["seq"])?;
                (anchor, Data::List(self.list(depth)?))
            }
            Event::MappingStart(anchor, tag) => {
                self.tag(tag.as_deref(), span, &["map"])?;
                (anchor, Data::Map(self.map(depth)?))
            }
            _ => return Err(self.fail(span, "unexpected end of a list or map")),
        };
        let node = Node { place, data };
        if anchor > 0 {
            self.anchors
                .insert(anchor, (node.clone(), self.nodes - first + 1));
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Step<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(items);
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Step<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: HashMap<String, Place> = HashMap::new();
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(key, ..) => key.into_owned(),
                _ => return Err(self.fail(span, "a key must be plain text")),
            };
            let place = self.at(span.start.line(), span.start.col());
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if let Some(problem) = bad_key(&key) {
                self.findings
                    .push(Finding::new(place, problem.0).help(problem.1));
            } else if let Some(first) = seen.get(&key) {
                let finding = Finding::new(place, format!("the key `{key}` is written twice"));
                self.findings.push(
                    finding
                        .caused_by(format!("first written at {first}"))
                        .help("keep one of the two"),
                );
            } else {
                seen.insert(key.clone(), place.clone());
                entries.push(Entry { key, place, value });
            }
        }
    }

    fn alias(&mut self, id: usize, span: Span) -> Step<Node> {
        let Some((node, size)) = self.anchors.get(&id).cloned() else {
            return Err(self.fail(span, "an alias stands inside its own anchor"));
        };
        self.count(size, span)?;
        Ok(node)
    }

    fn count(&mut self, more: usize, span: Span) -> Step<()> {
        self.nodes += more;
        if self.nodes > MAX_NODES {
            return Err(self.fail(
                span,
                "too many values: 100000 with aliases expanded are the limit",
            ));
        }
        Ok(())
    }

    /// Whether the tag forces text. Tags other than the node's own kind are refused.
    fn tag(&self, tag: Option<&Tag>, span: Span, known: &[&str]) -> Step<bool> {
        match tag {
            None => Ok(false),
            Some(tag) if tag.is_yaml_core_schema() && known.contains(&tag.suffix.as_str()) => {
                Ok(true)
            }
            Some(_) => Err(self.fail(
                span,
                "tags other than !!str, !!seq and !!map are not used here",
            )),
        }
    }

    fn fail(&self, span: Span, message: &str) -> Box<Finding> {
        Box::new(Finding::new(
            self.at(span.start.line(), span.start.col()),
            message,
        ))
    }

    fn syntax(&self, error: &ScanError) -> Box<Finding> {
        let line = error.marker().line();
        let finding = Finding::new(
            self.at(line, error.marker().col()),
            format!("not valid YAML: {}", error.info()),
        );
        // A flow list is only found broken after its `${`, often one line later.
        let interpolated = self
            .text
            .lines()
            .skip(line.saturating_sub(2))
            .take(2)
            .any(|line| line.contains("${"));
        let help = "a value with ${…} must be quoted: quote it inside [ ] or { }, and when it holds `: ` or ` #`";
        Box::new(finding.maybe_help(interpolated.then(|| help.to_owned())))
    }

    fn at(&self, line: usize, column: usize) -> Place {
        Place::File {
            path: self.path.clone(),
            line,
            column: column + 1,
        }
    }
}

fn bad_key(key: &str) -> Option<(&'static str, &'static str)> {
    match key {
        "" => Some(("a key is empty", "write the key's name before the colon")),
        "<<" => Some((
            "merge keys (<<) are not YAML 1.2",
            "write the keys out, or give a second file with --config",
        )),
        _ if key.contains("${") => Some(("a key holds ${…}", "only values may hold variables")),
        _ => None,
    }
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
