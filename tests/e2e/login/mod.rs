//! Signing in with a browser, as a browser does it: cookies, forms, redirects.

mod canary;
mod cookies;
mod form;
mod hosts;
mod logout;
mod pages;
mod provider;
mod return_to;

use std::net::SocketAddr;

use countersign_tests::{Answer, Folder, Server, artifacts, send};

/// A provider, and a shared password.
const BACKENDS: &str = "\
plugins: { directories: [plugins] }
backends:
  company_sso: { plugin: signs_in, config: {} }
  door: { plugin: template, config: { password: door } }
";

/// A server with these backends, and more of its configuration.
fn server(folder: &Folder, backends: &str, more: &str) -> Server {
    folder.plugin(&artifacts::fixture("signs_in"), "signs_in");
    folder.plugin(&artifacts::fixture("answers"), "answers");
    folder.plugin(&artifacts::plugin("template"), "template");
    Server::start(folder, &format!("{more}\n{backends}"))
}

/// What `server.public_url` says where a test does not care.
const PUBLIC: &str = "server: { public_url: \"http://id.example\" }";

/// A browser: it keeps cookies and sends them, to one server by whatever name.
pub(crate) struct Browser {
    address: SocketAddr,
    cookies: Vec<(String, String)>,
    /// Everything that the server said, headers and all.
    seen: String,
}

impl Browser {
    pub(crate) fn new(server: &Server) -> Self {
        Browser {
            address: server.address,
            cookies: Vec::new(),
            seen: String::new(),
        }
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// A form as a browser sends it from a page of ours.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(
            "POST",
            path,
            &[("sec-fetch-site", "same-origin")],
            &encoded(fields),
        )
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = cookies.join("; ");
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend(more);
        if !cookies.is_empty() {
            headers.push(("cookie", &cookies));
        }
        let answer = send(self.address, method, path, &headers, body.as_bytes());
        self.seen += &format!("{answer:?}\n");
        for line in set_cookies(&answer) {
            let (name, rest) = line.split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !attributes.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    /// The form's token of the page at this path.
    pub(crate) fn token(&mut self, path: &str) -> String {
        hidden(&self.get(path), "token")
    }

    /// Signs in by the form.
    pub(crate) fn sign_in(&mut self, username: &str, password: &str) -> Answer {
        let token = self.token("/login");
        self.post(
            "/login",
            &[
                ("token", &token),
                ("username", username),
                ("password", password),
            ],
        )
    }

    /// Begins a login at a provider: its state.
    fn begin(&mut self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 303, "{answer:?}");
        parameter(answer.header("location").unwrap(), "state")
    }

    /// Signs in at the provider as this user.
    fn come_back(&mut self, name: &str) -> Answer {
        let state = self.begin("/login/company_sso");
        self.get(&format!("/callback/company_sso?code={name}&state={state}"))
    }

    /// The page says that this user is signed in.
    fn is_signed_in(&mut self) -> bool {
        self.get("/login").body.contains("You are signed in")
    }

    fn cookie(&self, beginning: &str) -> Vec<&str> {
        let names = self.cookies.iter().map(|(name, _)| name.as_str());
        names.filter(|name| name.starts_with(beginning)).collect()
    }
}

fn set_cookies(answer: &Answer) -> Vec<&str> {
    let lines = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    lines.map(|(_, value)| value.as_str()).collect()
}

/// The value of a hidden field.
pub(crate) fn hidden(answer: &Answer, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let rest = answer.body.split_once(&start);
    let rest = rest
        .unwrap_or_else(|| panic!("no field {name}: {answer:?}"))
        .1;
    rest.split('"').next().unwrap().to_owned()
}

fn parameter(url: &str, name: &str) -> String {
    let rest = url.split_once(&format!("{name}=")).unwrap().1;
    rest.split('&').next().unwrap().to_owned()
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    fields.join("&")
}
