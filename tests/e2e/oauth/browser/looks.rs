//! Light and dark, on a desk and on a phone: everything is there, fits and can be read.

use countersign_tests::chromium::{Chromium, Kind};
use serde_json::json;

use super::*;

/// What is too wide, too narrow, too small to hit (WCAG 2.2, 2.5.5), or too pale to read (1.4.3), each as a line.
const FAULTS: &str = r#"(() => {
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) faults.push(`wider than the window: ${root.scrollWidth} > ${root.clientWidth}`);
  const parse = (text) => { const n = text.match(/[\d.]+/g).map(Number); return { rgb: n.slice(0, 3), a: n[3] ?? 1 }; };
  const light = (rgb) => rgb.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a > 0) return c.rgb; } return [255, 255, 255]; };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((m, n) => n - m); return (x + 0.05) / (y + 0.05); };
  for (const e of document.querySelectorAll('body *')) {
    if (!e.checkVisibility() || e.type === 'hidden') continue;
    const box = e.getBoundingClientRect();
    const name = `${e.tagName.toLowerCase()} ${(e.innerText || e.id || '').slice(0, 30)}`;
    if (e.matches('a, button, input, summary') && (box.height < 44 || box.width < 44)) faults.push(`too small: ${name}`);
    if (box.right > root.clientWidth + 1) faults.push(`sticks out: ${name}`);
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const style = getComputedStyle(e);
    if (e.matches('dt, dd, p') && box.width < 5 * parseFloat(style.fontSize)) faults.push(`too narrow: ${name}`);
    if ((own || e.matches('input')) && ratio(parse(style.color).rgb, behind(e)) < 4.5) faults.push(`too pale: ${name}`);
    if (own && parseFloat(style.fontSize) < 12) faults.push(`too small to read: ${name}`);
  }
  return faults;
})()"#;

fn kinds() -> [(&'static str, Kind); 4] {
    let kind = |dark, phone| Kind {
        dark,
        phone,
        ..Kind::default()
    };
    [
        ("light", kind(false, false)),
        ("dark", kind(true, false)),
        ("phone", kind(false, true)),
        ("phone-dark", kind(true, true)),
    ]
}

#[test]
fn pages_fit_and_can_be_read_in_light_and_dark_on_a_desk_and_on_a_phone() {
    let site = Site::start();
    let mut browser = Chromium::start();
    for (name, kind) in kinds() {
        browser.open(kind);
        let look = |browser: &mut Chromium, page: &str| {
            browser.screenshot(&format!("{name}-{page}"));
            assert_eq!(browser.evaluate(FAULTS), json!([]), "{name}, {page}");
            // Letters twice as large (WCAG 2.2, 1.4.4).
            browser.evaluate("document.documentElement.style.fontSize = '200%'");
            browser.screenshot(&format!("{name}-{page}-large"));
            assert_eq!(browser.evaluate(FAULTS), json!([]), "{name}, {page}, large");
            browser.evaluate("document.documentElement.style.fontSize = ''");
        };
        browser.goto(&site.page("/login"));
        look(&mut browser, "login");
        browser.fill("Username", "ada");
        browser.fill("Password", "wrong");
        browser.click("button", "Sign in");
        browser.see("Request");
        look(&mut browser, "wrong");
        site.sign_in(&mut browser, "amelia");
        look(&mut browser, "signed-in");
        browser.goto(&site.page("/logout"));
        browser.see("Sign out?");
        look(&mut browser, "logout");
        browser.goto(&site.page("/callback/sso?code=x&state=y"));
        look(&mut browser, "trouble");
        site.is_clean(&mut browser);
    }
    // Dark is dark.
    browser.open(kinds()[1].1);
    browser.goto(&site.page("/login"));
    let colour = browser.evaluate("getComputedStyle(document.body).backgroundColor");
    let numbers = colour.as_str().unwrap();
    let first: f64 = numbers
        .trim_start_matches("rgb(")
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(first < 64.0, "{colour}");
}

#[test]
fn screen_reader_finds_headings_labels_and_buttons() {
    let site = Site::start();
    let mut browser = Chromium::start();
    browser.goto(&site.page("/login"));
    let tree = browser.tree();
    for line in [
        "main",
        "heading \"Sign in\" [level=1]",
        "link \"Continue with SSO\"",
        "textbox \"Username\"",
        "textbox \"Password\"",
        "button \"Sign in\"",
    ] {
        assert!(tree.contains(line), "{line} in\n{tree}");
    }
    assert_eq!(browser.evaluate("document.documentElement.lang"), "en");
    assert_eq!(browser.evaluate("document.scripts.length"), 0);
    let completes =
        "[...document.querySelectorAll('#username, #password')].map((e) => e.autocomplete)";
    assert_eq!(
        browser.evaluate(completes),
        json!(["username", "current-password"])
    );
}
