//! A value that fits none of several alternatives: which one was meant? Their
//! errors together say everything and help nobody.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;

use super::key::KeyPath;

/// The errors of one alternative.
type Branch = Vec<ValidationError<'static>>;

/// What was probably meant.
pub(super) enum Meant<'a> {
    /// This alternative: its errors say what is wrong.
    Branch(&'a Branch),
    /// None of the known variants: this key names them.
    Variant(KeyPath, Vec<String>),
    /// Nothing in particular: the value itself is of the wrong kind.
    Unclear,
}

/// Judges the errors of all alternatives for the value at `key`.
pub(super) fn meant<'a>(context: &'a [Branch], key: &KeyPath) -> Meant<'a> {
    let here = key.segments().len();
    let wrong_kind = |error: &ValidationError<'_>| {
        let kind = matches!(
            error.kind(),
            Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. }
        );
        kind && place(error).segments().len() == here
    };
    let open: Vec<&Branch> = context
        .iter()
        .filter(|branch| !branch.iter().any(wrong_kind))
        .collect();
    let fitting = open.iter().filter(|branch| tag(branch).is_none());
    if let Some(branch) = fitting.min_by_key(|branch| branch.len()) {
        return Meant::Branch(branch);
    }
    // Every variant that is left refuses the tag: the tag itself is wrong.
    let tags: Vec<(KeyPath, String)> = open.iter().filter_map(|branch| tag(branch)).collect();
    match tags.first() {
        Some((key, _)) => Meant::Variant(
            key.clone(),
            tags.iter().map(|(_, name)| name.clone()).collect(),
        ),
        None => Meant::Unclear,
    }
}

/// The tag that a variant asks for and did not get.
fn tag(branch: &Branch) -> Option<(KeyPath, String)> {
    branch.iter().find_map(|error| match error.kind() {
        Kind::Constant { expected_value } => {
            Some((place(error), expected_value.as_str()?.to_owned()))
        }
        _ => None,
    })
}

fn place(error: &ValidationError<'_>) -> KeyPath {
    KeyPath::from_pointer(error.instance_path().as_str())
}
