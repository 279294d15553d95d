//! Who may log in: Flask-AppBuilder's rules with its gaps closed.
//!
//! Every answer after the look-up costs exactly one hash, of the stored method or, where
//! there is none to verify, of the default, and leaves one record for the statistics: time
//! does not tell who exists.

use countersign_sdk::{AuthError, Result, Secret, User};

use crate::Db;
use crate::accounts::Account;
use crate::counters::Counters;
use crate::hash::StoredHash;
use crate::rehash::Rehash;

impl Db {
    /// `None`: nobody has this name. One read and one hash, then what differs.
    pub(crate) async fn login(&self, username: String, password: Secret) -> Result<Option<User>> {
        // HMAC pads its key with zeros: to a hash, "pw" and "pw\0" are one password,
        // and "\0" is the empty one, which Airflow stores for users of a directory.
        if password.expose().contains('\0') {
            return Err(AuthError::denied("the password contains NUL").subject(username));
        }
        let account = self.find(&username).await?;
        let stored = usable_hash(account.as_ref());
        let refusal = stored.as_ref().err().copied();
        let hash = stored.unwrap_or_else(|_| StoredHash::decoy(self.method));
        let is_old = self.rehashes && hash.differs_from(self.method);
        tracing::trace!(method = %hash.method(), "verifies");
        let (matches, password) = self
            .cx
            .cpu(move || (hash.verify(password.expose()), password))
            .await?;
        let Some(account) = account else {
            self.count(Counters::nobody);
            return Ok(None);
        };
        if let Some(reason) = refusal {
            self.count(Counters::nobody);
            return Err(AuthError::denied(reason).subject(account.username));
        }
        let row = account.row;
        if !matches {
            self.count_of(row, Counters::failure);
            return Err(AuthError::denied("wrong password").subject(account.username));
        }
        let old = account.hash.clone().filter(|_| is_old);
        let user = self.user(account).await?;
        self.count_of(row, Counters::success);
        if let (Some(id), Some(old)) = (row, old) {
            let method = self.method;
            self.count(|counters| {
                counters.rehash(Rehash {
                    id,
                    old,
                    password,
                    method,
                });
            });
        }
        Ok(Some(user))
    }
}

/// The hash to verify, or why there is none. The reason goes to the audit log only.
fn usable_hash(account: Option<&Account>) -> Result<StoredHash, &'static str> {
    let account = account.ok_or("no such user")?;
    if !account.active {
        return Err("the user is inactive");
    }
    let hash = account.hash.as_deref().ok_or("the user has no password")?;
    StoredHash::parse(hash).ok_or("the stored hash is of an unknown method or out of bounds")
}
