// The timeline of a player: curves, marks, lanes, and which part of the clip they show.

function draw(player) {
  const { data, plot, find } = player;
  const stacked = data.style === "stacked";
  const svg = plot.querySelector("svg");
  const series = data.detail && data.detail.from <= player.from && data.detail.to >= player.to ? data.detail : data.overview;
  player.series = series;
  if (player.drawn?.data === data && player.drawn.series === series) return;
  player.drawn = { data, series };
  svg.replaceChildren();
  paths(series, stacked).forEach((d, index) => {
    const colour = data.colours[index];
    element("path", stacked ? { d, fill: colour, opacity: 0.85 } : { d, fill: "none", stroke: colour, "stroke-width": 2 }, svg);
  });
  const marks = find(".marks");
  const notes = find(".notes");
  marks.replaceChildren();
  notes.replaceChildren();
  const percent = (time) => `${(100 * time) / data.end}%`;
  for (const [from, to] of data.empty) {
    const mark = document.createElement("i");
    mark.className = "empty";
    mark.style.left = percent(from);
    mark.style.width = percent(to - from);
    marks.append(mark);
  }
  for (const cut of data.cuts) {
    const mark = document.createElement("i");
    mark.className = "cut";
    mark.style.left = percent(cut);
    marks.append(mark);
  }
  for (const [time, text] of data.notes) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "▼";
    button.title = `${clock(time, 1)} ${text}`;
    button.setAttribute("aria-label", `note at ${clock(time, 1)}: ${text}`);
    button.style.left = percent(time);
    button.addEventListener("click", () => seek(player, time));
    notes.append(button);
  }
}

function lanes(player) {
  const { data, find } = player;
  const shown = player.everyone ? data.lanes : data.lanes.slice(0, data.few);
  const key = JSON.stringify(shown) + data.chosen;
  const more = find(".more");
  more.hidden = shown.length === data.lanes.length;
  more.textContent = `all ${data.lanes.length} faces`;
  if (player.shown === key) return;
  player.shown = key;
  const box = find(".lanes");
  const focused = box.getRootNode().activeElement?.dataset.person;
  box.replaceChildren();
  for (const lane of shown) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "lane";
    button.dataset.person = lane.person;
    button.title = lane.name;
    button.setAttribute("aria-pressed", String(lane.person === data.chosen));
    const picture = document.createElement(lane.face ? "img" : "i");
    if (lane.face) Object.assign(picture, { src: lane.face, alt: "" });
    else picture.className = "blank";
    const name = document.createElement("span");
    name.textContent = lane.name;
    button.append(picture, name);
    button.addEventListener("click", () => {
      // A trigger is sent once and can get lost between two updates; a state is sent until it has arrived, and
      // with the time of the click no two are the same.
      player.tell("lane", [lane.person === player.data.chosen ? -1 : lane.person, Date.now()]);
    });
    const row = document.createElement("div");
    row.className = "strip";
    const svg = element("svg", { preserveAspectRatio: "none", viewBox: "0 0 1 1" }, row);
    strip(lane.runs, data.colours.length).forEach((d, index) => {
      if (d) element("path", { d, fill: data.colours[index] }, svg);
    });
    box.append(button, row);
    if (String(lane.person) === focused) button.focus({ preventScroll: true });
  }
}

// Show the part of the clip between two times.
function view(player, from = player.from, to = player.to) {
  const { data, find } = player;
  const span = Math.min(Math.max(to - from, data.end / 400, 0.2), data.end);
  player.from = Math.min(Math.max(from, 0), data.end - span);
  player.to = player.from + span;
  draw(player);
  find(".plot svg").setAttribute("viewBox", `${player.from} 0 ${span} 100`);
  for (const svg of player.root.querySelectorAll(".strip svg")) svg.setAttribute("viewBox", `${player.from} 0 ${span} 1`);
  for (const layer of [find(".marks"), find(".notes")]) {
    layer.style.left = `${(-100 * player.from) / span}%`;
    layer.style.width = `${(100 * data.end) / span}%`;
  }
  const axis = find(".axis");
  const room = Math.max(Math.floor(player.plot.clientWidth / 80), 2);
  const { step, found } = ticks(player.from, player.to, room);
  axis.replaceChildren(...found.map((time) => {
    const label = document.createElement("span");
    label.textContent = clock(time, step < 1 ? 1 : 0);
    label.style.left = `${(100 * (time - player.from)) / span}%`;
    label.classList.toggle("first", time - player.from < span / 50);
    label.classList.toggle("last", player.to - time < span / 50);
    return label;
  }));
  place(player);
  const asked = player.to - player.from < data.end - 1e-6 ? [player.from, player.to] : null;
  if (JSON.stringify(asked) !== JSON.stringify(player.asked ?? null)) {
    player.asked = asked;
    clearTimeout(player.asking);
    player.asking = setTimeout(() => player.tell("window", asked), 200);
  }
}

function zoom(player, factor, around) {
  const share = Math.min(Math.max((around - player.from) / (player.to - player.from), 0), 1);
  const span = Math.min((player.to - player.from) * factor, player.data.end);
  view(player, around - share * span, around - share * span + span);
}

function pan(player, by) {
  view(player, player.from + by, player.to + by);
}

function at(player, event) {
  const box = player.plot.getBoundingClientRect();
  return player.from + ((event.clientX - box.left) / box.width) * (player.to - player.from);
}

function place(player) {
  player.find(".cursor").style.left = `${(100 * (player.time - player.from)) / (player.to - player.from)}%`;
  player.plot.setAttribute("aria-valuemax", player.data.end);
  player.plot.setAttribute("aria-valuenow", player.time.toFixed(2));
  player.plot.setAttribute("aria-valuetext", clock(player.time, 1));
}
