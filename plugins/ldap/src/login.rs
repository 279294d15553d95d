//! Who may log in: Flask-AppBuilder's state chart with its gaps closed. Registration,
//! activity, roles and counters are the host's and the users' table's.

use countersign_sdk::{AuthError, Kind, Result, Secret, User};

use crate::Ldap;
use crate::check::Flow;
use crate::entry::Entry;
use crate::filter::Filter;
use crate::groups;
use crate::name::{self, BindName};
use crate::net::{Query, Reach, Session};
use crate::outcome::{Step, is_no_name, outage, refusal};
use crate::trouble::Trouble;
use crate::user;

/// Whom no directory knows.
const NOBODY: &str = "countersign-nobody";

/// So many entries of one name are told by name.
const TOLD: usize = 10;

impl Ldap {
    /// `None`: the directory has no such user.
    pub(crate) async fn login(&self, typed: &str, password: &Secret) -> Result<Option<User>> {
        let Some(typed) = name::typed(typed) else {
            return Ok(None);
        };
        // A server takes a name without a password for "nobody", and that bind succeeds.
        if password.expose().is_empty() {
            return Err(AuthError::denied("the password is empty").subject(typed));
        }
        if password.expose().contains('\0') {
            return Err(AuthError::denied("the password contains NUL").subject(typed));
        }
        match &self.flow {
            Flow::Indirect => self.indirect(typed, password).await,
            Flow::Direct(rule) => self.direct(rule, typed, password).await,
        }
    }

    /// What a login would find, without the password.
    pub(crate) async fn find(&self, typed: &str) -> Result<Option<User>> {
        let Flow::Indirect = self.flow else {
            return Err(AuthError::not_supported("lookup"));
        };
        let Some(typed) = name::typed(typed) else {
            return Ok(None);
        };
        let mut service = self.directory.service().await.map_err(out_of_service)?;
        let filter = Filter::equals(&self.config.search.uid_attribute, typed);
        let Some(entry) = self.search(&mut service, filter, typed).await? else {
            return Ok(None);
        };
        let mut user = self.user(&entry, &mut service, typed).await?;
        if let Some(why) = user::inactive(&entry) {
            user.attributes.insert("active".to_owned(), false.into());
            user.attributes.insert("inactive".to_owned(), why.into());
        }
        Ok(Some(user))
    }

    async fn indirect(&self, typed: &str, password: &Secret) -> Result<Option<User>> {
        let mut service = self.directory.service().await.map_err(out_of_service)?;
        let filter = Filter::equals(&self.config.search.uid_attribute, typed);
        let found = self.search(&mut service, filter, typed).await?;
        // Others may have it while the user is bound.
        drop(service);
        let Some(entry) = found else {
            // What a wrong password costs: otherwise the clock tells which names exist.
            let nobody = format!("cn={NOBODY},{}", self.config.search.base);
            drop(self.bind_nobody(&nobody).await);
            return Ok(None);
        };
        let subject = user::uid(&self.config, &entry, typed);
        let Some(mut own) = self.bind(&entry.dn, password, subject).await? else {
            return Ok(None);
        };
        if self.config.groups.as_user {
            return self.user(&entry, &mut own, typed).await.map(Some);
        }
        drop(own);
        let mut service = self.directory.service().await.map_err(out_of_service)?;
        self.user(&entry, &mut service, typed).await.map(Some)
    }

    async fn direct(
        &self,
        rule: &BindName,
        typed: &str,
        password: &Secret,
    ) -> Result<Option<User>> {
        let bound = rule.of(typed);
        let Some(mut own) = self.bind(&bound, password, typed).await? else {
            return Ok(None);
        };
        if self.config.search.base.is_empty() {
            return self.unsearched(&mut own, &bound, typed).await.map(Some);
        }
        let filter = name::bound_filter(&self.config.search.uid_attribute, typed, &bound);
        let Some(entry) = self.search(&mut own, filter, typed).await? else {
            tracing::info!(
                user = typed,
                "was bound, but no entry below `search.base` that the user may read has this name"
            );
            return Ok(None);
        };
        let Some(mut own) = self.proven(own, &entry, &bound, password, typed).await? else {
            return Ok(None);
        };
        self.user(&entry, &mut own, typed).await.map(Some)
    }

