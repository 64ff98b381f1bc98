// The simulator's page: phones side by side. What is written goes to the webhook, as from a
// provider; what happens comes as events; after a break the whole state is read again.

const words = JSON.parse(document.getElementById("words").textContent);
const pageLanguage = document.documentElement.lang;
const narrow = matchMedia("(max-width: 719px)"); // the same width as in the style sheet
const KEPT = 300; // bubbles on a phone, as on the server
const APPS = { whatsapp: "WhatsApp", telegram: "Telegram" };

const find = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);

const phones = new Map(); // id -> Phone
let languages = {};
let selected = null; // the phone of the open tab

// Time: the moved clock, in the zone of the programme

let shift = 0; // milliseconds between the phones' clock and this computer's

const now = () => new Date(Date.now() + shift);
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

function setClock(iso) {
  shift = new Date(iso) - Date.now();
  showClock();
}

function showClock() {
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

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30000),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

async function deliver(body) {
  const answer = await post("/webhooks/simulator", body);
  if (answer.status !== 200) throw new Error(`not taken: ${answer.status}`);
}

// `aria-disabled` and not `disabled`: a disabled button would lose the keyboard's place.
async function whileBusy(button, work) {
  if (button.ariaDisabled === "true") return;
  button.ariaDisabled = "true";
  try {
    await work();
  } finally {
    button.ariaDisabled = null;
  }
}

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
    this.popups = { commands: part(".popup.commands"), files: part(".popup.files") };
    part("h2").textContent = this.name;
    part("h2").id = `name-${this.id}`;
    part(".avatar").textContent = [...new Intl.Segmenter().segment(this.name)][0]?.segment ?? "";
    part(".app").textContent = APPS[this.look] ?? this.look;
    part(".language").textContent = languages[this.language] ?? this.language;
    part(".language").lang = this.language;
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
    find("button", this.quoting).addEventListener("click", () => this.quote(null));
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
    if (this.seen.has(bubble.id)) return;
    this.seen.add(bubble.id);
    const own = bubble.mine && this.unknown.find((entry) => same(entry.bubble, bubble));
    if (own) {
      this.unknown.splice(this.unknown.indexOf(own), 1);
      own.bubble = bubble;
      this.identify(own);
      return;
    }
    this.identify(this.draw(bubble));
    if (!bubble.mine && this.ready && !this.visible()) {
      this.unread += 1;
      this.showUnread();
    }
  }

  identify(entry) {
    const { bubble, row } = entry;
    this.shown.set(bubble.id, entry);
    find(".text", row).id = `text-${bubble.id}`;
    find(".reply", row).setAttribute("aria-describedby", `text-${bubble.id}`);
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
    if (bubble.file) drawFile(find(".file", row), bubble.file);
    this.drawButtons(entry);
    find(".reply", row).addEventListener("click", () => this.quote(entry.bubble));
    find(".empty", this.log)?.remove();
    this.drawDay(bubble);
    showTime(row, bubble);
    this.log.append(row);
    if (bubble.mine || this.resting) this.toBottom();
    else this.downButton.hidden = false;
    return entry;
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
    const { text = "", file = null, reply_to = null } = content;
    content = { ...content, key: content.key ?? newKey() }; // sent again = the same message
    const at = now().toISOString();
    const entry = this.draw({ id: null, mine: true, text, file, reply_to, at, buttons: [] });
    this.unknown.push(entry);
    return this.inOrder(async () => {
      try {
        await deliver({ phone: this.id, ...content });
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
    return !narrow.matches || selected === this;
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
    this.tab.ariaSelected = String(selected === this);
    this.tab.tabIndex = selected === this ? 0 : -1;
    if (this.root.hidden) return;
    if (wasHidden) this.toBottom();
    this.unread = 0;
    this.showUnread();
  }
}

const same = (one, other) =>
  one.text === other.text && one.file === other.file && one.reply_to === other.reply_to;

function element(tag, className, text) {
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

function addPhone(data) {
  const known = phones.get(data.id);
  if (known) {
    known.reconcile(data);
    return known;
  }
  const phone = new Phone(data);
  phones.set(data.id, phone);
  find("#phones").append(phone.root);
  find("#tabs").append(phone.tab);
  selected ??= phone;
  phone.place();
  phone.toBottom();
  return phone;
}

function removePhone(phone) {
  phone.root.remove();
  phone.tab.remove();
  phones.delete(phone.id);
  if (selected === phone) selected = null;
}

function select(phone) {
  selected = phone;
  layOut();
  phone.tab.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function layOut() {
  find("#tabs").hidden = !narrow.matches;
  for (const phone of phones.values()) phone.place();
}

function closeAllPopups() {
  for (const phone of phones.values()) phone.closePopups();
}

let toastTimer;

function toast(text, lasts = 5000) {
  clearTimeout(toastTimer);
  find("#toast").textContent = text;
  if (text && lasts < Infinity) toastTimer = setTimeout(toast, lasts, "");
}

// Live

const happenings = {
  bubble: (data) => phones.get(data.phone)?.receive(data.bubble),
  phone: addPhone,
  commands: (data) => phones.get(data.phone)?.setCommands(data.commands),
  clock: (data) => setClock(data.clock),
  restarted: (data) => {
    setClock(data.clock);
    toast(words.restarted);
  },
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
  languages = state.languages;
  setClock(state.clock);
  const theirs = new Set(state.phones.map((phone) => phone.id));
  for (const phone of [...phones.values()]) if (!theirs.has(phone.id)) removePhone(phone);
  state.phones.forEach(addPhone);
  selected ??= phones.values().next().value ?? null;
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

const attempt = (button, work) =>
  whileBusy(button, () => work().catch(() => toast(words.problem)));

for (const button of all("[data-seconds]")) {
  button.addEventListener("click", () =>
    attempt(button, () => post("/simulator/clock", { seconds: Number(button.dataset.seconds) })));
}

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
  const here = list.indexOf(selected);
  const there = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: -1 }[event.key];
  if (there === undefined) return;
  event.preventDefault();
  select(list.at(there % list.length));
  selected.tab.focus();
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
