// The simulator's page: phones side by side, live. What happens comes as events; after a break the
// whole state is read again.

import {
  addPhone, all, attempt, closeAllPopups, find, layOut, narrow, page, phones, post, removePhone,
  select, setClock, showClock, toast, whileBusy, words,
} from "./phone.js";
import { showRehearsal, showStep } from "./rehearsal.js";

// Live

const happenings = {
  bubble: (data) => phones.get(data.phone)?.receive(data.bubble),
  changed: (data) => phones.get(data.phone)?.change(data.bubble),
  gone: (data) => phones.get(data.phone)?.takeAway(data.bubbles),
  provider: (data) => phones.get(data.phone)?.setProvider(data.provider),
  phone: addPhone,
  commands: (data) => phones.get(data.phone)?.setCommands(data.commands),
  clock: setClock,
  restarted: (data) => {
    setClock(data);
    toast(words.restarted);
  },
  staged: () => {
    for (const phone of [...phones.values()]) removePhone(phone);
    load();
  },
  step: showStep,
};

let held = null; // events that came while the state was on its way
let loads = 0;
let lost = false;

async function load() {
  const turn = ++loads; // a newer load overtakes an older one
  held = [];
  let state;
  try {
    const answer = await fetch("/simulator/state", { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    state = await answer.json();
  } catch {
    if (turn === loads) setTimeout(load, 2000);
    return;
  }
  if (turn !== loads) return;
  show(state);
  const missed = held;
  held = null;
  for (const [name, data] of missed) happenings[name](data);
  if (lost) toast("");
  lost = false;
}

function show(state) {
  page.languages = state.languages;
  setClock(state);
  showRehearsal(state.rehearsal);
  const theirs = new Set(state.phones.map((phone) => phone.id));
  for (const phone of [...phones.values()]) if (!theirs.has(phone.id)) removePhone(phone);
  state.phones.forEach(addPhone);
  page.selected ??= phones.values().next().value ?? null;
  layOut();
}

function connect() {
  const events = new EventSource("/simulator/events");
  events.onopen = load;
  events.onerror = () => {
    lost = true;
    toast(words.lost, Infinity);
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  };
  for (const name of Object.keys(happenings)) {
    events.addEventListener(name, (event) => {
      const data = JSON.parse(event.data);
      if (held) held.push([name, data]);
      else happenings[name](data);
    });
  }
}

// Tools

for (const button of all("[data-seconds]")) {
  button.addEventListener("click", () =>
    attempt(button, () => post("/simulator/clock", { seconds: Number(button.dataset.seconds) })));
}

find("#morning").addEventListener("click", (event) =>
  attempt(event.currentTarget, () => post("/simulator/clock", { to: "morning" })));

find("#invite").addEventListener("click", (event) =>
  attempt(event.currentTarget, async () => {
    const { code } = await (await post("/simulator/invite", {})).json();
    toast(words.invite.replace("{code}", code), 20000);
  }));
find("#restart").addEventListener("click", (event) =>
  attempt(event.currentTarget, () => post("/simulator/restart", {})));

find("#tools-button").addEventListener("click", (event) => {
  const open = event.currentTarget.ariaExpanded !== "true";
  event.currentTarget.ariaExpanded = String(open);
});

const dialog = find("#new-phone");

find("#add").addEventListener("click", () => {
  find("form", dialog).reset();
  find(".problem", dialog).textContent = "";
  dialog.showModal();
});

find(".cancel", dialog).addEventListener("click", () => dialog.close());

find("form", dialog).addEventListener("submit", (event) => {
  event.preventDefault();
  const wanted = Object.fromEntries(new FormData(event.target));
  whileBusy(find(".main", dialog), async () => {
    try {
      const answer = await post("/simulator/phones", wanted);
      const phone = addPhone(await answer.json());
      dialog.close();
      select(phone);
      phone.input.focus();
    } catch {
      find(".problem", dialog).textContent = phones.size >= 12 ? words.full : words.problem;
    }
  });
});

find("#tabs").addEventListener("keydown", (event) => {
  const list = [...phones.values()];
  const here = list.indexOf(page.selected);
  const there = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: -1 }[event.key];
  if (there === undefined) return;
  event.preventDefault();
  select(list.at(there % list.length));
  page.selected.tab.focus();
});

document.addEventListener("click", (event) => {
  if (!event.target.closest(".popup, [data-popup]")) closeAllPopups();
});

narrow.addEventListener("change", layOut);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && phones.size) load(); // a laptop that slept may have missed something
});
setInterval(showClock, 1000);
connect();
