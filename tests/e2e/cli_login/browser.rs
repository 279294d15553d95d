//! A browser without a screen: cookies, redirects, and the forms of the page that it sees.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use countersign_tests::{Answer, send};
use url::{Url, form_urlencoded};

/// Redirects that are followed.
const MOST: usize = 10;

/// A browser with its cookies; none of them is for more than one server.
#[derive(Default)]
pub(crate) struct Browser {
    cookies: BTreeMap<(SocketAddr, String), String>,
    /// Addresses below this one are not visited: the way ends before them.
    pub(crate) stops_at: Option<String>,
}

/// What it sees.
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) answer: Answer,
}

impl Browser {
    pub(crate) fn open(&mut self, url: &str) -> Page {
        self.go("GET", Url::parse(url).unwrap(), &[], "")
    }

    /// Fills the page's form in and sends it by the button that is named.
    pub(crate) fn submit(&mut self, page: &Page, typed: &[(&str, &str)]) -> Page {
        let body = &page.answer.body;
        let form = body
            .split("<form")
            .nth(1)
            .unwrap_or_else(|| panic!("no form: {body}"));
        let form = form.split("</form>").next().unwrap();
        let action = attribute(form, "action").unwrap();
        let mut fields = form_urlencoded::Serializer::new(String::new());
        for input in form.split("<input").skip(1) {
            let input = input.split('>').next().unwrap();
            if attribute(input, "type").as_deref() == Some("hidden") {
                let name = attribute(input, "name").unwrap();
                fields.append_pair(&name, &attribute(input, "value").unwrap());
            }
        }
        fields.extend_pairs(typed);
        let url = page.url.join(&action).unwrap();
        let origin = page.url.origin().ascii_serialization();
        self.go("POST", url, &[("origin", &origin)], &fields.finish())
    }

    pub(crate) fn go(
        &mut self,
        method: &str,
        url: Url,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Page {
        let (mut method, mut url, mut body) = (method, url, body);
        for _ in 0..MOST {
            let answer = self.ask(method, &url, headers, body);
            let to = answer.header("location").filter(|_| answer.status == 303);
            let Some(to) = to else {
                return Page { url, answer };
            };
            let to = url.join(to).unwrap();
            if self
                .stops_at
                .as_ref()
                .is_some_and(|end| to.as_str().starts_with(end))
            {
                return Page { url: to, answer };
            }
            (method, url, body) = ("GET", to, "");
        }
        panic!("it goes round in circles: {url}")
    }

    fn ask(&mut self, method: &str, url: &Url, headers: &[(&str, &str)], body: &str) -> Answer {
        let address: SocketAddr = url.socket_addrs(|| None).unwrap()[0];
        let ours = self
            .cookies
            .iter()
            .filter(|((known, _), _)| *known == address);
        let cookies: Vec<String> = ours
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let cookies = cookies.join("; ");
        let mut all = headers.to_vec();
        if !cookies.is_empty() {
            all.push(("cookie", &cookies));
        }
        if method == "POST" {
            all.push(("content-type", "application/x-www-form-urlencoded"));
        }
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let answer = send(address, method, target, &all, body.as_bytes());
        for (name, value) in &answer.headers {
            if name == "set-cookie" {
                self.keep(address, value);
            }
        }
        answer
    }

    fn keep(&mut self, address: SocketAddr, cookie: &str) {
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        let key = (address, name.to_owned());
        match cookie.contains("Max-Age=0") {
            true => self.cookies.remove(&key),
            false => self.cookies.insert(key, value.to_owned()),
        };
    }
}

impl Page {
    /// A parameter of the address.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = self.url.query_pairs();
        let found = pairs.find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let begins = format!(" {name}=\"");
    let value = tag.split(&begins).nth(1)?.split('"').next()?;
    let plain = [
        ("&#38;", "&"),
        ("&amp;", "&"),
        ("&#x2F;", "/"),
        ("&#34;", "\""),
    ];
    let plain = plain
        .iter()
        .fold(value.to_owned(), |text, (from, to)| text.replace(from, to));
    Some(plain)
}
