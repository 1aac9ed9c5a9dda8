// SPDX-License-Identifier: BSD-2-Clause
// What the pages are put together from: elements, buttons, screens, plots.

import RFB from "/novnc/core/rfb.js";

const AGAIN_MS = 1000;
const SAMPLES = 120;

// An element: make("a.class", {href: "#/"}, "text", child...).
export function make(what, properties = {}, ...children) {
	const [tag, ...classes] = what.split(".");
	const element = document.createElement(tag);
	element.classList.add(...classes);
	Object.assign(element, properties);
	element.append(...children);
	return element;
}

export function socketUrl(path) {
	return `ws://${location.host}${path}`;
}

let messageTimer;
export function complain(text) {
	const message = document.getElementById("message");
	message.textContent = text;
	message.classList.add("shown");
	clearTimeout(messageTimer);
	messageTimer = setTimeout(() => message.classList.remove("shown"), 6000);
}

// ---- Buttons ---------------------------------------------------------------

// verb: its label, the states in which there is something to do, whether the guest
// loses what it has not written.
const VERBS = {
	start: ["Start", ["stopped", "waiting"], false],
	pause: ["Pause", ["running"], false],
	resume: ["Resume", ["paused"], false],
	power: ["Power button", ["running"], false],
	reset: ["Reset", ["running", "paused"], true],
	stop: ["Stop", ["running", "paused", "starting"], true],
};

async function act(guest, verb) {
	try {
		const answer = await fetch(
			`/do/${encodeURIComponent(guest)}/${verb}`, { method: "POST" });
		const said = await answer.json();
		if (!said.ok)
			complain(`${guest}: ${said.error}`);
	} catch (error) {
		complain(`${guest}: ${verb}: ${error.message}`);
	}
}

export class Buttons {
	constructor(guest) {
		this.element = make("div.buttons");
		this.buttons = Object.keys(VERBS).map((verb) => {
			const [label, , isDanger] = VERBS[verb];
			const button = make(isDanger ? "button.danger" : "button",
				{ textContent: label, onclick: () => act(guest, verb) });
			button.dataset.verb = verb;
			this.element.append(button);
			return button;
		});
	}

	update(state) {
		for (const button of this.buttons) {
			const verb = button.dataset.verb;
			button.disabled = !VERBS[verb][1].includes(state);
			// Three that exclude each other have one place.
			button.hidden = button.disabled &&
				["start", "pause", "resume"].includes(verb);
		}
	}
}

// ---- Screens ---------------------------------------------------------------

// A guest's screen, while it is connected; none is when nobody can see it.
export class Screen {
	constructor(guest, element, isThumbnail) {
		this.guest = guest;
		this.element = element;
		this.isThumbnail = isThumbnail;
		this.isWanted = false;
		this.none = make("div.none", { textContent: "no picture yet" });
		element.append(this.none);
		this.seen = new IntersectionObserver((entries) => {
			this.isVisible = entries.at(-1).isIntersecting;
			this.decide();
		});
		this.seen.observe(element);
		this.onhide = () => this.decide();
		document.addEventListener("visibilitychange", this.onhide);
	}

	update(state) {
		this.isWanted = state === "running" || state === "paused";
		this.none.textContent = this.isWanted ? "no picture yet" : state;
		this.decide();
	}

	decide() {
		const is = this.isWanted && this.isVisible && !document.hidden;
		if (is && !this.rfb && !this.timer)
			this.connect();
		else if (!is)
			this.disconnect();
	}

	connect() {
		const rfb = new RFB(this.element, socketUrl(
			`/screen/${encodeURIComponent(this.guest)}`),
			{ shared: true, wsProtocols: ["binary"] });
		this.rfb = rfb;
		rfb.scaleViewport = true;
		rfb.viewOnly = this.isThumbnail;
		rfb.focusOnClick = !this.isThumbnail;
		rfb.showDotCursor = !this.isThumbnail;
		rfb.qualityLevel = 9;
		rfb.background = "#000";
		rfb.addEventListener("connect", () => {
			this.none.hidden = true;
			this.element.classList.add("connected");
			if (!this.isThumbnail)
				rfb.focus();
		});
		rfb.addEventListener("disconnect", () => {
			this.element.classList.remove("connected");
			this.none.hidden = false;
			if (this.rfb !== rfb)
				return;
			this.rfb = null;
			this.timer = setTimeout(() => {
				this.timer = null;
				this.decide();
			}, AGAIN_MS);
		});
	}

	disconnect() {
		clearTimeout(this.timer);
		this.timer = null;
		const rfb = this.rfb;
		this.rfb = null;
		rfb?.disconnect();
	}

	close() {
		this.isWanted = false;
		this.disconnect();
		this.seen.disconnect();
		document.removeEventListener("visibilitychange", this.onhide);
	}
}

// ---- Plots -----------------------------------------------------------------

const short = new Intl.NumberFormat("en", {
	notation: "compact", maximumFractionDigits: 1 });

// How fast a counter grows, over the last two minutes.
export class Plot {
	constructor(label, colour, unit = "/s") {
		this.unit = unit;
		this.colour = colour;
		this.samples = [];
		this.value = make("b", { textContent: "–" });
		this.canvas = make("canvas");
		this.element = make("div.plot", {}, make("div", {},
			make("span", { textContent: label }), this.value), this.canvas);
	}

	// A counter that is less than before has begun anew.
	add(total, seconds) {
		if (this.last !== undefined && total >= this.last) {
			this.samples.push((total - this.last) /
				Math.max(seconds - this.seconds, 0.1));
			this.samples.splice(0, this.samples.length - SAMPLES);
			this.value.textContent = short.format(this.samples.at(-1)) + this.unit;
		}
		this.last = total;
		this.seconds = seconds;
		this.draw();
	}

	draw() {
		const ratio = devicePixelRatio || 1;
		const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
		const pen = this.canvas.getContext("2d");
		this.canvas.width = width * ratio;
		this.canvas.height = height * ratio;
		pen.scale(ratio, ratio);
		pen.strokeStyle = "#2b3746";
		for (const part of [0.25, 0.5, 0.75]) {
			const y = Math.round(height * part) + 0.5;
			pen.beginPath();
			pen.moveTo(0, y);
			pen.lineTo(width, y);
			pen.stroke();
		}
		if (this.samples.length < 2)
			return;
		const top = Math.max(...this.samples, 1) * 1.15;
		const step = width / (SAMPLES - 1);
		const first = width - step * (this.samples.length - 1);
		pen.beginPath();
		this.samples.forEach((sample, at) => pen.lineTo(
			first + at * step, height - 1 - (height - 2) * sample / top));
		pen.strokeStyle = this.colour;
		pen.lineWidth = 1.6;
		pen.lineJoin = "round";
		pen.stroke();
		pen.lineTo(width, height);
		pen.lineTo(first, height);
		pen.closePath();
		pen.globalAlpha = 0.14;
		pen.fillStyle = this.colour;
		pen.fill();
	}
}
