// Data → SVG paths and labels. Time runs along x in seconds, per cent along y.

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];

function clock(seconds, digits = 0) {
  const scaled = Math.round(Math.max(seconds, 0) * 10 ** digits);
  const whole = Math.floor(scaled / 10 ** digits);
  const two = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const text = hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  return digits ? `${text}.${scaled % 10 ** digits}` : text;
}

function ticks(from, to, room) {
  const step = STEPS.find((each) => (to - from) / each <= room) ?? 7200;
  const found = [];
  for (let at = Math.ceil(from / step - 1e-6) * step; at <= to + 1e-6; at += step) found.push(at);
  return { step, found };
}

// Points [N] and seven lists [N] → seven path strings; null breaks a line, and an area.
function paths(series, stacked) {
  const below = new Array(series.t.length).fill(0);
  return series.p.map((values) => {
    let path = "";
    let piece = [];
    const close = () => {
      if (piece.length) {
        const top = piece.map(([t, , high]) => `${t} ${(100 - high).toFixed(2)}`);
        const bottom = piece.map(([t, low]) => `${t} ${(100 - low).toFixed(2)}`).reverse();
        path += `M${(stacked ? [...top, ...bottom] : top).join("L")}${stacked ? "Z" : ""}`;
      }
      piece = [];
    };
    values.forEach((value, index) => {
      if (value === null) return close();
      const low = stacked ? below[index] : 0;
      piece.push([series.t[index], low, Math.min(low + value, 100)]);
      below[index] += value;
      return undefined;
    });
    close();
    return path;
  });
}

function strip(runs, emotions) {
  const found = new Array(emotions).fill("");
  for (const [start, end, emotion] of runs) found[emotion] += `M${start} 0H${end}V1H${start}Z`;
  return found;
}

// The index of the point of a series that is nearest to a time, -1 where the line is broken there.
function nearest(series, time, reach) {
  const { t } = series;
  let low = 0;
  let high = t.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (t[middle] < time) low = middle + 1;
    else high = middle;
  }
  const near = [low, low - 1].filter((index) => index >= 0 && index < t.length && series.p[0][index] !== null);
  const inside = low > 0 && near.length === 2;
  const best = near.sort((a, b) => Math.abs(t[a] - time) - Math.abs(t[b] - time))[0];
  return best !== undefined && (inside || Math.abs(t[best] - time) <= reach) ? best : -1;
}

function element(tag, attributes, parent) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  parent?.append(made);
  return made;
}
