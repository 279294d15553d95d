//! The web console, as a browser has it: who may enter, what the pages show and do, how they look.

mod bots;
mod door;
mod looks;
mod pages;

use countersign_tests::chromium::Chromium;
use countersign_tests::{Done, Folder, Server, artifacts};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::runtime::Runtime;

/// `ada` and `eve` have the role Admin, nobody else has; names such as `denied` ask for outcomes.
const BACKENDS: &str = r#"
plugins: { directories: [plugins] }
tokens: { audiences: { openmetadata: { aud: om, lifetime: 1h } } }
backends:
  staff: { plugin: answers, config: {}, match: { username: "ada|eve" }, roles: { mapping: { team-airflow: [Admin] } } }
  others: { plugin: answers, config: {}, title: Everybody else }
"#;

struct Site {
    server: Server,
    /// `http://127.0.0.1:PORT`.
    url: String,
    folder: Folder,
}

impl Site {
    fn start() -> Self {
        Site::with("")
    }

    /// With more of a configuration.
    fn with(more: &str) -> Self {
        let folder = Folder::new();
        folder.plugin(&artifacts::fixture("answers"), "answers");
        let server = Server::start(&folder, &format!("{BACKENDS}{more}"));
        let url = format!("http://{}", server.address);
        Site {
            server,
            url,
            folder,
        }
    }

    fn page(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Goes to a page of the console by way of the login.
    fn enter(&self, browser: &mut Chromium, user: &str, path: &str) {
        browser.goto(&self.page(path));
        browser.fill("Username", user);
        browser.fill("Password", "x");
        browser.click("button", "Sign in");
        browser.at(&self.page(path));
    }

    /// Changes the store behind the server's back.
    fn sql(&self, statement: &'static str) {
        let file = self.server.state.join("store.db");
        let options = SqliteConnectOptions::new().filename(file);
        Runtime::new().unwrap().block_on(async {
            let mut connection = options.connect().await.unwrap();
            sqlx::query(statement)
                .execute(&mut connection)
                .await
                .unwrap();
            connection.close().await.unwrap();
        });
    }

    /// A command beside the running server.
    fn command(&self, arguments: &[&str]) -> Done {
        crate::run(&self.folder, arguments, &[])
    }

    /// What went wrong unseen: nothing may, but for the statuses that were asked for.
    fn is_clean(&self, browser: &mut Chromium) {
        let mut troubles = browser.troubles(&self.url);
        troubles.retain(|trouble| {
            !trouble
                .text
                .starts_with("Failed to load resource: the server")
        });
        assert_eq!(troubles, [], "{}", self.server.log());
    }
}

/// Adds a bot on the list's page; the browser is on its page then.
fn add(browser: &mut Chromium, name: &str, roles: &str) {
    browser.click("link", "Bots");
    browser.evaluate("document.querySelector('details.form').open = true");
    browser.fill("Name", name);
    browser.fill("Display name", "Nightly load");
    browser.fill("Roles, separated by commas", roles);
    browser.fill("What it is for", "Brings the day's rows over <night>");
    browser.click("button", "Add");
    browser.see("It has no token.");
}

/// Generates a token on the bot's page, with this expiry; the browser is on the page that shows it.
fn generate(browser: &mut Chromium, expiry: &str, form: &str) -> String {
    browser.evaluate("document.querySelector('#tokens ~ details').open = true");
    browser.select("Expires after", expiry);
    browser.select("Form", form);
    browser.click("button", "Generate");
    browser.see("Copy it now");
    let token = browser.evaluate("document.querySelector('#new-token').value");
    token.as_str().unwrap().to_owned()
}
