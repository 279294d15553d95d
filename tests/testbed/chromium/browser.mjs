// A headless Chromium that does one step a line and answers each with a line.
//
//     node browser.mjs NODE_FOLDER CHROMIUM < steps > answers
//
// A step is an object with one of the names below and what it needs; its answer is {"is": …} or {"error": "…"}. What is
// looked for is waited for. NODE_FOLDER is what install.sh made. The browser ends with standard input.

import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, executablePath] = process.argv.slice(2);
const { chromium } = createRequire(join(folder, 'package.json'))('playwright-core');
const PATIENCE = 10_000; // milliseconds
const STUCK = 30_000; // no step takes so long

// Root has no sandbox, nor have many containers; /dev/shm is small in containers.
const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-proxy-server', '--force-color-profile=srgb'];
const browser = await chromium.launch({ executablePath, args, headless: true });
let context; let page; let troubles = [];

const trouble = (kind, text, url) => troubles.push({ kind, text, url });

/** Watches a page for all that a user of it never sees. */
async function watch(opened) {
  opened.setDefaultTimeout(PATIENCE);
  opened.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') trouble('console', message.text(), message.location().url || opened.url());
  });
  opened.on('pageerror', (error) => trouble('script', error.message, opened.url()));
  opened.on('requestfailed', (request) => trouble('request', request.failure()?.errorText ?? '', request.url()));
  await opened.exposeFunction('__violation', (text, url) => trouble('csp', text, url));
  await opened.addInitScript(() => document.addEventListener('securitypolicyviolation', (event) =>
    window.__violation(`${event.violatedDirective} ${event.blockedURI}`, document.location.href)));
}

const size = { desktop: { width: 1280, height: 800 }, phone: { width: 360, height: 640 } };

const steps = {
  // a browser that has never been anywhere: {"open": {"dark", "phone", "plain": no scripts, "any_certificate"}}
  async open({ open }) {
    await context?.close();
    troubles = [];
    context = await browser.newContext({
      colorScheme: open.dark ? 'dark' : 'light', viewport: open.phone ? size.phone : size.desktop, isMobile: !!open.phone, hasTouch: !!open.phone,
      deviceScaleFactor: open.phone ? 2 : 1, javaScriptEnabled: !open.plain, ignoreHTTPSErrors: !!open.any_certificate, locale: 'en-US' });
    page = await context.newPage();
    await watch(page);
  },
  goto: async ({ goto }) => (await page.goto(goto, { waitUntil: 'load' }))?.status(),
  back: async () => (await page.goBack({ waitUntil: 'load' }))?.status(),
  fill: ({ fill, with: text }) => page.getByLabel(fill, { exact: true }).fill(text),
  // {"select": "Expires after", "option": "7 days"}
  select: ({ select, option }) => page.getByLabel(select, { exact: true }).selectOption({ label: option }),
  reload: async () => (await page.reload({ waitUntil: 'load' }))?.status(),
  // {"click": "Sign in", "role": "button"}
  click: ({ click, role }) => page.getByRole(role, { name: click, exact: true }).first().click(),
  press: ({ press }) => page.keyboard.press(press),
  type: ({ type }) => page.keyboard.type(type),
  see: ({ see }) => page.getByText(see).first().waitFor({ state: 'visible' }),
  // waits until the address begins so
  at: async ({ at }) => { await page.waitForURL((url) => url.href.startsWith(at)); return page.url(); },
  url: () => page.url(),
  text: () => page.locator('body').innerText(),
  title: () => page.title(),
  cookies: () => context.cookies(),
  set_cookies: ({ set_cookies }) => context.addCookies(set_cookies),
  // as a screen reader has it
  tree: () => page.locator('body').ariaSnapshot(),
  // the element that has the keyboard, by role and name
  focus: () => page.evaluate(() => { const e = document.activeElement; if (!e || e === document.body) return '';
    const label = e.labels?.[0]?.innerText ?? e.getAttribute('aria-label') ?? e.innerText ?? ''; return `${e.tagName.toLowerCase()} ${label.trim()}`; }),
  evaluate: ({ evaluate }) => page.evaluate(evaluate),
  screenshot: ({ screenshot }) => page.screenshot({ path: screenshot, fullPage: true }).then(() => screenshot),
  // console errors, script errors, failed requests and violations of the policy since "open"
  troubles: () => troubles,
};

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const step = JSON.parse(line);
    const name = Object.keys(steps).find((known) => known in step);
    if (!name) throw new Error(`no such step: ${line}`);
    let clock;
    const stuck = new Promise((_, fail) => { clock = setTimeout(() => fail(new Error(`stuck at ${line}`)), STUCK); });
    answer = { is: (await Promise.race([steps[name](step), stuck]).finally(() => clearTimeout(clock))) ?? null };
  } catch (error) {
    const seen = page && (await page.locator('body').innerText({ timeout: 1000 }).catch(() => ''));
    answer = { error: error.message, url: page?.url(), seen };
  }
  console.log(JSON.stringify(answer));
}
await browser.close();
