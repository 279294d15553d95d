//! Signing in with a real browser: a headless Chromium, the built server, the provider's own pages.

mod login;
mod looks;
mod password;

use countersign_tests::chromium::Chromium;
use countersign_tests::oidc::Oidc;
use countersign_tests::{Folder, Server, countersign};

use super::settings;

/// A server with single sign-on and with passwords, both told to each other.
struct Site {
    provider: Oidc,
    server: Server,
    /// `http://127.0.0.1:PORT`.
    url: String,
    _folder: Folder,
}

const PASSWORD: &str = "correct horse battery";

impl Site {
    fn start() -> Self {
        Site::with(
            "  users: { plugin: db, config: { url: \"sqlite://{state}/users.db\" } }\n",
            "",
        )
    }

    /// `backends` beside `sso`, as YAML; `login` are keys of `server.login`.
    fn with(backends: &str, login: &str) -> Self {
        let provider = Oidc::start();
        let folder = Folder::new();
        let [id, secret] = Oidc::WEB;
        let client = format!(
            ", client_id: {id}, client_secret: {secret}, scopes: [openid, profile, email, roles]"
        );
        let config = format!(
            "server: {{ login: {{ title: Example data platform{login} }} }}\n\
             backends:\n  sso: {{ plugin: oauth, roles: {{ pass: [\"*airflow*\"] }}, config: {} }}\n{backends}",
            settings(&provider, &client)
        );
        if backends.contains("plugin: db") {
            add_ada(&folder, &config);
        }
        let server = Server::start(&folder, &config);
        let url = format!("http://{}", server.address);
        let (callback, login) = (format!("{url}/callback/sso"), format!("{url}/login"));
        provider.allow(&[&callback], &[&login]);
        Site {
            provider,
            server,
            url,
            _folder: folder,
        }
    }

    fn page(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// What went wrong unseen on our own pages: nothing may, but for the statuses that were asked for.
    fn is_clean(&self, browser: &mut Chromium) {
        let mut troubles = browser.troubles(&self.url);
        // The browser says so of every page whose status is an error.
        troubles.retain(|trouble| {
            !trouble
                .text
                .starts_with("Failed to load resource: the server")
        });
        assert_eq!(troubles, [], "{}", self.server.log());
    }

    /// From our page to the provider's, and through its form.
    fn sign_in(&self, browser: &mut Chromium, user: &str) {
        browser.goto(&self.page("/login"));
        browser.click("link", "Continue with SSO");
        self.at_provider(browser, user);
        browser.see("You are signed in");
    }

    fn at_provider(&self, browser: &mut Chromium, user: &str) {
        browser.at(&self.provider.issuer);
        browser.fill("Name", user);
        browser.fill("Password", &format!("{user}-pw"));
        browser.click("button", "Sign in");
        browser.at(&self.url);
        // What the page said, and what the log does, belong together where it went wrong.
        let address = browser.evaluate("location.pathname");
        assert!(
            address != "/callback/sso",
            "{}\n{}",
            browser.text(),
            self.server.log()
        );
    }
}

fn add_ada(folder: &Folder, config: &str) {
    folder.write("config.yaml", config);
    let state = folder.join("state");
    let environment = [
        ("COUNTERSIGN_STATE", state.to_str().unwrap()),
        ("COUNTERSIGN_CONFIG", "config.yaml"),
    ];
    let arguments = ["users", "add", "ada", "--password-stdin"];
    let input = format!("{PASSWORD}\n");
    let done = countersign(folder.path(), &arguments, &environment, &input);
    assert_eq!(done.code, 0, "{done:?}");
}

/// The cookies that our own host has set.
fn ours(browser: &mut Chromium) -> Vec<serde_json::Value> {
    let mut cookies = browser.cookies();
    cookies.retain(|cookie| cookie["name"].as_str().unwrap().contains("countersign"));
    cookies
}
