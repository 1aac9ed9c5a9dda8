// SPDX-License-Identifier: BSD-2-Clause
// The two pages: all guests, and one of them.  Each has update(guests, isUp), called
// each second with what the host says, and close().

import { Terminal } from "/xterm/lib/xterm.mjs";
import { Buttons, Plot, Screen, make, socketUrl } from "./parts.js";

const AGAIN_MS = 1000;

function memory(mib) {
	return mib >= 1024 ? `${+(mib / 1024).toFixed(1)} GiB` : `${mib} MiB`;
}

function vcpus(count) {
	return count === 1 ? "1 vCPU" : `${count} vCPUs`;
}

function href(name) {
	return `#/${encodeURIComponent(name)}`;
}

class Title {
	constructor(name) {
		this.dot = make("i.dot");
		this.state = make("span");
		this.facts = make("span.facts");
		this.element = make("div.title", {}, this.dot,
			make("b", { textContent: name }), this.state, this.facts);
	}

	update(guest) {
		this.dot.className = `dot ${guest.state}`;
		this.state.textContent = guest.state;
		this.facts.textContent = `${vcpus(guest.vcpus)} · ${memory(guest.memory)}`;
	}
}

// ---- All guests ------------------------------------------------------------

class Card {
	constructor(name) {
		const frame = make("a.screen", { href: href(name), title: `Open ${name}` });
		this.title = new Title(name);
		this.screen = new Screen(name, frame, true);
		this.buttons = new Buttons(name);
		this.element = make("article.card", {}, frame, make("div.about", {},
			this.title.element, this.buttons.element));
		this.element.dataset.guest = name;
	}

	update(guest, isUp) {
		this.title.update(guest);
		this.buttons.update(isUp ? guest.state : "");
		this.screen.update(isUp ? guest.state : "the host does not answer");
	}

	close() {
		this.screen.close();
		this.element.remove();
	}
}

export class Overview {
	constructor(view) {
		this.cards = new Map();
		this.element = make("div.cards");
		this.empty = make("p.empty", { textContent: "waiting for the host" });
		view.replaceChildren(this.element, this.empty);
	}

	update(guests, isUp) {
		const names = guests.map((guest) => guest.guest);
		for (const [name, card] of this.cards)
			if (!names.includes(name)) {
				card.close();
				this.cards.delete(name);
			}
		for (const guest of guests) {
			if (!this.cards.has(guest.guest)) {
				const card = new Card(guest.guest);
				this.cards.set(guest.guest, card);
				this.element.append(card.element);
			}
			this.cards.get(guest.guest).update(guest, isUp);
		}
		this.empty.hidden = guests.length > 0;
		this.empty.textContent = isUp ? "this host has no guests"
			: "the host does not answer";
	}

	close() {
		for (const card of this.cards.values())
			card.close();
	}
}

// ---- One guest -------------------------------------------------------------

class Console {
	constructor(name) {
		this.element = make("div.terminal");
		this.path = `/console/${encodeURIComponent(name)}`;
		this.terminal = new Terminal({
			rows: 16, cols: 80, fontSize: 13, scrollback: 5000,
			fontFamily: "ui-monospace, 'DejaVu Sans Mono', monospace",
			theme: { background: "#0b0f14", foreground: "#d5dde6" },
		});
		this.terminal.onData((text) => {
			if (this.socket?.readyState === WebSocket.OPEN)
				this.socket.send(text);
		});
	}

	// Once the element is on the page: the terminal measures it.
	open() {
		this.terminal.open(this.element);
		this.connect();
	}

	connect() {
		const socket = new WebSocket(socketUrl(this.path));
		this.socket = socket;
		socket.binaryType = "arraybuffer";
		socket.onopen = () => this.terminal.reset();
		socket.onmessage = (message) =>
			this.terminal.write(new Uint8Array(message.data));
		socket.onclose = () => {
			if (!this.isClosed)
				setTimeout(() => this.isClosed || this.connect(), AGAIN_MS);
		};
	}

