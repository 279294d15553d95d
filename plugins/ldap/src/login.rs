//! Who may log in: Flask-AppBuilder's state chart with its gaps closed. Registration,
//! activity, roles and counters are the host's and the users' table's.

use countersign_sdk::{AuthError, Result, Secret, User};

use crate::Ldap;
use crate::check::Flow;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::filter::Filter;
use crate::groups;
use crate::name::{self, BindName};
use crate::net::{Query, Reach, Session};
use crate::outcome::{Step, outage, refusal};
use crate::trouble::Trouble;
use crate::user;

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
            self.bind_nobody().await;
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
        let is_bound = match name::unsaid_domain(&entry, &bound) {
            Some(domain) => self.is_of_domain(&mut own, &entry, domain).await?,
            None => name::is_bound(&entry, &bound),
        };
        if !is_bound {
            tracing::error!(
                bound,
                found = entry.dn,
                "the name that was bound and the entry that was found are not surely one user's: \
                 write `username_format` as the directory writes its entries' names, or with the domain of its users, \
                 or look users up by `bind_dn`"
            );
            let refused = AuthError::denied("the entry found is not surely the one bound");
            return Err(refused.subject(typed));
        }
        self.user(&entry, &mut own, typed).await.map(Some)
    }

    /// Does the domain that is called so hold the entry? The forest's configuration says ([MS-ADTS] 6.1.1.2.1.1.4).
    async fn is_of_domain(&self, own: &mut Session, entry: &Entry, domain: &str) -> Result<bool> {
        let mut first = async |base: &str, depth, filter: &Filter, attribute: &str| {
            let attributes = [attribute];
            let query = Query {
                base,
                depth,
                filter,
                attributes: &attributes,
                most: TOLD,
            };
            let found = own.search(&query).await;
            let found = found.map_err(|trouble| outage(Step::User, &trouble))?;
            let value = found.first().and_then(|entry| entry.first(attribute));
            Ok::<_, AuthError>(value.map(str::to_owned))
        };
        let any = Filter::present("objectClass");
        let context = first("", Reach::Base, &any, "configurationNamingContext").await?;
        let Some(context) = context else {
            return Ok(false);
        };
        let named = Filter::equals("objectClass", "crossRef");
        let named = named.and(&Filter::equals("nETBIOSName", domain));
        let held = first(&context, Reach::Subtree, &named, "nCName").await?;
        let domain = |dn: &str| Dn::parse(dn).map(|dn| dn.domain());
        let held = held.as_deref().and_then(domain);
        Ok(held.is_some_and(|held| !held.is_empty() && Some(held) == domain(&entry.dn)))
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
        let found = session.search(&query).await;
        let mut found = found.map_err(|trouble| outage(Step::User, &trouble))?;
        if found.len() > 1 {
            let names: Vec<&str> = found.iter().map(|entry| entry.dn.as_str()).collect();
            tracing::error!(
                entries = names.join(" | "),
                "several entries answer to one log-in name, and none of them can log in: rename all but one, \
                 or narrow `search.base` or `search.filter`"
            );
            return Err(AuthError::denied("several entries have this name").subject(typed));
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
            Err(trouble) => refusal(&trouble, subject).map_or(Ok(None), Err),
        }
    }

    /// What a wrong password costs: a connection and a bind. Otherwise the clock tells which
    /// names exist. The password stays here: it may be right in another backend.
    async fn bind_nobody(&self) {
        let name = format!("cn=countersign-nobody,{}", self.config.search.base);
        let password = Secret::from("nobody".to_owned());
        drop(self.directory.bind(&name, &password).await);
    }
}

fn out_of_service(trouble: Trouble) -> AuthError {
    outage(Step::Service, &trouble)
}
