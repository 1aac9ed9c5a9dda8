# SPDX-License-Identifier: BSD-2-Clause
"""`bulkhead web` in Chromium: guests are seen, typed to and steered from a page,
behind a broker and a host that are this test's.

BULKHEAD_SHOTS names a folder for pictures of the page.
"""

import asyncio
import http.client
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

import painted
import test_control
import test_vnc
from bulkhead_tool.control import async_client, client, keys, web

try:
    from selenium import webdriver
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    webdriver = None

HAS_SERVER = bool(web.web) and os.path.exists(test_vnc.PROGRAM) and \
    os.path.isdir(web.MODULES)
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SHOTS = os.environ.get("BULKHEAD_SHOTS")

# The picture that a guest's part of the page shows, as bytes R, G, B, 255.
PIXELS = """
const canvas = document.querySelector(arguments[0]);
if (!canvas || !canvas.width)
    return null;
const data = canvas.getContext("2d").getImageData(
    0, 0, canvas.width, canvas.height).data;
let sum = 0;
for (const byte of data)
    sum = (sum * 31 + byte) >>> 0;
return [canvas.width, canvas.height, sum];
"""


def summed(guest):
    total = 0
    for at in range(0, len(guest.data), 4):
        blue, green, red = guest.data[at:at + 3]
        for byte in red, green, blue, 255:
            total = total * 31 + byte & 0xffffffff
    return [guest.width, guest.height, total]


class Host(painted.Host):
    """With verbs that change what the page shows."""

    def do_start(self, number, _thing, guest):
        guest.state = "running"
        guest.starts += 1
        self.answer(number)

    def do_stop(self, number, _thing, guest):
        guest.state = "stopped"
        self.answer(number)

    def do_resume(self, number, _thing, guest):
        guest.state = "running"
        self.answer(number)

    def do_power(self, number, _thing, _guest):
        self.refuse(number, "refused", hint="there is no such button")


