//! How pages look: light and dark, on a desk and on a phone, in letters of any size.

use serde_json::json;

use crate::chromium::{Chromium, Kind};

/// On a desk, in light colours.
pub const LIGHT: (&str, Kind) = ("light", kind(false, false));

/// On a desk, in dark colours.
pub const DARK: (&str, Kind) = ("dark", kind(true, false));

/// On a phone, in light colours.
pub const PHONE: (&str, Kind) = ("phone", kind(false, true));

/// On a phone, in dark colours.
pub const PHONE_DARK: (&str, Kind) = ("phone-dark", kind(true, true));

/// All of them.
pub const LOOKS: [(&str, Kind); 4] = [LIGHT, DARK, PHONE, PHONE_DARK];

/// What is too wide, too narrow, too small to hit (WCAG 2.2, 2.5.5), or too pale to read (1.4.3),
/// each as a line.
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
    if (e.matches('a, button, input, select, textarea, summary') && (box.height < 44 || box.width < 44)) faults.push(`too small: ${name}`);
    if (box.right > root.clientWidth + 1) faults.push(`sticks out: ${name}`);
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const style = getComputedStyle(e);
    if (e.matches('dt, dd, p') && box.width < 5 * parseFloat(style.fontSize)) faults.push(`too narrow: ${name}`);
    if ((own || e.matches('input, select, textarea')) && ratio(parse(style.color).rgb, behind(e)) < 4.5) faults.push(`too pale: ${name}`);
    if (own && parseFloat(style.fontSize) < 12) faults.push(`too small to read: ${name}`);
  }
  return faults;
})()"#;

impl Chromium {
    /// Everything on the page fits and can be read and hit, in letters twice as large, too
    /// (WCAG 2.2, 1.4.4). Two pictures are of this name.
    pub fn look(&mut self, name: &str) {
        self.screenshot(name);
        assert_eq!(self.evaluate(FAULTS), json!([]), "{name}");
        self.evaluate("document.documentElement.style.fontSize = '200%'");
        self.screenshot(&format!("{name}-large"));
        assert_eq!(self.evaluate(FAULTS), json!([]), "{name}, large");
        self.evaluate("document.documentElement.style.fontSize = ''");
    }
}

const fn kind(dark: bool, phone: bool) -> Kind {
    Kind {
        dark,
        phone,
        plain: false,
        any_certificate: false,
    }
}
