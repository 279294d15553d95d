//! A directory server in these tests' own process, for what a real one does not do on demand:
//! Active Directory's matching rule, ranges, SIDs, names and texts; results, silence and
//! hang-ups as a test scripts them. It notes what it was asked.
#![allow(dead_code, reason = "each area of the tests takes what it needs")]

mod bind;
mod directory;
mod filter;
mod search;
mod wire;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use ldap3::asn1::StructureTag;

pub(crate) use directory::{DOMAIN, Directory};
use wire::{message, parts, result, text};

/// A running server.
pub(crate) struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    directory: Directory,
    script: Mutex<Vec<(On, Reply)>>,
    seen: Mutex<Vec<Seen>>,
}

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum On {
    Connect,
    /// A bind by this name, in any case.
    Bind(String),
    /// A search from this base, in any case.
    Search(String),
}

/// What happens to it instead.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A result: its code, text and referrals.
    Result(u32, String, Vec<String>),
    /// No answer, ever.
    Silence,
    Disconnect,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Connect,
    Bind {
        name: String,
    },
    Search {
        base: String,
        attributes: Vec<String>,
        page: bool,
    },
    /// Another operation, by its number.
    Other(u64),
}

impl On {
    fn is(&self, other: &On) -> bool {
        match (self, other) {
            (On::Connect, On::Connect) => true,
            (On::Bind(own), On::Bind(other)) | (On::Search(own), On::Search(other)) => {
                own.eq_ignore_ascii_case(other)
            }
            _ => false,
        }
    }
}

impl Reply {
    /// How Active Directory refuses a bind for a reason such as `52e`.
    pub(crate) fn data(code: &str) -> Self {
        let comment = format!(
            "80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data {code}, v2580"
        );
        Reply::Result(49, comment, Vec::new())
    }
}

impl Scripted {
    /// Starts it on a free port of 127.0.0.1; it lives as long as the process.
    pub(crate) fn start(directory: Directory) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            directory,
            script: Mutex::default(),
            seen: Mutex::default(),
        });
        let own = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = own.clone();
                std::thread::spawn(move || {
                    Connection {
                        stream: stream.unwrap(),
                        shared,
                        bound: false,
                    }
                    .serve()
                });
            }
        });
        Scripted { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    /// From now on this happens; what was said last counts.
    pub(crate) fn on(&self, operation: On, reply: Reply) {
        self.shared
            .script
            .lock()
            .unwrap()
            .insert(0, (operation, reply));
    }

    /// Everything that came, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// How many searches came, each page of one counted; not those that ask the server itself.
    pub(crate) fn searches(&self) -> usize {
        let is_search =
            |seen: &&Seen| matches!(seen, Seen::Search { base, .. } if !base.is_empty());
        self.seen().iter().filter(is_search).count()
    }
}

struct Connection {
    stream: TcpStream,
    shared: Arc<Shared>,
    bound: bool,
}

impl Connection {
    fn serve(&mut self) {
        self.shared.note(Seen::Connect);
        if let Some(Reply::Disconnect) = self.shared.scripted(&On::Connect) {
            return;
        }
        while let Some(request) = wire::read(&mut self.stream) {
            let [id, operation, controls @ ..] = parts(&request) else {
                panic!("no message: {request:?}");
            };
            let scripted = match operation.id {
                0 => self.shared.scripted(&On::Bind(text(&parts(operation)[1]))),
                3 => self
                    .shared
                    .scripted(&On::Search(text(&parts(operation)[0]))),
                _ => None,
            };
            let silent = self.shared.scripted(&On::Connect).is_some();
            let answers = match operation.id {
                0 => vec![self.bind(operation)],
                2 => return,
                3 => self.search(id, operation, controls.first()),
                16 => continue,
                other => {
                    self.shared.note(Seen::Other(other));
                    vec![result(other + 1, 2, "not in this server's script", &[])]
                }
            };
            let answers = match scripted {
                _ if silent => continue,
                None => answers,
                Some(Reply::Silence) => continue,
                Some(Reply::Disconnect) => return,
                Some(Reply::Result(code, text, referrals)) => {
                    let response = if operation.id == 0 { 1 } else { 5 };
                    vec![result(response, code, &text, &referrals)]
                }
            };
            let whole = |answer: StructureTag| match answer.id {
                16 => answer,
                _ => message(id, answer, Vec::new()),
            };
            wire::send(&mut self.stream, answers.into_iter().map(whole).collect());
        }
    }
}

impl Shared {
    fn note(&self, seen: Seen) {
        self.seen.lock().unwrap().push(seen);
    }

    fn scripted(&self, operation: &On) -> Option<Reply> {
        let script = self.script.lock().unwrap();
        let found = script.iter().find(|(on, _)| on.is(operation));
        found.map(|(_, reply)| reply.clone())
    }
}
