// The player: a video, the timeline under it, a lane for each person, and one cursor over all of them.

const players = new WeakMap();

// A frame is shown from its time on: a hair later is surely that frame.
const HAIR_S = 0.001;

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".player");
  let player = players.get(root);
  if (!player) {
    player = create(root);
    players.set(root, player);
  }
  player.tell = setStateValue;
  update(player, data);
  return () => {
    cancelAnimationFrame(player.tick);
    clearTimeout(player.telling);
    player.video.removeAttribute("src");
    player.video.load();
  };
}

function create(root) {
  const find = (name) => root.querySelector(name);
  const player = {
    root, find, video: find("video"), plot: find(".plot"), time: 0, hover: null, from: 0, to: 1, told: null,
    token: null, clip: null, version: null, failed: new Set(), everyone: false, data: null, tick: 0,
  };
  const { video, plot } = player;
  const grid = find(".time");
  const follow = () => {
    const now = video.currentTime + player.data.offset;
    show(player, Math.abs(now - player.time) < 2 * HAIR_S ? player.time : now);
    if (!video.paused) player.tick = requestAnimationFrame(follow);
  };
  video.addEventListener("play", () => { player.tick = requestAnimationFrame(follow); });
  video.addEventListener("pause", () => tell(player));
  video.addEventListener("seeked", () => { follow(); tell(player); });
  video.addEventListener("timeupdate", () => tell(player, 1000));
  video.addEventListener("loadedmetadata", () => {
    if (player.time !== player.data.offset) seek(player, player.time);
  });
  video.addEventListener("error", () => fail(player));
  grid.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && event.target.closest(".plot, .strip") && !event.target.closest("button")) {
      seek(player, at(player, event));
      plot.focus({ preventScroll: true });
    }
  });
  grid.addEventListener("pointermove", (event) => {
    if (event.buttons === 1 && event.target.closest(".plot, .strip")) seek(player, at(player, event));
    player.hover = event.target.closest(".plot") ? at(player, event) : null;
    read(player);
  });
  grid.addEventListener("pointerleave", () => { player.hover = null; read(player); });
  plot.addEventListener("keydown", (event) => press(player, event));
  plot.addEventListener("wheel", (event) => {
    if (event.ctrlKey) zoom(player, 1.3 ** Math.sign(event.deltaY), at(player, event));
    else if (event.deltaX) pan(player, (event.deltaX / plot.clientWidth) * (player.to - player.from));
    else return;
    event.preventDefault();
  }, { passive: false });
  find(".nearer").addEventListener("click", () => zoom(player, 0.5, player.time));
  find(".farther").addEventListener("click", () => zoom(player, 2, player.time));
  find(".all").addEventListener("click", () => view(player, 0, player.data.end));
  find(".more").addEventListener("click", () => { player.everyone = true; lanes(player); view(player); });
  return player;
}

function update(player, data) {
  const before = player.data;
  const whole = !before || (player.from <= 0 && player.to >= before.end - 1e-6);
  const other = player.clip !== data.clip;
  player.data = data;
  if (other) {
    Object.assign(player, { clip: data.clip, time: data.offset, version: null, told: null });
    player.failed.clear();
  }
  if (other || JSON.stringify(before.sources) !== JSON.stringify(data.sources)) sources(player);
  draw(player);
  lanes(player);
  if (other || whole) view(player, 0, data.end);
  else view(player);
  if (data.seek && data.seek.token !== player.token) {
    player.token = data.seek.token;
    seek(player, data.seek.to);
  }
  read(player);
}

function sources(player) {
  const { data, find, video } = player;
  const playable = data.sources.filter(({ version }) => !player.failed.has(version));
  const chosen = playable.find(({ version }) => version === player.version) ?? playable[0];
  const choice = find(".versions");
  choice.replaceChildren();
  if (data.sources.length > 1) {
    for (const { version } of data.sources) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = version;
      button.disabled = player.failed.has(version);
      button.setAttribute("aria-pressed", String(version === chosen?.version));
      button.addEventListener("click", () => { player.version = version; sources(player); });
      choice.append(button);
    }
  }
  find(".stage").classList.toggle("silent", !chosen);
  video.hidden = !chosen;
  const says = find(".says");
  says.hidden = Boolean(chosen) && !player.failed.size;
  says.textContent = chosen ? "this browser cannot play the clip itself, this is the annotated one" : data.says;
  if (!chosen && player.failed.size) says.textContent = data.unplayable;
  if (chosen && chosen.address !== video.getAttribute("src")) {
    video.src = chosen.address;
  }
}

function fail(player) {
  const source = player.data.sources.find(({ address }) => address === player.video.getAttribute("src"));
  if (!source || player.failed.has(source.version)) return;
  player.failed.add(source.version);
  player.version = null;
  sources(player);
}

function press(player, event) {
  const step = event.shiftKey ? 5 : player.data.frame || 0.04;
  const keys = {
    ArrowLeft: () => seek(player, player.time - step),
    ArrowRight: () => seek(player, player.time + step),
    Home: () => seek(player, 0),
    End: () => seek(player, player.data.last),
    " ": () => { if (player.video.paused) player.video.play(); else player.video.pause(); },
    "+": () => zoom(player, 0.5, player.time),
    "-": () => zoom(player, 2, player.time),
  };
  if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  keys[event.key]();
}

function seek(player, time) {
  const { data, video } = player;
  const to = Math.min(Math.max(time, data.offset), data.last);
  if (video.hidden || video.readyState < 1) {
    show(player, to);
    tell(player);
  } else {
    video.currentTime = to - data.offset + HAIR_S;
    show(player, to);
  }
}

function show(player, time) {
  player.time = time;
  if (time < player.from || time > player.to) pan(player, time - player.from - (player.to - player.from) * 0.1);
  place(player);
  read(player);
}

// The bars beside the video: what is read where the pointer is, else at the cursor.
function read(player) {
  const { data, series, find } = player;
  const time = player.hover ?? player.time;
  const index = nearest(series, time, Math.max(data.frame * 1.5, 0.2));
  const values = index < 0 ? null : series.p.map((each) => each[index]);
  const bars = find(".bars");
  if (bars.children.length !== data.emotions.length) {
    bars.replaceChildren(...data.emotions.map((emotion, number) => {
      const row = document.createElement("li");
      row.innerHTML = '<i class="dot"></i><span></span><span class="rail"><i></i></span><span></span>';
      row.children[0].style.background = data.colours[number];
      row.children[1].textContent = emotion;
      row.children[2].firstChild.style.background = data.colours[number];
      return row;
    }));
  }
  const highest = values ? Math.max(...values) : -1;
  [...bars.children].forEach((row, number) => {
    const value = values?.[number];
    row.classList.toggle("top", value === highest);
    row.children[2].firstChild.style.width = values ? `${value}%` : "0";
    row.children[3].textContent = values ? `${Math.round(value)} %` : "–";
  });
  find(".who b").textContent = values ? data.who : "no face";
  find(".who span").textContent = clock(time, 1);
}

// Let the server know where the cursor is: now, or at most every so many milliseconds.
function tell(player, every = 0) {
  const say = () => {
    player.telling = null;
    const time = Math.round(player.time * 1000) / 1000;
    if (time === player.told) return;
    player.told = time;
    player.tell("time", time);
  };
  if (every && player.telling) return;
  clearTimeout(player.telling);
  player.telling = setTimeout(say, every || 100);
}
