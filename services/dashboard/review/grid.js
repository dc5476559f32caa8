// A grid of faces that is worked through with the keyboard. Decisions are kept here and sent as a whole, so
// that none is lost while the page is busy: { key: emotion or "no face" }, "" where one was taken back.
const grids = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".grid");
  const before = grids.get(root);
  if (before?.batch === data.batch) {
    before.send = setStateValue;
    return;
  }
  const state = { batch: data.batch, here: 0, decided: { ...data.decided }, order: [], send: setStateValue };
  grids.set(root, state);
  const faces = data.faces.map((face, place) => draw(face, data.noFace, () => go(place)));
  root.replaceChildren(...faces.map((face) => face.element));

  function go(place) {
    state.here = Math.max(0, Math.min(place, faces.length - 1));
    faces.forEach((face, at) => {
      face.element.classList.toggle("here", at === state.here);
      face.element.setAttribute("aria-selected", String(at === state.here));
    });
    root.setAttribute("aria-activedescendant", faces[state.here]?.element.id ?? "");
    faces[state.here]?.element.scrollIntoView({ block: "nearest" });
  }

  function decide(emotion) {
    const { key } = data.faces[state.here];
    state.decided = { ...state.decided, [key]: emotion };
    show();
    state.send("decided", state.decided);
    if (!emotion) return;
    state.order.push(state.here);
    go(next());
  }

  function takeBack() {
    const isDecided = (place) => Boolean(state.decided[data.faces[place].key]);
    const last = isDecided(state.here) ? state.here : state.order.findLast(isDecided);
    if (last === undefined) return;
    go(last);
    decide("");
  }

  function next() {
    const after = data.faces.findIndex((face, at) => at > state.here && !state.decided[face.key]);
    return after < 0 ? Math.min(state.here + 1, faces.length - 1) : after;
  }

  function show() {
    data.faces.forEach((face, place) => faces[place].show(state.decided[face.key] || ""));
  }

  function columns() {
    return getComputedStyle(root).gridTemplateColumns.split(" ").length;
  }

  const moves = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -columns(), ArrowDown: columns };

  root.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !faces.length) return;
    const emotion = data.emotions[Number(event.key) - 1];
    if (emotion && /^[1-9]$/.test(event.key)) decide(emotion.name);
    else if (event.key === "0") decide(data.noFace);
    else if (event.key === " " || event.key === "Enter") decide(data.faces[state.here].guess);
    else if (event.key === "Backspace" || event.key === "Delete") takeBack();
    else if (moves[event.key]) go(state.here + moves[event.key]());
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const keys = data.emotions.map((emotion, index) =>
    button(`${index + 1}`, emotion.name, emotion.colour, () => decide(emotion.name)));
  keys.push(button("0", data.noFace, "", () => decide(data.noFace)));
  keys.push(button("⏎", "confirm", "", () => decide(data.faces[state.here].guess)));
  keys.push(button("⌫", "take back", "", takeBack));
  parentElement.querySelector(".keys").replaceChildren(...keys);

  function button(key, text, colour, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    if (colour) {
      const dot = document.createElement("i");
      dot.style.background = colour;
      made.append(dot);
    }
    made.append(text);
    made.onclick = () => { act(); root.focus({ preventScroll: true }); };
    return made;
  }

  show();
  go(0);
  root.focus({ preventScroll: true });
}

function draw(face, noFace, choose) {
  const element = document.createElement("figure");
  element.className = "face";
  element.id = `face-${face.key}`;
  element.setAttribute("role", "option");
  element.title = face.where;
  const picture = Object.assign(document.createElement("img"), { src: face.picture, alt: "" });
  const said = document.createElement("p");
  const where = Object.assign(document.createElement("p"), { textContent: face.where });
  element.append(picture, said, where);
  element.onclick = choose;
  return {
    element,
    show(decided) {
      element.classList.toggle("decided", Boolean(decided));
      element.querySelector(".mark")?.remove();
      said.textContent = decided || face.said;
      element.setAttribute("aria-label", `${decided ? `decided: ${decided}` : face.said}, ${face.where}`);
      if (!decided) return;
      const text = decided === noFace ? "left out" : decided === face.guess ? "confirmed" : "corrected";
      element.append(Object.assign(document.createElement("span"), { className: "mark", textContent: text }));
    },
  };
}
