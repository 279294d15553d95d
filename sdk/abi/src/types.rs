//! What crosses the boundary by value: the plain types that host and SDK use,
//! and beside each its `repr(C)` twin, which is frozen. What a plugin answers is
//! read with suspicion, in [`received`](crate::received).
//!
//! `ext_json` is the place for later additions: a JSON object, or empty.

use abi_stable::StableAbi;
use abi_stable::std_types::{ROption, RResult, RString, RVec};

use zeroize::Zeroize;

use crate::headers::{self, Headers};

/// One request to a backend, as the host received it.
#[derive(Clone, Default)]
pub struct Request {
    /// All headers.
    pub headers: Headers,
    /// The raw body.
    pub body: Vec<u8>,
    /// Address of the client, without port.
    pub peer: String,
    /// The host's id of this request, for logs.
    pub request_id: String,
    /// Milliseconds until the host stops waiting.
    pub millis_left: u64,
}

/// Who is asking.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct User {
    /// Stable identifier within the backend; becomes `sub`.
    pub id: String,
    /// Log-in name.
    pub username: String,
    /// E-mail address, or empty.
    pub email: String,
    /// Given name, or empty.
    pub first_name: String,
    /// Family name, or empty.
    pub last_name: String,
    /// Roles that the backend itself grants.
    pub roles: Vec<String>,
    /// Groups from outside: keys of the role mapping, never roles by themselves.
    pub groups: Vec<String>,
    /// Further attributes, a JSON object, or empty.
    pub attributes_json: String,
}

/// Why there is no user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    /// What kind of failure.
    pub code: Code,
    /// May reach the client.
    pub public: String,
    /// For the operator's log only.
    pub detail: String,
    /// When to try again, in milliseconds; 0 = not said.
    pub retry_after_millis: u64,
    /// The subject that was refused, for audit and throttle; may be empty.
    pub subject: String,
}

/// Kinds of failure. An integer on the wire; an unknown one reads as `Fault`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Code {
    /// The credentials were understood and refused.
    Denied,
    /// The request cannot be understood; its sender can mend it.
    Invalid,
    /// Nobody can say now: an outage, a full queue, a timeout.
    Unavailable,
    /// The plugin broke: a panic, a bug, an unknown code.
    #[default]
    Fault,
    /// The plugin does not offer this operation.
    NotSupported,
}

impl Request {
    /// Overwrites what may hold credentials: the body and the headers that carry them.
    pub fn wipe(&mut self) {
        self.body.zeroize();
        self.headers.wipe();
    }
}

impl Code {
    fn number(self) -> u32 {
        match self {
            Code::Denied => 1,
            Code::Invalid => 2,
            Code::Unavailable => 3,
            Code::Fault => 4,
            Code::NotSupported => 5,
        }
    }

    pub(crate) fn from_number(number: u32) -> Self {
        match number {
            1 => Code::Denied,
            2 => Code::Invalid,
            3 => Code::Unavailable,
            5 => Code::NotSupported,
            _ => Code::Fault,
        }
    }
}

impl Failure {
    /// A failure with a log text and nothing for the client.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Failure {
            code,
            detail: detail.into(),
            ..Failure::default()
        }
    }
}

#[repr(C)]
#[derive(StableAbi)]
pub(crate) struct FfiRequest {
    /// In the form of [`Headers`].
    headers: RVec<u8>,
    body: RVec<u8>,
    peer: RString,
    request_id: RString,
    millis_left: u64,
    ext_json: RString,
}

#[repr(C)]
#[derive(StableAbi)]
pub(crate) struct FfiUser {
    pub(crate) id: RString,
    pub(crate) username: RString,
    pub(crate) email: RString,
    pub(crate) first_name: RString,
    pub(crate) last_name: RString,
    pub(crate) roles: RVec<RString>,
    pub(crate) groups: RVec<RString>,
    pub(crate) attributes_json: RString,
    ext_json: RString,
}

#[repr(C)]
#[derive(StableAbi)]
pub(crate) struct FfiFailure {
    pub(crate) code: u32,
    pub(crate) public: RString,
    pub(crate) detail: RString,
    pub(crate) retry_after_millis: u64,
    pub(crate) subject: RString,
    ext_json: RString,
}

/// A token request's answer as it crosses.
pub(crate) type FfiAnswer = RResult<ROption<FfiUser>, FfiFailure>;

/// Any other operation's answer as it crosses: JSON.
pub(crate) type FfiJson = RResult<RString, FfiFailure>;

impl From<Request> for FfiRequest {
    fn from(request: Request) -> Self {
        FfiRequest {
            headers: request.headers.into_bytes().into(),
            body: request.body.into(),
            peer: request.peer.into(),
            request_id: request.request_id.into(),
            millis_left: request.millis_left,
            ext_json: RString::new(),
        }
    }
}

/// The buffers are the host's and would be copied in any case: what they held is wiped.
impl From<FfiRequest> for Request {
    fn from(mut request: FfiRequest) -> Self {
        let body = request.body.to_vec();
        request.body.zeroize();
        let headers = request.headers.to_vec();
        headers::wipe(&mut request.headers);
        Request {
            headers: Headers::from_bytes(headers),
            body,
            peer: request.peer.into(),
            request_id: request.request_id.into(),
            millis_left: request.millis_left,
        }
    }
}

impl From<User> for FfiUser {
    fn from(user: User) -> Self {
        FfiUser {
            id: user.id.into(),
            username: user.username.into(),
            email: user.email.into(),
            first_name: user.first_name.into(),
            last_name: user.last_name.into(),
            roles: user.roles.into_iter().map(RString::from).collect(),
            groups: user.groups.into_iter().map(RString::from).collect(),
            attributes_json: user.attributes_json.into(),
            ext_json: RString::new(),
        }
    }
}

impl From<Failure> for FfiFailure {
    fn from(failure: Failure) -> Self {
        FfiFailure {
            code: failure.code.number(),
            public: failure.public.into(),
            detail: failure.detail.into(),
            retry_after_millis: failure.retry_after_millis,
            subject: failure.subject.into(),
            ext_json: RString::new(),
        }
    }
}
