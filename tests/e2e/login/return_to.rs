//! Where a login leads.

use countersign_tests::Folder;

use super::{BACKENDS, Browser, encoded, server};

#[test]
fn o06_login_leads_to_our_pages_and_listed_origins_alone() {
    let folder = Folder::new();
    let settings = "server: { public_url: \"https://id.example/cs\", login: { return_to: [\"https://airflow.example\"] } }";
    let server = server(&folder, BACKENDS, settings);
    for (asked, place) in [
        ("/home", "/home"),
        (
            "https://airflow.example/dags",
            "https://airflow.example/dags",
        ),
        ("//evil.example", "/cs/login"),
        ("/\\evil.example", "/cs/login"),
        ("\\\\evil.example", "/cs/login"),
        ("/x/..//evil.example", "/cs/login"),
        ("javascript:alert(1)", "/cs/login"),
        ("https://airflow.example@evil.example/", "/cs/login"),
        ("https://evil.example/", "/cs/login"),
        ("http://airflow.example/", "/cs/login"),
        ("/a\r\nLocation: https://evil.example", "/cs/login"),
    ] {
        let mut browser = Browser::new(&server);
        let query = encoded(&[("return_to", asked)]);
        let state = browser.begin(&format!("/login/company_sso?{query}"));
        let back = browser.get(&format!("/callback/company_sso?code=ada&state={state}"));
        assert_eq!(back.header("location"), Some(place), "{asked}");
        let mut browser = Browser::new(&server);
        let page = browser.get(&format!("/login?{query}"));
        let kept = page.body.contains("name=\"return_to\"");
        assert_eq!(kept, place != "/cs/login", "{asked}");
        // Whatever a form holds is looked at again.
        let token = super::hidden(&page, "token");
        let fields = [
            ("token", &*token),
            ("username", "ada"),
            ("password", "door"),
            ("return_to", asked),
        ];
        let answer = browser.post("/login", &fields);
        let location = answer.header("location");
        if place.starts_with('/') {
            assert_eq!((answer.status, location), (303, Some(place)), "{asked}");
        } else {
            assert_eq!((answer.status, location), (200, None), "{asked}");
            let refresh = format!("http-equiv=\"refresh\" content=\"0; url={place}\"");
            assert!(answer.body.contains(&refresh), "{answer:?}");
        }
    }
}