class WebTest(test_vnc.VncTest):
    GUESTS = ("dos", "debian")

    def setUp(self):
        before = painted.Host
        painted.Host = Host
        self.addCleanup(setattr, painted, "Host", before)
        super().setUp()

    def serve(self):
        """The address with its token."""
        self.server = subprocess.Popen(
            [sys.executable, test_control.TOOL, "web", "--socket", self.path,
             "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end_server)
        said = self.server.stdout.readline().decode()
        url = re.search(r"http://(127\.0\.0\.1:\d+)/\?token=(\S+)", said)
        self.at, self.token = url[1], url[2]
        return url[0]


@unittest.skipUnless(HAS_SERVER, "needs python3-aiohttp, build/bulkhead-vnc and "
                     "build/web")
class Doors(WebTest):
    def ask(self, path, method="GET", token=True, **headers):
        link = http.client.HTTPConnection(self.at, timeout=30)
        cookie = "bulkhead-%s=%s" % (self.at.split(":")[1], self.token)
        try:
            link.request(method, path, headers=dict(
                {"Cookie": cookie} if token else {},
                **{k.capitalize(): v for k, v in headers.items()}))
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()

    def test_nobody_comes_in_without_the_token(self):
        self.serve()
        for path in "/", "/state", "/screen/dos", "/page/main.js", "/?token=x":
            self.assertEqual(self.ask(path, token=False)[0], 403)
        self.assertEqual(self.ask("/do/dos/reset", "POST", False)[0], 403)
        self.assertEqual(self.ask("/?token=" + self.token, token=False)[0], 302)
        self.assertEqual(self.ask("/")[0], 200)
        self.assertEqual(self.heard("reset"), [])

    def test_other_sites_pages_are_refused(self):
        self.serve()
        for headers in ({"origin": "http://evil.example"},
                        {"host": "evil.example:" + self.at.split(":")[1]}):
            self.assertEqual(self.ask("/do/dos/reset", "POST", **headers)[0],
                             403)
            self.assertEqual(self.ask("/state", **headers)[0], 403)
        self.assertEqual(self.heard("reset"), [])
        self.assertEqual(self.ask("/do/dos/reset", "POST",
                                  origin="http://" + self.at)[0], 200)
        self.assertEqual(len(self.heard("reset")), 1)

    def test_only_what_is_the_pages_is_served(self):
        self.serve()
        for path in ("/page/../bulkhead", "/page/%2e%2e/bulkhead", "/etc/passwd",
                     "/screen/nobody", "/console/nobody", "/do/dos/off"):
            self.assertIn(self.ask(path)[0], (403, 404, 405), path)
        self.assertEqual(self.ask("/do/dos/off", "POST")[0], 404)
        self.assertEqual(self.ask("/do/dos/keys", "POST")[0], 404)
        self.assertIn(b"no such guest", self.ask("/do/dso/reset", "POST")[1])


@unittest.skipUnless(HAS_SERVER and webdriver and CHROMIUM and DRIVER,
                     "needs chromium-driver and python3-selenium")
class Pages(WebTest):
    def browse(self):
        url = self.serve()
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu",
                     "--disable-dev-shm-usage", "--window-size=1400,1200"):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # Named, so that nothing is looked for in the network.
        self.page = webdriver.Chrome(
            options=options, service=webdriver.chrome.service.Service(DRIVER))
        self.addCleanup(self.page.quit)
        self.page.set_script_timeout(60)
        self.page.get(url)

    def wait(self, is_so):
        """Until it is; the whole test has a limit."""
        while not (found := is_so()):
            time.sleep(0.05)
        return found

    def find(self, selector):
        return self.wait(lambda: self.page.find_elements(By.CSS_SELECTOR,
                                                         selector))[0]

    def button(self, label, within=""):
        return self.wait(lambda: [
            b for b in self.page.find_elements(By.CSS_SELECTOR,
                                               within + " button")
            if b.text == label and b.is_enabled()])[0]

    def see(self, selector, guest):
        wanted = summed(guest)
        self.wait(lambda: self.page.execute_script(PIXELS, selector) == wanted)

    def shot(self, name):
        if SHOTS:
            self.page.save_screenshot(os.path.join(SHOTS, name + ".png"))

    def complaints(self):
        return [e for e in self.page.get_log("browser")
                if e["level"] == "SEVERE" and "favicon" not in e["message"]]

    def test_all_guests_are_seen(self):
        for at, guest in enumerate(self.guests):
            guest.paint(640 + 80 * at, 400, painted.stripes(640 + 80 * at, 400))
        self.browse()
        for guest in self.guests:
            self.see("[data-guest=%s] canvas" % guest.name, guest)
        self.shot("all")
        # What it shows changes with the guest.
        self.guest.paint(320, 200, painted.stripes(320, 200))
        self.see("[data-guest=dos] canvas", self.guest)
        self.button("Pause", "[data-guest=debian]").click()
        self.button("Resume", "[data-guest=debian]")
        self.assertEqual(self.guests[1].state, "paused")
        self.button("Stop", "[data-guest=debian]").click()
        self.wait(lambda: "stopped" in
                  self.find("[data-guest=debian] .screen").text)
        self.wait(lambda: len(self.watches()) == 1)
        self.button("Power button", "[data-guest=dos]").click()
        self.wait(lambda: "no such button" in self.find("#message").text)
        self.shot("stopped")
        self.assertEqual(self.complaints(), [])

    def test_one_guest_is_used(self):
        self.guest.paint(640, 400, painted.stripes(640, 400))
        self.browse()
        self.wait(lambda: self.watches())
        self.find("[data-guest=dos] a.screen").click()
        self.see(".guest .screen canvas", self.guest)
        # Nothing is drawn of those who are not looked at.
        self.wait(lambda: [w[1].name for w in self.watches()] == ["dos"])
        screen = self.find(".guest .screen canvas")
        ActionChains(self.page).click(screen).key_down(Keys.SHIFT).send_keys(
            "d").key_up(Keys.SHIFT).send_keys("ir").perform()
        want = [keys.SHIFT, 32, -32, -keys.SHIFT, 23, -23, 19, -19]
        self.wait(lambda: len(self.guest.keys) >= len(want))
        self.assertEqual(self.guest.keys, want)
        self.wait(lambda: [p for p in self.guest.pointer if p[3] == 1])
        # The browser's pointer has a place, in the middle of the screen.
        self.wait(lambda: [p for p in self.guest.places if p and
                           all(abs(at - 16384) < 300 for at in p)])
        self.button("Ctrl-Alt-Del").click()
        self.wait(lambda: keys.NAMES["del"] in self.guest.keys)
        self.button("Reset").click()
        self.wait(lambda: self.heard("reset"))
        self.wait(lambda: "vCPUs at work" in self.find(".plots").text)
        for words in ("drive 0: KiB read", "1,000", "65 MiB"):
            self.wait(lambda w=words: w in self.find("dl").text)
        self.assertEqual(self.heard("reset")[0]["guest"], "dos")
        self.console()
        self.shot("guest")
        self.assertEqual(self.complaints(), [])

    def console(self):
        def text():
            return self.find(".xterm-rows").text

        self.wait(lambda: "login: " in text() + " ")
        self.find(".terminal .xterm-screen").click()
        ActionChains(self.page).send_keys("root\n").perform()
        self.wait(lambda: self.guest.serial == b"root\r")
        self.wait(lambda: "ROOT" in text())
        self.page.refresh()    # what was said stays
        self.wait(lambda: "ROOT" in text())
        self.see(".guest .screen canvas", self.guest)


class Links(WebTest):
    """The client below it, without a browser."""

    def test_answers_find_their_requests(self):
        async def talk():
            link = async_client.AsyncClient(self.path)
            running = asyncio.ensure_future(link.run())
            while not link.is_up:
                await asyncio.sleep(0.01)
            try:
                names, said = await asyncio.gather(
                    link.guests(), link.request("statistics", guest="dos"))
                self.assertEqual([g["guest"] for g in names],
                                 ["dos", "debian"])
                self.assertEqual(said["exits"], [5, 6, 7])
                with self.assertRaises(client.Refused):
                    await link.request("reset", guest="dso")
                heard = []
                said = await link.request("serial", heard.append, guest="dos")
                link.send_serial(said["id"], b"x" * 3000)
                while sum(len(p.data) for p in heard) < 3007:
                    await asyncio.sleep(0.01)
                await link.close(said["id"])
                self.assertEqual(link.followers, {})
                self.assertEqual(link.waiting, {})
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

        asyncio.run(talk())


if __name__ == "__main__":
    unittest.main(verbosity=2)
