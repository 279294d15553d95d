//! One visit of a browser: what every page needs to know of its request.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request as HttpRequest};
use serde_json::Value;

use super::fields::Fields;
use crate::clock;
use crate::http::chain;
use crate::http::observe::Caller;
use crate::token::Request;

/// Credentials of another kind than the form's: plugins are not told them.
const KEPT: [&str; 2] = ["authorization", "proxy-authorization"];

/// A request for a page.
pub(in crate::http) struct Visit {
    pub id: String,
    pub address: Option<IpAddr>,
    pub headers: HeaderMap,
    pub query: String,
    /// The route.
    pub path: &'static str,
    /// Seconds since 1970.
    pub now: u64,
}

impl Visit {
    /// A request taken apart.
    pub(in crate::http) fn of(
        http: HttpRequest<Body>,
        path: &'static str,
    ) -> (Visit, Method, Body) {
        let (mut head, body) = http.into_parts();
        let caller = head.extensions.remove::<Caller>().unwrap_or_default();
        let visit = Visit {
            id: caller.id,
            address: caller.address,
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            path,
            now: clock::unix_now(),
        };
        (visit, head.method, body)
    }

    /// A parameter of the address; none if it is there twice.
    pub(in crate::http) fn parameter(&self, name: &str) -> Option<String> {
        let fields = Fields::read(self.query.as_bytes()).ok()?;
        fields.get(name).map(str::to_owned)
    }

    /// What the backends are asked with: `body` is JSON in the shape of `/auth/token`, `only`
    /// the one that is asked.
    pub(in crate::http) fn request(&self, body: Value, only: Option<String>) -> Request {
        let headers = chain::headers(&self.headers, &KEPT);
        let request = Request::new(self.path, headers, self.id.clone(), self.address);
        let mut request = chain::with_body(request, body);
        request.only = only;
        request
    }
}
