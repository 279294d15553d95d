//! Who may log in: Flask-AppBuilder's rules with its gaps closed.
//!
//! Every answer after the look-up costs exactly one hash, of the stored method or,
//! where there is none to verify, of the default: time does not tell who exists.

use countersign_sdk::{AuthError, Result, Secret, User};

use crate::Db;
use crate::accounts::Account;
use crate::hash::StoredHash;

impl Db {
    /// `None`: nobody has this name.
    pub(crate) async fn login(&self, username: String, password: Secret) -> Result<Option<User>> {
        // HMAC pads its key with zeros: to a hash, "pw" and "pw\0" are one password,
        // and "\0" is the empty one, which Airflow stores for users of a directory.
        if password.expose().contains('\0') {
            return Err(AuthError::denied("the password contains NUL").subject(username));
        }
        let account = Account::find(&self.database, &username).await?;
        let stored = usable_hash(account.as_ref());
        let refusal = stored.as_ref().err().copied();
        let hash = stored.unwrap_or_else(|_| StoredHash::decoy(self.method));
        let matches = self.cx.cpu(move || hash.verify(password.expose())).await?;
        let Some(account) = account else {
            return Ok(None);
        };
        if let Some(reason) = refusal {
            return Err(AuthError::denied(reason).subject(account.username));
        }
        let id = account.id;
        if !matches {
            self.count(|counters| counters.failure(id));
            return Err(AuthError::denied("wrong password").subject(account.username));
        }
        let user = account.into_user(&self.database).await?;
        self.count(|counters| counters.success(id));
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
