//! A directory of a few lines: says what a test wants it to, and counts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::super::ber::{Reader, number};

/// What the directory does.
#[derive(Clone, Default)]
pub(super) struct Script {
    /// Accepts and says nothing, ever.
    pub(super) silent: bool,
    /// Searches below a base are not answered.
    pub(super) slow_searches: bool,
    /// The connection is closed on each search below a base.
    pub(super) dies_of_searches: bool,
    /// Each answer comes so late.
    pub(super) delay: Duration,
    /// The result of each bind with a name,
    pub(super) bind: u8,
    /// and its controls: OID, value.
    pub(super) control: Option<(&'static str, Vec<u8>)>,
    /// The answer to StartTLS, as it stands; empty: the connection is closed.
    pub(super) start_tls: Vec<u8>,
    /// Entries that a search finds.
    pub(super) entries: usize,
    /// The result of each search.
    pub(super) search: u8,
    /// Values of supportedControl and supportedCapabilities.
    pub(super) supported: Vec<&'static str>,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) connections: AtomicUsize,
    pub(super) open: AtomicUsize,
    pub(super) binds: AtomicUsize,
    pub(super) anonymous_binds: AtomicUsize,
    pub(super) searches: AtomicUsize,
    pub(super) unbinds: AtomicUsize,
}

pub(super) struct Scripted {
    pub(super) port: u16,
    pub(super) counts: Arc<Counts>,
    script: Arc<Mutex<Script>>,
    cut: watch::Sender<()>,
}

impl Scripted {
    pub(super) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let counts = Arc::new(Counts::default());
        let script = Arc::new(Mutex::new(script));
        let cut = watch::Sender::new(());
        let (counted, played, mut ended) = (counts.clone(), script.clone(), cut.subscribe());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut cut = ended.clone();
                cut.mark_unchanged();
                ended.mark_unchanged();
                let (counts, script) = (counted.clone(), played.clone());
                counts.connections.fetch_add(1, Ordering::SeqCst);
                counts.open.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    tokio::select! {
                        _ = serve(stream, &script, &counts) => {}
                        _ = cut.changed() => {}
                    }
                    counts.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Scripted {
            port,
            counts,
            script,
            cut,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    pub(super) fn play(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().unwrap());
    }

    /// Closes every connection.
    pub(super) fn cut(&self) {
        self.cut.send(()).unwrap();
    }

