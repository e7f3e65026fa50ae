"""Opens pages in headless Chromium as a person would, and tells what is wrong with them.

usage: browser.py PAGE...   (exit status 1 where anything is wrong)
"""

import pathlib
import sys

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

# A desk, a desk at night, and a narrow phone.
SCREENS = [("light", 1280, 900, "light"), ("dark", 1280, 900, "dark"), ("phone", 360, 740, "light")]

# Text whose contrast to what is behind it is below 4.5, or 3 where it is large (WCAG 2.1, success criterion 1.4.3).
CONTRAST = """
const parse = text => { const c = text.match(/[\\d.]+/g).map(Number); return c.length < 4 ? [...c, 1] : c; };
const light = c => { const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                     return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ratio = (one, other) => { const [a, b] = [light(one), light(other)].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05); };
const behind = element => { for (; element; element = element.parentElement) {
    const c = parse(getComputedStyle(element).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
const wrong = [];
let seen = 0;
for (const element of document.body.querySelectorAll('*')) {
  if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
  if (element.matches('title, .unseen')) continue;
  const style = getComputedStyle(element), size = parseFloat(style.fontSize);
  let colour = style.color, back = behind(element);
  if (element.matches('svg.map text')) { colour = style.fill; back = parse(getComputedStyle(element.parentElement.querySelector('rect')).fill); }
  else if (element.closest('svg')) { colour = style.fill; }
  const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
  const found = ratio(parse(colour), back);
  seen += 1;
  if (found < needed) wrong.push(`${found.toFixed(2)}: ${element.tagName}.${element.className}: ${element.textContent.slice(0, 40)}`);
}
return [seen, wrong];
"""

# Every picture is one that the browser can draw.
PICTURES = """
const done = arguments[arguments.length - 1];
const all = [...document.querySelectorAll('.sheet image')].map(image => {
  const picture = new Image(); picture.src = image.getAttribute('href'); return picture.decode(); });
Promise.all(all).then(() => done([all.length, '']), error => done([all.length, String(error)]));
"""

# What can be reached by keyboard.
REACHABLE = "a[href]:not([tabindex='-1']), summary, [tabindex='0']"


def start():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--force-prefers-reduced-motion"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


