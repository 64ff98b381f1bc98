// The rehearsal room: choose who takes part, play a stored talk, take the talk along as a test.

import {
  attempt, element, fill, find, highlight, pageLanguage, phones, post, toast, whileBusy, words,
} from "./phone.js";

const PACE = { ">": 900, "<": 350, "-": 900 }; // milliseconds to look at a line before the next

const room = find("#rehearse");
const player = find("#player");
const playButton = find("#play");

let current = null; // the rehearsal, as the server tells it
let playing = false;

// Where we are

export function showRehearsal(rehearsal) {
  const changed = rehearsal?.name !== current?.name;
  current = rehearsal;
  if (changed || !rehearsal?.total) pause();
  find("#usual").hidden = Boolean(rehearsal);
  find("#apart").hidden = !rehearsal;
  find("#apart-title").textContent = rehearsal ? titleOf(rehearsal) : "";
  find("#apart-title").lang = rehearsal?.names ? pageLanguage : "en"; // stored talks have English titles
  for (const button of [find("#back"), find("#export")]) button.hidden = !rehearsal;
  player.hidden = !rehearsal?.total;
  if (changed) say("");
  showProgress(rehearsal);
}

const titleOf = (rehearsal) => rehearsal.names?.[pageLanguage] ?? rehearsal.title;

// Choosing

async function open() {
  const answer = await fetch(`/simulator/choices?lang=${pageLanguage}`);
  const { programmes, transcripts } = await answer.json();
  const select = find("#programme");
  select.replaceChildren(...programmes.map((each) => option(each.name, each.title)));
  select.onchange = () => showPeople(programmes.find((each) => each.name === select.value));
  select.onchange();
  find("#transcript").replaceChildren(...transcripts.map((each) => {
    const title = each.problem ? fill(words.unplayable, { title: each.title }) : each.title;
    const made = option(each.name, title);
    made.disabled = Boolean(each.problem);
    if (!each.problem) made.lang = "en";
    return made;
  }));
  find(".problem", room).textContent = "";
  room.showModal();
}

function option(value, text) {
  const made = element("option", "", text);
  made.value = value;
  return made;
}

function showPeople(programme) {
  find("#discreet").hidden = !programme.discreet;
  find("#people").replaceChildren(...programme.people.map((each) => {
    const label = element("label", "", "");
    const box = element("input", "", "");
    Object.assign(box, { type: "checkbox", name: "people", value: each.id, checked: true });
    const name = element("span", "", each.name);
    name.lang = each.language;
    const look = { whatsapp: "WhatsApp", telegram: "Telegram" }[each.look];
    label.append(box, name, element("span", "soft", look));
    return label;
  }));
}

function begin(event, wanted) {
  event.preventDefault();
  const button = event.submitter ?? event.currentTarget;
  whileBusy(button, async () => {
    try {
      await post("/simulator/rehearsal", wanted);
      room.close();
    } catch {
      if (room.open) find(".problem", room).textContent = words.problem;
      else toast(words.problem);
    }
  });
}

find("#rehearse-button").addEventListener("click", (event) => attempt(event.currentTarget, open));
find("#close-room").addEventListener("click", () => room.close());

find("#with-people").addEventListener("submit", (event) => {
  const form = new FormData(event.target);
  begin(event, {
    programme: form.get("programme"),
    people: form.getAll("people"),
    newcomer: form.has("newcomer"),
  });
});

find("#stored").addEventListener("submit", (event) =>
  begin(event, { transcript: find("#transcript").value }));

find("#back").addEventListener("click", (event) => begin(event, {}));

// Playing

playButton.addEventListener("click", () => (playing ? pause() : play()));

find("#next").addEventListener("click", (event) => {
  pause();
  attempt(event.currentTarget, step);
});

async function play() {
  playing = true;
  showPlaying();
  while (playing) {
    let played;
    try {
      played = await step();
    } catch {
      say(words.problem);
      return pause();
    }
    if (played.outcome === "over" || played.outcome === "stuck") return pause();
    await new Promise((resolve) => setTimeout(resolve, PACE[played.sign]));
  }
}

function pause() {
  playing = false;
  showPlaying();
}

function showPlaying() {
  find("span", playButton).textContent = playing ? words.pause : words.play;
  find("use", playButton).setAttribute("href", playing ? "#i-pause" : "#i-play");
}

async function step() {
  const played = await (await post("/simulator/step", {})).json();
  showStep(played);
  return played;
}

/** A line was played, here or on another open page. */
export function showStep(played) {
  showProgress(played);
  highlight(played.phone);
  say(sentence(played));
}

function sentence(played) {
  if (played.outcome === "over") return words.over;
  const kind = { ">": "acts", "<": played.outcome, "-": "happens" }[played.sign];
  const name = phones.get(played.phone)?.name ?? played.name;
  const said = played.words.split("\n")[0];
  return fill(words.steps[played.outcome === "stuck" ? "stuck" : kind], { name, words: said });
}

function showProgress(at) {
  if (!at) return;
  find("#progress").textContent = fill(words.progress, { n: at.position, total: at.total });
  find("progress", player).max = at.total || 1;
  find("progress", player).value = at.position;
}

function say(text) {
  find("#said").textContent = text;
}