    pub(super) fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    pub(super) fn binds(&self) -> usize {
        self.counts.binds.load(Ordering::SeqCst)
    }
}

async fn serve(stream: TcpStream, script: &Mutex<Script>, counts: &Counts) -> Option<()> {
    let (mut from, to) = stream.into_split();
    let to = Arc::new(tokio::sync::Mutex::new(to));
    loop {
        let message = read(&mut from).await?;
        let mut parts = Reader::new(Reader::new(&message).expect(0x30)?);
        let id = parts.expect(0x02)?.to_vec();
        let (operation, content) = parts.next()?;
        let controls = parts.next().map(|(_, content)| content.to_vec());
        let script = script.lock().unwrap().clone();
        let answers = match operation {
            0x42 => {
                counts.unbinds.fetch_add(1, Ordering::SeqCst);
                return None;
            }
            0x60 => {
                let mut parts = Reader::new(content);
                parts.expect(0x02)?;
                if parts.expect(0x04)?.is_empty() {
                    counts.anonymous_binds.fetch_add(1, Ordering::SeqCst);
                    vec![message_of(&id, &result(0x61, 0), None)]
                } else {
                    counts.binds.fetch_add(1, Ordering::SeqCst);
                    let control = script.control.as_ref();
                    vec![message_of(&id, &result(0x61, script.bind), control)]
                }
            }
            0x63 => found(&id, content, controls.as_deref(), &script, counts)?,
            0x77 if script.start_tls.is_empty() => return None,
            0x77 => vec![script.start_tls.clone()],
            _ => continue,
        };
        if script.silent {
            continue;
        }
        let to = to.clone();
        tokio::spawn(async move {
            sleep(script.delay).await;
            let _ = to.lock().await.write_all(&answers.concat()).await;
        });
    }
}

fn found(
    id: &[u8],
    content: &[u8],
    controls: Option<&[u8]>,
    script: &Script,
    counts: &Counts,
) -> Option<Vec<Vec<u8>>> {
    let done = message_of(id, &result(0x65, 0), None);
    if Reader::new(content).expect(0x04)?.is_empty() {
        let values = script.supported.concat_values();
        let root = [
            attribute("supportedControl", &values),
            attribute("SupportedCapabilities", &values),
        ];
        return Some(vec![message_of(id, &entry("", &root.concat()), None), done]);
    }
    counts.searches.fetch_add(1, Ordering::SeqCst);
    if script.dies_of_searches {
        return None;
    }
    if script.slow_searches {
        return Some(Vec::new());
    }
    if script.search != 0 {
        return Some(vec![message_of(id, &result(0x65, script.search), None)]);
    }
    // A cookie says how many have been sent.
    let paged = controls.and_then(|controls| {
        let mut control = Reader::new(Reader::new(controls).expect(0x30)?);
        control.expect(0x04)?;
        let mut value = Reader::new(Reader::new(control.expect(0x04)?).expect(0x30)?);
        let size = number(value.expect(0x02)?)?;
        let cookie = String::from_utf8_lossy(value.expect(0x04)?).parse();
        Some((size, cookie.unwrap_or(0)))
    });
    let (size, sent) = paged.unwrap_or((usize::MAX, 0_usize));
    let end = script.entries.min(usize::saturating_add(sent, size));
    let mut answers: Vec<_> = (sent..end)
        .map(|index| {
            entry(
                &format!("uid=u{index},dc=test"),
                &attribute("uid", b"\x04\x01u"),
            )
        })
        .map(|entry| message_of(id, &entry, None))
        .collect();
    answers.push(match paged {
        None => done,
        Some(_) => {
            let more = end < script.entries;
            let cookie = if more { end.to_string() } else { String::new() };
            let value = tlv(0x30, &[tlv(2, &[0]), tlv(4, cookie.as_bytes())].concat());
            let control = ("1.2.840.113556.1.4.319", value);
            message_of(id, &result(0x65, 0), Some(&control))
        }
    });
    Some(answers)
}

async fn read(from: &mut (impl AsyncReadExt + Unpin)) -> Option<Vec<u8>> {
    let mut message = vec![0; 2];
    from.read_exact(&mut message).await.ok()?;
    let mut length = usize::from(message[1]);
    if length > 0x80 {
        let mut digits = vec![0; length & 0x7f];
        from.read_exact(&mut digits).await.ok()?;
        length = number(&digits)?;
        message.extend(digits);
    }
    let head = message.len();
    message.resize(head + length, 0);
    from.read_exact(&mut message[head..]).await.ok()?;
    Some(message)
}

pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], content].concat()
}

pub(super) fn result(tag: u8, code: u8) -> Vec<u8> {
    tlv(
        tag,
        &[
            tlv(0x0a, &[code]),
            tlv(4, b""),
            tlv(4, b"as the script says"),
        ]
        .concat(),
    )
}

fn message_of(id: &[u8], operation: &[u8], control: Option<&(&str, Vec<u8>)>) -> Vec<u8> {
    let mut content = [&tlv(2, id), operation].concat();
    if let Some((oid, value)) = control {
        let control = tlv(0x30, &[tlv(4, oid.as_bytes()), tlv(4, value)].concat());
        content.extend(tlv(0xa0, &control));
    }
    tlv(0x30, &content)
}

fn entry(name: &str, attributes: &[u8]) -> Vec<u8> {
    tlv(
        0x64,
        &[tlv(4, name.as_bytes()), tlv(0x30, attributes)].concat(),
    )
}

fn attribute(name: &str, values: &[u8]) -> Vec<u8> {
    tlv(0x30, &[tlv(4, name.as_bytes()), tlv(0x31, values)].concat())
}

trait Values {
    fn concat_values(&self) -> Vec<u8>;
}

impl Values for Vec<&'static str> {
    fn concat_values(&self) -> Vec<u8> {
        let values = self.iter().map(|value| tlv(4, value.as_bytes()));
        values.collect::<Vec<_>>().concat()
    }
}
