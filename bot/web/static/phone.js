// The phones of the page: what stands on their screens and what is done on them. What is written
// goes to the webhook, as from a provider.

import { Recording, clockOf } from "./recording.js";

export const words = JSON.parse(document.getElementById("words").textContent);
export const pageLanguage = document.documentElement.lang;
export const narrow = matchMedia("(max-width: 719px)"); // the same width as in the style sheet
const KEPT = 300; // bubbles on a phone, as on the server
const APPS = { whatsapp: "WhatsApp", telegram: "Telegram" };

export const find = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
export const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);

export const phones = new Map(); // id -> Phone
export const page = {
  languages: {}, // code -> own name
  selected: null, // the phone of the open tab
};

// Time: the moved clock, in the zone of the programme

let shift = 0; // milliseconds between the phones' clock and this computer's
let standing = null; // the moment at which it stands still, while a stored talk is played

const now = () => standing ?? new Date(Date.now() + shift);
const hours = formatter("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dates = dateFormatter(pageLanguage, { weekday: "short", day: "numeric", month: "short", year: "numeric" });

function formatter(language, options) {
  const locale = language === "en" ? "en-GB" : `${language}-u-nu-latn`;
  return new Intl.DateTimeFormat(locale, { timeZone: "Asia/Vientiane", ...options });
}

/** A date in words; in figures where the browser has no words (some know no Lao or Khmer). */
function dateFormatter(language, options) {
  const known = Intl.DateTimeFormat.supportedLocalesOf(language).length > 0;
  if (known) return formatter(language, options);
  return formatter("en", { day: "2-digit", month: "2-digit", year: "numeric" });
}

export function setClock({ clock, stands }) {
  shift = new Date(clock) - Date.now();
  standing = stands ? new Date(clock) : null;
  showClock();
}

export function showClock() {
  const clock = find("#clock");
  const text = `${dates.format(now())}, ${hours.format(now())}`;
  if (clock.textContent !== text) {
    clock.textContent = text;
    clock.dateTime = now().toISOString();
  }
}

// Requests

/** Names one thing that was done, so that it counts once however often it is sent. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
}

export async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30000),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

/** Hand a file over, as to a provider; its key goes with the message. */
async function handOver(file) {
  const [kind] = file.type.split("/");
  const type = ["audio", "image", "video"].includes(kind) ? file.type : "application/octet-stream";
  const answer = await fetch("/simulator/files", {
    method: "POST",
    headers: { "Content-Type": type },
    body: file,
    signal: AbortSignal.timeout(30000),
  });
  if (!answer.ok) throw new Error(`a file: ${answer.status}`);
  return (await answer.json()).sent;
}

const KINDS = { audio: "voice", image: "photo", video: "video" }; // as on the server
const kindOf = (file) => KINDS[file.type.split("/")[0]] ?? "document";

async function deliver(body) {
  const answer = await post("/webhooks/simulator", body);
  if (answer.status !== 200) throw new Error(`not taken: ${answer.status}`);
}

// `aria-disabled` and not `disabled`: a disabled button would lose the keyboard's place.
export async function whileBusy(button, work) {
  if (button.ariaDisabled === "true") return;
  button.ariaDisabled = "true";
  try {
    await work();
  } finally {
    button.ariaDisabled = null;
  }
}

/** Do it once however often the button is pressed, and say if it failed. */
export const attempt = (button, work) =>
  whileBusy(button, () => work().catch(() => toast(words.problem)));

// A phone

class Phone {
  constructor(data) {
    Object.assign(this, { id: data.id, name: data.name, look: data.look, language: data.language });
    this.shown = new Map(); // bubble id -> entry {bubble, row}
    this.seen = new Set(); // bubble ids that were dealt with, also those taken away
    this.unknown = []; // entries written here whose id the server has not told yet
    this.queue = Promise.resolve(); // one request at a time: what is written stays in order
    this.unread = 0;
    this.resting = true; // at the newest message; stays there when the room changes
    this.quoted = null; // the bubble that is being replied to
    this.days = dateFormatter(this.language, { weekday: "long", day: "numeric", month: "long" });
    this.build();
    this.listen();
    this.reconcile(data);
  }

  build() {
    this.root = copy("phone-template");
    this.root.id = `phone-${this.id}`;
    this.root.classList.add(this.look);
    const part = (selector) => find(selector, this.root);
    this.log = part(".log");
    this.input = part("textarea");
    this.downButton = part(".down");
    this.quoting = part(".quoting");
    this.menuButton = part(".menu");
    this.chooser = part("[type=file]");
    this.speakButton = part(".speak");
    this.recordingBar = part(".recording");
    this.popups = { commands: part(".popup.commands"), files: part(".popup.files") };
    part("h2").textContent = this.name;
    part("h2").id = `name-${this.id}`;
    part(".avatar").textContent = [...new Intl.Segmenter().segment(this.name)][0]?.segment ?? "";
    part(".app").textContent = APPS[this.look] ?? this.look;
    part(".language").textContent = page.languages[this.language] ?? this.language;
    part(".language").lang = this.language;
    this.provider = part(".provider select");
    this.provider.ariaLabel = fill(words.provider, this);
    if (this.look !== "whatsapp") find("[value=window]", this.provider).remove();
    this.log.lang = this.language;
    this.log.ariaLabel = fill(words.log, this);
    this.input.ariaLabel = fill(words.write, this);
    this.input.lang = this.language;
    this.menuButton.hidden = this.look !== "telegram";
    for (const [name, popup] of Object.entries(this.popups)) {
      popup.id = `${name}-${this.id}`;
      find(`[data-popup=${name}]`, this.root).setAttribute("aria-controls", popup.id);
    }
    this.tab = document.createElement("button");
    this.tab.type = "button";
    this.tab.id = `tab-${this.id}`;
    this.tab.className = this.look;
    this.tab.role = "tab";
    this.tab.setAttribute("aria-controls", this.root.id);
    this.tab.append(element("span", "", this.name), element("span", "count", ""));
  }

  listen() {
    find("form", this.root).addEventListener("submit", (event) => {
      event.preventDefault();
      this.sendWritten();
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.sendWritten();
      }
    });
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      if (this.recording) return this.endRecording(false);
      if (!this.closePopups(true) && this.quoted) this.quote(null);
    });
    this.root.addEventListener("focusout", (event) => {
      // Leaving by keyboard closes a menu; a click elsewhere is seen by the document.
      if (event.relatedTarget && !event.relatedTarget.closest(".popup, [data-popup]")) this.closePopups();
    });
    for (const button of all("[data-popup]", this.root)) {
      button.addEventListener("click", () => this.togglePopup(button));
    }
    for (const button of all("[data-file]", this.root)) {
      button.addEventListener("click", () => this.fromPopup({ file: button.dataset.file }));
    }
    find(".choose", this.root).addEventListener("click", () => {
      this.closePopups(true);
      this.chooser.click();
    });
    this.chooser.addEventListener("change", () => this.sendChosen());
    this.speakButton.addEventListener("click", () => whileBusy(this.speakButton, () => this.record()));
    find(".drop", this.recordingBar).addEventListener("click", () => this.endRecording(false));
    find(".send", this.recordingBar).addEventListener("click", () => this.endRecording(true));
    find("button", this.quoting).addEventListener("click", () => this.quote(null));
    this.provider.addEventListener("change", () => this.chooseProvider());
    this.downButton.addEventListener("click", () => {
      this.toBottom();
      this.log.focus();
    });
    this.log.addEventListener("scroll", () => {
      this.resting = this.atBottom();
      if (this.resting) this.downButton.hidden = true;
    }, { passive: true });
    new ResizeObserver(() => this.resting && this.toBottom()).observe(this.log);
    this.tab.addEventListener("click", () => select(this));
  }

  // What the server says

  /** Bring the screen to what the server has; bubbles that never reached it stay at the end. */
  reconcile(data) {
    const theirs = new Set(data.bubbles.map((bubble) => bubble.id));
    if ([...this.shown.keys()].some((id) => !theirs.has(id))) this.clear();
    for (const bubble of data.bubbles) this.receive(bubble);
    this.setCommands(data.commands);
    this.setProvider(data.provider);
    if (this.shown.size + this.unknown.length === 0 && !find(".empty", this.log)) {
      this.log.append(copy("empty-template"));
    }
    this.ready = true;
  }

  clear() {
    this.log.replaceChildren(...this.unknown.map((entry) => entry.row));
    this.shown.clear();
    this.seen.clear();
    this.lastDay = null;
    this.quote(null, false);
  }

  receive(bubble) {
    if (this.seen.has(bubble.id)) return this.change(bubble);
    this.seen.add(bubble.id);
    const own = bubble.mine && this.unknown.find((entry) => same(entry.bubble, bubble));
    if (own) {
      this.unknown.splice(this.unknown.indexOf(own), 1);
      own.bubble = bubble;
      this.identify(own);
      this.drawCome(own);
      return;
    }
    this.identify(this.draw(bubble));
    if (!bubble.mine && this.ready && !this.visible()) {
      this.unread += 1;
      this.showUnread();
    }
  }

  /** It is there already and looks different now: edited, or judged by a stored talk. */
  change(bubble) {
    const entry = this.shown.get(bubble.id);
    if (!entry) return;
    entry.bubble = bubble;
    find(".text", entry.row).textContent = bubble.text;
    showState(entry.row, bubble);
    if (bubble.mark === "differs" && this.resting) this.toBottom();
  }

  takeAway(ids) {
    for (const id of ids) {
      this.shown.get(id)?.row.remove();
      this.shown.delete(id);
      if (this.quoted?.id === id) this.quote(null, false);
    }
  }

  setProvider(state) {
    this.provider.value = state;
    this.provider.parentElement.dataset.state = state;
  }

  async chooseProvider() {
    const provider = this.provider.value;
    try {
      await post("/simulator/provider", { phone: this.id, provider });
    } catch {
      this.setProvider(this.provider.parentElement.dataset.state);
      toast(words.problem);
    }
  }

  identify(entry) {
    const { bubble, row } = entry;
    this.shown.set(bubble.id, entry);
    find(".text", row).id = `text-${bubble.id}`;
    for (const button of all(".side button", row)) {
      button.setAttribute("aria-describedby", `text-${bubble.id}`);
    }
    find(".translate", row).setAttribute("aria-controls", `other-${bubble.id}`);
    find(".other", row).id = `other-${bubble.id}`;
    row.dataset.known = "";
    showTime(row, bubble);
    while (this.shown.size > KEPT) {
      const [id, oldest] = this.shown.entries().next().value;
      oldest.row.remove();
      this.shown.delete(id);
    }
  }

  setCommands(commands) {
    this.popups.commands.replaceChildren(...commands.map(([command, meaning]) => {
      const button = element("button", "", "");
      button.type = "button";
      button.lang = this.language;
      button.append(element("b", "", `/${command}`), element("span", "", meaning));
      button.addEventListener("click", () => this.fromPopup({ text: `/${command}` }));
      return button;
    }));
    this.menuButton.hidden = this.look !== "telegram" || commands.length === 0;
    if (this.menuButton.hidden) this.popups.commands.hidden = true;
  }

  // Drawing

  draw(bubble) {
    const row = copy("bubble-template");
    const entry = { bubble, row };
    row.classList.add(bubble.mine ? "mine" : "theirs");
    row.dataset.fate = bubble.id ? "sent" : "sending";
    find(".who", row).textContent = `${this.author(bubble)}: `;
    find(".text", row).textContent = bubble.text;
    find(".text", row).hidden = !bubble.text;
    if (bubble.reply_to) this.fillQuote(find(".quote", row), this.shown.get(bubble.reply_to)?.bubble);
    this.drawCome(entry);
    showState(row, bubble);
    this.drawButtons(entry);
    find(".reply", row).addEventListener("click", () => this.quote(entry.bubble));
    find(".translate", row).hidden = bubble.mine;
    find(".translate", row).addEventListener("click", () => this.toggleOther(entry));
    find(".empty", this.log)?.remove();
    this.drawDay(bubble);
    showTime(row, bubble);
    this.log.append(row);
    if (bubble.mine || this.resting) this.toBottom();
    else this.downButton.hidden = false;
    return entry;
  }

  /** What came along: as it is, or as a sign of its kind. */
  drawCome({ bubble, row }) {
    const { file, media } = bubble;
    const plain = file && (!media || media.kind === "document"); // her own document needs no copy
    find(".file", row).hidden = !plain;
    if (plain) drawFile(find(".file", row), file);
    else if (media) drawMedia(row, media, () => this.resting && this.toBottom());
  }

  drawButtons(entry) {
    const holder = find(".buttons", entry.row);
    const buttons = this.look === "telegram" ? entry.bubble.buttons : [];
    holder.hidden = buttons.length === 0;
    buttons.forEach(([label], index) => {
      const button = element("button", "", label);
      button.type = "button";
      button.addEventListener("click", () => this.tap(entry, index, button));
      holder.append(button);
    });
  }

  drawDay(bubble) {
    const day = this.days.format(new Date(bubble.at));
    if (day === this.lastDay) return;
    this.lastDay = day;
    this.log.append(element("p", "day", day));
  }

  fillQuote(quote, bubble) {
    quote.hidden = false;
    find("b", quote).textContent = bubble ? this.author(bubble) : "";
    find("span", quote).textContent = bubble ? bubble.text || words[bubble.file] || "" : words.earlier;
  }

  author(bubble) {
    return bubble.mine ? this.name : "Linkline";
  }

  // What is done on the phone

  sendWritten() {
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = "";
    this.send({ text });
  }

  /** A file from the chooser, or a voice note from the microphone. */
  sendOwn(blob) {
    if (blob.size > words.biggest) {
      return toast(fill(words.too_big, { size: `${words.biggest >> 20} MB` }), 10000);
    }
    this.send({ file: kindOf(blob), blob });
  }

  sendChosen() {
    const [file] = this.chooser.files;
    this.chooser.value = "";
    if (file) this.sendOwn(file);
  }

  async record() {
    try {
      this.recording = await Recording.begin();
    } catch {
      return toast(words.unheard, 10000);
    }
    const length = find(".length", this.recordingBar);
    const tell = () => { length.textContent = clockOf(this.recording.seconds); };
    tell();
    this.counting = setInterval(tell, 250);
    this.showRecording(true);
  }

  async endRecording(send) {
    const { recording } = this;
    if (!recording) return;
    clearInterval(this.counting);
    this.recording = null;
    const blob = await recording.finish();
    this.showRecording(false);
    if (send) this.sendOwn(blob);
    this.speakButton.focus();
  }

  /** In place of what is written; the keyboard goes along. */
  showRecording(on) {
    find("form", this.root).hidden = on;
    this.recordingBar.hidden = !on;
    find("[role=status]", this.recordingBar).textContent = on ? words.recording : "";
    if (on) find(".send", this.recordingBar).focus();
  }

  fromPopup(content) {
    this.closePopups(true);
    this.send(content);
  }

  send(content) {
    if (this.quoted) content = { ...content, reply_to: this.quoted.id };
    this.quote(null, false);
    this.say(content);
  }

  say(content) {
    const { text = "", file = null, reply_to = null, blob = null } = content;
    content = { ...content, key: content.key ?? newKey() }; // sent again = the same message
    const at = now().toISOString();
    const entry = this.draw({ id: null, mine: true, text, file, reply_to, at, buttons: [] });
    this.unknown.push(entry);
    return this.inOrder(async () => {
      try {
        if (blob) content.sent ??= await handOver(blob);
        await deliver({ phone: this.id, ...content, blob: undefined });
        entry.row.dataset.fate = "sent";
      } catch {
        entry.row.dataset.fate = "failed";
        showFailure(entry.row, () => {
          this.forget(entry);
          this.input.focus();
          this.say(content);
        });
      }
    });
  }

  tap(entry, index, button, key = newKey()) {
    find(".failed", entry.row).hidden = true;
    return whileBusy(button, () => this.inOrder(async () => {
      try {
        await deliver({ phone: this.id, key, bubble: entry.bubble.id, button: index });
      } catch {
        showFailure(entry.row, () => {
          button.focus();
          this.tap(entry, index, button, key);
        });
      }
    }));
  }

  // The same in another language

  toggleOther(entry) {
    const box = find(".other", entry.row);
    const button = find(".translate", entry.row);
    box.hidden = !box.hidden;
    button.ariaExpanded = String(!box.hidden);
    if (box.hidden) return;
    const group = find(".group", box);
    group.replaceChildren(...Object.entries(page.languages).map(([code, name]) => {
      const choice = element("button", "", name);
      choice.type = "button";
      choice.lang = choice.value = code;
      choice.addEventListener("click", () => this.sayIn(entry, code));
      return choice;
    }));
    const other = [pageLanguage, ...Object.keys(page.languages)].find((code) => code !== this.language);
    this.sayIn(entry, other);
  }

  async sayIn(entry, language) {
    const box = find(".other", entry.row);
    for (const choice of all(".group button", box)) choice.ariaPressed = String(choice.value === language);
    const said = find(".said", box);
    try {
      const wanted = { phone: this.id, bubble: entry.bubble.id, language };
      const { text, labels } = await (await post("/simulator/translation", wanted)).json();
      said.lang = language;
      find("p", said).textContent = text;
      find("ul", said).replaceChildren(...labels.map((label) => element("li", "", label)));
      find("ul", said).hidden = labels.length === 0;
    } catch {
      said.lang = pageLanguage;
      find("p", said).textContent = words.untold;
      find("ul", said).hidden = true;
    }
    box.scrollIntoView({ block: "nearest" });
  }

  inOrder(work) {
    this.queue = this.queue.then(work);
    return this.queue;
  }

  /** Take a bubble away that was not taken; it is written anew. */
  forget(entry) {
    entry.row.remove();
    this.shown.delete(entry.bubble.id);
    this.unknown = this.unknown.filter((each) => each !== entry);
  }

  quote(bubble, focus = true) {
    this.quoted = bubble;
    this.quoting.hidden = !bubble;
    if (bubble) this.fillQuote(find(".quote", this.quoting), bubble);
    if (focus && this.ready) this.input.focus();
  }

  togglePopup(button) {
    const popup = this.popups[button.dataset.popup];
    const open = popup.hidden;
    closeAllPopups();
    popup.hidden = !open;
    button.ariaExpanded = String(open);
    if (open) find("button", popup)?.focus();
  }

  closePopups(backToButton = false) {
    let closed = false;
    for (const [name, popup] of Object.entries(this.popups)) {
      if (popup.hidden) continue;
      const button = find(`[data-popup=${name}]`, this.root);
      popup.hidden = closed = true;
      button.ariaExpanded = "false";
      if (backToButton) button.focus();
    }
    return closed;
  }

  // Being seen

  visible() {
    return !narrow.matches || page.selected === this;
  }

  atBottom() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60;
  }

  toBottom() {
    this.log.scrollTop = this.log.scrollHeight;
    this.resting = true;
    this.downButton.hidden = true;
  }

  showUnread() {
    const count = find(".count", this.tab);
    count.textContent = this.unread ? fill(words.unread, { n: this.unread }) : "";
  }

  place() {
    const wasHidden = this.root.hidden;
    this.root.hidden = !this.visible();
    this.root.role = narrow.matches ? "tabpanel" : null;
    this.root.setAttribute("aria-labelledby", narrow.matches ? this.tab.id : `name-${this.id}`);
    this.tab.ariaSelected = String(page.selected === this);
    this.tab.tabIndex = page.selected === this ? 0 : -1;
    if (this.root.hidden) return;
    if (wasHidden) this.toBottom();
    this.unread = 0;
    this.showUnread();
  }
}

