//! The call to the target, and its answer.

use countersign_abi::{Code, Failure, Operation, User};
use serde::Serialize;
use serde_json::{Value, json};

use super::Entry;
use crate::accounts::store::fold;
use crate::backends::Outcome;
use crate::backends::outcome::Refused;
use crate::backends::user::as_json;

/// Of roles that a target does not know, at most so many are told, cut to so many characters.
const TOLD: usize = 20;
const LETTERS: usize = 64;

/// May a row that is linked to nobody be taken? In the words of the boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Adopt {
    Never,
    WithoutPassword,
    Any,
}

/// What differs from call to call.
pub(super) struct Question<'a> {
    pub(super) id: Option<&'a str>,
    /// The name that the row of this id had, folded.
    pub(super) name: Option<&'a str>,
    pub(super) previous_roles: &'a [String],
    pub(super) adopt: Adopt,
}

/// The row that was found or made.
pub(super) struct Answer {
    pub(super) user: User,
    pub(super) created: bool,
    pub(super) unknown_roles: Vec<String>,
}

/// What a look-up says of a name.
pub(super) enum Name {
    Free,
    Taken,
    /// The target offers no look-up.
    Unknown,
}

impl Entry<'_> {
    /// Has the target find or register the user.
    pub(super) async fn ask(&self, question: Question<'_>) -> Result<Answer, Outcome> {
        let arguments = json!({
            "backend": self.key.backend, "subject": self.key.subject, "id": question.id,
            "name": question.name,
            "user": as_json(self.user), "previous_roles": question.previous_roles,
            // A linked row that is gone was deleted by somebody: it is not made anew.
            "register": self.register && question.id.is_none(), "sync": self.sync, "adopt": question.adopt,
        });
        let called = self
            .target
            .call(Operation::Provision, self.request_id, arguments);
        let mut answer = called.await.map_err(refused)?;
        let user = answer.get_mut("user").map(Value::take).unwrap_or_default();
        let user = User::try_from(user).map_err(refused)?;
        let unknown = answer["unknown_roles"].as_array().into_iter().flatten();
        let unknown = unknown.filter_map(Value::as_str).map(str::to_owned);
        let answer = Answer {
            user,
            created: answer["created"] == Value::Bool(true),
            unknown_roles: unknown.collect(),
        };
        self.tell(&answer);
        Ok(answer)
    }

    /// Is the user's name free in the target?
    pub(super) async fn look_up(&self) -> Result<Name, Outcome> {
        if !self.target.capabilities.lookup {
            return Ok(Name::Unknown);
        }
        let name = self.user.username.as_str();
        let arguments = json!({ "username": name });
        let called = self
            .target
            .call(Operation::Lookup, self.request_id, arguments);
        let same = |other: &str| fold(other) == fold(name);
        match called.await {
            Ok(Value::Null) => Ok(Name::Free),
            // A row that was found by something else than its name leaves the name free.
            Ok(row) => Ok(match row["username"].as_str() {
                Some(other) if !same(other) => Name::Free,
                _ => Name::Taken,
            }),
            Err(failure) if failure.code == Code::Denied => Ok(Name::Taken),
            Err(failure) if failure.code == Code::NotSupported => Ok(Name::Unknown),
            Err(failure) => Err(refused(failure)),
        }
    }

    fn tell(&self, answer: &Answer) {
        let (target, user) = (&self.target.id, &answer.user.username);
        if answer.created {
            tracing::info!(
                backend = self.key.backend,
                target,
                user,
                id = answer.user.id,
                "registered"
            );
        }
        if !answer.unknown_roles.is_empty() {
            let cut = |role: &String| role.chars().take(LETTERS).collect();
            let told: Vec<String> = answer.unknown_roles.iter().take(TOLD).map(cut).collect();
            let count = answer.unknown_roles.len();
            tracing::warn!(
                backend = self.key.backend, target, user, count, roles = ?told,
                "roles that the target does not have were not given"
            );
        }
    }
}

fn refused(failure: Failure) -> Outcome {
    let code = failure.code;
    let refused = Refused::from(failure);
    match code {
        Code::Denied => Outcome::Denied(refused),
        Code::Unavailable => Outcome::Unavailable(refused),
        Code::Invalid | Code::Fault | Code::NotSupported => Outcome::Fault(refused),
    }
}
