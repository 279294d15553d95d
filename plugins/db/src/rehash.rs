//! A password whose stored hash is of an older method or cost is hashed anew when it is
//! next typed: after the answer, one at a time, and only in tables of our own.

use countersign_sdk::{Cx, Secret};

use crate::hash::{Method, StoredHash};
use crate::sql::{Pool, with};

/// One password to be hashed anew.
pub(crate) struct Rehash {
    pub(crate) id: i64,
    /// The hash that the password matched. Only it is replaced.
    pub(crate) old: String,
    pub(crate) password: Secret,
    pub(crate) method: Method,
}

impl Rehash {
    /// Does it. Failing changes nothing: the old hash goes on working.
    pub(crate) async fn run(self, cx: &Cx, pool: &Pool) {
        if let Err(problem) = self.replace(cx, pool).await {
            tracing::warn!(
                problem,
                "a password could not be hashed anew; the old hash stays"
            );
        }
    }

    async fn replace(self, cx: &Cx, pool: &Pool) -> Result<(), String> {
        let (method, password) = (self.method, self.password);
        let hash = cx
            .cpu(move || StoredHash::create(method, password.expose()))
            .await
            .map_err(|error| error.detail().to_owned())?
            .map_err(|error| error.to_string())?;
        let update = "UPDATE ab_user SET password = :new WHERE id = :id AND password = :old";
        let named = [
            with("new", hash),
            with("id", self.id),
            with("old", self.old),
        ];
        let write = async {
            let mut transaction = pool.begin().await?;
            let changed = transaction.execute(update, &named).await?;
            transaction.commit().await.map(|()| changed)
        };
        let changed = write.await.map_err(|error| error.to_string())?;
        tracing::debug!(id = self.id, changed, method = %method, "a password was hashed anew");
        Ok(())
    }
}