const same = (one, other) =>
  one.text === other.text && one.file === other.file && one.reply_to === other.reply_to;

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

function drawFile(place, kind) {
  place.hidden = false;
  place.classList.add(kind);
  find("use", place).setAttribute("href", `#i-${words[kind] ? kind : "document"}`);
  find("span", place).textContent = words[kind] ?? kind;
}

/** What came with the words: heard, seen, or taken along. */
function drawMedia(row, media, shown) {
  const { kind, name, at } = media;
  const place = find({ voice: "audio", video: "video", photo: ".picture" }[kind] ?? ".link", row);
  place.hidden = false;
  if (kind === "document") {
    place.href = at;
    place.textContent = name;
    return;
  }
  if (kind === "photo") place.alt = name === "qr.png" ? words.qr : words.photo;
  place.onload = place.onloadedmetadata = shown;
  place.src = at;
}

/** What became of a bubble since it came. */
function showState(row, bubble) {
  find(".edited", row).hidden = !bubble.edited;
  find(".agrees", row).toggleAttribute("hidden", bubble.mark !== "agrees");
  const differs = find(".differs", row);
  differs.hidden = bubble.mark !== "differs";
  find(".expected", differs).textContent = bubble.expected || words.nothing;
}

function showTime(row, bubble) {
  const time = find("time", row);
  time.dateTime = bubble.at;
  time.textContent = hours.format(new Date(bubble.at));
}