class Look:
    """One page on one screen."""

    def __init__(self, browser, page, screen):
        self.browser, self.problems = browser, []
        name, width, height, scheme = screen
        self.name = f"{page.stem} {name}"
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        self.address, self.scheme, self.is_desk = page.as_uri(), scheme, width > 600
        browser.get(self.address)

    def wrong(self, text):
        self.problems.append(f"{self.name}: {text}")

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def check(self):
        self.scheme_is_followed()
        if self.scheme == "light":
            self.click_all()
        else:
            self.run("document.querySelectorAll('details').forEach(details => details.open = true)")
        self.fits()
        self.contrast()
        self.pictures()
        if self.is_desk:
            self.keyboard()
        self.console()
        return self.problems

    def scheme_is_followed(self):
        colour = self.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        if (sum(colour) < 300) != (self.scheme == "dark"):
            self.wrong(f"the paper is {colour}")
        if len(self.run("return document.querySelector('h1').textContent.trim()")) < 20:
            self.wrong("no headline")

    def click_all(self):
        # In the order of the document, so that one within a closed one is seen by the time of its turn.
        for summary in self.browser.find_elements(By.TAG_NAME, "summary"):
            was_open = self.run("return arguments[0].parentElement.open", summary)
            summary.click()
            if self.run("return arguments[0].parentElement.open", summary) == was_open:
                self.wrong(f"a click does nothing: {summary.text[:60]}")
            if was_open:
                summary.click()
        closed = self.run("return document.querySelectorAll('details:not([open])').length")
        if closed:
            self.wrong(f"{closed} stayed closed")
        for link in self.browser.find_elements(By.CSS_SELECTOR, "nav a"):
            link.click()
            target = link.get_attribute("href").split("#")[1]
            top = self.run("return document.getElementById(arguments[0]).getBoundingClientRect().top", target)
            if not -2 < top < self.run("return innerHeight"):
                self.wrong(f"#{target} is at {top}")

    def fits(self):
        wide, inner = self.run("return [document.documentElement.scrollWidth, innerWidth]")
        if wide > inner:
            self.wrong(f"{wide} pixels wide on {inner}")
        out = self.run("""return [...document.querySelectorAll('main *, header *')].filter(e => {
            if (e.closest('svg, .scroll, .unseen')) return false;
            const box = e.getBoundingClientRect(); return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
        }).slice(0, 5).map(e => e.outerHTML.slice(0, 120))""")
        for element in out:
            self.wrong(f"sticks out: {element}")

    def contrast(self):
        seen, wrong = self.run(CONTRAST)
        if seen == 0:
            self.wrong("there is no text")
        for text in wrong[:10]:
            self.wrong(f"contrast {text}")

    def pictures(self):
        count, problem = self.browser.execute_async_script(PICTURES)
        if problem:
            self.wrong(f"a picture: {problem}")
        sizes = self.run("return [...document.querySelectorAll('.pic use')].map(use => use.getBoundingClientRect().width)")
        if (count > 0) != (len(sizes) > 0) or any(width < 1 for width in sizes):
            self.wrong(f"{count} pictures, seen in {len(sizes)} places: {sizes[:5]}")

    def keyboard(self):
        self.browser.get(self.address)
        # All are open, so that all can be reached. What has the focus is written down, and whether it is seen.
        self.run("""document.querySelectorAll('details').forEach(details => details.open = true);
            window.stops = []; window.unseen = [];
            document.addEventListener('focusin', event => {
                if (!window.stops.length) window.first = event.target.className;
                window.stops.push(event.target);
                if (getComputedStyle(event.target).outlineStyle === 'none') window.unseen.push(event.target.outerHTML.slice(0, 80));
            })""")
        wanted = self.run("return document.querySelectorAll(arguments[0]).length", REACHABLE)
        ActionChains(self.browser, duration=0).send_keys(Keys.TAB * wanted).perform()
        seen, first, unseen = self.run("return [new Set(window.stops).size, window.first, window.unseen]")
        if first != "skip":
            self.wrong("the first stop is not the one that skips")
        if seen != wanted:
            self.wrong(f"{seen} of {wanted} stops were reached by keyboard")
        for element in unseen[:5]:
            self.wrong(f"focus is not seen: {element}")
        summaries = self.browser.find_elements(By.TAG_NAME, "summary")
        if summaries:
            summaries[0].send_keys(Keys.ENTER)
            if self.run("return arguments[0].parentElement.open", summaries[0]):
                self.wrong("Enter does not close what is open")

    def console(self):
        for entry in self.browser.get_log("browser"):
            self.wrong(f"console: {entry['level']}: {entry['message']}")


def follow_a_picture(browser, page):
    """A click on a picture opens the file."""
    browser.get(page.as_uri())
    frames = browser.find_elements(By.CSS_SELECTOR, "details[open] a.frame:has(.pic)")
    if not frames:
        return [f"{page.stem}: no picture leads anywhere"]
    address = frames[0].get_attribute("href")
    frames[0].click()
    width = browser.execute_script("return document.images.length ? document.images[0].naturalWidth : 0")
    return [] if browser.current_url == address and width > 0 else [f"{page.stem}: {address} does not open"]


def main():
    pages = [pathlib.Path(argument).resolve() for argument in sys.argv[1:]]
    browser = start()
    problems = []
    try:
        for page in pages:
            for screen in SCREENS:
                look = Look(browser, page, screen)
                found = look.check()
                problems += found
                print(f"{look.name}: {'fine' if not found else len(found)}")
            if page.stem == "plan":
                problems += follow_a_picture(browser, page)
    finally:
        browser.quit()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems or not pages else 0


sys.exit(main())
