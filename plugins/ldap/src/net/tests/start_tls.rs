//! L07: where StartTLS does not come about, nothing is said in clear text.

use super::scripted::{Script, Scripted, result, tlv};
use super::*;

#[tokio::test]
async fn start_tls_that_fails_ends_the_connection() {
    let answer = |code| tlv(0x30, &[tlv(2, &[1]), result(0x78, code)].concat());
    let spoken = [&answer(0)[..], b"220 no TLS here\r\n"].concat();
    let scripts = [
        ("refused", answer(2)),
        ("busy", answer(51)),
        ("closed", Vec::new()),
        ("garbage", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("no message", vec![0x30, 0x80, 0, 0]),
        ("huge", vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]),
        ("a yes without TLS behind it", spoken),
        (
            "an answer to another question",
            tlv(0x30, &[tlv(2, &[1]), result(0x61, 0)].concat()),
        ),
        ("half an answer", answer(0)[..9].to_vec()),
    ];
    for (name, start_tls) in scripts {
        let server = Scripted::start(Script {
            start_tls,
            ..Script::default()
        })
        .await;
        let mut settings = settings(&[server.url()]);
        settings["start_tls"] = true.into();
        let directory = open(settings).unwrap();
        assert!(is_unavailable(&search(&directory).await), "{name}");
        assert!(
            is_unavailable(&directory.bind("uid=ada", &password()).await),
            "{name}"
        );
        assert_eq!(server.binds(), 0, "{name}");
    }
}

#[tokio::test]
async fn ldaps_that_is_none_is_unavailable() {
    let server = Scripted::start(Script::default()).await;
    let url = server.url().replace("ldap:", "ldaps:");
    let directory = directory(&[url]);
    assert!(is_unavailable(&search(&directory).await));
    assert_eq!(server.binds(), 0);
}