function showFailure(row, again) {
  const line = find(".failed", row);
  line.hidden = false;
  find("button", line).onclick = again;
  line.scrollIntoView({ block: "nearest" });
}

// The page

export function addPhone(data) {
  const known = phones.get(data.id);
  if (known) {
    known.reconcile(data);
    return known;
  }
  const phone = new Phone(data);
  phones.set(data.id, phone);
  find("#phones").append(phone.root);
  find("#tabs").append(phone.tab);
  page.selected ??= phone;
  phone.place();
  phone.toBottom();
  return phone;
}

export function removePhone(phone) {
  phone.root.remove();
  phone.tab.remove();
  phones.delete(phone.id);
  if (page.selected === phone) page.selected = null;
}

/** Show who does something now. */
export function highlight(id) {
  for (const phone of phones.values()) {
    phone.root.classList.toggle("acting", phone.id === id);
    phone.tab.classList.toggle("acting", phone.id === id);
  }
  if (phones.has(id) && narrow.matches) select(phones.get(id));
}

export function select(phone) {
  page.selected = phone;
  layOut();
  phone.tab.scrollIntoView({ block: "nearest", inline: "nearest" });
}

export function layOut() {
  find("#tabs").hidden = !narrow.matches;
  for (const phone of phones.values()) phone.place();
}

export function closeAllPopups() {
  for (const phone of phones.values()) phone.closePopups();
}

let toastTimer;

export function toast(text, lasts = 5000) {
  clearTimeout(toastTimer);
  find("#toast").textContent = text;
  if (text && lasts < Infinity) toastTimer = setTimeout(toast, lasts, "");
}
