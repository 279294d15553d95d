//! What a server answers, and what is made of it.

use super::scripted::{Script, Scripted, tlv};
use super::*;

#[tokio::test]
async fn refused_bind_is_an_answer_with_its_policy() {
    let value = tlv(0x30, &[0x81, 1, 1]);
    let server = Scripted::start(Script {
        bind: 49,
        control: Some(("1.3.6.1.4.1.42.2.27.8.5.1", value)),
        ..Script::default()
    });
    let server = server.await;
    let mut settings = settings(&[server.url()]);
    settings["bind_dn"].take();
    settings["bind_password"].take();
    let directory = open(settings).unwrap();
    let refused = directory.bind("uid=ada", &password()).await.map(drop);
    let Err(Trouble::Answer(answer)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((answer.code, answer.policy), (49, Some(1)));
    assert_eq!(answer.text, "as the script says");
}

#[tokio::test]
async fn password_that_must_be_changed_is_no_success() {
    let value = tlv(0x30, &[0x81, 1, 2]);
    let server = Scripted::start(Script::default()).await;
    let directory = directory(&[server.url()]);
    search(&directory).await.unwrap();
    server.play(|script| script.control = Some(("1.3.6.1.4.1.42.2.27.8.5.1", value)));
    let refused = directory.bind("uid=ada", &password()).await.map(drop);
    assert!(
        matches!(&refused, Err(Trouble::Answer(answer)) if answer.code == 0 && answer.policy == Some(2)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn more_than_the_bound_is_never_the_first_ones() {
    for supported in [vec![], vec!["1.2.840.113556.1.4.319"]] {
        let server = Scripted::start(Script {
            entries: 1_201,
            supported,
            ..Script::default()
        });
        let server = server.await;
        let directory = directory(&[server.url()]);
        assert_eq!(search_for(&directory, 1_201).await.unwrap().len(), 1_201);
        for most in [0, 1, 499, 500, 501, 1_000, 1_200] {
            let found = search_for(&directory, most).await;
            assert!(matches!(found, Err(Trouble::TooMuch(_))), "{most}");
        }
    }
}

#[tokio::test]
async fn pages_are_asked_for_where_the_server_has_them() {
    let server = Scripted::start(Script {
        entries: 1_201,
        supported: vec!["1.2.840.113556.1.4.319"],
        ..Script::default()
    })
    .await;
    let directory = directory(&[server.url()]);
    assert_eq!(search_for(&directory, 5_000).await.unwrap().len(), 1_201);
    let searches = &server.counts.searches;
    assert_eq!(searches.load(std::sync::atomic::Ordering::SeqCst), 3);
}

#[tokio::test]
async fn active_directory_is_known_by_its_capability() {
    for (supported, is) in [(vec![], false), (vec!["1.2.840.113556.1.4.800"], true)] {
        let server = Scripted::start(Script {
            supported,
            ..Script::default()
        })
        .await;
        let directory = directory(&[server.url()]);
        assert_eq!(directory.service().await.unwrap().is_active_directory(), is);
        let user = directory.bind("uid=ada", &password()).await.unwrap();
        assert_eq!(user.is_active_directory(), is);
    }
}

#[tokio::test]
async fn results_of_a_search_fall_into_their_kinds() {
    let server = Scripted::start(Script::default()).await;
    let directory = directory(&[server.url()]);
    for (code, kind) in [
        (3, 'u'),
        (80, 'u'),
        (4, 't'),
        (11, 'a'),
        (10, 'a'),
        (32, 'a'),
        (53, 'a'),
    ] {
        server.play(|script| script.search = code);
        let found = search(&directory).await;
        let is = match &found {
            Err(Trouble::Unavailable(why)) if why.contains(&server.url()) => 'u',
            Err(Trouble::TooMuch(_)) => 't',
            Err(Trouble::Answer(answer)) if answer.code == u32::from(code) => 'a',
            _ => '?',
        };
        assert_eq!(is, kind, "{code}: {found:?}");
    }
}

#[tokio::test]
async fn l01_empty_password_is_not_sent() {
    let server = Scripted::start(Script::default()).await;
    let directory = directory(&[server.url()]);
    let empty = Secret::default();
    for (name, password) in [("uid=ada", &empty), ("", &password())] {
        let refused = directory.bind(name, password).await.map(drop);
        assert!(matches!(refused, Err(Trouble::Answer(answer)) if answer.code == 49));
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_a_server_is_stays_known_while_it_is_busy() {
    let supported = vec!["1.2.840.113556.1.4.800"];
    let server = Scripted::start(Script {
        supported,
        ..Script::default()
    })
    .await;
    let directory = directory(&[server.url()]);
    search(&directory).await.unwrap();
    server.play(|script| script.search = 51);
    assert!(is_unavailable(&search(&directory).await));
    assert!(directory.service().await.unwrap().is_active_directory());
}

#[tokio::test]
async fn answers_that_are_not_ldap_are_an_outage() {
    for garbage in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"\x30\x05\x02\x01\x02\x61\x00",
        b"\x30\x00",
    ] {
        let url = speaker(garbage.to_vec()).await;
        let directory = directory(&[url]);
        assert!(is_unavailable(&search(&directory).await));
        assert!(is_unavailable(
            &directory.bind("uid=ada", &password()).await
        ));
    }
}

#[tokio::test]
async fn hostile_answer_ends_the_connection_and_not_the_process() {
    let mut nested = Vec::new();
    while nested.len() < 3 << 20 {
        let length = u32::try_from(nested.len()).unwrap().to_be_bytes();
        // From the inside out, cheaply: the heads are turned around below.
        nested.extend([length[3], length[2], length[1], length[0], 0x84, 0x30]);
    }
    nested.reverse();
    let nested = tlv(0x30, &[tlv(2, &[1]), nested].concat());
    let endless = b"\x30\x84\x7f\xff\xff\xff\x02\x01\x01".to_vec();
    for (answer, says) in [(nested, "not LDAP"), (endless, "of which 16777216 are")] {
        let directory = directory(&[speaker(answer).await]);
        let refused = search(&directory).await;
        assert!(is_unavailable(&refused));
        let Err(Trouble::Unavailable(why)) = refused else {
            panic!()
        };
        assert!(why.contains(says), "{why}");
    }
}

/// A server that says this and nothing else.
async fn speaker(says: Vec<u8>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &says).await;
            let mut sink = [0; 512];
            while let Ok(1..) = tokio::io::AsyncReadExt::read(&mut stream, &mut sink).await {}
        }
    });
    url
}