    /// A session of the entry's own user: of the bound name where that surely is the entry's, else
    /// of the entry's, which the same password must bind.
    async fn proven(
        &self,
        own: Session,
        entry: &Entry,
        bound: &str,
        password: &Secret,
        typed: &str,
    ) -> Result<Option<Session>> {
        if name::is_surely_bound(entry, bound) {
            return Ok(Some(own));
        }
        // One connection for each login.
        drop(own);
        let proven = self.bind(&entry.dn, password, typed).await;
        if let Err(error) = &proven
            && error.kind() == Kind::Denied
        {
            tracing::error!(
                bound,
                found = entry.dn,
                why = error.detail(),
                "the name that was bound is one user's and the entry that was found another one's: write \
                 `username_format` as the directory writes its entries' names, or look users up by `bind_dn`"
            );
            let refused = AuthError::denied("the entry found is not the one bound");
            return Err(refused.subject(typed));
        }
        proven
    }

    /// The user of whom only the bound name is known.
    async fn unsearched(&self, own: &mut Session, bound: &str, typed: &str) -> Result<User> {
        let mut user = user::of_bound(bound, typed);
        if !self.config.groups.base.is_empty() {
            let entry = Entry::new(bound.to_owned(), []);
            let found = groups::of_user(&self.config, own, &entry, typed).await;
            user.groups = found.map_err(|trouble| outage(Step::Groups, &trouble))?;
        }
        Ok(user)
    }

    /// The user of an entry, with his groups.
    async fn user(&self, entry: &Entry, session: &mut Session, typed: &str) -> Result<User> {
        let mut user = user::of_entry(&self.config, entry, typed).map_err(|why| {
            tracing::error!(dn = entry.dn, "the entry {why}: see to `attributes.id`");
            AuthError::denied(format!("the entry {why}")).subject(typed)
        })?;
        let uid = user::uid(&self.config, entry, typed);
        let found = groups::of_user(&self.config, session, entry, uid).await;
        user.groups = found.map_err(|trouble| outage(Step::Groups, &trouble))?;
        Ok(user)
    }

    /// The one entry of this name.
    async fn search(
        &self,
        session: &mut Session,
        name: Filter,
        typed: &str,
    ) -> Result<Option<Entry>> {
        let filter = match &self.filter {
            Some(users) => users.and(&name),
            None => name,
        };
        let query = Query {
            base: &self.config.search.base,
            depth: Reach::from(self.config.search.scope),
            filter: &filter,
            attributes: &user::attributes(&self.config),
            most: TOLD,
        };
        let mut found = match session.search(&query).await {
            Ok(found) => found,
            Err(Trouble::TooMuch(why)) => return Err(ambiguous(&why, typed)),
            Err(trouble) => return Err(outage(Step::User, &trouble)),
        };
        if found.len() > 1 {
            let names: Vec<&str> = found.iter().map(|entry| entry.dn.as_str()).collect();
            return Err(ambiguous(&names.join(" | "), typed));
        }
        Ok(found.pop())
    }

    /// A session of the user's own. `None`: there is no such entry.
    async fn bind(&self, name: &str, password: &Secret, subject: &str) -> Result<Option<Session>> {
        if name.is_empty() {
            // Bound, it would be anybody.
            return Err(AuthError::denied("the entry has no name").subject(subject));
        }
        match self.directory.bind(name, password).await {
            Ok(session) => Ok(Some(session)),
            Err(trouble) if is_no_name(&trouble) && self.has_typed_no_name().await => Ok(None),
            Err(trouble) => refusal(&trouble, subject).map_or(Ok(None), Err),
        }
    }

    /// Is a name that the server cannot read what was typed, and not the fault of a setting? Some
    /// attributes have no value such as "josé" (RFC 4517 section 3.3.15, for `mail`).
    async fn has_typed_no_name(&self) -> bool {
        let Flow::Direct(rule) = &self.flow else {
            return false;
        };
        if rule.is_typed_whole() {
            return true;
        }
        match self.bind_nobody(&rule.of(NOBODY)).await {
            Ok(()) => true,
            Err(trouble) => matches!(trouble, Trouble::Answer(_)) && !is_no_name(&trouble),
        }
    }

    /// A bind of nobody's. The password stays here: it may be right in another backend.
    async fn bind_nobody(&self, name: &str) -> Result<(), Trouble> {
        let password = Secret::from("nobody".to_owned());
        self.directory.bind(name, &password).await.map(drop)
    }
}

fn out_of_service(trouble: Trouble) -> AuthError {
    outage(Step::Service, &trouble)
}

/// Nobody is told by the order in which a directory answers.
fn ambiguous(entries: &str, typed: &str) -> AuthError {
    tracing::error!(
        entries,
        "several entries answer to one log-in name, and none of them can log in: rename all but one, \
         or narrow `search.base` or `search.filter`"
    );
    AuthError::denied("several entries have this name").subject(typed)
}
