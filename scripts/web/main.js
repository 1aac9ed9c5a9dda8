// SPDX-License-Identifier: BSD-2-Clause
// Which page is shown, by what is behind the address's #, and what the host says.

import { make, socketUrl } from "./parts.js";
import { GuestView, Overview } from "./views.js";

const AGAIN_MS = 1000;
const view = document.getElementById("view");
let current, guests = [], isUp = false, hasHeard = false;

function named() {
	return decodeURIComponent(location.hash.replace(/^#\/?/, ""));
}

let tabsShown;
function tabs() {
	const what = JSON.stringify([named(), guests.map((g) => [g.guest, g.state])]);
	if (what === tabsShown)
		return;    // who is at one with the keyboard stays there
	tabsShown = what;
	const link = (name, label, state) => make(
		name === named() ? "a.current" : "a",
		{ href: `#/${encodeURIComponent(name)}` },
		...(state ? [make(`i.dot.${state}`)] : []), label);
	document.getElementById("tabs").replaceChildren(
		link("", "All guests"),
		...guests.map((guest) => link(guest.guest, guest.guest, guest.state)));
}

function update() {
	const link = document.getElementById("link");
	link.textContent = isUp ? "connected" : "the host does not answer";
	link.classList.toggle("up", isUp);
	tabs();
	current.update(guests, isUp);
}

function show() {
	current?.close();
	const name = named();
	document.title = name ? `${name} – Bulkhead` : "Bulkhead";
	current = name ? new GuestView(view, name) : new Overview(view);
	if (hasHeard)
		update();
}

function listen() {
	const socket = new WebSocket(socketUrl("/state"));
	socket.onmessage = (message) => {
		({ guests, is_up: isUp } = JSON.parse(message.data));
		hasHeard = true;
		update();
	};
	socket.onclose = () => {
		isUp = false;
		if (hasHeard)
			update();
		setTimeout(listen, AGAIN_MS);
	};
}

addEventListener("hashchange", show);
show();
listen();