	close() {
		this.isClosed = true;
		this.socket?.close();
		this.terminal.dispose();
	}
}

class Statistics {
	constructor() {
		this.plots = {
			busy: new Plot("vCPUs at work", "#f2777a", " %"),
			exits: new Plot("exits to the machine", "#5eb1ff"),
			frames: new Plot("pictures drawn", "#54d88b"),
			inputs: new Plot("keys and pointer", "#f0b54a"),
			disk: new Plot("KiB read and written", "#c58af9"),
		};
		this.facts = make("dl");
		const plots = Object.values(this.plots).map((plot) => plot.element);
		this.element = make("div.right", {},
			make("section.panel", {}, make("h2", {}, "Activity"),
				make("div.plots", {}, ...plots)),
			make("section.panel", {}, make("h2", {}, "Counters"), this.facts));
	}

	update(guest) {
		const said = guest.statistics ?? {};
		const sum = (array) => (array ?? []).reduce((a, b) => a + b, 0);
		const exits = sum(said.exits);
		const disk = sum(said.disk_read) + sum(said.disk_written);
		const seconds = performance.now() / 1000;
		const number = (n) => (n ?? 0).toLocaleString("en");
		if (said.exits) {
			// By the guest's clock, which all vCPUs have.
			if (said.run?.length) {
				const lived = said.run[0] + said.idle[0];
				this.plots.busy.add(100 * sum(said.run) / said.tsc_hz,
					lived / said.tsc_hz);
			}
			this.plots.busy.element.hidden = !said.run?.length;
			this.plots.exits.add(exits, seconds);
			// Not every host counts them.
			this.plots.exits.element.hidden = !said.exits.length;
			this.plots.frames.add(said.frames ?? 0, seconds);
			this.plots.inputs.add(said.inputs ?? 0, seconds);
			this.plots.disk.add(disk / 2, seconds);
			this.plots.disk.element.hidden = !said.disk_units?.length;
		}
		const facts = { "exits": number(exits), "pictures": number(said.frames),
			"pixels": number(said.pixels), "inputs": number(said.inputs),
			"starts": number(guest.starts) };
		if (said.charged) {
			facts["memory"] = memory(Math.ceil(said.charged / 2 ** 20));
			facts["of it RAM"] = memory(said.ram / 2 ** 20);
		}
		(said.disk_units ?? []).forEach((unit, at) => {
			facts[`drive ${unit}: requests`] = number(said.disk_requests[at]);
			facts[`drive ${unit}: KiB read`] = number(said.disk_read[at] / 2);
			facts[`drive ${unit}: KiB written`] =
				number(said.disk_written[at] / 2);
			facts[`drive ${unit}: errors`] = number(said.disk_errors[at]);
		});
		this.facts.replaceChildren(...Object.entries(facts).flatMap(
			([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
	}
}

export class GuestView {
	constructor(view, name) {
		this.name = name;
		const frame = make("div.screen");
		const escape = make("button", { textContent: "Ctrl-Alt-Del",
			onclick: () => this.screen.rfb?.sendCtrlAltDel() });
		this.title = new Title(name);
		this.buttons = new Buttons(name);
		this.buttons.element.append(escape);
		this.console = new Console(name);
		this.statistics = new Statistics();
		view.replaceChildren(make("div.guest", {},
			make("div.bar", {}, this.title.element, this.buttons.element),
			make("div.left", {},
				make("section.panel", {}, make("h2", {}, "Screen"), frame),
				make("section.panel", {}, make("h2", {}, "Serial console"),
					this.console.element)),
			this.statistics.element));
		this.screen = new Screen(name, frame, false);
		this.console.open();
	}

	update(guests, isUp) {
		const guest = guests.find((one) => one.guest === this.name);
		const state = isUp && guest ? guest.state : "";
		this.buttons.update(state);
		this.screen.update(guest ? state || "the host does not answer"
			: "there is no such guest");
		if (!guest)
			return;
		this.title.update(guest);
		this.statistics.update(guest);
	}

	close() {
		this.screen.close();
		this.console.close();
	}
}
