//! Who may log in: Flask-AppBuilder's state chart with its gaps closed.

use countersign_sdk::{AuthError, Result, Secret, User};

use crate::Ldap;
use crate::filter::Filter;
use crate::groups;
use crate::net::{Query, Reach};
use crate::trouble::Trouble;

impl Ldap {
    /// `None`: the directory has no such user.
    pub(crate) async fn login(&self, username: &str, password: &Secret) -> Result<Option<User>> {
        if password.expose().is_empty() || password.expose().contains('\0') {
            return Err(AuthError::denied("an empty password").subject(username));
        }
        let outage = |trouble: Trouble| AuthError::unavailable(trouble.to_string());
        let mut service = self.directory.service().await.map_err(outage)?;
        let filter = Filter::equals(&self.config.search.uid_attribute, username);
        let found = service
            .search(&Query {
                base: &self.config.search.base,
                depth: Reach::Subtree,
                filter: &filter,
                attributes: &["*", "+"],
                most: 2,
            })
            .await
            .map_err(outage)?;
        let [entry] = found.as_slice() else {
            return Ok(None);
        };
        let bound = self.directory.bind(&entry.dn, password).await;
        bound.map_err(|trouble| AuthError::denied(trouble.to_string()).subject(username))?;
        let mut user = User::new(entry.dn.clone(), username);
        user.groups = groups::of_user(&self.config, &mut service, entry, username)
            .await
            .map_err(outage)?;
        Ok(Some(user))
    }
}
